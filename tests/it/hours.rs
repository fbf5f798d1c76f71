//! The hours of the week counted again from their rows, around changes of the clock; and what is drawn.
use crate::figures::rows_behind;
use crate::reports_csv::rows;
use crate::support::busy::{busy_days, percent};
use crate::support::desk::at;
use crate::support::{Desk, Test, tests};
use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    the_hours_of_the_week_are_the_sum_of_their_rows,
    hours_and_days_follow_the_clock_where_it_changes,
    every_report_can_be_drawn_of_nothing_and_of_much,
];

const HOURS: &str = "/api/v1/reports/hours";

/// The figures of some rows.
fn figures(rows: &[&Value]) -> Value {
    let count = |verdicts: &[&str]| {
        rows.iter().filter(|row| row["verdict"].as_str().is_some_and(|own| verdicts.contains(&own))).count() as i64
    };
    let (met, breached) = (count(&["met"]), count(&["breached"]));
    let mut seconds: Vec<i64> = rows.iter().filter_map(|row| row["used_seconds"].as_i64()).collect();
    seconds.sort_unstable();
    let median = seconds.get(seconds.len().div_ceil(2).max(1) - 1);
    json!({
        "received": rows.len(),
        "promises": rows.iter().filter(|row| !row["verdict"].is_null()).count(),
        "answered": rows.iter().filter(|row| !row["reached_at"].is_null()).count(),
        "met": met,
        "breached": breached,
        "open": count(&["running", "at_risk", "paused"]),
        "left_out": count(&["not_promised", "not_measured"]),
        "attainment": { "percent": percent(met, met + breached), "numerator": met, "denominator": met + breached },
        "median_seconds": median,
    })
}

/// Compares a report with its rows and with the wall clock of its zone; gives the count of rows.
#[track_caller]
fn check(desk: &Desk, query: &str, zone: Tz) -> usize {
    let report = desk.manager().get(&format!("{HOURS}{query}")).ok();
    let rows = rows_behind(desk, HOURS, query);
    let hours = report["hours"].as_array().unwrap();
    assert_eq!((hours.len(), &report["time_zone"]), (168, &json!(zone.name())));
    let same = |shown: &Value, rows: &[&Value]| {
        for (name, expected) in figures(rows).as_object().unwrap() {
            assert_eq!(shown[name], *expected, "{name} of {shown} {query}");
        }
    };
    same(&report["total"], &rows.iter().collect::<Vec<_>>());
    let mut seconds = 0;
    for (place, shown) in hours.iter().enumerate() {
        let (weekday, hour) = (place / 24 + 1, place % 24);
        assert_eq!((&shown["weekday"], &shown["hour"]), (&json!(weekday), &json!(hour)));
        let own: Vec<&Value> = rows.iter().filter(|row| row["weekday"] == weekday && row["hour"] == hour).collect();
        for row in &own {
            let local = at(row["received_at"].as_str().unwrap()).with_timezone(&zone);
            let shown = (local.weekday().number_from_monday() as usize, local.hour() as usize);
            assert_eq!(shown, (weekday, hour), "{row}");
        }
        same(shown, &own);
        seconds += shown["period_seconds"].as_i64().unwrap();
    }
    let length = at(report["to"].as_str().unwrap()) - at(report["from"].as_str().unwrap());
    assert_eq!((seconds, &report["total"]["period_seconds"]), (length.num_seconds(), &json!(length.num_seconds())));
    rows.len()
}

fn the_hours_of_the_week_are_the_sum_of_their_rows(desk: &Desk) {
    let places = busy_days(desk);
    let zone = chrono_tz::America::Toronto;
    let team = places.teams[1].clone().unwrap();
    let mut counted = 0;
    for more in ["", "&metric=pickup", "&metric=resolution&channel=web", "&priority=high", &format!("&team_id={team}")] {
        counted += check(desk, &format!("?from=2026-06-10&to=2026-06-20&tz={}{more}", zone.name()), zone);
    }
    assert!(counted > 100, "{counted} rows");
    let csv = rows(&desk.manager().get(&format!("{HOURS}?from=2026-06-10&to=2026-06-20&format=csv")).is(200).text);
    let json = desk.manager().get(&format!("{HOURS}?from=2026-06-10&to=2026-06-20")).ok();
    assert_eq!(csv.len(), 168);
    for (row, hour) in csv.iter().zip(json["hours"].as_array().unwrap()) {
        for name in ["weekday", "hour", "received", "answered", "met", "breached"] {
            assert_eq!(row[name], hour[name].to_string(), "{name}");
        }
        assert_eq!(row["attainment_numerator"], hour["attainment"]["numerator"].to_string());
    }
    desk.agent().get(HOURS).refused(403, "missing_right");
    assert_eq!(desk.manager().get(&format!("{HOURS}?metric=patience")).refuses_field("metric"), "unknown_name");
    assert_eq!(desk.manager().get(&format!("{HOURS}?group_by=day")).refuses_field("group_by"), "unknown_field");
}

/// A ticket each 20 minutes around a change of the clock, and the local days and hours that they must fall into.
fn hours_and_days_follow_the_clock_where_it_changes(desk: &Desk) {
    let around = |text: &str| (0..150).map(|n| at(text) + TimeDelta::minutes(20 * n)).collect::<Vec<DateTime<Utc>>>();
    let changes = [
        around("2025-10-25T18:10:00Z"),
        around("2025-11-01T22:10:00Z"),
        around("2026-03-07T20:10:00Z"),
        around("2026-03-28T16:10:00Z"),
    ];
    for at in changes.iter().flatten() {
        let ticket = json!({
            "channel": "email", "subject": "Clock", "from": { "email": "clock@nordwind.example" }, "received_at": at,
        });
        desk.import().post("/api/v1/tickets", ticket).ok();
    }
    for (zone, weeks) in [
        (chrono_tz::America::Toronto, [("2025-10-27", "2025-11-10"), ("2026-03-02", "2026-03-16")]),
        (chrono_tz::Europe::Berlin, [("2025-10-20", "2025-11-03"), ("2026-03-23", "2026-04-06")]),
        (chrono_tz::Asia::Kathmandu, [("2025-10-20", "2025-11-10"), ("2026-03-02", "2026-04-06")]),
        (chrono_tz::Asia::Kolkata, [("2025-10-20", "2025-11-10"), ("2026-03-02", "2026-04-06")]),
    ] {
        for (from, to) in weeks {
            let query = format!("?from={from}&to={to}&tz={}", zone.name());
            assert!(check(desk, &query, zone) >= 150, "{query}");
            // The same tickets by local day, week and month.
            for (unit, format) in [("day", "%Y-%m-%d"), ("week", "%G-W%V"), ("month", "%Y-%m")] {
                let report = desk.manager().get(&format!("/api/v1/reports/sla{query}&group_by={unit}")).ok();
                let mut length = TimeDelta::zero();
                for group in report["groups"].as_array().unwrap() {
                    let key = &group["key"];
                    let (from, to) = (at(key["from"].as_str().unwrap()), at(key["to"].as_str().unwrap()));
                    let own = changes.iter().flatten().filter(|at| **at >= from && **at < to);
                    let label = |at: &DateTime<Utc>| at.with_timezone(&zone).format(format).to_string();
                    assert!(own.clone().all(|at| key["label"] == label(at)), "{query} {key}");
                    let first = group["metrics"].as_array().unwrap().iter().find(|m| m["metric"] == "first_response").unwrap();
                    assert_eq!(first["total"], own.count(), "{query} {key}");
                    length += to - from;
                }
                assert_eq!(length, at(report["to"].as_str().unwrap()) - at(report["from"].as_str().unwrap()));
            }
        }
    }
    let days = desk.manager().get("/api/v1/reports/sla?from=2025-10-25&to=2025-10-28&tz=Europe/Berlin&group_by=day").ok();
    let hours = |group: &Value| {
        let end = |name: &str| at(group["key"][name].as_str().unwrap());
        (end("to") - end("from")).num_hours()
    };
    assert_eq!(days["groups"].as_array().unwrap().iter().map(hours).collect::<Vec<_>>(), [24, 25, 24]);
}

fn every_report_can_be_drawn_of_nothing_and_of_much(desk: &Desk) {
    let period = "from=2026-06-10&to=2026-06-20&tz=America/Toronto";
    let ask = |path: &str| {
        let answer = desk.manager().get(&format!("/api/v1/reports/{path}"));
        assert_eq!(answer.is(200).header("content-type"), Some("image/svg+xml"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert!(answer.header("content-security-policy").unwrap().contains("default-src 'none'"));
        let svg = answer.text;
        assert!(svg.starts_with("<svg role=\"img\"") && svg.contains("<title ") && svg.contains("<desc "), "{path}: {svg}");
        assert!(!svg.contains("<script") && !svg.contains("href"), "{path}");
        // Well-formed: a parser of XML finds the root and its end.
        assert_eq!(svg.matches("<svg").count(), svg.matches("</svg>").count(), "{path}");
        svg
    };
    for name in ["sla.svg", "nps.svg"] {
        assert!(ask(&format!("{name}?{period}")).contains("no figures"), "{name} of an empty desk");
    }
    ask(&format!("hours.svg?{period}"));
    busy_days(desk);
    for name in ["sla.svg", "nps.svg"] {
        for group_by in ["", "&group_by=channel", "&group_by=team", "&group_by=day", "&group_by=week", "&group_by=month"] {
            let svg = ask(&format!("{name}?{period}{group_by}"));
            assert!(!svg.contains("There are no figures"), "{name}{group_by}");
        }
    }
    let report = desk.manager().get(&format!("/api/v1/reports/nps?{period}")).ok();
    let svg = ask(&format!("nps.svg?{period}"));
    assert!(svg.contains(&format!("Net Promoter Score {}", report["total"]["nps_rounded"])), "{svg}");
    for measure in ["", "&measure=received", "&measure=attainment"] {
        let svg = ask(&format!("hours.svg?{period}{measure}"));
        assert!(svg.contains("tickets came") && svg.contains("Mon"), "{svg}");
    }
    assert_eq!(desk.manager().get("/api/v1/reports/hours.svg?measure=mood").refuses_field("measure"), "unknown_name");
    desk.agent().get("/api/v1/reports/sla.svg").refused(403, "missing_right");
}
