//! Delivering a reply's letter.
use super::session::Answers;
use super::transport::NotSent;
use super::{Enclosed, Letter, MailKind, MailState, outbox, probe, refusal};
use crate::app::App;
use crate::attachments;
use crate::db::Conn;
use crate::ids::{MailId, MessageId};
use crate::inbound::{commands_reports, queries_sending, token::Tag};
use crate::jobs::Failure;
use crate::tickets::commands_mail;
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
    let Some(row) = row else { return Ok(()) };
    let (kind, had_failed, message) = (row.kind.0, row.last_error.is_some(), MessageId(row.subject_id.0));
    let settled = row.settled();
    let Some(mut letter) = row.letter() else { return Ok(()) };
    letter.sender = sender;
    for file in files {
        let bytes = app.depot.read_whole(file.id, file.created_at).await?;
        letter.files.push(Enclosed { name: file.file_name, media_type: file.media_type, bytes });
    }
    let sent = match letter.cc.is_empty() {
        true => app.mailer.send(&letter).await,
        false => match app.mailer.send_each(&letter, &settled).await {
            Ok(answers) if !(answers.refused.is_empty() && answers.later.is_empty()) => {
                app.metrics.mail(kind.as_str(), "sent");
                return partly(app, id, &letter, settled, answers).await;
            }
            sent => sent.map(|_| ()),
        },
    };
    let now = app.clock.now();
    app.metrics.mail(kind.as_str(), if sent.is_ok() { "sent" } else { "failed" });
    match sent {
        Ok(()) => Ok(app
            .db
            .write(move |conn| {
                // What an earlier try left beside the message is over.
                if had_failed && kind == MailKind::Reply {
                    commands_mail::arrived(conn, message, &letter.to)?;
                }
                outbox::sent(conn, id, now)
            })
            .await?),
        // Nobody waits for it.
        Err(NotSent::Refused(text)) if kind == MailKind::Acknowledgement => {
            Ok(app.db.write(move |conn| outbox::cancelled(conn, id, &text)).await?)
        }
        Err(NotSent::Refused(text)) => {
            refused(app, id, &letter, text.clone(), kind).await?;
            Err(Failure::Never(text))
        }
        Err(error) => {
            let text = error.text().to_owned();
            app.db.write(move |conn| outbox::not_sent(conn, id, MailState::Queued, &text)).await?;
            Err(error.into())
        }
    }
}

/// Not everybody got the letter. Who was refused for good is told of as if a report had come, and not asked again, but for the one whom
/// the letter is to: it waits for a person then. Who could not get it now gets it later, and nobody gets it twice.
async fn partly(app: &App, id: MailId, letter: &Letter, mut settled: Vec<String>, answers: Answers) -> Result<(), Failure> {
    let Answers { taken, mut refused, later } = answers;
    let is_main = |address: &String| address.eq_ignore_ascii_case(&letter.to);
    // The last one is the one that is shown beside the message.
    refused.sort_by_key(|(address, _)| is_main(address));
    let main = refused.last().filter(|(address, _)| is_main(address)).map(|(_, text)| text.clone());
    settled.extend(taken);
    settled.extend(refused.iter().map(|(address, _)| address.clone()).filter(|address| !is_main(address)));
    let reports: Vec<_> = refused.iter().map(|(address, text)| refusal::reported(address, text, Some(text))).collect();
    let waits = later.first().map(|(address, text)| format!("{address}: {text}"));
    let text = main.clone().or(waits.clone());
    let (now, desk) = (app.clock.now(), app.config.clone());
    let work = move |conn: &mut Conn| {
        outbox::settle(conn, id, &settled)?;
        match &text {
            Some(text) => outbox::not_sent(conn, id, MailState::Queued, text)?,
            None => outbox::sent(conn, id, now)?,
        }
        reports.iter().try_for_each(|report| commands_reports::refused(conn, &desk, id, report, now))
    };
    app.db.write(work).await?;
    match (main, waits) {
        // Who is to get it later gets it before a person looks.
        (_, Some(text)) => Err(Failure::Later(text)),
        (Some(text), None) => Err(Failure::Never(text)),
        (None, None) => Ok(()),
    }
}

/// A letter was refused at once: what follows is what follows from a report about it.
async fn refused(app: &App, id: MailId, letter: &Letter, text: String, kind: MailKind) -> Result<(), Failure> {
    let about_address = match refusal::status(&text) {
        Some(_) => None,
        None => probe::refusal(&app.config, letter).await,
    };
    let (report, now, desk) =
        (refusal::reported(&letter.to, &text, about_address.as_deref()), app.clock.now(), app.config.clone());
    let work = move |conn: &mut Conn| {
        outbox::not_sent(conn, id, MailState::Queued, &text)?;
        if kind == MailKind::Notice { Ok(()) } else { commands_reports::refused(conn, &desk, id, &report, now) }
    };
    Ok(app.db.write(work).await?)
}
