//! Chats as JSON.
use super::identity::{self, Door};
use super::model::{ChatEnd, ChatSide, ChatState, OfferOutcome};
use super::queries::{Listed, SaidRow};
use super::store::{ChatRow, OfferRow};
use crate::attachments::{queries::listed, wire::AttachmentOut};
use crate::error::Result;
use crate::ids::{AgentId, AttachmentId, ChatId, ChatOfferId, ClientMessageId, ContactId, TeamId, TicketId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// A chat.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ChatOut {
    /// Its id.
    pub id: ChatId,
    state: ChatState,
    /// The site that the visitor is on.
    site: String,
    /// Whether that site says who the visitor is; else they are whoever they say.
    verified: bool,
    team_id: Option<TeamId>,
    contact_id: ContactId,
    ticket_id: TicketId,
    /// Who has it.
    agent_id: Option<AgentId>,
    /// Who is rung now.
    ringing: Vec<AgentId>,
    /// How many messages there are: the number of the last one.
    messages: i32,
    asked_at: DateTime<Utc>,
    accepted_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    ended_by: Option<ChatEnd>,
    /// Since when the visitor has no connection.
    visitor_gone_at: Option<DateTime<Utc>>,
}

impl From<Listed> for ChatOut {
    fn from((row, ringing): Listed) -> Self {
        let ChatRow {
            id,
            visitor_id: _,
            origin,
            is_verified,
            state,
            team_id,
            contact_id,
            ticket_id,
            pickup_clock_id: _,
            agent_id,
            last_seq,
            round: _,
            asked_at,
            accepted_at,
            ended_at,
            ended_by,
            line: _,
            gone_at,
            active_at: _,
            next_at: _,
        } = row;
        Self {
            id,
            state: state.0,
            site: origin,
            verified: is_verified,
            team_id,
            contact_id,
            ticket_id,
            agent_id,
            ringing,
            messages: last_seq,
            asked_at: asked_at.0,
            accepted_at: accepted_at.map(|at| at.0),
            ended_at: ended_at.map(|at| at.0),
            ended_by: ended_by.map(|by| by.0),
            visitor_gone_at: gone_at.map(|at| at.0),
        }
    }
}

impl From<ChatRow> for ChatOut {
    fn from(row: ChatRow) -> Self {
        (row, Vec::new()).into()
    }
}

/// Who was asked to take a chat.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ChatOfferOut {
    id: ChatOfferId,
    agent_id: AgentId,
    /// 1: the agents of the team; 2: everybody.
    round: i32,
    offered_at: DateTime<Utc>,
    /// Null while it stands.
    ended_at: Option<DateTime<Utc>>,
    outcome: Option<OfferOutcome>,
}

impl From<OfferRow> for ChatOfferOut {
    fn from(row: OfferRow) -> Self {
        let OfferRow { id, chat_id: _, agent_id, round, offered_at, ended_at, outcome } = row;
        Self {
            id,
            agent_id,
            round,
            offered_at: offered_at.0,
            ended_at: ended_at.map(|at| at.0),
            outcome: outcome.map(|outcome| outcome.0),
        }
    }
}

/// A chat with its offers.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ChatFull {
    /// The chat.
    #[serde(flatten)]
    pub chat: ChatOut,
    /// Its offers, oldest first.
    pub offers: Vec<ChatOfferOut>,
}

/// A message of a chat.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ChatMessageOut {
    /// Its place: 1, 2, 3 without gaps.
    pub seq: i32,
    /// The id that its writer gave it.
    pub id: ClientMessageId,
    /// Which side wrote it.
    pub from: ChatSide,
    /// What the agent is called who wrote it.
    pub name: Option<String>,
    /// When the desk got it.
    pub at: DateTime<Utc>,
    /// What was written, unchanged; of a visitor's file its name.
    pub body: String,
    /// The files that it brings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<ChatFileOut>,
}

/// A file of a message.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ChatFileOut {
    /// For `GET /attachments/{id}`.
    id: AttachmentId,
    /// Its name, without folders.
    name: String,
    /// What its sender says that it is.
    media_type: String,
    size_bytes: i64,
    /// Where both ends fetch it, within 30 days: it is signed.
    url: String,
}

impl ChatMessageOut {
    /// A message, its files with addresses that are signed by the key.
    pub fn of(row: SaidRow, key: &[u8]) -> Result<Self> {
        let SaidRow { seq, side, client_id, agent_id: _, agent_name, at, body, attachments } = row;
        let file = |file: AttachmentOut| ChatFileOut {
            url: format!("/chat/files/{}?key={}", file.id, identity::seal(key, Door::File(file.id)).unwrap_or_default()),
            id: file.id,
            name: file.file_name,
            media_type: file.media_type,
            size_bytes: file.size_bytes,
        };
        let files = listed(attachments)?.into_iter().map(file).collect();
        Ok(Self { seq, id: client_id, from: side.0, name: agent_name, at: at.0, body, files })
    }
}

/// What an agent says in a chat.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChatMessageIn {
    /// An id of the writer's own: the same one again is the same message. Drawn by the desk where it is left out.
    pub id: Option<ClientMessageId>,
    /// Plain text.
    #[validate(length(min = 1, max = 4_000))]
    #[schema(min_length = 1, max_length = 4_000, pattern = r"\S")]
    pub body: String,
    /// Files that you handed in before and that wait for this message.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[schema(value_type = HashSet<AttachmentId>, max_items = 100)]
    pub attachments: Vec<AttachmentId>,
}

/// Where a message stands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ChatPlaceOut {
    /// Its id.
    pub id: ClientMessageId,
    /// Its place.
    pub seq: i32,
}

fn yes() -> bool {
    true
}

/// How an agent ends a chat.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChatEndIn {
    /// Whether its ticket is closed too, so that the contact is asked how it was.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub close_ticket: bool,
}

/// Whether a visitor is kept out.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChatBlockIn {
    /// True keeps the visitor of this chat out; a chat that is open ends.
    pub blocked: bool,
}
