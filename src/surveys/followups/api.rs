//! `/surveys/followups`: named by the answer that they follow up.
use super::commands;
use super::model::{Ending, How};
use super::queries::{self, AttemptRow, Filter, FollowupRow, Whole};
use crate::Result;
use crate::accounts::caller::Agent;
use crate::app::App;
use crate::db::Conn;
use crate::http::auth::Who;
use crate::http::extract::{Body, Id, Nothing, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, read_cursor};
use crate::ids::{AgentId, AttemptId, ContactId, ResponseId, TicketId};
use crate::seen::Seen;
use crate::tickets::model::Channel;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// A try to reach the contact.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AttemptOut {
    id: AttemptId,
    agent_id: AgentId,
    at: DateTime<Utc>,
    how: How,
    note: String,
}

impl From<AttemptRow> for AttemptOut {
    fn from(row: AttemptRow) -> Self {
        let AttemptRow { id, response_id: _, agent_id, at, how, note } = row;
        Self { id, agent_id, at: at.0, how: how.0, note }
    }
}

/// The follow-up of an answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct FollowupOut {
    /// The answer; it names the follow-up too.
    response_id: ResponseId,
    #[schema(minimum = 0, maximum = 10)]
    score: i32,
    comment: String,
    /// The ticket that was asked about; null for a relationship survey.
    ticket_id: Option<TicketId>,
    ticket_number: Option<i64>,
    contact_id: ContactId,
    contact_name: String,
    /// 24 open hours after the answer, as shipped.
    due_at: DateTime<Utc>,
    /// Open past its time.
    is_overdue: bool,
    /// Who sees to it.
    owner_id: Option<AgentId>,
    /// Oldest first.
    attempts: Vec<AttemptOut>,
    /// Null while it is open.
    outcome: Option<Ending>,
    why: String,
    ended_at: Option<DateTime<Utc>>,
    /// Null where the desk ended it, because the answer changed.
    ended_by: Option<AgentId>,
    /// The ticket that was opened for it; its close is not asked about.
    followup_ticket_id: Option<TicketId>,
    version: i32,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl FollowupOut {
    fn at(whole: Whole, now: DateTime<Utc>) -> Self {
        let Whole { row, about: ((score, comment), asked, (contact_id, contact_name)), attempts } = whole;
        let FollowupRow {
            response_id,
            due_at,
            owner_id,
            outcome,
            why,
            ended_at,
            ended_by,
            ticket_id,
            version,
            created_at,
            updated_at,
        } = row;
        Self {
            response_id,
            score,
            comment,
            ticket_id: asked.map(|(id, _)| id),
            ticket_number: asked.map(|(_, number)| number),
            contact_id,
            contact_name,
            due_at: due_at.0,
            is_overdue: outcome.is_none() && due_at.0 < now,
            owner_id,
            attempts: attempts.into_iter().map(AttemptOut::from).collect(),
            outcome: outcome.map(|named| named.0),
            why,
            ended_at: ended_at.map(|at| at.0),
            ended_by,
            followup_ticket_id: ticket_id,
            version,
            created_at: created_at.0,
            updated_at: updated_at.0,
        }
    }
}

/// Which follow-ups to list.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FollowupParams {
    /// Only those without, or with, an outcome.
    is_open: Option<bool>,
    /// true: only open ones past their time.
    overdue: Option<bool>,
    /// Only this agent's.
    owner_id: Option<AgentId>,
    /// Rows at the most.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List follow-ups, the first due first.
#[utoipa::path(get, path = "/api/v1/surveys/followups", tag = "surveys", params(FollowupParams),
    responses((status = 200, description = "A page of follow-ups", body = Page<FollowupOut>)))]
pub async fn list(app: Data<App>, Now(now): Now, params: Params<FollowupParams>, request: HttpRequest) -> Result<HttpResponse> {
    let FollowupParams { is_open, overdue, owner_id, limit, cursor } = params.0;
    let filter = Filter { is_open, owner_id, overdue_at: overdue.filter(|is_wanted| *is_wanted).map(|_| now) };
    let after = read_cursor(cursor.as_deref())?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.db.read(move |conn| queries::list(conn, filter, after, i64::from(limit) + 1)).await?;
    let page = Page::of(rows, limit, |whole| (whole.row.due_at.0.timestamp_micros(), whole.row.response_id))?;
    Ok(page.map(|whole| FollowupOut::at(whole, now)).respond(&request))
}

fn answer(conn: &mut Conn, id: ResponseId, now: DateTime<Utc>) -> Result<Answer> {
    let followup = FollowupOut::at(queries::find(conn, id)?, now);
    Ok(Answer::ok(&followup)?.version(followup.version))
}

/// One follow-up, by the id of its answer.
#[utoipa::path(get, path = "/api/v1/surveys/followups/{id}", tag = "surveys", params(("id" = ResponseId, Path)),
    responses((status = 200, description = "The follow-up", body = FollowupOut)))]
pub async fn get(app: Data<App>, Now(now): Now, id: Id<ResponseId>) -> Result<HttpResponse> {
    Ok(app.db.read(move |conn| answer(conn, id.0, now)).await?.into())
}

/// Follow an answer up that is no detractor's; detractors have a follow-up from the start.
#[utoipa::path(post, path = "/api/v1/surveys/responses/{id}/followup", tag = "surveys", request_body = Nothing,
    params(("id" = ResponseId, Path)), responses((status = 201, description = "Opened", body = FollowupOut)))]
pub async fn create(
    app: Data<App>,
    agent: Agent,
    Now(now): Now,
    id: Id<ResponseId>,
    post: Post<Nothing>,
) -> Result<HttpResponse> {
    let desk = app.clone();
    post.once
        .run(&app, now, move |conn| {
            commands::open(conn, &desk.config, &agent, id.0, now)?;
            let made = FollowupOut::at(queries::find(conn, id.0)?, now);
            Ok(Answer::created(format!("/api/v1/surveys/followups/{}", id.0), &made)?.version(made.version))
        })
        .await
}

/// Who is to see to it.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnerIn {
    /// An active agent; nobody where it is left out or null.
    agent_id: Option<AgentId>,
}

/// Give a follow-up to somebody, or to nobody.
#[utoipa::path(put, path = "/api/v1/surveys/followups/{id}/owner", tag = "surveys", request_body = OwnerIn,
    params(("id" = ResponseId, Path)), responses((status = 200, description = "As it is now", body = FollowupOut)))]
pub async fn give_to(
    app: Data<App>,
    agent: Agent,
    Now(now): Now,
    id: Id<ResponseId>,
    seen: Seen,
    body: Body<OwnerIn>,
) -> Result<HttpResponse> {
    let given = app.db.write(move |conn| {
        commands::give_to(conn, &agent, id.0, seen, body.0.agent_id, now)?;
        answer(conn, id.0, now)
    });
    Ok(given.await?.into())
}

/// A try to reach the contact.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttemptIn {
    /// How.
    how: How,
    /// What came of it.
    #[serde(default)]
    #[validate(length(max = 2000))]
    #[schema(max_length = 2000, examples("Left a message."))]
    note: String,
    /// When; now where it is left out. Not before the answer.
    at: Option<DateTime<Utc>>,
}

/// Write down a try to reach the contact.
#[utoipa::path(post, path = "/api/v1/surveys/followups/{id}/attempts", tag = "surveys", request_body = AttemptIn,
    params(("id" = ResponseId, Path)), responses((status = 200, description = "The follow-up as it is now", body = FollowupOut)))]
pub async fn attempt(
    app: Data<App>,
    agent: Agent,
    Now(now): Now,
    id: Id<ResponseId>,
    post: Post<AttemptIn>,
) -> Result<HttpResponse> {
    let AttemptIn { how, note, at } = post.body;
    post.once
        .run(&app, now, move |conn| {
            commands::attempt(conn, &agent, id.0, (how, note, at), now)?;
            answer(conn, id.0, now)
        })
        .await
}

/// How it ended.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutcomeIn {
    /// All but `not_needed` need an attempt.
    outcome: Ending,
    /// Needed for `not_needed`.
    #[serde(default)]
    #[validate(length(max = 2000))]
    #[schema(max_length = 2000)]
    why: String,
}

/// End a follow-up.
#[utoipa::path(put, path = "/api/v1/surveys/followups/{id}/outcome", tag = "surveys", request_body = OutcomeIn,
    params(("id" = ResponseId, Path)), responses((status = 200, description = "As it is now", body = FollowupOut)))]
pub async fn end(
    app: Data<App>,
    agent: Agent,
    Now(now): Now,
    id: Id<ResponseId>,
    seen: Seen,
    body: Body<OutcomeIn>,
) -> Result<HttpResponse> {
    let OutcomeIn { outcome, why } = body.0;
    let ended = app.db.write(move |conn| {
        commands::end(conn, &agent, id.0, seen, (outcome, why), now)?;
        answer(conn, id.0, now)
    });
    Ok(ended.await?.into())
}

/// Open a follow-up again.
#[utoipa::path(delete, path = "/api/v1/surveys/followups/{id}/outcome", tag = "surveys", params(("id" = ResponseId, Path)),
    responses((status = 200, description = "As it is now", body = FollowupOut)))]
pub async fn reopen(app: Data<App>, agent: Agent, Now(now): Now, id: Id<ResponseId>, seen: Seen) -> Result<HttpResponse> {
    let reopened = app.db.write(move |conn| {
        commands::reopen(conn, &agent, id.0, seen, now)?;
        answer(conn, id.0, now)
    });
    Ok(reopened.await?.into())
}

/// A ticket towards the contact.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FollowupTicketIn {
    /// How the desk will reach out.
    channel: Channel,
    /// What it is about.
    #[validate(length(min = 1, max = 300))]
    #[schema(min_length = 1, max_length = 300, examples("Your answer of last week"))]
    subject: String,
}

/// Open a ticket for a follow-up; the contact is not asked about its close.
#[utoipa::path(post, path = "/api/v1/surveys/followups/{id}/ticket", tag = "surveys", request_body = FollowupTicketIn,
    params(("id" = ResponseId, Path)), responses((status = 201, description = "Opened", body = FollowupOut)))]
pub async fn open_ticket(
    app: Data<App>,
    who: Who,
    agent: Agent,
    Now(now): Now,
    id: Id<ResponseId>,
    post: Post<FollowupTicketIn>,
) -> Result<HttpResponse> {
    let FollowupTicketIn { channel, subject } = post.body;
    post.once
        .run(&app, now, move |conn| {
            let ticket = commands::open_ticket(conn, &who.0, &agent, id.0, (channel, subject), now)?;
            let followup = FollowupOut::at(queries::find(conn, id.0)?, now);
            Ok(Answer::created(format!("/api/v1/tickets/{ticket}"), &followup)?.version(followup.version))
        })
        .await
}
