//! What a stranger or a careless client runs into: rates, depth, headers.
use crate::support::browser::Browser;
use crate::support::client::{self, Client};
use crate::support::given::{close, email_ticket};
use crate::support::process::wait_for;
use crate::support::{Answer, Desk, Test, sqlite, tests};
use chrono::TimeDelta;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use ureq::http::Method;

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_token_that_asks_too_often_is_told_when_to_come_back,
    an_address_that_guesses_tokens_is_stopped_and_a_good_token_from_it_is_not,
    an_address_that_reads_pages_too_often_is_stopped,
    behind_a_trusted_proxy_the_client_counts_and_not_the_proxy,
    probes_are_not_counted,
    a_body_nested_too_deeply_is_refused,
    every_answer_has_strict_headers,
];
/// In a browser, on SQLite alone: pages do not know the database.
pub const PAGES: &[Test] = sqlite![the_api_can_be_browsed_under_its_strict_headers];

const TEAMS: &str = "/api/v1/teams";

/// `RateLimit-Limit`, `-Remaining` and `-Reset`.
#[track_caller]
fn rate(answer: &Answer) -> (u32, u32, u32) {
    let number = |name: &str| {
        let text =
            answer.header(name).unwrap_or_else(|| panic!("{} was answered {} without {name}", answer.asked, answer.status));
        text.parse().unwrap()
    };
    (number("ratelimit-limit"), number("ratelimit-remaining"), number("ratelimit-reset"))
}

#[track_caller]
fn too_many(answer: &Answer, limit: u32) {
    answer.refused(429, "too_many_requests");
    let (told, remaining, reset) = rate(answer);
    assert_eq!((told, remaining), (limit, 0));
    assert!((1..=61).contains(&reset), "{reset}");
    assert_eq!(answer.header("retry-after"), Some(reset.to_string().as_str()));
}

fn a_token_that_asks_too_often_is_told_when_to_come_back(desk: &Desk) {
    desk.restart(|config| config.server.rate_per_minute = 3);
    for remaining in [2, 1, 0] {
        let answer = desk.agent().get(TEAMS);
        answer.is(200);
        let (limit, left, reset) = rate(&answer);
        assert_eq!((limit, left), (3, remaining));
        assert!((1..=61).contains(&reset), "{reset}");
    }
    too_many(&desk.agent().get(TEAMS), 3);
    too_many(&desk.agent().post("/api/v1/tickets", json!({ "channel": "email", "subject": "x" })), 3);
    // Refused and misspelt requests count too, and another token has its own.
    desk.other_agent().get("/api/v1/nothing").is(404);
    assert_eq!(rate(&desk.other_agent().post(TEAMS, json!({}))).1, 1);
    desk.restart(|config| config.server.rate_per_minute = 0);
    assert_eq!(desk.agent().get(TEAMS).header("ratelimit-limit"), None, "0 sets no limit");
    assert_eq!(desk.agent().get("/api/v1/tickets").ok()["items"], json!([]));
}

fn an_address_that_guesses_tokens_is_stopped_and_a_good_token_from_it_is_not(desk: &Desk) {
    desk.restart(|config| config.server.rate_per_minute_per_address = 3);
    desk.agent().get(TEAMS).ok();
    for remaining in [2, 1, 0] {
        let answer = desk.client(&format!("guess-{remaining}")).get(TEAMS);
        answer.refused(401, "unauthorized");
        assert_eq!((rate(&answer).0, rate(&answer).1), (3, remaining));
    }
    too_many(&desk.client("guess").get(TEAMS), 3);
    too_many(&desk.anonymous().get(TEAMS), 3);
    assert_eq!(desk.agent().get(TEAMS).is(200).header("ratelimit-limit"), None, "who shows a good token is no stranger");
    // Also after the second for which a look-up is trusted.
    let is_refused = wait_for(Duration::from_millis(1_100), || desk.agent().get(TEAMS).status != 200);
    assert!(is_refused.is_err(), "a good token is let in, fresh or not");
    too_many(&desk.manager().get(TEAMS), 3);
    desk.restart(|config| config.server.rate_per_minute_per_address = 0);
    desk.manager().get(TEAMS).is(200);
}

fn an_address_that_reads_pages_too_often_is_stopped(desk: &Desk) {
    desk.restart(|config| config.server.rate_per_minute_per_address = 2);
    let page = "/survey/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for remaining in [1, 0] {
        let answer = desk.anonymous().get(page);
        answer.is(404);
        assert_eq!(rate(&answer).1, remaining);
    }
    too_many(&desk.anonymous().get(page), 2);
    too_many(&desk.anonymous().post_form("/unsubscribe/guess", &[]), 2);
    too_many(&desk.anonymous().get("/api/docs/"), 2);
    desk.agent().get(TEAMS).is(200);
}

fn behind_a_trusted_proxy_the_client_counts_and_not_the_proxy(desk: &Desk) {
    let from = |address: &str| desk.anonymous().with("X-Forwarded-For", address).get("/unsubscribe/guess");
    desk.restart(|config| config.server.rate_per_minute_per_address = 1);
    from("198.51.100.1").is(404);
    too_many(&from("198.51.100.2"), 1);
    desk.restart(|config| config.server.trusted_proxies = vec!["127.0.0.0/8".into()]);
    from("198.51.100.1").is(404);
    from("198.51.100.2").is(404);
    too_many(&from("198.51.100.1"), 1);
    too_many(&from("203.0.113.7, 198.51.100.1"), 1);
    too_many(&from("203.0.113.7, 198.51.100.2, 127.0.0.9"), 1);
}

fn probes_are_not_counted(desk: &Desk) {
    desk.restart(|config| config.server.rate_per_minute_per_address = 1);
    for path in ["/healthz", "/readyz", "/metrics", "/healthz", "/readyz", "/metrics"] {
        assert_eq!(desk.anonymous().get(path).is(200).header("ratelimit-limit"), None);
    }
}

fn a_body_nested_too_deeply_is_refused(desk: &Desk) {
    let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels)).into_bytes();
    let send = |body: Vec<u8>| desk.admin().send(Method::POST, TEAMS, Some(("application/json", body)));
    send(nested(32)).refused(422, "invalid_input");
    send(nested(33)).refused(400, "too_deep");
    send(nested(400_000)).refused(400, "too_deep");
    send(format!("{{\"name\":{}", "[".repeat(900_000)).into_bytes()).refused(400, "too_deep");
    desk.admin().post(TEAMS, json!({ "name": "[".repeat(50) })).is(201);
}

/// `frame-ancestors 'none'` and no source that is not ours.
#[track_caller]
fn is_strict(answer: &Answer) {
    let csp = answer.header("content-security-policy").unwrap_or_else(|| panic!("{} has no policy", answer.asked));
    assert!(csp.contains("default-src 'none'") && csp.contains("frame-ancestors 'none'"), "{}: {csp}", answer.asked);
    assert!(!csp.contains("script-src") || csp.contains("script-src 'self';"), "{}: {csp}", answer.asked);
    assert!(!csp.contains("http") && !csp.contains('*') && !csp.contains("unsafe-eval"), "{}: {csp}", answer.asked);
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{}", answer.asked);
    assert!(answer.header("cache-control").is_some(), "{}", answer.asked);
    assert_eq!(answer.header("server"), None, "{}", answer.asked);
    if answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
        for (name, value) in [
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{}", answer.asked);
        }
        assert!(answer.header("permissions-policy").is_some(), "{}", answer.asked);
    }
}

fn every_answer_has_strict_headers(desk: &Desk) {
    let ticket = email_ticket(desk, "ana@nordwind.example");
    close(desk, ticket["id"].as_str().unwrap());
    desk.advance(TimeDelta::hours(4));
    let links = desk.mail_to("ana@nordwind.example").links();
    let pages: Vec<String> = links.iter().map(|link| link.trim_start_matches(&desk.base()).to_owned()).collect();
    assert!(pages.iter().any(|page| page.starts_with("/survey/")) && pages.iter().any(|page| page.starts_with("/unsubscribe/")));
    for page in &pages {
        let answer = desk.anonymous().get(page);
        answer.is(200);
        is_strict(&answer);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("strict-transport-security"), None, "the public address is http");
    }
    for path in [
        "/healthz",
        "/metrics",
        "/nothing",
        "/survey/guess",
        "/assets/survey.css",
        "/api/openapi.json",
        "/api/docs/",
        "/chat/widget.js",
        "/chat/agent",
        "/chat/agent.js",
        "/chat/ws",
        TEAMS,
    ] {
        is_strict(&desk.anonymous().get(path));
    }
    for answer in [desk.agent().get("/api/v1/tickets"), desk.agent().get("/api/v1/nothing"), desk.admin().post(TEAMS, json!({}))]
    {
        is_strict(&answer);
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{}", answer.asked);
    }
    let base = desk.base();
    desk.restart(|config| config.server.public_url = "https://desk.example".into());
    let direct = Client::new(&client::agent(), &base, None, &Arc::default());
    for path in ["/healthz", "/nothing", "/survey/guess", TEAMS] {
        let answer = direct.get(path);
        assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"), "{path}");
    }
    desk.restart(|config| config.server.public_url = base);
}

fn the_api_can_be_browsed_under_its_strict_headers(desk: &Desk) {
    // Made when it is first asked for; the page need not wait for that.
    desk.anonymous().get("/api/openapi.json").is(200);
    let browser = Browser::start();
    browser.open(&format!("{}/api/docs/", desk.base()));
    browser.find("#operations-tag-tickets").click();
    browser.wait_until("the operations are listed", || browser.text().contains("/api/v1/tickets/{id}/closure"));
}
