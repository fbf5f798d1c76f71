//! The funnel and the causes, drawn. Pure.
use super::causes::CausesReport;
use super::charts::{self, Head, Mark, Scale, Shape};
use super::drawings::{count, listed, period_in_words};
use super::figures::percent_one_decimal;
use super::funnel::{Cohort, FunnelReport};
use crate::error::Result;

fn bars(head: impl FnOnce(String) -> Head, marks: Vec<Mark>, most: u64) -> Result<String> {
    let description = listed(marks.iter().map(|mark| format!("{}: {}", mark.label, mark.text)));
    let scale = Scale { low: 0.0, high: most.max(1) as f64, unit: "" };
    charts::rows(&head(description), &marks, scale, Shape::Bars)
}

/// A bar a step, from closes to follow-ups.
pub fn funnel(report: &FunnelReport) -> Result<String> {
    let when = period_in_words((report.from, report.to), &report.time_zone);
    let figures = &report.total;
    let whole = figures.closes;
    let step = |label: &str, value: u64| {
        let share = percent_one_decimal(value, whole).map(|share| format!(" ({share:.1} %)")).unwrap_or_default();
        Mark { label: label.to_owned(), value: Some(value as f64), interval: None, text: format!("{}{share}", count(value)) }
    };
    let done = figures.follow_ups.owed - figures.follow_ups.open;
    let marks = vec![
        step(if report.cohort == Cohort::Closed { "Closed" } else { "Letters sent in the period" }, whole),
        step("Letters sent", figures.letters.sent),
        step("Came back", figures.letters.bounced),
        step("Answered", figures.letters.answered),
        step("Counted answers", figures.answers.counted),
        step("Reviewed", figures.reviews.reviewed),
        step("Follow-ups owed", figures.follow_ups.owed),
        step("Followed up", done),
    ];
    let rate = figures.response_rate.percent.map(|rate| format!("response rate {rate:.1} %; ")).unwrap_or_default();
    let marks = if whole == 0 { Vec::new() } else { marks };
    let head = |description| Head { title: "What became of closes".to_owned(), subtitle: format!("{rate}{when}"), description };
    bars(head, marks, whole)
}

/// A bar a cause.
pub fn causes(report: &CausesReport) -> Result<String> {
    let when = period_in_words((report.from, report.to), &report.time_zone);
    let most = report.causes.first().map_or(0, |cause| cause.answers);
    let marks = report.causes.iter().map(|cause| Mark {
        label: cause.cause.clone(),
        value: Some(cause.answers as f64),
        interval: None,
        text: match (cause.share_percent, cause.nps_points) {
            (Some(share), Some(points)) => format!("{} ({share:.1} %), {points:+.1} points", count(cause.answers)),
            _ => count(cause.answers),
        },
    });
    let subtitle = format!("Of {} counted answers, and their points of the NPS; {when}", count(report.answers));
    let head = |description| Head { title: "What answers are about".to_owned(), subtitle, description };
    bars(head, marks.collect(), most)
}
