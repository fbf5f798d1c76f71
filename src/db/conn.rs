//! The connection to either database; diesel derives the rest.
#![expect(missing_docs, reason = "the derive makes public items without any")]

/// A connection to either database.
#[derive(diesel::MultiConnection)]
pub enum Conn {
    /// PostgreSQL.
    Pg(diesel::PgConnection),
    /// SQLite, bundled.
    Sqlite(diesel::SqliteConnection),
}
