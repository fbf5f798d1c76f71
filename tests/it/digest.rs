//! The weekly digest: written once a week, whichever node comes first, and true to the reports.
use crate::support::{Desk, Test, given, tests};
use actix_web::rt::System;
use actix_web::web::Data;
use chrono::TimeDelta;
use deskbell::app::App;
use deskbell::digest::jobs::write_due;
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    every_manager_gets_one_letter_a_week,
    a_digest_says_what_the_reports_say,
    two_nodes_write_one_digest,
    a_letter_that_is_refused_waits_for_a_person,
];

const LETTERS: &str = "/api/v1/reports/digests";

/// The chore of a node, run once.
#[track_caller]
fn chore(app: Data<App>) -> bool {
    System::new().block_on(async move { write_due(&app).await }).unwrap()
}

fn switch_on(desk: &Desk) {
    desk.restart(|config| config.digest.enabled = true);
}

/// A manager's address.
fn manager(desk: &Desk) -> String {
    desk.manager().get("/api/v1/agents/me").ok()["email"].as_str().unwrap().to_owned()
}

fn digests(desk: &Desk) -> Vec<Value> {
    desk.manager().get(LETTERS).ok()["items"].as_array().unwrap().clone()
}

fn every_manager_gets_one_letter_a_week(desk: &Desk) {
    assert!(!chore(desk.app()), "it is off until it is switched on");
    switch_on(desk);
    let other = json!({ "name": "Nora New", "email": "nora@desk.example", "role": "manager" });
    desk.admin().post("/api/v1/agents", other).ok();
    // A Wednesday: the digest of the last whole week was due on Monday at 08:00.
    assert!(chore(desk.app()));
    assert!(!chore(desk.app()), "once");
    desk.settle();
    let mut to: Vec<String> = digests(desk).iter().map(|row| row["recipient"].as_str().unwrap().to_owned()).collect();
    to.sort();
    let mut expected = vec![manager(desk), "nora@desk.example".to_owned()];
    expected.sort();
    assert_eq!(to, expected, "managers alone");
    assert!(digests(desk).iter().all(|row| row["week_on"] == "2026-06-01" && row["state"] == "sent"));
    let letter = desk.mail_to("nora@desk.example");
    assert!(letter.subject.starts_with("The week of 1 June 2026"), "{}", letter.subject);

    // Nothing is written again: not after a restart, nor a second before the next one is due.
    desk.restart(|_| {});
    desk.set_time(crate::support::desk::at("2026-06-15T11:59:59Z"));
    assert!(!chore(desk.app()));
    desk.advance(TimeDelta::seconds(1));
    assert!(chore(desk.app()));
    desk.settle();
    assert_eq!(desk.mails_to("nora@desk.example").len(), 2);
    // Who was away for a month gets the newest alone.
    desk.jump(desk.now() + TimeDelta::days(31));
    assert!(chore(desk.app()) && !chore(desk.app()));
    desk.settle();
    assert_eq!(desk.mails_to("nora@desk.example").len(), 3);
    assert_eq!(digests(desk)[0]["week_on"], "2026-07-06");
    desk.agent().get(LETTERS).refused(403, "missing_right");
}

fn a_digest_says_what_the_reports_say(desk: &Desk) {
    switch_on(desk);
    assert!(chore(desk.app()), "the week before, which was empty");
    let call = given::call(desk, "+14165550001", "2026-06-10T13:58:00Z");
    desk.agent().post(&given::path(&call, "/pickup"), json!({})).ok();
    for n in 0..3 {
        let subject = format!("Late <b>{n}</b> & more");
        let ticket = json!({ "channel": "email", "subject": subject, "from": { "email": format!("c{n}@nordwind.example") } });
        let ticket = desk.channel().post("/api/v1/tickets", ticket).ok();
        if n == 0 {
            desk.agent().post(&given::path(&ticket, "/replies"), json!({ "body": "Done." })).ok();
        }
    }
    desk.set_time(crate::support::desk::at("2026-06-15T12:00:00Z"));
    assert!(chore(desk.app()));
    desk.settle();
    let report = desk.manager().get("/api/v1/reports/sla?from=2026-06-08&to=2026-06-15&tz=America/Toronto").ok();
    let first = &report["total"][1];
    let letters = desk.mails_to(&manager(desk));
    let letter = letters.last().unwrap();
    let text = letter.text.replace("\r\n", "\n");
    assert!(text.contains("8 June 2026 to 14 June 2026, America/Toronto"), "{text}");
    let share = first["attainment"]["percent"].as_f64().unwrap();
    let said = format!("First response: {share:.1} % ({} of {} in time)", first["met"], first["attainment"]["denominator"]);
    assert!(text.contains(&said), "{said} is not in {text}");
    assert!(text.contains("Pickup: 0.0 % (0 of 1 in time)") && text.contains("week before: nothing decided"), "{text}");
    assert!(
        text.contains("first response 3 days 22 h late and still open"),
        "the due instant was a day after the receipt: {text}"
    );
    assert!(text.contains("pickup 1 min late") && text.contains("Late <b>1</b> & more"), "{text}");
    let html = &letter.html;
    assert!(html.contains("Late &#60;b&#62;1&#60;/b&#62; &#38; more") && !html.contains("<b>1"), "{html}");
    assert!(!html.contains("<img") && !html.contains("src="), "nothing is loaded from anywhere");
}

fn two_nodes_write_one_digest(desk: &Desk) {
    switch_on(desk);
    let (one, two) = (desk.app(), desk.another_node());
    let apps = [one, two.app()];
    let written: Vec<bool> = std::thread::scope(|scope| {
        let runs: Vec<_> = apps.into_iter().map(|app| scope.spawn(move || chore(app))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert_eq!(written.iter().filter(|is| **is).count(), 1, "{written:?}");
    desk.settle();
    assert_eq!(digests(desk).len(), 1);
    assert_eq!(desk.mails_to(&manager(desk)).len(), 1);
}

fn a_letter_that_is_refused_waits_for_a_person(desk: &Desk) {
    switch_on(desk);
    let refused = json!({ "name": "Rita Refused", "email": "reject550@desk.example", "role": "manager" });
    desk.admin().post("/api/v1/agents", refused).ok();
    assert!(chore(desk.app()));
    desk.settle();
    let of = |state: &str| digests(desk).into_iter().find(|row| row["state"] == state).unwrap();
    let (sent, parked) = (of("sent"), of("parked"));
    assert!(parked["last_error"].as_str().unwrap().contains("550") && parked["sent_at"].is_null(), "{parked}");
    let release = |row: &Value| format!("{LETTERS}/{}/release", row["id"].as_str().unwrap());
    desk.agent().post(&release(&parked), json!({})).refused(403, "missing_right");
    desk.manager().post(&release(&sent), json!({})).refused(409, "not_parked");
    let keyed = desk.manager().with("Idempotency-Key", "again");
    assert_eq!(keyed.post(&release(&parked), json!({})).ok()["state"], "queued");
    assert_eq!(keyed.post(&release(&parked), json!({})).ok()["state"], "queued", "a retry of the release");
    desk.settle();
    assert_eq!((of("parked")["attempts"].clone(), digests(desk).len()), (json!(2), 2));
    let nobody = "00000000-0000-7000-8000-000000000000";
    desk.manager().post(&format!("{LETTERS}/{nobody}/release"), json!({})).refused(404, "not_found");
}
