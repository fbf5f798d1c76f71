//! `/organizations`.
use super::{OrganizationRow, store};
use crate::Result;
use crate::app::App;
use crate::audit;
use crate::http::auth::Who;
use crate::http::extract::{Body, Id, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, read_cursor};
use crate::http::patch::{Patch, not_null};
use crate::ids::OrganizationId;
use crate::seen::Seen;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// An organization to make.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganizationIn {
    /// Its name.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, examples("Nordwind Hosting GmbH"))]
    name: String,
    /// The company's own account id for this reseller; unique.
    #[validate(length(min = 1, max = 100))]
    #[schema(min_length = 1, max_length = 100, examples("R-10422"))]
    account: Option<String>,
}

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganizationPatch {
    /// Its name.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    name: Option<String>,
    /// The account id; null takes it away.
    #[serde(default)]
    #[validate(nested)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    account: Patch<String>,
}

/// An organization.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct OrganizationOut {
    id: OrganizationId,
    name: String,
    account: Option<String>,
    version: i32,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<OrganizationRow> for OrganizationOut {
    fn from(row: OrganizationRow) -> Self {
        let OrganizationRow { id, account, name, version, created_at, updated_at } = row;
        Self { id, name, account, version, created_at: created_at.0, updated_at: updated_at.0 }
    }
}

/// Which organizations to list.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OrganizationParams {
    /// Only the one with this account id.
    account: Option<String>,
    /// Rows at the most.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Make an organization.
#[utoipa::path(post, path = "/api/v1/organizations", tag = "accounts", request_body = OrganizationIn,
    responses((status = 201, description = "Made", body = OrganizationOut)))]
pub async fn create(app: Data<App>, who: Who, Now(now): Now, post: Post<OrganizationIn>) -> Result<HttpResponse> {
    let OrganizationIn { name, account } = post.body;
    post.once
        .run(&app, now, move |conn| {
            let made = OrganizationOut::from(store::insert(conn, name, account, now)?);
            audit::created(conn, who.0.actor(), ("organization", made.id.0), &made, now)?;
            Ok(Answer::created(format!("/api/v1/organizations/{}", made.id), &made)?.version(made.version))
        })
        .await
}

/// List organizations, oldest first.
#[utoipa::path(get, path = "/api/v1/organizations", tag = "accounts", params(OrganizationParams),
    responses((status = 200, description = "A page", body = Page<OrganizationOut>)))]
pub async fn list(app: Data<App>, params: Params<OrganizationParams>, request: HttpRequest) -> Result<HttpResponse> {
    let OrganizationParams { account, limit, cursor } = params.0;
    let after = read_cursor(cursor.as_deref())?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.db.read(move |conn| store::list(conn, account.as_deref(), after, i64::from(limit) + 1)).await?;
    Ok(Page::of(rows, limit, |row| row.id)?.map(OrganizationOut::from).respond(&request))
}

/// One organization.
#[utoipa::path(get, path = "/api/v1/organizations/{id}", tag = "accounts", params(("id" = OrganizationId, Path)),
    responses((status = 200, description = "The organization", body = OrganizationOut)))]
pub async fn get(app: Data<App>, id: Id<OrganizationId>) -> Result<HttpResponse> {
    let row = app.db.read(move |conn| store::find(conn, id.0)).await?;
    let version = row.version;
    Ok(Answer::ok(&OrganizationOut::from(row))?.version(version).into())
}

/// Change an organization.
#[utoipa::path(patch, path = "/api/v1/organizations/{id}", tag = "accounts", request_body = OrganizationPatch,
    params(("id" = OrganizationId, Path)), responses((status = 200, description = "As it is now", body = OrganizationOut)))]
pub async fn change(
    app: Data<App>,
    who: Who,
    Now(now): Now,
    id: Id<OrganizationId>,
    seen: Seen,
    body: Body<OrganizationPatch>,
) -> Result<HttpResponse> {
    let OrganizationPatch { name, account } = body.0;
    let organization = app
        .db
        .write(move |conn| {
            let mut before = None;
            let row = store::update(conn, id.0, seen, now, |row| {
                before = Some(OrganizationOut::from(row.clone()));
                row.name = name.unwrap_or(std::mem::take(&mut row.name));
                account.apply(&mut row.account);
            })?;
            let after = OrganizationOut::from(row);
            audit::changed(conn, who.0.actor(), ("organization", id.0.0), (&before, &after), now)?;
            Ok(after)
        })
        .await?;
    Ok(Answer::ok(&organization)?.version(organization.version).into())
}
