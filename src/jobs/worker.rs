//! The loop that takes due jobs, runs a few at once, and ends, puts back or parks each.
use super::queue::{self, Job};
use super::{Failure, backoff};
use crate::Result;
use crate::app::App;
use crate::ids::JobId;
use crate::{ids, timetable};
use actix_web::web::Data;
use chrono::TimeDelta;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Longest pause between two looks at the queue.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The jobs that this worker runs now.
#[derive(Clone, Default)]
struct Busy(Arc<Mutex<HashSet<JobId>>>);

/// One of them, until it is dropped.
struct Held(Busy, JobId);

impl Busy {
    fn lock(&self) -> MutexGuard<'_, HashSet<JobId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hold(&self, id: JobId) -> Held {
        self.lock().insert(id);
        Held(self.clone(), id)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.lock().remove(&self.1);
    }
}

async fn claim(app: &App, limit: usize, busy: &Busy) -> Result<Vec<Job>> {
    let now = app.clock.now();
    if limit == 0 || !app.db.read(move |conn| queue::is_any_due(conn, now)).await? {
        return Ok(Vec::new());
    }
    let lease_until = now + TimeDelta::seconds(i64::from(app.config.jobs.lease_seconds));
    let busy: Vec<JobId> = busy.lock().iter().copied().collect();
    app.db.write(move |conn| queue::claim(conn, now, lease_until, limit, &busy)).await
}

/// Runs one claimed job and writes down how it ended.
async fn run_one(app: Data<App>, job: Job) {
    let kind = job.kind.0;
    let (desk, claimed) = (app.clone(), job.clone());
    // A task of its own, so that a panic is a failed try like any other and ends up parked.
    let done = tokio::spawn(async move { timetable::run(&desk, &claimed).await }).await;
    let done = done.unwrap_or_else(|_| Err(Failure::Later("the job panicked".to_owned())));
    let now = app.clock.now();
    let result = match done {
        Ok(()) => {
            app.metrics.job(kind.as_str(), "done");
            app.db.write(move |conn| queue::finish(conn, &job)).await
        }
        Err(Failure::NotBefore(due_at)) => {
            app.metrics.job(kind.as_str(), "postponed");
            app.db.write(move |conn| queue::postpone(conn, &job, due_at)).await
        }
        Err(failure @ (Failure::Later(_) | Failure::Never(_))) => {
            let is_last = job.attempts >= i32::try_from(app.config.jobs.attempts_max).unwrap_or(i32::MAX);
            let (text, park) = match failure {
                Failure::Later(text) => (text, is_last),
                Failure::Never(text) => (text, true),
                Failure::NotBefore(_) => (String::new(), false),
            };
            app.metrics.job(kind.as_str(), if park { "parked" } else { "retried" });
            tracing::warn!(job = %job.id, kind = %kind, attempts = job.attempts, park, "a job failed");
            let pause = backoff::pause(app.config.jobs.backoff_seconds, job.attempts, ids::jitter());
            app.db
                .write(move |conn| {
                    if park {
                        let is_ours = queue::park(conn, &job, now, &text)?;
                        if is_ours { timetable::parked(conn, &job, &text, now) } else { Ok(()) }
                    } else {
                        queue::put_back(conn, &job, now + pause, &text)
                    }
                })
                .await
        }
    };
    if let Err(error) = result {
        // The lease runs out and the job is taken again: at least once, never lost.
        tracing::error!(%error, "the end of a job could not be written");
    }
}

/// Runs every job that is due now, and what they queue, until nothing is due; says how many ran.
pub async fn run_due(app: &Data<App>) -> Result<usize> {
    let mut ran = 0;
    loop {
        timetable::hasten(app, true).await?;
        let jobs = claim(app, app.config.jobs.concurrency, &Busy::default()).await?;
        if jobs.is_empty() {
            return Ok(ran);
        }
        ran += jobs.len();
        let mut running: JoinSet<()> = jobs.into_iter().map(|job| run_one(app.clone(), job)).collect();
        while running.join_next().await.is_some() {}
    }
}

/// The loop. On stop it takes nothing new and waits for what runs.
pub async fn run(app: Data<App>, mut stop: watch::Receiver<bool>) {
    let (mut running, busy) = (JoinSet::new(), Busy::default());
    while !*stop.borrow() {
        app.beat.worker(app.clock.now());
        if let Err(error) = timetable::hasten(&app, false).await {
            tracing::error!(%error, "what was put off could not be looked at; it is due by itself");
        }
        let free = app.config.jobs.concurrency.saturating_sub(running.len());
        match claim(&app, free, &busy).await {
            Ok(jobs) => {
                for job in jobs {
                    let (app, held) = (app.clone(), busy.hold(job.id));
                    running.spawn(async move {
                        run_one(app, job).await;
                        drop(held);
                    });
                }
            }
            Err(error) => tracing::error!(%error, "the worker could not look at its queue; it tries again"),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = app.jobs_queued.notified() => {}
            Some(_) = running.join_next() => {}
            _ = stop.changed() => {}
        }
    }
    while running.join_next().await.is_some() {}
}
