//! Lists of follow-ups with what they are about.
pub use super::store::{AttemptRow, FollowupRow};
use crate::db::{
    Conn,
    schema::{contacts, survey_attempts, survey_followups, survey_invitations, survey_responses, tickets},
    types::Time,
};
use crate::error::{Error, Result};
use crate::ids::{AgentId, ContactId, ResponseId, TicketId};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use std::collections::HashMap;

/// What the answer said: score and comment; the ticket that was asked about, if any, and its number; the contact, and their name.
pub type About = ((i32, String), Option<(TicketId, i64)>, (ContactId, String));

/// A follow-up with what it is about and all attempts, oldest first.
pub struct Whole {
    /// The follow-up.
    pub row: FollowupRow,
    /// What it is about.
    pub about: About,
    /// Who tried to reach the contact, when and how.
    pub attempts: Vec<AttemptRow>,
}

/// Which follow-ups; what is `None` does not filter.
#[derive(Debug, Default, Clone, Copy)]
pub struct Filter {
    /// Without an outcome, or with one.
    pub is_open: Option<bool>,
    /// This agent's.
    pub owner_id: Option<AgentId>,
    /// Open and due before this instant.
    pub overdue_at: Option<DateTime<Utc>>,
}

macro_rules! followups {
    () => {
        survey_followups::table
            .inner_join(survey_responses::table.on(survey_responses::id.eq(survey_followups::response_id)))
            .inner_join(survey_invitations::table.on(survey_invitations::id.eq(survey_responses::invitation_id)))
            .left_join(tickets::table.on(tickets::id.nullable().eq(survey_invitations::ticket_id)))
            .inner_join(contacts::table.on(contacts::id.eq(survey_invitations::contact_id)))
            .select((
                FollowupRow::as_select(),
                (
                    (survey_responses::score, survey_responses::comment),
                    (tickets::id, tickets::number).nullable(),
                    (contacts::id, contacts::name),
                ),
            ))
    };
}

/// Adds the attempts to rows. One query, however many rows.
fn with_attempts(conn: &mut Conn, rows: Vec<(FollowupRow, About)>) -> Result<Vec<Whole>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<ResponseId> = rows.iter().map(|(row, _)| row.response_id).collect();
    let found: Vec<AttemptRow> = survey_attempts::table
        .filter(survey_attempts::response_id.eq_any(&ids))
        .order((survey_attempts::response_id, survey_attempts::at, survey_attempts::id))
        .select(AttemptRow::as_select())
        .load(conn)?;
    let mut attempts: HashMap<ResponseId, Vec<AttemptRow>> = HashMap::new();
    for attempt in found {
        attempts.entry(attempt.response_id).or_default().push(attempt);
    }
    Ok(rows
        .into_iter()
        .map(|(row, about)| Whole { attempts: attempts.remove(&row.response_id).unwrap_or_default(), row, about })
        .collect())
}

/// A page, the first due first. Two queries.
pub fn list(conn: &mut Conn, filter: Filter, after: Option<(i64, ResponseId)>, limit: i64) -> Result<Vec<Whole>> {
    use survey_followups as f;
    let mut query = followups!().limit(limit).into_boxed();
    let is_open = if filter.overdue_at.is_some() { Some(true) } else { filter.is_open };
    match is_open {
        Some(true) => query = query.filter(f::outcome.is_null()),
        Some(false) => query = query.filter(f::outcome.is_not_null()),
        None => {}
    }
    if let Some(owner) = filter.owner_id {
        query = query.filter(f::owner_id.eq(owner));
    }
    if let Some(now) = filter.overdue_at {
        query = query.filter(f::due_at.lt(Time(now)));
    }
    if let Some((micros, id)) = after {
        let at = Time(
            DateTime::from_timestamp_micros(micros)
                .ok_or_else(|| Error::field("cursor", "unknown_cursor", "is not a cursor of this list"))?,
        );
        query = query.filter(f::due_at.ge(at).and(f::due_at.gt(at).or(f::response_id.gt(id))));
    }
    let rows = query.order((f::due_at, f::response_id)).load(conn)?;
    with_attempts(conn, rows)
}

/// The follow-up of an answer. Two queries.
pub fn find(conn: &mut Conn, id: ResponseId) -> Result<Whole> {
    let row = followups!().filter(survey_followups::response_id.eq(id)).first(conn).optional()?;
    let row = row.ok_or(Error::NotFound("follow-up"))?;
    with_attempts(conn, vec![row])?.pop().ok_or(Error::NotFound("follow-up"))
}
