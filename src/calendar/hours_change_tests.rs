//! Clock changes, skipped and repeated days, and the bounds of what is counted.
use super::*;

#[test]
fn an_opening_in_a_gap_moves_to_the_first_instant_after_it() {
    // Toronto skips 02:00-03:00 on 2026-03-08, Lord Howe 02:00-02:30 on 2026-10-04.
    check_open(&every_day(TORONTO, "02:30-05:00"), "2026-03-08T07:00:00Z", "2026-03-08T09:00:00Z");
    check_open(&every_day(LORD_HOWE, "02:10-05:00"), "2026-10-03T15:30:00Z", "2026-10-03T18:00:00Z");
}

#[test]
fn a_closing_in_a_gap_moves_to_the_first_instant_after_it() {
    check_open(&every_day(TORONTO, "01:00-02:30"), "2026-03-08T06:00:00Z", "2026-03-08T07:00:00Z");
    check_open(&every_day(LORD_HOWE, "01:00-02:10"), "2026-10-03T14:30:00Z", "2026-10-03T15:30:00Z");
}

#[test]
fn a_span_inside_a_gap_does_not_open() {
    let hours = every_day(TORONTO, "02:10-02:50");
    let (day_before, day_after) = (utc("2026-03-07T07:50:00Z"), utc("2026-03-09T06:10:00Z"));
    assert_eq!(hours.next_opening(day_before), Some(day_after));
    assert_eq!(hours.open_between(day_before, day_after), 0);
}

#[test]
fn an_ambiguous_opening_is_the_first_and_an_ambiguous_closing_the_second() {
    // Toronto repeats 01:00-02:00 on 2026-11-01, Lord Howe 01:30-02:00 on 2026-04-05.
    let toronto = |hours| every_day(TORONTO, hours);
    let lord_howe = |hours| every_day(LORD_HOWE, hours);
    check_open(&toronto("01:30-05:00"), "2026-11-01T05:30:00Z", "2026-11-01T10:00:00Z");
    check_open(&toronto("00:00-01:30"), "2026-11-01T04:00:00Z", "2026-11-01T06:30:00Z");
    check_open(&toronto("01:10-01:20"), "2026-11-01T05:10:00Z", "2026-11-01T06:20:00Z");
    // The bounds of the fold itself: 01:00 exists twice, 02:00 once.
    check_open(&toronto("00:00-01:00"), "2026-11-01T04:00:00Z", "2026-11-01T06:00:00Z");
    check_open(&toronto("01:00-02:00"), "2026-11-01T05:00:00Z", "2026-11-01T07:00:00Z");
    check_open(&lord_howe("01:45-05:00"), "2026-04-04T14:45:00Z", "2026-04-04T18:30:00Z");
    check_open(&lord_howe("00:00-01:45"), "2026-04-04T13:00:00Z", "2026-04-04T15:15:00Z");
}

#[test]
fn a_day_with_a_clock_change_is_longer_or_shorter() {
    let toronto = every_day(TORONTO, "00:00-24:00");
    let lengths = [("2026-03-08 00:00:00", "2026-03-09 00:00:00", 23), ("2026-11-01 00:00:00", "2026-11-02 00:00:00", 25)];
    for (from, to, hours) in lengths {
        let open = toronto.open_between(local(TORONTO, from), local(TORONTO, to));
        assert_eq!(open, hours * 3600, "{from}");
    }
}

#[test]
fn a_stretch_without_service_takes_the_first_and_the_second_of_ambiguous_bounds() {
    let hours = with_exceptions(TORONTO, "", &[("2026-11-01", "=", "01:10-01:20")]);
    let (from, to) = (utc("2026-11-01T04:00:00Z"), utc("2026-11-01T08:00:00Z"));
    let still: Vec<_> = hours.segments(Mode::Always, from, to).into_iter().filter(|s| !s.counted).collect();
    assert_eq!(still, [Segment { from: utc("2026-11-01T05:10:00Z"), to: utc("2026-11-01T06:20:00Z"), counted: false }]);
}

#[test]
fn a_skipped_local_day_does_not_open() {
    // Apia went from 2011-12-29 24:00 (UTC-10) to 2011-12-31 00:00 (UTC+14) at 2011-12-30T10:00Z.
    let days = every_day(APIA, "09:00-17:00");
    check_open(&days, "2011-12-29T19:00:00Z", "2011-12-30T03:00:00Z");
    check_open(&days, "2011-12-30T19:00:00Z", "2011-12-31T03:00:00Z");
    let nights = every_day(APIA, "22:00-06:00");
    check_open(&nights, "2011-12-30T08:00:00Z", "2011-12-30T16:00:00Z");
    let only_then = with_exceptions(APIA, "", &[("2011-12-30", "00:00-24:00", "00:00-24:00")]);
    let (from, to) = (utc("2011-12-28T00:00:00Z"), utc("2012-01-02T00:00:00Z"));
    assert_eq!(only_then.open_between(from, to), 0);
    assert_eq!(only_then.counted(Mode::Always, from, to), (to - from).num_seconds());
    assert_eq!(only_then.opens_within_400_days(from), Err(NeverOpen));
}

#[test]
fn a_repeated_local_day_is_open_from_its_first_opening_to_its_second_closing() {
    // Kwajalein went from 1969-09-30 24:00 (UTC+11) back to 1969-09-30 01:00 (UTC-12) at 1969-09-30T13:00Z.
    let hours = with_exceptions(Tz::Pacific__Kwajalein, "", &[("1969-09-30", "09:00-17:00", "")]);
    check_open(&hours, "1969-09-29T22:00:00Z", "1969-10-01T05:00:00Z");
}

#[test]
fn a_calendar_that_stays_closed_for_400_days_is_refused() {
    let opens_once = |on| with_exceptions(Tz::UTC, "", &[(on, "00:00-24:00", "")]);
    let from = utc("2026-01-01T00:00:00Z");
    let refused = Err(NeverOpen);
    assert_eq!(every_day(Tz::UTC, "").opens_within_400_days(from), refused);
    assert_eq!(every_day(Tz::UTC, "").next_opening(from), None);
    assert_eq!(opens_once("2027-02-04").opens_within_400_days(from), Ok(()), "day 399");
    assert_eq!(opens_once("2027-02-05").opens_within_400_days(from), refused, "day 400");
    let hours = opens_once("2026-01-02");
    assert_eq!(hours.deadline(from, DAY), Ok(utc("2026-01-03T00:00:00Z")), "all it has");
    assert_eq!(hours.deadline(from, DAY + 1), Err(NeverOpen));
    assert_eq!(hours.due(Mode::BusinessHours, from, DAY + 1), Err(NeverOpen));
    assert_eq!(hours.due(Mode::WhenOpen, from, 20), Ok(utc("2026-01-01T00:00:20Z")));
    assert_eq!(NeverOpen.to_string(), "the calendar does not open within 400 days");
}

#[test]
fn a_closure_longer_than_400_days_is_still_counted_across() {
    let hours = with_exceptions(Tz::UTC, "", &[("2020-01-01", "00:00-01:00", ""), ("2026-01-01", "00:00-01:00", "")]);
    let (from, to) = (utc("2019-01-01T00:00:00Z"), utc("2027-01-01T00:00:00Z"));
    assert_eq!(hours.open_between(from, to), 7200);
    assert_eq!(hours.segments(Mode::BusinessHours, from, to).len(), 5);
}

#[test]
fn a_calendar_that_never_closes_says_so_by_the_bound() {
    let hours = every_day(TORONTO, "00:00-24:00");
    let at = utc("2026-01-05T09:00:00Z");
    assert_eq!(hours.closes_at(at), Some(at + TimeDelta::days(400)));
    assert_eq!(hours.deadline(at, 10 * 365 * DAY), Ok(at + TimeDelta::days(3650)));
    assert_eq!(hours.segments(Mode::BusinessHours, at, at + TimeDelta::days(30)).len(), 1);
}

#[test]
fn extreme_instants_and_budgets_do_not_panic() {
    let last = utc("9999-12-31T23:59:59Z");
    let instants = [
        DateTime::<Utc>::MIN_UTC,
        utc("1900-01-01T00:00:00Z"),
        utc("2026-01-05T09:00:00.999999999Z"),
        last,
        DateTime::<Utc>::MAX_UTC,
    ];
    let calendars = [
        every_day(APIA, "22:00-06:00"),
        every_day(TORONTO, ""),
        with_exceptions(Tz::Asia__Tokyo, "00:00-24:00", &[("9999-12-31", "=", "00:00-24:00")]),
    ];
    for hours in &calendars {
        for from in instants {
            for seconds in [i64::MIN, -1, 0, 1, i64::MAX] {
                for mode in [Mode::Always, Mode::BusinessHours, Mode::WhenOpen] {
                    match hours.due(mode, from, seconds) {
                        Ok(due) if seconds <= 0 => assert_eq!(due, from),
                        Ok(due) if seconds == i64::MAX => assert_eq!(due, last.max(from)),
                        Ok(due) => assert!(due >= from),
                        Err(NeverOpen) => assert_eq!(mode, Mode::BusinessHours),
                    }
                }
            }
            let to = from.checked_add_signed(TimeDelta::days(2)).unwrap_or(DateTime::<Utc>::MAX_UTC);
            let open: i64 = hours
                .segments(Mode::BusinessHours, from, to)
                .iter()
                .filter(|segment| segment.counted)
                .map(|segment| (segment.to - segment.from).num_seconds())
                .sum();
            assert_eq!(hours.open_between(from, to), open);
            assert!(hours.closes_at(from).is_none_or(|closing| closing > from));
        }
    }
}

#[test]
fn parts_of_a_second_do_not_count() {
    let hours = every_day(Tz::UTC, "09:00-17:00");
    let at = utc("2026-01-05T09:00:00.750Z");
    assert_eq!(hours.deadline(at, 20), Ok(utc("2026-01-05T09:00:20Z")));
    assert_eq!(hours.open_between(at, utc("2026-01-05T09:00:20.250Z")), 20);
    assert_eq!(hours.next_opening(at), Some(at), "open, so it is now");
    assert!(hours.is_open(utc("2026-01-05T16:59:59.999Z")));
}
