//! Migrations: up, down and up again, and the same tables on both databases and in `schema.rs`.
use crate::support::{Test, plain, servers};
use deskbell::db::{Conn, migrate};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use std::collections::{BTreeMap, BTreeSet};

/// Tests of this file.
pub const TESTS: &[Test] = plain![
    sqlite_goes_up_down_and_up_again,
    postgres_goes_up_down_and_up_again,
    both_databases_and_the_schema_have_the_same_columns,
    both_databases_have_the_same_indexes,
    both_databases_have_migrations_of_the_same_names,
];

/// What diesel calls a column type, and what PostgreSQL and SQLite do.
const TYPES: &[(&str, &str, &str)] = &[
    ("Uid", "uuid", "BLOB"),
    ("Text", "text", "TEXT"),
    ("Bool", "boolean", "INTEGER"),
    ("Integer", "integer", "INTEGER"),
    ("BigInt", "bigint", "INTEGER"),
    ("Double", "double precision", "REAL"),
    ("Binary", "bytea", "BLOB"),
    ("JsonDoc", "jsonb", "TEXT"),
];

#[derive(QueryableByName, Debug)]
struct Column {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Text)]
    data_type: String,
    #[diesel(sql_type = Bool)]
    is_nullable: bool,
}

#[derive(QueryableByName, Debug)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Table and column, with type and whether it may be null.
type Columns = BTreeMap<String, (String, bool)>;

/// A database of its own on the server; dropped at the end, whatever happens.
struct Scratch(&'static str);

impl Scratch {
    fn make(name: &'static str) -> (Self, Conn) {
        let server = servers::postgres();
        server.create(name, None);
        (Self(name), Conn::open(&server.url(name)).unwrap())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        servers::postgres().drop_database(self.0);
    }
}

fn file() -> (tempfile::TempDir, Conn) {
    let folder = tempfile::tempdir().unwrap();
    let conn = Conn::open(&folder.path().join("migrations.sqlite").to_string_lossy()).unwrap();
    (folder, conn)
}

/// The index of words is each database's own.
fn columns(conn: &mut Conn) -> Columns {
    let rows: Vec<Column> = match conn {
        // An INTEGER PRIMARY KEY names the rowid, which is never null whatever the pragma says.
        Conn::Sqlite(conn) => diesel::sql_query(
            "SELECT m.name AS table_name, c.name AS column_name, c.type AS data_type,
                    c.\"notnull\" = 0 AND NOT (c.pk = 1 AND c.type = 'INTEGER') AS is_nullable
             FROM sqlite_master m JOIN pragma_table_info(m.name) c
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE '%diesel%'
             AND m.name NOT LIKE 'search_documents%'",
        )
        .load(conn),
        Conn::Pg(conn) => diesel::sql_query(
            "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'YES' AS is_nullable
             FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '%diesel%'
             AND table_name <> 'search_documents'",
        )
        .load(conn),
    }
    .unwrap();
    rows.into_iter().map(|row| (format!("{}.{}", row.table_name, row.column_name), (row.data_type, row.is_nullable))).collect()
}

/// Indexes that a migration names; those that stand for a constraint have names of the database's own.
fn indexes(conn: &mut Conn) -> BTreeSet<String> {
    let rows: Vec<Name> = match conn {
        Conn::Sqlite(conn) => {
            diesel::sql_query("SELECT name FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite%'").load(conn)
        }
        Conn::Pg(conn) => diesel::sql_query(
            "SELECT indexname::text AS name FROM pg_indexes
             WHERE schemaname = 'public' AND tablename <> 'search_documents' AND indexname NOT IN (SELECT conname FROM pg_constraint)",
        )
        .load(conn),
    }
    .unwrap();
    rows.into_iter().map(|row| row.name).collect()
}

/// The columns of `schema.rs`, with diesel's names of types.
fn declared() -> Columns {
    let (mut columns, mut table) = (Columns::new(), None);
    for line in include_str!("../../src/db/schema.rs").lines().map(str::trim) {
        match (&table, line.split_once(" -> ")) {
            (None, _) if line.ends_with(") {") => table = line.split_once(' ').map(|(name, _)| name.to_owned()),
            (Some(_), None) if line == "}" => table = None,
            (Some(table), Some((column, kind))) => {
                let kind = kind.trim_end_matches(',');
                let inner = kind.strip_prefix("Nullable<").and_then(|rest| rest.strip_suffix('>'));
                columns.insert(format!("{table}.{column}"), (inner.unwrap_or(kind).to_owned(), inner.is_some()));
            }
            _ => {}
        }
    }
    assert!(columns.len() > 100, "schema.rs could not be read: {columns:?}");
    columns
}

/// The declared columns as a database calls them.
fn called(name: impl Fn(&(&str, &'static str, &'static str)) -> &'static str) -> Columns {
    let known =
        |kind: &str| TYPES.iter().find(|row| row.0 == kind).map(&name).unwrap_or_else(|| panic!("{kind} is not in TYPES"));
    declared().into_iter().map(|(column, (kind, is_nullable))| (column, (known(&kind).to_owned(), is_nullable))).collect()
}

#[track_caller]
fn same<T: PartialEq + std::fmt::Debug>(what: &str, one: &BTreeMap<String, T>, other: &BTreeMap<String, T>) {
    let differ = |(name, value): &(&String, &T)| other.get(*name) != Some(value);
    let mut found: Vec<String> =
        one.iter().filter(differ).map(|(name, value)| format!("{name}: {value:?} and {:?}", other.get(name))).collect();
    found.extend(other.keys().filter(|name| !one.contains_key(*name)).map(|name| format!("{name}: only on the right")));
    assert!(found.is_empty(), "{what} differ:\n{}", found.join("\n"));
}

#[track_caller]
fn up_down_up(conn: &mut Conn) {
    assert!(!migrate::is_current(conn).unwrap());
    let ran = migrate::up(conn).unwrap();
    assert!(ran > 0 && migrate::is_current(conn).unwrap());
    assert_eq!(migrate::up(conn).unwrap(), 0, "up a second time does nothing");
    let (columns_before, indexes_before) = (columns(conn), indexes(conn));
    assert_eq!(migrate::down(conn).unwrap(), ran);
    assert_eq!((columns(conn), indexes(conn)), (Columns::new(), BTreeSet::new()), "down leaves nothing behind");
    assert_eq!(migrate::up(conn).unwrap(), ran);
    assert_eq!((columns(conn), indexes(conn)), (columns_before, indexes_before));
}

fn sqlite_goes_up_down_and_up_again() {
    let (_folder, mut conn) = file();
    up_down_up(&mut conn);
}

fn postgres_goes_up_down_and_up_again() {
    let (_scratch, mut conn) = Scratch::make("migrations_up_down_up");
    up_down_up(&mut conn);
}

fn both_databases_and_the_schema_have_the_same_columns() {
    let (_folder, mut sqlite) = file();
    let (_scratch, mut postgres) = Scratch::make("migrations_columns");
    migrate::up(&mut sqlite).unwrap();
    migrate::up(&mut postgres).unwrap();
    same("schema.rs and SQLite", &called(|row| row.2), &columns(&mut sqlite));
    same("schema.rs and PostgreSQL", &called(|row| row.1), &columns(&mut postgres));
}

fn both_databases_have_the_same_indexes() {
    let (_folder, mut sqlite) = file();
    let (_scratch, mut postgres) = Scratch::make("migrations_indexes");
    migrate::up(&mut sqlite).unwrap();
    migrate::up(&mut postgres).unwrap();
    assert_eq!(indexes(&mut sqlite), indexes(&mut postgres));
}

fn both_databases_have_migrations_of_the_same_names() {
    let names = |database: &str| -> BTreeSet<String> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(database);
        std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    };
    assert_eq!(names("sqlite"), names("postgres"));
}
