//! Calls and their events: load and save one call.
use super::model::{Call, CallEvent, CallOutcome, CallState, Doubt, Reported};
use crate::db::ext::OnConflictExt;
use crate::db::schema::{agent_phones, agents, call_events, calls, teams};
use crate::db::{
    Conn,
    types::{Named, Time},
};
use crate::each;
use crate::error::{Error, Result};
use crate::ids::{AgentId, CallId, ClockId, ContactId, TeamId, TicketId, TokenId};
use crate::tickets::model::Direction;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// A call as stored: a cache of the fold over its events, and what it made.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Debug, Clone, PartialEq)]
#[diesel(table_name = calls, treat_none_as_null = true, treat_none_as_default_value = false)]
#[expect(missing_docs, reason = "columns")]
pub struct CallRow {
    pub id: CallId,
    pub external_id: String,
    pub direction: Named<Direction>,
    pub state: Named<CallState>,
    pub outcome: Option<Named<CallOutcome>>,
    pub is_promised: Option<bool>,
    pub from_number: Option<String>,
    pub to_number: Option<String>,
    pub queue: Option<String>,
    pub team_id: Option<TeamId>,
    pub agent_id: Option<AgentId>,
    pub contact_id: Option<ContactId>,
    pub ticket_id: Option<TicketId>,
    pub rang_ticket_id: Option<TicketId>,
    pub pickup_clock_id: Option<ClockId>,
    pub callback_clock_id: Option<ClockId>,
    pub at: Time,
    pub rang_at: Option<Time>,
    pub answered_at: Option<Time>,
    pub voicemail_at: Option<Time>,
    pub ended_at: Option<Time>,
    pub wait_seconds: Option<i64>,
    pub talk_seconds: Option<i64>,
    pub recording_url: Option<String>,
    pub transcript: Option<String>,
    pub doubts: String,
    pub created_at: Time,
    pub updated_at: Time,
}

impl CallRow {
    /// A call of which only the name is known.
    pub fn new(external_id: &str, direction: Direction, now: DateTime<Utc>) -> Self {
        Self {
            id: CallId::new(),
            external_id: external_id.to_owned(),
            direction: Named(direction),
            state: Named(CallState::Unknown),
            outcome: None,
            is_promised: None,
            from_number: None,
            to_number: None,
            queue: None,
            team_id: None,
            agent_id: None,
            contact_id: None,
            ticket_id: None,
            rang_ticket_id: None,
            pickup_clock_id: None,
            callback_clock_id: None,
            at: Time(now),
            rang_at: None,
            answered_at: None,
            voicemail_at: None,
            ended_at: None,
            wait_seconds: None,
            talk_seconds: None,
            recording_url: None,
            transcript: None,
            doubts: String::new(),
            created_at: Time(now),
            updated_at: Time(now),
        }
    }

    /// Takes over what the fold says.
    pub fn set(&mut self, call: &Call, now: DateTime<Utc>) {
        let at = |instant: Option<DateTime<Utc>>| instant.map(Time);
        let Call {
            state,
            outcome,
            began_at,
            rang_at,
            answered_at,
            answered_by: _,
            agent_id,
            voicemail_at,
            ended_at,
            wait_seconds,
            talk_seconds,
            recording_url,
            transcript,
            doubts,
            ahead: _,
        } = call.clone();
        (self.state, self.outcome, self.agent_id) = (Named(state), outcome.map(Named), agent_id);
        self.at = began_at.map_or(self.at, Time);
        (self.rang_at, self.answered_at) = (at(rang_at), at(answered_at));
        (self.voicemail_at, self.ended_at) = (at(voicemail_at), at(ended_at));
        (self.wait_seconds, self.talk_seconds) = (wait_seconds, talk_seconds);
        (self.recording_url, self.transcript) = (recording_url, transcript);
        self.doubts = doubts.iter().map(|doubt| doubt.as_str()).collect::<Vec<_>>().join(" ");
        self.updated_at = Time(now);
    }

    /// What about the reports cannot be, or is not known.
    pub fn doubts(&self) -> Vec<Doubt> {
        self.doubts.split(' ').filter_map(|doubt| doubt.parse().ok()).collect()
    }
}

/// An event as received; never changed.
#[derive(Queryable, Selectable, Insertable, Debug, Clone, PartialEq)]
#[diesel(table_name = call_events, treat_none_as_default_value = false)]
pub struct CallEventRow {
    pub call_id: CallId,
    pub digest: Vec<u8>,
    pub kind: Named<CallEvent>,
    pub direction: Named<Direction>,
    pub occurred_at: Time,
    pub received_at: Time,
    pub token_id: Option<TokenId>,
    pub from_text: Option<String>,
    pub to_text: Option<String>,
    pub agent_text: Option<String>,
    pub agent_id: Option<AgentId>,
    pub queue: Option<String>,
    pub recording_url: Option<String>,
    pub transcript: Option<String>,
}

impl CallEventRow {
    /// What the fold looks at.
    pub fn reported(&self) -> Reported {
        Reported {
            kind: self.kind.0,
            at: self.occurred_at.0,
            received_at: self.received_at.0,
            agent_id: self.agent_id,
            is_stranger: self.agent_id.is_none() && self.agent_text.is_some(),
            recording_url: self.recording_url.clone(),
            transcript: self.transcript.clone(),
            digest: self.digest.clone(),
        }
    }
}

/// The call of that name, made where it is new, and locked until the commit. Two queries.
pub fn find_or_make(conn: &mut Conn, new: CallRow) -> Result<CallRow> {
    let name = new.external_id.clone();
    each!(conn, conn => diesel::insert_into(calls::table).values(&new).or_ignore().execute(conn))?;
    let of_name = calls::table.filter(calls::external_id.eq(name));
    Ok(match conn {
        Conn::Pg(conn) => of_name.select(CallRow::as_select()).for_update().first(conn)?,
        Conn::Sqlite(conn) => of_name.select(CallRow::as_select()).first(conn)?,
    })
}

/// One call, locked until the commit. One query.
pub fn load(conn: &mut Conn, id: CallId) -> Result<CallRow> {
    let found = match conn {
        Conn::Pg(conn) => calls::table.find(id).select(CallRow::as_select()).for_update().first(conn).optional()?,
        Conn::Sqlite(conn) => calls::table.find(id).select(CallRow::as_select()).first(conn).optional()?,
    };
    found.ok_or(Error::NotFound("call"))
}

/// Saves a changed call.
pub fn save(conn: &mut Conn, row: &CallRow) -> Result<()> {
    each!(conn, conn => diesel::update(calls::table.find(row.id)).set(row).execute(conn))?;
    Ok(())
}

/// Writes an event; false where the same one was written before. One insert.
pub fn insert_event(conn: &mut Conn, row: &CallEventRow) -> Result<bool> {
    let written = each!(conn, conn => diesel::insert_into(call_events::table).values(row).or_ignore().execute(conn))?;
    Ok(written > 0)
}

/// The events of a call by their own time. One query.
pub fn events(conn: &mut Conn, call: CallId) -> Result<Vec<CallEventRow>> {
    let of_call = call_events::table.filter(call_events::call_id.eq(call)).order((call_events::occurred_at, call_events::digest));
    Ok(each!(conn, conn => of_call.select(CallEventRow::as_select()).load(conn))?)
}

/// The agent whom a phone system means by an id or an address; by a number where it is normal. One query.
pub fn find_agent(conn: &mut Conn, text: &str, number: Option<&str>) -> Result<Option<AgentId>> {
    if let Ok(id) = text.parse::<AgentId>() {
        return Ok(agents::table.find(id).select(agents::id).first(conn).optional()?);
    }
    if let Some(number) = number {
        return Ok(agent_phones::table
            .filter(agent_phones::number.eq(number))
            .select(agent_phones::agent_id)
            .first(conn)
            .optional()?);
    }
    let address = text.trim().to_lowercase();
    Ok(agents::table.filter(agents::email.eq(address)).select(agents::id).first(conn).optional()?)
}

/// The team that a queue is called by: its id, or its name as it is written. One query.
pub fn find_team(conn: &mut Conn, queue: &str) -> Result<Option<TeamId>> {
    if let Ok(id) = queue.parse::<TeamId>() {
        return Ok(teams::table.find(id).select(teams::id).first(conn).optional()?);
    }
    Ok(teams::table.filter(teams::name.eq(queue)).select(teams::id).first(conn).optional()?)
}

/// The latest missed call of a contact whose callback is counted: its ticket. One query.
pub fn owed_to(conn: &mut Conn, contact: ContactId) -> Result<Option<TicketId>> {
    let ticket: Option<Option<TicketId>> = calls::table
        .filter(calls::contact_id.eq(contact).and(calls::callback_clock_id.is_not_null()))
        .order(calls::at.desc())
        .select(calls::ticket_id)
        .first(conn)
        .optional()?;
    Ok(ticket.flatten())
}

/// Writes a call of the past with its events. Two inserts.
pub fn insert_past(conn: &mut Conn, row: &CallRow, events: &[CallEventRow]) -> Result<()> {
    each!(conn, conn => diesel::insert_into(calls::table).values(row).execute(conn))?;
    each!(conn, conn => diesel::insert_into(call_events::table).values(events).execute(conn))?;
    Ok(())
}
