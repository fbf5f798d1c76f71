//! What the desk knows of a mail before it decides: whom it names, what it answers, who wrote it.
use super::commands;
use super::commands_filing::Ready;
use super::keys;
use super::mailboxes::MailboxRow;
use super::model::Parsed;
use super::queries::{self, Sent};
use super::queries_sending::desk_mark;
use super::route::{self, Known, Letter};
use super::store::InboundRow;
use super::token::{self, Checked, Tag};
use crate::accounts::agents;
use crate::accounts::contacts::model::normal_email;
use crate::db::Conn;
use crate::error::Result;
use crate::ids::TicketId;
use crate::mail::MailKind;

/// Who wrote a mail, in the one spelling of an address.
pub(super) struct Author {
    pub(super) address: String,
    pub(super) name: String,
}

impl Author {
    pub(super) fn of(parsed: &Parsed) -> Option<Self> {
        let author = parsed.author()?;
        Some(Self { address: normal_email(&author.address)?, name: author.name.clone() })
    }
}

/// What the desk knows about a mail, for the rule.
pub(super) fn look_up(conn: &mut Conn, row: &InboundRow, mailbox: &MailboxRow, ready: &Ready) -> Result<(Known, Option<Sent>)> {
    let parsed = &ready.parsed;
    let key = keys::find(conn)?;
    let named = parsed.to.iter().chain(&parsed.cc).map(|person| &person.address).chain(&parsed.delivered_to);
    let tags: Vec<Tag> = std::iter::once(&row.envelope_to)
        .chain(named)
        .filter_map(|address| match token::check(&key, address) {
            Checked::Valid(tag) => Some(tag),
            Checked::Plain | Checked::Forged => None,
        })
        .collect();
    let mut known = Known { origin: ready.origin, ..Known::default() };
    let mut proven = None;
    for tag in tags {
        match tag {
            Tag::Ticket(number) if known.by_token.is_none() => known.by_token = queries::numbered(conn, number)?,
            Tag::Survey(id) | Tag::Letter(id) if proven.is_none() => proven = queries::letter(conn, id)?.map(|sent| (id, sent)),
            _ => {}
        }
    }
    let answered = parsed.answered();
    known.survey = match &proven {
        Some((id, sent)) if sent.kind.0 == MailKind::Survey => Some((*id, sent.ticket_id)),
        // Somebody who answers a report's address answers the letter.
        Some((_, sent)) => {
            known.by_token = known.by_token.or(sent.ticket_id);
            None
        }
        None => queries::answered_survey(conn, &answered)?,
    };
    let is_survey_proven = proven.is_some();
    let about = parsed.bounce.as_ref().and_then(|bounce| bounce.message_id.as_deref());
    let sent = match (proven, about) {
        (Some((id, sent)), _) => {
            known.letter = Some(Letter { id, is_proven: true });
            Some(sent)
        }
        (None, Some(about)) => {
            let sent = queries::letter_of(conn, about)?;
            known.letter = sent.as_ref().map(|sent| Letter { id: sent.id.0, is_proven: false });
            sent
        }
        (None, None) => None,
    };
    known.by_thread = queries::answered(conn, &answered)?;
    // A Message-ID can be seen by others: only who was asked answers by it.
    if let (Some((invitation, ticket)), false) = (known.survey, is_survey_proven) {
        let author = Author::of(parsed);
        let is_theirs = author.map(|author| queries::was_asked(conn, invitation, &author.address)).transpose()?;
        if is_theirs != Some(true) {
            known.survey = None;
            known.by_thread.extend(ticket);
        }
    }
    known.by_subject = match route::ticket_number(&parsed.subject) {
        Some(number) => queries::numbered(conn, number)?,
        None => None,
    };
    known.is_going_round = parsed.delivered_to.iter().filter(|address| **address == mailbox.address).count() > 1;
    if let Some(author) = Author::of(parsed) {
        known.is_from_agent = agents::find_by_email(conn, &author.address)?.is_some_and(|agent| agent.disabled_at.is_none());
        known.is_from_mailbox = commands::mailbox_of(conn, &author.address)?.is_some();
        let named: Vec<TicketId> = known.by_thread.iter().copied().chain(known.by_subject).collect();
        known.takes_part_in = queries::takes_part(conn, &named, &author.address)?;
    }
    Ok((known, sent))
}

/// What parsing has to know of the desk before it reads a mail: the mark of its own letters. One query.
pub fn mark(conn: &mut Conn) -> Result<String> {
    Ok(desk_mark(&keys::find(conn)?))
}
