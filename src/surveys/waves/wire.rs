//! Waves and their samples as JSON. Pure.
use super::model::{self, ACTIVE_DAYS_DEFAULT, CAP_DEFAULT, Drawn, SampleStanding, WaveState};
use super::queries::{MemberRow, Sample, WaveRow};
use crate::ids::{ContactId, InvitationId, OrganizationId, WaveId};
use crate::surveys::model::Outcome;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use validator::{Validate, ValidationError};

/// A wave to plan.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WaveIn {
    /// Year and quarter; each quarter has one wave that is not stopped.
    #[validate(custom(function = "is_quarter"))]
    #[schema(pattern = "^(19[7-9][0-9]|[2-8][0-9]{3})-Q[1-4]$", examples("2026-Q3"))]
    pub(super) quarter: String,
    /// For people; the quarter where it is left out.
    #[validate(length(min = 1, max = 100), custom(function = "trimmed"))]
    #[schema(min_length = 1, max_length = 100, pattern = r"^\S(.*\S)?$")]
    pub(super) name: Option<String>,
    /// First day of letters, inside the quarter; its first day where it is left out.
    pub(super) from_on: Option<NaiveDate>,
    /// Last day of letters, inside the quarter; its last day where it is left out.
    pub(super) to_on: Option<NaiveDate>,
    /// Contacts of one organization at the most.
    #[serde(default = "cap")]
    #[validate(range(min = 1, max = 10_000))]
    #[schema(minimum = 1, maximum = 10_000, default = 3)]
    pub(super) cap_per_organization: Option<i32>,
    /// Only contacts with a ticket in so many days; null: whoever there is.
    #[serde(default = "active")]
    #[validate(range(min = 1, max = 3_650))]
    #[schema(minimum = 1, maximum = 3_650, default = 365)]
    pub(super) active_days: Option<i32>,
    /// Contacts at the most; null or left out: all that nothing speaks against.
    #[validate(range(min = 1, max = 1_000_000))]
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub(super) sample_size: Option<i32>,
}

#[expect(clippy::unnecessary_wraps, reason = "serde's default has the type of the field")]
fn cap() -> Option<i32> {
    Some(CAP_DEFAULT)
}

#[expect(clippy::unnecessary_wraps, reason = "serde's default has the type of the field")]
fn active() -> Option<i32> {
    Some(ACTIVE_DAYS_DEFAULT)
}

fn is_quarter(text: &str) -> Result<(), ValidationError> {
    if model::quarter(text).is_some() {
        return Ok(());
    }
    Err(ValidationError::new("quarter").with_message("must be a year and a quarter such as 2026-Q3".into()))
}

fn trimmed(name: &str) -> Result<(), ValidationError> {
    if name.trim() == name && !name.contains(char::is_control) {
        return Ok(());
    }
    Err(ValidationError::new("name").with_message("must be on one line and without spaces at its ends".into()))
}

/// A wave of relationship surveys.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct WaveOut {
    pub(super) id: WaveId,
    name: String,
    #[schema(examples("2026-Q3"))]
    quarter: String,
    /// First day on which letters can go out.
    #[schema(format = Date)]
    from_on: String,
    /// Last day.
    #[schema(format = Date)]
    to_on: String,
    /// Contacts of one organization at the most.
    cap_per_organization: Option<i32>,
    /// Only contacts with a ticket in so many days.
    active_days: Option<i32>,
    /// Contacts at the most.
    sample_size: Option<i32>,
    state: WaveState,
    /// It runs, and its last day is over.
    is_over: bool,
    started_at: Option<DateTime<Utc>>,
    /// Since when the sample stands.
    frozen_at: Option<DateTime<Utc>>,
    stopped_at: Option<DateTime<Utc>>,
    pub(super) version: i32,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl WaveOut {
    /// The wave as it stands at `now`.
    pub(super) fn at(row: WaveRow, now: DateTime<Utc>) -> Self {
        let WaveRow {
            id,
            name,
            quarter,
            from_on,
            to_on,
            cap_per_organization,
            active_days,
            sample_size,
            state,
            started_at,
            frozen_at,
            stopped_at,
            version,
            created_at,
            updated_at,
        } = row;
        let is_over = state.0 == WaveState::Running && to_on < now.date_naive().to_string();
        Self {
            id,
            name,
            quarter,
            from_on,
            to_on,
            cap_per_organization,
            active_days,
            sample_size,
            state: state.0,
            is_over,
            started_at: started_at.map(|at| at.0),
            frozen_at: frozen_at.map(|at| at.0),
            stopped_at: stopped_at.map(|at| at.0),
            version,
            created_at: created_at.0,
            updated_at: updated_at.0,
        }
    }
}

/// Letters of one day.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DayOut {
    on: NaiveDate,
    contacts: u64,
}

/// A sample in numbers: considered = included + all that are excluded.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SampleOut {
    /// False: a dry run over the desk as it is now. True: the sample that stands.
    is_frozen: bool,
    /// Contacts that were looked at.
    considered: u64,
    /// Contacts that are asked.
    included: u64,
    /// Contacts that are not, by reason.
    #[schema(value_type = BTreeMap<String, u64>)]
    excluded: BTreeMap<&'static str, u64>,
    /// Letters by local date; they add up to `included`.
    days: Vec<DayOut>,
    /// Invitations by outcome; they are made when their day comes.
    #[schema(value_type = BTreeMap<String, u64>)]
    outcomes: BTreeMap<&'static str, u64>,
}

impl SampleOut {
    /// The counts of a sample.
    pub(super) fn of(sample: Sample, is_frozen: bool) -> Self {
        let Sample { standings, days, outcomes } = sample;
        let is_in = |standing: &SampleStanding| *standing == SampleStanding::Included;
        Self {
            is_frozen,
            considered: standings.values().sum(),
            included: standings.get(&SampleStanding::Included).copied().unwrap_or(0),
            excluded: standings.iter().filter(|(name, _)| !is_in(name)).map(|(name, count)| (name.as_str(), *count)).collect(),
            days: days.into_iter().map(|(on, contacts)| DayOut { on, contacts }).collect(),
            outcomes,
        }
    }
}

/// A contact who was considered.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MemberOut {
    pub(super) contact_id: ContactId,
    /// As it was when the sample was frozen.
    organization_id: Option<OrganizationId>,
    /// `included`, or the reason why not.
    standing: SampleStanding,
    /// The local date of the letter; null for those who are not asked.
    #[schema(format = Date)]
    send_on: Option<String>,
    /// Made when the day comes.
    invitation_id: Option<InvitationId>,
    /// What became of it.
    outcome: Option<Outcome>,
    sent_at: Option<DateTime<Utc>>,
}

impl From<MemberRow> for MemberOut {
    fn from((contact_id, organization_id, standing, send_on, letter): MemberRow) -> Self {
        let (invitation_id, outcome, sent_at) = match letter {
            Some((id, outcome, sent_at)) => (Some(id), Some(outcome.0), sent_at.map(|at| at.0)),
            None => (None, None, None),
        };
        Self { contact_id, organization_id, standing: standing.0, send_on, invitation_id, outcome, sent_at }
    }
}

impl From<Drawn> for MemberOut {
    fn from(drawn: Drawn) -> Self {
        let Drawn { contact_id, organization_id, standing, send_on } = drawn;
        let send_on = send_on.map(|day| day.to_string());
        Self { contact_id, organization_id, standing, send_on, invitation_id: None, outcome: None, sent_at: None }
    }
}
