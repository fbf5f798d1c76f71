//! `/reports/digests`: the letters of the weekly digest.
use super::commands::{self, LetterRow};

use crate::app::App;
use crate::error::Result;
use crate::http::extract::{Id, Nothing, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, PageParams, read_cursor};
use crate::ids::{AgentId, DigestLetterId};
use crate::mail::MailState;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// A letter of the weekly digest.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DigestLetterOut {
    id: DigestLetterId,
    /// The Monday of the week that it is about.
    #[schema(examples("2026-06-01"))]
    week_on: String,
    /// To which manager.
    agent_id: AgentId,
    recipient: String,
    subject: String,
    /// The plain part.
    text: String,
    state: MailState,
    attempts: i32,
    last_error: Option<String>,
    created_at: DateTime<Utc>,
    sent_at: Option<DateTime<Utc>>,
}

impl From<LetterRow> for DigestLetterOut {
    fn from(row: LetterRow) -> Self {
        let LetterRow { id, week_on, agent_id, recipient, subject, message_id: _, text_body, html_body: _, state, .. } = row;
        let (attempts, last_error) = (row.attempts, row.last_error);
        let (created_at, sent_at) = (row.created_at.0, row.sent_at.map(|at| at.0));
        let text = text_body;
        Self { id, week_on, agent_id, recipient, subject, text, state: state.0, attempts, last_error, created_at, sent_at }
    }
}

/// List the letters of the weekly digest, newest first.
#[utoipa::path(get, path = "/api/v1/reports/digests", tag = "reports", params(PageParams),
    responses((status = 200, description = "A page of letters", body = Page<DigestLetterOut>)))]
pub async fn list(app: Data<App>, params: Params<PageParams>, request: HttpRequest) -> Result<HttpResponse> {
    let PageParams { limit, cursor } = params.0;
    let before = read_cursor(cursor.as_deref())?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.db.read(move |conn| commands::list(conn, before, i64::from(limit) + 1)).await?;
    Ok(Page::of(rows, limit, |row| row.id)?.map(DigestLetterOut::from).respond(&request))
}

/// Send a parked letter of the digest again.
#[utoipa::path(post, path = "/api/v1/reports/digests/{id}/release", tag = "reports", request_body = Nothing,
    params(("id" = DigestLetterId, Path)), responses((status = 200, description = "The letter as it is now", body = DigestLetterOut)))]
pub async fn release(app: Data<App>, Now(now): Now, id: Id<DigestLetterId>, post: Post<Nothing>) -> Result<HttpResponse> {
    let answer =
        post.once.run(&app, now, move |conn| Answer::ok(&DigestLetterOut::from(commands::release(conn, id.0, now)?))).await?;
    app.jobs_queued.notify_one();
    Ok(answer)
}
