//! Whom an alert is told, when it is told again, and when it falls silent. Pure.
use super::clock::{Clock, Standing};
use crate::calendar::hours::Hours;
use crate::ids::AgentId;
use crate::tickets::model::Priority;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;

names! {
    /// What an alert is about.
    pub enum About {
        /// A promise of a ticket.
        Promise = "promise",
        /// The desk or a team is open and nobody is available.
        Staffing = "staffing",
    }
}

names! {
    /// How far a promise is gone.
    pub enum Level {
        /// The warning share of the time is used.
        Warning = "warning",
        /// The promise is broken.
        Breach = "breach",
    }
}

names! {
    /// A rung of the ladder, from the bottom up.
    pub enum Rung {
        /// Who is responsible for the ticket.
        Assignee = "assignee",
        /// The members of its team.
        Team = "team",
        /// The managers; where there are none, the admins.
        Managers = "managers",
    }
}

names! {
    /// Why an alert is over.
    pub enum EndReason {
        /// What was promised was done.
        Reached = "reached",
        /// The warning has become a breach, which is an alert of its own.
        Breached = "breached",
        /// The clock was laid out anew and is no longer near its end.
        Moved = "moved",
        /// The ticket is closed: nobody can do anything until it is open again.
        Closed = "closed",
    }
}

/// The steps of the ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ladder {
    /// Who hears of a warning.
    pub warning: Vec<Rung>,
    /// Who hears of a breach at once.
    pub breach: Vec<Rung>,
    /// Who hears of a breach that nobody acknowledged.
    pub later: Vec<Rung>,
    /// Seconds from the first step of a breach to the second.
    pub later_seconds: u32,
    /// Seconds between repetitions; 0 for none.
    pub repeat_seconds: u32,
}

/// Who there is to be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    /// Who is responsible, where that is an active agent.
    pub assignee: Option<AgentId>,
    /// The active members of the ticket's team.
    pub team: Vec<AgentId>,
    /// The active managers.
    pub managers: Vec<AgentId>,
}

impl People {
    fn on(&self, rung: Rung) -> Vec<AgentId> {
        match rung {
            Rung::Assignee => self.assignee.into_iter().collect(),
            Rung::Team => self.team.clone(),
            Rung::Managers => self.managers.clone(),
        }
    }
}

/// What is to be done with an alert whose next step is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Tell people.
    Tell,
    /// Nobody hears it now: look again then.
    Hold(DateTime<Utc>),
    /// It is over.
    End(EndReason),
}

/// What the alert is raised about, as it stands now.
pub struct Case<'a> {
    /// What it is about.
    pub level: Level,
    /// The clock.
    pub clock: &'a Clock,
    /// The hours of the clock's calendar.
    pub hours: &'a Hours,
    /// How urgent the ticket is.
    pub priority: Priority,
    /// Whether the ticket is closed.
    pub is_closed: bool,
}

impl Ladder {
    fn rungs(&self, level: Level, step: i32) -> &[Rung] {
        match (level, step) {
            (Level::Warning, _) => &self.warning,
            (Level::Breach, 0) => &self.breach,
            (Level::Breach, _) => &self.later,
        }
    }

    /// Who hears of a step, 0 for the first. Where a rung is empty the next one up is told: nobody is no answer.
    pub fn audience(&self, level: Level, step: i32, people: &People) -> BTreeSet<AgentId> {
        let mut told = BTreeSet::new();
        for rung in self.rungs(level, step) {
            let up = Rung::ALL.iter().filter(|other| *other >= rung);
            told.extend(up.map(|rung| people.on(*rung)).find(|who| !who.is_empty()).unwrap_or_default());
        }
        told
    }

    /// When the step after `step` is due, which was told at `told_at`; none where it is not told again.
    pub fn next_at(&self, level: Level, step: i32, told_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let seconds = match (level, step) {
            (Level::Breach, 0) => self.later_seconds,
            _ => self.repeat_seconds,
        };
        (seconds > 0).then(|| told_at + TimeDelta::seconds(i64::from(seconds)))
    }

    /// What to do with an alert whose step is due at `now`: critical ones are heard around the clock, others in open hours.
    pub fn turn(&self, case: &Case<'_>, now: DateTime<Utc>) -> Turn {
        let Case { level, clock, hours, priority, is_closed } = case;
        let is_raised = match level {
            Level::Warning => clock.warned_at.is_some(),
            Level::Breach => clock.breached_at.is_some(),
        };
        match clock.standing {
            Standing::Reached => Turn::End(EndReason::Reached),
            Standing::NotPromised | Standing::NotMeasured => Turn::End(EndReason::Moved),
            Standing::Running | Standing::Paused if !is_raised => Turn::End(EndReason::Moved),
            Standing::Running | Standing::Paused if *level == Level::Warning && clock.breached_at.is_some() => {
                Turn::End(EndReason::Breached)
            }
            Standing::Running | Standing::Paused if *is_closed => Turn::End(EndReason::Closed),
            // While the contact is to act there is nothing to hurry for.
            Standing::Paused => Turn::Hold(now + TimeDelta::seconds(i64::from(self.later_seconds.max(60)))),
            Standing::Running if *priority == Priority::Critical || hours.is_open(now) => Turn::Tell,
            Standing::Running => hours.next_opening(now).map_or(Turn::Tell, Turn::Hold),
        }
    }
}

#[cfg(test)]
#[path = "ladder_tests.rs"]
mod tests;
