//! `/agents`.
use super::{AgentRow, store};
use crate::Result;
use crate::accounts::caller::Agent;
use crate::accounts::contacts::wire::EmailAddress;
use crate::accounts::rights::Role;
use crate::app::App;
use crate::audit;
use crate::db::types::Named;
use crate::http::auth::Who;
use crate::http::extract::{Body, Id, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, read_cursor};
use crate::http::patch::not_null;
use crate::ids::AgentId;
use crate::seen::Seen;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// An agent to make.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentIn {
    /// What they are called.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, examples("Grace Hopper"))]
    name: String,
    /// Their address; unique, kept in lower case.
    #[schema(value_type = EmailAddress)]
    email: String,
    /// What they may do.
    role: Role,
}

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentPatch {
    /// What they are called.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    name: Option<String>,
    /// Their address.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = Option<EmailAddress>, nullable = false)]
    email: Option<String>,
    /// What they may do.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    role: Option<Role>,
    /// True: their tokens no longer work.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    disabled: Option<bool>,
}

/// An agent.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AgentOut {
    id: AgentId,
    name: String,
    email: String,
    role: Role,
    /// Their tokens do not work.
    disabled: bool,
    version: i32,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<AgentRow> for AgentOut {
    fn from(row: AgentRow) -> Self {
        let AgentRow { id, name, email, role, disabled_at, version, created_at, updated_at } = row;
        let disabled = disabled_at.is_some();
        Self { id, name, email, role: role.0, disabled, version, created_at: created_at.0, updated_at: updated_at.0 }
    }
}

/// Which agents to list.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AgentParams {
    /// Only those of this role.
    role: Option<Role>,
    /// Rows at the most.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Make an agent.
#[utoipa::path(post, path = "/api/v1/agents", tag = "accounts", request_body = AgentIn,
    responses((status = 201, description = "Made", body = AgentOut)))]
pub async fn create(app: Data<App>, who: Who, Now(now): Now, post: Post<AgentIn>) -> Result<HttpResponse> {
    let AgentIn { name, email, role } = post.body;
    post.once
        .run(&app, now, move |conn| {
            let made = AgentOut::from(store::insert(conn, &name, &email, role, now)?);
            audit::created(conn, who.0.actor(), ("agent", made.id.0), &made, now)?;
            Ok(Answer::created(format!("/api/v1/agents/{}", made.id), &made)?.version(made.version))
        })
        .await
}

/// List agents, oldest first.
#[utoipa::path(get, path = "/api/v1/agents", tag = "accounts", params(AgentParams),
    responses((status = 200, description = "A page", body = Page<AgentOut>)))]
pub async fn list(app: Data<App>, params: Params<AgentParams>, request: HttpRequest) -> Result<HttpResponse> {
    let AgentParams { role, limit, cursor } = params.0;
    let after = read_cursor(cursor.as_deref())?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.db.read(move |conn| store::list(conn, role, after, i64::from(limit) + 1)).await?;
    Ok(Page::of(rows, limit, |row| row.id)?.map(AgentOut::from).respond(&request))
}

/// The agent whose token this is.
#[utoipa::path(get, path = "/api/v1/agents/me", tag = "accounts",
    responses((status = 200, description = "The agent", body = AgentOut)))]
pub async fn me(app: Data<App>, agent: Agent) -> Result<HttpResponse> {
    one(&app, agent.id()).await
}

/// One agent.
#[utoipa::path(get, path = "/api/v1/agents/{id}", tag = "accounts", params(("id" = AgentId, Path)),
    responses((status = 200, description = "The agent", body = AgentOut)))]
pub async fn get(app: Data<App>, id: Id<AgentId>) -> Result<HttpResponse> {
    one(&app, id.0).await
}

async fn one(app: &App, id: AgentId) -> Result<HttpResponse> {
    let row = app.db.read(move |conn| store::find(conn, id)).await?;
    let version = row.version;
    Ok(Answer::ok(&AgentOut::from(row))?.version(version).into())
}

/// Change an agent. A lower role or a bar works at once on this node, within a second on all.
#[utoipa::path(patch, path = "/api/v1/agents/{id}", tag = "accounts", request_body = AgentPatch,
    params(("id" = AgentId, Path)), responses((status = 200, description = "As it is now", body = AgentOut)))]
pub async fn change(
    app: Data<App>,
    who: Who,
    Now(now): Now,
    id: Id<AgentId>,
    seen: Seen,
    body: Body<AgentPatch>,
) -> Result<HttpResponse> {
    let AgentPatch { name, email, role, disabled } = body.0;
    let email = email.as_deref().map(store::read_email).transpose()?;
    let agent = app
        .db
        .write(move |conn| {
            let mut before = None;
            let row = store::update(conn, id.0, seen, now, |row| {
                before = Some(AgentOut::from(row.clone()));
                row.name = name.unwrap_or(std::mem::take(&mut row.name));
                row.email = email.unwrap_or(std::mem::take(&mut row.email));
                row.role = role.map_or(row.role, Named);
                if let Some(disabled) = disabled {
                    row.disable(disabled, now);
                }
            })?;
            let after = AgentOut::from(row);
            audit::changed(conn, who.0.actor(), ("agent", id.0.0), (&before, &after), now)?;
            Ok(after)
        })
        .await?;
    app.known.forget();
    Ok(Answer::ok(&agent)?.version(agent.version).into())
}
