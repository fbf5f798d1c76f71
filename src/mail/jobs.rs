//! Delivering a reply's letter.
use super::transport::NotSent;
use super::{MailState, outbox};
use crate::app::App;
use crate::ids::MailId;
use crate::jobs::Failure;
use uuid::Uuid;

/// Sends the letter of a reply; at least once, always with the same Message-ID.
pub async fn deliver(app: &App, id: Uuid) -> Result<(), Failure> {
    let id = MailId(id);
    let row = app.db.read(move |conn| outbox::find(conn, id)).await?;
    let Some(letter) = row.filter(|row| row.state.0 == MailState::Queued).and_then(outbox::MailRow::letter) else {
        return Ok(());
    };
    let sent = app.mailer.send(&letter).await;
    let now = app.clock.now();
    match sent {
        Ok(()) => {
            app.metrics.mail("reply", "sent");
            Ok(app.db.write(move |conn| outbox::sent(conn, id, now)).await?)
        }
        Err(error) => {
            app.metrics.mail("reply", "failed");
            let text = error.text().to_owned();
            app.db.write(move |conn| outbox::not_sent(conn, id, MailState::Queued, &text)).await?;
            Err(match error {
                NotSent::Refused(text) => Failure::Never(text),
                // A reply that may have been taken is sent again: twice is better than never.
                NotSent::Later(text) | NotSent::Unknown(text) => Failure::Later(text),
            })
        }
    }
}
