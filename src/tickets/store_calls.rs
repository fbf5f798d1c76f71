//! What only calls change on a ticket's row.
use crate::Result;
use crate::db::{Conn, schema::tickets, types::Time};
use crate::ids::TicketId;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// Moves the receipt of a ticket to when its call really rang. One update.
pub(super) fn set_receipt(conn: &mut Conn, id: TicketId, at: DateTime<Utc>) -> Result<()> {
    diesel::update(tickets::table.filter(tickets::id.eq(id))).set(tickets::received_at.eq(Time(at))).execute(conn)?;
    Ok(())
}
