//! Links and merges as JSON.
use super::model::{LinkKind, Side};
use super::queries::{Link, Merged};
use crate::ids::{AgentId, TicketId};
use crate::tickets::model::Status;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// Which ticket is to stay.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeIn {
    /// The ticket that stays and shows the messages of both.
    pub into: TicketId,
}

/// How two tickets belong together.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkIn {
    /// How this ticket stands to the other one.
    pub kind: LinkKind,
}

/// A link, seen from the ticket that shows it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LinkOut {
    /// The other ticket.
    ticket_id: TicketId,
    number: i64,
    subject: String,
    status: Status,
    kind: LinkKind,
    /// `outgoing`: this ticket is the duplicate, the follow-up, what was caused; `incoming`: the other one is.
    side: Side,
    at: DateTime<Utc>,
}

impl From<Link> for LinkOut {
    fn from(link: Link) -> Self {
        let Link { ticket_id, number, subject, status, kind, side, at } = link;
        Self { ticket_id, number, subject, status, kind, side, at: at.0 }
    }
}

/// A ticket that was merged into the one that shows it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MergedOut {
    ticket_id: TicketId,
    number: i64,
    subject: String,
    /// When it was merged.
    at: DateTime<Utc>,
    /// Who merged it.
    agent_id: Option<AgentId>,
}

impl From<Merged> for MergedOut {
    fn from((ticket_id, number, subject, at, agent_id): Merged) -> Self {
        Self { ticket_id, number, subject, at: at.0, agent_id }
    }
}
