//! Why a clock stands where it stands: every second since its start, counted or not, and by which hours. Pure.
use super::clock::{Clock, Fact, Promise, Standing, second_after, split};
use crate::calendar::hours::{Hours, Mode};
use crate::ids::CalendarId;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use std::collections::HashMap;
use std::sync::Arc;

/// A calendar at one of its versions.
pub type Version = (CalendarId, i32);

names! {
    /// Why a stretch of time counts, or does not.
    pub enum Why {
        /// It counts: the clock runs around the clock.
        Elapsed = "elapsed",
        /// It counts: the usual hours are open.
        Open = "open",
        /// The usual hours are closed.
        Closed = "closed",
        /// A date that differs: it counts where that date is open though the week is not, else the date is closed.
        Exception = "exception",
        /// Nobody reads mail either.
        NoService = "no_service",
        /// The clock stands still until the contact writes.
        Paused = "paused",
    }
}

/// A stretch of time that counts as a whole, or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its first instant.
    pub from: DateTime<Utc>,
    /// The instant after its last.
    pub to: DateTime<Utc>,
    /// Whether the clock ran.
    pub counted: bool,
    /// Why.
    pub why: Why,
    /// By which hours.
    pub version: Version,
    /// How far local time is ahead of UTC, in seconds.
    pub offset_seconds: i32,
}

/// One turn in the life of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It stood still, ran again, was reached.
    Fact(Fact),
    /// Another target, from the original start.
    FromStart(DateTime<Utc>, Promise, Version),
    /// Other hours for what remained.
    Remaining(DateTime<Utc>, Version),
}

/// The life of a clock, as history keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// What was promised at first.
    pub promise: Promise,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// By which hours, at first.
    pub version: Version,
    /// What happened then.
    pub turns: Vec<Turn>,
}

impl Life {
    /// Every version of a calendar that it names.
    pub fn versions(&self) -> impl Iterator<Item = Version> {
        let later = self.turns.iter().filter_map(|turn| match turn {
            Turn::Fact(_) => None,
            Turn::FromStart(_, _, version) | Turn::Remaining(_, version) => Some(*version),
        });
        std::iter::once(self.version).chain(later)
    }
}

/// The parts of a life so far.
struct Telling<'a> {
    hours: &'a HashMap<Version, Arc<Hours>>,
    version: Version,
    clock: Clock,
    parts: Vec<Part>,
}

/// Every second from the start to where the clock stands at `now`, without gaps; the counted ones add up to what it used.
/// None where the hours of a version are not given.
pub fn explain(life: &Life, hours: &HashMap<Version, Arc<Hours>>, now: DateTime<Utc>) -> Option<Vec<Part>> {
    let mut telling = Telling::begin(life.promise, life.started_at, life.version, hours)?;
    let mut pauses = Vec::new();
    for turn in &life.turns {
        match *turn {
            Turn::Fact(fact) => {
                if matches!(fact, Fact::Paused(_) | Fact::Resumed(_)) {
                    pauses.push(fact);
                }
                telling.take_in(fact)?;
            }
            Turn::FromStart(_, promise, version) => {
                telling = Telling::begin(promise, life.started_at, version, hours)?;
                for fact in &pauses {
                    telling.take_in(*fact)?;
                }
            }
            Turn::Remaining(at, version) => {
                let Some(moved) = telling.clock.relaid(at, hours.get(&telling.version)?, hours.get(&version)?) else { continue };
                if moved.standing == Standing::Running {
                    telling.ran(moved.anchor_at, |at| at.trunc_subsecs(0))?;
                }
                (telling.clock, telling.version) = (moved, version);
            }
        }
    }
    match telling.clock.standing {
        Standing::Running => telling.ran(now.max(telling.clock.anchor_at), |at| at.trunc_subsecs(0))?,
        Standing::Paused => telling.stood_still(now),
        Standing::Reached | Standing::NotPromised | Standing::NotMeasured => {}
    }
    Some(telling.parts)
}

impl<'a> Telling<'a> {
    fn begin(promise: Promise, at: DateTime<Utc>, version: Version, hours: &'a HashMap<Version, Arc<Hours>>) -> Option<Self> {
        let clock = Clock::start(promise, hours.get(&version)?, at);
        Some(Self { hours, version, clock, parts: Vec::new() })
    }

    fn take_in(&mut self, fact: Fact) -> Option<()> {
        let mut after = self.clock.clone();
        after.apply(fact, self.hours.get(&self.version)?);
        match (self.clock.standing, after.standing) {
            (Standing::Running, Standing::Paused) => self.ran(after.anchor_at, |at| at.trunc_subsecs(0))?,
            (Standing::Running, Standing::Reached) => self.ran(after.reached_at?, second_after)?,
            (Standing::Paused, Standing::Running) => self.stood_still(after.anchor_at),
            (Standing::Paused, Standing::Reached) => self.stood_still(after.reached_at?),
            _ => {}
        }
        self.clock = after;
        Some(())
    }

    /// It ran from its anchor to `to`, whose last second is whole by `round`.
    fn ran(&mut self, to: DateTime<Utc>, round: fn(DateTime<Utc>) -> DateTime<Utc>) -> Option<()> {
        let mode = self.clock.promise.mode;
        let (from, part) = split(mode, self.clock.anchor_at);
        let to = round(to - part);
        let hours = self.hours.get(&self.version)?;
        let weekly = hours.weekly_only();
        for segment in hours.segments(mode, from, to) {
            if mode != Mode::BusinessHours {
                let why = if segment.counted { Why::Elapsed } else { Why::NoService };
                self.add((segment.from, segment.to), part, segment.counted, why);
                continue;
            }
            for usual in weekly.segments(mode, segment.from, segment.to) {
                let why = match (segment.counted, usual.counted) {
                    (true, true) => Why::Open,
                    (false, false) => Why::Closed,
                    (true, false) | (false, true) => Why::Exception,
                };
                self.add((usual.from, usual.to), part, segment.counted, why);
            }
        }
        Some(())
    }

    fn stood_still(&mut self, to: DateTime<Utc>) {
        let (second, part) = split(self.clock.promise.mode, to);
        let from = self.parts.last().map_or(self.clock.anchor_at, |last| last.to);
        self.add((from, second + part), TimeDelta::zero(), false, Why::Paused);
    }

    /// Adds a stretch, cut where the clocks of its zone change.
    fn add(&mut self, (from, to): (DateTime<Utc>, DateTime<Utc>), part: TimeDelta, counted: bool, why: Why) {
        let Some(hours) = self.hours.get(&self.version) else { return };
        let mut at = from;
        while at < to {
            let offset_seconds = hours.offset_seconds(at);
            let end = next_offset(hours, at, to);
            let (from, to) = (at + part, end + part);
            match self.parts.last_mut() {
                Some(last)
                    if (last.counted, last.why, last.version, last.offset_seconds)
                        == (counted, why, self.version, offset_seconds)
                        && last.to == from =>
                {
                    last.to = to;
                }
                _ => self.parts.push(Part { from, to, counted, why, version: self.version, offset_seconds }),
            }
            at = end;
        }
    }
}

/// The first instant after `from` with another offset, at most `to`.
fn next_offset(hours: &Hours, from: DateTime<Utc>, to: DateTime<Utc>) -> DateTime<Utc> {
    let offset = hours.offset_seconds(from);
    let mut same = from;
    loop {
        let day = same.checked_add_signed(TimeDelta::days(1)).map_or(to, |day| day.min(to));
        if hours.offset_seconds(day) == offset {
            if day >= to {
                return to;
            }
            same = day;
            continue;
        }
        let (mut low, mut high) = (same.timestamp(), day.timestamp());
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            let is_same = DateTime::from_timestamp(middle, 0).is_some_and(|at| hours.offset_seconds(at) == offset);
            if is_same { low = middle } else { high = middle }
        }
        return DateTime::from_timestamp(high, 0)
            .unwrap_or(to)
            .clamp(from + TimeDelta::seconds(1), to.max(from + TimeDelta::seconds(1)));
    }
}

#[cfg(test)]
#[path = "explain_tests.rs"]
mod tests;
