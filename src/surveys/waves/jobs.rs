//! Freezing a sample, and making the invitations of each day when it comes.
use super::commands;
use crate::app::App;
use crate::ids::WaveId;
use crate::jobs::Failure;
use actix_web::web::Data;
use uuid::Uuid;

/// Draws on a snapshot, beside all other work, and keeps the sample in one transaction.
pub async fn freeze(app: &Data<App>, id: Uuid) -> Result<(), Failure> {
    let (desk, now, id) = (app.clone(), app.clock.now(), WaveId(id));
    let drawn = app.db.snapshot(move |conn| commands::to_freeze(conn, &desk.config, id, now)).await?;
    let Some(drawn) = drawn else { return Ok(()) };
    app.db.write(move |conn| commands::freeze(conn, id, &drawn, now)).await?;
    app.jobs_queued.notify_one();
    Ok(())
}

/// Makes invitations until all of the day are made, a few in each transaction; a process that dies leaves the rest to the next.
pub async fn send(app: &Data<App>, id: Uuid) -> Result<(), Failure> {
    let id = WaveId(id);
    loop {
        let (desk, now) = (app.clone(), app.clock.now());
        let more = app.db.write(move |conn| commands::send_next(conn, &desk.config, id, now)).await?;
        app.jobs_queued.notify_one();
        if !more {
            return Ok(());
        }
    }
}
