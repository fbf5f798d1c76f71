//! What is said on a socket: one JSON object a frame, told apart by `type`.
use super::model::ChatState;
use super::queries::Shown;
use super::wire::ChatMessageOut;
use crate::error::FieldError;
use crate::http::respond::Problem;
use crate::ids::{ChatId, ClientMessageId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What a visitor's widget says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum VisitorSays {
    /// First of all: who it is, and what it has.
    Hello {
        /// What the desk signed before.
        visitor: Option<String>,
        /// What the host site signed.
        identity: Option<String>,
        /// The chat that it shows.
        chat: Option<ChatId>,
        /// The last message of that chat that it has.
        #[serde(default)]
        after: i32,
    },
    /// For a person.
    Ask {
        /// What they are called.
        name: Option<String>,
        /// Where they can be written to.
        email: Option<String>,
        /// Names the first message.
        id: Option<ClientMessageId>,
        /// The first message.
        body: Option<String>,
    },
    /// Something.
    Message {
        /// Its name: the same again is the same message.
        id: ClientMessageId,
        /// Plain text.
        body: String,
    },
    /// A message for later, with an address.
    Leave {
        /// Its name.
        id: ClientMessageId,
        /// Plain text.
        body: String,
        /// Where the answer goes.
        email: Option<String>,
        /// What they are called.
        name: Option<String>,
    },
    /// An address, while a chat is open.
    Address {
        /// Where they can be written to.
        email: String,
        /// What they are called.
        name: Option<String>,
    },
    /// That they type.
    Typing {},
    /// That they are done, or do not wait any more.
    End {},
    /// That the connection lives; it is answered.
    Ping {},
}

/// What an agent's page says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum AgentSays {
    /// First of all: who it is, of which chat, and what it has.
    Hello {
        /// The agent's token.
        token: String,
        /// Which chat.
        chat: ChatId,
        /// The last message of it that it has.
        #[serde(default)]
        after: i32,
    },
    /// Something.
    Message {
        /// Its name.
        id: ClientMessageId,
        /// Plain text.
        body: String,
    },
    /// That they type.
    Typing {},
    /// That the connection lives.
    Ping {},
}

/// What the desk says.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum DeskSays<'a> {
    /// Who the visitor is, and whether somebody is there.
    Welcome {
        /// To be kept and said again.
        #[serde(skip_serializing_if = "Option::is_none")]
        visitor: Option<&'a str>,
        /// Whether chats can be asked for now.
        open: bool,
        /// Whose desk it is.
        company: &'a str,
        /// How long nobody has to wait longer than.
        patience_seconds: u32,
    },
    /// How the chat stands.
    Chat(&'a ChatShown),
    /// What was said.
    Message {
        /// In which chat.
        chat: ChatId,
        /// The message.
        #[serde(flatten)]
        message: ChatMessageOut,
    },
    /// A message has its place.
    Ack {
        /// Which.
        id: ClientMessageId,
        /// Where.
        seq: i32,
    },
    /// The other side types.
    Typing {},
    /// The connection lives.
    Pong {},
    /// Something was not done.
    Refused {
        /// The message that it was about.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<ClientMessageId>,
        /// A stable word for machines.
        code: &'a str,
        /// What happened, for people.
        message: &'a str,
        /// The fields that were wrong.
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        errors: &'a [FieldError],
    },
}

impl<'a> DeskSays<'a> {
    /// What was not done, and why.
    pub fn refusal(id: Option<ClientMessageId>, problem: &'a Problem) -> Self {
        Self::Refused { id, code: problem.code, message: &problem.detail, errors: &problem.errors }
    }
}

/// A chat as both ends see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChatShown {
    /// Which.
    pub id: ChatId,
    /// How it stands.
    pub state: ChatState,
    /// What its agent is called.
    pub agent: Option<String>,
    /// The visitor's place among those who wait.
    pub position: Option<i64>,
    /// Since when they wait, or did.
    pub asked_at: DateTime<Utc>,
    /// Since when the visitor has no connection.
    pub visitor_gone_at: Option<DateTime<Utc>>,
    /// Whether the visitor can be written to.
    pub has_address: bool,
    /// Where a visitor hands files in, while an agent is there and files are taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload: Option<String>,
}

impl ChatShown {
    /// What both ends see of it.
    pub fn of(shown: Shown, has_address: bool, upload: Option<String>) -> Self {
        let Shown { row, agent_name, position } = shown;
        Self {
            id: row.id,
            state: row.state.0,
            agent: agent_name,
            position,
            asked_at: row.asked_at.0,
            visitor_gone_at: row.gone_at.map(|at| at.0),
            has_address,
            upload,
        }
    }
}
