//! `/canned-replies`.
use super::store::{self, CannedReplyRow, Subject};
use super::template::{self, Variable, Wrong};
use crate::accounts::agents;
use crate::accounts::caller::Agent;
use crate::app::App;
use crate::audit;
use crate::error::{Error, Result};
use crate::http::auth::Who;
use crate::http::extract::{Body, Id, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, read_cursor};
use crate::http::patch::{Patch, not_null};
use crate::ids::{CannedReplyId, TeamId, TicketId};
use crate::mail::one_line;
use crate::seen::Seen;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationError};

/// Longest text, in characters.
const BODY_MAX: u64 = 20_000;

fn good_template(text: &str) -> Result<(), ValidationError> {
    let (code, message) = match template::parse(text) {
        Ok(_) => return Ok(()),
        Err(Wrong::Unknown(name)) => {
            let known: Vec<&str> = Variable::ALL.iter().map(|variable| variable.as_str()).collect();
            ("unknown_variable", format!("there is no variable {name:?}; there are {}", known.join(", ")))
        }
        Err(Wrong::Unclosed) => ("unclosed_variable", "a {{ has no }}; write \\{{ for the braces themselves".to_owned()),
    };
    Err(ValidationError::new(code).with_message(message.into()))
}

/// A canned reply to make.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CannedReplyIn {
    /// What agents find it by.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, examples("Transfer: what we need"))]
    name: String,
    /// The text; `{{contact.name}}`, `{{organization.name}}`, `{{ticket.number}}`, `{{ticket.subject}}`, `{{team.name}}`,
    /// `{{agent.name}}` and `{{company.name}}` are filled in.
    #[validate(length(min = 1, max = BODY_MAX), custom(function = "good_template"))]
    #[schema(
        min_length = 1,
        max_length = 20_000,
        examples("Hello {{contact.name}},\n\nplease send us the code.\n\n{{agent.name}}")
    )]
    body: String,
    /// Whose it is; null for everyone.
    team_id: Option<TeamId>,
}

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CannedReplyPatch {
    /// What agents find it by.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    name: Option<String>,
    /// The text.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(length(min = 1, max = BODY_MAX), custom(function = "good_template"))]
    #[schema(min_length = 1, max_length = 20_000, nullable = false)]
    body: Option<String>,
    /// Whose it is; null for everyone.
    #[serde(default)]
    #[schema(value_type = Option<TeamId>)]
    team_id: Patch<TeamId>,
}

/// A canned reply.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CannedReplyOut {
    id: CannedReplyId,
    name: String,
    body: String,
    team_id: Option<TeamId>,
    version: i32,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<CannedReplyRow> for CannedReplyOut {
    fn from(row: CannedReplyRow) -> Self {
        let CannedReplyRow { id, name, body, team_id, version, created_at, updated_at } = row;
        Self { id, name, body, team_id, version, created_at: created_at.0, updated_at: updated_at.0 }
    }
}

/// Which canned replies to list.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CannedReplyParams {
    /// Only this team's and everyone's.
    team_id: Option<TeamId>,
    /// Rows at the most.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// For which ticket to fill in.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewIn {
    /// The ticket.
    ticket_id: TicketId,
}

/// A text ready to be sent, or to be edited first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PreviewOut {
    text: String,
}

fn answer(row: CannedReplyRow) -> Result<Answer> {
    let version = row.version;
    Ok(Answer::ok(&CannedReplyOut::from(row))?.version(version))
}

/// Make a canned reply. A variable that does not exist is refused.
#[utoipa::path(post, path = "/api/v1/canned-replies", tag = "canned replies", request_body = CannedReplyIn,
    responses((status = 201, description = "Made", body = CannedReplyOut)))]
pub async fn create(app: Data<App>, who: Who, Now(now): Now, post: Post<CannedReplyIn>) -> Result<HttpResponse> {
    let CannedReplyIn { name, body, team_id } = post.body;
    post.once
        .run(&app, now, move |conn| {
            let made = CannedReplyOut::from(store::insert(conn, (name, body, team_id), now)?);
            audit::created(conn, who.0.actor(), ("canned_reply", made.id.0), &made, now)?;
            Ok(Answer::created(format!("/api/v1/canned-replies/{}", made.id), &made)?.version(made.version))
        })
        .await
}

/// List canned replies, oldest first.
#[utoipa::path(get, path = "/api/v1/canned-replies", tag = "canned replies", params(CannedReplyParams),
    responses((status = 200, description = "A page", body = Page<CannedReplyOut>)))]
pub async fn list(app: Data<App>, params: Params<CannedReplyParams>, request: HttpRequest) -> Result<HttpResponse> {
    let CannedReplyParams { team_id, limit, cursor } = params.0;
    let after = read_cursor(cursor.as_deref())?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.db.read(move |conn| store::list(conn, team_id, after, i64::from(limit) + 1)).await?;
    Ok(Page::of(rows, limit, |row| row.id)?.map(CannedReplyOut::from).respond(&request))
}

/// One canned reply.
#[utoipa::path(get, path = "/api/v1/canned-replies/{id}", tag = "canned replies", params(("id" = CannedReplyId, Path)),
    responses((status = 200, description = "The canned reply", body = CannedReplyOut)))]
pub async fn get(app: Data<App>, id: Id<CannedReplyId>) -> Result<HttpResponse> {
    Ok(answer(app.db.read(move |conn| store::find(conn, id.0)).await?)?.into())
}

/// Change a canned reply.
#[utoipa::path(patch, path = "/api/v1/canned-replies/{id}", tag = "canned replies", request_body = CannedReplyPatch,
    params(("id" = CannedReplyId, Path)), responses((status = 200, description = "As it is now", body = CannedReplyOut)))]
pub async fn change(
    app: Data<App>,
    who: Who,
    Now(now): Now,
    id: Id<CannedReplyId>,
    seen: Seen,
    body: Body<CannedReplyPatch>,
) -> Result<HttpResponse> {
    let CannedReplyPatch { name, body, team_id } = body.0;
    let changed = app.db.write(move |conn| {
        let before = CannedReplyOut::from(store::find(conn, id.0)?);
        let after = store::update(conn, id.0, seen, now, |row| {
            row.name = name.unwrap_or(std::mem::take(&mut row.name));
            row.body = body.unwrap_or(std::mem::take(&mut row.body));
            team_id.apply(&mut row.team_id);
        })?;
        audit::changed(conn, who.0.actor(), ("canned_reply", id.0.0), (&before, &CannedReplyOut::from(after.clone())), now)?;
        Ok(after)
    });
    Ok(answer(changed.await?)?.into())
}

/// Take a canned reply away.
#[utoipa::path(delete, path = "/api/v1/canned-replies/{id}", tag = "canned replies", params(("id" = CannedReplyId, Path)),
    responses((status = 204, description = "Gone")))]
pub async fn remove(app: Data<App>, who: Who, Now(now): Now, id: Id<CannedReplyId>, seen: Seen) -> Result<HttpResponse> {
    let removed = app.db.write(move |conn| {
        let before = CannedReplyOut::from(store::find(conn, id.0)?);
        store::remove(conn, id.0, seen)?;
        audit::removed(conn, who.0.actor(), ("canned_reply", id.0.0), &before, now)
    });
    removed.await?;
    Ok(Answer::nothing().into())
}

/// The text for one ticket, with the variables filled in; nothing is written.
#[utoipa::path(post, path = "/api/v1/canned-replies/{id}/preview", tag = "canned replies", request_body = PreviewIn,
    params(("id" = CannedReplyId, Path)), responses((status = 200, description = "The text", body = PreviewOut)))]
pub async fn preview(app: Data<App>, agent: Agent, id: Id<CannedReplyId>, body: Body<PreviewIn>) -> Result<HttpResponse> {
    let ticket = body.0.ticket_id;
    let read = app.db.read(move |conn| {
        let reply = store::find(conn, id.0)?;
        Ok((reply, store::subject(conn, ticket)?, agents::find(conn, agent.id())?.name))
    });
    let (reply, Subject { number, subject, contact, organization, team }, agent) = read.await?;
    let parts = template::parse(&reply.body).map_err(|wrong| Error::internal(format!("a stored text: {wrong:?}")))?;
    let text = template::fill(&parts, |variable| match variable {
        Variable::ContactName => one_line(&contact),
        Variable::OrganizationName => one_line(organization.as_deref().unwrap_or_default()),
        Variable::TicketNumber => number.to_string(),
        Variable::TicketSubject => one_line(&subject),
        Variable::TeamName => one_line(team.as_deref().unwrap_or_default()),
        Variable::AgentName => one_line(&agent),
        Variable::CompanyName => one_line(&app.config.company.name),
    });
    Ok(HttpResponse::Ok().json(PreviewOut { text }))
}
