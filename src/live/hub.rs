//! Who listens on this node, and how batches reach them: a ring of bounded size that all share.
use super::queries::Batch;
use crate::error::{Error, Result};
use crate::ids::{AgentId, NodeId, TokenId};
use actix_web::web::Bytes;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, broadcast, watch};
use uuid::Uuid;

/// Batches that wait for the slowest listener; one that is further behind is dropped and resumes by itself.
const WAITING_MAX: usize = 256;
/// Who comes back within so long was never away.
const BACK_WITHIN: Duration = Duration::from_millis(1_500);
/// The reader finds its place within so long, or the database is away.
const PLACE_WITHIN: Duration = Duration::from_secs(5);

/// What listeners are told.
#[derive(Debug, Clone)]
pub(super) enum News {
    /// A stretch of history, and all its frames in one piece.
    Batch(Arc<Batch>, Bytes),
    /// These tokens are no longer good.
    Ended(Arc<HashSet<TokenId>>),
    /// Who is present changed: who is must prove more often that they live.
    Present,
    /// The server stops.
    Stop,
}

/// The streams of an agent on this node.
struct Streams {
    count: usize,
    /// When the last one died.
    gone_at: Option<Instant>,
}

/// The listeners of this node.
pub struct Hub {
    news: broadcast::Sender<News>,
    /// Up to where history was handed to those who listen; `None` while nobody does.
    place: watch::Sender<Option<i64>>,
    /// Held while a place and what is told there change together.
    turn: Mutex<()>,
    tokens: Mutex<HashMap<TokenId, usize>>,
    agents: Mutex<HashMap<AgentId, Streams>>,
    /// Agents who are not offline, as of the last look.
    present: Mutex<BTreeSet<AgentId>>,
    /// This process, among others on the same database.
    node: Uuid,
    said: Notify,
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
            agents: Mutex::default(),
            present: Mutex::default(),
            node: NodeId::new().0,
            said: Notify::new(),
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

    pub(super) fn sit(&self, token: TokenId, agent: Option<AgentId>) {
        *locked(&self.tokens).entry(token).or_default() += 1;
        if let Some(agent) = agent {
            let mut agents = locked(&self.agents);
            let streams = agents.entry(agent).or_insert(Streams { count: 0, gone_at: None });
            (streams.count, streams.gone_at) = (streams.count + 1, None);
        }
    }

    pub(super) fn rise(&self, token: TokenId, agent: Option<AgentId>) {
        let mut tokens = locked(&self.tokens);
        if let Some(count) = tokens.get_mut(&token) {
            *count -= 1;
            if *count == 0 {
                tokens.remove(&token);
            }
        }
        drop(tokens);
        if let Some(agent) = agent
            && let Some(streams) = locked(&self.agents).get_mut(&agent)
        {
            streams.count = streams.count.saturating_sub(1);
            streams.gone_at = (streams.count == 0).then(Instant::now);
        }
    }

    /// This process, among others on the same database.
    pub fn node(&self) -> Uuid {
        self.node
    }

    /// Agents with a stream on this node, or who had one a moment ago.
    pub fn seated(&self) -> BTreeSet<AgentId> {
        let mut agents = locked(&self.agents);
        agents.retain(|_, streams| streams.gone_at.is_none_or(|at| at.elapsed() < BACK_WITHIN));
        agents.keys().copied().collect()
    }

    /// Takes note of who is not offline.
    pub fn know_present(&self, present: BTreeSet<AgentId>) {
        let mut known = locked(&self.present);
        if *known != present {
            *known = present;
            drop(known);
            let _ = self.news.send(News::Present);
        }
    }

    /// Whether an agent is not offline.
    pub(super) fn is_present(&self, agent: AgentId) -> bool {
        locked(&self.present).contains(&agent)
    }

    /// An agent said something: presence is looked at now.
    pub fn say_presence(&self) {
        self.said.notify_one();
    }

    /// Waits until an agent of this node says something.
    pub async fn presence_said(&self) {
        self.said.notified().await;
    }
}
