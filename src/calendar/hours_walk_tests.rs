//! Properties over random calendars, and a naive walk second by second.
use super::*;
use proptest::collection::{btree_map, vec};
use proptest::sample::select;

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
