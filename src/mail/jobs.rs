//! Delivering a reply's letter.
use super::{Enclosed, MailState, outbox};
use crate::app::App;
use crate::attachments;
use crate::ids::{MailId, MessageId};
use crate::inbound::{queries_sending, token::Tag};
use crate::jobs::Failure;
use uuid::Uuid;

/// Sends the letter of a reply; at least once, always with the same Message-ID.
pub async fn deliver(app: &App, id: Uuid) -> Result<(), Failure> {
    let id = MailId(id);
    let (row, files, sender) = app
        .db
        .read(move |conn| {
            let row = outbox::find(conn, id)?.filter(|row| row.state.0 == MailState::Queued);
            // A reply's letter is about its message.
            let files = row.as_ref().map(|row| attachments::queries::of_message(conn, MessageId(row.subject_id.0)));
            let sender = row.as_ref().map(|row| queries_sending::sender(conn, row.ticket_id, Tag::Letter(row.id.0), None));
            Ok((row, files.transpose()?.unwrap_or_default(), sender.transpose()?.flatten()))
        })
        .await?;
    let Some(mut letter) = row.and_then(outbox::MailRow::letter) else {
        return Ok(());
    };
    letter.sender = sender;
    for file in files {
        let bytes = app.depot.read_whole(file.id, file.created_at).await?;
        letter.files.push(Enclosed { name: file.file_name, media_type: file.media_type, bytes });
    }
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
            Err(error.into())
        }
    }
}
