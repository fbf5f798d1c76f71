//! `/surveys/responses`: what was answered, and its review.
use super::model::{self, Confirmation, ReviewState, SurveyKind};
use super::queries::{self, Answered, Filter, InvitationRow, ResponseRow, ReviewRow};
use super::suspicion::Flag;
use super::{commands, score};
use crate::Result;
use crate::accounts::caller::Agent;
use crate::app::App;
use crate::db::Conn;
use crate::http::extract::{Body, Id, Nothing, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, read_cursor};
use crate::ids::{AgentId, ContactId, OrganizationId, ResponseId, TeamId, TicketId, WaveId};
use crate::tickets::model::Channel;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationError};

/// Longest cause, in characters.
const CAUSE_MAX: usize = 50;

/// The review of an answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ReviewOut {
    state: ReviewState,
    /// When it should be done: 8 open hours of the team, or of the desk, after the answer, as shipped.
    due_at: Option<DateTime<Utc>>,
    /// Not done, and past its time.
    is_overdue: bool,
    /// Who has it.
    agent_id: Option<AgentId>,
    claimed_at: Option<DateTime<Utc>>,
    reviewed_at: Option<DateTime<Utc>>,
    causes: Vec<String>,
    note: String,
}

/// An answer to a survey.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ResponseOut {
    id: ResponseId,
    /// The ticket that was asked about; null, as its number, for a relationship survey.
    ticket_id: Option<TicketId>,
    #[schema(examples(1042))]
    ticket_number: Option<i64>,
    /// Which close was asked about: 1 for the first; 0 for a relationship survey.
    close_number: i32,
    contact_id: ContactId,
    contact_name: String,
    /// 0 to 10.
    #[schema(minimum = 0, maximum = 10)]
    score: i32,
    /// `promoter`, `passive` or `detractor`.
    #[schema(examples("promoter"))]
    group: &'static str,
    comment: String,
    answered_at: DateTime<Utc>,
    edited_at: Option<DateTime<Utc>>,
    /// 1 for the first answer.
    revision: i32,
    /// How the ticket came, or how a relationship survey was sent; this and the next four are as they were at the close.
    channel: Channel,
    team_id: Option<TeamId>,
    assignee_id: Option<AgentId>,
    organization_id: Option<OrganizationId>,
    /// Agents who replied.
    agent_ids: Vec<AgentId>,
    kind: SurveyKind,
    /// The wave of a relationship survey.
    wave_id: Option<WaveId>,
    /// What looks machine-made about it.
    flags: Vec<Flag>,
    /// Where a person has to say whether it is genuine; null where nothing is in doubt.
    confirmation: Option<Confirmation>,
    decided_at: Option<DateTime<Utc>>,
    decided_by: Option<AgentId>,
    /// Whether figures count it.
    is_counted: bool,
    /// The contact's next counted answer.
    next_score: Option<i32>,
    /// A detractor whose next answer was 7 or more.
    is_recovered: bool,
    review: ReviewOut,
}

fn group(score: i32) -> &'static str {
    match u8::try_from(score).ok().and_then(|score| score::Score::new(score).ok()).map(|score| score.group()) {
        Some(score::Group::Promoter) => "promoter",
        Some(score::Group::Passive) => "passive",
        Some(score::Group::Detractor) | None => "detractor",
    }
}

impl ResponseOut {
    /// The answer as it stands at `now`.
    pub(super) fn at((response, review, invitation, ticket_number, contact_name): Answered, now: DateTime<Utc>) -> Result<Self> {
        let ResponseRow {
            id,
            invitation_id: _,
            score,
            comment,
            answered_at,
            edited_at,
            revision,
            flags,
            confirmation,
            decided_at,
            decided_by,
            is_counted,
            next_score,
        } = response;
        let ReviewRow { response_id: _, state, rank: _, due_at, agent_id, claimed_at, reviewed_at, causes, note } = review;
        let InvitationRow {
            ticket_id,
            close_number,
            contact_id,
            channel,
            team_id,
            assignee_id,
            organization_id,
            agent_ids,
            kind,
            wave_id,
            ..
        } = invitation;
        let at = |time: Option<crate::db::types::Time>| time.map(|time| time.0);
        Ok(Self {
            id,
            ticket_id,
            ticket_number,
            close_number,
            contact_id,
            contact_name,
            score,
            group: group(score),
            comment,
            answered_at: answered_at.0,
            edited_at: at(edited_at),
            revision,
            channel: channel.0,
            team_id,
            assignee_id,
            organization_id,
            agent_ids: agent_ids.to()?,
            kind: kind.0,
            wave_id,
            flags: flags.to()?,
            confirmation: confirmation.map(|named| named.0),
            decided_at: at(decided_at),
            decided_by,
            is_counted,
            next_score,
            is_recovered: is_counted && model::is_recovered(score, next_score),
            review: ReviewOut {
                state: state.0,
                due_at: at(due_at),
                is_overdue: state.0 != ReviewState::Reviewed && due_at.is_some_and(|due_at| due_at.0 < now),
                agent_id,
                claimed_at: at(claimed_at),
                reviewed_at: at(reviewed_at),
                causes: causes.to()?,
                note,
            },
        })
    }
}

/// Which answers to list.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ResponseParams {
    /// Only those about a request, or about the company as a whole.
    kind: Option<SurveyKind>,
    /// Only those whose review stands so.
    review: Option<ReviewState>,
    /// Scores at or above.
    #[validate(range(min = 0, max = 10))]
    #[param(minimum = 0, maximum = 10)]
    score_min: Option<i32>,
    /// Scores at or below.
    #[validate(range(min = 0, max = 10))]
    #[param(minimum = 0, maximum = 10)]
    score_max: Option<i32>,
    /// Answered at or after this instant.
    from: Option<DateTime<Utc>>,
    /// Answered before this instant.
    to: Option<DateTime<Utc>>,
    /// Only suspicious ones that stand so.
    confirmation: Option<Confirmation>,
    /// Only those that figures count, or do not.
    is_counted: Option<bool>,
    /// Only detractors whose next answer was, or was not, 7 or more.
    is_recovered: Option<bool>,
    /// true: only those whose review is past its time; false: all others.
    overdue: Option<bool>,
    /// Rows at the most.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List answers in the order of review: detractors with a comment first.
#[utoipa::path(get, path = "/api/v1/surveys/responses", tag = "surveys", params(ResponseParams),
    responses((status = 200, description = "A page of answers", body = Page<ResponseOut>)))]
pub async fn list(app: Data<App>, Now(now): Now, params: Params<ResponseParams>, request: HttpRequest) -> Result<HttpResponse> {
    let ResponseParams {
        kind,
        review,
        score_min,
        score_max,
        from,
        to,
        confirmation,
        is_counted,
        is_recovered,
        overdue,
        limit,
        cursor,
    } = params.0;
    let is_overdue = overdue.map(|is_overdue| (is_overdue, now));
    let filter = Filter { kind, review, score_min, score_max, from, to, confirmation, is_counted, is_recovered, is_overdue };
    let after = read_cursor(cursor.as_deref())?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.db.read(move |conn| queries::list(conn, filter, after, i64::from(limit) + 1)).await?;
    let page = Page::of(rows, limit, |(_, review, ..)| (review.rank, review.response_id))?;
    let Page { items, next_cursor } = page;
    let items = items.into_iter().map(|row| ResponseOut::at(row, now)).collect::<Result<Vec<_>>>()?;
    Ok(Page { items, next_cursor }.respond(&request))
}

/// One answer.
#[utoipa::path(get, path = "/api/v1/surveys/responses/{id}", tag = "surveys", params(("id" = ResponseId, Path)),
    responses((status = 200, description = "The answer", body = ResponseOut)))]
pub async fn get(app: Data<App>, Now(now): Now, id: Id<ResponseId>) -> Result<HttpResponse> {
    let found = app.db.read(move |conn| queries::find(conn, id.0)).await?;
    Ok(HttpResponse::Ok().json(ResponseOut::at(found, now)?))
}

/// The answer as a verb left it.
pub(super) fn answer(conn: &mut Conn, id: ResponseId, now: DateTime<Utc>) -> Result<Answer> {
    Answer::ok(&ResponseOut::at(queries::find(conn, id)?, now)?)
}

/// Take a review. Whoever handled the ticket cannot.
#[utoipa::path(post, path = "/api/v1/surveys/responses/{id}/claim", tag = "surveys", request_body = Nothing,
    params(("id" = ResponseId, Path)), responses((status = 200, description = "The answer, yours to review", body = ResponseOut)))]
pub async fn claim(app: Data<App>, agent: Agent, Now(now): Now, id: Id<ResponseId>, post: Post<Nothing>) -> Result<HttpResponse> {
    post.once
        .run(&app, now, move |conn| {
            commands::claim(conn, &agent, id.0, now)?;
            answer(conn, id.0, now)
        })
        .await
}

/// Give a review back to the queue.
#[utoipa::path(delete, path = "/api/v1/surveys/responses/{id}/claim", tag = "surveys",
    params(("id" = ResponseId, Path)), responses((status = 200, description = "The answer, free again", body = ResponseOut)))]
pub async fn give_back(app: Data<App>, agent: Agent, Now(now): Now, id: Id<ResponseId>) -> Result<HttpResponse> {
    let given = app.db.write(move |conn| {
        commands::give_back(conn, &agent, id.0, now)?;
        answer(conn, id.0, now)
    });
    Ok(given.await?.into())
}

/// What a reviewer found.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewIn {
    /// What caused it, by names of `/causes`; needed for scores of 0 to 6 and for any comment.
    #[serde(default)]
    #[validate(length(max = 20), custom(function = "causes"))]
    #[schema(max_items = 20, examples(json!(["slow answer"])))]
    causes: Vec<String>,
    /// For the staff.
    #[serde(default)]
    #[validate(length(max = 2000))]
    #[schema(max_length = 2000)]
    note: String,
}

fn causes(causes: &[String]) -> Result<(), ValidationError> {
    if causes.iter().all(|cause| (1..=CAUSE_MAX).contains(&cause.chars().count())) {
        return Ok(());
    }
    Err(ValidationError::new("cause").with_message("each cause must be 1 to 50 characters".into()))
}

/// Finish a review that you have claimed.
#[utoipa::path(put, path = "/api/v1/surveys/responses/{id}/review", tag = "surveys", request_body = ReviewIn,
    params(("id" = ResponseId, Path)), responses((status = 200, description = "The answer, reviewed", body = ResponseOut)))]
pub async fn review(
    app: Data<App>,
    agent: Agent,
    Now(now): Now,
    id: Id<ResponseId>,
    body: Body<ReviewIn>,
) -> Result<HttpResponse> {
    let ReviewIn { causes, note } = body.0;
    let done = app.db.write(move |conn| {
        commands::review(conn, &agent, id.0, (causes, note), now)?;
        answer(conn, id.0, now)
    });
    Ok(done.await?.into())
}
