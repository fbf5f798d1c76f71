//! Answers to surveys that come by mail: kept, queued, and counted only once a person has confirmed them.
use crate::inbound::{INBOUND, TICKETS, hand_over, held, mail, mailbox, texts, tickets, whole};
use crate::support::lmtp::listen;
use crate::support::{Desk, Test, tests};
use crate::surveys::{press, responses};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_number_by_mail_counts_once_a_person_has_confirmed_it,
    words_reopen_the_ticket_and_a_person_gives_the_number,
    a_dismissed_mail_counts_nowhere,
    only_who_was_asked_answers_without_the_signed_address,
    a_mail_counts_as_the_button_would_have,
    an_answer_to_a_wave_makes_no_ticket,
    an_erasure_takes_the_words_and_leaves_the_row,
];

const ALL: &str = "/api/v1/surveys/mail-answers";
const ANA: &str = "ana@nordwind.example";

/// A ticket of Ana's that Amir closed and that she was asked about: the way in, the ticket, and where an answer goes.
#[track_caller]
fn asked(desk: &Desk) -> (PathBuf, Value, String) {
    let address = mailbox(desk, "support", None);
    let path = listen(desk);
    hand_over(desk, &path, &address, &mail(ANA, &address, "Transfer", "", "It is stuck."));
    let ticket = tickets(desk)[0].clone();
    let id = ticket["id"].as_str().unwrap();
    desk.agent().put(&format!("{TICKETS}/{id}/assignee"), json!({ "agent_id": desk.people.agent.id })).ok();
    desk.agent().post(&format!("{TICKETS}/{id}/closure"), json!({})).ok();
    desk.advance(TimeDelta::hours(4));
    let survey = desk.mail_to(ANA);
    assert!(survey.mail_from.starts_with("support+s") && survey.header("reply-to").contains("support+s"), "{}", survey.raw);
    (path, ticket, survey.mail_from)
}

#[track_caller]
fn queued(desk: &Desk, query: &str) -> Vec<Value> {
    desk.agent().get(&format!("{ALL}?{query}")).ok()["items"].as_array().unwrap().clone()
}

fn verb(answer: &Value, verb: &str) -> String {
    format!("{ALL}/{}/{verb}", answer["id"].as_str().unwrap())
}

/// Answers in the figure, and what the funnel says of them.
fn counted(desk: &Desk, kind: &str) -> (u64, u64) {
    let period = format!("from=2026-06-01T00:00:00Z&to=2026-08-01T00:00:00Z&kind={kind}");
    let nps = desk.manager().get(&format!("/api/v1/reports/nps?{period}")).ok();
    let funnel = desk.manager().get(&format!("/api/v1/reports/surveys?{period}")).ok();
    (nps["total"]["n"].as_u64().unwrap(), funnel["total"]["letters"]["answered"].as_u64().unwrap())
}

fn a_number_by_mail_counts_once_a_person_has_confirmed_it(desk: &Desk) {
    let (path, ticket, to) = asked(desk);
    let away = "Auto-Submitted: auto-replied\r\n";
    hand_over(desk, &path, &to, &mail(ANA, &to, "Out of office", away, "9, but I am away."));
    assert_eq!(
        (queued(desk, ""), &whole(desk, &ticket)["status"]),
        (vec![], &json!("closed")),
        "a machine does nothing but show"
    );
    let came_at = desk.now();
    hand_over(desk, &path, &to, &mail(ANA, &to, "Re: How did we do?", "", "9, thanks"));
    let seen = whole(desk, &ticket);
    assert_eq!((texts(&seen).last(), &seen["status"]), (Some(&("inbound", "9, thanks")), &json!("closed")));
    let waiting = queued(desk, "state=waiting");
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    let answer = &waiting[0];
    assert_eq!((&answer["score"], &answer["text"], &answer["sender"]), (&json!(9), &json!("9, thanks"), &json!(ANA)));
    assert_eq!((&answer["ticket_id"], &answer["message_id"]), (&ticket["id"], &seen["messages"][2]["id"]));
    assert!(answer["due_at"].is_string() && answer["is_overdue"] == false, "{answer}");
    assert_eq!((counted(desk, "transactional"), responses(desk, "").len()), ((0, 0), 0));
    // Nobody judges an answer about their own work, and no machine does.
    let confirm = verb(answer, "confirmation");
    desk.agent().post(&confirm, json!({})).refused(409, "own_ticket");
    desk.agent().post(&verb(answer, "dismissal"), json!({})).refused(409, "own_ticket");
    desk.channel().post(&confirm, json!({})).refused(403, "missing_right");
    desk.other_agent().post(&confirm, json!({ "score": 11 })).refuses_field("score");
    desk.other_agent().post(&confirm, json!({ "rating": 9 })).is(422);
    desk.agent().get(&format!("{ALL}/{}", desk.people.agent.id)).is(404);
    assert_eq!(counted(desk, "transactional"), (0, 0));
    desk.advance(TimeDelta::hours(1));
    let keyed = desk.other_agent().with("Idempotency-Key", "one");
    let done = keyed.post(&confirm, json!({})).ok();
    assert_eq!(keyed.post(&confirm, json!({})).ok(), done);
    assert_eq!((&done["state"], &done["decided_by"]), (&json!("confirmed"), &json!(desk.people.other_agent.id)));
    let all = responses(desk, "");
    assert_eq!((all.len(), &all[0]["id"], &all[0]["score"]), (1, &done["response_id"], &json!(9)));
    assert_eq!((&all[0]["flags"], &all[0]["confirmation"]), (&json!(["by_mail"]), &json!("confirmed")));
    assert_eq!((&all[0]["review"]["state"], &all[0]["comment"]), (&json!("new"), &json!("9, thanks")));
    assert_eq!(crate::support::desk::at(all[0]["answered_at"].as_str().unwrap()), came_at);
    assert_eq!(counted(desk, "transactional"), (1, 1));
    desk.other_agent().post(&confirm, json!({})).refused(409, "already_confirmed");
    desk.other_agent().post(&verb(answer, "dismissal"), json!({})).refused(409, "already_confirmed");
    assert_eq!(whole(desk, &ticket)["surveys"][0]["score"], 9);
    let history = desk.agent().get(&format!("{TICKETS}/{}/history", ticket["id"].as_str().unwrap())).ok().to_string();
    for kind in ["survey_answered_by_mail", "answer_decided", "survey_answered"] {
        assert!(history.contains(&format!("\"{kind}\"")), "{history}");
    }
    assert!(desk.admin().get("/api/v1/audit").text.contains("mail_answer"));
    // It can be taken back like any answer that a person let count.
    let rejected = format!("/api/v1/surveys/responses/{}/confirmation", all[0]["id"].as_str().unwrap());
    desk.other_agent().post(&rejected, json!({ "decision": "rejected" })).ok();
    assert_eq!(counted(desk, "transactional").0, 0);
}

fn words_reopen_the_ticket_and_a_person_gives_the_number(desk: &Desk) {
    let (path, ticket, to) = asked(desk);
    hand_over(desk, &path, &to, &mail(ANA, &to, "Re: How did we do?", "", "Two, as it is stuck again since day 3."));
    assert_eq!(whole(desk, &ticket)["status"], "open", "it may ask for something");
    let answer = &queued(desk, "state=waiting")[0];
    assert_eq!(answer["score"], Value::Null);
    let confirm = verb(answer, "confirmation");
    desk.other_agent().post(&confirm, json!({})).refuses_field("score");
    assert_eq!(counted(desk, "transactional"), (0, 0));
    assert_eq!(desk.other_agent().post(&confirm, json!({ "score": 2 })).ok()["score"], 2);
    assert_eq!(counted(desk, "transactional"), (1, 1));
    let followups = desk.agent().get("/api/v1/surveys/followups").ok();
    assert_eq!(followups["items"][0]["score"], 2, "a detractor is spoken to");
}

fn a_dismissed_mail_counts_nowhere(desk: &Desk) {
    let (path, ticket, to) = asked(desk);
    for (subject, text) in [("One", "9"), ("Two", "Thanks!")] {
        hand_over(desk, &path, &to, &mail(ANA, &to, subject, "", text));
    }
    let page = desk.agent().get(&format!("{ALL}?limit=1")).ok();
    let next = format!("limit=1&cursor={}", page["next_cursor"].as_str().unwrap());
    let thanks = queued(desk, &next)[0].clone();
    assert_eq!((&page["items"][0]["text"], &thanks["text"]), (&json!(""), &json!("Thanks!")));
    assert_eq!(desk.other_agent().post(&verb(&thanks, "dismissal"), json!({})).ok()["state"], "dismissed");
    desk.other_agent().post(&verb(&thanks, "dismissal"), json!({})).refused(409, "already_dismissed");
    assert_eq!((queued(desk, "state=waiting").len(), queued(desk, "state=dismissed").len()), (1, 1));
    assert_eq!((counted(desk, "transactional"), responses(desk, "").len()), ((0, 0), 0));
    assert_eq!(whole(desk, &ticket)["surveys"][0]["score"], Value::Null);
    // A second look finds otherwise.
    desk.other_agent().post(&verb(&thanks, "confirmation"), json!({ "score": 10 })).ok();
    assert_eq!(counted(desk, "transactional"), (1, 1));
}

fn only_who_was_asked_answers_without_the_signed_address(desk: &Desk) {
    let (path, ticket, _) = asked(desk);
    let address = format!("support@{}", desk.domain);
    let answers = format!("In-Reply-To: {}\r\n", desk.mail_to(ANA).header("message-id"));
    hand_over(desk, &path, &address, &mail("eve@elsewhere.example", &address, "Hello", &answers, "0, bad"));
    assert_eq!((queued(desk, ""), texts(&whole(desk, &ticket)).len(), tickets(desk).len()), (vec![], 1, 2));
    hand_over(desk, &path, &address, &mail(ANA, &address, "Re: this", &answers, "10!"));
    assert_eq!((queued(desk, "")[0]["score"].clone(), tickets(desk).len()), (json!(10), 2));
}

fn a_mail_counts_as_the_button_would_have(desk: &Desk) {
    let (path, _, to) = asked(desk);
    let link = desk.mail_to(ANA).links().into_iter().find(|link| link.contains("/survey/") && !link.contains('?')).unwrap();
    let page = link.strip_prefix(&desk.base()).unwrap();
    hand_over(desk, &path, &to, &mail(ANA, &to, "First", "", "3"));
    desk.advance(TimeDelta::minutes(5));
    press(desk, page, "8", "better now").is(303);
    desk.advance(TimeDelta::minutes(5));
    hand_over(desk, &path, &to, &mail(ANA, &to, "Second", "", "9, in the end"));
    desk.advance(TimeDelta::hours(24));
    hand_over(desk, &path, &to, &mail(ANA, &to, "Third", "", "1"));
    desk.advance(TimeDelta::days(14));
    hand_over(desk, &path, &to, &mail(ANA, &to, "Fourth", "", "2"));
    let all = queued(desk, "");
    let confirm = |at: usize| desk.other_agent().post(&verb(&all[at], "confirmation"), json!({}));
    confirm(0).refused(409, "answered_since");
    confirm(2).refused(409, "edit_time_over");
    confirm(3).refused(409, "survey_ended");
    assert_eq!(responses(desk, "")[0]["score"], 8);
    confirm(1).ok();
    let answer = responses(desk, "")[0].clone();
    assert_eq!((&answer["score"], &answer["revision"]), (&json!(9), &json!(2)));
    assert_eq!((responses(desk, "").len(), counted(desk, "transactional").0), (1, 1));
}

fn an_answer_to_a_wave_makes_no_ticket(desk: &Desk) {
    let address = mailbox(desk, "support", None);
    let path = listen(desk);
    desk.agent().post("/api/v1/contacts", json!({ "name": "Ana Castro", "emails": [ANA] })).is(201);
    let wave = desk.manager().post("/api/v1/surveys/waves", json!({ "quarter": "2026-Q2", "active_days": null })).id();
    desk.manager().post(&format!("/api/v1/surveys/waves/{wave}/start"), json!({})).ok();
    desk.settle();
    while desk.mails_to(ANA).is_empty() && desk.now() < crate::support::desk::at("2026-07-01T00:00:00Z") {
        desk.advance(TimeDelta::hours(12));
    }
    let letter = desk.mail_to(ANA);
    let to = letter.mail_from.clone();
    assert!(to.starts_with("support+s"), "{}", letter.raw);
    hand_over(desk, &path, &to, &mail(ANA, &to, "Away", "Auto-Submitted: auto-replied\r\n", "I am away."));
    let answers = format!("In-Reply-To: {}\r\n", letter.header("message-id"));
    hand_over(desk, &path, &address, &mail(ANA, &address, "Re: One question", &answers, "7, all in all"));
    let found = queued(desk, "");
    assert_eq!((found.len(), tickets(desk).len(), held(desk).len()), (1, 0, 0));
    let answer = &found[0];
    assert_eq!((&answer["kind"], &answer["wave_id"], &answer["score"]), (&json!("relationship"), &json!(wave), &json!(7)));
    assert_eq!((&answer["ticket_id"], &answer["message_id"]), (&Value::Null, &Value::Null));
    let kept = desk.agent().get(&format!("{INBOUND}/{}", answer["mail_id"].as_str().unwrap())).ok();
    assert_eq!((&kept["state"], &kept["reason"]), (&json!("filed"), &json!("survey_answer")));
    assert_eq!(counted(desk, "relationship"), (0, 0));
    desk.agent().post(&verb(answer, "confirmation"), json!({})).ok();
    assert_eq!((counted(desk, "relationship"), counted(desk, "transactional").0), ((1, 1), 0));
}

fn an_erasure_takes_the_words_and_leaves_the_row(desk: &Desk) {
    let (path, ticket, to) = asked(desk);
    hand_over(desk, &path, &to, &mail(ANA, &to, "Re: How did we do?", "", "4, too slow"));
    let contact = format!("/api/v1/contacts/{}", ticket["contact_id"].as_str().unwrap());
    let known = desk.manager().get(&format!("{contact}/export")).ok();
    assert_eq!(known["surveys"][0]["by_mail"][0]["text"], "4, too slow", "{}", known["surveys"]);
    desk.admin().post(&format!("{contact}/erasure"), json!({})).ok();
    desk.settle();
    let answer = queued(desk, "")[0].clone();
    assert_eq!((&answer["text"], &answer["sender"]), (&json!("(erased)"), &json!("erased@invalid")));
    assert_eq!((&answer["score"], &answer["state"]), (&json!(4), &json!("waiting")));
}
