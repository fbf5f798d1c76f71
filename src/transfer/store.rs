//! Rows of imports, of what was refused, and of what came under which name.
use super::{FileFormat, ImportState, TransferKind};
use crate::db::{
    Conn,
    schema::{events, import_errors, import_keys, imports},
    types::{Named, Time},
};
use crate::each;
use crate::error::{Error, FieldError, Result};
use crate::ids::{AgentId, ImportId, TokenId};
use crate::timeline::{Actor, ActorId};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

/// An import as stored, without its file.
#[derive(Queryable, Selectable, Debug, Clone)]
#[diesel(table_name = imports)]
pub struct ImportRow {
    pub id: ImportId,
    pub kind: Named<TransferKind>,
    pub format: Named<FileFormat>,
    pub dry_run: bool,
    pub create_missing: bool,
    pub state: Named<ImportState>,
    pub actor: String,
    pub actor_id: Option<ActorId>,
    pub total: i32,
    pub done: i32,
    pub created: i32,
    pub changed: i32,
    pub unchanged: i32,
    pub refused: i32,
    pub error: Option<String>,
    pub created_at: Time,
    pub started_at: Option<Time>,
    pub ended_at: Option<Time>,
}

impl ImportRow {
    /// Who asked for it.
    pub fn by(&self) -> Actor {
        match (self.actor.as_str(), self.actor_id) {
            ("agent", Some(id)) => Actor::Agent(AgentId(id.0)),
            ("machine", Some(id)) => Actor::Machine(TokenId(id.0)),
            _ => Actor::Desk,
        }
    }
}

/// Something wrong with one row of a file.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = import_errors, treat_none_as_default_value = false)]
pub struct ErrorRow {
    pub import_id: ImportId,
    pub line: i32,
    pub number: i32,
    pub external_id: Option<String>,
    pub field: String,
    pub code: String,
    pub message: String,
}

/// What came from elsewhere under a name there.
#[derive(Queryable, Selectable, Debug, Clone)]
#[diesel(table_name = import_keys)]
pub struct KeyRow {
    pub object_id: ActorId,
    pub print: Vec<u8>,
    pub history_count: i32,
    pub history_print: Vec<u8>,
    pub updated_at: Time,
}

/// A row's name, and what is remembered of it.
pub struct Key<'a> {
    pub kind: TransferKind,
    pub external_id: &'a str,
    pub object_id: Uuid,
    pub print: Vec<u8>,
    pub history: (i32, Vec<u8>),
    pub updated_at: DateTime<Utc>,
}

/// Writes a new import with its file.
pub fn insert(conn: &mut Conn, row: &ImportRow, body: &str) -> Result<()> {
    diesel::insert_into(imports::table)
        .values((
            imports::id.eq(row.id),
            imports::kind.eq(row.kind),
            imports::format.eq(row.format),
            imports::dry_run.eq(row.dry_run),
            imports::create_missing.eq(row.create_missing),
            imports::state.eq(row.state),
            imports::actor.eq(&row.actor),
            imports::actor_id.eq(row.actor_id),
            imports::body.eq(body),
            imports::total.eq(row.total),
            imports::done.eq(0),
            imports::created.eq(0),
            imports::changed.eq(0),
            imports::unchanged.eq(0),
            imports::refused.eq(0),
            imports::created_at.eq(row.created_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// One by id.
pub fn find(conn: &mut Conn, id: ImportId) -> Result<ImportRow> {
    imports::table.find(id).select(ImportRow::as_select()).first(conn).optional()?.ok_or(Error::NotFound("import"))
}

/// One by id, locked until the commit.
pub fn lock(conn: &mut Conn, id: ImportId) -> Result<ImportRow> {
    let row: Option<ImportRow> = match conn {
        Conn::Pg(conn) => imports::table.find(id).select(ImportRow::as_select()).for_update().first(conn).optional()?,
        Conn::Sqlite(conn) => imports::table.find(id).select(ImportRow::as_select()).first(conn).optional()?,
    };
    row.ok_or(Error::NotFound("import"))
}

/// Those that have not ended, locked until the commit.
pub fn lock_waiting(conn: &mut Conn) -> Result<Vec<ImportId>> {
    let waiting = imports::table.filter(imports::ended_at.is_null()).order(imports::id).select(imports::id);
    Ok(match conn {
        Conn::Pg(conn) => waiting.for_update().load(conn)?,
        Conn::Sqlite(conn) => waiting.load(conn)?,
    })
}

/// Another file in the place of the first.
pub fn set_body(conn: &mut Conn, id: ImportId, body: &str) -> Result<()> {
    diesel::update(imports::table.find(id)).set(imports::body.eq(body)).execute(conn)?;
    Ok(())
}

/// The file of an import; none once it has ended.
pub fn body(conn: &mut Conn, id: ImportId) -> Result<Option<String>> {
    let body: Option<Option<String>> = imports::table.find(id).select(imports::body).first(conn).optional()?;
    Ok(body.flatten())
}

/// Saves how far an import came; one that ended keeps no file.
pub fn save(conn: &mut Conn, row: &ImportRow) -> Result<()> {
    diesel::update(imports::table.find(row.id))
        .set((
            imports::state.eq(row.state),
            imports::done.eq(row.done),
            imports::created.eq(row.created),
            imports::changed.eq(row.changed),
            imports::unchanged.eq(row.unchanged),
            imports::refused.eq(row.refused),
            imports::error.eq(&row.error),
            imports::started_at.eq(row.started_at),
            imports::ended_at.eq(row.ended_at),
        ))
        .execute(conn)?;
    if row.ended_at.is_some() {
        diesel::update(imports::table.find(row.id)).set(imports::body.eq(None::<String>)).execute(conn)?;
    }
    Ok(())
}

/// Writes what is wrong with one row.
pub fn refuse(conn: &mut Conn, id: ImportId, line: i32, external_id: Option<&str>, errors: Vec<FieldError>) -> Result<()> {
    let rows: Vec<ErrorRow> = (0..)
        .zip(errors)
        .map(|(number, error)| {
            let FieldError { field, code, message } = error;
            ErrorRow { import_id: id, line, number, external_id: external_id.map(str::to_owned), field, code, message }
        })
        .collect();
    each!(conn, conn => diesel::insert_into(import_errors::table).values(&rows).execute(conn))?;
    Ok(())
}

/// What is known under a name. One query.
pub fn find_key(conn: &mut Conn, kind: TransferKind, external_id: &str) -> Result<Option<KeyRow>> {
    Ok(import_keys::table.find((kind.as_str(), external_id)).select(KeyRow::as_select()).first(conn).optional()?)
}

/// Remembers a row under its name. Two queries.
pub fn remember(conn: &mut Conn, key: Key) -> Result<()> {
    use import_keys as k;
    let Key { kind, external_id, object_id, print, history: (history_count, history_print), updated_at } = key;
    let last: Option<i64> = match kind {
        TransferKind::Tickets => events::table
            .filter(events::ticket_id.eq(ActorId(object_id)))
            .order(events::id.desc())
            .select(events::id)
            .first(conn)
            .optional()?,
        TransferKind::Organizations | TransferKind::Contacts => None,
    };
    let last_event_id = last.unwrap_or(0);
    let set = (
        k::print.eq(&print),
        k::history_count.eq(history_count),
        k::history_print.eq(&history_print),
        k::last_event_id.eq(last_event_id),
        k::updated_at.eq(Time(updated_at)),
    );
    if diesel::update(k::table.find((kind.as_str(), external_id))).set(set).execute(conn)? == 1 {
        return Ok(());
    }
    let written = crate::db::ext::OnConflictExt::or_ignore(diesel::insert_into(k::table).values((
        k::kind.eq(kind.as_str()),
        k::external_id.eq(external_id),
        k::object_id.eq(ActorId(object_id)),
        k::print.eq(&print),
        k::history_count.eq(history_count),
        k::history_print.eq(&history_print),
        k::last_event_id.eq(last_event_id),
        k::updated_at.eq(Time(updated_at)),
    )))
    .execute(conn)?;
    // Two imports of one file at once: the other one was first, and this row is looked at again.
    if written == 1 { Ok(()) } else { Err(Error::Unavailable("another import takes this row in".to_owned())) }
}
