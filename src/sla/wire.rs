//! A policy as JSON, on the wire and in its stored versions. Pure.
use super::clock::{Metric, Promise};
use super::model::{Matcher, Policy, Target};
use crate::calendar::hours::Mode;
use crate::error::FieldError;
use crate::ids::{CalendarId, OrganizationId, PolicyId, TeamId};
use crate::tickets::model::{Channel, Priority};
use serde::{Deserialize, Serialize};
use validator::Validate;

names! {
    /// What counts.
    pub enum ModeName {
        /// Around the clock from receipt.
        Always = "always",
        /// Only open time.
        BusinessHours = "business_hours",
        /// Promised only if open at the start; then elapsed time.
        WhenOpen = "when_open",
    }
}

impl ModeName {
    /// The mode that is meant.
    pub fn mode(self) -> Mode {
        match self {
            Self::Always => Mode::Always,
            Self::BusinessHours => Mode::BusinessHours,
            Self::WhenOpen => Mode::WhenOpen,
        }
    }
}

impl From<Mode> for ModeName {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Always => Self::Always,
            Mode::BusinessHours => Self::BusinessHours,
            Mode::WhenOpen => Self::WhenOpen,
        }
    }
}

/// One promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetWire {
    /// What is measured.
    pub metric: Metric,
    /// Seconds allowed, up to a year.
    #[serde(deserialize_with = "crate::http::patch::whole")]
    #[validate(range(min = 1, max = 31_536_000))]
    #[schema(minimum = 1, maximum = 31_536_000, examples(86400))]
    pub seconds: i64,
    /// What counts.
    pub mode: ModeName,
    /// Share of the time at which a warning goes out; 0 for none.
    #[serde(default = "warn_percent_default", deserialize_with = "crate::http::patch::whole")]
    #[validate(range(min = 0, max = 99))]
    #[schema(minimum = 0, maximum = 99)]
    pub warn_percent: i32,
    /// Whether `pending` pauses this clock; where it is left out, only resolution is.
    #[serde(default)]
    pub pauses: Option<bool>,
}

fn warn_percent_default() -> i32 {
    75
}

/// Which tickets are meant; what is left out matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MatchWire {
    /// Channels.
    #[validate(length(max = 10))]
    #[schema(max_items = 10)]
    pub channels: Vec<Channel>,
    /// Priorities.
    #[validate(length(max = 10))]
    #[schema(max_items = 10)]
    pub priorities: Vec<Priority>,
    /// Teams.
    #[validate(length(max = 500))]
    #[schema(max_items = 500)]
    pub team_ids: Vec<TeamId>,
    /// Organizations.
    #[validate(length(max = 500))]
    #[schema(max_items = 500)]
    pub organization_ids: Vec<OrganizationId>,
}

/// What a policy says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyDefinition {
    /// Which tickets are meant.
    #[serde(default, rename = "match")]
    #[validate(nested)]
    pub matcher: MatchWire,
    /// The calendar; null takes the team's, else the default one.
    #[serde(default)]
    pub calendar_id: Option<CalendarId>,
    /// The promises, one a metric at most.
    #[validate(length(min = 1, max = 4), nested)]
    #[schema(min_items = 1, max_items = 4)]
    pub targets: Vec<TargetWire>,
}

impl PolicyDefinition {
    /// Every wrong field that types and ranges do not show.
    pub fn errors(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        for (index, target) in self.targets.iter().enumerate() {
            if self.targets.iter().take(index).any(|other| other.metric == target.metric) {
                let text = format!("{} has a target already", target.metric);
                errors.push(FieldError::new(format!("targets[{index}].metric"), "repeated", text));
            }
        }
        errors
    }

    /// The policy that this says.
    pub fn policy(self, id: PolicyId, version: i32) -> Policy {
        let MatchWire { channels, priorities, team_ids, organization_ids } = self.matcher;
        let target = |wire: TargetWire| Target {
            metric: wire.metric,
            promise: Promise { mode: wire.mode.mode(), target_seconds: wire.seconds, warn_percent: wire.warn_percent },
            pauses: wire.pauses.unwrap_or(wire.metric == Metric::Resolution),
        };
        Policy {
            id,
            version,
            matcher: Matcher { channels, priorities, team_ids, organization_ids },
            calendar_id: self.calendar_id,
            targets: self.targets.into_iter().map(target).collect(),
        }
    }
}
