//! Migrations: embedded, the same names for both databases, safe when several nodes start at once.
use super::Conn;
use crate::{Error, Result};
use diesel::connection::SimpleConnection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
/// The advisory lock that one migrating node holds.
const LOCK: &str = "73218801";

fn failed(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::internal(format!("migration: {error}"))
}

/// Brings the schema up to date; says how many migrations ran.
pub fn up(conn: &mut Conn) -> Result<usize> {
    let ran = up_schema(conn)?;
    if ran > 0 {
        // Words are told apart in Rust, so SQL cannot do this.
        conn.write(|conn| {
            alone(conn)?;
            crate::tickets::search::index::catch_up(conn)
        })?;
    }
    Ok(ran)
}

fn up_schema(conn: &mut Conn) -> Result<usize> {
    match conn {
        Conn::Pg(conn) => {
            conn.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})"))?;
            let done = conn.run_pending_migrations(POSTGRES).map(|ran| ran.len());
            conn.batch_execute(&format!("SELECT pg_advisory_unlock({LOCK})"))?;
            done.map_err(failed)
        }
        Conn::Sqlite(conn) => conn.run_pending_migrations(SQLITE).map(|ran| ran.len()).map_err(failed),
    }
}

/// Lets other nodes that start at the same time wait until the caller's transaction ends. No-op on SQLite.
pub fn alone(conn: &mut Conn) -> Result<()> {
    if let Conn::Pg(conn) = conn {
        conn.batch_execute(&format!("SELECT pg_advisory_xact_lock({LOCK})"))?;
    }
    Ok(())
}

/// Takes everything down again, newest first: for tests and for going back a release.
pub fn down(conn: &mut Conn) -> Result<usize> {
    match conn {
        Conn::Pg(conn) => conn.revert_all_migrations(POSTGRES),
        Conn::Sqlite(conn) => conn.revert_all_migrations(SQLITE),
    }
    .map(|ran| ran.len())
    .map_err(failed)
}

/// True when no migration waits.
pub fn is_current(conn: &mut Conn) -> Result<bool> {
    match conn {
        Conn::Pg(conn) => conn.has_pending_migration(POSTGRES),
        Conn::Sqlite(conn) => conn.has_pending_migration(SQLITE),
    }
    .map(|pending| !pending)
    .map_err(failed)
}
