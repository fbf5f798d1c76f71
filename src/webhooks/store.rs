//! Webhook, delivery and attempt rows. Whoever changes a webhook and its deliveries locks the webhook first.
use super::model::{Attempt, DeliveryState, DisabledReason};
use crate::db::{
    Conn,
    ext::or_taken,
    schema::{events, webhook_attempts, webhook_cursor, webhook_deliveries, webhooks},
    types::{Named, Time},
};
use crate::error::{Error, Result};
use crate::ids::{DeliveryId, TicketId, WebhookId};
use crate::seen::Seen;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use std::collections::HashMap;

/// A webhook as stored.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Debug, Clone)]
#[diesel(table_name = webhooks, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct WebhookRow {
    pub id: WebhookId,
    pub url: String,
    pub description: String,
    pub topics: String,
    pub is_active: bool,
    pub secret: Vec<u8>,
    pub previous_secret: Option<Vec<u8>>,
    pub previous_until: Option<Time>,
    pub after_event_id: i64,
    pub failing_since: Option<Time>,
    pub disabled_at: Option<Time>,
    pub disabled_reason: Option<Named<DisabledReason>>,
    pub next_at: Option<Time>,
    pub lease_until: Option<Time>,
    pub version: i32,
    pub created_at: Time,
    pub updated_at: Time,
}

/// A delivery as stored.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = webhook_deliveries, treat_none_as_default_value = false)]
pub struct DeliveryRow {
    pub id: DeliveryId,
    pub webhook_id: WebhookId,
    pub event_id: Option<i64>,
    pub ticket_id: Option<TicketId>,
    pub topic: String,
    pub state: Named<DeliveryState>,
    pub attempts: i32,
    pub next_at: Option<Time>,
    pub created_at: Time,
    pub ended_at: Option<Time>,
}

/// An attempt as stored.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = webhook_attempts, treat_none_as_default_value = false)]
pub struct AttemptRow {
    pub delivery_id: DeliveryId,
    pub number: i32,
    pub at: Time,
    pub duration_ms: i32,
    pub status: Option<i32>,
    pub error: Option<String>,
    pub answer: Option<String>,
}

/// Whether any webhook is switched on. One look.
pub fn is_any_active(conn: &mut Conn) -> Result<bool> {
    let found: Option<WebhookId> =
        webhooks::table.filter(webhooks::is_active.eq(true)).select(webhooks::id).first(conn).optional()?;
    Ok(found.is_some())
}

/// The newest event there is; 0 where there is none.
pub fn newest_event(conn: &mut Conn) -> Result<i64> {
    let newest: Option<i64> = events::table.order(events::id.desc()).select(events::id).first(conn).optional()?;
    Ok(newest.unwrap_or(0))
}

/// A webhook begins to listen now. Where none did before, what happened meanwhile is passed over.
fn begin(conn: &mut Conn) -> Result<i64> {
    let newest = newest_event(conn)?;
    if !is_any_active(conn)? {
        diesel::update(webhook_cursor::table)
            .set((
                webhook_cursor::event_id.eq(newest),
                webhook_cursor::horizon_id.eq(None::<i64>),
                webhook_cursor::horizon_xid.eq(None::<i64>),
            ))
            .execute(conn)?;
    }
    Ok(newest)
}

/// Writes a new one that hears what happens from now on.
pub fn insert(conn: &mut Conn, mut row: WebhookRow) -> Result<WebhookRow> {
    if row.is_active {
        row.after_event_id = begin(conn)?;
    }
    diesel::insert_into(webhooks::table).values(&row).execute(conn)?;
    Ok(row)
}

/// One by id.
pub fn find(conn: &mut Conn, id: WebhookId) -> Result<WebhookRow> {
    webhooks::table.find(id).select(WebhookRow::as_select()).first(conn).optional()?.ok_or(Error::NotFound("webhook"))
}

/// One by id, locked until the commit.
fn lock(conn: &mut Conn, id: WebhookId) -> Result<WebhookRow> {
    let row: Option<WebhookRow> = match conn {
        Conn::Pg(conn) => webhooks::table.find(id).select(WebhookRow::as_select()).for_update().first(conn).optional()?,
        Conn::Sqlite(conn) => webhooks::table.find(id).select(WebhookRow::as_select()).first(conn).optional()?,
    };
    row.ok_or(Error::NotFound("webhook"))
}

/// A page after `after`, by age. One query.
pub fn list(conn: &mut Conn, after: Option<WebhookId>, limit: i64) -> Result<Vec<WebhookRow>> {
    let mut query = webhooks::table.select(WebhookRow::as_select()).order(webhooks::id).limit(limit).into_boxed();
    if let Some(after) = after {
        query = query.filter(webhooks::id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// Changes what `patch` names; one that is switched on again begins to listen now. Gives it as it was and as it is.
pub fn update(
    conn: &mut Conn,
    id: WebhookId,
    seen: Seen,
    now: DateTime<Utc>,
    patch: impl FnOnce(&mut WebhookRow),
) -> Result<(WebhookRow, WebhookRow)> {
    let before = lock(conn, id)?;
    seen.check(before.version)?;
    let mut row = before.clone();
    patch(&mut row);
    if row.is_active && !before.is_active {
        row.after_event_id = begin(conn)?;
        (row.failing_since, row.disabled_at, row.disabled_reason) = (None, None, None);
    }
    row.version += 1;
    row.updated_at = Time(now);
    diesel::update(webhooks::table.find(id)).set(&row).execute(conn)?;
    Ok((before, row))
}

/// Removes a webhook with its deliveries.
pub fn remove(conn: &mut Conn, id: WebhookId, seen: Seen) -> Result<WebhookRow> {
    let row = lock(conn, id)?;
    seen.check(row.version)?;
    diesel::delete(webhooks::table.find(id)).execute(conn)?;
    Ok(row)
}

/// Takes the webhooks that have something due, until `lease_until`. One query and an update each.
pub fn claim(conn: &mut Conn, now: DateTime<Utc>, lease_until: DateTime<Utc>, limit: i64) -> Result<Vec<WebhookRow>> {
    let free = || {
        webhooks::is_active
            .eq(true)
            .and(webhooks::next_at.le(Time(now)))
            .and(webhooks::lease_until.is_null().or(webhooks::lease_until.le(Time(now))))
    };
    let due: Vec<WebhookRow> =
        webhooks::table.filter(free()).order(webhooks::next_at).limit(limit).select(WebhookRow::as_select()).load(conn)?;
    let mut claimed = Vec::with_capacity(due.len());
    for mut row in due {
        row.lease_until = Some(Time(lease_until));
        let taken = diesel::update(webhooks::table.find(row.id).filter(free()))
            .set(webhooks::lease_until.eq(row.lease_until))
            .execute(conn)?;
        if taken == 1 {
            claimed.push(row);
        }
    }
    Ok(claimed)
}

/// Whether something is due. One look at the index.
pub fn is_any_due(conn: &mut Conn, now: DateTime<Utc>) -> Result<bool> {
    let found: Option<WebhookId> = webhooks::table
        .filter(webhooks::is_active.eq(true).and(webhooks::next_at.le(Time(now))))
        .filter(webhooks::lease_until.is_null().or(webhooks::lease_until.le(Time(now))))
        .select(webhooks::id)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}

fn first_due(conn: &mut Conn, id: WebhookId) -> Result<Option<Time>> {
    let next: Option<Option<Time>> = webhook_deliveries::table
        .filter(webhook_deliveries::webhook_id.eq(id).and(webhook_deliveries::next_at.is_not_null()))
        .order(webhook_deliveries::next_at)
        .select(webhook_deliveries::next_at)
        .first(conn)
        .optional()?;
    Ok(next.flatten())
}

/// Gives a claimed webhook back: its next delivery is due when it is, but not before `not_before`.
pub fn give_back(conn: &mut Conn, claimed: &WebhookRow, not_before: Option<DateTime<Utc>>) -> Result<()> {
    let row = match lock(conn, claimed.id) {
        // It was removed meanwhile.
        Err(Error::NotFound(_)) => return Ok(()),
        other => other?,
    };
    if row.lease_until != claimed.lease_until {
        return Ok(());
    }
    let next = first_due(conn, row.id)?.map(|at| not_before.map_or(at, |bound| Time(at.0.max(bound))));
    diesel::update(webhooks::table.find(row.id))
        .set((webhooks::next_at.eq(next), webhooks::lease_until.eq(None::<Time>)))
        .execute(conn)?;
    Ok(())
}

/// What is due of a webhook, in the order of events.
pub fn due(conn: &mut Conn, id: WebhookId, now: DateTime<Utc>, limit: i64) -> Result<Vec<DeliveryRow>> {
    Ok(webhook_deliveries::table
        .filter(webhook_deliveries::webhook_id.eq(id).and(webhook_deliveries::next_at.le(Time(now))))
        .order((webhook_deliveries::event_id, webhook_deliveries::id))
        .limit(limit)
        .select(DeliveryRow::as_select())
        .load(conn)?)
}

/// Writes how an attempt ended and when the next one is; a webhook that failed too long is switched off, and given back so.
pub fn record(
    conn: &mut Conn,
    delivery: &DeliveryRow,
    attempt: &Attempt,
    (next, give_up): (Option<DateTime<Utc>>, impl FnOnce(DateTime<Utc>) -> Option<DisabledReason>),
    now: DateTime<Utc>,
) -> Result<Option<(WebhookRow, WebhookRow)>> {
    use webhook_deliveries as d;
    let before = match lock(conn, delivery.webhook_id) {
        Err(Error::NotFound(_)) => return Ok(None),
        other => other?,
    };
    let (state, next_at) = match (attempt.is_taken(), next) {
        (true, _) => (DeliveryState::Delivered, None),
        (false, Some(at)) => (DeliveryState::Waiting, Some(Time(at))),
        (false, None) => (DeliveryState::Failed, None),
    };
    let ended_at = (state != DeliveryState::Waiting).then_some(Time(now));
    let number = delivery.attempts + 1;
    // Another node may have taken it over after our lease: then its attempt has this number.
    let ours = diesel::update(d::table.find(delivery.id).filter(d::attempts.eq(delivery.attempts)))
        .set((d::state.eq(Named(state)), d::attempts.eq(number), d::next_at.eq(next_at), d::ended_at.eq(ended_at)))
        .execute(conn)?;
    if ours == 0 {
        return Ok(None);
    }
    let row = AttemptRow {
        delivery_id: delivery.id,
        number,
        at: Time(attempt.at),
        duration_ms: attempt.duration_ms,
        status: attempt.status.map(i32::from),
        error: attempt.error.clone(),
        answer: attempt.answer.clone(),
    };
    let taken = || Error::internal("an attempt was written twice");
    or_taken(conn, taken, |conn| diesel::insert_into(webhook_attempts::table).values(&row).execute(conn))?;
    let mut after = before.clone();
    after.failing_since = if attempt.is_taken() { None } else { before.failing_since.or(Some(Time(now))) };
    let reason = after.failing_since.and_then(|since| give_up(since.0)).filter(|_| before.is_active);
    if let Some(reason) = reason {
        (after.is_active, after.disabled_at, after.disabled_reason) = (false, Some(Time(now)), Some(Named(reason)));
        after.version += 1;
        after.updated_at = Time(now);
    }
    if after.failing_since != before.failing_since || reason.is_some() {
        diesel::update(webhooks::table.find(before.id))
            .set((
                webhooks::failing_since.eq(after.failing_since),
                webhooks::is_active.eq(after.is_active),
                webhooks::disabled_at.eq(after.disabled_at),
                webhooks::disabled_reason.eq(after.disabled_reason),
                webhooks::version.eq(after.version),
                webhooks::updated_at.eq(after.updated_at),
            ))
            .execute(conn)?;
    }
    Ok(reason.map(|_| (before, after)))
}

/// Something of these webhooks is due now. One update each, in one order.
pub fn wake(conn: &mut Conn, ids: &mut [WebhookId], now: DateTime<Utc>) -> Result<()> {
    ids.sort_unstable();
    for id in ids {
        diesel::update(webhooks::table.find(*id))
            .filter(webhooks::next_at.is_null().or(webhooks::next_at.gt(Time(now))))
            .set(webhooks::next_at.eq(Time(now)))
            .execute(conn)?;
    }
    Ok(())
}

/// Writes a delivery that comes from no event, due now.
pub fn ping(conn: &mut Conn, id: WebhookId, now: DateTime<Utc>) -> Result<DeliveryRow> {
    let row = active(conn, id)?;
    let delivery = DeliveryRow {
        id: DeliveryId::new(),
        webhook_id: row.id,
        event_id: None,
        ticket_id: None,
        topic: "ping".to_owned(),
        state: Named(DeliveryState::Waiting),
        attempts: 0,
        next_at: Some(Time(now)),
        created_at: Time(now),
        ended_at: None,
    };
    diesel::insert_into(webhook_deliveries::table).values(&delivery).execute(conn)?;
    wake(conn, &mut [id], now)?;
    Ok(delivery)
}

fn active(conn: &mut Conn, id: WebhookId) -> Result<WebhookRow> {
    let row = lock(conn, id)?;
    if row.is_active {
        Ok(row)
    } else {
        Err(Error::conflict("webhook_inactive", "the webhook is switched off: switch it on first"))
    }
}

/// A person has a delivery sent again, whatever became of it.
pub fn retry(conn: &mut Conn, id: DeliveryId, now: DateTime<Utc>) -> Result<DeliveryRow> {
    use webhook_deliveries as d;
    let found = find_delivery(conn, id)?;
    active(conn, found.webhook_id)?;
    diesel::update(d::table.find(id))
        .set((d::state.eq(Named(DeliveryState::Waiting)), d::next_at.eq(Time(now)), d::ended_at.eq(None::<Time>)))
        .execute(conn)?;
    wake(conn, &mut [found.webhook_id], now)?;
    find_delivery(conn, id)
}

/// One delivery by id.
pub fn find_delivery(conn: &mut Conn, id: DeliveryId) -> Result<DeliveryRow> {
    webhook_deliveries::table.find(id).select(DeliveryRow::as_select()).first(conn).optional()?.ok_or(Error::NotFound("delivery"))
}

/// A page of a webhook's deliveries, newest first. One query.
pub fn deliveries(
    conn: &mut Conn,
    id: WebhookId,
    state: Option<DeliveryState>,
    before: Option<DeliveryId>,
    limit: i64,
) -> Result<Vec<DeliveryRow>> {
    use webhook_deliveries as d;
    let mut query =
        d::table.filter(d::webhook_id.eq(id)).order(d::id.desc()).limit(limit).select(DeliveryRow::as_select()).into_boxed();
    if let Some(state) = state {
        query = query.filter(d::state.eq(Named(state)));
    }
    if let Some(before) = before {
        query = query.filter(d::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// The attempts of a page of deliveries, oldest first. One query.
pub fn attempts(conn: &mut Conn, ids: &[DeliveryId]) -> Result<HashMap<DeliveryId, Vec<AttemptRow>>> {
    let rows: Vec<AttemptRow> = webhook_attempts::table
        .filter(webhook_attempts::delivery_id.eq_any(ids))
        .order((webhook_attempts::delivery_id, webhook_attempts::number))
        .select(AttemptRow::as_select())
        .load(conn)?;
    let mut lists: HashMap<DeliveryId, Vec<AttemptRow>> = HashMap::new();
    for row in rows {
        lists.entry(row.delivery_id).or_default().push(row);
    }
    Ok(lists)
}

/// Forgets deliveries that ended before; says how many.
pub fn forget(conn: &mut Conn, before: DateTime<Utc>) -> Result<usize> {
    Ok(diesel::delete(webhook_deliveries::table.filter(webhook_deliveries::ended_at.lt(Time(before)))).execute(conn)?)
}
