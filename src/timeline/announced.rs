//! Events as others are told of them, by their ids.
use super::ActorId;
use crate::Result;
use crate::db::{
    Conn,
    schema::events,
    types::{Json, Time},
};
use crate::ids::TicketId;
use diesel::prelude::*;

/// One event with all that it is about.
#[derive(Queryable, Debug, Clone)]
#[expect(missing_docs, reason = "columns")]
pub struct Announced {
    pub id: i64,
    pub ticket_id: Option<TicketId>,
    pub actor: String,
    pub actor_id: Option<ActorId>,
    pub at: Time,
    pub data: Json,
    pub object: Option<String>,
    pub object_id: Option<ActorId>,
}

/// The events with these ids. One query.
pub fn announced(conn: &mut Conn, ids: &[i64]) -> Result<Vec<Announced>> {
    Ok(events::table
        .filter(events::id.eq_any(ids))
        .select((
            events::id,
            events::ticket_id,
            events::actor,
            events::actor_id,
            events::at,
            events::data,
            events::object,
            events::object_id,
        ))
        .load(conn)?)
}
