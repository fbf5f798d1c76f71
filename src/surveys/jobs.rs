//! Sending an invitation, or its reminder: at most one letter of each a close.
use super::commands::{self, Prepared, Ready};
use super::model::Outcome;
use super::reminders;
use crate::app::App;
use crate::config::Config;
use crate::db::Conn;
use crate::error::Error;
use crate::ids::{InvitationId, MailId};
use crate::inbound::{commands_reports, queries_sending, token::Tag};
use crate::jobs::Failure;
use crate::mail::templates::SurveyMail;
use crate::mail::transport::{NotSent, domain};
use crate::mail::{Letter, MailState, one_line, outbox, probe, refusal};
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The letter of an invitation; it holds the tokens.
pub(crate) fn letter(config: &Config, ready: &Ready) -> Result<Letter, askama::Error> {
    let url = &config.server.public_url;
    let plain_link = format!("{url}/survey/{}", ready.token.reveal());
    let unsubscribe_link = format!("{url}/unsubscribe/{}", ready.unsubscribe.reveal());
    let company = one_line(&config.company.name);
    let ticket = ready.ticket.as_ref().map(|ticket| (ticket.number, one_line(&ticket.subject)));
    let subject = match &ticket {
        Some((number, subject)) => format!("How did we do? {subject} [#{number}]"),
        None => format!("One question about {company}"),
    };
    let mail = SurveyMail {
        company,
        contact_name: one_line(&ready.contact_name),
        ticket,
        score_links: (0..=10).map(|score| (score, format!("{plain_link}?score={score}"))).collect(),
        plain_link,
        unsubscribe_link: unsubscribe_link.clone(),
        is_reminder: ready.is_reminder,
        expires_on: ready.expires_at.format("%-d %B %Y, %H:%M UTC").to_string(),
    };
    let reminder = if ready.is_reminder { "Reminder: " } else { "" };
    Ok(Letter {
        message_id: format!("<survey-{}@{}>", MailId::new(), domain(config)),
        to: ready.email.clone(),
        subject: format!("{reminder}{subject}"),
        text: mail.text()?,
        html: mail.html()?,
        in_reply_to: None,
        references: None,
        unsubscribe: Some(unsubscribe_link),
        is_automatic: true,
        is_auto_reply: false,
        cc: Vec::new(),
        files: Vec::new(),
        sender: None,
    })
}

/// Which letter of an invitation; its id is the job's subject and the letter's.
#[derive(Clone, Copy)]
enum Which {
    First,
    Reminder,
}

impl Which {
    fn prepare(self, conn: &mut Conn, config: &Config, id: Uuid, now: DateTime<Utc>) -> crate::Result<Prepared> {
        match self {
            Self::First => commands::prepare(conn, config, id, now),
            Self::Reminder => reminders::commands::prepare(conn, config, id, now),
        }
    }

    fn handed_over(self, conn: &mut Conn, config: &Config, id: Uuid, outcome: Outcome, now: DateTime<Utc>) -> crate::Result<()> {
        match self {
            Self::First => commands::handed_over(conn, config, InvitationId(id), outcome, now),
            Self::Reminder => reminders::commands::handed_over(conn, id, outcome, now),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::First => "survey",
            Self::Reminder => "survey_reminder",
        }
    }
}

/// Checks an invitation again and mails it. What may have been taken by the mail server is never sent again.
pub async fn send(app: &Data<App>, id: Uuid) -> Result<(), Failure> {
    deliver(app, Which::First, id).await
}

/// The same for its reminder.
pub async fn remind(app: &Data<App>, id: Uuid) -> Result<(), Failure> {
    deliver(app, Which::Reminder, id).await
}

async fn deliver(app: &Data<App>, which: Which, id: Uuid) -> Result<(), Failure> {
    let (desk, now) = (app.clone(), app.clock.now());
    let prepared = app.db.write(move |conn| {
        let ready = match which.prepare(conn, &desk.config, id, now)? {
            Prepared::Ready(ready) => ready,
            Prepared::NotBefore(at) => return Ok(Err(Some(at))),
            Prepared::Ended => return Ok(Err(None)),
        };
        let mut letter = letter(&desk.config, &ready).map_err(|error| Error::internal(format!("template: {error}")))?;
        let about = ready.ticket.as_ref().map(|ticket| ticket.id);
        let mail = outbox::note_survey(conn, id, about, &letter, now)?;
        let tag = Tag::Survey(id);
        letter.sender = queries_sending::sender(conn, about, tag, Some(tag))?;
        Ok(Ok((ready, mail, letter)))
    });
    let (ready, mail, letter) = match prepared.await? {
        Ok(prepared) => prepared,
        Err(Some(at)) => return Err(Failure::NotBefore(at)),
        Err(None) => return Ok(()),
    };
    let sent = app.mailer.send(&letter).await;
    let now = app.clock.now();
    let (outcome, state, text) = match &sent {
        Ok(()) => (Outcome::Sent, MailState::Sent, String::new()),
        Err(NotSent::Unknown(text)) => (Outcome::Unknown, MailState::Unknown, text.clone()),
        Err(error) => (Outcome::Waiting, MailState::Queued, error.text().to_owned()),
    };
    app.metrics.mail(which.name(), outcome.as_str());
    let desk = app.clone();
    app.db
        .write(move |conn| {
            which.handed_over(conn, &desk.config, id, outcome, now)?;
            match state {
                MailState::Sent => outbox::sent(conn, mail, now),
                other => outbox::not_sent(conn, mail, other, &text),
            }
        })
        .await?;
    match sent {
        Ok(()) | Err(NotSent::Unknown(_)) => Ok(()),
        Err(NotSent::Later(text)) => Err(Failure::Later(text)),
        Err(NotSent::Refused(text)) => {
            let about_address = match refusal::status(&text) {
                Some(_) => None,
                None => probe::refusal(&app.config, &letter).await,
            };
            let report = refusal::reported(&ready.email, &text, about_address.as_deref());
            let desk = app.clone();
            app.db.write(move |conn| commands_reports::refused(conn, &desk.config, mail, &report, now)).await?;
            Err(Failure::Never(text))
        }
    }
}
