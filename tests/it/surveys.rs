//! Surveys: every rule of the invitation, the letter, the page and the review.
use crate::support::given::{close, email_ticket, path};
use crate::support::{Answer, Desk, Test, tests};
use chrono::TimeDelta;
use deskbell::db::Conn;
use diesel::prelude::*;
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    an_invitation_goes_out_after_the_delay_with_all_it_needs,
    reopening_cancels_and_the_next_close_asks_again,
    of_several_closes_of_one_contact_the_newest_is_asked_about,
    of_closes_due_at_the_same_instant_the_newest_is_asked_about,
    a_letter_that_failed_and_is_no_longer_wanted_is_cancelled,
    staff_and_people_who_stopped_surveys_are_not_asked,
    a_switch_and_a_throttle_skip_by_name,
    a_window_moves_the_letter_into_working_hours,
    looking_records_nothing,
    only_a_pressed_button_counts_and_zero_is_an_answer,
    bad_answers_are_refused_and_lose_nothing,
    an_answer_can_be_changed_for_a_day_and_reopens_its_review,
    an_unknown_link_is_not_found_and_an_old_one_is_gone,
    one_click_unsubscribes_and_looking_does_not,
    two_presses_at_once_are_one_answer,
    no_token_is_stored_or_shown,
    the_snapshot_is_of_the_close,
];

/// The named outcomes of a ticket's closes.
pub fn outcomes(desk: &Desk, ticket: &Value) -> Vec<String> {
    let full = desk.agent().get(&path(ticket, "")).ok();
    full["surveys"].as_array().unwrap().iter().map(|survey| survey["outcome"].as_str().unwrap().to_owned()).collect()
}

/// A closed ticket of `address` whose survey was mailed; gives the page's path.
pub fn asked(desk: &Desk, address: &str) -> (Value, String) {
    let ticket = email_ticket(desk, address);
    close(desk, ticket["id"].as_str().unwrap());
    desk.advance(TimeDelta::hours(3));
    let mails = desk.mails_to(address);
    let link = mails.last().unwrap().links().into_iter().find(|link| link.contains("/survey/") && !link.contains('?')).unwrap();
    (ticket, link.strip_prefix(&desk.base()).unwrap().to_owned())
}

/// Presses the button of a survey's page.
pub fn press(desk: &Desk, page: &str, score: &str, comment: &str) -> Answer {
    desk.anonymous().post_form(page, &[("score", score), ("comment", comment)])
}

/// Answers, in the order of review.
pub fn responses(desk: &Desk, query: &str) -> Vec<Value> {
    desk.agent().get(&format!("/api/v1/surveys/responses?{query}")).ok()["items"].as_array().unwrap().clone()
}

fn rows(desk: &Desk) -> Vec<i64> {
    use deskbell::db::schema::*;
    let mut conn = Conn::open(desk.app().db.url()).unwrap();
    let conn = &mut conn;
    vec![
        survey_invitations::table.count().get_result(conn).unwrap(),
        survey_invitations::table.filter(survey_invitations::is_answered.eq(true)).count().get_result(conn).unwrap(),
        survey_responses::table.count().get_result(conn).unwrap(),
        survey_revisions::table.count().get_result(conn).unwrap(),
        survey_reviews::table.count().get_result(conn).unwrap(),
        events::table.count().get_result(conn).unwrap(),
        jobs::table.count().get_result(conn).unwrap(),
        contacts::table.filter(contacts::surveys_stopped_at.is_not_null()).count().get_result(conn).unwrap(),
        tickets::table.select(diesel::dsl::max(tickets::version)).first::<Option<i32>>(conn).unwrap().unwrap_or(0).into(),
    ]
}

fn an_invitation_goes_out_after_the_delay_with_all_it_needs(desk: &Desk) {
    let ticket = email_ticket(desk, "ana@nordwind.example");
    close(desk, ticket["id"].as_str().unwrap());
    assert_eq!(outcomes(desk, &ticket), ["waiting"]);
    desk.advance(TimeDelta::hours(3) - TimeDelta::seconds(1));
    assert!(desk.mails().is_empty());
    desk.advance(TimeDelta::seconds(1));
    assert_eq!(outcomes(desk, &ticket), ["sent"]);
    let mail = desk.mail_to("ana@nordwind.example");
    assert_eq!(mail.header("auto-submitted"), "auto-generated");
    assert_eq!(mail.header("list-unsubscribe-post"), "List-Unsubscribe=One-Click");
    assert!(mail.header("list-unsubscribe").starts_with(&format!("<{}/unsubscribe/", desk.base())), "{}", mail.raw);
    for part in [&mail.text, &mail.html] {
        let plain: String = part.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(plain.contains("would recommend Example Hosting to a friend or colleague?"), "{plain}");
        assert!(plain.contains("#1") && plain.contains("Domain transfer is stuck") && plain.contains("/survey/"), "{plain}");
    }
    let scores = mail
        .links()
        .iter()
        .filter(|link| link.contains("?score="))
        .map(|link| link.split('=').nth(1).unwrap().to_owned())
        .collect::<std::collections::BTreeSet<_>>();
    assert_eq!(scores.len(), 11, "{scores:?}");
    assert!(!mail.html.contains("<img") && !mail.html.contains("src="), "no pixel, no picture");
    desk.advance(TimeDelta::days(3));
    assert_eq!(desk.mails().len(), 1);
}

fn reopening_cancels_and_the_next_close_asks_again(desk: &Desk) {
    let ticket = email_ticket(desk, "ana@nordwind.example");
    close(desk, ticket["id"].as_str().unwrap());
    desk.advance(TimeDelta::hours(1));
    desk.agent().delete(&path(&ticket, "/closure")).ok();
    assert_eq!(outcomes(desk, &ticket), ["cancelled_reopened"]);
    desk.advance(TimeDelta::hours(5));
    assert!(desk.mails().is_empty());
    close(desk, ticket["id"].as_str().unwrap());
    desk.advance(TimeDelta::hours(3));
    assert_eq!(outcomes(desk, &ticket), ["cancelled_reopened", "sent"]);
    assert_eq!(desk.mails().len(), 1);
    // The contact's own message reopens too.
    let other = email_ticket(desk, "bo@nordwind.example");
    close(desk, other["id"].as_str().unwrap());
    desk.channel().post(&path(&other, "/messages"), json!({ "body": "Not yet." })).ok();
    desk.advance(TimeDelta::hours(5));
    assert_eq!(outcomes(desk, &other), ["cancelled_reopened"]);
}

fn of_several_closes_of_one_contact_the_newest_is_asked_about(desk: &Desk) {
    let (one, two) = (email_ticket(desk, "ana@nordwind.example"), email_ticket(desk, "ana@nordwind.example"));
    close(desk, one["id"].as_str().unwrap());
    desk.advance(TimeDelta::hours(1));
    close(desk, two["id"].as_str().unwrap());
    desk.advance(TimeDelta::hours(4));
    assert_eq!((outcomes(desk, &one), outcomes(desk, &two)), (vec!["superseded".to_owned()], vec!["sent".to_owned()]));
    let (three, page) = asked(desk, "ana@nordwind.example");
    assert_eq!(outcomes(desk, &three), ["sent"], "a later one is asked about again: no throttle as shipped");
    press(desk, &page, "9", "").is(303);
}

fn of_closes_due_at_the_same_instant_the_newest_is_asked_about(desk: &Desk) {
    desk.restart(|config| config.survey.window_enabled = true);
    desk.set_time("2026-06-13T10:00:00Z".parse().unwrap());
    let tickets: Vec<Value> = (0..4).map(|_| email_ticket(desk, "ana@nordwind.example")).collect();
    for ticket in &tickets {
        close(desk, ticket["id"].as_str().unwrap());
        desk.advance(TimeDelta::minutes(1));
    }
    desk.advance(TimeDelta::days(3));
    let ends: Vec<String> = tickets.iter().flat_map(|ticket| outcomes(desk, ticket)).collect();
    assert_eq!(ends, ["superseded", "superseded", "superseded", "sent"]);
    assert_eq!(desk.mails().len(), 1);
}

fn a_letter_that_failed_and_is_no_longer_wanted_is_cancelled(desk: &Desk) {
    let ticket = email_ticket(desk, "busy451@nordwind.example");
    close(desk, ticket["id"].as_str().unwrap());
    desk.advance(TimeDelta::hours(3) + TimeDelta::minutes(5));
    assert_eq!(desk.manager().get("/api/v1/mails?state=queued").ok()["items"].as_array().map(Vec::len), Some(1));
    desk.agent().delete(&path(&ticket, "/closure")).ok();
    assert_eq!(outcomes(desk, &ticket), ["cancelled_reopened"]);
    assert_eq!(desk.manager().get("/api/v1/mails?state=cancelled").ok()["items"].as_array().map(Vec::len), Some(1));
    desk.advance(TimeDelta::days(1));
    assert_eq!(desk.manager().get("/api/v1/mails").ok()["items"].as_array().map(Vec::len), Some(1));
}

fn staff_and_people_who_stopped_surveys_are_not_asked(desk: &Desk) {
    let staff = desk.agent().get("/api/v1/agents/me").ok()["email"].as_str().unwrap().to_owned();
    let ticket = email_ticket(desk, &staff);
    let other = email_ticket(desk, "ana@nordwind.example");
    let contact = format!("/api/v1/contacts/{}", other["contact_id"].as_str().unwrap());
    desk.agent().patch(&contact, json!({ "surveys_stopped": true })).ok();
    close(desk, ticket["id"].as_str().unwrap());
    close(desk, other["id"].as_str().unwrap());
    desk.advance(TimeDelta::hours(4));
    assert_eq!(outcomes(desk, &ticket), ["skipped_staff"]);
    assert_eq!(outcomes(desk, &other), ["skipped_unsubscribed"]);
    assert!(desk.mails().is_empty());
}

fn a_switch_and_a_throttle_skip_by_name(desk: &Desk) {
    desk.restart(|config| config.survey.enabled = false);
    let off = email_ticket(desk, "ana@nordwind.example");
    close(desk, off["id"].as_str().unwrap());
    desk.restart(|config| (config.survey.enabled, config.survey.throttle_enabled) = (true, true));
    asked(desk, "ana@nordwind.example");
    let soon = email_ticket(desk, "ana@nordwind.example");
    close(desk, soon["id"].as_str().unwrap());
    desk.advance(TimeDelta::days(1));
    assert_eq!(
        (outcomes(desk, &off), outcomes(desk, &soon)),
        (vec!["skipped_disabled".to_owned()], vec!["skipped_throttled".to_owned()])
    );
    desk.advance(TimeDelta::days(30));
    let (later, _) = asked(desk, "ana@nordwind.example");
    assert_eq!(outcomes(desk, &later), ["sent"]);
}

fn a_window_moves_the_letter_into_working_hours(desk: &Desk) {
    desk.restart(|config| config.survey.window_enabled = true);
    let ticket = email_ticket(desk, "ana@nordwind.example");
    let contact = format!("/api/v1/contacts/{}", ticket["contact_id"].as_str().unwrap());
    desk.agent().patch(&contact, json!({ "time_zone": "Asia/Tokyo" })).ok();
    close(desk, ticket["id"].as_str().unwrap());
    // Closed at 23:00 in Tokyo: 08:00 there is 23:00 UTC.
    assert_eq!(desk.agent().get(&path(&ticket, "")).ok()["surveys"][0]["due_at"], "2026-06-10T23:00:00Z");
    desk.set_time("2026-06-10T22:59:59Z".parse().unwrap());
    assert!(desk.mails().is_empty());
    desk.advance(TimeDelta::seconds(1));
    assert_eq!(desk.mails().len(), 1);
}

fn looking_records_nothing(desk: &Desk) {
    let (_, page) = asked(desk, "ana@nordwind.example");
    let unsubscribe = desk.mails()[0].header("list-unsubscribe").trim_matches(['<', '>']).to_owned();
    let unsubscribe = unsubscribe.strip_prefix(&desk.base()).unwrap();
    let before = rows(desk);
    for query in ["", "?score=7", "?score=0&score=10", "?score=11", "?score=abc", "?a=%00"] {
        for path in [format!("{page}{query}"), format!("{page}/thanks{query}"), format!("{unsubscribe}{query}")] {
            let get = desk.anonymous().get(&path);
            assert!(get.status == 200 || get.status == 303, "{path}: {}", get.status);
            assert_eq!(desk.anonymous().head(&path).status, get.status, "{path}");
        }
    }
    assert_eq!(rows(desk), before);
    let shown = desk.anonymous().get(&format!("{page}?score=7"));
    assert!(shown.text.contains("value=\"7\"") && shown.text.contains("checked"), "{}", shown.text);
    assert!(!shown.text.contains("<script"), "no script submits");
    assert_eq!(shown.header("cache-control"), Some("no-store"));
    assert_eq!(shown.header("referrer-policy"), Some("no-referrer"));
    assert!(shown.header("content-security-policy").unwrap().contains("default-src 'none'"));
}

fn only_a_pressed_button_counts_and_zero_is_an_answer(desk: &Desk) {
    let (ticket, page) = asked(desk, "ana@nordwind.example");
    let answer = press(desk, &page, "0", "Too slow.\r\nReally.");
    assert_eq!((answer.status, answer.header("location")), (303, Some(format!("{page}/thanks").as_str())));
    desk.anonymous().get(&format!("{page}/thanks")).is(200);
    let responses = responses(desk, "");
    assert_eq!(responses.len(), 1);
    assert_eq!(
        (&responses[0]["score"], &responses[0]["comment"], &responses[0]["group"]),
        (&json!(0), &json!("Too slow.\nReally."), &json!("detractor"))
    );
    assert_eq!(responses[0]["review"]["state"], "new");
    // Eight open hours in Toronto from 13:00 there: 20:00 closes after seven, one more the next morning.
    assert_eq!(responses[0]["review"]["due_at"], "2026-06-11T13:00:00Z");
    let full = desk.agent().get(&path(&ticket, "")).ok();
    assert_eq!((&full["status"], &full["surveys"][0]["score"], &full["version"]), (&json!("closed"), &json!(0), &json!(2)));
}

fn bad_answers_are_refused_and_lose_nothing(desk: &Desk) {
    let (_, page) = asked(desk, "ana@nordwind.example");
    let before = rows(desk);
    for score in ["", "11", "-1", "7.5", "seven", "٧", "999999999999"] {
        let answer = press(desk, &page, score, "My comment stays.");
        answer.is(422);
        assert!(answer.text.contains("My comment stays.") && answer.text.contains("role=\"alert\""), "{score}: {}", answer.text);
    }
    let long = "ä".repeat(2_001);
    let answer = press(desk, &page, "5", &long);
    answer.is(422);
    assert!(answer.text.contains(&long), "a comment that is too long is not lost");
    desk.anonymous().post_form(&page, &[]).is(422);
    press(desk, &page, "5", &"x".repeat(200_000)).is(413);
    desk.anonymous().send(ureq::http::Method::POST, &page, Some(("text/plain", vec![0xff, 0x00, b'=']))).is(422);
    desk.anonymous().delete(&page).is(405);
    assert_eq!(rows(desk), before);
    press(desk, &page, "5", &"ä".repeat(2_000)).is(303);
    assert_eq!(responses(desk, "")[0]["comment"].as_str().unwrap().chars().count(), 2_000);
}

fn an_answer_can_be_changed_for_a_day_and_reopens_its_review(desk: &Desk) {
    let (_, page) = asked(desk, "ana@nordwind.example");
    press(desk, &page, "9", "").is(303);
    let id = responses(desk, "")[0]["id"].as_str().unwrap().to_owned();
    desk.other_agent().post(&format!("/api/v1/surveys/responses/{id}/claim"), json!({})).ok();
    desk.other_agent().put(&format!("/api/v1/surveys/responses/{id}/review"), json!({})).ok();
    let answered = rows(desk);
    press(desk, &page, "9", "").is(303);
    assert_eq!(rows(desk), answered, "the same answer again is no revision");
    desk.advance(TimeDelta::hours(24));
    press(desk, &page, "3", "It broke again.").is(303);
    let changed = &responses(desk, "")[0];
    assert_eq!((&changed["score"], &changed["revision"], &changed["review"]["state"]), (&json!(3), &json!(2), &json!("new")));
    assert_eq!(changed["review"]["agent_id"], Value::Null);
    desk.advance(TimeDelta::seconds(1));
    press(desk, &page, "10", "").is(409);
    assert_eq!(responses(desk, "")[0]["score"], 3);
    assert_eq!(responses(desk, "").len(), 1);
}

fn an_unknown_link_is_not_found_and_an_old_one_is_gone(desk: &Desk) {
    let (_, page) = asked(desk, "ana@nordwind.example");
    for path in ["/survey/x", &page.replace("/survey/", "/survey/x"), "/survey/%00", "/survey/x/thanks", "/unsubscribe/x"] {
        desk.anonymous().get(path).is(404);
    }
    press(desk, "/survey/x", "9", "").is(404);
    desk.advance(TimeDelta::days(14) - TimeDelta::microseconds(1));
    desk.anonymous().get(&page).is(200);
    desk.advance(TimeDelta::microseconds(1));
    let gone = desk.anonymous().get(&page);
    gone.is(410);
    assert!(gone.text.contains("Example Hosting"), "a friendly page: {}", gone.text);
    press(desk, &page, "9", "").is(410);
    assert!(responses(desk, "").is_empty());
}

fn one_click_unsubscribes_and_looking_does_not(desk: &Desk) {
    let (ticket, _) = asked(desk, "ana@nordwind.example");
    let link = desk.mails()[0].header("list-unsubscribe").trim_matches(['<', '>']).to_owned();
    let link = link.strip_prefix(&desk.base()).unwrap().to_owned();
    let contact = format!("/api/v1/contacts/{}", ticket["contact_id"].as_str().unwrap());
    let page = desk.anonymous().get(&link);
    assert!(page.text.contains("<form"), "{}", page.text);
    assert_eq!(desk.agent().get(&contact).ok()["surveys_stopped"], false);
    let done = desk.anonymous().post_form(&link, &[("List-Unsubscribe", "One-Click")]);
    assert_eq!((done.status, done.header("location"), done.header("set-cookie")), (200, None, None));
    desk.anonymous().post_form(&link, &[("List-Unsubscribe", "One-Click")]).is(200);
    assert_eq!(desk.agent().get(&contact).ok()["surveys_stopped"], true);
    let next = email_ticket(desk, "ana@nordwind.example");
    desk.agent().post(&path(&next, "/replies"), json!({ "body": "Replies still come." })).ok();
    close(desk, next["id"].as_str().unwrap());
    desk.advance(TimeDelta::hours(4));
    assert_eq!(outcomes(desk, &next), ["skipped_unsubscribed"]);
    assert_eq!(desk.mails().len(), 2, "surveys only");
}

fn two_presses_at_once_are_one_answer(desk: &Desk) {
    let (_, page) = asked(desk, "ana@nordwind.example");
    std::thread::scope(|scope| {
        for score in ["2", "9", "9", "2"] {
            let page = &page;
            scope.spawn(move || press(desk, page, score, "").is(303).status);
        }
    });
    assert_eq!(responses(desk, "").len(), 1);
}

/// An answer of `address`, about a ticket of its own; gives its id.
pub fn answered(desk: &Desk, address: &str, score: &str, comment: &str) -> String {
    let (ticket, page) = asked(desk, address);
    press(desk, &page, score, comment).is(303);
    let all = responses(desk, "");
    all.iter().find(|response| response["ticket_id"] == ticket["id"]).unwrap()["id"].as_str().unwrap().to_owned()
}

fn no_token_is_stored_or_shown(desk: &Desk) {
    let (ticket, page) = asked(desk, "ana@nordwind.example");
    press(desk, &page, "9", "").is(303);
    let token = page.trim_start_matches("/survey/");
    assert_eq!(token.len(), 43);
    for path in [path(&ticket, ""), path(&ticket, "/history"), "/api/v1/mails".into(), "/api/v1/surveys/responses".into()] {
        assert!(!desk.admin().get(&path).text.contains(token), "{path}");
    }
    assert!(!desk.anonymous().get("/metrics").text.contains(token));
    if desk.backend == crate::support::Backend::Sqlite {
        for file in std::fs::read_dir(desk.data_dir()).unwrap() {
            let file = file.unwrap().path();
            let bytes = std::fs::read(&file).unwrap_or_default();
            assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()), "{}", file.display());
        }
    }
}

fn the_snapshot_is_of_the_close(desk: &Desk) {
    let team = desk.admin().post("/api/v1/teams", json!({ "name": "Payments" })).id();
    let ticket = email_ticket(desk, "ana@nordwind.example");
    desk.agent().put(&path(&ticket, "/team"), json!({ "team_id": team })).ok();
    desk.agent().put(&path(&ticket, "/assignee"), json!({ "agent_id": desk.people.other_agent.id })).ok();
    desk.agent().post(&path(&ticket, "/replies"), json!({ "body": "Hello." })).ok();
    close(desk, ticket["id"].as_str().unwrap());
    desk.advance(TimeDelta::hours(3));
    desk.agent().delete(&path(&ticket, "/closure")).ok();
    desk.agent().put(&path(&ticket, "/team"), json!({ "team_id": null })).ok();
    let link = desk.mails_to("ana@nordwind.example")[1]
        .links()
        .into_iter()
        .find(|link| link.contains("/survey/") && !link.contains('?'))
        .unwrap();
    press(desk, link.strip_prefix(&desk.base()).unwrap(), "9", "").is(303);
    let response = &responses(desk, "")[0];
    assert_eq!((&response["team_id"], &response["assignee_id"]), (&json!(team), &json!(desk.people.other_agent.id)));
    assert_eq!(response["agent_ids"], json!([desk.people.agent.id]));
}
