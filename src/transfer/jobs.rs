//! Working an import off, batch by batch; a process that dies leaves it where its last batch ended.
use super::commands::Step;
use super::store;
use super::{commands, read};
use crate::app::App;
use crate::db::Conn;
use crate::error::Result;
use crate::ids::ImportId;
use crate::jobs::Failure;
use crate::privacy;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// One run of the job takes so long at the most: well within its lease.
const GO_ON_FOR: Duration = Duration::from_secs(5);

/// Goes on with an import; what is left after a while is another job's.
pub async fn run(app: &App, id: Uuid) -> Result<(), Failure> {
    let (id, started) = (ImportId(id), Instant::now());
    loop {
        let read =
            move |conn: &mut Conn| Ok((store::find(conn, id)?, store::body(conn, id)?, privacy::commands::erasures(conn)?));
        let (import, body, erasures) = app.db.snapshot(read).await?;
        let Some(body) = body.filter(|_| import.ended_at.is_none()) else { return Ok(()) };
        let (kind, format) = (import.kind.0, import.format.0);
        let rows = tokio::task::spawn_blocking(move || read::rows(kind, format, &body)).await;
        let rows = rows.map_err(|_| Failure::Never("the file could not be read".to_owned()))?;
        let rows = Arc::new(rows.map_err(|error| Failure::Never(error.message))?);
        loop {
            let (rows, now) = (rows.clone(), app.clock.now());
            match app.db.write(move |conn| commands::work(conn, id, (&rows, erasures), now)).await? {
                Step::All => return Ok(()),
                Step::Stale => break,
                Step::More => {}
            }
            if started.elapsed() > GO_ON_FOR {
                app.db.write(move |conn| commands::go_on_later(conn, id, now)).await?;
                return Ok(());
            }
        }
    }
}
