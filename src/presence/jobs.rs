//! The loop of a node that keeps its lease, loses agents whose streams died, and rings the alarm.
use super::commands;
use crate::app::App;
use crate::error::Result;
use actix_web::web::Data;
use std::time::Duration;
use tokio::sync::watch;

/// Between two looks. A lost agent is written within the lease and one look; an alarm within one look.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// One look: reads what stands, and writes where something is to be written; says how much was news.
pub async fn look(app: &Data<App>) -> Result<usize> {
    let (node, seated, now) = (app.live.node(), app.live.seated(), app.clock.now());
    let (desk, here) = (app.clone(), seated.clone());
    let (plan, present) = app.db.read(move |conn| commands::plan(conn, &desk.config, (node, &here), now)).await?;
    app.live.know_present(present);
    if plan.is_empty() {
        return Ok(0);
    }
    let desk = app.clone();
    app.db
        .write(move |conn| {
            // Read again inside: another node may have written meanwhile.
            let (plan, _) = commands::plan(conn, &desk.config, (node, &seated), now)?;
            commands::follow(conn, &desk.config, node, &plan, now)
        })
        .await
}

/// Looks until there is no news; says how much there was.
pub async fn catch_up(app: &Data<App>) -> Result<usize> {
    let mut done = 0;
    loop {
        let news = look(app).await?;
        if news == 0 {
            return Ok(done);
        }
        done += news;
        app.jobs_queued.notify_one();
    }
}

/// The loop. On stop it leaves the lease to run out: whoever was connected has that long to find another node.
pub async fn run(app: Data<App>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(error) = catch_up(&app).await {
            tracing::warn!(%error, "presence could not be looked after; it is tried again");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = app.live.presence_said() => {}
            _ = stop.changed() => {}
        }
    }
}
