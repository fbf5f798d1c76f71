//! Rows of links and merges, and what a ticket's row repeats of them.
use super::model::LinkKind;
use crate::Result;
use crate::db::{
    Conn,
    schema::{ticket_links, ticket_merges, tickets},
    types::{Json, Named, Time, Uid},
};
use crate::each;
use crate::ids::{AgentId, ClockId, TicketId};
use crate::tickets::model::Status;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Integer;
use serde::{Deserialize, Serialize};

/// What undoing a merge needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Was {
    /// Where the merged ticket stood.
    pub status: Status,
    /// Its promises that ran, and stand still since.
    pub held: Vec<ClockId>,
    /// When the ticket that stays was received by itself, in microseconds.
    pub own_received_micros: i64,
}

/// A merge in force.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = ticket_merges, treat_none_as_default_value = false)]
pub struct MergeRow {
    /// The merged ticket.
    pub ticket_id: TicketId,
    /// The one that stays.
    pub into_id: TicketId,
    /// Who did it.
    pub agent_id: Option<AgentId>,
    /// When.
    pub at: Time,
    /// What undoing it needs.
    pub was: Json,
}

/// Notes on both tickets' rows that there is something to look for.
pub fn mark(conn: &mut Conn, tickets: [TicketId; 2], bit: i32) -> Result<()> {
    let marked = "UPDATE tickets SET relations = relations | $1 WHERE id IN ($2, $3)";
    let [one, other] = tickets;
    each!(conn, conn => diesel::sql_query(marked)
        .bind::<Integer, _>(bit)
        .bind::<Uid, _>(one)
        .bind::<Uid, _>(other)
        .execute(conn))?;
    Ok(())
}

/// How two tickets are linked, from whichever end.
pub fn find_link(conn: &mut Conn, one: TicketId, other: TicketId) -> Result<Option<(TicketId, Named<LinkKind>)>> {
    use ticket_links as l;
    let between = (l::ticket_id.eq(one).and(l::other_id.eq(other))).or(l::ticket_id.eq(other).and(l::other_id.eq(one)));
    Ok(l::table.filter(between).select((l::ticket_id, l::kind)).first(conn).optional()?)
}

/// Links two tickets that are not.
pub fn insert_link(
    conn: &mut Conn,
    (ticket, other): (TicketId, TicketId),
    kind: LinkKind,
    agent: Option<AgentId>,
    now: DateTime<Utc>,
) -> Result<()> {
    use ticket_links as l;
    each!(conn, conn => diesel::insert_into(l::table)
        .values((l::ticket_id.eq(ticket), l::other_id.eq(other), l::kind.eq(Named(kind)), l::agent_id.eq(agent), l::at.eq(Time(now))))
        .execute(conn))?;
    Ok(())
}

/// Takes the link between two tickets away; false where there is none.
pub fn delete_link(conn: &mut Conn, one: TicketId, other: TicketId) -> Result<bool> {
    use ticket_links as l;
    let between = (l::ticket_id.eq(one).and(l::other_id.eq(other))).or(l::ticket_id.eq(other).and(l::other_id.eq(one)));
    Ok(diesel::delete(l::table.filter(between)).execute(conn)? > 0)
}

/// The merge of a ticket that is in force.
pub fn find_merge(conn: &mut Conn, ticket: TicketId) -> Result<Option<MergeRow>> {
    let merge = ticket_merges::table.filter(ticket_merges::ticket_id.eq(ticket));
    Ok(each!(conn, conn => merge.select(MergeRow::as_select()).first(conn)).optional()?)
}

/// What is merged into a ticket: when each was received, and what undoing it needs.
pub fn merged_into(conn: &mut Conn, into: TicketId) -> Result<Vec<(Time, Json)>> {
    Ok(ticket_merges::table
        .inner_join(tickets::table.on(tickets::id.eq(ticket_merges::ticket_id)))
        .filter(ticket_merges::into_id.eq(into))
        .select((tickets::received_at, ticket_merges::was))
        .load(conn)?)
}

/// Writes a merge, also on the ticket's row.
pub fn insert_merge(conn: &mut Conn, row: &MergeRow) -> Result<()> {
    each!(conn, conn => diesel::insert_into(ticket_merges::table).values(row).execute(conn))?;
    set_merged_into(conn, row.ticket_id, Some(row.into_id))
}

/// Takes a merge away, also from the ticket's row.
pub fn delete_merge(conn: &mut Conn, ticket: TicketId) -> Result<()> {
    diesel::delete(ticket_merges::table.filter(ticket_merges::ticket_id.eq(ticket))).execute(conn)?;
    set_merged_into(conn, ticket, None)
}

fn set_merged_into(conn: &mut Conn, ticket: TicketId, into: Option<TicketId>) -> Result<()> {
    diesel::update(tickets::table.filter(tickets::id.eq(ticket))).set(tickets::merged_into_id.eq(into)).execute(conn)?;
    Ok(())
}

/// The earliest receipt of all that is merged into a ticket.
pub fn set_received_at(conn: &mut Conn, ticket: TicketId, at: DateTime<Utc>) -> Result<()> {
    diesel::update(tickets::table.filter(tickets::id.eq(ticket))).set(tickets::received_at.eq(Time(at))).execute(conn)?;
    Ok(())
}
