//! Sample data.
use crate::Result;
use crate::config::Config;
use crate::db::Conn;
use chrono::{DateTime, Utc};

/// The seed that is drawn from where none is given.
pub const SEED: u64 = 1;

/// Fills.
pub fn fill(_conn: &mut Conn, _config: &Config, _seed: u64, _now: DateTime<Utc>) -> Result<Vec<String>> {
    Ok(vec![])
}
