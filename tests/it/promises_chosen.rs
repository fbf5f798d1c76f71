//! Policies that are made or removed, and calendars that are chosen instead of others: running promises follow.
use crate::promises_moved::{calendar, clock, definition, events, policies, web_ticket};
use crate::support::given::{email_ticket, path};
use crate::support::{Desk, Test, tests};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_new_policy_takes_over_what_comes_under_it,
    a_removed_policy_moves_nothing_because_nothing_ran_under_it,
    another_default_calendar_moves_what_counts_by_the_default,
    another_calendar_of_a_team_moves_its_promises,
];

fn now(desk: &Desk, ticket: &Value) -> Value {
    desk.agent().get(&path(ticket, "")).ok()
}

fn closed_today() -> Value {
    json!({ "2026-06-10": { "name": "Founders' day", "hours": [] } })
}

fn strict(seconds: i64, is_active: bool) -> Value {
    let targets = json!([
        { "metric": "resolution", "seconds": seconds, "mode": "business_hours" },
        { "metric": "first_response", "seconds": 600, "mode": "always" },
    ]);
    json!({
        "name": format!("Strict {seconds}"), "position": 1, "is_active": is_active,
        "definition": { "match": { "channels": ["web"] }, "targets": targets },
    })
}

fn a_new_policy_takes_over_what_comes_under_it(desk: &Desk) {
    policies(desk);
    let (ticket, mail) = (web_ticket(desk), email_ticket(desk, "bo@nordwind.example"));
    desk.advance(TimeDelta::minutes(20));
    desk.admin().post("/api/v1/policies", strict(1800, false)).is(201);
    desk.settle();
    assert_eq!(events(desk, &ticket, "clock_moved"), Vec::<Value>::new(), "a policy that is not in force moves nothing");
    let made = desk.admin().post("/api/v1/policies", strict(5400, true)).id();
    assert_eq!(clock(&now(desk, &ticket), "resolution")["due_at"], "2026-06-10T16:00:00Z", "the job has not run");
    desk.settle();
    let moved = now(desk, &ticket);
    let resolution = clock(&moved, "resolution");
    assert_eq!((&resolution["due_at"], &resolution["policy_id"]), (&json!("2026-06-10T15:30:00Z"), &json!(made)));
    assert_eq!(clock(&moved, "first_response")["breached_at"], "2026-06-10T14:10:00Z", "over already, at its own instant");
    let told = events(desk, &ticket, "clock_moved");
    assert_eq!((&told[0]["data"]["because"], &told[0]["data"]["how"]), (&json!("policy"), &json!("from_start")));
    assert_eq!(events(desk, &mail, "clock_moved"), Vec::<Value>::new());
    crate::replay::all(desk);
}

fn a_removed_policy_moves_nothing_because_nothing_ran_under_it(desk: &Desk) {
    policies(desk);
    let ticket = web_ticket(desk);
    let unused = desk.admin().post("/api/v1/policies", strict(1800, false)).id();
    let used = desk.admin().post("/api/v1/policies", strict(5400, true)).id();
    desk.settle();
    let before = now(desk, &ticket);
    desk.admin().delete(&format!("/api/v1/policies/{used}")).refused(409, "in_use");
    desk.admin().delete(&format!("/api/v1/policies/{unused}")).is(204);
    desk.settle();
    assert_eq!(now(desk, &ticket), before);
    // What takes a policy out of force is an edit, and that is followed.
    desk.admin().put(&format!("/api/v1/policies/{used}"), strict(5400, false)).ok();
    desk.settle();
    assert_eq!(clock(&now(desk, &ticket), "resolution")["due_at"], "2026-06-10T16:00:00Z", "back under the policy before");
    crate::replay::all(desk);
}

fn another_default_calendar_moves_what_counts_by_the_default(desk: &Desk) {
    policies(desk);
    let own = calendar(desk, "Own hours", json!({}));
    let team = desk.admin().post("/api/v1/teams", json!({ "name": "Payments", "calendar_id": own })).id();
    let (ticket, elsewhere) = (web_ticket(desk), web_ticket(desk));
    desk.agent().put(&path(&elsewhere, "/team"), json!({ "team_id": team })).ok();
    desk.advance(TimeDelta::minutes(30));
    let other = calendar(desk, "Holidays", closed_today());
    desk.settle();
    let chosen = json!({ "name": "Holidays", "is_default": true, "definition": definition(closed_today()) });
    let before = (now(desk, &ticket), now(desk, &elsewhere));
    let plan = desk.admin().put(&format!("/api/v1/calendars/{other}?dry_run=true"), &chosen).ok();
    assert_eq!((&plan["tickets"], &plan["clocks"]), (&json!(1), &json!(1)), "{plan}");
    assert_eq!(plan["items"][0]["due_after"], "2026-06-11T14:00:00Z");
    assert_eq!((now(desk, &ticket), now(desk, &elsewhere)), before, "nothing was written");
    desk.admin().put(&format!("/api/v1/calendars/{other}"), &chosen).ok();
    desk.settle();
    let moved = now(desk, &ticket);
    let resolution = clock(&moved, "resolution");
    assert_eq!(resolution["due_at"], plan["items"][0]["due_after"]);
    assert_eq!(clock(&moved, "first_response")["due_at"], "2026-06-10T15:00:00Z", "around the clock");
    let told = &events(desk, &ticket, "clock_moved")[0]["data"];
    assert_eq!((&told["because"], &told["how"]), (&json!("calendar"), &json!("from_start")));
    assert_eq!(clock(&now(desk, &elsewhere), "resolution")["due_at"], "2026-06-10T16:00:00Z", "a team's own hours stay");
    let whole = desk.agent().get(&path(&ticket, "/sla")).ok().to_string();
    assert!(whole.contains("exception"), "{whole}");
    // A new one that is the default from the start.
    let new = json!({ "name": "Again", "is_default": true, "definition": definition(json!({})) });
    desk.admin().post("/api/v1/calendars", new).is(201);
    desk.settle();
    assert_eq!(clock(&now(desk, &ticket), "resolution")["due_at"], "2026-06-10T16:00:00Z", "from the original start");
    crate::replay::all(desk);
}

fn another_calendar_of_a_team_moves_its_promises(desk: &Desk) {
    policies(desk);
    let team = desk.admin().post("/api/v1/teams", json!({ "name": "Payments" })).id();
    let (ticket, other) = (web_ticket(desk), web_ticket(desk));
    desk.agent().put(&path(&ticket, "/team"), json!({ "team_id": team })).ok();
    let holidays = calendar(desk, "Holidays", closed_today());
    desk.admin().patch(&format!("/api/v1/teams/{team}"), json!({ "calendar_id": holidays })).ok();
    desk.settle();
    assert_eq!(clock(&now(desk, &ticket), "resolution")["due_at"], "2026-06-11T14:00:00Z");
    assert_eq!(clock(&now(desk, &other), "resolution")["due_at"], "2026-06-10T16:00:00Z");
    desk.admin().patch(&format!("/api/v1/teams/{team}"), json!({ "calendar_id": null })).ok();
    desk.settle();
    assert_eq!(clock(&now(desk, &ticket), "resolution")["due_at"], "2026-06-10T16:00:00Z", "the default hours again");
    crate::replay::all(desk);
}
