//! What diesel's `MultiConnection` leaves out, added once.
use super::{Conn, MultiBackend};
use crate::error::{Error, Result};
use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, KnownCastSqlTypeName, ValidGrouping};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::{DatabaseErrorKind, Error as Diesel};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Bool, HasSqlType, Untyped};
use diesel::sqlite::Sqlite;

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

/// An `UPDATE` that stays prepared: diesel's own is parsed and planned again at each run, as its text may change with its values.
/// This one is kept by its text.
pub struct Update<F, W, V> {
    table: F,
    filter: W,
    values: V,
}

/// `UPDATE table SET values WHERE filter`, kept prepared.
pub fn update<T, W, V>(table: T, filter: W, values: V) -> Update<T::FromClause, W, V::Changeset>
where
    T: QuerySource,
    V: AsChangeset<Target = T>,
{
    Update { table: table.from_clause(), filter, values: values.as_changeset() }
}

impl<F: QueryFragment<DB>, W: QueryFragment<DB>, V: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for Update<F, W, V> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("UPDATE ");
        self.table.walk_ast(out.reborrow())?;
        out.push_sql(" SET ");
        self.values.walk_ast(out.reborrow())?;
        out.push_sql(" WHERE ");
        self.filter.walk_ast(out.reborrow())
    }
}
impl<F, W, V> QueryId for Update<F, W, V> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<F, W, V, C> RunQueryDsl<C> for Update<F, W, V> {}

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

/// `column IN (…)` on SQLite as a statement that stays prepared: diesel's own would be parsed again at each run, as its text
/// changes with the count of values. On PostgreSQL `eq_any` is an array and does.
pub struct Among<C, T> {
    column: C,
    values: Vec<T>,
}

/// True where `column` is one of `values`; the last one is repeated until their count is a power of two. False for none.
pub fn among<C, T: Copy>(column: C, values: &[T]) -> Among<C, T> {
    let mut values = values.to_vec();
    if let Some(last) = values.last().copied() {
        values.resize(values.len().next_power_of_two(), last);
    }
    Among { column, values }
}

impl<C: Expression, T> Expression for Among<C, T> {
    type SqlType = Bool;
}
impl<C: AppearsOnTable<QS>, T, QS> AppearsOnTable<QS> for Among<C, T> where Self: Expression {}
impl<C: SelectableExpression<QS>, T, QS> SelectableExpression<QS> for Among<C, T> where Self: AppearsOnTable<QS> {}
impl<C: ValidGrouping<G>, T, G> ValidGrouping<G> for Among<C, T> {
    type IsAggregate = C::IsAggregate;
}
impl<C, T> QueryId for Among<C, T> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<C: Expression + QueryFragment<Sqlite>, T: ToSql<C::SqlType, Sqlite>> QueryFragment<Sqlite> for Among<C, T>
where
    Sqlite: HasSqlType<C::SqlType>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" IN (");
        for (index, value) in self.values.iter().enumerate() {
            if index > 0 {
                out.push_sql(", ");
            }
            out.push_bind_param::<C::SqlType, _>(value)?;
        }
        out.push_sql(")");
        Ok(())
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
