//! The verbs of presence: said by an agent, lost with the last stream, an alarm where nobody is there.
use super::model::{self, Plan, PresenceState, Turn};
use super::store::{self, PresenceRow, StaffingRow};
use crate::accounts::caller::Agent;
use crate::config::Config;
use crate::db::Conn;
use crate::db::types::{Named, Time};
use crate::error::{Error, Result};
use crate::ids::AgentId;
use crate::sla::alerts;
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Chats that an agent who says nothing else has at once.
const CHATS_MAX_DEFAULT: i32 = 3;
/// Why the desk says that somebody is offline.
const LOST: &str = "no connection";

/// What an agent says.
#[derive(Debug, Clone)]
pub struct Said {
    /// What they are now.
    pub state: PresenceState,
    /// Why.
    pub reason: Option<String>,
    /// Chats that they have at once; as before where it is left out.
    pub chats_max: Option<i32>,
}

fn tell(conn: &mut Conn, before: Option<&PresenceRow>, after: &PresenceRow, actor: Actor, now: DateTime<Utc>) -> Result<()> {
    let shown = |row: &PresenceRow| json!({ "state": row.state.0, "reason": row.reason, "chats_max": row.chats_max });
    let data = json!({ "agent_id": after.agent_id, "before": before.map(shown), "after": shown(after) });
    timeline::tell(conn, Kind::PresenceChanged, actor, now, data)
}

/// An agent says what they are. Up to four statements, or two where it is nothing new.
pub fn say(conn: &mut Conn, agent: &Agent, said: Said, now: DateTime<Utc>) -> Result<()> {
    let before = store::find(conn, agent.id())?;
    let is_same_state = before.as_ref().is_some_and(|row| row.state.0 == said.state);
    let row = PresenceRow {
        agent_id: agent.id(),
        state: Named(said.state),
        reason: said.reason,
        chats_max: said.chats_max.or(before.as_ref().map(|row| row.chats_max)).unwrap_or(CHATS_MAX_DEFAULT),
        changed_at: before.as_ref().filter(|_| is_same_state).map_or(Time(now), |row| row.changed_at),
        updated_at: Time(now),
    };
    store::put(conn, &row)?;
    let was_available = before.as_ref().is_some_and(|row| row.state.0 == PresenceState::Available);
    match (was_available, said.state == PresenceState::Available) {
        (false, true) => store::begin_spell(conn, agent.id(), now)?,
        (true, false) => store::end_spell(conn, agent.id(), now)?,
        _ => {}
    }
    let is_news =
        before.as_ref().is_none_or(|old| (&old.state, &old.reason, old.chats_max) != (&row.state, &row.reason, row.chats_max));
    if is_news { tell(conn, before.as_ref(), &row, Actor::Agent(agent.id()), now) } else { Ok(()) }
}

/// What this node has to write, and who is present. Up to five queries.
pub fn plan(
    conn: &mut Conn,
    config: &Config,
    (node, seated): (Uuid, &BTreeSet<AgentId>),
    now: DateTime<Utc>,
) -> Result<(Plan, BTreeSet<AgentId>)> {
    let standing = store::standing(conn, now)?;
    let repeat = TimeDelta::seconds(i64::from(config.presence.alarm_repeat_seconds));
    let present = standing.present.iter().map(|one| one.0).collect();
    Ok((model::plan(&standing, node, seated, repeat, now), present))
}

/// Writes what a plan says; says how much of it was news.
pub fn follow(conn: &mut Conn, config: &Config, node: Uuid, plan: &Plan, now: DateTime<Utc>) -> Result<usize> {
    if plan.renews {
        store::renew(conn, node, now + model::LEASE)?;
    }
    if !plan.dead.is_empty() {
        store::bury(conn, &plan.dead, now)?;
    }
    store::hold(conn, node, &plan.joined, &plan.left)?;
    let mut news = plan.joined.len() + plan.left.len() + plan.dead.len();
    for agent in &plan.lost {
        let Some(before) = store::find(conn, *agent)? else { continue };
        if store::lose(conn, &before, LOST, now)? {
            store::end_spell(conn, *agent, now)?;
            let after = PresenceRow { state: Named(PresenceState::Offline), reason: Some(LOST.to_owned()), ..before.clone() };
            tell(conn, Some(&before), &after, Actor::Desk, now)?;
            news += 1;
        }
    }
    Ok(news + usize::from(ring(conn, config, plan.turn, now)?))
}

/// Lets the alarm have its turn; false where there is nothing to do, or another node did it.
fn ring(conn: &mut Conn, config: &Config, turn: Turn, now: DateTime<Utc>) -> Result<bool> {
    if turn == Turn::Stay {
        return Ok(false);
    }
    let mut row = store::staffing(conn)?;
    let raised_at = row.raised_at.map(|at| at.0);
    match (turn, raised_at) {
        (Turn::Raise, None) => {
            (row.raised_at, row.told_at, row.times) = (Some(Time(now)), Some(Time(now)), 1);
            (row.acknowledged_at, row.acknowledged_by) = (None, None);
        }
        (Turn::Repeat, Some(_)) if row.acknowledged_at.is_none() => {
            (row.told_at, row.times) = (Some(Time(now)), row.times + 1);
        }
        (Turn::End, Some(_)) => (row.raised_at, row.told_at) = (None, None),
        _ => return Ok(false),
    }
    if !store::save_staffing(conn, &row)? {
        return Ok(false);
    }
    if turn == Turn::End {
        let data = json!({ "raised_at": raised_at, "times": row.times });
        timeline::tell(conn, Kind::StaffingRestored, Actor::Desk, now, data)?;
        return Ok(true);
    }
    timeline::tell(
        conn,
        Kind::StaffingAlarm,
        Actor::Desk,
        now,
        json!({ "raised_at": row.raised_at.map(|at| at.0), "times": row.times }),
    )?;
    if turn == Turn::Raise && config.presence.alarm_mail {
        let text = format!("The desk is open, and since {} no agent is available.", now.format("%-d %B %Y, %H:%M:%S UTC"));
        alerts::commands::tell_managers(conn, "Nobody is available", &text, now)?;
    }
    Ok(true)
}

/// Somebody sees to the alarm: it is not told again. Three statements.
pub fn acknowledge(conn: &mut Conn, agent: &Agent, now: DateTime<Utc>) -> Result<StaffingRow> {
    let mut row = store::staffing(conn)?;
    if row.raised_at.is_none() {
        return Err(Error::conflict("no_alarm", "there is no alarm to see to"));
    }
    if row.acknowledged_at.is_some() {
        return Err(Error::conflict("already_acknowledged", "somebody sees to it already"));
    }
    (row.acknowledged_at, row.acknowledged_by) = (Some(Time(now)), Some(agent.id()));
    if !store::save_staffing(conn, &row)? {
        return Err(Error::conflict("alarm_changed", "the alarm has just changed; look again"));
    }
    let data = json!({ "raised_at": row.raised_at.map(|at| at.0), "times": row.times });
    timeline::tell(conn, Kind::StaffingAcknowledged, Actor::Agent(agent.id()), now, data)?;
    Ok(row)
}
