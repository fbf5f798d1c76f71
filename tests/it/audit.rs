//! The audit: every administrative change is one event with who, what, when, before and after, and never a secret.
use crate::support::{Desk, Test, tests};
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    every_kind_of_change_is_written_with_who_did_it,
    only_what_differs_is_kept_and_nothing_where_nothing_changed,
    a_refused_change_leaves_no_trace,
    no_secret_is_ever_among_it,
    the_list_is_filtered_and_paged,
    the_history_of_a_ticket_is_another_list,
];

#[track_caller]
fn audit(desk: &Desk, query: &str) -> Vec<Value> {
    desk.admin().get(&format!("/api/v1/audit{query}")).ok()["items"].as_array().unwrap().clone()
}

#[track_caller]
fn newest(desk: &Desk) -> Value {
    audit(desk, "?limit=1").into_iter().next().expect("a change")
}

fn is(change: &Value, kind: &str, object: &str, id: &str) {
    assert_eq!(
        (&change["kind"], &change["object"], &change["object_id"]),
        (&json!(kind), &json!(object), &json!(id)),
        "{change}"
    );
}

fn every_kind_of_change_is_written_with_who_did_it(desk: &Desk) {
    let admin = desk.admin();
    let id = desk.agent().post("/api/v1/organizations", json!({ "name": "Nordwind", "account": "R-1" })).id();
    let change = newest(desk);
    is(&change, "created", "organization", &id);
    assert_eq!(change["actor_id"], json!(desk.people.agent.id), "{change}");
    assert_eq!((&change["actor"], &change["actor_name"]), (&json!("agent"), &json!("Amir Agent")));
    assert_eq!((&change["before"], &change["after"]), (&Value::Null, &json!({ "name": "Nordwind", "account": "R-1" })));

    desk.import().patch(&format!("/api/v1/organizations/{id}"), json!({ "account": null })).ok();
    let change = newest(desk);
    is(&change, "changed", "organization", &id);
    assert_eq!(change["actor"], "machine");
    assert_eq!((&change["before"], &change["after"]), (&json!({ "account": "R-1" }), &json!({ "account": null })));

    let id = admin.post("/api/v1/contacts", json!({ "name": "Ana", "emails": ["ana@nordwind.example"] })).id();
    is(&newest(desk), "created", "contact", &id);
    admin.patch(&format!("/api/v1/contacts/{id}"), json!({ "emails": ["a@nordwind.example"] })).ok();
    let change = newest(desk);
    is(&change, "changed", "contact", &id);
    assert_eq!(change["before"]["emails"], json!(["ana@nordwind.example"]));

    let id = admin.post("/api/v1/agents", json!({ "name": "New", "email": "new@desk.example", "role": "agent" })).id();
    is(&newest(desk), "created", "agent", &id);
    admin.patch(&format!("/api/v1/agents/{id}"), json!({ "role": "manager", "disabled": true })).ok();
    let change = newest(desk);
    is(&change, "changed", "agent", &id);
    assert_eq!(change["after"], json!({ "role": "manager", "disabled": true }));

    let id = admin.post("/api/v1/teams", json!({ "name": "Payments" })).id();
    is(&newest(desk), "created", "team", &id);
    admin.patch(&format!("/api/v1/teams/{id}"), json!({ "members": [desk.people.agent.id] })).ok();
    assert_eq!(newest(desk)["before"], json!({ "members": [] }));

    let hours = |close: &str| json!({ "time_zone": "UTC", "weekly": { "mon": [{ "open": "08:00", "close": close }] } });
    let calendar = |close: &str| json!({ "name": "Short", "definition": hours(close) });
    let id = admin.post("/api/v1/calendars", calendar("10:00")).id();
    is(&newest(desk), "created", "calendar", &id);
    admin.put(&format!("/api/v1/calendars/{id}"), calendar("11:00")).ok();
    is(&newest(desk), "changed", "calendar", &id);
    admin.put(&format!("/api/v1/calendars/{id}/exceptions/2026-12-25"), json!({ "name": "Christmas" })).ok();
    let change = newest(desk);
    is(&change, "changed", "calendar", &id);
    assert!(change["after"]["definition"]["exceptions"]["2026-12-25"].is_object(), "{change}");
    admin.delete(&format!("/api/v1/calendars/{id}/exceptions/2026-12-25")).ok();
    assert!(newest(desk)["before"]["definition"]["exceptions"]["2026-12-25"].is_object());
    admin.delete(&format!("/api/v1/calendars/{id}")).is(204);
    let change = newest(desk);
    is(&change, "removed", "calendar", &id);
    assert_eq!((&change["before"]["name"], &change["after"]), (&json!("Short"), &Value::Null));

    let target = json!({ "metric": "resolution", "seconds": 60, "mode": "always", "warn_percent": 75 });
    let policy =
        |position: i32| json!({ "name": "All", "position": position, "definition": { "match": {}, "targets": [target] } });
    let id = admin.post("/api/v1/policies", policy(1)).id();
    is(&newest(desk), "created", "policy", &id);
    admin.put(&format!("/api/v1/policies/{id}"), policy(2)).ok();
    assert_eq!(newest(desk)["after"], json!({ "position": 2 }));
    admin.delete(&format!("/api/v1/policies/{id}")).is(204);
    is(&newest(desk), "removed", "policy", &id);

    let id = admin.post("/api/v1/fields", json!({ "key": "vip", "label": "VIP", "type": "boolean" })).id();
    is(&newest(desk), "created", "field", &id);
    admin.patch(&format!("/api/v1/fields/{id}"), json!({ "label": "Very important" })).ok();
    assert_eq!(newest(desk)["before"], json!({ "label": "VIP" }));

    let id = admin.post("/api/v1/canned-replies", json!({ "name": "Hello", "body": "Hello." })).id();
    is(&newest(desk), "created", "canned_reply", &id);
    admin.patch(&format!("/api/v1/canned-replies/{id}"), json!({ "body": "Hi." })).ok();
    assert_eq!(newest(desk)["after"], json!({ "body": "Hi." }));
    admin.delete(&format!("/api/v1/canned-replies/{id}")).is(204);
    is(&newest(desk), "removed", "canned_reply", &id);

    let id = admin.post("/api/v1/causes", json!({ "name": "billing" })).id();
    is(&newest(desk), "created", "cause", &id);
    admin.delete(&format!("/api/v1/causes/{id}")).is(204);
    assert_eq!(newest(desk)["after"], json!({ "is_retired": true }));

    let phone = format!("/api/v1/agents/{}/phone", desk.people.agent.id);
    admin.put(&phone, json!({ "number": "+14165550100" })).ok();
    is(&newest(desk), "changed", "agent", &desk.people.agent.id);
    admin.delete(&phone).is(204);
    assert_eq!(newest(desk)["before"], json!({ "phone": "+14165550100" }));
}

fn only_what_differs_is_kept_and_nothing_where_nothing_changed(desk: &Desk) {
    let id = desk.admin().post("/api/v1/teams", json!({ "name": "Payments" })).id();
    let before = audit(desk, "").len();
    desk.admin().patch(&format!("/api/v1/teams/{id}"), json!({ "name": "Payments" })).ok();
    assert_eq!(audit(desk, "").len(), before, "it is called what it was called");
}

fn a_refused_change_leaves_no_trace(desk: &Desk) {
    let team = json!({ "name": "Payments" });
    let id = desk.admin().post("/api/v1/teams", &team).id();
    let before = audit(desk, "").len();
    desk.admin().post("/api/v1/teams", &team).is(409);
    desk.admin().with("If-Match", "\"7\"").patch(&format!("/api/v1/teams/{id}"), json!({ "name": "P" })).is(412);
    desk.agent().patch(&format!("/api/v1/teams/{id}"), json!({ "name": "P" })).is(403);
    assert_eq!(audit(desk, "").len(), before);
    desk.manager().get("/api/v1/audit").refused(403, "missing_right");
}

fn no_secret_is_ever_among_it(desk: &Desk) {
    let made = desk.admin().post("/api/v1/tokens", json!({ "name": "Phone", "scopes": ["channel"] })).ok();
    let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    let change = newest(desk);
    is(&change, "created", "token", id);
    assert_eq!(change["after"]["scopes"], json!(["channel"]));
    assert!(!desk.admin().get("/api/v1/audit").text.contains(secret));
    desk.admin().delete(&format!("/api/v1/tokens/{id}")).is(204);
    is(&newest(desk), "changed", "token", id);
    let count = audit(desk, "").len();
    desk.admin().delete(&format!("/api/v1/tokens/{id}")).is(204);
    assert_eq!(audit(desk, "").len(), count, "it was revoked before");
}

fn the_list_is_filtered_and_paged(desk: &Desk) {
    let mut ids = Vec::new();
    for name in ["A", "B", "C"] {
        ids.push(desk.admin().post("/api/v1/teams", json!({ "name": name })).id());
        desk.advance(chrono::TimeDelta::minutes(1));
    }
    desk.agent().post("/api/v1/organizations", json!({ "name": "Nordwind" })).ok();
    desk.admin().patch(&format!("/api/v1/teams/{}", ids[0]), json!({ "name": "Z" })).ok();
    let names = |query: &str| -> Vec<String> {
        audit(desk, query).iter().map(|change| change["after"]["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("?object=team"), ["Z", "C", "B", "A"]);
    assert_eq!(names(&format!("?object_id={}", ids[0])), ["Z", "A"]);
    assert_eq!(names("?object=team&kind=changed"), ["Z"]);
    assert_eq!(names(&format!("?actor_id={}", desk.people.agent.id)), ["Nordwind"]);
    assert_eq!(names("?object=team&from=2026-06-10T14:01:00Z&to=2026-06-10T14:02:00Z"), ["B"]);
    let first = desk.admin().get("/api/v1/audit?object=team&limit=3").ok();
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(names(&format!("?object=team&limit=3&cursor={cursor}")), ["A"]);
    desk.admin().get("/api/v1/audit?kind=ticket_closed").refuses_field("kind");
    desk.admin().get("/api/v1/audit?who=me").refuses_field("who");
    desk.admin().get("/api/v1/audit?cursor=x").refuses_field("cursor");
}

fn the_history_of_a_ticket_is_another_list(desk: &Desk) {
    let before = audit(desk, "").len();
    let ticket = crate::support::given::email_ticket(desk, "ana@nordwind.example");
    crate::support::given::close(desk, ticket["id"].as_str().unwrap());
    assert_eq!(audit(desk, "").len(), before);
}
