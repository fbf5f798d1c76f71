//! Alerts: who is told of a warning or a breach, when, and until when.
use crate::promises_moved::{events, policies, web_ticket};
use crate::support::desk::at;
use crate::support::given::{call, close, email_ticket, path};
use crate::support::{Desk, Test, tests};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    an_alert_climbs_from_the_assignee_to_the_managers_until_it_is_acknowledged,
    a_critical_ticket_is_heard_at_night,
    pickups_are_listed_and_not_mailed,
    what_climbs_together_is_one_letter_a_person,
    a_closed_ticket_calls_nobody,
    a_promise_that_moved_away_from_its_end_calls_nobody,
    alerts_are_filtered_and_wrong_requests_refused,
    without_metrics_to_mail_nobody_gets_a_letter,
    a_letter_that_is_given_up_is_seen_and_released,
];

const AGENT: &str = "amir.agent@desk.test";
const OTHER: &str = "olga.other@desk.test";
const MANAGER: &str = "mary.manager@desk.test";

fn open(desk: &Desk) -> Vec<Value> {
    desk.agent().get("/api/v1/alerts").ok()["items"].as_array().unwrap().clone()
}

/// How many letters each of the three got with this beginning of their subjects.
fn letters(desk: &Desk, subject: &str) -> [usize; 3] {
    [AGENT, OTHER, MANAGER].map(|to| desk.mails_to(to).iter().filter(|mail| mail.subject.starts_with(subject)).count())
}

fn an_alert_climbs_from_the_assignee_to_the_managers_until_it_is_acknowledged(desk: &Desk) {
    let team = json!({ "name": "Payments", "members": [desk.people.other_agent.id] });
    let team = desk.admin().post("/api/v1/teams", team).id();
    let ticket = email_ticket(desk, "ana@nordwind.example");
    desk.agent().put(&path(&ticket, "/team"), json!({ "team_id": team })).ok();
    desk.agent().put(&path(&ticket, "/assignee"), json!({ "agent_id": desk.people.agent.id })).ok();
    // The warning falls due at four in the morning in Toronto, and is heard at eight.
    desk.set_time(at("2026-06-11T11:59:00Z"));
    let warning = &open(desk)[0];
    assert_eq!((&warning["level"], &warning["raised_at"]), (&json!("warning"), &json!("2026-06-11T08:00:00Z")));
    assert_eq!((&warning["told_at"], &warning["next_at"]), (&Value::Null, &json!("2026-06-11T12:00:00Z")));
    assert_eq!(letters(desk, ""), [0, 0, 0]);
    desk.set_time(at("2026-06-11T12:00:30Z"));
    assert_eq!(letters(desk, "Promise at risk: first response"), [1, 0, 0]);
    let letter = desk.mail_to(AGENT);
    assert!(
        letter.text.contains("is due on 11 June 2026, 14:00:00 UTC") && letter.text.contains("Domain transfer is stuck"),
        "{}",
        letter.text
    );
    assert_eq!(letter.header("auto-submitted"), "auto-generated");
    // Broken: the team hears of it at once, the managers a quarter of an hour later.
    desk.set_time(at("2026-06-11T14:14:00Z"));
    assert_eq!(letters(desk, "Promise broken"), [1, 1, 0]);
    assert_eq!(open(desk).iter().map(|alert| alert["level"].clone()).collect::<Vec<_>>(), ["breach"]);
    desk.set_time(at("2026-06-11T14:16:00Z"));
    assert_eq!(letters(desk, "Promise broken"), [2, 2, 1]);
    // Every hour, until somebody sees to it.
    desk.set_time(at("2026-06-11T15:17:00Z"));
    assert_eq!(letters(desk, "Promise broken"), [3, 3, 2]);
    let alert = open(desk)[0].clone();
    let acknowledge = format!("/api/v1/alerts/{}/acknowledgement", alert["id"].as_str().unwrap());
    let seen = desk.other_agent().post(&acknowledge, json!({})).ok();
    assert_eq!((&seen["acknowledged_by"], &seen["next_at"]), (&json!(desk.people.other_agent.id), &Value::Null));
    desk.agent().post(&acknowledge, json!({})).refused(409, "already_acknowledged");
    desk.set_time(at("2026-06-12T15:00:00Z"));
    assert_eq!(letters(desk, "Promise broken"), [3, 3, 2]);
    assert_eq!(open(desk).len(), 1, "it is open until the promise is met");
    desk.agent().post(&path(&ticket, "/replies"), json!({ "body": "Sorry." })).ok();
    assert_eq!(open(desk), Vec::<Value>::new());
    let over = desk.agent().get("/api/v1/alerts?open=false").ok();
    let reasons: Vec<_> = over["items"].as_array().unwrap().iter().map(|alert| alert["end_reason"].clone()).collect();
    assert_eq!(reasons, ["breached", "reached"]);
    desk.agent().post(&acknowledge, json!({})).refused(409, "alert_ended");
    let told = events(desk, &ticket, "alert_told");
    assert_eq!(told.last().unwrap()["data"]["agent_ids"].as_array().map(Vec::len), Some(3));
    assert_eq!(events(desk, &ticket, "alert_acknowledged")[0]["actor_id"], json!(desk.people.other_agent.id));
    crate::replay::all(desk);
}

fn a_critical_ticket_is_heard_at_night(desk: &Desk) {
    let ticket = email_ticket(desk, "ana@nordwind.example");
    desk.agent().patch(&path(&ticket, ""), json!({ "priority": "critical" })).ok();
    desk.set_time(at("2026-06-11T08:00:30Z"));
    // Nobody is responsible and there is no team: the managers are.
    assert_eq!(letters(desk, "Promise at risk"), [0, 0, 1]);
    assert_eq!(open(desk)[0]["told_at"], "2026-06-11T08:00:00Z");
}

fn pickups_are_listed_and_not_mailed(desk: &Desk) {
    let ticket = call(desk, "+4930123456", "2026-06-10T14:00:00Z");
    desk.advance(TimeDelta::minutes(5));
    let alerts = open(desk);
    assert_eq!((alerts.len(), &alerts[0]["level"], &alerts[0]["metric"]), (1, &json!("breach"), &json!("pickup")));
    assert_eq!((&alerts[0]["raised_at"], &alerts[0]["ticket_number"]), (&json!("2026-06-10T14:00:20Z"), &ticket["number"]));
    assert!(desk.mails().is_empty());
    desk.agent().post(&path(&ticket, "/pickup"), json!({})).ok();
    assert_eq!(open(desk), Vec::<Value>::new());
    // A verb that writes a breach and meets the promise raises nothing.
    let late = call(desk, "+4930123456", "2026-06-10T14:05:00Z");
    desk.only_set_clock(desk.now() + TimeDelta::minutes(1));
    desk.agent().post(&path(&late, "/pickup"), json!({})).ok();
    desk.settle();
    let over = desk.agent().get(&format!("/api/v1/alerts?open=false&ticket_id={}", late["id"].as_str().unwrap())).ok();
    assert_eq!(over["items"], json!([]));
}

fn what_climbs_together_is_one_letter_a_person(desk: &Desk) {
    for number in 0..60 {
        email_ticket(desk, &format!("person{number}@nordwind.example"));
    }
    desk.set_time(at("2026-06-11T12:00:30Z"));
    assert_eq!(letters(desk, "60 promises at risk"), [0, 0, 1]);
    let letter = desk.mail_to(MANAGER);
    assert!(letter.text.contains("and 10 more"), "{}", letter.text);
    let first = desk.agent().get("/api/v1/alerts?limit=40").ok();
    let rest = desk.agent().get(&format!("/api/v1/alerts?limit=40&cursor={}", first["next_cursor"].as_str().unwrap())).ok();
    let ids = |page: &Value| page["items"].as_array().unwrap().iter().map(|a| a["id"].to_string()).collect::<Vec<_>>();
    let all: std::collections::BTreeSet<_> = ids(&first).into_iter().chain(ids(&rest)).collect();
    assert_eq!((all.len(), &rest["next_cursor"]), (60, &Value::Null));
}

fn a_closed_ticket_calls_nobody(desk: &Desk) {
    let ticket = email_ticket(desk, "ana@nordwind.example");
    close(desk, ticket["id"].as_str().unwrap());
    desk.set_time(at("2026-06-12T16:00:00Z"));
    assert_eq!(letters(desk, "Promise"), [0, 0, 0]);
    let over = desk.agent().get("/api/v1/alerts?open=false&level=breach").ok();
    assert_eq!(over["items"][0]["end_reason"], "closed");
}

fn a_promise_that_moved_away_from_its_end_calls_nobody(desk: &Desk) {
    policies(desk);
    let ticket = web_ticket(desk);
    desk.agent().patch(&path(&ticket, ""), json!({ "priority": "critical" })).ok();
    desk.advance(TimeDelta::minutes(8));
    assert_eq!(open(desk).len(), 1);
    assert_eq!(letters(desk, "Promise at risk"), [0, 0, 1]);
    desk.agent().patch(&path(&ticket, ""), json!({ "priority": "normal" })).ok();
    assert_eq!(open(desk), Vec::<Value>::new());
    assert_eq!(desk.agent().get("/api/v1/alerts?open=false").ok()["items"][0]["end_reason"], "moved");
    // Near the new end it is raised again.
    desk.advance(TimeDelta::minutes(38));
    assert_eq!(open(desk).len(), 1);
    crate::replay::all(desk);
}

fn alerts_are_filtered_and_wrong_requests_refused(desk: &Desk) {
    let ticket = call(desk, "+4930123456", "2026-06-10T14:00:00Z");
    desk.advance(TimeDelta::minutes(1));
    let count = |query: &str| desk.agent().get(&format!("/api/v1/alerts?{query}")).ok()["items"].as_array().unwrap().len();
    let id = ticket["id"].as_str().unwrap();
    for (query, expected) in [
        ("level=breach", 1),
        ("level=warning", 0),
        ("metric=pickup&priority=normal&acknowledged=false", 1),
        ("metric=resolution", 0),
        ("priority=critical", 0),
        ("acknowledged=true", 0),
        (&format!("ticket_id={id}"), 1),
        (&format!("team_id={id}"), 0),
        (&format!("assignee_id={id}"), 0),
    ] {
        assert_eq!(count(query), expected, "{query}");
    }
    desk.agent().get("/api/v1/alerts?limit=0").refuses_field("limit");
    desk.agent().get("/api/v1/alerts?level=loud").refuses_field("level");
    desk.agent().get("/api/v1/alerts?cursor=x").refuses_field("cursor");
    desk.agent().get("/api/v1/alerts?nobody=1").refused(422, "invalid_input");
    let nothing = "/api/v1/alerts/01900000-0000-7000-8000-000000000000/acknowledgement";
    desk.agent().post(nothing, json!({})).refused(404, "not_found");
    let alert = open(desk)[0]["id"].as_str().unwrap().to_owned();
    let acknowledge = format!("/api/v1/alerts/{alert}/acknowledgement");
    desk.agent().post(&acknowledge, json!({ "by": "me" })).refused(422, "invalid_input");
    let once = desk.agent().with("Idempotency-Key", "mine");
    let first = once.post(&acknowledge, json!({})).ok();
    assert_eq!(once.post(&acknowledge, json!({})).ok(), first);
    assert_eq!(count("acknowledged=true"), 1);
}

fn without_metrics_to_mail_nobody_gets_a_letter(desk: &Desk) {
    desk.restart(|config| config.alerts.mail_metrics.clear());
    email_ticket(desk, "ana@nordwind.example");
    desk.set_time(at("2026-06-11T15:00:00Z"));
    assert!(desk.mails().is_empty());
    assert_eq!(open(desk).len(), 1);
}

fn a_letter_that_is_given_up_is_seen_and_released(desk: &Desk) {
    desk.expect_parked();
    let gone = json!({ "name": "Gone", "email": "reject550@desk.test", "role": "agent" });
    let gone = desk.admin().post("/api/v1/agents", gone).id();
    let ticket = email_ticket(desk, "ana@nordwind.example");
    desk.agent().put(&path(&ticket, "/assignee"), json!({ "agent_id": gone })).ok();
    desk.set_time(at("2026-06-11T14:00:30Z"));
    let listed =
        |query: &str| desk.manager().get(&format!("/api/v1/alerts/letters{query}")).ok()["items"].as_array().unwrap().clone();
    let parked = listed("?state=parked");
    assert!(
        !parked.is_empty() && parked.len() < listed("").len() && listed("?state=sent").len() + parked.len() == listed("").len()
    );
    let letter = &parked[0];
    assert_eq!((&letter["agent_id"], &letter["attempts"], &letter["sent_at"]), (&json!(gone), &json!(1), &Value::Null));
    assert!(letter["last_error"].as_str().unwrap().contains("550"), "{letter}");
    let one = format!("/api/v1/alerts/letters/{}", letter["id"].as_str().unwrap());
    assert_eq!(&desk.manager().get(&one).ok(), letter);
    let release = format!("{one}/release");
    desk.agent().post(&release, json!({})).refused(403, "missing_right");
    desk.agent().get("/api/v1/alerts/letters").refused(403, "missing_right");
    assert_eq!(desk.manager().post(&release, json!({})).ok()["state"], "queued");
    desk.manager().post(&release, json!({})).refused(409, "not_parked");
    desk.settle();
    assert_eq!(
        (&desk.manager().get(&one).ok()["attempts"], &desk.manager().get(&one).ok()["state"]),
        (&json!(2), &json!("parked"))
    );
    let nobody = "/api/v1/alerts/letters/00000000-0000-7000-8000-000000000000";
    desk.manager().get(nobody).refused(404, "not_found");
    desk.manager().post(&format!("{nobody}/release"), json!({})).refused(404, "not_found");
    desk.manager().get("/api/v1/alerts/letters?state=lost").refuses_field("state");
    desk.manager().get("/api/v1/alerts/letters?limit=1").ok()["next_cursor"].as_str().unwrap();
}
