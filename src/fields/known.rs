//! Which fields a ticket needs before it is closed, kept in memory: a close asks no more than once a second.
use super::store;
use crate::Result;
use crate::config::Config;
use crate::db::Conn;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A field that became necessary is so on other nodes after at most so long.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

type Known = HashMap<String, (Instant, Arc<Vec<String>>)>;

/// By database, because one process can have several desks.
static KNOWN: Mutex<Option<Known>> = Mutex::new(None);

fn locked() -> MutexGuard<'static, Option<Known>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keys of the fields that a ticket needs to be closed.
pub fn required(conn: &mut Conn, config: &Config) -> Result<Arc<Vec<String>>> {
    let desk = config.database_url();
    if let Some((at, keys)) = locked().as_ref().and_then(|known| known.get(&desk))
        && at.elapsed() < TRUSTED_FOR
    {
        return Ok(keys.clone());
    }
    let keys = Arc::new(store::required(conn)?);
    locked().get_or_insert_default().insert(desk, (Instant::now(), keys.clone()));
    Ok(keys)
}

/// After a field was made or changed here.
pub fn forget(config: &Config) {
    if let Some(known) = locked().as_mut() {
        known.remove(&config.database_url());
    }
}
