//! Which promise applies to a ticket. Pure.
use super::clock::{Metric, Promise};
use crate::ids::{CalendarId, OrganizationId, PolicyId, TeamId};
use crate::tickets::model::{Channel, Priority};
use chrono::{DateTime, Utc};

/// The far future that stands for "nothing runs" in a ticket's caches: 9999-12-31T00:00:00Z.
pub const NEVER: DateTime<Utc> = match DateTime::from_timestamp(253_402_214_400, 0) {
    Some(at) => at,
    None => DateTime::<Utc>::MAX_UTC,
};

/// What a ticket's row repeats of its clocks, for lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// The earliest due instant that can still be kept, or [`NEVER`].
    pub due_at: DateTime<Utc>,
    /// The earliest warning among those, or [`NEVER`].
    pub warn_at: DateTime<Utc>,
    /// Promises broken.
    pub breached: i32,
    /// Promises kept.
    pub met: i32,
}

names! {
    /// How the promises of a ticket stand together.
    pub enum PromiseState {
        /// Something runs, nothing is broken or near.
        Running = "running",
        /// Something runs and its warning share is used.
        AtRisk = "at_risk",
        /// At least one promise is broken.
        Breached = "breached",
        /// At least one promise was kept, none is broken, none runs.
        Met = "met",
    }
}

impl Summary {
    /// How they stand at `now`; `None` where nothing was promised or all stands still.
    pub fn state(&self, now: DateTime<Utc>) -> Option<PromiseState> {
        if self.breached > 0 || self.due_at < now {
            Some(PromiseState::Breached)
        } else if self.due_at < NEVER {
            Some(if self.warn_at <= now { PromiseState::AtRisk } else { PromiseState::Running })
        } else {
            (self.met > 0).then_some(PromiseState::Met)
        }
    }
}

/// What a policy looks at; an empty list matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matcher {
    /// Channels.
    pub channels: Vec<Channel>,
    /// Priorities.
    pub priorities: Vec<Priority>,
    /// Teams.
    pub team_ids: Vec<TeamId>,
    /// Organizations.
    pub organization_ids: Vec<OrganizationId>,
}

/// One promise of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// What is measured.
    pub metric: Metric,
    /// What is promised.
    pub promise: Promise,
    /// Whether `pending` pauses this clock.
    pub pauses: bool,
}

/// A policy at one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Which.
    pub id: PolicyId,
    /// Its version.
    pub version: i32,
    /// Whose tickets it is for.
    pub matcher: Matcher,
    /// The calendar; none takes the team's, else the default one.
    pub calendar_id: Option<CalendarId>,
    /// What it promises, at most one target a metric.
    pub targets: Vec<Target>,
}

/// What a ticket shows to the policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// How it came.
    pub channel: Channel,
    /// How urgent it is.
    pub priority: Priority,
    /// Who is responsible.
    pub team_id: Option<TeamId>,
    /// Whose it is.
    pub organization_id: Option<OrganizationId>,
}

fn allows<T: PartialEq>(list: &[T], value: Option<&T>) -> bool {
    list.is_empty() || value.is_some_and(|value| list.contains(value))
}

impl Matcher {
    /// Whether a ticket is meant.
    pub fn matches(&self, subject: &Subject) -> bool {
        allows(&self.channels, Some(&subject.channel))
            && allows(&self.priorities, Some(&subject.priority))
            && allows(&self.team_ids, subject.team_id.as_ref())
            && allows(&self.organization_ids, subject.organization_id.as_ref())
    }
}

/// The first policy, by position, that means this ticket.
pub fn first_match<'a>(policies: &'a [Policy], subject: &Subject) -> Option<&'a Policy> {
    policies.iter().find(|policy| policy.matcher.matches(subject))
}

impl Policy {
    /// What it promises of a metric.
    pub fn target(&self, metric: Metric) -> Option<&Target> {
        self.targets.iter().find(|target| target.metric == metric)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(matcher: Matcher) -> Policy {
        Policy { id: PolicyId(uuid::Uuid::nil()), version: 1, matcher, calendar_id: None, targets: Vec::new() }
    }

    #[test]
    fn the_first_policy_that_matches_wins_and_an_empty_list_matches_all() {
        let team = TeamId(uuid::Uuid::max());
        let list = [
            policy(Matcher { channels: vec![Channel::Phone], priorities: vec![Priority::Critical], ..Matcher::default() }),
            policy(Matcher { team_ids: vec![team], ..Matcher::default() }),
            policy(Matcher::default()),
        ];
        let subject = Subject { channel: Channel::Phone, priority: Priority::Normal, team_id: None, organization_id: None };
        let index =
            |subject: &Subject| list.iter().position(|p| first_match(&list, subject).is_some_and(|found| std::ptr::eq(found, p)));
        assert_eq!(index(&subject), Some(2));
        assert_eq!(index(&Subject { priority: Priority::Critical, ..subject }), Some(0));
        assert_eq!(index(&Subject { team_id: Some(team), ..subject }), Some(1));
    }
}
