//! The verb of erasure: one transaction for all rows; the bytes of files go in a job.
use super::mentions::Sought;
use super::model::{ERASED, TICKETS_MAX};
use super::store::{self, ErasureRow};
use super::store_inbound;
use super::store_mentions::{self, Change, Key, PLACES, Place};
use crate::accounts::caller::Agent;
use crate::accounts::contacts;
use crate::audit;
use crate::db::{Conn, types::Time};
use crate::error::{Error, Result};
use crate::ids::{AttachmentId, ContactId, InboundMailId, MessageId, TicketId, TokenId};
use crate::jobs::{JobKind, queue};
use crate::tickets::model::Status;
use crate::tickets::search::index;
use crate::timeline::Actor;
use crate::transfer::commands_erasure::{self, Named};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::collections::BTreeSet;

/// Tickets in one statement.
const TICKETS_AT_ONCE: usize = 500;
/// Files whose bytes are thrown away between two notes of it.
const FILES_AT_ONCE: i64 = 50;

/// What is known of an erasure: when, by whom, and how many files are still being thrown away.
pub struct Erasure {
    /// The row.
    pub row: ErasureRow,
    /// Files that are left.
    pub files_left: i64,
    /// Whether files are gone, and what others wrote was looked through.
    pub is_finished: bool,
}

/// Takes the person out of all that the desk keeps. Done a second time it changes nothing, but goes on where it was given up.
pub fn erase(conn: &mut Conn, agent: &Agent, id: ContactId, now: DateTime<Utc>) -> Result<Erasure> {
    // An import that runs holds its row and wants the contact's: it is waited for first.
    let imports = commands_erasure::waiting(conn)?;
    contacts::lock(conn, id)?;
    contacts::find_person(conn, id)?.ok_or(Error::NotFound("contact"))?;
    if let Some((row, files_left)) = store::find(conn, id)? {
        let is_finished = files_left == 0 && store_mentions::words_left(conn, id)?.is_empty();
        if !is_finished {
            queue::release(conn, id.0, now)?;
        }
        return Ok(Erasure { row, files_left, is_finished });
    }
    let lines = store::tickets_of(conn, id, TICKETS_MAX)?;
    if lines.len() > TICKETS_MAX {
        return Err(Error::conflict(
            "too_many_tickets",
            format!("a contact with more than {TICKETS_MAX} tickets cannot be erased at once"),
        ));
    }
    let open = lines.iter().filter(|line| line.2.0 != Status::Closed).count();
    if open > 0 {
        return Err(Error::conflict("open_tickets", format!("this contact has tickets that are not closed: {open}")));
    }
    let row = ErasureRow { contact_id: id, erased_at: Time(now), erased_by: agent.id() };
    store::insert(conn, &row)?;
    let known = store::known_by(conn, id)?;
    let sought = Sought::new(known.iter().map(String::as_str));
    let named = Named { id, external_ids: store::external_ids(conn, id)?, known: &known };
    commands_erasure::erase(conn, &imports, &named, &sought)?;
    store_mentions::keep_words(conn, id, &known)?;
    let subjects: BTreeSet<String> = lines.iter().map(|line| line.1.clone()).filter(|subject| subject != ERASED).collect();
    let invitations = store::invitations_of(conn, id)?;
    let ids: Vec<TicketId> = lines.iter().map(|line| line.0).collect();
    let mut files: Vec<(AttachmentId, DateTime<Utc>)> = Vec::new();
    for chunk in ids.chunks(TICKETS_AT_ONCE) {
        files.extend(store::erase_tickets(conn, chunk)?);
        store::erase_calls(conn, id, chunk)?;
        store_inbound::erase(conn, chunk, &[])?;
        for mail in store::erase_letters(conn, chunk, &[])? {
            queue::cancel(conn, mail.0)?;
        }
    }
    for chunk in invitations.chunks(TICKETS_AT_ONCE) {
        store::erase_letters(conn, &[], chunk)?;
        store::erase_surveys(conn, chunk)?;
    }
    store::erase_calls(conn, id, &[])?;
    store_inbound::erase(conn, &[], &known)?;
    let subjects: Vec<String> = subjects.into_iter().collect();
    store::erase_mentions(conn, &known, &subjects)?;
    store::forget_answers(conn, id, (&lines, &files), now)?;
    store::erase_contact(conn, id, now)?;
    for ticket in ids {
        index::renew(conn, ticket)?;
    }
    store::note_files(conn, id, &files)?;
    queue::enqueue(conn, JobKind::EraseFiles, id.0, now, now)?;
    let shown = (&json!({ "is_erased": false }), &json!({ "is_erased": true }));
    audit::changed(conn, Actor::Agent(agent.id()), ("contact", id.0), shown, now)?;
    Ok(Erasure { row, files_left: i64::try_from(files.len()).unwrap_or(i64::MAX), is_finished: false })
}

/// How many people were erased so far: what was read before another erasure may name who is gone.
pub fn erasures(conn: &mut Conn) -> Result<i64> {
    store::erasures(conn)
}

/// What is looked for in what others wrote; none where all was looked through.
pub fn sought(conn: &mut Conn, id: ContactId) -> Result<Option<Sought>> {
    let words = store_mentions::words_left(conn, id)?;
    Ok((!words.is_empty()).then(|| Sought::new(words.iter().map(String::as_str))))
}

/// Every column that people write in.
pub fn places() -> &'static [Place] {
    &PLACES
}

/// The next rows of a place that name the person, and where to go on.
pub fn mentions(conn: &mut Conn, place: &Place, sought: &Sought, after: Key) -> Result<(Vec<Change>, Option<Key>)> {
    place.next(conn, sought, after)
}

/// Takes the person out of these rows.
pub fn erase_mentions(conn: &mut Conn, place: &Place, changes: &[Change]) -> Result<()> {
    place.write(conn, changes)
}

/// What the person wrote on tickets of other people.
pub fn said_elsewhere(conn: &mut Conn, id: ContactId) -> Result<Vec<MessageId>> {
    store_mentions::said_elsewhere(conn, id)
}

/// Empties what the person wrote on tickets of other people.
pub fn erase_said(conn: &mut Conn, id: ContactId, said: &[MessageId]) -> Result<()> {
    for chunk in said.chunks(TICKETS_AT_ONCE) {
        let files = store_mentions::erase_said(conn, chunk)?;
        store::note_files(conn, id, &files)?;
    }
    Ok(())
}

/// Mails of other people whose bytes name the person, and where to go on.
pub fn mails_naming(
    conn: &mut Conn,
    sought: &Sought,
    after: InboundMailId,
) -> Result<(Vec<InboundMailId>, Option<InboundMailId>)> {
    store_inbound::naming(conn, sought, after)
}

/// Throws away the bytes of those mails.
pub fn forget_bytes(conn: &mut Conn, ids: &[InboundMailId]) -> Result<()> {
    store_inbound::forget_bytes(conn, ids)
}

/// Answers kept for retries that name the person.
pub fn answers_naming(conn: &mut Conn, sought: &Sought) -> Result<Vec<(TokenId, String)>> {
    store_mentions::answers_naming(conn, sought)
}

/// Forgets those answers; what others wrote is looked through.
pub fn mentions_done(conn: &mut Conn, id: ContactId, answers: &[(TokenId, String)]) -> Result<()> {
    store_mentions::forget(conn, answers)?;
    store_mentions::words_done(conn, id)
}

/// The next files whose bytes have to go.
pub fn files_left(conn: &mut Conn, id: ContactId) -> Result<Vec<(AttachmentId, DateTime<Utc>)>> {
    store::files_left(conn, id, FILES_AT_ONCE)
}

/// Their bytes are gone.
pub fn files_gone(conn: &mut Conn, ids: &[AttachmentId]) -> Result<()> {
    store::files_gone(conn, ids)
}
