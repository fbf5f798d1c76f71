//! The funnel and the causes as CSV. Pure.
use super::causes::CausesReport;
use super::csv::{Table, figure, key, text};
use super::funnel::{FunnelFigures, FunnelReport};
use super::wire::GroupKey;
use crate::error::Result;
use crate::surveys::model::Outcome;

const FUNNEL_COLUMNS: [&str; 23] = [
    "sent",
    "unknown",
    "bounced",
    "waiting",
    "expired",
    "answered",
    "counted",
    "unconfirmed",
    "rejected",
    "review_new",
    "review_in_review",
    "review_reviewed",
    "review_none",
    "follow_ups_owed",
    "follow_ups_open",
    "follow_ups_resolved",
    "follow_ups_contacted",
    "follow_ups_no_reply",
    "follow_ups_declined",
    "follow_ups_not_needed",
    "response_rate_percent",
    "response_rate_numerator",
    "response_rate_denominator",
];

fn funnel_cells(figures: &FunnelFigures) -> Vec<String> {
    let FunnelFigures { closes, outcomes, letters: l, answers: a, reviews: r, follow_ups: f, response_rate } = figures;
    let outcome = |outcome: &Outcome| outcomes.get(outcome.as_str()).copied().unwrap_or(0).to_string();
    let mut cells = vec![closes.to_string()];
    cells.extend(Outcome::ALL.iter().map(outcome));
    let letters = [l.sent, l.unknown, l.bounced, l.waiting, l.expired, l.answered].into_iter();
    let reviews = [a.counted, a.unconfirmed, a.rejected, r.new, r.in_review, r.reviewed, r.none];
    let follow_ups = [f.owed, f.open, f.resolved, f.contacted, f.no_reply, f.declined, f.not_needed];
    cells.extend(letters.chain(reviews).chain(follow_ups).map(|count| count.to_string()));
    cells.push(figure(response_rate.percent));
    cells.extend([response_rate.numerator, response_rate.denominator].map(|count| count.to_string()));
    cells
}

/// A row a group; the total alone where there are no groups, so that columns can be summed.
pub fn funnel(report: &FunnelReport) -> Result<Vec<u8>> {
    let outcomes: Vec<String> = Outcome::ALL.iter().map(|outcome| format!("outcome_{outcome}")).collect();
    let columns: Vec<&str> = ["closes"].into_iter().chain(outcomes.iter().map(String::as_str)).chain(FUNNEL_COLUMNS).collect();
    let mut table = Table::new(&columns)?;
    if report.group_by.is_none() {
        table.row(key(&GroupKey::total()).iter().chain(&funnel_cells(&report.total)))?;
    }
    for group in &report.groups {
        table.row(key(&group.key).iter().chain(&funnel_cells(&group.figures)))?;
    }
    table.done()
}

/// A row a cause.
pub fn causes(report: &CausesReport) -> Result<Vec<u8>> {
    let mut table = Table::bare();
    table.row([
        "cause",
        "answers",
        "promoters",
        "passives",
        "detractors",
        "share_percent",
        "nps",
        "nps_points",
        "all_answers",
    ])?;
    for cause in &report.causes {
        let counts = [cause.answers, cause.promoters, cause.passives, cause.detractors].map(|count| count.to_string());
        let figures = [figure(cause.share_percent), figure(cause.nps), figure(cause.nps_points), report.answers.to_string()];
        table.row([text(&cause.cause)].iter().chain(&counts).chain(&figures))?;
    }
    table.done()
}
