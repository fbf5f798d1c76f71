//! The statements of the search: the same rows from FTS5 and from `tsvector`.
use super::index::ORDER_BITS;
use crate::Result;
use crate::db::{
    Conn,
    types::{Time, Uid, uid_column},
};
use crate::each;
use crate::ids::MessageId;
use crate::tickets::queries::{Filter, PromiseState};
use chrono::{DateTime, Utc};
use diesel::backend::Backend;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, HasSqlType, Text};
use diesel::sqlite::Sqlite;
use std::collections::HashMap;

/// Characters of a message that a snippet is taken from.
const SNIPPET_FROM_CHARS: i64 = 20_000;

/// Document, ticket, subject, due, received, updated.
pub type Row = (i64, i64, String, Time, Time, Time);

/// An id of whatever kind in a condition.
#[derive(Clone, Copy, Debug, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
#[diesel(sql_type = Uid)]
pub struct AnyId(pub uuid::Uuid);
uid_column!(AnyId);

/// What a condition compares with.
pub enum Value {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// An id.
    Id(AnyId),
    /// The condition compares with nothing.
    Nothing,
}

/// A condition on the ticket `t`: what stands before the value, the value, what stands after it.
pub type Condition = (&'static str, Value, &'static str);

/// What a list filters by, as conditions on the ticket `t`. A new field of the filter does not compile before it has one.
pub fn conditions(filter: &Filter, now: DateTime<Utc>) -> Vec<Condition> {
    let Filter {
        status,
        is_active,
        channel,
        priority,
        team_id,
        assignee_id,
        is_unassigned,
        organization_id,
        contact_id,
        tag,
        fields,
        promise,
        received_from,
        received_to,
        number,
    } = filter;
    let mut all: Vec<Condition> = Vec::new();
    let text = |text: &str| Value::Text(text.to_owned());
    let at = |at: DateTime<Utc>| Value::Number(at.timestamp_micros());
    let mut add = |before, value: Option<Value>, after| all.extend(value.map(|value| (before, value, after)));
    add("t.status = ", status.map(|status| text(status.as_str())), "");
    add("t.channel = ", channel.map(|channel| text(channel.as_str())), "");
    add("t.priority = ", priority.map(|priority| text(priority.as_str())), "");
    add("t.team_id = ", team_id.map(|id| Value::Id(AnyId(id.0))), "");
    add("t.assignee_id = ", assignee_id.map(|id| Value::Id(AnyId(id.0))), "");
    add("t.organization_id = ", organization_id.map(|id| Value::Id(AnyId(id.0))), "");
    add("t.contact_id = ", contact_id.map(|id| Value::Id(AnyId(id.0))), "");
    add("t.received_at >= ", received_from.map(at), "");
    add("t.received_at < ", received_to.map(at), "");
    add("t.number = ", number.map(Value::Number), "");
    let tagged = "EXISTS (SELECT 1 FROM ticket_tags AS g WHERE g.ticket_id = t.id AND g.tag = ";
    add(tagged, tag.as_deref().map(text), ")");
    // Two conditions each, that are read as one: between them stands an AND.
    for (key, value) in fields {
        match value {
            Some(value) => {
                add("EXISTS (SELECT 1 FROM ticket_fields AS f WHERE f.ticket_id = t.id AND f.key = ", Some(text(key)), "");
                add("f.value = ", Some(text(value)), ")");
            }
            None => {
                add("NOT EXISTS (SELECT 1 FROM ticket_fields AS f WHERE f.ticket_id = t.id AND f.key = ", Some(text(key)), ")")
            }
        }
    }
    let is_null = |is: bool, null: &'static str, not_null: &'static str| if is { null } else { not_null };
    if let Some(is_active) = is_active {
        add(is_null(*is_active, "t.closed_at IS NULL", "t.closed_at IS NOT NULL"), Some(Value::Nothing), "");
    }
    if let Some(is_unassigned) = is_unassigned {
        add(is_null(*is_unassigned, "t.assignee_id IS NULL", "t.assignee_id IS NOT NULL"), Some(Value::Nothing), "");
    }
    let (now, never) = (|| Some(at(now)), || Some(at(crate::sla::model::NEVER)));
    match promise {
        Some(PromiseState::Breached) => add("(t.promises_breached > 0 OR t.promise_due_at < ", now(), ")"),
        Some(PromiseState::AtRisk) => {
            add("t.promises_breached = 0 AND t.promise_warn_at <= ", now(), "");
            add("t.promise_due_at >= ", now(), "");
        }
        Some(PromiseState::Running) => {
            add("t.promises_breached = 0 AND t.promise_warn_at > ", now(), "");
            add("t.promise_due_at >= ", now(), "");
            add("t.promise_due_at < ", never(), "");
        }
        Some(PromiseState::Met) => {
            add("t.promises_breached = 0 AND t.promises_met > 0 AND t.promise_due_at >= ", never(), "");
        }
        None => {}
    }
    all
}

/// What is looked for, in the notation of the database, among which tickets.
pub struct Search {
    /// Among these tickets.
    pub conditions: Vec<Condition>,
    /// What is looked for.
    pub notation: String,
}

impl Search {
    /// Documents below a number that match and whose tickets pass the filter, newest tickets first, of the newest `limit` that match.
    pub fn rows(&self, conn: &mut Conn, below: i64, limit: i64) -> Result<Vec<Row>> {
        let rows = Rows { search: self, below, limit };
        Ok(each!(conn, conn => rows.load(conn))?)
    }

    /// The oldest of the newest `limit` documents that match, of which `rows` gave so many up to this one; none where fewer match:
    /// nothing older is left. A query where the filter may have left some out.
    pub fn floor(&self, conn: &mut Conn, (given, oldest): (usize, Option<i64>), below: i64, limit: i64) -> Result<Option<i64>> {
        if self.conditions.is_empty() {
            return Ok(oldest.filter(|_| given as i64 >= limit));
        }
        let floor = Floor { search: self, below, limit };
        let (count, oldest): (i64, Option<i64>) = each!(conn, conn => floor.get_result(conn))?;
        Ok(oldest.filter(|_| count >= limit))
    }
}

/// The documents that match: lazily and newest first on both, so that a common word costs no more than a rare one.
fn matching_sqlite<'b>(out: &mut AstPass<'_, 'b, Sqlite>, search: &'b Search, below: &'b i64, limit: &'b i64) -> QueryResult<()> {
    out.push_sql("(SELECT rowid AS id FROM search_documents WHERE search_documents MATCH ");
    out.push_bind_param::<Text, _>(&search.notation)?;
    out.push_sql(" AND rowid < ");
    out.push_bind_param::<BigInt, _>(below)?;
    out.push_sql(" ORDER BY rowid DESC LIMIT ");
    out.push_bind_param::<BigInt, _>(limit)?;
    out.push_sql(") AS m");
    Ok(())
}

/// Of the newest documents, so many are looked at to tell a common word from a rare one.
const SAMPLE: i64 = 100;
/// What so many of them hold is common.
const COMMON: i64 = 2;

/// The same. What is common stands in the newest documents, one after the other; what is rare is found by the index of words, and
/// sorted. The planner cannot tell which is which (it takes every prefix for equally common), so the newest documents do, and
/// each branch is written so that it can be run in one way only.
fn matching_postgres<'b>(out: &mut AstPass<'_, 'b, Pg>, search: &'b Search, below: &'b i64, limit: &'b i64) -> QueryResult<()> {
    let matches = |out: &mut AstPass<'_, 'b, Pg>| {
        out.push_sql("words @@ CAST(");
        out.push_bind_param::<Text, _>(&search.notation)?;
        out.push_sql(" AS tsquery)");
        QueryResult::Ok(())
    };
    let up_to = |out: &mut AstPass<'_, 'b, Pg>| out.push_bind_param::<BigInt, _>(below);
    out.push_sql("(WITH newest AS MATERIALIZED (SELECT count(*) >= ");
    out.push_sql(&COMMON.to_string());
    out.push_sql(" AS is_common FROM (SELECT words FROM search_documents WHERE id < ");
    up_to(out)?;
    out.push_sql(" ORDER BY id DESC LIMIT ");
    out.push_sql(&SAMPLE.to_string());
    out.push_sql(") AS n WHERE ");
    matches(out)?;
    out.push_sql(") (SELECT id FROM search_documents WHERE (SELECT is_common FROM newest) AND id < ");
    up_to(out)?;
    out.push_sql(" AND (");
    matches(out)?;
    out.push_sql(") IS TRUE ORDER BY id DESC LIMIT ");
    out.push_bind_param::<BigInt, _>(limit)?;
    out.push_sql(") UNION ALL (SELECT id FROM search_documents WHERE NOT (SELECT is_common FROM newest) AND id + 0 < ");
    up_to(out)?;
    out.push_sql(" AND ");
    matches(out)?;
    out.push_sql(" ORDER BY id + 0 DESC LIMIT ");
    out.push_bind_param::<BigInt, _>(limit)?;
    out.push_sql(")) AS m");
    Ok(())
}

struct Rows<'a> {
    search: &'a Search,
    below: i64,
    limit: i64,
}

const ROWS: &str = "SELECT m.id, t.number, t.subject, t.promise_due_at, t.received_at, t.updated_at FROM ";

fn tickets_of<'b, DB>(out: &mut AstPass<'_, 'b, DB>, search: &'b Search) -> QueryResult<()>
where
    DB: Backend + HasSqlType<Uid> + HasSqlType<Text> + HasSqlType<BigInt>,
    i64: ToSql<BigInt, DB>,
    String: ToSql<Text, DB>,
    AnyId: ToSql<Uid, DB>,
{
    // SQLite keeps the order of a CROSS JOIN: for each document its ticket, whatever other index there is.
    out.push_sql(" CROSS JOIN tickets AS t WHERE t.number = (m.id >> ");
    out.push_sql(&ORDER_BITS.to_string());
    out.push_sql(")");
    for (before, value, after) in &search.conditions {
        out.push_sql(" AND ");
        out.push_sql(before);
        match value {
            Value::Text(text) => out.push_bind_param::<Text, _>(text)?,
            Value::Number(number) => out.push_bind_param::<BigInt, _>(number)?,
            Value::Id(id) => out.push_bind_param::<Uid, _>(id)?,
            Value::Nothing => {}
        }
        out.push_sql(after);
    }
    out.push_sql(" ORDER BY m.id DESC");
    Ok(())
}

impl QueryFragment<Sqlite> for Rows<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(ROWS);
        matching_sqlite(&mut out, self.search, &self.below, &self.limit)?;
        tickets_of(&mut out, self.search)
    }
}
impl QueryFragment<Pg> for Rows<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(ROWS);
        matching_postgres(&mut out, self.search, &self.below, &self.limit)?;
        tickets_of(&mut out, self.search)
    }
}

struct Floor<'a> {
    search: &'a Search,
    below: i64,
    limit: i64,
}

const FLOOR: &str = "SELECT count(*), min(m.id) FROM ";

impl QueryFragment<Sqlite> for Floor<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(FLOOR);
        matching_sqlite(&mut out, self.search, &self.below, &self.limit)
    }
}
impl QueryFragment<Pg> for Floor<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(FLOOR);
        matching_postgres(&mut out, self.search, &self.below, &self.limit)
    }
}

/// Repeats the last one until their count is a power of two, so that few texts of the statement are kept prepared.
fn padded(mut ids: Vec<i64>) -> Vec<i64> {
    if let Some(last) = ids.last().copied() {
        ids.resize(ids.len().next_power_of_two(), last);
    }
    ids
}

/// The messages of documents.
struct Said(Vec<i64>);

/// The messages of documents, by document. One query.
pub fn said(conn: &mut Conn, documents: Vec<i64>) -> Result<HashMap<i64, (MessageId, String)>> {
    if documents.is_empty() {
        return Ok(HashMap::new());
    }
    let said = Said(padded(documents));
    let rows: Vec<(i64, MessageId, String)> = each!(conn, conn => said.load(conn))?;
    Ok(rows.into_iter().map(|(id, message, body)| (id, (message, body))).collect())
}

impl Said {
    fn walk<'b, DB>(&'b self, out: &mut AstPass<'_, 'b, DB>, id: &str) -> QueryResult<()>
    where
        DB: Backend + HasSqlType<BigInt>,
        i64: ToSql<BigInt, DB>,
    {
        out.push_sql(&format!("SELECT d.{id}, s.id, substr(s.body, 1, {SNIPPET_FROM_CHARS}) FROM search_documents AS d"));
        out.push_sql(&format!(" CROSS JOIN messages AS s WHERE s.id = d.message_id AND d.{id} IN ("));
        for (index, id) in self.0.iter().enumerate() {
            out.push_sql(if index == 0 { "" } else { ", " });
            out.push_bind_param::<BigInt, _>(id)?;
        }
        out.push_sql(")");
        Ok(())
    }
}
impl QueryFragment<Sqlite> for Said {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.walk(&mut out, "rowid")
    }
}
impl QueryFragment<Pg> for Said {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.walk(&mut out, "id")
    }
}

macro_rules! queries {
    ($($name:ty: $rows:ty),+) => { $(
        impl QueryId for $name {
            type QueryId = ();
            const HAS_STATIC_QUERY_ID: bool = false;
        }
        impl Query for $name {
            type SqlType = $rows;
        }
        impl<C> RunQueryDsl<C> for $name {}
    )+ };
}
queries!(
    Rows<'_>: (BigInt, BigInt, Text, BigInt, BigInt, BigInt),
    Floor<'_>: (BigInt, diesel::sql_types::Nullable<BigInt>),
    Said: (BigInt, Uid, Text)
);
