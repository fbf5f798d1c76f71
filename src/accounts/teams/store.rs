//! Team rows and their members.
use crate::db::{
    Conn,
    ext::{OnConflictExt, or_taken},
    schema::{agents, calendars, team_members, teams},
    types::Time,
};
use crate::each;
use crate::error::{Error, Result};
use crate::ids::{AgentId, CalendarId, TeamId};
use crate::seen::Seen;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use std::collections::{HashMap, HashSet};

/// A team as stored.
#[derive(Queryable, Selectable, Debug, Clone)]
#[diesel(table_name = teams)]
#[expect(missing_docs, reason = "columns")]
pub struct TeamRow {
    pub id: TeamId,
    pub name: String,
    pub calendar_id: Option<CalendarId>,
    pub version: i32,
    pub created_at: Time,
    pub updated_at: Time,
    pub signature: String,
}

/// A team with its members, by id.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "its parts")]
pub struct Team {
    pub row: TeamRow,
    pub members: Vec<AgentId>,
}

fn taken() -> Error {
    Error::conflict("name_taken", "another team has this name")
}

fn check_calendar(conn: &mut Conn, id: Option<CalendarId>) -> Result<()> {
    let Some(id) = id else { return Ok(()) };
    let calendar = calendars::table.find(id).select(calendars::id);
    let known: Option<CalendarId> = match conn {
        // Until the commit nobody can remove it.
        Conn::Pg(conn) => calendar.for_key_share().first(conn).optional()?,
        Conn::Sqlite(conn) => calendar.first(conn).optional()?,
    };
    known.map(|_| ()).ok_or_else(|| Error::field("calendar_id", "unknown_calendar", "is no calendar"))
}

/// Refuses a list that names somebody twice or nobody. One query.
fn check_members(conn: &mut Conn, members: &[AgentId]) -> Result<()> {
    let mut seen = HashSet::new();
    if let Some(index) = members.iter().position(|id| !seen.insert(*id)) {
        return Err(Error::field(&format!("members[{index}]"), "repeated", "is named twice"));
    }
    if members.is_empty() {
        return Ok(());
    }
    let known: HashSet<AgentId> =
        agents::table.filter(agents::id.eq_any(members)).select(agents::id).load(conn)?.into_iter().collect();
    match members.iter().position(|id| !known.contains(id)) {
        Some(index) => Err(Error::field(&format!("members[{index}]"), "unknown_agent", "is no agent")),
        None => Ok(()),
    }
}

/// Writes the members of a team that has none. One insert.
fn insert_members(conn: &mut Conn, team: TeamId, members: &[AgentId]) -> Result<()> {
    if members.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = members.iter().map(|agent| (team_members::team_id.eq(team), team_members::agent_id.eq(*agent))).collect();
    each!(conn, conn => diesel::insert_into(team_members::table).values(&rows).execute(conn))?;
    Ok(())
}

/// Writes a new one. Two inserts and a look-up each of its calendar and its members; the index decides whether the name is free.
pub fn insert(
    conn: &mut Conn,
    name: &str,
    calendar_id: Option<CalendarId>,
    members: &[AgentId],
    now: DateTime<Utc>,
) -> Result<Team> {
    insert_signed(conn, (name, ""), calendar_id, members, now)
}

/// The same with what stands under its replies.
pub fn insert_signed(
    conn: &mut Conn,
    (name, signature): (&str, &str),
    calendar_id: Option<CalendarId>,
    members: &[AgentId],
    now: DateTime<Utc>,
) -> Result<Team> {
    check_calendar(conn, calendar_id)?;
    check_members(conn, members)?;
    let row = TeamRow {
        id: TeamId::new(),
        name: name.to_owned(),
        calendar_id,
        version: 1,
        created_at: Time(now),
        updated_at: Time(now),
        signature: signature.to_owned(),
    };
    let written = diesel::insert_into(teams::table)
        .values((
            teams::id.eq(row.id),
            teams::name.eq(&row.name),
            teams::calendar_id.eq(row.calendar_id),
            teams::version.eq(row.version),
            teams::created_at.eq(row.created_at),
            teams::updated_at.eq(row.updated_at),
            teams::signature.eq(&row.signature),
        ))
        .or_ignore()
        .execute(conn)?;
    if written == 0 {
        return Err(taken());
    }
    insert_members(conn, row.id, members)?;
    Ok(Team { row, members: by_id(members) })
}

fn by_id(members: &[AgentId]) -> Vec<AgentId> {
    let mut members = members.to_vec();
    members.sort_unstable();
    members
}

/// One by id.
pub fn find(conn: &mut Conn, id: TeamId) -> Result<TeamRow> {
    teams::table.find(id).select(TeamRow::as_select()).first(conn).optional()?.ok_or(Error::NotFound("team"))
}

/// The one of this name. One query.
pub fn find_by_name(conn: &mut Conn, name: &str) -> Result<Option<TeamId>> {
    Ok(teams::table.filter(teams::name.eq(name)).select(teams::id).first(conn).optional()?)
}

/// One by id, with its members. Two queries.
pub fn find_with_members(conn: &mut Conn, id: TeamId) -> Result<Team> {
    let row = find(conn, id)?;
    with_members(conn, vec![row])?.pop().ok_or(Error::NotFound("team"))
}

/// Adds members to rows. One query, however many rows.
fn with_members(conn: &mut Conn, rows: Vec<TeamRow>) -> Result<Vec<Team>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<TeamId> = rows.iter().map(|row| row.id).collect();
    let pairs: Vec<(TeamId, AgentId)> = team_members::table
        .filter(team_members::team_id.eq_any(&ids))
        .order((team_members::team_id, team_members::agent_id))
        .select((team_members::team_id, team_members::agent_id))
        .load(conn)?;
    let mut lists: HashMap<TeamId, Vec<AgentId>> = HashMap::new();
    for (team, agent) in pairs {
        lists.entry(team).or_default().push(agent);
    }
    Ok(rows.into_iter().map(|row| Team { members: lists.remove(&row.id).unwrap_or_default(), row }).collect())
}

/// A page after `after`, by age. Two queries.
pub fn list(conn: &mut Conn, after: Option<TeamId>, limit: i64) -> Result<Vec<Team>> {
    let mut query = teams::table.select(TeamRow::as_select()).order(teams::id).limit(limit).into_boxed();
    if let Some(after) = after {
        query = query.filter(teams::id.gt(after));
    }
    let rows = query.load(conn)?;
    with_members(conn, rows)
}

/// The calendar of a team: none where it keeps the desk's hours, `None` where there is no such team. One query.
pub fn calendar_of(conn: &mut Conn, id: TeamId) -> Result<Option<Option<CalendarId>>> {
    Ok(teams::table.find(id).select(teams::calendar_id).first(conn).optional()?)
}

/// Changes what `patch` names. Three queries, one more where the calendar changes and three where the members do.
pub fn update(conn: &mut Conn, id: TeamId, seen: Seen, now: DateTime<Utc>, patch: impl FnOnce(&mut Team)) -> Result<Team> {
    let before = find_with_members(conn, id)?;
    seen.check(before.row.version)?;
    let mut team = before.clone();
    patch(&mut team);
    if team.row.calendar_id != before.row.calendar_id {
        check_calendar(conn, team.row.calendar_id)?;
    }
    team.row.version += 1;
    team.row.updated_at = Time(now);
    let changing = diesel::update(teams::table.find(id).filter(teams::version.eq(before.row.version))).set((
        teams::name.eq(&team.row.name),
        teams::calendar_id.eq(team.row.calendar_id),
        teams::version.eq(team.row.version),
        teams::updated_at.eq(team.row.updated_at),
        teams::signature.eq(&team.row.signature),
    ));
    if or_taken(conn, taken, |conn| changing.execute(conn))? == 0 {
        return Err(Error::Stale { current: before.row.version + 1 });
    }
    if team.members != before.members {
        check_members(conn, &team.members)?;
        diesel::delete(team_members::table.filter(team_members::team_id.eq(id))).execute(conn)?;
        insert_members(conn, id, &team.members)?;
        team.members.sort_unstable();
    }
    Ok(team)
}
