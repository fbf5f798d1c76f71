//! `/mails`: outgoing letters, and releasing those that were given up.
use super::outbox::{self, MailRow};
use super::{MailKind, MailState};
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::extract::{Id, Nothing, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, read_cursor};
use crate::ids::{MailId, TicketId};
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// An outgoing letter. Bodies of surveys are kept nowhere: they hold the token.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MailOut {
    id: MailId,
    kind: MailKind,
    /// Null for a relationship survey.
    ticket_id: Option<TicketId>,
    recipient: String,
    /// Who has a copy.
    cc: Vec<String>,
    subject: String,
    message_id: String,
    state: MailState,
    /// Tries so far.
    attempts: i32,
    /// What the mail server said last.
    last_error: Option<String>,
    created_at: DateTime<Utc>,
    sent_at: Option<DateTime<Utc>>,
}

impl From<MailRow> for MailOut {
    fn from(row: MailRow) -> Self {
        let MailRow {
            id,
            kind,
            ticket_id,
            subject_id: _,
            recipient,
            subject,
            message_id,
            in_reply_to: _,
            reference_ids: _,
            text_body: _,
            html_body: _,
            state,
            attempts,
            last_error,
            created_at,
            sent_at,
            cc,
            settled: _,
        } = row;
        Self {
            id,
            kind: kind.0,
            ticket_id,
            recipient,
            cc: cc.and_then(|cc| cc.to().ok()).unwrap_or_default(),
            subject,
            message_id,
            state: state.0,
            attempts,
            last_error,
            created_at: created_at.0,
            sent_at: sent_at.map(|at| at.0),
        }
    }
}

/// Which letters to list.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MailParams {
    /// Only those that stand so.
    state: Option<MailState>,
    /// Only those of this ticket.
    ticket_id: Option<TicketId>,
    /// Rows at the most.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List outgoing mail, newest first.
#[utoipa::path(get, path = "/api/v1/mails", tag = "mail", params(MailParams),
    responses((status = 200, description = "A page of letters", body = Page<MailOut>)))]
pub async fn list(app: Data<App>, params: Params<MailParams>, request: HttpRequest) -> Result<HttpResponse> {
    let MailParams { state, ticket_id, limit, cursor } = params.0;
    let before = read_cursor(cursor.as_deref())?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.db.read(move |conn| outbox::list(conn, (state, ticket_id), before, i64::from(limit) + 1)).await?;
    let page = Page::of(rows, limit, |row| (row.created_at.0.timestamp_micros(), row.id))?;
    Ok(page.map(MailOut::from).respond(&request))
}

/// One letter.
#[utoipa::path(get, path = "/api/v1/mails/{id}", tag = "mail", params(("id" = MailId, Path)),
    responses((status = 200, description = "The letter", body = MailOut)))]
pub async fn get(app: Data<App>, id: Id<MailId>) -> Result<HttpResponse> {
    let row = app.db.read(move |conn| outbox::find(conn, id.0)).await?.ok_or(Error::NotFound("mail"))?;
    Ok(HttpResponse::Ok().json(MailOut::from(row)))
}

/// Send a parked letter again.
#[utoipa::path(post, path = "/api/v1/mails/{id}/release", tag = "mail", request_body = Nothing,
    params(("id" = MailId, Path)), responses((status = 200, description = "The letter as it is now", body = MailOut)))]
pub async fn release(app: Data<App>, Now(now): Now, id: Id<MailId>, post: Post<Nothing>) -> Result<HttpResponse> {
    let answer = post.once.run(&app, now, move |conn| Answer::ok(&MailOut::from(outbox::release(conn, id.0, now)?))).await?;
    app.jobs_queued.notify_one();
    Ok(answer)
}
