//! Rows of mail domains: each belongs to one organization at the most.
use crate::db::{
    Conn,
    ext::OnConflictExt,
    schema::{organization_domains, organizations},
    types::Time,
};
use crate::error::{Error, Result};
use crate::ids::OrganizationId;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// A domain as stored.
#[derive(Queryable, Selectable, Debug, Clone)]
#[diesel(table_name = organization_domains)]
pub struct DomainRow {
    pub domain: String,
    pub organization_id: OrganizationId,
    pub created_at: Time,
}

/// The organization whose domain it is. One query.
pub fn organization_of(conn: &mut Conn, domain: &str) -> Result<Option<OrganizationId>> {
    Ok(organization_domains::table
        .find(domain.to_owned())
        .select(organization_domains::organization_id)
        .first(conn)
        .optional()?)
}

fn must_exist(conn: &mut Conn, id: OrganizationId) -> Result<()> {
    let known: Option<OrganizationId> = organizations::table.find(id).select(organizations::id).first(conn).optional()?;
    known.map(|_| ()).ok_or(Error::NotFound("organization"))
}

/// Gives a domain to an organization; true where it is new there. Up to three queries; the index decides whose it is.
pub fn put(conn: &mut Conn, id: OrganizationId, domain: &str, now: DateTime<Utc>) -> Result<bool> {
    must_exist(conn, id)?;
    let written = diesel::insert_into(organization_domains::table)
        .values((
            organization_domains::domain.eq(domain),
            organization_domains::organization_id.eq(id),
            organization_domains::created_at.eq(Time(now)),
        ))
        .or_ignore()
        .execute(conn)?;
    match written {
        0 if organization_of(conn, domain)? != Some(id) => {
            Err(Error::conflict("domain_taken", "another organization has this domain"))
        }
        written => Ok(written == 1),
    }
}

/// Takes a domain away from an organization; false where it was not its. Two queries.
pub fn remove(conn: &mut Conn, id: OrganizationId, domain: &str) -> Result<bool> {
    must_exist(conn, id)?;
    let mine = organization_domains::table
        .filter(organization_domains::domain.eq(domain).and(organization_domains::organization_id.eq(id)));
    Ok(diesel::delete(mine).execute(conn)? == 1)
}

/// A page after `after`, by name. Two queries.
pub fn list(conn: &mut Conn, id: OrganizationId, after: Option<String>, limit: i64) -> Result<Vec<DomainRow>> {
    must_exist(conn, id)?;
    let mut query = organization_domains::table
        .filter(organization_domains::organization_id.eq(id))
        .order(organization_domains::domain)
        .limit(limit)
        .select(DomainRow::as_select())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(organization_domains::domain.gt(after));
    }
    Ok(query.load(conn)?)
}
