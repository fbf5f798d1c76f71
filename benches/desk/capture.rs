//! What one request writes, learned by comparing the whole of a small database before and after it.
use super::Failure;
use super::dialect::Dialect;
use deskbell::db::Conn;
use deskbell::tickets::search::{self, words};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// The key that the captured request carries; each replayed one gets its own.
pub const KEY: &str = "bench-captured-key-000001";

/// A value as a floor writes it.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// NULL.
    Null,
    /// A whole number.
    Int(i64),
    /// Text; on PostgreSQL the text of any value.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// The idempotency key of this round.
    Key,
    /// An id of this round, by its number.
    Id(usize),
    /// The number of a document of words of this round: the ticket's first, or a later one.
    Document(bool),
}

/// One row that is written.
#[derive(Clone, Debug)]
pub enum Write {
    /// A new row; columns that the database numbers by itself are left out.
    Insert(String, Vec<(String, Value)>),
    /// Columns that changed, and the key of the row.
    Update(String, Vec<(String, Value)>, (String, Value)),
}

impl Write {
    /// Its table.
    pub fn table(&self) -> &str {
        match self {
            Self::Insert(table, _) | Self::Update(table, ..) => table,
        }
    }
}

/// Tables, rows by key, values by column.
type Dump = BTreeMap<String, BTreeMap<String, Vec<Value>>>;

struct Table {
    name: String,
    columns: Vec<String>,
    /// The column that names a row.
    key: usize,
    /// The column that the database numbers.
    numbered: Option<usize>,
}

/// A database that is watched.
pub struct Watched {
    conn: Conn,
    dialect: Dialect,
    tables: Vec<Table>,
    before: Dump,
    ids: Vec<Vec<u8>>,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

fn lines(conn: &mut Conn, sql: &str) -> Result<Vec<Vec<Json>>, Failure> {
    let rows: Vec<Line> = match conn {
        Conn::Pg(conn) => sql_query(sql).load(conn)?,
        Conn::Sqlite(conn) => sql_query(sql).load(conn)?,
    };
    rows.into_iter().map(|row| Ok(serde_json::from_str(&row.line)?)).collect()
}

/// Table, column, and whether it is the primary key, and a numbered one.
fn columns(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => {
            "SELECT json_array(t.name, c.name, c.pk > 0, c.pk = 1 AND c.type = 'INTEGER') AS line FROM sqlite_master t
             JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name NOT LIKE '\\_\\_%' ESCAPE '\\'
             AND t.name NOT LIKE 'search_documents%'
             ORDER BY t.name, c.cid"
        }
        Dialect::Postgres => {
            "SELECT json_build_array(c.table_name, c.column_name, EXISTS (SELECT 1 FROM pg_index x JOIN pg_attribute a
                ON a.attrelid = x.indrelid AND a.attnum = ANY (x.indkey) WHERE x.indisprimary
                AND x.indrelid = c.table_name::regclass AND a.attname = c.column_name), c.is_identity = 'YES')::text AS line
             FROM information_schema.columns c WHERE c.table_schema = 'public' AND c.table_name NOT LIKE '\\_\\_%'
             ORDER BY c.table_name, c.ordinal_position"
        }
    }
}

fn text(value: Option<&Json>) -> String {
    value.and_then(Json::as_str).unwrap_or_default().to_owned()
}

/// SQLite's JSON says 1 and PostgreSQL's says true.
fn holds(value: Option<&Json>) -> bool {
    value.is_some_and(|value| value.as_bool().unwrap_or(false) || value.as_i64() == Some(1))
}

impl Watched {
    /// Looks at a small database for the first time.
    pub fn open(url: &str, dialect: Dialect) -> Result<Self, Failure> {
        let mut conn = Conn::open(url)?;
        let mut tables: Vec<Table> = Vec::new();
        for line in lines(&mut conn, columns(dialect))? {
            let (name, column) = (text(line.first()), text(line.get(1)));
            if tables.last().is_none_or(|table| table.name != name) {
                tables.push(Table { name, columns: Vec::new(), key: usize::MAX, numbered: None });
            }
            let Some(table) = tables.last_mut() else { continue };
            let index = table.columns.len();
            let is_numbered = holds(line.get(3));
            table.numbered = table.numbered.or(is_numbered.then_some(index));
            // An id names a row; where there is none, the first column of the key does.
            if column == "id" || (table.key == usize::MAX && holds(line.get(2)) && !is_numbered) {
                table.key = index;
            }
            table.columns.push(column);
        }
        tables.retain(|table| table.key < table.columns.len());
        let mut watched = Self { conn, dialect, tables, before: Dump::new(), ids: Vec::new() };
        watched.before = watched.dump()?;
        Ok(watched)
    }

    fn dump(&mut self) -> Result<Dump, Failure> {
        let mut dump = Dump::new();
        for table in &self.tables {
            let shown: Vec<String> = match self.dialect {
                Dialect::Sqlite => table.columns.iter().map(|column| format!("quote({column})")).collect(),
                Dialect::Postgres => table.columns.iter().map(|column| format!("{column}::text")).collect(),
            };
            let build = if self.dialect == Dialect::Sqlite { "json_array" } else { "json_build_array" };
            let sql = format!("SELECT CAST({build}({}) AS text) AS line FROM {}", shown.join(", "), table.name);
            let rows = dump.entry(table.name.clone()).or_default();
            for line in lines(&mut self.conn, &sql)? {
                let values = line.iter().map(|json| self.dialect.read(json)).collect::<Result<Vec<Value>, Failure>>()?;
                rows.insert(format!("{:?}", values.get(table.key)), values);
            }
        }
        Ok(dump)
    }

    /// What was written since the last look; tables that `ignored` names are left out. Ids count on from earlier looks.
    pub fn look(&mut self, ignored: &[&str]) -> Result<Vec<Write>, Failure> {
        let after = self.dump()?;
        let mut writes = Vec::new();
        for table in self.tables.iter().filter(|table| !ignored.contains(&table.name.as_str())) {
            let (Some(old), Some(new)) = (self.before.get(&table.name), after.get(&table.name)) else { continue };
            for (key, values) in new {
                let named = |(column, value): (&String, &Value)| (column.clone(), value.clone());
                let own = table.columns.get(table.key).zip(values.get(table.key)).ok_or("a row without a key")?;
                let Some(was) = old.get(key) else {
                    if let (Some(id), true) = (self.dialect.id_bytes(own.1), own.0 == "id") {
                        self.ids.push(id);
                    }
                    let columns =
                        table.columns.iter().zip(values).enumerate().filter(|(index, _)| Some(*index) != table.numbered);
                    writes.push(Write::Insert(table.name.clone(), columns.map(|(_, pair)| named(pair)).collect()));
                    continue;
                };
                let changed: Vec<_> =
                    table.columns.iter().zip(values.iter().zip(was)).filter(|(_, (value, was))| value != was).collect();
                if !changed.is_empty() {
                    let set = changed.into_iter().map(|(column, (value, _))| (column.clone(), value.clone())).collect();
                    writes.push(Write::Update(table.name.clone(), set, named(own)));
                }
            }
        }
        if self.dialect == Dialect::Sqlite {
            self.add_words(&mut writes, &after)?;
        }
        self.before = after;
        // Parents first, for the foreign keys.
        let rank = |table: &str| ["tickets", "survey_invitations"].iter().position(|first| *first == table).unwrap_or(usize::MAX);
        writes.sort_by_key(|write| rank(write.table()));
        Ok(writes.into_iter().map(|write| self.generalize(write)).collect())
    }

    /// SQLite's index of words keeps no text that could be seen: each new message has its row in it.
    fn add_words(&self, writes: &mut Vec<Write>, after: &Dump) -> Result<(), Failure> {
        let said = |columns: &[(String, Value)], name: &str| {
            columns.iter().find(|(column, _)| column == name).map(|(_, value)| value.clone())
        };
        let tickets = self.tables.iter().find(|table| table.name == "tickets").ok_or("there are no tickets")?;
        let subject = tickets.columns.iter().position(|column| column == "subject").ok_or("tickets have no subject")?;
        let joined = |value: Option<&Value>| match value {
            Some(Value::Text(text)) => Ok(Value::Text(words::joined(text))),
            _ => Err(Failure::from("a text that is none")),
        };
        let mut rows = Vec::new();
        for write in writes.iter() {
            let Write::Insert(table, columns) = write else { continue };
            if table != "messages" {
                continue;
            }
            let ticket = after.get("tickets").and_then(|rows| rows.get(&format!("{:?}", said(columns, "ticket_id"))));
            rows.push(Write::Insert(
                "search_documents".to_owned(),
                vec![
                    ("subject".to_owned(), joined(ticket.and_then(|values| values.get(subject)))?),
                    ("body".to_owned(), joined(said(columns, "body").as_ref())?),
                    ("message_id".to_owned(), said(columns, "id").ok_or("a message without an id")?),
                ],
            ));
        }
        writes.extend(rows);
        Ok(())
    }

    /// Puts numbered ids in the place of those that the request drew.
    fn generalize(&self, write: Write) -> Write {
        let general =
            |value: Value| match self.dialect.id_bytes(&value).and_then(|id| self.ids.iter().position(|known| *known == id)) {
                Some(number) => Value::Id(number),
                None if value == Value::Text(KEY.to_owned()) => Value::Key,
                None => value,
            };
        // A document's number is made of its ticket's number, which each round gets anew.
        let write = match write {
            Write::Insert(table, mut columns) if table == "search_documents" => {
                for (column, value) in &mut columns {
                    if let ("id", Value::Text(number)) = (column.as_str(), &*value) {
                        let is_later =
                            number.parse::<i64>().is_ok_and(|number| number & ((1 << search::index::ORDER_BITS) - 1) != 0);
                        *value = Value::Document(is_later);
                    }
                }
                Write::Insert(table, columns)
            }
            other => other,
        };
        let all = |columns: Vec<(String, Value)>| columns.into_iter().map(|(column, value)| (column, general(value))).collect();
        match write {
            Write::Insert(table, columns) => Write::Insert(table, all(columns)),
            Write::Update(table, columns, (key, value)) => Write::Update(table, all(columns), (key, general(value))),
        }
    }
}

impl Dialect {
    /// Reads a value: SQLite's as an SQL literal, PostgreSQL's as text.
    fn read(self, json: &Json) -> Result<Value, Failure> {
        let Some(text) = json.as_str() else { return Ok(Value::Null) };
        if self == Self::Postgres {
            return Ok(Value::Text(text.to_owned()));
        }
        if text == "NULL" {
            return Ok(Value::Null);
        }
        if let Some(hex) = text.strip_prefix("X'").and_then(|rest| rest.strip_suffix('\'')) {
            let byte = |pair: &[u8]| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?);
            return Ok(Value::Bytes(hex.as_bytes().chunks(2).map(byte).collect::<Result<Vec<u8>, Failure>>()?));
        }
        match text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
            Some(inner) => Ok(Value::Text(inner.replace("''", "'"))),
            None => Ok(Value::Int(text.parse()?)),
        }
    }

    /// The bytes of an id, where the value is one.
    fn id_bytes(self, value: &Value) -> Option<Vec<u8>> {
        match value {
            Value::Bytes(bytes) if bytes.len() == 16 => Some(bytes.clone()),
            Value::Text(text) if self == Self::Postgres && text.len() == 36 => {
                uuid::Uuid::try_parse(text).ok().map(|id| id.as_bytes().to_vec())
            }
            _ => None,
        }
    }
}
