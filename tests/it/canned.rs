//! Canned replies: kept by managers, refused with wrong variables, filled in for a ticket.
use crate::support::given::{email_ticket, path};
use crate::support::{Desk, Test, tests};
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_canned_reply_is_made_changed_and_taken_away,
    a_preview_fills_every_variable_in,
    a_wrong_variable_is_refused_when_it_is_saved,
    canned_replies_are_kept_by_managers_and_read_by_agents,
    a_list_shows_a_teams_and_everyones,
];

const REPLIES: &str = "/api/v1/canned-replies";

fn at(id: &str, rest: &str) -> String {
    format!("{REPLIES}/{id}{rest}")
}

fn a_canned_reply_is_made_changed_and_taken_away(desk: &Desk) {
    let manager = desk.manager().with("Idempotency-Key", "one");
    let made = manager.post(REPLIES, json!({ "name": "Hello", "body": "Hello {{contact.name}}" }));
    assert_eq!(made.is(201).ok(), manager.post(REPLIES, json!({ "name": "Hello", "body": "Hello {{contact.name}}" })).ok());
    let id = made.id();
    assert_eq!(made.header("location"), Some(at(&id, "").as_str()));
    let team = desk.admin().post("/api/v1/teams", json!({ "name": "Payments" })).id();
    let changed = desk.manager().with("If-Match", made.etag()).patch(&at(&id, ""), json!({ "body": "Hi", "team_id": team }));
    assert_eq!(
        (&changed.ok()["name"], &changed.ok()["body"], &changed.ok()["team_id"]),
        (&json!("Hello"), &json!("Hi"), &json!(team))
    );
    desk.manager().with("If-Match", made.etag()).patch(&at(&id, ""), json!({ "body": "x" })).refused(412, "stale_version");
    desk.manager().with("If-Match", made.etag()).delete(&at(&id, "")).refused(412, "stale_version");
    assert_eq!(desk.manager().patch(&at(&id, ""), json!({ "team_id": null })).ok()["team_id"], Value::Null);
    let nobody = "00000000-0000-7000-8000-000000000000";
    assert_eq!(desk.manager().patch(&at(&id, ""), json!({ "team_id": nobody })).refuses_field("team_id"), "unknown_team");
    assert_eq!(desk.agent().get(&at(&id, "")).ok()["body"], "Hi", "nothing was written");
    desk.manager().delete(&at(&id, "")).is(204);
    desk.agent().get(&at(&id, "")).refused(404, "not_found");
}

fn a_preview_fills_every_variable_in(desk: &Desk) {
    desk.restart(|config| config.company.name = "Tide & Co".to_owned());
    let organization = desk.admin().post("/api/v1/organizations", json!({ "name": "Nordwind GmbH" })).id();
    let team = desk.admin().post("/api/v1/teams", json!({ "name": "Payments" })).id();
    let ticket = json!({
        "channel": "email", "subject": "Bill {{agent.name}}\r\nof May", "team_id": team, "organization_id": organization,
        "from": { "email": "ana@nordwind.example", "name": "Ana Castro" },
    });
    let ticket = desk.channel().post("/api/v1/tickets", ticket).ok();
    let body = "{{contact.name}}|{{organization.name}}|{{ticket.number}}|{{ticket.subject}}|{{ team.name }}|{{agent.name}}|{{company.name}}|\\{{x}}";
    let id = desk.manager().post(REPLIES, json!({ "name": "All", "body": body })).id();
    let preview = |ticket: &Value| desk.agent().post(&at(&id, "/preview"), json!({ "ticket_id": ticket["id"] }));
    let name = desk.agent().get("/api/v1/agents/me").ok()["name"].as_str().unwrap().to_owned();
    let number = &ticket["number"];
    let text = format!("Ana Castro|Nordwind GmbH|{number}|Bill {{{{agent.name}}}} of May|Payments|{name}|Tide & Co|{{{{x}}}}");
    assert_eq!(preview(&ticket).ok()["text"], json!(text), "what is filled in is not looked through again");
    let bare = email_ticket(desk, "ben@nordwind.example");
    assert!(
        preview(&bare).ok()["text"].as_str().unwrap().starts_with("Ana Castro||2|Domain transfer is stuck||"),
        "{}",
        preview(&bare).text
    );
    let nowhere = json!({ "ticket_id": "00000000-0000-7000-8000-000000000000" });
    assert_eq!(desk.agent().post(&at(&id, "/preview"), nowhere).refuses_field("ticket_id"), "unknown_ticket");
    desk.agent()
        .post(&at("00000000-0000-7000-8000-000000000000", "/preview"), json!({ "ticket_id": ticket["id"] }))
        .refused(404, "not_found");
    assert_eq!(desk.agent().get(&path(&ticket, "")).ok()["messages"], json!([]), "nothing was written");
}

fn a_wrong_variable_is_refused_when_it_is_saved(desk: &Desk) {
    for (body, code) in [("{{contact.nmae}}", "unknown_variable"), ("{{contact.name", "unclosed_variable"), ("", "length")] {
        assert_eq!(desk.manager().post(REPLIES, json!({ "name": "x", "body": body })).refuses_field("body"), code, "{body}");
    }
    let id = desk.manager().post(REPLIES, json!({ "name": "x", "body": "{{contact.name}}" })).id();
    assert_eq!(desk.manager().patch(&at(&id, ""), json!({ "body": "{{x}}" })).refuses_field("body"), "unknown_variable");
    assert_eq!(desk.agent().get(REPLIES).ok()["items"].as_array().map(Vec::len), Some(1));
}

fn canned_replies_are_kept_by_managers_and_read_by_agents(desk: &Desk) {
    let reply = json!({ "name": "x", "body": "y" });
    desk.agent().post(REPLIES, &reply).refused(403, "missing_right");
    let id = desk.manager().post(REPLIES, &reply).id();
    desk.agent().get(&at(&id, "")).ok();
    desk.agent().patch(&at(&id, ""), json!({ "name": "z" })).refused(403, "missing_right");
    desk.agent().delete(&at(&id, "")).refused(403, "missing_right");
    desk.channel().get(REPLIES).refused(403, "missing_right");
}

fn a_list_shows_a_teams_and_everyones(desk: &Desk) {
    let teams: Vec<String> =
        ["Payments", "Compliance"].iter().map(|name| desk.admin().post("/api/v1/teams", json!({ "name": name })).id()).collect();
    for (name, team) in [("a", None), ("b", Some(&teams[0])), ("c", Some(&teams[1])), ("d", None)] {
        desk.manager().post(REPLIES, json!({ "name": name, "body": "x", "team_id": team })).ok();
    }
    let names = |query: &str| -> String {
        let (mut names, mut next) = (String::new(), Value::Null);
        loop {
            let cursor = next.as_str().map_or(String::new(), |cursor| format!("&cursor={cursor}"));
            let page = desk.agent().get(&format!("{REPLIES}?limit=2&{query}{cursor}")).ok();
            names.extend(page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()));
            next = page["next_cursor"].clone();
            if next.is_null() {
                return names;
            }
        }
    };
    assert_eq!(names(""), "abcd");
    assert_eq!(names(&format!("team_id={}", teams[0])), "abd");
}
