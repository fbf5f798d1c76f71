//! The index of words: written at the end of the transaction of what is said, one row for each message.
//!
//! On SQLite it is an FTS5 table that keeps no text, on PostgreSQL a table with a `tsvector` and a GIN index. The number of a row
//! says which ticket it belongs to, so that the newest tickets are found first and all rows of a ticket stand together.
use super::words;
use crate::Result;
use crate::db::{
    Conn,
    schema::{messages, tickets},
    types::Uid,
};
use crate::each;
use crate::ids::{MessageId, TicketId};
use crate::tickets::Message;
use crate::tickets::model::Ticket;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Nullable, Text, Untyped};
use diesel::sqlite::Sqlite;

/// Low bits of a row's number: which document of its ticket. The bits above are the ticket's number.
pub const ORDER_BITS: u32 = 28;
/// Documents that a verb adds count on from here by the ticket's version; below are those of a ticket that was indexed anew.
const BY_VERSION: i64 = 1 << (ORDER_BITS - 1);
/// Tickets that are indexed at once where all are.
const TICKETS_AT_ONCE: i64 = 500;

/// The number of the first document that a ticket can have.
pub fn first_of(number: i64) -> i64 {
    number << ORDER_BITS
}

/// One row of the index.
struct Document {
    id: i64,
    message_id: Option<MessageId>,
    /// Folded words on SQLite; all of a `tsvector` on PostgreSQL.
    subject: String,
    body: String,
}

impl Document {
    fn new(conn: &Conn, id: i64, subject: &str, message: Option<(MessageId, &str)>) -> Self {
        let (message_id, body) = message.unzip();
        let body = body.unwrap_or("");
        match conn {
            Conn::Pg(_) => Self { id, message_id, subject: String::new(), body: words::vector(subject, body) },
            Conn::Sqlite(_) => Self { id, message_id, subject: words::joined(subject), body: words::joined(body) },
        }
    }

    fn insert(self, conn: &mut Conn) -> Result<()> {
        each!(conn, conn => Insert(self).execute(conn))?;
        Ok(())
    }
}

/// Its text never changes, so diesel keeps it prepared.
struct Insert(Document);

impl QueryFragment<Sqlite> for Insert {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("INSERT INTO search_documents (rowid, subject, body, message_id) VALUES (");
        out.push_bind_param::<BigInt, _>(&self.0.id)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&self.0.subject)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&self.0.body)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Uid>, _>(&self.0.message_id)?;
        out.push_sql(")");
        Ok(())
    }
}
impl QueryFragment<Pg> for Insert {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("INSERT INTO search_documents (id, message_id, words) VALUES (");
        out.push_bind_param::<BigInt, _>(&self.0.id)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Uid>, _>(&self.0.message_id)?;
        out.push_sql(", CAST(");
        out.push_bind_param::<Text, _>(&self.0.body)?;
        out.push_sql(" AS tsvector))");
        Ok(())
    }
}
impl QueryId for Insert {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl Query for Insert {
    type SqlType = Untyped;
}
impl<C> RunQueryDsl<C> for Insert {}

/// A new ticket: its subject, with its first message where it has one. One insert.
pub fn add_ticket(conn: &mut Conn, ticket: &Ticket, message: Option<&Message>) -> Result<()> {
    let message = message.map(|message| (message.id, message.body.as_str()));
    let document = Document::new(conn, first_of(ticket.number), &ticket.subject, message);
    conn.last(ticket.id.0, false, |conn| document.insert(conn))
}

/// One more message, by a verb that makes the ticket's next version. One insert.
pub fn add_message(conn: &mut Conn, ticket: &Ticket, message: &Message) -> Result<()> {
    let id = first_of(ticket.number) + BY_VERSION + i64::from(ticket.version);
    let document = Document::new(conn, id, &ticket.subject, Some((message.id, &message.body)));
    conn.last(ticket.id.0, false, |conn| document.insert(conn))
}

/// A ticket anew, from what is stored: its subject was changed, or messages were changed or removed. Two queries and an insert a message.
pub fn renew(conn: &mut Conn, id: TicketId) -> Result<()> {
    conn.last(id.0, true, move |conn| renew_now(conn, id))
}

fn renew_now(conn: &mut Conn, id: TicketId) -> Result<()> {
    let found: Option<(i64, String)> =
        tickets::table.filter(tickets::id.eq(id)).select((tickets::number, tickets::subject)).first(conn).optional()?;
    let Some((number, subject)) = found else { return Ok(()) };
    let range = (first_of(number), first_of(number + 1));
    let delete = match conn {
        Conn::Pg(_) => "DELETE FROM search_documents WHERE id >= $1 AND id < $2",
        Conn::Sqlite(_) => "DELETE FROM search_documents WHERE rowid >= $1 AND rowid < $2",
    };
    each!(conn, conn => diesel::sql_query(delete).bind::<BigInt, _>(range.0).bind::<BigInt, _>(range.1).execute(conn))?;
    index_of(conn, &[(number, id, subject)])
}

/// Pages of the index that one step rewrites.
const MERGED_PAGES: i64 = 500;

/// Rewrites a part of the index without the words of removed documents, which it would otherwise keep until it grows; says whether
/// more is left. The first step looks at the whole index. On PostgreSQL the vacuum does this.
pub fn forget_removed(conn: &mut Conn, is_first: bool) -> Result<bool> {
    let Conn::Sqlite(conn) = conn else { return Ok(false) };
    let changes = |conn: &mut diesel::SqliteConnection| -> QueryResult<i64> {
        let rows: Vec<One> = diesel::sql_query("SELECT total_changes() AS one").load(conn)?;
        Ok(rows.first().map_or(0, |row| row.one))
    };
    let before = changes(conn)?;
    let pages = if is_first { -MERGED_PAGES } else { MERGED_PAGES };
    diesel::sql_query("INSERT INTO search_documents (search_documents, rank) VALUES ('merge', $1)")
        .bind::<BigInt, _>(pages)
        .execute(conn)?;
    // One change is the order itself.
    Ok(changes(conn)? - before >= 2)
}

/// Writes the documents of tickets that have none.
fn index_of(conn: &mut Conn, found: &[(i64, TicketId, String)]) -> Result<()> {
    let ids: Vec<TicketId> = found.iter().map(|(_, id, _)| *id).collect();
    let of_these = messages::table.filter(messages::ticket_id.eq_any(&ids)).order((messages::at, messages::id));
    let bodies: Vec<(TicketId, MessageId, String)> =
        each!(conn, conn => of_these.select((messages::ticket_id, messages::id, messages::body)).load(conn))?;
    let mut by_ticket: std::collections::HashMap<TicketId, Vec<(MessageId, String)>> = std::collections::HashMap::new();
    for (ticket, id, body) in bodies {
        by_ticket.entry(ticket).or_default().push((id, body));
    }
    let mut documents = Vec::new();
    for (number, id, subject) in found {
        let said = by_ticket.remove(id).unwrap_or_default();
        if said.is_empty() {
            documents.push(Document::new(conn, first_of(*number), subject, None));
        }
        let numbered = (first_of(*number)..).zip(&said);
        documents.extend(numbered.map(|(at, (message, body))| Document::new(conn, at, subject, Some((*message, body)))));
    }
    insert_all(conn, documents)
}

/// One by one on SQLite, all at once on PostgreSQL.
fn insert_all(conn: &mut Conn, documents: Vec<Document>) -> Result<()> {
    let Conn::Pg(conn) = conn else { return documents.into_iter().try_for_each(|document| document.insert(conn)) };
    let ids: Vec<i64> = documents.iter().map(|document| document.id).collect();
    let messages: Vec<Option<MessageId>> = documents.iter().map(|document| document.message_id).collect();
    let words: Vec<String> = documents.into_iter().map(|document| document.body).collect();
    diesel::sql_query(
        "INSERT INTO search_documents (id, message_id, words)
         SELECT id, message_id, CAST(words AS tsvector) FROM unnest($1, $2, $3) AS n(id, message_id, words)",
    )
    .bind::<Array<BigInt>, _>(ids)
    .bind::<Array<Nullable<Uid>>, _>(messages)
    .bind::<Array<Text>, _>(words)
    .execute(conn)?;
    Ok(())
}

/// Indexes every ticket where nothing is indexed yet: a database from before the index, or one that was filled from outside.
/// In the caller's transaction.
pub fn catch_up(conn: &mut Conn) -> Result<()> {
    let any: Vec<One> =
        each!(conn, conn => diesel::sql_query("SELECT CAST(1 AS bigint) AS one FROM search_documents LIMIT 1").load(conn))?;
    if !any.is_empty() {
        return Ok(());
    }
    let mut after = 0;
    loop {
        let next = tickets::table.filter(tickets::number.gt(after)).order(tickets::number).limit(TICKETS_AT_ONCE);
        let found: Vec<(i64, TicketId, String)> = next.select((tickets::number, tickets::id, tickets::subject)).load(conn)?;
        let Some((last, ..)) = found.last() else { return Ok(()) };
        after = *last;
        index_of(conn, &found)?;
    }
}

#[derive(QueryableByName)]
struct One {
    #[diesel(sql_type = BigInt)]
    one: i64,
}
