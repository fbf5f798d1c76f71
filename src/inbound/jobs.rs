//! Filing a mail that was taken: it is read off the event loop, its files go to the depot, and one transaction does the rest.
use super::commands_filing::{self, Ready, file_row};
use super::model::{Envelope, Parsed};
use super::route::Origin;
use super::{commands, commands_known, parse, proof, queries};
use crate::app::App;
use crate::attachments::model;
use crate::error::{Error, Result};
use crate::ids::{AttachmentId, InboundMailId};
use crate::jobs::Failure;
use crate::jobs::queue::Job;
use actix_web::web::{Bytes, Data};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

/// Tries of a mail whose filing fails for another reason than a database that is away.
const TRIES_MAX: i32 = 5;
/// Tries without a pause where another mail was filed at the same time.
const TRIES_AT_ONCE: usize = 3;

/// Reads a mail off the event loop; none where its bytes are more than the reader can bear.
pub async fn read(app: &App, sender: Option<String>, raw: Vec<u8>) -> Result<Option<Parsed>> {
    let desk = app.db.glance(commands_known::mark).await?;
    let read = move || parse(&raw, Envelope { sender: sender.as_deref(), desk: Some(&desk) });
    // What a mail can do to its reader ends here.
    Ok(tokio::task::spawn_blocking(read).await.ok())
}

/// Reads a mail, and puts its files into the depot; none where nothing can be made of its bytes.
pub async fn prepare(app: &App, sender: Option<String>, raw: Vec<u8>, now: DateTime<Utc>) -> Result<Option<Ready>> {
    let Some(mut parsed) = read(app, sender, raw).await? else { return Ok(None) };
    let limits = app.config.attachments.limits();
    let (mut files, mut left_out, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
    for file in std::mem::take(&mut parsed.files) {
        sizes.push(file.bytes.len() as u64);
        let is_taken = file.bytes.len() <= app.config.attachments.size_max_bytes
            && model::check(&file.name, &file.media_type, limits).is_ok()
            && model::check_together(&sizes, limits).is_ok();
        if !is_taken {
            sizes.pop();
            left_out.push(file.name);
            continue;
        }
        let id = AttachmentId::new();
        let row = file_row(id, &file, Sha256::digest(&file.bytes).to_vec(), now);
        let mut incoming = app.depot.begin(id, now);
        incoming.put(Bytes::from(file.bytes)).await?;
        incoming.finish().await?;
        files.push(row);
    }
    Ok(Some(Ready { parsed, files, left_out, origin: Origin::Unproven }))
}

async fn try_to_file(app: &Data<App>, id: InboundMailId) -> Result<()> {
    let Some((row, raw)) = app.db.read(move |conn| queries::waiting(conn, id)).await? else { return Ok(()) };
    let now = app.clock.now();
    let Some(mut ready) = prepare(app, row.envelope_from.clone(), raw.clone(), now).await? else {
        return app.db.write(move |conn| commands::give_up(conn, id.0, "its bytes cannot be read", now)).await;
    };
    ready.origin = proof::origin(app, (row.mailbox_id, row.envelope_from.as_deref()), &raw, &ready.parsed).await?;
    let mut tries = 0;
    loop {
        let (desk, ready) = (app.clone(), ready.clone());
        tries += 1;
        match app.db.write(move |conn| commands_filing::file(conn, &desk.config, id, &ready, now)).await {
            // Somebody was faster, as with two first mails of one sender: what they wrote is there now.
            Err(Error::Conflict { .. }) if tries < TRIES_AT_ONCE => {}
            done => return done,
        }
    }
}

/// Files a mail. What cannot be filed after its tries is held, with what went wrong.
pub async fn file(app: &Data<App>, job: &Job) -> Result<(), Failure> {
    let id = InboundMailId(job.subject_id.0);
    let error = match try_to_file(app, id).await {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    let (text, now) = (error.to_string(), app.clock.now());
    let is_passing = matches!(error, Error::Unavailable(_));
    if !is_passing && job.attempts >= TRIES_MAX {
        return Ok(app.db.write(move |conn| commands::give_up(conn, id.0, &text, now)).await?);
    }
    app.db.write(move |conn| commands::tried(conn, id, &text)).await?;
    Err(Failure::Later(error.to_string()))
}
