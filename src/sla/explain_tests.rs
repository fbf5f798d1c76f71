//! Explanations as tables, and that they always add up.
use super::*;
use crate::calendar::hours::{Exception, Span};
use proptest::prelude::*;
use std::collections::BTreeMap;
use uuid::Uuid;

const ONE: Version = (CalendarId(Uuid::nil()), 1);
const TWO: Version = (CalendarId(Uuid::nil()), 2);

fn span(from: u32, to: u32) -> Span {
    Span::new(from * 3600, to * 3600).expect("a span")
}

/// Version 1: 08:00 to 20:00; 8 March has only 10:00 to 12:00 and no service before 06:00. Version 2: 09:00 to 17:00.
fn all_hours() -> HashMap<Version, Arc<Hours>> {
    let every = |day: Vec<Span>| std::array::from_fn(|_| day.clone());
    let date = chrono::NaiveDate::from_ymd_opt(2026, 3, 8).expect("a date");
    let short = Exception { hours: Some(vec![span(10, 12), span(21, 22)]), no_service: vec![span(0, 6)] };
    let zone = chrono_tz::America::Toronto;
    let one = Hours::new(zone, every(vec![span(8, 20)]), BTreeMap::from([(date, short)]));
    let two = Hours::new(zone, every(vec![span(9, 17)]), BTreeMap::new());
    HashMap::from([(ONE, Arc::new(one)), (TWO, Arc::new(two))])
}

fn at(text: &str) -> DateTime<Utc> {
    format!("2026-03-{text}Z").parse().expect("an instant")
}

fn promise(mode: Mode, target_seconds: i64) -> Promise {
    Promise { mode, target_seconds, warn_percent: 0 }
}

#[track_caller]
fn check(mode: Mode, start: &str, turns: &[Turn], now: &str, expected: &[&str]) {
    let life = Life { promise: promise(mode, 500_000), started_at: at(start), version: ONE, turns: turns.to_vec() };
    let parts = explain(&life, &all_hours(), at(now)).expect("hours");
    let shown: Vec<String> = parts
        .iter()
        .map(|part| {
            let sign = if part.counted { '+' } else { '-' };
            let time = |at: DateTime<Utc>| at.format("%dT%H:%M:%S%.f").to_string();
            format!(
                "{sign}{} {}..{} v{} {}",
                part.why,
                time(part.from),
                time(part.to),
                part.version.1,
                part.offset_seconds / 3600
            )
        })
        .collect();
    assert_eq!(shown, expected);
}

#[test]
fn open_closed_and_exceptions_are_told_apart_and_so_are_the_offsets() {
    // Toronto's clocks go forward on 8 March at 02:00, which is 07:00 UTC.
    check(
        Mode::BusinessHours,
        "07T22:00:00.5",
        &[],
        "09T02:30:00",
        &[
            "+open 07T22:00:00..08T01:00:00 v1 -5",
            "-closed 08T01:00:00..08T07:00:00 v1 -5",
            "-closed 08T07:00:00..08T12:00:00 v1 -4",
            "-exception 08T12:00:00..08T14:00:00 v1 -4",
            "+open 08T14:00:00..08T16:00:00 v1 -4",
            "-exception 08T16:00:00..09T00:00:00 v1 -4",
            "-closed 09T00:00:00..09T01:00:00 v1 -4",
            "+exception 09T01:00:00..09T02:00:00 v1 -4",
            "-closed 09T02:00:00..09T02:30:00 v1 -4",
        ],
    );
    check(
        Mode::Always,
        "08T04:00:00.25",
        &[],
        "08T12:00:00.25",
        &[
            "+elapsed 08T04:00:00.250..08T05:00:00.250 v1 -5",
            "-no_service 08T05:00:00.250..08T07:00:00.250 v1 -5",
            "-no_service 08T07:00:00.250..08T10:00:00.250 v1 -4",
            "+elapsed 08T10:00:00.250..08T12:00:00.250 v1 -4",
        ],
    );
}

#[test]
fn pauses_versions_and_new_targets_are_parts_too() {
    let turns = [
        Turn::Fact(Fact::Paused(at("10T14:00:00"))),
        Turn::Fact(Fact::Resumed(at("10T15:00:00"))),
        Turn::Remaining(at("10T16:00:00"), TWO),
        Turn::Fact(Fact::Reached(at("10T22:00:00.1"))),
    ];
    check(
        Mode::BusinessHours,
        "10T13:00:00",
        &turns,
        "20T00:00:00",
        &[
            "+open 10T13:00:00..10T14:00:00 v1 -4",
            "-paused 10T14:00:00..10T15:00:00 v1 -4",
            "+open 10T15:00:00..10T16:00:00 v1 -4",
            "+open 10T16:00:00..10T21:00:00 v2 -4",
            "-closed 10T21:00:00..10T22:00:01 v2 -4",
        ],
    );
    let again = [turns[0], turns[1], Turn::FromStart(at("10T16:00:00"), promise(Mode::Always, 900), TWO)];
    check(
        Mode::BusinessHours,
        "10T13:00:00",
        &again,
        "10T17:00:00",
        &[
            "+elapsed 10T13:00:00..10T14:00:00 v2 -4",
            "-paused 10T14:00:00..10T15:00:00 v2 -4",
            "+elapsed 10T15:00:00..10T17:00:00 v2 -4",
        ],
    );
}

proptest! {
    #[test]
    fn the_counted_parts_add_up_to_what_was_used(
        mode in prop_oneof![Just(Mode::Always), Just(Mode::BusinessHours), Just(Mode::WhenOpen)],
        steps in proptest::collection::vec((0_i64..30_000_000_000, 0_u8..4), 1..10),
        reached in any::<bool>(),
    ) {
        let hours = all_hours();
        let start = at("07T15:00:00") + TimeDelta::microseconds(steps[0].0);
        let target = promise(mode, 900_000);
        let mut clock = Clock::start(target, &hours[&ONE], start);
        prop_assume!(clock.standing == Standing::Running);
        let (mut now, mut version, mut pauses, mut turns) = (start, ONE, Vec::new(), Vec::new());
        for (micros, what) in &steps {
            now += TimeDelta::microseconds(*micros);
            match what {
                0 | 1 => {
                    let fact = if clock.standing == Standing::Running { Fact::Paused(now) } else { Fact::Resumed(now) };
                    clock.apply(fact, &hours[&version]);
                    pauses.push(fact);
                    turns.push(Turn::Fact(fact));
                }
                2 => {
                    let next = if version == ONE { TWO } else { ONE };
                    clock = clock.relaid(now, &hours[&version], &hours[&next]).expect("it runs");
                    version = next;
                    turns.push(Turn::Remaining(now, next));
                }
                _ => {
                    if let Some((moved, _)) = clock.retargeted(target, &hours[&TWO], &pauses, now) {
                        (clock, version) = (moved, TWO);
                        turns.push(Turn::FromStart(now, target, TWO));
                    }
                }
            }
        }
        if reached {
            clock.apply(Fact::Reached(now), &hours[&version]);
            turns.push(Turn::Fact(Fact::Reached(now)));
        }
        let life = Life { promise: target, started_at: start, version: ONE, turns };
        let parts = explain(&life, &hours, now).expect("hours");
        let counted: i64 = parts.iter().filter(|part| part.counted).map(|part| (part.to - part.from).num_seconds()).sum();
        prop_assert_eq!(counted, clock.used_by(now, &hours[&version]));
        for pair in parts.windows(2) {
            prop_assert_eq!(pair[0].to, pair[1].from);
        }
        for part in &parts {
            prop_assert!(part.from < part.to);
            prop_assert!(!part.counted || (part.to - part.from).subsec_nanos() == 0);
        }
    }
}
