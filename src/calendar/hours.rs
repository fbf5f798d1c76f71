//! Opening hours: when a calendar is open, and where a budget of seconds ends on it. Pure.
//!
//! Everything is counted in whole seconds: callers truncate; the sub-second part of an argument does not count.
//! The hours of a local date are laid over UTC lazily, day by day, so an answer costs only the days it touches.
//! Results past the year 9999 saturate at its last second.

use std::collections::BTreeMap;
use std::ops::Range;

use chrono::{DateTime, Datelike, Days, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime};
use chrono::{Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz, TzOffset};
use thiserror::Error;

/// How long a calendar may stay closed, in days, before it counts as one that never opens.
pub const CLOSED_DAYS_MAX: i64 = 400;

const DAY_SECONDS: i64 = 86_400;
const CLOSED_SECONDS_MAX: i64 = CLOSED_DAYS_MAX * DAY_SECONDS;
/// The last second of the year 9999, which RFC 3339 can still write.
const LAST_SECOND: i64 = 253_402_300_799;
/// A span ends before the second midnight after its own date, and no zone was ever further than 16 hours from UTC:
/// what reaches an instant began at most this many dates before that instant's date in UTC.
const LOOK_BACK: Days = Days::new(2);

/// The calendar does not open for so long that nothing can be promised on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the calendar does not open within {CLOSED_DAYS_MAX} days")]
pub struct NeverOpen;

/// A bound of a span lies outside the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a span opens from 00:00 to before 24:00 and closes by 24:00, not from second {open} to second {close}")]
pub struct BadSpan {
    /// The opening asked for, in seconds of the day.
    pub open: u32,
    /// The closing asked for, in seconds of the day.
    pub close: u32,
}

/// Seconds of a local day, `[open, close)`; `close <= open` runs past midnight into the next day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Seconds of the local day, from 0 to before 86 400.
    pub open: u32,
    /// Seconds of the local day, up to 86 400, which is 24:00.
    pub close: u32,
}

impl Span {
    /// Refuses an opening at or past 24:00 and a closing past it.
    pub fn new(open: u32, close: u32) -> Result<Span, BadSpan> {
        if i64::from(open) < DAY_SECONDS && i64::from(close) <= DAY_SECONDS {
            Ok(Span { open, close })
        } else {
            Err(BadSpan { open, close })
        }
    }

    /// From its opening to its closing as a span of that local date; empty when the zone skips all of it.
    fn laid_on(self, date: NaiveDate, zone: Tz) -> Range<i64> {
        let next_day = i64::from(self.close <= self.open) * DAY_SECONDS;
        let open = local_time(date, i64::from(self.open));
        let close = local_time(date, i64::from(self.close) + next_day);
        instant(zone, open, MappedLocalTime::earliest)..instant(zone, close, MappedLocalTime::latest)
    }
}

/// What differs on one local date.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exception {
    /// The hours of that date: `None` keeps the weekly ones, an empty list is closed all day.
    pub hours: Option<Vec<Span>>,
    /// Stretches of that date when nobody reads mail either, so that [`Mode::Always`] stands still.
    pub no_service: Vec<Span>,
}

/// Which time a clock counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// All time but the `no_service` stretches.
    Always,
    /// Open time only.
    BusinessHours,
    /// All time, once promised; whether it is promised is [`Hours::is_open`] at the start.
    WhenOpen,
}

/// A part of a period that a clock counts as a whole, or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Its first second.
    pub from: DateTime<Utc>,
    /// The second after its last.
    pub to: DateTime<Utc>,
    /// Whether the clock runs in it.
    pub counted: bool,
}

/// The opening hours of one calendar: a zone, a week and the dates that differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Hours {
    zone: Tz,
    weekly: [Vec<Span>; 7],
    special: BTreeMap<NaiveDate, Vec<Span>>,
    no_service: BTreeMap<NaiveDate, Vec<Span>>,
}

impl Hours {
    /// Takes `weekly` from Monday on and `exceptions` by local date; spans come in any order and may overlap.
    pub fn new(zone: Tz, weekly: [Vec<Span>; 7], exceptions: BTreeMap<NaiveDate, Exception>) -> Hours {
        let mut special = BTreeMap::new();
        let mut no_service = BTreeMap::new();
        for (date, exception) in exceptions {
            if let Some(spans) = exception.hours {
                special.insert(date, sorted(spans));
            }
            if !exception.no_service.is_empty() {
                no_service.insert(date, sorted(exception.no_service));
            }
        }
        Hours { zone, weekly: weekly.map(sorted), special, no_service }
    }

    /// The zone whose local time the hours are written in.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// Refuses a calendar without one open second in the 400 days from `from` on.
    pub fn opens_within_400_days(&self, from: DateTime<Utc>) -> Result<(), NeverOpen> {
        self.next_opening(from).map(|_| ()).ok_or(NeverOpen)
    }

    /// Whether that second is open.
    pub fn is_open(&self, at: DateTime<Utc>) -> bool {
        let at = at.timestamp();
        self.open_from(at).next_before(at + 1).is_some()
    }

    /// `after` itself when open then, else the next opening within 400 days.
    pub fn next_opening(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let start = after.timestamp();
        let limit = start + CLOSED_SECONDS_MAX;
        let open = self.open_from(start).next_before(limit)?.start;
        Some(date_time(open).max(after))
    }

    /// The end of the stretch that is open at `at`, at most 400 days on; `None` when closed.
    pub fn closes_at(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let start = at.timestamp();
        let limit = start + CLOSED_SECONDS_MAX;
        let mut walk = self.open_from(start);
        let mut end = walk.next_before(start + 1)?.end;
        while let Some(stretch) = walk.next_before(limit) {
            if stretch.start > end {
                break;
            }
            end = stretch.end;
        }
        Some(date_time(end.min(limit)))
    }

    /// Open seconds in `[from, to)`; none when `to <= from`.
    pub fn open_between(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
        self.open_from(from.timestamp()).total_until(to.timestamp())
    }

    /// The first instant from `from` on by which that many seconds were open: a budget used up at closing ends there.
    /// Refuses when 400 days pass without an open second.
    pub fn deadline(&self, from: DateTime<Utc>, seconds: i64) -> Result<DateTime<Utc>, NeverOpen> {
        if seconds <= 0 {
            return Ok(from);
        }
        let mut left = seconds;
        let mut walk = self.open_from(from.timestamp());
        loop {
            let stretch = walk.next_before(walk.reached + CLOSED_SECONDS_MAX).ok_or(NeverOpen)?;
            let end = stretch.start.saturating_add(left);
            if end <= stretch.end || end > LAST_SECOND {
                return Ok(saturated(end, from));
            }
            left -= stretch.end - stretch.start;
        }
    }

    /// Seconds that a clock of that mode counts in `[from, to)`; none when `to <= from`.
    pub fn counted(&self, mode: Mode, from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
        let (start, end) = (from.timestamp(), to.timestamp());
        let elapsed = (end - start).max(0);
        match mode {
            Mode::Always => elapsed - self.no_service_from(start).total_until(end),
            Mode::BusinessHours => self.open_between(from, to),
            Mode::WhenOpen => elapsed,
        }
    }

    /// The first instant from `from` on by which a clock of that mode has counted that many seconds.
    /// Only [`Mode::BusinessHours`] can be refused.
    pub fn due(&self, mode: Mode, from: DateTime<Utc>, seconds: i64) -> Result<DateTime<Utc>, NeverOpen> {
        if seconds <= 0 {
            return Ok(from);
        }
        let start = from.timestamp();
        let mut pauses = match mode {
            Mode::Always => self.no_service_from(start),
            Mode::BusinessHours => return self.deadline(from, seconds),
            Mode::WhenOpen => self.walk(start, std::iter::empty()),
        };
        let mut end = start.saturating_add(seconds);
        while let Some(pause) = pauses.next_before(end) {
            end = end.saturating_add(pause.end - pause.start);
        }
        Ok(saturated(end, from))
    }

    /// Covers `[from, to)` without gaps: neighbours differ, and the counted ones add up to [`Hours::counted`].
    pub fn segments(&self, mode: Mode, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Segment> {
        let (start, end) = (from.timestamp(), to.timestamp());
        let (mut walk, counted) = match mode {
            Mode::Always => (self.no_service_from(start), false),
            Mode::BusinessHours => (self.open_from(start), true),
            Mode::WhenOpen => (self.walk(start, std::iter::empty()), false),
        };
        let mut segments = Vec::new();
        while let Some(stretch) = walk.next_before(end) {
            extend(&mut segments, start, stretch.start, !counted);
            extend(&mut segments, start, stretch.end.min(end), counted);
        }
        extend(&mut segments, start, end, !counted);
        segments
    }

    /// The same week without the dates that differ.
    pub fn weekly_only(&self) -> Hours {
        let (special, no_service) = (BTreeMap::new(), BTreeMap::new());
        Hours { zone: self.zone, weekly: self.weekly.clone(), special, no_service }
    }

    /// Whether a clock of that mode counts the same seconds on both, whenever it runs.
    pub fn counts_alike(&self, other: &Hours, mode: Mode) -> bool {
        match mode {
            Mode::Always => self.zone == other.zone && self.no_service == other.no_service,
            Mode::BusinessHours => self.zone == other.zone && self.weekly == other.weekly && self.special == other.special,
            Mode::WhenOpen => true,
        }
    }

    /// Seconds that local time is ahead of UTC then.
    pub fn offset_seconds(&self, at: DateTime<Utc>) -> i32 {
        self.zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()
    }

    /// The open stretches from `from` on.
    fn open_from(&self, from: i64) -> Walk<'_> {
        let dates = std::iter::successors(Some(first_date(from)), NaiveDate::succ_opt);
        self.walk(from, dates.map(|date| (date, self.spans_on(date))))
    }

    /// The stretches without service from `from` on.
    fn no_service_from(&self, from: i64) -> Walk<'_> {
        let days = self.no_service.range(first_date(from)..);
        self.walk(from, days.map(|(date, spans)| (*date, spans.as_slice())))
    }

    fn walk<'a>(&self, reached: i64, days: impl Iterator<Item = (NaiveDate, &'a [Span])> + 'a) -> Walk<'a> {
        Walk { zone: self.zone, days: Box::new(days), date: NaiveDate::MIN, spans: [].iter(), reached }
    }

    fn spans_on(&self, date: NaiveDate) -> &[Span] {
        self.special.get(&date).unwrap_or_else(|| {
            let weekday = date.weekday().num_days_from_monday();
            &self.weekly[weekday as usize]
        })
    }
}

/// Lays the spans of one date after the other over UTC. First and second instants of local times both rise with the
/// local time, so the stretches come in order, and cutting each at what was reached is all the merging they need.
struct Walk<'a> {
    zone: Tz,
    days: Box<dyn Iterator<Item = (NaiveDate, &'a [Span])> + 'a>,
    date: NaiveDate,
    spans: std::slice::Iter<'a, Span>,
    reached: i64,
}

impl Walk<'_> {
    /// The next stretch that begins before `limit`, past all before it though it may touch the last; after a `None`
    /// the walk is over.
    fn next_before(&mut self, limit: i64) -> Option<Range<i64>> {
        loop {
            for span in self.spans.by_ref() {
                let laid = span.laid_on(self.date, self.zone);
                let from = laid.start.max(self.reached);
                if from >= limit {
                    return None;
                }
                if from < laid.end {
                    self.reached = laid.end;
                    return Some(from..laid.end);
                }
            }
            let (date, spans) = self.days.next()?;
            // No zone is a whole day ahead of UTC, so nothing of this date begins before that.
            let midnight = local_time(date, 0).and_utc().timestamp();
            if midnight - DAY_SECONDS >= limit {
                return None;
            }
            self.date = date;
            self.spans = spans.iter();
        }
    }

    /// Seconds of all stretches, cut at `end`.
    fn total_until(mut self, end: i64) -> i64 {
        let mut total = 0;
        while let Some(stretch) = self.next_before(end) {
            total += stretch.end.min(end) - stretch.start;
        }
        total
    }
}

/// Lengthens a cover that begins at `start` up to `to`.
fn extend(segments: &mut Vec<Segment>, start: i64, to: i64, counted: bool) {
    let reached = segments.last().map_or(date_time(start), |last| last.to);
    let to = date_time(to);
    if to <= reached {
        return;
    }
    match segments.last_mut() {
        Some(last) if last.counted == counted => last.to = to,
        _ => segments.push(Segment { from: reached, to, counted }),
    }
}

/// The instant of a local time, in seconds since 1970: the one picked when it is ambiguous, and the first that exists
/// when it lies in a gap.
fn instant(zone: Tz, local: NaiveDateTime, pick: fn(MappedLocalTime<TzOffset>) -> Option<TzOffset>) -> i64 {
    let offset = pick(zone.offset_from_local_datetime(&local));
    // The first missing local time, at the offset before the gap, is the first instant after it.
    let gap = || GapInfo::new(&local, &zone).and_then(|gap| gap.begin);
    match offset.map(|offset| (local, offset)).or_else(gap) {
        Some((local, offset)) => local.and_utc().timestamp() - i64::from(offset.fix().local_minus_utc()),
        None => local.and_utc().timestamp(),
    }
}

fn local_time(date: NaiveDate, seconds: i64) -> NaiveDateTime {
    date.and_time(NaiveTime::MIN).checked_add_signed(TimeDelta::seconds(seconds)).unwrap_or(NaiveDateTime::MAX)
}

/// The earliest local date whose spans can reach `from`.
fn first_date(from: i64) -> NaiveDate {
    date_time(from).date_naive().checked_sub_days(LOOK_BACK).unwrap_or(NaiveDate::MIN)
}

fn date_time(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// `seconds` as an instant, but neither past the last second of the year 9999 nor before `from`.
fn saturated(seconds: i64, from: DateTime<Utc>) -> DateTime<Utc> {
    date_time(seconds.min(LAST_SECOND)).max(from)
}

fn sorted(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    spans
}

#[cfg(test)]
#[path = "hours_tests.rs"]
mod tests;
