//! Rows of mails that were taken: written once with their bytes, ended once.
use crate::db::{
    Conn,
    schema::{inbound_mails, inbound_raws},
    types::{Named, Time},
};
use crate::each;
use crate::error::{Error, Result};
use crate::ids::{InboundMailId, MailboxId, MessageId, TicketId};
use chrono::{DateTime, Utc};
use diesel::prelude::*;

names! {
    /// Where a mail that was taken stands.
    pub enum InboundState {
        /// Stored, and not looked at yet.
        Waiting = "waiting",
        /// On a ticket, or done with.
        Filed = "filed",
        /// Held until a person releases or discards it.
        Quarantined = "quarantined",
        /// A person said that it is not wanted.
        Discarded = "discarded",
    }
}

/// A mail that was taken, without its bytes.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Debug, Clone)]
#[diesel(table_name = inbound_mails, treat_none_as_null = true, treat_none_as_default_value = false)]
#[expect(missing_docs, reason = "columns")]
pub struct InboundRow {
    pub id: InboundMailId,
    pub mailbox_id: MailboxId,
    /// Empty for a report, null where it is not known.
    pub envelope_from: Option<String>,
    pub envelope_to: String,
    pub received_at: Time,
    pub sha256: Vec<u8>,
    pub size_bytes: i64,
    pub state: Named<InboundState>,
    /// A word for why it is held, or what it was where it became no message.
    pub reason: Option<String>,
    pub attempts: i32,
    pub error: Option<String>,
    pub subject: Option<String>,
    pub sender: Option<String>,
    pub mail_message_id: Option<String>,
    pub ticket_id: Option<TicketId>,
    pub message_id: Option<MessageId>,
    pub created_at: Time,
    pub ended_at: Option<Time>,
    pub version: i32,
}

/// Writes a mail and its bytes; false where the mailbox has the same bytes already. Two inserts.
pub(super) fn insert(conn: &mut Conn, row: &InboundRow, bytes: &[u8]) -> Result<bool> {
    let written = each!(conn, conn => diesel::insert_into(inbound_mails::table)
        .values(row)
        .on_conflict((inbound_mails::mailbox_id, inbound_mails::sha256))
        .do_nothing()
        .execute(conn))?;
    if written == 0 {
        return Ok(false);
    }
    let raw = (inbound_raws::mail_id.eq(row.id), inbound_raws::bytes.eq(bytes));
    each!(conn, conn => diesel::insert_into(inbound_raws::table).values(raw).execute(conn))?;
    Ok(true)
}

/// Writes mails and their bytes; the ids of those that their mailboxes did not have. Two inserts, on SQLite of each, which keeps them
/// prepared.
pub(super) fn insert_each(conn: &mut Conn, rows: &[InboundRow], bytes: &[&[u8]]) -> Result<Vec<InboundMailId>> {
    let mut new = Vec::with_capacity(rows.len());
    if let (Conn::Pg(conn), true) = (&mut *conn, rows.len() > 1) {
        new = diesel::insert_into(inbound_mails::table)
            .values(rows)
            .on_conflict((inbound_mails::mailbox_id, inbound_mails::sha256))
            .do_nothing()
            .returning(inbound_mails::id)
            .get_results(conn)?;
        let raws: Vec<_> = rows
            .iter()
            .zip(bytes)
            .filter(|(row, _)| new.contains(&row.id))
            .map(|(row, bytes)| (inbound_raws::mail_id.eq(row.id), inbound_raws::bytes.eq(*bytes)))
            .collect();
        diesel::insert_into(inbound_raws::table).values(&raws).execute(conn)?;
        return Ok(new);
    }
    for (row, bytes) in rows.iter().zip(bytes) {
        if insert(conn, row, bytes)? {
            new.push(row.id);
        }
    }
    Ok(new)
}

/// One by id, locked until the commit.
pub(super) fn lock(conn: &mut Conn, id: InboundMailId) -> Result<InboundRow> {
    let found = inbound_mails::table.find(id);
    let row: Option<InboundRow> = match conn {
        Conn::Pg(conn) => found.select(InboundRow::as_select()).for_update().first(conn).optional()?,
        Conn::Sqlite(conn) => found.select(InboundRow::as_select()).first(conn).optional()?,
    };
    row.ok_or(Error::NotFound("mail"))
}

/// Writes the next version of a row that is locked.
pub(super) fn save(conn: &mut Conn, row: &mut InboundRow) -> Result<()> {
    row.version += 1;
    diesel::update(inbound_mails::table.filter(inbound_mails::id.eq(row.id))).set(&*row).execute(conn)?;
    Ok(())
}

/// A try failed. One update.
pub(super) fn tried(conn: &mut Conn, id: InboundMailId, error: &str) -> Result<()> {
    diesel::update(inbound_mails::table.find(id))
        .set((inbound_mails::attempts.eq(inbound_mails::attempts + 1), inbound_mails::error.eq(error)))
        .execute(conn)?;
    Ok(())
}

/// The bytes of a mail.
pub(super) fn bytes(conn: &mut Conn, id: InboundMailId) -> Result<Vec<u8>> {
    inbound_raws::table.find(id).select(inbound_raws::bytes).first(conn).optional()?.ok_or(Error::NotFound("mail"))
}

/// One by id, only to look at.
pub(super) fn find(conn: &mut Conn, id: InboundMailId) -> Result<InboundRow> {
    let found = inbound_mails::table.find(id).select(InboundRow::as_select()).first(conn).optional()?;
    found.ok_or(Error::NotFound("mail"))
}

/// A page of mails, newest first. One query.
pub(super) fn list(
    conn: &mut Conn,
    state: Option<InboundState>,
    before: Option<(DateTime<Utc>, InboundMailId)>,
    limit: i64,
) -> Result<Vec<InboundRow>> {
    use inbound_mails as m;
    let mut query =
        m::table.select(InboundRow::as_select()).order((m::created_at.desc(), m::id.desc())).limit(limit).into_boxed();
    if let Some(state) = state {
        query = query.filter(m::state.eq(Named(state)));
    }
    if let Some((at, id)) = before {
        query = query.filter(m::created_at.le(Time(at)).and(m::created_at.lt(Time(at)).or(m::id.lt(id))));
    }
    Ok(query.load(conn)?)
}

/// The mail that became a message.
pub(super) fn of_message(conn: &mut Conn, id: MessageId) -> Result<InboundRow> {
    inbound_mails::table
        .filter(inbound_mails::message_id.eq(id))
        .order(inbound_mails::id)
        .select(InboundRow::as_select())
        .first(conn)
        .optional()?
        .ok_or(Error::NotFound("mail"))
}
