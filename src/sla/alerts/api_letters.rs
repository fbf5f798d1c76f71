//! `/alerts/letters`: what the staff was mailed about alerts, and what could not be delivered.
use super::commands;
use super::queries::{self, LetterRow, LetterState};
use crate::app::App;
use crate::error::Result;
use crate::http::extract::{Id, Nothing, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, read_cursor};
use crate::ids::{AgentId, AlertLetterId};
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// A letter to the staff about alerts.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AlertLetterOut {
    id: AlertLetterId,
    /// To whom.
    agent_id: AgentId,
    recipient: String,
    subject: String,
    /// The plain part.
    text: String,
    /// `parked` where it was given up: it can be released.
    state: LetterState,
    attempts: i32,
    /// What the mail server said last.
    last_error: Option<String>,
    created_at: DateTime<Utc>,
    sent_at: Option<DateTime<Utc>>,
}

impl From<LetterRow> for AlertLetterOut {
    fn from(row: LetterRow) -> Self {
        let LetterRow { id, agent_id, recipient, subject, text_body, html_body: _, state, attempts, .. } = row;
        let (last_error, created_at, sent_at) = (row.last_error, row.created_at.0, row.sent_at.map(|at| at.0));
        Self { id, agent_id, recipient, subject, text: text_body, state: state.0, attempts, last_error, created_at, sent_at }
    }
}

/// Which letters to list.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AlertLetterParams {
    /// Only letters that stand so.
    state: Option<LetterState>,
    /// Rows at the most.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List letters to the staff, newest first.
#[utoipa::path(get, path = "/api/v1/alerts/letters", tag = "promises", params(AlertLetterParams),
    responses((status = 200, description = "A page of letters", body = Page<AlertLetterOut>)))]
pub async fn list(app: Data<App>, params: Params<AlertLetterParams>, request: HttpRequest) -> Result<HttpResponse> {
    let AlertLetterParams { state, limit, cursor } = params.0;
    let before = read_cursor(cursor.as_deref())?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.db.read(move |conn| queries::letters(conn, state, before, i64::from(limit) + 1)).await?;
    Ok(Page::of(rows, limit, |row| row.id)?.map(AlertLetterOut::from).respond(&request))
}

/// One letter.
#[utoipa::path(get, path = "/api/v1/alerts/letters/{id}", tag = "promises", params(("id" = AlertLetterId, Path)),
    responses((status = 200, description = "The letter", body = AlertLetterOut)))]
pub async fn get(app: Data<App>, id: Id<AlertLetterId>) -> Result<HttpResponse> {
    let row = app.db.read(move |conn| queries::letter(conn, id.0)).await?;
    Ok(HttpResponse::Ok().json(AlertLetterOut::from(row)))
}

/// Send a parked letter again.
#[utoipa::path(post, path = "/api/v1/alerts/letters/{id}/release", tag = "promises", request_body = Nothing,
    params(("id" = AlertLetterId, Path)), responses((status = 200, description = "The letter as it is now", body = AlertLetterOut)))]
pub async fn release(app: Data<App>, Now(now): Now, id: Id<AlertLetterId>, post: Post<Nothing>) -> Result<HttpResponse> {
    let work = move |conn: &mut crate::db::Conn| Answer::ok(&AlertLetterOut::from(commands::release_letter(conn, id.0, now)?));
    let done = post.once.run(&app, now, work).await?;
    app.jobs_queued.notify_one();
    Ok(done)
}
