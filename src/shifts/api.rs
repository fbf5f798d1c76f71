//! `/shifts`.
use super::commands::{self, Planned};
use super::queries::{self, Coverage, ShiftRow};
use super::wire::{CoverageOut, DutyOut, ShiftIn, ShiftOut};
use crate::accounts::caller::Agent;
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::extract::{Body, Id, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, read_cursor};
use crate::ids::{AgentId, ShiftId, TeamId};
use crate::seen::Seen;
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use validator::Validate;

/// Days that one answer looks through at the most.
const WINDOW_MAX: TimeDelta = TimeDelta::days(92);
/// Days that are looked through where no end is said.
const WINDOW_DEFAULT: TimeDelta = TimeDelta::days(28);

fn planned(wanted: ShiftIn) -> Result<Planned> {
    wanted.check()?;
    let ShiftIn { agent_id, team_id, from_on, to_on, weekly, note } = wanted;
    Ok(Planned { agent_id, team_id, from_on, to_on, weekly, note })
}

fn saved((row, coverage): (ShiftRow, Coverage)) -> Result<ShiftOut> {
    ShiftOut::of(row, Some(coverage))
}

/// Plan a shift. The answer shows which open hours of the next four weeks are left without anybody.
#[utoipa::path(post, path = "/api/v1/shifts", tag = "live", request_body = ShiftIn,
    responses((status = 201, description = "Planned", body = ShiftOut)))]
pub async fn create(app: Data<App>, agent: Agent, Now(now): Now, post: Post<ShiftIn>) -> Result<HttpResponse> {
    let wanted = planned(post.body)?;
    post.once
        .run(&app, now, move |conn| {
            let made = saved(commands::plan(conn, &agent, wanted, now)?)?;
            Ok(Answer::created(format!("/api/v1/shifts/{}", made.id), &made)?.version(made.version))
        })
        .await
}

/// Which shifts to list.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ShiftParams {
    /// Only of this team.
    team_id: Option<TeamId>,
    /// Only of this agent.
    agent_id: Option<AgentId>,
    /// Rows at the most.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List shifts, oldest first.
#[utoipa::path(get, path = "/api/v1/shifts", tag = "live", params(ShiftParams),
    responses((status = 200, description = "A page", body = Page<ShiftOut>)))]
pub async fn list(app: Data<App>, params: Params<ShiftParams>, request: HttpRequest) -> Result<HttpResponse> {
    let ShiftParams { team_id, agent_id, limit, cursor } = params.0;
    let after = read_cursor(cursor.as_deref())?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.db.read(move |conn| queries::list(conn, (team_id, agent_id), after, i64::from(limit) + 1)).await?;
    let shifts = rows.into_iter().map(|row| ShiftOut::of(row, None)).collect::<Result<Vec<_>>>()?;
    Ok(Page::of(shifts, limit, |shift| shift.id)?.respond(&request))
}

/// One shift.
#[utoipa::path(get, path = "/api/v1/shifts/{id}", tag = "live", params(("id" = ShiftId, Path)),
    responses((status = 200, description = "The shift", body = ShiftOut)))]
pub async fn get(app: Data<App>, id: Id<ShiftId>) -> Result<HttpResponse> {
    let row = app.db.read(move |conn| queries::shift(conn, id.0)).await?;
    let version = row.version;
    Ok(Answer::ok(&ShiftOut::of(row, None)?)?.version(version).into())
}

/// Plan a shift otherwise. The answer shows which open hours are left without anybody.
#[utoipa::path(put, path = "/api/v1/shifts/{id}", tag = "live", request_body = ShiftIn, params(("id" = ShiftId, Path)),
    responses((status = 200, description = "As it is now", body = ShiftOut)))]
pub async fn replace(
    app: Data<App>,
    agent: Agent,
    Now(now): Now,
    id: Id<ShiftId>,
    seen: Seen,
    body: Body<ShiftIn>,
) -> Result<HttpResponse> {
    let wanted = planned(body.0)?;
    let shift = app.db.write(move |conn| saved(commands::replace(conn, &agent, (id.0, seen), wanted, now)?)).await?;
    let version = shift.version;
    Ok(Answer::ok(&shift)?.version(version).into())
}

/// Take a shift away. The answer shows which open hours are left without anybody.
#[utoipa::path(delete, path = "/api/v1/shifts/{id}", tag = "live", params(("id" = ShiftId, Path)),
    responses((status = 200, description = "Gone; where nobody is on duty now", body = CoverageOut)))]
pub async fn remove(app: Data<App>, agent: Agent, Now(now): Now, id: Id<ShiftId>, seen: Seen) -> Result<Json<CoverageOut>> {
    let coverage = app.db.write(move |conn| commands::remove(conn, &agent, id.0, seen, now)).await?;
    Ok(Json(coverage.into()))
}

/// Whose plan to look at, and when.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WindowParams {
    /// Of this team; left out: of the desk, for which every shift counts.
    team_id: Option<TeamId>,
    /// From when on; now where it is left out.
    from: Option<DateTime<Utc>>,
    /// Until when, at most 92 days later; 28 where it is left out.
    to: Option<DateTime<Utc>>,
}

impl WindowParams {
    fn window(&self, now: DateTime<Utc>) -> Result<(DateTime<Utc>, DateTime<Utc>)> {
        let from = self.from.unwrap_or(now);
        if from.timestamp() < 0 || from > now + TimeDelta::days(3_650) {
            return Err(Error::field("from", "range", "must be from 1970 on, and within the next ten years"));
        }
        let to = self.to.unwrap_or(from + WINDOW_DEFAULT);
        if to <= from || to - from > WINDOW_MAX {
            return Err(Error::field("to", "range", "must be after the beginning, by 92 days at the most"));
        }
        Ok((from, to))
    }
}

/// The open hours in which nobody is on duty.
#[utoipa::path(get, path = "/api/v1/shifts/gaps", tag = "live", params(WindowParams),
    responses((status = 200, description = "The gaps", body = CoverageOut)))]
pub async fn gaps(app: Data<App>, Now(now): Now, params: Params<WindowParams>) -> Result<Json<CoverageOut>> {
    let (window, team) = (params.0.window(now)?, params.0.team_id);
    Ok(Json(app.db.read(move |conn| queries::coverage(conn, team, window)).await?.into()))
}

/// When to look.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DutyParams {
    /// Of this team; left out: of the desk, for which every shift counts.
    team_id: Option<TeamId>,
    /// The instant; now where it is left out.
    at: Option<DateTime<Utc>>,
}

/// Who is on duty by the plan at an instant, and from when to when (at most a day to either side).
#[utoipa::path(get, path = "/api/v1/shifts/duty", tag = "live", params(DutyParams),
    responses((status = 200, description = "Who is on duty", body = Vec<DutyOut>)))]
pub async fn duty(app: Data<App>, Now(now): Now, params: Params<DutyParams>) -> Result<Json<Vec<DutyOut>>> {
    let DutyParams { team_id, at } = params.0;
    let at = at.unwrap_or(now);
    if at.timestamp() < 0 || at > now + TimeDelta::days(3_650) {
        return Err(Error::field("at", "range", "must be from 1970 on, and within the next ten years"));
    }
    let window = (at - TimeDelta::days(1), at + TimeDelta::days(1));
    let on = app.db.read(move |conn| queries::duty(conn, team_id, window)).await?;
    let shown = on.into_iter().flat_map(|(row, duty)| {
        let now_on = duty.into_iter().filter(move |(from, to)| *from <= at && at < *to);
        now_on.map(move |(from, to)| DutyOut { shift_id: row.id, agent_id: row.agent_id, team_id: row.team_id, from, to })
    });
    Ok(Json(shown.collect()))
}
