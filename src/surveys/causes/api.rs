//! `/causes`.
use super::store::{self, CauseRow};
use crate::Result;
use crate::app::App;
use crate::audit;
use crate::db::Conn;
use crate::http::auth::Who;
use crate::http::extract::{Body, Id, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, read_cursor};
use crate::ids::CauseId;
use crate::seen::Seen;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationError};

/// A cause to offer.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CauseIn {
    /// Its name; unique, without spaces at its ends. It stays: reviews keep names.
    #[validate(length(min = 1, max = 50), custom(function = "trimmed"))]
    #[schema(min_length = 1, max_length = 50, pattern = r"^\S(.*\S)?$", examples("slow answer"))]
    name: String,
}

fn trimmed(name: &str) -> Result<(), ValidationError> {
    if name.trim() == name && !name.contains(char::is_control) {
        return Ok(());
    }
    Err(ValidationError::new("cause").with_message("must be on one line and without spaces at its ends".into()))
}

/// What to change.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CausePatch {
    /// True: reviewers can no longer name it; reviews that did keep it.
    is_retired: bool,
}

/// A cause.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CauseOut {
    id: CauseId,
    name: String,
    is_retired: bool,
    version: i32,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<CauseRow> for CauseOut {
    fn from(row: CauseRow) -> Self {
        let CauseRow { id, name, retired_at, version, created_at, updated_at } = row;
        Self { id, name, is_retired: retired_at.is_some(), version, created_at: created_at.0, updated_at: updated_at.0 }
    }
}

/// Which causes to list.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CauseParams {
    /// Only those that are, or are not, retired.
    is_retired: Option<bool>,
    /// Rows at the most.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Offer a cause.
#[utoipa::path(post, path = "/api/v1/causes", tag = "surveys", request_body = CauseIn,
    responses((status = 201, description = "Made", body = CauseOut)))]
pub async fn create(app: Data<App>, who: Who, Now(now): Now, post: Post<CauseIn>) -> Result<HttpResponse> {
    let CauseIn { name } = post.body;
    post.once
        .run(&app, now, move |conn| {
            let made = CauseOut::from(store::insert(conn, name, now)?);
            audit::created(conn, who.0.actor(), ("cause", made.id.0), &made, now)?;
            Ok(Answer::created(format!("/api/v1/causes/{}", made.id), &made)?.version(made.version))
        })
        .await
}

/// List causes, oldest first.
#[utoipa::path(get, path = "/api/v1/causes", tag = "surveys", params(CauseParams),
    responses((status = 200, description = "A page", body = Page<CauseOut>)))]
pub async fn list(app: Data<App>, params: Params<CauseParams>, request: HttpRequest) -> Result<HttpResponse> {
    let CauseParams { is_retired, limit, cursor } = params.0;
    let after = read_cursor(cursor.as_deref())?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.db.read(move |conn| store::list(conn, is_retired, after, i64::from(limit) + 1)).await?;
    Ok(Page::of(rows, limit, |row| row.id)?.map(CauseOut::from).respond(&request))
}

fn answer(row: CauseRow) -> Result<HttpResponse> {
    let version = row.version;
    Ok(Answer::ok(&CauseOut::from(row))?.version(version).into())
}

/// One cause.
#[utoipa::path(get, path = "/api/v1/causes/{id}", tag = "surveys", params(("id" = CauseId, Path)),
    responses((status = 200, description = "The cause", body = CauseOut)))]
pub async fn get(app: Data<App>, id: Id<CauseId>) -> Result<HttpResponse> {
    answer(app.db.read(move |conn| store::find(conn, id.0)).await?)
}

/// Retire a cause, or offer it again.
#[utoipa::path(patch, path = "/api/v1/causes/{id}", tag = "surveys", request_body = CausePatch,
    params(("id" = CauseId, Path)), responses((status = 200, description = "As it is now", body = CauseOut)))]
pub async fn change(
    app: Data<App>,
    who: Who,
    Now(now): Now,
    id: Id<CauseId>,
    seen: Seen,
    body: Body<CausePatch>,
) -> Result<HttpResponse> {
    answer(app.db.write(move |conn| retire(conn, &who, (id.0, seen), body.0.is_retired, now)).await?)
}

fn retire(conn: &mut Conn, who: &Who, (id, seen): (CauseId, Seen), is_retired: bool, now: DateTime<Utc>) -> Result<CauseRow> {
    let before = CauseOut::from(store::find(conn, id)?);
    let after = store::retire(conn, id, seen, is_retired, now)?;
    audit::changed(conn, who.0.actor(), ("cause", id.0), (&before, &CauseOut::from(after.clone())), now)?;
    Ok(after)
}

/// Retire a cause; reviews that named it keep it.
#[utoipa::path(delete, path = "/api/v1/causes/{id}", tag = "surveys", params(("id" = CauseId, Path)),
    responses((status = 204, description = "Retired")))]
pub async fn remove(app: Data<App>, who: Who, Now(now): Now, id: Id<CauseId>, seen: Seen) -> Result<HttpResponse> {
    app.db.write(move |conn| retire(conn, &who, (id.0, seen), true, now)).await?;
    Ok(Answer::nothing().into())
}
