//! Handing a file in, and giving it to a message.
use super::model::{self, Refused};
use super::store::{self, AttachmentRow};
use super::wire::AttachmentOut;
use crate::accounts::caller::Caller;
use crate::config;
use crate::db::{Conn, types::Json};
use crate::error::{Error, Result};
use crate::ids::{AgentId, AttachmentId, MessageId, TicketId, TokenId};
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use std::collections::HashMap;

/// A file waits so long for its message.
pub const WAITS_HOURS: i64 = 24;
/// Files forgotten in one transaction at the most.
const FORGOTTEN_AT_ONCE: i64 = 1_000;

impl From<Refused> for Error {
    fn from(Refused(code, message): Refused) -> Self {
        Self::field("file", code, message)
    }
}

/// Its bytes are in the store; now it is there.
pub fn hand_in(conn: &mut Conn, row: AttachmentRow) -> Result<AttachmentOut> {
    store::insert(conn, &row)?;
    Ok(row.into())
}

/// Who handed a file in: a person, or a machine or visitor by an id of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A person of the staff, with whatever token.
    Agent(AgentId),
    /// Anybody else.
    Machine(TokenId),
}

impl Owner {
    fn has(self, row: &AttachmentRow) -> bool {
        match self {
            Self::Agent(id) => row.agent_id == Some(id),
            Self::Machine(id) => row.agent_id.is_none() && row.token_id == id,
        }
    }
}

/// Gives files to a message just written. Each waits for a message and was handed in by the same person or machine.
/// No query where there are none; else three, and the event.
pub fn attach(
    conn: &mut Conn,
    config: &config::Attachments,
    caller: &Caller,
    (ticket, message): (TicketId, Option<MessageId>),
    ids: &[AttachmentId],
    now: DateTime<Utc>,
) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let message = message.ok_or_else(|| Error::field("attachments", "no_message", "files belong to a message: give a body"))?;
    let owner = caller.agent.map_or(Owner::Machine(caller.token_id), |(id, _)| Owner::Agent(id));
    give(conn, config, (owner, caller.actor()), (ticket, message), ids, now)
}

/// The same for whoever handed them in.
pub fn give(
    conn: &mut Conn,
    config: &config::Attachments,
    (owner, actor): (Owner, Actor),
    (ticket, message): (TicketId, MessageId),
    ids: &[AttachmentId],
    now: DateTime<Utc>,
) -> Result<()> {
    let mut free: HashMap<AttachmentId, AttachmentRow> =
        store::waiting(conn, ids)?.into_iter().filter(|row| owner.has(row)).map(|row| (row.id, row)).collect();
    let mut files = Vec::with_capacity(ids.len());
    for (index, id) in ids.iter().enumerate() {
        // Taken out, so that a repeated one is unknown the second time.
        let row = free.remove(id).ok_or_else(|| {
            let text = "is no file that you handed in and that waits for its message";
            Error::field(&format!("attachments[{index}]"), "unknown_attachment", text)
        })?;
        files.push(AttachmentOut::from(row));
    }
    let sizes: Vec<u64> = files.iter().map(|file| file.size_bytes.unsigned_abs()).collect();
    model::check_together(&sizes, config.limits()).map_err(|Refused(code, text)| Error::field("attachments", code, text))?;
    store::give(conn, message, ids, Json::of(&files)?)?;
    let data = json!({ "message_id": message, "attachment_ids": ids });
    timeline::record(conn, ticket, Kind::FilesAttached, actor, now, data)
}

/// Forgets files that waited too long, some at a time; their bytes are the caller's to throw away afterwards.
pub fn forget_waiting(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<(AttachmentId, DateTime<Utc>)>> {
    store::forget_waiting(conn, now - TimeDelta::hours(WAITS_HOURS), FORGOTTEN_AT_ONCE)
}
