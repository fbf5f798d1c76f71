//! What the verbs of a ticket are told, as JSON.
use super::wire::{BODY_MAX, message_id};
use crate::ids::{AgentId, AttachmentId, TeamId};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use validator::Validate;

/// What a contact wrote to an open or closed ticket.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InboundIn {
    /// Plain text.
    #[validate(length(min = 1, max = BODY_MAX))]
    #[schema(min_length = 1, max_length = 100_000)]
    pub body: String,
    /// When the desk got it: only for tokens with the scope `channel` or `import`.
    pub received_at: Option<DateTime<Utc>>,
    /// The mail's own Message-ID.
    #[validate(length(max = 250), custom(function = "message_id"))]
    #[schema(max_length = 250, pattern = "^<[!-;=?-~]+>$", examples("<4711@nordwind.example>"))]
    pub mail_message_id: Option<String>,
    /// Files that were handed in before and wait for this message.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[schema(value_type = HashSet<AttachmentId>, max_items = 100)]
    pub attachments: Vec<AttachmentId>,
}

/// A text by an agent.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TextIn {
    /// Plain text.
    #[validate(length(min = 1, max = BODY_MAX))]
    #[schema(min_length = 1, max_length = 100_000, examples("The transfer went through a minute ago."))]
    pub body: String,
    /// Files that were handed in before and wait for this message.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[schema(value_type = HashSet<AttachmentId>, max_items = 100)]
    pub attachments: Vec<AttachmentId>,
}

/// Who is to be responsible.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssigneeIn {
    /// An active agent, or null for nobody.
    #[serde(deserialize_with = "required")]
    #[schema(required = true)]
    pub agent_id: Option<AgentId>,
}

/// Which team is to be responsible.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandOverIn {
    /// A team, or null for none.
    #[serde(deserialize_with = "required")]
    #[schema(required = true)]
    pub team_id: Option<TeamId>,
}

/// For fields that may be null but must be there.
fn required<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}
