//! Answers that look machine-made, and what reviewers see of answers: revisions, due times.
use crate::support::browser::Browser;
use crate::support::given::{close, email_ticket, path};
use crate::support::{Answer, Desk, Test, sqlite, tests};
use crate::surveys::{answered, asked, press, responses};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_person_takes_two_seconds_and_leaves_the_trap_alone,
    a_flagged_answer_counts_once_it_is_confirmed,
    the_burst_counts_around_the_page_that_was_answered,
    a_person_can_still_answer_after_a_machine_did,
    a_suspicious_edit_is_in_doubt_too,
    whoever_handled_the_ticket_confirms_nothing,
    clicks_are_counted_in_memory_alone,
    revisions_are_kept_and_shown,
    a_review_is_due_by_the_hours_of_its_team,
];

/// Without a database to speak of.
pub const PAGE: &[Test] = sqlite![the_trap_is_invisible_and_the_page_is_as_before];

/// Fields of a form.
type Fields = &'static [(&'static str, &'static str)];

/// The hidden field of a page as it is served now.
fn stamp(desk: &Desk, url: &str) -> String {
    let html = desk.anonymous().get(url).text;
    let from = html.find("name=\"stamp\" value=\"").expect("a stamp") + "name=\"stamp\" value=\"".len();
    html[from..].split('"').next().unwrap().to_owned()
}

fn submit(desk: &Desk, page: &str, score: &str, more: &[(&str, &str)]) -> Answer {
    let fields: Vec<(&str, &str)> = [("score", score), ("comment", "")].into_iter().chain(more.iter().copied()).collect();
    desk.anonymous().post_form(page, &fields)
}

fn only(desk: &Desk) -> Value {
    let all = responses(desk, "");
    assert_eq!(all.len(), 1);
    all[0].clone()
}

/// Answers that the report counts, and letters of the period that were answered.
fn counted(desk: &Desk) -> (u64, u64) {
    let rows = desk.manager().get("/api/v1/reports/nps/rows?from=2026-06-01T00:00:00Z&to=2026-08-01T00:00:00Z").ok();
    let report = desk.manager().get("/api/v1/reports/nps?from=2026-06-01T00:00:00Z&to=2026-08-01T00:00:00Z").ok();
    assert_eq!(rows["items"].as_array().map(|rows| rows.len() as u64), report["total"]["n"].as_u64(), "rows and figure agree");
    (report["total"]["n"].as_u64().unwrap(), report["total"]["cohort"]["answered"].as_u64().unwrap())
}

fn a_person_takes_two_seconds_and_leaves_the_trap_alone(desk: &Desk) {
    let cases: [(&str, i64, Fields, Value); 4] = [
        ("a@nordwind.example", 1_999, &[], json!(["too_fast"])),
        ("b@nordwind.example", 2_000, &[], json!([])),
        ("c@nordwind.example", 60_000, &[("subject", "Buy")], json!(["honeypot"])),
        ("d@nordwind.example", 60_000, &[("subject", "")], json!([])),
    ];
    for (address, milliseconds, more, expected) in cases {
        let (ticket, page) = asked(desk, address);
        let served = stamp(desk, &format!("{page}?score=7"));
        desk.advance(TimeDelta::milliseconds(milliseconds));
        let fields: Vec<(&str, &str)> = more.iter().copied().chain([("stamp", served.as_str())]).collect();
        submit(desk, &page, "7", &fields).is(303);
        let found = responses(desk, "").into_iter().find(|response| response["ticket_id"] == ticket["id"]).unwrap();
        assert_eq!(found["flags"], expected, "{address}");
        assert_eq!(found["is_counted"], expected == json!([]), "{address}");
    }
    // A stamp of another survey, or of nobody's.
    let (_, page) = asked(desk, "e@nordwind.example");
    let (_, other) = asked(desk, "f@nordwind.example");
    let served = stamp(desk, &other);
    desk.advance(TimeDelta::minutes(1));
    submit(desk, &page, "0", &[("stamp", &served)]).is(303);
    submit(desk, &other, "0", &[("stamp", "1781000000000000.x")]).is(303);
    assert_eq!(responses(desk, "score_max=0").len(), 2);
    assert!(responses(desk, "score_max=0").iter().all(|response| response["flags"] == json!(["forged_stamp"])));
}

fn a_flagged_answer_counts_once_it_is_confirmed(desk: &Desk) {
    let (_, page) = asked(desk, "ana@nordwind.example");
    let served = stamp(desk, &page);
    submit(desk, &page, "9", &[("stamp", &served)]).is(303);
    let flagged = only(desk);
    let one = format!("/api/v1/surveys/responses/{}", flagged["id"].as_str().unwrap());
    assert_eq!((&flagged["confirmation"], &flagged["flags"]), (&json!("unconfirmed"), &json!(["too_fast"])));
    assert_eq!((counted(desk), responses(desk, "confirmation=unconfirmed").len()), ((0, 0), 1));
    assert_eq!((responses(desk, "is_counted=true").len(), responses(desk, "is_counted=false").len()), (0, 1));
    let confirm = format!("{one}/confirmation");
    desk.other_agent().post(&confirm, json!({ "decision": "maybe" })).refused(422, "invalid_input");
    desk.channel().post(&confirm, json!({})).refused(403, "missing_right");
    let done = desk.other_agent().post(&confirm, json!({})).ok();
    assert_eq!((&done["confirmation"], &done["decided_by"]), (&json!("confirmed"), &json!(desk.people.other_agent.id)));
    assert_eq!((&done["is_counted"], counted(desk)), (&json!(true), (1, 1)));
    assert!(responses(desk, "confirmation=unconfirmed").is_empty());
    // A second look finds otherwise.
    let keyed = desk.manager().with("Idempotency-Key", "second-look");
    keyed.post(&confirm, json!({ "decision": "rejected" })).ok();
    assert_eq!(keyed.post(&confirm, json!({ "decision": "rejected" })).ok()["confirmation"], "rejected");
    assert_eq!(counted(desk), (0, 0));
    let sound = answered(desk, "bo@nordwind.example", "9", "");
    let sound = format!("/api/v1/surveys/responses/{sound}/confirmation");
    desk.other_agent().post(&sound, json!({})).refused(409, "not_in_doubt");
    let unknown = "/api/v1/surveys/responses/00000000-0000-7000-8000-000000000000/confirmation";
    desk.agent().post(unknown, json!({})).refused(404, "not_found");
    assert_eq!(counted(desk), (1, 1));
}

fn the_burst_counts_around_the_page_that_was_answered(desk: &Desk) {
    let (_, page) = asked(desk, "ana@nordwind.example");
    // A scanner goes through the letter, and presses half a minute later.
    let stamps: Vec<String> = (0..=10).map(|score| stamp(desk, &format!("{page}?score={score}"))).collect();
    desk.advance(TimeDelta::seconds(30));
    submit(desk, &page, "0", &[("stamp", &stamps[0])]).is(303);
    assert_eq!(only(desk)["flags"], json!(["many_scores"]));
    // The person comes the next day, changes their mind on the way, and counts.
    desk.advance(TimeDelta::hours(20));
    stamp(desk, &format!("{page}?score=7"));
    desk.advance(TimeDelta::seconds(11));
    let served = stamp(desk, &format!("{page}?score=8"));
    desk.advance(TimeDelta::seconds(20));
    submit(desk, &page, "8", &[("stamp", &served)]).is(303);
    let given = only(desk);
    assert_eq!((&given["flags"], &given["score"], &given["is_counted"]), (&json!([]), &json!(8), &json!(true)));
    // What was opened is in memory: the next process knows nothing of it.
    let (_, page) = asked(desk, "bo@nordwind.example");
    let stamps: Vec<String> = (0..=10).map(|score| stamp(desk, &format!("{page}?score={score}"))).collect();
    desk.restart(|_| ());
    desk.advance(TimeDelta::seconds(30));
    submit(desk, &page, "10", &[("stamp", &stamps[10])]).is(303);
    assert_eq!(responses(desk, "score_min=10")[0]["flags"], json!([]), "but its stamp is good on every node");
}

fn a_person_can_still_answer_after_a_machine_did(desk: &Desk) {
    let (_, page) = asked(desk, "ana@nordwind.example");
    submit(desk, &page, "0", &[("subject", "x")]).is(303);
    let id = only(desk)["id"].clone();
    desk.advance(TimeDelta::days(3));
    press(desk, &page, "10", "Thank you!").is(303);
    let given = only(desk);
    assert_eq!((&given["id"], &given["score"], &given["revision"]), (&id, &json!(10), &json!(2)));
    assert_eq!((&given["confirmation"], &given["is_counted"], counted(desk)), (&Value::Null, &json!(true), (1, 1)));
    press(desk, &page, "9", "").is(409);
    // The same score by a person is a word too: the machine's guess counts from then on.
    let (ticket, page) = asked(desk, "bo@nordwind.example");
    submit(desk, &page, "0", &[("subject", "x")]).is(303);
    press(desk, &page, "0", "").is(303);
    let given = responses(desk, "score_max=0");
    assert_eq!(
        (&given[0]["ticket_id"], &given[0]["is_counted"], &given[0]["revision"]),
        (&ticket["id"], &json!(true), &json!(1))
    );
}

fn a_suspicious_edit_is_in_doubt_too(desk: &Desk) {
    let (_, page) = asked(desk, "ana@nordwind.example");
    press(desk, &page, "9", "").is(303);
    submit(desk, &page, "0", &[("subject", "x")]).is(303);
    let given = only(desk);
    assert_eq!((&given["score"], &given["confirmation"], counted(desk)), (&json!(0), &json!("unconfirmed"), (0, 0)));
    let revisions = desk.agent().get(&format!("/api/v1/surveys/responses/{}/revisions", given["id"].as_str().unwrap())).ok();
    assert_eq!(revisions["items"][0]["score"], 9, "what was said before is kept");
}

fn whoever_handled_the_ticket_confirms_nothing(desk: &Desk) {
    let ticket = email_ticket(desk, "ana@nordwind.example");
    desk.agent().put(&path(&ticket, "/assignee"), json!({ "agent_id": desk.people.agent.id })).ok();
    close(desk, ticket["id"].as_str().unwrap());
    desk.advance(TimeDelta::hours(3));
    let link = desk.mails().last().unwrap().links().into_iter().find(|link| link.contains("/survey/") && !link.contains('?'));
    let page = link.unwrap().strip_prefix(&desk.base()).unwrap().to_owned();
    submit(desk, &page, "10", &[("subject", "x")]).is(303);
    let confirm = format!("/api/v1/surveys/responses/{}/confirmation", only(desk)["id"].as_str().unwrap());
    desk.agent().post(&confirm, json!({})).refused(409, "own_ticket");
    assert_eq!(counted(desk), (0, 0));
    desk.other_agent().post(&confirm, json!({})).ok();
}

fn clicks_are_counted_in_memory_alone(desk: &Desk) {
    let (_, page) = asked(desk, "ana@nordwind.example");
    for score in 0..=10 {
        desk.anonymous().get(&format!("{page}?score={score}")).is(200);
    }
    desk.anonymous().get("/survey/unknown?score=3").is(404);
    desk.anonymous().get(&page).is(200);
    press(desk, &page, "4", "").is(303);
    let metrics = desk.anonymous().get("/metrics").text;
    let line = |kind: &str, result: &str| format!("deskbell_surveys_total{{kind=\"{kind}\",result=\"{result}\"}}");
    assert!(metrics.contains(&format!("{} 11", line("click", "unconfirmed"))), "{metrics}");
    assert!(metrics.contains(&format!("{} 1", line("answer", "flagged"))), "eleven scores within a second: {metrics}");
}

fn revisions_are_kept_and_shown(desk: &Desk) {
    let (_, page) = asked(desk, "ana@nordwind.example");
    for (score, comment) in [("9", ""), ("3", "No."), ("4", "No."), ("4", "No!")] {
        press(desk, &page, score, comment).is(303);
        desk.advance(TimeDelta::minutes(1));
    }
    let all = format!("/api/v1/surveys/responses/{}/revisions", only(desk)["id"].as_str().unwrap());
    let scores = |query: &str| -> (Vec<i64>, Value) {
        let page = desk.agent().get(&format!("{all}{query}")).ok();
        let scores = page["items"].as_array().unwrap().iter().map(|item| item["score"].as_i64().unwrap()).collect();
        (scores, page["next_cursor"].clone())
    };
    assert_eq!(scores("").0, [9, 3, 4]);
    let (first, cursor) = scores("?limit=2");
    assert_eq!(first, [9, 3]);
    assert_eq!(scores(&format!("?limit=2&cursor={}", cursor.as_str().unwrap())), (vec![4], Value::Null));
    desk.agent().get(&all.replace(only(desk)["id"].as_str().unwrap(), "00000000-0000-7000-8000-000000000000")).is(404);
}

fn a_review_is_due_by_the_hours_of_its_team(desk: &Desk) {
    let day = json!([{ "open": "00:00", "close": "24:00" }]);
    let week = json!({ "mon": day, "tue": day, "wed": day, "thu": day, "fri": day, "sat": day, "sun": day });
    let hours = json!({ "name": "Always", "definition": { "time_zone": "UTC", "weekly": week } });
    let calendar = desk.admin().post("/api/v1/calendars", hours).id();
    let team = desk.admin().post("/api/v1/teams", json!({ "name": "Payments", "calendar_id": calendar })).id();
    let ticket = email_ticket(desk, "ana@nordwind.example");
    desk.agent().put(&path(&ticket, "/team"), json!({ "team_id": team })).ok();
    close(desk, ticket["id"].as_str().unwrap());
    desk.advance(TimeDelta::hours(3));
    let link = desk.mails().last().unwrap().links().into_iter().find(|link| link.contains("/survey/") && !link.contains('?'));
    press(desk, link.unwrap().strip_prefix(&desk.base()).unwrap(), "2", "").is(303);
    let own = only(desk);
    assert_eq!(own["review"]["due_at"], "2026-06-11T01:00:00Z", "eight hours of a team that never closes");
    let followup = desk.agent().get(&format!("/api/v1/surveys/followups/{}", own["id"].as_str().unwrap())).ok();
    assert_eq!(followup["due_at"], "2026-06-11T17:00:00Z");
    assert_eq!(own["review"]["is_overdue"], false);
    desk.set_time("2026-06-11T01:00:00Z".parse().unwrap());
    assert!(responses(desk, "overdue=true").is_empty(), "in time to the instant");
    desk.advance(TimeDelta::microseconds(1));
    assert_eq!(responses(desk, "overdue=true")[0]["review"]["is_overdue"], true);
    assert!(responses(desk, "overdue=false").is_empty());
    let one = format!("/api/v1/surveys/responses/{}", own["id"].as_str().unwrap());
    desk.other_agent().post(&format!("{one}/claim"), json!({})).ok();
    assert_eq!(responses(desk, "overdue=true").len(), 1, "claimed is not done");
    desk.other_agent().put(&format!("{one}/review"), json!({ "causes": ["price"] })).ok();
    assert!(responses(desk, "overdue=true").is_empty());
    assert_eq!(responses(desk, "overdue=false")[0]["review"]["is_overdue"], false);
}

fn the_trap_is_invisible_and_the_page_is_as_before(desk: &Desk) {
    let (_, page) = asked(desk, "ana@nordwind.example");
    let browser = Browser::start();
    browser.open(&format!("{}{page}?score=9", desk.base()));
    assert!(!browser.text().contains("Leave this field empty"), "nobody sees it: {}", browser.text());
    let [_, _, width, height] = browser.find(".trap").place();
    assert!(width <= 1.0 && height <= 1.0, "{width} x {height}");
    // Nobody gets there by the keyboard: scores, comment, button, and round again.
    let mut names = Vec::new();
    for _ in 0..4 {
        browser.press("\u{E004}");
        names.push(browser.focused().attribute("name").unwrap_or_default());
    }
    assert!(!names.contains(&"subject".to_owned()), "{names:?}");
    let hidden =
        browser.script("return document.querySelector('[name=subject]').closest('[aria-hidden=true]') !== null", json!([]));
    assert_eq!(hidden, true, "nobody hears it");
    desk.advance(TimeDelta::seconds(5));
    browser.find("button[type=submit]").type_text("\u{E007}");
    browser.wait_until("the thanks are shown", || browser.current_url().ends_with("/thanks"));
    let given = only(desk);
    assert_eq!((&given["score"], &given["flags"]), (&json!(9), &json!([])), "a browser sends nothing suspicious");
}
