//! Clocks that are laid out anew, as tables.
use super::*;
use crate::calendar::hours::{Exception, Mode, Span};
use chrono::TimeDelta;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn hours(open: u32, close: u32) -> Hours {
    let day = vec![Span::new(open * 3600, close * 3600).expect("a span")];
    Hours::new(chrono_tz::America::Toronto, std::array::from_fn(|_| day.clone()), BTreeMap::new())
}

/// The 11th is closed.
fn with_holiday() -> Hours {
    let day = vec![Span::new(8 * 3600, 20 * 3600).expect("a span")];
    let closed = Exception { hours: Some(Vec::new()), no_service: vec![Span::new(0, 86_400).expect("a span")] };
    let date = chrono::NaiveDate::from_ymd_opt(2026, 6, 11).expect("a date");
    Hours::new(chrono_tz::America::Toronto, std::array::from_fn(|_| day.clone()), BTreeMap::from([(date, closed)]))
}

fn at(text: &str) -> DateTime<Utc> {
    format!("2026-06-{text}-04:00").parse().expect("an instant")
}

fn promise(mode: Mode, target_seconds: i64) -> Promise {
    Promise { mode, target_seconds, warn_percent: 50 }
}

#[track_caller]
fn retarget(pauses: &[Fact], to: Promise, now: &str, due: Option<&str>, fell_due: &[Fact]) -> Clock {
    let usual = hours(8, 20);
    let mut clock = Clock::start(promise(Mode::BusinessHours, 7_200), &usual, at("10T09:00:00"));
    for fact in pauses {
        clock.apply(*fact, &usual);
    }
    let (moved, due_now) = clock.retargeted(to, &usual, pauses, at(now)).expect("it runs");
    assert_eq!((moved.due_at, due_now.as_slice()), (due.map(at), fell_due));
    assert_eq!(moved.started_at, clock.started_at);
    moved
}

#[test]
fn a_new_target_runs_from_the_original_start() {
    retarget(&[], promise(Mode::BusinessHours, 3_600), "10T09:10:00", Some("10T10:00:00"), &[]);
    retarget(&[], promise(Mode::Always, 86_400), "10T09:10:00", Some("11T09:00:00"), &[]);
    let late = [Fact::Warned(at("10T09:10:00")), Fact::Breached(at("10T09:20:00"))];
    retarget(&[], promise(Mode::BusinessHours, 1_200), "10T09:30:00", Some("10T09:20:00"), &late);
    // At the due instant it is not broken yet.
    retarget(&[], promise(Mode::BusinessHours, 1_200), "10T09:20:00", Some("10T09:20:00"), &late[..1]);
}

#[test]
fn what_stood_still_stays_still_under_a_new_target() {
    let pauses = [Fact::Paused(at("10T09:30:00")), Fact::Resumed(at("10T10:30:00"))];
    retarget(
        &pauses,
        promise(Mode::BusinessHours, 3_600),
        "10T10:40:00",
        Some("10T11:00:00"),
        &[Fact::Warned(at("10T09:30:00"))],
    );
    let paused = retarget(&pauses[..1], promise(Mode::Always, 9_000), "10T12:00:00", None, &[]);
    assert_eq!((paused.standing, paused.used_at_anchor), (Standing::Paused, 1_800));
    // Twenty minutes were up before the pause began.
    let early = [Fact::Warned(at("10T09:10:00")), Fact::Breached(at("10T09:20:00"))];
    retarget(&pauses, promise(Mode::BusinessHours, 1_200), "10T10:40:00", Some("10T09:20:00"), &early);
}

#[test]
fn a_warning_comes_again_only_where_the_new_one_lies_ahead() {
    let usual = hours(8, 20);
    let mut clock = Clock::start(promise(Mode::Always, 3_600), &usual, at("10T09:00:00"));
    clock.mark(Fact::Warned(at("10T09:30:00")));
    let warned = |seconds| {
        let (moved, due) = clock.retargeted(promise(Mode::Always, seconds), &usual, &[], at("10T09:40:00")).expect("it runs");
        (moved.warned_at, due)
    };
    assert_eq!(warned(4_200), (Some(at("10T09:30:00")), Vec::new()));
    assert_eq!(warned(7_200), (None, Vec::new()));
}

#[test]
fn what_is_decided_or_not_promised_does_not_move() {
    let usual = hours(8, 20);
    let mut reached = Clock::start(promise(Mode::Always, 60), &usual, at("10T09:00:00"));
    reached.apply(Fact::Reached(at("10T09:00:10")), &usual);
    let mut broken = Clock::start(promise(Mode::Always, 60), &usual, at("10T09:00:00"));
    broken.mark(Fact::Breached(at("10T09:01:00")));
    let by_hand = Clock::not_measured(promise(Mode::WhenOpen, 20), at("10T09:00:00"));
    for clock in [reached, broken, by_hand] {
        assert_eq!(clock.retargeted(promise(Mode::Always, 600), &usual, &[], at("10T09:02:00")), None);
        assert_eq!(clock.relaid(at("10T09:02:00"), &usual, &hours(9, 10)), None);
    }
    // Closed at the start: the new policy promises nothing, so the old promise holds.
    let night = Clock::start(promise(Mode::Always, 86_400), &usual, at("10T22:00:00"));
    assert_eq!(night.retargeted(promise(Mode::WhenOpen, 20), &usual, &[], at("10T22:00:05")), None);
}

#[track_caller]
fn relay(mode: Mode, start: &str, edit: &str, new: &Hours, due: &str, used: i64) {
    let usual = hours(8, 20);
    let clock = Clock::start(promise(mode, 7_200), &usual, at(start));
    let moved = clock.relaid(at(edit), &usual, new).expect("it runs");
    assert_eq!((moved.due_at, moved.used_at_anchor), (Some(at(due)), used));
}

#[test]
fn time_used_stays_used_and_the_rest_is_laid_over_the_new_hours() {
    relay(Mode::BusinessHours, "10T19:00:00", "10T19:30:00", &with_holiday(), "12T09:00:00", 1_800);
    relay(Mode::BusinessHours, "10T19:00:00", "10T22:00:00", &with_holiday(), "12T09:00:00", 3_600);
    relay(Mode::BusinessHours, "10T19:00:00", "10T19:30:00", &hours(9, 19), "11T10:30:00", 1_800);
    // Open later than before: what was used before the edit is not taken back.
    relay(Mode::BusinessHours, "10T08:30:00", "10T09:30:00", &hours(10, 20), "10T11:00:00", 3_600);
    relay(Mode::Always, "10T23:00:00.25", "10T23:30:00", &with_holiday(), "12T01:00:00.25", 1_799);
    relay(Mode::WhenOpen, "10T19:00:00", "10T19:30:00", &with_holiday(), "10T21:00:00", 1_800);
}

proptest! {
    #[test]
    fn laying_out_over_the_same_hours_changes_nothing(
        mode in prop_oneof![Just(Mode::Always), Just(Mode::BusinessHours), Just(Mode::WhenOpen)],
        start_micros in 0_i64..86_400_000_000, target in 2_i64..200_000, share in 0.0_f64..1.0, again in 0.0_f64..1.0,
    ) {
        let usual = with_holiday();
        let start = at("10T00:00:00") + TimeDelta::microseconds(start_micros);
        let clock = Clock::start(promise(mode, target), &usual, start);
        prop_assume!(clock.standing == Standing::Running);
        let due = clock.due_at.expect("it runs");
        let within = |share: f64, from: DateTime<Utc>| {
            from + TimeDelta::microseconds(((due - from).num_microseconds().unwrap_or(0) as f64 * share) as i64)
        };
        let edit = within(share, start);
        let moved = clock.relaid(edit, &usual, &usual).expect("it runs");
        prop_assert_eq!(moved.due_at, clock.due_at);
        let later = within(again, edit);
        prop_assert_eq!(moved.used_by(later, &usual), clock.used_by(later, &usual));
        let twice = moved.relaid(later, &usual, &usual).expect("it runs");
        prop_assert_eq!(twice.due_at, clock.due_at);
    }
}
