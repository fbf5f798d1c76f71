//! The verbs of what comes in: a new ticket, and what a contact writes on one that is there.
use super::commands::{Whole, check_agent, check_team, load, reopened, save, sorted, whose, write_down};
use super::model::{Action, Channel, Direction, Priority, Status, Ticket};
use super::related::{self, model::LinkKind};
use super::search;
use super::store::{self, MessageKind, MessageRow};
use crate::accounts::caller::Caller;
use crate::accounts::contacts::{self, Person};
use crate::accounts::organizations;
use crate::config::Config;
use crate::db::Conn;
use crate::db::types::{Named, Time};
use crate::error::{Error, Result};
use crate::fields::model::Values;
use crate::ids::{AgentId, ContactId, MessageId, OrganizationId, TeamId, TicketId};
use crate::seen::Seen;
use crate::sla::clock::Metric;
use crate::sla::commands::Clocks;
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, SubsecRound, Utc};
use serde_json::json;

/// Who asks for help, as the caller knows it.
#[derive(Clone)]
pub enum Sender {
    /// A contact that exists.
    Contact(ContactId),
    /// Whoever has this address.
    Email(String, Option<String>),
    /// Whoever has this number.
    Phone(String, Option<String>),
}

/// A ticket to make.
#[derive(Clone)]
#[expect(missing_docs, reason = "the words of the domain")]
pub struct NewTicket {
    pub channel: Channel,
    pub direction: Direction,
    pub subject: String,
    pub priority: Priority,
    pub from: Sender,
    pub organization_id: Option<OrganizationId>,
    pub team_id: Option<TeamId>,
    pub assignee_id: Option<AgentId>,
    pub tags: Vec<String>,
    pub received_at: Option<DateTime<Utc>>,
    pub message: Option<NewMessage>,
    pub follows_id: Option<TicketId>,
}

/// What a contact wrote.
#[derive(Clone)]
pub struct NewMessage {
    /// Plain text.
    pub body: String,
    /// The mail's own Message-ID, where it was one.
    pub mail_message_id: Option<String>,
}

/// When it really came in: only machines know; everyone else's is now.
fn receipt(caller: &Caller, said: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
    let Some(at) = said else { return Ok(now) };
    if !caller.may_set_receipt() {
        return Err(Error::forbidden("receipt_not_yours", "only tokens with the scope channel or import may set received_at"));
    }
    if at > now {
        return Err(Error::field("received_at", "future", "must not be in the future"));
    }
    if at.timestamp() < 0 {
        return Err(Error::field("received_at", "range", "must not be before 1970"));
    }
    Ok(at.trunc_subsecs(6))
}

fn find_person(conn: &mut Conn, from: &Sender, now: DateTime<Utc>) -> Result<Person> {
    match from {
        Sender::Contact(id) => {
            contacts::find_person(conn, *id)?.ok_or_else(|| Error::field("contact_id", "unknown_contact", "is no contact"))
        }
        Sender::Email(address, name) => contacts::find_or_create_by_email(conn, address, name.as_deref(), now),
        Sender::Phone(number, name) => contacts::find_or_create_by_phone(conn, number, name.as_deref(), now),
    }
}

/// Starts what is promised about a new ticket from its receipt on.
pub(super) fn promise(conn: &mut Conn, ticket: &Ticket, clocks: &mut Clocks, has_ring: bool, now: DateTime<Utc>) -> Result<()> {
    let (whose, at) = (whose(ticket), ticket.received_at);
    if ticket.direction == Direction::Inbound {
        if matches!(ticket.channel, Channel::Phone | Channel::Chat) {
            clocks.start(conn, &whose, Metric::Pickup, at, has_ring, now)?;
        }
        // A call is answered by picking it up; a first response is owed only where it was missed (DESIGN 3.4).
        if ticket.channel != Channel::Phone {
            clocks.start(conn, &whose, Metric::FirstResponse, at, true, now)?;
        }
    }
    clocks.start(conn, &whose, Metric::Resolution, at, true, now)
}

/// A request came in, or the desk writes first. 9 queries for a mail from a known contact: person, policy, calendar; ticket,
/// message, its words, clock and two events.
pub fn create(conn: &mut Conn, caller: &Caller, new: NewTicket, now: DateTime<Utc>) -> Result<Whole> {
    let received_at = receipt(caller, new.received_at, now)?;
    let person = find_person(conn, &new.from, now)?;
    let organization_id = match new.organization_id {
        Some(id) => organizations::find(conn, id)
            .map_err(|error| match error {
                Error::NotFound(_) => Error::field("organization_id", "unknown_organization", "is no organization"),
                other => other,
            })?
            .id
            .into(),
        None => person.organization_id,
    };
    check_team(conn, new.team_id)?;
    check_agent(conn, "assignee_id", new.assignee_id)?;
    let mut ticket = Ticket {
        id: TicketId::new(),
        number: 0,
        subject: new.subject,
        channel: new.channel,
        direction: new.direction,
        status: Status::Open,
        priority: new.priority,
        contact_id: person.id,
        organization_id,
        team_id: new.team_id,
        assignee_id: new.assignee_id,
        follows_id: new.follows_id,
        received_at,
        created_at: now,
        updated_at: now,
        picked_up_at: None,
        closed_at: None,
        close_count: 0,
        version: 1,
        relations: 0,
        merged_into_id: None,
        fields: Values::new(),
        tags: sorted(new.tags),
    };
    let mut clocks = Clocks::of_new(ticket.id);
    // A call or chat that an agent writes down by hand carries no ring (DESIGN 3.10).
    promise(conn, &ticket, &mut clocks, caller.may_set_receipt(), now)?;
    clocks.ring(now);
    store::insert(conn, &mut ticket, &clocks.summary())?;
    let data = json!({
        "number": ticket.number, "channel": ticket.channel, "direction": ticket.direction, "priority": ticket.priority,
        "received_at": ticket.received_at, "contact_id": ticket.contact_id, "follows_id": ticket.follows_id,
    });
    timeline::record(conn, ticket.id, Kind::TicketReceived, caller.actor(), received_at, data)?;
    clocks.save(conn)?;
    let message = new.message.map(|message| inbound(&ticket, message, received_at));
    if let Some(message) = &message {
        store::insert_message(conn, message)?;
    }
    search::index::add_ticket(conn, &ticket, message.as_ref())?;
    Ok(Whole { ticket, clocks, message_id: message.map(|message| message.id) })
}

fn inbound(ticket: &Ticket, new: NewMessage, at: DateTime<Utc>) -> MessageRow {
    MessageRow {
        id: MessageId::new(),
        ticket_id: ticket.id,
        kind: Named(MessageKind::Inbound),
        agent_id: None,
        contact_id: Some(ticket.contact_id),
        body: new.body,
        mail_message_id: new.mail_message_id,
        at: Time(at),
    }
}

/// The contact wrote: reopens, runs paused clocks again, starts the next response. Past the reopen window it is a new ticket.
pub fn receive(
    conn: &mut Conn,
    config: &Config,
    caller: &Caller,
    id: TicketId,
    message: NewMessage,
    said: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Whole> {
    let received_at = receipt(caller, said, now)?;
    let (mut ticket, mut clocks) = load(conn, id, Seen(None))?;
    if let Some(into) = ticket.merged_into_id {
        return receive(conn, config, caller, into, message, said, now);
    }
    if !ticket.takes_reply(received_at, config.tickets.reopen_window_days) {
        let new = NewTicket {
            channel: ticket.channel,
            direction: Direction::Inbound,
            subject: ticket.subject,
            priority: ticket.priority,
            from: Sender::Contact(ticket.contact_id),
            organization_id: ticket.organization_id,
            team_id: ticket.team_id,
            assignee_id: None,
            tags: ticket.tags,
            received_at: said,
            message: Some(message),
            follows_id: Some(id),
        };
        let mut whole = create(conn, caller, new, now)?;
        related::commands::link(conn, caller.actor(), (whole.ticket.id, id), LinkKind::FollowUp, now)?;
        whole.ticket.relations |= related::queries::HAS_LINKS;
        return Ok(whole);
    }
    let was = ticket.status;
    ticket.apply(Action::ContactWrites, now)?;
    let whose = whose(&ticket);
    clocks.resume(conn, caller.actor(), received_at)?;
    if was == Status::Closed {
        reopened(conn, &ticket, &mut clocks, Actor::Contact(ticket.contact_id), received_at, now)?;
    }
    let first_was_asked = clocks.rows().iter().any(|row| row.metric.0 == Metric::FirstResponse);
    if ticket.direction == Direction::Outbound && !first_was_asked {
        clocks.start(conn, &whose, Metric::FirstResponse, received_at, true, now)?;
    } else if !clocks.waits(Metric::FirstResponse) && !clocks.waits(Metric::NextResponse) {
        clocks.start(conn, &whose, Metric::NextResponse, received_at, true, now)?;
    }
    clocks.ring(now);
    let message = inbound(&ticket, message, received_at);
    write_down(conn, &ticket, &message)?;
    let data = json!({ "message_id": message.id, "status": { "before": was, "after": ticket.status } });
    timeline::record(conn, id, Kind::ContactWrote, caller.actor(), received_at, data)?;
    Ok(save(conn, ticket, clocks)?.with(message.id))
}
