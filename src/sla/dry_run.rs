//! What a change would do to running promises: which tickets move, and by how much. Pure.
use super::clock::Metric;
use super::store::ClockRow;
use crate::ids::{ClockId, TicketId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use validator::Validate;

/// Clocks listed in an answer at the most; the counts are of all.
pub const LISTED_MAX: usize = 100;

/// Whether to write, or only to say what would be written.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DryRunParams {
    /// true: nothing is written; the answer says which promises would move, and by how much.
    #[serde(default)]
    #[param(required = false)]
    pub dry_run: bool,
}

/// A clock before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    ticket_id: TicketId,
    clock_id: ClockId,
    metric: Metric,
    target_seconds: (i64, i64),
    due_at: (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    breaks: bool,
}

/// The clocks of `after` that are due otherwise, or by another target, than in `before`.
pub fn differences(before: &[ClockRow], after: &[ClockRow]) -> Vec<Moved> {
    let old: HashMap<ClockId, &ClockRow> = before.iter().map(|row| (row.id, row)).collect();
    let moved = after.iter().filter_map(|row| {
        let old = old.get(&row.id)?;
        let breaks = row.breached_at.is_some() && old.breached_at.is_none();
        let same = row.due_at == old.due_at && row.target_seconds == old.target_seconds && row.standing == old.standing;
        (breaks || !same).then(|| Moved {
            ticket_id: row.ticket_id,
            clock_id: row.id,
            metric: row.metric.0,
            target_seconds: (old.target_seconds, row.target_seconds),
            due_at: (old.due_at.map(|at| at.0), row.due_at.map(|at| at.0)),
            breaks,
        })
    });
    moved.collect()
}

/// All that would move: counts, and the first hundred.
#[derive(Debug, Default)]
pub struct Plan {
    tickets: HashSet<TicketId>,
    clocks: usize,
    breaks: usize,
    listed: Vec<Moved>,
}

impl Plan {
    /// Takes more in.
    pub fn add(&mut self, moved: Vec<Moved>) {
        for one in moved {
            self.tickets.insert(one.ticket_id);
            self.clocks += 1;
            self.breaks += usize::from(one.breaks);
            if self.listed.len() < LISTED_MAX {
                self.listed.push(one);
            }
        }
    }

    /// The tickets that are listed.
    pub fn listed(&self) -> Vec<TicketId> {
        self.listed.iter().map(|one| one.ticket_id).collect()
    }

    /// The answer, with the numbers of its tickets.
    pub fn out(self, numbers: &HashMap<TicketId, i64>) -> DryRunOut {
        let item = |one: Moved| {
            let Moved { ticket_id, clock_id, metric, target_seconds, due_at, breaks } = one;
            let seconds = due_at.0.zip(due_at.1).map(|(before, after)| (after - before).num_seconds());
            MovedOut {
                ticket_id,
                ticket_number: numbers.get(&ticket_id).copied().unwrap_or_default(),
                clock_id,
                metric,
                target_seconds_before: target_seconds.0,
                target_seconds_after: target_seconds.1,
                due_before: due_at.0,
                due_after: due_at.1,
                seconds,
                breaks,
            }
        };
        DryRunOut {
            dry_run: true,
            tickets: self.tickets.len(),
            clocks: self.clocks,
            breaks: self.breaks,
            items_cut: self.clocks > self.listed.len(),
            items: self.listed.into_iter().map(item).collect(),
        }
    }
}

/// A promise that would move.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MovedOut {
    ticket_id: TicketId,
    #[schema(examples(1042))]
    ticket_number: i64,
    clock_id: ClockId,
    metric: Metric,
    target_seconds_before: i64,
    target_seconds_after: i64,
    /// null while it stands still.
    due_before: Option<DateTime<Utc>>,
    /// null while it stands still.
    due_after: Option<DateTime<Utc>>,
    /// How much later it would be due; negative where earlier, null while it stands still.
    seconds: Option<i64>,
    /// Whether it would be broken at once.
    breaks: bool,
}

/// What would move; nothing was written.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DryRunOut {
    /// Always true.
    dry_run: bool,
    /// Tickets with a promise that would move.
    tickets: usize,
    /// Promises that would move.
    clocks: usize,
    /// Of those, how many would be broken at once.
    breaks: usize,
    /// The first hundred of them, the next to fall due first.
    #[schema(max_items = 100)]
    items: Vec<MovedOut>,
    /// True where there are more than are listed.
    items_cut: bool,
}
