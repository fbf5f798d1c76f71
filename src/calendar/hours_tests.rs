//! The calendar rules: known answers, the holidays of 2012, spans and exceptions.

use chrono::NaiveDateTime;
use proptest::prelude::*;
use serde_json::Value;

use super::*;

#[path = "hours_change_tests.rs"]
mod changes;
#[path = "hours_walk_tests.rs"]
mod walk;

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

// Bounds

// Properties
