//! Mail that is fetched: a real IMAP server, its folders and flags, its numbers that change, and two nodes on one mailbox.
use crate::binary::{Binary, Server, until};
use crate::inbound::{INBOUND, mail, tickets};
use crate::load::{LEASE_SECONDS, drain};
use crate::support::desk::at;
use crate::support::dovecot::Dovecot;
use crate::support::{Desk, Test, plain, tests};
use chrono::TimeDelta;
use deskbell::db::schema::inbound_mails;
use deskbell::inbound::imap;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    mails_are_fetched_once_and_marked,
    taken_mails_are_moved_and_new_numbers_take_nothing_twice,
    a_server_without_move_or_with_a_wrong_password_is_told,
    what_is_too_large_stays_on_its_server,
];
/// Against the real binary.
pub const PLAIN: &[Test] = plain![
    the_server_tells_of_new_mails_and_two_nodes_take_each_once,
    a_server_that_tells_nothing_is_asked_and_one_that_hangs_up_is_called_again,
    killed_while_it_fetches_it_loses_and_doubles_none,
];

const THEN: &str = "10-Jun-2026 13:00:00 +0000";
const HELLO: &[&str] = &["One", "Two", "Three"];

#[track_caller]
fn mailbox(desk: &Desk, imap: Value) -> String {
    let new = json!({ "address": format!("support@{}", desk.domain), "kind": "imap", "imap": imap });
    desk.admin().post("/api/v1/mailboxes", new).id()
}

/// Looks once, and files what came; says how many mails were seen.
#[track_caller]
fn look(desk: &Desk) -> usize {
    let app = desk.app();
    let seen = actix_web::rt::System::new().block_on(imap::catch_up(&app)).unwrap();
    desk.settle();
    // Two mails of somebody new at once: one may have to be filed a second time, after the pause of a job.
    desk.advance(TimeDelta::minutes(1));
    seen
}

fn letter(subject: &str) -> Vec<u8> {
    mail("Ana Castro <ana@nordwind.example>", "support@desk.example", subject, "", "Hello.")
}

#[track_caller]
fn watch(desk: &Desk, id: &str) -> Value {
    desk.admin().get(&format!("/api/v1/mailboxes/{id}")).ok()["imap"].clone()
}

fn mails_are_fetched_once_and_marked(desk: &Desk) {
    let dovecot = Dovecot::start(None);
    let certificate = dovecot.certificate.clone();
    desk.restart(|config| config.inbound.imap_ca_file = certificate);
    let mut other = dovecot.talk();
    other.append("INBOX", THEN, &letter("Read before"));
    other.say("SELECT INBOX");
    other.say("STORE 1 +FLAGS (\\Seen)");
    for subject in HELLO {
        other.append("INBOX", THEN, &letter(subject));
    }
    let id = mailbox(desk, dovecot.settings("tls", None));
    assert_eq!(look(desk), 3, "{} {}", watch(desk, &id), dovecot.log());
    let all = tickets(desk);
    assert_eq!(all.len(), 3, "what somebody read before is done");
    assert_eq!(at(all[0]["received_at"].as_str().unwrap()), at("2026-06-10T13:00:00Z"), "INTERNALDATE, an hour ago");
    assert_eq!(other.count("INBOX"), (4, 0));
    assert_eq!(look(desk), 0);
    // One that somebody reads before the desk looks is taken all the same.
    other.append("INBOX", THEN, &letter("Read quickly"));
    other.say("STORE 5 +FLAGS (\\Seen)");
    desk.admin()
        .patch(&format!("/api/v1/mailboxes/{id}"), json!({ "imap": dovecot_without_password(&dovecot, "starttls") }))
        .ok();
    assert_eq!((look(desk), tickets(desk).len()), (1, 4));
    assert_eq!(watch(desk, &id)["failing_since"], Value::Null);
}

fn dovecot_without_password(dovecot: &Dovecot, tls: &str) -> Value {
    let mut settings = dovecot.settings(tls, None);
    settings.as_object_mut().unwrap().remove("password");
    settings
}

fn taken_mails_are_moved_and_new_numbers_take_nothing_twice(desk: &Desk) {
    let dovecot = Dovecot::start(None);
    let mut other = dovecot.talk();
    other.append("INBOX", THEN, &letter("One"));
    mailbox(desk, dovecot.settings("none", Some("Done")));
    assert_eq!(look(desk), 1);
    assert_eq!((other.count("INBOX"), other.count("Done").0), ((0, 0), 1));
    // The folder is made anew with the same mail and another one: all numbers are new.
    other.append("Done", THEN, &letter("Two"));
    let (home, done) = (dovecot_folder(&dovecot), "Done");
    other.say(&format!("SELECT {done}"));
    other.say("COPY 1:2 INBOX");
    drop(other);
    std::fs::remove_file(home.join("dovecot-uidlist")).unwrap();
    let _ = std::fs::remove_file(home.join("dovecot.index.log"));
    let _ = std::fs::remove_file(home.join("dovecot.index"));
    let _ = std::fs::remove_file(home.join("dovecot.index.cache"));
    assert_eq!(look(desk), 2, "both are looked at again: {}", dovecot.log());
    assert_eq!(tickets(desk).len(), 2, "and one of them is known");
    assert_eq!(dovecot.talk().count("INBOX"), (0, 0));
}

fn dovecot_folder(dovecot: &Dovecot) -> std::path::PathBuf {
    dovecot.certificate.parent().unwrap().join("home/mail")
}

fn a_server_without_move_or_with_a_wrong_password_is_told(desk: &Desk) {
    let dovecot = Dovecot::start(Some("IMAP4rev1"));
    let mut other = dovecot.talk();
    other.append("INBOX", THEN, &letter("One"));
    let wrong = json!({ "host": "127.0.0.1", "port": dovecot.port, "tls": "none", "user": "desk", "password": "wrong" });
    let id = mailbox(desk, wrong);
    assert_eq!(look(desk), 0);
    let failing = watch(desk, &id);
    assert!(!failing["failing_since"].is_null() && failing["last_error"].as_str().unwrap().contains("IMAP"), "{failing}");
    desk.admin().patch(&format!("/api/v1/mailboxes/{id}"), json!({ "imap": dovecot.settings("none", Some("Missing")) })).ok();
    look(desk);
    assert_eq!(tickets(desk).len(), 1, "a folder that is missing keeps no mail from being taken");
    assert!(!watch(desk, &id)["failing_since"].is_null());
    desk.admin().patch(&format!("/api/v1/mailboxes/{id}"), json!({ "imap": dovecot.settings("none", Some("Done")) })).ok();
    assert_eq!(look(desk), 1);
    assert_eq!((tickets(desk).len(), other.count("Done").0), (1, 1));
    assert_eq!(watch(desk, &id)["failing_since"], Value::Null);
}

fn what_is_too_large_stays_on_its_server(desk: &Desk) {
    desk.restart(|config| config.inbound.size_max_bytes = 65_536);
    let dovecot = Dovecot::start(None);
    let mut other = dovecot.talk();
    let large = mail("ana@nordwind.example", "support@desk.example", "Large", "", &"long line\r\n".repeat(10_000));
    other.append("INBOX", THEN, &large);
    other.append("INBOX", THEN, &letter("Small"));
    mailbox(desk, dovecot.settings("none", Some("Done")));
    assert_eq!(look(desk), 2);
    let held = desk.agent().get(&format!("{INBOUND}?state=quarantined")).ok()["items"].as_array().unwrap().clone();
    assert_eq!((held.len(), &held[0]["reason"], tickets(desk).len()), (1, &json!("oversized"), 1));
    assert_eq!((other.count("INBOX").0, other.count("Done").0), (1, 1));
    let path = format!("{INBOUND}/{}", held[0]["id"].as_str().unwrap());
    assert!(desk.agent().get(&path).ok()["headers"].as_array().unwrap().len() >= 4);
    desk.agent().post(&format!("{path}/release"), json!({})).refused(409, "oversized");
}

fn the_server_tells_of_new_mails_and_two_nodes_take_each_once() {
    let dovecot = Dovecot::start(None);
    let folder = tempfile::tempdir().unwrap();
    // Only a server that tells by itself is quick enough.
    let desk = Binary::in_folder(folder.path()).with("inbound.imap_poll_seconds", 3600).with("survey.enabled", false);
    let one = desk.serve();
    let secret = one.first_secret.clone().unwrap();
    let admin = one.client(&secret);
    let new = json!({ "address": "support@desk.example", "kind": "imap", "imap": dovecot.settings("none", Some("Done")) });
    admin.post("/api/v1/mailboxes", new).ok();
    let other = desk.serve();
    let mut talk = dovecot.talk();
    let count = || admin.get("/api/v1/tickets?limit=100").ok()["items"].as_array().unwrap().len();
    for (wanted, subject) in (1..).zip(["A", "B", "C", "D"]) {
        talk.append("INBOX", THEN, &letter(subject));
        until("the mail is a ticket", || count() == wanted);
    }
    // The node that fetches goes; the other one takes over.
    one.stop();
    let admin = other.client(&secret);
    let count = || admin.get("/api/v1/tickets?limit=100").ok()["items"].as_array().unwrap().len();
    talk.append("INBOX", THEN, &letter("E"));
    until("the other node took it", || count() == 5);
    until("it was moved as well", || talk.count("INBOX").0 == 0);
    assert_eq!(talk.count("Done").0, 5);
    other.stop();
}

fn fetching(dovecot: &Dovecot, desk: &Binary) -> (Server, String) {
    let server = desk.serve();
    let secret = server.first_secret.clone().unwrap();
    let new = json!({ "address": "support@desk.example", "kind": "imap", "imap": dovecot.settings("none", None) });
    server.client(&secret).post("/api/v1/mailboxes", new).ok();
    (server, secret)
}

fn subjects(server: &Server, secret: &str) -> Vec<String> {
    let (mut found, mut path) = (Vec::new(), Some("/api/v1/tickets?limit=100".to_owned()));
    while let Some(asked) = path {
        let page = server.client(secret).get(&asked).ok();
        found.extend(page["items"].as_array().unwrap().iter().map(|ticket| ticket["subject"].as_str().unwrap().to_owned()));
        path = page["next_cursor"].as_str().map(|cursor| format!("/api/v1/tickets?limit=100&cursor={cursor}"));
    }
    found
}

fn a_server_that_tells_nothing_is_asked_and_one_that_hangs_up_is_called_again() {
    let dovecot = Dovecot::start(Some("IMAP4rev1"));
    let folder = tempfile::tempdir().unwrap();
    let (server, secret) = fetching(&dovecot, &Binary::in_folder(folder.path()).with("inbound.imap_poll_seconds", 1));
    for (n, subject) in ["A", "B", "C"].into_iter().enumerate() {
        dovecot.talk().append("INBOX", THEN, &letter(subject));
        until("the mail is a ticket", || subjects(&server, &secret).len() == n + 1);
        dovecot.kick();
    }
    let mailbox = server.client(&secret).get("/api/v1/mailboxes").ok()["items"][0].clone();
    assert!(mailbox["imap"]["looked_at"].is_string(), "{mailbox}");
    server.stop();
}

fn killed_while_it_fetches_it_loses_and_doubles_none() {
    const MAILS: usize = 300;
    let dovecot = Dovecot::start(None);
    let mut talk = dovecot.talk();
    let wanted: BTreeSet<String> = (0..MAILS).map(|n| format!("Mail {n}")).collect();
    for subject in &wanted {
        let bytes = mail("ana@nordwind.example", "support@desk.example", subject, "", &"It is stuck. ".repeat(500));
        talk.append("INBOX", THEN, &bytes);
    }
    let folder = tempfile::tempdir().unwrap();
    // What a node that died was filing is filed again when its lease runs out.
    let desk = Binary::in_folder(folder.path()).with("survey.enabled", false).with("jobs.lease_seconds", LEASE_SECONDS);
    let desk = desk.with("mail.smtp_timeout_seconds", LEASE_SECONDS / 2).with("server.rate_per_minute", 0);
    let (mut server, secret) = fetching(&dovecot, &desk);
    let mut db = SqliteConnection::establish(folder.path().join("data/deskbell.sqlite").to_str().unwrap()).unwrap();
    db.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
    let mut taken_at_kills = Vec::new();
    for _ in 0..3 {
        let before = taken_at_kills.last().copied().unwrap_or(0);
        let mut taken = || inbound_mails::table.count().get_result::<i64>(&mut db).unwrap();
        until("some more are taken", || taken() > before);
        server.kill();
        taken_at_kills.push(taken());
        // The lease of a node that died runs out after a while.
        db.batch_execute("UPDATE mailbox_watches SET lease_until = NULL").unwrap();
        server = desk.serve();
        if taken_at_kills.last() == Some(&(MAILS as i64)) {
            break;
        }
    }
    assert!(taken_at_kills[0] < MAILS as i64, "the first kill hits mails on their way");
    until("all are there", || subjects(&server, &secret).len() >= MAILS);
    drain(&server, &secret);
    let found = subjects(&server, &secret);
    assert_eq!((found.len(), found.into_iter().collect()), (MAILS, wanted));
    server.stop();
}
