//! What a node knows of chats in memory alone: its connections, who types, and how often addresses and sites ask.
use super::model::ChatSide;
use super::typing::Heard;
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::rate::Rates;
use crate::ids::ChatId;
use crate::inbound::keys;
use actix_web::web::Data;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::broadcast;

/// Who types is told to so many that wait; the rest is of no use any more.
const WAITING_MAX: usize = 4;
/// Who has too many connections may try again after so long.
const RETRY_SECONDS: u64 = 30;

/// The sockets of a chat on this node.
struct Room {
    told: broadcast::Sender<ChatSide>,
    visitors: usize,
    agents: usize,
}

impl Room {
    fn count(&mut self, side: ChatSide) -> &mut usize {
        match side {
            ChatSide::Visitor => &mut self.visitors,
            ChatSide::Agent => &mut self.agents,
        }
    }
}

/// The chats of this node.
#[derive(Default)]
pub struct Rooms {
    typing: Mutex<HashMap<ChatId, Room>>,
    /// What was told of what other nodes noted.
    pub(super) heard: Mutex<Heard>,
    connections: Mutex<HashMap<IpAddr, usize>>,
    /// The key that signs visitors, once it is known.
    pub(super) key: OnceLock<Vec<u8>>,
    /// Asking, by address.
    pub(super) of_address: Rates<IpAddr>,
    /// Asking, by site.
    pub(super) of_site: Rates<String>,
    /// Files that are handed in, by address.
    pub(super) of_files: Rates<IpAddr>,
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection that counts, until it is dropped.
pub(super) struct Counted {
    app: Data<App>,
    address: IpAddr,
}

impl Counted {
    /// Lets an address connect, where it has not too many connections already.
    pub(super) fn admit(app: &Data<App>, address: IpAddr) -> Result<Self> {
        let settings = &app.config.chat;
        let mut connections = locked(&app.rooms.connections);
        let all: usize = connections.values().sum();
        let own = connections.get(&address).copied().unwrap_or_default();
        if own >= settings.connections_per_address || all >= settings.connections_max {
            let limit = u32::try_from(settings.connections_per_address).unwrap_or(u32::MAX);
            return Err(Error::TooMany { limit, retry_after_seconds: RETRY_SECONDS });
        }
        connections.insert(address, own + 1);
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

/// The key that signs visitors and addresses, drawn once for all nodes.
pub(super) async fn key(app: &Data<App>) -> Result<Vec<u8>> {
    if let Some(key) = app.rooms.key.get() {
        return Ok(key.clone());
    }
    let now = app.clock.now();
    let key = app
        .db
        .write(move |conn| {
            keys::draw(conn, now)?;
            keys::find(conn)
        })
        .await?;
    Ok(app.rooms.key.get_or_init(|| key).clone())
}

impl Rooms {
    /// Hears who types in a chat, as one of a side.
    pub(super) fn enter(&self, chat: ChatId, side: ChatSide) -> broadcast::Receiver<ChatSide> {
        let mut rooms = locked(&self.typing);
        let new = || Room { told: broadcast::Sender::new(WAITING_MAX), visitors: 0, agents: 0 };
        let room = rooms.entry(chat).or_insert_with(new);
        *room.count(side) += 1;
        room.told.subscribe()
    }

    /// Goes away again.
    pub(super) fn leave(&self, chat: ChatId, side: ChatSide) {
        let mut rooms = locked(&self.typing);
        if let Some(room) = rooms.get_mut(&chat) {
            *room.count(side) -= 1;
            if room.visitors + room.agents == 0 {
                rooms.remove(&chat);
            }
        }
    }

    /// Somebody types; whether the other side is on this node and hears it.
    pub(super) fn types(&self, chat: ChatId, side: ChatSide) -> bool {
        let rooms = locked(&self.typing);
        let Some(room) = rooms.get(&chat) else { return false };
        let _ = room.told.send(side);
        match side {
            ChatSide::Visitor => room.agents > 0,
            ChatSide::Agent => room.visitors > 0,
        }
    }

    /// Whether nobody of this node is in a chat.
    pub(super) fn is_empty(&self) -> bool {
        locked(&self.typing).is_empty()
    }
}
