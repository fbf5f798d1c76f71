//! The verb that takes a reply back before its letter goes out.
use super::commands::{Whole, load, save};
use super::model::Status;
use super::store::{self, MessageKind};
use crate::accounts::caller::Agent;
use crate::config::Config;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::MessageId;
use crate::mail::outbox::{self, TakenBack};
use crate::seen::Seen;
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

/// The author takes a reply back: no letter goes out, the message is a note, and the promises that it had met run on as if it had
/// never been written. Who is responsible, and that a call was picked up, stays.
pub fn undo(conn: &mut Conn, config: &Config, agent: &Agent, id: MessageId, now: DateTime<Utc>) -> Result<Whole> {
    let found = store::find_message(conn, id)?;
    let (ticket, mut clocks) = load(conn, found.ticket_id, Seen(None))?;
    // Once more, as the ticket is locked now.
    let message = store::find_message(conn, id)?;
    if message.kind.0 != MessageKind::Reply {
        return Err(Error::conflict("not_a_reply", "only a reply can be taken back, and only once"));
    }
    if message.agent_id != Some(agent.id()) {
        return Err(Error::conflict("not_your_reply", "only who wrote a reply can take it back"));
    }
    if ticket.status == Status::Closed {
        return Err(Error::conflict("ticket_closed", "the ticket was closed since: reopen it first"));
    }
    let until = message.at.0 + TimeDelta::seconds(i64::from(config.mail.undo_seconds));
    let mail_id = match outbox::take_back(conn, id, now)? {
        TakenBack::Letter(mail) => Some(mail),
        TakenBack::None if now < until => None,
        TakenBack::None | TakenBack::TooLate => {
            return Err(Error::conflict("too_late", "the time to take this reply back is over"));
        }
    };
    store::undo(conn, id, now)?;
    let because = json!({ "what": "reply_undone", "message_id": id });
    clocks.take_back(message.at.0, (agent.id(), ticket.status == Status::Pending), &because, now);
    let data = json!({ "message_id": id, "mail_id": mail_id });
    timeline::record(conn, ticket.id, Kind::ReplyUndone, Actor::Agent(agent.id()), now, data)?;
    Ok(save(conn, ticket, clocks)?.with(id))
}
