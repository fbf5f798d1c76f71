//! The figures, as tables.
use super::*;
use crate::calendar::hours::Mode;
use crate::sla::clock::{Clock, Promise};
use chrono::TimeDelta;

fn now() -> DateTime<Utc> {
    "2026-06-15T12:00:00Z".parse().expect("an instant")
}

#[track_caller]
fn check_rank(values: &[i64], expected: (Option<i64>, Option<i64>, Option<i64>)) {
    let found = (nearest_rank(values, 50), nearest_rank(values, 90), nearest_rank(values, 95));
    assert_eq!(found, expected, "{values:?}");
}

#[test]
fn a_percentile_is_the_value_at_its_nearest_rank() {
    check_rank(&[], (None, None, None));
    check_rank(&[7], (Some(7), Some(7), Some(7)));
    check_rank(&[1, 2], (Some(1), Some(2), Some(2)));
    check_rank(&[15, 20, 35, 40, 50], (Some(35), Some(50), Some(50)));
    check_rank(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], (Some(5), Some(9), Some(10)));
    let hundred: Vec<i64> = (1..=100).collect();
    check_rank(&hundred, (Some(50), Some(90), Some(95)));
    let more: Vec<i64> = (1..=101).collect();
    check_rank(&more, (Some(51), Some(91), Some(96)));
    assert_eq!(Spread::of(vec![9, 1, 5]), Some(Spread { median: 5, p90: 9, p95: 9, worst: 9 }));
    assert_eq!(Spread::of(Vec::new()), None);
}

#[track_caller]
fn check_percent(part: u64, whole: u64, expected: Option<f64>) {
    assert_eq!(percent_one_decimal(part, whole), expected, "{part} of {whole}");
}

#[test]
fn a_share_is_rounded_from_the_counts() {
    check_percent(0, 0, None);
    check_percent(0, 3, Some(0.0));
    check_percent(1, 3, Some(33.3));
    check_percent(2, 3, Some(66.7));
    check_percent(3, 3, Some(100.0));
    check_percent(1, 8, Some(12.5));
    check_percent(1, 2_000, Some(0.1));
    check_percent(1, 2_001, Some(0.0));
    check_percent(1_999, 2_000, Some(100.0));
    check_percent(1_998, 2_000, Some(99.9));
    check_percent(u64::MAX, u64::MAX, Some(100.0));
}

fn fact(standing: Standing, due_in: Option<i64>, is_breached: bool) -> ClockFact {
    let used_seconds = (standing == Standing::Reached).then_some(60);
    let due_at = due_in.map(|seconds| now() + TimeDelta::seconds(seconds));
    ClockFact { metric: Metric::Pickup, standing, reason: None, due_at, is_breached, used_seconds, is_first: true, is_last: true }
}

/// Every combination of what a verdict looks at.
fn all_facts() -> Vec<ClockFact> {
    let due = [None, Some(-1), Some(0), Some(1)];
    let with = |standing: Standing| due.into_iter().flat_map(move |due| [false, true].map(|is| fact(standing, due, is)));
    Standing::ALL.iter().copied().flat_map(with).collect()
}

#[test]
fn the_verdict_is_that_of_the_clock() {
    for fact in all_facts() {
        let clock = Clock {
            promise: Promise { mode: Mode::Always, target_seconds: 60, warn_percent: 0 },
            standing: fact.standing,
            reason: None,
            started_at: now(),
            anchor_at: now(),
            used_at_anchor: 0,
            due_at: fact.due_at,
            warn_at: None,
            warned_at: None,
            breached_at: fact.due_at.filter(|_| fact.is_breached).or(fact.is_breached.then(now)),
            reached_at: None,
            used_seconds: fact.used_seconds,
        };
        assert_eq!(fact.verdict(now()), clock.verdict(now()), "{fact:?}");
    }
}

#[test]
fn every_clock_is_counted_once() {
    let mut tally = SlaTally::default();
    let facts = all_facts();
    for fact in &facts {
        tally.add(fact, now());
    }
    assert_eq!(tally.total(), facts.len() as u64);
    assert_eq!((tally.met, tally.breached, tally.unreached_breached), (4, 4 + 5 + 4, 5 + 4));
    assert_eq!((tally.running, tally.paused, tally.seconds.len()), (3, 4, 8));
    assert_eq!((tally.not_promised.get(NO_REASON), tally.not_measured.get(NO_REASON)), (Some(&8), Some(&8)));
}

#[test]
fn each_row_counts_in_the_total_and_in_its_group_and_reasons_are_kept_apart() {
    let mut groups = Groups::<SlaTallies>::default();
    let closed = ClockFact { reason: Some("closed".into()), ..fact(Standing::NotPromised, None, false) };
    let late = ClockFact { metric: Metric::Resolution, ..fact(Standing::Reached, Some(-1), true) };
    groups.add(Key::Name("phone"), |t| t.add(&closed, now()));
    groups.add(Key::Name("phone"), |t| t.add(&closed, now()));
    groups.add(Key::Id(None), |t| t.add(&late, now()));
    groups.add(Key::Whole, |t| t.add(&late, now()));
    let totals = |tallies: &SlaTallies| tallies.by_metric.each_ref().map(SlaTally::total);
    assert_eq!(totals(&groups.whole), [2, 0, 0, 2]);
    assert_eq!(groups.by_key.len(), 2);
    assert_eq!(groups.by_key.get(&Key::Name("phone")).map(totals), Some([2, 0, 0, 0]));
    assert_eq!(groups.by_key.get(&Key::Id(None)).map(totals), Some([0, 0, 0, 1]));
    assert_eq!(groups.whole.by_metric[0].not_promised, Reasons::from([("closed".to_owned(), 2)]));
    assert_eq!(Metric::ALL.iter().position(|metric| *metric == Metric::Resolution), Some(3));
}

fn nps(answered: &[u8], silent: u64) -> NpsTally {
    let mut tally = NpsTally::default();
    for value in answered {
        let score = Score::new(*value).expect("a score");
        tally.add_answer(score, *value == 0);
        tally.add_sent(true, false, Some(score));
    }
    for _ in 0..silent {
        tally.add_sent(false, false, None);
    }
    tally
}

#[track_caller]
fn check_bounds(answered: &[u8], silent: u64, expected: Option<(f64, f64)>) {
    let tally = nps(answered, silent);
    assert_eq!(tally.bounds(), expected, "{answered:?} and {silent}");
    let exact = tally.cohort.bounds(silent);
    assert_eq!(exact.is_some(), expected.is_some());
    for ((low, high), (exact_low, exact_high)) in expected.into_iter().zip(exact) {
        assert!((low - exact_low).abs() <= 0.05 + 1e-9 && (high - exact_high).abs() <= 0.05 + 1e-9, "{exact:?}");
    }
}

#[test]
fn bounds_are_those_of_the_letters_sent() {
    check_bounds(&[], 0, None);
    check_bounds(&[], 3, Some((-100.0, 100.0)));
    check_bounds(&[9, 10], 0, Some((100.0, 100.0)));
    check_bounds(&[10, 8, 0], 3, Some((-50.0, 50.0)));
    check_bounds(&[10], 2, Some((-33.3, 100.0)));
}

#[test]
fn answers_are_counted_by_score_and_comments_apart() {
    let tally = nps(&[0, 0, 6, 7, 9, 10, 10], 1);
    assert_eq!(tally.by_score, [2, 0, 0, 0, 0, 0, 1, 1, 0, 1, 2]);
    assert_eq!(tally.answers, Tally { promoters: 3, passives: 1, detractors: 3 });
    assert_eq!((tally.comments, tally.sent, tally.answered), (2, 8, 7));
}

#[test]
fn the_first_and_the_last_resolution_are_told_apart() {
    let mut tallies = SlaTallies::default();
    let resolution = |is_breached: bool, is_first: bool, is_last: bool| ClockFact {
        metric: Metric::Resolution,
        is_first,
        is_last,
        ..fact(Standing::Reached, Some(1), is_breached)
    };
    // Closed in time, reopened and closed late, reopened and closed in time; another ticket was closed once, late.
    for fact in [resolution(false, true, false), resolution(true, false, false), resolution(false, false, true)] {
        tallies.add(&fact, now());
    }
    tallies.add(&resolution(true, true, true), now());
    tallies.add(&ClockFact { metric: Metric::NextResponse, ..resolution(true, true, true) }, now());
    let counts = |tally: &SlaTally| (tally.met, tally.breached, tally.seconds.len());
    assert_eq!(counts(&tallies.by_metric[3]), (2, 2, 4));
    assert_eq!(counts(&tallies.first_resolution), (1, 1, 2));
    assert_eq!(counts(&tallies.last_resolution), (1, 1, 2));
}
