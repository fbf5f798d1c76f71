//! How a letter on a ticket goes out where its team has a mailbox: from there, and back to signed addresses.
use super::keys;
use super::mailboxes;
use super::token::{self, Tag};
use crate::db::{Conn, schema::tickets};
use crate::error::Result;
use crate::ids::{TeamId, TicketId};
use crate::mail::Sender;
use diesel::prelude::*;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Bytes of the key's digest that name this desk.
const DESK_BYTES: usize = 8;

/// What this desk writes into its letters, to know them again where they come back. Nobody can guess the key from it.
pub fn desk_mark(key: &[u8]) -> String {
    let digest = Sha256::new().chain_update(b"deskbell mark ").chain_update(key).finalize();
    digest.iter().take(DESK_BYTES).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Who sends a letter about a ticket. `reports` is what its envelope names, and `answers` where an answer to it goes: the ticket
/// where it is left out; a letter about no ticket names both. None where the ticket's team has no mailbox, and the desk has none
/// either. Up to three queries.
pub fn sender(conn: &mut Conn, ticket: Option<TicketId>, reports: Tag, answers: Option<Tag>) -> Result<Option<Sender>> {
    let (team, number): (Option<TeamId>, Option<i64>) = match ticket {
        None => (None, None),
        Some(id) => {
            let found = tickets::table.filter(tickets::id.eq(id)).select((tickets::team_id, tickets::number.nullable()));
            match found.first(conn).optional()? {
                Some(found) => found,
                None => return Ok(None),
            }
        }
    };
    let Some(mailbox) = mailboxes::of_team(conn, team)? else { return Ok(None) };
    let key = keys::find(conn)?;
    let address = |tag| token::address(&key, &mailbox.address, tag);
    // A mailbox with a very long name has no room for a tag: its letters go out all the same.
    let plain = || mailbox.address.clone();
    Ok(Some(Sender {
        reply_to: answers.or(number.map(Tag::Ticket)).and_then(address).unwrap_or_else(plain),
        reports_to: address(reports).unwrap_or_else(plain),
        address: mailbox.address.clone(),
        name: Some(mailbox.from_name.clone()).filter(|name| !name.trim().is_empty()),
        desk: desk_mark(&key),
        smtp: mailbox.smtp()?,
        dkim: mailbox.dkim()?,
    }))
}
