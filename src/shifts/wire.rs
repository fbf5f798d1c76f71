//! Shifts and gaps as JSON. Pure.
use super::queries::{Coverage, ShiftRow};
use crate::calendar::wire::{Definition, Weekly};
use crate::error::{Error, Result};
use crate::ids::{AgentId, ShiftId, TeamId};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use validator::Validate;

/// Years in which shifts can lie: those that are written with four digits, as days are compared as text.
const YEARS: std::ops::RangeInclusive<i32> = 0..=9999;

/// A shift to plan.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShiftIn {
    /// Who is on duty.
    pub(super) agent_id: AgentId,
    /// For which team; null for the desk as a whole.
    pub(super) team_id: Option<TeamId>,
    /// First day.
    pub(super) from_on: NaiveDate,
    /// Last day; null: until it is changed. What begins on the last day is served to its end.
    pub(super) to_on: Option<NaiveDate>,
    /// The hours of each weekday, by the clock of the team's calendar, or the default one.
    pub(super) weekly: Weekly,
    /// For people.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, examples("early shift"))]
    pub(super) note: Option<String>,
}

impl ShiftIn {
    /// Refuses hours that cannot be read, none at all, and an end before the beginning.
    pub(super) fn check(&self) -> Result<()> {
        let pattern = Definition { time_zone: "UTC".to_owned(), weekly: self.weekly.clone(), exceptions: BTreeMap::new() };
        pattern.hours().map_err(Error::Invalid)?;
        let w = &self.weekly;
        if [&w.mon, &w.tue, &w.wed, &w.thu, &w.fri, &w.sat, &w.sun].iter().all(|day| day.is_empty()) {
            return Err(Error::field("weekly", "empty", "must have hours on at least one day"));
        }
        for (field, day) in [("from_on", Some(self.from_on)), ("to_on", self.to_on)] {
            if day.is_some_and(|day| !YEARS.contains(&day.year())) {
                return Err(Error::field(field, "range", "must be a day of the years 0000 to 9999"));
            }
        }
        if self.to_on.is_some_and(|to| to < self.from_on) {
            return Err(Error::field("to_on", "order", "must not be before the first day"));
        }
        Ok(())
    }
}

/// A stretch of open hours without anybody.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct GapOut {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    seconds: i64,
}

/// Where the plan leaves open hours without anybody.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CoverageOut {
    /// Of which team; null: of the desk, for which every shift counts.
    team_id: Option<TeamId>,
    /// The time that was looked through.
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    /// Open seconds in which nobody is on duty.
    gap_seconds: i64,
    /// The first hundred gaps.
    #[schema(max_items = 100)]
    gaps: Vec<GapOut>,
    /// True where there are more than are listed.
    gaps_cut: bool,
}

impl From<Coverage> for CoverageOut {
    fn from(coverage: Coverage) -> Self {
        let Coverage { team_id, window: (from, to), gaps, is_cut: gaps_cut, gap_seconds } = coverage;
        let gap = |(from, to): (DateTime<Utc>, DateTime<Utc>)| GapOut { from, to, seconds: (to - from).num_seconds() };
        Self { team_id, from, to, gap_seconds, gaps: gaps.into_iter().map(gap).collect(), gaps_cut }
    }
}

/// A shift.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ShiftOut {
    pub(super) id: ShiftId,
    agent_id: AgentId,
    team_id: Option<TeamId>,
    #[schema(format = Date)]
    from_on: String,
    #[schema(format = Date)]
    to_on: Option<String>,
    weekly: Weekly,
    note: Option<String>,
    pub(super) version: i32,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    /// Where it is saved: the open hours of the next four weeks in which nobody is on duty. Else null.
    coverage: Option<CoverageOut>,
}

impl ShiftOut {
    /// The shift, and the gaps that saving it showed.
    pub(super) fn of(row: ShiftRow, coverage: Option<Coverage>) -> Result<Self> {
        let ShiftRow { id, agent_id, team_id, from_on, to_on, weekly, note, version, created_at, updated_at } = row;
        let (weekly, coverage) = (weekly.to()?, coverage.map(CoverageOut::from));
        let (created_at, updated_at) = (created_at.0, updated_at.0);
        Ok(Self { id, agent_id, team_id, from_on, to_on, weekly, note, version, created_at, updated_at, coverage })
    }
}

/// Somebody on duty.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DutyOut {
    pub(super) shift_id: ShiftId,
    pub(super) agent_id: AgentId,
    pub(super) team_id: Option<TeamId>,
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
}
