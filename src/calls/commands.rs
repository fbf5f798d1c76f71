//! The verbs of calls: take a report in, move a call to another ticket, call back. Each is one transaction.
use super::model::{Call, CallEvent, fold};
use super::number;
use super::store::{self, CallEventRow, CallRow};
use crate::accounts::caller::{Agent, Caller};
use crate::accounts::{contacts, teams};
use crate::calendar;
use crate::config::Config;
use crate::db::Conn;
use crate::db::types::{Named, Time};
use crate::error::{Error, Result};
use crate::ids::{AgentId, CallId, TicketId};
use crate::seen::Seen;
use crate::sla::corrections::Known;
use crate::tickets::commands::Whole;
use crate::tickets::commands_calls::{self as verbs, Callback, CalledBack, Change, Opened, Ring};
use crate::tickets::model::{Direction, Ticket};
use crate::tickets::queries;
use crate::timeline::{self, Kind};
use chrono::{DateTime, SubsecRound, Utc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// What a phone system reports.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the words of the domain")]
pub struct Report {
    pub call_id: String,
    pub kind: CallEvent,
    pub direction: Direction,
    pub occurred_at: DateTime<Utc>,
    pub from: Option<String>,
    pub to: Option<String>,
    pub agent: Option<String>,
    pub queue: Option<String>,
    pub recording_url: Option<String>,
    pub transcript: Option<String>,
    /// What makes it the same report, where its time is ours and not the phone system's.
    pub same_as: Option<String>,
}

impl Report {
    /// The content as one digest: the same report is the same bytes, on every node and however often it comes.
    fn digest(&self) -> Vec<u8> {
        let mut hash = Sha256::new();
        let at = self.occurred_at.timestamp_micros().to_string();
        let texts = [&self.from, &self.to, &self.agent, &self.queue, &self.recording_url, &self.transcript];
        let fixed = [self.kind.as_str(), self.direction.as_str(), self.same_as.as_deref().unwrap_or(&at)];
        let parts = fixed.into_iter().chain(texts.into_iter().map(|text| text.as_deref().unwrap_or("\u{0}")));
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().to_vec()
    }
}

/// The first text that any event gives, by their own time: the same in every order of delivery.
fn first(events: &[CallEventRow], text: fn(&CallEventRow) -> Option<&String>) -> Option<&str> {
    events.iter().find_map(text).map(String::as_str)
}

/// A phone system tells what happened. The event is kept as it is; the call is folded anew; its ticket follows. An event that
/// is known changes nothing. Six queries for one that only adds to the call, about twice that for one that moves a ticket.
pub fn take_in(conn: &mut Conn, config: &Config, caller: &Caller, report: Report, now: DateTime<Utc>) -> Result<CallRow> {
    let report = Report { occurred_at: report.occurred_at.trunc_subsecs(6), ..report };
    let home = config.calls.home_country.as_str();
    let mut row = store::find_or_make(conn, CallRow::new(&report.call_id, report.direction, now))?;
    let agent_id = match &report.agent {
        Some(text) => store::find_agent(conn, text, number::normal(text, home).as_deref())?,
        None => None,
    };
    let event = CallEventRow {
        call_id: row.id,
        digest: report.digest(),
        kind: Named(report.kind),
        direction: Named(report.direction),
        occurred_at: Time(report.occurred_at),
        received_at: Time(now),
        token_id: Some(caller.token_id),
        from_text: report.from,
        to_text: report.to,
        agent_text: report.agent,
        agent_id,
        queue: report.queue,
        recording_url: report.recording_url,
        transcript: report.transcript,
    };
    if !store::insert_event(conn, &event)? {
        return Ok(row);
    }
    let events = store::events(conn, row.id)?;
    let call = refold(conn, home, &mut row, &events, now)?;
    match row.direction.0 {
        Direction::Inbound => came_in(conn, caller, &mut row, (&call, &event), now)?,
        Direction::Outbound => went_out(conn, &mut row, (&call, &event), now)?,
    }
    store::save(conn, &row)?;
    Ok(row)
}

/// Folds the events and writes what they say on the row.
fn refold(conn: &mut Conn, home: &str, row: &mut CallRow, events: &[CallEventRow], now: DateTime<Utc>) -> Result<Call> {
    // One outbound report makes it an outbound call, whatever the order.
    if events.iter().any(|event| event.direction.0 == Direction::Outbound) {
        row.direction = Named(Direction::Outbound);
    }
    let normal = |text: Option<&str>| text.and_then(|text| number::normal(text, home));
    row.from_number = normal(first(events, |event| event.from_text.as_ref()));
    row.to_number = normal(first(events, |event| event.to_text.as_ref()));
    let queue = first(events, |event| event.queue.as_ref()).map(str::to_owned);
    if row.queue != queue || row.team_id.is_none() {
        row.team_id = match &queue {
            Some(queue) => store::find_team(conn, queue)?,
            None => None,
        };
        row.queue = queue;
    }
    let named = match row.team_id {
        Some(team) => teams::calendar_of(conn, team)?.flatten(),
        None => None,
    };
    let calendar = calendar::in_force(conn, named)?;
    let reported: Vec<_> = events.iter().map(CallEventRow::reported).collect();
    let is_open = |at| calendar.as_ref().is_some_and(|calendar| calendar.hours.is_open(at));
    let call = fold(&reported, is_open);
    row.set(&call, now);
    row.is_promised = call.rang_at.map(is_open);
    Ok(call)
}

/// What history keeps of a report.
fn told(row: &CallRow, event: &CallEventRow) -> Value {
    json!({
        "call_id": row.id, "event": event.kind.0, "occurred_at": event.occurred_at.0, "received_at": event.received_at.0,
        "agent_id": event.agent_id, "outcome": row.outcome.map(|outcome| outcome.0),
    })
}

/// A contact calls: opens a ticket where something is known of it, and lets its promises follow.
fn came_in(
    conn: &mut Conn,
    caller: &Caller,
    row: &mut CallRow,
    (call, event): (&Call, &CallEventRow),
    now: DateTime<Utc>,
) -> Result<()> {
    let is_real = call.rang_at.is_some() || call.answered_at.is_some() || call.voicemail_at.is_some();
    if row.ticket_id.is_none() && is_real {
        let at = call.rang_here_at().or(call.began_at).unwrap_or(now).min(now);
        let ring = Ring { number: row.from_number.clone(), team_id: row.team_id, at };
        let Opened { ticket_id, contact_id, pickup } = verbs::open_for(conn, caller, ring, now)?;
        (row.ticket_id, row.rang_ticket_id, row.contact_id) = (Some(ticket_id), Some(ticket_id), Some(contact_id));
        row.pickup_clock_id = pickup;
    }
    let (Some(ticket), Some(rang_ticket)) = (row.ticket_id, row.rang_ticket_id) else { return Ok(()) };
    let because = told(row, event);
    timeline::record(conn, ticket, Kind::CallReported, caller.actor(), event.occurred_at.0.min(now), because.clone())?;
    let known = Known {
        started_at: call.rang_here_at().map(|at| at.min(now)),
        reached: call.answered_here_at().map(|at| at.min(now)).zip(call.answered_by),
        given_up_at: call.gave_up_here_at().map(|at| at.min(now)),
        withdrawn: None,
    };
    let callback = match (call.missed_here_at(), row.callback_clock_id) {
        (Some(at), clock) => Callback::Owed(at.min(now), clock),
        (None, Some(clock)) => Callback::Withdrawn(clock),
        (None, None) => Callback::None,
    };
    let change = Change {
        actor: caller.actor(),
        pickup: row.pickup_clock_id.map(|clock| (clock, known)),
        callback,
        said: said(event).map(|text| (text, event.occurred_at.0.min(now))),
        because: because.clone(),
    };
    let started = if ticket == rang_ticket {
        verbs::follow(conn, ticket, change, now)?
    } else {
        // The call was moved: the promise to pick up stays with the ticket that rang.
        let rest = Change { pickup: None, ..change };
        let rang = Change { actor: caller.actor(), pickup: change.pickup, callback: Callback::None, said: None, because };
        verbs::follow(conn, rang_ticket, rang, now)?;
        verbs::follow(conn, ticket, rest, now)?
    };
    row.callback_clock_id = row.callback_clock_id.or(started);
    Ok(())
}

/// What the ticket shows of a message that was left.
fn said(event: &CallEventRow) -> Option<String> {
    if event.kind.0 != CallEvent::Voicemail {
        return None;
    }
    match (&event.transcript, &event.recording_url) {
        (Some(text), Some(url)) => Some(format!("Voicemail: {text}\n\nRecording: {url}")),
        (Some(text), None) => Some(format!("Voicemail: {text}")),
        (None, Some(url)) => Some(format!("Voicemail. Recording: {url}")),
        (None, None) => None,
    }
}

/// An agent calls a contact: where a callback is owed and the contact answers, it is made.
fn went_out(conn: &mut Conn, row: &mut CallRow, (call, event): (&Call, &CallEventRow), now: DateTime<Utc>) -> Result<()> {
    if row.contact_id.is_none()
        && let Some(number) = &row.to_number
    {
        row.contact_id = contacts::find_by_phone(conn, number)?.map(|person| person.id);
    }
    if let (Some(contact), None) = (row.contact_id, row.ticket_id) {
        row.ticket_id = store::owed_to(conn, contact)?;
    }
    let Some(ticket) = row.ticket_id else { return Ok(()) };
    let because = told(row, event);
    timeline::record(conn, ticket, Kind::CallReported, timeline::Actor::Desk, event.occurred_at.0.min(now), because)?;
    let Some((at, by)) = call.answered_at.zip(call.answered_by) else { return Ok(()) };
    let is_new = event.kind.0 == CallEvent::Answered && event.agent_id == Some(by);
    if is_new && queries::find(conn, ticket)?.closed_at.is_none() {
        let data = json!({ "call_id": row.id, "reached": true, "by_phone_system": true });
        verbs::called_back(conn, ticket, Seen(None), CalledBack { by, at, is_response: true, data }, now)?;
    }
    Ok(())
}

/// An agent puts a call to another ticket of the same contact, where it belongs.
pub fn move_to(conn: &mut Conn, agent: &Agent, id: CallId, to: TicketId, now: DateTime<Utc>) -> Result<CallRow> {
    let mut row = store::load(conn, id)?;
    let target = match queries::find(conn, to) {
        Err(Error::NotFound(_)) => return Err(Error::field("ticket_id", "unknown_ticket", "is no ticket")),
        other => other?,
    };
    if row.contact_id.is_some_and(|contact| contact != target.contact_id) {
        return Err(Error::conflict("other_contact", "the ticket belongs to another contact than the call"));
    }
    if row.ticket_id == Some(to) {
        return Ok(row);
    }
    verbs::note_move(conn, agent, row.ticket_id, to, json!(row.id), now)?;
    (row.ticket_id, row.contact_id, row.updated_at) = (Some(to), Some(target.contact_id), Time(now));
    store::save(conn, &row)?;
    Ok(row)
}

names! {
    /// How trying to call back went.
    pub enum CallbackResult {
        /// They talked.
        Reached = "reached",
        /// A message was left for the contact.
        LeftMessage = "left_message",
        /// Nobody answered.
        NoAnswer = "no_answer",
    }
}

/// An agent says that they called back; only what reached the contact stops the clock.
pub fn call_back(
    conn: &mut Conn,
    agent: &Agent,
    (id, seen): (TicketId, Seen),
    result: CallbackResult,
    note: Option<String>,
    now: DateTime<Utc>,
) -> Result<Whole> {
    let by: AgentId = agent.id();
    let is_response = result != CallbackResult::NoAnswer;
    let data = json!({ "result": result, "note": note });
    verbs::called_back(conn, id, seen, CalledBack { by, at: now, is_response, data }, now)
}

/// One thing that happened to a call of the past: what, when, and by whom.
pub type Happened = (CallEvent, DateTime<Utc>, Option<AgentId>);

/// Writes down the call that a ticket of the past came by; its promises are the ticket's own. For sample data.
pub fn remember(
    conn: &mut Conn,
    ticket: &Ticket,
    number: Option<&str>,
    happened: &[Happened],
    is_open: impl Fn(DateTime<Utc>) -> bool,
) -> Result<()> {
    let now = happened.iter().map(|(_, at, _)| *at).max().unwrap_or(ticket.received_at);
    let mut row = CallRow::new(&format!("call-{}", ticket.number), Direction::Inbound, ticket.received_at);
    (row.ticket_id, row.rang_ticket_id, row.contact_id) = (Some(ticket.id), Some(ticket.id), Some(ticket.contact_id));
    (row.from_number, row.team_id) = (number.map(str::to_owned), ticket.team_id);
    let events: Vec<CallEventRow> = happened
        .iter()
        .enumerate()
        .map(|(place, (kind, at, agent_id))| CallEventRow {
            call_id: row.id,
            digest: vec![u8::try_from(place).unwrap_or(u8::MAX)],
            kind: Named(*kind),
            direction: Named(Direction::Inbound),
            occurred_at: Time(*at),
            received_at: Time(*at),
            token_id: None,
            from_text: row.from_number.clone(),
            to_text: None,
            agent_text: None,
            agent_id: *agent_id,
            queue: None,
            recording_url: None,
            transcript: None,
        })
        .collect();
    let reported: Vec<_> = events.iter().map(CallEventRow::reported).collect();
    let call = fold(&reported, &is_open);
    row.set(&call, now);
    row.is_promised = call.rang_at.map(is_open);
    store::insert_past(conn, &row, &events)
}
