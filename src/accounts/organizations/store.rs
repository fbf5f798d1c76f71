//! Organization rows.
use crate::db::{
    Conn,
    ext::{OnConflictExt, or_taken},
    schema::organizations,
    types::Time,
};
use crate::error::{Error, Result};
use crate::ids::OrganizationId;
use crate::seen::Seen;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// An organization as stored.
#[derive(Queryable, Selectable, Debug, Clone)]
#[diesel(table_name = organizations)]
#[expect(missing_docs, reason = "columns")]
pub struct OrganizationRow {
    pub id: OrganizationId,
    pub account: Option<String>,
    pub name: String,
    pub version: i32,
    pub created_at: Time,
    pub updated_at: Time,
}

fn taken() -> Error {
    Error::conflict("account_taken", "another organization has this account id")
}

/// Writes a new one. One insert; the index decides whether the account id is free.
pub fn insert(conn: &mut Conn, name: String, account: Option<String>, now: DateTime<Utc>) -> Result<OrganizationRow> {
    let row =
        OrganizationRow { id: OrganizationId::new(), account, name, version: 1, created_at: Time(now), updated_at: Time(now) };
    let written = diesel::insert_into(organizations::table)
        .values((
            organizations::id.eq(row.id),
            organizations::account.eq(&row.account),
            organizations::name.eq(&row.name),
            organizations::version.eq(row.version),
            organizations::created_at.eq(row.created_at),
            organizations::updated_at.eq(row.updated_at),
        ))
        .or_ignore()
        .execute(conn)?;
    if written == 0 { Err(taken()) } else { Ok(row) }
}

/// One by id.
pub fn find(conn: &mut Conn, id: OrganizationId) -> Result<OrganizationRow> {
    organizations::table
        .find(id)
        .select(OrganizationRow::as_select())
        .first(conn)
        .optional()?
        .ok_or(Error::NotFound("organization"))
}

/// A page after `after`, by age; `account` finds the one with that account id. One query.
pub fn list(conn: &mut Conn, account: Option<&str>, after: Option<OrganizationId>, limit: i64) -> Result<Vec<OrganizationRow>> {
    let mut query = organizations::table.select(OrganizationRow::as_select()).order(organizations::id).limit(limit).into_boxed();
    if let Some(account) = account {
        query = query.filter(organizations::account.eq(account));
    }
    if let Some(after) = after {
        query = query.filter(organizations::id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// Changes what `patch` names. Two queries.
pub fn update(
    conn: &mut Conn,
    id: OrganizationId,
    seen: Seen,
    now: DateTime<Utc>,
    patch: impl FnOnce(&mut OrganizationRow),
) -> Result<OrganizationRow> {
    let mut row = find(conn, id)?;
    seen.check(row.version)?;
    let before = row.version;
    patch(&mut row);
    row.version += 1;
    row.updated_at = Time(now);
    let changing = diesel::update(organizations::table.find(id).filter(organizations::version.eq(before))).set((
        organizations::account.eq(&row.account),
        organizations::name.eq(&row.name),
        organizations::version.eq(row.version),
        organizations::updated_at.eq(row.updated_at),
    ));
    if or_taken(conn, taken, |conn| changing.execute(conn))? == 0 { Err(Error::Stale { current: before + 1 }) } else { Ok(row) }
}
