//! What the verbs of a ticket are told, as JSON.
use super::wire::{BODY_MAX, message_id};
use crate::accounts::contacts::model::normal_email;
use crate::accounts::contacts::wire::EmailAddress;
use crate::error::{Error, Result};
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

/// An answer to the contact.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplyIn {
    /// Markdown; HTML in it is text.
    #[validate(length(min = 1, max = BODY_MAX))]
    #[schema(min_length = 1, max_length = 100_000, examples("The transfer went through **a minute ago**."))]
    pub body: String,
    /// Who has a copy; they may answer. Only where the contact has a mail address.
    #[serde(default)]
    #[validate(length(max = 20))]
    #[schema(value_type = Vec<EmailAddress>, max_items = 20)]
    pub cc: Vec<String>,
    /// Files that were handed in before and wait for this message; they go with the letter.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[schema(value_type = HashSet<AttachmentId>, max_items = 100)]
    pub attachments: Vec<AttachmentId>,
}

/// Addresses in their one spelling, each once.
pub fn copied(cc: &[String]) -> Result<Vec<String>> {
    let mut kept: Vec<String> = Vec::new();
    for (index, text) in cc.iter().enumerate() {
        let wrong = || Error::field(&format!("cc[{index}]"), "email", "is not an e-mail address");
        let address = normal_email(text).ok_or_else(wrong)?;
        if !kept.contains(&address) {
            kept.push(address);
        }
    }
    Ok(kept)
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
fn required<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}
