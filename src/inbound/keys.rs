//! The key that signs the addresses which answers and bounces come back to: drawn once, the same on every node.
use crate::db::{Conn, ext::OnConflictExt, schema::inbound_keys, types::Time};
use crate::error::{Error, Result};
use crate::ids::Secret;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// The one row.
const ONE: i32 = 1;

/// Draws the key where there is none yet. One insert; the index decides who was first.
pub fn draw(conn: &mut Conn, now: DateTime<Utc>) -> Result<()> {
    let row =
        (inbound_keys::id.eq(ONE), inbound_keys::secret.eq(Secret::new()?.digest()), inbound_keys::created_at.eq(Time(now)));
    diesel::insert_into(inbound_keys::table).values(row).or_ignore().execute(conn)?;
    Ok(())
}

/// The key; it is there from the first mailbox on. One query.
pub fn find(conn: &mut Conn) -> Result<Vec<u8>> {
    let found = inbound_keys::table.find(ONE).select(inbound_keys::secret).first(conn).optional()?;
    found.ok_or_else(|| Error::internal("there is no key for addresses"))
}
