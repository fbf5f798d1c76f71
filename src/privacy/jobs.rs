//! Throwing away what no row names any more: bytes of files, and words in the depths of the index.
use super::commands;
use crate::app::App;
use crate::ids::{AttachmentId, ContactId};
use crate::jobs::Failure;
use crate::tickets::search::index;
use uuid::Uuid;

/// Steps over the index at the most; what is left goes with later writes.
const STEPS_MAX: usize = 10_000;

/// Removes the files of an erased contact, some at a time, then lets the index forget removed words.
pub async fn erase_files(app: &App, id: Uuid) -> Result<(), Failure> {
    let id = ContactId(id);
    loop {
        let left = app.db.read(move |conn| commands::files_left(conn, id)).await?;
        if left.is_empty() {
            break;
        }
        for (file, came_at) in &left {
            app.depot.remove(*file, *came_at).await?;
        }
        let gone: Vec<AttachmentId> = left.into_iter().map(|(file, _)| file).collect();
        app.db.write(move |conn| commands::files_gone(conn, &gone)).await?;
    }
    for step in 0..STEPS_MAX {
        if !app.db.write(move |conn| index::forget_removed(conn, step == 0)).await? {
            break;
        }
    }
    Ok(())
}
