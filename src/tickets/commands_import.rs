//! The verbs of imported history: what happened in another desk, replayed by the same rules, without letters and surveys.
use super::commands::{Whole, sorted, whose};
use super::commands_intake::promise;
use super::model::{Action, Channel, Direction, Priority, Status, Ticket};
use super::search;
use super::store::{self, MessageKind, MessageRow};
use crate::db::Conn;
use crate::db::types::{Named, Time};
use crate::error::{Error, FieldError, Result};
use crate::fields::model::Values;
use crate::ids::{AgentId, ContactId, MessageId, OrganizationId, TeamId, TicketId};
use crate::sla::clock::Metric;
use crate::sla::commands::Clocks;
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// A ticket of another desk, its names resolved.
#[expect(missing_docs, reason = "the words of the domain")]
#[derive(Debug, Clone)]
pub struct Imported {
    pub channel: Channel,
    pub direction: Direction,
    pub subject: String,
    pub priority: Priority,
    pub contact_id: ContactId,
    pub organization_id: Option<OrganizationId>,
    pub team_id: Option<TeamId>,
    pub assignee_id: Option<AgentId>,
    pub tags: Vec<String>,
    pub received_at: DateTime<Utc>,
    pub has_ring: bool,
    pub body: Option<String>,
    pub mail_message_id: Option<String>,
}

/// What happened to it.
#[expect(missing_docs, reason = "the words of the domain")]
#[derive(Debug, Clone)]
pub enum What {
    ContactWrote { body: String, mail_message_id: Option<String> },
    Replied { agent: AgentId, body: String, mail_message_id: Option<String> },
    Noted { agent: AgentId, body: String },
    PickedUp { agent: AgentId },
    StatusSet { agent: AgentId, status: Status },
    Closed { agent: AgentId },
    Reopened { agent: AgentId },
}

/// When, and what.
pub type Entry = (DateTime<Utc>, What);

/// Event data that says where it comes from.
fn imported(mut data: Value) -> Value {
    if let Some(fields) = data.as_object_mut() {
        fields.insert("imported".to_owned(), Value::Bool(true));
    }
    data
}

/// Takes a ticket in as it came: its promises run from its receipt, and what its history broke is broken at its instant.
pub fn take_in(conn: &mut Conn, actor: Actor, new: Imported, history: Vec<Entry>, now: DateTime<Utc>) -> Result<Whole> {
    let received_at = new.received_at;
    let mut ticket = Ticket {
        id: TicketId::new(),
        number: 0,
        subject: new.subject,
        channel: new.channel,
        direction: new.direction,
        status: Status::Open,
        priority: new.priority,
        contact_id: new.contact_id,
        organization_id: new.organization_id,
        team_id: new.team_id,
        assignee_id: new.assignee_id,
        follows_id: None,
        received_at,
        created_at: now,
        updated_at: received_at,
        picked_up_at: None,
        closed_at: None,
        close_count: 0,
        relations: 0,
        merged_into_id: None,
        fields: Values::new(),
        tags: sorted(new.tags),
        version: 1,
    };
    let mut clocks = Clocks::of_new(ticket.id);
    store::insert(conn, &mut ticket, &clocks.summary())?;
    let data = json!({
        "number": ticket.number, "channel": ticket.channel, "direction": ticket.direction, "priority": ticket.priority,
        "received_at": received_at, "contact_id": ticket.contact_id, "follows_id": null,
    });
    timeline::record(conn, ticket.id, Kind::TicketReceived, actor, received_at, imported(data))?;
    promise(conn, &ticket, &mut clocks, new.has_ring, received_at)?;
    clocks.save(conn)?;
    if let Some(body) = new.body {
        say(conn, &ticket, MessageKind::Inbound, None, (body, new.mail_message_id), received_at)?;
    }
    replay(conn, actor, (&mut ticket, &mut clocks), history, now)?;
    store::save(conn, &mut ticket, &clocks.summary())?;
    search::index::renew(conn, ticket.id)?;
    Ok(Whole { ticket, clocks, message_id: None })
}

/// What a later file says of a ticket that was taken in: its words and owners anew, and what happened since.
pub fn take_in_again(
    conn: &mut Conn,
    actor: Actor,
    id: TicketId,
    new: Imported,
    (known_at, more): (DateTime<Utc>, Vec<Entry>),
    now: DateTime<Utc>,
) -> Result<Whole> {
    let mut ticket = store::load(conn, id)?;
    let mut clocks = Clocks::load(conn, id)?;
    let fixed = [
        ("channel", ticket.channel == new.channel),
        ("direction", ticket.direction == new.direction),
        ("contact", ticket.contact_id == new.contact_id),
        ("received_at", ticket.received_at == new.received_at),
    ];
    if let Some((field, _)) = fixed.iter().find(|(_, is_same)| !is_same) {
        return Err(Error::field(field, "fixed", "cannot be changed after the ticket was taken in"));
    }
    // Here it went on since the last file: what the other desk did meanwhile cannot be put before that.
    if ticket.updated_at != known_at && more.first().is_some_and(|(at, _)| *at < ticket.updated_at) {
        return Err(Error::field("history", "moved_on", "the ticket was worked on here since, and this happened before"));
    }
    let mut data = serde_json::Map::new();
    if ticket.subject != new.subject {
        data.insert("subject".into(), json!({ "before": ticket.subject, "after": new.subject }));
        ticket.subject = new.subject;
    }
    if ticket.priority != new.priority {
        data.insert("priority".into(), json!({ "before": ticket.priority, "after": new.priority }));
        ticket.priority = new.priority;
    }
    if ticket.team_id != new.team_id {
        data.insert("team_id".into(), json!({ "before": ticket.team_id, "after": new.team_id }));
        ticket.team_id = new.team_id;
    }
    if ticket.assignee_id != new.assignee_id {
        data.insert("assignee_id".into(), json!({ "before": ticket.assignee_id, "after": new.assignee_id }));
        ticket.assignee_id = new.assignee_id;
    }
    let tags = sorted(new.tags);
    if ticket.tags != tags {
        let before = store::set_tags(conn, &mut ticket, tags)?;
        data.insert("tags".into(), json!({ "before": before, "after": ticket.tags }));
    }
    replay(conn, actor, (&mut ticket, &mut clocks), more, now)?;
    if !data.is_empty() {
        clocks.attribute(&whose(&ticket), now);
        clocks.save(conn)?;
        ticket.updated_at = now;
        timeline::record(conn, id, Kind::TicketChanged, actor, now, imported(data.into()))?;
    }
    store::save(conn, &mut ticket, &clocks.summary())?;
    search::index::renew(conn, ticket.id)?;
    Ok(Whole { ticket, clocks, message_id: None })
}

fn say(
    conn: &mut Conn,
    ticket: &Ticket,
    kind: MessageKind,
    agent_id: Option<AgentId>,
    (body, mail_message_id): (String, Option<String>),
    at: DateTime<Utc>,
) -> Result<MessageId> {
    let contact_id = (kind == MessageKind::Inbound).then_some(ticket.contact_id);
    let id = MessageId::new();
    let row =
        MessageRow { id, ticket_id: ticket.id, kind: Named(kind), agent_id, contact_id, body, mail_message_id, at: Time(at) };
    store::insert_message(conn, &row)?;
    Ok(id)
}

/// Every entry by the rules of its verb, at its instant; then what fell due until now.
fn replay(
    conn: &mut Conn,
    actor: Actor,
    (ticket, clocks): (&mut Ticket, &mut Clocks),
    history: Vec<Entry>,
    now: DateTime<Utc>,
) -> Result<()> {
    for (index, (at, what)) in history.into_iter().enumerate() {
        clocks.ring(at);
        happen(conn, actor, (&mut *ticket, &mut *clocks), at, what).map_err(|error| match error {
            Error::Conflict { code, message } => {
                Error::Invalid(vec![FieldError::new(format!("history[{index}]"), code, message)])
            }
            other => other,
        })?;
        clocks.save(conn)?;
    }
    clocks.ring(now);
    clocks.save(conn)
}

fn happen(
    conn: &mut Conn,
    actor: Actor,
    (ticket, clocks): (&mut Ticket, &mut Clocks),
    at: DateTime<Utc>,
    what: What,
) -> Result<()> {
    let id = ticket.id;
    match what {
        What::ContactWrote { body, mail_message_id } => {
            let was = ticket.status;
            let updated_at = ticket.updated_at;
            ticket.apply(Action::ContactWrites, at)?;
            ticket.updated_at = updated_at.max(at);
            let whose = whose(ticket);
            clocks.resume(conn, actor, at)?;
            if was == Status::Closed {
                clocks.start(conn, &whose, Metric::Resolution, at, true, at)?;
                let data = imported(json!({ "close_number": ticket.close_count }));
                timeline::record(conn, id, Kind::TicketReopened, Actor::Contact(ticket.contact_id), at, data)?;
            }
            let first_was_asked = clocks.rows().iter().any(|row| row.metric.0 == Metric::FirstResponse);
            if ticket.direction == Direction::Outbound && !first_was_asked {
                clocks.start(conn, &whose, Metric::FirstResponse, at, true, at)?;
            } else if !clocks.waits(Metric::FirstResponse) && !clocks.waits(Metric::NextResponse) {
                clocks.start(conn, &whose, Metric::NextResponse, at, true, at)?;
            }
            let message = say(conn, ticket, MessageKind::Inbound, None, (body, mail_message_id), at)?;
            let data = json!({ "message_id": message, "status": { "before": was, "after": ticket.status } });
            timeline::record(conn, id, Kind::ContactWrote, actor, at, imported(data))
        }
        What::Replied { agent, body, mail_message_id } => {
            ticket.apply(Action::Work, at)?;
            if ticket.apply(Action::PickUp, at).is_ok() {
                clocks.reach(conn, Metric::Pickup, agent, at)?;
            }
            clocks.reach(conn, Metric::FirstResponse, agent, at)?;
            clocks.reach(conn, Metric::NextResponse, agent, at)?;
            let message = say(conn, ticket, MessageKind::Reply, Some(agent), (body, mail_message_id), at)?;
            let data = json!({ "message_id": message, "mail_id": null, "assignee_id": ticket.assignee_id });
            timeline::record(conn, id, Kind::AgentReplied, Actor::Agent(agent), at, imported(data))
        }
        What::Noted { agent, body } => {
            ticket.apply(Action::Work, at)?;
            let message = say(conn, ticket, MessageKind::Note, Some(agent), (body, None), at)?;
            timeline::record(conn, id, Kind::NoteAdded, Actor::Agent(agent), at, imported(json!({ "message_id": message })))
        }
        What::PickedUp { agent } => {
            ticket.apply(Action::PickUp, at)?;
            clocks.reach(conn, Metric::Pickup, agent, at)?;
            let data = imported(json!({ "assignee_id": ticket.assignee_id }));
            timeline::record(conn, id, Kind::PickedUp, Actor::Agent(agent), at, data)
        }
        What::StatusSet { agent, status } => {
            let (before, by) = (ticket.status, Actor::Agent(agent));
            ticket.apply(Action::SetStatus(status), at)?;
            match (before, ticket.status) {
                (Status::Pending, Status::Open | Status::OnHold) => clocks.resume(conn, by, at)?,
                (Status::Open | Status::OnHold, Status::Pending) => clocks.pause(conn, by, at)?,
                _ => {}
            }
            let data = imported(json!({ "status": { "before": before, "after": ticket.status } }));
            timeline::record(conn, id, Kind::TicketChanged, by, at, data)
        }
        What::Closed { agent } => {
            ticket.apply(Action::Close, at)?;
            clocks.reach(conn, Metric::Resolution, agent, at)?;
            let data = imported(json!({ "close_number": ticket.close_count }));
            timeline::record(conn, id, Kind::TicketClosed, Actor::Agent(agent), at, data)
        }
        What::Reopened { agent } => {
            ticket.apply(Action::Reopen, at)?;
            clocks.start(conn, &whose(ticket), Metric::Resolution, at, true, at)?;
            let data = imported(json!({ "close_number": ticket.close_count }));
            timeline::record(conn, id, Kind::TicketReopened, Actor::Agent(agent), at, data)
        }
    }
}
