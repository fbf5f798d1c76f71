//! Up to which event history is complete on PostgreSQL, where numbers are drawn before the commit (docs/decisions/0035 and 0075).
//!
//! First [`newest`], then [`own_id`]: whoever drew a number up to the newest has a smaller transaction id than ours, as a verb
//! writes its rows before its event. Once all transactions up to ours have ended ([`is_closed`]), everything up to the newest
//! is there or never will be. No verb writes anything for it. On SQLite one thread writes: whoever sees an event sees all
//! before it.
use crate::Result;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = Nullable<BigInt>)]
    n: Option<i64>,
}

fn number(conn: &mut PgConnection, sql: &str) -> Result<i64> {
    let row: Number = diesel::sql_query(sql).get_result(conn)?;
    Ok(row.n.unwrap_or(0))
}

/// The newest number that was drawn, be its event there or not; 0 before the first.
pub fn newest(conn: &mut PgConnection) -> Result<i64> {
    number(conn, "SELECT pg_sequence_last_value(pg_get_serial_sequence('events', 'id')::regclass) AS n")
}

/// The id of this transaction.
pub fn own_id(conn: &mut PgConnection) -> Result<i64> {
    number(conn, "SELECT pg_current_xact_id()::text::bigint AS n")
}

/// Whether all transactions up to `own` have ended.
pub fn is_closed(conn: &mut PgConnection, own: i64) -> Result<bool> {
    Ok(number(conn, "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS n")? > own)
}
