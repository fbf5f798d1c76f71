//! The loop of a node that rings wider, notices who went away, ends what nobody goes on with, and hears who types on other nodes.
use super::commands_offers as commands;
use super::typing;
use crate::app::App;
use crate::error::Result;
use actix_web::web::Data;
use std::time::Duration;
use tokio::sync::watch;

/// Between two looks: an agent who becomes available is rung within so long.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// One look: reads what is to be done, and writes where there is something; says how much there was.
async fn look(app: &Data<App>) -> Result<usize> {
    let now = app.clock.now();
    let desk = app.clone();
    let ids = app.db.read(move |conn| commands::to_look_after(conn, &desk.config, now)).await?;
    if ids.is_empty() {
        return Ok(0);
    }
    let desk = app.clone();
    // Read again inside: another node may have written meanwhile.
    app.db.write(move |conn| commands::look_after_all(conn, &desk.config, now)).await
}

/// Looks until there is nothing to do; says how much there was.
pub async fn catch_up(app: &Data<App>) -> Result<usize> {
    typing::look(app).await?;
    let mut done = 0;
    loop {
        let step = look(app).await?;
        if step == 0 {
            return Ok(done);
        }
        done += step;
    }
}

/// The loop.
pub async fn run(app: Data<App>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(error) = catch_up(&app).await {
            tracing::warn!(%error, "chats could not be looked after; it is tried again");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = stop.changed() => {}
        }
    }
}
