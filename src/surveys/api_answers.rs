//! What else belongs to an answer: whether it is genuine, what it said before, and what became of detractors.
use super::api::{ResponseOut, answer};
use super::{commands, queries};
use crate::Result;
use crate::accounts::caller::Agent;
use crate::app::App;
use crate::error::Error;
use crate::http::extract::{Id, Now, Params, Post};
use crate::http::page::{LIMIT_DEFAULT, Page, PageParams, read_cursor};
use crate::ids::ResponseId;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// The period where none is given, in days.
const PERIOD_DAYS_DEFAULT: i64 = 90;

names! {
    /// What a person found of a suspicious answer.
    pub enum Decision {
        /// It is genuine and counts.
        Confirmed = "confirmed",
        /// It is not, and does not count.
        Rejected = "rejected",
    }
}

/// What a person found.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmationIn {
    /// `confirmed` where it is left out.
    #[serde(default = "confirmed")]
    decision: Decision,
}

fn confirmed() -> Decision {
    Decision::Confirmed
}

/// Say whether a suspicious answer is genuine; before that no figure counts it. Whoever handled the ticket cannot.
#[utoipa::path(post, path = "/api/v1/surveys/responses/{id}/confirmation", tag = "surveys", request_body = ConfirmationIn,
    params(("id" = ResponseId, Path)), responses((status = 200, description = "The answer as it is now", body = ResponseOut)))]
pub async fn confirm(
    app: Data<App>,
    agent: Agent,
    Now(now): Now,
    id: Id<ResponseId>,
    post: Post<ConfirmationIn>,
) -> Result<HttpResponse> {
    let (desk, is_genuine) = (app.clone(), post.body.decision == Decision::Confirmed);
    post.once
        .run(&app, now, move |conn| {
            commands::decide(conn, &desk.config, &agent, id.0, is_genuine, now)?;
            answer(conn, id.0, now)
        })
        .await
}

/// What an answer said before an edit.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RevisionOut {
    /// 1 for the first.
    revision: i32,
    #[schema(minimum = 0, maximum = 10)]
    score: i32,
    comment: String,
    /// Since when it said so.
    at: DateTime<Utc>,
}

/// What an answer said before its edits, oldest first; what it says now is the answer itself.
#[utoipa::path(get, path = "/api/v1/surveys/responses/{id}/revisions", tag = "surveys",
    params(("id" = ResponseId, Path), PageParams),
    responses((status = 200, description = "A page of revisions", body = Page<RevisionOut>)))]
pub async fn revisions(
    app: Data<App>,
    id: Id<ResponseId>,
    params: Params<PageParams>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let after = read_cursor(params.0.cursor.as_deref())?;
    let limit = params.0.limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.db.read(move |conn| queries::revisions(conn, id.0, after, i64::from(limit) + 1)).await?;
    let page = Page::of(rows, limit, |(revision, ..)| *revision)?;
    Ok(page.map(|(revision, score, comment, at)| RevisionOut { revision, score, comment, at: at.0 }).respond(&request))
}

/// Whose answers to look at.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RecoveryParams {
    /// Answered at or after this instant; 90 days before the end where it is left out.
    from: Option<DateTime<Utc>>,
    /// Answered before this instant; now where it is left out.
    to: Option<DateTime<Utc>>,
}

/// What became of the detractors of a period.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RecoveryOut {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    /// Counted answers of 0 to 6.
    detractors: u64,
    /// Of those, contacts who answered again since.
    answered_again: u64,
    /// Of those, with 7 or more the next time: `GET /surveys/responses?is_recovered=true` lists them.
    recovered: u64,
}

/// How many detractors of a period were won back.
#[utoipa::path(get, path = "/api/v1/surveys/recovery", tag = "surveys", params(RecoveryParams),
    responses((status = 200, description = "The counts", body = RecoveryOut)))]
pub async fn recovery(app: Data<App>, Now(now): Now, params: Params<RecoveryParams>) -> Result<HttpResponse> {
    let to = params.0.to.unwrap_or(now);
    let before = || to.checked_sub_signed(TimeDelta::days(PERIOD_DAYS_DEFAULT)).unwrap_or(DateTime::UNIX_EPOCH);
    let from = params.0.from.unwrap_or_else(before);
    if from >= to {
        return Err(Error::field("from", "order", "must be before the end"));
    }
    let (detractors, answered_again, recovered) = app.db.read(move |conn| queries::recovery(conn, from, to)).await?;
    Ok(HttpResponse::Ok().json(RecoveryOut { from, to, detractors, answered_again, recovered }))
}
