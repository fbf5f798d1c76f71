//! Writing and reading event rows.
use super::{Actor, Kind};
use crate::Result;
use crate::db::{
    Conn,
    schema::events,
    types::{Json, Named, Time, Uid},
};
use crate::each;
use crate::ids::TicketId;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::Value;

/// An id of whatever kind of actor.
#[derive(Clone, Copy, Debug, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
#[diesel(sql_type = Uid)]
pub struct ActorId(pub uuid::Uuid);
crate::db::types::uid_column!(ActorId);

/// One event as stored.
#[derive(Queryable, Debug, Clone)]
pub struct EventRow {
    /// Order of writing.
    pub id: i64,
    /// What happened.
    pub kind: Named<Kind>,
    /// Kind of actor.
    pub actor: String,
    /// Which one.
    pub actor_id: Option<ActorId>,
    /// When it happened (not when it was written).
    pub at: Time,
    /// Before, after and what else belongs to it.
    pub data: Json,
}

/// Writes one event in the caller's transaction; what happens around a relationship survey belongs to no ticket. One insert.
pub fn record(
    conn: &mut Conn,
    ticket: impl Into<Option<TicketId>>,
    kind: Kind,
    actor: Actor,
    at: DateTime<Utc>,
    data: Value,
) -> Result<()> {
    let ticket: Option<TicketId> = ticket.into();
    each!(conn, conn => diesel::insert_into(events::table)
        .values((
            events::ticket_id.eq(ticket),
            events::kind.eq(Named(kind)),
            events::actor.eq(actor.kind()),
            events::actor_id.eq(actor.id().map(ActorId)),
            events::at.eq(Time(at)),
            events::data.eq(Json(data)),
        ))
        .execute(conn))?;
    Ok(())
}

/// Writes an event that is about no ticket and no change by an admin. One insert.
pub fn tell(conn: &mut Conn, kind: Kind, actor: Actor, at: DateTime<Utc>, data: Value) -> Result<()> {
    each!(conn, conn => diesel::insert_into(events::table)
        .values((
            events::kind.eq(Named(kind)),
            events::actor.eq(actor.kind()),
            events::actor_id.eq(actor.id().map(ActorId)),
            events::at.eq(Time(at)),
            events::data.eq(Json(data)),
        ))
        .execute(conn))?;
    Ok(())
}

/// A ticket's history after `after`, oldest first. One query.
pub fn of_ticket(conn: &mut Conn, ticket: TicketId, after: i64, limit: i64) -> Result<Vec<EventRow>> {
    Ok(events::table
        .filter(events::ticket_id.eq(ticket).and(events::id.gt(after)))
        .order(events::id)
        .limit(limit)
        .select((events::id, events::kind, events::actor, events::actor_id, events::at, events::data))
        .load(conn)?)
}

/// An event of one of many tickets: whose, what, when, and what belongs to it.
pub type Told = (Option<TicketId>, Named<Kind>, Time, Json);

/// All events of some kinds in the histories of these tickets, in the order of writing. One query.
pub fn of_kinds(conn: &mut Conn, tickets: &[TicketId], kinds: &[Kind]) -> Result<Vec<Told>> {
    let kinds: Vec<Named<Kind>> = kinds.iter().copied().map(Named).collect();
    Ok(events::table
        .filter(events::ticket_id.eq_any(tickets).and(events::kind.eq_any(kinds)))
        .order(events::id)
        .select((events::ticket_id, events::kind, events::at, events::data))
        .load(conn)?)
}
