//! What each report draws. Pure.
use super::asked::GroupBy;
use super::charts::{self, Head, Line, Mark, ROWS_MAX, Scale, Shape, Square};
use super::week::{HOURS, HourFigures, HoursReport};
use super::wire::{GroupKey, SlaFigures, SlaReport};
use super::wire_nps::{DirectionName, NpsFigures, NpsReport};
use crate::error::Result;
use crate::sla::clock::Metric;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

pub(super) const PERCENT: Scale = Scale { low: 0.0, high: 100.0, unit: " %" };
const POINTS: Scale = Scale { low: -100.0, high: 100.0, unit: "" };
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Groups that a description names; the rest is in the table.
const WORDS_MAX: usize = ROWS_MAX;

/// A count with a comma at each thousand.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let parts: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|part| std::str::from_utf8(part).ok()).collect();
    parts.join(",")
}

/// A period in its own zone, such as `1 March 2026 to 31 March 2026`: the last day is the one that the end lies in or after.
pub fn period_in_words((from, to): (DateTime<Utc>, DateTime<Utc>), zone: &str) -> String {
    let tz: Tz = zone.parse().unwrap_or(Tz::UTC);
    let day = |at: DateTime<Utc>| at.with_timezone(&tz).format("%-d %B %Y").to_string();
    let (first, last) = (day(from), day(to - chrono::TimeDelta::microseconds(1)));
    if first == last { format!("{first}, {zone}") } else { format!("{first} to {last}, {zone}") }
}

/// A promise as people call it.
pub fn metric_name(metric: Metric) -> &'static str {
    match metric {
        Metric::Pickup => "Pickup",
        Metric::FirstResponse => "First response",
        Metric::NextResponse => "Next response",
        Metric::Resolution => "Resolution",
    }
}

pub(super) fn listed(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    let shown = items.get(..WORDS_MAX).unwrap_or(&items);
    let rest = items.len() - shown.len();
    let more = if rest > 0 { format!("; and {rest} more") } else { String::new() };
    if items.is_empty() { "There are no figures.".to_owned() } else { format!("{}{more}.", shown.join("; ")) }
}

fn is_timed(group_by: Option<GroupBy>) -> bool {
    group_by.is_some_and(|by| by.unit().is_some())
}

fn attainment(figures: &SlaFigures) -> String {
    let attainment = &figures.attainment;
    match attainment.percent {
        Some(percent) => format!("{percent:.1} % ({} of {})", count(attainment.numerator), count(attainment.denominator)),
        None => "nothing decided".to_owned(),
    }
}

/// The low end of a scale of percents that still shows differences near 100.
fn floor(values: impl Iterator<Item = f64>) -> Scale {
    let lowest = values.fold(100.0, f64::min);
    Scale {
        low: if lowest >= 92.0 {
            90.0
        } else if lowest >= 55.0 {
            50.0
        } else {
            0.0
        },
        ..PERCENT
    }
}

/// Attainment: a line a metric over time, or bars.
pub fn sla(report: &SlaReport) -> Result<String> {
    let when = period_in_words((report.from, report.to), &report.time_zone);
    let shown: Vec<&SlaFigures> = report.total.iter().filter(|figures| figures.total > 0).collect();
    let words = |label: &str, figures: &SlaFigures| format!("{label}: {}", attainment(figures));
    let title = "Promises kept".to_owned();
    if is_timed(report.group_by) {
        let own = |key: &GroupKey, of: &[SlaFigures], metric: Metric| {
            of.iter().find(|figures| figures.metric == metric).map(|figures| (key.label.clone(), figures.clone()))
        };
        let lines = shown.iter().map(|whole| Line {
            name: metric_name(whole.metric).to_owned(),
            values: report
                .groups
                .iter()
                .map(|group| own(&group.key, &group.metrics, whole.metric).and_then(|(_, own)| own.attainment.percent))
                .collect(),
            intervals: Vec::new(),
        });
        let lines: Vec<Line> = lines.collect();
        let scale = floor(lines.iter().flat_map(|line| line.values.iter().copied().flatten()));
        let labels: Vec<String> = report.groups.iter().map(|group| group.key.label.clone()).collect();
        let cut = if scale.low > 0.0 { format!(", scale from {} %", scale.low) } else { String::new() };
        let subtitle = format!("Share of the decided promises that were met; {when}{cut}");
        let description = listed(shown.iter().map(|figures| words(metric_name(figures.metric), figures)));
        return charts::lines(&Head { title, subtitle, description }, &labels, &lines, scale);
    }
    let mut marks = Vec::new();
    let mut mark = |label: String, figures: &SlaFigures| {
        marks.push(Mark { label, value: figures.attainment.percent, interval: None, text: attainment(figures) });
    };
    if report.group_by.is_none() {
        shown.iter().for_each(|figures| mark(metric_name(figures.metric).to_owned(), figures));
    }
    for group in &report.groups {
        for figures in &group.metrics {
            mark(format!("{}: {}", group.key.label, metric_name(figures.metric).to_lowercase()), figures);
        }
    }
    let description = listed(marks.iter().map(|mark| format!("{}: {}", mark.label, mark.text)));
    let subtitle = format!("Share of the decided promises that were met; {when}");
    charts::rows(&Head { title, subtitle, description }, &marks, PERCENT, Shape::Bars)
}

fn nps_text(figures: &NpsFigures) -> String {
    let Some(nps) = figures.nps_rounded else { return "no answers".to_owned() };
    let interval = figures.interval.as_ref().map(|i| format!(" [{:.0}, {:.0}]", i.low, i.high)).unwrap_or_default();
    let few = if figures.few_answers { ", few" } else { "" };
    format!("{nps}{interval}, {} answers{few}", count(figures.n))
}

/// What a change is called where there is no room for z and p.
pub fn change_in_words(direction: DirectionName) -> &'static str {
    match direction {
        DirectionName::Up => "clearly better than before",
        DirectionName::Down => "clearly worse than before",
        DirectionName::NoClearChange => "no clear change",
    }
}

/// The NPS with its interval: over time, or by group.
pub fn nps(report: &NpsReport) -> Result<String> {
    let when = period_in_words((report.from, report.to), &report.time_zone);
    let change = report.change.as_ref().map(|change| format!("; {}", change_in_words(change.direction))).unwrap_or_default();
    let title = match report.total.nps_rounded {
        Some(nps) => format!("Net Promoter Score {nps}"),
        None => "Net Promoter Score".to_owned(),
    };
    let subtitle = format!("{} answers with 95 % intervals{change}; {when}", count(report.total.n));
    let of = |label: &str, figures: &NpsFigures| Mark {
        label: label.to_owned(),
        value: figures.nps,
        interval: figures.interval.as_ref().map(|interval| (interval.low, interval.high)),
        text: nps_text(figures),
    };
    let marks: Vec<Mark> = if report.group_by.is_none() {
        vec![of("All", &report.total)]
    } else {
        report.groups.iter().map(|group| of(&group.key.label, &group.figures)).collect()
    };
    let marks: Vec<Mark> = if report.total.n == 0 { Vec::new() } else { marks };
    let answered = marks.iter().filter(|mark| mark.value.is_some());
    let description = listed(answered.map(|mark| format!("{}: {}", mark.label, mark.text)));
    let head = Head { title, subtitle, description };
    if is_timed(report.group_by) {
        let labels: Vec<String> = marks.iter().map(|mark| mark.label.clone()).collect();
        let line = Line {
            name: "NPS".to_owned(),
            values: marks.iter().map(|mark| mark.value).collect(),
            intervals: marks.iter().map(|mark| mark.interval).collect(),
        };
        return charts::lines(&head, &labels, &[line], POINTS);
    }
    charts::rows(&head, &marks, POINTS, Shape::Dots)
}

names! {
    /// What a heat map of the week shows.
    pub enum Measure {
        /// Tickets that came.
        Received = "received",
        /// The share of promises kept.
        Attainment = "attainment",
    }
}

/// The hours of the week as a heat map.
pub fn hours(report: &HoursReport, measure: Measure) -> Result<String> {
    let when = period_in_words((report.from, report.to), &report.time_zone);
    let most = report.hours.iter().map(|hour| hour.received).max().unwrap_or(0).max(1);
    let square = |hour: &HourFigures| match (measure, hour.attainment.percent) {
        (Measure::Received, _) if hour.received == 0 => Square { share: None, text: String::new() },
        (Measure::Received, _) => Square { share: Some(hour.received as f64 / most as f64), text: short(hour.received) },
        (Measure::Attainment, None) => Square { share: None, text: String::new() },
        (Measure::Attainment, Some(percent)) => Square { share: Some(percent / 100.0), text: format!("{percent:.0}") },
    };
    let squares: Vec<Square> = report.hours.iter().map(square).collect();
    let (title, subtitle) = match measure {
        Measure::Received => ("When requests come".to_owned(), format!("Tickets by weekday and hour; {when}")),
        Measure::Attainment => {
            let title = format!("{}: promises kept by the hour", metric_name(report.metric));
            (title, format!("Percent of the decided promises, by the hour in which the ticket came; {when}"))
        }
    };
    let busiest = report.hours.iter().filter(|hour| hour.received > 0 && hour.received == most);
    let named = busiest.take(3).map(|hour| format!("{} {:02}:00", weekday(hour.weekday), hour.hour.unwrap_or(0)));
    let total = &report.total;
    let kept = total.attainment.percent.map(|p| format!(" {p:.1} % of the decided promises were kept.")).unwrap_or_default();
    let description = match named.collect::<Vec<_>>() {
        named if named.is_empty() => "There are no figures.".to_owned(),
        named => format!(
            "{} tickets came. The busiest hour of the week is {}, with {}.{kept}",
            count(total.received),
            named.join(" and "),
            count(most)
        ),
    };
    let names: Vec<String> = (0..HOURS).map(|hour| format!("{hour:02}")).collect();
    charts::heat(&Head { title, subtitle, description }, &WEEKDAYS, &names, &squares)
}

fn weekday(number: Option<u32>) -> &'static str {
    number.and_then(|number| WEEKDAYS.get(number as usize - 1)).copied().unwrap_or_default()
}

/// A count of at most four characters.
fn short(value: u64) -> String {
    match value {
        0..10_000 => value.to_string(),
        10_000..1_000_000 => format!("{}k", value / 1_000),
        _ => format!("{}M", value / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_periods_are_written_for_people() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([7, 9_999, 10_000, 2_500_000].map(short), ["7", "9999", "10k", "2M"]);
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("an instant");
        let march = (at("2026-03-01T05:00:00Z"), at("2026-04-01T04:00:00Z"));
        assert_eq!(period_in_words(march, "America/Toronto"), "1 March 2026 to 31 March 2026, America/Toronto");
        assert_eq!(period_in_words((at("2026-03-01T00:00:00Z"), at("2026-03-02T00:00:00Z")), "UTC"), "1 March 2026, UTC");
    }

    #[test]
    fn a_scale_is_cut_only_where_all_is_well() {
        let low = |values: &[f64]| floor(values.iter().copied()).low;
        assert_eq!([low(&[]), low(&[99.0, 95.5]), low(&[99.0, 60.0]), low(&[100.0, 20.0])], [90.0, 90.0, 50.0, 0.0]);
    }
}
