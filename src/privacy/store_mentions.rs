//! What other people wrote, looked through for a person's addresses and numbers: a page of one column at a time.
use super::mentions::Sought;
use crate::db::schema::{attachments, erased_words, idempotency_keys, inbound_mails, inbound_raws, messages, tickets};
use crate::db::{
    Conn,
    ext::OnConflictExt,
    types::{Json, Time, Uid},
};
use crate::each;
use crate::error::Result;
use crate::ids::{AttachmentId, ContactId, InboundMailId, MessageId, TicketId, TokenId};
use crate::tickets::search::index;
use crate::timeline::ActorId;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Rows that one look gives at the most.
const ROWS_AT_ONCE: usize = 500;

/// A row, by the column that the look goes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// By id.
    Id(Uuid),
    /// By number.
    Number(i64),
}

/// Which tickets show a changed row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shows {
    /// None.
    Nowhere,
    /// The ticket that the row is.
    Ticket,
    /// The ticket of the message that the row is.
    Message,
}

/// A column in which people write.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    table: &'static str,
    key: &'static str,
    column: &'static str,
    is_numbered: bool,
    is_document: bool,
    shows: Shows,
}

const fn text(table: &'static str, key: &'static str, column: &'static str) -> Place {
    Place { table, key, column, is_numbered: false, is_document: false, shows: Shows::Nowhere }
}

const fn document(table: &'static str, key: &'static str, column: &'static str) -> Place {
    Place { is_document: true, ..text(table, key, column) }
}

/// Every column in which somebody may have written another person's address or number.
pub const PLACES: [Place; 21] = [
    Place { shows: Shows::Message, ..text("messages", "id", "body") },
    Place { shows: Shows::Message, ..document("messages", "id", "bounce") },
    Place { shows: Shows::Ticket, ..text("tickets", "id", "subject") },
    Place { shows: Shows::Ticket, ..document("tickets", "id", "fields") },
    text("ticket_fields", "ticket_id", "value"),
    Place { is_numbered: true, ..document("events", "id", "data") },
    text("survey_responses", "id", "comment"),
    text("survey_revisions", "response_id", "comment"),
    text("survey_reviews", "response_id", "note"),
    text("survey_followups", "response_id", "why"),
    text("survey_attempts", "id", "note"),
    text("calls", "id", "transcript"),
    Place { is_numbered: true, ..text("call_events", "id", "transcript") },
    text("mails", "id", "subject"),
    text("mails", "id", "text_body"),
    text("mails", "id", "html_body"),
    text("inbound_mails", "id", "subject"),
    text("webhook_attempts", "delivery_id", "answer"),
    text("webhook_attempts", "delivery_id", "error"),
    text("canned_replies", "id", "body"),
    document("saved_views", "id", "filter"),
];

/// A text that changes.
#[derive(Debug, Clone)]
pub struct Change {
    key: Key,
    before: String,
    after: String,
}

#[derive(QueryableByName)]
struct ById {
    #[diesel(sql_type = Uid)]
    key: ActorId,
    #[diesel(sql_type = Text)]
    text: String,
}

#[derive(QueryableByName)]
struct ByNumber {
    #[diesel(sql_type = BigInt)]
    key: i64,
    #[diesel(sql_type = Text)]
    text: String,
}

impl Place {
    /// Where a look begins.
    pub fn start(&self) -> Key {
        if self.is_numbered { Key::Number(-1) } else { Key::Id(Uuid::nil()) }
    }

    fn changed(&self, sought: &Sought, text: &str) -> Option<String> {
        if !self.is_document {
            return sought.scrubbed(text);
        }
        let value = serde_json::from_str(text).ok()?;
        sought.scrubbed_json(&value).map(|value| value.to_string())
    }

    /// The next rows that say what is looked for, and where to go on; none where all were looked at. One query.
    pub fn next(&self, conn: &mut Conn, sought: &Sought, after: Key) -> Result<(Vec<Change>, Option<Key>)> {
        let Self { table, key, column, .. } = self;
        let wanted: Vec<String> =
            (2..).zip(sought.patterns()).map(|(at, _)| format!("lower(CAST({column} AS TEXT)) LIKE ${at}")).collect();
        let sql = format!(
            "SELECT {key} AS key, CAST({column} AS TEXT) AS text FROM {table} WHERE {key} > $1 AND ({}) ORDER BY {key} LIMIT {ROWS_AT_ONCE}",
            wanted.join(" OR ")
        );
        macro_rules! rows {
            ($row:ty, $first:expr, $sql_type:ty) => {
                each!(conn, conn => {
                    let mut query = diesel::sql_query(sql).into_boxed().bind::<$sql_type, _>($first);
                    for pattern in sought.patterns() {
                        query = query.bind::<Text, _>(pattern);
                    }
                    query.load::<$row>(conn)
                })?
            };
        }
        let mut rows: Vec<(Key, String)> = match after {
            Key::Id(id) => rows!(ById, ActorId(id), Uid).into_iter().map(|row: ById| (Key::Id(row.key.0), row.text)).collect(),
            Key::Number(number) => {
                rows!(ByNumber, number, BigInt).into_iter().map(|row: ByNumber| (Key::Number(row.key), row.text)).collect()
            }
        };
        let last = rows.last().map(|row| row.0);
        let mut go_on = None;
        if rows.len() >= ROWS_AT_ONCE {
            // What has the last row's key may go on behind this page: it is looked at again as a whole.
            let whole: Vec<(Key, String)> = rows.iter().filter(|row| Some(row.0) != last).cloned().collect();
            rows = if whole.is_empty() { rows } else { whole };
            go_on = rows.last().map(|row| row.0);
        }
        let changes = rows.into_iter().filter_map(|(key, before)| {
            let after = self.changed(sought, &before)?;
            Some(Change { key, before, after })
        });
        Ok((changes.collect(), go_on))
    }

    /// Writes what changes, where it still stands; tickets that show it have another version and are found by their new words.
    pub fn write(&self, conn: &mut Conn, changes: &[Change]) -> Result<()> {
        let Self { table, key, column, .. } = self;
        let kind = if self.is_document && matches!(conn, Conn::Pg(_)) { "jsonb" } else { "TEXT" };
        let sql = format!("UPDATE {table} SET {column} = CAST($1 AS {kind}) WHERE {key} = $2 AND CAST({column} AS TEXT) = $3");
        for Change { key, before, after } in changes {
            each!(conn, conn => {
                let query = diesel::sql_query(&sql).bind::<Text, _>(after);
                match key {
                    Key::Id(id) => query.bind::<Uid, _>(ActorId(*id)).bind::<Text, _>(before).execute(conn),
                    Key::Number(number) => query.bind::<BigInt, _>(*number).bind::<Text, _>(before).execute(conn),
                }
            })?;
        }
        let ids = || changes.iter().filter_map(|change| if let Key::Id(id) = change.key { Some(id) } else { None });
        match self.shows {
            Shows::Nowhere => Ok(()),
            Shows::Ticket => renewed(conn, ids().map(TicketId)),
            Shows::Message => {
                let said: Vec<MessageId> = ids().map(MessageId).collect();
                changed_messages(conn, &said)
            }
        }
    }
}

/// Tickets that show something else now.
fn renewed(conn: &mut Conn, ids: impl IntoIterator<Item = TicketId>) -> Result<()> {
    let ids: BTreeSet<TicketId> = ids.into_iter().collect();
    diesel::update(tickets::table.filter(tickets::id.eq_any(&ids)))
        .set(tickets::version.eq(tickets::version + 1))
        .execute(conn)?;
    ids.into_iter().try_for_each(|id| index::renew(conn, id))
}

/// Messages that say something else now: what they came as would still say it, and goes.
fn changed_messages(conn: &mut Conn, said: &[MessageId]) -> Result<()> {
    let came_as = inbound_mails::table.filter(inbound_mails::message_id.eq_any(said)).select(inbound_mails::id);
    let came_as: Vec<InboundMailId> = came_as.load(conn)?;
    diesel::delete(inbound_raws::table.filter(inbound_raws::mail_id.eq_any(&came_as))).execute(conn)?;
    let of: Vec<TicketId> = messages::table.filter(messages::id.eq_any(said)).select(messages::ticket_id).load(conn)?;
    renewed(conn, of)
}

/// What the person wrote on tickets of other people. One query.
pub(super) fn said_elsewhere(conn: &mut Conn, id: ContactId) -> Result<Vec<MessageId>> {
    let theirs = messages::table.inner_join(tickets::table.on(tickets::id.eq(messages::ticket_id)));
    let theirs =
        theirs.filter(messages::contact_id.eq(id).and(tickets::contact_id.ne(id)).and(messages::body.ne(super::model::ERASED)));
    Ok(theirs.select(messages::id).load(conn)?)
}

/// Empties what the person wrote on tickets of other people; gives the files whose bytes have to go.
pub(super) fn erase_said(conn: &mut Conn, said: &[MessageId]) -> Result<Vec<(AttachmentId, DateTime<Utc>)>> {
    let of_these = attachments::table.filter(attachments::message_id.eq_any(said));
    let files: Vec<(AttachmentId, Time)> = of_these.select((attachments::id, attachments::created_at)).load(conn)?;
    diesel::delete(attachments::table.filter(attachments::message_id.eq_any(said))).execute(conn)?;
    diesel::update(messages::table.filter(messages::id.eq_any(said)))
        .set((
            messages::body.eq(super::model::ERASED),
            messages::mail_message_id.eq(None::<String>),
            messages::attachments.eq(None::<Json>),
            messages::bounce.eq(None::<Json>),
        ))
        .execute(conn)?;
    changed_messages(conn, said)?;
    Ok(files.into_iter().map(|(id, at)| (id, at.0)).collect())
}

/// Answers kept for retries that say what is looked for. One query.
pub(super) fn answers_naming(conn: &mut Conn, sought: &Sought) -> Result<Vec<(TokenId, String)>> {
    use idempotency_keys as k;
    let mut found = Vec::new();
    for pattern in sought.patterns() {
        let like = diesel::dsl::sql::<diesel::sql_types::Bool>("lower(body) LIKE ").bind::<Text, _>(pattern);
        let rows: Vec<(TokenId, String, String)> =
            each!(conn, conn => k::table.filter(like).select((k::token_id, k::key, k::body)).load(conn))?;
        found.extend(rows.into_iter().filter(|row| sought.scrubbed(&row.2).is_some()).map(|row| (row.0, row.1)));
    }
    Ok(found)
}

/// Forgets answers kept for retries.
pub(super) fn forget(conn: &mut Conn, keys: &[(TokenId, String)]) -> Result<()> {
    for (token, key) in keys {
        diesel::delete(idempotency_keys::table.find((*token, key))).execute(conn)?;
    }
    Ok(())
}

/// Keeps what is to be looked for, until everything was looked through.
pub(super) fn keep_words(conn: &mut Conn, id: ContactId, words: &[String]) -> Result<()> {
    for word in words {
        diesel::insert_into(erased_words::table)
            .values((erased_words::contact_id.eq(id), erased_words::word.eq(word)))
            .or_ignore()
            .execute(conn)?;
    }
    Ok(())
}

/// What is to be looked for still.
pub(super) fn words_left(conn: &mut Conn, id: ContactId) -> Result<Vec<String>> {
    Ok(erased_words::table.filter(erased_words::contact_id.eq(id)).select(erased_words::word).load(conn)?)
}

/// Everything was looked through.
pub(super) fn words_done(conn: &mut Conn, id: ContactId) -> Result<()> {
    diesel::delete(erased_words::table.filter(erased_words::contact_id.eq(id))).execute(conn)?;
    Ok(())
}
