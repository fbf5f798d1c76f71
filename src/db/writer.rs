//! SQLite's one writer: whatever waits goes into one transaction with one fsync, a savepoint for each request.
use super::{Conn, guarded};
use crate::{Error, Result};
use diesel::Connection;
use diesel::r2d2::R2D2Connection;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use tokio::sync::oneshot;

/// Requests in one transaction at the most.
const BATCH_MAX: usize = 256;
/// Requests that may wait; one more is told that the desk is busy.
const QUEUE_MAX: usize = 4096;

/// Tells one request how its batch ended.
type Reply = Box<dyn FnOnce(Option<Error>) + Send>;
/// The work of one request; says whether the batch can go on.
type Job = Box<dyn FnOnce(&mut Conn) -> (Reply, Option<Error>) + Send>;

#[derive(Default)]
struct Counts {
    batches: AtomicU64,
    writes: AtomicU64,
}

/// The queue in front of the writer thread.
pub(super) struct Writer {
    queue: mpsc::SyncSender<Job>,
    counts: Arc<Counts>,
}

impl Writer {
    /// Starts the thread; it ends when the last handle is dropped and the queue is empty.
    pub(super) fn start(url: &str) -> Result<Self> {
        let (url, mut conn) = (url.to_owned(), Conn::open(url)?);
        let (queue, jobs) = mpsc::sync_channel(QUEUE_MAX);
        let counts = Arc::new(Counts::default());
        let seen = counts.clone();
        std::thread::Builder::new()
            .name("writer".into())
            .spawn(move || run(&url, &mut conn, &jobs, &seen))
            .map_err(|error| Error::internal(error.to_string()))?;
        Ok(Self { queue, counts })
    }

    pub(super) async fn write<T: Send + 'static>(&self, work: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static) -> Result<T> {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |conn| {
            let result = conn.transaction(|conn| guarded(conn, work)); // a savepoint inside the batch
            // A full or failing disk may have rolled back the whole transaction: the batch must not go on.
            let fatal = match &result {
                Err(Error::Unavailable(text)) => Some(Error::Unavailable(text.clone())),
                _ => None,
            };
            let reply: Reply = Box::new(move |failed| {
                let _ = sender.send(match failed {
                    Some(error) => Err(error),
                    None => result,
                });
            });
            (reply, fatal)
        });
        self.queue.try_send(job).map_err(|_| Error::Unavailable("too many writes are waiting".into()))?;
        receiver.await.unwrap_or_else(|_| Err(Error::Unavailable("the writer has stopped".into())))
    }

    pub(super) fn counts(&self) -> (u64, u64) {
        (self.counts.batches.load(Ordering::Relaxed), self.counts.writes.load(Ordering::Relaxed))
    }
}

fn run(url: &str, conn: &mut Conn, jobs: &mpsc::Receiver<Job>, counts: &Counts) {
    while let Ok(first) = jobs.recv() {
        // After a failed commit the connection is of no more use; the disk may have room again by now.
        if conn.is_broken()
            && let Ok(fresh) = Conn::open(url)
        {
            *conn = fresh;
        }
        let mut replies = Vec::new();
        let mut next = Some(first);
        let done = conn.write(|conn| {
            while let Some(job) = next.take() {
                let (reply, fatal) = job(conn);
                replies.push(reply);
                if let Some(error) = fatal {
                    return Err(error);
                }
                if replies.len() < BATCH_MAX {
                    next = jobs.try_recv().ok();
                }
            }
            Ok(())
        });
        counts.batches.fetch_add(1, Ordering::Relaxed);
        counts.writes.fetch_add(replies.len() as u64, Ordering::Relaxed);
        let failure = done.err().map(|error| error.to_string());
        if let Some(text) = &failure {
            tracing::error!(error = %text, writes = replies.len(), "a batch of writes was rolled back");
        }
        for reply in replies {
            reply(failure.clone().map(Error::Unavailable));
        }
        // A job taken from the queue but not run (the batch failed before it) is dropped: its caller is told.
        drop(next);
    }
}
