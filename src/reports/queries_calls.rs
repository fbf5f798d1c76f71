//! The calls behind the figures: one range of the index `calls_by_time`, read once and counted on the way.
use super::asked::bucket_of;
use super::calls_asked::{CallsAsked, CallsBy};
use super::calls_figures::{CallFact, CallsTally, spoils};
use super::figures::{Groups, Key};
use crate::Result;
use crate::calls::CallRow;
use crate::calls::model::{CallOutcome, Doubt};
use crate::db::schema::calls;
use crate::db::{
    Conn,
    types::{Named, Time},
};
use crate::ids::{AgentId, TeamId};
use crate::tickets::model::Direction;
use diesel::connection::DefaultLoadingMode;
use diesel::prelude::*;

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
