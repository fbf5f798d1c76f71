//! Attachment rows: written once, given to a message once, forgotten where no message wants them.
use crate::db::{
    Conn,
    schema::{attachments, messages},
    types::{Json, Time},
};
use crate::each;
use crate::error::Result;
use crate::ids::{AgentId, AttachmentId, MessageId, TokenId};
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// A file as stored.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = attachments, treat_none_as_default_value = false)]
#[expect(missing_docs, reason = "columns")]
pub struct AttachmentRow {
    pub id: AttachmentId,
    pub message_id: Option<MessageId>,
    pub token_id: TokenId,
    pub agent_id: Option<AgentId>,
    pub file_name: String,
    pub media_type: String,
    pub size_bytes: i64,
    pub sha256: Vec<u8>,
    pub created_at: Time,
}

/// Writes a new one.
pub(super) fn insert(conn: &mut Conn, row: &AttachmentRow) -> Result<()> {
    diesel::insert_into(attachments::table).values(row).execute(conn)?;
    Ok(())
}

/// Those of `ids` that no message has yet; on PostgreSQL locked until the commit, in one order. One query.
pub(super) fn waiting(conn: &mut Conn, ids: &[AttachmentId]) -> Result<Vec<AttachmentRow>> {
    let free =
        attachments::table.filter(attachments::id.eq_any(ids).and(attachments::message_id.is_null())).order(attachments::id);
    Ok(match conn {
        Conn::Pg(conn) => free.select(AttachmentRow::as_select()).for_update().load(conn)?,
        Conn::Sqlite(conn) => free.select(AttachmentRow::as_select()).load(conn)?,
    })
}

/// Gives files to a message, and the message its list of them. Two updates.
pub(super) fn give(conn: &mut Conn, message: MessageId, ids: &[AttachmentId], list: Json) -> Result<()> {
    diesel::update(attachments::table.filter(attachments::id.eq_any(ids)))
        .set(attachments::message_id.eq(message))
        .execute(conn)?;
    diesel::update(messages::table.find(message)).set(messages::attachments.eq(list)).execute(conn)?;
    Ok(())
}

/// Forgets up to `limit` files from before `before` that no message has; says which, with the instants that they came. Two queries.
pub(super) fn forget_waiting(conn: &mut Conn, before: DateTime<Utc>, limit: i64) -> Result<Vec<(AttachmentId, DateTime<Utc>)>> {
    let old = attachments::table
        .filter(attachments::message_id.is_null().and(attachments::created_at.lt(Time(before))))
        .order(attachments::created_at)
        .limit(limit)
        .select(attachments::id);
    let ids: Vec<AttachmentId> = match conn {
        Conn::Pg(conn) => old.for_update().load(conn)?,
        Conn::Sqlite(conn) => old.load(conn)?,
    };
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let gone = attachments::table.filter(attachments::id.eq_any(&ids));
    let gone: Vec<(AttachmentId, Time)> = each!(conn, conn =>
        diesel::delete(gone).returning((attachments::id, attachments::created_at)).get_results(conn))?;
    Ok(gone.into_iter().map(|(id, at)| (id, at.0)).collect())
}
