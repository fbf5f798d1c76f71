//! One connection: frames in and out, what is new in its chat, and how much it may say.
use super::identity::{self, Door};
use super::model::{ChatSide, ChatState};
use super::queries::{self, SaidRow, Shown};
use super::rooms;
use super::typing;
use super::wire::ChatMessageOut;
use super::wire_socket::{ChatShown, DeskSays};
use crate::accounts::contacts;
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::respond::Problem;
use crate::ids::{ChatId, ClientMessageId, LineId, TicketId};
use crate::live::Batch;
use crate::live::model::Topic;
use actix_web::web::Data;
use actix_ws::{CloseCode, CloseReason, Session};
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::time::Instant;

/// Whoever does not take a frame within so long is cut.
const TAKES_WITHIN: Duration = Duration::from_secs(10);
/// Messages that are read in one go.
const PAGE: i64 = 200;
/// Rates are counted by the minute.
const WINDOW: Duration = Duration::from_secs(60);
/// Frames of any kind for each message that may be said.
const FRAMES_PER_MESSAGE: u32 = 10;

/// Other nodes are told that somebody types once in so long at the most.
const NOTE_EVERY: Duration = Duration::from_secs(2);

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// The other end is gone, or takes nothing.
    Gone,
    /// It broke the rules.
    Refused,
    /// The server stops.
    Stopping,
}

impl Over {
    /// What the other end is told.
    pub(super) fn reason(self) -> Option<CloseReason> {
        match self {
            Self::Gone => None,
            Self::Refused => Some(CloseCode::Policy.into()),
            Self::Stopping => Some(CloseCode::Restart.into()),
        }
    }
}

/// What a connection has said in this minute.
struct Said {
    since: Instant,
    messages: u32,
    frames: u32,
}

/// A connection.
pub(super) struct Line {
    pub(super) app: Data<App>,
    pub(super) id: LineId,
    pub(super) side: ChatSide,
    pub(super) chat: Option<(ChatId, TicketId)>,
    session: Session,
    typing: Option<broadcast::Receiver<ChatSide>>,
    /// When other nodes were last told that this side types.
    noted_at: Option<Instant>,
    sent: i32,
    shown: Option<ChatShown>,
    said: Said,
}

impl Line {
    pub(super) fn new(app: Data<App>, session: Session, side: ChatSide) -> Self {
        let said = Said { since: Instant::now(), messages: 0, frames: 0 };
        Self { app, id: LineId::new(), side, chat: None, session, typing: None, noted_at: None, sent: 0, shown: None, said }
    }

    /// Writes a frame.
    pub(super) async fn tell(&mut self, frame: &DeskSays<'_>) -> Result<(), Over> {
        let text = serde_json::to_string(frame).map_err(|error| {
            tracing::error!(%error, "a frame cannot be written");
            Over::Gone
        })?;
        match tokio::time::timeout(TAKES_WITHIN, self.session.text(text)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Over::Gone),
        }
    }

    pub(super) async fn refuse(&mut self, id: Option<ClientMessageId>, error: &Error) -> Result<(), Over> {
        let problem = Problem::of(error);
        self.tell(&DeskSays::refusal(id, &problem)).await
    }

    pub(super) async fn ping(&mut self) -> Result<(), Over> {
        tokio::time::timeout(TAKES_WITHIN, self.session.ping(b"")).await.ok().and_then(Result::ok).ok_or(Over::Gone)
    }

    pub(super) async fn pong(&mut self, bytes: &[u8]) -> Result<(), Over> {
        tokio::time::timeout(TAKES_WITHIN, self.session.pong(bytes)).await.ok().and_then(Result::ok).ok_or(Over::Gone)
    }

    pub(super) async fn close(self, over: Over) {
        let _ = tokio::time::timeout(TAKES_WITHIN, self.session.clone().close(over.reason())).await;
    }

    /// Counts a frame; whoever sends far too many is cut.
    pub(super) fn count_frame(&mut self) -> Result<(), Over> {
        let limit = self.app.config.chat.messages_per_minute;
        if self.said.since.elapsed() >= WINDOW {
            self.said = Said { since: Instant::now(), messages: 0, frames: 0 };
        }
        self.said.frames += 1;
        if limit > 0 && self.said.frames > limit.saturating_mul(FRAMES_PER_MESSAGE) { Err(Over::Refused) } else { Ok(()) }
    }

    /// Counts a message.
    pub(super) fn count_message(&mut self) -> Result<()> {
        let limit = self.app.config.chat.messages_per_minute;
        if limit > 0 && self.said.messages >= limit {
            let left = WINDOW.saturating_sub(self.said.since.elapsed());
            return Err(Error::TooMany { limit, retry_after_seconds: left.as_secs() + 1 });
        }
        self.said.messages += 1;
        Ok(())
    }

    /// Shows this chat from now on, of whose messages the other end has all up to `after`.
    pub(super) fn enter(&mut self, chat: ChatId, ticket: TicketId, after: i32) {
        if self.chat.is_some_and(|known| known.0 == chat) {
            return;
        }
        self.leave();
        self.typing = Some(self.app.rooms.enter(chat, self.side));
        (self.chat, self.sent, self.shown) = (Some((chat, ticket)), after.max(0), None);
    }

    fn leave(&mut self) {
        self.typing = None;
        if let Some((chat, _)) = self.chat.take() {
            self.app.rooms.leave(chat, self.side);
        }
    }

    /// This side types.
    pub(super) async fn types(&mut self) {
        let Some((chat, _)) = self.chat else { return };
        let is_heard = self.app.rooms.types(chat, self.side);
        if !is_heard && self.noted_at.is_none_or(|at| at.elapsed() >= NOTE_EVERY) {
            self.noted_at = Some(Instant::now());
            typing::note(&self.app, chat, self.side).await;
        }
    }

    /// Waits until the other side types; for ever where there is no chat.
    pub(super) async fn typing(&mut self) {
        loop {
            let Some(typing) = &mut self.typing else { return std::future::pending().await };
            match typing.recv().await {
                Ok(side) if side != self.side => return,
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => self.typing = None,
            }
        }
    }

    /// Whether a stretch of history may have changed what is shown.
    pub(super) fn is_touched(&self, batch: &Batch) -> bool {
        let Some((_, ticket)) = self.chat else { return false };
        // Others who go on move up those who wait.
        let waits = self.shown.as_ref().is_some_and(|shown| shown.position.is_some());
        batch.told.iter().any(|told| told.ticket_id == Some(ticket) || (waits && told.topic == Topic::Chats))
    }

    /// What there is after the last message that was sent.
    async fn read_on(&self, chat: ChatId) -> Result<(Vec<u8>, ChatShown, Vec<SaidRow>)> {
        let (after, key) = (self.sent, rooms::key(&self.app).await?);
        let (shown, has_address, said): (Shown, bool, Vec<SaidRow>) = self
            .app
            .db
            .read(move |conn| {
                let shown = queries::shown(conn, chat)?;
                let has_address = contacts::primary_email(conn, shown.row.contact_id)?.is_some();
                Ok((shown, has_address, queries::said(conn, chat, after, PAGE)?))
            })
            .await?;
        let is_door = self.side == ChatSide::Visitor && shown.row.state.0 == ChatState::Active;
        let takes_files = is_door && self.app.config.chat.file_size_max_bytes > 0;
        let seal = takes_files.then(|| identity::seal(&key, Door::Upload(chat))).flatten();
        let upload = seal.map(|seal| format!("/chat/{chat}/files?key={seal}"));
        Ok((key, ChatShown::of(shown, has_address, upload), said))
    }

    /// Tells what is new: how the chat stands, then what was said, each message once and in order.
    pub(super) async fn pull(&mut self) -> Result<(), Over> {
        let Some((chat, _)) = self.chat else { return Ok(()) };
        loop {
            let (key, shown, said) = match self.read_on(chat).await {
                Ok(read) => read,
                Err(error) => {
                    // The other end comes back, and hears what it missed.
                    tracing::warn!(%error, "a chat could not be read; its connection is cut");
                    return Err(Over::Stopping);
                }
            };
            if self.shown.as_ref() != Some(&shown) {
                self.tell(&DeskSays::Chat(&shown)).await?;
                self.shown = Some(shown);
            }
            let is_full = said.len() as i64 == PAGE;
            for row in said {
                let seq = row.seq;
                let Ok(message) = ChatMessageOut::of(row, &key) else { return Err(Over::Stopping) };
                self.tell(&DeskSays::Message { chat, message }).await?;
                self.sent = seq;
            }
            if !is_full {
                return Ok(());
            }
        }
    }

    /// Reads a frame.
    pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
        serde_json::from_str(text).map_err(|error| Error::Malformed {
            code: "malformed_frame",
            message: format!("a frame must be one JSON object that is known: {error}"),
        })
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.leave();
    }
}
