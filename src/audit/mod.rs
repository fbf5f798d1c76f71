//! Audit: who changed what in the set-up of the desk. Rows of the same history as a ticket's, written in the change's transaction.
//!
//! A slice that admins keep calls [`created`], [`changed`] or [`removed`] with what its API shows of the thing, which holds
//! no secrets. Nothing is written where nothing changed.
pub mod api;
pub mod model;
mod store;

use crate::Result;
use crate::db::Conn;
use crate::timeline::{Actor, Kind};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// What a change was about: the word for it (`team`, `webhook`) and which one.
pub type Object = (&'static str, Uuid);

/// Something was made. One insert.
pub fn created(conn: &mut Conn, actor: Actor, object: Object, after: &impl Serialize, now: DateTime<Utc>) -> Result<()> {
    let after = model::shown(serde_json::to_value(after)?);
    store::insert(conn, Kind::Created, actor, object, json!({ "before": Value::Null, "after": after }), now)
}

/// Something was changed: only what differs is kept. One insert, or none.
pub fn changed(
    conn: &mut Conn,
    actor: Actor,
    object: Object,
    (before, after): (&impl Serialize, &impl Serialize),
    now: DateTime<Utc>,
) -> Result<()> {
    let before = model::shown(serde_json::to_value(before)?);
    let after = model::shown(serde_json::to_value(after)?);
    match model::difference(before, after) {
        Some((before, after)) => {
            store::insert(conn, Kind::Changed, actor, object, json!({ "before": before, "after": after }), now)
        }
        None => Ok(()),
    }
}

/// Something was taken away. One insert.
pub fn removed(conn: &mut Conn, actor: Actor, object: Object, before: &impl Serialize, now: DateTime<Utc>) -> Result<()> {
    let before = model::shown(serde_json::to_value(before)?);
    store::insert(conn, Kind::Removed, actor, object, json!({ "before": before, "after": Value::Null }), now)
}
