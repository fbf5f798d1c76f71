//! The jobs of alerts: take the steps that are due, and send the letters about them.
use super::commands;
use crate::app::App;
use crate::ids::AlertLetterId;
use crate::jobs::Failure;
use crate::mail::Letter;
use crate::mail::transport::domain;
use actix_web::web::Data;
use uuid::Uuid;

/// Takes every step that is due now.
pub async fn climb(app: &Data<App>) -> Result<(), Failure> {
    loop {
        let (desk, now) = (app.clone(), app.clock.now());
        if !app.db.write(move |conn| commands::climb(conn, &desk.config, now)).await? {
            return Ok(());
        }
        app.jobs_queued.notify_one();
    }
}

/// Sends a letter; at least once, always with the same Message-ID.
pub async fn send(app: &App, id: Uuid) -> Result<(), Failure> {
    let id = AlertLetterId(id);
    let Some(row) = app.db.read(move |conn| commands::letter_to_send(conn, id)).await? else { return Ok(()) };
    let message_id = format!("<alert-{id}@{}>", domain(&app.config));
    let letter = Letter::of_desk(message_id, row.recipient, row.subject, (row.text_body, row.html_body));
    let sent = app.mailer.send(&letter).await;
    let now = app.clock.now();
    app.metrics.mail("alert", if sent.is_ok() { "sent" } else { "failed" });
    let error = sent.as_ref().err().map(|error| error.text().to_owned());
    app.db.write(move |conn| commands::letter_tried(conn, id, error.as_deref(), now)).await?;
    Ok(sent?)
}
