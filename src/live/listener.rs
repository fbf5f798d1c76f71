//! One stream: what was missed, read from the rows in pages, then what the hub tells; it takes no more than the client takes.
use super::hub::News;
use super::model::{self, Filter};
use super::queries::{self, Batch};
use crate::accounts::caller::Caller;
use crate::app::App;
use crate::error::Result;
use crate::ids::{AgentId, TokenId};
use actix_web::web::{Bytes, Data};
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;
use tokio::time::Instant;

/// A comment keeps the connection and the proxies on the way awake.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(15);
/// The line of an agent who is present is tried so often: of one whose machine has gone, the second try fails.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// Events of a page of what was missed.
const PAGE: i64 = 200;
/// Bytes that are written in one go, about.
const CHUNK_BYTES: usize = 64 * 1024;

/// A place among the listeners, until it is dropped.
pub(super) struct Seat {
    app: Data<App>,
    token: TokenId,
    agent: Option<AgentId>,
}

impl Seat {
    pub(super) fn take(app: &Data<App>, caller: &Caller) -> Self {
        let (token, agent) = (caller.token_id, caller.agent.map(|agent| agent.0));
        app.live.sit(token, agent);
        Self { app: app.clone(), token, agent }
    }

    /// How often this one's line is tried.
    fn beat_every(&self) -> Duration {
        let is_present = self.agent.is_some_and(|agent| self.app.live.is_present(agent));
        if is_present { PROBE_EVERY } else { HEARTBEAT_EVERY }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.app.live.rise(self.token, self.agent);
    }
}

/// Somebody who listens.
pub(super) struct Listener {
    seat: Seat,
    news: Receiver<News>,
    filter: Filter,
    /// Everything up to here was sent, or was not asked for.
    sent: i64,
    /// Up to here it is read from the rows.
    missed_until: i64,
    is_greeted: bool,
    follows: bool,
    beats_at: Instant,
}

impl Listener {
    /// Joins; `after` is the last event that the client has.
    pub(super) async fn join(seat: Seat, filter: Filter, after: Option<i64>, follows: bool) -> Result<Self> {
        let (news, place) = seat.app.live.join().await?;
        let beats_at = Instant::now() + seat.beat_every();
        Ok(Self { seat, news, filter, sent: after.unwrap_or(place), missed_until: place, is_greeted: false, follows, beats_at })
    }

    fn wanted(&self, batch: &Batch) -> String {
        let told = batch.told.iter().filter(|told| told.id > self.sent && self.filter.passes(told.topic, told.teams));
        told.map(|told| told.text.as_str()).collect()
    }

    /// What is to be written next; `None` ends the stream, and the client comes back with the last id that it has.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        if !self.is_greeted {
            self.is_greeted = true;
            return Some(model::greeting(self.sent).into());
        }
        while self.sent < self.missed_until {
            let (after, until) = (self.sent, self.missed_until);
            let read = self.seat.app.db.read(move |conn| queries::between(conn, after, until, PAGE)).await;
            let Ok(batch) = read.inspect_err(|error| tracing::warn!(%error, "what a listener missed could not be read")) else {
                return None;
            };
            let text = self.wanted(&batch);
            self.sent = batch.reaches;
            if !text.is_empty() {
                return Some(text.into());
            }
        }
        if !self.follows {
            return None;
        }
        loop {
            let news = tokio::select! {
                news = self.news.recv() => news.ok()?,
                () = tokio::time::sleep_until(self.beats_at) => {
                    self.beats_at = Instant::now() + self.seat.beat_every();
                    return Some(model::mark(self.sent).into());
                }
            };
            let said = self.hear(news)?;
            self.beats_at = Instant::now() + self.seat.beat_every();
            if said.is_some() {
                return said;
            }
        }
    }

    /// Marks a stretch as sent.
    fn reach(&mut self, batch: &Batch) {
        self.sent = self.sent.max(batch.reaches);
    }

    /// What is to be written of some news and of what waits behind them: nothing, or bytes; `None` ends the stream.
    fn hear(&mut self, news: News) -> Option<Option<Bytes>> {
        let (batch, whole) = match news {
            News::Stop => return None,
            News::Present => return Some(None),
            News::Ended(tokens) => return if tokens.contains(&self.seat.token) { None } else { Some(None) },
            News::Batch(batch, whole) => (batch, whole),
        };
        if self.news.is_empty() && self.filter.is_open() && batch.told.first().is_none_or(|told| told.id > self.sent) {
            self.reach(&batch);
            return Some(Some(whole).filter(|whole| !whole.is_empty()));
        }
        let mut text = self.wanted(&batch);
        self.reach(&batch);
        while text.len() < CHUNK_BYTES {
            match self.news.try_recv() {
                Ok(News::Batch(batch, _)) => {
                    text.push_str(&self.wanted(&batch));
                    self.reach(&batch);
                }
                Ok(News::Present) => {}
                Ok(News::Ended(tokens)) if !tokens.contains(&self.seat.token) => {}
                Err(TryRecvError::Empty) => break,
                // Too far behind, or over: what was gathered is not lost, as the client asks for it again.
                Ok(News::Stop | News::Ended(_)) | Err(TryRecvError::Lagged(_) | TryRecvError::Closed) => return None,
            }
        }
        Some(Some(text.into()).filter(|bytes: &Bytes| !bytes.is_empty()))
    }
}
