//! Cause rows.
use crate::db::{Conn, ext::OnConflictExt, schema::survey_causes, types::Time};
use crate::error::{Error, Result};
use crate::ids::CauseId;
use crate::seen::Seen;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use std::collections::HashSet;

/// A cause as stored.
#[derive(Queryable, Selectable, Debug, Clone)]
#[diesel(table_name = survey_causes)]
pub struct CauseRow {
    pub id: CauseId,
    pub name: String,
    pub retired_at: Option<Time>,
    pub version: i32,
    pub created_at: Time,
    pub updated_at: Time,
}

/// Writes a new one. One insert; the index decides whether the name is free.
pub fn insert(conn: &mut Conn, name: String, now: DateTime<Utc>) -> Result<CauseRow> {
    let row = CauseRow { id: CauseId::new(), name, retired_at: None, version: 1, created_at: Time(now), updated_at: Time(now) };
    let written = diesel::insert_into(survey_causes::table)
        .values((
            survey_causes::id.eq(row.id),
            survey_causes::name.eq(&row.name),
            survey_causes::version.eq(row.version),
            survey_causes::created_at.eq(row.created_at),
            survey_causes::updated_at.eq(row.updated_at),
        ))
        .or_ignore()
        .execute(conn)?;
    if written == 0 {
        return Err(Error::conflict("name_taken", "there is a cause of this name, retired perhaps"));
    }
    Ok(row)
}

/// One by id.
pub fn find(conn: &mut Conn, id: CauseId) -> Result<CauseRow> {
    survey_causes::table.find(id).select(CauseRow::as_select()).first(conn).optional()?.ok_or(Error::NotFound("cause"))
}

/// A page after `after`, by age. One query.
pub fn list(conn: &mut Conn, is_retired: Option<bool>, after: Option<CauseId>, limit: i64) -> Result<Vec<CauseRow>> {
    let mut query = survey_causes::table.select(CauseRow::as_select()).order(survey_causes::id).limit(limit).into_boxed();
    match is_retired {
        Some(true) => query = query.filter(survey_causes::retired_at.is_not_null()),
        Some(false) => query = query.filter(survey_causes::retired_at.is_null()),
        None => {}
    }
    if let Some(after) = after {
        query = query.filter(survey_causes::id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// Takes a cause out of the list, or puts it back. Two queries.
pub fn retire(conn: &mut Conn, id: CauseId, seen: Seen, is_retired: bool, now: DateTime<Utc>) -> Result<CauseRow> {
    let before = find(conn, id)?;
    seen.check(before.version)?;
    if before.retired_at.is_some() == is_retired {
        return Ok(before);
    }
    let retired_at = is_retired.then_some(Time(now));
    let changed = diesel::update(survey_causes::table.find(id).filter(survey_causes::version.eq(before.version)))
        .set((
            survey_causes::retired_at.eq(retired_at),
            survey_causes::version.eq(before.version + 1),
            survey_causes::updated_at.eq(Time(now)),
        ))
        .execute(conn)?;
    if changed == 0 {
        return Err(Error::Stale { current: before.version + 1 });
    }
    Ok(CauseRow { retired_at, version: before.version + 1, updated_at: Time(now), ..before })
}

/// Refuses a list that names a cause twice, or one that is not offered. One query, none for an empty list.
pub fn check(conn: &mut Conn, names: &[String]) -> Result<()> {
    let mut seen = HashSet::new();
    if let Some(index) = names.iter().position(|name| !seen.insert(name)) {
        return Err(Error::field(&format!("causes[{index}]"), "repeated", "is named twice"));
    }
    if names.is_empty() {
        return Ok(());
    }
    let offered: HashSet<String> = survey_causes::table
        .filter(survey_causes::name.eq_any(names).and(survey_causes::retired_at.is_null()))
        .select(survey_causes::name)
        .load(conn)?
        .into_iter()
        .collect();
    match names.iter().position(|name| !offered.contains(name)) {
        Some(index) => Err(Error::field(
            &format!("causes[{index}]"),
            "unknown_cause",
            "is no cause of the list; GET /api/v1/causes shows it",
        )),
        None => Ok(()),
    }
}
