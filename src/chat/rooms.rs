//! What a node knows of chats in memory alone: its connections, who types, and how often addresses and sites ask.
use super::model::ChatSide;
use crate::error::{Error, Result};
use crate::http::rate::Rates;
use crate::ids::ChatId;
use actix_web::web::Data;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::broadcast;

/// Who types is told to so many that wait; the rest is of no use any more.
const WAITING_MAX: usize = 4;
/// Who has too many connections may try again after so long.
const RETRY_SECONDS: u64 = 30;

/// The chats of this node.
#[derive(Default)]
pub struct Rooms {
    typing: Mutex<HashMap<ChatId, broadcast::Sender<ChatSide>>>,
    connections: Mutex<HashMap<IpAddr, usize>>,
    /// The key that signs visitors, once it is known.
    pub(super) key: OnceLock<Vec<u8>>,
    /// Asking, by address.
    pub(super) of_address: Rates<IpAddr>,
    /// Asking, by site.
    pub(super) of_site: Rates<String>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection that counts, until it is dropped.
pub(super) struct Counted {
    app: Data<crate::app::App>,
    address: IpAddr,
}

impl Counted {
    /// Lets an address connect, where it has not too many connections already.
    pub(super) fn admit(app: &Data<crate::app::App>, address: IpAddr) -> Result<Self> {
        let settings = &app.config.chat;
        let mut connections = locked(&app.rooms.connections);
        let all: usize = connections.values().sum();
        let own = connections.entry(address).or_default();
        if *own >= settings.connections_per_address || all >= settings.connections_max {
            let limit = u32::try_from(settings.connections_per_address).unwrap_or(u32::MAX);
            return Err(Error::TooMany { limit, retry_after_seconds: RETRY_SECONDS });
        }
        *own += 1;
        Ok(Self { app: app.clone(), address })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut connections = locked(&self.app.rooms.connections);
        if let Some(count) = connections.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                connections.remove(&self.address);
            }
        }
    }
}

impl Rooms {
    /// Hears who types in a chat, on this node.
    pub(super) fn enter(&self, chat: ChatId) -> broadcast::Receiver<ChatSide> {
        locked(&self.typing).entry(chat).or_insert_with(|| broadcast::Sender::new(WAITING_MAX)).subscribe()
    }

    /// Somebody types.
    pub(super) fn types(&self, chat: ChatId, side: ChatSide) {
        if let Some(room) = locked(&self.typing).get(&chat) {
            let _ = room.send(side);
        }
    }

    /// Forgets a chat where nobody listens any more.
    pub(super) fn tidy(&self, chat: ChatId) {
        let mut rooms = locked(&self.typing);
        if rooms.get(&chat).is_some_and(|room| room.receiver_count() == 0) {
            rooms.remove(&chat);
        }
    }
}
