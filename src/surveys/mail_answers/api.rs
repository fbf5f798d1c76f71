//! `/surveys/mail-answers`: the part of the review queue that came by mail.
use super::commands;
use super::model::MailAnswerState;
use super::queries::{self, Asked, MailAnswerRow};
use crate::Result;
use crate::accounts::caller::Agent;
use crate::app::App;
use crate::db::Conn;
use crate::http::extract::{Id, Nothing, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, read_cursor};
use crate::ids::{AgentId, ContactId, InboundMailId, MailAnswerId, MessageId, ResponseId, TicketId, WaveId};
use crate::surveys::model::SurveyKind;
use crate::surveys::score::Score;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// A mail that answers a survey.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MailAnswerOut {
    id: MailAnswerId,
    state: MailAnswerState,
    kind: SurveyKind,
    /// The ticket that was asked about; null, as its number, for a relationship survey.
    ticket_id: Option<TicketId>,
    ticket_number: Option<i64>,
    wave_id: Option<WaveId>,
    contact_id: ContactId,
    contact_name: String,
    /// Who wrote, which need not be the contact.
    sender: String,
    /// The new text; empty where it is the number alone.
    text: String,
    /// The number found, or what a person made of it; null where there is none.
    #[schema(minimum = 0, maximum = 10)]
    score: Option<i32>,
    /// When the mail came.
    received_at: DateTime<Utc>,
    /// When it should be decided, as a review should be done.
    due_at: Option<DateTime<Utc>>,
    is_overdue: bool,
    /// The mail, whole: `GET /inbound/{id}`.
    mail_id: InboundMailId,
    /// Where the ticket shows it.
    message_id: Option<MessageId>,
    decided_at: Option<DateTime<Utc>>,
    decided_by: Option<AgentId>,
    /// The answer that it became.
    response_id: Option<ResponseId>,
}

impl MailAnswerOut {
    fn at((row, asked): (MailAnswerRow, Asked), now: DateTime<Utc>) -> Self {
        let MailAnswerRow {
            id,
            invitation_id: _,
            mail_id,
            message_id,
            sender,
            body,
            score,
            state,
            received_at,
            due_at,
            decided_at,
            decided_by,
            response_id,
            created_at: _,
        } = row;
        let ((kind, ticket_id, wave_id), ticket_number, (contact_id, contact_name)) = asked;
        Self {
            id,
            state: state.0,
            kind: kind.0,
            ticket_id,
            ticket_number,
            wave_id,
            contact_id,
            contact_name,
            sender,
            text: body,
            score,
            received_at: received_at.0,
            due_at: due_at.map(|at| at.0),
            is_overdue: state.0 == MailAnswerState::Waiting && due_at.is_some_and(|at| at.0 < now),
            mail_id,
            message_id,
            decided_at: decided_at.map(|at| at.0),
            decided_by,
            response_id,
        }
    }
}

/// Which answers by mail to list.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MailAnswerParams {
    /// Only those that stand so.
    state: Option<MailAnswerState>,
    /// Rows at the most.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List answers to surveys that came by mail, oldest first; with `state=waiting` those that a person has to decide about.
#[utoipa::path(get, path = "/api/v1/surveys/mail-answers", tag = "surveys", params(MailAnswerParams),
    responses((status = 200, description = "A page of answers by mail", body = Page<MailAnswerOut>)))]
pub async fn list(app: Data<App>, Now(now): Now, params: Params<MailAnswerParams>, request: HttpRequest) -> Result<HttpResponse> {
    let MailAnswerParams { state, limit, cursor } = params.0;
    let after = read_cursor(cursor.as_deref())?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.db.read(move |conn| queries::list(conn, state, after, i64::from(limit) + 1)).await?;
    let page = Page::of(rows, limit, |(row, _)| row.id)?;
    Ok(page.map(|row| MailAnswerOut::at(row, now)).respond(&request))
}

/// One answer by mail.
#[utoipa::path(get, path = "/api/v1/surveys/mail-answers/{id}", tag = "surveys", params(("id" = MailAnswerId, Path)),
    responses((status = 200, description = "The answer by mail", body = MailAnswerOut)))]
pub async fn get(app: Data<App>, Now(now): Now, id: Id<MailAnswerId>) -> Result<HttpResponse> {
    let found = app.db.read(move |conn| queries::find(conn, id.0)).await?;
    Ok(HttpResponse::Ok().json(MailAnswerOut::at(found, now)))
}

fn shown(conn: &mut Conn, id: MailAnswerId, now: DateTime<Utc>) -> Result<Answer> {
    Answer::ok(&MailAnswerOut::at(queries::find(conn, id)?, now))
}

/// What a person read in a mail.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MailAnswerIn {
    /// Which score it gives; the number found where it is left out.
    #[validate(range(min = 0, max = 10))]
    #[schema(minimum = 0, maximum = 10)]
    score: Option<u8>,
}

/// Say that a mail gives a score: it counts from then on, and its review is open. Whoever handled the ticket cannot.
#[utoipa::path(post, path = "/api/v1/surveys/mail-answers/{id}/confirmation", tag = "surveys", request_body = MailAnswerIn,
    params(("id" = MailAnswerId, Path)), responses((status = 200, description = "The answer by mail, confirmed", body = MailAnswerOut)))]
pub async fn confirm(
    app: Data<App>,
    agent: Agent,
    Now(now): Now,
    id: Id<MailAnswerId>,
    post: Post<MailAnswerIn>,
) -> Result<HttpResponse> {
    let (desk, score) = (app.clone(), post.body.score.and_then(|score| Score::new(score).ok()));
    post.once
        .run(&app, now, move |conn| {
            commands::confirm(conn, &desk.config, &agent, (id.0, score), now)?;
            shown(conn, id.0, now)
        })
        .await
}

/// Say that a mail gives no score. Whoever handled the ticket cannot.
#[utoipa::path(post, path = "/api/v1/surveys/mail-answers/{id}/dismissal", tag = "surveys", request_body = Nothing,
    params(("id" = MailAnswerId, Path)), responses((status = 200, description = "The answer by mail, dismissed", body = MailAnswerOut)))]
pub async fn dismiss(
    app: Data<App>,
    agent: Agent,
    Now(now): Now,
    id: Id<MailAnswerId>,
    post: Post<Nothing>,
) -> Result<HttpResponse> {
    post.once
        .run(&app, now, move |conn| {
            commands::dismiss(conn, &agent, id.0, now)?;
            shown(conn, id.0, now)
        })
        .await
}
