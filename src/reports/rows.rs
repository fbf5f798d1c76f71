//! The rows behind the figures, as JSON and as cells: summed again they give the report. Pure.
use super::asked::{Filter, Period};
use super::csv::{figure, instant, text};
use crate::error::FieldError;
use crate::ids::{AgentId, ClockId, InvitationId, OrganizationId, PolicyId, ResponseId, TeamId, TicketId};
use crate::sla::clock::{Metric, Verdict};
use crate::surveys::model::ReviewState;
use crate::tickets::model::{Channel, Priority};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Where a row stands in its list: when, and its id.
pub type Place = (DateTime<Utc>, Uuid);

/// A row behind a figure.
pub trait Row: Serialize + Send + 'static {
    /// Names of its cells.
    const COLUMNS: &'static [&'static str];
    /// What it says, safe for spreadsheets.
    fn cells(&self) -> Vec<String>;
    /// Where the next page goes on.
    fn place(&self) -> Place;
}

/// Which rows: a period, whose, and the instant that running promises are asked about.
#[derive(Debug, Clone, Copy)]
pub struct RowsAsked {
    /// About when.
    pub period: Period,
    /// About whom.
    pub filter: Filter,
    /// When the first page was asked for.
    pub as_of: DateTime<Utc>,
}

/// Where a page ended, and what the first page was asked: the period may have ended "now", and now moves on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    from: i64,
    to: i64,
    as_of: i64,
    at: i64,
    id: Uuid,
}

impl Cursor {
    /// After the row that stands at `place`.
    pub fn after((at, id): Place, asked: &RowsAsked) -> Self {
        let micros = |at: DateTime<Utc>| at.timestamp_micros();
        Self { from: micros(asked.period.from), to: micros(asked.period.to), as_of: micros(asked.as_of), at: micros(at), id }
    }

    /// What the first page was asked, and where to go on.
    pub fn read(self, zone: Tz, filter: Filter) -> Result<(RowsAsked, Place), FieldError> {
        let wrong = || FieldError::new("cursor", "unknown_cursor", "is not a cursor of this list");
        let at = |micros: i64| DateTime::from_timestamp_micros(micros).ok_or_else(wrong);
        let period = Period { from: at(self.from)?, to: at(self.to)?, zone };
        Ok((RowsAsked { period, filter, as_of: at(self.as_of)? }, (at(self.at)?, self.id)))
    }
}

/// One promise of one ticket: a row of the SLA report.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SlaRow {
    /// Which promise.
    pub clock_id: ClockId,
    /// Of which ticket.
    pub ticket_id: TicketId,
    /// Its number.
    #[schema(examples(1042))]
    pub ticket_number: i64,
    /// What was promised.
    pub metric: Metric,
    /// 1 for the first of its metric on the ticket.
    pub cycle: i32,
    /// Whether no later one of its metric followed on the ticket.
    pub is_last: bool,
    /// How the ticket came; this and the next four are as the report counts them.
    pub channel: Channel,
    /// How urgent it was.
    pub priority: Priority,
    /// Who was responsible.
    pub team_id: Option<TeamId>,
    /// Who was responsible.
    pub agent_id: Option<AgentId>,
    /// Whose ticket it was.
    pub organization_id: Option<OrganizationId>,
    /// Which policy promised it.
    pub policy_id: PolicyId,
    /// Under which version.
    pub policy_version: i32,
    /// When it began: what the period is about.
    pub started_at: DateTime<Utc>,
    /// Seconds promised.
    pub target_seconds: i64,
    /// When they are used up; null while it stands still or where nothing is promised.
    pub due_at: Option<DateTime<Utc>>,
    /// When it was broken.
    pub breached_at: Option<DateTime<Utc>>,
    /// When it was done.
    pub reached_at: Option<DateTime<Utc>>,
    /// Seconds used when it was done.
    pub used_seconds: Option<i64>,
    /// How it stands.
    pub verdict: Verdict,
    /// Why it is left out.
    pub reason: Option<String>,
}

impl Row for SlaRow {
    const COLUMNS: &'static [&'static str] = &[
        "clock_id",
        "ticket_id",
        "ticket_number",
        "metric",
        "cycle",
        "is_last",
        "channel",
        "priority",
        "team_id",
        "agent_id",
        "organization_id",
        "policy_id",
        "policy_version",
        "started_at",
        "target_seconds",
        "due_at",
        "breached_at",
        "reached_at",
        "used_seconds",
        "verdict",
        "reason",
    ];

    fn cells(&self) -> Vec<String> {
        let Self { clock_id, ticket_id, ticket_number, metric, cycle, is_last, channel, priority, .. } = self;
        let Self { team_id, agent_id, organization_id, policy_id, policy_version, started_at, target_seconds, .. } = self;
        let Self { due_at, breached_at, reached_at, used_seconds, verdict, reason, .. } = self;
        vec![
            clock_id.to_string(),
            ticket_id.to_string(),
            ticket_number.to_string(),
            metric.to_string(),
            cycle.to_string(),
            is_last.to_string(),
            channel.to_string(),
            priority.to_string(),
            figure(*team_id),
            figure(*agent_id),
            figure(*organization_id),
            policy_id.to_string(),
            policy_version.to_string(),
            instant(Some(*started_at)),
            target_seconds.to_string(),
            instant(*due_at),
            instant(*breached_at),
            instant(*reached_at),
            figure(*used_seconds),
            verdict.to_string(),
            text(reason.as_deref().unwrap_or_default()),
        ]
    }

    fn place(&self) -> Place {
        (self.started_at, self.clock_id.0)
    }
}

/// One answer: a row of the NPS report and of the causes.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct NpsRow {
    /// Which answer.
    pub response_id: ResponseId,
    /// To which invitation.
    pub invitation_id: InvitationId,
    /// About which ticket; null, as its number, for a relationship survey.
    pub ticket_id: Option<TicketId>,
    /// Its number.
    #[schema(examples(1042))]
    pub ticket_number: Option<i64>,
    /// How the ticket came; this and the next four are as they were at the close.
    pub channel: Channel,
    /// How urgent it was.
    pub priority: Priority,
    /// Who was responsible.
    pub team_id: Option<TeamId>,
    /// Who was responsible.
    pub agent_id: Option<AgentId>,
    /// Whose ticket it was.
    pub organization_id: Option<OrganizationId>,
    /// When the letter was sent.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it was answered: what the period is about.
    pub answered_at: DateTime<Utc>,
    /// 0 to 10.
    #[schema(minimum = 0, maximum = 10)]
    pub score: i32,
    /// What else was said.
    pub comment: String,
    /// Where its review stands.
    pub review: Option<ReviewState>,
    /// What the review names.
    pub causes: Vec<String>,
}

impl Row for NpsRow {
    const COLUMNS: &'static [&'static str] = &[
        "response_id",
        "invitation_id",
        "ticket_id",
        "ticket_number",
        "channel",
        "priority",
        "team_id",
        "agent_id",
        "organization_id",
        "sent_at",
        "answered_at",
        "score",
        "comment",
        "review",
        "causes",
    ];

    fn cells(&self) -> Vec<String> {
        let Self { response_id, invitation_id, ticket_id, ticket_number, channel, priority, team_id, agent_id, .. } = self;
        let Self { organization_id, sent_at, answered_at, score, comment, review, causes, .. } = self;
        vec![
            response_id.to_string(),
            invitation_id.to_string(),
            figure(*ticket_id),
            figure(*ticket_number),
            channel.to_string(),
            priority.to_string(),
            figure(*team_id),
            figure(*agent_id),
            figure(*organization_id),
            instant(*sent_at),
            instant(Some(*answered_at)),
            score.to_string(),
            text(comment),
            figure(*review),
            text(&causes.join("; ")),
        ]
    }

    fn place(&self) -> Place {
        (self.answered_at, self.response_id.0)
    }
}
