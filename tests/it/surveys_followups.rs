//! Follow-ups of detractors, and who was won back.
use crate::support::given::{close, path};
use crate::support::{Desk, Test, tests};
use crate::surveys::{answered, asked, outcomes, press, responses};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    every_detractor_is_owed_a_follow_up,
    a_follow_up_goes_from_owner_to_outcome,
    an_outcome_needs_an_attempt_or_a_reason,
    a_changed_answer_changes_what_is_owed,
    a_suspicious_detractor_is_owed_nothing_until_confirmed,
    a_follow_up_ticket_is_not_surveyed,
    follow_ups_are_listed_by_due_time,
    a_detractor_whose_next_answer_is_seven_is_recovered,
];

fn followup(desk: &Desk, response: &str) -> Value {
    desk.agent().get(&format!("/api/v1/surveys/followups/{response}")).ok()
}

fn every_detractor_is_owed_a_follow_up(desk: &Desk) {
    for score in 0..=10 {
        let id = answered(desk, &format!("a{score}@nordwind.example"), &score.to_string(), "");
        let found = desk.agent().get(&format!("/api/v1/surveys/followups/{id}"));
        assert_eq!(found.status, if score <= 6 { 200 } else { 404 }, "{score}");
        if score == 0 {
            // Answered on Wednesday at 13:00 in Toronto: seven open hours that day, twelve the next, five on Friday.
            assert_eq!((&found.json["due_at"], &found.json["outcome"]), (&json!("2026-06-12T17:00:00Z"), &Value::Null));
            assert_eq!((&found.json["owner_id"], &found.json["attempts"]), (&Value::Null, &json!([])));
        }
    }
    let id = responses(desk, "score_min=10")[0]["id"].as_str().unwrap().to_owned();
    let by_hand = format!("/api/v1/surveys/responses/{id}/followup");
    let made = desk.agent().post(&by_hand, json!({}));
    made.is(201);
    assert_eq!(made.header("location"), Some(format!("/api/v1/surveys/followups/{id}").as_str()));
    desk.agent().post(&by_hand, json!({})).refused(409, "followup_exists");
}

fn a_follow_up_goes_from_owner_to_outcome(desk: &Desk) {
    let id = answered(desk, "ana@nordwind.example", "2", "No.");
    let one = format!("/api/v1/surveys/followups/{id}");
    let before = desk.agent().get(&one);
    let owner = json!({ "agent_id": desk.people.other_agent.id });
    let given = desk.manager().with("If-Match", before.etag()).put(&format!("{one}/owner"), &owner);
    assert_eq!(given.ok()["owner_id"], json!(desk.people.other_agent.id));
    desk.manager().with("If-Match", before.etag()).put(&format!("{one}/owner"), &owner).refused(412, "stale_version");
    let nobody = json!({ "agent_id": "00000000-0000-7000-8000-000000000000" });
    assert_eq!(desk.manager().put(&format!("{one}/owner"), nobody).refuses_field("agent_id"), "unknown_agent");
    let attempts = format!("{one}/attempts");
    desk.advance(TimeDelta::hours(2));
    let tried = json!({ "how": "phone", "note": "Left a message.", "at": desk.now() - TimeDelta::hours(1) });
    let keyed = desk.other_agent().with("Idempotency-Key", "call-1");
    keyed.post(&attempts, &tried).ok();
    assert_eq!(keyed.post(&attempts, &tried).ok()["attempts"].as_array().unwrap().len(), 1, "a retry is no second call");
    desk.other_agent().post(&attempts, json!({ "how": "email" })).ok();
    for (bad, field, code) in [
        (json!({ "how": "pigeon" }), "how", "unknown_name"),
        (json!({ "how": "phone", "at": desk.now() + TimeDelta::seconds(1) }), "at", "future"),
        (json!({ "how": "phone", "at": desk.now() - TimeDelta::days(30) }), "at", "before_the_answer"),
        (json!({ "how": "phone", "note": "x".repeat(2_001) }), "note", "length"),
    ] {
        assert_eq!(desk.other_agent().post(&attempts, bad).refuses_field(field), code);
    }
    let done = desk.other_agent().put(&format!("{one}/outcome"), json!({ "outcome": "resolved", "why": "Moved by hand." })).ok();
    assert_eq!((&done["outcome"], &done["ended_by"]), (&json!("resolved"), &json!(desk.people.other_agent.id)));
    let shown = done["attempts"].as_array().unwrap();
    assert_eq!(
        (&shown[0]["how"], &shown[0]["note"], &shown[1]["how"]),
        (&json!("phone"), &json!("Left a message."), &json!("email"))
    );
    for refused in [
        desk.agent().post(&attempts, json!({ "how": "phone" })),
        desk.agent().put(&format!("{one}/owner"), &owner),
        desk.agent().put(&format!("{one}/outcome"), json!({ "outcome": "contacted" })),
        desk.agent().post(&format!("{one}/ticket"), json!({ "channel": "email", "subject": "Again" })),
    ] {
        refused.refused(409, "followup_ended");
    }
    assert_eq!(desk.agent().delete(&format!("{one}/outcome")).ok()["outcome"], Value::Null);
    desk.agent().delete(&format!("{one}/outcome")).refused(409, "followup_open");
    let ticket = responses(desk, "")[0]["ticket_id"].as_str().unwrap().to_owned();
    let events = desk.agent().get(&format!("/api/v1/tickets/{ticket}/history?limit=100")).ok();
    let what: Vec<&str> = events["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["kind"] == "followup_changed")
        .map(|event| event["data"]["what"].as_str().unwrap())
        .collect();
    assert_eq!(what, ["opened", "given", "attempted", "attempted", "ended", "reopened"]);
}

fn an_outcome_needs_an_attempt_or_a_reason(desk: &Desk) {
    let id = answered(desk, "ana@nordwind.example", "5", "");
    let end = format!("/api/v1/surveys/followups/{id}/outcome");
    for outcome in ["resolved", "contacted", "no_reply", "declined"] {
        assert_eq!(desk.agent().put(&end, json!({ "outcome": outcome })).refuses_field("outcome"), "no_attempt");
    }
    assert_eq!(desk.agent().put(&end, json!({ "outcome": "not_needed", "why": " " })).refuses_field("why"), "no_reason");
    assert_eq!(followup(desk, &id)["outcome"], Value::Null);
    desk.agent().put(&end, json!({ "outcome": "not_needed", "why": "They left the business." })).ok();
}

fn a_changed_answer_changes_what_is_owed(desk: &Desk) {
    let (_, page) = asked(desk, "ana@nordwind.example");
    press(desk, &page, "8", "").is(303);
    let id = responses(desk, "")[0]["id"].as_str().unwrap().to_owned();
    desk.agent().get(&format!("/api/v1/surveys/followups/{id}")).is(404);
    press(desk, &page, "3", "").is(303);
    assert_eq!(followup(desk, &id)["outcome"], Value::Null, "a detractor now");
    press(desk, &page, "9", "").is(303);
    let ended = followup(desk, &id);
    assert_eq!((&ended["outcome"], &ended["ended_by"]), (&json!("not_needed"), &Value::Null));
    press(desk, &page, "3", "").is(303);
    assert_eq!(followup(desk, &id)["outcome"], Value::Null, "and again");
    desk.agent().post(&format!("/api/v1/surveys/followups/{id}/attempts"), json!({ "how": "chat" })).ok();
    press(desk, &page, "9", "").is(303);
    assert_eq!(followup(desk, &id)["outcome"], Value::Null, "what people began, people end");
}

fn a_suspicious_detractor_is_owed_nothing_until_confirmed(desk: &Desk) {
    let (_, page) = asked(desk, "ana@nordwind.example");
    desk.anonymous().post_form(&page, &[("score", "0"), ("subject", "x")]).is(303);
    let id = responses(desk, "")[0]["id"].as_str().unwrap().to_owned();
    desk.agent().get(&format!("/api/v1/surveys/followups/{id}")).is(404);
    let confirm = format!("/api/v1/surveys/responses/{id}/confirmation");
    desk.other_agent().post(&confirm, json!({})).ok();
    assert_eq!(followup(desk, &id)["outcome"], Value::Null);
    desk.other_agent().post(&confirm, json!({ "decision": "rejected" })).ok();
    assert_eq!(followup(desk, &id)["outcome"], "not_needed");
}

fn a_follow_up_ticket_is_not_surveyed(desk: &Desk) {
    let id = answered(desk, "ana@nordwind.example", "1", "");
    let (open, _) = asked(desk, "bo@nordwind.example");
    let tickets = format!("/api/v1/surveys/followups/{id}/ticket");
    let wanted = json!({ "channel": "email", "subject": "Your answer" });
    let made = desk.other_agent().post(&tickets, &wanted);
    made.is(201);
    desk.other_agent().post(&tickets, &wanted).refused(409, "ticket_exists");
    let ticket = desk.agent().get(made.header("location").unwrap()).ok();
    assert_eq!((&made.json["followup_ticket_id"], &made.json["owner_id"]), (&ticket["id"], &json!(desk.people.other_agent.id)));
    assert_eq!((&ticket["direction"], &ticket["assignee_id"]), (&json!("outbound"), &json!(desk.people.other_agent.id)));
    // Another request of the same contact is closed first: it is asked about, although the follow-up's close is newer.
    let other = crate::support::given::email_ticket(desk, "ana@nordwind.example");
    close(desk, other["id"].as_str().unwrap());
    desk.advance(TimeDelta::minutes(10));
    close(desk, ticket["id"].as_str().unwrap());
    desk.advance(TimeDelta::hours(4));
    assert_eq!(outcomes(desk, &ticket), ["skipped_followup"]);
    assert_eq!((outcomes(desk, &other), outcomes(desk, &open)), (vec!["sent".to_owned()], vec!["sent".to_owned()]));
    desk.agent().get(&path(&ticket, "")).ok();
}

fn follow_ups_are_listed_by_due_time(desk: &Desk) {
    let ids: Vec<String> = (0..3)
        .map(|n| {
            let id = answered(desk, &format!("a{n}@nordwind.example"), "3", "");
            desk.advance(TimeDelta::hours(5));
            id
        })
        .collect();
    let list = |query: &str| -> Vec<String> {
        let page = desk.agent().get(&format!("/api/v1/surveys/followups?{query}")).ok();
        page["items"].as_array().unwrap().iter().map(|item| item["response_id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(list(""), ids);
    let first = desk.agent().get("/api/v1/surveys/followups?limit=2&is_open=true").ok();
    let rest = format!("limit=2&is_open=true&cursor={}", first["next_cursor"].as_str().unwrap());
    assert_eq!((first["items"].as_array().unwrap().len(), list(&rest)), (2, ids[2..].to_vec()));
    let owner = json!({ "agent_id": desk.people.agent.id });
    desk.agent().put(&format!("/api/v1/surveys/followups/{}/owner", ids[1]), owner).ok();
    assert_eq!(list(&format!("owner_id={}", desk.people.agent.id)), ids[1..2]);
    let due: chrono::DateTime<chrono::Utc> = followup(desk, &ids[0])["due_at"].as_str().unwrap().parse().unwrap();
    assert!(due >= desk.now());
    desk.set_time(due);
    assert!(list("overdue=true").is_empty());
    desk.advance(TimeDelta::seconds(1));
    assert_eq!(list("overdue=true"), ids[..1]);
    assert_eq!(followup(desk, &ids[0])["is_overdue"], true);
    let done = json!({ "outcome": "not_needed", "why": "Spoke yesterday." });
    desk.agent().put(&format!("/api/v1/surveys/followups/{}/outcome", ids[0]), done).ok();
    assert_eq!((list("overdue=true"), list("is_open=false")), (Vec::new(), ids[..1].to_vec()));
    for bad in ["limit=0", "overdue=perhaps", "cursor=x", "state=open"] {
        desk.agent().get(&format!("/api/v1/surveys/followups?{bad}")).refused(422, "invalid_input");
    }
}

fn a_detractor_whose_next_answer_is_seven_is_recovered(desk: &Desk) {
    let won = answered(desk, "ana@nordwind.example", "2", "");
    let lost = answered(desk, "bo@nordwind.example", "2", "");
    answered(desk, "cy@nordwind.example", "2", "");
    let (_, page) = asked(desk, "ana@nordwind.example");
    press(desk, &page, "6", "").is(303);
    answered(desk, "bo@nordwind.example", "0", "");
    let of = |id: &str| desk.agent().get(&format!("/api/v1/surveys/responses/{id}")).ok();
    assert_eq!((&of(&won)["next_score"], &of(&won)["is_recovered"]), (&json!(6), &json!(false)));
    press(desk, &page, "7", "").is(303);
    assert_eq!((&of(&won)["next_score"], &of(&won)["is_recovered"]), (&json!(7), &json!(true)));
    assert_eq!((&of(&lost)["next_score"], &of(&lost)["is_recovered"]), (&json!(0), &json!(false)));
    let ids = |query: &str| responses(desk, query).iter().map(|item| item["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids("is_recovered=true"), [json!(won)]);
    assert_eq!(ids("is_recovered=false").len(), 3);
    desk.advance(TimeDelta::seconds(1));
    let figure = desk.manager().get("/api/v1/surveys/recovery").ok();
    assert_eq!(
        (&figure["detractors"], &figure["answered_again"], &figure["recovered"]),
        (&json!(4), &json!(2), &json!(1)),
        "{figure}"
    );
    let none = desk.manager().get("/api/v1/surveys/recovery?from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z").ok();
    assert_eq!(none["detractors"], 0);
    let backwards = desk.manager().get("/api/v1/surveys/recovery?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z");
    assert_eq!(backwards.refuses_field("from"), "order");
    // A machine's answer in between says nothing, until it is confirmed.
    let (_, page) = asked(desk, "bo@nordwind.example");
    desk.anonymous().post_form(&page, &[("score", "10"), ("subject", "x")]).is(303);
    let last = ids("confirmation=unconfirmed")[0].as_str().unwrap().to_owned();
    let recovered = || ids("is_recovered=true").len();
    assert_eq!(recovered(), 1);
    desk.other_agent().post(&format!("/api/v1/surveys/responses/{last}/confirmation"), json!({})).ok();
    assert_eq!(recovered(), 2);
    desk.other_agent().post(&format!("/api/v1/surveys/responses/{last}/confirmation"), json!({ "decision": "rejected" })).ok();
    assert_eq!(recovered(), 1);
}
