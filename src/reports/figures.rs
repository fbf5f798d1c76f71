//! Figures folded from rows: promises kept and broken, scores given, in all and by group. Pure.
//!
//! Ratios are rounded half away from zero to one decimal, from the counts and by integers alone. A percentile is
//! the nearest rank: the smallest value that at least so many percent of all values do not exceed; none is made up.
use crate::ids::{AgentId, OrganizationId, TeamId};
use crate::sla::clock::{self, Metric, Standing, Verdict};
use crate::surveys::score::{Score, Tally};
use crate::tickets::model::{Channel, Priority};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// How many metrics there are.
pub const METRICS: usize = 4;
/// How many scores there are, 0 to 10.
pub const SCORES: usize = 11;
/// What stands for a reason that was not kept.
const NO_REASON: &str = "not_stated";

/// What a row is counted under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// The total alone.
    Whole,
    /// A channel or priority.
    Name(&'static str),
    /// A team, agent or organization, or none.
    Id(Option<Uuid>),
    /// A day, week or month, by its place in the period.
    Bucket(usize),
}

impl From<Channel> for Key {
    fn from(channel: Channel) -> Self {
        Self::Name(channel.as_str())
    }
}
impl From<Priority> for Key {
    fn from(priority: Priority) -> Self {
        Self::Name(priority.as_str())
    }
}
impl From<Option<TeamId>> for Key {
    fn from(id: Option<TeamId>) -> Self {
        Self::Id(id.map(|id| id.0))
    }
}
impl From<Option<AgentId>> for Key {
    fn from(id: Option<AgentId>) -> Self {
        Self::Id(id.map(|id| id.0))
    }
}
impl From<Option<OrganizationId>> for Key {
    fn from(id: Option<OrganizationId>) -> Self {
        Self::Id(id.map(|id| id.0))
    }
}

/// Names of teams, agents or organizations.
pub type Names = HashMap<Uuid, String>;

/// The same figures for everything and for each group that occurs.
#[derive(Debug, Default)]
pub struct Groups<T> {
    /// Everything.
    pub whole: T,
    /// Each group.
    pub by_key: HashMap<Key, T>,
}

impl<T: Default> Groups<T> {
    /// Counts one row in the total and in its group.
    pub fn add(&mut self, key: Key, count: impl Fn(&mut T)) {
        count(&mut self.whole);
        if key != Key::Whole {
            count(self.by_key.entry(key).or_default());
        }
    }
}

/// What the figures need to know of a clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockFact {
    /// What was promised.
    pub metric: Metric,
    /// Where it stands.
    pub standing: Standing,
    /// Why it is left out.
    pub reason: Option<String>,
    /// When the time is used up.
    pub due_at: Option<DateTime<Utc>>,
    /// Whether the breach was recorded.
    pub is_breached: bool,
    /// Seconds used when it was reached.
    pub used_seconds: Option<i64>,
    /// Whether it is the metric's first cycle on its ticket.
    pub is_first: bool,
    /// Whether no later cycle of the metric followed on its ticket.
    pub is_last: bool,
}

impl ClockFact {
    /// How the promise stands at `now`; figures do not tell what is at risk from what runs.
    pub fn verdict(&self, now: DateTime<Utc>) -> Verdict {
        clock::verdict(self.standing, (self.due_at, None), self.is_breached, now)
    }
}

/// Counts by reason.
pub type Reasons = BTreeMap<String, u64>;

/// How the promises of one metric were kept. Every clock is in one of met, breached, running, paused and the two left out.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct SlaTally {
    /// Reached at or before due.
    pub met: u64,
    /// Not reached by due, whether reached since or not.
    pub breached: u64,
    /// Breached and still not reached.
    pub unreached_breached: u64,
    /// Undecided and in time so far.
    pub running: u64,
    /// Undecided and standing still.
    pub paused: u64,
    /// Nothing was promised.
    pub not_promised: Reasons,
    /// The start is not known.
    pub not_measured: Reasons,
    /// Seconds used by each clock that was reached, breached ones included.
    pub seconds: Vec<i64>,
}

impl SlaTally {
    /// Counts one clock as it stands at `now`.
    pub fn add(&mut self, fact: &ClockFact, now: DateTime<Utc>) {
        match fact.verdict(now) {
            Verdict::Met => self.met += 1,
            Verdict::Breached => {
                self.breached += 1;
                self.unreached_breached += u64::from(fact.standing != Standing::Reached);
            }
            Verdict::Running | Verdict::AtRisk => self.running += 1,
            Verdict::Paused => self.paused += 1,
            Verdict::NotPromised => count_reason(&mut self.not_promised, fact.reason.as_deref()),
            Verdict::NotMeasured => count_reason(&mut self.not_measured, fact.reason.as_deref()),
        }
        if fact.standing == Standing::Reached {
            self.seconds.extend(fact.used_seconds);
        }
    }

    /// All clocks counted.
    pub fn total(&self) -> u64 {
        let left_out: u64 = self.not_promised.values().chain(self.not_measured.values()).sum();
        self.met + self.breached + self.running + self.paused + left_out
    }

    /// Clocks that are decided: what the attainment divides by.
    pub fn decided(&self) -> u64 {
        self.met + self.breached
    }
}

fn count_reason(reasons: &mut Reasons, reason: Option<&str>) {
    let reason = reason.unwrap_or(NO_REASON);
    match reasons.get_mut(reason) {
        Some(count) => *count += 1,
        None => {
            reasons.insert(reason.to_owned(), 1);
        }
    }
}

/// The tallies of all metrics.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct SlaTallies {
    /// In the order of [`Metric::ALL`].
    pub by_metric: [SlaTally; METRICS],
    /// Of the resolutions, those before any reopening.
    pub first_resolution: SlaTally,
    /// Of the resolutions, those after which the ticket was not reopened.
    pub last_resolution: SlaTally,
}

impl SlaTallies {
    /// Counts one clock under its metric.
    pub fn add(&mut self, fact: &ClockFact, now: DateTime<Utc>) {
        let [pickup, first_response, next_response, resolution] = &mut self.by_metric;
        match fact.metric {
            Metric::Pickup => pickup.add(fact, now),
            Metric::FirstResponse => first_response.add(fact, now),
            Metric::NextResponse => next_response.add(fact, now),
            Metric::Resolution => {
                resolution.add(fact, now);
                if fact.is_first {
                    self.first_resolution.add(fact, now);
                }
                if fact.is_last {
                    self.last_resolution.add(fact, now);
                }
            }
        }
    }
}

/// Seconds until the promise was fulfilled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    /// The 50th percentile.
    pub median: i64,
    /// The 90th percentile.
    pub p90: i64,
    /// The 95th percentile.
    pub p95: i64,
    /// The longest.
    pub worst: i64,
}

impl Spread {
    /// Of no values there is none.
    pub fn of(mut values: Vec<i64>) -> Option<Self> {
        values.sort_unstable();
        Some(Self {
            median: nearest_rank(&values, 50)?,
            p90: nearest_rank(&values, 90)?,
            p95: nearest_rank(&values, 95)?,
            worst: *values.last()?,
        })
    }
}

/// The value at rank ⌈percent·n/100⌉ of sorted values; none of none.
pub fn nearest_rank(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = (percent * sorted.len()).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// 100·part/whole to one decimal, half away from zero; nothing of nothing is no figure, not 0 or 100.
///
/// ```
/// # use deskbell::reports::figures::percent_one_decimal;
/// assert_eq!(percent_one_decimal(1_999, 2_000), Some(100.0));
/// assert_eq!(percent_one_decimal(2, 3), Some(66.7));
/// assert_eq!(percent_one_decimal(0, 0), None);
/// ```
pub fn percent_one_decimal(part: u64, whole: u64) -> Option<f64> {
    let (part, whole) = (u128::from(part), u128::from(whole));
    let tenths = (2 * 1_000 * part + whole).checked_div(2 * whole)?;
    Some(tenths as f64 / 10.0)
}

/// What the answers of a period say, and how many of the letters sent in it were answered.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct NpsTally {
    /// Answers given in the period.
    pub answers: Tally,
    /// The same answers by score.
    pub by_score: [u64; SCORES],
    /// Of those, with a comment.
    pub comments: u64,
    /// Answers given in the period that it is compared with.
    pub before: Tally,
    /// Invitations sent in the period.
    pub sent: u64,
    /// Of those, answered at any time.
    pub answered: u64,
    /// Of those sent, not answered at all and reported as not delivered.
    pub bounced: u64,
    /// The answers to those.
    pub cohort: Tally,
}

impl NpsTally {
    /// Counts an answer given in the period.
    pub fn add_answer(&mut self, score: Score, has_comment: bool) {
        self.answers.add(score);
        if let Some(count) = self.by_score.get_mut(usize::from(score.get())) {
            *count += 1;
        }
        self.comments += u64::from(has_comment);
    }

    /// Whether nothing was counted but for the comparison.
    pub fn is_empty(&self) -> bool {
        self.answers.n() == 0 && self.sent == 0
    }

    /// Counts an invitation sent in the period, with the score where it was answered; it came back where nobody answered it.
    pub fn add_sent(&mut self, is_answered: bool, is_bounced: bool, score: Option<Score>) {
        self.sent += 1;
        self.bounced += u64::from(is_bounced);
        self.answered += u64::from(is_answered);
        if let Some(score) = score {
            self.cohort.add(score);
        }
    }

    /// The NPS, to one decimal, if all who got a letter and did not answer were detractors, and if all were promoters.
    pub fn bounds(&self) -> Option<(f64, f64)> {
        let silent = self.sent.saturating_sub(self.bounced).saturating_sub(self.cohort.n());
        let worst = self.cohort.merge(Tally { detractors: silent, ..Tally::default() });
        let best = self.cohort.merge(Tally { promoters: silent, ..Tally::default() });
        Some((worst.nps_one_decimal()?, best.nps_one_decimal()?))
    }
}

#[cfg(test)]
#[path = "figures_tests.rs"]
mod tests;
