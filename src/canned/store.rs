//! Rows of canned replies, and what their variables stand for on a ticket.
use crate::accounts::teams;
use crate::db::{
    Conn,
    schema::{canned_replies, contacts, organizations, teams as team_rows, tickets},
    types::Time,
};
use crate::each;
use crate::error::{Error, Result};
use crate::ids::{CannedReplyId, TeamId, TicketId};
use crate::seen::Seen;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// A canned reply as stored.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = canned_replies, treat_none_as_default_value = false)]
pub(super) struct CannedReplyRow {
    pub id: CannedReplyId,
    pub name: String,
    pub body: String,
    pub team_id: Option<TeamId>,
    pub version: i32,
    pub created_at: Time,
    pub updated_at: Time,
}

fn check_team(conn: &mut Conn, id: Option<TeamId>) -> Result<()> {
    match id {
        Some(id) if teams::calendar_of(conn, id)?.is_none() => Err(Error::field("team_id", "unknown_team", "is no team")),
        _ => Ok(()),
    }
}

/// Writes a new one. One insert, and a look-up of its team.
pub(super) fn insert(
    conn: &mut Conn,
    (name, body, team_id): (String, String, Option<TeamId>),
    now: DateTime<Utc>,
) -> Result<CannedReplyRow> {
    check_team(conn, team_id)?;
    let at = Time(now);
    let row = CannedReplyRow { id: CannedReplyId::new(), name, body, team_id, version: 1, created_at: at, updated_at: at };
    diesel::insert_into(canned_replies::table).values(&row).execute(conn)?;
    Ok(row)
}

/// One by id.
pub(super) fn find(conn: &mut Conn, id: CannedReplyId) -> Result<CannedReplyRow> {
    let found = canned_replies::table.find(id).select(CannedReplyRow::as_select()).first(conn).optional()?;
    found.ok_or(Error::NotFound("canned reply"))
}

/// A page after `after`, by age: a team's and everyone's where a team is named. One query.
pub(super) fn list(
    conn: &mut Conn,
    team: Option<TeamId>,
    after: Option<CannedReplyId>,
    limit: i64,
) -> Result<Vec<CannedReplyRow>> {
    let mut query = canned_replies::table.select(CannedReplyRow::as_select()).order(canned_replies::id).limit(limit).into_boxed();
    if let Some(team) = team {
        query = query.filter(canned_replies::team_id.eq(team).or(canned_replies::team_id.is_null()));
    }
    if let Some(after) = after {
        query = query.filter(canned_replies::id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// Changes what `patch` names. Two queries, one more where the team changes.
pub(super) fn update(
    conn: &mut Conn,
    id: CannedReplyId,
    seen: Seen,
    now: DateTime<Utc>,
    patch: impl FnOnce(&mut CannedReplyRow),
) -> Result<CannedReplyRow> {
    let mut row = find(conn, id)?;
    seen.check(row.version)?;
    let (version, team_id) = (row.version, row.team_id);
    patch(&mut row);
    if row.team_id != team_id {
        check_team(conn, row.team_id)?;
    }
    row.version += 1;
    row.updated_at = Time(now);
    let changed = diesel::update(canned_replies::table.find(id).filter(canned_replies::version.eq(version)))
        .set((
            canned_replies::name.eq(&row.name),
            canned_replies::body.eq(&row.body),
            canned_replies::team_id.eq(row.team_id),
            canned_replies::version.eq(row.version),
            canned_replies::updated_at.eq(row.updated_at),
        ))
        .execute(conn)?;
    if changed == 0 { Err(Error::Stale { current: version + 1 }) } else { Ok(row) }
}

/// Takes one away. Two queries.
pub(super) fn remove(conn: &mut Conn, id: CannedReplyId, seen: Seen) -> Result<()> {
    seen.check(find(conn, id)?.version)?;
    diesel::delete(canned_replies::table.find(id)).execute(conn)?;
    Ok(())
}

/// What the variables of a ticket stand for.
#[derive(Queryable)]
pub(super) struct Subject {
    pub number: i64,
    pub subject: String,
    pub contact: String,
    pub organization: Option<String>,
    pub team: Option<String>,
}

/// What the variables stand for on a ticket. One query.
pub(super) fn subject(conn: &mut Conn, ticket: TicketId) -> Result<Subject> {
    let found = tickets::table
        .inner_join(contacts::table.on(contacts::id.eq(tickets::contact_id)))
        .left_join(organizations::table.on(organizations::id.nullable().eq(tickets::organization_id)))
        .left_join(team_rows::table.on(team_rows::id.nullable().eq(tickets::team_id)))
        .filter(tickets::id.eq(ticket))
        .select((tickets::number, tickets::subject, contacts::name, organizations::name.nullable(), team_rows::name.nullable()));
    let row: Option<Subject> = each!(conn, conn => found.first(conn)).optional()?;
    row.ok_or_else(|| Error::field("ticket_id", "unknown_ticket", "is no ticket"))
}
