//! Letters of surveys: whom they do not reach and why, when they go out, reminders; and the list of causes.
use crate::support::given::{close, email_ticket, path};
use crate::support::{Desk, Test, tests};
use crate::surveys::{answered, asked, outcomes, press};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_throttle_is_off_as_shipped_and_measured_from_the_sending,
    spam_is_not_asked_about,
    somebody_without_an_address_is_not_asked,
    an_address_that_is_refused_is_not_asked_until_it_is_lifted,
    a_letter_that_is_refused_is_not_the_address_s_fault,
    an_address_is_suppressed_by_hand,
    a_retry_keeps_to_the_contacts_hours,
    there_is_no_reminder_as_shipped,
    one_reminder_goes_out_and_its_links_are_the_same_survey,
    an_answer_spares_the_reminder,
    nobody_is_reminded_who_stopped_surveys_or_whose_ticket_is_open_again,
    causes_are_a_list,
];

fn survey_link(desk: &Desk, mail: &crate::support::mail::Mail) -> String {
    let link = mail.links().into_iter().find(|link| link.contains("/survey/") && !link.contains('?')).unwrap();
    link.strip_prefix(&desk.base()).unwrap().to_owned()
}

fn closed(desk: &Desk, address: &str) -> Value {
    let ticket = email_ticket(desk, address);
    close(desk, ticket["id"].as_str().unwrap());
    ticket
}

fn kinds(desk: &Desk, ticket: &Value) -> Vec<String> {
    let events = desk.agent().get(&path(ticket, "/history?limit=100")).ok();
    events["items"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
}

fn a_throttle_is_off_as_shipped_and_measured_from_the_sending(desk: &Desk) {
    asked(desk, "ana@nordwind.example");
    let (again, _) = asked(desk, "ana@nordwind.example");
    assert_eq!(outcomes(desk, &again), ["sent"], "every close is asked about");
    let sent_at = desk.now();
    desk.restart(|config| config.survey.throttle_enabled = true);
    // Due one second before thirty days have gone by since the last letter, and then exactly then.
    desk.set_time(sent_at + TimeDelta::days(30) - TimeDelta::hours(3) - TimeDelta::seconds(1));
    let early = closed(desk, "ana@nordwind.example");
    desk.advance(TimeDelta::hours(3));
    assert_eq!(outcomes(desk, &early), ["skipped_throttled"]);
    let late = closed(desk, "ana@nordwind.example");
    desk.advance(TimeDelta::hours(3));
    assert_eq!(outcomes(desk, &late), ["sent"], "a skipped survey does not throttle the next one");
    let other = closed(desk, "bo@nordwind.example");
    desk.advance(TimeDelta::hours(3));
    assert_eq!(outcomes(desk, &other), ["sent"], "each contact for itself");
}

fn spam_is_not_asked_about(desk: &Desk) {
    let spam = email_ticket(desk, "ana@nordwind.example");
    desk.agent().patch(&path(&spam, ""), json!({ "tags": ["spam"] })).ok();
    close(desk, spam["id"].as_str().unwrap());
    let ham = closed(desk, "bo@nordwind.example");
    desk.advance(TimeDelta::hours(3));
    assert_eq!((outcomes(desk, &spam), outcomes(desk, &ham)), (vec!["skipped_spam".to_owned()], vec!["sent".to_owned()]));
    assert!(desk.mails_to("ana@nordwind.example").is_empty());
}

fn somebody_without_an_address_is_not_asked(desk: &Desk) {
    let call = crate::support::given::call(desk, "+14165550100", "2026-06-10T13:59:50Z");
    close(desk, call["id"].as_str().unwrap());
    desk.advance(TimeDelta::hours(3));
    assert_eq!(outcomes(desk, &call), ["skipped_no_email"]);
}

fn suppressions(desk: &Desk, query: &str) -> Vec<Value> {
    desk.agent().get(&format!("/api/v1/surveys/suppressions?{query}")).ok()["items"].as_array().unwrap().clone()
}

fn an_address_that_is_refused_is_not_asked_until_it_is_lifted(desk: &Desk) {
    desk.expect_parked();
    let address = "reject550@nordwind.example";
    let first = closed(desk, address);
    desk.advance(TimeDelta::hours(3));
    assert_eq!(outcomes(desk, &first), ["failed"]);
    assert!(kinds(desk, &first).contains(&"address_bounced".to_owned()));
    let listed = suppressions(desk, "is_lifted=false");
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["address"], address);
    assert!(listed[0]["detail"].as_str().unwrap().contains("550"), "{listed:?}");
    let second = closed(desk, address);
    desk.advance(TimeDelta::hours(3));
    assert_eq!(outcomes(desk, &second), ["skipped_bounced"]);
    let one = format!("/api/v1/surveys/suppressions/{}", listed[0]["id"].as_str().unwrap());
    desk.channel().delete(&one).refused(403, "missing_right");
    desk.agent().delete(&one).is(204);
    desk.agent().delete(&one).is(204);
    assert!(suppressions(desk, "is_lifted=false").is_empty());
    let lifted = desk.agent().get(&one).ok();
    assert_eq!((&lifted["lifted_by"], lifted["lifted_at"].is_string()), (&json!(desk.people.agent.id), true));
    let third = closed(desk, address);
    desk.advance(TimeDelta::hours(3));
    assert_eq!(outcomes(desk, &third), ["failed"], "asked again, and refused again");
    assert_eq!(suppressions(desk, &format!("address={address}")).len(), 2, "the history of the address is kept");
}

fn a_letter_that_is_refused_is_not_the_address_s_fault(desk: &Desk) {
    desk.expect_parked();
    let ticket = closed(desk, "data550@nordwind.example");
    desk.advance(TimeDelta::hours(3));
    assert_eq!(outcomes(desk, &ticket), ["failed"]);
    assert!(suppressions(desk, "").is_empty(), "the server took the address and refused the letter");
}

fn an_address_is_suppressed_by_hand(desk: &Desk) {
    let all = "/api/v1/surveys/suppressions";
    let wanted = json!({ "address": "Ana@Nordwind.example", "detail": "came back after a day" });
    let made = desk.agent().post(all, &wanted);
    made.is(201);
    assert_eq!(made.json["address"], "ana@nordwind.example");
    assert_eq!(made.header("location"), Some(format!("{all}/{}", made.json["id"].as_str().unwrap()).as_str()));
    desk.agent().post(all, &wanted).refused(409, "suppressed_already");
    assert_eq!(desk.agent().post(all, json!({ "address": "ana" })).refuses_field("address"), "email");
    desk.agent().post(all, json!({ "address": "a@b.example", "why": "x" })).refused(422, "invalid_input");
    let ticket = closed(desk, "ana@nordwind.example");
    desk.agent().get(&format!("{all}?address=ana%40nordwind.example&is_lifted=true")).ok();
    desk.advance(TimeDelta::hours(3));
    assert_eq!(outcomes(desk, &ticket), ["skipped_bounced"]);
}

fn a_retry_keeps_to_the_contacts_hours(desk: &Desk) {
    desk.restart(|config| config.survey.window_enabled = true);
    // Wednesday 13:00 in Toronto; due at 16:00, refused for now, and tried again until the window closes at 18:00.
    desk.set_time("2026-06-10T17:00:00Z".parse().unwrap());
    let ticket = closed(desk, "busy451@nordwind.example");
    desk.set_time("2026-06-11T11:59:59Z".parse().unwrap());
    let tried = || desk.manager().get("/api/v1/mails").ok()["items"][0]["attempts"].as_i64().unwrap();
    let in_the_night = tried();
    assert!((3..12).contains(&in_the_night), "{in_the_night} tries in two hours, none after 18:00");
    desk.set_time("2026-06-11T12:00:00Z".parse().unwrap());
    assert_eq!(tried(), in_the_night + 1, "and one as soon as the window opens");
    assert_eq!(outcomes(desk, &ticket), ["waiting"]);
    desk.agent().delete(&path(&ticket, "/closure")).ok();
}

fn there_is_no_reminder_as_shipped(desk: &Desk) {
    asked(desk, "ana@nordwind.example");
    desk.advance(TimeDelta::days(20));
    assert_eq!(desk.mails().len(), 1);
}

fn remind(desk: &Desk) {
    desk.restart(|config| (config.survey.reminder_enabled, config.survey.reminder_days) = (true, 4));
}

fn one_reminder_goes_out_and_its_links_are_the_same_survey(desk: &Desk) {
    remind(desk);
    let (ticket, page) = asked(desk, "ana@nordwind.example");
    desk.advance(TimeDelta::days(4) - TimeDelta::seconds(1));
    assert_eq!(desk.mails().len(), 1);
    desk.advance(TimeDelta::seconds(1));
    let mails = desk.mails();
    assert_eq!(mails.len(), 2);
    let (first, second) = (&mails[0], &mails[1]);
    assert_ne!(first.header("message-id"), second.header("message-id"));
    assert!(second.subject.starts_with("Reminder: ") && second.text.contains("A few days ago"), "{}", second.raw);
    assert_eq!(second.header("auto-submitted"), "auto-generated");
    assert_eq!(second.header("list-unsubscribe-post"), "List-Unsubscribe=One-Click");
    assert!(kinds(desk, &ticket).contains(&"reminder_outcome".to_owned()));
    // Both letters ask for the same answer.
    let reminded = survey_link(desk, second);
    assert_ne!(reminded, page);
    press(desk, &reminded, "9", "").is(303);
    desk.anonymous().get(&format!("{reminded}/thanks")).is(200);
    assert!(desk.anonymous().get(&page).text.contains("we have your answer"));
    press(desk, &page, "3", "").is(303);
    let responses = crate::surveys::responses(desk, "");
    assert_eq!((responses.len(), &responses[0]["score"], &responses[0]["revision"]), (1, &json!(3), &json!(2)));
    // It does not prolong the survey: fourteen days from the first letter.
    desk.advance(TimeDelta::days(10));
    desk.anonymous().get(&reminded).is(410);
    assert_eq!(desk.mails().len(), 2, "one at most");
    let stop = second.header("list-unsubscribe").trim_matches(['<', '>']).strip_prefix(&desk.base()).unwrap().to_owned();
    desk.anonymous().post_form(&stop, &[("List-Unsubscribe", "One-Click")]).is(200);
    let contact = format!("/api/v1/contacts/{}", ticket["contact_id"].as_str().unwrap());
    assert_eq!(desk.agent().get(&contact).ok()["surveys_stopped"], true);
}

fn an_answer_spares_the_reminder(desk: &Desk) {
    remind(desk);
    answered(desk, "ana@nordwind.example", "0", "");
    desk.advance(TimeDelta::days(10));
    assert_eq!(desk.mails().len(), 1);
}

fn nobody_is_reminded_who_stopped_surveys_or_whose_ticket_is_open_again(desk: &Desk) {
    remind(desk);
    let (stopped, _) = asked(desk, "ana@nordwind.example");
    let (reopened, _) = asked(desk, "bo@nordwind.example");
    asked(desk, "cy@nordwind.example");
    let contact = format!("/api/v1/contacts/{}", stopped["contact_id"].as_str().unwrap());
    desk.agent().patch(&contact, json!({ "surveys_stopped": true })).ok();
    desk.agent().delete(&path(&reopened, "/closure")).ok();
    desk.agent().post("/api/v1/surveys/suppressions", json!({ "address": "cy@nordwind.example" })).is(201);
    desk.advance(TimeDelta::days(10));
    let asked = desk.mails().iter().filter(|mail| mail.subject.starts_with("How did we do?")).count();
    assert_eq!(asked, 3, "the first letters alone");
    let last = |ticket: &Value| {
        let events = desk.agent().get(&path(ticket, "/history?limit=100")).ok();
        let mut outcomes = events["items"].as_array().unwrap().iter().map(|event| event["data"]["outcome"].clone());
        outcomes.rfind(|outcome| !outcome.is_null()).unwrap()
    };
    assert_eq!((last(&stopped), last(&reopened)), (json!("skipped_unsubscribed"), json!("cancelled_reopened")));
}

fn causes_are_a_list(desk: &Desk) {
    let listed = desk.agent().get("/api/v1/causes?limit=100").ok()["items"].as_array().unwrap().len();
    desk.agent().post("/api/v1/causes", json!({ "name": "billing" })).refused(403, "missing_right");
    let made = desk.manager().post("/api/v1/causes", json!({ "name": "billing" }));
    made.is(201);
    let one = format!("/api/v1/causes/{}", made.json["id"].as_str().unwrap());
    desk.manager().post("/api/v1/causes", json!({ "name": "billing" })).refused(409, "name_taken");
    for bad in
        [json!({}), json!({ "name": "" }), json!({ "name": " x" }), json!({ "name": "x".repeat(51) }), json!({ "name": 1 })]
    {
        desk.manager().post("/api/v1/causes", &bad).refused(422, "invalid_input");
    }
    assert_eq!(desk.agent().get("/api/v1/causes?limit=100&is_retired=false").ok()["items"].as_array().unwrap().len(), listed + 1);
    let id = answered(desk, "ana@nordwind.example", "2", "Twice billed.");
    let review = format!("/api/v1/surveys/responses/{id}/review");
    desk.other_agent().post(&format!("/api/v1/surveys/responses/{id}/claim"), json!({})).ok();
    let said = |causes: Value| desk.other_agent().put(&review, json!({ "causes": causes }));
    assert_eq!(said(json!(["billing", "weather"])).refuses_field("causes[1]"), "unknown_cause");
    assert_eq!(said(json!(["billing", "billing"])).refuses_field("causes[1]"), "repeated");
    assert_eq!(said(json!(["billing", "slow answer"])).ok()["review"]["causes"], json!(["billing", "slow answer"]));
    // Retired: no longer offered, still readable, and offered again.
    desk.manager().with("If-Match", "\"7\"").delete(&one).refused(412, "stale_version");
    desk.manager().with("If-Match", "\"1\"").delete(&one).is(204);
    assert_eq!(desk.agent().get(&one).ok()["is_retired"], true);
    assert_eq!(desk.agent().get(&format!("/api/v1/surveys/responses/{id}")).ok()["review"]["causes"][0], "billing");
    let next = answered(desk, "bo@nordwind.example", "2", "");
    let review = format!("/api/v1/surveys/responses/{next}/review");
    desk.other_agent().post(&format!("/api/v1/surveys/responses/{next}/claim"), json!({})).ok();
    let said = |causes: Value| desk.other_agent().put(&review, json!({ "causes": causes }));
    assert_eq!(said(json!(["billing"])).refuses_field("causes[0]"), "unknown_cause");
    assert_eq!(desk.manager().patch(&one, json!({ "is_retired": false })).ok()["version"], 3);
    said(json!(["billing"])).ok();
}
