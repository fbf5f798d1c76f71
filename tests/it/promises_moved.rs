//! Promises that are laid out anew while they run: another priority or team, an edited policy, an edited calendar.
use crate::support::given::{call, email_ticket, path};
use crate::support::{Desk, Test, tests};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_new_priority_runs_by_its_target_from_the_original_start,
    a_breach_stays_when_the_priority_changes,
    a_target_that_is_over_already_is_broken_at_its_own_instant,
    where_nothing_runs_a_new_priority_moves_nothing,
    a_new_team_brings_its_policy_and_its_calendar,
    pauses_follow_the_new_target,
    moved_clocks_are_rebuilt_from_their_events,
];

#[track_caller]
pub fn clock<'a>(ticket: &'a Value, metric: &str) -> &'a Value {
    let clocks = ticket["clocks"].as_array().unwrap();
    clocks.iter().rev().find(|clock| clock["metric"] == metric).unwrap_or_else(|| panic!("no {metric} in {clocks:?}"))
}

/// The history of a ticket, only these events.
pub fn events(desk: &Desk, ticket: &Value, kind: &str) -> Vec<Value> {
    let history = desk.agent().get(&path(ticket, "/history?limit=100")).ok();
    history["items"].as_array().unwrap().iter().filter(|event| event["kind"] == kind).cloned().collect()
}

/// Web tickets: resolution in two business hours, in one where it is critical.
pub fn policies(desk: &Desk) -> (String, String) {
    let target = |metric: &str, seconds: i64, mode: &str| json!({ "metric": metric, "seconds": seconds, "mode": mode });
    let usual = json!([target("resolution", 7200, "business_hours"), target("first_response", 3600, "always")]);
    let critical = json!([target("resolution", 3600, "business_hours"), target("first_response", 600, "always")]);
    let usual = json!({ "name": "Web", "position": 5, "definition": { "match": { "channels": ["web"] }, "targets": usual } });
    let matcher = json!({ "channels": ["web"], "priorities": ["critical"] });
    let critical = json!({ "name": "Web, critical", "position": 4, "definition": { "match": matcher, "targets": critical } });
    (desk.admin().post("/api/v1/policies", usual).id(), desk.admin().post("/api/v1/policies", critical).id())
}

pub fn web_ticket(desk: &Desk) -> Value {
    let ticket = json!({ "channel": "web", "subject": "Form", "body": "Hello", "from": { "email": "ana@nordwind.example" } });
    desk.agent().post("/api/v1/tickets", ticket).ok()
}

/// A calendar of every day from 08:00 to 20:00 in Toronto.
pub fn calendar(desk: &Desk, name: &str, exceptions: Value) -> String {
    let calendar = json!({ "name": name, "definition": definition(exceptions) });
    desk.admin().post("/api/v1/calendars", calendar).id()
}

pub fn definition(exceptions: Value) -> Value {
    let day = json!([{ "open": "08:00", "close": "20:00" }]);
    let weekly = json!({ "mon": day, "tue": day, "wed": day, "thu": day, "fri": day, "sat": day, "sun": day });
    json!({ "time_zone": "America/Toronto", "weekly": weekly, "exceptions": exceptions })
}

fn prioritise(desk: &Desk, ticket: &Value, priority: &str) -> Value {
    desk.agent().patch(&path(ticket, ""), json!({ "priority": priority })).ok()
}

fn a_new_priority_runs_by_its_target_from_the_original_start(desk: &Desk) {
    let (usual, critical) = policies(desk);
    let ticket = web_ticket(desk);
    desk.advance(TimeDelta::minutes(5));
    let moved = prioritise(desk, &ticket, "critical");
    let resolution = clock(&moved, "resolution");
    assert_eq!(
        (&resolution["started_at"], &resolution["due_at"]),
        (&json!("2026-06-10T14:00:00Z"), &json!("2026-06-10T15:00:00Z"))
    );
    assert_eq!(
        (&resolution["policy_id"], &clock(&moved, "first_response")["due_at"]),
        (&json!(critical), &json!("2026-06-10T14:10:00Z"))
    );
    assert_eq!(moved["promise_due_at"], desk.agent().get(&path(&ticket, "")).ok()["promise_due_at"]);
    let told = events(desk, &ticket, "clock_moved");
    let resolution = told.iter().find(|event| event["data"]["metric"] == "resolution").unwrap();
    assert_eq!((&resolution["actor"], &resolution["data"]["because"]), (&json!("agent"), &json!("priority")));
    assert_eq!(resolution["data"]["before"]["due_at"], "2026-06-10T16:00:00Z");
    assert_eq!(resolution["data"]["before"]["policy_id"], json!(usual));
    // And back.
    let back = prioritise(desk, &ticket, "normal");
    assert_eq!(clock(&back, "resolution")["due_at"], "2026-06-10T16:00:00Z");
    desk.advance(TimeDelta::hours(2));
    let broken = desk.agent().get(&path(&ticket, "")).ok();
    assert_eq!(clock(&broken, "first_response")["breached_at"], "2026-06-10T15:00:00Z");
    assert_eq!(clock(&broken, "resolution")["breached_at"], "2026-06-10T16:00:00Z");
    crate::replay::all(desk);
}

fn a_breach_stays_when_the_priority_changes(desk: &Desk) {
    policies(desk);
    let ticket = web_ticket(desk);
    prioritise(desk, &ticket, "critical");
    desk.advance(TimeDelta::minutes(11));
    let moved = prioritise(desk, &ticket, "low");
    let first = clock(&moved, "first_response");
    assert_eq!((&first["breached_at"], &first["target_seconds"]), (&json!("2026-06-10T14:10:00Z"), &json!(600)));
    assert_eq!(clock(&moved, "resolution")["due_at"], "2026-06-10T16:00:00Z", "what is not broken moves");
    let answered = desk.agent().post(&path(&ticket, "/replies"), json!({ "body": "Sorry." })).ok();
    assert_eq!(clock(&answered, "first_response")["verdict"], "breached");
}

fn a_target_that_is_over_already_is_broken_at_its_own_instant(desk: &Desk) {
    policies(desk);
    let ticket = web_ticket(desk);
    desk.advance(TimeDelta::minutes(20));
    let moved = prioritise(desk, &ticket, "critical");
    let first = clock(&moved, "first_response");
    assert_eq!((&first["verdict"], &first["breached_at"]), (&json!("breached"), &json!("2026-06-10T14:10:00Z")));
    assert_eq!(events(desk, &ticket, "clock_breached")[0]["at"], "2026-06-10T14:10:00Z");
    let list = desk.agent().get("/api/v1/tickets?promise=breached").ok();
    assert_eq!(list["items"][0]["id"], ticket["id"], "the list knows at once");
}

fn where_nothing_runs_a_new_priority_moves_nothing(desk: &Desk) {
    policies(desk);
    let ticket = web_ticket(desk);
    desk.agent().post(&path(&ticket, "/replies"), json!({ "body": "Hello." })).ok();
    desk.advance(TimeDelta::hours(3));
    let before = desk.agent().get(&path(&ticket, "")).ok();
    let after = prioritise(desk, &ticket, "critical");
    assert_eq!(clock(&after, "first_response"), clock(&before, "first_response"));
    assert_eq!(events(desk, &ticket, "clock_moved"), Vec::<Value>::new());
    // A policy that promises less takes no promise away.
    let mail = email_ticket(desk, "ana@nordwind.example");
    let targets = json!([{ "metric": "pickup", "seconds": 60, "mode": "always" }]);
    let other =
        json!({ "name": "High", "position": 1, "definition": { "match": { "priorities": ["high"] }, "targets": targets } });
    desk.admin().post("/api/v1/policies", other).is(201);
    let kept = prioritise(desk, &mail, "high");
    assert_eq!(clock(&kept, "first_response")["due_at"], clock(&mail, "first_response")["due_at"]);
}

fn a_new_team_brings_its_policy_and_its_calendar(desk: &Desk) {
    policies(desk);
    let holiday = calendar(desk, "Payments", json!({ "2026-06-10": { "name": "Founders' day", "hours": [] } }));
    let team = desk.admin().post("/api/v1/teams", json!({ "name": "Payments", "calendar_id": holiday })).id();
    let ticket = web_ticket(desk);
    desk.advance(TimeDelta::minutes(5));
    let moved = desk.agent().put(&path(&ticket, "/team"), json!({ "team_id": team })).ok();
    let resolution = clock(&moved, "resolution");
    assert_eq!(resolution["due_at"], "2026-06-11T14:00:00Z");
    assert_eq!(clock(&moved, "first_response")["due_at"], "2026-06-10T15:00:00Z", "around the clock");
    let told = &events(desk, &ticket, "clock_moved")[0]["data"];
    assert_eq!((&told["because"], &told["calendar_id"]), (&json!("team"), &json!(holiday)));
    crate::replay::all(desk);
}

fn pauses_follow_the_new_target(desk: &Desk) {
    policies(desk);
    let targets = json!([{ "metric": "resolution", "seconds": 10800, "mode": "business_hours", "pauses": false }]);
    let high =
        json!({ "name": "Web, high", "position": 3, "definition": { "match": { "priorities": ["high"] }, "targets": targets } });
    desk.admin().post("/api/v1/policies", high).is(201);
    let ticket = web_ticket(desk);
    desk.advance(TimeDelta::minutes(30));
    desk.agent().patch(&path(&ticket, ""), json!({ "status": "pending" })).ok();
    desk.advance(TimeDelta::minutes(30));
    // What stood still stays out; from now on nothing pauses.
    let runs = prioritise(desk, &ticket, "high");
    assert_eq!(
        (&clock(&runs, "resolution")["verdict"], &clock(&runs, "resolution")["due_at"]),
        (&json!("running"), &json!("2026-06-10T17:30:00Z"))
    );
    desk.advance(TimeDelta::minutes(30));
    let stands = prioritise(desk, &ticket, "normal");
    assert_eq!((&stands["status"], &clock(&stands, "resolution")["verdict"]), (&json!("pending"), &json!("paused")));
    desk.advance(TimeDelta::minutes(30));
    let back = desk.agent().patch(&path(&ticket, ""), json!({ "status": "open" })).ok();
    // Used: 30 minutes before the pause and 30 while the target did not pause.
    assert_eq!(clock(&back, "resolution")["due_at"], "2026-06-10T17:00:00Z");
    crate::replay::all(desk);
}

fn moved_clocks_are_rebuilt_from_their_events(desk: &Desk) {
    policies(desk);
    let ticket = web_ticket(desk);
    call(desk, "+4930123456", "2026-06-10T13:59:59.5Z");
    desk.advance(TimeDelta::milliseconds(250_400));
    desk.agent().patch(&path(&ticket, ""), json!({ "status": "pending" })).ok();
    desk.advance(TimeDelta::milliseconds(1_900_300));
    prioritise(desk, &ticket, "critical");
    desk.channel().post(&path(&ticket, "/messages"), json!({ "body": "Here it is." })).ok();
    desk.advance(TimeDelta::hours(1));
    prioritise(desk, &ticket, "low");
    desk.agent().post(&path(&ticket, "/replies"), json!({ "body": "Hello." })).ok();
    desk.advance(TimeDelta::hours(1));
    crate::support::given::close(desk, ticket["id"].as_str().unwrap());
    assert!(crate::replay::all(desk) >= 3);
}
