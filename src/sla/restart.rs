//! Promises of tickets that are merged: those of the merged one stand still, those of the other begin at the earliest receipt.
use super::clock::{Fact, Metric, Standing};
use super::commands::Clocks;
use super::rematch::{self, Because, LaidAnew, Pauses};
use crate::Result;
use crate::calendar;
use crate::db::Conn;
use crate::ids::ClockId;
use crate::timeline::{Actor, Kind};
use chrono::{DateTime, Utc};
use serde_json::json;

impl Clocks {
    /// Another ticket's promises stand for these from now on: all that run stand still; says which they were.
    pub fn hold(&mut self, conn: &mut Conn, actor: Actor, now: DateTime<Utc>) -> Result<Vec<ClockId>> {
        self.ring(now);
        let mut held = Vec::new();
        for index in self.undecided(|row| row.standing.0 == Standing::Running) {
            held.extend(self.rows().get(index).map(|row| row.id));
            self.change(conn, index, Fact::Paused(now), actor, now)?;
        }
        Ok(held)
    }

    /// Those that were held run again.
    pub fn release(&mut self, conn: &mut Conn, held: &[ClockId], actor: Actor, now: DateTime<Utc>) -> Result<()> {
        for index in self.undecided(|row| row.standing.0 == Standing::Paused && held.contains(&row.id)) {
            self.change(conn, index, Fact::Resumed(now), actor, now)?;
        }
        Ok(())
    }

    /// The request turned out to be received at another instant: what was promised from its receipt, and can still be kept, began then.
    pub fn restart(&mut self, conn: &mut Conn, from: DateTime<Utc>, actor: Actor, now: DateTime<Utc>) -> Result<()> {
        self.ring(now);
        let from_receipt = |metric: Metric| matches!(metric, Metric::FirstResponse | Metric::Resolution);
        let indexes = self
            .undecided(|row| row.cycle == 1 && from_receipt(row.metric.0) && row.clock().can_move() && row.started_at.0 != from);
        if indexes.is_empty() {
            return Ok(());
        }
        let ticket = self.ticket;
        let pauses =
            if self.rows().iter().any(rematch::may_have_paused) { rematch::pauses(conn, &[ticket])? } else { Pauses::new() };
        for index in indexes {
            let Some(row) = self.rows.get_mut(index) else { continue };
            let hours = calendar::find_version(conn, row.calendar_id, row.calendar_version)?;
            let mut clock = row.clock();
            let before = (clock.started_at, clock.due_at);
            clock.started_at = from;
            let stood_still = pauses.get(&row.id).map(Vec::as_slice).unwrap_or_default();
            // What is promised only while open, and was not then, goes on as it began.
            let Some((mut clock, fell_due)) = clock.retargeted(clock.promise, &hours, stood_still, now) else { continue };
            row.set(&clock);
            let data = json!({
                "clock_id": row.id, "metric": row.metric.0, "cycle": row.cycle, "because": Because::Merge, "how": LaidAnew::FromReceipt,
                "policy_id": row.policy_id, "policy_version": row.policy_version,
                "calendar_id": row.calendar_id, "calendar_version": row.calendar_version,
                "mode": row.mode.0, "target_seconds": row.target_seconds, "warn_percent": row.warn_percent, "pauses": row.pauses,
                "started_at": clock.started_at, "due_at": clock.due_at, "before": { "started_at": before.0, "due_at": before.1 },
            });
            self.events.push((Kind::ClockMoved, actor, now, data));
            self.touched(index);
            for fact in fell_due {
                clock.mark(fact);
                if let Some(row) = self.rows.get_mut(index) {
                    row.set(&clock);
                }
                self.note(index, &clock, fact, Actor::Desk, now);
            }
        }
        Ok(())
    }
}
