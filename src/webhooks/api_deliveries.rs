//! `/webhooks/{id}/deliveries`, `/webhooks/{id}/ping`, `/webhooks/deliveries/{id}`: what was sent, and how it went.
use super::model::DeliveryState;
use super::store::{self, AttemptRow, DeliveryRow};
use crate::Result;
use crate::app::App;
use crate::http::extract::{Id, Nothing, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, read_cursor};
use crate::ids::{DeliveryId, TicketId, WebhookId};
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// One attempt.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DeliveryAttemptOut {
    /// 1 for the first.
    number: i32,
    /// When it began.
    at: DateTime<Utc>,
    /// How long it took.
    duration_ms: i32,
    /// Status of the answer; null where none came.
    status: Option<i32>,
    /// Why none came.
    error: Option<String>,
    /// The first of the answer's text.
    answer: Option<String>,
}

/// One event on its way to one webhook.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DeliveryOut {
    /// `webhook-id` is `msg_` and this without hyphens, the same at every attempt.
    id: DeliveryId,
    webhook_id: WebhookId,
    /// The event; null for a ping.
    event_id: Option<i64>,
    /// The ticket it is about, where it is about one.
    ticket_id: Option<TicketId>,
    /// The event's kind, or `ping`.
    #[schema(examples("ticket_closed"))]
    topic: String,
    state: DeliveryState,
    /// When it is sent next; null once it has ended.
    next_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    /// When it was taken, or given up.
    ended_at: Option<DateTime<Utc>>,
    /// Oldest first.
    attempts: Vec<DeliveryAttemptOut>,
}

impl DeliveryOut {
    fn of(row: DeliveryRow, attempts: Vec<AttemptRow>) -> Self {
        let DeliveryRow { id, webhook_id, event_id, ticket_id, topic, state, attempts: _, next_at, created_at, ended_at } = row;
        let attempt = |row: AttemptRow| {
            let AttemptRow { delivery_id: _, number, at, duration_ms, status, error, answer } = row;
            DeliveryAttemptOut { number, at: at.0, duration_ms, status, error, answer }
        };
        Self {
            id,
            webhook_id,
            event_id,
            ticket_id,
            topic,
            state: state.0,
            next_at: next_at.map(|at| at.0),
            created_at: created_at.0,
            ended_at: ended_at.map(|at| at.0),
            attempts: attempts.into_iter().map(attempt).collect(),
        }
    }
}

/// Which deliveries to list.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeliveryParams {
    /// Only those that stand so.
    state: Option<DeliveryState>,
    /// Rows at the most.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Deliveries of a webhook with their attempts, newest first. Ended ones are kept for `webhooks.keep_days`.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}/deliveries", tag = "webhooks", params(("id" = WebhookId, Path), DeliveryParams),
    responses((status = 200, description = "A page of deliveries", body = Page<DeliveryOut>)))]
pub async fn list(
    app: Data<App>,
    id: Id<WebhookId>,
    params: Params<DeliveryParams>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let DeliveryParams { state, limit, cursor } = params.0;
    let before = read_cursor(cursor.as_deref())?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    let (rows, mut attempts) = app
        .db
        .read(move |conn| {
            store::find(conn, id.0)?;
            let rows = store::deliveries(conn, id.0, state, before, i64::from(limit) + 1)?;
            let ids: Vec<DeliveryId> = rows.iter().map(|row| row.id).collect();
            let attempts = store::attempts(conn, &ids)?;
            Ok((rows, attempts))
        })
        .await?;
    let page = Page::of(rows, limit, |row| row.id)?;
    Ok(page
        .map(|row| {
            let tried = attempts.remove(&row.id).unwrap_or_default();
            DeliveryOut::of(row, tried)
        })
        .respond(&request))
}

/// One delivery with its attempts.
#[utoipa::path(get, path = "/api/v1/webhooks/deliveries/{id}", tag = "webhooks", params(("id" = DeliveryId, Path)),
    responses((status = 200, description = "The delivery", body = DeliveryOut)))]
pub async fn get(app: Data<App>, id: Id<DeliveryId>) -> Result<HttpResponse> {
    let (row, mut attempts) =
        app.db.read(move |conn| Ok((store::find_delivery(conn, id.0)?, store::attempts(conn, &[id.0])?))).await?;
    let attempts = attempts.remove(&row.id).unwrap_or_default();
    Ok(HttpResponse::Ok().json(DeliveryOut::of(row, attempts)))
}

/// Send a delivery again now, whatever became of it.
#[utoipa::path(post, path = "/api/v1/webhooks/deliveries/{id}/retry", tag = "webhooks", request_body = Nothing,
    params(("id" = DeliveryId, Path)), responses((status = 200, description = "It is due now", body = DeliveryOut)))]
pub async fn retry(app: Data<App>, Now(now): Now, id: Id<DeliveryId>, post: Post<Nothing>) -> Result<HttpResponse> {
    post.once
        .run(&app, now, move |conn| {
            let row = store::retry(conn, id.0, now)?;
            let attempts = store::attempts(conn, &[id.0])?.remove(&row.id).unwrap_or_default();
            Answer::ok(&DeliveryOut::of(row, attempts))
        })
        .await
}

/// Send a webhook an event of no meaning, to see whether it takes it.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/ping", tag = "webhooks", request_body = Nothing,
    params(("id" = WebhookId, Path)), responses((status = 201, description = "It is due now", body = DeliveryOut)))]
pub async fn ping(app: Data<App>, Now(now): Now, id: Id<WebhookId>, post: Post<Nothing>) -> Result<HttpResponse> {
    post.once
        .run(&app, now, move |conn| {
            let row = store::ping(conn, id.0, now)?;
            Answer::created(format!("/api/v1/webhooks/deliveries/{}", row.id), &DeliveryOut::of(row, Vec::new()))
        })
        .await
}
