//! The verbs of calls on tickets: one opens for a ring, and follows what the phone system tells, however late.
use super::commands::{Whole, load, reopened, save, whose};
use super::commands_intake::{NewTicket, Sender, create};
use super::model::{Action, Channel, Direction, Priority, Status};
use super::store::{self, MessageKind, MessageRow};
use super::store_calls;
use crate::accounts::caller::{Agent, Caller};
use crate::accounts::contacts::{self, NewContact};
use crate::db::Conn;
use crate::db::types::{Named, Time};
use crate::error::Result;
use crate::ids::{AgentId, ClockId, ContactId, MessageId, TeamId, TicketId};
use crate::seen::Seen;
use crate::sla::clock::Metric;
use crate::sla::corrections::Known;
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// What a caller is called whose number is withheld.
const UNKNOWN_CALLER: &str = "Unknown caller";

/// A call that needs a ticket.
pub struct Ring {
    /// The caller's normal number; none where it is withheld.
    pub number: Option<String>,
    /// Whose queue it rang in.
    pub team_id: Option<TeamId>,
    /// When it rang, or the first instant that is known of it.
    pub at: DateTime<Utc>,
}

/// What was opened for a ring.
pub struct Opened {
    /// The ticket.
    pub ticket_id: TicketId,
    /// Who called.
    pub contact_id: ContactId,
    /// The promise to pick up, where there is one.
    pub pickup: Option<ClockId>,
}

/// Opens the ticket of a call; its pickup clock runs from the ring.
pub fn open_for(conn: &mut Conn, caller: &Caller, ring: Ring, now: DateTime<Utc>) -> Result<Opened> {
    let Ring { number, team_id, at } = ring;
    let (from, subject) = match number {
        Some(number) => (Sender::Phone(number.clone(), None), format!("Call from {number}")),
        None => {
            let stranger = NewContact {
                organization_id: None,
                name: UNKNOWN_CALLER.to_owned(),
                time_zone: None,
                language: "en".to_owned(),
                emails: Vec::new(),
                phones: Vec::new(),
            };
            (Sender::Contact(contacts::insert(conn, stranger, now)?.row.id), "Call from a withheld number".to_owned())
        }
    };
    let new = NewTicket {
        channel: Channel::Phone,
        direction: Direction::Inbound,
        subject,
        priority: Priority::Normal,
        from,
        organization_id: None,
        team_id,
        assignee_id: None,
        tags: Vec::new(),
        received_at: Some(at),
        message: None,
        follows_id: None,
    };
    let Whole { ticket, clocks, .. } = create(conn, caller, new, now)?;
    let pickup = clocks.rows().iter().find(|row| row.metric.0 == Metric::Pickup).map(|row| row.id);
    Ok(Opened { ticket_id: ticket.id, contact_id: ticket.contact_id, pickup })
}

/// What a call means for the callback that is owed.
#[derive(Debug, Clone, Copy)]
pub enum Callback {
    /// Nothing.
    None,
    /// It is owed since this instant; the clock that counts, where it runs already.
    Owed(DateTime<Utc>, Option<ClockId>),
    /// It is owed no more: the call was answered after all.
    Withdrawn(ClockId),
}

/// What a report changes on a ticket.
pub struct Change {
    /// Who reported.
    pub actor: Actor,
    /// What is known of the promise to pick up.
    pub pickup: Option<(ClockId, Known)>,
    /// The callback.
    pub callback: Callback,
    /// What the caller said, and when.
    pub said: Option<(String, DateTime<Utc>)>,
    /// The call and event that it is about.
    pub because: Value,
}

/// A phone system told something new: brings promises, receipt and pickup of a ticket to what is known now. Gives the clock
/// of the callback, where one was started.
pub fn follow(conn: &mut Conn, id: TicketId, change: Change, now: DateTime<Utc>) -> Result<Option<ClockId>> {
    let Change { actor, pickup, callback, said, because } = change;
    let (mut ticket, mut clocks) = load(conn, id, Seen(None))?;
    let (mut is_changed, mut started) = (false, None);
    if let Some((clock, known)) = pickup {
        clocks.correct(conn, clock, &known, &because, now)?;
        if let Some(at) = known.started_at.filter(|at| *at != ticket.received_at) {
            ticket.received_at = at;
            store_calls::set_receipt(conn, id, at)?;
        }
    }
    if let Some((at, by)) = pickup.and_then(|(_, known)| known.reached)
        && ticket.picked_up_at != Some(at)
    {
        if ticket.picked_up_at.is_none() {
            let data = json!({ "assignee_id": ticket.assignee_id.unwrap_or(by), "call_id": because.get("call_id") });
            timeline::record(conn, id, Kind::PickedUp, Actor::Agent(by), at, data)?;
        }
        // A closed ticket was picked up as well, however late that is told.
        ticket.picked_up_at = Some(at);
        (ticket.updated_at, is_changed) = (now, true);
        if ticket.assignee_id.is_none() && ticket.status != Status::Closed {
            ticket.assignee_id = Some(by);
            clocks.attribute(&whose(&ticket), now);
        }
    }
    if let Some((text, at)) = said {
        let was = ticket.status;
        ticket.apply(Action::ContactWrites, now)?;
        is_changed = true;
        clocks.resume(conn, actor, now)?;
        if was == Status::Closed {
            reopened(conn, &ticket, &mut clocks, Actor::Contact(ticket.contact_id), at, now)?;
        }
        store::insert_message(conn, &spoken(id, ticket.contact_id, text, at))?;
    }
    match callback {
        Callback::None => {}
        Callback::Owed(at, Some(clock)) => {
            let reached = None;
            clocks.correct(conn, clock, &Known { started_at: Some(at), reached, ..Known::default() }, &because, now)?;
        }
        // Who closed the ticket has dealt with the call.
        Callback::Owed(at, None) if ticket.status != Status::Closed && !clocks.waits(Metric::FirstResponse) => {
            clocks.start(conn, &whose(&ticket), Metric::FirstResponse, at, true, now)?;
            started = clocks.rows().last().filter(|row| row.metric.0 == Metric::FirstResponse).map(|row| row.id);
        }
        Callback::Owed(_, None) => {}
        Callback::Withdrawn(clock) => {
            clocks.correct(conn, clock, &Known { withdrawn: Some("answered"), ..Known::default() }, &because, now)?;
        }
    }
    clocks.ring(now);
    if is_changed {
        save(conn, ticket, clocks)?;
    } else {
        clocks.save(conn)?;
        store::save_promises(conn, id, &clocks.summary())?;
    }
    Ok(started)
}

fn spoken(ticket_id: TicketId, contact_id: ContactId, body: String, at: DateTime<Utc>) -> MessageRow {
    MessageRow {
        id: MessageId::new(),
        ticket_id,
        kind: Named(MessageKind::Automatic),
        agent_id: None,
        contact_id: Some(contact_id),
        body,
        mail_message_id: None,
        at: Time(at),
    }
}

/// A contact was called back: by a phone system's word, or by an agent's.
pub struct CalledBack {
    /// Who called.
    pub by: AgentId,
    /// When.
    pub at: DateTime<Utc>,
    /// Whether the contact was reached, or found a message: only that is a response.
    pub is_response: bool,
    /// What belongs to it.
    pub data: Value,
}

/// Writes a callback down; one that reached the contact stops the clock of the callback.
pub fn called_back(conn: &mut Conn, id: TicketId, seen: Seen, made: CalledBack, now: DateTime<Utc>) -> Result<Whole> {
    let CalledBack { by, at, is_response, data } = made;
    let (mut ticket, mut clocks) = load(conn, id, seen)?;
    ticket.apply(Action::Work, now)?;
    if is_response {
        // Never before it was owed, never in the future.
        clocks.reach(conn, Metric::FirstResponse, by, at.min(now))?;
        clocks.reach(conn, Metric::NextResponse, by, at.min(now))?;
    }
    if ticket.assignee_id.is_none() {
        ticket.assignee_id = Some(by);
        clocks.attribute(&whose(&ticket), now);
    }
    timeline::record(conn, id, Kind::CalledBack, Actor::Agent(by), at.min(now), data)?;
    save(conn, ticket, clocks)
}

/// An agent moves a call between two tickets of the desk: both histories say so. Promises stay where they were made.
pub fn note_move(
    conn: &mut Conn,
    agent: &Agent,
    from: Option<TicketId>,
    to: TicketId,
    call: Value,
    now: DateTime<Utc>,
) -> Result<()> {
    let data = json!({ "call_id": call, "before": from, "after": to });
    for id in from.into_iter().chain([to]) {
        timeline::record(conn, id, Kind::CallMoved, Actor::Agent(agent.id()), now, data.clone())?;
    }
    Ok(())
}
