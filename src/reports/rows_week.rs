//! The rows behind the hours of the week. Pure.
use super::csv::{figure, instant, text};
use super::rows::{Place, Row};
use crate::ids::{AgentId, OrganizationId, TeamId, TicketId};
use crate::sla::clock::{Metric, Verdict};
use crate::tickets::model::{Channel, Priority};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// One ticket that came, with its first promise of the kind that is asked about.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct HourRow {
    /// Which ticket.
    pub ticket_id: TicketId,
    /// Its number.
    #[schema(examples(1042))]
    pub ticket_number: i64,
    /// When it came: what the period and the hour are about.
    pub received_at: DateTime<Utc>,
    /// 1 is Monday, in the time zone that was asked for.
    #[schema(minimum = 1, maximum = 7)]
    pub weekday: u32,
    /// 0 to 23, in the same time zone.
    #[schema(minimum = 0, maximum = 23)]
    pub hour: u32,
    /// How it came.
    pub channel: Channel,
    /// How urgent it is.
    pub priority: Priority,
    /// Who is responsible.
    pub team_id: Option<TeamId>,
    /// Who is responsible.
    pub agent_id: Option<AgentId>,
    /// Whose it is.
    pub organization_id: Option<OrganizationId>,
    /// Which promise; all that follows is null where there is none.
    pub metric: Metric,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When its time is used up.
    pub due_at: Option<DateTime<Utc>>,
    /// When it was done.
    pub reached_at: Option<DateTime<Utc>>,
    /// Seconds used when it was done.
    pub used_seconds: Option<i64>,
    /// How it stands.
    pub verdict: Option<Verdict>,
    /// Why it is left out.
    pub reason: Option<String>,
}

impl Row for HourRow {
    const COLUMNS: &'static [&'static str] = &[
        "ticket_id",
        "ticket_number",
        "received_at",
        "weekday",
        "hour",
        "channel",
        "priority",
        "team_id",
        "agent_id",
        "organization_id",
        "metric",
        "started_at",
        "due_at",
        "reached_at",
        "used_seconds",
        "verdict",
        "reason",
    ];

    fn cells(&self) -> Vec<String> {
        let Self { ticket_id, ticket_number, received_at, weekday, hour, channel, priority, team_id, agent_id, .. } = self;
        let Self { organization_id, metric, started_at, due_at, reached_at, used_seconds, verdict, reason, .. } = self;
        vec![
            ticket_id.to_string(),
            ticket_number.to_string(),
            instant(Some(*received_at)),
            weekday.to_string(),
            hour.to_string(),
            channel.to_string(),
            priority.to_string(),
            figure(*team_id),
            figure(*agent_id),
            figure(*organization_id),
            metric.to_string(),
            instant(*started_at),
            instant(*due_at),
            instant(*reached_at),
            figure(*used_seconds),
            figure(*verdict),
            text(reason.as_deref().unwrap_or_default()),
        ]
    }

    fn place(&self) -> Place {
        (self.received_at, self.ticket_id.0)
    }
}
