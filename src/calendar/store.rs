//! Calendar rows and their versions.
use super::hours::Hours;
use super::wire::Definition;
use crate::db::{
    Conn,
    ext::{OnConflictExt, or_taken},
    schema::{calendar_versions, calendars, policies, policy_versions, teams},
    types::{Json, JsonText, Time},
};
use crate::each;
use crate::error::{Error, Result};
use crate::ids::{CalendarId, TeamId};
use crate::memo::Memo;
use crate::seen::Seen;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// A calendar at one of its versions.
#[derive(Debug, Clone)]
pub struct Calendar {
    /// Which.
    pub id: CalendarId,
    /// What people call it.
    pub name: String,
    /// Whether it serves where nothing else is said.
    pub is_default: bool,
    /// The version that `definition` is.
    pub version: i32,
    /// What it says.
    pub definition: Definition,
    /// First made.
    pub created_at: DateTime<Utc>,
    /// Last changed.
    pub updated_at: DateTime<Utc>,
}

impl Calendar {
    /// The hours; a stored definition was checked when it was saved.
    pub fn hours(&self) -> Result<Hours> {
        self.definition.hours().map_err(|_| Error::internal(format!("calendar {} version {} is broken", self.id, self.version)))
    }
}

type Row = (CalendarId, String, bool, i32, Json, Time, Time);

fn from_row((id, name, is_default, version, definition, created_at, updated_at): Row) -> Result<Calendar> {
    Ok(Calendar {
        id,
        name,
        is_default,
        version,
        definition: definition.to()?,
        created_at: created_at.0,
        updated_at: updated_at.0,
    })
}

macro_rules! current {
    () => {
        calendars::table
            .inner_join(
                calendar_versions::table
                    .on(calendar_versions::calendar_id.eq(calendars::id).and(calendar_versions::version.eq(calendars::version))),
            )
            .select((
                calendars::id,
                calendars::name,
                calendars::is_default,
                calendars::version,
                calendar_versions::definition,
                calendars::created_at,
                calendars::updated_at,
            ))
    };
}

/// One by id, at its current version. One query.
pub fn find(conn: &mut Conn, id: CalendarId) -> Result<Option<Calendar>> {
    current!().filter(calendars::id.eq(id)).first::<Row>(conn).optional()?.map(from_row).transpose()
}

/// The calendar that serves where nothing else is said. One query.
pub fn default_calendar(conn: &mut Conn) -> Result<Option<Calendar>> {
    let found = current!().filter(calendars::is_default.eq(true));
    each!(conn, conn => found.first::<Row>(conn)).optional()?.map(from_row).transpose()
}

/// What a promise is counted by.
#[derive(Debug, Clone)]
pub struct InForce {
    /// Which calendar.
    pub id: CalendarId,
    /// Its current version.
    pub version: i32,
    /// The hours of that version.
    pub hours: Arc<Hours>,
}

static HOURS: Memo<Hours> = Memo::new();

/// The hours that a version's definition says, parsed where it is new.
pub fn hours_of(id: CalendarId, version: i32, definition: JsonText) -> Result<Arc<Hours>> {
    HOURS.get(definition.0, |text| {
        let definition: Definition = serde_json::from_str(text)?;
        definition.hours().map_err(|_| Error::internal(format!("calendar {id} version {version} is broken")))
    })
}

/// The hours of the calendar with this id, or of the one that serves where nothing else is said. One query.
pub fn in_force(conn: &mut Conn, id: Option<CalendarId>) -> Result<Option<InForce>> {
    let current = current!().select((calendars::id, calendars::version, calendar_versions::definition));
    let row: Option<(CalendarId, i32, JsonText)> = match id {
        Some(id) => each!(conn, conn => current.filter(calendars::id.eq(id)).first(conn)),
        None => each!(conn, conn => current.filter(calendars::is_default.eq(true)).first(conn)),
    }
    .optional()?;
    let Some((id, version, definition)) = row else { return Ok(None) };
    Ok(Some(InForce { id, version, hours: hours_of(id, version, definition)? }))
}

/// The hours of several calendars, as they are now. One query, or none where none is asked about.
pub fn in_force_of(conn: &mut Conn, ids: &BTreeSet<CalendarId>) -> Result<HashMap<CalendarId, Arc<Hours>>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let current = current!().select((calendars::id, calendars::version, calendar_versions::definition));
    let rows: Vec<(CalendarId, i32, JsonText)> = each!(conn, conn => current.filter(calendars::id.eq_any(ids)).load(conn))?;
    rows.into_iter().map(|(id, version, definition)| Ok((id, hours_of(id, version, definition)?))).collect()
}

/// The hours of one version, also an old one. One query.
pub fn find_version(conn: &mut Conn, id: CalendarId, version: i32) -> Result<Arc<Hours>> {
    let found = calendar_versions::table.find((id, version)).select(calendar_versions::definition);
    hours_of(id, version, each!(conn, conn => found.first(conn))?)
}

/// The hours of several versions, also old ones. One query.
pub fn find_versions(conn: &mut Conn, wanted: &BTreeSet<(CalendarId, i32)>) -> Result<HashMap<(CalendarId, i32), Arc<Hours>>> {
    use calendar_versions as v;
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(CalendarId, i32, JsonText)> = each!(conn, conn => {
        let mut query = v::table.select((v::calendar_id, v::version, v::definition)).into_boxed();
        for (id, version) in wanted {
            query = query.or_filter(v::calendar_id.eq(id).and(v::version.eq(version)));
        }
        query.load(conn)
    })?;
    rows.into_iter().map(|(id, version, definition)| Ok(((id, version), hours_of(id, version, definition)?))).collect()
}

/// A page after `after`, by age. One query.
pub fn list(conn: &mut Conn, after: Option<CalendarId>, limit: i64) -> Result<Vec<Calendar>> {
    let mut query = current!().order(calendars::id).limit(limit).into_boxed();
    if let Some(after) = after {
        query = query.filter(calendars::id.gt(after));
    }
    query.load::<Row>(conn)?.into_iter().map(from_row).collect()
}

fn write_version(conn: &mut Conn, calendar: &Calendar, now: DateTime<Utc>) -> Result<()> {
    diesel::insert_into(calendar_versions::table)
        .values((
            calendar_versions::calendar_id.eq(calendar.id),
            calendar_versions::version.eq(calendar.version),
            calendar_versions::definition.eq(Json::of(&calendar.definition)?),
            calendar_versions::created_at.eq(Time(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Takes the default away from all others.
fn only_default(conn: &mut Conn, id: CalendarId) -> Result<()> {
    diesel::update(calendars::table.filter(calendars::id.ne(id).and(calendars::is_default.eq(true))))
        .set(calendars::is_default.eq(false))
        .execute(conn)?;
    Ok(())
}

fn name_taken() -> Error {
    Error::conflict("name_taken", "another calendar has this name")
}

/// Writes a new calendar with its first version. Two inserts.
pub fn insert(conn: &mut Conn, name: String, is_default: bool, definition: Definition, now: DateTime<Utc>) -> Result<Calendar> {
    let calendar = Calendar { id: CalendarId::new(), name, is_default, version: 1, definition, created_at: now, updated_at: now };
    let written = diesel::insert_into(calendars::table)
        .values((
            calendars::id.eq(calendar.id),
            calendars::name.eq(&calendar.name),
            calendars::is_default.eq(calendar.is_default),
            calendars::version.eq(calendar.version),
            calendars::created_at.eq(Time(now)),
            calendars::updated_at.eq(Time(now)),
        ))
        .or_ignore()
        .execute(conn)?;
    if written == 0 {
        return Err(name_taken());
    }
    if is_default {
        only_default(conn, calendar.id)?;
    }
    write_version(conn, &calendar, now)?;
    Ok(calendar)
}

/// Changes a calendar: a new version; the old ones stay. Up to five queries.
pub fn update(
    conn: &mut Conn,
    id: CalendarId,
    seen: Seen,
    now: DateTime<Utc>,
    change: impl FnOnce(&mut Calendar) -> Result<()>,
) -> Result<Calendar> {
    let mut calendar = find(conn, id)?.ok_or(Error::NotFound("calendar"))?;
    seen.check(calendar.version)?;
    let was_default = calendar.is_default;
    change(&mut calendar)?;
    if was_default && !calendar.is_default {
        return Err(Error::conflict("last_default", "one calendar must be the default: make another one the default instead"));
    }
    let before = calendar.version;
    calendar.version += 1;
    calendar.updated_at = now;
    let changing = diesel::update(calendars::table.find(id).filter(calendars::version.eq(before))).set((
        calendars::name.eq(&calendar.name),
        calendars::is_default.eq(calendar.is_default),
        calendars::version.eq(calendar.version),
        calendars::updated_at.eq(Time(now)),
    ));
    if or_taken(conn, name_taken, |conn| changing.execute(conn))? == 0 {
        return Err(Error::Stale { current: before + 1 });
    }
    if calendar.is_default {
        only_default(conn, id)?;
    }
    write_version(conn, &calendar, now)?;
    Ok(calendar)
}

/// Removes a calendar that nothing uses and no clock ever ran under.
pub fn remove(conn: &mut Conn, id: CalendarId, seen: Seen) -> Result<()> {
    use crate::db::schema::clocks;
    let calendar = find(conn, id)?.ok_or(Error::NotFound("calendar"))?;
    seen.check(calendar.version)?;
    if calendar.is_default {
        return Err(Error::conflict("last_default", "the default calendar cannot be removed"));
    }
    let team: Option<TeamId> = teams::table.filter(teams::calendar_id.eq(id)).select(teams::id).first(conn).optional()?;
    let clock =
        clocks::table.filter(clocks::calendar_id.eq(id)).select(clocks::id).first::<crate::ids::ClockId>(conn).optional()?;
    let definitions: Vec<Json> = policies::table
        .inner_join(
            policy_versions::table
                .on(policy_versions::policy_id.eq(policies::id).and(policy_versions::version.eq(policies::version))),
        )
        .select(policy_versions::definition)
        .load(conn)?;
    let text = id.to_string();
    let in_policy =
        definitions.iter().any(|definition| definition.0.get("calendar_id").and_then(|id| id.as_str()) == Some(&text));
    if team.is_some() || clock.is_some() || in_policy {
        return Err(Error::conflict("in_use", "a team, a policy or a recorded promise uses this calendar"));
    }
    diesel::delete(calendars::table.find(id)).execute(conn)?;
    Ok(())
}
