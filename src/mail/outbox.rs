//! Outgoing letters as rows.
use super::templates::ReplyMail;
use super::threads::{stem, thread};
use super::{Letter, MailKind, MailState, one_line};
use crate::config::Config;
use crate::db::{
    Conn,
    schema::mails,
    types::{Json, Named, Time},
};
use crate::each;
use crate::error::{Error, Result};
use crate::ids::{MailId, TicketId};
use crate::jobs::queue::SubjectId;
use crate::jobs::{JobKind, queue};
use crate::mail::transport::domain;
use crate::tickets::model::Ticket;
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use serde_json::json;
use uuid::Uuid;

/// A letter as stored.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = mails, treat_none_as_default_value = false)]
#[expect(missing_docs, reason = "columns")]
pub struct MailRow {
    pub id: MailId,
    pub kind: Named<MailKind>,
    pub ticket_id: Option<TicketId>,
    pub subject_id: SubjectId,
    pub recipient: String,
    pub subject: String,
    pub message_id: String,
    pub in_reply_to: Option<String>,
    pub reference_ids: Option<String>,
    pub text_body: Option<String>,
    pub html_body: Option<String>,
    pub state: Named<MailState>,
    pub attempts: i32,
    pub last_error: Option<String>,
    pub created_at: Time,
    pub sent_at: Option<Time>,
    pub cc: Option<Json>,
    pub settled: Option<Json>,
}

/// What a queued reply is called.
pub struct Queued {
    /// The letter.
    pub id: MailId,
    /// Its Message-ID, in angle brackets.
    pub message_id: String,
}

fn template_failed(error: askama::Error) -> Error {
    Error::internal(format!("template: {error}"))
}

/// A reply that goes out by mail.
pub struct NewReply<'a> {
    /// On which ticket.
    pub ticket: &'a Ticket,
    /// As which message.
    pub message: &'a crate::tickets::Message,
    /// Who answers.
    pub agent_name: &'a str,
    /// What stands under their name.
    pub signature: String,
    /// To whom.
    pub recipient: String,
    /// Who has a copy.
    pub cc: &'a [String],
    /// Message-IDs of the thread, oldest first.
    pub earlier: Vec<String>,
}

/// Writes a reply's letter and queues its delivery, for when it can no longer be taken back. Two inserts.
pub fn queue_reply(conn: &mut Conn, config: &Config, new: NewReply<'_>, now: DateTime<Utc>) -> Result<Queued> {
    let NewReply { ticket, message, agent_name, signature, recipient, cc, earlier } = new;
    let mail = ReplyMail {
        company: one_line(&config.company.name),
        ticket_number: ticket.number,
        ticket_subject: one_line(&ticket.subject),
        agent_name: one_line(agent_name),
        signature,
        body: message.body.clone(),
    };
    // Stable: a letter that is sent twice has the same id both times, and mail programs show it once.
    let message_id = format!("<message-{}@{}>", message.id, domain(config));
    let (in_reply_to, reference_ids) = thread(&earlier);
    let row = MailRow {
        id: MailId::new(),
        kind: Named(MailKind::Reply),
        ticket_id: Some(ticket.id),
        subject_id: SubjectId(message.id.0),
        recipient,
        subject: format!("Re: {} [#{}]", stem(&ticket.subject, ticket.number), ticket.number),
        message_id: message_id.clone(),
        in_reply_to,
        reference_ids,
        text_body: Some(mail.text().map_err(template_failed)?),
        html_body: Some(mail.html().map_err(template_failed)?),
        state: Named(MailState::Queued),
        attempts: 0,
        last_error: None,
        created_at: Time(now),
        sent_at: None,
        cc: if cc.is_empty() { None } else { Some(Json::of(&cc)?) },
        settled: None,
    };
    each!(conn, conn => diesel::insert_into(mails::table).values(&row).execute(conn))?;
    let due_at = now + TimeDelta::seconds(i64::from(config.mail.undo_seconds));
    queue::enqueue(conn, JobKind::DeliverMail, row.id.0, due_at, now)?;
    Ok(Queued { id: row.id, message_id })
}

/// What became of a reply's letter that its author wants back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakenBack {
    /// There never was one.
    None,
    /// It will not go out.
    Letter(MailId),
    /// It has gone out, or is on its way.
    TooLate,
}

/// Takes the letter of a reply back, if nobody has begun to send it. Up to three queries.
pub fn take_back(conn: &mut Conn, message: crate::ids::MessageId, now: DateTime<Utc>) -> Result<TakenBack> {
    let of_message = mails::subject_id.eq(SubjectId(message.0)).and(mails::kind.eq(Named(MailKind::Reply)));
    let found: Option<(MailId, Named<MailState>)> =
        mails::table.filter(of_message).select((mails::id, mails::state)).first(conn).optional()?;
    match found {
        None => Ok(TakenBack::None),
        // The job decides: who takes it first has it.
        Some((id, Named(MailState::Queued))) if queue::withdraw(conn, id.0, now)? => {
            cancelled(conn, id, "taken back")?;
            Ok(TakenBack::Letter(id))
        }
        Some(_) => Ok(TakenBack::TooLate),
    }
}

/// Writes that a survey's letter is on its way: one row an invitation, however often it is tried. It keeps no body: the
/// token must not be readable here.
pub fn note_survey(
    conn: &mut Conn,
    invitation: Uuid,
    ticket: Option<TicketId>,
    letter: &Letter,
    now: DateTime<Utc>,
) -> Result<MailId> {
    let waiting = mails::subject_id.eq(SubjectId(invitation)).and(mails::state.eq(Named(MailState::Queued)));
    let again: Option<MailId> = mails::table.filter(waiting).select(mails::id).first(conn).optional()?;
    if let Some(id) = again {
        diesel::update(mails::table.find(id))
            .set((mails::message_id.eq(&letter.message_id), mails::recipient.eq(&letter.to)))
            .execute(conn)?;
        return Ok(id);
    }
    let row = MailRow {
        id: MailId::new(),
        kind: Named(MailKind::Survey),
        ticket_id: ticket,
        subject_id: SubjectId(invitation),
        recipient: letter.to.clone(),
        subject: letter.subject.clone(),
        message_id: letter.message_id.clone(),
        in_reply_to: None,
        reference_ids: None,
        text_body: None,
        html_body: None,
        state: Named(MailState::Queued),
        attempts: 0,
        last_error: None,
        created_at: Time(now),
        sent_at: None,
        cc: None,
        settled: None,
    };
    diesel::insert_into(mails::table).values(&row).execute(conn)?;
    Ok(row.id)
}

/// The letter of an invitation that still stands as queued stands otherwise from now on.
fn end_survey(conn: &mut Conn, invitation: Uuid, state: MailState, error: &str) -> Result<()> {
    let waiting = mails::subject_id.eq(SubjectId(invitation)).and(mails::state.eq(Named(MailState::Queued)));
    diesel::update(mails::table.filter(waiting))
        .set((mails::state.eq(Named(state)), mails::last_error.eq(error)))
        .execute(conn)?;
    Ok(())
}

/// A survey's letter may have been taken before the desk stopped.
pub fn survey_unknown(conn: &mut Conn, invitation: Uuid, error: &str) -> Result<()> {
    end_survey(conn, invitation, MailState::Unknown, error)
}

/// A survey's letter that failed before is no longer wanted.
pub fn survey_cancelled(conn: &mut Conn, invitation: Uuid) -> Result<()> {
    end_survey(conn, invitation, MailState::Cancelled, "no longer wanted")
}

/// A survey's letter was given up.
pub fn survey_parked(conn: &mut Conn, invitation: Uuid, error: &str) -> Result<()> {
    end_survey(conn, invitation, MailState::Parked, error)
}

/// One by id.
pub fn find(conn: &mut Conn, id: MailId) -> Result<Option<MailRow>> {
    Ok(mails::table.find(id).select(MailRow::as_select()).first(conn).optional()?)
}

impl MailRow {
    /// Whom it is not sent to any more.
    pub fn settled(&self) -> Vec<String> {
        self.settled.clone().and_then(|settled| settled.to().ok()).unwrap_or_default()
    }

    /// The letter that the row holds; a survey's row holds none.
    pub fn letter(self) -> Option<Letter> {
        let is_auto_reply = self.kind.0 == MailKind::Acknowledgement;
        Some(Letter {
            message_id: self.message_id,
            to: self.recipient,
            subject: self.subject,
            text: self.text_body?,
            html: self.html_body?,
            in_reply_to: self.in_reply_to,
            references: self.reference_ids,
            unsubscribe: None,
            is_automatic: is_auto_reply || self.kind.0 == MailKind::Notice,
            is_auto_reply,
            cc: self.cc.and_then(|cc| cc.to().ok()).unwrap_or_default(),
            files: Vec::new(),
            sender: None,
        })
    }
}

/// It was taken.
pub fn sent(conn: &mut Conn, id: MailId, now: DateTime<Utc>) -> Result<()> {
    diesel::update(mails::table.find(id))
        .set((
            mails::state.eq(Named(MailState::Sent)),
            mails::attempts.eq(mails::attempts + 1),
            mails::last_error.eq(None::<String>),
            mails::sent_at.eq(Time(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// It is not sent to these any more, whatever becomes of it.
pub fn settle(conn: &mut Conn, id: MailId, settled: &[String]) -> Result<()> {
    diesel::update(mails::table.find(id)).set(mails::settled.eq(Json::of(&settled)?)).execute(conn)?;
    Ok(())
}

/// It was not taken, and stands in `state` now.
pub fn not_sent(conn: &mut Conn, id: MailId, state: MailState, error: &str) -> Result<()> {
    diesel::update(mails::table.find(id))
        .set((mails::state.eq(Named(state)), mails::attempts.eq(mails::attempts + 1), mails::last_error.eq(error)))
        .execute(conn)?;
    Ok(())
}

/// A reply's letter came back after it was sent: it is given up until a person releases it.
pub fn came_back(conn: &mut Conn, id: MailId, error: &str) -> Result<()> {
    let sent = mails::table.find(id).filter(mails::kind.eq(Named(MailKind::Reply)).and(mails::state.eq(Named(MailState::Sent))));
    diesel::update(sent).set((mails::state.eq(Named(MailState::Parked)), mails::last_error.eq(error))).execute(conn)?;
    Ok(())
}

/// A letter is no longer wanted.
pub fn cancelled(conn: &mut Conn, id: MailId, error: &str) -> Result<()> {
    diesel::update(mails::table.find(id))
        .set((mails::state.eq(Named(MailState::Cancelled)), mails::last_error.eq(error)))
        .execute(conn)?;
    Ok(())
}

/// The job of a reply's letter was parked: the letter says so, and the ticket's history too.
pub fn parked(conn: &mut Conn, id: Uuid, error: &str, now: DateTime<Utc>) -> Result<()> {
    let id = MailId(id);
    diesel::update(mails::table.find(id)).set(mails::state.eq(Named(MailState::Parked))).execute(conn)?;
    match find(conn, id)? {
        Some(row) => {
            let data = json!({ "mail_id": id, "error": error });
            timeline::record(conn, row.ticket_id, Kind::MailParked, Actor::Desk, now, data)
        }
        None => Ok(()),
    }
}

/// A person releases a parked letter: it is tried again at once.
pub fn release(conn: &mut Conn, id: MailId, now: DateTime<Utc>) -> Result<MailRow> {
    let row = find(conn, id)?.ok_or(Error::NotFound("mail"))?;
    if row.state.0 != MailState::Parked {
        return Err(Error::conflict("not_parked", "only a parked mail can be released"));
    }
    // A survey's job is named by its invitation, a reply's by its letter.
    let subject = match row.kind.0 {
        MailKind::Survey => row.subject_id.0,
        MailKind::Reply | MailKind::Acknowledgement | MailKind::Notice => id.0,
    };
    if row.kind.0 == MailKind::Survey {
        crate::surveys::commands::release(conn, subject, now)?;
        diesel::update(mails::table.find(id)).set(mails::state.eq(Named(MailState::Cancelled))).execute(conn)?;
    } else {
        diesel::update(mails::table.find(id)).set(mails::state.eq(Named(MailState::Queued))).execute(conn)?;
    }
    // One that came back had been sent, and its job was done.
    if !queue::release(conn, subject, now)? && row.kind.0 != MailKind::Survey {
        queue::enqueue(conn, JobKind::DeliverMail, id.0, now, now)?;
    }
    find(conn, id)?.ok_or(Error::NotFound("mail"))
}

/// A page of letters, newest first. One query.
pub fn list(
    conn: &mut Conn,
    (state, ticket): (Option<MailState>, Option<TicketId>),
    before: Option<(i64, MailId)>,
    limit: i64,
) -> Result<Vec<MailRow>> {
    let mut query = mails::table.select(MailRow::as_select()).limit(limit).into_boxed();
    if let Some(state) = state {
        query = query.filter(mails::state.eq(Named(state)));
    }
    if let Some(ticket) = ticket {
        query = query.filter(mails::ticket_id.eq(ticket));
    }
    if let Some((micros, id)) = before {
        let at = Time(
            DateTime::from_timestamp_micros(micros)
                .ok_or_else(|| Error::field("cursor", "unknown_cursor", "is not a cursor of this list"))?,
        );
        query = query.filter(mails::created_at.le(at).and(mails::created_at.lt(at).or(mails::id.lt(id))));
    }
    Ok(query.order((mails::created_at.desc(), mails::id.desc())).load(conn)?)
}

/// Letters queued and parked, for `/metrics`.
pub fn counts(conn: &mut Conn) -> Result<(i64, i64)> {
    let count = |conn: &mut Conn, state| mails::table.filter(mails::state.eq(Named(state))).count().get_result(conn);
    Ok((count(conn, MailState::Queued)?, count(conn, MailState::Parked)?))
}
