//! The report on calls as CSV: one row a group, with the counts of the JSON. Pure.
use super::calls_figures::LeftOutCall;
use super::csv::{Table, figure, key};
use super::wire::GroupKey;
use super::wire_calls::{CallFigures, CallsReport, ServiceLevels};
use crate::error::Result;

const COLUMNS: [&str; 22] = [
    "total",
    "offered",
    "answered",
    "answered_in_time",
    "abandoned",
    "short_abandoned",
    "voicemail",
    "not_promised",
    "undecided",
    "no_ring",
    "in_doubt",
    "outbound",
    "service_level_of_offered_percent",
    "service_level_of_offered_less_short_percent",
    "service_level_of_answered_percent",
    "average_speed_of_answer_seconds",
    "abandonment_percent",
    "abandonment_less_short_percent",
    "longest_wait_seconds",
    "talk_seconds",
    "available_seconds",
    "occupancy_percent",
];

fn cells(figures: &CallFigures) -> Vec<String> {
    let CallFigures {
        total,
        offered,
        answered,
        answered_in_time,
        abandoned,
        short_abandoned,
        voicemail,
        left_out,
        service_level,
        average_speed_of_answer_seconds,
        abandonment,
        abandonment_less_short,
        longest_wait_seconds,
        talk_seconds,
        available_seconds,
        occupancy,
    } = figures;
    let ServiceLevels { of_offered, of_offered_less_short, of_answered } = service_level;
    let counts = [total, offered, answered, answered_in_time, abandoned, short_abandoned, voicemail];
    let left_out = LeftOutCall::ALL.iter().map(|reason| figure(left_out.get(reason.as_str())));
    let mut cells: Vec<String> = counts.into_iter().map(ToString::to_string).chain(left_out).collect();
    cells.extend([of_offered, of_offered_less_short, of_answered].map(|share| figure(share.percent)));
    cells.push(figure(*average_speed_of_answer_seconds));
    cells.extend([abandonment, abandonment_less_short].map(|share| figure(share.percent)));
    cells.extend([
        figure(*longest_wait_seconds),
        talk_seconds.to_string(),
        available_seconds.to_string(),
        figure(occupancy.percent),
    ]);
    cells
}

/// A row a group; the total alone where there are no groups, so that columns can be summed.
pub fn calls(report: &CallsReport) -> Result<Vec<u8>> {
    let mut table = Table::new(&COLUMNS)?;
    if report.group_by.is_none() {
        table.row(key(&GroupKey::total()).iter().chain(&cells(&report.total)))?;
    }
    for group in &report.groups {
        table.row(key(&group.key).iter().chain(&cells(&group.figures)))?;
    }
    table.done()
}
