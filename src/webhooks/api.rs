//! `/webhooks`: where events go. The secret is shown when it is made and when it is changed, and never again.
use super::model::{self, DisabledReason, URL_MAX};
use super::sign;
use super::store::{self, WebhookRow};
use crate::app::App;
use crate::audit;
use crate::db::types::Time;
use crate::error::{Error, Result};
use crate::http::auth::Who;
use crate::http::extract::{Body, Id, Nothing, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, PageParams, read_cursor};
use crate::http::patch::not_null;
use crate::ids::{Secret, WebhookId};
use crate::seen::Seen;
use crate::timeline::Kind;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// After a rotation the old secret signs beside the new one for so long.
const OVERLAP: TimeDelta = TimeDelta::hours(24);
/// Topics that one webhook can name.
const TOPICS_MAX: u64 = 100;

/// A webhook to make.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookIn {
    /// Where events are sent: `https://`, without user or fragment, on the public internet.
    #[schema(max_length = 2000, examples("https://hooks.example.com/deskbell"))]
    url: String,
    /// What it is for.
    #[serde(default)]
    #[validate(length(max = 500))]
    #[schema(max_length = 500)]
    description: String,
    /// Which events; none means all.
    #[serde(default)]
    #[validate(length(max = TOPICS_MAX))]
    #[schema(max_items = 100, examples(json!(["ticket_closed", "clock_breached"])))]
    topics: Vec<Kind>,
    /// Whether anything is sent.
    #[serde(default = "yes")]
    active: bool,
}

fn yes() -> bool {
    true
}

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookPatch {
    /// Where events are sent.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(max_length = 2000, nullable = false)]
    url: Option<String>,
    /// What it is for.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(length(max = 500))]
    #[schema(max_length = 500, nullable = false)]
    description: Option<String>,
    /// Which events; none means all.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(length(max = TOPICS_MAX))]
    #[schema(max_items = 100, nullable = false)]
    topics: Option<Vec<Kind>>,
    /// Whether anything is sent. Switched on again, it hears what happens from then on, and what waits is sent.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    active: Option<bool>,
}

/// A webhook without its secret.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct WebhookOut {
    id: WebhookId,
    url: String,
    description: String,
    topics: Vec<Kind>,
    active: bool,
    /// Since when every attempt failed; null while it works.
    failing_since: Option<DateTime<Utc>>,
    /// When the desk switched it off.
    disabled_at: Option<DateTime<Utc>>,
    /// Why it did.
    disabled_reason: Option<DisabledReason>,
    /// Until when the secret before the last rotation signs too.
    previous_secret_until: Option<DateTime<Utc>>,
    version: i32,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<WebhookRow> for WebhookOut {
    type Error = Error;
    fn try_from(row: WebhookRow) -> Result<Self> {
        let WebhookRow {
            id,
            url,
            description,
            topics,
            is_active,
            secret: _,
            previous_secret: _,
            previous_until,
            after_event_id: _,
            failing_since,
            disabled_at,
            disabled_reason,
            next_at: _,
            lease_until: _,
            version,
            created_at,
            updated_at,
        } = row;
        Ok(Self {
            id,
            url,
            description,
            topics: topics.split_whitespace().map(str::parse).collect::<Result<_, _>>()?,
            active: is_active,
            failing_since: failing_since.map(|at| at.0),
            disabled_at: disabled_at.map(|at| at.0),
            disabled_reason: disabled_reason.map(|reason| reason.0),
            previous_secret_until: previous_until.map(|at| at.0),
            version,
            created_at: created_at.0,
            updated_at: updated_at.0,
        })
    }
}

/// A webhook with its new secret, shown this once.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct WebhookMade {
    #[serde(flatten)]
    webhook: WebhookOut,
    /// Checks the signatures (Standard Webhooks). A retry with the same Idempotency-Key gets null.
    secret: Option<String>,
}

fn joined(mut topics: Vec<Kind>) -> String {
    topics.sort_unstable();
    topics.dedup();
    topics.iter().map(|topic| topic.as_str()).collect::<Vec<_>>().join(" ")
}

fn check(app: &App, url: &str) -> Result<()> {
    if url.chars().count() > URL_MAX {
        return Err(Error::field("url", "length", format!("length must be at most {URL_MAX}")));
    }
    let settings = &app.config.webhooks;
    model::check_url(url, settings.allow_http, &settings.networks()).map_err(|why| Error::field("url", "url", why))
}

fn new_secret() -> Result<Vec<u8>> {
    Ok(Secret::new()?.digest())
}

fn with_secret(answer: impl FnOnce(&WebhookMade) -> Result<Answer>, webhook: WebhookOut, secret: &[u8]) -> Result<Answer> {
    let version = webhook.version;
    let mut made = WebhookMade { webhook, secret: Some(sign::shown(secret)) };
    let answer = answer(&made)?.version(version);
    made.secret = None;
    answer.keep(&made)
}

/// Make a webhook. Its secret is shown in this answer and never again.
#[utoipa::path(post, path = "/api/v1/webhooks", tag = "webhooks", request_body = WebhookIn,
    responses((status = 201, description = "Made", body = WebhookMade)))]
pub async fn create(app: Data<App>, who: Who, Now(now): Now, post: Post<WebhookIn>) -> Result<HttpResponse> {
    let WebhookIn { url, description, topics, active } = post.body;
    check(&app, &url)?;
    let secret = new_secret()?;
    let row = WebhookRow {
        id: WebhookId::new(),
        url,
        description,
        topics: joined(topics),
        is_active: active,
        secret: secret.clone(),
        previous_secret: None,
        previous_until: None,
        after_event_id: 0,
        failing_since: None,
        disabled_at: None,
        disabled_reason: None,
        next_at: None,
        lease_until: None,
        version: 1,
        created_at: Time(now),
        updated_at: Time(now),
    };
    post.once
        .run(&app, now, move |conn| {
            let webhook = WebhookOut::try_from(store::insert(conn, row)?)?;
            audit::created(conn, who.0.actor(), ("webhook", webhook.id.0), &webhook, now)?;
            let location = format!("/api/v1/webhooks/{}", webhook.id);
            with_secret(|made| Answer::created(location, made), webhook, &secret)
        })
        .await
}

/// List webhooks, oldest first.
#[utoipa::path(get, path = "/api/v1/webhooks", tag = "webhooks", params(PageParams),
    responses((status = 200, description = "A page", body = Page<WebhookOut>)))]
pub async fn list(app: Data<App>, params: Params<PageParams>, request: HttpRequest) -> Result<HttpResponse> {
    let after = read_cursor(params.0.cursor.as_deref())?;
    let limit = params.0.limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.db.read(move |conn| store::list(conn, after, i64::from(limit) + 1)).await?;
    let webhooks = rows.into_iter().map(WebhookOut::try_from).collect::<Result<Vec<_>>>()?;
    Ok(Page::of(webhooks, limit, |webhook| webhook.id)?.respond(&request))
}

/// One webhook.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}", tag = "webhooks", params(("id" = WebhookId, Path)),
    responses((status = 200, description = "The webhook", body = WebhookOut)))]
pub async fn get(app: Data<App>, id: Id<WebhookId>) -> Result<HttpResponse> {
    let webhook = WebhookOut::try_from(app.db.read(move |conn| store::find(conn, id.0)).await?)?;
    Ok(Answer::ok(&webhook)?.version(webhook.version).into())
}

/// Change a webhook.
#[utoipa::path(patch, path = "/api/v1/webhooks/{id}", tag = "webhooks", request_body = WebhookPatch,
    params(("id" = WebhookId, Path)), responses((status = 200, description = "As it is now", body = WebhookOut)))]
pub async fn change(
    app: Data<App>,
    who: Who,
    Now(now): Now,
    id: Id<WebhookId>,
    seen: Seen,
    body: Body<WebhookPatch>,
) -> Result<HttpResponse> {
    let WebhookPatch { url, description, topics, active } = body.0;
    url.as_deref().map(|url| check(&app, url)).transpose()?;
    let webhook = app
        .db
        .write(move |conn| {
            let (before, row) = store::update(conn, id.0, seen, now, |row| {
                row.url = url.unwrap_or(std::mem::take(&mut row.url));
                row.description = description.unwrap_or(std::mem::take(&mut row.description));
                row.topics = topics.map_or(std::mem::take(&mut row.topics), joined);
                row.is_active = active.unwrap_or(row.is_active);
            })?;
            let (before, after) = (WebhookOut::try_from(before)?, WebhookOut::try_from(row)?);
            audit::changed(conn, who.0.actor(), ("webhook", id.0.0), (&before, &after), now)?;
            Ok(after)
        })
        .await?;
    Ok(Answer::ok(&webhook)?.version(webhook.version).into())
}

/// Remove a webhook with all its deliveries.
#[utoipa::path(delete, path = "/api/v1/webhooks/{id}", tag = "webhooks", params(("id" = WebhookId, Path)),
    responses((status = 204, description = "Removed")))]
pub async fn remove(app: Data<App>, who: Who, Now(now): Now, id: Id<WebhookId>, seen: Seen) -> Result<HttpResponse> {
    app.db
        .write(move |conn| {
            let before = WebhookOut::try_from(store::remove(conn, id.0, seen)?)?;
            audit::removed(conn, who.0.actor(), ("webhook", id.0.0), &before, now)
        })
        .await?;
    Ok(Answer::nothing().into())
}

/// Give a webhook a new secret, shown in this answer alone. For 24 hours the old one signs too, so that receivers can follow.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/rotation", tag = "webhooks", request_body = Nothing,
    params(("id" = WebhookId, Path)), responses((status = 200, description = "With its new secret", body = WebhookMade)))]
pub async fn rotate(
    app: Data<App>,
    who: Who,
    Now(now): Now,
    id: Id<WebhookId>,
    seen: Seen,
    post: Post<Nothing>,
) -> Result<HttpResponse> {
    let secret = new_secret()?;
    post.once
        .run(&app, now, move |conn| {
            let shown = secret.clone();
            let (before, row) = store::update(conn, id.0, seen, now, |row| {
                row.previous_secret = Some(std::mem::replace(&mut row.secret, secret));
                row.previous_until = Some(Time(now + OVERLAP));
            })?;
            let (before, after) = (WebhookOut::try_from(before)?, WebhookOut::try_from(row)?);
            audit::changed(conn, who.0.actor(), ("webhook", id.0.0), (&before, &after), now)?;
            with_secret(Answer::ok, after, &shown)
        })
        .await
}
