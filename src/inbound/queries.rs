//! What is known of a mail that came in: whose ticket it answers, who may write there, which letter came back; and what the desk
//! shows of mails.
use super::store;
use crate::db::{
    Conn,
    schema::{contact_emails, inbound_mails, mails, messages, survey_invitations, ticket_participants, tickets},
    types::{Json, Named, Time},
};
use crate::each;
use crate::error::Result;
use crate::ids::{InboundMailId, InvitationId, MailId, MessageId, TicketId};
use crate::jobs::queue::SubjectId;
use crate::mail::MailKind;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

pub use store::{InboundRow, InboundState};

/// Participants of a ticket at the most: a mail to a thousand people makes no list of a thousand.
pub const PARTICIPANTS_MAX: usize = 50;
/// Mails that one answers at the most.
const ANSWERED_MAX: i64 = 100;

/// A mail with its bytes; none where it waits no longer. Two queries.
pub fn waiting(conn: &mut Conn, id: InboundMailId) -> Result<Option<(InboundRow, Vec<u8>)>> {
    let row = store::find(conn, id)?;
    if row.state.0 != InboundState::Waiting {
        return Ok(None);
    }
    Ok(Some((row, store::bytes(conn, id)?)))
}

/// A mail with its bytes. Two queries.
pub fn whole(conn: &mut Conn, id: InboundMailId) -> Result<(InboundRow, Vec<u8>)> {
    Ok((store::find(conn, id)?, store::bytes(conn, id)?))
}

/// The mail that a message came as. Two queries.
pub fn original(conn: &mut Conn, id: MessageId) -> Result<(InboundRow, Vec<u8>)> {
    let row = store::of_message(conn, id)?;
    let bytes = store::bytes(conn, row.id)?;
    Ok((row, bytes))
}

/// A page of mails, newest first. One query.
pub fn list(
    conn: &mut Conn,
    state: Option<InboundState>,
    before: Option<(i64, InboundMailId)>,
    limit: i64,
) -> Result<Vec<InboundRow>> {
    let wrong = || crate::error::Error::field("cursor", "unknown_cursor", "is not a cursor of this list");
    let at = |micros| DateTime::from_timestamp_micros(micros).ok_or_else(wrong);
    let before = before.map(|(micros, id)| Ok::<_, crate::error::Error>((at(micros)?, id))).transpose()?;
    store::list(conn, state, before, limit)
}

/// The message that one of our own Message-IDs names: `message-UUID@…`, without angle brackets.
fn own_message(id: &str) -> Option<MessageId> {
    id.strip_prefix("message-")?.split('@').next()?.parse().ok()
}

fn bracketed(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| format!("<{id}>")).collect()
}

/// The tickets of the mails that one answers, in the order of `ids`: of those that we sent, and of those that we got. Up to two
/// queries.
pub fn answered(conn: &mut Conn, ids: &[&str]) -> Result<Vec<TicketId>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let own: Vec<MessageId> = ids.iter().filter_map(|id| own_message(id)).collect();
    let mut known: Vec<(Option<String>, TicketId)> = Vec::new();
    if !own.is_empty() {
        let sent = messages::table.filter(messages::id.eq_any(&own));
        known = sent.select((messages::mail_message_id, messages::ticket_id)).load(conn)?;
    }
    let bracketed = bracketed(ids);
    let got: Vec<(Option<String>, Option<TicketId>)> = inbound_mails::table
        .filter(inbound_mails::mail_message_id.eq_any(&bracketed).and(inbound_mails::ticket_id.is_not_null()))
        .order(inbound_mails::id.desc())
        .limit(ANSWERED_MAX)
        .select((inbound_mails::mail_message_id, inbound_mails::ticket_id))
        .load(conn)?;
    known.extend(got.into_iter().filter_map(|(id, ticket)| Some((id, ticket?))));
    let mut tickets = Vec::new();
    for id in &bracketed {
        for (_, ticket) in known.iter().filter(|(known, _)| known.as_ref() == Some(id)) {
            if !tickets.contains(ticket) {
                tickets.push(*ticket);
            }
        }
    }
    Ok(tickets)
}

/// The survey whose letter a mail answers: its invitation, and the ticket that it asked about, if any. One query.
pub fn answered_survey(conn: &mut Conn, ids: &[&str]) -> Result<Option<(Uuid, Option<TicketId>)>> {
    if ids.is_empty() {
        return Ok(None);
    }
    let found: Option<(SubjectId, Option<TicketId>)> = mails::table
        .filter(mails::kind.eq(Named(MailKind::Survey)).and(mails::message_id.eq_any(bracketed(ids))))
        .order(mails::id.desc())
        .select((mails::subject_id, mails::ticket_id))
        .first(conn)
        .optional()?;
    Ok(found.map(|(invitation, ticket)| (invitation.0, ticket)))
}

/// Whether a survey was sent to the contact with this address. One query.
pub fn was_asked(conn: &mut Conn, invitation: Uuid, address: &str) -> Result<bool> {
    use survey_invitations as i;
    let found: Option<InvitationId> = i::table
        .inner_join(contact_emails::table.on(contact_emails::contact_id.eq(i::contact_id)))
        .filter(i::id.eq(InvitationId(invitation)).and(contact_emails::address.eq(address)))
        .select(i::id)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}

/// The ticket that people know by a number. One query.
pub fn numbered(conn: &mut Conn, number: i64) -> Result<Option<TicketId>> {
    Ok(tickets::table.filter(tickets::number.eq(number)).select(tickets::id).first(conn).optional()?)
}

/// Those of some tickets that an address may write on: its contact's, and where it is invited. Up to two queries.
pub fn takes_part(conn: &mut Conn, named: &[TicketId], address: &str) -> Result<Vec<TicketId>> {
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let mut found: Vec<TicketId> = tickets::table
        .inner_join(contact_emails::table.on(contact_emails::contact_id.eq(tickets::contact_id)))
        .filter(tickets::id.eq_any(named).and(contact_emails::address.eq(address)))
        .select(tickets::id)
        .load(conn)?;
    let invited = ticket_participants::ticket_id.eq_any(named).and(ticket_participants::address.eq(address));
    let invited = ticket_participants::table.filter(invited).select(ticket_participants::ticket_id).load(conn)?;
    found.extend::<Vec<TicketId>>(invited);
    Ok(found)
}

/// Lets addresses write on a ticket. Two queries.
pub fn invite(conn: &mut Conn, ticket: TicketId, addresses: &[String], now: DateTime<Utc>) -> Result<()> {
    if addresses.is_empty() {
        return Ok(());
    }
    let known = ticket_participants::table.filter(ticket_participants::ticket_id.eq(ticket)).count();
    let known: i64 = known.get_result(conn)?;
    let room = PARTICIPANTS_MAX.saturating_sub(usize::try_from(known).unwrap_or(usize::MAX));
    let rows: Vec<_> = addresses
        .iter()
        .take(room)
        .map(|address| {
            (
                ticket_participants::ticket_id.eq(ticket),
                ticket_participants::address.eq(address),
                ticket_participants::created_at.eq(Time(now)),
            )
        })
        .collect();
    each!(conn, conn => diesel::insert_into(ticket_participants::table).values(&rows).on_conflict_do_nothing().execute(conn))?;
    Ok(())
}

/// A letter of ours: what it was, whose ticket, which message or invitation, and to whom.
#[derive(Queryable, Debug, Clone)]
#[expect(missing_docs, reason = "columns")]
pub struct Sent {
    pub id: MailId,
    pub kind: Named<MailKind>,
    pub ticket_id: Option<TicketId>,
    pub subject_id: SubjectId,
    pub recipient: String,
    pub cc: Option<Json>,
}

impl Sent {
    /// The recipient whom a report is about: one who had a copy, or else the one whom the letter was to.
    pub fn about(&self, address: &str) -> String {
        let copies: Vec<String> = self.cc.clone().and_then(|cc| cc.to().ok()).unwrap_or_default();
        copies.into_iter().find(|copy| copy.eq_ignore_ascii_case(address)).unwrap_or_else(|| self.recipient.clone())
    }
}

macro_rules! sent {
    () => {
        mails::table.order(mails::id.desc()).select((
            mails::id,
            mails::kind,
            mails::ticket_id,
            mails::subject_id,
            mails::recipient,
            mails::cc,
        ))
    };
}

/// The letter with this id, or the newest of this invitation. Up to two queries.
pub fn letter(conn: &mut Conn, id: Uuid) -> Result<Option<Sent>> {
    let by_id = sent!().filter(mails::id.eq(MailId(id))).first(conn).optional()?;
    if by_id.is_some() {
        return Ok(by_id);
    }
    let of_invitation = mails::subject_id.eq(SubjectId(id)).and(mails::kind.eq(Named(MailKind::Survey)));
    Ok(sent!().filter(of_invitation).first(conn).optional()?)
}

/// The letter with this Message-ID. Up to two queries.
pub fn letter_of(conn: &mut Conn, message_id: &str) -> Result<Option<Sent>> {
    if let Some(message) = own_message(message_id) {
        let of_message = mails::subject_id.eq(SubjectId(message.0)).and(mails::kind.eq(Named(MailKind::Reply)));
        return Ok(sent!().filter(of_message).first(conn).optional()?);
    }
    let own = mails::message_id.eq(format!("<{message_id}>")).and(mails::kind.eq(Named(MailKind::Survey)));
    Ok(sent!().filter(own).first(conn).optional()?)
}
