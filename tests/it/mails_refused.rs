//! Letters that a mail server refuses at once, and letters that the desk writes by itself.
use crate::inbound::{INBOUND, hand_over, mail, mailbox, tickets, whole};
use crate::support::given::{close, email_ticket, path};
use crate::support::lmtp::{listen, python};
use crate::support::{Backend, Desk, Test, tests};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    an_address_refused_at_once_is_as_good_as_a_report,
    any_other_refusal_fails_the_letter_and_tells_an_admin_once,
    a_letter_that_came_back_can_be_released,
    a_refused_copy_keeps_the_letter_from_nobody_else,
    who_could_not_get_it_at_once_gets_it_alone,
    a_copy_that_comes_back_is_shown_as_what_it_is,
    a_survey_refused_by_status_needs_no_second_question,
    nobody_is_told_that_a_mail_came_unless_the_desk_wants_it,
    who_writes_is_told_so_often_and_machines_never,
    two_first_mails_of_one_sender_are_filed_at_once,
];

const ADMIN: &str = "ada.admin@desk.test";

fn reply(desk: &Desk, ticket: &Value) {
    desk.agent().post(&path(ticket, "/replies"), json!({ "body": "Hello." })).ok();
    desk.settle();
}

fn bounce(desk: &Desk, ticket: &Value) -> Value {
    desk.agent().get(&path(ticket, "")).ok()["messages"][1]["bounce"].clone()
}

fn suppressed(desk: &Desk) -> Vec<Value> {
    desk.agent().get("/api/v1/surveys/suppressions").ok()["items"].as_array().unwrap().clone()
}

fn parked(desk: &Desk) -> Vec<Value> {
    desk.manager().get("/api/v1/mails?state=parked").ok()["items"].as_array().unwrap().clone()
}

/// Letters to admins.
fn notices(desk: &Desk) -> Vec<crate::support::mail::Mail> {
    desk.mails().into_iter().filter(|mail| mail.subject == "A letter could not be delivered").collect()
}

fn an_address_refused_at_once_is_as_good_as_a_report(desk: &Desk) {
    desk.expect_parked();
    for (address, status) in [("reject550-1-1@nordwind.example", "5.1.1"), ("reject550@nordwind.example", "5.1.0")] {
        let ticket = email_ticket(desk, address);
        reply(desk, &ticket);
        let shown = bounce(desk, &ticket);
        assert_eq!(
            (&shown["status"], &shown["is_permanent"], &shown["address"]),
            (&json!(status), &json!(true), &json!(address))
        );
        assert!(shown["detail"].as_str().unwrap().contains("refused for good"), "{shown}");
        assert!(suppressed(desk).iter().any(|one| one["address"] == address), "{:?}", suppressed(desk));
        let history = desk.agent().get(&path(&ticket, "/history")).text;
        for kind in ["mail_bounced", "address_bounced", "mail_parked"] {
            assert!(history.contains(kind), "{history}");
        }
        close(desk, ticket["id"].as_str().unwrap());
        desk.advance(TimeDelta::hours(3));
        let full = desk.agent().get(&path(&ticket, "")).ok();
        assert_eq!(full["surveys"][0]["outcome"], "skipped_bounced");
    }
    assert_eq!((parked(desk).len(), notices(desk).len()), (2, 0), "the addresses are to blame, and nobody can change that");
}

fn any_other_refusal_fails_the_letter_and_tells_an_admin_once(desk: &Desk) {
    desk.expect_parked();
    for (address, status) in [
        ("reject550-7-1@nordwind.example", "5.7.1"),
        ("data554-6-0@nordwind.example", "5.6.0"),
        ("data550@nordwind.example", "5.0.0"),
    ] {
        let ticket = email_ticket(desk, address);
        reply(desk, &ticket);
        assert_eq!(bounce(desk, &ticket)["status"], status);
    }
    desk.settle();
    assert_eq!((suppressed(desk).len(), parked(desk).len()), (0, 3));
    let told = notices(desk);
    assert_eq!(told.len(), 1, "once within the hour");
    let admin = desk.admin().get("/api/v1/agents/me").ok()["email"].as_str().unwrap().to_owned();
    assert_eq!(told[0].rcpt_tos, [admin.as_str()]);
    assert!(told[0].text.contains("reject550-7-1@nordwind.example") && told[0].text.contains("5.7.1"), "{}", told[0].text);
    assert_eq!(told[0].header("auto-submitted"), "auto-generated");
    desk.advance(TimeDelta::minutes(61));
    let ticket = email_ticket(desk, "data550@nordwind.example");
    reply(desk, &ticket);
    desk.settle();
    assert_eq!((notices(desk).len(), notices(desk)[1].rcpt_tos.contains(&ADMIN.to_owned())), (2, admin == ADMIN));
}

fn a_letter_that_came_back_can_be_released(desk: &Desk) {
    let address = mailbox(desk, "support", None);
    let way = listen(desk);
    hand_over(desk, &way, &address, &mail("ana@nordwind.example", &address, "Transfer", "", "It is stuck."));
    let ticket = tickets(desk)[0].clone();
    reply(desk, &ticket);
    let letter = desk.mail_to("ana@nordwind.example");
    let (to, about) = (letter.mail_from.clone(), letter.header("message-id").to_owned());
    hand_over(desk, &way, &to, &crate::inbound::report(&to, "failed", "5.2.2", &about, "ana@nordwind.example"));
    assert_eq!((bounce(desk, &ticket)["status"].clone(), parked(desk).len()), (json!("5.2.2"), 1));
    assert_eq!(notices(desk).len(), 1);
    let release = format!("/api/v1/mails/{}/release", parked(desk)[0]["id"].as_str().unwrap());
    desk.manager().post(&release, json!({})).ok();
    desk.settle();
    let letters = desk.mails_to("ana@nordwind.example");
    assert_eq!((letters.len(), letters[1].header("message-id")), (2, about.as_str()), "the same letter");
    assert_eq!((bounce(desk, &ticket), parked(desk).len()), (Value::Null, 0));
}

fn reply_to(desk: &Desk, address: &str, cc: &[&str]) -> Value {
    let ticket = email_ticket(desk, address);
    desk.agent().post(&path(&ticket, "/replies"), json!({ "body": "Hello.", "cc": cc })).ok();
    desk.settle();
    ticket
}

fn states(desk: &Desk) -> Vec<Value> {
    let all = desk.manager().get("/api/v1/mails").ok()["items"].as_array().unwrap().clone();
    all.into_iter().filter(|mail| mail["kind"] == "reply").map(|mail| mail["state"].clone()).collect()
}

fn a_refused_copy_keeps_the_letter_from_nobody_else(desk: &Desk) {
    let refused = "reject550-1-1@nordwind.example";
    let ticket = reply_to(desk, "ana@nordwind.example", &[refused, "bo@nordwind.example"]);
    let letter = desk.mail_to("ana@nordwind.example");
    assert_eq!(letter.rcpt_tos, ["ana@nordwind.example", "bo@nordwind.example"]);
    assert!(letter.header("cc").contains(refused), "the others see who was meant to have it");
    let shown = bounce(desk, &ticket);
    assert_eq!((&shown["address"], &shown["status"], &shown["is_permanent"]), (&json!(refused), &json!("5.1.1"), &json!(true)));
    assert_eq!(states(desk), ["sent"]);
    assert!(suppressed(desk).iter().any(|one| one["address"] == refused));
    assert!(!suppressed(desk).iter().any(|one| one["address"] == "ana@nordwind.example"));
    desk.advance(TimeDelta::hours(2));
    assert_eq!(desk.mails_to("bo@nordwind.example").len(), 1, "nobody gets it twice");
}

fn who_could_not_get_it_at_once_gets_it_alone(desk: &Desk) {
    desk.expect_parked();
    let late = "once451@nordwind.example";
    reply_to(desk, "ana@nordwind.example", &[late, "bo@nordwind.example"]);
    assert_eq!((desk.mails_to("ana@nordwind.example").len(), desk.mails_to(late).len()), (1, 0));
    assert_eq!(states(desk), ["queued"]);
    desk.advance(TimeDelta::minutes(1));
    assert_eq!(desk.mail_to(late).rcpt_tos, [late], "it alone");
    assert_eq!(desk.mail_to("ana@nordwind.example").header("message-id"), desk.mail_to(late).header("message-id"));
    assert_eq!(states(desk), ["sent"]);
    // The one whom the letter is to is refused: who had a copy has it, and a person sends it again to the other alone.
    let main = "once550@nordwind.example";
    let ticket = reply_to(desk, main, &["eva@nordwind.example"]);
    assert_eq!(desk.mail_to("eva@nordwind.example").rcpt_tos, ["eva@nordwind.example"]);
    assert_eq!((bounce(desk, &ticket)["address"].clone(), parked(desk).len()), (json!(main), 1));
    let release = format!("/api/v1/mails/{}/release", parked(desk)[0]["id"].as_str().unwrap());
    desk.manager().post(&release, json!({})).ok();
    desk.settle();
    assert_eq!(desk.mail_to(main).rcpt_tos, [main]);
    assert_eq!((bounce(desk, &ticket), parked(desk).len()), (Value::Null, 0));
    // Everybody is refused.
    let ticket = reply_to(desk, "reject550-7-1@nordwind.example", &["reject550-1-1@nordwind.example"]);
    assert_eq!((bounce(desk, &ticket)["status"].clone(), parked(desk).len()), (json!("5.7.1"), 1));
    let history = desk.agent().get(&path(&ticket, "/history")).text;
    assert!(history.contains("5.1.1") && history.contains("5.7.1"), "{history}");
}

fn a_copy_that_comes_back_is_shown_as_what_it_is(desk: &Desk) {
    let address = mailbox(desk, "support", None);
    let way = listen(desk);
    let ticket = reply_to(desk, "ana@nordwind.example", &["Bo@nordwind.example"]);
    let letter = desk.mail_to("ana@nordwind.example");
    assert!(letter.mail_from.starts_with(&address[..7]), "{}", letter.mail_from);
    let about = letter.header("message-id");
    hand_over(
        desk,
        &way,
        &letter.mail_from,
        &crate::inbound::report(&letter.mail_from, "failed", "5.1.1", about, "bo@nordwind.example"),
    );
    let shown = bounce(desk, &ticket);
    assert_eq!(shown["address"].as_str().unwrap().to_lowercase(), "bo@nordwind.example");
    assert_eq!((parked(desk).len(), states(desk)), (0, vec![json!("sent")]), "the letter itself arrived");
    let closed: Vec<Value> = suppressed(desk).iter().map(|one| one["address"].clone()).collect();
    assert_eq!(closed, ["bo@nordwind.example"]);
}

fn a_survey_refused_by_status_needs_no_second_question(desk: &Desk) {
    desk.expect_parked();
    for (address, count) in [("reject550-1-1@nordwind.example", 1), ("reject550-7-1@nordwind.example", 1)] {
        let ticket = email_ticket(desk, address);
        close(desk, ticket["id"].as_str().unwrap());
        desk.advance(TimeDelta::hours(3));
        assert_eq!(desk.agent().get(&path(&ticket, "")).ok()["surveys"][0]["outcome"], "failed");
        assert_eq!(suppressed(desk).len(), count, "5.7.1 is no fault of the address");
        assert!(desk.agent().get(&path(&ticket, "/history")).text.contains("mail_bounced"));
    }
}

fn nobody_is_told_that_a_mail_came_unless_the_desk_wants_it(desk: &Desk) {
    let address = mailbox(desk, "support", None);
    let way = listen(desk);
    hand_over(desk, &way, &address, &mail("ana@nordwind.example", &address, "Transfer", "", "It is stuck."));
    assert!(desk.mails().is_empty() && tickets(desk).len() == 1);
}

fn who_writes_is_told_so_often_and_machines_never(desk: &Desk) {
    let address = mailbox(desk, "support", None);
    let way = listen(desk);
    desk.restart(|config| (config.mail.acknowledge, config.mail.acknowledge_hour_max) = (true, 2));
    let write = |from: &str, subject: &str, more: &str| {
        hand_over(desk, &way, &address, &mail(from, &address, subject, more, "It is stuck."));
        desk.settle();
    };
    write("ana@nordwind.example", "One", "");
    let told = desk.mail_to("ana@nordwind.example");
    assert_eq!((told.subject.as_str(), told.header("auto-submitted")), ("Re: One [#1]", "auto-replied"));
    assert_eq!((told.header("in-reply-to"), told.header("x-auto-response-suppress")), ("<One@nordwind.example>", "All"));
    assert!(told.text.contains("#1.") && told.header("reply-to").contains("support+t"), "{}", told.raw);
    assert_eq!(told.header("from"), format!("\"Reseller Support\" <{address}>"));
    // An answer to it is on the ticket, and is not told of again; nor does it count as an answer by a person.
    let back = told.header("reply-to").split('<').nth(1).unwrap().trim_end_matches('>').to_owned();
    hand_over(desk, &way, &back, &mail("ana@nordwind.example", &back, "Re: One", "", "One thing more."));
    let ticket = tickets(desk)[0].clone();
    assert_eq!((whole(desk, &ticket)["messages"].as_array().unwrap().len(), desk.mails().len()), (2, 1));
    let clocks = desk.agent().get(&path(&ticket, "/sla")).ok();
    assert!(clocks.to_string().contains("\"running\""), "{clocks}");
    // Two within the hour, and then again.
    for subject in ["Two", "Three", "Four"] {
        write("ana@nordwind.example", subject, "");
    }
    assert_eq!((desk.mails_to("ana@nordwind.example").len(), tickets(desk).len()), (2, 4));
    write("bo@nordwind.example", "Five", "");
    assert_eq!(desk.mails_to("bo@nordwind.example").len(), 1);
    desk.advance(TimeDelta::minutes(61));
    write("ana@nordwind.example", "Six", "");
    assert_eq!(desk.mails_to("ana@nordwind.example").len(), 3);
    // Machines, lists and whoever reports to nobody.
    for (subject, more) in [
        ("Seven", "Auto-Submitted: auto-replied\r\n"),
        ("Eight", "List-Id: <all.nordwind.example>\r\n"),
        ("Nine", "Precedence: bulk\r\n"),
        ("Ten", "X-Auto-Response-Suppress: All\r\n"),
    ] {
        write("robot@nordwind.example", subject, more);
    }
    let bytes = mail("null@nordwind.example", &address, "Eleven", "", "Hello.");
    python(way.to_str().unwrap(), 0, &[("", &[&address], &bytes)]);
    desk.settle();
    for address in ["robot@nordwind.example", "null@nordwind.example"] {
        assert_eq!(desk.mails_to(address).len(), 0, "{address}");
    }
}

fn two_first_mails_of_one_sender_are_filed_at_once(desk: &Desk) {
    let address = mailbox(desk, "support", None);
    let way = listen(desk);
    let letters: Vec<Vec<u8>> =
        (0..8).map(|n| mail("new@nordwind.example", &address, &format!("Mail {n}"), "", "Hello.")).collect();
    let to = [address.as_str()];
    let all: Vec<(&str, &[&str], &[u8])> = letters.iter().map(|bytes| ("new@nordwind.example", &to[..], &bytes[..])).collect();
    python(way.to_str().unwrap(), 0, &all);
    // Two nodes do not listen on one socket.
    desk.restart(|config| config.inbound.lmtp_listen.clear());
    let other = (desk.backend == Backend::Postgres).then(|| desk.another_node());
    std::thread::scope(|scope| {
        if let Some(other) = &other {
            scope.spawn(|| other.settle(None));
        }
        desk.settle();
    });
    desk.settle();
    let failed = desk.agent().get(&format!("{INBOUND}?limit=50")).ok();
    let tries: Vec<&Value> = failed["items"].as_array().unwrap().iter().map(|mail| &mail["attempts"]).collect();
    assert_eq!((tickets(desk).len(), tries), (8, vec![&json!(0); 8]), "none waits for a second try");
}
