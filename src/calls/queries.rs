//! Lists of calls, one with its events, and who can be rung.
use super::model::CallOutcome;
use super::store::{self, CallEventRow, CallRow};
use crate::accounts::rights::Role;
use crate::db::schema::{agent_phones, agents, calls, team_members};
use crate::db::{
    Conn,
    ext::{OnConflictExt, or_taken},
    types::{Named, Time},
};
use crate::error::{Error, Result};
use crate::ids::{AgentId, CallId, ContactId, TeamId, TicketId};
use crate::presence;
use crate::tickets::model::Direction;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// Which calls; what is `None` does not filter.
#[derive(Debug, Default, Clone)]
#[expect(missing_docs, reason = "the words of the domain")]
pub struct Filter {
    pub outcome: Option<CallOutcome>,
    pub direction: Option<Direction>,
    pub is_over: Option<bool>,
    pub team_id: Option<TeamId>,
    pub agent_id: Option<AgentId>,
    pub contact_id: Option<ContactId>,
    pub ticket_id: Option<TicketId>,
    pub from: Option<DateTime<Utc>>,
    pub to: Option<DateTime<Utc>>,
}

/// Where the next page starts: the call's instant in microseconds, and its id.
pub type Cursor = (i64, CallId);

/// A page of calls, newest first. One query on an index by time.
pub fn list(conn: &mut Conn, filter: &Filter, after: Option<Cursor>, limit: i64) -> Result<Vec<CallRow>> {
    let mut query =
        calls::table.select(CallRow::as_select()).order((calls::at.desc(), calls::id.desc())).limit(limit).into_boxed();
    let Filter { outcome, direction, is_over, team_id, agent_id, contact_id, ticket_id, from, to } = filter;
    if let Some(outcome) = outcome {
        query = query.filter(calls::outcome.eq(Named(*outcome)));
    }
    if let Some(direction) = direction {
        query = query.filter(calls::direction.eq(Named(*direction)));
    }
    match is_over {
        Some(true) => query = query.filter(calls::ended_at.is_not_null()),
        Some(false) => query = query.filter(calls::ended_at.is_null()),
        None => {}
    }
    if let Some(id) = team_id {
        query = query.filter(calls::team_id.eq(*id));
    }
    if let Some(id) = agent_id {
        query = query.filter(calls::agent_id.eq(*id));
    }
    if let Some(id) = contact_id {
        query = query.filter(calls::contact_id.eq(*id));
    }
    if let Some(id) = ticket_id {
        query = query.filter(calls::ticket_id.eq(*id));
    }
    if let Some(from) = from {
        query = query.filter(calls::at.ge(Time(*from)));
    }
    if let Some(to) = to {
        query = query.filter(calls::at.lt(Time(*to)));
    }
    if let Some((micros, id)) = after {
        let wrong = || Error::field("cursor", "unknown_cursor", "is not a cursor of this list");
        let at = Time(DateTime::from_timestamp_micros(micros).ok_or_else(wrong)?);
        query = query.filter(calls::at.le(at).and(calls::at.lt(at).or(calls::id.lt(id))));
    }
    Ok(query.load(conn)?)
}

/// One call with its events by their own time. Two queries.
pub fn full(conn: &mut Conn, id: CallId) -> Result<(CallRow, Vec<CallEventRow>)> {
    let row = calls::table.find(id).select(CallRow::as_select()).first(conn).optional()?.ok_or(Error::NotFound("call"))?;
    Ok((row, store::events(conn, id)?))
}

/// The number that rings for an agent. One query.
pub fn phone_of(conn: &mut Conn, agent: AgentId) -> Result<String> {
    let found = agent_phones::table.find(agent).select(agent_phones::number).first(conn).optional()?;
    found.ok_or(Error::NotFound("number of this agent"))
}

/// Gives an agent a number, or none, in place of an earlier one, which it says. Two or three queries.
pub fn set_phone(conn: &mut Conn, agent: AgentId, number: Option<&str>, now: DateTime<Utc>) -> Result<Option<String>> {
    let known =
        agents::table.left_join(agent_phones::table.on(agent_phones::agent_id.eq(agents::id))).filter(agents::id.eq(agent));
    let before: Option<Option<String>> = known.select(agent_phones::number.nullable()).first(conn).optional()?;
    let before = before.ok_or(Error::NotFound("agent"))?;
    let Some(number) = number else {
        diesel::delete(agent_phones::table.find(agent)).execute(conn)?;
        return Ok(before);
    };
    let taken = || Error::conflict("number_taken", "another agent has this number");
    let row = (agent_phones::agent_id.eq(agent), agent_phones::number.eq(number), agent_phones::updated_at.eq(Time(now)));
    or_taken(conn, taken, |conn| {
        let replace = "(agent_id) DO UPDATE SET number = excluded.number, updated_at = excluded.updated_at";
        OnConflictExt::on_conflict(diesel::insert_into(agent_phones::table).values(row), replace).execute(conn)
    })?;
    Ok(before)
}

/// Numbers of active agents of a team, or of all, at most `limit`; where presence is in use, only of those who are available and
/// not on a call. Three queries at the most.
pub fn numbers(conn: &mut Conn, team: Option<TeamId>, now: DateTime<Utc>, limit: usize) -> Result<Vec<String>> {
    let free = presence::queries::free_for_a_call(conn, now)?;
    let mut query = agent_phones::table
        .inner_join(agents::table.on(agents::id.eq(agent_phones::agent_id)))
        .filter(agents::disabled_at.is_null())
        .order(agent_phones::number)
        .select((agents::id, agents::role, agent_phones::number))
        .into_boxed();
    if let Some(team) = team {
        let members = team_members::table.filter(team_members::team_id.eq(team)).select(team_members::agent_id);
        query = query.filter(agents::id.eq_any(members));
    }
    let mut rows: Vec<(AgentId, Named<Role>, String)> = query.load(conn)?;
    if team.is_none() {
        rows.sort_by_key(|row| row.1.0 != Role::Manager);
    }
    let is_free = |agent: &AgentId| free.as_ref().is_none_or(|free| free.contains(agent));
    Ok(rows.into_iter().filter(|row| is_free(&row.0)).map(|row| row.2).take(limit).collect())
}

/// Numbers of all active agents, managers first, at most `limit`. One query.
pub fn numbers_of_all(conn: &mut Conn, limit: usize) -> Result<Vec<String>> {
    let mut rows: Vec<(Named<Role>, String)> = agent_phones::table
        .inner_join(agents::table.on(agents::id.eq(agent_phones::agent_id)))
        .filter(agents::disabled_at.is_null())
        .order(agent_phones::number)
        .select((agents::role, agent_phones::number))
        .load(conn)?;
    rows.sort_by_key(|(role, _)| role.0 != Role::Manager);
    Ok(rows.into_iter().map(|(_, number)| number).take(limit).collect())
}
