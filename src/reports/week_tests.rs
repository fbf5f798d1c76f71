//! Hours of the week, as tables.
use super::*;

fn period(zone: Tz, from: &str, to: &str) -> Period {
    let now = "2026-06-15T12:00:00Z".parse().expect("an instant");
    Period::read(Some(from), Some(to), zone, now).expect("a period")
}

#[track_caller]
fn check_slot(zone: Tz, at: &str, expected: (u32, u32)) {
    assert_eq!(slot(zone, at.parse().expect("an instant")), expected, "{zone} {at}");
}

#[test]
fn an_instant_lies_in_the_hour_that_the_wall_clock_shows() {
    use chrono_tz::{America::Toronto, Asia::Kathmandu, Asia::Kolkata, Europe::Berlin};
    check_slot(Tz::UTC, "2026-03-08T00:00:00Z", (7, 0));
    check_slot(Tz::UTC, "2026-03-08T23:59:59.999999Z", (7, 23));
    // The clock goes from 02:00 to 03:00 in spring and from 02:00 back to 01:00 in autumn.
    check_slot(Toronto, "2026-03-08T06:59:59Z", (7, 1));
    check_slot(Toronto, "2026-03-08T07:00:00Z", (7, 3));
    check_slot(Toronto, "2026-11-01T05:30:00Z", (7, 1));
    check_slot(Toronto, "2026-11-01T06:30:00Z", (7, 1));
    check_slot(Berlin, "2026-03-29T00:59:59Z", (7, 1));
    check_slot(Berlin, "2026-03-29T01:00:00Z", (7, 3));
    check_slot(Berlin, "2026-10-25T00:30:00Z", (7, 2));
    check_slot(Berlin, "2026-10-25T01:30:00Z", (7, 2));
    check_slot(Kolkata, "2026-03-08T18:29:59Z", (7, 23));
    check_slot(Kolkata, "2026-03-08T18:30:00Z", (1, 0));
    check_slot(Kathmandu, "2026-03-08T18:15:00Z", (1, 0));
}

/// Hours of the week that are not as long as the others of their day, as `weekday hour seconds`.
#[track_caller]
fn check_seconds(zone: Tz, (from, to): (&str, &str), expected: &[(u32, u32, i64)]) {
    let period = period(zone, from, to);
    let seconds = seconds_by_hour(&period);
    assert_eq!(seconds.iter().sum::<i64>(), (period.to - period.from).num_seconds(), "{zone} {from} {to}: nothing is lost");
    let usual = |at: usize| seconds[at / HOURS * HOURS + 12];
    let odd: Vec<(u32, u32, i64)> = (0..seconds.len())
        .filter(|at| seconds[*at] != usual(*at))
        .map(|at| ((at / HOURS) as u32 + 1, (at % HOURS) as u32, seconds[at]))
        .collect();
    assert_eq!(odd, expected, "{zone} {from} {to}");
}

#[test]
fn an_hour_that_is_skipped_is_missing_and_one_that_comes_twice_counts_twice() {
    use chrono_tz::{America::St_Johns, America::Toronto, Asia::Kathmandu, Australia::Lord_Howe, Europe::Berlin};
    check_seconds(Tz::UTC, ("2026-03-02", "2026-03-30"), &[]);
    check_seconds(Toronto, ("2026-03-02", "2026-03-16"), &[(7, 2, 3_600)]);
    check_seconds(Toronto, ("2026-10-26", "2026-11-09"), &[(7, 1, 3 * 3_600)]);
    check_seconds(Berlin, ("2026-03-23", "2026-04-06"), &[(7, 2, 3_600)]);
    check_seconds(Berlin, ("2026-10-19", "2026-11-02"), &[(7, 2, 3 * 3_600)]);
    check_seconds(Kathmandu, ("2026-03-02", "2026-03-30"), &[]);
    // Half an hour, and one minute after midnight.
    check_seconds(Lord_Howe, ("2026-03-30", "2026-04-06"), &[(7, 1, 5_400)]);
    check_seconds(St_Johns, ("2006-10-23", "2006-10-30"), &[(6, 23, 2 * 3_600 - 60), (7, 0, 3_600 + 60)]);
    // What is cut off at the ends.
    check_seconds(Toronto, ("2026-06-10T04:30:00Z", "2026-06-11"), &[(3, 0, 1_800)]);
}
