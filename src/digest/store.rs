//! Digests and their letters as rows.
use super::model::Week;
use crate::db::{
    Conn,
    ext::OnConflictExt,
    schema::{digest_letters, digests},
    types::{Named, Time},
};
use crate::error::Result;
use crate::ids::{AgentId, DigestLetterId};
use crate::mail::MailState;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;

/// A letter as stored.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = digest_letters, treat_none_as_default_value = false)]
#[expect(missing_docs, reason = "columns")]
pub struct LetterRow {
    pub id: DigestLetterId,
    pub week_on: String,
    pub agent_id: AgentId,
    pub recipient: String,
    pub subject: String,
    pub message_id: String,
    pub text_body: String,
    pub html_body: String,
    pub state: Named<MailState>,
    pub attempts: i32,
    pub last_error: Option<String>,
    pub created_at: Time,
    pub sent_at: Option<Time>,
}

/// Whether the digest about a week was written. One look at the key.
pub fn is_written(conn: &mut Conn, on: NaiveDate) -> Result<bool> {
    let found: Option<String> = digests::table.find(on.to_string()).select(digests::week_on).first(conn).optional()?;
    Ok(found.is_some())
}

/// Takes a week; false where another node was faster: the key decides.
pub fn take(conn: &mut Conn, week: &Week, now: DateTime<Utc>) -> Result<bool> {
    let written = diesel::insert_into(digests::table)
        .values((
            digests::week_on.eq(week.on.to_string()),
            digests::time_zone.eq(week.period.zone.name()),
            digests::from_at.eq(Time(week.period.from)),
            digests::to_at.eq(Time(week.period.to)),
            digests::written_at.eq(Time(now)),
        ))
        .or_ignore()
        .execute(conn)?;
    Ok(written == 1)
}

pub fn insert(conn: &mut Conn, row: &LetterRow) -> Result<()> {
    diesel::insert_into(digest_letters::table).values(row).execute(conn)?;
    Ok(())
}

pub fn find(conn: &mut Conn, id: DigestLetterId) -> Result<Option<LetterRow>> {
    Ok(digest_letters::table.find(id).select(LetterRow::as_select()).first(conn).optional()?)
}

pub fn sent(conn: &mut Conn, id: DigestLetterId, now: DateTime<Utc>) -> Result<()> {
    use digest_letters as l;
    diesel::update(l::table.find(id))
        .set((
            l::state.eq(Named(MailState::Sent)),
            l::attempts.eq(l::attempts + 1),
            l::last_error.eq(None::<String>),
            l::sent_at.eq(Time(now)),
        ))
        .execute(conn)?;
    Ok(())
}

pub fn failed(conn: &mut Conn, id: DigestLetterId, error: &str) -> Result<()> {
    use digest_letters as l;
    diesel::update(l::table.find(id)).set((l::attempts.eq(l::attempts + 1), l::last_error.eq(error))).execute(conn)?;
    Ok(())
}

pub fn set_state(conn: &mut Conn, id: DigestLetterId, state: MailState) -> Result<()> {
    use digest_letters as l;
    diesel::update(l::table.find(id)).set(l::state.eq(Named(state))).execute(conn)?;
    Ok(())
}

/// A page, newest first. One query.
pub fn list(conn: &mut Conn, before: Option<DigestLetterId>, limit: i64) -> Result<Vec<LetterRow>> {
    use digest_letters as l;
    let mut query = l::table.select(LetterRow::as_select()).limit(limit).into_boxed();
    if let Some(id) = before {
        query = query.filter(l::id.lt(id));
    }
    Ok(query.order(l::id.desc()).load(conn)?)
}
