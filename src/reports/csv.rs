//! Reports as CSV (RFC 4180): one row a group, or a group and metric; the counts are those of the JSON. Pure.
use super::figures::Reasons;
use super::week::{HourFigures, HoursReport};
use super::wire::{GroupKey, Resolutions, SlaFigures, SlaReport};
use super::wire_nps::{ChangeOut, NpsFigures, NpsReport, PreviousOut};
use crate::error::{Error, Result};
use chrono::{DateTime, SecondsFormat, Utc};

/// How a text begins that a spreadsheet would take for a formula.
const FORMULA_STARTS: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];

const KEY_COLUMNS: [&str; 4] = ["group", "group_id", "group_from", "group_to"];

const SLA_COLUMNS: [&str; 19] = [
    "metric",
    "total",
    "met",
    "breached",
    "unreached_breached",
    "running",
    "paused",
    "not_promised",
    "not_promised_reasons",
    "not_measured",
    "not_measured_reasons",
    "attainment_percent",
    "attainment_numerator",
    "attainment_denominator",
    "reached",
    "median_seconds",
    "p90_seconds",
    "p95_seconds",
    "worst_seconds",
];

const NPS_COLUMNS: [&str; 32] = [
    "promoters",
    "passives",
    "detractors",
    "n",
    "nps",
    "nps_rounded",
    "interval_low",
    "interval_high",
    "few_answers",
    "score_0",
    "score_1",
    "score_2",
    "score_3",
    "score_4",
    "score_5",
    "score_6",
    "score_7",
    "score_8",
    "score_9",
    "score_10",
    "comments",
    "sent",
    "bounced",
    "answered",
    "response_rate",
    "nps_if_all_others_detractors",
    "nps_if_all_others_promoters",
    "previous_n",
    "previous_nps",
    "change_z",
    "change_p",
    "change_direction",
];

/// Whether a spreadsheet would take a text for a formula.
pub fn is_formula(cell: &str) -> bool {
    cell.starts_with(FORMULA_STARTS)
}

/// A text cell that no spreadsheet runs; numbers are written as they are.
pub fn text(cell: &str) -> String {
    if is_formula(cell) { format!("'{cell}") } else { cell.to_owned() }
}

/// A figure; an absent one is an empty cell.
pub fn figure<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// An instant as JSON writes it; an absent one is an empty cell.
pub fn instant(at: Option<DateTime<Utc>>) -> String {
    figure(at.map(|at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true)))
}

/// The cells of `KEY_COLUMNS`.
pub fn key(key: &GroupKey) -> [String; 4] {
    [text(&key.label), figure(key.id), instant(key.from), instant(key.to)]
}

fn reasons(reasons: &Reasons) -> String {
    let list: Vec<String> = reasons.iter().map(|(reason, count)| format!("{reason}: {count}")).collect();
    text(&list.join("; "))
}

/// What a row of first or last resolutions is called, so that no sum over a metric counts a clock twice.
const FIRST_RESOLUTION: &str = "first_resolution";
const LAST_RESOLUTION: &str = "last_resolution";

fn sla_cells(name: &str, figures: &SlaFigures) -> [String; 19] {
    let SlaFigures { metric: _, total, met, breached, unreached_breached, running, paused, left_out, attainment, seconds } =
        figures;
    [
        text(name),
        total.to_string(),
        met.to_string(),
        breached.to_string(),
        unreached_breached.to_string(),
        running.to_string(),
        paused.to_string(),
        left_out.not_promised.count.to_string(),
        reasons(&left_out.not_promised.reasons),
        left_out.not_measured.count.to_string(),
        reasons(&left_out.not_measured.reasons),
        figure(attainment.percent),
        attainment.numerator.to_string(),
        attainment.denominator.to_string(),
        seconds.reached.to_string(),
        figure(seconds.median),
        figure(seconds.p90),
        figure(seconds.p95),
        figure(seconds.worst),
    ]
}

fn nps_cells(figures: &NpsFigures, previous: Option<&PreviousOut>, change: Option<&ChangeOut>) -> Vec<String> {
    let NpsFigures { promoters, passives, detractors, n, nps, nps_rounded, interval, few_answers, by_score, comments, cohort } =
        figures;
    let mut cells = vec![promoters.to_string(), passives.to_string(), detractors.to_string(), n.to_string()];
    cells.extend([figure(*nps), figure(*nps_rounded)]);
    cells.extend([figure(interval.as_ref().map(|i| i.low)), figure(interval.as_ref().map(|i| i.high)), few_answers.to_string()]);
    cells.extend(by_score.iter().map(ToString::to_string));
    cells.extend([comments, &cohort.sent, &cohort.bounced, &cohort.answered].map(ToString::to_string));
    let bounds = cohort.bounds.as_ref();
    cells.push(figure(cohort.response_rate));
    cells.extend([figure(bounds.map(|b| b.if_all_others_detractors)), figure(bounds.map(|b| b.if_all_others_promoters))]);
    cells.extend([figure(previous.map(|p| p.n)), figure(previous.and_then(|p| p.nps))]);
    cells.extend([figure(change.map(|c| c.z)), figure(change.map(|c| c.p)), figure(change.map(|c| c.direction))]);
    cells
}

/// Writes a table; lines end as RFC 4180 says.
pub struct Table(::csv::Writer<Vec<u8>>);

impl Table {
    /// An empty one, also without a header.
    pub fn bare() -> Self {
        Self(::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new()))
    }

    /// One of groups: the columns of the key, then `columns`.
    pub fn new(columns: &[&str]) -> Result<Self> {
        let mut table = Self::bare();
        table.row(KEY_COLUMNS.iter().chain(columns))?;
        Ok(table)
    }

    /// One line more.
    pub fn row<T: AsRef<[u8]>>(&mut self, cells: impl IntoIterator<Item = T>) -> Result<()> {
        self.0.write_record(cells).map_err(|error| Error::internal(format!("csv: {error}")))
    }

    /// Its bytes.
    pub fn done(self) -> Result<Vec<u8>> {
        self.0.into_inner().map_err(|error| Error::internal(format!("csv: {error}")))
    }
}

fn sla_rows(table: &mut Table, key: &[String; 4], metrics: &[SlaFigures], resolutions: Option<&Resolutions>) -> Result<()> {
    let named = metrics.iter().map(|figures| (figures.metric.as_str(), figures));
    let told_apart = resolutions.into_iter().flat_map(|r| [(FIRST_RESOLUTION, &r.first), (LAST_RESOLUTION, &r.last)]);
    for (name, figures) in named.chain(told_apart) {
        table.row(key.iter().chain(&sla_cells(name, figures)))?;
    }
    Ok(())
}

/// A row a group and metric; the total alone where there are no groups, so that columns can be summed.
pub fn sla(report: &SlaReport) -> Result<Vec<u8>> {
    let mut table = Table::new(&SLA_COLUMNS)?;
    if report.group_by.is_none() {
        sla_rows(&mut table, &key(&GroupKey::total()), &report.total, Some(&report.resolutions))?;
    }
    for group in &report.groups {
        sla_rows(&mut table, &key(&group.key), &group.metrics, group.resolutions.as_ref())?;
    }
    table.done()
}

/// A row a group; the total alone where there are no groups, so that columns can be summed.
pub fn nps(report: &NpsReport) -> Result<Vec<u8>> {
    let mut table = Table::new(&NPS_COLUMNS)?;
    if report.group_by.is_none() {
        let cells = nps_cells(&report.total, report.previous.as_ref(), report.change.as_ref());
        table.row(key(&GroupKey::total()).iter().chain(&cells))?;
    }
    for group in &report.groups {
        let cells = nps_cells(&group.figures, group.previous.as_ref(), group.change.as_ref());
        table.row(key(&group.key).iter().chain(&cells))?;
    }
    table.done()
}

const HOUR_COLUMNS: [&str; 15] = [
    "weekday",
    "hour",
    "period_seconds",
    "received",
    "metric",
    "promises",
    "answered",
    "met",
    "breached",
    "open",
    "left_out",
    "attainment_percent",
    "attainment_numerator",
    "attainment_denominator",
    "median_seconds",
];

/// A row an hour of the week.
pub fn hours(report: &HoursReport) -> Result<Vec<u8>> {
    let mut table = Table::bare();
    table.row(HOUR_COLUMNS)?;
    for figures in &report.hours {
        let HourFigures { weekday, hour, period_seconds, received, promises, answered, met, breached, open, .. } = figures;
        let HourFigures { left_out, attainment, median_seconds, .. } = figures;
        let mut cells = vec![figure(*weekday), figure(*hour), period_seconds.to_string(), received.to_string()];
        cells.push(text(report.metric.as_str()));
        cells.extend([promises, answered, met, breached, open, left_out].map(ToString::to_string));
        cells.extend([figure(attainment.percent), attainment.numerator.to_string(), attainment.denominator.to_string()]);
        cells.push(figure(*median_seconds));
        table.row(cells)?;
    }
    table.done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(cell: &str, expected: &str) {
        assert_eq!(text(cell), expected, "{cell:?}");
    }

    #[test]
    fn a_text_that_begins_like_a_formula_is_quoted_and_no_other() {
        check("=HYPERLINK(\"http://evil\")", "'=HYPERLINK(\"http://evil\")");
        check("+49 30", "'+49 30");
        check("-Nord-", "'-Nord-");
        check("@SUM(A1)", "'@SUM(A1)");
        check("\t=1", "'\t=1");
        check("\r=1", "'\r=1");
        check("\n=1", "'\n=1");
        check("Nordwind = Hosting", "Nordwind = Hosting");
        check("'=1", "'=1");
        check("", "");
    }

    #[test]
    fn numbers_are_not_touched_and_an_absent_one_is_empty() {
        assert_eq!(figure(Some(-12.5)), "-12.5");
        assert_eq!(figure(Some(45.0)), "45");
        assert_eq!(figure(None::<f64>), "");
    }

    #[test]
    fn commas_quotes_and_line_breaks_stay_in_their_cell() {
        let mut table = Table::bare();
        table.row(["Smith, \"Jo\"", "a\nb"]).expect("a row");
        assert_eq!(String::from_utf8(table.done().expect("bytes")).expect("text"), "\"Smith, \"\"Jo\"\"\",\"a\nb\"\r\n");
    }
}
