//! `/teams`.
use super::store::{self, Team, TeamRow};
use crate::Result;
use crate::app::App;
use crate::audit;
use crate::http::auth::Who;
use crate::http::extract::{Body, Id, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, PageParams, read_cursor};
use crate::http::patch::{Patch, not_null};
use crate::ids::{AgentId, CalendarId, TeamId};
use crate::seen::Seen;
use crate::sla::moves::commands as moves;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// A team to make.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamIn {
    /// Its name; unique.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, examples("Reseller Support"))]
    name: String,
    /// The calendar it keeps; null for the desk's own.
    calendar_id: Option<CalendarId>,
    /// Who belongs to it, each once.
    #[serde(default)]
    #[validate(length(max = 500))]
    #[schema(value_type = HashSet<AgentId>, max_items = 500)]
    members: Vec<AgentId>,
    /// What stands under the agent's name in its replies; the company's name where it is empty.
    #[serde(default)]
    #[validate(length(max = 1000))]
    #[schema(max_length = 1000)]
    signature: String,
}

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamPatch {
    /// Its name.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    name: Option<String>,
    /// The calendar it keeps; null for the desk's own.
    #[serde(default)]
    #[schema(value_type = Option<CalendarId>)]
    calendar_id: Patch<CalendarId>,
    /// All its members: those that are not in the list leave.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(length(max = 500))]
    #[schema(value_type = Option<HashSet<AgentId>>, nullable = false, max_items = 500)]
    members: Option<Vec<AgentId>>,
    /// What stands under the agent's name in its replies.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(length(max = 1000))]
    #[schema(max_length = 1000, nullable = false)]
    signature: Option<String>,
}

/// A team.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TeamOut {
    id: TeamId,
    name: String,
    calendar_id: Option<CalendarId>,
    /// By id.
    members: Vec<AgentId>,
    signature: String,
    version: i32,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Team> for TeamOut {
    fn from(team: Team) -> Self {
        let Team { row, members } = team;
        let TeamRow { id, name, calendar_id, version, created_at, updated_at, signature } = row;
        Self { id, name, calendar_id, members, signature, version, created_at: created_at.0, updated_at: updated_at.0 }
    }
}

/// Make a team.
#[utoipa::path(post, path = "/api/v1/teams", tag = "accounts", request_body = TeamIn,
    responses((status = 201, description = "Made", body = TeamOut)))]
pub async fn create(app: Data<App>, who: Who, Now(now): Now, post: Post<TeamIn>) -> Result<HttpResponse> {
    let TeamIn { name, calendar_id, members, signature } = post.body;
    post.once
        .run(&app, now, move |conn| {
            let made = TeamOut::from(store::insert_signed(conn, (&name, &signature), calendar_id, &members, now)?);
            audit::created(conn, who.0.actor(), ("team", made.id.0), &made, now)?;
            Ok(Answer::created(format!("/api/v1/teams/{}", made.id), &made)?.version(made.version))
        })
        .await
}

/// List teams, oldest first.
#[utoipa::path(get, path = "/api/v1/teams", tag = "accounts", params(PageParams),
    responses((status = 200, description = "A page", body = Page<TeamOut>)))]
pub async fn list(app: Data<App>, params: Params<PageParams>, request: HttpRequest) -> Result<HttpResponse> {
    let after = read_cursor(params.0.cursor.as_deref())?;
    let limit = params.0.limit.unwrap_or(LIMIT_DEFAULT);
    let teams = app.db.read(move |conn| store::list(conn, after, i64::from(limit) + 1)).await?;
    Ok(Page::of(teams, limit, |team| team.row.id)?.map(TeamOut::from).respond(&request))
}

/// One team.
#[utoipa::path(get, path = "/api/v1/teams/{id}", tag = "accounts", params(("id" = TeamId, Path)),
    responses((status = 200, description = "The team", body = TeamOut)))]
pub async fn get(app: Data<App>, id: Id<TeamId>) -> Result<HttpResponse> {
    let team = app.db.read(move |conn| store::find_with_members(conn, id.0)).await?;
    let version = team.row.version;
    Ok(Answer::ok(&TeamOut::from(team))?.version(version).into())
}

/// Change a team. With another calendar its running promises are laid out by those hours from their original start, in a job.
#[utoipa::path(patch, path = "/api/v1/teams/{id}", tag = "accounts", request_body = TeamPatch,
    params(("id" = TeamId, Path)), responses((status = 200, description = "As it is now", body = TeamOut)))]
pub async fn change(
    app: Data<App>,
    who: Who,
    Now(now): Now,
    id: Id<TeamId>,
    seen: Seen,
    body: Body<TeamPatch>,
) -> Result<HttpResponse> {
    let TeamPatch { name, calendar_id, members, signature } = body.0;
    let team = app
        .db
        .write(move |conn| {
            let (mut before, mut counted_by) = (None, None);
            let team = store::update(conn, id.0, seen, now, |team| {
                before = Some(TeamOut::from(team.clone()));
                counted_by = team.row.calendar_id;
                team.row.name = name.unwrap_or(std::mem::take(&mut team.row.name));
                calendar_id.apply(&mut team.row.calendar_id);
                team.members = members.unwrap_or(std::mem::take(&mut team.members));
                team.row.signature = signature.unwrap_or(std::mem::take(&mut team.row.signature));
            })?;
            let after = TeamOut::from(team);
            audit::changed(conn, who.0.actor(), ("team", id.0.0), (&before, &after), now)?;
            if after.calendar_id != counted_by {
                moves::follow_choice(conn, after.calendar_id, now)?;
            }
            Ok(after)
        })
        .await?;
    app.jobs_queued.notify_one();
    Ok(Answer::ok(&team)?.version(team.version).into())
}
