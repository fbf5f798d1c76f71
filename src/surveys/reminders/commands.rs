//! The verbs of reminders: plan, check again and send, release. Each is one transaction.
use super::store::{self, ReminderRow};
use crate::accounts::contacts;
use crate::config::Config;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::{InvitationId, ReminderId};
use crate::jobs::{JobKind, queue};
use crate::mail::outbox;
use crate::surveys::commands::{Prepared, into_window, look_again};
use crate::surveys::model::{self, Facts, Outcome};
use crate::surveys::queries::{self, InvitationRow};
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

/// A survey was sent: where the desk reminds, that is planned now. No query where it does not.
pub fn plan(conn: &mut Conn, config: &Config, invitation: &InvitationRow, now: DateTime<Utc>) -> Result<()> {
    if !config.survey.reminder_enabled {
        return Ok(());
    }
    let person = contacts::find_person(conn, invitation.contact_id)?.ok_or(Error::NotFound("contact"))?;
    let due_at =
        into_window(conn, config, (&person, invitation.kind.0), now + TimeDelta::days(i64::from(config.survey.reminder_days)))?;
    if let Some(id) = store::insert(conn, invitation.id, due_at, now)? {
        queue::enqueue(conn, JobKind::SendReminder, id.0, due_at, now)?;
    }
    Ok(())
}

/// Moves a reminder on and records it.
fn end(
    conn: &mut Conn,
    (row, invitation): (&ReminderRow, &InvitationRow),
    from: Outcome,
    to: Outcome,
    now: DateTime<Utc>,
) -> Result<()> {
    if store::set_outcome(conn, row.id, from, to, now)? {
        let data = match invitation.wave_id {
            None => json!({ "close_number": invitation.close_number, "outcome": to }),
            Some(wave) => json!({ "invitation_id": invitation.id, "wave_id": wave, "outcome": to }),
        };
        timeline::record(conn, invitation.ticket_id, Kind::ReminderOutcome, Actor::Desk, now, data)?;
    }
    Ok(())
}

fn find(conn: &mut Conn, id: Uuid) -> Result<Option<(ReminderRow, InvitationRow)>> {
    let Some(row) = store::find(conn, ReminderId(id))? else { return Ok(None) };
    Ok(queries::invitation(conn, row.invitation_id)?.map(|invitation| (row, invitation)))
}

/// The claiming transaction, as for the first letter: never after an answer, an unsubscription or the end of the survey.
pub fn prepare(conn: &mut Conn, config: &Config, id: Uuid, now: DateTime<Utc>) -> Result<Prepared> {
    let Some((row, invitation)) = find(conn, id)? else { return Ok(Prepared::Ended) };
    match row.outcome.0 {
        Outcome::Waiting => {}
        Outcome::Sending => {
            end(conn, (&row, &invitation), Outcome::Sending, Outcome::Unknown, now)?;
            outbox::survey_unknown(conn, id, "the desk stopped while the letter was handed over")?;
            return Ok(Prepared::Ended);
        }
        _ => return Ok(Prepared::Ended),
    }
    let looked = look_again(conn, config, &invitation, now)?;
    // The first letter is what the contact was asked with: it does not throttle its own reminder.
    let is_enabled = looked.facts.is_enabled && config.survey.reminder_enabled;
    let facts = Facts { is_throttled: false, is_enabled, ..looked.facts };
    if let Some(outcome) = model::hindrance(&facts) {
        end(conn, (&row, &invitation), Outcome::Waiting, outcome, now)?;
        outbox::survey_cancelled(conn, id)?;
        return Ok(Prepared::Ended);
    }
    let from = into_window(conn, config, (&looked.person, invitation.kind.0), now)?;
    if from > now {
        return Ok(Prepared::NotBefore(from));
    }
    let Some(expires_at) = invitation.expires_at else { return Ok(Prepared::Ended) };
    if !store::set_outcome(conn, row.id, Outcome::Waiting, Outcome::Sending, now)? {
        return Ok(Prepared::Ended);
    }
    let ready = looked.ready(&invitation, true, expires_at.0)?;
    store::set_tokens(conn, row.id, (ready.token.digest(), ready.unsubscribe.digest()))?;
    Ok(Prepared::Ready(Box::new(ready)))
}

/// How the hand-over of the letter ended.
pub fn handed_over(conn: &mut Conn, id: Uuid, outcome: Outcome, now: DateTime<Utc>) -> Result<()> {
    let Some((row, invitation)) = find(conn, id)? else { return Ok(()) };
    match outcome {
        Outcome::Waiting => {
            store::set_outcome(conn, row.id, Outcome::Sending, Outcome::Waiting, now)?;
            return Ok(());
        }
        Outcome::Sent => store::set_sent(conn, row.id, now)?,
        _ => {}
    }
    end(conn, (&row, &invitation), Outcome::Sending, outcome, now)
}

/// The invitation whose reminder this is; none where it is no reminder.
pub fn invitation_of(conn: &mut Conn, id: Uuid) -> Result<Option<InvitationId>> {
    Ok(find(conn, id)?.map(|(_, invitation)| invitation.id))
}

/// The job was given up; the letter can be released.
pub fn failed(conn: &mut Conn, id: Uuid, error: &str, now: DateTime<Utc>) -> Result<()> {
    let Some((row, invitation)) = find(conn, id)? else { return Ok(()) };
    end(conn, (&row, &invitation), Outcome::Waiting, Outcome::Failed, now)?;
    outbox::survey_parked(conn, id, error)
}

/// A person releases a letter that was given up.
pub fn release(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> Result<()> {
    let Some((row, invitation)) = find(conn, id)? else { return Ok(()) };
    end(conn, (&row, &invitation), Outcome::Failed, Outcome::Waiting, now)
}
