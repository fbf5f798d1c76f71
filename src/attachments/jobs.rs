//! The chore that throws away what no message wanted.
use super::{commands, queries};
use crate::app::App;
use crate::error::Result;
use crate::ids::AttachmentId;
use chrono::{Days, NaiveTime, TimeDelta};

/// Bytes without a row are looked for among the files of so many days: an upload that broke off between the two leaves them.
const DAYS_LOOKED_AT: u64 = 7;

/// Forgets uploads that waited a day for their message, and bytes that never got a row. Says how many files went away.
pub async fn sweep(app: &App) -> Result<usize> {
    let now = app.clock.now();
    let mut swept = 0;
    loop {
        // The row goes first: bytes that are left behind are found below, a row without bytes never is.
        let gone = app.db.write(move |conn| commands::forget_waiting(conn, now)).await?;
        if gone.is_empty() {
            break;
        }
        swept += gone.len();
        for (id, came_at) in gone {
            app.depot.remove(id, came_at).await?;
        }
    }
    // A day that ended long enough ago: whoever wrote bytes then has written the row by now, or never will.
    let ended = (now - TimeDelta::hours(commands::WAITS_HOURS)).date_naive();
    for on in (1..=DAYS_LOOKED_AT).filter_map(|days| ended.checked_sub_days(Days::new(days))) {
        let ids = app.depot.of_day(on).await?;
        if ids.is_empty() {
            continue;
        }
        let asked = ids.clone();
        let known = app.db.read(move |conn| queries::known(conn, &asked)).await?;
        let orphans: Vec<AttachmentId> = ids.into_iter().filter(|id| !known.contains(id)).collect();
        swept += orphans.len();
        for id in orphans {
            app.depot.remove(id, on.and_time(NaiveTime::MIN).and_utc()).await?;
        }
    }
    Ok(swept)
}
