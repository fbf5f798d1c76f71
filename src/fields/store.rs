//! Rows of custom fields, and of the values of tickets.
use super::model::{FieldKind, Values};
use crate::db::{
    Conn,
    ext::OnConflictExt,
    schema::{fields, ticket_fields, tickets},
    types::{Json, Named, Time},
};
use crate::each;
use crate::error::{Error, Result};
use crate::ids::{FieldId, TicketId};
use crate::seen::Seen;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::Value;

/// A field as stored.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = fields)]
pub(super) struct FieldRow {
    pub key: String,
    pub id: FieldId,
    pub label: String,
    pub kind: Named<FieldKind>,
    pub required_to_close: bool,
    pub options: Json,
    pub position: i32,
    pub is_archived: bool,
    pub version: i32,
    pub created_at: Time,
    pub updated_at: Time,
}

impl FieldRow {
    pub fn options(&self) -> Result<Vec<String>> {
        self.options.clone().to()
    }
}

/// Writes a new one; the index decides whether its key is free. One insert.
pub(super) fn insert(conn: &mut Conn, row: FieldRow) -> Result<FieldRow> {
    let written = each!(conn, conn => diesel::insert_into(fields::table).values(&row).or_ignore().execute(conn))?;
    if written == 0 {
        return Err(Error::conflict("key_taken", "another field has this key"));
    }
    Ok(row)
}

/// One by id.
pub(super) fn find(conn: &mut Conn, id: FieldId) -> Result<FieldRow> {
    let found = fields::table.filter(fields::id.eq(id)).select(FieldRow::as_select()).first(conn).optional()?;
    found.ok_or(Error::NotFound("field"))
}

/// A page after `after`, by position. One query.
pub(super) fn list(conn: &mut Conn, after: Option<(i32, FieldId)>, limit: i64) -> Result<Vec<FieldRow>> {
    let mut query = fields::table.select(FieldRow::as_select()).order((fields::position, fields::id)).limit(limit).into_boxed();
    if let Some((position, id)) = after {
        query = query.filter(fields::position.ge(position).and(fields::position.gt(position).or(fields::id.gt(id))));
    }
    Ok(query.load(conn)?)
}

/// Those with these keys. One query.
pub(super) fn of_keys(conn: &mut Conn, keys: &[&str]) -> Result<Vec<FieldRow>> {
    Ok(fields::table.filter(fields::key.eq_any(keys)).select(FieldRow::as_select()).load(conn)?)
}

/// Keys of those that a ticket needs to be closed. One query.
pub(super) fn required(conn: &mut Conn) -> Result<Vec<String>> {
    let needed = fields::required_to_close.eq(true).and(fields::is_archived.eq(false));
    Ok(fields::table.filter(needed).order((fields::position, fields::id)).select(fields::key).load(conn)?)
}

/// Changes what `patch` names. Two queries.
pub(super) fn update(
    conn: &mut Conn,
    id: FieldId,
    seen: Seen,
    now: DateTime<Utc>,
    patch: impl FnOnce(&mut FieldRow) -> Result<()>,
) -> Result<FieldRow> {
    let mut row = find(conn, id)?;
    seen.check(row.version)?;
    let version = row.version;
    patch(&mut row)?;
    row.version += 1;
    row.updated_at = Time(now);
    let changed = diesel::update(fields::table.filter(fields::id.eq(id).and(fields::version.eq(version))))
        .set((
            fields::label.eq(&row.label),
            fields::required_to_close.eq(row.required_to_close),
            fields::options.eq(&row.options),
            fields::position.eq(row.position),
            fields::is_archived.eq(row.is_archived),
            fields::version.eq(row.version),
            fields::updated_at.eq(row.updated_at),
        ))
        .execute(conn)?;
    if changed == 0 { Err(Error::Stale { current: version + 1 }) } else { Ok(row) }
}

/// Writes the values of a ticket: all of them on its row, and those in `named` for filters; `set` are the ones that are not
/// empty, in their one spelling. Two or three statements.
pub(super) fn save_values(
    conn: &mut Conn,
    ticket: TicketId,
    values: &Values,
    named: &[&str],
    set: &[(&str, String)],
) -> Result<()> {
    let all = (!values.is_empty()).then(|| Json(Value::Object(values.clone())));
    each!(conn, conn => diesel::update(tickets::table.filter(tickets::id.eq(ticket))).set(tickets::fields.eq(&all)).execute(conn))?;
    let old = ticket_fields::table.filter(ticket_fields::ticket_id.eq(ticket).and(ticket_fields::key.eq_any(named)));
    each!(conn, conn => diesel::delete(old).execute(conn))?;
    if set.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = set
        .iter()
        .map(|(key, value)| (ticket_fields::ticket_id.eq(ticket), ticket_fields::key.eq(*key), ticket_fields::value.eq(value)))
        .collect();
    each!(conn, conn => diesel::insert_into(ticket_fields::table).values(&rows).execute(conn))?;
    Ok(())
}
