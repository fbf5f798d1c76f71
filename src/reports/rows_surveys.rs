//! The rows behind the funnel of surveys. Pure.
use super::csv::{figure, instant, text};
use super::funnel::{AnswerStanding, FollowUp};
use super::rows::{Place, Row};
use crate::ids::{AgentId, InvitationId, OrganizationId, ResponseId, TeamId, TicketId};
use crate::surveys::model::{Outcome, ReviewState};
use crate::tickets::model::{Channel, Priority};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// One close and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SurveyRow {
    /// The invitation of that close.
    pub invitation_id: InvitationId,
    /// Of which ticket; null, as its number, for a relationship survey.
    pub ticket_id: Option<TicketId>,
    /// Its number.
    #[schema(examples(1042))]
    pub ticket_number: Option<i64>,
    /// 1 for the first close of the ticket; 0 for a relationship survey.
    pub close_number: i32,
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
    /// When it was closed, or when the letter of a wave was planned.
    pub closed_at: DateTime<Utc>,
    /// What became of it.
    pub outcome: Outcome,
    /// When the letter was sent.
    pub sent_at: Option<DateTime<Utc>>,
    /// Whether the letter came back as undeliverable.
    pub is_bounced: bool,
    /// Until when it can be answered.
    pub expires_at: Option<DateTime<Utc>>,
    /// The answer; it and all that follows is null without one.
    pub response_id: Option<ResponseId>,
    /// When it was given.
    pub answered_at: Option<DateTime<Utc>>,
    /// 0 to 10.
    pub score: Option<i32>,
    /// Whether it counts.
    pub standing: Option<AnswerStanding>,
    /// Where its review stands.
    pub review: Option<ReviewState>,
    /// Where its follow-up stands; null where none is owed.
    pub follow_up: Option<FollowUp>,
    #[serde(skip)]
    #[schema(ignore)]
    pub(super) counted_at: DateTime<Utc>,
}

impl Row for SurveyRow {
    const COLUMNS: &'static [&'static str] = &[
        "invitation_id",
        "ticket_id",
        "ticket_number",
        "close_number",
        "channel",
        "priority",
        "team_id",
        "agent_id",
        "organization_id",
        "closed_at",
        "outcome",
        "sent_at",
        "is_bounced",
        "expires_at",
        "response_id",
        "answered_at",
        "score",
        "standing",
        "review",
        "follow_up",
    ];

    fn cells(&self) -> Vec<String> {
        let Self { invitation_id, ticket_id, ticket_number, close_number, channel, priority, team_id, agent_id, .. } = self;
        let Self { organization_id, closed_at, outcome, sent_at, is_bounced, expires_at, response_id, .. } = self;
        let Self { answered_at, score, standing, review, follow_up, .. } = self;
        vec![
            invitation_id.to_string(),
            figure(*ticket_id),
            figure(*ticket_number),
            close_number.to_string(),
            channel.to_string(),
            priority.to_string(),
            figure(*team_id),
            figure(*agent_id),
            figure(*organization_id),
            instant(Some(*closed_at)),
            text(outcome.as_str()),
            instant(*sent_at),
            is_bounced.to_string(),
            instant(*expires_at),
            figure(*response_id),
            instant(*answered_at),
            figure(*score),
            figure(*standing),
            figure(*review),
            figure(*follow_up),
        ]
    }

    fn place(&self) -> Place {
        (self.counted_at, self.invitation_id.0)
    }
}
