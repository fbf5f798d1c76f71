//! Who listens on this node, and how batches reach them: a ring of bounded size that all share.
use super::queries::Batch;
use crate::error::{Error, Result};
use crate::ids::TokenId;
use actix_web::web::Bytes;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, broadcast, watch};

/// Batches that wait for the slowest listener; one that is further behind is dropped and resumes by itself.
const WAITING_MAX: usize = 256;
/// The reader finds its place within so long, or the database is away.
const PLACE_WITHIN: Duration = Duration::from_secs(5);

/// What listeners are told.
#[derive(Debug, Clone)]
pub(super) enum News {
    /// A stretch of history, and all its frames in one piece.
    Batch(Arc<Batch>, Bytes),
    /// These tokens are no longer good.
    Ended(Arc<HashSet<TokenId>>),
    /// The server stops.
    Stop,
}

/// The listeners of this node.
pub struct Hub {
    news: broadcast::Sender<News>,
    /// Up to where history was handed to those who listen; `None` while nobody does.
    place: watch::Sender<Option<i64>>,
    /// Held while a place and what is told there change together.
    turn: Mutex<()>,
    tokens: Mutex<HashMap<TokenId, usize>>,
    arrival: Notify,
    is_stopping: AtomicBool,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            news: broadcast::Sender::new(WAITING_MAX),
            place: watch::Sender::new(None),
            turn: Mutex::default(),
            tokens: Mutex::default(),
            arrival: Notify::new(),
            is_stopping: AtomicBool::new(false),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hub {
    /// Ends all streams; new ones are refused.
    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::SeqCst);
        let _ = self.news.send(News::Stop);
    }

    /// How many listen.
    pub fn listeners(&self) -> usize {
        self.news.receiver_count()
    }

    /// Takes part from now on: all that is told after the place that comes with it.
    pub(super) async fn join(&self) -> Result<(broadcast::Receiver<News>, i64)> {
        let receiver = {
            let _turn = locked(&self.turn);
            self.news.subscribe()
        };
        // After the subscription: a stop from now on reaches it.
        if self.is_stopping.load(Ordering::SeqCst) {
            return Err(Error::Unavailable("the server is stopping".into()));
        }
        self.arrival.notify_one();
        let mut place = self.place.subscribe();
        let found = tokio::time::timeout(PLACE_WITHIN, place.wait_for(Option::is_some)).await;
        match found.ok().and_then(|found| found.ok().and_then(|place| *place)) {
            // What is told meanwhile is in the ring too; a listener passes over what it has.
            Some(place) => Ok((receiver, place)),
            None => Err(Error::Unavailable("the live stream cannot read history now".into())),
        }
    }

    /// Waits until somebody comes.
    pub(super) async fn arrival(&self) {
        self.arrival.notified().await;
    }

    /// Where the reader is; nowhere, and that for good until somebody comes, where nobody listens.
    pub(super) fn place(&self) -> Option<Option<i64>> {
        let _turn = locked(&self.turn);
        if self.news.receiver_count() == 0 {
            self.place.send_replace(None);
            return None;
        }
        Some(*self.place.borrow())
    }

    /// Hands a batch to all.
    pub(super) fn tell(&self, batch: Batch) {
        let _turn = locked(&self.turn);
        let reaches = batch.reaches;
        let whole: String = batch.told.iter().map(|told| told.text.as_str()).collect();
        // Nobody listens any more where the last one went away just now.
        let _ = self.news.send(News::Batch(Arc::new(batch), whole.into()));
        self.place.send_replace(Some(reaches));
    }

    /// Takes a place without telling anything.
    pub(super) fn take_place(&self, at: i64) {
        self.place.send_replace(Some(at));
    }

    /// The tokens of those who listen.
    pub(super) fn tokens(&self) -> Vec<TokenId> {
        locked(&self.tokens).keys().copied().collect()
    }

    /// Ends the streams of these tokens.
    pub(super) fn end(&self, tokens: HashSet<TokenId>) {
        let _ = self.news.send(News::Ended(Arc::new(tokens)));
    }

    pub(super) fn sit(&self, token: TokenId) {
        *locked(&self.tokens).entry(token).or_default() += 1;
    }

    pub(super) fn rise(&self, token: TokenId) {
        let mut tokens = locked(&self.tokens);
        if let Some(count) = tokens.get_mut(&token) {
            *count -= 1;
            if *count == 0 {
                tokens.remove(&token);
            }
        }
    }
}
