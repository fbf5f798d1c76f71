//! When digests are due, as tables, and how they read.
use super::*;

#[track_caller]
fn check((zone, weekday, hour): (Tz, u32, u32), now: &str, expected: &str) {
    let week = due_week(Schedule { weekday, at_seconds: hour * 3_600, zone }, now.parse().expect("an instant")).expect("a week");
    assert_eq!(format!("{} {:?} {:?}", week.on, week.period.from, week.period.to), expected, "{now}");
}

#[test]
fn a_digest_is_about_the_last_whole_week_from_its_hour_on() {
    let toronto = (chrono_tz::America::Toronto, 1, 8);
    let (earlier, later) =
        ("2026-05-25 2026-05-25T04:00:00Z 2026-06-01T04:00:00Z", "2026-06-01 2026-06-01T04:00:00Z 2026-06-08T04:00:00Z");
    check(toronto, "2026-06-08T11:59:59Z", earlier);
    check(toronto, "2026-06-08T12:00:00Z", later);
    check(toronto, "2026-06-15T11:59:59Z", later);
    let friday = (chrono_tz::America::Toronto, 5, 17);
    check(friday, "2026-06-12T20:59:59Z", earlier);
    check(friday, "2026-06-12T21:00:00Z", later);
    check(friday, "2026-06-14T23:00:00Z", later);
}

#[test]
fn a_week_with_a_change_of_the_clock_is_an_hour_shorter_or_longer() {
    let berlin = (chrono_tz::Europe::Berlin, 1, 8);
    check(berlin, "2026-03-30T06:00:00Z", "2026-03-23 2026-03-22T23:00:00Z 2026-03-29T22:00:00Z");
    check(berlin, "2026-03-30T05:59:59Z", "2026-03-16 2026-03-15T23:00:00Z 2026-03-22T23:00:00Z");
    check(berlin, "2026-10-26T07:00:00Z", "2026-10-19 2026-10-18T22:00:00Z 2026-10-25T23:00:00Z");
    // 02:00 does not exist on that Sunday: it is sent at the first instant after the gap, and only then.
    let gap = (chrono_tz::Europe::Berlin, 7, 2);
    check(gap, "2026-03-29T00:59:59Z", "2026-03-09 2026-03-08T23:00:00Z 2026-03-15T23:00:00Z");
    check(gap, "2026-03-29T01:00:00Z", "2026-03-16 2026-03-15T23:00:00Z 2026-03-22T23:00:00Z");
}

#[test]
fn lateness_is_said_in_two_units_at_the_most() {
    let said = [0, 59, 60, 3_599, 3_600, 7_500, 86_399, 86_400, 93_600, 900_000].map(late);
    let expected =
        ["0 s", "59 s", "1 min", "59 min", "1 h 0 min", "2 h 5 min", "23 h 59 min", "1 day 0 h", "1 day 2 h", "10 days 10 h"];
    assert_eq!(said, expected);
}

fn week() -> Week {
    let zone = chrono_tz::America::Toronto;
    due_week(Schedule { weekday: 1, at_seconds: 0, zone }, "2026-06-10T14:00:00Z".parse().expect("an instant")).expect("a week")
}

#[test]
fn a_week_without_anything_says_so() {
    let words = Words::of(&week(), Facts::default());
    assert_eq!(words.week, "1 June 2026 to 7 June 2026, America/Toronto");
    assert_eq!((words.promises.len(), words.breaches.len(), words.nps.as_str()), (0, 0, "no answers"));
    assert_eq!(words.nps_change, "nothing to compare with");
    assert_eq!(words.reviews, "No answer waits for its review.");
    assert_eq!(words.answers, "0 answers given; 0 of 0 letters sent were answered");
}

#[test]
fn a_busy_week_names_shares_changes_and_the_worst() {
    let mut facts = Facts { reviews_waiting: 1_203, reviews_overdue: 7, ..Facts::default() };
    facts.sla.by_metric[1] = SlaTally { met: 1_204, breached: 16, ..SlaTally::default() };
    facts.sla.by_metric[3] = SlaTally { running: 2, ..SlaTally::default() };
    facts.nps.answers = Tally { promoters: 60, passives: 25, detractors: 15 };
    facts.nps.before = Tally { promoters: 48, passives: 30, detractors: 22 };
    let breach = |n: i64| Breach {
        ticket_number: n,
        subject: format!("Line\none {}", "x".repeat(80)),
        metric: Metric::FirstResponse,
        late_seconds: 7_500,
        is_open: n == 1,
    };
    facts.breaches = (1..=7).map(breach).collect();
    let words = Words::of(&week(), facts);
    assert_eq!(words.promises.len(), 2);
    assert_eq!((words.promises[0].share.as_str(), words.promises[0].of.as_str()), ("98.7 %", "1,204 of 1,220 in time"));
    assert_eq!((words.promises[0].bar_px, words.promises[0].rest_px), (197, 3));
    assert_eq!(words.promises[0].before, "week before: nothing decided");
    assert_eq!((words.promises[1].share.as_str(), words.promises[1].bar_px), ("nothing decided", 0));
    assert_eq!((words.nps.as_str(), words.nps_change.as_str()), ("45 (95 % interval 29 to 58)", "no clear change"));
    assert_eq!((words.breaches.len(), words.breaches_more), (BREACHES_MAX, 2));
    assert_eq!(words.breaches[0].what, "first response 2 h 5 min late and still open");
    assert_eq!(words.breaches[0].subject.chars().count(), SUBJECT_MAX);
    assert_eq!(words.reviews, "1,203 answers wait for a review, 7 of them past their time.");
}
