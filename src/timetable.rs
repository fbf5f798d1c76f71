//! All jobs and when they recur, on one page: the doors that the clock uses.
use crate::accounts::tokens;
use crate::app::App;
use crate::db::Conn;
use crate::digest;
use crate::error::Result;
use crate::http::idempotency;
use crate::jobs::queue::Job;
use crate::jobs::{Failure, JobKind};
use crate::{attachments, inbound, mail, privacy, sla, surveys, transfer, webhooks};
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use std::time::Duration;
use tokio::sync::watch;

/// How often last uses of tokens are written down.
const NOTE_TOKEN_USES_EVERY: Duration = Duration::from_secs(60);
/// Idempotency keys are looked through once in so many rounds.
const ROUNDS_PER_FORGET: u64 = 60;

/// What each kind of job does.
pub async fn run(app: &Data<App>, job: &Job) -> Result<(), Failure> {
    match job.kind.0 {
        JobKind::SendDigest => digest::jobs::send(app, job.subject_id.0).await,
        JobKind::DeliverMail => mail::jobs::deliver(app, job.subject_id.0).await,
        JobKind::SendSurvey => surveys::jobs::send(app, job.subject_id.0).await,
        JobKind::SendReminder => surveys::jobs::remind(app, job.subject_id.0).await,
        JobKind::FreezeWave => surveys::waves::jobs::freeze(app, job.subject_id.0).await,
        JobKind::SendWave => surveys::waves::jobs::send(app, job.subject_id.0).await,
        JobKind::MoveClocks => sla::moves::jobs::run(app, job.subject_id.0).await,
        JobKind::ClimbAlerts => sla::alerts::jobs::climb(app).await,
        JobKind::SendAlert => sla::alerts::jobs::send(app, job.subject_id.0).await,
        JobKind::FileMail => inbound::jobs::file(app, job).await,
        JobKind::EraseFiles => privacy::jobs::finish(app, job.subject_id.0).await,
        JobKind::RunImport => transfer::jobs::run(app, job.subject_id.0).await,
    }
}

/// Looks for jobs that may be due earlier than was thought; `at_once` for all of them.
pub async fn hasten(app: &App, at_once: bool) -> Result<()> {
    inbound::taking::hasten(app, at_once).await
}

/// What else a parked job changes.
pub fn parked(conn: &mut Conn, job: &Job, error: &str, now: DateTime<Utc>) -> Result<()> {
    match job.kind.0 {
        JobKind::SendDigest => digest::commands::parked(conn, job.subject_id.0),
        JobKind::DeliverMail => mail::outbox::parked(conn, job.subject_id.0, error, now),
        JobKind::SendSurvey => surveys::commands::failed(conn, job.subject_id.0, error, now),
        JobKind::SendReminder => surveys::reminders::commands::failed(conn, job.subject_id.0, error, now),
        // The wave shows that it is still freezing, or sent nothing: starting it again tries again.
        JobKind::FreezeWave | JobKind::SendWave => Ok(()),
        // The edit stays unfinished; the next edit of the same thing takes it up again.
        JobKind::MoveClocks => Ok(()),
        // The next alert queues another one, which takes all that is due.
        JobKind::ClimbAlerts => Ok(()),
        JobKind::SendAlert => sla::alerts::commands::letter_parked(conn, job.subject_id.0, error),
        JobKind::FileMail => inbound::commands::give_up(conn, job.subject_id.0, error, now),
        // The erasure says that it is not finished; asked for again, it goes on.
        JobKind::EraseFiles => Ok(()),
        JobKind::RunImport => transfer::commands::fail(conn, job.subject_id.0, error, now),
    }
}

/// Writes down when tokens were last used.
pub async fn note_token_uses(app: &App) -> Result<()> {
    let uses = app.known.take_used();
    if uses.is_empty() {
        return Ok(());
    }
    app.db.write(move |conn| tokens::note_uses(conn, &uses)).await
}

/// The recurring chores: once a minute token uses, once an hour old idempotency keys, old deliveries of webhooks and files that no message wants.
pub async fn chores(app: Data<App>, mut stop: watch::Receiver<bool>) {
    let mut round: u64 = 0;
    while !*stop.borrow() {
        tokio::select! {
            () = tokio::time::sleep(NOTE_TOKEN_USES_EVERY) => {}
            _ = stop.changed() => {}
        }
        if let Err(error) = digest::jobs::write_due(&app).await {
            tracing::error!(%error, "the digest could not be written; it is tried again in a minute");
        }
        round += 1;
        let mut done = note_token_uses(&app).await;
        if done.is_ok() && round % ROUNDS_PER_FORGET == 1 {
            let now = app.clock.now();
            let sent_before = now - chrono::TimeDelta::days(i64::from(app.config.webhooks.keep_days));
            let forget = move |conn: &mut Conn| Ok(idempotency::forget(conn, now)? + webhooks::forget(conn, sent_before)?);
            done = app.db.write(forget).await.map(|_| ());
            done = done.and(attachments::jobs::sweep(&app).await.map(|_| ()));
        }
        if let Err(error) = done {
            tracing::error!(%error, "a chore failed; it is tried again in a minute");
        }
    }
}
