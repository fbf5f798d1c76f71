//! The ladder as tables.
use super::*;
use crate::calendar::hours::{Mode, Span};
use crate::sla::clock::{Fact, Promise};
use std::collections::BTreeMap;
use uuid::Uuid;

fn ladder() -> Ladder {
    Ladder {
        warning: vec![Rung::Assignee],
        breach: vec![Rung::Assignee, Rung::Team],
        later: vec![Rung::Assignee, Rung::Team, Rung::Managers],
        later_seconds: 900,
        repeat_seconds: 3600,
    }
}

fn agent(number: u128) -> AgentId {
    AgentId(Uuid::from_u128(number))
}

#[track_caller]
fn told(level: Level, step: i32, assignee: Option<u128>, team: &[u128], expected: &[u128]) {
    let who = |list: &[u128]| list.iter().copied().map(agent).collect::<Vec<_>>();
    let people = People { assignee: assignee.map(agent), team: who(team), managers: who(&[8, 9]) };
    let audience: Vec<AgentId> = ladder().audience(level, step, &people).into_iter().collect();
    assert_eq!(audience, who(expected));
}

#[test]
fn a_warning_goes_to_the_assignee_a_breach_to_the_team_and_then_to_the_managers() {
    told(Level::Warning, 0, Some(1), &[1, 2], &[1]);
    told(Level::Warning, 5, Some(1), &[1, 2], &[1]);
    told(Level::Breach, 0, Some(1), &[1, 2], &[1, 2]);
    told(Level::Breach, 1, Some(1), &[2], &[1, 2, 8, 9]);
    told(Level::Breach, 7, Some(1), &[2], &[1, 2, 8, 9]);
}

#[test]
fn where_nobody_stands_on_a_rung_the_next_one_up_is_told() {
    told(Level::Warning, 0, None, &[1, 2], &[1, 2]);
    told(Level::Warning, 0, None, &[], &[8, 9]);
    told(Level::Breach, 0, Some(1), &[], &[1, 8, 9]);
    let nobody = ladder().audience(Level::Breach, 3, &People::default());
    assert!(nobody.is_empty());
}

fn at(text: &str) -> DateTime<Utc> {
    format!("2026-06-{text}-04:00").parse().expect("an instant")
}

#[test]
fn the_second_step_of_a_breach_comes_later_and_all_others_repeat() {
    let next = |level, step| ladder().next_at(level, step, at("10T09:00:00"));
    assert_eq!(next(Level::Breach, 0), Some(at("10T09:15:00")));
    assert_eq!(next(Level::Breach, 1), Some(at("10T10:00:00")));
    assert_eq!(next(Level::Warning, 0), Some(at("10T10:00:00")));
    let once = Ladder { repeat_seconds: 0, ..ladder() };
    assert_eq!(once.next_at(Level::Breach, 1, at("10T09:00:00")), None);
}

#[track_caller]
fn turn(level: Level, facts: &[Fact], (priority, is_closed): (Priority, bool), now: &str, expected: Turn) {
    let day = vec![Span::new(8 * 3600, 20 * 3600).expect("a span")];
    let hours = Hours::new(chrono_tz::America::Toronto, std::array::from_fn(|_| day.clone()), BTreeMap::new());
    let promise = Promise { mode: Mode::Always, target_seconds: 3_600, warn_percent: 50 };
    let mut clock = Clock::start(promise, &hours, at("10T18:00:00"));
    for fact in facts {
        clock.apply(*fact, &hours);
    }
    assert_eq!(ladder().turn(&Case { level, clock: &clock, hours: &hours, priority, is_closed }, at(now)), expected);
}

#[test]
fn an_alert_is_heard_in_open_hours_and_a_critical_one_always() {
    let warned = [Fact::Warned(at("10T18:30:00"))];
    let broken = [warned[0], Fact::Breached(at("10T19:00:00"))];
    let (usual, critical) = ((Priority::High, false), (Priority::Critical, false));
    turn(Level::Warning, &warned, usual, "10T18:30:01", Turn::Tell);
    turn(Level::Breach, &broken, usual, "10T19:59:59", Turn::Tell);
    turn(Level::Breach, &broken, usual, "10T20:00:00", Turn::Hold(at("11T08:00:00")));
    turn(Level::Breach, &broken, critical, "10T20:00:00", Turn::Tell);
}

#[test]
fn an_alert_stops_with_its_clock() {
    let warned = [Fact::Warned(at("10T18:30:00"))];
    let broken = [warned[0], Fact::Breached(at("10T19:00:00"))];
    let critical = (Priority::Critical, false);
    let done = [broken[0], broken[1], Fact::Reached(at("10T19:10:00"))];
    turn(Level::Breach, &done, critical, "10T19:20:00", Turn::End(EndReason::Reached));
    turn(Level::Warning, &broken, critical, "10T19:20:00", Turn::End(EndReason::Breached));
    turn(Level::Warning, &[], critical, "10T18:31:00", Turn::End(EndReason::Moved));
    turn(Level::Breach, &broken, (Priority::Critical, true), "10T19:20:00", Turn::End(EndReason::Closed));
    let paused = [warned[0], Fact::Paused(at("10T18:40:00"))];
    turn(Level::Warning, &paused, critical, "10T18:45:00", Turn::Hold(at("10T19:00:00")));
}
