//! The one loop of a node that reads history for all who listen on it; while nobody does, it rests.
use super::horizon::{self, Horizon, Open};
use super::queries::{self, Batch};
use crate::accounts::tokens;
use crate::app::App;
use crate::db::is_postgres;
use crate::error::Result;
use crate::ids::TokenId;
use actix_web::web::Data;
use std::collections::HashSet;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Events in one batch at the most.
const BATCH: i64 = 64;
/// What other nodes wrote is seen within so long. Asking costs less than a NOTIFY in every commit (docs/decisions/0075).
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// On SQLite this process writes almost everything, and each commit wakes the loop.
const LOOK_EVERY_SQLITE: Duration = Duration::from_millis(250);
/// After a batch what follows is gathered for so long, and for each listener so much longer, up to so long: writing to all of them takes
/// time of the processor, which is to be left for those who write and read. Of few, each is written to some 100 times a second at the most.
const GATHER: Duration = Duration::from_millis(10);
const GATHER_PER_LISTENER: Duration = Duration::from_micros(10);
const GATHER_MAX: Duration = Duration::from_millis(25);
/// While somebody may still write below the horizon, it is looked at again after so long.
const LOOK_SOON: Duration = Duration::from_millis(3);
/// After a failure.
const LOOK_LATER: Duration = Duration::from_millis(500);
/// Tokens that ran out are noticed within so long; a revoked one at once, as that is an event too.
const CHECK_TOKENS_EVERY: Duration = Duration::from_secs(10);

/// What a look found.
enum Look {
    Place(i64),
    Told(Batch),
    Waits(Open),
    Nothing,
}

async fn look(app: &App, place: Option<i64>, open: Option<Open>) -> Result<Look> {
    app.db
        .read(move |conn| match (horizon::draw(conn, place, open)?, place) {
            (Horizon::Waits(open), _) => Ok(Look::Waits(open)),
            (Horizon::At(at), None) => Ok(Look::Place(at)),
            (Horizon::At(at), Some(place)) if at <= place => Ok(Look::Nothing),
            (Horizon::At(at), Some(place)) => Ok(Look::Told(queries::between(conn, place, at, BATCH)?)),
        })
        .await
}

fn gather(listeners: usize) -> Duration {
    let listeners = u32::try_from(listeners).unwrap_or(u32::MAX);
    GATHER.saturating_add(GATHER_PER_LISTENER.saturating_mul(listeners)).min(GATHER_MAX)
}

async fn check_tokens(app: &App) -> Result<()> {
    let (asked, now) = (app.live.tokens(), app.clock.now());
    let known = asked.clone();
    let good = app.db.read(move |conn| tokens::working(conn, &known, now)).await?;
    let ended: HashSet<TokenId> = asked.into_iter().filter(|token| !good.contains(token)).collect();
    if !ended.is_empty() {
        app.live.end(ended);
    }
    Ok(())
}

/// The loop.
pub async fn run(app: Data<App>, mut stop: watch::Receiver<bool>) {
    let look_every = if is_postgres(app.db.url()) { LOOK_EVERY } else { LOOK_EVERY_SQLITE };
    let (mut open, mut checked_at) = (None, Instant::now());
    while !*stop.borrow() {
        let Some(place) = app.live.place() else {
            open = None;
            tokio::select! {
                () = app.live.arrival() => {}
                _ = stop.changed() => {}
            }
            continue;
        };
        let mut is_check_due = checked_at.elapsed() > CHECK_TOKENS_EVERY;
        let found = look(&app, place, open.take()).await;
        let (pause, is_woken) = match found {
            Ok(Look::Place(at)) => {
                app.live.take_place(at);
                (Duration::ZERO, false)
            }
            Ok(Look::Told(batch)) => {
                is_check_due |= batch.is_about_access;
                let pause = if batch.is_full { Duration::ZERO } else { gather(app.live.listeners()) };
                app.live.tell(batch);
                (pause, false)
            }
            Ok(Look::Waits(still)) => {
                open = Some(still);
                (LOOK_SOON, false)
            }
            Ok(Look::Nothing) => (look_every, true),
            Err(error) => {
                tracing::warn!(%error, "history could not be read for the live stream; it is tried again");
                (LOOK_LATER, false)
            }
        };
        if is_check_due {
            checked_at = Instant::now();
            if let Err(error) = check_tokens(&app).await {
                tracing::warn!(%error, "the tokens of streams could not be checked; it is tried again");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = app.db.committed(), if is_woken => {}
            _ = stop.changed() => {}
        }
    }
}
