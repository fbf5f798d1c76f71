//! Follow-up rows and the attempts to reach the contact.
use super::model::{Ending, How};
use crate::db::{
    Conn,
    ext::OnConflictExt,
    schema::{survey_attempts, survey_followups},
    types::{Named, Time},
};
use crate::error::{Error, Result};
use crate::ids::{AgentId, AttemptId, ResponseId, TicketId};
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// A follow-up as stored.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Debug, Clone)]
#[diesel(table_name = survey_followups, primary_key(response_id), treat_none_as_null = true)]
pub struct FollowupRow {
    pub response_id: ResponseId,
    pub due_at: Time,
    pub owner_id: Option<AgentId>,
    pub outcome: Option<Named<Ending>>,
    pub why: String,
    pub ended_at: Option<Time>,
    pub ended_by: Option<AgentId>,
    pub ticket_id: Option<TicketId>,
    pub version: i32,
    pub created_at: Time,
    pub updated_at: Time,
}

/// A try to reach the contact, as stored.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = survey_attempts)]
pub struct AttemptRow {
    pub id: AttemptId,
    pub response_id: ResponseId,
    pub agent_id: AgentId,
    pub at: Time,
    pub how: Named<How>,
    pub note: String,
}

/// Whether a ticket was opened to follow an answer up. One look at the index.
pub fn is_followup(conn: &mut Conn, ticket: TicketId) -> Result<bool> {
    let found: Option<ResponseId> = survey_followups::table
        .filter(survey_followups::ticket_id.eq(ticket))
        .select(survey_followups::response_id)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}

/// Writes a new one; false where the answer has one (the index decides).
pub(super) fn insert(conn: &mut Conn, response: ResponseId, due_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<bool> {
    let row = FollowupRow {
        response_id: response,
        due_at: Time(due_at),
        owner_id: None,
        outcome: None,
        why: String::new(),
        ended_at: None,
        ended_by: None,
        ticket_id: None,
        version: 1,
        created_at: Time(now),
        updated_at: Time(now),
    };
    Ok(diesel::insert_into(survey_followups::table).values(&row).or_ignore().execute(conn)? == 1)
}

/// One, locked until the commit on PostgreSQL, where two nodes may work on it.
pub(super) fn find(conn: &mut Conn, id: ResponseId) -> Result<Option<FollowupRow>> {
    if let Conn::Pg(conn) = conn {
        survey_followups::table.find(id).select(survey_followups::response_id).for_update().load::<ResponseId>(conn)?;
    }
    Ok(survey_followups::table.find(id).select(FollowupRow::as_select()).first(conn).optional()?)
}

/// Saves a follow-up as the next version of the one that was loaded.
pub(super) fn save(conn: &mut Conn, row: FollowupRow, now: DateTime<Utc>) -> Result<()> {
    let before = row.version;
    let row = FollowupRow { version: before + 1, updated_at: Time(now), ..row };
    let target = survey_followups::table.find(row.response_id).filter(survey_followups::version.eq(before));
    if diesel::update(target).set(&row).execute(conn)? == 0 {
        return Err(Error::Stale { current: before + 1 });
    }
    Ok(())
}

pub(super) fn count_attempts(conn: &mut Conn, id: ResponseId) -> Result<usize> {
    let count: i64 = survey_attempts::table.filter(survey_attempts::response_id.eq(id)).count().get_result(conn)?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

pub(super) fn insert_attempt(conn: &mut Conn, row: &AttemptRow) -> Result<()> {
    diesel::insert_into(survey_attempts::table).values(row).execute(conn)?;
    Ok(())
}
