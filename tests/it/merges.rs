//! Merging, parting and linking tickets: what is shown, what is promised, where what is written goes.
use crate::support::given::{close, email_ticket, path};
use crate::support::{Desk, Test, tests};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_merged_ticket_is_closed_unasked_and_shown_on_the_other,
    what_is_written_to_a_merged_ticket_goes_to_the_other,
    promises_begin_at_the_earliest_receipt_and_breaches_stay,
    a_merge_can_be_undone,
    what_cannot_be_merged_is_refused_and_nothing_is_written,
    a_survey_that_waits_is_skipped,
    links_are_seen_from_both_ends,
    a_late_message_is_linked_to_what_it_follows,
    merges_that_cross_lose_nothing,
];

fn ticket_at(desk: &Desk, received_at: &str, subject: &str) -> Value {
    let from = json!({ "email": "ana@nordwind.example", "name": "Ana Castro" });
    let ticket = json!({ "channel": "email", "subject": subject, "body": subject, "from": from, "received_at": received_at });
    desk.channel().post("/api/v1/tickets", ticket).ok()
}

#[track_caller]
fn merge(desk: &Desk, ticket: &Value, into: &Value) -> Value {
    desk.agent().post(&path(ticket, "/merge"), json!({ "into": into["id"] })).ok()
}

#[track_caller]
fn get(desk: &Desk, ticket: &Value) -> Value {
    desk.agent().get(&path(ticket, "")).ok()
}

fn kinds(desk: &Desk, ticket: &Value) -> Vec<String> {
    let history = desk.agent().get(&path(ticket, "/history?limit=100")).ok();
    history["items"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn clock<'a>(ticket: &'a Value, metric: &str) -> &'a Value {
    ticket["clocks"].as_array().unwrap().iter().find(|clock| clock["metric"] == metric).unwrap()
}

fn bodies(ticket: &Value) -> Vec<&str> {
    ticket["messages"].as_array().unwrap().iter().map(|message| message["body"].as_str().unwrap()).collect()
}

fn a_merged_ticket_is_closed_unasked_and_shown_on_the_other(desk: &Desk) {
    let first = email_ticket(desk, "ana@nordwind.example");
    desk.advance(TimeDelta::minutes(5));
    let second = email_ticket(desk, "ana@nordwind.example");
    desk.agent().post(&path(&second, "/notes"), json!({ "body": "the same again" })).ok();
    let merged = merge(desk, &second, &first);
    assert_eq!(
        (&merged["id"], &merged["merged_into_id"], merged["status"].as_str()),
        (&second["id"], &first["id"], Some("closed"))
    );
    let shown = get(desk, &first);
    let from: Vec<&Value> = shown["messages"].as_array().unwrap().iter().map(|message| &message["from_ticket_id"]).collect();
    assert_eq!(from, [&Value::Null, &second["id"], &second["id"]]);
    assert_eq!(shown["merged"][0]["number"], second["number"]);
    assert_eq!((&shown["merged"][0]["agent_id"], shown["version"].as_i64()), (&json!(desk.people.agent.id), Some(2)));
    let own = get(desk, &second);
    assert_eq!((bodies(&own).len(), own["surveys"][0]["outcome"].as_str()), (2, Some("skipped_merged")));
    assert!(
        kinds(desk, &first).contains(&"ticket_merged".to_owned()) && kinds(desk, &second).contains(&"ticket_merged".to_owned())
    );
    desk.advance(TimeDelta::days(2));
    assert!(desk.mails_to("ana@nordwind.example").is_empty(), "nobody is asked about a merged ticket");
    crate::replay::all(desk);
}

fn what_is_written_to_a_merged_ticket_goes_to_the_other(desk: &Desk) {
    let first = email_ticket(desk, "ana@nordwind.example");
    let second = email_ticket(desk, "ana@nordwind.example");
    merge(desk, &second, &first);
    let took = desk.channel().post(&path(&second, "/messages"), json!({ "body": "and one more thing" })).ok();
    assert_eq!(took["id"], first["id"]);
    assert_eq!(desk.agent().post(&path(&second, "/replies"), json!({ "body": "Hello." })).ok()["id"], first["id"]);
    assert_eq!(desk.agent().post(&path(&second, "/notes"), json!({ "body": "for us" })).ok()["id"], first["id"]);
    let shown = get(desk, &first);
    assert_eq!(bodies(&shown)[2..], ["and one more thing", "Hello.", "for us"]);
    assert_eq!(clock(&shown, "first_response")["verdict"], "met");
    for verb in ["/pickup", "/closure"] {
        desk.agent().post(&path(&second, verb), json!({})).refused(409, "ticket_merged");
    }
    desk.agent().delete(&path(&second, "/closure")).refused(409, "ticket_merged");
    desk.agent().patch(&path(&second, ""), json!({ "priority": "high" })).refused(409, "ticket_merged");
    desk.settle();
    let list = desk.agent().get("/api/v1/tickets?q=one%20more%20thing").ok();
    assert_eq!(list["items"][0]["id"], first["id"]);
}

fn promises_begin_at_the_earliest_receipt_and_breaches_stay(desk: &Desk) {
    // It is 14:00 UTC on the 10th; a mail is answered within 24 hours.
    let early = ticket_at(desk, "2026-06-09T22:00:00Z", "early");
    let late = ticket_at(desk, "2026-06-10T08:00:00Z", "late");
    assert_eq!(clock(&late, "first_response")["due_at"], "2026-06-11T08:00:00Z");
    merge(desk, &early, &late);
    let shown = get(desk, &late);
    assert_eq!(shown["received_at"], "2026-06-09T22:00:00Z");
    let promise = clock(&shown, "first_response");
    assert_eq!(
        (promise["started_at"].as_str(), promise["due_at"].as_str()),
        (Some("2026-06-09T22:00:00Z"), Some("2026-06-10T22:00:00Z"))
    );
    assert_eq!(clock(&get(desk, &early), "first_response")["verdict"], "paused");
    let older = ticket_at(desk, "2026-06-09T10:00:00Z", "older");
    assert_eq!(clock(&older, "first_response")["verdict"], "breached");
    merge(desk, &older, &late);
    let promise = clock(&get(desk, &late), "first_response").clone();
    assert_eq!((promise["verdict"].as_str(), promise["breached_at"].as_str()), (Some("breached"), Some("2026-06-10T10:00:00Z")));
    desk.agent().delete(&path(&older, "/merge")).ok();
    let parted = get(desk, &late);
    assert_eq!(parted["received_at"], "2026-06-09T22:00:00Z");
    assert_eq!(clock(&parted, "first_response")["breached_at"], "2026-06-10T10:00:00Z", "a breach is never unmade");
    assert_eq!(clock(&get(desk, &older), "first_response")["verdict"], "breached");
    crate::replay::all(desk);
}

fn a_merge_can_be_undone(desk: &Desk) {
    let first = email_ticket(desk, "ana@nordwind.example");
    let second = ticket_at(desk, "2026-06-10T12:00:00Z", "second");
    let third = ticket_at(desk, "2026-06-10T13:00:00Z", "third");
    desk.agent().patch(&path(&second, ""), json!({ "status": "on_hold" })).ok();
    merge(desk, &second, &first);
    merge(desk, &third, &first);
    assert_eq!(get(desk, &first)["received_at"], "2026-06-10T12:00:00Z");
    desk.advance(TimeDelta::hours(1));
    desk.channel().post(&path(&second, "/messages"), json!({ "body": "later" })).ok();
    let stale = desk.agent().with("If-Match", "\"1\"");
    stale.delete(&path(&second, "/merge")).refused(412, "stale_version");
    let parted = desk.agent().delete(&path(&second, "/merge")).ok();
    assert_eq!(
        (parted["status"].as_str(), &parted["merged_into_id"], &parted["closed_at"]),
        (Some("on_hold"), &Value::Null, &Value::Null)
    );
    let promise = clock(&parted, "first_response");
    assert_eq!(promise["verdict"], "running");
    assert_eq!(promise["due_at"], "2026-06-11T13:00:00Z", "the hour that it was merged is not counted");
    let rest = get(desk, &first);
    assert_eq!(rest["received_at"], "2026-06-10T13:00:00Z", "the third one is still there");
    assert_eq!(bodies(&rest).last(), Some(&"later"), "what was said since stays where it was said");
    assert_eq!(bodies(&get(desk, &second)), ["second"]);
    desk.agent().delete(&path(&third, "/merge")).ok();
    let alone = get(desk, &first);
    assert_eq!((&alone["received_at"], &alone["merged"]), (&first["received_at"], &json!([])));
    assert_eq!(clock(&alone, "first_response")["due_at"], clock(&first, "first_response")["due_at"]);
    desk.agent().delete(&path(&third, "/merge")).refused(409, "not_merged");
    merge(desk, &first, &second);
    crate::replay::all(desk);
    desk.settle();
}

fn what_cannot_be_merged_is_refused_and_nothing_is_written(desk: &Desk) {
    let [first, second, third] = [(); 3].map(|()| email_ticket(desk, "ana@nordwind.example"));
    let try_merge = |ticket: &Value, into: &Value| desk.agent().post(&path(ticket, "/merge"), json!({ "into": into["id"] }));
    try_merge(&first, &first).refused(409, "same_ticket");
    try_merge(&first, &json!({ "id": desk.people.agent.id })).refuses_field("into");
    desk.agent().post(&path(&first, "/merge"), json!({ "into": "x" })).refuses_field("into");
    desk.agent().post(&path(&first, "/merge"), json!({})).refuses_field("into");
    desk.channel().post(&path(&first, "/merge"), json!({ "into": second["id"] })).refused(403, "missing_right");
    let missing = json!({ "id": desk.people.agent.id });
    try_merge(&missing, &first).refused(404, "not_found");
    close(desk, third["id"].as_str().unwrap());
    try_merge(&first, &third).refused(409, "target_closed");
    desk.agent()
        .with("If-Match", "\"7\"")
        .post(&path(&first, "/merge"), json!({ "into": second["id"] }))
        .refused(412, "stale_version");
    assert_eq!(get(desk, &first)["version"], 1);
    let key = desk.agent().with("Idempotency-Key", "merge-1");
    let once = key.post(&path(&first, "/merge"), json!({ "into": second["id"] }));
    assert_eq!(key.post(&path(&first, "/merge"), json!({ "into": second["id"] })).ok(), once.ok());
    try_merge(&first, &second).refused(409, "ticket_merged");
    try_merge(&third, &first).refused(409, "target_merged");
    try_merge(&second, &email_ticket(desk, "ana@nordwind.example")).refused(409, "has_merged");
    try_merge(&third, &second).ok();
    assert_eq!(get(desk, &second)["merged"].as_array().map(Vec::len), Some(2));
}

fn a_survey_that_waits_is_skipped(desk: &Desk) {
    let [first, second] = [(); 2].map(|()| email_ticket(desk, "ana@nordwind.example"));
    close(desk, first["id"].as_str().unwrap());
    assert_eq!(get(desk, &first)["surveys"][0]["outcome"], "waiting");
    merge(desk, &first, &second);
    assert_eq!(get(desk, &first)["surveys"][0]["outcome"], "skipped_merged");
    assert_eq!(get(desk, &first)["close_count"], 1);
    desk.advance(TimeDelta::hours(12));
    assert!(desk.mails_to("ana@nordwind.example").is_empty());
    let parted = desk.agent().delete(&path(&first, "/merge")).ok();
    assert_eq!(parted["status"], "closed", "it stands where it stood");
    desk.advance(TimeDelta::hours(1));
    assert!(desk.mails_to("ana@nordwind.example").is_empty());
}

fn links_are_seen_from_both_ends(desk: &Desk) {
    let [first, second, third] = [(); 3].map(|()| email_ticket(desk, "ana@nordwind.example"));
    let at = |ticket: &Value, other: &Value| path(ticket, &format!("/links/{}", other["id"].as_str().unwrap()));
    let links = desk.agent().put(&at(&first, &second), json!({ "kind": "caused_by" })).ok();
    assert_eq!((&links[0]["number"], links[0]["side"].as_str()), (&second["number"], Some("outgoing")));
    desk.agent().put(&at(&first, &second), json!({ "kind": "caused_by" })).ok();
    desk.agent().put(&at(&third, &first), json!({ "kind": "related" })).ok();
    let shown = get(desk, &first)["links"].clone();
    let seen: Vec<(&Value, &str, &str)> = shown
        .as_array()
        .unwrap()
        .iter()
        .map(|link| (&link["number"], link["kind"].as_str().unwrap(), link["side"].as_str().unwrap()))
        .collect();
    assert_eq!(seen, [(&second["number"], "caused_by", "outgoing"), (&third["number"], "related", "incoming")]);
    desk.agent().put(&at(&second, &first), json!({ "kind": "duplicate" })).ok();
    let from_second = get(desk, &second)["links"].clone();
    assert_eq!((from_second.as_array().map(Vec::len), from_second[0]["kind"].as_str()), (Some(1), Some("duplicate")));
    assert_eq!(kinds(desk, &second).iter().filter(|kind| *kind == "ticket_linked").count(), 2);
    desk.agent().delete(&at(&first, &second)).is(204);
    desk.agent().delete(&at(&first, &second)).refused(404, "not_found");
    assert_eq!(get(desk, &second)["links"], json!([]));
    assert!(kinds(desk, &first).contains(&"ticket_unlinked".to_owned()));
    desk.agent().put(&at(&first, &first), json!({ "kind": "related" })).refused(409, "same_ticket");
    desk.agent().put(&at(&first, &second), json!({ "kind": "friend" })).refuses_field("kind");
    desk.agent().put(&at(&first, &json!({ "id": desk.people.agent.id })), json!({ "kind": "related" })).refused(404, "not_found");
    desk.agent().put(&path(&first, "/links/x"), json!({ "kind": "related" })).refused(404, "not_found");
}

fn a_late_message_is_linked_to_what_it_follows(desk: &Desk) {
    let ticket = email_ticket(desk, "ana@nordwind.example");
    close(desk, ticket["id"].as_str().unwrap());
    desk.advance(TimeDelta::days(15));
    let other = desk.channel().post(&path(&ticket, "/messages"), json!({ "body": "It is stuck again." })).ok();
    assert_eq!(other["follows_id"], ticket["id"]);
    let links = get(desk, &ticket)["links"].clone();
    assert_eq!(
        (&links[0]["ticket_id"], links[0]["kind"].as_str(), links[0]["side"].as_str()),
        (&other["id"], Some("follow_up"), Some("incoming"))
    );
}

fn merges_that_cross_lose_nothing(desk: &Desk) {
    let [first, second] = [(); 2].map(|()| email_ticket(desk, "ana@nordwind.example"));
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let asked: Vec<_> = [(&first, &second), (&second, &first)]
            .into_iter()
            .map(|(ticket, into)| {
                let (client, path, body) = (desk.agent(), path(ticket, "/merge"), json!({ "into": into["id"] }));
                scope.spawn(move || client.post(&path, body).status)
            })
            .collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    let mut sorted = statuses.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, [200, 409], "one of them is merged, the other one is not: {statuses:?}");
}
