//! Sending an invitation: at most one letter a close.
use super::commands::{self, Ready};
use super::model::Outcome;
use crate::app::App;
use crate::config::Config;
use crate::error::Error;
use crate::ids::MailId;
use crate::jobs::Failure;
use crate::mail::templates::SurveyMail;
use crate::mail::transport::{NotSent, domain};
use crate::mail::{Letter, MailState, one_line, outbox};
use actix_web::web::Data;
use uuid::Uuid;

/// The letter of an invitation; it holds the tokens.
pub(crate) fn letter(config: &Config, ready: &Ready) -> Result<Letter, askama::Error> {
    let url = &config.server.public_url;
    let plain_link = format!("{url}/survey/{}", ready.token.reveal());
    let unsubscribe_link = format!("{url}/unsubscribe/{}", ready.unsubscribe.reveal());
    let subject = one_line(&ready.ticket_subject);
    let mail = SurveyMail {
        company: one_line(&config.company.name),
        contact_name: one_line(&ready.contact_name),
        ticket_number: ready.ticket_number,
        ticket_subject: subject.clone(),
        score_links: (0..=10).map(|score| (score, format!("{plain_link}?score={score}"))).collect(),
        plain_link,
        unsubscribe_link: unsubscribe_link.clone(),
        expires_on: ready.expires_at.format("%-d %B %Y, %H:%M UTC").to_string(),
    };
    Ok(Letter {
        message_id: format!("<survey-{}@{}>", MailId::new(), domain(config)),
        to: ready.email.clone(),
        subject: format!("How did we do? {subject} [#{}]", ready.ticket_number),
        text: mail.text()?,
        html: mail.html()?,
        in_reply_to: None,
        references: None,
        unsubscribe: Some(unsubscribe_link),
        is_automatic: true,
        files: Vec::new(),
    })
}

/// Checks an invitation again and mails it. What may have been taken by the mail server is never sent again.
pub async fn send(app: &Data<App>, id: Uuid) -> Result<(), Failure> {
    let (desk, now) = (app.clone(), app.clock.now());
    let prepared = app.db.write(move |conn| {
        let Some(ready) = commands::prepare(conn, &desk.config, id, now)? else { return Ok(None) };
        let letter = letter(&desk.config, &ready).map_err(|error| Error::internal(format!("template: {error}")))?;
        let mail = outbox::note_survey(conn, id, ready.ticket_id, &letter, now)?;
        Ok(Some((ready.id, mail, letter)))
    });
    let Some((invitation, mail, letter)) = prepared.await? else { return Ok(()) };
    let sent = app.mailer.send(&letter).await;
    let now = app.clock.now();
    let (outcome, state, text) = match &sent {
        Ok(()) => (Outcome::Sent, MailState::Sent, String::new()),
        Err(NotSent::Unknown(text)) => (Outcome::Unknown, MailState::Unknown, text.clone()),
        Err(error) => (Outcome::Waiting, MailState::Queued, error.text().to_owned()),
    };
    app.metrics.mail("survey", outcome.as_str());
    app.db
        .write(move |conn| {
            commands::handed_over(conn, invitation, outcome, now)?;
            match state {
                MailState::Sent => outbox::sent(conn, mail, now),
                other => outbox::not_sent(conn, mail, other, &text),
            }
        })
        .await?;
    match sent {
        Ok(()) | Err(NotSent::Unknown(_)) => Ok(()),
        Err(NotSent::Later(text)) => Err(Failure::Later(text)),
        Err(NotSent::Refused(text)) => Err(Failure::Never(text)),
    }
}
