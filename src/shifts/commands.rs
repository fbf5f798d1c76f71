//! The verbs of shifts: plan, plan otherwise, take away. Each says which open hours it leaves without anybody.
use super::queries::{self, Coverage, ShiftRow};
use super::store;
pub use super::store::Planned;
use super::wire::ShiftOut;
use crate::accounts::caller::Agent;
use crate::audit;
use crate::db::Conn;
use crate::error::Result;
use crate::ids::ShiftId;
use crate::seen::Seen;
use crate::timeline::Actor;
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};

/// What the audit calls a shift.
const OBJECT: &str = "shift";
/// Days that are looked through for gaps when a shift is saved.
const LOOK_AHEAD: TimeDelta = TimeDelta::days(28);

/// The gaps of the team, or of the desk, in the four weeks from now or from the first day of the shift on, whichever is later.
fn left_open(conn: &mut Conn, row: &ShiftRow, now: DateTime<Utc>) -> Result<Coverage> {
    let first = row.from_on.parse().map_or(now, |day: chrono::NaiveDate| day.and_time(NaiveTime::MIN).and_utc());
    let from = first.max(now);
    queries::coverage(conn, row.team_id, (from, from + LOOK_AHEAD))
}

/// A manager plans a shift.
pub fn plan(conn: &mut Conn, agent: &Agent, planned: Planned, now: DateTime<Utc>) -> Result<(ShiftRow, Coverage)> {
    let row = store::insert(conn, planned, now)?;
    audit::created(conn, Actor::Agent(agent.id()), (OBJECT, row.id.0), &ShiftOut::of(row.clone(), None)?, now)?;
    let coverage = left_open(conn, &row, now)?;
    Ok((row, coverage))
}

/// A manager plans it otherwise.
pub fn replace(
    conn: &mut Conn,
    agent: &Agent,
    (id, seen): (ShiftId, Seen),
    planned: Planned,
    now: DateTime<Utc>,
) -> Result<(ShiftRow, Coverage)> {
    let before = store::find(conn, id)?;
    seen.check(before.version)?;
    let after = store::replace(conn, &before, planned, now)?;
    let shown = (&ShiftOut::of(before, None)?, &ShiftOut::of(after.clone(), None)?);
    audit::changed(conn, Actor::Agent(agent.id()), (OBJECT, id.0), shown, now)?;
    let coverage = left_open(conn, &after, now)?;
    Ok((after, coverage))
}

/// A manager takes it away.
pub fn remove(conn: &mut Conn, agent: &Agent, id: ShiftId, seen: Seen, now: DateTime<Utc>) -> Result<Coverage> {
    let row = store::remove(conn, id, seen)?;
    audit::removed(conn, Actor::Agent(agent.id()), (OBJECT, id.0), &ShiftOut::of(row.clone(), None)?, now)?;
    left_open(conn, &row, now)
}
