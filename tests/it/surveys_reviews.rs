//! Reviews of answers: who reads them, in which order, and what a bad one asks for.
use crate::support::given::{close, email_ticket, path};
use crate::support::{Desk, Test, tests};
use crate::surveys::{answered, press, responses};
use chrono::TimeDelta;
use serde_json::json;

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_review_is_claimed_once_and_never_by_who_handled_the_ticket,
    a_bad_answer_needs_causes,
    the_queue_begins_with_detractors_who_wrote,
];

fn a_review_is_claimed_once_and_never_by_who_handled_the_ticket(desk: &Desk) {
    let ticket = email_ticket(desk, "ana@nordwind.example");
    desk.agent().post(&path(&ticket, "/replies"), json!({ "body": "Hello." })).ok();
    desk.agent().put(&path(&ticket, "/assignee"), json!({ "agent_id": null })).ok();
    close(desk, ticket["id"].as_str().unwrap());
    desk.advance(TimeDelta::hours(3));
    let link = desk.mails_to("ana@nordwind.example")[1]
        .links()
        .into_iter()
        .find(|link| link.contains("/survey/") && !link.contains('?'))
        .unwrap();
    press(desk, link.strip_prefix(&desk.base()).unwrap(), "7", "").is(303);
    let claim = format!("/api/v1/surveys/responses/{}/claim", responses(desk, "")[0]["id"].as_str().unwrap());
    desk.agent().post(&claim, json!({})).refused(409, "own_ticket");
    assert_eq!(desk.other_agent().post(&claim, json!({})).ok()["review"]["agent_id"], json!(desk.people.other_agent.id));
    desk.manager().post(&claim, json!({})).refused(409, "already_claimed");
    desk.agent().delete(&claim).refused(409, "not_claimed");
    desk.manager().delete(&claim).ok();
    desk.other_agent().post(&claim, json!({})).ok();
    desk.other_agent().delete(&claim).ok();
    desk.manager().post(&claim, json!({})).ok();
    let review = claim.replace("/claim", "/review");
    desk.other_agent().put(&review, json!({})).refused(409, "not_claimed");
    assert_eq!(desk.manager().put(&review, json!({ "note": "Fine." })).ok()["review"]["state"], "reviewed");
    desk.manager().put(&review, json!({ "note": "Again." })).refused(409, "not_claimed");
}

fn a_bad_answer_needs_causes(desk: &Desk) {
    let id = answered(desk, "ana@nordwind.example", "6", "");
    let review = format!("/api/v1/surveys/responses/{id}/review");
    desk.other_agent().post(&format!("/api/v1/surveys/responses/{id}/claim"), json!({})).ok();
    assert_eq!(desk.other_agent().put(&review, json!({})).refuses_field("causes"), "missing");
    desk.other_agent().put(&review, json!({ "causes": [""] })).refuses_field("causes");
    let done = desk.other_agent().put(&review, json!({ "causes": ["slow answer"] })).ok();
    assert_eq!(done["review"]["causes"], json!(["slow answer"]));
    let unknown = "/api/v1/surveys/responses/00000000-0000-7000-8000-000000000000";
    desk.agent().get(unknown).refused(404, "not_found");
    desk.agent().post(&format!("{unknown}/claim"), json!({})).refused(404, "not_found");
}

fn the_queue_begins_with_detractors_who_wrote(desk: &Desk) {
    answered(desk, "a@nordwind.example", "10", "");
    answered(desk, "b@nordwind.example", "8", "Fine.");
    answered(desk, "c@nordwind.example", "2", "");
    answered(desk, "d@nordwind.example", "5", "No.");
    let scores =
        |query: &str| responses(desk, query).iter().map(|response| response["score"].as_i64().unwrap()).collect::<Vec<_>>();
    assert_eq!(scores("review=new"), [5, 2, 8, 10]);
    assert_eq!(scores("score_max=6"), [5, 2]);
    assert_eq!(scores("score_min=9&review=new"), [10]);
    let page = desk.agent().get("/api/v1/surveys/responses?limit=3").ok();
    let rest =
        desk.agent().get(&format!("/api/v1/surveys/responses?limit=3&cursor={}", page["next_cursor"].as_str().unwrap())).ok();
    assert_eq!(rest["items"][0]["score"], 10);
}
