//! What an erasure leaves to a job: what others wrote about the person, bytes of files, and words in the depths of the index.
use super::commands;
use crate::app::App;
use crate::ids::{AttachmentId, ContactId, InboundMailId};
use crate::jobs::Failure;
use crate::tickets::search::index;
use std::sync::Arc;
use uuid::Uuid;

/// Steps over the index at the most; what is left goes with later writes.
const STEPS_MAX: usize = 10_000;

/// Looks through what others wrote, a page at a time, and takes the person out of it. Rows are read without holding a writer up.
async fn erase_mentions(app: &App, id: ContactId) -> Result<(), Failure> {
    let Some(sought) = app.db.read(move |conn| commands::sought(conn, id)).await? else { return Ok(()) };
    let said = app.db.read(move |conn| commands::said_elsewhere(conn, id)).await?;
    if !said.is_empty() {
        app.db.write(move |conn| commands::erase_said(conn, id, &said)).await?;
    }
    let sought = Arc::new(sought);
    for place in commands::places().iter().filter(|_| !sought.is_empty()) {
        let mut from = Some(place.start());
        while let Some(after) = from {
            let wanted = sought.clone();
            let (changes, go_on) = app.db.read(move |conn| commands::mentions(conn, place, &wanted, after)).await?;
            if !changes.is_empty() {
                app.db.write(move |conn| commands::erase_mentions(conn, place, &changes)).await?;
            }
            from = go_on;
        }
    }
    let mut from = Some(InboundMailId(Uuid::nil()));
    while let Some(after) = from {
        let wanted = sought.clone();
        let (mails, go_on) = app.db.read(move |conn| commands::mails_naming(conn, &wanted, after)).await?;
        if !mails.is_empty() {
            app.db.write(move |conn| commands::forget_bytes(conn, &mails)).await?;
        }
        from = go_on;
    }
    let answers = app.db.read(move |conn| commands::answers_naming(conn, &sought)).await?;
    Ok(app.db.write(move |conn| commands::mentions_done(conn, id, &answers)).await?)
}

/// Takes an erased contact out of what others wrote, then removes their files, then lets the index forget removed words.
pub async fn finish(app: &App, id: Uuid) -> Result<(), Failure> {
    let id = ContactId(id);
    erase_mentions(app, id).await?;
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
