//! Reading files' rows.
use super::store::AttachmentRow;
use super::wire::AttachmentOut;
use crate::db::{
    Conn,
    schema::{attachments, messages},
    types::Json,
};
use crate::error::{Error, Result};
use crate::ids::{AttachmentId, MessageId};
use diesel::prelude::*;
use std::collections::HashSet;

pub use super::store::AttachmentRow as FileRow;

/// One by id.
pub fn find(conn: &mut Conn, id: AttachmentId) -> Result<AttachmentRow> {
    let row = attachments::table.find(id).select(AttachmentRow::as_select()).first(conn).optional()?;
    row.ok_or(Error::NotFound("attachment"))
}

/// The files of a message, in its order. One query.
pub fn of_message(conn: &mut Conn, message: MessageId) -> Result<Vec<AttachmentOut>> {
    let list: Option<Option<Json>> = messages::table.find(message).select(messages::attachments).first(conn).optional()?;
    listed(list.flatten())
}

/// What the list on a message's row says.
pub fn listed(list: Option<Json>) -> Result<Vec<AttachmentOut>> {
    list.map_or_else(|| Ok(Vec::new()), Json::to)
}

/// Those of `ids` that have a row. One query.
pub fn known(conn: &mut Conn, ids: &[AttachmentId]) -> Result<HashSet<AttachmentId>> {
    let found: Vec<AttachmentId> = attachments::table.filter(attachments::id.eq_any(ids)).select(attachments::id).load(conn)?;
    Ok(found.into_iter().collect())
}
