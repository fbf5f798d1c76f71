//! `/views`.
use super::model::Audience;
use super::store::{self, ViewRow};
use crate::accounts::caller::Agent;
use crate::app::App;
use crate::db::types::{Json, Named, Time};
use crate::error::{Error, Result};
use crate::http::extract::{Body, Id, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, PageParams, read_cursor};
use crate::http::patch::{Patch, not_null};
use crate::ids::{AgentId, TeamId, ViewId};
use crate::seen::Seen;
use crate::tickets::{TicketOut, TicketParams, page_of};
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use validator::Validate;

/// A view to save.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewIn {
    /// What people find it by.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, examples("Urgent and unassigned"))]
    name: String,
    /// Whom it is for.
    audience: Audience,
    /// The team of a team's view.
    team_id: Option<TeamId>,
    /// The parameters of `GET /tickets`, but `limit` and `cursor`.
    #[validate(nested)]
    filter: TicketParams,
}

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewPatch {
    /// What people find it by.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    name: Option<String>,
    /// Whom it is for.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    audience: Option<Audience>,
    /// The team of a team's view.
    #[serde(default)]
    #[schema(value_type = Option<TeamId>)]
    team_id: Patch<TeamId>,
    /// All parameters, anew.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(nested)]
    #[schema(nullable = false)]
    filter: Option<TicketParams>,
}

/// A saved view.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ViewOut {
    id: ViewId,
    name: String,
    audience: Audience,
    team_id: Option<TeamId>,
    /// Who made it.
    agent_id: AgentId,
    /// Parameters of `GET /tickets`.
    #[schema(value_type = Object)]
    filter: Value,
    version: i32,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<ViewRow> for ViewOut {
    fn from(row: ViewRow) -> Self {
        let ViewRow { id, name, audience, agent_id, team_id, filter, version, created_at, updated_at } = row;
        let (created_at, updated_at) = (created_at.0, updated_at.0);
        Self { id, name, audience: audience.0, team_id, agent_id, filter: filter.0, version, created_at, updated_at }
    }
}

fn answer(row: ViewRow) -> Result<Answer> {
    let version = row.version;
    Ok(Answer::ok(&ViewOut::from(row))?.version(version))
}

/// What is stored: what was said, without what was not.
fn stored(filter: &TicketParams) -> Result<Json> {
    let mut filter = serde_json::to_value(filter)?;
    if let Value::Object(said) = &mut filter {
        said.retain(|_, value| !value.is_null());
        if let Some(name) = ["limit", "cursor"].into_iter().find(|name| said.contains_key(*name)) {
            return Err(Error::field(&format!("filter.{name}"), "unknown_field", "is said when the view is read"));
        }
    }
    Ok(Json(filter))
}

/// Save a view.
#[utoipa::path(post, path = "/api/v1/views", tag = "views", request_body = ViewIn,
    responses((status = 201, description = "Saved", body = ViewOut)))]
pub async fn create(app: Data<App>, agent: Agent, Now(now): Now, post: Post<ViewIn>) -> Result<HttpResponse> {
    let ViewIn { name, audience, team_id, filter } = post.body;
    let (id, at) = (ViewId::new(), Time(now));
    let (audience, filter, agent_id) = (Named(audience), stored(&filter)?, agent.id());
    let row = ViewRow { id, name, audience, agent_id, team_id, filter, version: 1, created_at: at, updated_at: at };
    post.once
        .run(&app, now, move |conn| {
            let made = ViewOut::from(store::insert(conn, &agent, row)?);
            Ok(Answer::created(format!("/api/v1/views/{}", made.id), &made)?.version(made.version))
        })
        .await
}

/// List your views, your teams' and everyone's, oldest first.
#[utoipa::path(get, path = "/api/v1/views", tag = "views", params(PageParams),
    responses((status = 200, description = "A page", body = Page<ViewOut>)))]
pub async fn list(app: Data<App>, agent: Agent, params: Params<PageParams>, request: HttpRequest) -> Result<HttpResponse> {
    let after = read_cursor(params.0.cursor.as_deref())?;
    let limit = params.0.limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.db.read(move |conn| store::list(conn, &agent, after, i64::from(limit) + 1)).await?;
    Ok(Page::of(rows, limit, |row| row.id)?.map(ViewOut::from).respond(&request))
}

/// One view.
#[utoipa::path(get, path = "/api/v1/views/{id}", tag = "views", params(("id" = ViewId, Path)),
    responses((status = 200, description = "The view", body = ViewOut)))]
pub async fn get(app: Data<App>, agent: Agent, id: Id<ViewId>) -> Result<HttpResponse> {
    Ok(answer(app.db.read(move |conn| store::find(conn, &agent, id.0)).await?)?.into())
}

/// Change a view.
#[utoipa::path(patch, path = "/api/v1/views/{id}", tag = "views", request_body = ViewPatch,
    params(("id" = ViewId, Path)), responses((status = 200, description = "As it is now", body = ViewOut)))]
pub async fn change(
    app: Data<App>,
    agent: Agent,
    Now(now): Now,
    id: Id<ViewId>,
    seen: Seen,
    body: Body<ViewPatch>,
) -> Result<HttpResponse> {
    let ViewPatch { name, audience, team_id, filter } = body.0;
    let filter = filter.as_ref().map(stored).transpose()?;
    let changed = app.db.write(move |conn| {
        store::update(conn, &agent, (id.0, seen), now, |row| {
            row.name = name.unwrap_or(std::mem::take(&mut row.name));
            row.audience = audience.map_or(row.audience, Named);
            team_id.apply(&mut row.team_id);
            row.filter = filter.unwrap_or(row.filter.clone());
        })
    });
    Ok(answer(changed.await?)?.into())
}

/// Take a view away.
#[utoipa::path(delete, path = "/api/v1/views/{id}", tag = "views", params(("id" = ViewId, Path)),
    responses((status = 204, description = "Gone")))]
pub async fn remove(app: Data<App>, agent: Agent, id: Id<ViewId>, seen: Seen) -> Result<HttpResponse> {
    app.db.write(move |conn| store::remove(conn, &agent, id.0, seen)).await?;
    Ok(Answer::nothing().into())
}

/// The tickets of a view, in its order.
#[utoipa::path(get, path = "/api/v1/views/{id}/tickets", tag = "views", params(("id" = ViewId, Path), PageParams),
    responses((status = 200, description = "A page of tickets", body = Page<TicketOut>)))]
pub async fn tickets(
    app: Data<App>,
    agent: Agent,
    Now(now): Now,
    id: Id<ViewId>,
    params: Params<PageParams>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let view = app.db.read(move |conn| store::find(conn, &agent, id.0)).await?;
    let filter: TicketParams = view.filter.to()?;
    page_of(&app, now, filter.at(params.0), &request).await
}
