//! `/alerts`.
use super::commands;
use super::queries::{self, AlertRow, Filter, Whose};
use crate::accounts::caller::Agent;
use crate::app::App;
use crate::db::types::Time;
use crate::error::Result;
use crate::http::extract::{Id, Nothing, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, read_cursor};
use crate::ids::{AgentId, AlertId, ClockId, TeamId, TicketId};
use crate::sla::clock::Metric;
use crate::sla::ladder::{EndReason, Level};
use crate::tickets::model::Priority;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// A warning or a breach that people have to hear of.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AlertOut {
    id: AlertId,
    ticket_id: TicketId,
    #[schema(examples(1042))]
    ticket_number: i64,
    ticket_subject: String,
    priority: Priority,
    team_id: Option<TeamId>,
    assignee_id: Option<AgentId>,
    clock_id: ClockId,
    metric: Metric,
    level: Level,
    /// The instant of the warning or the breach.
    raised_at: DateTime<Utc>,
    /// Steps of the ladder that were told.
    step: i32,
    /// When it was last told.
    told_at: Option<DateTime<Utc>>,
    /// When the next step is due; null where it is not told again.
    next_at: Option<DateTime<Utc>>,
    acknowledged_at: Option<DateTime<Utc>>,
    /// Who sees to it.
    acknowledged_by: Option<AgentId>,
    ended_at: Option<DateTime<Utc>>,
    /// Why it is over.
    end_reason: Option<EndReason>,
}

impl From<(AlertRow, Whose)> for AlertOut {
    fn from((row, whose): (AlertRow, Whose)) -> Self {
        let at = |time: Option<Time>| time.map(|time| time.0);
        let (ticket_number, ticket_subject, priority, team_id, assignee_id) = whose;
        Self {
            id: row.id,
            ticket_id: row.ticket_id,
            ticket_number,
            ticket_subject,
            priority: priority.0,
            team_id,
            assignee_id,
            clock_id: row.clock_id,
            metric: row.metric.0,
            level: row.level.0,
            raised_at: row.raised_at.0,
            step: row.step,
            told_at: at(row.told_at),
            next_at: at(row.next_at),
            acknowledged_at: at(row.acknowledged_at),
            acknowledged_by: row.acknowledged_by,
            ended_at: at(row.ended_at),
            end_reason: row.end_reason.map(|reason| reason.0),
        }
    }
}

/// Which alerts to list.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AlertParams {
    /// false: only those that are over; all open ones where it is left out.
    open: Option<bool>,
    /// true: only those that somebody sees to; false: only the others.
    acknowledged: Option<bool>,
    /// Only this level.
    level: Option<Level>,
    /// Only promises of this metric.
    metric: Option<Metric>,
    /// Only tickets of this priority.
    priority: Option<Priority>,
    /// Only this team's tickets.
    team_id: Option<TeamId>,
    /// Only this agent's tickets.
    assignee_id: Option<AgentId>,
    /// Only this ticket's.
    ticket_id: Option<TicketId>,
    /// Rows at the most.
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List alerts, the oldest first.
#[utoipa::path(get, path = "/api/v1/alerts", tag = "promises", params(AlertParams),
    responses((status = 200, description = "A page of alerts", body = Page<AlertOut>)))]
pub async fn list(app: Data<App>, params: Params<AlertParams>, request: HttpRequest) -> Result<HttpResponse> {
    let AlertParams { open, acknowledged, level, metric, priority, team_id, assignee_id, ticket_id, limit, cursor } = params.0;
    let filter = Filter {
        is_open: Some(open.unwrap_or(true)),
        is_acknowledged: acknowledged,
        level,
        metric,
        priority,
        team_id,
        assignee_id,
        ticket_id,
    };
    let after = read_cursor(cursor.as_deref())?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.db.read(move |conn| queries::list(conn, &filter, after, i64::from(limit) + 1)).await?;
    let page = Page::of(rows, limit, |(row, _)| (row.raised_at.0.timestamp_micros(), row.id))?;
    Ok(page.map(AlertOut::from).respond(&request))
}

/// See to an alert: it is not told again.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/acknowledgement", tag = "promises", request_body = Nothing,
    params(("id" = AlertId, Path)), responses((status = 200, description = "The alert, acknowledged", body = AlertOut)))]
pub async fn acknowledge(
    app: Data<App>,
    agent: Agent,
    Now(now): Now,
    id: Id<AlertId>,
    post: Post<Nothing>,
) -> Result<HttpResponse> {
    post.once
        .run(&app, now, move |conn| {
            commands::acknowledge(conn, &agent, id.0, now)?;
            Answer::ok(&AlertOut::from(queries::find(conn, id.0)?))
        })
        .await
}
