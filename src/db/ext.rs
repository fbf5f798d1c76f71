//! What diesel's `MultiConnection` leaves out, added once.
use super::{Conn, MultiBackend};
use crate::error::{Error, Result};
use diesel::backend::Backend;
use diesel::expression::KnownCastSqlTypeName;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::{DatabaseErrorKind, Error as Diesel};
use diesel::sql_types::{BigInt, Untyped};

impl KnownCastSqlTypeName<MultiBackend> for BigInt {
    const SQL_TYPE_NAME: &'static str = "bigint";
}

/// `INSERT … ON CONFLICT …`: the clause is the same text on both databases.
pub struct OnConflict<S> {
    insert: S,
    clause: &'static str,
}

/// Adds `ON CONFLICT` to an insert.
pub trait OnConflictExt: Sized {
    /// Writes nothing where a row with the same key stands; the count of rows tells.
    fn or_ignore(self) -> OnConflict<Self> {
        self.on_conflict("DO NOTHING")
    }

    /// Appends `ON CONFLICT` and `clause`.
    fn on_conflict(self, clause: &'static str) -> OnConflict<Self> {
        OnConflict { insert: self, clause }
    }
}
impl<T: QuerySource, U, Op> OnConflictExt for diesel::query_builder::InsertStatement<T, U, Op> {}

impl<S: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for OnConflict<S> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.insert.walk_ast(out.reborrow())?;
        out.push_sql(" ON CONFLICT ");
        out.push_sql(self.clause);
        Ok(())
    }
}
impl<S> QueryId for OnConflict<S> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<S> Query for OnConflict<S> {
    type SqlType = Untyped;
}
impl<S, C> RunQueryDsl<C> for OnConflict<S> {}

/// Runs a write in a savepoint of its own: where a unique index refuses it, that is `taken`, and the transaction stays usable.
pub fn or_taken(
    conn: &mut Conn,
    taken: impl FnOnce() -> Error,
    write: impl FnOnce(&mut Conn) -> QueryResult<usize>,
) -> Result<usize> {
    match conn.transaction(write) {
        Err(Diesel::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Err(taken()),
        other => Ok(other?),
    }
}

/// Runs the same code on the concrete connection, for what only the real backends can do.
#[macro_export]
macro_rules! each {
    ($conn:expr, $inner:ident => $body:expr) => {
        match $conn {
            $crate::db::Conn::Pg($inner) => $body,
            $crate::db::Conn::Sqlite($inner) => $body,
        }
    };
}
