//! `/policies`.
use super::dry_run::{DryRunOut, DryRunParams};
use super::moves::{self, commands::Edit};
use super::policies::{self, Edited};
use super::wire::PolicyDefinition;
use crate::Result;
use crate::app::App;
use crate::audit;
use crate::db::{Conn, undo::undone};
use crate::http::auth::Who;
use crate::http::extract::{Body, Id, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, PageParams, read_cursor};
use crate::ids::PolicyId;
use crate::seen::Seen;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// A policy to make, or what one is to become.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyIn {
    /// What people call it; unique.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, examples("Phone: a person within 20 seconds"))]
    name: String,
    /// Policies are asked from the lowest position up; the first that matches holds.
    #[serde(deserialize_with = "crate::http::patch::whole")]
    #[validate(range(min = 0, max = 1_000_000))]
    #[schema(minimum = 0, maximum = 1_000_000)]
    position: i32,
    /// Whether it is asked at all.
    #[serde(default = "yes")]
    is_active: bool,
    /// What it says.
    #[validate(nested)]
    definition: PolicyDefinition,
}

fn yes() -> bool {
    true
}

/// A policy.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PolicyOut {
    id: PolicyId,
    name: String,
    position: i32,
    is_active: bool,
    version: i32,
    definition: PolicyDefinition,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Edited> for PolicyOut {
    fn from(policy: Edited) -> Self {
        let Edited { id, name, position, is_active, version, definition, created_at, updated_at } = policy;
        Self { id, name, position, is_active, version, definition, created_at, updated_at }
    }
}

fn answer(policy: Edited) -> Result<HttpResponse> {
    let version = policy.version;
    Ok(Answer::ok(&PolicyOut::from(policy))?.version(version).into())
}

/// Make a policy. Promises that come under it now are laid out by its targets from their original start, in a job.
#[utoipa::path(post, path = "/api/v1/policies", tag = "promises", request_body = PolicyIn,
    responses((status = 201, description = "Made", body = PolicyOut)))]
pub async fn create(app: Data<App>, who: Who, Now(now): Now, post: Post<PolicyIn>) -> Result<HttpResponse> {
    let PolicyIn { name, position, is_active, definition } = post.body;
    let done = post
        .once
        .run(&app, now, move |conn| {
            let made = PolicyOut::from(policies::insert_policy(conn, (name, position, is_active), definition, now)?);
            audit::created(conn, who.0.actor(), ("policy", made.id.0), &made, now)?;
            moves::commands::follow_policy(conn, made.id, made.version, now)?;
            Ok(Answer::created(format!("/api/v1/policies/{}", made.id), &made)?.version(made.version))
        })
        .await?;
    app.jobs_queued.notify_one();
    Ok(done)
}

/// List policies in the order in which they are asked.
#[utoipa::path(get, path = "/api/v1/policies", tag = "promises", params(PageParams),
    responses((status = 200, description = "A page", body = Page<PolicyOut>)))]
pub async fn list(app: Data<App>, params: Params<PageParams>, request: HttpRequest) -> Result<HttpResponse> {
    let after = read_cursor(params.0.cursor.as_deref())?;
    let limit = params.0.limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.db.read(move |conn| policies::list(conn, after, i64::from(limit) + 1)).await?;
    Ok(Page::of(rows, limit, |row| (row.position, row.id))?.map(PolicyOut::from).respond(&request))
}

/// One policy.
#[utoipa::path(get, path = "/api/v1/policies/{id}", tag = "promises", params(("id" = PolicyId, Path)),
    responses((status = 200, description = "The policy", body = PolicyOut)))]
pub async fn get(app: Data<App>, id: Id<PolicyId>) -> Result<HttpResponse> {
    answer(app.db.read(move |conn| policies::find(conn, id.0)).await?)
}

/// What replacing a policy answers: the policy, or with `dry_run=true` what would move.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum PolicyReplaced {
    /// The policy.
    Policy(PolicyOut),
    /// What would move.
    DryRun(DryRunOut),
}

/// Replace a policy: a new version. Promises that run under it, or come under it now, are laid out by the new targets from
/// their original start, in a job; what is broken stays.
#[utoipa::path(put, path = "/api/v1/policies/{id}", tag = "promises", request_body = PolicyIn,
    params(("id" = PolicyId, Path), DryRunParams), responses((status = 200, description = "As it is now", body = PolicyReplaced)))]
pub async fn replace(
    app: Data<App>,
    who: Who,
    Now(now): Now,
    id: Id<PolicyId>,
    seen: Seen,
    params: Params<DryRunParams>,
    body: Body<PolicyIn>,
) -> Result<HttpResponse> {
    let PolicyIn { name, position, is_active, definition } = body.0;
    let save = move |conn: &mut Conn| {
        let (mut changed, mut before) = (false, None);
        let policy = policies::update(conn, id.0, seen, now, |policy| {
            before = Some(PolicyOut::from(policy.clone()));
            changed = (policy.position, policy.is_active, &policy.definition) != (position, is_active, &definition);
            (policy.name, policy.position, policy.is_active, policy.definition) = (name, position, is_active, definition);
        })?;
        audit::changed(conn, who.0.actor(), ("policy", id.0.0), (&before, &PolicyOut::from(policy.clone())), now)?;
        if changed {
            moves::commands::follow_policy(conn, policy.id, policy.version, now)?;
        }
        Ok(policy)
    };
    if params.0.dry_run {
        let edit = move |conn: &mut Conn| {
            let policy = save(conn)?;
            Edit::of_policy(conn, policy.id, now)
        };
        let edit = app.db.write(move |conn| undone(conn, edit)).await?;
        let plan = app.db.read(move |conn| moves::commands::plan(conn, vec![edit], now)).await?;
        return Ok(HttpResponse::Ok().json(plan));
    }
    let policy = app.db.write(save).await?;
    app.jobs_queued.notify_one();
    answer(policy)
}

/// Remove a policy under which no promise ever ran.
#[utoipa::path(delete, path = "/api/v1/policies/{id}", tag = "promises", params(("id" = PolicyId, Path)),
    responses((status = 204, description = "Removed")))]
pub async fn remove(app: Data<App>, who: Who, Now(now): Now, id: Id<PolicyId>, seen: Seen) -> Result<HttpResponse> {
    app.db
        .write(move |conn| {
            let before = PolicyOut::from(policies::find(conn, id.0)?);
            policies::remove(conn, id.0, seen)?;
            audit::removed(conn, who.0.actor(), ("policy", id.0.0), &before, now)
        })
        .await?;
    Ok(Answer::nothing().into())
}
