//! The floors: what the machine can do with the same rows and nothing around them.
//!
//! F1 is a bare actix handler under the same load. F2 writes the captured rows of an operation into a copy of the same SQLite
//! database, 64 operations a transaction, with the desk's own pragmas and cached statements. F3 writes them into a copy of the same
//! PostgreSQL database with `pgbench`, as many clients as the desk has connections.
use super::Failure;
use super::capture::{Value, Write};
use super::load::{self, Measured, Requests};
use super::postgres::Postgres;
use super::process;
use deskbell::db::Conn;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Binary, Nullable, Text, Untyped};
use diesel::sqlite::Sqlite;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// Operations in one transaction of F2.
const PER_TRANSACTION: u64 = 64;
/// Ids that the three operations draw together, at the most.
const IDS: usize = 16;
/// The number of a round of F3.
const ROUND: &str = "\\set r :n * 64 + :client_id";
/// Connections of F3: the desk's pool as shipped.
const CLIENTS: u32 = 10;

/// The rows of the three writing operations, in this order on the same ticket.
pub struct Operations {
    /// A ticket with its message.
    pub create: Vec<Write>,
    /// An answer.
    pub reply: Vec<Write>,
    /// A close.
    pub close: Vec<Write>,
}

impl Operations {
    fn all(&self) -> [&Vec<Write>; 3] {
        [&self.create, &self.reply, &self.close]
    }
}

/// Operations a second.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    /// Creates.
    pub create: f64,
    /// Replies.
    pub reply: f64,
    /// Closes.
    pub close: f64,
}

struct Root;

impl Requests for Root {
    fn write(&self, _: usize, out: &mut Vec<u8>) -> bool {
        out.extend_from_slice(b"GET / HTTP/1.1\r\nHost: desk\r\n\r\n");
        true
    }
}

/// F1.
pub fn bare(warm_up: Duration, measure: Duration) -> Result<Measured, Failure> {
    let server = process::bare()?;
    load::run(server.address, &Root, warm_up, measure)
}

/// The id of a round: newer than all that is there, and newer in later rounds, as the desk's own are.
fn id(round: u64, number: usize) -> Vec<u8> {
    let mut bytes = vec![0x7f, 0xff];
    bytes.extend_from_slice(&round.to_be_bytes());
    bytes.extend_from_slice(&(number as u64).to_be_bytes()[2..]);
    bytes
}

/// The ids of a round, as many as `operations` need.
struct Round {
    ids: Vec<Vec<u8>>,
    key: String,
}

impl Round {
    fn new(round: u64) -> Self {
        Self { ids: (0..IDS).map(|number| id(round, number)).collect(), key: format!("bench-replayed-key-{round:06}") }
    }
}

/// One statement with its values for one round; diesel keeps it prepared by its text.
struct Statement<'a> {
    write: &'a Write,
    round: &'a Round,
}

impl Statement<'_> {
    fn bind<'b>(&'b self, value: &'b Value, out: &mut AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        match value {
            Value::Null => out.push_bind_param::<Nullable<BigInt>, _>(&None::<i64>),
            Value::Int(number) => out.push_bind_param::<BigInt, _>(number),
            Value::Text(text) => out.push_bind_param::<Text, _>(text),
            Value::Bytes(bytes) => out.push_bind_param::<Binary, _>(bytes),
            Value::Key => out.push_bind_param::<Text, _>(&self.round.key),
            // FTS5 numbers its rows by itself.
            Value::Document(_) => out.push_bind_param::<Nullable<BigInt>, _>(&None::<i64>),
            Value::Id(number) => match self.round.ids.get(*number) {
                Some(id) => out.push_bind_param::<Binary, _>(id),
                None => Err(diesel::result::Error::QueryBuilderError("more ids than are drawn".into())),
            },
        }
    }
}

impl QueryFragment<Sqlite> for Statement<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        match self.write {
            Write::Insert(table, columns) => {
                out.push_sql("INSERT INTO ");
                out.push_sql(table);
                for (index, (column, _)) in columns.iter().enumerate() {
                    out.push_sql(if index == 0 { " (" } else { ", " });
                    out.push_sql(column);
                }
                for (index, (_, value)) in columns.iter().enumerate() {
                    out.push_sql(if index == 0 { ") VALUES (" } else { ", " });
                    self.bind(value, &mut out)?;
                }
                out.push_sql(")");
            }
            Write::Update(table, columns, (key, named)) => {
                out.push_sql("UPDATE ");
                out.push_sql(table);
                for (index, (column, value)) in columns.iter().enumerate() {
                    out.push_sql(if index == 0 { " SET " } else { ", " });
                    out.push_sql(column);
                    out.push_sql(" = ");
                    self.bind(value, &mut out)?;
                }
                out.push_sql(" WHERE ");
                out.push_sql(key);
                out.push_sql(" = ");
                self.bind(named, &mut out)?;
            }
        }
        Ok(())
    }
}

impl QueryId for Statement<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl Query for Statement<'_> {
    type SqlType = Untyped;
}
impl<C> RunQueryDsl<C> for Statement<'_> {}

/// F2, on a copy of the desk's database.
pub fn sqlite(url: &str, operations: &Operations, measure: Duration) -> Result<Written, Failure> {
    let Conn::Sqlite(mut conn) = Conn::open(url)? else { return Err("F2 is for SQLite".into()) };
    let mut rounds = u64::MAX;
    let mut written = [0.0; 3];
    for (operation, per_second) in operations.all().into_iter().zip(&mut written) {
        let (started, mut round) = (Instant::now(), 0);
        // The later two change the tickets that the first one made.
        while started.elapsed() < measure && round < rounds {
            conn.immediate_transaction(|conn| {
                let rounds: Vec<Round> = (round..round + PER_TRANSACTION).map(Round::new).collect();
                // As the desk does it, the words of all come last: each statement between them would have SQLite write them out.
                for is_last in [false, true] {
                    for round in &rounds {
                        for write in operation.iter().filter(|write| (write.table() == "search_documents") == is_last) {
                            if (Statement { write, round }).execute(conn)? != 1 {
                                return Err(diesel::result::Error::NotFound);
                            }
                        }
                    }
                }
                Ok(())
            })?;
            round += PER_TRANSACTION;
        }
        *per_second = round as f64 / started.elapsed().as_secs_f64();
        rounds = rounds.min(round);
    }
    let [create, reply, close] = written;
    Ok(Written { create, reply, close })
}

/// F3, on a copy of the desk's database.
pub fn postgres(server: &Postgres, database: &str, operations: &Operations, measure: Duration) -> Result<Written, Failure> {
    let [create, reply, close] = operations.all().map(|operation| script(operation));
    // How many rounds fit into the time; their tickets are apart from those of the measured rounds.
    let trial = create.replace(ROUND, "\\set r 1000000000000 + :n * 64 + :client_id");
    let per_second = server.pgbench(database, &trial, CLIENTS, ("-T", 2))?;
    let each = (per_second * measure.as_secs_f64() / f64::from(CLIENTS)).max(1.0) as u64;
    let span = ("-t", each);
    Ok(Written {
        create: server.pgbench(database, &create, CLIENTS, span)?,
        reply: server.pgbench(database, &reply, CLIENTS, span)?,
        close: server.pgbench(database, &close, CLIENTS, span)?,
    })
}

fn script(operation: &[Write]) -> String {
    let mut script = format!("{ROUND}\n\\set n :n + 1\nBEGIN;\n");
    let literal = |value: &Value| match value {
        Value::Null => "NULL".to_owned(),
        Value::Int(number) => number.to_string(),
        // pgbench takes every `:name` for a variable, in quotes too.
        Value::Text(text) => format!("U&'{}'", text.replace('\\', "\\\\").replace('\'', "''").replace(':', "\\003A")),
        Value::Bytes(_) => "NULL".to_owned(),
        Value::Key => "'bench-replayed-key-' || :r::bigint".to_owned(),
        // Above all that are there, and above those of the trial where it is one.
        Value::Document(is_later) => format!("(1152921504606846976 + :r::bigint * 2 + {})", i64::from(*is_later)),
        Value::Id(number) => format!("('7fff' || lpad(to_hex(:r::bigint), 16, '0') || '{number:012x}')::uuid"),
    };
    for write in operation {
        let _ = match write {
            Write::Insert(table, columns) => {
                let names: Vec<&str> = columns.iter().map(|(column, _)| column.as_str()).collect();
                let values: Vec<String> = columns.iter().map(|(_, value)| literal(value)).collect();
                writeln!(script, "INSERT INTO {table} ({}) VALUES ({});", names.join(", "), values.join(", "))
            }
            Write::Update(table, columns, (key, named)) => {
                let set: Vec<String> = columns.iter().map(|(column, value)| format!("{column} = {}", literal(value))).collect();
                writeln!(script, "UPDATE {table} SET {} WHERE {key} = {};", set.join(", "), literal(named))
            }
        };
    }
    script.push_str("END;\n");
    script
}
