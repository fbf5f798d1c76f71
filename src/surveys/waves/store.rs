//! Rows of waves and of their frozen samples: load and save.
use super::model::{Drawn, SampleStanding, WaveState};
use crate::db::{
    Conn,
    ext::or_taken,
    schema::{survey_wave_contacts, survey_waves},
    types::{Named, Time},
};
use crate::each;
use crate::error::{Error, Result};
use crate::ids::{ContactId, OrganizationId, WaveId};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;

/// Rows of a sample in one insert.
const ROWS_AT_ONCE: usize = 1_000;

/// A wave as stored.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Debug, Clone, PartialEq)]
#[diesel(table_name = survey_waves, treat_none_as_default_value = false, treat_none_as_null = true)]
#[expect(missing_docs, reason = "columns")]
pub struct WaveRow {
    pub id: WaveId,
    pub name: String,
    pub quarter: String,
    pub from_on: String,
    pub to_on: String,
    pub cap_per_organization: Option<i32>,
    pub active_days: Option<i32>,
    pub sample_size: Option<i32>,
    pub state: Named<WaveState>,
    pub started_at: Option<Time>,
    pub frozen_at: Option<Time>,
    pub stopped_at: Option<Time>,
    pub version: i32,
    pub created_at: Time,
    pub updated_at: Time,
}

impl WaveRow {
    /// The first and the last day of the window.
    pub fn window(&self) -> Result<(NaiveDate, NaiveDate)> {
        Ok((date(&self.from_on)?, date(&self.to_on)?))
    }
}

/// A stored date.
pub fn date(text: &str) -> Result<NaiveDate> {
    text.parse().map_err(|_| Error::internal(format!("a stored date is {text:?}")))
}

fn quarter_taken() -> Error {
    Error::conflict("quarter_taken", "this quarter has a wave: stop it first")
}

/// Writes a new one; the index keeps a quarter to one.
pub fn insert(conn: &mut Conn, row: &WaveRow) -> Result<()> {
    or_taken(
        conn,
        quarter_taken,
        |conn| each!(conn, conn => diesel::insert_into(survey_waves::table).values(row).execute(conn)),
    )?;
    Ok(())
}

/// One by id.
pub fn find(conn: &mut Conn, id: WaveId) -> Result<WaveRow> {
    let found = survey_waves::table.find(id).select(WaveRow::as_select()).first(conn).optional()?;
    found.ok_or(Error::NotFound("wave"))
}

/// One by id, locked until the commit.
pub fn lock(conn: &mut Conn, id: WaveId) -> Result<WaveRow> {
    let found = match conn {
        Conn::Pg(conn) => survey_waves::table.find(id).select(WaveRow::as_select()).for_update().first(conn).optional()?,
        Conn::Sqlite(conn) => survey_waves::table.find(id).select(WaveRow::as_select()).first(conn).optional()?,
    };
    found.ok_or(Error::NotFound("wave"))
}

/// Saves a change of what was read before, unless somebody was faster.
pub fn save(conn: &mut Conn, row: WaveRow, now: DateTime<Utc>) -> Result<WaveRow> {
    let before = row.version;
    let row = WaveRow { version: before + 1, updated_at: Time(now), ..row };
    let target = survey_waves::table.find(row.id).filter(survey_waves::version.eq(before));
    let changed = or_taken(conn, quarter_taken, |conn| each!(conn, conn => diesel::update(target).set(&row).execute(conn)))?;
    if changed == 1 { Ok(row) } else { Err(Error::Stale { current: before + 1 }) }
}

/// A page, newest first.
pub fn list(conn: &mut Conn, before: Option<WaveId>, limit: i64) -> Result<Vec<WaveRow>> {
    let mut query = survey_waves::table.select(WaveRow::as_select()).order(survey_waves::id.desc()).limit(limit).into_boxed();
    if let Some(before) = before {
        query = query.filter(survey_waves::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// A line of a frozen sample.
#[derive(Insertable)]
#[diesel(table_name = survey_wave_contacts, treat_none_as_default_value = false)]
struct MemberRow {
    wave_id: WaveId,
    contact_id: ContactId,
    organization_id: Option<OrganizationId>,
    standing: Named<SampleStanding>,
    send_on: Option<String>,
}

/// Throws a frozen sample away.
pub fn forget_sample(conn: &mut Conn, wave: WaveId) -> Result<()> {
    diesel::delete(survey_wave_contacts::table.filter(survey_wave_contacts::wave_id.eq(wave))).execute(conn)?;
    Ok(())
}

/// Writes the frozen sample. One insert for each thousand rows.
pub fn insert_sample(conn: &mut Conn, wave: WaveId, drawn: &[Drawn]) -> Result<()> {
    for chunk in drawn.chunks(ROWS_AT_ONCE) {
        let rows: Vec<MemberRow> = chunk
            .iter()
            .map(|drawn| MemberRow {
                wave_id: wave,
                contact_id: drawn.contact_id,
                organization_id: drawn.organization_id,
                standing: Named(drawn.standing),
                send_on: drawn.send_on.map(|day| day.to_string()),
            })
            .collect();
        each!(conn, conn => diesel::insert_into(survey_wave_contacts::table).values(&rows).execute(conn))?;
    }
    Ok(())
}
