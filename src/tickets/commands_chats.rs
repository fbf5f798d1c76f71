//! The verbs of chats on tickets: one opens for a visitor who asks, agents speak in it, and what was missed becomes work.
use super::commands::{Whole, by_agent, finish, load, save, whose, write_down};
use super::commands_intake::{NewTicket, Sender, create};
use super::model::{Action, Channel, Direction, Priority, Status};
use super::store::MessageKind;
use super::store_chats;
use crate::accounts::caller::{Agent, Caller};
use crate::accounts::contacts::Person;
use crate::config::Config;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::{AgentId, ClockId, ContactId, MessageId, TeamId, TicketId};
use crate::seen::Seen;
use crate::sla::clock::Metric;
use crate::sla::model::Subject;
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, Utc};
use serde_json::json;

/// Opens the ticket of a chat; its pickup clock runs from the asking, or says that nothing was promised.
pub fn open_for(
    conn: &mut Conn,
    (contact, name): (ContactId, &str),
    team_id: Option<TeamId>,
    now: DateTime<Utc>,
) -> Result<(TicketId, Option<ClockId>)> {
    let new = NewTicket {
        channel: Channel::Chat,
        direction: Direction::Inbound,
        subject: format!("Chat with {name}"),
        priority: Priority::Normal,
        from: Sender::Contact(contact),
        organization_id: None,
        team_id,
        assignee_id: None,
        tags: Vec::new(),
        received_at: Some(now),
        message: None,
        follows_id: None,
    };
    let Whole { ticket, clocks, .. } = create(conn, &Caller::chat_gate(), new, now)?;
    let pickup = clocks.rows().iter().find(|row| row.metric.0 == Metric::Pickup).map(|row| row.id);
    Ok((ticket.id, pickup))
}

/// An agent says something in a chat: a public reply, but no letter. On a merged ticket it is said on the one that stays. Gives where.
pub fn say(conn: &mut Conn, agent: &Agent, id: TicketId, body: String, now: DateTime<Utc>) -> Result<(TicketId, MessageId)> {
    let (mut ticket, mut clocks) = load(conn, id, Seen(None))?;
    if let Some(into) = ticket.merged_into_id {
        return say(conn, agent, into, body, now);
    }
    ticket.apply(Action::Work, now)?;
    clocks.reach(conn, Metric::FirstResponse, agent.id(), now)?;
    clocks.reach(conn, Metric::NextResponse, agent.id(), now)?;
    let message = by_agent(MessageKind::Reply, id, agent, body, now);
    write_down(conn, &ticket, &message)?;
    let data = json!({ "message_id": message.id, "mail_id": null, "assignee_id": ticket.assignee_id });
    timeline::record(conn, id, Kind::AgentReplied, Actor::Agent(agent.id()), now, data)?;
    save(conn, ticket, clocks)?;
    Ok((id, message.id))
}

/// The chat of a ticket is over: so is the ticket, as the work of the agent who had the chat. False where more is to be done: an agent
/// set it aside, or it lacks a field; and where it is closed or merged already.
pub fn close_after(
    conn: &mut Conn,
    config: &Config,
    id: TicketId,
    (worked, actor): (AgentId, Actor),
    now: DateTime<Utc>,
) -> Result<bool> {
    let loaded = load(conn, id, Seen(None))?;
    if loaded.0.status != Status::Open {
        return Ok(false);
    }
    match finish(conn, config, loaded, (worked, actor), now) {
        Ok(_) => Ok(true),
        Err(Error::Conflict { code: "ticket_merged" | "fields_missing", .. }) => Ok(false),
        Err(other) => Err(other),
    }
}

/// The visitor of a chat is a contact who is known: the ticket is theirs.
pub fn belongs_to(conn: &mut Conn, id: TicketId, person: &Person, now: DateTime<Utc>) -> Result<()> {
    let (ticket, clocks) = load(conn, id, Seen(None))?;
    store_chats::set_contact(conn, id, person)?;
    let data = json!({ "before": ticket.contact_id, "after": person.id });
    timeline::record(conn, id, Kind::ChatContactKnown, Actor::Contact(person.id), now, data)?;
    save(conn, ticket, clocks)?;
    Ok(())
}

/// A chat that nobody came to has a contact with an address: it is owed an answer as a mail is, from `now` on.
pub fn owe_an_answer(conn: &mut Conn, id: TicketId, now: DateTime<Utc>) -> Result<()> {
    let (ticket, mut clocks) = load(conn, id, Seen(None))?;
    if ticket.status == Status::Closed || clocks.waits(Metric::FirstResponse) {
        return Ok(());
    }
    let mut attribution = whose(&ticket);
    // The answer goes out as a mail, so it is promised as one.
    attribution.subject = Subject { channel: Channel::Email, ..attribution.subject };
    clocks.start(conn, &attribution, Metric::FirstResponse, now, true, now)?;
    clocks.ring(now);
    save(conn, ticket, clocks)?;
    Ok(())
}
