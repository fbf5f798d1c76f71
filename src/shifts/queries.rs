//! Who is on duty, and where nobody is.
use super::model::{self, Pattern, Stretch};
use super::store;
pub use super::store::ShiftRow;
use crate::accounts::teams;
use crate::calendar::{self, InForce};
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::{AgentId, ShiftId, TeamId};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

/// Gaps in one answer at the most.
pub const GAPS_MAX: usize = 100;

/// What open hours of a team, or of the desk, nobody is on duty in.
pub struct Coverage {
    /// Of which team; none for the desk.
    pub team_id: Option<TeamId>,
    /// The time that was looked through.
    pub window: Stretch,
    /// The first of them.
    pub gaps: Vec<Stretch>,
    /// Whether there are more than are listed.
    pub is_cut: bool,
    /// Open seconds without anybody.
    pub gap_seconds: i64,
}

fn day(text: &str) -> Result<NaiveDate> {
    text.parse().map_err(|_| Error::internal(format!("a stored date is {text:?}")))
}

fn pattern(row: &ShiftRow) -> Result<Pattern> {
    let to_on = row.to_on.as_deref().map(day).transpose()?;
    Ok(Pattern { from_on: day(&row.from_on)?, to_on, weekly: row.weekly.clone().to()? })
}

/// One by id.
pub fn shift(conn: &mut Conn, id: ShiftId) -> Result<ShiftRow> {
    store::find(conn, id)
}

/// A page, oldest first.
pub fn list(
    conn: &mut Conn,
    whose: (Option<TeamId>, Option<AgentId>),
    after: Option<ShiftId>,
    limit: i64,
) -> Result<Vec<ShiftRow>> {
    store::list(conn, whose, after, limit)
}

/// The hours of a team, or of the desk: a team without a calendar of its own has the default one. Up to two queries.
pub fn hours(conn: &mut Conn, team: Option<TeamId>) -> Result<InForce> {
    let own = match team {
        Some(team) => teams::calendar_of(conn, team)?.ok_or(Error::field("team_id", "unknown_team", "is no team"))?,
        None => None,
    };
    calendar::in_force(conn, own)?.ok_or_else(|| Error::internal("there is no default calendar"))
}

/// Each shift that is on duty in a window, with when. Three queries.
pub fn duty(conn: &mut Conn, team: Option<TeamId>, window: Stretch) -> Result<Vec<(ShiftRow, Vec<Stretch>)>> {
    let zone = hours(conn, team)?.hours.zone();
    let local = |at: DateTime<Utc>| at.with_timezone(&zone).date_naive();
    let days = (local(window.0 - TimeDelta::days(1)), local(window.1));
    let rows = store::reaching(conn, team, days)?;
    let on = rows.into_iter().map(|row| -> Result<(ShiftRow, Vec<Stretch>)> {
        let duty = pattern(&row)?.duty(zone, window);
        Ok((row, duty))
    });
    let on: Vec<(ShiftRow, Vec<Stretch>)> = on.collect::<Result<_>>()?;
    Ok(on.into_iter().filter(|(_, duty)| !duty.is_empty()).collect())
}

/// The open hours of a window in which nobody is on duty. Five queries.
pub fn coverage(conn: &mut Conn, team_id: Option<TeamId>, window: Stretch) -> Result<Coverage> {
    let open = hours(conn, team_id)?;
    let duty: Vec<Stretch> = duty(conn, team_id, window)?.into_iter().flat_map(|(_, duty)| duty).collect();
    let mut gaps = model::gaps(&open.hours, &duty, window);
    let gap_seconds = gaps.iter().map(|(from, to)| (*to - *from).num_seconds()).sum();
    let is_cut = gaps.len() > GAPS_MAX;
    gaps.truncate(GAPS_MAX);
    Ok(Coverage { team_id, window, gaps, is_cut, gap_seconds })
}
