//! The verbs of presence: said by an agent, lost with the last stream.
use super::commands_alarms::ring;
use super::model::{self, Plan, PresenceState};
use super::store::{self, PresenceRow};
use crate::accounts::caller::Agent;
use crate::config::Config;
use crate::db::Conn;
use crate::db::types::{Named, Time};
use crate::error::Result;
use crate::ids::AgentId;
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

/// What this node has to write, and who is present. Up to seven queries.
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
    Ok(news + ring(conn, config, &plan.turns, now)?)
}
