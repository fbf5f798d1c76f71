//! `/reports/calls`, and the calls behind it.
use super::api_charts::respond;
use super::calls_asked::{CallsAsked, CallsBy};
use super::calls_figures::LeftOutCall;
use super::params::{period_params, refused};
use super::sheet::{Format, Sheet};
use super::wire_calls::{CallsReport, named};
use super::{csv_calls, drawings_calls, queries, queries_calls};
use crate::app::App;
use crate::calls::queries as calls;
use crate::calls::wire::CallOut;
use crate::error::{Error, Result};
use crate::http::extract::{Now, Params};
use crate::http::page::{LIMIT_DEFAULT, Page, read_cursor};
use crate::ids::{AgentId, CallId, TeamId};
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// An answer is in time within so many seconds, where nothing else is asked for: what is promised.
const WITHIN_SECONDS: i64 = 20;

period_params! {
    /// What to report about.
    CallsParams {
        /// Only calls to this team's queue.
        team_id: Option<TeamId>,
        /// Only calls of this agent.
        agent_id: Option<AgentId>,
        /// Seconds within which an answer is in time; 20 where it is left out.
        #[validate(range(min = 1, max = 3_600))]
        #[param(minimum = 1, maximum = 3600)]
        within_seconds: Option<i64>,
        /// What to divide the figures by; only the total where it is left out.
        group_by: Option<CallsBy>,
        /// How to write it; where it is left out, `Accept: text/csv` asks for CSV, and all else is JSON.
        format: Option<Format>,
    }
}

impl CallsParams {
    fn asked(&self, now: DateTime<Utc>) -> Result<CallsAsked> {
        let within = self.within_seconds.unwrap_or(WITHIN_SECONDS);
        CallsAsked::new(self.period(now)?, (self.team_id, self.agent_id), self.group_by, within).map_err(refused)
    }
}

/// How did calls go?
///
/// Counts the calls that began in the period, as they stand now: one range of an index, and names for the groups. Every call is
/// offered or left out for one named reason. `/reports/calls/rows` lists them.
#[utoipa::path(get, path = "/api/v1/reports/calls", tag = "reports", params(CallsParams), responses((
    status = 200,
    description = "The figures; as CSV one row a group, with the same counts",
    content((CallsReport = "application/json"), (String = "text/csv"))
)))]
pub async fn report(
    app: Data<App>,
    Now(now): Now,
    Params(params): Params<CallsParams>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let (asked, format) = (params.asked(now)?, Format::asked(params.format, &request));
    let sheet = app.db.snapshot(move |conn| {
        let mut groups = queries_calls::calls(conn, &asked)?;
        queries_calls::available(conn, &asked, now, &mut groups)?;
        let names = queries::names(conn, named(asked.group_by), &groups)?;
        Sheet::of(&CallsReport::of(&asked, now, groups, &names), format, csv_calls::calls)
    });
    Ok(sheet.await?.respond("calls.csv"))
}

/// The report on calls as a chart: the service level of what was offered.
///
/// `format` is refused: a chart has none.
#[utoipa::path(get, path = "/api/v1/reports/calls.svg", tag = "reports", params(CallsParams),
    responses((status = 200, description = "Service level: a line over time, or bars", body = String, content_type = "image/svg+xml")))]
pub async fn chart(app: Data<App>, Now(now): Now, Params(params): Params<CallsParams>) -> Result<HttpResponse> {
    if params.format.is_some() {
        return Err(Error::field("format", "unwanted", "a chart has no other format"));
    }
    let asked = params.asked(now)?;
    let svg = app.db.snapshot(move |conn| {
        let groups = queries_calls::calls(conn, &asked)?;
        let names = queries::names(conn, named(asked.group_by), &groups)?;
        drawings_calls::calls(&CallsReport::of(&asked, now, groups, &names))
    });
    Ok(respond(svg.await?))
}

period_params! {
    /// Which calls.
    CallRowsParams {
        /// Only calls to this team's queue.
        team_id: Option<TeamId>,
        /// Only calls of this agent.
        agent_id: Option<AgentId>,
        /// Seconds within which an answer is in time; 20 where it is left out.
        #[validate(range(min = 1, max = 3_600))]
        #[param(minimum = 1, maximum = 3600)]
        within_seconds: Option<i64>,
        /// Rows at the most, 1 to 100 (50 where it is left out).
        #[validate(range(min = 1, max = 100))]
        #[param(minimum = 1, maximum = 100)]
        limit: Option<u32>,
        /// `next_cursor` of the page before. It keeps the period of the first page.
        cursor: Option<String>,
    }
}

/// A call as the report counts it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CallCounted {
    /// The call.
    #[serde(flatten)]
    call: CallOut,
    /// Why it is in no figure; null where it was offered.
    left_out: Option<LeftOutCall>,
    /// Whether an agent took it in time; null where it is left out.
    in_time: Option<bool>,
}

/// Start and end of the period, and the last call of the page before.
type Cursor = (DateTime<Utc>, DateTime<Utc>, i64, CallId);

/// The calls behind the report, newest first.
#[utoipa::path(get, path = "/api/v1/reports/calls/rows", tag = "reports", params(CallRowsParams),
    responses((status = 200, description = "A page", body = Page<CallCounted>)))]
pub async fn rows(
    app: Data<App>,
    Now(now): Now,
    Params(params): Params<CallRowsParams>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let asked = params.period(now)?;
    let CallRowsParams { team_id, agent_id, within_seconds, limit, cursor, .. } = params;
    let (from, to, after) = match read_cursor::<Cursor>(cursor.as_deref())? {
        Some((from, to, at, id)) => (from, to, Some((at, id))),
        None => (asked.from, asked.to, None),
    };
    let filter = calls::Filter { team_id, agent_id, from: Some(from), to: Some(to), ..calls::Filter::default() };
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.db.read(move |conn| calls::list(conn, &filter, after, i64::from(limit) + 1)).await?;
    let within = within_seconds.unwrap_or(WITHIN_SECONDS);
    let page = Page::of(rows, limit, |row| (from, to, row.at.0.timestamp_micros(), row.id))?;
    let page = page.map(|row| {
        let counted = queries_calls::fact(&row).counted();
        CallCounted { left_out: counted.err(), in_time: counted.ok().map(|counted| counted.is_in_time(within)), call: row.into() }
    });
    Ok(page.respond(&request))
}
