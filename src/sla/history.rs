//! The lives of a ticket's clocks, read from its history.
use super::clock::{Fact, Promise};
use super::explain::{Life, Turn, Version};
use super::rematch::LaidAnew;
use super::store::{self, ClockRow};
use super::wire::ModeName;
use crate::calendar::{self, hours::Hours};
use crate::db::Conn;
use crate::error::Result;
use crate::ids::{CalendarId, ClockId, TicketId};
use crate::timeline::{self, Kind};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// What an event says of how a clock is laid out.
#[derive(Deserialize)]
struct Laid {
    mode: ModeName,
    target_seconds: i64,
    warn_percent: i32,
    calendar_id: CalendarId,
    calendar_version: i32,
    #[serde(default)]
    how: Option<LaidAnew>,
}

impl Laid {
    fn promise(&self) -> Promise {
        Promise { mode: self.mode.mode(), target_seconds: self.target_seconds, warn_percent: self.warn_percent }
    }

    fn version(&self) -> Version {
        (self.calendar_id, self.calendar_version)
    }
}

const KINDS: [Kind; 5] = [Kind::ClockStarted, Kind::ClockPaused, Kind::ClockResumed, Kind::ClockReached, Kind::ClockMoved];

/// A clock as its row alone tells it: for one whose start is not in the history.
fn from_row(row: &ClockRow) -> Life {
    Life {
        promise: row.clock().promise,
        started_at: row.started_at.0,
        version: (row.calendar_id, row.calendar_version),
        turns: row.reached_at.map(|at| Turn::Fact(Fact::Reached(at.0))).into_iter().collect(),
    }
}

/// The clocks of a ticket, oldest first, each with its life, and the hours that these name. Three queries.
#[expect(clippy::type_complexity, reason = "three things that belong together once")]
pub fn lives(conn: &mut Conn, ticket: TicketId) -> Result<(Vec<(ClockRow, Life)>, HashMap<Version, Arc<Hours>>)> {
    let rows = store::of_ticket(conn, ticket)?;
    let mut lives: HashMap<ClockId, Life> = HashMap::new();
    for (_, kind, at, data) in timeline::of_kinds(conn, &[ticket], &KINDS)? {
        let named = data.0.get("clock_id").and_then(|id| id.as_str()).and_then(|id| id.parse::<ClockId>().ok());
        let Some(id) = named else { continue };
        if kind.0 == Kind::ClockStarted {
            let Some(row) = rows.iter().find(|row| row.id == id) else { continue };
            let laid: Laid = data.to()?;
            let started_at: DateTime<Utc> = row.started_at.0;
            lives.insert(id, Life { promise: laid.promise(), started_at, version: laid.version(), turns: Vec::new() });
            continue;
        }
        let Some(life) = lives.get_mut(&id) else { continue };
        let turn = match kind.0 {
            Kind::ClockPaused => Turn::Fact(Fact::Paused(at.0)),
            Kind::ClockResumed => Turn::Fact(Fact::Resumed(at.0)),
            Kind::ClockReached => Turn::Fact(Fact::Reached(at.0)),
            _ => {
                let laid: Laid = data.to()?;
                match laid.how {
                    Some(LaidAnew::Remaining) => Turn::Remaining(at.0, laid.version()),
                    Some(LaidAnew::FromStart | LaidAnew::FromReceipt) | None => {
                        Turn::FromStart(at.0, laid.promise(), laid.version())
                    }
                }
            }
        };
        life.turns.push(turn);
    }
    let told: Vec<(ClockRow, Life)> =
        rows.into_iter().map(|row| (lives.remove(&row.id).unwrap_or_else(|| from_row(&row)), row)).map(|(l, r)| (r, l)).collect();
    let versions: BTreeSet<Version> = told.iter().flat_map(|(_, life)| life.versions().collect::<Vec<_>>()).collect();
    let hours = calendar::find_versions(conn, &versions)?;
    Ok((told, hours))
}
