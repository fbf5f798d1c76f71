//! Suppression rows: one in force for each address; lifting keeps the row.
use crate::db::{Conn, ext::OnConflictExt, schema::survey_suppressions, types::Time};
use crate::error::{Error, Result};
use crate::ids::{AgentId, InvitationId, SuppressionId};
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// A suppression as stored.
#[derive(Queryable, Selectable, Debug, Clone)]
#[diesel(table_name = survey_suppressions)]
pub struct SuppressionRow {
    pub id: SuppressionId,
    pub address: String,
    pub detail: String,
    pub invitation_id: Option<InvitationId>,
    pub created_at: Time,
    pub lifted_at: Option<Time>,
    pub lifted_by: Option<AgentId>,
}

/// Whether an address is not asked. One look at the index.
pub fn is_suppressed(conn: &mut Conn, address: &str) -> Result<bool> {
    let found: Option<SuppressionId> = survey_suppressions::table
        .filter(survey_suppressions::address.eq(address).and(survey_suppressions::lifted_at.is_null()))
        .select(survey_suppressions::id)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}

/// An address is not asked from now on; none where it is so already. One insert; the index decides.
pub fn suppress(
    conn: &mut Conn,
    address: String,
    detail: String,
    invitation_id: Option<InvitationId>,
    now: DateTime<Utc>,
) -> Result<Option<SuppressionRow>> {
    let row = SuppressionRow {
        id: SuppressionId::new(),
        address,
        detail,
        invitation_id,
        created_at: Time(now),
        lifted_at: None,
        lifted_by: None,
    };
    let written = diesel::insert_into(survey_suppressions::table)
        .values((
            survey_suppressions::id.eq(row.id),
            survey_suppressions::address.eq(&row.address),
            survey_suppressions::detail.eq(&row.detail),
            survey_suppressions::invitation_id.eq(row.invitation_id),
            survey_suppressions::created_at.eq(row.created_at),
        ))
        .or_ignore()
        .execute(conn)?;
    Ok((written == 1).then_some(row))
}

/// One by id.
pub fn find(conn: &mut Conn, id: SuppressionId) -> Result<SuppressionRow> {
    survey_suppressions::table
        .find(id)
        .select(SuppressionRow::as_select())
        .first(conn)
        .optional()?
        .ok_or(Error::NotFound("suppression"))
}

/// A page after `after`, by age. One query.
pub fn list(
    conn: &mut Conn,
    (address, is_lifted): (Option<String>, Option<bool>),
    after: Option<SuppressionId>,
    limit: i64,
) -> Result<Vec<SuppressionRow>> {
    use survey_suppressions as s;
    let mut query = s::table.select(SuppressionRow::as_select()).order(s::id).limit(limit).into_boxed();
    if let Some(address) = address {
        query = query.filter(s::address.eq(address));
    }
    match is_lifted {
        Some(true) => query = query.filter(s::lifted_at.is_not_null()),
        Some(false) => query = query.filter(s::lifted_at.is_null()),
        None => {}
    }
    if let Some(after) = after {
        query = query.filter(s::id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// A person says that the address is good again; saying it twice changes nothing. Two queries.
pub fn lift(conn: &mut Conn, id: SuppressionId, agent: AgentId, now: DateTime<Utc>) -> Result<()> {
    find(conn, id)?;
    diesel::update(survey_suppressions::table.find(id).filter(survey_suppressions::lifted_at.is_null()))
        .set((survey_suppressions::lifted_at.eq(Time(now)), survey_suppressions::lifted_by.eq(agent)))
        .execute(conn)?;
    Ok(())
}
