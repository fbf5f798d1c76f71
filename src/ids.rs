//! Typed ids (UUIDv7) and secrets; the only place that draws randomness for either.
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => { $(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
        #[diesel(sql_type = $crate::db::types::Uid)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id, ordered by the time it was drawn.
            #[expect(clippy::new_without_default, reason = "a new id is an act, not a default")]
            #[expect(clippy::disallowed_methods, reason = "its one home")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        $crate::db::types::uid_column!($name);
    )+ };
}

ids! {
    /// Names a ticket.
    TicketId,
    /// Names a message of a ticket.
    MessageId,
    /// Names one promise running on a ticket.
    ClockId,
    /// Names a contact.
    ContactId,
    /// Names an organization.
    OrganizationId,
    /// Names an agent.
    AgentId,
    /// Names a team.
    TeamId,
    /// Names an API token (not its secret).
    TokenId,
    /// Names a calendar.
    CalendarId,
    /// Names an SLA policy.
    PolicyId,
    /// Names one letter of a weekly digest.
    DigestLetterId,
    /// Names one outgoing letter.
    MailId,
    /// Names a queued job.
    JobId,
    /// Names a survey invitation.
    InvitationId,
    /// Names a survey response.
    ResponseId,
    /// Names a cause that reviewers can give.
    CauseId,
    /// Names the suppression of an address.
    SuppressionId,
    /// Names the reminder of an invitation.
    ReminderId,
    /// Names a wave of relationship surveys.
    WaveId,
    /// Names one try to reach a contact.
    AttemptId,
    /// Names an edit that running clocks have to follow.
    MoveId,
    /// Names a warning or breach that people have to hear of.
    AlertId,
    /// Names a letter to the staff about alerts.
    AlertLetterId,
    /// Names a webhook.
    WebhookId,
    /// Names one event on its way to one webhook.
    DeliveryId,
    /// Names an import.
    ImportId,
    /// Names a running process.
    NodeId,
    /// Names a call.
    CallId,
    /// Names a conversation.
    ChatId,
    /// Names somebody who opened a chat.
    VisitorId,
    /// Names the offer of a chat to an agent.
    ChatOfferId,
    /// Names a message of a chat, by the client that wrote it.
    ClientMessageId,
    /// Names a visitor's connection.
    LineId,
    /// Names a file that was handed in.
    AttachmentId,
    /// Names a canned reply.
    CannedReplyId,
    /// Names a saved view.
    ViewId,
    /// Names a custom field.
    FieldId,
    /// Names an address that people write to.
    MailboxId,
    /// Names a mail that was taken.
    InboundMailId,
    /// Names a node that fetches mails.
    FetcherId,
}

/// 32 random bytes as base64url text; only its [`digest`] is ever stored.
pub struct Secret(String);

impl Secret {
    /// Draws a new secret from the operating system's generator.
    pub fn new() -> Result<Self, rand::rngs::SysError> {
        use rand::TryRng;
        let mut bytes = [0u8; 32];
        rand::rngs::SysRng.try_fill_bytes(&mut bytes)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The text to hand out, once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored.
    pub fn digest(&self) -> Vec<u8> {
        digest(&self.0)
    }
}

/// SHA-256 of a secret's text: enough for 256 random bits (no salt, no stretching needed).
pub fn digest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// A fraction in 0..1 for jitter.
pub fn jitter() -> f64 {
    use rand::RngExt;
    rand::rng().random()
}
