//! The verb that every way in ends with: take a mail. Its bytes are on the disk before anybody looks at them.
use super::mailboxes::{self, MailboxRow};
use super::store::{self, InboundRow, InboundState};
use crate::accounts::contacts::model::normal_email;
use crate::db::Conn;
use crate::db::types::{Named, Time};
use crate::error::Result;
use crate::ids::{InboundMailId, MailboxId};
use crate::jobs::{JobKind, queue};
use chrono::{DateTime, SubsecRound, Utc};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use uuid::Uuid;

/// Why headers alone are held.
pub const OVERSIZED: &str = "oversized";
/// Characters of an envelope's address that are kept.
const ADDRESS_MAX: usize = 500;

/// What a mail server says beside the mail itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Where trouble is reported to; empty for a report itself, none where nobody says.
    pub from: Option<String>,
    /// The address as it was given, with its `+` part.
    pub to: String,
}

/// A mail on its way in.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// When the desk, or the mail server before it, got it.
    pub received_at: DateTime<Utc>,
    /// As it came.
    pub raw: Vec<u8>,
    sha256: Vec<u8>,
}

impl Arrived {
    /// A mail that was received at that instant.
    pub fn new(raw: Vec<u8>, received_at: DateTime<Utc>) -> Self {
        let sha256 = Sha256::digest(&raw).to_vec();
        Self { received_at: received_at.trunc_subsecs(6), raw, sha256 }
    }
}

/// A mail for one of our mailboxes.
#[derive(Debug, Clone)]
pub struct Coming {
    /// Whose.
    pub mailbox: MailboxId,
    /// What the mail server said.
    pub envelope: Envelope,
    /// The mail; that of another recipient may be the same one.
    pub mail: Arc<Arrived>,
}

/// The spelling of an address that a mailbox is found by: without its `+` part.
pub fn bare(address: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    let name = local.split('+').next().unwrap_or(local);
    normal_email(&format!("{name}@{domain}"))
}

/// The mailbox that an address belongs to; none where it is not ours. One query.
pub fn mailbox_of(conn: &mut Conn, address: &str) -> Result<Option<MailboxRow>> {
    match bare(address) {
        Some(address) => mailboxes::of_address(conn, &address),
        None => Ok(None),
    }
}

fn kept(address: &str) -> String {
    address.chars().filter(|c| !c.is_control()).take(ADDRESS_MAX).collect()
}

/// Takes mails, each for a mailbox: their bytes are stored, and jobs are laid that file them from `due_at` on. The same bytes again
/// change nothing. Says how many are new. Three inserts, on SQLite of each.
pub fn accept_each<'a>(
    conn: &mut Conn,
    mails: impl IntoIterator<Item = &'a Coming>,
    due_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<usize> {
    let (rows, bytes): (Vec<InboundRow>, Vec<&[u8]>) =
        mails.into_iter().map(|new| (row(new.mailbox, &new.envelope, &new.mail, now), new.mail.raw.as_slice())).unzip();
    let new = store::insert_each(conn, &rows, &bytes)?;
    match new.as_slice() {
        [] => {}
        [id] => queue::enqueue(conn, JobKind::FileMail, id.0, due_at, now)?,
        ids => queue::enqueue_each(conn, JobKind::FileMail, &ids.iter().map(|id| (id.0, due_at)).collect::<Vec<_>>(), now)?,
    }
    Ok(new.len())
}

fn row(mailbox: MailboxId, envelope: &Envelope, mail: &Arrived, now: DateTime<Utc>) -> InboundRow {
    InboundRow {
        id: InboundMailId::new(),
        mailbox_id: mailbox,
        envelope_from: envelope.from.as_deref().map(kept),
        envelope_to: kept(&envelope.to),
        received_at: Time(mail.received_at.min(now)),
        sha256: mail.sha256.clone(),
        size_bytes: i64::try_from(mail.raw.len()).unwrap_or(i64::MAX),
        state: Named(InboundState::Waiting),
        reason: None,
        attempts: 0,
        error: None,
        subject: None,
        sender: None,
        mail_message_id: None,
        ticket_id: None,
        message_id: None,
        created_at: Time(now),
        ended_at: None,
        version: 1,
    }
}

/// Holds the headers of a mail that is too large to be taken; the mail stays where it is. The same ones again change nothing.
pub fn hold_headers(
    conn: &mut Conn,
    mailbox: MailboxId,
    envelope: &Envelope,
    mail: &Arrived,
    size_bytes: u64,
    now: DateTime<Utc>,
) -> Result<()> {
    let row = InboundRow {
        state: Named(InboundState::Quarantined),
        reason: Some(OVERSIZED.to_owned()),
        error: Some(format!("its {size_bytes} bytes are more than the desk takes; it is still on the server it came from")),
        ended_at: Some(Time(now)),
        ..row(mailbox, envelope, mail, now)
    };
    store::insert(conn, &row, &mail.raw)?;
    Ok(())
}

/// A try to file a mail failed; it is tried again.
pub fn tried(conn: &mut Conn, id: InboundMailId, error: &str) -> Result<()> {
    store::tried(conn, id, error)
}

/// The job that files a mail was given up: the mail is held, with what went wrong.
pub fn give_up(conn: &mut Conn, id: Uuid, error: &str, now: DateTime<Utc>) -> Result<()> {
    let mut row = store::lock(conn, InboundMailId(id))?;
    if row.state.0 == InboundState::Waiting {
        (row.state, row.reason) = (Named(InboundState::Quarantined), Some("not_filed".to_owned()));
        (row.error, row.ended_at) = (Some(error.to_owned()), Some(Time(now)));
        store::save(conn, &mut row)?;
    }
    // A person releases the mail, not the job.
    queue::cancel(conn, id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_part_is_not_the_mailbox() {
        for (address, expected) in [
            ("Support+r-1.x@Desk.example", Some("support@desk.example")),
            ("support@desk.example", Some("support@desk.example")),
            ("+x@desk.example", None),
            ("support", None),
            ("", None),
        ] {
            assert_eq!(bare(address).as_deref(), expected, "{address}");
        }
    }
}
