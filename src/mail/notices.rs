//! Letters by the desk itself: that a mail came, and to admins that a letter did not arrive. Rows that a job sends, like replies.
use super::outbox::MailRow;
use super::templates::PlainMail;
use super::transport::domain;
use super::{MailKind, MailState, one_line};
use crate::accounts::agents;
use crate::accounts::rights::Role;
use crate::config::Config;
use crate::db::{
    Conn,
    schema::mails,
    types::{Named, Time},
};
use crate::each;
use crate::error::{Error, Result};
use crate::ids::{MailId, TicketId};
use crate::jobs::queue::SubjectId;
use crate::jobs::{JobKind, queue};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;

/// Admins at the most that a notice goes to.
const ADMINS_MAX: usize = 50;
/// After a notice none goes out for so long: it names the list, which has all of them.
const NOTICE_PAUSE_MINUTES: i64 = 60;
/// Acknowledgements are counted over so many minutes.
const ACKNOWLEDGED_MINUTES: i64 = 60;

struct New {
    kind: MailKind,
    ticket_id: Option<TicketId>,
    recipient: String,
    subject: String,
    in_reply_to: Option<String>,
    lines: Vec<String>,
}

/// Writes a letter and queues its delivery. Two inserts.
fn write(conn: &mut Conn, config: &Config, new: New, now: DateTime<Utc>) -> Result<()> {
    let failed = |error: askama::Error| Error::internal(format!("template: {error}"));
    let id = MailId::new();
    let mail = PlainMail { company: one_line(&config.company.name), title: new.subject.clone(), paragraphs: new.lines };
    let row = MailRow {
        id,
        kind: Named(new.kind),
        ticket_id: new.ticket_id,
        subject_id: SubjectId(id.0),
        recipient: new.recipient,
        subject: new.subject,
        message_id: format!("<{}-{id}@{}>", new.kind, domain(config)),
        reference_ids: new.in_reply_to.clone(),
        in_reply_to: new.in_reply_to,
        text_body: Some(mail.text().map_err(failed)?),
        html_body: Some(mail.html().map_err(failed)?),
        state: Named(MailState::Queued),
        attempts: 0,
        last_error: None,
        created_at: Time(now),
        sent_at: None,
        cc: None,
        settled: None,
    };
    each!(conn, conn => diesel::insert_into(mails::table).values(&row).execute(conn))?;
    queue::enqueue(conn, JobKind::DeliverMail, id.0, now, now)
}

/// Tells the admins that a letter did not arrive, unless they were told of another one within the hour. One query, and two inserts
/// for each admin.
pub fn undelivered(
    conn: &mut Conn,
    config: &Config,
    (ticket, address, said): (Option<TicketId>, &str, &str),
    now: DateTime<Utc>,
) -> Result<()> {
    let since = Time(now - TimeDelta::minutes(NOTICE_PAUSE_MINUTES));
    let lately = mails::kind.eq(Named(MailKind::Notice)).and(mails::created_at.gt(since));
    let told: Option<MailId> = mails::table.filter(lately).select(mails::id).first(conn).optional()?;
    if told.is_some() {
        return Ok(());
    }
    let active = |admin: &agents::AgentRow| admin.role.0 == Role::Admin && admin.disabled_at.is_none();
    for admin in agents::list_all(conn)?.into_iter().filter(active).take(ADMINS_MAX) {
        let lines = vec![
            format!("A letter to {address} was refused for good, and is not sent again by itself."),
            format!("The mail server said: {}", one_line(said)),
            "All letters that were given up: GET /api/v1/mails?state=parked. You are told of further ones in an hour at the \
             soonest."
                .to_owned(),
        ];
        let new = New {
            kind: MailKind::Notice,
            ticket_id: ticket,
            recipient: admin.email,
            subject: "A letter could not be delivered".to_owned(),
            in_reply_to: None,
            lines,
        };
        write(conn, config, new, now)?;
    }
    Ok(())
}

/// A mail that opened a ticket, as far as an acknowledgement needs it.
pub struct Acknowledged {
    /// The ticket.
    pub ticket_id: TicketId,
    /// Its number.
    pub number: i64,
    /// What it is about.
    pub subject: String,
    /// Who wrote.
    pub sender: String,
    /// The mail's own Message-ID, in angle brackets.
    pub message_id: Option<String>,
}

/// Tells who wrote that their mail came and which number it has, where the settings want it and they were not told too often
/// within the hour. One query, and two inserts.
pub fn acknowledge(conn: &mut Conn, config: &Config, mail: Acknowledged, now: DateTime<Utc>) -> Result<bool> {
    if !config.mail.acknowledge {
        return Ok(false);
    }
    let since = Time(now - TimeDelta::minutes(ACKNOWLEDGED_MINUTES));
    let lately =
        mails::kind.eq(Named(MailKind::Acknowledgement)).and(mails::recipient.eq(&mail.sender)).and(mails::created_at.gt(since));
    let told: i64 = mails::table.filter(lately).count().get_result(conn)?;
    if told >= i64::from(config.mail.acknowledge_hour_max) {
        return Ok(false);
    }
    let subject = one_line(&mail.subject);
    let lines = vec![
        format!("We have your mail about \"{subject}\", and its number is #{}.", mail.number),
        "A person reads it and answers you. To add something, simply reply to this mail.".to_owned(),
    ];
    let new = New {
        kind: MailKind::Acknowledgement,
        ticket_id: Some(mail.ticket_id),
        recipient: mail.sender,
        subject: format!("Re: {subject} [#{}]", mail.number),
        in_reply_to: mail.message_id,
        lines,
    };
    write(conn, config, new, now)?;
    Ok(true)
}
