//! Calls as lists and the report show them.
use crate::calls::report;
use crate::support::desk::at;
use crate::support::{Desk, Test, tests};
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![lists_filter_and_page, the_report_counts_every_call_once];

fn lists_filter_and_page(desk: &Desk) {
    for n in 0..5 {
        report(desk, &format!("c{n}"), "ringing", &format!("2026-06-10T13:59:5{n}Z"), json!({}));
    }
    desk.set_time(at("2026-06-10T14:00:30Z"));
    report(desk, "c3", "ended", "2026-06-10T14:00:20Z", json!({}));
    let get = |query: &str| desk.agent().get(&format!("/api/v1/calls?{query}")).ok();
    let names = |page: &Value| {
        page["items"].as_array().unwrap().iter().map(|call| call["call_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let first = get("limit=2");
    assert_eq!(names(&first), ["c4", "c3"]);
    let second = get(&format!("limit=2&cursor={}", first["next_cursor"].as_str().unwrap()));
    assert_eq!(names(&second), ["c2", "c1"]);
    assert_eq!(names(&get("outcome=abandoned")), ["c3"]);
    assert_eq!(names(&get("over=true")), ["c3"]);
    assert_eq!(names(&get("from=2026-06-10T13:59:51Z&to=2026-06-10T13:59:53Z")), ["c2", "c1"]);
    assert_eq!(names(&get(&format!("agent_id={}", desk.people.agent.id))), [""; 0]);
    desk.agent().get("/api/v1/calls?cursor=x").is(422);
    desk.agent().get("/api/v1/calls?color=red").is(422);
}

fn the_report_counts_every_call_once(desk: &Desk) {
    let team = desk.admin().post("/api/v1/teams", json!({ "name": "Front" })).id();
    desk.set_time(at("2026-06-10T15:00:00Z"));
    let queue = json!({ "queue": "Front" });
    let call = |name: &str, events: &[(&str, &str)]| {
        for (event, time) in events {
            let mut more = queue.clone();
            if *event == "answered" {
                more["agent"] = json!(desk.people.agent.id);
            }
            report(desk, name, event, &format!("2026-06-10T{time}Z"), more);
        }
    };
    call("in-time", &[("ringing", "14:00:00"), ("answered", "14:00:20"), ("ended", "14:05:00")]);
    call("late", &[("ringing", "14:10:00"), ("answered", "14:10:20.5"), ("ended", "14:12:00")]);
    call("gone", &[("ringing", "14:20:00"), ("ended", "14:21:30")]);
    call("short", &[("ringing", "14:31:00"), ("ended", "14:31:04")]);
    call("message", &[("ringing", "14:40:00"), ("voicemail", "14:40:44"), ("ended", "14:41:00")]);
    call("closed", &[("ringing", "11:00:00"), ("ended", "11:01:00")]);
    call("ringing", &[("ringing", "14:59:59")]);
    call("silent", &[("answered", "14:50:00"), ("ended", "14:51:00")]);
    let get = |rest: &str| desk.manager().get(&format!("/api/v1/reports/calls?from=2026-06-10&tz=America/Toronto{rest}")).ok();
    let report = get("");
    let total = &report["total"];
    assert_eq!((&total["total"], &total["offered"], &total["answered"]), (&json!(8), &json!(5), &json!(2)));
    assert_eq!(total["left_out"], json!({ "in_doubt": 0, "no_ring": 1, "not_promised": 1, "outbound": 0, "undecided": 1 }));
    let level = &total["service_level"];
    assert_eq!((&level["of_offered"]["percent"], &level["of_offered_less_short"]["percent"]), (&json!(20.0), &json!(25.0)));
    assert_eq!(
        (&level["of_answered"]["percent"], &level["of_answered"]["formula"]),
        (&json!(50.0), &json!("answered within 20 s / answered"))
    );
    assert_eq!((&total["average_speed_of_answer_seconds"], &total["longest_wait_seconds"]), (&json!(20.5), &json!(90)));
    assert_eq!((&total["abandonment"]["percent"], &total["abandonment_less_short"]["percent"]), (&json!(40.0), &json!(25.0)));
    assert_eq!(get("&within_seconds=21")["total"]["answered_in_time"], 2);
    // The rows behind it, counted again.
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = desk.manager().get(&format!("/api/v1/reports/calls/rows?from=2026-06-10&limit=3{cursor}")).ok();
        rows.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let count = |test: &dyn Fn(&Value) -> bool| rows.iter().filter(|row| test(row)).count() as u64;
    assert_eq!(count(&|_| true), 8);
    assert_eq!(count(&|row| row["left_out"].is_null()), total["offered"]);
    assert_eq!(count(&|row| row["in_time"] == true), total["answered_in_time"]);
    assert_eq!(count(&|row| row["left_out"] == "not_promised"), 1);
    // Groups add up.
    for (by, expected) in [
        ("15min", None),
        ("30min", None),
        ("hour", None),
        ("day", Some(1)),
        ("week", Some(1)),
        ("month", Some(1)),
        ("team", Some(1)),
        ("agent", Some(2)),
    ] {
        let report = get(&format!("&group_by={by}"));
        let groups = report["groups"].as_array().unwrap();
        let sum: u64 = groups.iter().map(|group| group["figures"]["total"].as_u64().unwrap()).sum();
        assert_eq!(sum, 8, "{by}");
        assert!(expected.is_none_or(|expected| groups.len() == expected), "{by}: {}", groups.len());
    }
    let halves = get("&group_by=30min");
    let half = halves["groups"]
        .as_array()
        .unwrap()
        .iter()
        .find(|group| group["key"]["label"] == "2026-06-10T10:30-04:00")
        .unwrap()
        .clone();
    assert_eq!((&half["figures"]["short_abandoned"], &half["figures"]["voicemail"]), (&json!(1), &json!(1)));
    assert_eq!(get(&format!("&group_by=team&team_id={team}"))["groups"][0]["key"]["name"], "Front");
    let csv = desk.manager().with("Accept", "text/csv").get("/api/v1/reports/calls?from=2026-06-10&group_by=team");
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(csv.text.lines().count(), 2, "{}", csv.text);
    assert!(csv.text.lines().nth(1).unwrap().ends_with(",8,5,2,1,1,1,1,1,1,1,0,0,20,25,50,20.5,40,25,90,380,0,"), "{}", csv.text);
    desk.agent().get("/api/v1/reports/calls").refused(403, "missing_right");
    desk.manager().get("/api/v1/reports/calls?group_by=channel").is(422);
    desk.manager().get("/api/v1/reports/calls?from=2020-01-01&group_by=15min").is(422);
}
