//! The job that lets running clocks follow an edit.
use super::commands;
use crate::app::App;
use crate::ids::MoveId;
use crate::jobs::Failure;
use uuid::Uuid;

/// Steps of one run of the job; the rest is queued anew, so that no run outlives its lease.
const STEPS_MAX: usize = 100;

/// Takes steps until none is left, or puts the rest back. What a step did is kept, whatever happens to the next one.
pub async fn run(app: &App, id: Uuid) -> Result<(), Failure> {
    let id = MoveId(id);
    for _ in 0..STEPS_MAX {
        let now = app.clock.now();
        if !app.db.write(move |conn| commands::step(conn, id, now)).await? {
            return Ok(());
        }
    }
    let now = app.clock.now();
    app.db.write(move |conn| commands::go_on(conn, id, now)).await?;
    app.jobs_queued.notify_one();
    Ok(())
}
