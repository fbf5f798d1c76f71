//! The verbs of invitations: invite, cancel, check again and send, release. Each is one transaction.
use super::model::{self, Facts, Outcome, SurveyKind, Window};
use super::store::{self, InvitationRow};
use super::{followups, reminders, suppressions, waves};
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
        due_at = into_window(conn, config, (&person, SurveyKind::Transactional), due_at)?;
    }
    let row = InvitationRow {
        id: InvitationId::new(),
        ticket_id: Some(ticket.id),
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
        wave_id: None,
    };
    store::insert_invitation(conn, &row)?;
    if outcome == Outcome::Waiting {
        queue::enqueue(conn, JobKind::SendSurvey, row.id.0, due_at, now)?;
    }
    Ok(())
}

/// Writes the invitations of a wave. One insert.
pub(super) fn invite_wave(conn: &mut Conn, rows: &[InvitationRow]) -> Result<()> {
    store::insert_invitations(conn, rows)
}

/// The first instant from `at` on at which the contact may be written to; `at` itself, and no query, without a window. Letters
/// of a wave always keep to it.
pub(super) fn into_window(
    conn: &mut Conn,
    config: &Config,
    (person, kind): (&Person, SurveyKind),
    at: DateTime<Utc>,
) -> Result<DateTime<Utc>> {
    if !config.survey.window_enabled && kind == SurveyKind::Transactional {
        return Ok(at);
    }
    let window = window(config)?;
    let zone = match person.time_zone.as_deref().and_then(|zone| zone.parse().ok()) {
        Some(zone) => zone,
        None => desk_zone(conn)?,
    };
    Ok(model::send_at(at, Some(&window), zone))
}

pub(super) fn window(config: &Config) -> Result<Window> {
    let bad = |error: config::BadSetting| Error::internal(error.to_string());
    Ok(Window {
        weekdays: config.survey.window_weekdays.clone(),
        from: config::time_of_day("survey.window_from", &config.survey.window_from).map_err(bad)?,
        to: config::time_of_day("survey.window_to", &config.survey.window_to).map_err(bad)?,
    })
}

/// Where the desk is.
pub(super) fn desk_zone(conn: &mut Conn) -> Result<Tz> {
    let calendar = calendar::default_calendar(conn)?;
    Ok(calendar.and_then(|calendar| calendar.definition.time_zone.parse().ok()).unwrap_or(chrono_tz::UTC))
}

/// Moves an invitation on and records it; false where it stood elsewhere.
fn end(conn: &mut Conn, row: &InvitationRow, from: Outcome, to: Outcome, now: DateTime<Utc>) -> Result<bool> {
    let moved = store::set_outcome(conn, row.id, from, to, now)?;
    if moved {
        let data = match row.wave_id {
            None => json!({ "close_number": row.close_number, "outcome": to }),
            Some(wave) => json!({ "invitation_id": row.id, "wave_id": wave, "outcome": to }),
        };
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

/// The ticket that a survey asks about.
pub struct AboutTicket {
    /// Which.
    pub id: TicketId,
    /// Its number.
    pub number: i64,
    /// Its subject.
    pub subject: String,
}

/// A letter that may go out now: everything it needs, and tokens that exist nowhere else.
pub struct Ready {
    /// Which invitation.
    pub id: InvitationId,
    /// Whether it reminds of it.
    pub is_reminder: bool,
    /// About which ticket; a relationship survey is about none.
    pub ticket: Option<AboutTicket>,
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
    pub(super) ticket: Option<Ticket>,
    pub(super) email: Option<String>,
    pub(super) person: Person,
    /// A letter of a wave keeps its distance from the contact's last request.
    pub(super) not_before: Option<DateTime<Utc>>,
}

impl Looked {
    /// The letter with its secrets.
    pub(super) fn ready(self, row: &InvitationRow, is_reminder: bool, expires_at: DateTime<Utc>) -> Result<Ready> {
        Ok(Ready {
            id: row.id,
            is_reminder,
            ticket: self.ticket.map(|ticket| AboutTicket { id: ticket.id, number: ticket.number, subject: ticket.subject }),
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
    let email = contacts::primary_email(conn, row.contact_id)?;
    let person = contacts::find_person(conn, row.contact_id)?.ok_or(Error::NotFound("contact"))?;
    let (is_staff, is_bounced) = match &email {
        Some(address) => (agents::find_by_email(conn, address)?.is_some(), suppressions::is_suppressed(conn, address)?),
        None => (false, false),
    };
    let facts = Facts {
        is_enabled: config.survey.enabled,
        is_that_close: true,
        is_answered: row.is_answered,
        is_expired: row.sent_at.is_some() && row.expires_at.is_none_or(|at| at.0 <= now),
        is_unsubscribed: person.surveys_stopped,
        has_email: email.is_some(),
        is_staff,
        is_bounced,
        ..Facts::default()
    };
    let looked = Looked { facts, ticket: None, email, person, not_before: None };
    match row.ticket_id {
        Some(ticket) => look_at_ticket(conn, config, (row, ticket), looked, now),
        None => look_at_wave(conn, config, row, looked, now),
    }
}

/// What only a survey about a request asks: still that close, and nothing that speaks against asking about it.
fn look_at_ticket(
    conn: &mut Conn,
    config: &Config,
    (row, id): (&InvitationRow, TicketId),
    looked: Looked,
    now: DateTime<Utc>,
) -> Result<Looked> {
    let survey = &config.survey;
    let ticket = crate::tickets::queries::find(conn, id)?;
    let since = |days: u32| now - TimeDelta::days(i64::from(days));
    let is_throttled = survey.throttle_enabled
        && (store::was_asked_since(conn, row.contact_id, SurveyKind::Transactional, since(survey.throttle_days))?
            || store::was_asked_since(conn, row.contact_id, SurveyKind::Relationship, since(survey.between_kinds_days))?);
    let facts = Facts {
        is_that_close: ticket.status == Status::Closed && ticket.close_count == row.close_number,
        is_spam: store::is_spam(conn, id)?,
        is_followup: followups::is_followup(conn, id)?,
        is_superseded: store::has_later(conn, row)?,
        is_throttled,
        ..looked.facts
    };
    Ok(Looked { facts, ticket: Some(ticket), ..looked })
}

/// What only a letter of a wave asks: the wave still runs, and the contact was not asked lately.
fn look_at_wave(conn: &mut Conn, config: &Config, row: &InvitationRow, looked: Looked, now: DateTime<Utc>) -> Result<Looked> {
    let survey = &config.survey;
    let wave = waves::queries::of_invitation(conn, row)?;
    let since = now - TimeDelta::days(i64::from(survey.relationship_throttle_days));
    let distance = TimeDelta::days(i64::from(survey.between_kinds_days));
    let last = store::last_asked(conn, row.contact_id, SurveyKind::Transactional)?;
    let not_before = last.map(|at| at + distance).filter(|at| *at > now);
    let facts = Facts {
        is_wave_stopped: !wave.is_running(),
        is_throttled: store::was_asked_since(conn, row.contact_id, SurveyKind::Relationship, since)?
            || not_before.is_some_and(|at| wave.is_over(at)),
        ..looked.facts
    };
    Ok(Looked { facts, not_before, ..looked })
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
    let from = into_window(conn, config, (&looked.person, row.kind.0), looked.not_before.unwrap_or(now))?;
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

/// A mail server reports that a letter, or its reminder, was not delivered: the funnel counts it.
pub fn came_back(conn: &mut Conn, letter: Uuid, now: DateTime<Utc>) -> Result<()> {
    let invitation = reminders::commands::invitation_of(conn, letter)?.unwrap_or(InvitationId(letter));
    store::set_bounced(conn, invitation, now)
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
