//! Chats: asked for in a site's widget, rung at agents, taken by one, kept on a ticket; and what becomes of those nobody takes.
use crate::support::client::Client;
use crate::support::desk::at;
use crate::support::sse::Listening;
use crate::support::websocket::{Visitor, agent_on, with_chat};
use crate::support::{Desk, Test, tests};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::sync::Barrier;

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_chat_is_asked_for_taken_spoken_in_and_asked_about,
    of_two_agents_who_accept_at_once_one_wins,
    it_is_offered_wider_in_time_and_missed_in_the_end,
    who_is_away_or_has_enough_is_not_rung,
    the_place_in_the_queue_is_true,
    who_goes_away_in_time_breaks_no_promise,
    a_message_that_is_left_is_owed_an_answer_within_a_day,
    an_address_that_is_told_makes_a_contact,
    a_silent_chat_ends_and_a_blocked_visitor_is_not_served,
    lists_and_refusals,
];

const CHATS: &str = "/api/v1/chats";

#[track_caller]
fn available(client: &Client) {
    client.put("/api/v1/presence", json!({ "state": "available" })).ok();
}

fn path(chat: &Value, rest: &str) -> String {
    format!("{CHATS}/{}{rest}", chat["id"].as_str().unwrap())
}

#[track_caller]
fn full(desk: &Desk, chat: &Value) -> Value {
    desk.agent().get(&path(chat, "")).ok()
}

#[track_caller]
fn ticket_of(desk: &Desk, chat: &Value) -> Value {
    let id = full(desk, chat)["ticket_id"].as_str().unwrap().to_owned();
    desk.agent().get(&format!("/api/v1/tickets/{id}")).ok()
}

fn promise<'a>(ticket: &'a Value, metric: &str) -> &'a Value {
    let found = ticket["clocks"].as_array().unwrap().iter().find(|promise| promise["metric"] == metric);
    found.unwrap_or_else(|| panic!("no {metric} in {ticket}"))
}

/// Agent, outcome and round of each offer.
fn offers(desk: &Desk, chat: &Value) -> Vec<(String, Value, i64)> {
    let mut offers: Vec<(String, Value, i64)> = full(desk, chat)["offers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|offer| (offer["agent_id"].as_str().unwrap().to_owned(), offer["outcome"].clone(), offer["round"].as_i64().unwrap()))
        .collect();
    offers.sort_by_key(|offer| (offer.2, offer.0.clone()));
    offers
}

fn a_chat_is_asked_for_taken_spoken_in_and_asked_about(desk: &Desk) {
    with_chat(desk, |_| {});
    let (agent, other) = (&desk.people.agent.id, &desk.people.other_agent.id);
    let line = Listening::to(desk, &desk.people.agent.secret, "?topic=chats");
    let _other_line = Listening::to(desk, &desk.people.other_agent.secret, "?topic=chats");
    available(&desk.agent());
    available(&desk.other_agent());
    let email = "ana@nordwind.example";
    let id = "01900000-0000-7000-8000-000000000001";
    let first = json!({ "name": "Ana Castro", "email": email, "id": id, "body": "Hello?" });
    let (mut visitor, chat) = Visitor::ask(desk, first);
    assert_eq!((&visitor.welcome["open"], &chat["state"], &chat["position"]), (&json!(true), &json!("waiting"), &json!(1)));
    assert_eq!(visitor.socket.of_type("message")["body"], "Hello?");
    // The ticket and its promise are there from this moment on.
    let ticket = ticket_of(desk, &chat);
    assert_eq!((&ticket["channel"], &ticket["received_at"]), (&json!("chat"), &json!("2026-06-10T14:00:00Z")));
    assert_eq!(promise(&ticket, "pickup")["due_at"], "2026-06-10T14:00:20Z");
    let told = line.of_kind("chat_offered");
    let mut rung: Vec<&str> = told["data"]["agents"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    rung.sort_unstable();
    let mut both = [agent.as_str(), other.as_str()];
    both.sort_unstable();
    assert_eq!(rung, both, "both at once");
    desk.set_time(at("2026-06-10T14:00:07Z"));
    let taken = desk.agent().post(&path(&chat, "/accept"), json!({})).ok();
    assert_eq!((&taken["state"], &taken["agent_id"]), (&json!("active"), &json!(agent)));
    assert_eq!(desk.agent().post(&path(&chat, "/accept"), json!({})).ok()["state"], "active", "once more is the same");
    desk.other_agent().post(&path(&chat, "/accept"), json!({})).refused(409, "chat_taken");
    let told = line.of_kind("chat_accepted");
    assert_eq!((&told["data"]["others"], &told["data"]["waited_seconds"]), (&json!([other]), &json!(7)));
    assert_eq!(visitor.socket.stands("active")["agent"], "Amir Agent");
    let mut at_desk = agent_on(&desk.base(), &desk.people.agent.secret, &chat, 0);
    assert_eq!(at_desk.of_type("message")["from"], "visitor");
    at_desk.tell(json!({ "type": "message", "id": id, "body": "Good day, Ana." }));
    assert_eq!(at_desk.of_type("ack")["seq"], 2, "an id is its side's own");
    let said = visitor.socket.of_type("message");
    assert_eq!((&said["body"], &said["name"], &said["from"]), (&json!("Good day, Ana."), &json!("Amir Agent"), &json!("agent")));
    assert_eq!(visitor.say("It works now, thanks."), 3);
    at_desk.tell(json!({ "type": "typing" }));
    visitor.socket.of_type("typing");
    let rest = desk.agent().post(&path(&chat, "/messages"), json!({ "body": "Bye." })).ok();
    assert_eq!(rest["seq"], 4);
    let ended = desk.agent().post(&path(&chat, "/end"), json!({})).ok();
    assert_eq!((&ended["state"], &ended["ended_by"]), (&json!("ended"), &json!("agent")));
    visitor.socket.stands("ended");
    let ticket = ticket_of(desk, &chat);
    assert_eq!((&ticket["status"], &ticket["assignee_id"]), (&json!("closed"), &json!(agent)));
    let pickup = promise(&ticket, "pickup");
    assert_eq!((&pickup["used_seconds"], &pickup["verdict"]), (&json!(7), &json!("met")), "{pickup}");
    let bodies: Vec<(&Value, &Value)> =
        ticket["messages"].as_array().unwrap().iter().map(|message| (&message["kind"], &message["body"])).collect();
    let expected = [
        (json!("inbound"), json!("Hello?")),
        (json!("reply"), json!("Good day, Ana.")),
        (json!("inbound"), json!("It works now, thanks.")),
        (json!("reply"), json!("Bye.")),
    ];
    assert_eq!(bodies, expected.iter().map(|(kind, body)| (kind, body)).collect::<Vec<_>>(), "the transcript is the ticket");
    let outcomes: Vec<(String, Value, i64)> = offers(desk, &chat);
    assert!(outcomes.contains(&(agent.clone(), json!("accepted"), 1)) && outcomes.contains(&(other.clone(), json!("taken"), 1)));
    assert!(desk.mails().is_empty(), "what was said live is not mailed");
    desk.advance(TimeDelta::hours(3));
    assert!(desk.mail_to(email).text.contains("Chat with Ana Castro"), "{}", desk.mail_to(email).text);
    visitor.socket.tell(json!({ "type": "message", "id": "01900000-0000-7000-8000-000000000009", "body": "Too late" }));
    assert_eq!(visitor.socket.of_type("refused")["code"], "chat_over");
}

fn of_two_agents_who_accept_at_once_one_wins(desk: &Desk) {
    with_chat(desk, |_| {});
    for _ in 0..5 {
        let (_visitor, chat) = Visitor::ask(desk, json!({}));
        let start = Barrier::new(4);
        let clients = [desk.agent(), desk.other_agent(), desk.manager(), desk.admin()];
        let answers: Vec<(u16, Value)> = std::thread::scope(|scope| {
            let racing: Vec<_> = clients
                .iter()
                .map(|client| {
                    scope.spawn(|| {
                        start.wait();
                        let answer = client.post(&path(&chat, "/accept"), json!({}));
                        (answer.status, answer.json["code"].clone())
                    })
                })
                .collect();
            racing.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        let won = answers.iter().filter(|answer| answer.0 == 200).count();
        let lost = answers.iter().filter(|answer| **answer == (409, json!("chat_taken"))).count();
        assert_eq!((won, lost), (1, 3), "{answers:?}");
        let outcomes = offers(desk, &chat);
        assert_eq!(outcomes.iter().filter(|offer| offer.1 == "accepted").count(), 1, "{outcomes:?}");
        let history =
            desk.agent().get(&format!("/api/v1/tickets/{}/history", ticket_of(desk, &chat)["id"].as_str().unwrap())).ok();
        let picked = history["items"].as_array().unwrap().iter().filter(|event| event["kind"] == "picked_up").count();
        assert_eq!(picked, 1);
        desk.manager().post(&path(&chat, "/end"), json!({ "close_ticket": false })).ok();
    }
}

fn it_is_offered_wider_in_time_and_missed_in_the_end(desk: &Desk) {
    let team = json!({ "name": "Payments", "members": [desk.people.agent.id] });
    desk.admin().post("/api/v1/teams", &team).ok();
    with_chat(desk, |chat| chat.sites[0].team = "Payments".to_owned());
    let _lines = [&desk.people.agent, &desk.people.other_agent, &desk.people.manager]
        .map(|person| Listening::to(desk, &person.secret, "?topic=calls"));
    available(&desk.agent());
    available(&desk.other_agent());
    desk.manager().put("/api/v1/presence", json!({ "state": "away" })).ok();
    let (mut visitor, chat) = Visitor::ask(desk, json!({ "email": "ana@nordwind.example" }));
    let (agent, other, manager) = (&desk.people.agent.id, &desk.people.other_agent.id, &desk.people.manager.id);
    assert_eq!(offers(desk, &chat), [(agent.clone(), Value::Null, 1)], "the team alone");
    desk.set_time(at("2026-06-10T14:00:13Z"));
    assert_eq!(offers(desk, &chat).len(), 1);
    desk.set_time(at("2026-06-10T14:00:14Z"));
    let wide = offers(desk, &chat);
    assert_eq!(wide[0], (agent.clone(), json!("unanswered"), 1));
    let mut rung: Vec<&String> = wide[1..].iter().map(|offer| &offer.0).collect();
    rung.sort_unstable();
    let mut all = [agent, other, manager];
    all.sort_unstable();
    assert_eq!(rung, all, "everybody who is free, and a supervisor who is away");
    desk.set_time(at("2026-06-10T14:00:59Z"));
    assert_eq!(full(desk, &chat)["state"], "waiting");
    desk.set_time(at("2026-06-10T14:01:00Z"));
    visitor.socket.stands("missed");
    let ticket = ticket_of(desk, &chat);
    assert_eq!(promise(&ticket, "pickup")["breached_at"], "2026-06-10T14:00:20Z");
    let owed = promise(&ticket, "first_response");
    assert_eq!((&owed["started_at"], &owed["due_at"]), (&json!("2026-06-10T14:01:00Z"), &json!("2026-06-11T14:01:00Z")));
    assert!(offers(desk, &chat).iter().all(|offer| offer.1 == "unanswered"));
    desk.agent().post(&path(&chat, "/accept"), json!({})).refused(409, "chat_over");
    // The visitor leaves a message on the same ticket; the answer is mailed and keeps the promise.
    visitor.socket.tell(json!({ "type": "leave", "id": "01900000-0000-7000-8000-000000000002", "body": "Please write to me." }));
    visitor.socket.stands("left");
    let id = ticket["id"].as_str().unwrap();
    desk.agent().post(&format!("/api/v1/tickets/{id}/replies"), json!({ "body": "Here I am." })).ok();
    desk.settle();
    assert!(desk.mail_to("ana@nordwind.example").text.contains("Here I am."));
    assert_eq!(promise(&ticket_of(desk, &chat), "first_response")["verdict"], "met");
}

fn who_is_away_or_has_enough_is_not_rung(desk: &Desk) {
    with_chat(desk, |_| {});
    let _lines = [&desk.people.agent, &desk.people.other_agent].map(|person| Listening::to(desk, &person.secret, "?topic=calls"));
    let (agent, other) = (desk.agent(), desk.other_agent());
    agent.put("/api/v1/presence", json!({ "state": "available", "chats_max": 1 })).ok();
    other.put("/api/v1/presence", json!({ "state": "away" })).ok();
    let (_first, one) = Visitor::ask(desk, json!({}));
    let (_second, two) = Visitor::ask(desk, json!({}));
    assert_eq!(full(desk, &one)["ringing"], json!([desk.people.agent.id]));
    agent.post(&path(&one, "/accept"), json!({})).ok();
    agent.post(&path(&two, "/accept"), json!({})).refused(409, "at_capacity");
    desk.settle();
    assert_eq!(full(desk, &two)["ringing"], json!([]), "the offer returns when there is no room");
    available(&other);
    desk.settle();
    assert_eq!(full(desk, &two)["ringing"], json!([desk.people.other_agent.id]), "who becomes available is rung");
    other.post(&path(&two, "/decline"), json!({})).ok();
    other.post(&path(&two, "/decline"), json!({})).refused(409, "not_offered");
    agent.post(&path(&one, "/end"), json!({})).ok();
    desk.settle();
    assert_eq!(full(desk, &two)["ringing"], json!([desk.people.agent.id]), "who has room again is rung, who said no is not");
    agent.put("/api/v1/presence", json!({ "state": "offline" })).ok();
    desk.settle();
    let outcomes: Vec<Value> = offers(desk, &two).into_iter().map(|offer| offer.1).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == "returned").count(), 2, "{outcomes:?}");
}

fn the_place_in_the_queue_is_true(desk: &Desk) {
    with_chat(desk, |_| {});
    let mut queue: Vec<(Visitor, Value)> = Vec::new();
    for place in 1..=3 {
        desk.advance(TimeDelta::seconds(1));
        let asked = Visitor::ask(desk, json!({}));
        assert_eq!(asked.1["position"], place);
        queue.push(asked);
    }
    let board = desk.agent().get("/api/v1/wallboard").ok();
    assert_eq!((&board["chats"]["waiting"], &board["chats"]["longest_wait_seconds"]), (&json!(3), &json!(2)));
    // The second is taken: only the third moves up.
    desk.agent().post(&path(&queue[1].1, "/accept"), json!({})).ok();
    assert_eq!(queue[2].0.socket.of_type("chat")["position"], 2);
    let (mut first, _) = queue.remove(0);
    first.socket.tell(json!({ "type": "end" }));
    first.socket.stands("abandoned");
    assert_eq!(queue[1].0.socket.of_type("chat")["position"], 1);
    assert_eq!(desk.agent().get("/api/v1/wallboard").ok()["chats"]["waiting"], 1, "who went away does not wait");
}

fn who_goes_away_in_time_breaks_no_promise(desk: &Desk) {
    with_chat(desk, |_| {});
    let (visitor, chat) = Visitor::ask(desk, json!({}));
    let (back, kept) = Visitor::ask(desk, json!({}));
    desk.set_time(at("2026-06-10T14:00:03Z"));
    visitor.socket.cut();
    let signed = back.signed.clone();
    back.socket.cut();
    for gone in [&chat, &kept] {
        let is_gone = || full(desk, gone)["visitor_gone_at"] == "2026-06-10T14:00:03Z";
        crate::support::process::wait_for(std::time::Duration::from_secs(20), is_gone).expect("the desk notices");
    }
    // One comes back in time.
    let hello = json!({ "type": "hello", "visitor": signed, "chat": kept["id"], "after": 0 });
    let mut again = Visitor::hello(&desk.base(), hello);
    assert_eq!(again.socket.stands("waiting")["id"], kept["id"]);
    desk.set_time(at("2026-06-10T14:00:13Z"));
    let ended = full(desk, &chat);
    assert_eq!((&ended["state"], &ended["ended_at"]), (&json!("abandoned"), &json!("2026-06-10T14:00:03Z")));
    assert_eq!(full(desk, &kept)["state"], "waiting");
    desk.set_time(at("2026-06-10T14:01:00Z"));
    let pickup = promise(&ticket_of(desk, &chat), "pickup").clone();
    assert_eq!((&pickup["breached_at"], &pickup["reason"]), (&Value::Null, &json!("hung_up_in_time")), "{pickup}");
    assert_eq!(promise(&ticket_of(desk, &kept), "pickup")["breached_at"], "2026-06-10T14:00:20Z");
    assert!(offers(desk, &chat).iter().all(|offer| offer.1 == "withdrawn"));
}

fn a_message_that_is_left_is_owed_an_answer_within_a_day(desk: &Desk) {
    with_chat(desk, |_| {});
    desk.set_time(at("2026-06-11T01:30:00Z"));
    let mut visitor = Visitor::come(desk);
    assert_eq!(visitor.welcome["open"], false);
    visitor.socket.tell(json!({ "type": "ask" }));
    assert_eq!(visitor.socket.of_type("refused")["code"], "closed");
    let id = "01900000-0000-7000-8000-000000000003";
    let leave = |email: Value| json!({ "type": "leave", "id": id, "body": "Help at night", "email": email });
    visitor.socket.tell(leave(Value::Null));
    let refused = visitor.socket.of_type("refused");
    assert_eq!((&refused["id"], &refused["errors"][0]["field"]), (&json!(id), &json!("email")));
    visitor.socket.tell(leave(json!("no address")));
    assert_eq!(visitor.socket.of_type("refused")["errors"][0]["code"], "email");
    assert_eq!(desk.agent().get("/api/v1/tickets").ok()["items"], json!([]), "nothing was written");
    visitor.socket.tell(leave(json!("Ana@Nordwind.example")));
    let ack = visitor.socket.of_type("ack");
    assert_eq!((&ack["id"], &ack["seq"]), (&json!(id), &json!(1)));
    let chat = visitor.socket.stands("left");
    // The same again is the same.
    visitor.socket.tell(leave(json!("ana@nordwind.example")));
    visitor.socket.of_type("ack");
    let tickets = desk.agent().get("/api/v1/tickets").ok()["items"].clone();
    assert_eq!(tickets.as_array().unwrap().len(), 1);
    let ticket = ticket_of(desk, &chat);
    let (pickup, owed) = (promise(&ticket, "pickup"), promise(&ticket, "first_response"));
    assert_eq!(pickup["verdict"], "not_promised", "{pickup}");
    assert_eq!((&owed["due_at"], &ticket["messages"][0]["body"]), (&json!("2026-06-12T01:30:00Z"), &json!("Help at night")));
    let contact = desk.agent().get(&format!("/api/v1/contacts/{}", ticket["contact_id"].as_str().unwrap())).ok();
    assert_eq!(contact["emails"], json!(["ana@nordwind.example"]));
}

fn an_address_that_is_told_makes_a_contact(desk: &Desk) {
    with_chat(desk, |_| {});
    let (mut visitor, chat) = Visitor::ask(desk, json!({ "name": "Ana" }));
    assert_eq!(chat["has_address"], false);
    let before = ticket_of(desk, &chat)["contact_id"].clone();
    visitor.socket.tell(json!({ "type": "address", "email": "nobody" }));
    assert_eq!(visitor.socket.of_type("refused")["errors"][0]["field"], "email");
    visitor.socket.tell(json!({ "type": "address", "email": "ana@nordwind.example" }));
    assert_eq!(visitor.socket.of_type("chat")["has_address"], true);
    let after = ticket_of(desk, &chat)["contact_id"].clone();
    assert_ne!(before, after);
    assert_eq!(full(desk, &chat)["contact_id"], after);
    visitor.socket.tell(json!({ "type": "end" }));
    let chat = visitor.socket.stands("abandoned");
    assert_eq!(promise(&ticket_of(desk, &chat), "first_response")["due_at"], "2026-06-11T14:00:00Z", "they can be written to");
    // The next chat of this browser is the same person's.
    visitor.socket.tell(json!({ "type": "ask" }));
    let next = visitor.socket.stands("waiting");
    assert_eq!((&full(desk, &next)["contact_id"], next["id"] == chat["id"]), (&after, false));
}

fn a_silent_chat_ends_and_a_blocked_visitor_is_not_served(desk: &Desk) {
    with_chat(desk, |_| {});
    let (mut visitor, chat) = Visitor::ask(desk, json!({}));
    desk.agent().post(&path(&chat, "/accept"), json!({})).ok();
    visitor.socket.stands("active");
    desk.advance(TimeDelta::minutes(10));
    visitor.say("Still here");
    desk.advance(TimeDelta::seconds(899));
    assert_eq!(full(desk, &chat)["state"], "active");
    desk.advance(TimeDelta::seconds(1));
    let ended = full(desk, &chat);
    assert_eq!((&ended["state"], &ended["ended_by"]), (&json!("ended"), &json!("idle")));
    assert_eq!(ticket_of(desk, &chat)["status"], "open", "it stays with its agent");
    visitor.socket.stands("ended");
    visitor.socket.tell(json!({ "type": "ask" }));
    let next = visitor.socket.stands("waiting");
    desk.agent().put(&path(&next, "/block"), json!({ "blocked": true })).ok();
    visitor.socket.stands("abandoned");
    visitor.socket.tell(json!({ "type": "ask" }));
    assert_eq!(visitor.socket.of_type("refused")["code"], "blocked");
    desk.agent().put(&path(&next, "/block"), json!({ "blocked": false })).ok();
    visitor.socket.tell(json!({ "type": "ask" }));
    visitor.socket.stands("waiting");
}

fn lists_and_refusals(desk: &Desk) {
    with_chat(desk, |_| {});
    assert_eq!(desk.agent().get(CHATS).ok()["items"], json!([]));
    let mut visitors = Vec::new();
    for _ in 0..3 {
        desk.advance(TimeDelta::seconds(1));
        visitors.push(Visitor::ask(desk, json!({})));
    }
    let [one, two, three] = [0, 1, 2].map(|index: usize| visitors[index].1.clone());
    desk.agent().post(&path(&three, "/accept"), json!({})).ok();
    let listed = |query: &str| -> Vec<Value> {
        let page = desk.agent().get(&format!("{CHATS}{query}")).ok();
        page["items"].as_array().unwrap().iter().map(|chat| chat["id"].clone()).collect()
    };
    assert_eq!(listed(""), [three["id"].clone(), two["id"].clone(), one["id"].clone()]);
    assert_eq!(listed("?state=waiting"), [two["id"].clone(), one["id"].clone()]);
    assert_eq!(listed(&format!("?agent_id={}", desk.people.agent.id)), [three["id"].clone()]);
    let first = desk.agent().get(&format!("{CHATS}?limit=2")).ok();
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(listed(&format!("?limit=2&cursor={cursor}")), [one["id"].clone()]);
    desk.agent().post(&path(&one, "/messages"), json!({ "body": "Too early" })).refused(409, "not_accepted");
    desk.agent().post(&path(&one, "/end"), json!({})).refused(409, "not_accepted");
    desk.agent().post(&path(&three, "/messages"), json!({ "body": "" })).refuses_field("body");
    desk.agent().post(&path(&three, "/messages"), json!({ "body": " \n" })).refuses_field("body");
    desk.agent().post(&path(&three, "/messages"), json!({ "body": "x".repeat(4_001) })).refuses_field("body");
    let own = "01900000-0000-7000-8000-000000000004";
    let say = || desk.agent().post(&path(&three, "/messages"), json!({ "id": own, "body": "Once" })).ok();
    assert_eq!((say(), say()), (json!({ "id": own, "seq": 1 }), json!({ "id": own, "seq": 1 })));
    let said = desk.agent().get(&path(&three, "/messages")).ok();
    assert_eq!(said["items"].as_array().unwrap().len(), 1);
    let nothing = json!({ "id": "01900000-0000-7000-8000-000000000005" });
    for rest in ["/accept", "/decline", "/end"] {
        desk.agent().post(&path(&nothing, rest), json!({})).is(404);
    }
    desk.agent().get(&path(&nothing, "/messages")).is(404);
    desk.channel().post(&path(&three, "/accept"), json!({})).refused(403, "missing_right");
}
