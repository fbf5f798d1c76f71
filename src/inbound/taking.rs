//! Mails on their way onto the disk: those of many connections go into one transaction, and while very many come, filing gives way.
use super::commands::{self, Coming};
use super::flood::Flood;
use crate::app::App;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::jobs::{JobKind, queue};
use actix_web::web::Data;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use tokio::sync::{Mutex as Turn, mpsc, oneshot};
use tokio::time::Instant;

/// In a flood a mail waits at most so long, in seconds, until its filing may begin.
const PUT_OFF_SECONDS: i64 = 30;
/// Jobs that were put off and are due at once after the flood, in one transaction.
const HASTEN_MAX: usize = 500;
/// Hand-overs in one transaction at the most.
const TOGETHER_MAX: usize = 64;
/// Bytes in one transaction, but for a mail that is larger by itself.
const TOGETHER_BYTES: usize = 4 * 1024 * 1024;
/// Transactions at once.
pub(super) const STORING: usize = 2;

/// Mails of one hand-over, and whom to tell.
struct Waiting {
    mails: Vec<Coming>,
    due_at: DateTime<Utc>,
    told: oneshot::Sender<Result<()>>,
}

/// What a node knows of the mails that come in.
pub struct Taking {
    queue: mpsc::UnboundedSender<Waiting>,
    waiting: Turn<mpsc::UnboundedReceiver<Waiting>>,
    flood: Mutex<Flood>,
    started: Instant,
    /// True at the start as well: another run may have put jobs off.
    has_put_off: AtomicBool,
}

impl Default for Taking {
    fn default() -> Self {
        let (queue, waiting) = mpsc::unbounded_channel();
        let (waiting, flood) = (Turn::new(waiting), Mutex::default());
        Self { queue, waiting, flood, started: Instant::now(), has_put_off: AtomicBool::new(true) }
    }
}

impl Taking {
    fn is_high(&self) -> bool {
        self.flood.lock().unwrap_or_else(PoisonError::into_inner).is_high(self.started.elapsed())
    }

    /// Some mails have come: says when they are to be filed.
    pub(super) fn due_at(&self, mails: usize, now: DateTime<Utc>) -> DateTime<Utc> {
        let at = self.started.elapsed();
        let mut flood = self.flood.lock().unwrap_or_else(PoisonError::into_inner);
        flood.came(mails, at);
        if flood.is_high(at) { now + TimeDelta::seconds(PUT_OFF_SECONDS) } else { now }
    }

    /// Mails are on the disk: those that are due are filed at once.
    pub(super) fn taken(&self, app: &App, due_at: DateTime<Utc>, now: DateTime<Utc>) {
        if due_at > now {
            self.has_put_off.store(true, Ordering::Relaxed);
        } else {
            app.jobs_queued.notify_one();
        }
    }
}

/// Takes the mails of one hand-over: all of them, or none. On SQLite the writer puts what waits into one transaction; here that is done
/// for PostgreSQL, where [`store_queued`] has to run.
pub(super) async fn take(app: &Data<App>, mails: Vec<Coming>) -> Result<()> {
    let now = app.clock.now();
    let due_at = app.taking.due_at(mails.len(), now);
    if app.db.has_writer() {
        app.db.write_again(move |conn| commands::accept_each(conn, mails.iter(), due_at, now).map(|_| ())).await?;
    } else {
        let (told, hears) = oneshot::channel();
        let stopped = || Error::Unavailable("the desk is stopping".to_owned());
        app.taking.queue.send(Waiting { mails, due_at, told }).map_err(|_| stopped())?;
        hears.await.map_err(|_| stopped())??;
    }
    app.taking.taken(app, due_at, now);
    Ok(())
}

fn size(waiting: &Waiting) -> usize {
    waiting.mails.first().map_or(0, |first| first.mail.raw.len())
}

/// Stores what was handed over, until it is dropped.
pub(super) async fn store_queued(app: Data<App>) {
    loop {
        let mut queue = app.taking.waiting.lock().await;
        let Some(first) = queue.recv().await else { return };
        let (mut bytes, mut together) = (size(&first), vec![first]);
        while bytes < TOGETHER_BYTES && together.len() < TOGETHER_MAX {
            let Ok(next) = queue.try_recv() else { break };
            bytes += size(&next);
            together.push(next);
        }
        drop(queue);
        store(&app, together).await;
    }
}

/// One transaction for all of them; where it fails, one for each, so that none fails through another one.
async fn store(app: &Data<App>, together: Vec<Waiting>) {
    let now = app.clock.now();
    let (mails, told): (Vec<_>, Vec<_>) =
        together.into_iter().map(|Waiting { mails, due_at, told }| (std::sync::Arc::new((mails, due_at)), told)).unzip();
    let all = mails.clone();
    let insert = move |conn: &mut Conn| {
        let due_at = all.iter().map(|part| part.1).min().unwrap_or(now);
        commands::accept_each(conn, all.iter().flat_map(|part| &part.0), due_at, now)
    };
    let done = app.db.write(insert).await;
    let is_alone = mails.len() == 1;
    for (mails, told) in mails.into_iter().zip(told) {
        let each = match &done {
            Ok(_) => Ok(()),
            Err(error) if is_alone => Err(Error::Unavailable(error.to_string())),
            Err(_) => app.db.write(move |conn| commands::accept_each(conn, &mails.0, mails.1, now)).await.map(|_| ()),
        };
        // Nobody hears it where the connection is gone.
        let _ = told.send(each);
    }
}

/// Mails that were put off are filed now, once the flood is over; `at_once` does not wait for that.
pub async fn hasten(app: &App, at_once: bool) -> Result<()> {
    let taking = &app.taking;
    if !taking.has_put_off.load(Ordering::Relaxed) || (taking.is_high() && !at_once) {
        return Ok(());
    }
    taking.has_put_off.store(false, Ordering::Relaxed);
    let now = app.clock.now();
    let until = now + TimeDelta::seconds(PUT_OFF_SECONDS);
    let put_off = app.db.read(move |conn| queue::put_off(conn, JobKind::FileMail, (now, until), HASTEN_MAX)).await?;
    if put_off.len() == HASTEN_MAX {
        taking.has_put_off.store(true, Ordering::Relaxed);
    }
    if put_off.is_empty() { Ok(()) } else { app.db.write(move |conn| queue::hasten(conn, &put_off, now)).await }
}
