//! Scores of zero to ten, and the Net Promoter Score with its interval and comparison. Pure.

use std::fmt;
use std::ops::RangeInclusive;

/// The fewest answers for which an interval is shown to people.
pub const ANSWERS_FOR_INTERVAL: u64 = 5;

/// The fewest answers that are not called "few".
pub const ANSWERS_NOT_FEW: u64 = 30;

/// A two-sided p below this is a clear change.
pub const SIGNIFICANCE: f64 = 0.05;

/// The standard normal quantile of 0.975: a two-sided interval of 95 %.
const Z_95: f64 = 1.959_963_984_540_054;

/// Answers the adjusted Wald interval adds to each end of the scale (Rocks 2016).
const ADDED_TO_EACH_END: f64 = 0.75;

/// Answers the adjusted Wald interval adds in all, half of them passive (Rocks 2016).
const ADDED_IN_ALL: f64 = 3.0;

/// NPS points per unit of the difference of two shares.
const POINTS: f64 = 100.0;

/// An answer to "how likely is it that you would recommend us", 0 to 10; 0 is an answer too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score(u8);

/// Where a score falls, by the bands of Reichheld (2003).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    /// 9 or 10.
    Promoter,
    /// 7 or 8.
    Passive,
    /// 0 to 6.
    Detractor,
}

/// The number that was given as a score but is not within [`Score::RANGE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfRange(pub u8);

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (least, most) = Score::RANGE.into_inner();
        write!(f, "a score is {least} to {most}, not {}", self.0)
    }
}

impl std::error::Error for OutOfRange {}

impl Score {
    /// All numbers that are a score.
    pub const RANGE: RangeInclusive<u8> = 0..=10;

    /// Takes a number within [`Score::RANGE`] and refuses any other.
    ///
    /// ```
    /// # use deskbell::surveys::score::{Group, OutOfRange, Score};
    /// assert_eq!(Score::new(9).map(Score::group), Ok(Group::Promoter));
    /// assert_eq!(Score::new(11), Err(OutOfRange(11)));
    /// ```
    pub fn new(value: u8) -> Result<Self, OutOfRange> {
        if Self::RANGE.contains(&value) { Ok(Self(value)) } else { Err(OutOfRange(value)) }
    }

    /// The number itself, 0 to 10.
    pub fn get(self) -> u8 {
        self.0
    }

    /// The band the score falls into.
    pub fn group(self) -> Group {
        match self.0 {
            ..=6 => Group::Detractor,
            7..=8 => Group::Passive,
            9.. => Group::Promoter,
        }
    }
}

/// How many answers fell into each group: all that is needed for every NPS figure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Answers of 9 or 10.
    pub promoters: u64,
    /// Answers of 7 or 8.
    pub passives: u64,
    /// Answers of 0 to 6.
    pub detractors: u64,
}

impl Tally {
    /// Counts one more answer.
    pub fn add(&mut self, score: Score) {
        match score.group() {
            Group::Promoter => self.promoters += 1,
            Group::Passive => self.passives += 1,
            Group::Detractor => self.detractors += 1,
        }
    }

    /// The tally of both sets of answers, which must not overlap.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self {
            promoters: self.promoters + other.promoters,
            passives: self.passives + other.passives,
            detractors: self.detractors + other.detractors,
        }
    }

    /// All answers counted.
    pub fn n(&self) -> u64 {
        self.promoters + self.passives + self.detractors
    }

    /// 100·(P−D)/n in points, −100 to 100, not rounded; no answers are no score, not a score of zero.
    pub fn nps(&self) -> Option<f64> {
        let n = self.n();
        (n > 0).then(|| POINTS * (self.promoters as f64 - self.detractors as f64) / n as f64)
    }

    /// The NPS in whole points, half away from zero, for people.
    ///
    /// ```
    /// # use deskbell::surveys::score::Tally;
    /// let answers = Tally { promoters: 60, passives: 25, detractors: 15 };
    /// assert_eq!(answers.nps_rounded(), Some(45));
    /// ```
    pub fn nps_rounded(&self) -> Option<i64> {
        self.nps_in_parts_of_a_point(1)
    }

    /// The NPS to one decimal, half away from zero, rounded from the counts and so free of float noise.
    pub fn nps_one_decimal(&self) -> Option<f64> {
        self.nps_in_parts_of_a_point(10).map(|tenths| tenths as f64 / 10.0)
    }

    /// The NPS in `1/parts` points, half away from zero, by integers alone.
    fn nps_in_parts_of_a_point(&self, parts: i128) -> Option<i64> {
        let n = i128::from(self.n());
        if n == 0 {
            return None;
        }
        let lead = i128::from(self.promoters) - i128::from(self.detractors);
        let magnitude = (2 * 100 * parts * lead.abs() + n) / (2 * n);
        i64::try_from(magnitude * lead.signum()).ok()
    }

    /// The 95 % interval as shown to people, in points: [`Tally::interval_of_any_size`], but none under
    /// [`ANSWERS_FOR_INTERVAL`] answers.
    pub fn interval(&self) -> Option<(f64, f64)> {
        if self.n() < ANSWERS_FOR_INTERVAL {
            return None;
        }
        self.interval_of_any_size()
    }

    /// The 95 % interval in points, clamped to ±100, for one answer or more: adjusted Wald (Rocks 2016, "Interval
    /// Estimation for the Net Promoter Score", The American Statistician 70:4; in the manner of Bonett and Price).
    pub fn interval_of_any_size(&self) -> Option<(f64, f64)> {
        let adjusted = self.adjusted()?;
        let margin = Z_95 * adjusted.variance_of_mean.sqrt();
        let in_points = |share: f64| (POINTS * share).clamp(-POINTS, POINTS);
        Some((in_points(adjusted.mean - margin), in_points(adjusted.mean + margin)))
    }

    /// Whether the answers are so few (under [`ANSWERS_NOT_FEW`]) that a figure must say so.
    pub fn is_few(&self) -> bool {
        self.n() < ANSWERS_NOT_FEW
    }

    /// The NPS, in points, if all who did not answer were detractors, and if all were promoters; none if nobody was asked.
    pub fn bounds(&self, unanswered: u64) -> Option<(f64, f64)> {
        let worst = Self { detractors: self.detractors + unanswered, ..*self };
        let best = Self { promoters: self.promoters + unanswered, ..*self };
        Some((worst.nps()?, best.nps()?))
    }

    fn adjusted(&self) -> Option<Adjusted> {
        if self.n() == 0 {
            return None;
        }
        let n = self.n() as f64 + ADDED_IN_ALL;
        let promoters = (self.promoters as f64 + ADDED_TO_EACH_END) / n;
        let detractors = (self.detractors as f64 + ADDED_TO_EACH_END) / n;
        let mean = promoters - detractors;
        let variance = promoters + detractors - mean * mean;
        Some(Adjusted { mean, variance_of_mean: variance / n })
    }
}

/// The score, −1 to 1, after the answers of Rocks are added, and its variance, which they keep above zero.
struct Adjusted {
    mean: f64,
    variance_of_mean: f64,
}

/// What can be said about the NPS of two periods.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// The difference in standard errors; positive is better now.
    pub z: f64,
    /// The chance, 0 to 1, of a difference at least this large, either way, if nothing had changed.
    pub p: f64,
    /// Which arrow to show.
    pub direction: Direction,
}

/// The arrow beside a figure: only a change below [`SIGNIFICANCE`] earns one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Clearly better than before.
    Up,
    /// Clearly worse than before.
    Down,
    /// The difference may well be chance.
    NoClearChange,
}

/// Compares two periods by a two-sided z test of the adjusted scores (Rocks 2016); none if either has no answers.
///
/// ```
/// # use deskbell::surveys::score::{compare, Direction, Tally};
/// let march = Tally { promoters: 48, passives: 30, detractors: 22 };
/// let april = Tally { promoters: 60, passives: 25, detractors: 15 };
/// let change = compare(&march, &april).map(|change| change.direction);
/// assert_eq!(change, Some(Direction::NoClearChange));
/// ```
pub fn compare(before: &Tally, now: &Tally) -> Option<Change> {
    let (before, now) = (before.adjusted()?, now.adjusted()?);
    let z = (now.mean - before.mean) / (now.variance_of_mean + before.variance_of_mean).sqrt();
    let p = two_sided_p(z);
    let direction = if p >= SIGNIFICANCE {
        Direction::NoClearChange
    } else if z > 0.0 {
        Direction::Up
    } else {
        Direction::Down
    };
    Some(Change { z, p, direction })
}

/// erfc(|z|/√2), the area under both tails of the normal curve, within 1e-14: the series of Abramowitz and Stegun
/// 26.2.11, whose terms are all positive (Marsaglia 2004, "Evaluating the Normal Distribution").
fn two_sided_p(z: f64) -> f64 {
    /// Beyond this many standard errors both tails together hold less than 1e-14.
    const Z_MAX: f64 = 8.0;
    let z = z.abs();
    if z > Z_MAX {
        return 0.0;
    }
    let (mut term, mut sum, mut odd) = (z, z, 1.0);
    while term > sum * f64::EPSILON {
        odd += 2.0;
        term *= z * z / odd;
        sum += term;
    }
    let density = (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt();
    (1.0 - 2.0 * density * sum).max(0.0)
}

#[cfg(test)]
#[path = "score_tests.rs"]
mod tests;
