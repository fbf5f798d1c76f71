//! SQLite's one writer: whatever waits goes into one transaction with one fsync, a savepoint for each request.
use super::{Conn, guarded};
use crate::{Error, Result};
use diesel::r2d2::R2D2Connection;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use tokio::sync::{Notify, oneshot};

/// Requests in one transaction at the most.
const BATCH_MAX: usize = 256;
/// Requests that may wait; one more is told that the desk is busy.
const QUEUE_MAX: usize = 4096;

/// What one request wants to be done.
trait Work: Send {
    /// Whether it may run again: then it needs no savepoint, which costs a copy of each page that is changed after it.
    fn is_repeatable(&self) -> bool;
    /// Does it, and keeps the result; says what went wrong.
    fn run(&mut self, conn: &mut Conn) -> Option<Wrong>;
    /// Tells the request how it ended; `failed` where the batch did.
    fn tell(self: Box<Self>, failed: Option<Error>);
}

/// How a request's work failed.
enum Wrong {
    /// It was refused; others in the batch are not concerned.
    Refused,
    /// The disk is full or failing and may have rolled back the whole transaction: the batch must not go on.
    Fatal(Error),
}

/// The work of a request and whom to tell.
struct Request<T, W> {
    work: W,
    result: Option<Result<T>>,
    sender: oneshot::Sender<Result<T>>,
}

impl<T, W> Request<T, W> {
    fn keep(&mut self, result: Result<T>) -> Option<Wrong> {
        let wrong = match &result {
            Ok(_) => None,
            Err(Error::Unavailable(text)) => Some(Wrong::Fatal(Error::Unavailable(text.clone()))),
            Err(_) => Some(Wrong::Refused),
        };
        self.result = Some(result);
        wrong
    }

    fn end(self, failed: Option<Error>) {
        let not_run = || Err(Error::Unavailable("the batch ended before it".into()));
        // Nobody listens any more where the client went away.
        let _ = self.sender.send(match failed {
            Some(error) => Err(error),
            None => self.result.unwrap_or_else(not_run),
        });
    }
}

/// Work that runs at most once.
struct Once<W>(Option<W>);
/// Work that may run again after a rollback.
struct Again<W>(W);

impl<T: Send, W: FnOnce(&mut Conn) -> Result<T> + Send> Work for Request<T, Once<W>> {
    fn is_repeatable(&self) -> bool {
        false
    }
    fn run(&mut self, conn: &mut Conn) -> Option<Wrong> {
        let work = self.work.0.take()?;
        let result = conn.savepoint(|conn| guarded(conn, work));
        self.keep(result)
    }
    fn tell(self: Box<Self>, failed: Option<Error>) {
        self.end(failed);
    }
}

impl<T: Send, W: Fn(&mut Conn) -> Result<T> + Send> Work for Request<T, Again<W>> {
    fn is_repeatable(&self) -> bool {
        true
    }
    fn run(&mut self, conn: &mut Conn) -> Option<Wrong> {
        let result = guarded(conn, &self.work.0);
        self.keep(result)
    }
    fn tell(self: Box<Self>, failed: Option<Error>) {
        self.end(failed);
    }
}

#[derive(Default)]
struct Counts {
    batches: AtomicU64,
    writes: AtomicU64,
}

/// The queue in front of the writer thread.
pub(super) struct Writer {
    queue: mpsc::SyncSender<Box<dyn Work>>,
    counts: Arc<Counts>,
}

impl Writer {
    /// Starts the thread; it ends when the last handle is dropped and the queue is empty.
    /// `committed` is rung after each batch.
    pub(super) fn start(url: &str, committed: Arc<Notify>) -> Result<Self> {
        let (url, mut conn) = (url.to_owned(), Conn::open(url)?);
        let (queue, jobs) = mpsc::sync_channel(QUEUE_MAX);
        let counts = Arc::new(Counts::default());
        let seen = counts.clone();
        std::thread::Builder::new()
            .name("writer".into())
            .spawn(move || run(&url, &mut conn, &jobs, (&seen, &committed)))
            .map_err(|error| Error::internal(error.to_string()))?;
        Ok(Self { queue, counts })
    }

    /// Runs `work` in a savepoint of its own.
    pub(super) async fn write<T: Send + 'static>(&self, work: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static) -> Result<T> {
        self.ask(Once(Some(work))).await
    }

    /// Runs `work`, which must have no effect outside the database: it may be rolled back and run again.
    pub(super) async fn write_again<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.ask(Again(work)).await
    }

    async fn ask<T, W>(&self, work: W) -> Result<T>
    where
        Request<T, W>: Work + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let request = Box::new(Request { work, result: None, sender });
        self.queue.try_send(request).map_err(|_| Error::Unavailable("too many writes are waiting".into()))?;
        receiver.await.unwrap_or_else(|_| Err(Error::Unavailable("the writer has stopped".into())))
    }

    pub(super) fn counts(&self) -> (u64, u64) {
        (self.counts.batches.load(Ordering::Relaxed), self.counts.writes.load(Ordering::Relaxed))
    }
}

fn run(url: &str, conn: &mut Conn, queue: &mpsc::Receiver<Box<dyn Work>>, (counts, committed): (&Counts, &Notify)) {
    let mut next = None;
    while let Some(first) = next.take().or_else(|| queue.recv().ok()) {
        // After a failed commit the connection is of no more use; the disk may have room again by now.
        if conn.is_broken()
            && let Ok(fresh) = Conn::open(url)
        {
            *conn = fresh;
        }
        let (mut batch, mut waiting) = (Vec::new(), Some(first));
        let mut done = conn.transact(|conn| fill(conn, &mut batch, &mut waiting, queue));
        if let Err(Ended::Spoiled) = done
            && let Some(refused) = batch.pop()
        {
            // What was refused may have written before; the others run again, each in a savepoint of its own.
            done = match batch.is_empty() {
                true => Ok(()),
                false => conn.transact(|conn| batch.iter_mut().try_for_each(|work| in_savepoint(conn, work))),
            };
            batch.push(refused);
        }
        // Where the transaction did not even begin, the first one is told so.
        batch.extend(waiting.take_if(|_| batch.is_empty()));
        next = waiting;
        counts.batches.fetch_add(1, Ordering::Relaxed);
        counts.writes.fetch_add(batch.len() as u64, Ordering::Relaxed);
        let failure = match done {
            Ok(()) | Err(Ended::Spoiled) => None,
            Err(Ended::Failed(error)) => Some(error.to_string()),
        };
        if let Some(text) = &failure {
            tracing::error!(error = %text, writes = batch.len(), "a batch of writes was rolled back");
        }
        committed.notify_one();
        for work in batch {
            work.tell(failure.clone().map(Error::Unavailable));
        }
    }
}

/// Why a batch was rolled back.
enum Ended {
    /// What one of its requests wrote cannot be taken back alone.
    Spoiled,
    /// The disk is full or failing, or the commit did not succeed.
    Failed(Error),
}

impl From<Error> for Ended {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<diesel::result::Error> for Ended {
    fn from(error: diesel::result::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Runs what waits, of the kind of the first; `next` is the first of another kind, or of the batch after this one.
fn fill(
    conn: &mut Conn,
    batch: &mut Vec<Box<dyn Work>>,
    next: &mut Option<Box<dyn Work>>,
    queue: &mpsc::Receiver<Box<dyn Work>>,
) -> Result<(), Ended> {
    let is_repeatable = next.as_ref().is_some_and(|work| work.is_repeatable());
    while let Some(mut work) = next.take_if(|work| batch.len() < BATCH_MAX && work.is_repeatable() == is_repeatable) {
        let wrong = work.run(conn);
        batch.push(work);
        match wrong {
            Some(Wrong::Fatal(error)) => return Err(Ended::Failed(error)),
            Some(Wrong::Refused) if is_repeatable => return Err(Ended::Spoiled),
            _ => *next = queue.try_recv().ok(),
        }
    }
    Ok(())
}

fn in_savepoint(conn: &mut Conn, work: &mut Box<dyn Work>) -> Result<(), Ended> {
    let done = conn.savepoint(|conn| match work.run(conn) {
        None => Ok(()),
        Some(wrong) => Err(Undo::Work(wrong)),
    });
    match done {
        Ok(()) | Err(Undo::Work(Wrong::Refused)) => Ok(()),
        Err(Undo::Work(Wrong::Fatal(error))) => Err(Ended::Failed(error)),
        Err(Undo::Savepoint(error)) => Err(Ended::Failed(error.into())),
    }
}

/// Why a savepoint was rolled back.
enum Undo {
    Work(Wrong),
    Savepoint(diesel::result::Error),
}

impl From<diesel::result::Error> for Undo {
    fn from(error: diesel::result::Error) -> Self {
        Self::Savepoint(error)
    }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
