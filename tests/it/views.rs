//! Saved views: who sees which, what they find, and that they take the same filters as the list.
use crate::support::given::{close, email_ticket, path};
use crate::support::{Desk, Test, tests};
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_view_lists_the_same_tickets_as_its_filter,
    a_view_is_changed_and_taken_away_by_whom_it_belongs_to,
    a_view_is_seen_by_those_it_is_for,
    a_wrong_filter_is_refused_when_it_is_saved,
];

const VIEWS: &str = "/api/v1/views";

fn at(view: &Value, rest: &str) -> String {
    format!("{VIEWS}/{}{rest}", view["id"].as_str().unwrap())
}

fn a_view_lists_the_same_tickets_as_its_filter(desk: &Desk) {
    let tickets: Vec<Value> = (0..5).map(|number| email_ticket(desk, &format!("c{number}@nordwind.example"))).collect();
    for ticket in &tickets[..4] {
        desk.agent().patch(&path(ticket, ""), json!({ "tags": ["late"], "priority": "high" })).ok();
    }
    close(desk, tickets[0]["id"].as_str().unwrap());
    let filter =
        json!({ "active": true, "tag": "late", "priority": "high", "channel": "email", "sort": "received", "status": null });
    let view = desk.agent().post(VIEWS, json!({ "name": "Late", "audience": "own", "filter": filter })).ok();
    assert_eq!(
        view["filter"],
        json!({ "active": true, "tag": "late", "priority": "high", "channel": "email", "sort": "received" })
    );
    let same = "active=true&tag=late&priority=high&channel=email&sort=received";
    let listed = desk.agent().get(&format!("/api/v1/tickets?{same}")).ok();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(3));
    assert_eq!(desk.agent().get(&at(&view, "/tickets")).ok(), listed);
    let first = desk.agent().get(&at(&view, "/tickets?limit=2"));
    assert_eq!(first.ok()["items"], json!(listed["items"].as_array().unwrap()[..2]));
    let next = first.header("link").unwrap().split(['<', '>']).nth(1).unwrap().to_owned();
    assert!(next.starts_with(&at(&view, "/tickets?")), "{next}");
    assert_eq!(desk.agent().get(&next).ok()["items"], json!(listed["items"].as_array().unwrap()[2..]));
    desk.agent().get(&at(&view, "/tickets?status=open")).refuses_field("status");
    let one = desk
        .agent()
        .post(
            VIEWS,
            json!({ "name": "One", "audience": "own", "filter": { "number": tickets[1]["number"], "unassigned": true } }),
        )
        .ok();
    assert_eq!(desk.agent().get(&at(&one, "/tickets")).ok()["items"][0]["id"], tickets[1]["id"]);
    let all = desk.agent().post(VIEWS, json!({ "name": "All", "audience": "own", "filter": {} })).ok();
    assert_eq!(desk.agent().get(&at(&all, "/tickets")).ok()["items"].as_array().map(Vec::len), Some(5));
}

fn a_view_is_changed_and_taken_away_by_whom_it_belongs_to(desk: &Desk) {
    let made = desk.agent().post(VIEWS, json!({ "name": "Mine", "audience": "own", "filter": { "status": "open" } }));
    let view = made.is(201).ok();
    let changed = desk
        .agent()
        .with("If-Match", made.etag())
        .patch(&at(&view, ""), json!({ "name": "Ours", "filter": { "tag": "x" } }))
        .ok();
    assert_eq!((&changed["name"], &changed["filter"], &changed["version"]), (&json!("Ours"), &json!({ "tag": "x" }), &json!(2)));
    desk.agent().with("If-Match", made.etag()).patch(&at(&view, ""), json!({ "name": "x" })).refused(412, "stale_version");
    desk.agent().patch(&at(&view, ""), json!({ "audience": "everyone" })).refused(403, "not_your_view");
    assert_eq!(desk.agent().patch(&at(&view, ""), json!({ "audience": "team" })).refuses_field("team_id"), "one_of");
    assert_eq!(desk.agent().get(&at(&view, "")).ok(), changed, "nothing was written");
    desk.other_agent().delete(&at(&view, "")).refused(404, "not_found");
    desk.agent().delete(&at(&view, "")).is(204);
    desk.agent().get(&at(&view, "")).refused(404, "not_found");
}

fn a_view_is_seen_by_those_it_is_for(desk: &Desk) {
    let team = desk.admin().post("/api/v1/teams", json!({ "name": "Payments", "members": [desk.people.agent.id] })).id();
    let view = |name: &str, audience: &str, team: Option<&str>| json!({ "name": name, "audience": audience, "team_id": team, "filter": {} });
    desk.other_agent().post(VIEWS, view("x", "team", Some(&team))).refused(403, "not_your_view");
    desk.agent().post(VIEWS, view("x", "everyone", None)).refused(403, "not_your_view");
    assert_eq!(desk.agent().post(VIEWS, view("x", "own", Some(&team))).refuses_field("team_id"), "one_of");
    let own = desk.agent().post(VIEWS, view("own", "own", None)).ok();
    let teams = desk.agent().post(VIEWS, view("team", "team", Some(&team))).ok();
    let all = desk.manager().post(VIEWS, view("all", "everyone", None)).ok();
    let names =
        |answer: Value| -> Vec<Value> { answer["items"].as_array().unwrap().iter().map(|item| item["name"].clone()).collect() };
    assert_eq!(names(desk.agent().get(VIEWS).ok()), ["own", "team", "all"]);
    assert_eq!(names(desk.other_agent().get(VIEWS).ok()), ["all"]);
    assert_eq!(names(desk.manager().get(VIEWS).ok()), ["team", "all"]);
    desk.other_agent().get(&at(&own, "/tickets")).refused(404, "not_found");
    desk.other_agent().get(&at(&teams, "")).refused(404, "not_found");
    desk.admin().get(&at(&own, "")).refused(404, "not_found");
    desk.other_agent().get(&at(&all, "/tickets")).ok();
    desk.other_agent().patch(&at(&all, ""), json!({ "name": "x" })).refused(403, "not_your_view");
    desk.manager().patch(&at(&teams, ""), json!({ "name": "Payments" })).ok();
}

fn a_wrong_filter_is_refused_when_it_is_saved(desk: &Desk) {
    let save = |filter: Value| desk.agent().post(VIEWS, json!({ "name": "x", "audience": "own", "filter": filter }));
    save(json!({ "colour": "red" })).refused(422, "invalid_input");
    save(json!({ "status": "lost" })).refuses_field("filter.status");
    save(json!({ "active": "true" })).refuses_field("filter.active");
    save(json!({ "tag": "x".repeat(51) })).refuses_field("filter.tag");
    save(json!({ "limit": 5 })).refuses_field("filter.limit");
    save(json!({ "cursor": "x" })).refuses_field("filter.cursor");
    save(json!("status=open")).refused(422, "invalid_input");
    assert_eq!(desk.agent().get(VIEWS).ok()["items"], json!([]));
}
