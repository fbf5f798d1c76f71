//! What was found, as JSON.
use super::queries::Matched;
use crate::ids::MessageId;
use serde::Serialize;

/// Where a ticket holds what was looked for. The texts are HTML in which `<mark>` is the only markup.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MatchedOut {
    /// The message; null where a ticket has none and its subject matched.
    message_id: Option<MessageId>,
    /// The whole subject.
    #[schema(examples("Domain <mark>transfer</mark> is stuck"))]
    subject: String,
    /// The part of the message around the first match; its beginning where only the subject matched.
    #[schema(examples("The <mark>transfer</mark> of nordwind.example does not move."))]
    snippet: String,
}

impl From<Matched> for MatchedOut {
    fn from(Matched { message_id, subject, snippet }: Matched) -> Self {
        Self { message_id, subject, snippet }
    }
}
