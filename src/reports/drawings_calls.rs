//! What the report on calls draws. Pure.
use super::calls_asked::CallsBy;
use super::charts::{self, Head, Line, Mark, Shape};
use super::drawings::{PERCENT, count, listed, period_in_words};
use super::wire_calls::{CallFigures, CallsReport};
use crate::error::Result;

fn in_words(figures: &CallFigures) -> String {
    let level = &figures.service_level.of_offered;
    match level.percent {
        Some(percent) => format!("{percent:.1} % ({} of {})", count(level.numerator), count(level.denominator)),
        None => "no calls".to_owned(),
    }
}

/// The service level of all calls that were offered: a line over time, or bars.
pub fn calls(report: &CallsReport) -> Result<String> {
    let when = period_in_words((report.from, report.to), &report.time_zone);
    let mark = |label: &str, figures: &CallFigures| Mark {
        label: label.to_owned(),
        value: figures.service_level.of_offered.percent,
        interval: None,
        text: in_words(figures),
    };
    let marks: Vec<Mark> = match report.group_by {
        _ if report.total.offered == 0 => Vec::new(),
        None => vec![mark("All", &report.total)],
        Some(_) => report.groups.iter().map(|group| mark(&group.key.label, &group.figures)).collect(),
    };
    let named = marks.iter().filter(|mark| mark.value.is_some());
    let head = Head {
        title: format!("Calls answered within {} s", report.within_seconds),
        subtitle: format!("Share of the {} calls that were offered; {when}", count(report.total.offered)),
        description: listed(named.map(|mark| format!("{}: {}", mark.label, mark.text))),
    };
    if matches!(report.group_by, None | Some(CallsBy::Team | CallsBy::Agent)) {
        return charts::rows(&head, &marks, PERCENT, Shape::Bars);
    }
    let labels: Vec<String> = marks.iter().map(|mark| mark.label.clone()).collect();
    let values = marks.iter().map(|mark| mark.value).collect();
    let line = Line { name: "Service level".to_owned(), values, intervals: Vec::new() };
    charts::lines(&head, &labels, &[line], PERCENT)
}
