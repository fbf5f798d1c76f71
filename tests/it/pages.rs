//! The survey's page as a person sees it: in a real browser, on a phone, without JavaScript.
use crate::support::browser::Browser;
use crate::support::given::{close, email_ticket};
use crate::support::{Desk, Test, sqlite};
use chrono::TimeDelta;
use serde_json::json;

/// In a browser, on SQLite alone: pages do not know the database.
pub const TESTS: &[Test] = sqlite![a_phone_without_javascript_answers_a_survey, a_keyboard_is_enough_to_answer];

/// The page's address out of the letter, with a score as its link has it.
fn link(desk: &Desk, score: Option<u8>) -> String {
    let ticket = email_ticket(desk, "ana@nordwind.example");
    close(desk, ticket["id"].as_str().unwrap());
    desk.advance(TimeDelta::hours(3));
    let wanted = |link: &String| match score {
        Some(score) => link.ends_with(&format!("?score={score}")),
        None => link.contains("/survey/") && !link.contains('?'),
    };
    desk.mail_to("ana@nordwind.example").links().into_iter().find(wanted).unwrap()
}

fn responses(desk: &Desk) -> serde_json::Value {
    desk.agent().get("/api/v1/surveys/responses").ok()["items"].clone()
}

fn a_phone_without_javascript_answers_a_survey(desk: &Desk) {
    let browser = Browser::without_javascript();
    browser.open(&link(desk, Some(4)));
    assert!(browser.find("input[name=score][value='4']").is_selected(), "the link's score is chosen");
    assert_eq!(responses(desk), json!([]), "opening the link records nothing");
    assert!(browser.text().contains("would recommend Example Hosting to a friend or colleague?"), "{}", browser.text());
    browser.find("input[name=score][value='8']").type_text(" ");
    browser.find("textarea[name=comment]").type_text("Quick & kind <3");
    browser.find("button[type=submit]").type_text("\u{E007}");
    browser.wait_until("the thanks are shown", || browser.current_url().ends_with("/thanks"));
    let given = responses(desk);
    assert_eq!((&given[0]["score"], &given[0]["comment"]), (&json!(8), &json!("Quick & kind <3")));
}

fn a_keyboard_is_enough_to_answer(desk: &Desk) {
    let browser = Browser::start();
    browser.open(&link(desk, None));
    browser.press("\u{E004}");
    assert!(browser.find("fieldset legend").text().contains("0"), "the legend says what the ends mean");
    browser.find("input[name=score][value='10']").type_text(" ");
    browser.find("button[type=submit]").type_text("\u{e007}");
    browser.wait_until("the thanks are shown", || browser.current_url().ends_with("/thanks"));
    assert_eq!(responses(desk)[0]["score"], 10);
}
