//! The verbs of a ticket. Each is one transaction: load, ask the rule, save, record, queue the effects.
use super::model::{Action, Channel, Direction, Priority, Refused, Status, Ticket};
use super::store::{self, MessageKind, MessageRow};
use crate::accounts::caller::{Agent, Caller};
use crate::accounts::contacts::{self, Person};
use crate::accounts::{agents, organizations, teams};
use crate::config::Config;
use crate::db::{
    Conn,
    types::{Named, Time},
};
use crate::error::{Error, Result};
use crate::ids::{AgentId, ContactId, MessageId, OrganizationId, TeamId, TicketId};
use crate::mail::outbox;
use crate::seen::Seen;
use crate::sla::clock::Metric;
use crate::sla::commands::{Attribution, Clocks, Summary};
use crate::sla::model::Subject;
use crate::surveys;
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, Utc};
use serde_json::json;

impl From<Refused> for Error {
    fn from(Refused(code, message): Refused) -> Self {
        Self::conflict(code, message)
    }
}

/// A ticket with all that its answer shows.
pub struct Whole {
    /// The ticket.
    pub ticket: Ticket,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its promises.
    pub clocks: Clocks,
}

/// Who asks for help, as the caller knows it.
pub enum Sender {
    /// A contact that exists.
    Contact(ContactId),
    /// Whoever has this address.
    Email(String, Option<String>),
    /// Whoever has this number.
    Phone(String, Option<String>),
}

/// A ticket to make.
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

fn whose(ticket: &Ticket) -> Attribution {
    let Ticket { channel, priority, team_id, organization_id, assignee_id, .. } = *ticket;
    Attribution { subject: Subject { channel, priority, team_id, organization_id }, agent_id: assignee_id }
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
    Ok(at)
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

fn check_agent(conn: &mut Conn, field: &str, id: Option<AgentId>) -> Result<()> {
    match id {
        Some(id) if !agents::is_active(conn, id)? => Err(Error::field(field, "unknown_agent", "is no active agent")),
        _ => Ok(()),
    }
}

fn check_team(conn: &mut Conn, id: Option<TeamId>) -> Result<()> {
    match id {
        Some(id) if teams::calendar_of(conn, id)?.is_none() => Err(Error::field("team_id", "unknown_team", "is no team")),
        _ => Ok(()),
    }
}

fn sorted(mut tags: Vec<String>) -> Vec<String> {
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// A request came in, or the desk writes first. 8 queries for a mail from a known contact: person, policy, calendar; ticket,
/// message, clock and two events.
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
    };
    let mut clocks = Clocks::of_new(ticket.id);
    let whose = whose(&ticket);
    if ticket.direction == Direction::Inbound {
        // A call or chat that an agent writes down by hand carries no ring (DESIGN 3.10).
        let has_ring = caller.may_set_receipt();
        if matches!(ticket.channel, Channel::Phone | Channel::Chat) {
            clocks.start(conn, &whose, Metric::Pickup, received_at, has_ring, now)?;
        }
        clocks.start(conn, &whose, Metric::FirstResponse, received_at, true, now)?;
    }
    clocks.start(conn, &whose, Metric::Resolution, received_at, true, now)?;
    clocks.ring(now);
    store::insert(conn, &mut ticket, &clocks.summary())?;
    let tags = sorted(new.tags);
    if !tags.is_empty() {
        store::set_tags(conn, ticket.id, &tags)?;
    }
    let data = json!({
        "number": ticket.number, "channel": ticket.channel, "direction": ticket.direction, "priority": ticket.priority,
        "received_at": ticket.received_at, "contact_id": ticket.contact_id, "follows_id": ticket.follows_id,
    });
    timeline::record(conn, ticket.id, Kind::TicketReceived, caller.actor(), received_at, data)?;
    clocks.save(conn)?;
    if let Some(message) = new.message {
        store::insert_message(conn, &inbound(&ticket, message, received_at))?;
    }
    Ok(Whole { ticket, tags, clocks })
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

/// What every verb on a ticket starts from.
fn load(conn: &mut Conn, id: TicketId, seen: Seen) -> Result<(Ticket, Clocks)> {
    let ticket = store::load(conn, id)?;
    seen.check(ticket.version)?;
    let clocks = Clocks::load(conn, id)?;
    Ok((ticket, clocks))
}

/// What every verb on a ticket ends with.
fn save(conn: &mut Conn, mut ticket: Ticket, mut clocks: Clocks) -> Result<Whole> {
    clocks.save(conn)?;
    store::save(conn, &mut ticket, &clocks.summary())?;
    let tags = store::tags(conn, ticket.id)?;
    Ok(Whole { ticket, tags, clocks })
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
            tags: store::tags(conn, id)?,
            received_at: said,
            message: Some(message),
            follows_id: Some(id),
        };
        return create(conn, caller, new, now);
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
    store::insert_message(conn, &message)?;
    let data = json!({ "message_id": message.id, "status": { "before": was, "after": ticket.status } });
    timeline::record(conn, id, Kind::ContactWrote, caller.actor(), received_at, data)?;
    save(conn, ticket, clocks)
}

/// What reopening means for promises and surveys, whoever does it.
fn reopened(
    conn: &mut Conn,
    ticket: &Ticket,
    clocks: &mut Clocks,
    actor: Actor,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    clocks.start(conn, &whose(ticket), Metric::Resolution, at, true, now)?;
    surveys::commands::cancel(conn, ticket.id, ticket.close_count, now)?;
    timeline::record(conn, ticket.id, Kind::TicketReopened, actor, at, json!({ "close_number": ticket.close_count }))
}

/// An agent answers in public: stops first and next response and mails the contact.
pub fn reply(
    conn: &mut Conn,
    config: &Config,
    agent: &Agent,
    id: TicketId,
    seen: Seen,
    body: String,
    now: DateTime<Utc>,
) -> Result<Whole> {
    let (mut ticket, mut clocks) = load(conn, id, seen)?;
    ticket.apply(Action::Work, now)?;
    clocks.reach(conn, Metric::FirstResponse, agent.id(), now)?;
    clocks.reach(conn, Metric::NextResponse, agent.id(), now)?;
    if ticket.assignee_id.is_none() {
        ticket.assignee_id = Some(agent.id());
        clocks.attribute(&whose(&ticket), now);
    }
    let mut message = MessageRow {
        id: MessageId::new(),
        ticket_id: id,
        kind: Named(MessageKind::Reply),
        agent_id: Some(agent.id()),
        contact_id: None,
        body,
        mail_message_id: None,
        at: Time(now),
    };
    let mut mail_id = None;
    if let Some(recipient) = contacts::primary_email(conn, ticket.contact_id)? {
        let agent_name = agents::find(conn, agent.id())?.name;
        let references = store::mail_ids(conn, id)?;
        let queued = outbox::queue_reply(conn, config, &ticket, &message, &agent_name, recipient, references, now)?;
        (mail_id, message.mail_message_id) = (Some(queued.id), Some(queued.message_id));
    }
    store::insert_message(conn, &message)?;
    let data = json!({ "message_id": message.id, "mail_id": mail_id, "assignee_id": ticket.assignee_id });
    timeline::record(conn, id, Kind::AgentReplied, Actor::Agent(agent.id()), now, data)?;
    save(conn, ticket, clocks)
}

/// An agent writes for the staff alone; stops nothing.
pub fn note(conn: &mut Conn, agent: &Agent, id: TicketId, seen: Seen, body: String, now: DateTime<Utc>) -> Result<Whole> {
    let (mut ticket, clocks) = load(conn, id, seen)?;
    ticket.apply(Action::Work, now)?;
    let message = MessageRow {
        id: MessageId::new(),
        ticket_id: id,
        kind: Named(MessageKind::Note),
        agent_id: Some(agent.id()),
        contact_id: None,
        body,
        mail_message_id: None,
        at: Time(now),
    };
    store::insert_message(conn, &message)?;
    timeline::record(conn, id, Kind::NoteAdded, Actor::Agent(agent.id()), now, json!({ "message_id": message.id }))?;
    save(conn, ticket, clocks)
}

/// An agent picks a call or chat up, and becomes its assignee where it has none.
pub fn pick_up(conn: &mut Conn, agent: &Agent, id: TicketId, seen: Seen, now: DateTime<Utc>) -> Result<Whole> {
    let (mut ticket, mut clocks) = load(conn, id, seen)?;
    ticket.apply(Action::PickUp, now)?;
    clocks.reach(conn, Metric::Pickup, agent.id(), now)?;
    if ticket.assignee_id.is_none() {
        ticket.assignee_id = Some(agent.id());
        clocks.attribute(&whose(&ticket), now);
    }
    let data = json!({ "assignee_id": ticket.assignee_id });
    timeline::record(conn, id, Kind::PickedUp, Actor::Agent(agent.id()), now, data)?;
    save(conn, ticket, clocks)
}

/// Someone, or nobody, is responsible.
pub fn assign(
    conn: &mut Conn,
    agent: &Agent,
    id: TicketId,
    seen: Seen,
    to: Option<AgentId>,
    now: DateTime<Utc>,
) -> Result<Whole> {
    let (mut ticket, mut clocks) = load(conn, id, seen)?;
    ticket.apply(Action::Work, now)?;
    check_agent(conn, "agent_id", to)?;
    let before = std::mem::replace(&mut ticket.assignee_id, to);
    clocks.attribute(&whose(&ticket), now);
    let data = json!({ "before": before, "after": to });
    timeline::record(conn, id, Kind::Assigned, Actor::Agent(agent.id()), now, data)?;
    save(conn, ticket, clocks)
}

/// Another team, or none, is responsible; the assignee is cleared when the team changes.
pub fn hand_over(
    conn: &mut Conn,
    agent: &Agent,
    id: TicketId,
    seen: Seen,
    to: Option<TeamId>,
    now: DateTime<Utc>,
) -> Result<Whole> {
    let (mut ticket, mut clocks) = load(conn, id, seen)?;
    ticket.apply(Action::Work, now)?;
    check_team(conn, to)?;
    let before = std::mem::replace(&mut ticket.team_id, to);
    if before != to {
        ticket.assignee_id = None;
    }
    clocks.attribute(&whose(&ticket), now);
    let data = json!({ "before": before, "after": to, "assignee_id": ticket.assignee_id });
    timeline::record(conn, id, Kind::HandedOver, Actor::Agent(agent.id()), now, data)?;
    save(conn, ticket, clocks)
}

/// What an agent edits; what is absent stays.
#[derive(Default)]
#[expect(missing_docs, reason = "the words of the domain")]
pub struct Change {
    pub subject: Option<String>,
    pub priority: Option<Priority>,
    pub status: Option<Status>,
    pub tags: Option<Vec<String>>,
}

/// An agent edits subject, priority, status or tags; `pending` pauses, and leaving it runs the clocks again.
pub fn change(conn: &mut Conn, agent: &Agent, id: TicketId, seen: Seen, change: Change, now: DateTime<Utc>) -> Result<Whole> {
    let (mut ticket, mut clocks) = load(conn, id, seen)?;
    let actor = Actor::Agent(agent.id());
    let mut data = serde_json::Map::new();
    ticket.apply(Action::Work, now)?;
    if let Some(status) = change.status {
        let before = ticket.status;
        ticket.apply(Action::SetStatus(status), now)?;
        match (before, ticket.status) {
            (Status::Pending, Status::Open | Status::OnHold) => clocks.resume(conn, actor, now)?,
            (Status::Open | Status::OnHold, Status::Pending) => clocks.pause(conn, &whose(&ticket), actor, now)?,
            _ => {}
        }
        data.insert("status".into(), json!({ "before": before, "after": ticket.status }));
    }
    if let Some(priority) = change.priority {
        let before = std::mem::replace(&mut ticket.priority, priority);
        clocks.attribute(&whose(&ticket), now);
        data.insert("priority".into(), json!({ "before": before, "after": priority }));
    }
    if let Some(subject) = change.subject {
        data.insert("subject".into(), json!({ "before": ticket.subject, "after": subject }));
        ticket.subject = subject;
    }
    if let Some(tags) = change.tags.map(sorted) {
        data.insert("tags".into(), json!({ "before": store::tags(conn, id)?, "after": tags }));
        store::set_tags(conn, id, &tags)?;
    }
    timeline::record(conn, id, Kind::TicketChanged, actor, now, data.into())?;
    save(conn, ticket, clocks)
}

/// Done: stops resolution and invites the contact to a survey.
pub fn close(conn: &mut Conn, config: &Config, agent: &Agent, id: TicketId, seen: Seen, now: DateTime<Utc>) -> Result<Whole> {
    let (mut ticket, mut clocks) = load(conn, id, seen)?;
    ticket.apply(Action::Close, now)?;
    clocks.reach(conn, Metric::Resolution, agent.id(), now)?;
    let data = json!({ "close_number": ticket.close_count });
    timeline::record(conn, id, Kind::TicketClosed, Actor::Agent(agent.id()), now, data)?;
    let agents = store::repliers(conn, id)?;
    surveys::commands::invite(conn, config, &ticket, &agents, now)?;
    save(conn, ticket, clocks)
}

/// Not done after all: a new cycle of resolution, and no survey about that close.
pub fn reopen(conn: &mut Conn, agent: &Agent, id: TicketId, seen: Seen, now: DateTime<Utc>) -> Result<Whole> {
    let (mut ticket, mut clocks) = load(conn, id, seen)?;
    ticket.apply(Action::Reopen, now)?;
    reopened(conn, &ticket, &mut clocks, Actor::Agent(agent.id()), now, now)?;
    save(conn, ticket, clocks)
}

/// Locks tickets for a writer that works on many at once.
pub fn lock(conn: &mut Conn, ids: &[TicketId]) -> Result<()> {
    store::lock(conn, ids)
}

/// Repeats the promises of a ticket on its row, for lists.
pub fn repeat_promises(conn: &mut Conn, id: TicketId, promises: &Summary) -> Result<()> {
    store::save_promises(conn, id, promises)
}
