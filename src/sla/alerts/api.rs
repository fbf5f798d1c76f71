//! `/alerts`.
use super::commands;
use super::queries::{self, Alert, Filter};
use crate::accounts::caller::Agent;
use crate::app::App;
use crate::config::Config;
use crate::db::types::Time;
use crate::error::Result;
use crate::http::extract::{Id, Nothing, Now, Params, Post};
use crate::http::idempotency::Answer;
use crate::http::page::{LIMIT_DEFAULT, Page, read_cursor};
use crate::ids::{AgentId, AlertId, ClockId, TeamId, TicketId};
use crate::presence::queries_alarms::StaffingRow;
use crate::sla::clock::Metric;
use crate::sla::ladder::{About, EndReason, Level};
use crate::tickets::model::Priority;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// A warning or a breach that people have to hear of, or that nobody is there.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AlertOut {
    id: AlertId,
    about: About,
    /// Null where it is about nobody being there, like all that is a ticket's.
    ticket_id: Option<TicketId>,
    #[schema(examples(1042))]
    ticket_number: Option<i64>,
    ticket_subject: Option<String>,
    priority: Option<Priority>,
    /// The ticket's team, or the team of which nobody is there (none: of the desk).
    team_id: Option<TeamId>,
    assignee_id: Option<AgentId>,
    clock_id: Option<ClockId>,
    metric: Option<Metric>,
    level: Option<Level>,
    /// The instant of the warning or the breach, or since when nobody is there.
    raised_at: DateTime<Utc>,
    /// Steps of the ladder that were told, or how often managers were.
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

impl AlertOut {
    fn of(alert: Alert, config: &Config) -> Self {
        let at = |time: Option<Time>| time.map(|time| time.0);
        match alert {
            Alert::Promise(row, (number, subject, priority, team_id, assignee_id)) => Self {
                id: row.id,
                about: About::Promise,
                ticket_id: Some(row.ticket_id),
                ticket_number: Some(number),
                ticket_subject: Some(subject),
                priority: Some(priority.0),
                team_id,
                assignee_id,
                clock_id: Some(row.clock_id),
                metric: Some(row.metric.0),
                level: Some(row.level.0),
                raised_at: row.raised_at.0,
                step: row.step,
                told_at: at(row.told_at),
                next_at: at(row.next_at),
                acknowledged_at: at(row.acknowledged_at),
                acknowledged_by: row.acknowledged_by,
                ended_at: at(row.ended_at),
                end_reason: row.end_reason.map(|reason| reason.0),
            },
            Alert::Staffing(row) => {
                let StaffingRow { id, team_id, raised_at, told_at, times, acknowledged_at, acknowledged_by, ended_at } = row;
                let is_told_again = acknowledged_at.is_none() && ended_at.is_none();
                let repeat = TimeDelta::seconds(i64::from(config.presence.alarm_repeat_seconds));
                Self {
                    id,
                    about: About::Staffing,
                    ticket_id: None,
                    ticket_number: None,
                    ticket_subject: None,
                    priority: None,
                    team_id,
                    assignee_id: None,
                    clock_id: None,
                    metric: None,
                    level: None,
                    raised_at: raised_at.0,
                    step: times,
                    told_at: Some(told_at.0),
                    next_at: is_told_again.then(|| told_at.0 + repeat),
                    acknowledged_at: at(acknowledged_at),
                    acknowledged_by,
                    ended_at: at(ended_at),
                    end_reason: None,
                }
            }
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
    /// Only promises of tickets, or only that nobody is there.
    about: Option<About>,
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
    let AlertParams { open, about, acknowledged, level, metric, priority, team_id, assignee_id, ticket_id, limit, cursor } =
        params.0;
    let filter = Filter {
        about,
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
    let page = Page::of(rows, limit, Alert::key)?;
    Ok(page.map(|alert| AlertOut::of(alert, &app.config)).respond(&request))
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
    let desk = app.clone();
    post.once
        .run(&app, now, move |conn| {
            commands::acknowledge(conn, &agent, id.0, now)?;
            Answer::ok(&AlertOut::of(queries::find(conn, id.0)?, &desk.config))
        })
        .await
}
