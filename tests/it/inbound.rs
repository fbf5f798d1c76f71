//! Mail coming in over LMTP: tickets, answers, machines, quarantine, and the addresses that answers come back to.
use crate::support::lmtp::{listen, python};
use crate::support::{Desk, Test, tests};
use serde_json::{Value, json};
use std::path::Path;

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_mailbox_is_kept_and_its_password_is_never_shown,
    a_mail_becomes_a_ticket_and_a_stranger_is_refused,
    the_same_mail_twice_is_one_and_two_mailboxes_are_two,
    who_writes_from_an_organizations_domain_belongs_to_it,
    files_of_a_mail_are_files_of_its_message,
    an_answer_finds_its_ticket_and_a_stranger_gets_a_new_one,
    a_machine_reopens_nothing,
    a_letter_that_comes_back_is_shown_beside_its_message,
    what_is_held_waits_for_a_person,
];

pub const INBOUND: &str = "/api/v1/inbound";
pub const TICKETS: &str = "/api/v1/tickets";

#[track_caller]
pub fn mailbox(desk: &Desk, local: &str, team: Option<&str>) -> String {
    let address = format!("{local}@{}", desk.domain);
    let new = json!({ "address": address, "kind": "lmtp", "team_id": team, "from_name": "Reseller Support" });
    desk.admin().post("/api/v1/mailboxes", new).ok();
    address
}

/// A plain mail.
pub fn mail(from: &str, to: &str, subject: &str, more: &str, text: &str) -> Vec<u8> {
    let id = subject.replace(|c: char| !c.is_ascii_alphanumeric(), "");
    format!("From: {from}\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{id}@nordwind.example>\r\n{more}\r\n{text}\r\n")
        .into_bytes()
}

/// Hands a mail over, expects that it is taken, and lets the desk file it.
#[track_caller]
pub fn hand_over(desk: &Desk, path: &Path, to: &str, bytes: &[u8]) {
    let said = python(path.to_str().unwrap(), 0, &[("sender@nordwind.example", &[to], bytes)]);
    assert_eq!(said["answers"], json!([{ "refused": {} }]), "{said}");
    desk.settle();
}

#[track_caller]
pub fn tickets(desk: &Desk) -> Vec<Value> {
    desk.agent().get(&format!("{TICKETS}?sort=received")).ok()["items"].as_array().unwrap().clone()
}

#[track_caller]
pub fn whole(desk: &Desk, ticket: &Value) -> Value {
    desk.agent().get(&format!("{TICKETS}/{}", ticket["id"].as_str().unwrap())).ok()
}

#[track_caller]
pub fn held(desk: &Desk) -> Vec<Value> {
    desk.agent().get(&format!("{INBOUND}?state=quarantined")).ok()["items"].as_array().unwrap().clone()
}

pub fn texts(ticket: &Value) -> Vec<(&str, &str)> {
    let text = |message: &'_ Value, key: &str| message[key].as_str().unwrap().trim().to_owned().leak() as &str;
    ticket["messages"].as_array().unwrap().iter().map(|message| (text(message, "kind"), text(message, "body"))).collect()
}

fn a_mailbox_is_kept_and_its_password_is_never_shown(desk: &Desk) {
    let imap = json!({ "host": "imap.example.com", "port": 993, "user": "desk", "password": "correct horse" });
    let new = json!({ "address": "Support@Desk.example", "kind": "imap", "imap": imap });
    let made = desk.admin().post("/api/v1/mailboxes", &new);
    let id = made.id();
    assert_eq!(made.json["address"], "support@desk.example");
    assert_eq!((&made.json["imap"]["folder"], &made.json["imap"]["tls"]), (&json!("INBOX"), &json!("tls")));
    desk.admin().post("/api/v1/mailboxes", &new).refused(409, "address_taken");
    let path = format!("/api/v1/mailboxes/{id}");
    let changed =
        json!({ "imap": { "host": "mail.example.com", "port": 143, "tls": "starttls", "user": "desk" }, "active": false });
    assert_eq!(desk.admin().with("If-Match", "\"1\"").patch(&path, &changed).ok()["imap"]["host"], "mail.example.com");
    desk.admin().with("If-Match", "\"1\"").patch(&path, &changed).refused(412, "stale_version");
    for shown in [
        made.text,
        desk.admin().get(&path).text,
        desk.admin().get("/api/v1/mailboxes").text,
        desk.admin().get("/api/v1/audit").text,
    ] {
        assert!(shown.contains("support@desk.example") && !shown.contains("correct horse"), "{shown}");
    }
    for (change, field) in [
        (json!({ "address": "a+b@desk.example", "kind": "lmtp" }), "address"),
        (json!({ "address": "nobody", "kind": "lmtp" }), "address"),
        (json!({ "address": "a@desk.example", "kind": "imap" }), "imap"),
        (
            json!({ "address": "a@desk.example", "kind": "lmtp", "imap": { "host": "h", "port": 1, "user": "u", "password": "p" } }),
            "imap",
        ),
        (
            json!({ "address": "a@desk.example", "kind": "imap", "imap": { "host": "h", "port": 1, "user": "u" } }),
            "imap.password",
        ),
        (json!({ "address": "a@desk.example", "kind": "lmtp", "team_id": "01890a5d-ac96-774b-bcce-b302099a8057" }), "team_id"),
    ] {
        desk.admin().post("/api/v1/mailboxes", change).refuses_field(field);
    }
    desk.manager().get("/api/v1/mailboxes").refused(403, "missing_right");
}

fn a_mail_becomes_a_ticket_and_a_stranger_is_refused(desk: &Desk) {
    let team = desk.admin().post("/api/v1/teams", json!({ "name": "Payments" })).id();
    let address = mailbox(desk, "payments", Some(&team));
    let path = listen(desk);
    let bytes = mail("Ana Castro <ana@nordwind.example>", &address, "Invoice 7", "", "It is paid twice.");
    let nobody = format!("nobody@{}", desk.domain);
    let said = python(path.to_str().unwrap(), 0, &[("ana@nordwind.example", &[&address, &nobody], &bytes)]);
    assert_eq!(said["answers"][0]["refused"][&nobody][0], 550, "{said}");
    assert_eq!(said["answers"][0]["refused"].as_object().unwrap().len(), 1, "{said}");
    assert!(said["extensions"].get("pipelining").is_some() && said["extensions"]["size"] == "52428800", "{said}");
    let waiting = desk.agent().get(&format!("{INBOUND}?state=waiting")).ok();
    assert_eq!(waiting["items"].as_array().unwrap().len(), 1, "stored, and not looked at yet");
    let received_at = desk.now();
    desk.only_set_clock(received_at + chrono::TimeDelta::minutes(5));
    desk.settle();
    let ticket = whole(desk, &tickets(desk)[0]);
    assert_eq!(
        (&ticket["subject"], &ticket["channel"], &ticket["team_id"]),
        (&json!("Invoice 7"), &json!("email"), &json!(team))
    );
    assert_eq!((&ticket["contact_name"], texts(&ticket)), (&json!("Ana Castro"), vec![("inbound", "It is paid twice.")]));
    let got = crate::support::desk::at(ticket["received_at"].as_str().unwrap());
    assert_eq!(got, received_at, "the clock starts when the mail was taken, not when it was filed");
    let message = ticket["messages"][0]["id"].as_str().unwrap();
    let original = desk.agent().get(&format!("/api/v1/messages/{message}/original")).ok();
    assert_eq!(original["headers"][2], json!({ "name": "Subject", "value": "Invoice 7" }));
    assert_eq!((&original["state"], &original["ticket_id"]), (&json!("filed"), &ticket["id"]));
    let raw = format!("{INBOUND}/{}/raw", original["id"].as_str().unwrap());
    desk.manager().get(&raw).refused(403, "missing_right");
    assert_eq!(desk.admin().get(&raw).bytes, bytes);
}

fn the_same_mail_twice_is_one_and_two_mailboxes_are_two(desk: &Desk) {
    let team = desk.admin().post("/api/v1/teams", json!({ "name": "Payments" })).id();
    let (one, other) = (mailbox(desk, "support", None), mailbox(desk, "payments", Some(&team)));
    let path = listen(desk);
    let bytes = mail("ana@nordwind.example", &one, "Both of you", "", "Hello.");
    hand_over(desk, &path, &one, &bytes);
    hand_over(desk, &path, &one, &bytes);
    assert_eq!(tickets(desk).len(), 1);
    let said = python(path.to_str().unwrap(), 0, &[("a@nordwind.example", &[&one, &other], &bytes)]);
    assert_eq!(said["answers"], json!([{ "refused": {} }]));
    desk.settle();
    let teams: Vec<Value> = tickets(desk).iter().map(|ticket| ticket["team_id"].clone()).collect();
    assert!(teams.len() == 2 && teams.contains(&Value::Null) && teams.contains(&json!(team)), "{teams:?}");
}

fn who_writes_from_an_organizations_domain_belongs_to_it(desk: &Desk) {
    let organization = desk.admin().post("/api/v1/organizations", json!({ "name": "Nordwind" })).id();
    let other = desk.admin().post("/api/v1/organizations", json!({ "name": "Other" })).id();
    let domain = |id: &str, name: &str| format!("/api/v1/organizations/{id}/domains/{name}");
    desk.admin().put(&domain(&organization, "Nordwind.example"), json!({})).is(204);
    desk.admin().put(&domain(&organization, "nordwind.example"), json!({})).is(204);
    desk.admin().put(&domain(&other, "nordwind.example"), json!({})).refused(409, "domain_taken");
    desk.admin().put(&domain(&organization, "gmail.com"), json!({})).refuses_field("domain");
    desk.channel().put(&domain(&organization, "a.example"), json!({})).refused(403, "missing_right");
    let address = mailbox(desk, "support", None);
    let path = listen(desk);
    hand_over(desk, &path, &address, &mail("Ana <Ana@NORDWIND.example>", &address, "One", "", "Hello."));
    hand_over(desk, &path, &address, &mail("bo@elsewhere.example", &address, "Two", "", "Hello."));
    let organizations: Vec<Value> = tickets(desk).iter().map(|ticket| ticket["organization_id"].clone()).collect();
    assert!(organizations.contains(&json!(organization)) && organizations.contains(&Value::Null), "{organizations:?}");
    let listed = desk.agent().get(&format!("/api/v1/organizations/{organization}/domains")).ok();
    assert_eq!(listed["items"][0]["domain"], "nordwind.example");
    desk.admin().delete(&domain(&organization, "nordwind.example")).is(204);
    hand_over(desk, &path, &address, &mail("cy@nordwind.example", &address, "Three", "", "Hello."));
    assert_eq!(tickets(desk).iter().filter(|ticket| ticket["organization_id"] == json!(organization)).count(), 1);
}

fn files_of_a_mail_are_files_of_its_message(desk: &Desk) {
    let address = mailbox(desk, "support", None);
    let path = listen(desk);
    let part = |name: &str, bytes: &str| {
        format!("--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\r\n{bytes}\r\n")
    };
    let body = format!(
        "--b\r\nContent-Type: text/plain\r\n\r\nSee there.\r\n{}{}--b--",
        part("scan.pdf", "the scan"),
        part("run.exe", "no")
    );
    let kind = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n";
    hand_over(desk, &path, &address, &mail("ana@nordwind.example", &address, "Scan", kind, &body));
    let message = &whole(desk, &tickets(desk)[0])["messages"][0];
    let files = message["attachments"].as_array().unwrap();
    assert_eq!(files.len(), 1, "{message}");
    let file = desk.agent().get(&format!("/api/v1/attachments/{}", files[0]["id"].as_str().unwrap()));
    assert_eq!((files[0]["file_name"].as_str().unwrap(), file.text.trim()), ("scan.pdf", "the scan"));
    assert!(message["body"].as_str().unwrap().ends_with("[Only in the original: run.exe]"), "{message}");
}

fn an_answer_finds_its_ticket_and_a_stranger_gets_a_new_one(desk: &Desk) {
    let address = mailbox(desk, "support", None);
    let path = listen(desk);
    let cc = "Cc: bo@nordwind.example\r\n";
    hand_over(desk, &path, &address, &mail("Ana <ana@nordwind.example>", &address, "Transfer", cc, "It is stuck."));
    let ticket = tickets(desk)[0].clone();
    let id = ticket["id"].as_str().unwrap();
    desk.agent().post(&format!("{TICKETS}/{id}/replies"), json!({ "body": "It moves now." })).ok();
    desk.agent().post(&format!("{TICKETS}/{id}/closure"), json!({})).ok();
    desk.settle();
    let letter = desk.mail_to("ana@nordwind.example");
    assert_eq!(letter.header("from"), format!("\"Reseller Support\" <{address}>"));
    let reply_to = letter.header("reply-to").split('<').nth(1).unwrap().trim_end_matches('>').to_owned();
    assert!(reply_to.starts_with("support+t") && letter.mail_from.starts_with("support+r"), "{reply_to} {}", letter.mail_from);
    assert!(letter.header("references").contains("<Transfer@nordwind.example>"));
    // By the signed address, from anywhere: and it is open again.
    hand_over(desk, &path, &reply_to, &mail("Ana <ana@home.example>", &reply_to, "Re: Transfer", "", "Still stuck."));
    let seen = whole(desk, &ticket);
    assert_eq!((texts(&seen).last(), &seen["status"]), (Some(&("inbound", "Still stuck.")), &json!("open")));
    assert_ne!(seen["messages"][2]["contact_id"], seen["contact_id"], "another person wrote it");
    // By what it answers, from somebody who was in copy.
    let answers = format!("In-Reply-To: {}\r\n", letter.header("message-id"));
    hand_over(desk, &path, &address, &mail("bo@nordwind.example", &address, "No number", &answers, "Me too."));
    assert_eq!(texts(&whole(desk, &ticket)).last(), Some(&("inbound", "Me too.")));
    // By what we once got.
    let theirs = "References: <Transfer@nordwind.example>\r\n";
    hand_over(desk, &path, &address, &mail("ana@nordwind.example", &address, "Second thought", theirs, "One thing more."));
    assert_eq!(texts(&whole(desk, &ticket)).last(), Some(&("inbound", "One thing more.")));
    // By its number.
    let number = format!("Hello [#{}]", ticket["number"]);
    hand_over(desk, &path, &address, &mail("ana@nordwind.example", &address, &number, "", "By number."));
    assert_eq!(texts(&whole(desk, &ticket)).last(), Some(&("inbound", "By number.")));
    assert_eq!(tickets(desk).len(), 1);
    // Whoever only knows its number, or its Message-ID, does not write on it.
    hand_over(desk, &path, &address, &mail("eve@elsewhere.example", &address, &format!("{number} x"), &answers, "Let me in."));
    assert_eq!(texts(&whole(desk, &ticket)).len(), 6);
    let new = tickets(desk).into_iter().find(|new| new["id"] != ticket["id"]).unwrap();
    let history = desk.agent().get(&format!("{TICKETS}/{}/history", new["id"].as_str().unwrap())).ok();
    let suggested = history["items"].as_array().unwrap().iter().find(|event| event["kind"] == "link_suggested").unwrap();
    assert_eq!(suggested["data"]["ticket_id"], ticket["id"]);
    // A changed token is none.
    let broken = reply_to.replacen('.', ".a", 1);
    hand_over(desk, &path, &broken, &mail("eve@elsewhere.example", &broken, "Guess", "", "Let me in."));
    assert_eq!(tickets(desk).len(), 3);
}

fn a_machine_reopens_nothing(desk: &Desk) {
    let address = mailbox(desk, "support", None);
    let path = listen(desk);
    hand_over(desk, &path, &address, &mail("ana@nordwind.example", &address, "Transfer", "", "It is stuck."));
    let ticket = tickets(desk)[0].clone();
    let id = ticket["id"].as_str().unwrap();
    desk.agent().post(&format!("{TICKETS}/{id}/closure"), json!({})).ok();
    let out = "Auto-Submitted: auto-replied\r\nIn-Reply-To: <Transfer@nordwind.example>\r\n";
    hand_over(desk, &path, &address, &mail("ana@nordwind.example", &address, "Out of office", out, "I am away."));
    let seen = whole(desk, &ticket);
    assert_eq!((texts(&seen).last(), &seen["status"]), (Some(&("automatic", "I am away.")), &json!("closed")));
    hand_over(
        desk,
        &path,
        &address,
        &mail("robot@elsewhere.example", &address, "Away", "Auto-Submitted: auto-replied\r\n", "Away."),
    );
    assert_eq!((held(desk).len(), tickets(desk).len()), (1, 1), "where it belongs to nothing a person looks at it");
}

/// A report as mail servers send them (RFC 3464).
pub fn report(to: &str, action: &str, status: &str, about: &str, recipient: &str) -> Vec<u8> {
    format!(
        "From: MAILER-DAEMON@mx.example\r\nTo: {to}\r\nSubject: Undelivered {status} {action}\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=r\r\n\r\n--r\r\nContent-Type: text/plain\r\n\r\n\
         It did not arrive.\r\n--r\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n\
         Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status}\r\n\
         Diagnostic-Code: smtp; 550 {status} no such user\r\n--r\r\nContent-Type: message/rfc822\r\n\r\n\
         Message-ID: {about}\r\nSubject: Re: Transfer\r\n\r\nIt moves.\r\n--r--\r\n"
    )
    .into_bytes()
}

fn a_letter_that_comes_back_is_shown_beside_its_message(desk: &Desk) {
    // What is reported for good is given up until a person releases it.
    desk.expect_parked();
    let address = mailbox(desk, "support", None);
    let path = listen(desk);
    hand_over(desk, &path, &address, &mail("ana@nordwind.example", &address, "Transfer", "", "It is stuck."));
    let ticket = tickets(desk)[0].clone();
    let id = ticket["id"].as_str().unwrap();
    desk.agent().post(&format!("{TICKETS}/{id}/replies"), json!({ "body": "It moves now." })).ok();
    desk.settle();
    let letter = desk.mail_to("ana@nordwind.example");
    let (reports_to, about) = (letter.mail_from.clone(), letter.header("message-id").to_owned());
    let bounce = || whole(desk, &ticket)["messages"][1]["bounce"].clone();
    let suppressed = || desk.agent().get("/api/v1/surveys/suppressions").ok()["items"].as_array().unwrap().len();
    let reported = |to: &str, action: &str, status: &str| {
        hand_over(desk, &path, to, &report(to, action, status, &about, "ana@nordwind.example"));
    };
    reported(&reports_to, "delayed", "4.4.1");
    assert_eq!(bounce(), Value::Null, "a late letter has not failed");
    // Whoever saw the letter knows its Message-ID.
    reported(&address, "failed", "5.1.1");
    assert_eq!((bounce()["status"].clone(), suppressed()), (json!("5.1.1"), 0));
    reported(&reports_to, "failed", "5.2.2");
    assert_eq!((bounce()["status"].clone(), bounce()["is_permanent"].clone(), suppressed()), (json!("5.2.2"), json!(true), 0));
    reported(&reports_to, "failed", "4.4.7");
    assert_eq!((bounce()["is_permanent"].clone(), suppressed()), (json!(false), 0));
    let before = whole(desk, &ticket)["version"].clone();
    reported(&reports_to, "failed", "5.1.1");
    assert_eq!((bounce()["address"].clone(), suppressed()), (json!("ana@nordwind.example"), 1));
    let seen = whole(desk, &ticket);
    assert!(
        seen["version"].as_i64() > before.as_i64() && bounce()["detail"].as_str().unwrap().contains("no such user"),
        "{seen}"
    );
    assert_eq!((texts(&seen).len(), held(desk).len(), tickets(desk).len()), (2, 0, 1), "a report is no message");
    hand_over(desk, &path, &address, &report(&address, "failed", "5.1.1", "<other@elsewhere.example>", "x@y.example"));
    assert_eq!(held(desk)[0]["reason"], "foreign_report");
}

fn what_is_held_waits_for_a_person(desk: &Desk) {
    let address = mailbox(desk, "support", None);
    let path = listen(desk);
    let agent = "amir.agent@desk.test";
    for subject in ["First", "Second", "Third"] {
        hand_over(desk, &path, &address, &mail(agent, &address, subject, "", "Do as I say."));
    }
    assert_eq!(tickets(desk).len(), 0, "anybody can write an agent's address");
    let all = held(desk);
    let id = |subject: &str| all.iter().find(|mail| mail["subject"] == subject).unwrap()["id"].as_str().unwrap().to_owned();
    assert_eq!((all.len(), &all[0]["reason"], &all[0]["sender"]), (3, &json!("unproven_agent"), &json!(agent)));
    let page = desk.agent().get(&format!("{INBOUND}?state=quarantined&limit=2")).ok();
    let next = format!("{INBOUND}?state=quarantined&limit=2&cursor={}", page["next_cursor"].as_str().unwrap());
    assert_eq!(desk.agent().get(&next).ok()["items"].as_array().unwrap().len(), 1);
    let look = desk.agent().get(&format!("{INBOUND}/{}", id("First"))).ok();
    assert_eq!(look["text"].as_str().unwrap().trim(), "Do as I say.");
    let path_of = |subject: &str, verb: &str| format!("{INBOUND}/{}/{verb}", id(subject));
    let released = desk.agent().with("Idempotency-Key", "k").post(&path_of("First", "release"), json!({})).ok();
    assert_eq!(desk.agent().with("Idempotency-Key", "k").post(&path_of("First", "release"), json!({})).ok(), released);
    assert_eq!((&released["state"], &released["ticket_id"]), (&json!("filed"), &tickets(desk)[0]["id"]));
    let onto = json!({ "ticket_id": released["ticket_id"] });
    desk.agent().post(&path_of("Second", "release"), json!({ "ticket_id": "01890a5d-ac96-774b-bcce-b302099a8057" })).is(404);
    desk.agent().post(&path_of("Second", "release"), &onto).ok();
    assert_eq!(texts(&whole(desk, &tickets(desk)[0])).len(), 2);
    assert_eq!(desk.agent().post(&path_of("Third", "discard"), json!({})).ok()["state"], "discarded");
    for verb in ["discard", "release"] {
        desk.agent().post(&path_of("Third", verb), json!({})).refused(409, "not_quarantined");
    }
    assert_eq!((held(desk).len(), tickets(desk).len()), (0, 1));
    assert!(!desk.admin().get(&format!("{INBOUND}/{}/raw", id("Third"))).bytes.is_empty(), "its bytes stay");
}
