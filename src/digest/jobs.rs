//! Writing the digest that is due, and sending its letters.
use super::{commands, store};
use crate::Result;
use crate::app::App;
use crate::ids::DigestLetterId;
use crate::jobs::Failure;
use crate::mail::{Letter, MailState};
use actix_web::web::Data;
use uuid::Uuid;

/// The chore: writes the digest that is due, once, whichever node comes first; says whether this one did.
pub async fn write_due(app: &Data<App>) -> Result<bool> {
    if !app.config.digest.enabled {
        return Ok(false);
    }
    let (desk, now) = (app.clone(), app.clock.now());
    // The figures are counted before the write begins: nobody waits for them.
    let prepared = app.db.snapshot(move |conn| {
        let Some(week) = commands::unwritten(conn, &desk.config, now)? else { return Ok(None) };
        Ok(Some((week, commands::facts(conn, &week, now)?)))
    });
    let Some((week, facts)) = prepared.await? else { return Ok(false) };
    let desk = app.clone();
    let written = app.db.write(move |conn| commands::write(conn, &desk.config, &week, facts, now)).await?;
    if written {
        app.jobs_queued.notify_one();
    }
    Ok(written)
}

/// Sends one letter; at least once, always with the same Message-ID.
pub async fn send(app: &App, id: Uuid) -> Result<(), Failure> {
    let id = DigestLetterId(id);
    let row = app.db.read(move |conn| store::find(conn, id)).await?;
    let Some(row) = row.filter(|row| row.state.0 == MailState::Queued) else { return Ok(()) };
    let letter = Letter::of_desk(row.message_id, row.recipient, row.subject, (row.text_body, row.html_body));
    let sent = app.mailer.send(&letter).await;
    let now = app.clock.now();
    app.metrics.mail("digest", if sent.is_ok() { "sent" } else { "failed" });
    match sent {
        Ok(()) => Ok(app.db.write(move |conn| store::sent(conn, id, now)).await?),
        Err(error) => {
            let text = error.text().to_owned();
            app.db.write(move |conn| store::failed(conn, id, &text)).await?;
            Err(error.into())
        }
    }
}
