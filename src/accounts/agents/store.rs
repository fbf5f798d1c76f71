//! Agent rows.
use crate::accounts::contacts::model::normal_email;
use crate::accounts::rights::Role;
use crate::db::{
    Conn,
    ext::{OnConflictExt, or_taken},
    schema::agents,
    types::{Named, Time},
};
use crate::each;
use crate::error::{Error, Result};
use crate::ids::AgentId;
use crate::seen::Seen;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// An agent as stored.
#[derive(Queryable, Selectable, Debug, Clone)]
#[diesel(table_name = agents)]
#[expect(missing_docs, reason = "columns")]
pub struct AgentRow {
    pub id: AgentId,
    pub name: String,
    pub email: String,
    pub role: Named<Role>,
    pub disabled_at: Option<Time>,
    pub version: i32,
    pub created_at: Time,
    pub updated_at: Time,
}

impl AgentRow {
    fn is_active_admin(&self) -> bool {
        self.role.0 == Role::Admin && self.disabled_at.is_none()
    }

    /// Bars the agent, or lets them in again; who was barred earlier was barred then.
    pub fn disable(&mut self, disabled: bool, now: DateTime<Utc>) {
        self.disabled_at = disabled.then(|| self.disabled_at.unwrap_or(Time(now)));
    }
}

fn taken() -> Error {
    Error::conflict("email_taken", "another agent has this e-mail address")
}

/// The one spelling of an agent's address.
pub fn read_email(text: &str) -> Result<String> {
    normal_email(text).ok_or_else(|| Error::field("email", "email", "is not an e-mail address"))
}

/// Writes a new one. One insert; the index decides whether the address is free.
pub fn insert(conn: &mut Conn, name: &str, email: &str, role: Role, now: DateTime<Utc>) -> Result<AgentRow> {
    let row = AgentRow {
        id: AgentId::new(),
        name: name.to_owned(),
        email: read_email(email)?,
        role: Named(role),
        disabled_at: None,
        version: 1,
        created_at: Time(now),
        updated_at: Time(now),
    };
    let written = diesel::insert_into(agents::table)
        .values((
            agents::id.eq(row.id),
            agents::name.eq(&row.name),
            agents::email.eq(&row.email),
            agents::role.eq(row.role),
            agents::disabled_at.eq(row.disabled_at),
            agents::version.eq(row.version),
            agents::created_at.eq(row.created_at),
            agents::updated_at.eq(row.updated_at),
        ))
        .or_ignore()
        .execute(conn)?;
    if written == 0 { Err(taken()) } else { Ok(row) }
}

/// One by id.
pub fn find(conn: &mut Conn, id: AgentId) -> Result<AgentRow> {
    let found = each!(conn, conn => agents::table.find(id).select(AgentRow::as_select()).first(conn));
    found.optional()?.ok_or(Error::NotFound("agent"))
}

/// The one with this address, however it is spelled. One query.
pub fn find_by_email(conn: &mut Conn, email: &str) -> Result<Option<AgentRow>> {
    let Some(email) = normal_email(email) else { return Ok(None) };
    Ok(agents::table.filter(agents::email.eq(email)).select(AgentRow::as_select()).first(conn).optional()?)
}

/// Whether this is an agent who is not disabled. One query.
pub fn is_active(conn: &mut Conn, id: AgentId) -> Result<bool> {
    let active: Option<AgentId> =
        agents::table.find(id).filter(agents::disabled_at.is_null()).select(agents::id).first(conn).optional()?;
    Ok(active.is_some())
}

/// A page after `after`, by age. One query.
pub fn list(conn: &mut Conn, role: Option<Role>, after: Option<AgentId>, limit: i64) -> Result<Vec<AgentRow>> {
    let mut query = agents::table.select(AgentRow::as_select()).order(agents::id).limit(limit).into_boxed();
    if let Some(role) = role {
        query = query.filter(agents::role.eq(Named(role)));
    }
    if let Some(after) = after {
        query = query.filter(agents::id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// All, oldest first, for the command line. One query.
pub fn list_all(conn: &mut Conn) -> Result<Vec<AgentRow>> {
    Ok(agents::table.select(AgentRow::as_select()).order(agents::id).load(conn)?)
}

/// How many there are, disabled ones included. One query.
pub fn count(conn: &mut Conn) -> Result<i64> {
    Ok(agents::table.count().get_result(conn)?)
}

/// Refuses to go on where nobody but `id` is an active admin.
fn keep_an_admin(conn: &mut Conn, id: AgentId) -> Result<()> {
    let admins = agents::table
        .filter(agents::role.eq(Named(Role::Admin)).and(agents::disabled_at.is_null()))
        .order(agents::id)
        .select(agents::id);
    let ids: Vec<AgentId> = match conn {
        // Two admins who disable each other at once: the second waits here and then finds nobody left.
        Conn::Pg(conn) => admins.for_update().load(conn)?,
        Conn::Sqlite(conn) => admins.load(conn)?,
    };
    if ids.iter().any(|other| *other != id) {
        return Ok(());
    }
    Err(Error::conflict("last_admin", "the desk needs an active admin, and this is the last one"))
}

/// Changes what `patch` names. Two queries, one more where an admin becomes less.
pub fn update(
    conn: &mut Conn,
    id: AgentId,
    seen: Seen,
    now: DateTime<Utc>,
    patch: impl FnOnce(&mut AgentRow),
) -> Result<AgentRow> {
    let mut row = find(conn, id)?;
    seen.check(row.version)?;
    let before = row.version;
    let was_admin = row.is_active_admin();
    patch(&mut row);
    if was_admin && !row.is_active_admin() {
        keep_an_admin(conn, id)?;
    }
    row.version += 1;
    row.updated_at = Time(now);
    let changing = diesel::update(agents::table.find(id).filter(agents::version.eq(before))).set((
        agents::name.eq(&row.name),
        agents::email.eq(&row.email),
        agents::role.eq(row.role),
        agents::disabled_at.eq(row.disabled_at),
        agents::version.eq(row.version),
        agents::updated_at.eq(row.updated_at),
    ));
    match or_taken(conn, taken, |conn| changing.execute(conn))? {
        0 => Err(Error::Stale { current: before + 1 }),
        _ => Ok(row),
    }
}

/// Bars an agent or lets them in again; the last active admin stays.
pub fn set_disabled(conn: &mut Conn, id: AgentId, disabled: bool, now: DateTime<Utc>) -> Result<AgentRow> {
    update(conn, id, Seen(None), now, |row| row.disable(disabled, now))
}
