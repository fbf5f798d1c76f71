//! The calls behind the figures: one range of the index `calls_by_time`, read once and counted on the way.
use super::asked::bucket_of;
use super::calls_asked::{CallsAsked, CallsBy};
use super::calls_figures::{CallFact, CallsTally, spoils};
use super::figures::{Groups, Key};
use super::occupancy::{Spell, share_out};
use crate::Result;
use crate::calls::CallRow;
use crate::calls::model::{CallOutcome, Doubt};
use crate::db::schema::{calls, presence_spells, team_members};
use crate::db::{
    Conn,
    types::{Named, Time},
};
use crate::ids::{AgentId, TeamId};
use crate::tickets::model::Direction;
use chrono::{DateTime, Utc};
use diesel::connection::DefaultLoadingMode;
use diesel::prelude::*;
use std::collections::HashMap;

#[derive(Queryable, Selectable)]
#[diesel(table_name = calls)]
struct CallSlim {
    direction: Named<Direction>,
    outcome: Option<Named<CallOutcome>>,
    is_promised: Option<bool>,
    wait_seconds: Option<i64>,
    talk_seconds: Option<i64>,
    doubts: String,
    at: Time,
    team_id: Option<TeamId>,
    agent_id: Option<AgentId>,
}

/// Whether the doubts of a call, as they are stored, spoil its seconds.
fn is_spoiled(doubts: &str) -> bool {
    doubts.split(' ').filter_map(|doubt| doubt.parse::<Doubt>().ok()).any(spoils)
}

/// What the figures see in a call.
pub fn fact(row: &CallRow) -> CallFact {
    CallFact {
        direction: row.direction.0,
        outcome: row.outcome.map(|outcome| outcome.0),
        is_promised: row.is_promised,
        is_in_doubt: is_spoiled(&row.doubts),
        wait_seconds: row.wait_seconds,
        talk_seconds: row.talk_seconds,
    }
}

/// Adds the time that agents were available, as far as it is over at `now`. Two queries.
pub fn available(conn: &mut Conn, asked: &CallsAsked, now: DateTime<Utc>, groups: &mut Groups<CallsTally>) -> Result<()> {
    use presence_spells as s;
    let until = asked.period.to.min(now);
    let reaches_in = s::began_at.lt(Time(until)).and(s::ended_at.is_null().or(s::ended_at.gt(Time(asked.period.from))));
    let rows: Vec<(AgentId, Time, Option<Time>)> =
        s::table.filter(reaches_in).select((s::agent_id, s::began_at, s::ended_at)).load(conn)?;
    let members: Vec<(AgentId, TeamId)> =
        team_members::table.order(team_members::team_id).select((team_members::agent_id, team_members::team_id)).load(conn)?;
    let mut teams: HashMap<AgentId, Vec<TeamId>> = HashMap::new();
    for (agent, team) in members {
        teams.entry(agent).or_default().push(team);
    }
    let spell = |(agent_id, from, to): (AgentId, Time, Option<Time>)| Spell {
        agent_id,
        from: from.0,
        to: to.map_or(until, |to| to.0.min(until)),
    };
    let spells: Vec<Spell> = rows.into_iter().map(spell).collect();
    share_out(asked, &spells, &teams, groups);
    Ok(())
}

/// The calls of the period as they stand now. One query.
pub fn calls(conn: &mut Conn, asked: &CallsAsked) -> Result<Groups<CallsTally>> {
    let in_period = calls::at.ge(Time(asked.period.from)).and(calls::at.lt(Time(asked.period.to)));
    let mut query = calls::table.filter(in_period).select(CallSlim::as_select()).into_boxed();
    if let Some(id) = asked.team_id {
        query = query.filter(calls::team_id.eq(id));
    }
    if let Some(id) = asked.agent_id {
        query = query.filter(calls::agent_id.eq(id));
    }
    let mut groups = Groups::<CallsTally>::default();
    for row in query.load_iter::<CallSlim, DefaultLoadingMode>(conn)? {
        let CallSlim { direction, outcome, is_promised, wait_seconds, talk_seconds, doubts, at, team_id, agent_id } = row?;
        let fact = CallFact {
            direction: direction.0,
            outcome: outcome.map(|outcome| outcome.0),
            is_promised,
            is_in_doubt: is_spoiled(&doubts),
            wait_seconds,
            talk_seconds,
        };
        let key = match asked.group_by {
            Some(CallsBy::Team) => team_id.into(),
            Some(CallsBy::Agent) => agent_id.into(),
            None => Key::Whole,
            Some(_) => Key::Bucket(bucket_of(&asked.buckets, at.0)),
        };
        groups.add(key, |tally| tally.add(&fact, asked.within_seconds));
    }
    Ok(groups)
}
