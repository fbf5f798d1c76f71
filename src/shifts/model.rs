//! When a shift is on duty, and which open hours nobody is. Pure.
use crate::calendar::hours::Hours;
use crate::calendar::wire::{Interval, Weekly, parse_time};
use crate::reports::asked::local_instant;
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};
use chrono_tz::Tz;

/// A day, in seconds of the clock on the wall.
const DAY_SECONDS: u32 = 86_400;

/// A stretch of time, its end excluded.
pub type Stretch = (DateTime<Utc>, DateTime<Utc>);

/// The pattern of one shift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Its first day.
    pub from_on: NaiveDate,
    /// Its last day; none where it goes on.
    pub to_on: Option<NaiveDate>,
    /// Its hours by weekday.
    pub weekly: Weekly,
}

fn of_day(weekly: &Weekly, day: Weekday) -> &[Interval] {
    match day {
        Weekday::Mon => &weekly.mon,
        Weekday::Tue => &weekly.tue,
        Weekday::Wed => &weekly.wed,
        Weekday::Thu => &weekly.thu,
        Weekday::Fri => &weekly.fri,
        Weekday::Sat => &weekly.sat,
        Weekday::Sun => &weekly.sun,
    }
}

/// A local second of a day as an instant; past the end of the day it is of the next one.
fn instant(zone: Tz, on: NaiveDate, second: u32) -> DateTime<Utc> {
    local_instant(zone, on.and_time(NaiveTime::MIN) + TimeDelta::seconds(i64::from(second)))
}

impl Pattern {
    /// When it is on duty within `[from, to)`, by the clock of `zone`, in order. What begins on its last day is served to the end.
    pub fn duty(&self, zone: Tz, (from, to): Stretch) -> Vec<Stretch> {
        let local = |at: DateTime<Utc>| at.with_timezone(&zone).date_naive();
        // What began the evening before may reach into the first day.
        let first = local(from).pred_opt().unwrap_or(NaiveDate::MIN).max(self.from_on);
        let last = self.to_on.unwrap_or(NaiveDate::MAX).min(local(to));
        let days = first.iter_days().take_while(|day| *day <= last);
        let mut found: Vec<Stretch> = days
            .flat_map(|on| of_day(&self.weekly, on.weekday()).iter().map(move |interval| (on, interval)))
            .filter_map(|(on, interval)| {
                let (open, close) = parse_time(&interval.open).zip(parse_time(&interval.close))?;
                let close = if close <= open { close + DAY_SECONDS } else { close };
                let stretch = (instant(zone, on, open).max(from), instant(zone, on, close).min(to));
                (stretch.0 < stretch.1).then_some(stretch)
            })
            .collect();
        found.sort_unstable();
        found
    }
}

/// What of the open hours in `[from, to)` no stretch of duty covers, in order.
pub fn gaps(open: &Hours, duty: &[Stretch], (from, to): Stretch) -> Vec<Stretch> {
    let mut duty: Vec<Stretch> = duty.to_vec();
    duty.sort_unstable();
    let (mut found, mut at) = (Vec::new(), from);
    while let Some(start) = open.next_opening(at).filter(|start| *start < to) {
        let end = open.closes_at(start).unwrap_or(to).min(to);
        let mut uncovered = start;
        for (begins, ends) in duty.iter().filter(|(begins, ends)| *begins < end && *ends > start) {
            if *begins > uncovered {
                found.push((uncovered, *begins));
            }
            uncovered = uncovered.max(*ends);
        }
        if uncovered < end {
            found.push((uncovered, end));
        }
        at = end;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::wire::Definition;
    use std::collections::BTreeMap;

    fn weekly(text: &str) -> Weekly {
        serde_json::from_str(text).expect("a pattern")
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    #[track_caller]
    fn check(patterns: &[(&str, &str, Option<&str>)], (from, to): (&str, &str), expected: &[(&str, &str)]) {
        let zone: Tz = chrono_tz::America::Toronto;
        let hours = weekly(
            r#"{"mon":[{"open":"08:00","close":"20:00"}],"fri":[{"open":"22:00","close":"06:00"}],"sun":[{"open":"00:00","close":"04:00"}]}"#,
        );
        let open = Definition { time_zone: zone.name().to_owned(), weekly: hours, exceptions: BTreeMap::new() };
        let open = open.hours().expect("hours");
        let window = (at(from), at(to));
        let duty: Vec<Stretch> = patterns
            .iter()
            .flat_map(|(text, from_on, to_on)| {
                let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
                Pattern { from_on: day(from_on), to_on: to_on.map(day), weekly: weekly(text) }.duty(zone, window)
            })
            .collect();
        let found = gaps(&open, &duty, window);
        let expected: Vec<Stretch> = expected.iter().map(|(from, to)| (at(from), at(to))).collect();
        assert_eq!(found, expected, "{patterns:?}");
    }

    #[test]
    fn open_hours_that_no_shift_covers_are_gaps() {
        // Monday, 8 June 2026: 08:00 in Toronto is 12:00 UTC.
        let monday = ("2026-06-08T04:00:00Z", "2026-06-09T04:00:00Z");
        let whole = r#"{"mon":[{"open":"08:00","close":"20:00"}]}"#;
        let early = r#"{"mon":[{"open":"06:00","close":"14:00"}]}"#;
        let late = r#"{"mon":[{"open":"13:00","close":"19:30"}]}"#;
        check(&[], monday, &[("2026-06-08T12:00:00Z", "2026-06-09T00:00:00Z")]);
        check(&[(whole, "2026-06-01", None)], monday, &[]);
        check(&[(whole, "2026-06-09", None)], monday, &[("2026-06-08T12:00:00Z", "2026-06-09T00:00:00Z")]);
        check(&[(whole, "2026-06-01", Some("2026-06-07"))], monday, &[("2026-06-08T12:00:00Z", "2026-06-09T00:00:00Z")]);
        check(&[(early, "2026-06-01", Some("2026-06-08"))], monday, &[("2026-06-08T18:00:00Z", "2026-06-09T00:00:00Z")]);
        check(
            &[(early, "2026-06-01", None), (late, "2026-06-01", None)],
            monday,
            &[("2026-06-08T23:30:00Z", "2026-06-09T00:00:00Z")],
        );
        check(
            &[(late, "2026-06-01", None)],
            monday,
            &[("2026-06-08T12:00:00Z", "2026-06-08T17:00:00Z"), ("2026-06-08T23:30:00Z", "2026-06-09T00:00:00Z")],
        );
        // Only what lies in the window.
        check(&[], ("2026-06-08T13:00:00Z", "2026-06-08T14:00:00Z"), &[("2026-06-08T13:00:00Z", "2026-06-08T14:00:00Z")]);
        check(&[], ("2026-06-09T13:00:00Z", "2026-06-11T14:00:00Z"), &[]);
    }

    #[test]
    fn a_night_that_begins_on_the_last_day_is_served_to_its_end() {
        let night = r#"{"fri":[{"open":"22:00","close":"06:00"}]}"#;
        let friday = ("2026-06-12T12:00:00Z", "2026-06-13T12:00:00Z");
        check(&[(night, "2026-06-12", Some("2026-06-12"))], friday, &[]);
        // From the middle of the night on.
        check(&[(night, "2026-06-12", Some("2026-06-12"))], ("2026-06-13T05:00:00Z", "2026-06-13T12:00:00Z"), &[]);
        check(&[], ("2026-06-13T05:00:00Z", "2026-06-13T12:00:00Z"), &[("2026-06-13T05:00:00Z", "2026-06-13T10:00:00Z")]);
    }

    #[test]
    fn shifts_follow_the_clock_on_the_wall() {
        // On 8 March 2026 two o'clock is three o'clock in Toronto: four hours on the wall are three.
        let sunday = r#"{"sun":[{"open":"00:00","close":"02:30"}]}"#;
        check(
            &[(sunday, "2026-03-01", None)],
            ("2026-03-08T05:00:00Z", "2026-03-08T12:00:00Z"),
            &[("2026-03-08T07:00:00Z", "2026-03-08T08:00:00Z")],
        );
    }
}
