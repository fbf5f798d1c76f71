//! When requests come, and whether they are answered in time: by weekday and hour of a time zone. Pure.
use super::asked::Period;
use super::figures::{ClockFact, SlaTally, percent_one_decimal};
use super::wire::Attainment;
use crate::sla::clock::Metric;
use chrono::{DateTime, Datelike, Offset, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use serde::Serialize;
use utoipa::ToSchema;

/// Days of a week.
pub const DAYS: usize = 7;
/// Hours of a day.
pub const HOURS: usize = 24;
/// Seconds of an hour.
const HOUR_SECONDS: i64 = 3_600;

/// An hour of the week: weekday (1 is Monday) and hour (0 to 23).
pub fn slot(zone: Tz, at: DateTime<Utc>) -> (u32, u32) {
    let local = at.with_timezone(&zone);
    (local.weekday().number_from_monday(), local.hour())
}

fn index((weekday, hour): (u32, u32)) -> usize {
    (weekday as usize - 1) * HOURS + hour as usize
}

/// What came in one hour of the week.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct HourTally {
    /// Requests.
    pub received: u64,
    /// The promises that they began with.
    pub promises: SlaTally,
}

impl HourTally {
    fn add(&mut self, clock: Option<&ClockFact>, now: DateTime<Utc>) {
        self.received += 1;
        if let Some(clock) = clock {
            self.promises.add(clock, now);
        }
    }
}

/// The hours of a week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Week {
    zone: Tz,
    hours: Vec<HourTally>,
    whole: HourTally,
}

impl Week {
    /// Of no requests.
    pub fn new(zone: Tz) -> Self {
        Self { zone, hours: vec![HourTally::default(); DAYS * HOURS], whole: HourTally::default() }
    }

    /// Counts a request that came at `at`, with its promise where it has one, as it stands at `now`.
    pub fn add(&mut self, at: DateTime<Utc>, clock: Option<&ClockFact>, now: DateTime<Utc>) {
        if let Some(hour) = self.hours.get_mut(index(slot(self.zone, at))) {
            hour.add(clock, now);
        }
        self.whole.add(clock, now);
    }
}

/// How many seconds of a period lie in each hour of the week: an hour that a clock change skips is shorter, one that comes
/// twice longer.
pub fn seconds_by_hour(period: &Period) -> Vec<i64> {
    let mut seconds = vec![0; DAYS * HOURS];
    let offset = |at: DateTime<Utc>| i64::from(period.zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc());
    let mut at = period.from;
    while at < period.to {
        let local = at.timestamp() + offset(at);
        let full_hour = at + TimeDelta::seconds(HOUR_SECONDS - local.rem_euclid(HOUR_SECONDS));
        let mut next = full_hour.min(period.to);
        if offset(next - TimeDelta::microseconds(1)) != offset(at) {
            next = change_after(at, next, offset).min(next);
        }
        if let Some(sum) = seconds.get_mut(index(slot(period.zone, at))) {
            *sum += (next - at).num_microseconds().unwrap_or(0);
        }
        at = next;
    }
    seconds.into_iter().map(|micros| micros / 1_000_000).collect()
}

/// The first whole second after `at` with another offset, which lies before `end`.
fn change_after(at: DateTime<Utc>, end: DateTime<Utc>, offset: impl Fn(DateTime<Utc>) -> i64) -> DateTime<Utc> {
    let (mut before, mut after) = (at.timestamp(), end.timestamp() + 1);
    let instant = |second: i64| DateTime::from_timestamp(second, 0).unwrap_or(end);
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if offset(instant(middle)) == offset(at) {
            before = middle;
        } else {
            after = middle;
        }
    }
    instant(after)
}

/// Figures of one hour of the week.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct HourFigures {
    /// 1 is Monday; null in the total.
    #[schema(minimum = 1, maximum = 7)]
    pub weekday: Option<u32>,
    /// 0 is midnight to one o'clock; null in the total.
    #[schema(minimum = 0, maximum = 23)]
    pub hour: Option<u32>,
    /// How much of the period lies in this hour: to divide by.
    pub period_seconds: i64,
    /// Tickets that came.
    pub received: u64,
    /// Of those, how many have such a promise; the others match no policy with it.
    pub promises: u64,
    /// Of the promises, those that were done, in time or not.
    pub answered: u64,
    /// Done in time.
    pub met: u64,
    /// Not done in time, whether done since or not.
    pub breached: u64,
    /// Undecided, running or standing still.
    pub open: u64,
    /// Nothing was promised, or the start is not known.
    pub left_out: u64,
    /// The share kept.
    pub attainment: Attainment,
    /// Seconds until it was done: the median of those answered; null without any.
    pub median_seconds: Option<i64>,
}

impl HourFigures {
    fn of(slot: Option<(u32, u32)>, period_seconds: i64, tally: HourTally) -> Self {
        let HourTally { received, promises } = tally;
        let (total, decided) = (promises.total(), promises.decided());
        let SlaTally { met, breached, running, paused, not_promised, not_measured, mut seconds, .. } = promises;
        seconds.sort_unstable();
        Self {
            weekday: slot.map(|(weekday, _)| weekday),
            hour: slot.map(|(_, hour)| hour),
            period_seconds,
            received,
            promises: total,
            answered: seconds.len() as u64,
            met,
            breached,
            open: running + paused,
            left_out: not_promised.values().chain(not_measured.values()).sum(),
            attainment: Attainment { percent: percent_one_decimal(met, decided), numerator: met, denominator: decided },
            median_seconds: super::figures::nearest_rank(&seconds, 50),
        }
    }
}

/// Tickets by the hour of the week in which they came, and their first promise of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct HoursReport {
    /// Start of the period.
    pub from: DateTime<Utc>,
    /// End of the period, exclusive.
    pub to: DateTime<Utc>,
    /// Whose hours.
    #[schema(examples("America/Toronto"))]
    pub time_zone: String,
    /// When the promises were read.
    pub as_of: DateTime<Utc>,
    /// Which promise.
    pub metric: Metric,
    /// The whole period.
    pub total: HourFigures,
    /// All 168 hours, from Monday 00:00 on.
    #[schema(min_items = 168, max_items = 168)]
    pub hours: Vec<HourFigures>,
}

impl HoursReport {
    /// The report that the tallies make.
    pub fn of(period: &Period, metric: Metric, as_of: DateTime<Utc>, week: Week) -> Self {
        let seconds = seconds_by_hour(period);
        let slots = (1..=DAYS as u32).flat_map(|weekday| (0..HOURS as u32).map(move |hour| (weekday, hour)));
        let hours =
            slots.zip(seconds).zip(week.hours).map(|((slot, seconds), tally)| HourFigures::of(Some(slot), seconds, tally));
        Self {
            from: period.from,
            to: period.to,
            time_zone: period.zone.to_string(),
            as_of,
            metric,
            total: HourFigures::of(None, (period.to - period.from).num_seconds(), week.whole),
            hours: hours.collect(),
        }
    }
}

#[cfg(test)]
#[path = "week_tests.rs"]
mod tests;
