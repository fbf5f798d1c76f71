//! Event rows that are about an object and no ticket.
use super::Object;
use crate::Result;
use crate::db::{
    Conn,
    schema::{agents, events, tokens},
    types::{Json, Named, Time},
};
use crate::each;
use crate::timeline::{Actor, ActorId, Kind};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

/// A change as stored, with the name of who made it.
#[derive(Queryable, Debug, Clone)]
pub struct ChangeRow {
    pub id: i64,
    pub kind: Named<Kind>,
    pub actor: String,
    pub actor_id: Option<ActorId>,
    pub at: Time,
    pub data: Json,
    pub object: Option<String>,
    pub object_id: Option<ActorId>,
    pub agent_name: Option<String>,
    pub token_name: Option<String>,
}

/// Which changes; what is `None` does not filter.
#[derive(Debug, Default)]
pub struct Filter {
    pub actor_id: Option<Uuid>,
    pub object: Option<String>,
    pub object_id: Option<Uuid>,
    pub kind: Option<Kind>,
    pub from: Option<DateTime<Utc>>,
    pub to: Option<DateTime<Utc>>,
}

/// Writes a change in the caller's transaction. One insert.
pub fn insert(
    conn: &mut Conn,
    kind: Kind,
    actor: Actor,
    (object, id): Object,
    data: serde_json::Value,
    now: DateTime<Utc>,
) -> Result<()> {
    each!(conn, conn => diesel::insert_into(events::table)
        .values((
            events::kind.eq(Named(kind)),
            events::actor.eq(actor.kind()),
            events::actor_id.eq(actor.id().map(ActorId)),
            events::at.eq(Time(now)),
            events::data.eq(Json(data)),
            events::object.eq(object),
            events::object_id.eq(ActorId(id)),
        ))
        .execute(conn))?;
    Ok(())
}

/// A page of changes, newest first, before `before`. One query.
pub fn list(conn: &mut Conn, filter: &Filter, before: Option<i64>, limit: i64) -> Result<Vec<ChangeRow>> {
    let mut query = events::table
        .left_join(agents::table.on(agents::id.nullable().eq(events::actor_id)))
        .left_join(tokens::table.on(tokens::id.nullable().eq(events::actor_id)))
        .filter(events::object.is_not_null())
        .order(events::id.desc())
        .limit(limit)
        .select((
            events::id,
            events::kind,
            events::actor,
            events::actor_id,
            events::at,
            events::data,
            events::object,
            events::object_id,
            agents::name.nullable(),
            tokens::name.nullable(),
        ))
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(events::id.lt(before));
    }
    if let Some(id) = filter.actor_id {
        query = query.filter(events::actor_id.eq(ActorId(id)));
    }
    if let Some(object) = &filter.object {
        query = query.filter(events::object.eq(object.clone()));
    }
    if let Some(id) = filter.object_id {
        query = query.filter(events::object_id.eq(ActorId(id)));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(events::kind.eq(Named(kind)));
    }
    if let Some(from) = filter.from {
        query = query.filter(events::at.ge(Time(from)));
    }
    if let Some(to) = filter.to {
        query = query.filter(events::at.lt(Time(to)));
    }
    Ok(query.load(conn)?)
}
