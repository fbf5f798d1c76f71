//! The verbs of digests: write the one that is due, give one up, release it.
use super::model::{Facts, Schedule, Week, Words, due_week};
use super::store;
pub use super::store::LetterRow;
use super::templates::DigestMail;
use crate::accounts::agents;
use crate::accounts::rights::Role;
use crate::calendar;
use crate::config::{self, Config};
use crate::db::{
    Conn,
    types::{Named, Time},
};
use crate::error::{Error, Result};
use crate::ids::DigestLetterId;
use crate::jobs::{JobKind, queue};
use crate::mail::{MailState, one_line, transport::domain};
use crate::reports::queries_digest;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// When digests go out by the settings: in the zone that is set, else in that of the desk's default calendar.
fn schedule(conn: &mut Conn, config: &Config) -> Result<Schedule> {
    let digest = &config.digest;
    let bad = |error: config::BadSetting| Error::internal(error.to_string());
    let zone = match digest.time_zone.parse() {
        Ok(zone) => zone,
        Err(_) => {
            let calendar = calendar::default_calendar(conn)?;
            calendar.and_then(|calendar| calendar.definition.time_zone.parse().ok()).unwrap_or(chrono_tz::UTC)
        }
    };
    Ok(Schedule { weekday: digest.weekday, at_seconds: config::time_of_day("digest.at", &digest.at).map_err(bad)?, zone })
}

/// The week whose digest is due and not written. Two small queries.
pub fn unwritten(conn: &mut Conn, config: &Config, now: DateTime<Utc>) -> Result<Option<Week>> {
    let Some(week) = due_week(schedule(conn, config)?, now) else { return Ok(None) };
    Ok((!store::is_written(conn, week.on)?).then_some(week))
}

fn template_failed(error: askama::Error) -> Error {
    Error::internal(format!("template: {error}"))
}

/// Writes the digest of a week, a letter to every manager; false where another node has done so.
pub fn write(conn: &mut Conn, config: &Config, week: &Week, facts: Facts, now: DateTime<Utc>) -> Result<bool> {
    if !store::take(conn, week, now)? {
        return Ok(false);
    }
    let words = Words::of(week, facts);
    let managers =
        agents::list_all(conn)?.into_iter().filter(|agent| agent.role.0 == Role::Manager && agent.disabled_at.is_none());
    for agent in managers {
        let id = DigestLetterId::new();
        let mail = DigestMail { company: one_line(&config.company.name), agent_name: one_line(&agent.name), words: &words };
        let row = LetterRow {
            id,
            week_on: week.on.to_string(),
            agent_id: agent.id,
            recipient: agent.email,
            subject: format!("The week of {} at {}", week.on.format("%-d %B %Y"), one_line(&config.company.name)),
            // Stable: a letter that is sent twice is shown once.
            message_id: format!("<digest-{id}@{}>", domain(config)),
            text_body: mail.text().map_err(template_failed)?,
            html_body: mail.html().map_err(template_failed)?,
            state: Named(MailState::Queued),
            attempts: 0,
            last_error: None,
            created_at: Time(now),
            sent_at: None,
        };
        store::insert(conn, &row)?;
        queue::enqueue(conn, JobKind::SendDigest, id.0, now, now)?;
    }
    Ok(true)
}

/// The facts of a week, on one snapshot.
pub fn facts(conn: &mut Conn, week: &Week, now: DateTime<Utc>) -> Result<Facts> {
    queries_digest::facts(conn, week, now)
}

/// The job of a letter was given up.
pub fn parked(conn: &mut Conn, id: Uuid) -> Result<()> {
    store::set_state(conn, DigestLetterId(id), MailState::Parked)
}

/// A person releases a letter that was given up: it is tried again at once.
pub fn release(conn: &mut Conn, id: DigestLetterId, now: DateTime<Utc>) -> Result<LetterRow> {
    let row = store::find(conn, id)?.ok_or(Error::NotFound("digest letter"))?;
    if row.state.0 != MailState::Parked {
        return Err(Error::conflict("not_parked", "only a parked letter can be released"));
    }
    store::set_state(conn, id, MailState::Queued)?;
    queue::release(conn, id.0, now)?;
    store::find(conn, id)?.ok_or(Error::NotFound("digest letter"))
}

/// A page of letters, newest first.
pub fn list(conn: &mut Conn, before: Option<DigestLetterId>, limit: i64) -> Result<Vec<LetterRow>> {
    store::list(conn, before, limit)
}
