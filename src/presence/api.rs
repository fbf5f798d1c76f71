//! `/presence`.
use super::commands::{self, Said};
use super::commands_alarms;
use super::model::PresenceState;
use super::queries::{self, Listed};
use super::queries_alarms::{self, StaffingRow};
use crate::accounts::caller::Agent;
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::extract::{Body, Nothing, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, read_cursor};
use crate::ids::{AgentId, AlertId};
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// What an agent says of themselves.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PresenceIn {
    /// What they are now.
    state: PresenceState,
    /// Why, for the others.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, examples("lunch"))]
    reason: Option<String>,
    /// Chats that they have at once; as before where it is left out, 3 at first. Of calls it is always one.
    #[validate(range(min = 0, max = 50))]
    #[schema(minimum = 0, maximum = 50)]
    chats_max: Option<i32>,
}

/// What an agent is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PresenceOut {
    agent_id: AgentId,
    name: String,
    state: PresenceState,
    /// Why; `no connection` where their last stream died.
    reason: Option<String>,
    /// Chats that they have at once.
    chats_max: Option<i32>,
    /// When the state began; null where they never said anything.
    since: Option<DateTime<Utc>>,
}

impl From<Listed> for PresenceOut {
    fn from((agent_id, name, row): Listed) -> Self {
        let Some(row) = row else {
            return Self { agent_id, name, state: PresenceState::Offline, reason: None, chats_max: None, since: None };
        };
        let (state, since) = (row.state.0, Some(row.changed_at.0));
        Self { agent_id, name, state, reason: row.reason, chats_max: Some(row.chats_max), since }
    }
}

/// Whom to list.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PresenceParams {
    /// Only agents in this state.
    state: Option<PresenceState>,
    /// Rows at the most.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Say what you are: available, away or offline.
///
/// It holds while a stream of yours is open; the first must be opened within four seconds.
#[utoipa::path(put, path = "/api/v1/presence", tag = "live", request_body = PresenceIn,
    responses((status = 200, description = "What you are now", body = PresenceOut)))]
pub async fn say(app: Data<App>, agent: Agent, Now(now): Now, body: Body<PresenceIn>) -> Result<Json<PresenceOut>> {
    let PresenceIn { state, reason, chats_max } = body.0;
    let listed = app
        .db
        .write(move |conn| {
            commands::say(conn, &agent, Said { state, reason, chats_max }, now)?;
            queries::one(conn, agent.id())?.ok_or(Error::NotFound("agent"))
        })
        .await?;
    app.live.say_presence();
    Ok(Json(listed.into()))
}

/// List what all agents are.
#[utoipa::path(get, path = "/api/v1/presence", tag = "live", params(PresenceParams),
    responses((status = 200, description = "A page of agents", body = Page<PresenceOut>)))]
pub async fn list(app: Data<App>, params: Params<PresenceParams>, request: HttpRequest) -> Result<HttpResponse> {
    let PresenceParams { state, limit, cursor } = params.0;
    let after = read_cursor(cursor.as_deref())?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.db.read(move |conn| queries::list(conn, state, after, i64::from(limit) + 1)).await?;
    Ok(Page::of(rows, limit, |row| row.0)?.map(PresenceOut::from).respond(&request))
}

/// The alarm that the desk is open and nobody is available.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StaffingOut {
    /// Its id among the alerts; null where it does not ring.
    id: Option<AlertId>,
    /// Since when it rings; null where it does not.
    raised_at: Option<DateTime<Utc>>,
    /// When it was last told.
    told_at: Option<DateTime<Utc>>,
    /// How often it was told.
    times: i32,
    acknowledged_at: Option<DateTime<Utc>>,
    /// Who sees to it.
    acknowledged_by: Option<AgentId>,
}

impl From<Option<StaffingRow>> for StaffingOut {
    fn from(row: Option<StaffingRow>) -> Self {
        let Some(row) = row else {
            return Self { id: None, raised_at: None, told_at: None, times: 0, acknowledged_at: None, acknowledged_by: None };
        };
        let StaffingRow { id, team_id: _, raised_at, told_at, times, acknowledged_at, acknowledged_by, ended_at: _ } = row;
        Self {
            id: Some(id),
            raised_at: Some(raised_at.0),
            told_at: Some(told_at.0),
            times,
            acknowledged_at: acknowledged_at.map(|at| at.0),
            acknowledged_by,
        }
    }
}

/// Whether the desk is open and nobody is available.
#[utoipa::path(get, path = "/api/v1/presence/alarm", tag = "live",
    responses((status = 200, description = "The alarm", body = StaffingOut)))]
pub async fn alarm(app: Data<App>) -> Result<Json<StaffingOut>> {
    Ok(Json(app.db.read(queries_alarms::of_desk).await?.into()))
}

/// See to the alarm: it is not told again until it has ended.
#[utoipa::path(post, path = "/api/v1/presence/alarm/acknowledgement", tag = "live", request_body = Nothing,
    responses((status = 200, description = "The alarm, acknowledged", body = StaffingOut)))]
pub async fn acknowledge(app: Data<App>, agent: Agent, Now(now): Now, post: Post<Nothing>) -> Result<HttpResponse> {
    post.once
        .run(&app, now, move |conn| Answer::ok(&StaffingOut::from(Some(commands_alarms::acknowledge(conn, &agent, None, now)?))))
        .await
}
