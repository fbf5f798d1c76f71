//! What is asked, as tables.
use super::*;

const TORONTO: Tz = chrono_tz::America::Toronto;

fn now() -> DateTime<Utc> {
    "2026-06-15T12:00:00Z".parse().expect("an instant")
}

/// Days, weeks or months of a period as `label hours`.
#[track_caller]
fn check_buckets(zone: Tz, (from, to): (&str, &str), unit: Unit, expected: &[&str]) {
    let period = Period::read(Some(from), Some(to), zone, now()).expect("a period");
    let buckets = period.buckets(unit).expect("not too many");
    let text: Vec<String> =
        buckets.iter().map(|b| format!("{} {}", b.label, (b.to - b.from).num_minutes() as f64 / 60.0)).collect();
    assert_eq!(text, expected, "{from} to {to}");
    assert_eq!(buckets.first().map(|b| b.from), Some(period.from));
    assert_eq!(buckets.last().map(|b| b.to), Some(period.to));
    for (at, pair) in buckets.windows(2).enumerate() {
        assert_eq!(pair[0].to, pair[1].from, "no gaps");
        assert_eq!(bucket_of(&buckets, pair[0].to - TimeDelta::microseconds(1)), at);
        assert_eq!(bucket_of(&buckets, pair[0].to), at + 1);
    }
}

#[test]
fn days_are_as_long_as_the_zone_makes_them() {
    check_buckets(TORONTO, ("2026-03-07", "2026-03-10"), Unit::Day, &["2026-03-07 24", "2026-03-08 23", "2026-03-09 24"]);
    check_buckets(TORONTO, ("2026-10-31", "2026-11-03"), Unit::Day, &["2026-10-31 24", "2026-11-01 25", "2026-11-02 24"]);
    check_buckets(Tz::UTC, ("2026-03-07", "2026-03-09"), Unit::Day, &["2026-03-07 24", "2026-03-08 24"]);
    // Midnight is in the gap: the day begins at 01:00.
    check_buckets(
        chrono_tz::Africa::Cairo,
        ("2026-04-23", "2026-04-26"),
        Unit::Day,
        &["2026-04-23 24", "2026-04-24 23", "2026-04-25 24"],
    );
    // Midnight came twice: the day begins at the first.
    check_buckets(
        chrono_tz::America::Havana,
        ("2026-10-31", "2026-11-03"),
        Unit::Day,
        &["2026-10-31 24", "2026-11-01 25", "2026-11-02 24"],
    );
    // Samoa skipped a whole day.
    check_buckets(chrono_tz::Pacific::Apia, ("2011-12-29", "2012-01-01"), Unit::Day, &["2011-12-29 24", "2011-12-31 24"]);
    // Newfoundland once turned back from 00:01 to 23:01.
    check_buckets(chrono_tz::America::St_Johns, ("2006-10-29T02:45:00Z", "2006-10-30"), Unit::Day, &["2006-10-29 24.75"]);
}

#[test]
fn the_first_and_the_last_day_are_cut_where_the_period_ends() {
    let cut = ("2026-03-07T22:00:00-05:00", "2026-03-09T01:30:00-04:00");
    check_buckets(TORONTO, cut, Unit::Day, &["2026-03-07 2", "2026-03-08 23", "2026-03-09 1.5"]);
    check_buckets(TORONTO, ("2026-03-08T06:59:59Z", "2026-03-08T07:59:59Z"), Unit::Day, &["2026-03-08 1"]);
}

#[test]
fn weeks_begin_on_monday_and_months_on_the_first() {
    check_buckets(TORONTO, ("2026-03-04", "2026-03-17"), Unit::Week, &["2026-W10 119", "2026-W11 168", "2026-W12 24"]);
    check_buckets(Tz::UTC, ("2026-12-28", "2027-01-11"), Unit::Week, &["2026-W53 168", "2027-W01 168"]);
    check_buckets(TORONTO, ("2026-02-15", "2026-04-02"), Unit::Month, &["2026-02 336", "2026-03 743", "2026-04 24"]);
    check_buckets(Tz::UTC, ("2025-12-31", "2026-01-02"), Unit::Month, &["2025-12 24", "2026-01 24"]);
}

#[test]
fn ten_years_of_days_are_laid_out_and_no_more_than_the_limit_ever() {
    let period = Period::read(Some("2016-01-01"), Some("2026-01-01"), TORONTO, now()).expect("a period");
    assert_eq!(period.buckets(Unit::Day).map(|b| b.len()), Some(3_653));
    let longer = Period { from: period.from - TimeDelta::days(400), ..period };
    assert_eq!(longer.buckets(Unit::Day), None);
    assert_eq!(longer.buckets(Unit::Month).map(|b| b.len()), Some(133 + 1));
}

#[track_caller]
fn check_period((from, to): (Option<&str>, Option<&str>), zone: Tz, expected: &str) {
    let text = match Period::read(from, to, zone, now()) {
        Ok(period) => format!("{:?} {:?}", period.from, period.to),
        Err(error) => format!("{} {}", error.field, error.code),
    };
    assert_eq!(text, expected, "{from:?} to {to:?}");
}

#[test]
fn a_period_is_read_from_dates_and_instants() {
    let utc = Tz::UTC;
    check_period((None, None), utc, "2026-03-17T12:00:00Z 2026-06-15T12:00:00Z");
    check_period((Some("2026-06-01"), None), TORONTO, "2026-06-01T04:00:00Z 2026-06-15T12:00:00Z");
    check_period((None, Some("2026-04-01")), utc, "2026-01-01T00:00:00Z 2026-04-01T00:00:00Z");
    check_period(
        (Some("2026-03-01T08:00:00.1234567+01:00"), Some("2026-03-02")),
        utc,
        "2026-03-01T07:00:00.123456Z 2026-03-02T00:00:00Z",
    );
    check_period((Some("1970-01-01"), Some("1979-12-31T23:59:60Z")), utc, "1970-01-01T00:00:00Z 1980-01-01T00:00:00Z");
    check_period((Some("9999-12-30"), Some("9999-12-31")), TORONTO, "9999-12-30T05:00:00Z 9999-12-31T05:00:00Z");
}

#[test]
fn what_is_no_period_is_refused_by_field() {
    let utc = Tz::UTC;
    for wrong in [
        "",
        "yesterday",
        "2026-02-30",
        "2026-2-3",
        "+2026-02-3",
        "2026-02-03 10:00:00Z",
        "2026-02-03T10:00:00 01:00",
        "2026-02-03T10:00:00",
        "２０２６-02-03",
        "2026-02-03T25:00:00Z",
    ] {
        check_period((Some(wrong), None), utc, "from date_time");
        check_period((Some("2026-01-01"), Some(wrong)), utc, "to date_time");
    }
    check_period((Some("1969-12-31"), Some("1970-02-01")), utc, "from range");
    check_period((Some("1970-01-01T00:00:00+01:00"), Some("1970-02-01")), utc, "from range");
    check_period((Some("9999-12-30"), Some("9999-12-31T23:59:59-05:00")), utc, "to range");
    check_period((Some("0000-01-01"), None), utc, "from range");
    check_period((Some("2026-03-02"), Some("2026-03-02")), utc, "from order");
    check_period((Some("2027-01-01"), None), utc, "from order");
    check_period((Some("2016-01-01"), Some("2026-01-02")), utc, "from range");
}

#[test]
fn the_period_before_is_as_long_and_ends_where_this_one_starts() {
    let period = Period::read(Some("2026-03-01"), Some("2026-04-01"), TORONTO, now()).expect("a period");
    let before = period.before();
    assert_eq!((before.to, before.to - before.from), (period.from, period.to - period.from));
}

#[track_caller]
fn check_compared(compare: Option<Compare>, (from, to): (Option<&str>, Option<&str>), expected: &str) {
    let period = Period::read(Some("2026-03-01"), Some("2026-04-01"), TORONTO, now()).expect("a period");
    let text = match Compared::read(compare, from, to, period) {
        Ok(Some(Compared { from, to })) => format!("{from:?} {to:?}"),
        Ok(None) => "nothing".to_owned(),
        Err(error) => format!("{} {}", error.field, error.code),
    };
    assert_eq!(text, expected, "{compare:?} {from:?} {to:?}");
}

#[test]
fn what_to_compare_with_is_the_period_before_another_or_nothing() {
    // An hour was lost in March: the period of equal length begins an hour later.
    let before = "2026-01-29T06:00:00Z 2026-03-01T05:00:00Z";
    let year_ago = (Some("2025-03-01"), Some("2025-04-01"));
    check_compared(None, (None, None), before);
    check_compared(Some(Compare::Previous), (None, None), before);
    check_compared(Some(Compare::None), (None, None), "nothing");
    check_compared(None, year_ago, "2025-03-01T05:00:00Z 2025-04-01T04:00:00Z");
    check_compared(Some(Compare::Previous), year_ago, "compare one_of");
    check_compared(None, (Some("2025-03-01"), None), "compare_to missing");
    check_compared(None, (None, Some("2025-03-01")), "compare_from missing");
    check_compared(None, (Some("2025-03-01"), Some("2025-03-01")), "compare_from order");
    check_compared(None, (Some("then"), Some("2025-03-01")), "compare_from date_time");
    check_compared(None, (Some("2025-03-01"), Some("then")), "compare_to date_time");
}
