//! The verb that files a mail: onto a ticket, as a new one, as a report about a letter of ours, or into quarantine.
use super::commands;
use super::commands_agents;
use super::commands_known::{Author, look_up};
use super::commands_reports::came_back;
use super::domains;
use super::mailboxes::{self, MailboxRow};
use super::model::{File, Parsed};
use super::queries;
use super::route::{self, By, Origin, Verdict};
use super::store::{self, InboundRow, InboundState};
use crate::accounts::caller::Caller;
use crate::accounts::contacts::{self, NewContact, model::normal_email, model::shown_name};
use crate::attachments::commands::{attach, hand_in};
use crate::attachments::model::{clean_name, media_type};
use crate::attachments::queries::FileRow;
use crate::config::Config;
use crate::db::Conn;
use crate::db::types::{Named, Time};
use crate::error::{Error, Result};
use crate::ids::{AttachmentId, ContactId, InboundMailId, InvitationId, MessageId, TicketId};
use crate::mail::notices::{self, Acknowledged};
use crate::surveys::mail_answers::commands::{self as mail_answers, MailAnswer};
use crate::surveys::mail_answers::model::found_score;
use crate::tickets::commands_intake::{self, NewMessage, NewTicket, Sender};
use crate::tickets::commands_mail::{self, Shown};
use crate::tickets::model::{Channel, Direction, Priority};
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, Utc};
use serde_json::json;

/// Longest text of a message, in characters; all of it is in the original.
const BODY_MAX: usize = 100_000;
/// Longest subject, in characters.
const SUBJECT_MAX: usize = 300;
/// Longest Message-ID that is kept.
const MESSAGE_ID_MAX: usize = 250;

/// Why a machine's mail is held that belongs to no ticket.
const AUTOMATIC: &str = "automatic";
/// What a mail was that answers a relationship survey.
const SURVEY_ANSWER: &str = "survey_answer";

/// A mail that was read, and its files that are in the depot already.
#[derive(Clone)]
pub struct Ready {
    /// What it says, without its files.
    pub parsed: Parsed,
    /// Their rows.
    pub files: Vec<FileRow>,
    /// Names of those that are in the original alone.
    pub left_out: Vec<String>,
    /// What is known of its origin.
    pub origin: Origin,
}

/// What became of a mail.
pub(super) enum Became {
    /// It is on this ticket, as this message.
    Message(TicketId, MessageId),
    /// It is done with; a word for what it was.
    Nothing(&'static str, Option<TicketId>),
    /// A person has to look at it.
    Held(&'static str),
}

/// Where a person wants a mail to go that was held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// A ticket of its own.
    NewTicket,
    /// Onto this one.
    Onto(TicketId),
}

/// Characters of `text` without what the databases or people cannot use.
pub(super) fn clean(text: &str, length_max: usize) -> String {
    text.chars().filter(|c| *c == '\n' || *c == '\t' || !c.is_control()).take(length_max).collect()
}

pub(super) fn body(ready: &Ready) -> String {
    let parsed = &ready.parsed;
    // Where all of it looks quoted, all of it is shown.
    let said = if parsed.said.trim().is_empty() { &parsed.text } else { &parsed.said };
    let text = clean(said, BODY_MAX);
    let mut body = if text.trim().is_empty() { "(This mail has no text.)".to_owned() } else { text };
    if !ready.left_out.is_empty() {
        let note = format!("\n\n[Only in the original: {}]", ready.left_out.join(", "));
        body = body.chars().take(BODY_MAX - note.chars().count().min(BODY_MAX)).collect();
        body.push_str(&clean(&note, BODY_MAX));
    }
    body
}

fn subject(parsed: &Parsed) -> String {
    let subject = clean(&crate::mail::one_line(&parsed.subject), SUBJECT_MAX);
    if subject.trim().is_empty() { "(no subject)".to_owned() } else { subject.trim().to_owned() }
}

/// A Message-ID that can stand in headers of ours.
fn message_id(parsed: &Parsed) -> Option<String> {
    let id = format!("<{}>", parsed.message_id.as_ref().filter(|id| id.len() < MESSAGE_ID_MAX - 1)?);
    crate::tickets::wire::message_id(&id).is_ok().then_some(id)
}

/// A mail that waits is filed; one that does not wait any more is left alone. About twenty queries.
pub fn file(conn: &mut Conn, config: &Config, id: InboundMailId, ready: &Ready, now: DateTime<Utc>) -> Result<()> {
    let mut row = store::lock(conn, id)?;
    if row.state.0 != InboundState::Waiting {
        return Ok(());
    }
    let became = decide(conn, config, &row, ready, now)?;
    end(conn, &mut row, ready, became, now)
}

/// A person lets a mail go on that was held. Says where it is now.
pub fn release(
    conn: &mut Conn,
    config: &Config,
    (id, to): (InboundMailId, Release),
    ready: &Ready,
    now: DateTime<Utc>,
) -> Result<InboundRow> {
    let mut row = store::lock(conn, id)?;
    check_held(&row)?;
    if row.reason.as_deref() == Some(commands::OVERSIZED) {
        return Err(Error::conflict("oversized", "only its headers are here; the mail is still on its server"));
    }
    let (mailbox, _) = mailboxes::find(conn, row.mailbox_id)?;
    let nobody = || Error::conflict("no_sender", "nobody can be found in it who wrote it");
    let from = Author::of(&ready.parsed).ok_or_else(nobody)?;
    let became = match to {
        Release::NewTicket => open(conn, config, (&row, &mailbox), ready, &from, None, now)?,
        Release::Onto(ticket) => {
            crate::tickets::queries::must_exist(conn, ticket)?;
            follow_up(conn, config, (&row, &mailbox), ready, &from, ticket, now)?
        }
    };
    end(conn, &mut row, ready, became, now)?;
    Ok(row)
}

/// A person says that a mail is not wanted. Its bytes stay.
pub fn discard(conn: &mut Conn, id: InboundMailId, now: DateTime<Utc>) -> Result<InboundRow> {
    let mut row = store::lock(conn, id)?;
    check_held(&row)?;
    (row.state, row.ended_at) = (Named(InboundState::Discarded), Some(Time(now)));
    store::save(conn, &mut row)?;
    Ok(row)
}

fn check_held(row: &InboundRow) -> Result<()> {
    match row.state.0 {
        InboundState::Quarantined => Ok(()),
        _ => Err(Error::conflict("not_quarantined", "only a mail in quarantine can be released or discarded")),
    }
}

fn end(conn: &mut Conn, row: &mut InboundRow, ready: &Ready, became: Became, now: DateTime<Utc>) -> Result<()> {
    row.subject = Some(clean(&crate::mail::one_line(&ready.parsed.subject), SUBJECT_MAX));
    row.sender = Author::of(&ready.parsed).map(|author| author.address);
    row.mail_message_id = message_id(&ready.parsed);
    row.ended_at = Some(Time(now));
    let is_held = row.state.0 == InboundState::Quarantined;
    match became {
        Became::Message(ticket, message) => {
            (row.state, row.ticket_id, row.message_id) = (Named(InboundState::Filed), Some(ticket), Some(message));
            row.reason = row.reason.take().filter(|_| is_held);
        }
        Became::Nothing(what, ticket) => {
            (row.state, row.ticket_id, row.reason) = (Named(InboundState::Filed), ticket, Some(what.to_owned()));
        }
        Became::Held(why) => (row.state, row.reason) = (Named(InboundState::Quarantined), Some(why.to_owned())),
    }
    store::save(conn, row)
}

fn decide(conn: &mut Conn, config: &Config, row: &InboundRow, ready: &Ready, now: DateTime<Utc>) -> Result<Became> {
    let parsed = &ready.parsed;
    let (mailbox, _) = mailboxes::find(conn, row.mailbox_id)?;
    let (known, sent) = look_up(conn, row, &mailbox, ready)?;
    let place = (row, &mailbox);
    // A name without a usable address is nobody whom an answer reaches.
    let author = || Author::of(parsed);
    match route::route(parsed, &known) {
        Verdict::Hold(why) => Ok(Became::Held(why.as_str())),
        Verdict::Bounce(letter) => match sent {
            Some(sent) => came_back(conn, config, &sent, letter, parsed, now),
            None => Ok(Became::Held(route::HoldReason::ForeignReport.as_str())),
        },
        // Who is away when a relationship survey comes has said nothing.
        Verdict::Automatic { ticket: None } if known.survey.is_some() => Ok(Became::Nothing(AUTOMATIC, None)),
        Verdict::Automatic { ticket: None } => Ok(Became::Held(AUTOMATIC)),
        Verdict::Automatic { ticket: Some(ticket) } => {
            let mail = shown(conn, row, ready, now)?;
            let (ticket, message) = commands_mail::show(conn, &Caller::mail_gate(), ticket, mail)?;
            give_files(conn, config, (ticket, message), &ready.files, now)?;
            Ok(Became::Message(ticket, message))
        }
        Verdict::Reply { ticket, by: By::Agent } => commands_agents::reply(conn, config, ready, ticket, now),
        Verdict::Reply { ticket, by: By::Contact } => match author() {
            Some(from) => follow_up(conn, config, place, ready, &from, ticket, now),
            None => Ok(Became::Held(route::HoldReason::NoSender.as_str())),
        },
        Verdict::SurveyReply { invitation, ticket } => match author() {
            Some(from) => answer_survey(conn, config, place, ready, &from, (InvitationId(invitation), ticket), now),
            None => Ok(Became::Held(route::HoldReason::NoSender.as_str())),
        },
        Verdict::NewTicket { suggested } => match author() {
            Some(from) => open(conn, config, place, ready, &from, suggested, now),
            None => Ok(Became::Held(route::HoldReason::NoSender.as_str())),
        },
    }
}

/// A mail that is shown, by whoever is known to have written it.
fn shown(conn: &mut Conn, row: &InboundRow, ready: &Ready, now: DateTime<Utc>) -> Result<Shown> {
    let from = match Author::of(&ready.parsed) {
        Some(author) => contacts::find_by_email(conn, &author.address)?.map(|person| person.id),
        None => None,
    };
    let (body, mail_message_id) = (body(ready), message_id(&ready.parsed));
    Ok(Shown { from, body, mail_message_id, received_at: row.received_at.0.min(now) })
}

/// An answer to a survey: it waits among the reviews. One that begins with its number is only kept on the ticket; one in words
/// reopens it like any other mail, as it may ask for something.
fn answer_survey(
    conn: &mut Conn,
    config: &Config,
    (row, mailbox): (&InboundRow, &MailboxRow),
    ready: &Ready,
    from: &Author,
    (invitation, ticket): (InvitationId, Option<TicketId>),
    now: DateTime<Utc>,
) -> Result<Became> {
    let said = clean(&ready.parsed.said, BODY_MAX);
    let message = match ticket {
        None => None,
        Some(ticket) if found_score(&said).is_some() => {
            let mail = shown(conn, row, ready, now)?;
            let place = commands_mail::show_answer(conn, ticket, mail)?;
            give_files(conn, config, place, &ready.files, now)?;
            Some(place)
        }
        Some(ticket) => match follow_up(conn, config, (row, mailbox), ready, from, ticket, now)? {
            Became::Message(ticket, message) => Some((ticket, message)),
            other => return Ok(other),
        },
    };
    let answer =
        MailAnswer { mail: row.id, message, sender: from.address.clone(), said, received_at: row.received_at.0.min(now) };
    let is_kept = mail_answers::take(conn, config, invitation, answer, now)?;
    Ok(match message {
        Some((ticket, message)) => Became::Message(ticket, message),
        None if is_kept => Became::Nothing(SURVEY_ANSWER, None),
        None => Became::Held(SURVEY_ANSWER),
    })
}

/// Who wrote: found by address, or made, and then of the organization whose domain it is.
fn writer(conn: &mut Conn, from: &Author, now: DateTime<Utc>) -> Result<ContactId> {
    if let Some(known) = contacts::find_by_email(conn, &from.address)? {
        return Ok(known.id);
    }
    let domain = domains::model::of_address(&from.address).filter(|domain| !domains::model::is_free(domain));
    let organization_id = match domain {
        Some(domain) => domains::organization_of(conn, &domain)?,
        None => None,
    };
    let new = NewContact {
        organization_id,
        name: shown_name(Some(&from.name), &from.address),
        time_zone: None,
        language: contacts::LANGUAGE_DEFAULT.to_owned(),
        emails: vec![from.address.clone()],
        phones: Vec::new(),
    };
    Ok(contacts::insert(conn, new, now)?.row.id)
}

/// Who wrote and those in copy may write on the ticket from now on; our own addresses are nobody.
fn invite(conn: &mut Conn, ticket: TicketId, ready: &Ready, from: &Author, now: DateTime<Utc>) -> Result<()> {
    let parsed = &ready.parsed;
    let mut others = vec![from.address.clone()];
    for address in parsed.to.iter().chain(&parsed.cc).filter_map(|person| normal_email(&person.address)) {
        if !others.contains(&address) && others.len() <= queries::PARTICIPANTS_MAX {
            others.push(address);
        }
    }
    let own = mailboxes::among(conn, &others.iter().filter_map(|address| commands::bare(address)).collect::<Vec<_>>())?;
    others.retain(|address| !commands::bare(address).is_some_and(|bare| own.contains(&bare)));
    queries::invite(conn, ticket, &others, now)
}

pub(super) fn give_files(
    conn: &mut Conn,
    config: &Config,
    (ticket, message): (TicketId, MessageId),
    files: &[FileRow],
    now: DateTime<Utc>,
) -> Result<()> {
    for file in files {
        hand_in(conn, file.clone())?;
    }
    let ids: Vec<AttachmentId> = files.iter().map(|file| file.id).collect();
    attach(conn, &config.attachments, &Caller::mail_gate(), (ticket, Some(message)), &ids, now)
}

/// A ticket of its own; `suggested` is the one that it names without a right to write there.
fn open(
    conn: &mut Conn,
    config: &Config,
    (row, mailbox): (&InboundRow, &MailboxRow),
    ready: &Ready,
    from: &Author,
    suggested: Option<TicketId>,
    now: DateTime<Utc>,
) -> Result<Became> {
    let contact = writer(conn, from, now)?;
    let new = NewTicket {
        channel: Channel::Email,
        direction: Direction::Inbound,
        subject: subject(&ready.parsed),
        priority: Priority::Normal,
        from: Sender::Contact(contact),
        organization_id: None,
        team_id: mailbox.team_id,
        assignee_id: None,
        tags: Vec::new(),
        received_at: Some(row.received_at.0.min(now)),
        message: Some(NewMessage { body: body(ready), mail_message_id: message_id(&ready.parsed) }),
        follows_id: None,
    };
    let whole = commands_intake::create(conn, &Caller::mail_gate(), new, now)?;
    let (ticket, message) = (whole.ticket.id, whole.message_id.ok_or_else(|| Error::internal("a mail without a message"))?);
    give_files(conn, config, (ticket, message), &ready.files, now)?;
    invite(conn, ticket, ready, from, now)?;
    // Not where a person let it go on: they will answer.
    if row.state.0 == InboundState::Waiting && ready.parsed.machine.is_none() && row.envelope_from.as_deref() != Some("") {
        let (number, subject) = (whole.ticket.number, whole.ticket.subject);
        let (sender, message_id) = (from.address.clone(), message_id(&ready.parsed));
        notices::acknowledge(conn, config, Acknowledged { ticket_id: ticket, number, subject, sender, message_id }, now)?;
    }
    if let Some(other) = suggested {
        timeline::record(conn, ticket, Kind::LinkSuggested, Actor::Desk, now, json!({ "ticket_id": other }))?;
    }
    Ok(Became::Message(ticket, message))
}

/// A message on a ticket that is there; past the reopen window on a new one that follows it.
fn follow_up(
    conn: &mut Conn,
    config: &Config,
    (row, _): (&InboundRow, &MailboxRow),
    ready: &Ready,
    from: &Author,
    ticket: TicketId,
    now: DateTime<Utc>,
) -> Result<Became> {
    let contact = writer(conn, from, now)?;
    let message = NewMessage { body: body(ready), mail_message_id: message_id(&ready.parsed) };
    let said = Some(row.received_at.0.min(now));
    let whole = commands_intake::receive(conn, config, &Caller::mail_gate(), ticket, message, said, now)?;
    let (ticket, message) = (whole.ticket.id, whole.message_id.ok_or_else(|| Error::internal("a mail without a message"))?);
    if whole.ticket.contact_id != contact {
        commands_mail::written_by(conn, message, contact)?;
    }
    give_files(conn, config, (ticket, message), &ready.files, now)?;
    invite(conn, ticket, ready, from, now)?;
    Ok(Became::Message(ticket, message))
}

/// A file's row as it is to be handed in; its bytes are in the depot.
pub fn file_row(id: AttachmentId, file: &File, sha256: Vec<u8>, now: DateTime<Utc>) -> FileRow {
    FileRow {
        id,
        message_id: None,
        token_id: Caller::mail_gate().token_id,
        agent_id: None,
        file_name: clean_name(&file.name),
        media_type: media_type(&file.media_type, None),
        size_bytes: i64::try_from(file.bytes.len()).unwrap_or(i64::MAX),
        sha256,
        created_at: Time(now),
    }
}
