//! Mail out: what arrives at a real SMTP server, and what happens when it does not.
use crate::support::given::{close, email_ticket, path};
use crate::support::servers;
use crate::support::smtp;
use crate::support::{Desk, Test, tests};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_reply_arrives_threaded_and_in_two_parts,
    a_note_is_mailed_to_nobody,
    a_refused_letter_is_parked_and_can_be_released,
    a_busy_server_is_tried_again_until_it_is_given_up,
    a_server_that_is_away_delays_and_loses_nothing,
    a_broken_hand_over_sends_a_reply_again_and_a_survey_never,
    letters_go_out_with_a_password_over_an_open_connection,
    letters_go_out_over_starttls_to_a_trusted_server_alone,
    without_a_server_letters_are_files,
    a_contact_without_an_address_is_answered_without_a_letter,
];

fn reply(desk: &Desk, ticket: &Value, text: &str) -> Value {
    desk.agent().post(&path(ticket, "/replies"), json!({ "body": text })).ok()
}

fn mails(desk: &Desk, query: &str) -> Vec<Value> {
    desk.manager().get(&format!("/api/v1/mails?{query}")).ok()["items"].as_array().unwrap().clone()
}

fn a_reply_arrives_threaded_and_in_two_parts(desk: &Desk) {
    let ticket = json!({
        "channel": "email", "subject": "Überweisung <b>offen</b>\r\nBcc: eve@evil.example", "body": "Hallo",
        "from": { "email": "ana@nordwind.example" }, "mail_message_id": "<1@nordwind.example>",
    });
    let ticket = desk.channel().post("/api/v1/tickets", ticket).ok();
    reply(desk, &ticket, "Erste Antwort.\n\n<script>alert(1)</script>\nZweite Zeile.");
    desk.settle();
    let mail = desk.mail_to("ana@nordwind.example");
    assert_eq!(mail.subject, "Re: Überweisung <b>offen</b> Bcc: eve@evil.example [#1]");
    assert!(!mail.has_header("bcc"));
    assert_eq!(mail.header("in-reply-to"), "<1@nordwind.example>");
    assert_eq!(mail.header("references"), "<1@nordwind.example>");
    assert!(
        mail.text.contains("<script>alert(1)</script>\n") || mail.text.contains("<script>alert(1)</script>\r\n"),
        "{}",
        mail.text
    );
    assert!(!mail.html.contains("<script>") && mail.html.contains("Zweite Zeile."), "{}", mail.html);
    let first_id = mail.header("message-id").to_owned();
    let full = desk.agent().get(&path(&ticket, "")).ok();
    assert_eq!(full["messages"][1]["mail_message_id"], json!(first_id));
    desk.channel().post(&path(&ticket, "/messages"), json!({ "body": "Danke", "mail_message_id": "<2@nordwind.example>" })).ok();
    reply(desk, &ticket, "Gern.");
    desk.settle();
    let second = &desk.mails_to("ana@nordwind.example")[1];
    assert_eq!(second.header("in-reply-to"), "<2@nordwind.example>");
    assert_eq!(
        second.header("references").split_whitespace().collect::<Vec<_>>(),
        ["<1@nordwind.example>", &first_id, "<2@nordwind.example>"]
    );
    desk.channel()
        .post(&path(&ticket, "/messages"), json!({ "body": "x", "mail_message_id": "<a>\r\nBcc: <b>" }))
        .refuses_field("mail_message_id");
}

fn a_note_is_mailed_to_nobody(desk: &Desk) {
    let ticket = email_ticket(desk, "ana@nordwind.example");
    desk.agent().post(&path(&ticket, "/notes"), json!({ "body": "Difficult one." })).ok();
    desk.settle();
    assert!(desk.mails().is_empty() && mails(desk, "").is_empty());
}

fn a_refused_letter_is_parked_and_can_be_released(desk: &Desk) {
    desk.expect_parked();
    let ticket = email_ticket(desk, "reject550@nordwind.example");
    reply(desk, &ticket, "Hello.");
    desk.settle();
    let parked = mails(desk, "state=parked");
    assert_eq!((parked.len(), &parked[0]["attempts"]), (1, &json!(1)));
    assert!(parked[0]["last_error"].as_str().unwrap().contains("550"), "{parked:?}");
    let history = desk.agent().get(&path(&ticket, "/history")).text;
    assert!(history.contains("mail_parked"), "{history}");
    let release = format!("/api/v1/mails/{}/release", parked[0]["id"].as_str().unwrap());
    desk.agent().post(&release, json!({})).refused(403, "missing_right");
    assert_eq!(desk.manager().post(&release, json!({})).ok()["state"], "queued");
    desk.manager().post(&release, json!({})).refused(409, "not_parked");
    desk.settle();
    assert_eq!(mails(desk, "state=parked")[0]["attempts"], 2);
}

fn a_busy_server_is_tried_again_until_it_is_given_up(desk: &Desk) {
    desk.expect_parked();
    desk.restart(|config| config.jobs.attempts_max = 3);
    let ticket = email_ticket(desk, "busy451@nordwind.example");
    reply(desk, &ticket, "Hello.");
    desk.settle();
    let queued = mails(desk, "state=queued");
    assert_eq!((queued.len(), &queued[0]["attempts"]), (1, &json!(1)), "not tried again at once");
    desk.advance(TimeDelta::hours(2));
    let parked = mails(desk, "state=parked");
    assert_eq!((parked.len(), &parked[0]["attempts"]), (1, &json!(3)));
}

fn a_server_that_is_away_delays_and_loses_nothing(desk: &Desk) {
    let port = servers::smtp().port;
    // A port that nobody listens on.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    desk.restart(|config| config.mail.smtp_port = nobody);
    let ticket = email_ticket(desk, "ana@nordwind.example");
    reply(desk, &ticket, "Hello.");
    close(desk, ticket["id"].as_str().unwrap());
    desk.advance(TimeDelta::hours(3));
    assert!(desk.mails().is_empty());
    assert_eq!(mails(desk, "state=queued").len(), 2);
    desk.restart(|config| config.mail.smtp_port = port);
    desk.advance(TimeDelta::hours(1));
    assert_eq!(desk.mails_to("ana@nordwind.example").len(), 2);
    assert_eq!(mails(desk, "state=sent").len(), 2);
    assert_eq!(desk.agent().get(&path(&ticket, "")).ok()["surveys"][0]["outcome"], "sent");
}

fn a_broken_hand_over_sends_a_reply_again_and_a_survey_never(desk: &Desk) {
    desk.expect_parked();
    desk.restart(|config| config.jobs.attempts_max = 2);
    let ticket = email_ticket(desk, "drop@nordwind.example");
    reply(desk, &ticket, "Hello.");
    desk.settle();
    desk.advance(TimeDelta::hours(1));
    let replies = desk.mails_to("drop@nordwind.example");
    assert_eq!(replies.len(), 2, "at least once");
    assert_eq!(replies[0].header("message-id"), replies[1].header("message-id"));
    close(desk, ticket["id"].as_str().unwrap());
    desk.advance(TimeDelta::hours(30));
    assert_eq!(desk.mails_to("drop@nordwind.example").len(), 3, "at most once");
    assert_eq!(desk.agent().get(&path(&ticket, "")).ok()["surveys"][0]["outcome"], "unknown");
}

fn letters_go_out_with_a_password_over_an_open_connection(desk: &Desk) {
    desk.expect_parked();
    let port = servers::smtp().auth_port;
    desk.restart(|config| {
        config.mail.smtp_port = port;
        (config.mail.smtp_user, config.mail.smtp_password) = (smtp::USER.into(), smtp::PASSWORD.into());
    });
    let ticket = email_ticket(desk, "ana@nordwind.example");
    reply(desk, &ticket, "Hello.");
    desk.settle();
    assert_eq!(desk.mail_to("ana@nordwind.example").user.as_deref(), Some(smtp::USER));
    desk.restart(|config| config.mail.smtp_password = "wrong".into());
    reply(desk, &ticket, "Hello again.");
    desk.settle();
    assert_eq!(desk.mails_to("ana@nordwind.example").len(), 1);
    assert_eq!(mails(desk, "state=sent").len(), 1);
}

fn letters_go_out_over_starttls_to_a_trusted_server_alone(desk: &Desk) {
    let (port, certificate) = (servers::smtp().starttls_port, servers::smtp().certificate.clone());
    desk.restart(|config| {
        (config.mail.smtp_host, config.mail.smtp_port, config.mail.smtp_tls) = ("localhost".into(), port, "starttls".into());
    });
    let ticket = email_ticket(desk, "ana@nordwind.example");
    reply(desk, &ticket, "Hello.");
    desk.settle();
    let queued = mails(desk, "state=queued");
    assert!(desk.mails().is_empty() && queued[0]["last_error"].as_str().unwrap().contains("ertificate"), "{queued:?}");
    desk.restart(|config| config.mail.smtp_ca_file = certificate);
    desk.advance(TimeDelta::minutes(1));
    assert_eq!(desk.mails_to("ana@nordwind.example").len(), 1);
}

fn without_a_server_letters_are_files(desk: &Desk) {
    desk.restart(|config| config.mail.smtp_host.clear());
    let ticket = email_ticket(desk, "ana@nordwind.example");
    reply(desk, &ticket, "Hello.");
    desk.settle();
    let files: Vec<_> = std::fs::read_dir(desk.data_dir().join("outbox")).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let letter = std::fs::read_to_string(&files[0]).unwrap();
    assert!(letter.contains("To: ana@nordwind.example") && letter.contains("Hello."), "{letter}");
}

fn a_contact_without_an_address_is_answered_without_a_letter(desk: &Desk) {
    let ticket = crate::support::given::call(desk, "+4930123456", "2026-06-10T14:00:00Z");
    reply(desk, &ticket, "Hello.");
    close(desk, ticket["id"].as_str().unwrap());
    desk.advance(TimeDelta::hours(4));
    assert!(desk.mails().is_empty());
    assert_eq!(desk.agent().get(&path(&ticket, "")).ok()["surveys"][0]["outcome"], "skipped_no_email");
}
