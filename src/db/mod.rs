//! The database: one connection type for SQLite and PostgreSQL, a handle to read and write through, migrations.
mod conn;
pub mod ext;
mod last;
pub mod migrate;
mod near;
pub mod schema;
mod snapshot;
pub mod types;
pub mod undo;
mod writer;

pub use conn::{Conn, MultiBackend};

use crate::{Error, Result};
use diesel::connection::{AnsiTransactionManager, InstrumentationEvent, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::r2d2::R2D2Connection;
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};

/// Connections kept on SQLite for reading that takes long. Their work is all processor: more of them at once only make each
/// wait for the others.
const POOL_SIZE_SQLITE: u32 = 4;

/// Memory for pages, shared out among the connections that the threads of the server keep, in KiB; and the least for each.
const GLANCE_CACHE_KB: usize = 96 * 1024;
const GLANCE_CACHE_KB_MIN: usize = 8 * 1024;

/// Longest wait for a connection.
const PATIENCE: Duration = Duration::from_secs(5);

thread_local! {
    /// Whether a statement of the transaction on this thread failed, be it inside a savepoint.
    static STATEMENT_FAILED: Cell<bool> = const { Cell::new(false) };
}

/// What a connection may be used for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    /// Reads without ever waiting for another connection.
    Glance,
    Write,
}

/// True where the address names a PostgreSQL server.
pub fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres:") || url.starts_with("postgresql:")
}

impl Conn {
    /// Opens a connection that may write; the address is a `postgres://` URL or the path of a SQLite file.
    pub fn open(url: &str) -> ConnectionResult<Self> {
        Self::open_for(url, Access::Write)
    }

    fn open_for(url: &str, access: Access) -> ConnectionResult<Self> {
        if is_postgres(url) {
            let mut conn = PgConnection::establish(url)?;
            conn.set_instrumentation(|event: InstrumentationEvent<'_>| {
                if let InstrumentationEvent::FinishQuery { error: Some(_), .. } = event {
                    STATEMENT_FAILED.set(true);
                }
            });
            return Ok(Self::Pg(conn));
        }
        let mut conn = SqliteConnection::establish(url)?;
        // FULL: a commit that was acknowledged survives a power cut (DESIGN 9).
        let mut pragmas = String::from(
            "PRAGMA busy_timeout=5000; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;",
        );
        pragmas.push_str(&match access {
            Access::Write => "PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=4000;".to_owned(),
            Access::Read => "PRAGMA cache_size=-4096; PRAGMA query_only=ON;".to_owned(),
            Access::Glance => {
                let threads = std::thread::available_parallelism().map_or(1, usize::from);
                let kilobytes = (GLANCE_CACHE_KB / threads).max(GLANCE_CACHE_KB_MIN);
                format!("PRAGMA cache_size=-{kilobytes}; PRAGMA query_only=ON; PRAGMA busy_timeout=0;")
            }
        });
        conn.batch_execute(&pragmas).map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(Self::Sqlite(conn))
    }

    /// One write transaction; on SQLite it takes the write lock at its start.
    pub fn write<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.transact(work)
    }

    /// The same with an error of the caller's own.
    fn transact<T, E: From<Error> + From<diesel::result::Error>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        match self {
            Self::Sqlite(conn) => AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")?,
            Self::Pg(conn) => AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN")?,
        }
        STATEMENT_FAILED.set(false);
        last::begin();
        let done = guarded(self, work).and_then(|value| Ok(guarded(self, last::finish).map(|()| value)?));
        let done = match done {
            // PostgreSQL turns the COMMIT of a failed transaction into a rollback without a word; this asks first.
            Ok(value) => match self {
                Self::Pg(conn) if STATEMENT_FAILED.get() => conn.batch_execute("SELECT 1").map(|()| value).map_err(E::from),
                _ => Ok(value),
            },
            Err(error) => Err(error),
        };
        match done {
            Ok(value) => {
                <Self as TransactionManager<Self>>::commit_transaction(self)?;
                Ok(value)
            }
            Err(error) => {
                last::forget();
                // A failing disk rolls back by itself, and this fails too; what happened first is what matters.
                if <Self as TransactionManager<Self>>::rollback_transaction(self).is_err() {
                    tracing::warn!("a transaction could not be rolled back; its connection is given up");
                }
                Err(error)
            }
        }
    }
}

/// Runs the work of one request; a panic in it is an internal error, not the end of the thread.
fn guarded<T, E: From<Error>>(conn: &mut Conn, work: impl FnOnce(&mut Conn) -> Result<T, E>) -> Result<T, E> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(conn)))
        .unwrap_or_else(|_| Err(Error::internal("a panic inside a transaction").into()))
}

struct Manager {
    url: String,
    access: Access,
}

impl diesel::r2d2::ManageConnection for Manager {
    type Connection = Conn;
    type Error = diesel::r2d2::Error;
    fn connect(&self) -> Result<Conn, Self::Error> {
        Conn::open_for(&self.url, self.access).map_err(diesel::r2d2::Error::ConnectionError)
    }
    fn is_valid(&self, conn: &mut Conn) -> Result<(), Self::Error> {
        conn.ping().map_err(diesel::r2d2::Error::QueryError)
    }
    fn has_broken(&self, conn: &mut Conn) -> bool {
        std::thread::panicking() || conn.is_broken()
    }
}
type Pool = diesel::r2d2::Pool<Manager>;

/// The handle that handlers and jobs read and write through; cheap to clone.
#[derive(Clone)]
pub struct Database {
    pool: Pool,
    /// As many as connections: who waits for one holds no thread meanwhile.
    turns: Arc<Semaphore>,
    writer: Option<Arc<writer::Writer>>,
    url: Arc<str>,
    /// Rung after each commit of this process.
    committed: Arc<Notify>,
}

/// Figures of the handle for `/metrics`.
pub struct Load {
    /// Connections in the pool.
    pub connections: u32,
    /// Of those, not in use.
    pub idle: u32,
    /// Group commits so far (SQLite).
    pub batches: u64,
    /// Writes inside them.
    pub batched_writes: u64,
}

impl Database {
    /// Opens the pool and, on SQLite, the writer thread; does not migrate.
    pub fn open(url: &str, pool_size: u32) -> Result<Self> {
        let (size, access) = if is_postgres(url) { (pool_size, Access::Write) } else { (POOL_SIZE_SQLITE, Access::Read) };
        let committed = Arc::new(Notify::new());
        let writer = if is_postgres(url) { None } else { Some(Arc::new(writer::Writer::start(url, committed.clone())?)) };
        let pool = Pool::builder()
            .max_size(size)
            .min_idle(Some(1))
            .test_on_check_out(false)
            .connection_timeout(PATIENCE)
            .build(Manager { url: url.to_owned(), access })
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        Ok(Self { pool, turns: Arc::new(Semaphore::new(size as usize)), writer, url: url.into(), committed })
    }

    /// Where the data is, for a connection of one's own (backup, migrate).
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether all writes go through one thread, which puts those that wait into one transaction.
    pub fn has_writer(&self) -> bool {
        self.writer.is_some()
    }

    /// Runs queries on a pooled connection, off the event loop.
    pub async fn read<T: Send + 'static>(&self, work: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static) -> Result<T> {
        self.pooled(work).await
    }

    /// Runs a short read, such as one thing by its id or a page by its index. On SQLite it runs here and now, as that takes less
    /// time than waking another thread; where it would have to wait, and on PostgreSQL, it is an ordinary [`read`](Self::read).
    pub async fn glance<T: Send + 'static>(&self, work: impl Fn(&mut Conn) -> Result<T> + Send + 'static) -> Result<T> {
        if self.writer.is_some() {
            match near::read(&self.url, &work) {
                Err(Error::Unavailable(_)) => {}
                done => return done,
            }
        }
        self.pooled(work).await
    }

    /// Runs one verb in one transaction and answers after the commit.
    pub async fn write<T: Send + 'static>(&self, work: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static) -> Result<T> {
        match &self.writer {
            Some(writer) => writer.write(work).await,
            None => self.committing(work).await,
        }
    }

    /// [`write`](Self::write) for the verbs that are asked most: `work` must have no effect outside the database, as on SQLite it
    /// may be rolled back and run again, which lets it do without a savepoint.
    pub async fn write_again<T: Send + 'static>(&self, work: impl Fn(&mut Conn) -> Result<T> + Send + 'static) -> Result<T> {
        match &self.writer {
            Some(writer) => writer.write_again(work).await,
            None => self.committing(work).await,
        }
    }

    /// One transaction of PostgreSQL; the bell rings on its own thread, as whoever asked may be gone by then.
    async fn committing<T: Send + 'static>(&self, work: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static) -> Result<T> {
        let committed = self.committed.clone();
        self.pooled(move |conn| {
            let done = conn.write(work);
            committed.notify_one();
            done
        })
        .await
    }

    /// Waits until something was written by this process; for the one loop that hands events on.
    pub async fn committed(&self) {
        self.committed.notified().await;
    }

    /// Runs work on a pooled connection and a blocking thread, once it is its turn.
    async fn pooled<T: Send + 'static>(&self, work: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static) -> Result<T> {
        let turn = tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(Error::Unavailable("all connections to the database are busy".into())) };
        let pool = self.pool.clone();
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let mut conn = pool.get().map_err(|error| Error::Unavailable(error.to_string()))?;
            work(&mut conn)
        });
        done.await.unwrap_or_else(|_| Err(Error::internal("a panic inside a query")))
    }

    /// What the handle is doing now.
    pub fn load(&self) -> Load {
        let state = self.pool.state();
        let (batches, batched_writes) = self.writer.as_ref().map_or((0, 0), |writer| writer.counts());
        Load { connections: state.connections, idle: state.idle_connections, batches, batched_writes }
    }
}
