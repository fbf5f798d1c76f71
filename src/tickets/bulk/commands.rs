//! Many verbs in one transaction, each in a savepoint of its own: one that is refused leaves the others as they are.
use crate::accounts::caller::Agent;
use crate::config::Config;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::{AgentId, TeamId, TicketId};
use crate::seen::Seen;
use crate::tickets::commands::{self, Change, Whole};
use crate::tickets::model::{Priority, Status};
use crate::tickets::queries;
use crate::tickets::wire::good_tags;
use chrono::{DateTime, Utc};

/// Tags of a ticket at the most, as in every other door.
const TAGS_MAX: usize = 50;

/// What is done to one ticket.
pub enum Act {
    /// Make someone, or nobody, responsible.
    Assign(Option<AgentId>),
    /// Hand it to a team, or to none.
    HandOver(Option<TeamId>),
    /// Make it more or less urgent.
    Prioritize(Priority),
    /// Set a status other than closed.
    SetStatus(Status),
    /// Add tags.
    AddTags(Vec<String>),
    /// Take tags away.
    RemoveTags(Vec<String>),
    /// Close it.
    Close,
}

/// One ticket of many.
pub struct Item {
    /// Which.
    pub id: TicketId,
    /// The version that the caller saw.
    pub seen: Seen,
    /// What is done to it.
    pub act: Act,
}

/// Does all, in order; says for each the version that it made or why it was refused. What is our fault, or a database that cannot
/// be used, ends all of it.
pub fn all(conn: &mut Conn, config: &Config, agent: &Agent, items: Vec<Item>, now: DateTime<Utc>) -> Result<Vec<Result<i32>>> {
    let mut ids: Vec<TicketId> = items.iter().map(|item| item.id).collect();
    ids.sort_unstable();
    ids.dedup();
    commands::lock(conn, &ids)?;
    let mut results = Vec::with_capacity(items.len());
    for item in items {
        let done: Result<Whole> = conn.savepoint(|conn| one(conn, config, agent, item, now));
        results.push(match done {
            Err(error @ (Error::Unavailable(_) | Error::Internal(_))) => return Err(error),
            other => other.map(|whole| whole.ticket.version),
        });
    }
    Ok(results)
}

fn one(conn: &mut Conn, config: &Config, agent: &Agent, item: Item, now: DateTime<Utc>) -> Result<Whole> {
    let Item { id, seen, act } = item;
    let change = match act {
        Act::Assign(to) => return commands::assign(conn, agent, id, seen, to, now),
        Act::HandOver(to) => return commands::hand_over(conn, agent, id, seen, to, now),
        Act::Close => return commands::close(conn, config, agent, id, seen, now),
        Act::Prioritize(priority) => Change { priority: Some(priority), ..Change::default() },
        Act::SetStatus(status) => Change { status: Some(status), ..Change::default() },
        Act::AddTags(more) => {
            good_tags(&more).map_err(|error| Error::field("tags", "tag", error.to_string()))?;
            let mut tags = queries::find(conn, id)?.tags;
            tags.extend(more);
            tags.sort_unstable();
            tags.dedup();
            if tags.len() > TAGS_MAX {
                return Err(Error::field("tags", "length", format!("a ticket has at most {TAGS_MAX} tags")));
            }
            Change { tags: Some(tags), ..Change::default() }
        }
        Act::RemoveTags(fewer) => {
            let mut tags = queries::find(conn, id)?.tags;
            tags.retain(|tag| !fewer.contains(tag));
            Change { tags: Some(tags), ..Change::default() }
        }
    };
    commands::change(conn, agent, id, seen, change, now)
}
