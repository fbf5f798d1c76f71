//! The clock's rules as tables.
use super::*;
use crate::calendar::hours::Span;
use std::collections::BTreeMap;

fn hours() -> Hours {
    let day = vec![Span::new(8 * 3600, 20 * 3600).expect("a span")];
    Hours::new(chrono_tz::America::Toronto, std::array::from_fn(|_| day.clone()), BTreeMap::new())
}

fn at(text: &str) -> DateTime<Utc> {
    format!("2026-06-{text}-04:00").parse().expect("an instant")
}

fn promise(mode: Mode, target_seconds: i64, warn_percent: i32) -> Promise {
    Promise { mode, target_seconds, warn_percent }
}

fn run(promise: Promise, start: &str, facts: &[(char, &str)]) -> Clock {
    let mut clock = Clock::start(promise, &hours(), at(start));
    for (what, text) in facts {
        for due in clock.fallen_due(at(text)) {
            clock.apply(due, &hours());
        }
        let fact = match what {
            'p' => Fact::Paused(at(text)),
            'r' => Fact::Resumed(at(text)),
            '.' => continue,
            _ => Fact::Reached(at(text)),
        };
        clock.apply(fact, &hours());
    }
    clock
}

#[track_caller]
fn check(clock: &Clock, now: &str, verdict: Verdict, used: i64) {
    assert_eq!((clock.verdict(at(now)), clock.used_by(at(now), &hours())), (verdict, used));
}

#[test]
fn a_pickup_at_the_due_second_is_met_and_a_part_of_a_second_later_is_not() {
    let pickup = promise(Mode::WhenOpen, 20, 0);
    check(&run(pickup, "10T09:00:00", &[('x', "10T09:00:20")]), "10T10:00:00", Verdict::Met, 20);
    check(&run(pickup, "10T09:00:00", &[('x', "10T09:00:20.000001")]), "10T10:00:00", Verdict::Breached, 21);
    check(&run(pickup, "10T09:00:00.9", &[('x', "10T09:00:20.9")]), "10T10:00:00", Verdict::Met, 20);
    check(&run(pickup, "10T09:00:00.9", &[('x', "10T09:00:20.95")]), "10T10:00:00", Verdict::Breached, 21);
    check(&run(pickup, "10T09:00:00.9", &[('x', "10T09:00:01")]), "10T10:00:00", Verdict::Met, 1);
}

#[test]
fn a_call_ten_seconds_before_closing_is_due_after_closing_and_one_at_closing_is_not_promised() {
    let clock = run(promise(Mode::WhenOpen, 20, 0), "10T19:59:50", &[]);
    assert_eq!(clock.due_at, Some(at("10T20:00:10")));
    let clock = run(promise(Mode::WhenOpen, 20, 0), "10T20:00:00", &[('x', "10T20:00:05")]);
    check(&clock, "10T21:00:00", Verdict::NotPromised, 0);
    assert_eq!(clock.reason.as_deref(), Some(CLOSED));
}

#[test]
fn a_clock_around_the_clock_runs_at_night() {
    let clock = run(promise(Mode::Always, 86_400, 75), "10T22:00:00", &[]);
    assert_eq!((clock.due_at, clock.warn_at), (Some(at("11T22:00:00")), Some(at("11T16:00:00"))));
    check(&clock, "11T15:59:59", Verdict::Running, 64_799);
    check(&clock, "11T16:00:00", Verdict::AtRisk, 64_800);
    check(&clock, "11T22:00:00", Verdict::AtRisk, 86_400);
    check(&clock, "11T22:00:01", Verdict::Breached, 86_401);
}

#[test]
fn a_pause_gives_back_exactly_the_open_time_it_took() {
    let clock = run(promise(Mode::BusinessHours, 7_200, 0), "10T19:00:00", &[('p', "10T19:30:00"), ('r', "11T08:10:00")]);
    assert_eq!(clock.due_at, Some(at("11T09:40:00")));
    check(&clock, "11T08:10:00", Verdict::Running, 1_800);
    let paused = run(promise(Mode::BusinessHours, 7_200, 0), "10T19:00:00", &[('p', "10T19:30:00")]);
    check(&paused, "20T08:00:00", Verdict::Paused, 1_800);
    assert_eq!((paused.due_at, paused.alarm_at()), (None, None));
}

#[test]
fn a_breach_stays_whatever_comes_after() {
    let facts = [('.', "10T09:02:00"), ('p', "10T09:03:00"), ('r', "10T09:10:00"), ('x', "10T09:11:00")];
    let clock = run(promise(Mode::Always, 60, 50), "10T09:00:00", &facts);
    assert_eq!((clock.warned_at, clock.breached_at), (Some(at("10T09:00:30")), Some(at("10T09:01:00"))));
    check(&clock, "10T12:00:00", Verdict::Breached, 240);
}

#[test]
fn the_alarm_names_warning_then_breach_then_nothing() {
    let mut clock = run(promise(Mode::Always, 100, 75), "10T09:00:00", &[]);
    assert_eq!(clock.alarm_at(), Some(at("10T09:01:15")));
    assert_eq!(clock.fallen_due(at("10T09:01:14")), []);
    for fact in clock.fallen_due(at("10T09:01:40")) {
        clock.apply(fact, &hours());
    }
    assert_eq!(clock.alarm_at(), Some(at("10T09:01:40")));
    assert_eq!(clock.fallen_due(at("10T09:01:40.1")), [Fact::Breached(at("10T09:01:40"))]);
    clock.apply(Fact::Breached(at("10T09:01:40")), &hours());
    assert_eq!(clock.alarm_at(), None);
}

#[test]
fn facts_that_do_not_fit_change_nothing() {
    let reached = run(promise(Mode::Always, 60, 0), "10T09:00:00", &[('x', "10T09:00:10")]);
    let again =
        run(promise(Mode::Always, 60, 0), "10T09:00:00", &[('x', "10T09:00:10"), ('x', "10T09:05:00"), ('p', "10T09:06:00")]);
    assert_eq!(reached, again);
    let paused_twice = run(promise(Mode::Always, 60, 0), "10T09:00:00", &[('p', "10T09:00:10"), ('p', "10T09:00:20")]);
    assert_eq!(paused_twice.used_at_anchor, 10);
}

#[test]
fn a_warning_and_a_breach_tell_the_seconds_that_were_used_by_then() {
    let clock = run(promise(Mode::BusinessHours, 3_600, 75), "10T19:50:00", &[('.', "11T09:00:00")]);
    let facts: Vec<Fact> = run(promise(Mode::BusinessHours, 3_600, 75), "10T19:50:00", &[]).fallen_due(at("11T09:00:00"));
    assert_eq!(facts.iter().map(|fact| clock.used_at(*fact)).collect::<Vec<_>>(), [2_700, 3_600]);
    for fact in facts {
        let (Fact::Warned(instant) | Fact::Breached(instant)) = fact else { unreachable!("{fact:?}") };
        assert_eq!(clock.used_by(instant, &hours()), clock.used_at(fact));
    }
}
