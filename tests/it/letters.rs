//! Replies as letters: Markdown, copies, signatures, undo, and mailboxes that send through servers of their own.
use crate::attachments::upload;
use crate::inbound::{TICKETS, hand_over, mail, mailbox, texts, tickets, whole};
use crate::support::desk::at;
use crate::support::given::{call, close, email_ticket, path};
use crate::support::lmtp::listen;
use crate::support::{Desk, Test, servers, smtp, tests};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    markdown_goes_out_as_text_and_as_harmless_html,
    a_team_signs_its_replies,
    who_has_a_copy_gets_the_letter_and_may_answer,
    a_thread_keeps_its_subject_and_names_all_of_it,
    a_reply_waits_and_can_be_taken_back,
    a_reply_taken_back_lets_its_alert_climb_again,
    a_reply_that_is_out_cannot_be_taken_back,
    only_its_author_takes_a_reply_back,
    a_mailbox_sends_through_its_own_server,
];

const ANA: &str = "ana@nordwind.example";

#[track_caller]
fn reply(desk: &Desk, ticket: &Value, said: Value) -> Value {
    desk.agent().post(&path(ticket, "/replies"), said).ok();
    whole(desk, ticket)["messages"].as_array().unwrap().last().unwrap().clone()
}

fn undo(message: &Value) -> String {
    format!("/api/v1/messages/{}/undo", message["id"].as_str().unwrap())
}

fn markdown_goes_out_as_text_and_as_harmless_html(desk: &Desk) {
    let ticket = email_ticket(desk, ANA);
    let body = "Hello **Ana**,\nplease:\n\n1. open [the panel](https://panel.example/?a=1&b=2)\n2. [not this](javascript:alert(1))\n\n\
                <img src=\"https://evil.example/x.gif\"> ![pixel](https://evil.example/p.gif)";
    let file = upload(&desk.agent(), "scan.pdf", "application/pdf", b"the scan").id();
    reply(desk, &ticket, json!({ "body": body, "attachments": [file] }));
    desk.settle();
    let letter = desk.mail_to(ANA);
    assert!(letter.text.contains("Hello **Ana**,\nplease:\n"), "{}", letter.text);
    let html = letter.html.replace('\n', "");
    for part in
        ["Hello <strong>Ana</strong>,<br>please:", "<ol>", "<a href=\"https://panel.example/?a=1&amp;b=2\"", "&lt;img src="]
    {
        assert!(html.contains(part), "{part}: {html}");
    }
    for part in ["javascript:", "<img src=\"https", "src=\"https://evil", "<script"] {
        assert!(!html.contains(&format!("href=\"{part}")) && !html.contains(&format!("<{part}")), "{part}: {html}");
    }
    assert!(!html.contains("src=\"https://evil.example/p.gif\""), "nothing is loaded: {html}");
    assert!(letter.raw.contains("filename=\"scan.pdf\"") && letter.header("content-type").contains("multipart/mixed"));
}

fn a_team_signs_its_replies(desk: &Desk) {
    let new = json!({ "name": "Payments", "signature": "Payments <billing>\n+1 416 555 0100" });
    let made = desk.admin().post("/api/v1/teams", new);
    let team = made.id();
    assert_eq!(made.json["signature"], "Payments <billing>\n+1 416 555 0100");
    let ticket = email_ticket(desk, ANA);
    reply(desk, &ticket, json!({ "body": "One." }));
    desk.settle();
    desk.agent().put(&path(&ticket, "/team"), json!({ "team_id": team })).ok();
    reply(desk, &ticket, json!({ "body": "Two." }));
    desk.settle();
    let letters = desk.mails_to(ANA);
    assert!(letters[0].text.contains("Amir Agent\nExample Hosting\n"), "{}", letters[0].text);
    assert!(letters[1].text.contains("Two.\n\nAmir Agent\nPayments <billing>\n+1 416 555 0100\n"), "{}", letters[1].text);
    assert!(letters[1].html.contains("Payments &#60;billing&#62;<br>+1 416 555 0100"), "{}", letters[1].html);
    let one = format!("/api/v1/teams/{team}");
    assert_eq!(desk.admin().with("If-Match", "\"1\"").patch(&one, json!({ "signature": "" })).ok()["signature"], "");
    desk.admin().patch(&one, json!({ "signature": "x".repeat(1_001) })).refuses_field("signature");
}

fn who_has_a_copy_gets_the_letter_and_may_answer(desk: &Desk) {
    let address = mailbox(desk, "support", None);
    let way = listen(desk);
    hand_over(desk, &way, &address, &mail(ANA, &address, "Transfer", "", "It is stuck."));
    let ticket = tickets(desk)[0].clone();
    let cc = json!(["Bo@Nordwind.example", "bo@nordwind.example", ANA]);
    let message = reply(desk, &ticket, json!({ "body": "It moves.", "cc": cc }));
    assert_eq!(message["cc"], json!(["bo@nordwind.example"]), "each once, and not the contact");
    desk.settle();
    let letter = desk.mail_to("bo@nordwind.example");
    assert_eq!((letter.rcpt_tos.len(), letter.header("cc")), (2, "bo@nordwind.example"));
    let listed = desk.manager().get("/api/v1/mails").ok();
    assert_eq!(listed["items"][0]["cc"], json!(["bo@nordwind.example"]));
    let answers = format!("In-Reply-To: {}\r\n", letter.header("message-id"));
    hand_over(desk, &way, &address, &mail("bo@nordwind.example", &address, "Re", &answers, "Thank you."));
    assert_eq!(texts(&whole(desk, &ticket)).last(), Some(&("inbound", "Thank you.")));
    let path_of = path(&ticket, "/replies");
    desk.agent().post(&path_of, json!({ "body": "x", "cc": ["nobody"] })).refuses_field("cc[0]");
    desk.agent().post(&path_of, json!({ "body": "x", "cc": vec!["a@b.example"; 21] })).refuses_field("cc");
    desk.agent().post(&path_of, json!({ "body": "x", "cc": ["a@b.example\r\nBcc: c@d.example"] })).refuses_field("cc[0]");
    let phoned = call(desk, "+4930123456", "2026-06-10T14:00:00Z");
    desk.agent().post(&path(&phoned, "/replies"), json!({ "body": "x", "cc": ["a@b.example"] })).refuses_field("cc");
    desk.settle();
    assert_eq!(desk.mails().len(), 1, "what was refused is not sent");
}

fn a_thread_keeps_its_subject_and_names_all_of_it(desk: &Desk) {
    let address = mailbox(desk, "support", None);
    let way = listen(desk);
    hand_over(desk, &way, &address, &mail(ANA, &address, "AW: Re: Transfer", "", "It is stuck."));
    let ticket = tickets(desk)[0].clone();
    let mut known: Vec<String> = vec!["<AWReTransfer@nordwind.example>".to_owned()];
    for round in 0..3 {
        reply(desk, &ticket, json!({ "body": "It moves." }));
        desk.settle();
        let letter = desk.mails_to(ANA).pop().unwrap();
        assert_eq!(letter.subject, format!("Re: Transfer [#{}]", ticket["number"]));
        assert_eq!(letter.header("references").split_whitespace().collect::<Vec<_>>(), known);
        assert_eq!(letter.header("in-reply-to"), known.last().unwrap());
        assert!(!letter.text.contains("It is stuck."), "what the contact wrote is in their mail program");
        known.push(letter.header("message-id").to_owned());
        let (answers, subject) = (format!("In-Reply-To: {}\r\n", known.last().unwrap()), format!("Re: round {round}"));
        hand_over(desk, &way, &address, &mail(ANA, &address, &subject, &answers, "Not yet."));
        known.push(format!("<Reround{round}@nordwind.example>"));
    }
    assert_eq!(tickets(desk).len(), 1);
}

fn first_response(desk: &Desk, ticket: &Value) -> Value {
    let clocks = whole(desk, ticket)["clocks"].as_array().unwrap().clone();
    clocks.into_iter().find(|clock| clock["metric"] == "first_response").unwrap()
}

fn a_reply_waits_and_can_be_taken_back(desk: &Desk) {
    desk.restart(|config| config.mail.undo_seconds = 10);
    let ticket = email_ticket(desk, ANA);
    let before = first_response(desk, &ticket);
    desk.advance(TimeDelta::hours(1));
    let message = reply(desk, &ticket, json!({ "body": "Oh no." }));
    assert_eq!(first_response(desk, &ticket)["verdict"], "met");
    desk.advance(TimeDelta::seconds(9));
    assert!(desk.mails().is_empty(), "it waits");
    let keyed = desk.agent().with("Idempotency-Key", "undo-1");
    keyed.post(&undo(&message), json!({})).ok();
    keyed.post(&undo(&message), json!({})).ok();
    let seen = whole(desk, &ticket);
    let note = &seen["messages"][1];
    assert_eq!((&note["kind"], &note["mail_message_id"], &note["body"]), (&json!("note"), &Value::Null, &json!("Oh no.")));
    assert!(note["undone_at"].is_string(), "{note}");
    let after = first_response(desk, &ticket);
    assert_eq!((&after["due_at"], &after["reached_at"]), (&before["due_at"], &Value::Null), "{after}");
    let history = desk.agent().get(&path(&ticket, "/history")).text;
    assert!(history.contains("reply_undone") && history.contains("clock_corrected"), "{history}");
    desk.agent().post(&undo(&message), json!({})).refused(409, "not_a_reply");
    desk.advance(TimeDelta::minutes(1));
    assert!(desk.mails().is_empty(), "it never goes out");
    let cancelled = desk.manager().get("/api/v1/mails?state=cancelled").ok();
    assert_eq!(cancelled["items"].as_array().unwrap().len(), 1);
    // The next one is the first response, and its letter does not name the other one.
    reply(desk, &ticket, json!({ "body": "Oh yes." }));
    desk.advance(TimeDelta::seconds(10));
    let letter = desk.mail_to(ANA);
    assert!(letter.text.contains("Oh yes.") && !letter.has_header("references"), "{}", letter.raw);
    assert_eq!(first_response(desk, &ticket)["verdict"], "met");
    assert!(desk.agent().get(&path(&ticket, "/sla")).ok().is_object());
    // What would have been broken meanwhile is broken.
    let late = email_ticket(desk, "bo@nordwind.example");
    desk.advance(TimeDelta::hours(24) - TimeDelta::seconds(5));
    let message = reply(desk, &late, json!({ "body": "Just in time." }));
    desk.only_set_clock(desk.now() + TimeDelta::seconds(8));
    desk.agent().post(&undo(&message), json!({})).ok();
    assert_eq!(first_response(desk, &late)["verdict"], "breached");
}

fn a_reply_taken_back_lets_its_alert_climb_again(desk: &Desk) {
    desk.restart(|config| config.mail.undo_seconds = 10);
    let ticket = email_ticket(desk, ANA);
    desk.agent().put(&path(&ticket, "/assignee"), json!({ "agent_id": desk.people.agent.id })).ok();
    let open = || desk.agent().get("/api/v1/alerts").ok()["items"].as_array().unwrap().clone();
    let told = |subject: &str| {
        let letters = desk.mails_to("amir.agent@desk.test");
        letters.iter().filter(|letter| letter.subject.starts_with(subject)).count()
    };
    // Warned: what was ended by the reply is told again, and becomes a breach as if nothing had been said.
    desk.set_time(at("2026-06-11T12:30:00Z"));
    assert_eq!((open().len(), told("Promise at risk")), (1, 1));
    let message = reply(desk, &ticket, json!({ "body": "Oh no." }));
    assert_eq!(open(), Vec::<Value>::new());
    desk.advance(TimeDelta::seconds(5));
    desk.agent().post(&undo(&message), json!({})).ok();
    desk.settle();
    let again = open();
    assert_eq!((again.len(), &again[0]["level"], told("Promise at risk")), (1, &json!("warning"), 2));
    desk.set_time(at("2026-06-11T14:01:00Z"));
    assert_eq!((open()[0]["level"].clone(), told("Promise broken")), (json!("breach"), 1));
    // Broken: the same, up to the managers.
    let message = reply(desk, &ticket, json!({ "body": "Oh no." }));
    assert_eq!(open(), Vec::<Value>::new());
    desk.advance(TimeDelta::seconds(5));
    desk.agent().post(&undo(&message), json!({})).ok();
    desk.settle();
    assert_eq!((open()[0]["level"].clone(), open().len(), told("Promise broken")), (json!("breach"), 1, 2));
    desk.advance(TimeDelta::minutes(16));
    assert!(desk.mails_to("mary.manager@desk.test").iter().any(|letter| letter.subject.starts_with("Promise broken")));
    // One that was in time raises none.
    reply(desk, &ticket, json!({ "body": "Oh yes." }));
    desk.advance(TimeDelta::seconds(20));
    assert_eq!(open(), Vec::<Value>::new());
    crate::replay::all(desk);
}

fn a_reply_that_is_out_cannot_be_taken_back(desk: &Desk) {
    let at_once = email_ticket(desk, "bo@nordwind.example");
    let message = reply(desk, &at_once, json!({ "body": "Gone." }));
    desk.agent().post(&undo(&message), json!({})).refused(409, "too_late");
    desk.restart(|config| config.mail.undo_seconds = 10);
    let ticket = email_ticket(desk, ANA);
    let message = reply(desk, &ticket, json!({ "body": "Gone." }));
    // The job was not done yet, but it may have begun.
    desk.only_set_clock(desk.now() + TimeDelta::seconds(10));
    desk.agent().post(&undo(&message), json!({})).refused(409, "too_late");
    desk.settle();
    assert_eq!(desk.mails_to(ANA).len(), 1);
    desk.agent().post(&undo(&message), json!({})).refused(409, "too_late");
    assert_eq!(whole(desk, &ticket)["messages"][1]["kind"], "reply");
    // Without a letter the time decides.
    let phoned = call(desk, "+4930123456", "2026-06-10T14:00:00Z");
    let said = reply(desk, &phoned, json!({ "body": "As we said." }));
    desk.advance(TimeDelta::seconds(10));
    desk.agent().post(&undo(&said), json!({})).refused(409, "too_late");
}

fn only_its_author_takes_a_reply_back(desk: &Desk) {
    desk.restart(|config| config.mail.undo_seconds = 10);
    let ticket = email_ticket(desk, ANA);
    let message = reply(desk, &ticket, json!({ "body": "Mine." }));
    for other in [desk.other_agent(), desk.manager(), desk.admin()] {
        other.post(&undo(&message), json!({})).refused(409, "not_your_reply");
    }
    desk.channel().post(&undo(&message), json!({})).refused(403, "missing_right");
    let inbound = whole(desk, &ticket)["messages"][0].clone();
    desk.agent().post(&undo(&inbound), json!({})).refused(409, "not_a_reply");
    desk.agent().post(&format!("/api/v1/messages/{}/undo", desk.people.agent.id), json!({})).is(404);
    close(desk, ticket["id"].as_str().unwrap());
    desk.agent().post(&undo(&message), json!({})).refused(409, "ticket_closed");
    desk.agent().delete(&path(&ticket, "/closure")).ok();
    desk.agent().post(&undo(&message), json!({})).ok();
    close(desk, ticket["id"].as_str().unwrap());
    desk.advance(TimeDelta::hours(3));
    assert_eq!(desk.mails_to(ANA).len(), 1, "the survey alone");
}

fn a_mailbox_sends_through_its_own_server(desk: &Desk) {
    let port = servers::smtp().auth_port;
    let login = json!({ "host": "127.0.0.1", "port": port, "tls": "none", "user": smtp::USER, "password": smtp::PASSWORD });
    let address = format!("payments@{}", desk.domain);
    let new = json!({ "address": address, "kind": "lmtp", "from_name": "Payments", "smtp": login });
    let made = desk.admin().post("/api/v1/mailboxes", new);
    let one = format!("/api/v1/mailboxes/{}", made.id());
    for shown in [made.text.clone(), desk.admin().get(&one).text, desk.admin().get("/api/v1/audit").text] {
        assert!(shown.contains(smtp::USER) && !shown.contains(smtp::PASSWORD), "{shown}");
    }
    let ticket = email_ticket(desk, ANA);
    reply(desk, &ticket, json!({ "body": "By the other server." }));
    desk.settle();
    let letter = desk.mail_to(ANA);
    assert_eq!(letter.user.as_deref(), Some(smtp::USER));
    assert_eq!(letter.header("from"), format!("Payments <{address}>"));
    // The password stays where it is left out; without the server it is the desk's own again.
    let kept = json!({ "smtp": { "host": "127.0.0.1", "port": port, "tls": "none", "user": smtp::USER } });
    desk.admin().with("If-Match", "\"1\"").patch(&one, kept).ok();
    reply(desk, &ticket, json!({ "body": "Again." }));
    desk.settle();
    assert_eq!(desk.mails_to(ANA)[1].user.as_deref(), Some(smtp::USER));
    assert_eq!(desk.admin().patch(&one, json!({ "smtp": null })).ok()["smtp"], Value::Null);
    reply(desk, &ticket, json!({ "body": "As ever." }));
    desk.settle();
    assert_eq!(desk.mails_to(ANA)[2].user, None);
    for (change, field) in [
        (json!({ "smtp": { "host": "h", "port": 0 } }), "smtp.port"),
        (json!({ "smtp": { "host": "a b", "port": 25 } }), "smtp.host"),
        (json!({ "smtp": { "host": "h", "port": 25, "user": "u" } }), "smtp.password"),
        (json!({ "smtp": { "host": "h", "port": 25, "password": "p" } }), "smtp.user"),
        (json!({ "dkim": { "domain": "example.com", "selector": "desk2026" } }), "dkim"),
    ] {
        desk.admin().patch(&one, change).refuses_field(field);
    }
    assert!(desk.agent().get(&format!("{TICKETS}/{}", ticket["id"].as_str().unwrap())).ok().is_object());
}
