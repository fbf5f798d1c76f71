//! What the end of a chat means for its ticket: done, by whomever it ended, unless something is left to do.
use crate::support::process::wait_for;
use crate::support::websocket::{Visitor, with_chat};
use crate::support::{Desk, Test, given, tests};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::time::Duration;

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_visitor_who_is_done_closes_the_ticket_and_is_asked_how_it_was,
    without_an_address_nobody_is_asked,
    what_an_agent_set_aside_or_cannot_close_stays_open,
    a_silence_closes_what_is_answered_and_keeps_what_is_owed,
    a_visitor_who_was_lost_and_was_answered_is_done,
    an_agent_says_whether_the_ticket_stays_open,
];

const EMAIL: &str = "ana@nordwind.example";

#[track_caller]
fn talking(desk: &Desk, more: Value) -> (Visitor, Value) {
    let (mut visitor, chat) = Visitor::ask(desk, more);
    desk.agent().post(&path(&chat, "/accept"), json!({})).ok();
    visitor.socket.stands("active");
    (visitor, chat)
}

fn path(chat: &Value, rest: &str) -> String {
    format!("/api/v1/chats/{}{rest}", chat["id"].as_str().unwrap())
}

#[track_caller]
fn answer(desk: &Desk, chat: &Value) {
    desk.agent().post(&path(chat, "/messages"), json!({ "body": "It is on its way." })).ok();
}

#[track_caller]
fn ticket_of(desk: &Desk, chat: &Value) -> Value {
    let id = desk.agent().get(&path(chat, "")).ok()["ticket_id"].as_str().unwrap().to_owned();
    desk.agent().get(&format!("/api/v1/tickets/{id}")).ok()
}

#[track_caller]
fn end(visitor: &mut Visitor) {
    visitor.socket.tell(json!({ "type": "end" }));
    visitor.socket.stands("ended");
}

/// Events of a ticket, the oldest first: kind, actor, data.
#[track_caller]
fn history(desk: &Desk, ticket: &Value) -> Vec<(String, Value, Value)> {
    let page = desk.agent().get(&given::path(ticket, "/history")).ok();
    let of = |event: &Value| (event["kind"].as_str().unwrap().to_owned(), event["actor"].clone(), event["data"].clone());
    page["items"].as_array().unwrap().iter().map(of).collect()
}

fn a_visitor_who_is_done_closes_the_ticket_and_is_asked_how_it_was(desk: &Desk) {
    with_chat(desk, |_| {});
    let (mut visitor, chat) = talking(desk, json!({ "name": "Ana", "email": EMAIL, "body": "Where is it?" }));
    desk.advance(TimeDelta::seconds(30));
    answer(desk, &chat);
    end(&mut visitor);
    let ticket = ticket_of(desk, &chat);
    assert_eq!((&ticket["status"], &ticket["closed_at"]), (&json!("closed"), &json!("2026-06-10T14:00:30Z")));
    let told = history(desk, &ticket);
    let closed = told.iter().find(|event| event.0 == "ticket_closed").unwrap();
    let agent = &desk.people.agent.id;
    assert_eq!((&closed.1, &closed.2), (&json!("contact"), &json!({ "close_number": 1, "agent_id": agent })), "who ended it");
    let mut runs = ticket["clocks"].as_array().unwrap().iter().filter(|clock| clock["verdict"] == "running");
    assert_eq!(runs.next(), None, "no promise runs on");
    // Once more is nothing: neither another close nor another letter.
    visitor.socket.tell(json!({ "type": "end" }));
    desk.agent().post(&path(&chat, "/end"), json!({})).ok();
    assert_eq!(ticket_of(desk, &chat)["version"], ticket["version"]);
    desk.advance(TimeDelta::hours(3));
    assert!(desk.mail_to(EMAIL).text.contains("Chat with Ana"));
    let survey = ticket_of(desk, &chat)["surveys"][0].clone();
    assert_eq!(survey["outcome"], "sent");
    // An export names whose work it was.
    let file = desk.admin().get("/api/v1/exports/tickets.jsonl");
    let line: Value = serde_json::from_str(file.text.lines().next().unwrap()).unwrap();
    let closed = line["history"].as_array().unwrap().iter().find(|one| one["what"] == "closed").expect("the close is exported");
    assert_eq!(closed["agent"], "amir.agent@desk.test");
    // Whoever goes on after all opens it again: the next chat is a new one, and its ticket too.
    visitor.socket.tell(json!({ "type": "ask" }));
    let next = visitor.socket.stands("waiting");
    assert_ne!(ticket_of(desk, &next)["id"], ticket["id"]);
}

fn without_an_address_nobody_is_asked(desk: &Desk) {
    with_chat(desk, |_| {});
    let (mut visitor, chat) = talking(desk, json!({}));
    end(&mut visitor);
    desk.advance(TimeDelta::hours(3));
    let ticket = ticket_of(desk, &chat);
    assert_eq!((&ticket["status"], &ticket["surveys"][0]["outcome"]), (&json!("closed"), &json!("skipped_no_email")));
    assert!(desk.mails().is_empty());
}

fn what_an_agent_set_aside_or_cannot_close_stays_open(desk: &Desk) {
    with_chat(desk, |_| {});
    let (mut visitor, chat) = talking(desk, json!({ "email": EMAIL }));
    let ticket = ticket_of(desk, &chat);
    desk.agent().patch(&given::path(&ticket, ""), json!({ "status": "on_hold" })).ok();
    end(&mut visitor);
    assert_eq!(ticket_of(desk, &chat)["status"], "on_hold", "a third party is still waited for");
    // What is not asked for yet does not keep the visitor from leaving, and stays to be done.
    let field = json!({ "key": "cause", "label": "Cause", "type": "text", "required_to_close": true });
    desk.admin().post("/api/v1/fields", field).ok();
    visitor.socket.tell(json!({ "type": "ask" }));
    let second = visitor.socket.stands("waiting");
    desk.agent().post(&path(&second, "/accept"), json!({})).ok();
    end(&mut visitor);
    assert_eq!(ticket_of(desk, &second)["status"], "open");
    // Who never was picked up is not done either.
    visitor.socket.tell(json!({ "type": "ask" }));
    let third = visitor.socket.stands("waiting");
    visitor.socket.tell(json!({ "type": "end" }));
    visitor.socket.stands("abandoned");
    assert_eq!(ticket_of(desk, &third)["status"], "open");
    desk.advance(TimeDelta::hours(3));
    assert!(desk.mails().is_empty(), "nothing was closed, nobody is asked");
}

fn a_silence_closes_what_is_answered_and_keeps_what_is_owed(desk: &Desk) {
    with_chat(desk, |_| {});
    let (mut visitor, answered) = talking(desk, json!({ "body": "Where is it?" }));
    answer(desk, &answered);
    let (mut other, owed) = talking(desk, json!({ "body": "And mine?" }));
    desk.advance(TimeDelta::minutes(15));
    visitor.socket.stands("ended");
    other.socket.stands("ended");
    let ticket = ticket_of(desk, &answered);
    assert_eq!((&ticket["status"], ticket_of(desk, &owed)["status"].as_str()), (&json!("closed"), Some("open")));
    let told = history(desk, &ticket);
    let closed = told.iter().find(|event| event.0 == "ticket_closed").unwrap();
    assert_eq!(closed.1, "desk", "by itself");
}

fn a_visitor_who_was_lost_and_was_answered_is_done(desk: &Desk) {
    with_chat(desk, |_| {});
    let (visitor, chat) = talking(desk, json!({ "body": "Where is it?" }));
    answer(desk, &chat);
    let mut visitor = visitor;
    visitor.say("Thanks!");
    visitor.socket.cut();
    let is_gone = || desk.agent().get(&path(&chat, "")).ok()["visitor_gone_at"].is_string();
    wait_for(Duration::from_secs(20), is_gone).expect("the desk notices");
    desk.advance(TimeDelta::seconds(899));
    assert_eq!(ticket_of(desk, &chat)["status"], "open", "they may come back");
    desk.advance(TimeDelta::seconds(1));
    assert_eq!(ticket_of(desk, &chat)["status"], "closed");
}

fn an_agent_says_whether_the_ticket_stays_open(desk: &Desk) {
    with_chat(desk, |_| {});
    let (mut visitor, kept) = talking(desk, json!({ "email": EMAIL }));
    desk.agent().post(&path(&kept, "/end"), json!({ "close_ticket": false })).ok();
    visitor.socket.stands("ended");
    assert_eq!(ticket_of(desk, &kept)["status"], "open");
    desk.agent().post(&path(&kept, "/end"), json!({})).ok();
    assert_eq!(ticket_of(desk, &kept)["status"], "closed", "later, after all");
    // The figures count one close and one invitation.
    desk.advance(TimeDelta::hours(3));
    let report = desk.manager().get("/api/v1/reports/surveys?from=2026-06-01&to=2026-07-01").ok();
    assert_eq!((&report["total"]["closes"], &report["total"]["letters"]["sent"]), (&json!(1), &json!(1)));
}
