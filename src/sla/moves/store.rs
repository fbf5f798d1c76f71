//! Rows of edits that clocks have to follow, and the clocks that come into question.
use crate::Result;
use crate::db::{
    Conn,
    schema::{clock_moves, clocks, tickets},
    types::{Named, Time},
};
use crate::each;
use crate::ids::{ClockId, MoveId, TicketId};
use crate::jobs::queue::SubjectId;
use crate::sla::ClockRow;
use crate::sla::clock::Standing;
use crate::tickets::model::Status;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use std::collections::{HashMap, HashSet};

names! {
    /// What was edited.
    pub enum Edited {
        /// A policy.
        Policy = "policy",
        /// The hours of a calendar.
        Calendar = "calendar",
        /// Which calendar counts: another default, or another one of a team.
        Choice = "choice",
    }
}

/// An edit, and how far the clocks have followed it.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = clock_moves, treat_none_as_default_value = false)]
pub struct MoveRow {
    pub id: MoveId,
    pub edited: Named<Edited>,
    pub edited_id: SubjectId,
    pub version: i32,
    pub at: Time,
    pub steps: i32,
    pub phase: i32,
    pub cursor_at: Option<Time>,
    pub cursor_id: Option<ClockId>,
    pub moved: i64,
    pub finished_at: Option<Time>,
}

/// Running clocks, then those that stand still, then the running ones once more: who was resumed meanwhile is met there.
pub const PHASES: i32 = 3;

/// Whether clocks that stand still are looked at.
pub fn is_paused(phase: i32) -> bool {
    phase == 1
}

/// Writes an edit.
pub fn insert(conn: &mut Conn, row: &MoveRow) -> Result<()> {
    each!(conn, conn => diesel::insert_into(clock_moves::table).values(row).execute(conn))?;
    Ok(())
}

/// The first edit of the same thing that is not finished, where this one is not: an older one comes first. Two queries.
pub fn next(conn: &mut Conn, id: MoveId) -> Result<Option<MoveRow>> {
    let open = clock_moves::table.filter(clock_moves::finished_at.is_null());
    let edited: Option<SubjectId> = open.filter(clock_moves::id.eq(id)).select(clock_moves::edited_id).first(conn).optional()?;
    let Some(edited) = edited else { return Ok(None) };
    let oldest = open.filter(clock_moves::edited_id.eq(edited)).order(clock_moves::version);
    Ok(each!(conn, conn => oldest.select(MoveRow::as_select()).first(conn)).optional()?)
}

/// Clocks after the cursor of `row` that can still move: of that calendar, or all where it is not one that was edited. One query.
pub fn candidates(conn: &mut Conn, row: &MoveRow, limit: i64) -> Result<Vec<ClockRow>> {
    let after = row.cursor_id;
    let found: Vec<ClockRow> = each!(conn, conn => {
        let mut query = clocks::table.select(ClockRow::as_select()).limit(limit).into_boxed();
        if row.edited.0 == Edited::Calendar {
            let calendar = crate::ids::CalendarId(row.edited_id.0);
            query = query.filter(clocks::calendar_id.eq(calendar)).filter(clocks::calendar_version.lt(row.version));
        }
        if is_paused(row.phase) {
            query = query.filter(clocks::standing.eq(Named(Standing::Paused)).and(clocks::breached_at.is_null()));
            if let Some(id) = after {
                query = query.filter(clocks::id.gt(id));
            }
            query.order(clocks::id).load(conn)
        } else {
            query = query.filter(clocks::alarm_at.is_not_null());
            if let Some((at, id)) = row.cursor_at.zip(after) {
                query = query.filter(clocks::alarm_at.ge(at)).filter(clocks::alarm_at.gt(at).or(clocks::id.gt(id).nullable()));
            }
            query.order((clocks::alarm_at, clocks::id)).load(conn)
        }
    })?;
    Ok(found)
}

/// Writes how far the clocks have followed; false where somebody else did so first.
pub fn advance(conn: &mut Conn, before: &MoveRow, after: &MoveRow) -> Result<bool> {
    let held = clock_moves::table.find(before.id).filter(clock_moves::steps.eq(before.steps));
    let written = each!(conn, conn => diesel::update(held)
        .set((
            clock_moves::steps.eq(before.steps + 1),
            clock_moves::phase.eq(after.phase),
            clock_moves::cursor_at.eq(after.cursor_at),
            clock_moves::cursor_id.eq(after.cursor_id),
            clock_moves::finished_at.eq(after.finished_at),
        ))
        .execute(conn))?;
    Ok(written == 1)
}

/// Counts clocks that were moved.
pub fn count(conn: &mut Conn, id: MoveId, moved: i64) -> Result<()> {
    diesel::update(clock_moves::table.find(id)).set(clock_moves::moved.eq(clock_moves::moved + moved)).execute(conn)?;
    Ok(())
}

/// Those of the tickets that wait for their contact. One query.
pub fn pending(conn: &mut Conn, ids: &[TicketId]) -> Result<HashSet<TicketId>> {
    let found: Vec<TicketId> = tickets::table
        .filter(tickets::id.eq_any(ids).and(tickets::status.eq(Named(Status::Pending))))
        .select(tickets::id)
        .load(conn)?;
    Ok(found.into_iter().collect())
}

/// The numbers of tickets. One query.
pub fn numbers(conn: &mut Conn, ids: &[TicketId]) -> Result<HashMap<TicketId, i64>> {
    let found: Vec<(TicketId, i64)> =
        tickets::table.filter(tickets::id.eq_any(ids)).select((tickets::id, tickets::number)).load(conn)?;
    Ok(found.into_iter().collect())
}

/// An edit that nothing has followed yet.
pub fn fresh(edited: Edited, id: uuid::Uuid, version: i32, at: DateTime<Utc>) -> MoveRow {
    MoveRow {
        id: MoveId::new(),
        edited: Named(edited),
        edited_id: SubjectId(id),
        version,
        at: Time(at),
        steps: 0,
        phase: 0,
        cursor_at: None,
        cursor_id: None,
        moved: 0,
        finished_at: None,
    }
}
