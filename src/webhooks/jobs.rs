//! The loop: hands events to webhooks, then sends what is due. A slow receiver holds up neither mail nor another receiver.
use super::fan_out::{self, Look};
use super::model::{self, Attempt};
use super::send::Request;
use super::sign;
use super::store::{self, DeliveryRow, WebhookRow};
use crate::app::App;
use crate::audit;
use crate::error::Result;
use crate::ids;
use crate::timeline::{self, Actor};
use actix_web::web::Data;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Longest pause between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// While somebody may still write below the horizon, it is looked at again after so long.
const LOOK_SOON: Duration = Duration::from_millis(20);
/// Such looks, when everything is to be done at once.
const LOOKS_MAX: usize = 500;
/// Webhooks that are sent to at once on one node.
const WEBHOOKS_AT_ONCE: i64 = 8;
/// Requests to one receiver at once; those about one ticket go one after the other.
const REQUESTS_AT_ONCE: usize = 4;
/// Deliveries of one webhook in one go.
const BATCH: i64 = 100;
/// A go starts no request after so long.
const GO_ON_FOR: Duration = Duration::from_secs(60);
/// A lease outlives a go by the time of a request, and this many seconds.
const LEASE_MARGIN_SECONDS: i64 = 60;
/// A receiver that cannot be reached at all is left alone for so long.
const UNREACHABLE_PAUSE: TimeDelta = TimeDelta::seconds(5);

/// What is sent about an event. The event itself never changes, so every attempt has the same bytes.
fn body(delivery: &DeliveryRow, event: Option<&timeline::Announced>) -> Result<Vec<u8>> {
    let (timestamp, data) = match event {
        None => (delivery.created_at.0, json!({})),
        Some(event) => (
            event.at.0,
            json!({
                "event_id": event.id, "ticket_id": event.ticket_id, "object": event.object, "object_id": event.object_id.map(|id| id.0),
                "actor": event.actor, "actor_id": event.actor_id.map(|id| id.0), "at": event.at.0, "data": event.data.0,
            }),
        ),
    };
    let whole: Value = json!({ "type": delivery.topic, "timestamp": timestamp, "data": data });
    Ok(serde_json::to_vec(&whole)?)
}

fn request(webhook: &WebhookRow, delivery: &DeliveryRow, body: Vec<u8>, now: DateTime<Utc>) -> Request {
    let previous = webhook.previous_secret.as_deref().filter(|_| webhook.previous_until.is_some_and(|until| now < until.0));
    let secrets: Vec<&[u8]> = std::iter::once(webhook.secret.as_slice()).chain(previous).collect();
    let id = format!("msg_{}", delivery.id.0.simple());
    let timestamp = now.timestamp();
    let signature = sign::header(&secrets, &id, timestamp, &body);
    Request { url: webhook.url.clone(), id, timestamp, signature, body }
}

/// One attempt, and how it ended; true where the receiver could be reached.
async fn attempt(app: &Data<App>, webhook: &WebhookRow, delivery: DeliveryRow, body: Vec<u8>) -> Result<bool> {
    let now = app.clock.now();
    let request = request(webhook, &delivery, body, now);
    let started = Instant::now();
    let desk = app.clone();
    let sent = tokio::task::spawn_blocking(move || desk.webhooks.send(request)).await;
    let duration_ms = i32::try_from(started.elapsed().as_millis()).unwrap_or(i32::MAX);
    let (status, error, answer) = match sent.unwrap_or_else(|_| Err("the attempt panicked".to_owned())) {
        Ok((status, answer)) => (Some(status), None, answer),
        Err(error) => (None, Some(error), None),
    };
    let attempt = Attempt { at: now, duration_ms, status, error, answer };
    app.metrics.job("webhook", if attempt.is_taken() { "done" } else { "retried" });
    let is_reached = attempt.status.is_some();
    let (days, jitter, now) = (app.config.webhooks.disable_after_days, ids::jitter(), app.clock.now());
    app.db
        .write(move |conn| {
            let next = model::next_at(delivery.attempts + 1, now, jitter);
            let give_up = |since| if attempt.is_taken() { None } else { model::give_up(&attempt, since, days, now) };
            if let Some((before, after)) = store::record(conn, &delivery, &attempt, (next, give_up), now)? {
                let shown =
                    |row: &WebhookRow| json!({ "active": row.is_active, "disabled_reason": row.disabled_reason.map(|r| r.0) });
                audit::changed(conn, Actor::Desk, ("webhook", before.id.0), (&shown(&before), &shown(&after)), now)?;
            }
            Ok(())
        })
        .await?;
    Ok(is_reached)
}

/// Sends what is due of a claimed webhook, and gives it back.
async fn send_due(app: Data<App>, webhook: WebhookRow) -> Result<usize> {
    let (id, now) = (webhook.id, app.clock.now());
    let (due, events) = app
        .db
        .read(move |conn| {
            let due = store::due(conn, id, now, BATCH)?;
            let ids: Vec<i64> = due.iter().filter_map(|delivery| delivery.event_id).collect();
            let events: HashMap<i64, timeline::Announced> =
                timeline::announced(conn, &ids)?.into_iter().map(|event| (event.id, event)).collect();
            Ok((due, events))
        })
        .await?;
    let mut groups: Vec<Vec<(DeliveryRow, Vec<u8>)>> = Vec::new();
    let mut of_ticket = HashMap::new();
    let count = due.len();
    for delivery in due {
        let event = delivery.event_id.and_then(|id| events.get(&id));
        let body = body(&delivery, event)?;
        let index = *of_ticket.entry(delivery.ticket_id).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(index) {
            group.push((delivery, body));
        }
    }
    let (webhook, turns, is_down) =
        (Arc::new(webhook), Arc::new(Semaphore::new(REQUESTS_AT_ONCE)), Arc::new(AtomicBool::new(false)));
    let started = Instant::now();
    let mut running = JoinSet::new();
    for group in groups {
        let (app, webhook, turns, is_down) = (app.clone(), webhook.clone(), turns.clone(), is_down.clone());
        running.spawn(async move {
            let _turn = turns.acquire_owned().await;
            for (delivery, body) in group {
                if is_down.load(Ordering::Relaxed) || started.elapsed() > GO_ON_FOR {
                    return;
                }
                match attempt(&app, &webhook, delivery, body).await {
                    Ok(true) => {}
                    Ok(false) => is_down.store(true, Ordering::Relaxed),
                    Err(error) => {
                        // It stays due and is sent again: at least once.
                        tracing::warn!(%error, "the end of a webhook's attempt could not be written");
                        return;
                    }
                }
            }
        });
    }
    while running.join_next().await.is_some() {}
    let not_before = is_down.load(Ordering::Relaxed).then(|| app.clock.now() + UNREACHABLE_PAUSE);
    app.db.write(move |conn| store::give_back(conn, &webhook, not_before)).await?;
    Ok(count)
}

async fn claim(app: &App, running: usize) -> Result<Vec<WebhookRow>> {
    let (now, limit) = (app.clock.now(), WEBHOOKS_AT_ONCE - running as i64);
    if limit <= 0 || !app.db.read(move |conn| store::is_any_due(conn, now)).await? {
        return Ok(Vec::new());
    }
    let seconds = GO_ON_FOR.as_secs() as i64 + app.config.webhooks.timeout_seconds as i64 + LEASE_MARGIN_SECONDS;
    app.db.write(move |conn| store::claim(conn, now, now + TimeDelta::seconds(seconds), limit)).await
}

async fn look(app: &App) -> Result<Look> {
    if !app.db.read(fan_out::is_anything_new).await? {
        return Ok(Look::Nothing);
    }
    let now = app.clock.now();
    app.db.write(move |conn| fan_out::look(conn, now)).await
}

/// Hands on and sends until nothing is due; says how much was done.
pub async fn catch_up(app: &Data<App>) -> Result<usize> {
    let (mut done, mut waited) = (0, 0);
    loop {
        match look(app).await? {
            Look::Handed(count) => {
                done += count;
                continue;
            }
            Look::Waits if waited < LOOKS_MAX => {
                waited += 1;
                tokio::time::sleep(LOOK_SOON).await;
                continue;
            }
            Look::Waits | Look::Nothing => {}
        }
        let claimed = claim(app, 0).await?;
        if claimed.is_empty() {
            return Ok(done);
        }
        for webhook in claimed {
            done += send_due(app.clone(), webhook).await?.max(1);
        }
    }
}

/// The loop. On stop it takes nothing new and waits for what runs.
pub async fn run(app: Data<App>, mut stop: watch::Receiver<bool>) {
    let mut running = JoinSet::new();
    while !*stop.borrow() {
        let mut pause = LOOK_EVERY;
        match look(&app).await {
            Ok(Look::Handed(_)) => pause = Duration::ZERO,
            Ok(Look::Waits) => pause = LOOK_SOON,
            Ok(Look::Nothing) => {}
            Err(error) => tracing::error!(%error, "events could not be handed to webhooks; it is tried again"),
        }
        match claim(&app, running.len()).await {
            Ok(claimed) => {
                for webhook in claimed {
                    let desk = app.clone();
                    running.spawn(async move {
                        if let Err(error) = send_due(desk, webhook).await {
                            // The lease runs out and the webhook is taken again.
                            tracing::warn!(%error, "a webhook could not be worked on");
                        }
                    });
                }
            }
            Err(error) => tracing::error!(%error, "webhooks could not be claimed; it is tried again"),
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            Some(_) = running.join_next() => {}
            _ = stop.changed() => {}
        }
    }
    while running.join_next().await.is_some() {}
}
