//! The few expressions of the seeding SQL that the two databases write differently.

/// Which SQL is spoken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl Dialect {
    /// The name for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }

    /// A UUIDv7 from milliseconds since 1970, a kind of thing and a number, all expressions but the kind.
    pub fn id(self, kind: u16, millis: &str, number: &str) -> String {
        match self {
            Self::Sqlite => format!("unhex(printf('%012x7{kind:03x}8%015x', {millis}, {number}))"),
            Self::Postgres => format!(
                "(lpad(to_hex(({millis})::bigint), 12, '0') || '7{kind:03x}8' || lpad(to_hex(({number})::bigint), 15, '0'))::uuid"
            ),
        }
    }

    /// 32 bytes that look random, from an expression.
    pub fn hash(self, number: &str) -> String {
        match self {
            Self::Sqlite => format!("(CASE WHEN {number} IS NULL THEN NULL ELSE randomblob(32) END)"),
            Self::Postgres => format!("sha256(({number})::text::bytea)"),
        }
    }

    /// A constant of 32 bytes.
    pub fn bytes(self, bytes: &[u8]) -> String {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Self::Sqlite => format!("x'{hex}'"),
            Self::Postgres => format!("'\\x{hex}'::bytea"),
        }
    }

    /// A JSON constant.
    pub fn json(self, text: &str) -> String {
        match self {
            Self::Sqlite => format!("'{text}'"),
            Self::Postgres => format!("'{text}'::jsonb"),
        }
    }

    /// The whole numbers `from` to `to` as the table `n(i)`.
    pub fn numbers(self, from: i64, to: i64) -> String {
        match self {
            Self::Sqlite => {
                format!(
                    "(WITH RECURSIVE c(i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM c WHERE i < {to}) SELECT i FROM c) AS n"
                )
            }
            Self::Postgres => format!("generate_series({from}::bigint, {to}::bigint) AS n(i)"),
        }
    }

    /// What makes a bulk load fast on a database that nobody else uses yet.
    pub fn before_load(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -1048576;"
            }
            Self::Postgres => "SET synchronous_commit = off; SET session_replication_role = replica; SET work_mem = '256MB';",
        }
    }

    /// Before the words of all messages are written.
    pub fn before_words(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => "DROP INDEX search_documents_by_words;",
        }
    }

    /// After it: the index as the migration makes it.
    pub fn after_words(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => {
                "SET maintenance_work_mem = '512MB'; CREATE INDEX search_documents_by_words ON search_documents USING gin (words) WITH (gin_pending_list_limit = 512);"
            }
        }
    }

    /// What a desk of that size would have done long ago.
    pub fn after_load(self) -> &'static str {
        match self {
            Self::Sqlite => "PRAGMA wal_checkpoint(TRUNCATE);",
            Self::Postgres => {
                "SELECT setval(pg_get_serial_sequence('tickets', 'number'), (SELECT max(number) FROM tickets)); VACUUM (ANALYZE); CHECKPOINT;"
            }
        }
    }
}
