//! Mailbox rows, and the watch that one node at a time keeps over a mailbox that is fetched from.
use crate::db::{
    Conn,
    ext::{OnConflictExt, or_taken},
    schema::{mailbox_watches, mailboxes, teams},
    types::{Json, Named, Time},
};
use crate::error::{Error, Result};
use crate::ids::{FetcherId, MailboxId, TeamId};
use crate::inbound::keys;
use crate::mail::{Dkim, Smtp};
use crate::seen::Seen;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

names! {
    /// The way in that the mails of a mailbox take.
    pub enum MailboxKind {
        /// The desk fetches them from an IMAP server.
        Imap = "imap",
        /// A mail server hands them over: by LMTP, or by `deskbell deliver`.
        Lmtp = "lmtp",
    }
}

names! {
    /// How a connection to an IMAP server is protected.
    pub enum ImapTls {
        /// Not at all.
        None = "none",
        /// By STARTTLS; refused where the server has none.
        Starttls = "starttls",
        /// From the first byte.
        Tls = "tls",
    }
}

/// Where mails are fetched from.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words of the API")]
pub struct Imap {
    pub host: String,
    pub port: u16,
    pub tls: ImapTls,
    pub user: String,
    pub password: String,
    pub folder: String,
    /// Where a mail is moved to when it was taken; without one it is marked as seen and stays.
    pub done_folder: Option<String>,
}

impl std::fmt::Debug for Imap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The password stays out of every log.
        f.debug_struct("Imap").field("host", &self.host).field("user", &self.user).finish_non_exhaustive()
    }
}

/// A mailbox as stored.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Debug, Clone)]
#[diesel(table_name = mailboxes, treat_none_as_null = true, treat_none_as_default_value = false)]
#[expect(missing_docs, reason = "columns")]
pub struct MailboxRow {
    pub id: MailboxId,
    pub address: String,
    pub team_id: Option<TeamId>,
    pub from_name: String,
    pub kind: Named<MailboxKind>,
    pub imap: Option<Json>,
    pub is_active: bool,
    pub version: i32,
    pub created_at: Time,
    pub updated_at: Time,
    pub smtp: Option<Json>,
    pub dkim: Option<Json>,
}

impl MailboxRow {
    /// The server that takes its letters; none where the settings name it.
    pub fn smtp(&self) -> Result<Option<Smtp>> {
        self.smtp.clone().map(Json::to).transpose()
    }

    /// Who signs its letters; none where the settings say so.
    pub fn dkim(&self) -> Result<Option<Dkim>> {
        self.dkim.clone().map(Json::to).transpose()
    }

    /// Where its mails are fetched from; none where they are handed over.
    pub fn imap(&self) -> Result<Option<Imap>> {
        self.imap.clone().map(Json::to).transpose()
    }
}

/// How fetching from a mailbox goes.
#[derive(Queryable, Selectable, Debug, Clone)]
#[diesel(table_name = mailbox_watches)]
#[expect(missing_docs, reason = "columns")]
pub struct WatchRow {
    pub mailbox_id: MailboxId,
    pub lease_by: Option<FetcherId>,
    pub lease_until: Option<Time>,
    pub uid_validity: Option<i64>,
    pub last_uid: Option<i64>,
    pub looked_at: Option<Time>,
    pub failing_since: Option<Time>,
    pub last_error: Option<String>,
}

fn taken() -> Error {
    Error::conflict("address_taken", "another mailbox has this address")
}

fn check_team(conn: &mut Conn, id: Option<TeamId>) -> Result<()> {
    let Some(id) = id else { return Ok(()) };
    let known: Option<TeamId> = teams::table.find(id).select(teams::id).first(conn).optional()?;
    known.map(|_| ()).ok_or_else(|| Error::field("team_id", "unknown_team", "is no team"))
}

/// Writes a new one, and the first one's key. Three queries; the index decides whether the address is free.
pub fn insert(conn: &mut Conn, row: &MailboxRow) -> Result<()> {
    check_team(conn, row.team_id)?;
    keys::draw(conn, row.created_at.0)?;
    or_taken(conn, taken, |conn| diesel::insert_into(mailboxes::table).values(row).execute(conn))?;
    Ok(())
}

/// One by id, with how fetching goes. One query.
pub fn find(conn: &mut Conn, id: MailboxId) -> Result<(MailboxRow, Option<WatchRow>)> {
    mailboxes::table
        .left_join(mailbox_watches::table.on(mailbox_watches::mailbox_id.eq(mailboxes::id)))
        .filter(mailboxes::id.eq(id))
        .select((MailboxRow::as_select(), Option::<WatchRow>::as_select()))
        .first(conn)
        .optional()?
        .ok_or(Error::NotFound("mailbox"))
}

/// A page after `after`, by age. One query.
pub fn list(conn: &mut Conn, after: Option<MailboxId>, limit: i64) -> Result<Vec<(MailboxRow, Option<WatchRow>)>> {
    let mut query = mailboxes::table
        .left_join(mailbox_watches::table.on(mailbox_watches::mailbox_id.eq(mailboxes::id)))
        .select((MailboxRow::as_select(), Option::<WatchRow>::as_select()))
        .order(mailboxes::id)
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(mailboxes::id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// Changes what `patch` names: the row before and after. Three queries.
pub fn update(
    conn: &mut Conn,
    id: MailboxId,
    seen: Seen,
    now: DateTime<Utc>,
    patch: impl FnOnce(&mut MailboxRow) -> Result<()>,
) -> Result<(MailboxRow, MailboxRow)> {
    let (before, _) = find(conn, id)?;
    seen.check(before.version)?;
    let mut row = before.clone();
    patch(&mut row)?;
    check_team(conn, row.team_id)?;
    row.version += 1;
    row.updated_at = Time(now);
    let mine = mailboxes::table.filter(mailboxes::id.eq(id).and(mailboxes::version.eq(before.version)));
    let changed = diesel::update(mine).set(&row).execute(conn)?;
    if changed == 0 { Err(Error::Stale { current: before.version + 1 }) } else { Ok((before, row)) }
}

/// The active mailbox of one of these normal addresses. One query.
pub fn of_address(conn: &mut Conn, address: &str) -> Result<Option<MailboxRow>> {
    Ok(mailboxes::table
        .filter(mailboxes::address.eq(address).and(mailboxes::is_active.eq(true)))
        .select(MailboxRow::as_select())
        .first(conn)
        .optional()?)
}

/// Those of some normal addresses that are mailboxes, switched on or not. One query.
pub fn among(conn: &mut Conn, addresses: &[String]) -> Result<Vec<String>> {
    Ok(mailboxes::table.filter(mailboxes::address.eq_any(addresses)).select(mailboxes::address).load(conn)?)
}

/// The mailbox that a team answers from, else the one of no team; the oldest where there are several. One query.
pub fn of_team(conn: &mut Conn, team: Option<TeamId>) -> Result<Option<MailboxRow>> {
    let mut rows: Vec<MailboxRow> = match team {
        Some(team) => mailboxes::table
            .filter(mailboxes::team_id.eq(team).or(mailboxes::team_id.is_null()))
            .filter(mailboxes::is_active.eq(true))
            .order(mailboxes::id)
            .select(MailboxRow::as_select())
            .load(conn)?,
        None => mailboxes::table
            .filter(mailboxes::team_id.is_null().and(mailboxes::is_active.eq(true)))
            .order(mailboxes::id)
            .limit(1)
            .select(MailboxRow::as_select())
            .load(conn)?,
    };
    rows.sort_by_key(|row| row.team_id.is_none());
    Ok(rows.into_iter().next())
}

/// All that are to be fetched from. One query.
pub fn imap_active(conn: &mut Conn) -> Result<Vec<MailboxRow>> {
    Ok(mailboxes::table
        .filter(mailboxes::kind.eq(Named(MailboxKind::Imap)).and(mailboxes::is_active.eq(true)))
        .order(mailboxes::id)
        .select(MailboxRow::as_select())
        .load(conn)?)
}

/// Takes the watch over a mailbox, where nobody else has it: how far fetching came. Three queries.
pub fn take_up(
    conn: &mut Conn,
    id: MailboxId,
    node: FetcherId,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<WatchRow>> {
    diesel::insert_into(mailbox_watches::table).values(mailbox_watches::mailbox_id.eq(id)).or_ignore().execute(conn)?;
    let is_free = mailbox_watches::lease_until
        .is_null()
        .or(mailbox_watches::lease_until.le(Time(now)))
        .or(mailbox_watches::lease_by.eq(node));
    let taken = diesel::update(mailbox_watches::table.filter(mailbox_watches::mailbox_id.eq(id)).filter(is_free))
        .set((mailbox_watches::lease_by.eq(node), mailbox_watches::lease_until.eq(Time(until))))
        .execute(conn)?;
    if taken == 0 {
        return Ok(None);
    }
    Ok(mailbox_watches::table.find(id).select(WatchRow::as_select()).first(conn).optional()?)
}

macro_rules! held {
    ($id:expr, $node:expr) => {
        mailbox_watches::table.filter(mailbox_watches::mailbox_id.eq($id).and(mailbox_watches::lease_by.eq($node)))
    };
}

/// Holds the watch for longer; false where somebody else has it by now. One update.
pub fn hold(conn: &mut Conn, id: MailboxId, node: FetcherId, until: DateTime<Utc>) -> Result<bool> {
    Ok(diesel::update(held!(id, node)).set(mailbox_watches::lease_until.eq(Time(until))).execute(conn)? == 1)
}

/// Gives the watch up. One update.
pub fn let_go(conn: &mut Conn, id: MailboxId, node: FetcherId) -> Result<()> {
    diesel::update(held!(id, node)).set(mailbox_watches::lease_until.eq(None::<Time>)).execute(conn)?;
    Ok(())
}

/// A look at the server went well, and came so far. One update.
pub fn looked(conn: &mut Conn, id: MailboxId, node: FetcherId, (validity, uid): (i64, i64), now: DateTime<Utc>) -> Result<()> {
    diesel::update(held!(id, node))
        .set((
            mailbox_watches::uid_validity.eq(validity),
            mailbox_watches::last_uid.eq(uid),
            mailbox_watches::looked_at.eq(Time(now)),
            mailbox_watches::failing_since.eq(None::<Time>),
            mailbox_watches::last_error.eq(None::<String>),
        ))
        .execute(conn)?;
    Ok(())
}

/// A look at the server failed. Two updates.
pub fn failed(conn: &mut Conn, id: MailboxId, node: FetcherId, error: &str, now: DateTime<Utc>) -> Result<()> {
    diesel::update(held!(id, node).filter(mailbox_watches::failing_since.is_null()))
        .set(mailbox_watches::failing_since.eq(Time(now)))
        .execute(conn)?;
    diesel::update(held!(id, node)).set(mailbox_watches::last_error.eq(error)).execute(conn)?;
    Ok(())
}
