//! The due-time queue: writes warnings and breaches within a second of their instants, with exactly those instants.
use super::alerts;
use super::commands::Clocks;
use super::store;
pub use super::store::count_running;
use crate::Result;
use crate::app::App;
use crate::db::Conn;
use crate::tickets;
use crate::timeline::Kind;
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;
use tokio::sync::watch;

/// Clocks written in one transaction at the most.
const BATCH: i64 = 500;
/// A verb that arrived in time but waits for its turn to write gets so long; the recorded instant is the due one all the same.
const GRACE: TimeDelta = TimeDelta::milliseconds(200);
/// Longest pause between two looks at the queue: other nodes and a stepped system clock are seen within it.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Writes what fell due by `now`, for at most 500 clocks: one lock, one load, then an event and an update each.
pub fn ring_due(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<(super::clock::Metric, Kind)>> {
    let tickets = store::due_tickets(conn, now, BATCH)?;
    if tickets.is_empty() {
        return Ok(Vec::new());
    }
    tickets::commands::lock(conn, &tickets)?;
    let (mut rung, mut news) = (Vec::new(), Vec::new());
    let mut rows = store::of_tickets(conn, &tickets)?;
    rows.sort_by_key(|row| (row.ticket_id, row.id));
    for of_one in rows.chunk_by(|a, b| a.ticket_id == b.ticket_id) {
        let Some(ticket) = of_one.first().map(|row| row.ticket_id) else { continue };
        let mut clocks = Clocks::from_rows(ticket, of_one.to_vec());
        rung.extend(clocks.ring(now));
        clocks.save_without_alerts(conn)?;
        news.extend(clocks.take_news());
        tickets::commands::repeat_promises(conn, ticket, &clocks.summary())?;
    }
    alerts::commands::follow(conn, &news)?;
    Ok(rung)
}

/// Rings until nothing is due; says how many events were written.
pub async fn catch_up(app: &App) -> Result<usize> {
    let mut written = 0;
    loop {
        let now = app.clock.now();
        let rung = app.db.write(move |conn| ring_due(conn, now)).await?;
        if rung.is_empty() {
            return Ok(written);
        }
        written += rung.len();
        for (metric, kind) in rung {
            app.metrics.clock_event(metric.as_str(), kind.as_str());
        }
    }
}

/// The loop: sleeps until the next due instant, but never long.
pub async fn run(app: actix_web::web::Data<App>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let now = app.clock.now();
        let pause = match app.db.read(store::next_alarm).await {
            Ok(Some(next)) if next + GRACE <= now => {
                if let Err(error) = catch_up(&app).await {
                    tracing::error!(%error, "the alarm could not write; it tries again");
                    LOOK_EVERY
                } else {
                    Duration::ZERO
                }
            }
            Ok(next) => next.and_then(|next| (next + GRACE - now).to_std().ok()).map_or(LOOK_EVERY, |wait| wait.min(LOOK_EVERY)),
            Err(error) => {
                tracing::error!(%error, "the alarm could not look at its queue; it tries again");
                LOOK_EVERY
            }
        };
        app.beat.alarm(now);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.changed() => {}
        }
    }
}
