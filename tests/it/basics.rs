//! What every route keeps to: the outer shape of requests and answers.
use crate::support::{Desk, Test, tests};
use chrono::TimeDelta;
use serde_json::json;
use ureq::http::Method;

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_running_desk_says_that_it_is_healthy_and_ready,
    a_desk_whose_jobs_stand_still_is_not_ready,
    metrics_are_in_the_format_of_prometheus,
    an_unknown_path_is_a_problem_with_404,
    a_wrong_method_is_told_the_right_ones,
    without_a_token_nothing_is_answered,
    a_wrong_token_is_refused,
    head_answers_as_get_without_a_body,
    malformed_json_is_refused,
    an_unknown_field_is_named,
    a_missing_field_is_named,
    a_nul_character_is_refused,
    a_body_past_the_limit_is_refused,
    a_body_that_is_not_json_is_refused,
    bytes_that_are_no_utf8_are_refused,
    an_unknown_parameter_is_named,
    every_answer_has_an_id_of_its_request,
];

const TEAMS: &str = "/api/v1/teams";

fn a_running_desk_says_that_it_is_healthy_and_ready(desk: &Desk) {
    desk.anonymous().get("/healthz").is(200);
    desk.anonymous().head("/healthz").is(200);
    desk.anonymous().get("/readyz").is(200);
}

fn a_desk_whose_jobs_stand_still_is_not_ready(desk: &Desk) {
    desk.expect_server_errors();
    desk.only_set_clock(desk.now() + TimeDelta::minutes(10));
    desk.anonymous().get("/readyz").refused(503, "unavailable");
    desk.anonymous().get("/healthz").is(200);
    desk.settle();
    desk.anonymous().get("/readyz").is(200);
}

fn metrics_are_in_the_format_of_prometheus(desk: &Desk) {
    desk.agent().get(TEAMS).ok();
    let metrics = desk.anonymous().get("/metrics");
    metrics.is(200);
    assert!(metrics.text.contains("\n# TYPE ") && metrics.text.ends_with("# EOF\n"), "{}", metrics.text);
    assert!(metrics.text.contains(TEAMS), "requests are counted by route: {}", metrics.text);
}

fn an_unknown_path_is_a_problem_with_404(desk: &Desk) {
    desk.anonymous().get("/nothing/here").refused(404, "not_found");
    desk.agent().get("/api/v1/nothing").refused(404, "not_found");
    desk.agent().get("/api/v1/teams/not-an-id").refused(404, "not_found");
    desk.agent().get("/api/v1/teams/00000000-0000-7000-8000-000000000000").refused(404, "not_found");
}

fn a_wrong_method_is_told_the_right_ones(desk: &Desk) {
    let answer = desk.admin().delete(TEAMS);
    answer.refused(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), Some("POST, GET, HEAD"));
    let answer = desk.admin().send(Method::POST, "/healthz", None);
    answer.is(405);
    assert!(answer.header("allow").is_some_and(|allowed| allowed.contains("GET")), "{:?}", answer.headers);
}

fn without_a_token_nothing_is_answered(desk: &Desk) {
    let answer = desk.anonymous().get(TEAMS);
    answer.refused(401, "unauthorized");
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    desk.anonymous().post(TEAMS, json!({ "name": "Payments" })).refused(401, "unauthorized");
    // Also where there is nothing: a stranger cannot find out which paths exist.
    desk.anonymous().get("/api/v1/nothing").refused(401, "unauthorized");
    assert_eq!(
        desk.agent().get(TEAMS).ok()["items"].as_array().map(|teams| teams.iter().any(|team| team["name"] == "Payments")),
        Some(false)
    );
}

fn a_wrong_token_is_refused(desk: &Desk) {
    desk.client("guessed").get(TEAMS).refused(401, "unauthorized");
    desk.anonymous().with("Authorization", "Basic dXNlcjpwYXNz").get(TEAMS).refused(401, "unauthorized");
    desk.anonymous().with("Authorization", "Bearer").get(TEAMS).refused(401, "unauthorized");
}

fn head_answers_as_get_without_a_body(desk: &Desk) {
    let me = format!("/api/v1/agents/{}", desk.people.agent.id);
    for path in [TEAMS, "/api/v1/agents/me", me.as_str(), "/api/v1/nothing"] {
        let (get, head) = (desk.agent().get(path), desk.agent().head(path));
        assert_eq!(head.text, "", "{path}");
        let shape = |answer: &crate::support::Answer| {
            (answer.status, ["content-type", "content-length", "etag"].map(|name| answer.header(name).map(str::to_owned)))
        };
        assert_eq!(shape(&head), shape(&get), "{path}");
    }
}

fn malformed_json_is_refused(desk: &Desk) {
    for body in ["{", "", "{\"name\":\"a\"} {}", "nonsense"] {
        let answer = desk.admin().send(
            Method::PATCH,
            &format!("/api/v1/agents/{}", desk.people.agent.id),
            Some(("application/json", body.into())),
        );
        answer.refused(400, "malformed_json");
    }
}

fn an_unknown_field_is_named(desk: &Desk) {
    let answer = desk.admin().post(TEAMS, json!({ "name": "Payments", "colour": "red" }));
    assert_eq!(answer.refuses_field("colour"), "unknown_field");
    desk.admin().post(TEAMS, json!({ "name": "Payments" })).is(201);
}

fn a_missing_field_is_named(desk: &Desk) {
    assert_eq!(desk.admin().post(TEAMS, json!({})).refuses_field("name"), "missing");
    assert_eq!(desk.admin().post(TEAMS, json!({ "name": 5 })).refuses_field("name"), "wrong_type");
    assert_eq!(desk.admin().post(TEAMS, json!({ "name": "" })).refuses_field("name"), "length");
}

fn a_nul_character_is_refused(desk: &Desk) {
    let answer = desk.admin().post(TEAMS, json!({ "name": "a\0b" }));
    assert_eq!(answer.refuses_field("body"), "nul_character");
    desk.admin().post(TEAMS, json!({ "name": "a\\u0000b" })).is(201);
    desk.agent().get("/api/v1/tickets?tag=%00").refused(422, "invalid_input");
}

fn a_body_past_the_limit_is_refused(desk: &Desk) {
    let limit = desk.config().server.body_limit_bytes;
    let body = |bytes: usize| format!("{{\"name\":\"{}\"}}", "x".repeat(bytes - 11)).into_bytes();
    assert_eq!(body(limit).len(), limit);
    desk.admin().send(Method::POST, TEAMS, Some(("application/json", body(limit)))).refuses_field("name");
    desk.admin().send(Method::POST, TEAMS, Some(("application/json", body(limit + 1)))).refused(413, "body_too_large");
}

fn a_body_that_is_not_json_is_refused(desk: &Desk) {
    let body = || br#"{"name":"Payments"}"#.to_vec();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
        desk.admin().send(Method::POST, TEAMS, Some((kind, body()))).refused(415, "unsupported_media_type");
    }
    desk.admin().send(Method::POST, TEAMS, Some(("Application/JSON; charset=utf-8", body()))).is(201);
}

fn bytes_that_are_no_utf8_are_refused(desk: &Desk) {
    let body = b"{\"name\":\"\xff\"}".to_vec();
    desk.admin().send(Method::POST, TEAMS, Some(("application/json", body))).refused(400, "invalid_utf8");
}

fn an_unknown_parameter_is_named(desk: &Desk) {
    assert_eq!(desk.agent().get("/api/v1/tickets?colour=red").refuses_field("colour"), "unknown_field");
    desk.agent().get("/api/v1/tickets?limit=0").refuses_field("limit");
    desk.agent().get("/api/v1/tickets?limit=101").refuses_field("limit");
    assert_eq!(desk.agent().get("/api/v1/tickets?limit=1&limit=2").refuses_field("limit"), "repeated");
    desk.agent().get("/api/v1/tickets?limit=100").ok();
}

fn every_answer_has_an_id_of_its_request(desk: &Desk) {
    let own = desk.agent().with("X-Request-Id", "from-the-proxy-1").get(TEAMS);
    assert_eq!(own.header("x-request-id"), Some("from-the-proxy-1"));
    let (one, two) = (desk.anonymous().get("/healthz"), desk.anonymous().get("/nothing"));
    assert!(one.header("x-request-id").is_some() && one.header("x-request-id") != two.header("x-request-id"));
    let forged = desk.agent().with("X-Request-Id", "a b").get(TEAMS);
    assert_ne!(forged.header("x-request-id"), Some("a b"));
}
