//! The calendar rules: known answers, the holidays of 2012, clock changes, and properties over random calendars.

use chrono::NaiveDateTime;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use super::*;

const VECTORS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/calendar.jsonl"));
const TORONTO: Tz = Tz::America__Toronto;
const LORD_HOWE: Tz = Tz::Australia__Lord_Howe;
const APIA: Tz = Tz::Pacific__Apia;

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().expect("an RFC 3339 instant")
}

/// `2012-12-24 16:59:50` in that zone, where the time exists once.
fn local(zone: Tz, text: &str) -> DateTime<Utc> {
    let naive: NaiveDateTime = text.replace(' ', "T").parse().expect("a local time");
    zone.from_local_datetime(&naive).single().expect("a local time that exists once").to_utc()
}

fn date(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn second_of_day(text: &str) -> u32 {
    let (hour, minute) = text.split_once(':').expect("HH:MM");
    let number = |digits: &str| digits.parse::<u32>().expect("a number");
    number(hour) * 3600 + number(minute) * 60
}

/// `09:00-12:30 13:15-17:30`; an empty text is closed.
fn spans(text: &str) -> Vec<Span> {
    text.split_whitespace()
        .map(|span| {
            let (open, close) = span.split_once('-').expect("open-close");
            Span::new(second_of_day(open), second_of_day(close)).expect("a span")
        })
        .collect()
}

fn every_day(zone: Tz, hours: &str) -> Hours {
    with_exceptions(zone, hours, &[])
}

/// Every day the same hours, but on `(date, hours, no_service)`; the hours `=` keep the weekly ones.
fn with_exceptions(zone: Tz, hours: &str, exceptions: &[(&str, &str, &str)]) -> Hours {
    let exceptions = exceptions.iter().map(|(on, hours, no_service)| {
        let exception = Exception { hours: (*hours != "=").then(|| spans(hours)), no_service: spans(no_service) };
        (date(on), exception)
    });
    let weekly = std::array::from_fn(|_| spans(hours));
    Hours::new(zone, weekly, exceptions.collect())
}

/// Open from `from`, for `seconds` without a break, up to `to`; and closed right before and right after.
#[track_caller]
fn check_open(hours: &Hours, from: &str, to: &str) {
    let (from, to) = (utc(from), utc(to));
    let second = TimeDelta::seconds(1);
    let length = (to - from).num_seconds();
    assert_eq!(hours.next_opening(from - second), Some(from), "opens");
    assert_eq!(hours.closes_at(from), Some(to), "closes");
    assert!(!hours.is_open(from - second), "closed before {from}");
    assert!(hours.is_open(from), "open at {from}");
    assert!(hours.is_open(to - second), "open before {to}");
    assert!(!hours.is_open(to), "closed at {to}");
    assert_eq!(hours.open_between(from - second, to + second), length);
    assert_eq!(hours.deadline(from - second, length), Ok(to), "deadline");
}

/// Due at `due` in local time; `None` is not promised.
#[track_caller]
fn check(hours: &Hours, mode: Mode, received: &str, seconds: i64, due: Option<&str>) {
    let from = local(hours.zone(), received);
    let promised = mode != Mode::WhenOpen || hours.is_open(from);
    let found = promised.then(|| {
        let due = hours.due(mode, from, seconds).expect("it opens again");
        assert_eq!(hours.counted(mode, from, due), seconds, "both directions");
        due
    });
    let expected = due.map(|due| local(hours.zone(), due));
    assert_eq!(found, expected, "{received} {mode:?} {seconds} s");
}

// Known answers

fn spans_of(hours: &Value) -> Vec<Span> {
    let hours = hours.as_object().expect("an object open: close");
    hours
        .iter()
        .map(|(open, close)| {
            let close = close.as_str().expect("a closing time");
            Span::new(second_of_day(open), second_of_day(close)).expect("a span")
        })
        .collect()
}

fn hours_of(vector: &Value) -> Hours {
    let weekly =
        ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(|day| vector["hours"].get(day).map(spans_of).unwrap_or_default());
    let closed = vector["holidays"].as_array().expect("dates").iter();
    let closed = closed.map(|on| (on.as_str().expect("a date"), Vec::new()));
    let other = vector["overrides"].as_object().expect("dates").iter();
    let other = other.map(|(on, hours)| (on.as_str(), spans_of(hours)));
    let exceptions = closed.chain(other).map(|(on, spans)| {
        let exception = Exception { hours: Some(spans), no_service: Vec::new() };
        (date(on), exception)
    });
    let zone = vector["time_zone"].as_str().expect("a zone");
    Hours::new(zone.parse().expect("a known zone"), weekly, exceptions.collect())
}

#[test]
fn every_known_answer_is_given() {
    let mut checked = 0;
    for line in VECTORS.lines() {
        let vector: Value = serde_json::from_str(line).expect("a vector");
        let id = &vector["id"];
        let at = |name: &str| utc(vector[name].as_str().expect("an instant"));
        let number = |name: &str| vector[name].as_i64().expect("a number");
        let hours = hours_of(&vector);
        let (start, seconds) = (at("start"), number("seconds"));
        let between = hours.open_between(start, at("until"));
        assert_eq!(hours.deadline(start, seconds), Ok(at("due")), "due, vector {id}");
        assert_eq!(hours.open_between(start, at("due")), seconds, "back, vector {id}");
        assert_eq!(between, number("business_seconds_until"), "until, vector {id}");
        assert_eq!(Value::from(hours.is_open(start)), vector["open_at_start"], "open, vector {id}");
        checked += 1;
    }
    assert_eq!(checked, 240);
}

// Holidays of 2012

const DAY: i64 = 86_400;

fn reseller_support() -> Hours {
    with_exceptions(
        TORONTO,
        "08:00-20:00",
        &[
            ("2012-12-24", "08:00-17:00", "17:00-24:00"),
            ("2012-12-25", "", "00:00-24:00"),
            ("2012-12-26", "=", "00:00-08:00"),
            ("2012-12-31", "08:00-17:00", "17:00-24:00"),
            ("2013-01-01", "", "00:00-24:00"),
            ("2013-01-02", "=", "00:00-08:00"),
        ],
    )
}

fn reseller_support_without_marks() -> Hours {
    with_exceptions(
        TORONTO,
        "08:00-20:00",
        &[("2012-12-24", "08:00-17:00", ""), ("2012-12-25", "", ""), ("2012-12-31", "08:00-17:00", ""), ("2013-01-01", "", "")],
    )
}

#[rustfmt::skip]
#[test]
fn reseller_support_keeps_its_holidays() {
    let marked = reseller_support();
    check(&marked, Mode::WhenOpen, "2012-12-24 16:59:50", 20, Some("2012-12-24 17:00:10"));
    check(&marked, Mode::WhenOpen, "2012-12-24 17:00:00", 20, None);
    check(&marked, Mode::WhenOpen, "2012-12-26 07:59:59", 20, None);
    check(&marked, Mode::WhenOpen, "2012-12-26 08:00:00", 20, Some("2012-12-26 08:00:20"));
    check(&marked, Mode::WhenOpen, "2012-11-22 09:00:00", 20, Some("2012-11-22 09:00:20"));
    check(&marked, Mode::WhenOpen, "2012-11-22 19:59:50", 20, Some("2012-11-22 20:00:10"));
    check(&marked, Mode::Always, "2012-12-24 16:00:00", DAY, Some("2012-12-27 07:00:00"));
    check(&marked, Mode::Always, "2012-12-25 03:00:00", DAY, Some("2012-12-27 08:00:00"));
    check(&marked, Mode::Always, "2012-12-31 16:00:00", DAY, Some("2013-01-03 07:00:00"));
    check(&marked, Mode::Always, "2012-12-23 17:00:00", DAY, Some("2012-12-24 17:00:00"));
    check(&marked, Mode::Always, "2012-12-23 17:00:01", DAY, Some("2012-12-26 08:00:01"));
    check(&marked, Mode::BusinessHours, "2012-12-24 16:59:50", 20, Some("2012-12-26 08:00:10"));
    check(&marked, Mode::BusinessHours, "2012-12-24 16:59:50", 10, Some("2012-12-24 17:00:00"));
    let unmarked = reseller_support_without_marks();
    check(&unmarked, Mode::Always, "2012-12-24 16:00:00", DAY, Some("2012-12-25 16:00:00"));
    check(&unmarked, Mode::WhenOpen, "2012-12-24 17:00:00", 20, None);
    check(&unmarked, Mode::BusinessHours, "2012-12-24 16:59:50", 20, Some("2012-12-26 08:00:10"));
}

#[rustfmt::skip]
#[test]
fn the_other_departments_keep_their_own_holidays() {
    let closed = |dates: &[&str]| {
        let exceptions: Vec<_> = dates.iter().map(|on| (*on, "", "")).collect();
        with_exceptions(TORONTO, "08:00-20:00", &exceptions)
    };
    let payments_or_bureau = closed(&["2012-12-25", "2012-12-26", "2013-01-01"]);
    check(&payments_or_bureau, Mode::BusinessHours, "2012-12-24 19:59:00", 120, Some("2012-12-27 08:01:00"));
    check(&payments_or_bureau, Mode::BusinessHours, "2012-12-31 19:59:00", 120, Some("2013-01-02 08:01:00"));
    check(&payments_or_bureau, Mode::WhenOpen, "2012-12-26 12:00:00", 20, None);
    check(&payments_or_bureau, Mode::WhenOpen, "2012-12-27 12:00:00", 20, Some("2012-12-27 12:00:20"));
    check(&payments_or_bureau, Mode::WhenOpen, "2012-11-22 12:00:00", 20, Some("2012-11-22 12:00:20"));
    let compliance = closed(&[
        "2012-12-25", "2012-12-26", "2012-12-27", "2012-12-28",
        "2012-12-29", "2012-12-30", "2012-12-31", "2013-01-01",
    ]);
    check(&compliance, Mode::BusinessHours, "2012-12-24 19:59:00", 120, Some("2013-01-02 08:01:00"));
    check(&compliance, Mode::WhenOpen, "2012-12-28 12:00:00", 20, None);
    check(&compliance, Mode::WhenOpen, "2012-11-22 12:00:00", 20, Some("2012-11-22 12:00:20"));
}

#[test]
fn a_marked_closure_is_one_segment_that_does_not_count() {
    let at = |text| local(TORONTO, text);
    let segment = |from, to, counted| Segment { from: at(from), to: at(to), counted };
    let (from, to) = ("2012-12-24 16:00:00", "2012-12-27 07:00:00");
    let hours = reseller_support();
    assert_eq!(
        hours.segments(Mode::Always, at(from), at(to)),
        [
            segment(from, "2012-12-24 17:00:00", true),
            segment("2012-12-24 17:00:00", "2012-12-26 08:00:00", false),
            segment("2012-12-26 08:00:00", to, true),
        ]
    );
    assert_eq!(
        hours.segments(Mode::BusinessHours, at(from), at(to)),
        [
            segment(from, "2012-12-24 17:00:00", true),
            segment("2012-12-24 17:00:00", "2012-12-26 08:00:00", false),
            segment("2012-12-26 08:00:00", "2012-12-26 20:00:00", true),
            segment("2012-12-26 20:00:00", to, false),
        ]
    );
    assert_eq!(hours.segments(Mode::WhenOpen, at(from), at(to)), [segment(from, to, true)]);
    assert_eq!(hours.segments(Mode::Always, at(to), at(from)), []);
}

// Single rules

#[rustfmt::skip]
#[test]
fn a_budget_used_up_at_closing_is_due_at_closing() {
    let split = every_day(TORONTO, "09:00-12:30 13:15-17:30");
    check(&split, Mode::BusinessHours, "2026-01-05 09:00:00", 12_600, Some("2026-01-05 12:30:00"));
    check(&split, Mode::BusinessHours, "2026-01-05 09:00:00", 12_601, Some("2026-01-05 13:15:01"));
    check(&split, Mode::BusinessHours, "2026-01-05 12:30:00", 1, Some("2026-01-05 13:15:01"));
    check(&split, Mode::BusinessHours, "2026-01-05 13:15:00", 15_300, Some("2026-01-05 17:30:00"));
    check(&split, Mode::BusinessHours, "2026-01-05 20:00:00", 0, Some("2026-01-05 20:00:00"));
}

#[test]
fn a_span_is_half_open() {
    check_open(&every_day(TORONTO, "08:00-20:00"), "2026-01-05T13:00:00Z", "2026-01-06T01:00:00Z");
}

#[test]
fn midnight_as_24_00_closes_at_the_end_of_the_day() {
    check_open(&every_day(Tz::UTC, "22:00-24:00"), "2026-01-05T22:00:00Z", "2026-01-06T00:00:00Z");
    check_open(&every_day(Tz::UTC, "22:00-00:00"), "2026-01-05T22:00:00Z", "2026-01-06T00:00:00Z");
}

#[test]
fn overlapping_and_touching_spans_count_once() {
    let merged = every_day(Tz::UTC, "12:00-14:00 09:00-12:00 10:00-11:00 13:00-15:00 09:00-12:30");
    check_open(&merged, "2026-01-05T09:00:00Z", "2026-01-05T15:00:00Z");
    let over_midnight = with_exceptions(Tz::UTC, "", &[("2026-01-05", "22:00-24:00", "")]);
    let touching = with_exceptions(Tz::UTC, "", &[("2026-01-05", "22:00-02:00", ""), ("2026-01-06", "01:00-03:00", "")]);
    check_open(&over_midnight, "2026-01-05T22:00:00Z", "2026-01-06T00:00:00Z");
    check_open(&touching, "2026-01-05T22:00:00Z", "2026-01-06T03:00:00Z");
}

#[test]
fn an_overnight_span_goes_on_into_a_closed_day() {
    let hours = with_exceptions(TORONTO, "22:00-06:00", &[("2026-01-06", "", "")]);
    check_open(&hours, "2026-01-06T03:00:00Z", "2026-01-06T11:00:00Z");
    let next = hours.next_opening(utc("2026-01-06T11:00:00Z"));
    assert_eq!(next, Some(utc("2026-01-08T03:00:00Z")), "the 6th opens nothing");
}

#[test]
fn an_overnight_span_is_found_two_utc_dates_after_its_own() {
    let hours = with_exceptions(Tz::Pacific__Pago_Pago, "", &[("2026-01-05", "23:00-22:00", "")]);
    check_open(&hours, "2026-01-06T10:00:00Z", "2026-01-07T09:00:00Z");
}

#[test]
fn a_span_that_closes_when_it_opens_is_a_whole_day() {
    let hours = with_exceptions(Tz::UTC, "", &[("2026-01-05", "09:00-09:00", "")]);
    check_open(&hours, "2026-01-05T09:00:00Z", "2026-01-06T09:00:00Z");
}

#[test]
fn exceptions_go_by_local_date() {
    let hours = with_exceptions(Tz::Pacific__Auckland, "09:00-17:00", &[("2026-01-06", "", "")]);
    check_open(&hours, "2026-01-04T20:00:00Z", "2026-01-05T04:00:00Z");
    let next = hours.next_opening(utc("2026-01-05T04:00:00Z"));
    assert_eq!(next, Some(utc("2026-01-06T20:00:00Z")), "the 7th in Auckland");
}

#[test]
fn an_exception_that_is_only_a_note_keeps_the_weekly_hours() {
    let noted = with_exceptions(TORONTO, "08:00-20:00", &[("2012-12-27", "=", "")]);
    assert_eq!(noted, every_day(TORONTO, "08:00-20:00"));
}

#[test]
fn a_span_outside_the_day_is_refused() {
    assert_eq!(Span::new(0, 86_400), Ok(Span { open: 0, close: 86_400 }));
    assert_eq!(Span::new(86_399, 0), Ok(Span { open: 86_399, close: 0 }));
    for (open, close) in [(86_400, 0), (0, 86_401), (u32::MAX, u32::MAX)] {
        assert_eq!(Span::new(open, close), Err(BadSpan { open, close }));
    }
}

// Clock changes

#[test]
fn an_opening_in_a_gap_moves_to_the_first_instant_after_it() {
    // Toronto skips 02:00-03:00 on 2026-03-08, Lord Howe 02:00-02:30 on 2026-10-04.
    check_open(&every_day(TORONTO, "02:30-05:00"), "2026-03-08T07:00:00Z", "2026-03-08T09:00:00Z");
    check_open(&every_day(LORD_HOWE, "02:10-05:00"), "2026-10-03T15:30:00Z", "2026-10-03T18:00:00Z");
}

#[test]
fn a_closing_in_a_gap_moves_to_the_first_instant_after_it() {
    check_open(&every_day(TORONTO, "01:00-02:30"), "2026-03-08T06:00:00Z", "2026-03-08T07:00:00Z");
    check_open(&every_day(LORD_HOWE, "01:00-02:10"), "2026-10-03T14:30:00Z", "2026-10-03T15:30:00Z");
}

#[test]
fn a_span_inside_a_gap_does_not_open() {
    let hours = every_day(TORONTO, "02:10-02:50");
    let (day_before, day_after) = (utc("2026-03-07T07:50:00Z"), utc("2026-03-09T06:10:00Z"));
    assert_eq!(hours.next_opening(day_before), Some(day_after));
    assert_eq!(hours.open_between(day_before, day_after), 0);
}

#[test]
fn an_ambiguous_opening_is_the_first_and_an_ambiguous_closing_the_second() {
    // Toronto repeats 01:00-02:00 on 2026-11-01, Lord Howe 01:30-02:00 on 2026-04-05.
    let toronto = |hours| every_day(TORONTO, hours);
    let lord_howe = |hours| every_day(LORD_HOWE, hours);
    check_open(&toronto("01:30-05:00"), "2026-11-01T05:30:00Z", "2026-11-01T10:00:00Z");
    check_open(&toronto("00:00-01:30"), "2026-11-01T04:00:00Z", "2026-11-01T06:30:00Z");
    check_open(&toronto("01:10-01:20"), "2026-11-01T05:10:00Z", "2026-11-01T06:20:00Z");
    // The bounds of the fold itself: 01:00 exists twice, 02:00 once.
    check_open(&toronto("00:00-01:00"), "2026-11-01T04:00:00Z", "2026-11-01T06:00:00Z");
    check_open(&toronto("01:00-02:00"), "2026-11-01T05:00:00Z", "2026-11-01T07:00:00Z");
    check_open(&lord_howe("01:45-05:00"), "2026-04-04T14:45:00Z", "2026-04-04T18:30:00Z");
    check_open(&lord_howe("00:00-01:45"), "2026-04-04T13:00:00Z", "2026-04-04T15:15:00Z");
}

#[test]
fn a_day_with_a_clock_change_is_longer_or_shorter() {
    let toronto = every_day(TORONTO, "00:00-24:00");
    let lengths = [("2026-03-08 00:00:00", "2026-03-09 00:00:00", 23), ("2026-11-01 00:00:00", "2026-11-02 00:00:00", 25)];
    for (from, to, hours) in lengths {
        let open = toronto.open_between(local(TORONTO, from), local(TORONTO, to));
        assert_eq!(open, hours * 3600, "{from}");
    }
}

#[test]
fn a_stretch_without_service_takes_the_first_and_the_second_of_ambiguous_bounds() {
    let hours = with_exceptions(TORONTO, "", &[("2026-11-01", "=", "01:10-01:20")]);
    let (from, to) = (utc("2026-11-01T04:00:00Z"), utc("2026-11-01T08:00:00Z"));
    let still: Vec<_> = hours.segments(Mode::Always, from, to).into_iter().filter(|s| !s.counted).collect();
    assert_eq!(still, [Segment { from: utc("2026-11-01T05:10:00Z"), to: utc("2026-11-01T06:20:00Z"), counted: false }]);
}

#[test]
fn a_skipped_local_day_does_not_open() {
    // Apia went from 2011-12-29 24:00 (UTC-10) to 2011-12-31 00:00 (UTC+14) at 2011-12-30T10:00Z.
    let days = every_day(APIA, "09:00-17:00");
    check_open(&days, "2011-12-29T19:00:00Z", "2011-12-30T03:00:00Z");
    check_open(&days, "2011-12-30T19:00:00Z", "2011-12-31T03:00:00Z");
    let nights = every_day(APIA, "22:00-06:00");
    check_open(&nights, "2011-12-30T08:00:00Z", "2011-12-30T16:00:00Z");
    let only_then = with_exceptions(APIA, "", &[("2011-12-30", "00:00-24:00", "00:00-24:00")]);
    let (from, to) = (utc("2011-12-28T00:00:00Z"), utc("2012-01-02T00:00:00Z"));
    assert_eq!(only_then.open_between(from, to), 0);
    assert_eq!(only_then.counted(Mode::Always, from, to), (to - from).num_seconds());
    assert_eq!(only_then.opens_within_400_days(from), Err(NeverOpen));
}

#[test]
fn a_repeated_local_day_is_open_from_its_first_opening_to_its_second_closing() {
    // Kwajalein went from 1969-09-30 24:00 (UTC+11) back to 1969-09-30 01:00 (UTC-12) at 1969-09-30T13:00Z.
    let hours = with_exceptions(Tz::Pacific__Kwajalein, "", &[("1969-09-30", "09:00-17:00", "")]);
    check_open(&hours, "1969-09-29T22:00:00Z", "1969-10-01T05:00:00Z");
}

// Bounds

#[test]
fn a_calendar_that_stays_closed_for_400_days_is_refused() {
    let opens_once = |on| with_exceptions(Tz::UTC, "", &[(on, "00:00-24:00", "")]);
    let from = utc("2026-01-01T00:00:00Z");
    let refused = Err(NeverOpen);
    assert_eq!(every_day(Tz::UTC, "").opens_within_400_days(from), refused);
    assert_eq!(every_day(Tz::UTC, "").next_opening(from), None);
    assert_eq!(opens_once("2027-02-04").opens_within_400_days(from), Ok(()), "day 399");
    assert_eq!(opens_once("2027-02-05").opens_within_400_days(from), refused, "day 400");
    let hours = opens_once("2026-01-02");
    assert_eq!(hours.deadline(from, DAY), Ok(utc("2026-01-03T00:00:00Z")), "all it has");
    assert_eq!(hours.deadline(from, DAY + 1), Err(NeverOpen));
    assert_eq!(hours.due(Mode::BusinessHours, from, DAY + 1), Err(NeverOpen));
    assert_eq!(hours.due(Mode::WhenOpen, from, 20), Ok(utc("2026-01-01T00:00:20Z")));
    assert_eq!(NeverOpen.to_string(), "the calendar does not open within 400 days");
}

#[test]
fn a_closure_longer_than_400_days_is_still_counted_across() {
    let hours = with_exceptions(Tz::UTC, "", &[("2020-01-01", "00:00-01:00", ""), ("2026-01-01", "00:00-01:00", "")]);
    let (from, to) = (utc("2019-01-01T00:00:00Z"), utc("2027-01-01T00:00:00Z"));
    assert_eq!(hours.open_between(from, to), 7200);
    assert_eq!(hours.segments(Mode::BusinessHours, from, to).len(), 5);
}

#[test]
fn a_calendar_that_never_closes_says_so_by_the_bound() {
    let hours = every_day(TORONTO, "00:00-24:00");
    let at = utc("2026-01-05T09:00:00Z");
    assert_eq!(hours.closes_at(at), Some(at + TimeDelta::days(400)));
    assert_eq!(hours.deadline(at, 10 * 365 * DAY), Ok(at + TimeDelta::days(3650)));
    assert_eq!(hours.segments(Mode::BusinessHours, at, at + TimeDelta::days(30)).len(), 1);
}

#[test]
fn extreme_instants_and_budgets_do_not_panic() {
    let last = utc("9999-12-31T23:59:59Z");
    let instants = [
        DateTime::<Utc>::MIN_UTC,
        utc("1900-01-01T00:00:00Z"),
        utc("2026-01-05T09:00:00.999999999Z"),
        last,
        DateTime::<Utc>::MAX_UTC,
    ];
    let calendars = [
        every_day(APIA, "22:00-06:00"),
        every_day(TORONTO, ""),
        with_exceptions(Tz::Asia__Tokyo, "00:00-24:00", &[("9999-12-31", "=", "00:00-24:00")]),
    ];
    for hours in &calendars {
        for from in instants {
            for seconds in [i64::MIN, -1, 0, 1, i64::MAX] {
                for mode in [Mode::Always, Mode::BusinessHours, Mode::WhenOpen] {
                    match hours.due(mode, from, seconds) {
                        Ok(due) if seconds <= 0 => assert_eq!(due, from),
                        Ok(due) if seconds == i64::MAX => assert_eq!(due, last.max(from)),
                        Ok(due) => assert!(due >= from),
                        Err(NeverOpen) => assert_eq!(mode, Mode::BusinessHours),
                    }
                }
            }
            let to = from.checked_add_signed(TimeDelta::days(2)).unwrap_or(DateTime::<Utc>::MAX_UTC);
            let open: i64 = hours
                .segments(Mode::BusinessHours, from, to)
                .iter()
                .filter(|segment| segment.counted)
                .map(|segment| (segment.to - segment.from).num_seconds())
                .sum();
            assert_eq!(hours.open_between(from, to), open);
            assert!(hours.closes_at(from).is_none_or(|closing| closing > from));
        }
    }
}

#[test]
fn parts_of_a_second_do_not_count() {
    let hours = every_day(Tz::UTC, "09:00-17:00");
    let at = utc("2026-01-05T09:00:00.750Z");
    assert_eq!(hours.deadline(at, 20), Ok(utc("2026-01-05T09:00:20Z")));
    assert_eq!(hours.open_between(at, utc("2026-01-05T09:00:20.250Z")), 20);
    assert_eq!(hours.next_opening(at), Some(at), "open, so it is now");
    assert!(hours.is_open(utc("2026-01-05T16:59:59.999Z")));
}

// Properties

/// A zone and an instant near one of its clock changes, or near nothing special.
fn places() -> impl Strategy<Value = (Tz, DateTime<Utc>)> {
    select(vec![
        (Tz::UTC, "2026-01-05T00:00:00Z"),
        (TORONTO, "2026-03-08T07:00:00Z"),
        (TORONTO, "2026-11-01T06:00:00Z"),
        (LORD_HOWE, "2026-04-04T15:00:00Z"),
        (LORD_HOWE, "2026-10-03T15:30:00Z"),
        (APIA, "2011-12-30T10:00:00Z"),
        (Tz::America__Sao_Paulo, "2018-02-18T02:00:00Z"),
        (Tz::America__Sao_Paulo, "2018-11-04T03:00:00Z"),
        (Tz::Africa__Casablanca, "2026-02-15T02:00:00Z"),
        (Tz::Asia__Kathmandu, "2026-06-01T00:00:00Z"),
    ])
    .prop_map(|(zone, near)| (zone, utc(near)))
}

/// Any second, a round time, or one of the early hours in which most clocks change.
fn a_span() -> impl Strategy<Value = Span> {
    let bound = || prop_oneof![0..86_400_u32, (0..48_u32).prop_map(|half| half * 1800), (0..20_u32).prop_map(|tens| tens * 600),];
    (bound(), prop_oneof![4 => bound(), 1 => Just(86_400)]).prop_map(|(open, close)| Span { open, close })
}

/// A calendar with exceptions around an instant, and an instant within three days of that.
fn calendars() -> impl Strategy<Value = (Hours, DateTime<Utc>)> {
    let day = || vec(a_span(), 0..3);
    let exception = (proptest::option::of(day()), day()).prop_map(|(hours, no_service)| Exception { hours, no_service });
    let week = proptest::array::uniform7(day());
    (places(), week, btree_map(-5..5_i64, exception, 0..4), prop_oneof![-3 * DAY..3 * DAY, -DAY / 8..DAY / 8]).prop_map(
        |((zone, near), week, exceptions, offset)| {
            let dated = |(days, exception)| (near.date_naive() + TimeDelta::days(days), exception);
            let hours = Hours::new(zone, week, exceptions.into_iter().map(dated).collect());
            (hours, near + TimeDelta::seconds(offset))
        },
    )
}

fn modes() -> impl Strategy<Value = Mode> {
    select(vec![Mode::Always, Mode::BusinessHours, Mode::WhenOpen])
}

/// How far before and after a window the naive walk looks; more than any zone of `places` was ever set back.
const MARGIN_SECONDS: i64 = 2 * 3600;

/// For each second of the window whether one of the spans covers it, read off local time alone: a span runs from when
/// local time first reaches its opening, and as long as local time is below its closing or will stand at or below it
/// again.
fn covered(zone: Tz, spans_on: impl Fn(NaiveDate) -> Vec<Span>, from: DateTime<Utc>, seconds: i64) -> Vec<bool> {
    let local_second = |second: i64| {
        let instant = from + TimeDelta::seconds(second);
        instant.with_timezone(&zone).naive_local().and_utc().timestamp()
    };
    let mut bounds = Vec::new();
    for days in -4..=6 + seconds / DAY {
        let on = from.date_naive() + TimeDelta::days(days);
        let midnight = on.and_time(NaiveTime::MIN).and_utc().timestamp();
        for Span { open, close } in spans_on(on) {
            let (open, close) = (i64::from(open), i64::from(close));
            let close = if close <= open { close + DAY } else { close };
            bounds.push((midnight + open, midnight + close));
        }
    }
    let window = -MARGIN_SECONDS..seconds + MARGIN_SECONDS;
    let locals: Vec<i64> = window.map(local_second).collect();
    let mut highest_yet = locals.clone();
    for index in 1..locals.len() {
        highest_yet[index] = highest_yet[index].max(highest_yet[index - 1]);
    }
    let mut lowest_to_come = locals;
    for index in (1..lowest_to_come.len()).rev() {
        lowest_to_come[index - 1] = lowest_to_come[index - 1].min(lowest_to_come[index]);
    }
    (MARGIN_SECONDS as usize..(MARGIN_SECONDS + seconds) as usize)
        .map(|index| {
            let reached = |&(open, close): &(i64, i64)| {
                highest_yet[index] >= open && (lowest_to_come[index] < close || lowest_to_come[index + 1] <= close)
            };
            bounds.iter().any(reached)
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_deadline_is_the_first_instant_with_that_much_open_time(
        (hours, from) in calendars(),
        seconds in prop_oneof![1..200_i64, 1..40 * DAY],
    ) {
        match hours.deadline(from, seconds) {
            Ok(due) => {
                let before = due - TimeDelta::seconds(1);
                prop_assert_eq!(hours.open_between(from, due), seconds);
                prop_assert_eq!(hours.open_between(from, before), seconds - 1);
                prop_assert!(hours.is_open(before));
            }
            Err(NeverOpen) => {
                let open = hours.open_between(from, from + TimeDelta::days(800));
                prop_assert!(open < seconds, "{} s were open", open);
            }
        }
    }

    #[test]
    fn a_due_instant_is_the_first_with_that_much_counted(
        (hours, from) in calendars(),
        mode in modes(),
        seconds in prop_oneof![1..200_i64, 1..10 * DAY],
    ) {
        if let Ok(due) = hours.due(mode, from, seconds) {
            let before = due - TimeDelta::seconds(1);
            prop_assert_eq!(hours.counted(mode, from, due), seconds);
            prop_assert_eq!(hours.counted(mode, from, before), seconds - 1);
        } else {
            prop_assert_eq!(mode, Mode::BusinessHours);
        }
    }

    #[test]
    fn a_larger_budget_is_due_later(
        (hours, from) in calendars(),
        mode in modes(),
        seconds in 0..10 * DAY,
        more in 1..2 * DAY,
    ) {
        if let Ok(later) = hours.due(mode, from, seconds + more) {
            let sooner = hours.due(mode, from, seconds);
            prop_assert!(sooner.is_ok_and(|sooner| sooner < later), "{:?} {}", sooner, later);
            let by_parts = sooner.and_then(|sooner| hours.due(mode, sooner, more));
            prop_assert_eq!(by_parts, Ok(later), "the rest runs on from there");
        }
    }

    #[test]
    fn the_parts_of_a_period_add_up(
        (hours, from) in calendars(),
        mode in modes(),
        first in 0..5 * DAY,
        second in 0..5 * DAY,
    ) {
        let middle = from + TimeDelta::seconds(first);
        let to = middle + TimeDelta::seconds(second);
        let parts = hours.counted(mode, from, middle) + hours.counted(mode, middle, to);
        prop_assert_eq!(parts, hours.counted(mode, from, to));
        prop_assert_eq!(hours.counted(mode, to, from), 0);
    }

    #[test]
    fn openings_and_closings_bound_what_is_open((hours, at) in calendars()) {
        if let Some(opening) = hours.next_opening(at) {
            prop_assert_eq!(opening == at, hours.is_open(at));
            prop_assert_eq!(hours.open_between(at, opening), 0);
            let closing = hours.closes_at(opening);
            prop_assert!(closing.is_some_and(|closing| {
                hours.open_between(opening, closing) == (closing - opening).num_seconds()
                    && (!hours.is_open(closing) || closing == opening + TimeDelta::days(CLOSED_DAYS_MAX))
            }), "{} {:?}", opening, closing);
        } else {
            prop_assert_eq!(hours.opens_within_400_days(at), Err(NeverOpen));
        }
        if !hours.is_open(at) {
            prop_assert_eq!(hours.closes_at(at), None);
        }
    }

    #[test]
    fn segments_cover_a_period_and_add_up(
        (hours, from) in calendars(),
        mode in modes(),
        seconds in 0..10 * DAY,
    ) {
        let to = from + TimeDelta::seconds(seconds);
        let segments = hours.segments(mode, from, to);
        let mut reached = from;
        let mut counted = 0;
        let mut last = None;
        for segment in segments {
            prop_assert_eq!(segment.from, reached);
            prop_assert!(segment.to > segment.from);
            prop_assert_ne!(Some(segment.counted), last);
            let length = (segment.to - segment.from).num_seconds();
            counted += if segment.counted { length } else { 0 };
            last = Some(segment.counted);
            reached = segment.to;
        }
        prop_assert_eq!(reached, to);
        prop_assert_eq!(counted, hours.counted(mode, from, to));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_naive_walk_second_by_second_agrees(
        (hours, from) in calendars(),
        seconds in prop_oneof![1..DAY / 4, 1..3 * DAY],
    ) {
        let to = from + TimeDelta::seconds(seconds);
        let open = covered(hours.zone(), |on| hours.spans_on(on).to_vec(), from, seconds);
        let total = open.iter().filter(|open| **open).count() as i64;
        prop_assert_eq!(hours.open_between(from, to), total);
        prop_assert_eq!(hours.is_open(from), open[0]);
        let used_up = open.iter().rposition(|open| *open);
        if let Some(last) = used_up {
            let due = from + TimeDelta::seconds(last as i64 + 1);
            prop_assert_eq!(hours.deadline(from, total), Ok(due));
        }
        for segment in hours.segments(Mode::BusinessHours, from, to) {
            let first = (segment.from - from).num_seconds() as usize;
            let past = (segment.to - from).num_seconds() as usize;
            prop_assert!(open[first..past].iter().all(|open| *open == segment.counted));
        }
    }

    #[test]
    fn an_always_clock_counts_all_time_but_that_without_service(
        (hours, from) in calendars(),
        seconds in prop_oneof![1..DAY / 4, 1..3 * DAY],
    ) {
        let to = from + TimeDelta::seconds(seconds);
        let marked = |on: NaiveDate| hours.no_service.get(&on).cloned().unwrap_or_default();
        let still = covered(hours.zone(), marked, from, seconds);
        let still = still.iter().filter(|still| **still).count() as i64;
        prop_assert_eq!(hours.counted(Mode::Always, from, to) + still, seconds);
        prop_assert_eq!(hours.counted(Mode::WhenOpen, from, to), seconds);
    }
}
