//! Who is there: for lists, for ringing, for the wallboard.
use super::model::PresenceState;
pub use super::store::PresenceRow;
use crate::Result;
use crate::db::{
    Conn,
    schema::{agents, calls, presence},
    types::{Named, Time},
};
use crate::ids::AgentId;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use std::collections::HashSet;

/// A call whose end was never reported keeps nobody busy for longer.
const CALL_MAX: TimeDelta = TimeDelta::hours(4);

/// An agent, their name, and what they are; none where they never used presence.
pub type Listed = (AgentId, String, Option<PresenceRow>);

/// A page of active agents after `after`, and what each is. One query.
pub fn list(conn: &mut Conn, state: Option<PresenceState>, after: Option<AgentId>, limit: i64) -> Result<Vec<Listed>> {
    let mut query = agents::table
        .left_join(presence::table.on(presence::agent_id.eq(agents::id)))
        .filter(agents::disabled_at.is_null())
        .order(agents::id)
        .limit(limit)
        .select((agents::id, agents::name, Option::<PresenceRow>::as_select()))
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(agents::id.gt(after));
    }
    query = match state {
        None => query,
        Some(PresenceState::Offline) => {
            query.filter(presence::state.is_null().or(presence::state.eq(Named(PresenceState::Offline))))
        }
        Some(state) => query.filter(presence::state.eq(Named(state))),
    };
    Ok(query.load(conn)?)
}

/// One agent as the list has them. One query.
pub fn one(conn: &mut Conn, agent: AgentId) -> Result<Option<Listed>> {
    Ok(agents::table
        .left_join(presence::table.on(presence::agent_id.eq(agents::id)))
        .filter(agents::id.eq(agent))
        .select((agents::id, agents::name, Option::<PresenceRow>::as_select()))
        .first(conn)
        .optional()?)
}

/// How many agents are in each state; `None` where presence was never used. One query.
pub fn counts(conn: &mut Conn) -> Result<Option<(i64, i64)>> {
    let rows: Vec<(Named<PresenceState>, i64)> = presence::table
        .inner_join(agents::table.on(agents::id.eq(presence::agent_id)))
        .filter(agents::disabled_at.is_null())
        .group_by(presence::state)
        .select((presence::state, diesel::dsl::count_star()))
        .load(conn)?;
    let of = |state: PresenceState| rows.iter().find(|row| row.0.0 == state).map_or(0, |row| row.1);
    Ok(if rows.is_empty() { None } else { Some((of(PresenceState::Available), of(PresenceState::Away))) })
}

/// Who can take a call: available, and not on one. `None` where presence was never used. Two queries.
pub fn free_for_a_call(conn: &mut Conn, now: DateTime<Utc>) -> Result<Option<HashSet<AgentId>>> {
    let rows: Vec<(AgentId, Named<PresenceState>)> = presence::table.select((presence::agent_id, presence::state)).load(conn)?;
    if rows.is_empty() {
        return Ok(None);
    }
    let talking: Vec<Option<AgentId>> = calls::table
        .filter(calls::ended_at.is_null().and(calls::at.gt(Time(now - CALL_MAX))))
        .filter(calls::answered_at.is_not_null().and(calls::agent_id.is_not_null()))
        .select(calls::agent_id)
        .load(conn)?;
    let talking: HashSet<AgentId> = talking.into_iter().flatten().collect();
    let is_free = |agent: &AgentId| !talking.contains(agent);
    Ok(Some(rows.into_iter().filter(|row| row.1.0 == PresenceState::Available).map(|row| row.0).filter(is_free).collect()))
}
