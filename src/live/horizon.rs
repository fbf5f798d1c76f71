//! Up to which event history is complete: below it everything is there, or never will be (docs/decisions/0035 and 0075).
//!
//! Drawn without writing anything: nodes need not agree, as each draws its own and all are right.
use crate::Result;
use crate::db::{Conn, schema::events};
use crate::timeline::horizon;
use diesel::prelude::*;

/// A horizon that somebody may still write below.
#[derive(Debug, Clone, Copy)]
pub struct Open {
    newest: i64,
    own: i64,
}

/// What a look at the horizon says.
#[derive(Debug, Clone, Copy)]
pub enum Horizon {
    /// Everything up to this event is there.
    At(i64),
    /// Not yet; look again with this.
    Waits(Open),
}

/// The newest number that was drawn, be its event there or not. One look.
pub fn newest(conn: &mut Conn) -> Result<i64> {
    match conn {
        Conn::Sqlite(conn) => {
            let newest: Option<i64> = events::table.select(diesel::dsl::max(events::id)).first(conn)?;
            Ok(newest.unwrap_or(0))
        }
        Conn::Pg(conn) => horizon::newest(conn),
    }
}

/// Draws a horizon, or looks again at one that was open. One look where nothing is newer than `after`, else up to three.
pub fn draw(conn: &mut Conn, after: Option<i64>, open: Option<Open>) -> Result<Horizon> {
    let open = match open {
        Some(open) => open,
        None => {
            let newest = newest(conn)?;
            if after.is_some_and(|after| newest <= after) {
                return Ok(Horizon::At(newest));
            }
            match conn {
                // One thread writes: whoever sees an event sees all before it.
                Conn::Sqlite(_) => return Ok(Horizon::At(newest)),
                // After the newest number: whoever drew a number up to it has a smaller transaction id than ours.
                Conn::Pg(conn) => Open { newest, own: horizon::own_id(conn)? },
            }
        }
    };
    match conn {
        Conn::Sqlite(_) => Ok(Horizon::At(open.newest)),
        Conn::Pg(conn) => {
            let is_closed = horizon::is_closed(conn, open.own)?;
            Ok(if is_closed { Horizon::At(open.newest) } else { Horizon::Waits(open) })
        }
    }
}
