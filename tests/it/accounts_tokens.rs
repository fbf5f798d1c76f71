//! Tokens over HTTP: shown once, and out at once.
use crate::accounts::{AGENTS, TEAMS, TOKENS, field, items};
use crate::support::{Desk, Test, tests};
use chrono::TimeDelta;
use deskbell::ids::TicketId;
use deskbell::timetable;
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_token_shows_its_secret_once,
    a_token_can_do_no_more_than_its_agent,
    a_disabled_agent_is_out_at_once_and_in_again,
    a_revoked_token_is_out_at_once,
    an_expired_token_is_out_at_its_instant,
    a_lower_role_lowers_the_token,
    the_last_use_of_a_token_is_written_down,
];

fn a_token_shows_its_secret_once(desk: &Desk) {
    let admin = desk.admin();
    let new = json!({ "name": "Phone system", "scopes": ["channel"], "expires_at": "2026-07-01T00:00:00Z" });
    let client = admin.with("Idempotency-Key", "k");
    let made = client.post(TOKENS, &new).ok();
    let secret = made["secret"].as_str().unwrap();
    desk.client(secret).post("/api/v1/tickets", json!({})).refused(422, "invalid_input");
    let again = client.post(TOKENS, &new);
    assert_eq!((again.status, &again.json["secret"], &again.json["id"]), (201, &Value::Null, &made["id"]));
    assert_eq!((&made["expires_at"], &made["scopes"]), (&json!("2026-07-01T00:00:00Z"), &json!(["channel"])));

    let list = admin.get(&format!("{TOKENS}?limit=100"));
    let people = &desk.people;
    for person in [&people.admin, &people.manager, &people.agent, &people.other_agent, &people.channel, &people.import] {
        assert!(!list.text.contains(&person.secret), "a secret is in the list");
    }
    assert!(!list.text.contains(secret) && !list.text.contains("secret"), "{}", list.text);
    let own = items(&admin, &format!("{TOKENS}?agent_id={}", people.agent.id));
    assert_eq!(field(&own, "name"), ["Amir Agent"]);
}

fn a_token_can_do_no_more_than_its_agent(desk: &Desk) {
    let admin = desk.admin();
    let with = |agent: Value, scopes: Value| admin.post(TOKENS, json!({ "agent_id": agent, "name": "New", "scopes": scopes }));
    let (agent, manager) = (json!(desk.people.agent.id), json!(desk.people.manager.id));
    let count = items(&admin, TOKENS).len();
    assert_eq!(with(agent.clone(), json!(["agent", "manager"])).refuses_field("scopes"), "beyond_role");
    assert_eq!(with(manager.clone(), json!(["admin"])).refuses_field("scopes"), "beyond_role");
    assert_eq!(with(agent, json!(["channel"])).refuses_field("scopes"), "beyond_role");
    assert_eq!(with(Value::Null, json!(["agent"])).refuses_field("scopes"), "needs_agent");
    assert_eq!(with(json!(TicketId::new()), json!(["agent"])).refuses_field("agent_id"), "unknown_agent");
    with(Value::Null, json!([])).refuses_field("scopes");
    let past = json!({ "name": "New", "scopes": ["channel"], "expires_at": desk.now() });
    assert_eq!(admin.post(TOKENS, past).refuses_field("expires_at"), "past");
    assert_eq!(items(&admin, TOKENS).len(), count, "nothing was written");
    with(manager, json!(["agent", "manager"])).is(201);
}

fn a_disabled_agent_is_out_at_once_and_in_again(desk: &Desk) {
    let path = format!("{AGENTS}/{}", desk.people.agent.id);
    desk.agent().get(TEAMS).ok();
    desk.admin().patch(&path, json!({ "disabled": true })).ok();
    desk.agent().get(TEAMS).refused(401, "unauthorized");
    let token = json!({ "agent_id": desk.people.agent.id, "name": "New", "scopes": ["agent"] });
    assert_eq!(desk.admin().post(TOKENS, token).refuses_field("agent_id"), "unknown_agent");
    desk.other_agent().get(TEAMS).ok();
    desk.admin().patch(&path, json!({ "disabled": false })).ok();
    desk.agent().get(TEAMS).ok();
}

fn a_revoked_token_is_out_at_once(desk: &Desk) {
    let admin = desk.admin();
    desk.channel().post("/api/v1/tickets", json!({})).refused(422, "invalid_input");
    let token = items(&admin, TOKENS).into_iter().find(|token| token["name"] == "Phone system").unwrap();
    let path = format!("{TOKENS}/{}", token["id"].as_str().unwrap());
    admin.delete(&path).is(204);
    desk.channel().post("/api/v1/tickets", json!({})).refused(401, "unauthorized");
    desk.import().post("/api/v1/tickets", json!({})).refused(422, "invalid_input");
    let revoked = || items(&admin, TOKENS).into_iter().find(|item| item["id"] == token["id"]).unwrap();
    let before = revoked();
    assert_eq!(before["revoked_at"], "2026-06-10T14:00:00Z");
    desk.advance(TimeDelta::hours(1));
    admin.delete(&path).is(204);
    assert_eq!(revoked(), before, "it was revoked then, not now");
}

fn an_expired_token_is_out_at_its_instant(desk: &Desk) {
    let expires_at = desk.now() + TimeDelta::hours(1);
    let token = json!({ "name": "Visitor", "scopes": ["channel"], "expires_at": expires_at });
    let secret = desk.admin().post(TOKENS, token).ok()["secret"].as_str().unwrap().to_owned();
    let ask = || desk.client(&secret).post("/api/v1/tickets", json!({}));
    desk.set_time(expires_at - TimeDelta::microseconds(1));
    ask().refused(422, "invalid_input");
    desk.set_time(expires_at);
    ask().refused(401, "unauthorized");
}

fn a_lower_role_lowers_the_token(desk: &Desk) {
    let id = &desk.people.manager.id;
    let token = json!({ "agent_id": id, "name": "Both", "scopes": ["agent", "manager"] });
    let both = desk.admin().post(TOKENS, token).ok()["secret"].as_str().unwrap().to_owned();
    let reports = "/api/v1/reports/sla";
    desk.manager().get(reports).ok();
    desk.client(&both).get(reports).ok();
    desk.admin().patch(&format!("{AGENTS}/{id}"), json!({ "role": "agent" })).ok();
    desk.manager().get(reports).refused(403, "missing_right");
    desk.manager().get(TEAMS).refused(403, "missing_right");
    desk.client(&both).get(reports).refused(403, "missing_right");
    desk.client(&both).get(TEAMS).ok();
    desk.admin().patch(&format!("{AGENTS}/{id}"), json!({ "role": "manager" })).ok();
    desk.manager().get(reports).ok();
}

fn the_last_use_of_a_token_is_written_down(desk: &Desk) {
    let note = || {
        let app = desk.app();
        actix_web::rt::System::new().block_on(async move { timetable::note_token_uses(&app).await }).unwrap();
    };
    let used = |name: &str| {
        let tokens = items(&desk.admin(), TOKENS);
        tokens.iter().find(|token| token["name"] == name).unwrap()["last_used_at"].clone()
    };
    assert_eq!(used("Amir Agent"), Value::Null);
    desk.advance(TimeDelta::minutes(5));
    desk.agent().get(TEAMS).ok();
    desk.advance(TimeDelta::minutes(1));
    note();
    assert_eq!(used("Amir Agent"), "2026-06-10T14:05:00Z");
    assert_eq!(used("Olga Other"), Value::Null);
    desk.agent().get("/api/v1/nothing").refused(404, "not_found");
    note();
    assert_eq!(used("Amir Agent"), "2026-06-10T14:06:00Z", "also one that found nothing");
}
