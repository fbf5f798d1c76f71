//! The verbs of a ticket. Each is one transaction: load, ask the rule, save, record, queue the effects.
use super::model::{Action, Priority, Refused, Status, Ticket};
use super::search;
use super::store::{self, MessageKind, MessageRow};
use crate::accounts::caller::{Agent, Caller};
use crate::accounts::{agents, teams};
use crate::config::Config;
use crate::db::{
    Conn,
    types::{Named, Time},
};
use crate::error::{Error, Result};
use crate::fields::{self, model::Values};
use crate::ids::{AgentId, MessageId, TeamId, TicketId};
use crate::inbound;
use crate::mail::outbox::{self, NewReply};
use crate::seen::Seen;
use crate::sla::clock::Metric;
use crate::sla::commands::{Attribution, Clocks};
use crate::sla::model::{Subject, Summary};
use crate::sla::rematch::Because;
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
    /// Its promises.
    pub clocks: Clocks,
    /// The message that the verb wrote.
    pub message_id: Option<MessageId>,
}

impl Whole {
    pub(super) fn with(self, message_id: MessageId) -> Self {
        Self { message_id: Some(message_id), ..self }
    }
}

pub(super) fn whose(ticket: &Ticket) -> Attribution {
    let Ticket { channel, priority, team_id, organization_id, assignee_id, .. } = *ticket;
    Attribution { subject: Subject { channel, priority, team_id, organization_id }, agent_id: assignee_id }
}

pub(super) fn check_agent(conn: &mut Conn, field: &str, id: Option<AgentId>) -> Result<()> {
    match id {
        Some(id) if !agents::is_active(conn, id)? => Err(Error::field(field, "unknown_agent", "is no active agent")),
        _ => Ok(()),
    }
}

pub(super) fn check_team(conn: &mut Conn, id: Option<TeamId>) -> Result<()> {
    match id {
        Some(id) if teams::calendar_of(conn, id)?.is_none() => Err(Error::field("team_id", "unknown_team", "is no team")),
        _ => Ok(()),
    }
}

pub(super) fn sorted(mut tags: Vec<String>) -> Vec<String> {
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// What an agent says on a ticket now.
pub(super) fn by_agent(kind: MessageKind, ticket_id: TicketId, agent: &Agent, body: String, now: DateTime<Utc>) -> MessageRow {
    MessageRow {
        id: MessageId::new(),
        ticket_id,
        kind: Named(kind),
        agent_id: Some(agent.id()),
        contact_id: None,
        body,
        mail_message_id: None,
        at: Time(now),
    }
}

/// Writes what was said, and its words into the index. Two inserts.
pub(super) fn write_down(conn: &mut Conn, ticket: &Ticket, message: &MessageRow) -> Result<()> {
    store::insert_message(conn, message)?;
    search::index::add_message(conn, ticket, message)
}

/// What every verb on a ticket starts from.
pub(super) fn load(conn: &mut Conn, id: TicketId, seen: Seen) -> Result<(Ticket, Clocks)> {
    let ticket = store::load(conn, id)?;
    seen.check(ticket.version)?;
    let clocks = Clocks::load(conn, id)?;
    Ok((ticket, clocks))
}

/// What every verb on a ticket ends with.
pub(super) fn save(conn: &mut Conn, mut ticket: Ticket, mut clocks: Clocks) -> Result<Whole> {
    clocks.save(conn)?;
    store::save(conn, &mut ticket, &clocks.summary())?;
    Ok(Whole { ticket, clocks, message_id: None })
}

/// What reopening means for promises and surveys, whoever does it.
pub(super) fn reopened(
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

/// What an agent answers in public.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// Markdown.
    pub body: String,
    /// Who has a copy, each in the one spelling of an address.
    pub cc: Vec<String>,
}

/// An agent answers in public: stops first and next response and mails the contact.
pub fn reply(
    conn: &mut Conn,
    config: &Config,
    agent: &Agent,
    id: TicketId,
    seen: Seen,
    said: Reply,
    now: DateTime<Utc>,
) -> Result<Whole> {
    let (mut ticket, mut clocks) = load(conn, id, seen)?;
    if let Some(into) = ticket.merged_into_id {
        return reply(conn, config, agent, into, Seen(None), said, now);
    }
    let Reply { body, mut cc } = said;
    ticket.apply(Action::Work, now)?;
    // A public reply by a person picks a call or chat up as well (DESIGN 3.5).
    if ticket.apply(Action::PickUp, now).is_ok() {
        clocks.reach(conn, Metric::Pickup, agent.id(), now)?;
    }
    clocks.reach(conn, Metric::FirstResponse, agent.id(), now)?;
    clocks.reach(conn, Metric::NextResponse, agent.id(), now)?;
    if ticket.assignee_id.is_none() {
        ticket.assignee_id = Some(agent.id());
        clocks.attribute(&whose(&ticket), now);
    }
    let mut message = by_agent(MessageKind::Reply, id, agent, body, now);
    let mut mail_id = None;
    let store::Envelope { recipient, agent_name, signature, references } = store::envelope(conn, &ticket, agent.id())?;
    cc.retain(|address| Some(address) != recipient.as_ref());
    if let Some(recipient) = recipient {
        let new = NewReply {
            ticket: &ticket,
            message: &message,
            agent_name: &agent_name,
            signature,
            recipient,
            cc: &cc,
            earlier: references,
        };
        let queued = outbox::queue_reply(conn, config, new, now)?;
        (mail_id, message.mail_message_id) = (Some(queued.id), Some(queued.message_id));
    } else if !cc.is_empty() {
        return Err(Error::field("cc", "no_letter", "the contact has no mail address, so that no letter goes out"));
    }
    write_down(conn, &ticket, &message)?;
    if !cc.is_empty() {
        store::set_cc(conn, message.id, &cc)?;
        // Who has a copy may answer.
        inbound::queries::invite(conn, id, &cc, now)?;
    }
    let data = json!({ "message_id": message.id, "mail_id": mail_id, "assignee_id": ticket.assignee_id });
    timeline::record(conn, id, Kind::AgentReplied, Actor::Agent(agent.id()), now, data)?;
    Ok(save(conn, ticket, clocks)?.with(message.id))
}

/// An agent writes for the staff alone; stops nothing.
pub fn note(conn: &mut Conn, agent: &Agent, id: TicketId, seen: Seen, body: String, now: DateTime<Utc>) -> Result<Whole> {
    let (mut ticket, clocks) = load(conn, id, seen)?;
    if let Some(into) = ticket.merged_into_id {
        return note(conn, agent, into, Seen(None), body, now);
    }
    ticket.apply(Action::Work, now)?;
    let message = by_agent(MessageKind::Note, id, agent, body, now);
    write_down(conn, &ticket, &message)?;
    timeline::record(conn, id, Kind::NoteAdded, Actor::Agent(agent.id()), now, json!({ "message_id": message.id }))?;
    Ok(save(conn, ticket, clocks)?.with(message.id))
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
    let by = (Because::Team, Actor::Agent(agent.id()));
    clocks.rematch(conn, &whose(&ticket), ticket.status == Status::Pending, by, now)?;
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
    pub fields: Values,
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
            (Status::Open | Status::OnHold, Status::Pending) => clocks.pause(conn, actor, now)?,
            _ => {}
        }
        data.insert("status".into(), json!({ "before": before, "after": ticket.status }));
    }
    if let Some(priority) = change.priority {
        let before = std::mem::replace(&mut ticket.priority, priority);
        clocks.rematch(conn, &whose(&ticket), ticket.status == Status::Pending, (Because::Priority, actor), now)?;
        data.insert("priority".into(), json!({ "before": before, "after": priority }));
    }
    if let Some(subject) = change.subject {
        data.insert("subject".into(), json!({ "before": ticket.subject, "after": subject }));
        ticket.subject = subject;
    }
    if let Some(tags) = change.tags.map(sorted) {
        let before = store::set_tags(conn, &mut ticket, tags)?;
        data.insert("tags".into(), json!({ "before": before, "after": ticket.tags }));
    }
    let is_renamed = data.contains_key("subject");
    if let Some(changed) = fields::values::change(conn, id, &mut ticket.fields, change.fields)? {
        data.insert("fields".into(), changed);
    }
    timeline::record(conn, id, Kind::TicketChanged, actor, now, data.into())?;
    let whole = save(conn, ticket, clocks)?;
    if is_renamed {
        search::index::renew(conn, id)?;
    }
    Ok(whole)
}

/// Gives a new ticket its first values of custom fields. No query where there are none.
pub fn fill(conn: &mut Conn, caller: &Caller, ticket: &mut Ticket, said: Values, now: DateTime<Utc>) -> Result<()> {
    match fields::values::change(conn, ticket.id, &mut ticket.fields, said)? {
        Some(changed) => {
            let data = json!({ "fields": changed });
            timeline::record(conn, ticket.id, Kind::TicketChanged, caller.actor(), now, data)
        }
        None => Ok(()),
    }
}

/// Done: stops resolution and invites the contact to a survey.
pub fn close(conn: &mut Conn, config: &Config, agent: &Agent, id: TicketId, seen: Seen, now: DateTime<Utc>) -> Result<Whole> {
    let loaded = load(conn, id, seen)?;
    finish(conn, config, loaded, (agent.id(), Actor::Agent(agent.id())), now)
}

/// Closes a ticket that is loaded: whose work it was, and who closes it.
pub(super) fn finish(
    conn: &mut Conn,
    config: &Config,
    (mut ticket, mut clocks): (Ticket, Clocks),
    (worked, actor): (AgentId, Actor),
    now: DateTime<Utc>,
) -> Result<Whole> {
    ticket.apply(Action::Close, now)?;
    fields::values::check_closable(conn, config, &ticket.fields)?;
    clocks.reach(conn, Metric::Resolution, worked, now)?;
    let data = match actor {
        Actor::Agent(_) => json!({ "close_number": ticket.close_count }),
        Actor::Machine(_) | Actor::Contact(_) | Actor::Desk => json!({ "close_number": ticket.close_count, "agent_id": worked }),
    };
    timeline::record(conn, ticket.id, Kind::TicketClosed, actor, now, data)?;
    let agents = store::repliers(conn, ticket.id)?;
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
