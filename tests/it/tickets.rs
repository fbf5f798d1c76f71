//! Tickets: opening, listing, the verbs, and what each refuses.
use crate::support::given::{call, close, email_ticket, path};
use crate::support::{Desk, Test, tests};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_ticket_finds_its_contact_by_address_and_by_number,
    only_machines_may_say_when_a_ticket_was_received,
    a_ticket_needs_exactly_one_sender,
    unknown_people_and_teams_are_named,
    a_closed_ticket_refuses_a_note,
    a_stale_version_loses_nothing,
    two_agents_who_write_at_once_both_succeed_or_one_is_told,
    a_contacts_message_reopens_and_past_the_window_opens_another_ticket,
    a_hand_over_clears_the_assignee,
    lists_filter_by_everything_they_say,
    pages_cover_every_ticket_once_in_each_order,
    history_tells_every_change_in_order,
    odd_texts_survive,
];

fn a_ticket_finds_its_contact_by_address_and_by_number(desk: &Desk) {
    let one = email_ticket(desk, "ana@nordwind.example");
    let two = email_ticket(desk, "  ANA@Nordwind.example ");
    assert_eq!(one["contact_id"], two["contact_id"]);
    let one = call(desk, "+49 30 123456", "2026-06-10T13:59:00Z");
    let two = call(desk, "0049-30-123456", "2026-06-10T13:59:30Z");
    assert_eq!(one["contact_id"], two["contact_id"]);
    assert_eq!(two["number"].as_i64(), one["number"].as_i64().map(|number| number + 1));
    let full = desk.agent().get(&path(&one, "")).ok();
    assert_eq!(full["contact_name"], "Ben Okafor");
}

fn only_machines_may_say_when_a_ticket_was_received(desk: &Desk) {
    let mut ticket = json!({
        "channel": "email", "subject": "Help", "from": { "email": "ana@nordwind.example" }, "received_at": "2026-06-10T13:00:00Z",
    });
    desk.admin().post("/api/v1/tickets", &ticket).refused(403, "receipt_not_yours");
    assert_eq!(desk.channel().post("/api/v1/tickets", &ticket).ok()["received_at"], "2026-06-10T13:00:00Z");
    desk.import().post("/api/v1/tickets", &ticket).ok();
    ticket["received_at"] = json!("2026-06-10T14:00:00.000001Z");
    assert_eq!(desk.channel().post("/api/v1/tickets", &ticket).refuses_field("received_at"), "future");
    assert_eq!(desk.agent().get("/api/v1/tickets").ok()["items"].as_array().map(Vec::len), Some(2));
}

fn a_ticket_needs_exactly_one_sender(desk: &Desk) {
    let ask = |from: Value| desk.agent().post("/api/v1/tickets", json!({ "channel": "email", "subject": "Help", "from": from }));
    assert_eq!(ask(json!({})).refuses_field("from"), "one_of");
    assert_eq!(ask(json!({ "email": "a@b.example", "phone": "+4930123456" })).refuses_field("from"), "one_of");
    assert_eq!(ask(json!({ "email": "not an address" })).refuses_field("from.email"), "email");
    assert_eq!(ask(json!({ "phone": "12" })).refuses_field("from.phone"), "phone");
    assert_eq!(desk.agent().get("/api/v1/contacts").ok()["items"], json!([]));
    ask(json!({ "email": "a@b.example" })).is(201);
}

fn unknown_people_and_teams_are_named(desk: &Desk) {
    let nobody = "00000000-0000-7000-8000-000000000000";
    for (field, wrong) in [
        ("team_id", json!({ "team_id": nobody })),
        ("assignee_id", json!({ "assignee_id": nobody })),
        ("organization_id", json!({ "organization_id": nobody })),
        ("contact_id", json!({ "from": { "contact_id": nobody } })),
    ] {
        let mut ticket = json!({ "channel": "email", "subject": "Help", "from": { "email": "a@b.example" } });
        ticket.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        desk.agent().post("/api/v1/tickets", &ticket).refuses_field(field);
    }
    let ticket = email_ticket(desk, "ana@nordwind.example");
    desk.agent().put(&path(&ticket, "/assignee"), json!({ "agent_id": nobody })).refuses_field("agent_id");
    desk.agent().put(&path(&ticket, "/team"), json!({ "team_id": nobody })).refuses_field("team_id");
    desk.agent().put(&path(&ticket, "/team"), json!({})).refuses_field("team_id");
    assert_eq!(desk.agent().get(&path(&ticket, "")).ok()["version"], 1);
}

fn a_closed_ticket_refuses_a_note(desk: &Desk) {
    let ticket = email_ticket(desk, "ana@nordwind.example");
    desk.agent().post(&path(&ticket, "/notes"), json!({ "body": "Called the registry." })).ok();
    close(desk, ticket["id"].as_str().unwrap());
    let before = desk.agent().get(&path(&ticket, "")).ok();
    let text = json!({ "body": "More." });
    desk.agent().post(&path(&ticket, "/notes"), &text).refused(409, "ticket_closed");
    desk.agent().post(&path(&ticket, "/replies"), &text).refused(409, "ticket_closed");
    desk.agent().post(&path(&ticket, "/closure"), json!({})).refused(409, "ticket_closed");
    desk.agent().patch(&path(&ticket, ""), json!({ "priority": "high" })).refused(409, "ticket_closed");
    assert_eq!(desk.agent().get(&path(&ticket, "")).ok(), before);
    desk.agent().delete(&path(&ticket, "/closure")).ok();
    desk.agent().delete(&path(&ticket, "/closure")).refused(409, "not_closed");
    desk.agent().post(&path(&ticket, "/notes"), &text).ok();
}

fn a_stale_version_loses_nothing(desk: &Desk) {
    let ticket = email_ticket(desk, "ana@nordwind.example");
    let seen = desk.agent().get(&path(&ticket, "")).etag();
    desk.other_agent().with("If-Match", &seen).patch(&path(&ticket, ""), json!({ "priority": "high" })).ok();
    let late = desk.agent().with("If-Match", &seen);
    late.patch(&path(&ticket, ""), json!({ "priority": "low" })).refused(412, "stale_version");
    late.post(&path(&ticket, "/replies"), json!({ "body": "Done." })).refused(412, "stale_version");
    late.post(&path(&ticket, "/closure"), json!({})).refused(412, "stale_version");
    let now = desk.agent().get(&path(&ticket, ""));
    assert_eq!((now.ok()["priority"].as_str(), now.ok()["status"].as_str()), (Some("high"), Some("open")));
    desk.settle();
    assert!(desk.mails().is_empty());
    desk.agent().with("If-Match", now.etag()).patch(&path(&ticket, ""), json!({ "priority": "low" })).ok();
}

fn two_agents_who_write_at_once_both_succeed_or_one_is_told(desk: &Desk) {
    let ticket = email_ticket(desk, "ana@nordwind.example");
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (client, path) = (desk.agent(), path(&ticket, "/notes"));
            scope.spawn(move || {
                for note in 0..5 {
                    client.post(&path, json!({ "body": format!("{thread}/{note}") })).ok();
                }
            });
        }
    });
    let full = desk.agent().get(&path(&ticket, "")).ok();
    assert_eq!(full["version"], 21);
    let mut bodies: Vec<&str> =
        full["messages"].as_array().unwrap().iter().filter_map(|message| message["body"].as_str()).collect();
    bodies.sort_unstable();
    bodies.dedup();
    assert_eq!(bodies.len(), 21, "{bodies:?}");
}

fn a_contacts_message_reopens_and_past_the_window_opens_another_ticket(desk: &Desk) {
    let ticket = email_ticket(desk, "ana@nordwind.example");
    close(desk, ticket["id"].as_str().unwrap());
    desk.advance(TimeDelta::days(14));
    let text = json!({ "body": "It is stuck again." });
    let same = desk.channel().post(&path(&ticket, "/messages"), &text).ok();
    assert_eq!((&same["id"], same["status"].as_str(), &same["closed_at"]), (&ticket["id"], Some("open"), &Value::Null));
    close(desk, ticket["id"].as_str().unwrap());
    desk.advance(TimeDelta::days(14) + TimeDelta::seconds(1));
    let other = desk.channel().post(&path(&ticket, "/messages"), &text).ok();
    assert_ne!(other["id"], ticket["id"]);
    assert_eq!((&other["follows_id"], &other["contact_id"]), (&ticket["id"], &ticket["contact_id"]));
    assert_eq!(desk.agent().get(&path(&ticket, "")).ok()["status"], "closed");
}

fn a_hand_over_clears_the_assignee(desk: &Desk) {
    let team = desk.admin().post("/api/v1/teams", json!({ "name": "Payments" })).id();
    let ticket = email_ticket(desk, "ana@nordwind.example");
    let me = json!({ "agent_id": desk.people.agent.id });
    assert_eq!(desk.agent().put(&path(&ticket, "/assignee"), me).ok()["assignee_id"], json!(desk.people.agent.id));
    let handed = desk.agent().put(&path(&ticket, "/team"), json!({ "team_id": team })).ok();
    assert_eq!((&handed["team_id"], &handed["assignee_id"]), (&json!(team), &Value::Null));
    let replied = desk.other_agent().post(&path(&ticket, "/replies"), json!({ "body": "Hello." })).ok();
    assert_eq!(replied["assignee_id"], json!(desk.people.other_agent.id), "who answers first takes the ticket");
    assert_eq!(desk.agent().put(&path(&ticket, "/assignee"), json!({ "agent_id": null })).ok()["assignee_id"], Value::Null);
}

fn numbers(desk: &Desk, query: &str) -> Vec<i64> {
    let list = desk.agent().get(&format!("/api/v1/tickets?{query}")).ok();
    let mut numbers: Vec<i64> = list["items"].as_array().unwrap().iter().filter_map(|ticket| ticket["number"].as_i64()).collect();
    numbers.sort_unstable();
    numbers
}

fn lists_filter_by_everything_they_say(desk: &Desk) {
    let team = desk.admin().post("/api/v1/teams", json!({ "name": "Payments" })).id();
    let organization = desk.agent().post("/api/v1/organizations", json!({ "name": "Nordwind" })).id();
    let open = |body: Value| desk.channel().post("/api/v1/tickets", body).ok();
    let from = json!({ "email": "ana@nordwind.example" });
    // 1: breached, 2: at risk, 3: running, 4: met, 5: nothing promised.
    let first = open(
        json!({ "channel": "email", "subject": "1", "from": from, "received_at": "2026-06-09T13:00:00Z", "tags": ["dns", "vip"] }),
    );
    open(json!({ "channel": "email", "subject": "2", "from": from, "received_at": "2026-06-09T19:00:00Z", "team_id": team }));
    open(json!({ "channel": "email", "subject": "3", "from": from, "priority": "high", "organization_id": organization }));
    let fourth = open(json!({ "channel": "phone", "subject": "4", "from": { "phone": "+4930123456" } }));
    let fifth = open(json!({ "channel": "web", "subject": "5", "from": { "email": "bo@other.example" } }));
    desk.agent().post(&path(&fourth, "/pickup"), json!({})).ok();
    close(desk, fifth["id"].as_str().unwrap());
    for (query, expected) in [
        ("", vec![1, 2, 3, 4, 5]),
        ("status=closed", vec![5]),
        ("status=open", vec![1, 2, 3, 4]),
        ("active=true", vec![1, 2, 3, 4]),
        ("active=false", vec![5]),
        ("channel=phone", vec![4]),
        ("priority=high", vec![3]),
        (&format!("team_id={team}"), vec![2]),
        (&format!("organization_id={organization}"), vec![3]),
        (&format!("contact_id={}", first["contact_id"].as_str().unwrap()), vec![1, 2, 3]),
        (&format!("assignee_id={}", desk.people.agent.id), vec![4]),
        ("unassigned=true", vec![1, 2, 3, 5]),
        ("unassigned=false", vec![4]),
        ("tag=vip", vec![1]),
        ("tag=vi", vec![]),
        ("promise=breached", vec![1]),
        ("promise=at_risk", vec![2]),
        ("promise=running", vec![3]),
        ("promise=met", vec![4]),
        ("received_from=2026-06-09T19:00:00Z&received_to=2026-06-10T00:00:00Z", vec![2]),
        ("number=3", vec![3]),
        ("status=open&channel=email&promise=running&priority=high", vec![3]),
    ] {
        assert_eq!(numbers(desk, query), expected, "{query}");
    }
    desk.agent().get("/api/v1/tickets?promise=kept").refuses_field("promise");
    desk.agent().get("/api/v1/tickets?team_id=5").refuses_field("team_id");
    desk.agent().get("/api/v1/tickets?cursor=abc").refuses_field("cursor");
}

fn pages_cover_every_ticket_once_in_each_order(desk: &Desk) {
    for minute in 0..7 {
        // Several share an instant, so that the number must decide.
        let received_at = format!("2026-06-10T13:0{}:00Z", minute / 2);
        call(desk, "+4930123456", &received_at);
    }
    for sort in ["due", "received", "updated"] {
        let (mut seen, mut next) = (Vec::new(), format!("/api/v1/tickets?limit=3&sort={sort}"));
        loop {
            let page = desk.agent().get(&next);
            let json = page.ok();
            seen.extend(json["items"].as_array().unwrap().iter().filter_map(|ticket| ticket["number"].as_i64()));
            let Some(link) = page.header("link") else {
                assert_eq!(json["next_cursor"], Value::Null);
                break;
            };
            next = link.trim_start_matches('<').split('>').next().unwrap().to_owned();
        }
        let mut sorted = seen.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [1, 2, 3, 4, 5, 6, 7], "{sort}: {seen:?}");
        if sort == "received" {
            assert_eq!(seen, [7, 6, 5, 4, 3, 2, 1]);
        }
    }
}

fn history_tells_every_change_in_order(desk: &Desk) {
    let ticket = email_ticket(desk, "ana@nordwind.example");
    desk.agent().patch(&path(&ticket, ""), json!({ "priority": "high", "tags": ["b", "a", "b"] })).ok();
    desk.agent().post(&path(&ticket, "/replies"), json!({ "body": "Hello." })).ok();
    close(desk, ticket["id"].as_str().unwrap());
    let history = desk.agent().get(&path(&ticket, "/history")).ok();
    let events = history["items"].as_array().unwrap();
    let kinds: Vec<&str> = events.iter().filter_map(|event| event["kind"].as_str()).collect();
    let expected = ["ticket_received", "clock_started", "ticket_changed", "agent_replied", "clock_reached", "ticket_closed"];
    assert_eq!(kinds, expected);
    let changed = &events[2];
    assert_eq!(changed["actor_id"], json!(desk.people.agent.id));
    assert_eq!(changed["data"]["priority"], json!({ "before": "normal", "after": "high" }));
    assert_eq!(changed["data"]["tags"], json!({ "before": [], "after": ["a", "b"] }));
    let rest = desk.agent().get(&format!("{}?limit=2", path(&ticket, "/history"))).ok();
    let cursor = rest["next_cursor"].as_str().unwrap();
    let rest = desk.agent().get(&format!("{}?cursor={cursor}", path(&ticket, "/history"))).ok();
    assert_eq!(rest["items"].as_array().map(Vec::len), Some(4));
}

fn odd_texts_survive(desk: &Desk) {
    let subject = "مرحبا 👩‍👩‍👧 e\u{301} \u{202e}txt <b>&\"' \\u0000 \u{7f}";
    let ticket =
        json!({ "channel": "email", "subject": subject, "body": "\n\t\r\n", "from": { "email": "ana@nordwind.example" } });
    let ticket = desk.channel().post("/api/v1/tickets", ticket).ok();
    assert_eq!(desk.agent().get(&path(&ticket, "")).ok()["subject"], subject);
    desk.agent().post(&path(&ticket, "/replies"), json!({ "body": subject })).ok();
    desk.settle();
    let mail = desk.mail_to("ana@nordwind.example");
    assert!(mail.text.contains(subject), "{}", mail.text);
    assert!(mail.html.contains("&#60;b&#62;") || mail.html.contains("&lt;b&gt;"), "{}", mail.html);
}
