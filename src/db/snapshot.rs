//! Reading several tables as they stood at one instant.
use super::{Conn, Database, guarded};
use crate::Result;
use diesel::connection::{AnsiTransactionManager, TransactionManager};

impl Conn {
    /// Runs queries that all see what the first of them saw; on PostgreSQL they cannot write either.
    pub fn snapshot<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        match self {
            // In WAL mode a transaction reads from the snapshot that its first query took.
            Self::Sqlite(conn) => AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN DEFERRED")?,
            Self::Pg(conn) => {
                AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
            }
        }
        let done = guarded(self, work);
        // Nothing was written: there is nothing to commit, and a failed query ends the same way.
        let ended = <Self as TransactionManager<Self>>::rollback_transaction(self);
        let value = done?;
        ended?;
        Ok(value)
    }
}

impl Database {
    /// Runs the queries of one report on a pooled connection, all of them on one snapshot.
    pub async fn snapshot<T: Send + 'static>(&self, work: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static) -> Result<T> {
        self.read(move |conn| conn.snapshot(work)).await
    }
}
