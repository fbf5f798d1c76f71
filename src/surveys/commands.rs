//! The verbs of invitations: invite, cancel, check again and send, release. Each is one transaction.
use super::model::{self, Facts, Outcome, SurveyKind, Window};
use super::store::{self, InvitationRow};
use super::{followups, reminders, suppressions};
use crate::accounts::contacts::Person;
use crate::accounts::{agents, contacts};
use crate::calendar;
use crate::config::{self, Config};
use crate::db::{
    Conn,
    types::{Json, Named, Time},
};
use crate::error::{Error, Result};
use crate::ids::{AgentId, InvitationId, Secret, TicketId};
use crate::jobs::{JobKind, queue};
use crate::mail::outbox;
use crate::tickets::model::{Status, Ticket};
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::json;
use uuid::Uuid;

pub use super::commands_answer::{answer, unsubscribe};
pub use super::commands_review::{claim, decide, give_back, review};

/// A ticket was closed: writes its one invitation with the snapshot, and the job that will check and send it.
pub fn invite(conn: &mut Conn, config: &Config, ticket: &Ticket, repliers: &[AgentId], now: DateTime<Utc>) -> Result<()> {
    let survey = &config.survey;
    let outcome = if survey.enabled { Outcome::Waiting } else { Outcome::SkippedDisabled };
    let mut due_at = now + TimeDelta::seconds(i64::from(survey.delay_seconds));
    if survey.window_enabled {
        let person = contacts::find_person(conn, ticket.contact_id)?.ok_or(Error::NotFound("contact"))?;
        due_at = into_window(conn, config, &person, due_at)?;
    }
    let row = InvitationRow {
        id: InvitationId::new(),
        ticket_id: ticket.id,
        close_number: ticket.close_count,
        contact_id: ticket.contact_id,
        closed_at: Time(now),
        due_at: Time(due_at),
        outcome: Named(outcome),
        outcome_at: Time(now),
        token_hash: None,
        unsubscribe_hash: None,
        sent_at: None,
        expires_at: None,
        is_answered: false,
        channel: Named(ticket.channel),
        priority: Named(ticket.priority),
        team_id: ticket.team_id,
        assignee_id: ticket.assignee_id,
        organization_id: ticket.organization_id,
        agent_ids: Json::of(&repliers)?,
        kind: Named(SurveyKind::Transactional),
    };
    store::insert_invitation(conn, &row)?;
    if outcome == Outcome::Waiting {
        queue::enqueue(conn, JobKind::SendSurvey, row.id.0, due_at, now)?;
    }
    Ok(())
}

/// The first instant from `at` on at which the contact may be written to; `at` itself, and no query, without a window.
pub(super) fn into_window(conn: &mut Conn, config: &Config, person: &Person, at: DateTime<Utc>) -> Result<DateTime<Utc>> {
    if !config.survey.window_enabled {
        return Ok(at);
    }
    let window = window(config)?;
    let zone = match person.time_zone.as_deref().and_then(|zone| zone.parse().ok()) {
        Some(zone) => zone,
        None => desk_zone(conn)?,
    };
    Ok(model::send_at(at, Some(&window), zone))
}

fn window(config: &Config) -> Result<Window> {
    let bad = |error: config::BadSetting| Error::internal(error.to_string());
    Ok(Window {
        weekdays: config.survey.window_weekdays.clone(),
        from: config::time_of_day("survey.window_from", &config.survey.window_from).map_err(bad)?,
        to: config::time_of_day("survey.window_to", &config.survey.window_to).map_err(bad)?,
    })
}

fn desk_zone(conn: &mut Conn) -> Result<Tz> {
    let calendar = calendar::default_calendar(conn)?;
    Ok(calendar.and_then(|calendar| calendar.definition.time_zone.parse().ok()).unwrap_or(chrono_tz::UTC))
}

/// Moves an invitation on and records it; false where it stood elsewhere.
fn end(conn: &mut Conn, row: &InvitationRow, from: Outcome, to: Outcome, now: DateTime<Utc>) -> Result<bool> {
    let moved = store::set_outcome(conn, row.id, from, to, now)?;
    if moved {
        let data = json!({ "close_number": row.close_number, "outcome": to });
        timeline::record(conn, row.ticket_id, Kind::SurveyOutcome, Actor::Desk, now, data)?;
    }
    Ok(moved)
}

/// The ticket is open again: an invitation that still waits is not sent.
pub fn cancel(conn: &mut Conn, ticket: TicketId, close_number: i32, now: DateTime<Utc>) -> Result<()> {
    if let Some((id, Outcome::Waiting)) = store::find_of_close(conn, ticket, close_number)?
        && let Some(row) = store::find_invitation(conn, id)?
    {
        // Where another node is sending it at this moment, its job must end it.
        if end(conn, &row, Outcome::Waiting, Outcome::CancelledReopened, now)? {
            queue::cancel(conn, id.0)?;
            outbox::survey_cancelled(conn, id.0)?;
        }
    }
    Ok(())
}

/// A letter that may go out now: everything it needs, and tokens that exist nowhere else.
pub struct Ready {
    /// Which invitation.
    pub id: InvitationId,
    /// Whether it reminds of it.
    pub is_reminder: bool,
    /// About which ticket.
    pub ticket_id: TicketId,
    /// Its number.
    pub ticket_number: i64,
    /// Its subject.
    pub ticket_subject: String,
    /// The recipient.
    pub email: String,
    /// How to greet them.
    pub contact_name: String,
    /// Opens the page.
    pub token: Secret,
    /// Stops surveys.
    pub unsubscribe: Secret,
    /// Until when it can be answered.
    pub expires_at: DateTime<Utc>,
}

/// What came of looking at a letter right before it is sent.
pub enum Prepared {
    /// It is marked as being sent: hand it over.
    Ready(Box<Ready>),
    /// The contact may not be written to before then.
    NotBefore(DateTime<Utc>),
    /// It is not sent.
    Ended,
}

/// An invitation with all that decides about its letters.
pub(super) struct Looked {
    pub(super) facts: Facts,
    pub(super) ticket: Ticket,
    pub(super) email: Option<String>,
    pub(super) person: Person,
}

impl Looked {
    /// The letter with its secrets.
    pub(super) fn ready(self, row: &InvitationRow, is_reminder: bool, expires_at: DateTime<Utc>) -> Result<Ready> {
        Ok(Ready {
            id: row.id,
            is_reminder,
            ticket_id: row.ticket_id,
            ticket_number: self.ticket.number,
            ticket_subject: self.ticket.subject,
            email: self.email.unwrap_or_default(),
            contact_name: self.person.name,
            token: Secret::new()?,
            unsubscribe: Secret::new()?,
            expires_at,
        })
    }
}

/// Checks everything again, whatever was true at the close. About ten queries.
pub(super) fn look_again(conn: &mut Conn, config: &Config, row: &InvitationRow, now: DateTime<Utc>) -> Result<Looked> {
    // Two letters of one contact are looked at one after the other, also on two nodes.
    contacts::lock(conn, row.contact_id)?;
    let ticket = crate::tickets::queries::find(conn, row.ticket_id)?;
    let email = contacts::primary_email(conn, row.contact_id)?;
    let person = contacts::find_person(conn, row.contact_id)?.ok_or(Error::NotFound("contact"))?;
    let survey = &config.survey;
    let since = now - TimeDelta::days(i64::from(survey.throttle_days));
    let (is_staff, is_bounced) = match &email {
        Some(address) => (agents::find_by_email(conn, address)?.is_some(), suppressions::is_suppressed(conn, address)?),
        None => (false, false),
    };
    let facts = Facts {
        is_enabled: survey.enabled,
        is_that_close: ticket.status == Status::Closed && ticket.close_count == row.close_number,
        is_merged: false,
        is_spam: store::is_spam(conn, row.ticket_id)?,
        is_followup: followups::is_followup(conn, row.ticket_id)?,
        is_answered: row.is_answered,
        is_expired: row.sent_at.is_some() && row.expires_at.is_none_or(|at| at.0 <= now),
        is_superseded: store::has_later(conn, row)?,
        is_unsubscribed: person.surveys_stopped,
        has_email: email.is_some(),
        is_staff,
        is_bounced,
        is_throttled: survey.throttle_enabled && store::was_asked_since(conn, row.contact_id, row.kind.0, since)?,
    };
    Ok(Looked { facts, ticket, email, person })
}

/// The claiming transaction: checks everything again, then marks the invitation as being sent.
/// An invitation found half-way was handed over by a process that died: it is `unknown` and never sent twice.
pub fn prepare(conn: &mut Conn, config: &Config, id: Uuid, now: DateTime<Utc>) -> Result<Prepared> {
    let Some(row) = store::find_invitation(conn, InvitationId(id))? else { return Ok(Prepared::Ended) };
    match row.outcome.0 {
        Outcome::Waiting => {}
        Outcome::Sending => {
            end(conn, &row, Outcome::Sending, Outcome::Unknown, now)?;
            outbox::survey_unknown(conn, id, "the desk stopped while the letter was handed over")?;
            return Ok(Prepared::Ended);
        }
        _ => return Ok(Prepared::Ended),
    }
    let looked = look_again(conn, config, &row, now)?;
    if let Some(outcome) = model::hindrance(&looked.facts) {
        end(conn, &row, Outcome::Waiting, outcome, now)?;
        outbox::survey_cancelled(conn, id)?;
        return Ok(Prepared::Ended);
    }
    // A letter that is late, or tried again, keeps to the contact's hours too.
    let from = into_window(conn, config, &looked.person, now)?;
    if from > now {
        return Ok(Prepared::NotBefore(from));
    }
    if !store::set_outcome(conn, row.id, Outcome::Waiting, Outcome::Sending, now)? {
        return Ok(Prepared::Ended);
    }
    let expires_at = now + TimeDelta::days(i64::from(config.survey.valid_days));
    let ready = looked.ready(&row, false, expires_at)?;
    store::set_tokens(conn, row.id, (ready.token.digest(), ready.unsubscribe.digest()), expires_at)?;
    Ok(Prepared::Ready(Box::new(ready)))
}

/// How the hand-over of a letter ended; one that was sent may be followed by a reminder.
pub fn handed_over(conn: &mut Conn, config: &Config, id: InvitationId, outcome: Outcome, now: DateTime<Utc>) -> Result<()> {
    let Some(row) = store::find_invitation(conn, id)? else { return Ok(()) };
    match outcome {
        // It was surely not taken: it waits again, without an event for each try.
        Outcome::Waiting => {
            store::set_outcome(conn, id, Outcome::Sending, Outcome::Waiting, now)?;
        }
        Outcome::Sent => {
            store::set_sent(conn, id, now)?;
            if end(conn, &row, Outcome::Sending, Outcome::Sent, now)? {
                reminders::commands::plan(conn, config, &row, now)?;
            }
        }
        other => {
            end(conn, &row, Outcome::Sending, other, now)?;
        }
    }
    Ok(())
}

/// The mail server refuses this address for good: no survey goes there until a person lifts it.
pub fn bounced(conn: &mut Conn, ready: &Ready, said: String, now: DateTime<Utc>) -> Result<()> {
    if let Some(made) = suppressions::suppress(conn, ready.email.clone(), said, Some(ready.id), now)? {
        let data = json!({ "suppression_id": made.id });
        timeline::record(conn, ready.ticket_id, Kind::AddressBounced, Actor::Desk, now, data)?;
    }
    Ok(())
}

/// The job was given up: the close has its named outcome, and the letter can be released.
pub fn failed(conn: &mut Conn, id: Uuid, error: &str, now: DateTime<Utc>) -> Result<()> {
    if let Some(row) = store::find_invitation(conn, InvitationId(id))? {
        end(conn, &row, Outcome::Waiting, Outcome::Failed, now)?;
        outbox::survey_parked(conn, id, error)?;
    }
    Ok(())
}

/// A person releases a letter that was given up.
pub fn release(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> Result<()> {
    match store::find_invitation(conn, InvitationId(id))? {
        Some(row) => end(conn, &row, Outcome::Failed, Outcome::Waiting, now).map(|_| ()),
        None => reminders::commands::release(conn, id, now),
    }
}
