//! The verbs of mail on a ticket: what a machine wrote, who of several people wrote, and a reply that came back.
use super::commands::{load, save, write_down};
use super::store::{self, MessageKind, MessageRow};
use crate::accounts::caller::Caller;
use crate::db::Conn;
use crate::db::types::{Json, Named, Time};
use crate::error::Result;
use crate::ids::{ContactId, MessageId, TicketId};
use crate::seen::Seen;
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// A mail that changes nothing but what is shown.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the words of the domain")]
pub struct Shown {
    pub from: Option<ContactId>,
    pub body: String,
    pub mail_message_id: Option<String>,
    pub received_at: DateTime<Utc>,
}

/// A machine answered: it is shown on the ticket, and neither reopens it nor touches a promise. Says where it is.
pub fn show(conn: &mut Conn, caller: &Caller, id: TicketId, mail: Shown) -> Result<(TicketId, MessageId)> {
    let received_at = mail.received_at;
    let (id, message) = keep(conn, id, MessageKind::Automatic, mail)?;
    timeline::record(conn, id, Kind::MachineWrote, caller.actor(), received_at, json!({ "message_id": message }))?;
    Ok((id, message))
}

/// A contact answered a survey by mail: it is shown on the ticket, and neither reopens it nor touches a promise. Says where it is.
pub fn show_answer(conn: &mut Conn, id: TicketId, mail: Shown) -> Result<(TicketId, MessageId)> {
    keep(conn, id, MessageKind::Inbound, mail)
}

fn keep(conn: &mut Conn, id: TicketId, kind: MessageKind, mail: Shown) -> Result<(TicketId, MessageId)> {
    let (ticket, clocks) = load(conn, id, Seen(None))?;
    if let Some(into) = ticket.merged_into_id {
        return keep(conn, into, kind, mail);
    }
    let message = MessageRow {
        id: MessageId::new(),
        ticket_id: id,
        kind: Named(kind),
        agent_id: None,
        contact_id: mail.from,
        body: mail.body,
        mail_message_id: mail.mail_message_id,
        at: Time(mail.received_at),
    };
    write_down(conn, &ticket, &message)?;
    save(conn, ticket, clocks)?;
    Ok((id, message.id))
}

/// Somebody else than the ticket's contact wrote a message.
pub fn written_by(conn: &mut Conn, message: MessageId, contact: ContactId) -> Result<()> {
    store::set_writer(conn, message, contact)
}

/// The letter of a reply came back: the message shows it from now on. False where there is no such message.
pub fn bounced(conn: &mut Conn, message: MessageId, bounce: Value, now: DateTime<Utc>) -> Result<bool> {
    let Some(id) = store::set_bounce(conn, message, Json(bounce.clone()))? else { return Ok(false) };
    let (ticket, clocks) = load(conn, id, Seen(None))?;
    let data = json!({ "message_id": message, "bounce": bounce });
    timeline::record(conn, id, Kind::MailBounced, Actor::Desk, now, data)?;
    save(conn, ticket, clocks)?;
    Ok(true)
}

/// The letter of a reply arrived at this address after all: what had been said of it is shown beside the message no more. Up to two
/// queries.
pub fn arrived(conn: &mut Conn, message: MessageId, address: &str) -> Result<()> {
    match store::bounce(conn, message)? {
        Some(bounce) if bounce.0["address"] == address => store::clear_bounce(conn, message),
        _ => Ok(()),
    }
}
