//! Rows of shifts.
use crate::accounts::{agents, teams};
use crate::calendar::wire::Weekly;
use crate::db::{
    Conn,
    schema::{agents as agent_rows, shifts},
    types::{Json, Time},
};
use crate::each;
use crate::error::{Error, Result};
use crate::ids::{AgentId, ShiftId, TeamId};
use crate::seen::Seen;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;

/// A shift as stored.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Debug, Clone)]
#[diesel(table_name = shifts, treat_none_as_default_value = false, treat_none_as_null = true)]
#[expect(missing_docs, reason = "columns")]
pub struct ShiftRow {
    pub id: ShiftId,
    pub agent_id: AgentId,
    pub team_id: Option<TeamId>,
    pub from_on: String,
    pub to_on: Option<String>,
    pub weekly: Json,
    pub note: Option<String>,
    pub version: i32,
    pub created_at: Time,
    pub updated_at: Time,
}

/// What a shift says.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "as the columns")]
pub struct Planned {
    pub agent_id: AgentId,
    pub team_id: Option<TeamId>,
    pub from_on: NaiveDate,
    pub to_on: Option<NaiveDate>,
    pub weekly: Weekly,
    pub note: Option<String>,
}

fn check(conn: &mut Conn, planned: &Planned) -> Result<()> {
    match agents::find(conn, planned.agent_id) {
        Ok(agent) if agent.disabled_at.is_some() => return Err(Error::field("agent_id", "disabled_agent", "is barred")),
        Ok(_) => {}
        Err(Error::NotFound(_)) => return Err(Error::field("agent_id", "unknown_agent", "is no agent")),
        Err(other) => return Err(other),
    }
    match planned.team_id {
        Some(id) if teams::calendar_of(conn, id)?.is_none() => Err(Error::field("team_id", "unknown_team", "is no team")),
        _ => Ok(()),
    }
}

/// Writes a new one. Up to three queries.
pub fn insert(conn: &mut Conn, planned: Planned, now: DateTime<Utc>) -> Result<ShiftRow> {
    check(conn, &planned)?;
    let Planned { agent_id, team_id, from_on, to_on, weekly, note } = planned;
    let row = ShiftRow {
        id: ShiftId::new(),
        agent_id,
        team_id,
        from_on: from_on.to_string(),
        to_on: to_on.map(|day| day.to_string()),
        weekly: Json::of(&weekly)?,
        note,
        version: 1,
        created_at: Time(now),
        updated_at: Time(now),
    };
    each!(conn, conn => diesel::insert_into(shifts::table).values(&row).execute(conn))?;
    Ok(row)
}

/// One by id.
pub fn find(conn: &mut Conn, id: ShiftId) -> Result<ShiftRow> {
    let found = shifts::table.find(id).select(ShiftRow::as_select()).first(conn).optional()?;
    found.ok_or(Error::NotFound("shift"))
}

/// Replaces one that was read before. Up to three queries.
pub fn replace(conn: &mut Conn, before: &ShiftRow, planned: Planned, now: DateTime<Utc>) -> Result<ShiftRow> {
    check(conn, &planned)?;
    let Planned { agent_id, team_id, from_on, to_on, weekly, note } = planned;
    let row = ShiftRow {
        agent_id,
        team_id,
        from_on: from_on.to_string(),
        to_on: to_on.map(|day| day.to_string()),
        weekly: Json::of(&weekly)?,
        note,
        version: before.version + 1,
        updated_at: Time(now),
        ..before.clone()
    };
    let same = shifts::table.find(before.id).filter(shifts::version.eq(before.version));
    let changed = each!(conn, conn => diesel::update(same).set(&row).execute(conn))?;
    if changed == 0 { Err(Error::Stale { current: before.version + 1 }) } else { Ok(row) }
}

/// Takes one away. Two queries.
pub fn remove(conn: &mut Conn, id: ShiftId, seen: Seen) -> Result<ShiftRow> {
    let row = find(conn, id)?;
    seen.check(row.version)?;
    diesel::delete(shifts::table.find(id)).execute(conn)?;
    Ok(row)
}

/// A page after `after`, oldest first. One index range.
pub fn list(
    conn: &mut Conn,
    (team, agent): (Option<TeamId>, Option<AgentId>),
    after: Option<ShiftId>,
    limit: i64,
) -> Result<Vec<ShiftRow>> {
    let mut query = shifts::table.select(ShiftRow::as_select()).order(shifts::id).limit(limit).into_boxed();
    if let Some(team) = team {
        query = query.filter(shifts::team_id.eq(team));
    }
    if let Some(agent) = agent {
        query = query.filter(shifts::agent_id.eq(agent));
    }
    if let Some(after) = after {
        query = query.filter(shifts::id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// Shifts of agents who are not barred that reach into these days: of a team, or of the whole desk. One query.
pub fn reaching(conn: &mut Conn, team: Option<TeamId>, (from, to): (NaiveDate, NaiveDate)) -> Result<Vec<ShiftRow>> {
    let mut query = shifts::table
        .inner_join(agent_rows::table.on(agent_rows::id.eq(shifts::agent_id)))
        .filter(agent_rows::disabled_at.is_null())
        .filter(shifts::from_on.le(to.to_string()))
        .filter(shifts::to_on.is_null().or(shifts::to_on.ge(from.to_string())))
        .select(ShiftRow::as_select())
        .order(shifts::id)
        .into_boxed();
    if let Some(team) = team {
        query = query.filter(shifts::team_id.eq(team));
    }
    Ok(query.load(conn)?)
}
