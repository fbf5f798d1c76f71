//! From events to deliveries: reads what was written since the last look, in order, none left out and none twice.
//!
//! On PostgreSQL ids are drawn before the commit: there a look draws a horizon ([`horizon`]) and keeps it beside the cursor.
use super::model::DeliveryState;
use super::store::{self, DeliveryRow};
use crate::Result;
use crate::db::{
    Conn,
    schema::{events, import_keys, webhook_cursor, webhook_deliveries, webhooks},
    types::{Named, Time},
};
use crate::each;
use crate::ids::{DeliveryId, TicketId, WebhookId};
use crate::timeline::{ActorId, Kind, horizon};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use std::collections::{HashMap, HashSet};

/// Events read in one transaction at the most.
const BATCH: i64 = 500;
/// Deliveries in one insert at the most: SQLite binds 32,766 values in a statement.
const INSERT_MAX: usize = 500;
/// What `import_keys` calls tickets.
const TICKETS: &str = "tickets";

/// What a look did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// So many events were handed on; there may be more.
    Handed(usize),
    /// There are events, but somebody may still write one below them.
    Waits,
    /// Nothing new.
    Nothing,
}

type Cursor = (i64, Option<i64>, Option<i64>);

/// Up to which id events may be read now.
fn bound(conn: &mut Conn) -> Result<(i64, Option<i64>, bool)> {
    use webhook_cursor as c;
    let columns = (c::event_id, c::horizon_id, c::horizon_xid);
    match conn {
        Conn::Sqlite(conn) => {
            let after: i64 = c::table.select(c::event_id).first(conn)?;
            let newest: Option<i64> = events::table.select(diesel::dsl::max(events::id)).first(conn)?;
            Ok((after, newest.filter(|newest| *newest > after), false))
        }
        Conn::Pg(conn) => {
            let (after, horizon, _): Cursor = c::table.select(columns).first(conn)?;
            if horizon.is_none() {
                // In this order, and no lock before.
                let newest = horizon::newest(conn)?;
                if newest <= after {
                    return Ok((after, None, false));
                }
                let own = horizon::own_id(conn)?;
                diesel::update(c::table.filter(c::horizon_id.is_null().and(c::event_id.eq(after))))
                    .set((c::horizon_id.eq(newest), c::horizon_xid.eq(own)))
                    .execute(conn)?;
                return Ok((after, None, true));
            }
            let (after, horizon, xid): Cursor = c::table.select(columns).for_update().first(conn)?;
            let is_closed = match xid {
                Some(xid) => horizon::is_closed(conn, xid)?,
                None => true,
            };
            Ok((after, horizon.filter(|_| is_closed), !is_closed))
        }
    }
}

/// Hands the next events on, in one transaction.
pub fn look(conn: &mut Conn, now: DateTime<Utc>) -> Result<Look> {
    let (after, bound, waits) = bound(conn)?;
    let Some(bound) = bound else { return Ok(if waits { Look::Waits } else { Look::Nothing }) };
    type Row = (i64, Option<TicketId>, Named<Kind>);
    let rows: Vec<Row> = events::table
        .filter(events::id.gt(after).and(events::id.le(bound)))
        .order(events::id)
        .limit(BATCH)
        .select((events::id, events::ticket_id, events::kind))
        .load(conn)?;
    hand_on(conn, &rows, now)?;
    let is_last = (rows.len() as i64) < BATCH;
    let reached = if is_last { bound } else { rows.last().map_or(bound, |row| row.0) };
    let cursor = diesel::update(webhook_cursor::table);
    if is_last {
        cursor
            .set((
                webhook_cursor::event_id.eq(reached),
                webhook_cursor::horizon_id.eq(None::<i64>),
                webhook_cursor::horizon_xid.eq(None::<i64>),
            ))
            .execute(conn)?;
    } else {
        cursor.set(webhook_cursor::event_id.eq(reached)).execute(conn)?;
    }
    Ok(Look::Handed(rows.len().max(1)))
}

/// What was imported happened elsewhere and long ago: nobody is told of it.
fn imported(conn: &mut Conn, tickets: HashSet<TicketId>) -> Result<HashMap<uuid::Uuid, i64>> {
    let ids: Vec<ActorId> = tickets.into_iter().map(|id| ActorId(id.0)).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(ActorId, i64)> = import_keys::table
        .filter(import_keys::kind.eq(TICKETS).and(import_keys::object_id.eq_any(ids)))
        .select((import_keys::object_id, import_keys::last_event_id))
        .load(conn)?;
    Ok(rows.into_iter().map(|(id, last)| (id.0, last)).collect())
}

/// One delivery for each event and webhook that asks for its topic. Four queries, and an update a webhook.
fn hand_on(conn: &mut Conn, rows: &[(i64, Option<TicketId>, Named<Kind>)], now: DateTime<Utc>) -> Result<()> {
    let listening: Vec<(WebhookId, String, i64)> = webhooks::table
        .filter(webhooks::is_active.eq(true))
        .select((webhooks::id, webhooks::topics, webhooks::after_event_id))
        .load(conn)?;
    if listening.is_empty() || rows.is_empty() {
        return Ok(());
    }
    let past = imported(conn, rows.iter().filter_map(|row| row.1).collect())?;
    let mut deliveries = Vec::new();
    let mut hit = HashSet::new();
    for (event, ticket, kind) in rows {
        if ticket.and_then(|id| past.get(&id.0)).is_some_and(|last| event <= last) {
            continue;
        }
        for (webhook, topics, after) in &listening {
            if event > after && (topics.is_empty() || topics.split(' ').any(|topic| topic == kind.0.as_str())) {
                hit.insert(*webhook);
                deliveries.push(DeliveryRow {
                    id: DeliveryId::new(),
                    webhook_id: *webhook,
                    event_id: Some(*event),
                    ticket_id: *ticket,
                    topic: kind.0.as_str().to_owned(),
                    state: Named(DeliveryState::Waiting),
                    attempts: 0,
                    next_at: Some(Time(now)),
                    created_at: Time(now),
                    ended_at: None,
                });
            }
        }
    }
    for chunk in deliveries.chunks(INSERT_MAX) {
        each!(conn, conn => diesel::insert_into(webhook_deliveries::table).values(chunk).execute(conn))?;
    }
    let mut hit: Vec<WebhookId> = hit.into_iter().collect();
    store::wake(conn, &mut hit, now)
}

/// Whether a look would find something. One or two looks at indexes.
pub fn is_anything_new(conn: &mut Conn) -> Result<bool> {
    if !store::is_any_active(conn)? {
        return Ok(false);
    }
    let (after, horizon): (i64, Option<i64>) =
        webhook_cursor::table.select((webhook_cursor::event_id, webhook_cursor::horizon_id)).first(conn)?;
    Ok(horizon.is_some() || store::newest_event(conn)? > after)
}
