//! Text search: what is found, in which order, what is shown of it, and that nothing that is typed can be an error.
use crate::support::given::path;
use crate::support::{Desk, Test, tests};
use deskbell::db::Conn;
use diesel::RunQueryDsl;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    words_phrases_beginnings_and_exclusions_are_found,
    case_and_accents_make_no_difference,
    everything_that_is_said_is_found_at_once,
    a_new_subject_is_found_and_the_old_one_is_not,
    what_fits_best_comes_first,
    snippets_are_safe_to_show,
    search_is_a_filter_among_the_others,
    pages_of_a_search_cover_every_ticket_once,
    pages_that_end_within_a_step_go_on_with_it,
    whatever_is_typed_is_answered,
    tickets_from_before_the_index_are_found,
];

fn open(desk: &Desk, subject: &str, body: &str) -> Value {
    let ticket = json!({ "channel": "email", "subject": subject, "body": body, "from": { "email": "ana@nordwind.example" } });
    desk.channel().post("/api/v1/tickets", ticket).ok()
}

fn query(pairs: &[(&str, &str)]) -> String {
    format!("/api/v1/tickets?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
}

/// Numbers in the order of the answer.
#[track_caller]
fn found(desk: &Desk, pairs: &[(&str, &str)]) -> Vec<i64> {
    let list = desk.agent().get(&query(pairs)).ok();
    list["items"].as_array().unwrap().iter().filter_map(|ticket| ticket["number"].as_i64()).collect()
}

#[track_caller]
fn finds(desk: &Desk, q: &str, expected: &[i64]) {
    let mut numbers = found(desk, &[("q", q)]);
    numbers.sort_unstable();
    assert_eq!(numbers, expected, "{q}");
}

fn words_phrases_beginnings_and_exclusions_are_found(desk: &Desk) {
    open(desk, "Domain transfer is stuck", "The transfer of nordwind.example does not move.");
    open(desk, "Invoice 2026-117", "The transfer of money went wrong: we paid twice.");
    open(desk, "域名转移", "The auth code was refused; mail to ana.castro@nordwind.example bounced.");
    for (q, expected) in [
        ("transfer", &[1, 2][..]),
        ("transfer stuck", &[1]),
        ("stuck move", &[1]),
        ("stuck twice", &[]),
        ("\"transfer of money\"", &[2]),
        ("\"money of transfer\"", &[]),
        ("transfer -money", &[1]),
        ("transfer -\"of money\"", &[1]),
        ("transfer -dns", &[1, 2]),
        ("-transfer", &[]),
        ("transf*", &[1, 2]),
        ("ransfer*", &[]),
        ("nord*", &[1, 3]),
        ("nordwind", &[1, 3]),
        ("nordwind.example", &[1, 3]),
        ("ana.castro@nordwind.example", &[3]),
        ("castro ana", &[3]),
        ("castro.ana", &[]),
        ("2026-117", &[2]),
        ("117", &[2]),
        ("域名", &[3]),
        ("名域", &[]),
        ("\"stuck the\"", &[]),
    ] {
        finds(desk, q, expected);
    }
}

fn case_and_accents_make_no_difference(desk: &Desk) {
    open(desk, "Überweisung von Señor Łukasz", "Die Straße heißt ΟΔΟΣ");
    open(desk, "u\u{308}berweisung", "STRASSE οδός");
    for q in ["uberweisung", "ÜBERWEISUNG", "überweis*", "straße", "STRASSE", "οδοσ", "Οδός"] {
        finds(desk, q, &[1, 2]);
    }
    finds(desk, "senor lukasz", &[1]);
}

fn everything_that_is_said_is_found_at_once(desk: &Desk) {
    let ticket = open(desk, "Domain", "first");
    desk.agent().post(&path(&ticket, "/replies"), json!({ "body": "second" })).ok();
    desk.agent().post(&path(&ticket, "/notes"), json!({ "body": "third" })).ok();
    desk.channel().post(&path(&ticket, "/messages"), json!({ "body": "fourth" })).ok();
    let call = json!({ "channel": "phone", "subject": "Silent call", "from": { "phone": "+4930123456" } });
    desk.channel().post("/api/v1/tickets", call).ok();
    for q in ["first", "second", "third", "fourth", "domain fourth"] {
        finds(desk, q, &[1]);
    }
    finds(desk, "first second", &[]);
    finds(desk, "silent", &[2]);
    let refused =
        json!({ "channel": "email", "subject": "Nobody", "body": "sees this", "from": { "contact_id": desk.people.agent.id } });
    desk.channel().post("/api/v1/tickets", refused).refuses_field("contact_id");
    finds(desk, "sees", &[]);
}

fn a_new_subject_is_found_and_the_old_one_is_not(desk: &Desk) {
    let ticket = open(desk, "Domane", "body");
    desk.agent().post(&path(&ticket, "/notes"), json!({ "body": "noted" })).ok();
    desk.agent().patch(&path(&ticket, ""), json!({ "subject": "Zone" })).ok();
    desk.agent().post(&path(&ticket, "/notes"), json!({ "body": "later" })).ok();
    finds(desk, "domane", &[]);
    for q in ["zone body", "zone noted", "zone later"] {
        finds(desk, q, &[1]);
    }
}

fn what_fits_best_comes_first(desk: &Desk) {
    open(desk, "Transfer stuck", "Please help.");
    let twice = open(desk, "Question", "The transfer is stuck.");
    desk.agent().post(&path(&twice, "/notes"), json!({ "body": "Another transfer that is stuck." })).ok();
    open(desk, "Question", "My transfer is stuck.");
    open(desk, "Stuck", "It is the transfer.");
    open(desk, "Nothing", "of the kind");
    assert_eq!(found(desk, &[("q", "transfer stuck")]), [1, 4, 2, 3]);
    assert_eq!(found(desk, &[("q", "transfer stuck"), ("sort", "relevance")]), [1, 4, 2, 3]);
    assert_eq!(found(desk, &[("q", "transfer stuck"), ("sort", "received")]), [4, 3, 2, 1]);
    desk.agent().get("/api/v1/tickets?sort=relevance").refuses_field("sort");
    desk.agent().get("/api/v1/tickets?q=").refuses_field("q");
    desk.agent().get(&query(&[("q", &"x".repeat(201))])).refuses_field("q");
}

fn snippets_are_safe_to_show(desk: &Desk) {
    let body = format!("{} <script>alert('Needle')</script> & more {}", "hay ".repeat(100), "straw ".repeat(100));
    open(desk, "<b>Needle</b>", &body);
    let list = desk.agent().get("/api/v1/tickets?q=needle%20straw").ok();
    let matched = &list["items"][0]["matched"];
    assert_eq!(matched["subject"], "&lt;b&gt;<mark>Needle</mark>&lt;/b&gt;");
    let snippet = matched["snippet"].as_str().unwrap();
    assert!(snippet.contains("hay &lt;script&gt;alert(&#39;<mark>Needle</mark>&#39;)&lt;/script&gt; &amp; more"), "{snippet}");
    assert!(snippet.starts_with("… hay") && snippet.ends_with('…') && !snippet.contains("<script"), "{snippet}");
    let ticket = desk.agent().get(&format!("/api/v1/tickets/{}", list["items"][0]["id"].as_str().unwrap())).ok();
    assert_eq!(ticket["messages"][0]["id"], matched["message_id"]);
    assert_eq!(ticket.get("matched"), None);
}

fn search_is_a_filter_among_the_others(desk: &Desk) {
    let team = desk.admin().post("/api/v1/teams", json!({ "name": "Payments" })).id();
    let new = |body: Value| desk.channel().post("/api/v1/tickets", body).ok();
    let from = json!({ "email": "ana@nordwind.example" });
    let first = new(
        json!({ "channel": "email", "subject": "dns", "from": from, "tags": ["vip"], "received_at": "2026-06-09T13:00:00Z" }),
    );
    new(json!({ "channel": "email", "subject": "dns", "from": from, "team_id": team, "received_at": "2026-06-09T19:00:00Z" }));
    new(json!({ "channel": "phone", "subject": "dns", "from": { "phone": "+4930123456" }, "priority": "high" }));
    new(json!({ "channel": "email", "subject": "mail", "from": from, "tags": ["vip"] }));
    let closed = new(json!({ "channel": "web", "subject": "dns", "from": { "email": "bo@other.example" } }));
    desk.agent().post(&path(&closed, "/closure"), json!({})).ok();
    let contact = first["contact_id"].as_str().unwrap();
    let me = desk.people.agent.id.to_string();
    desk.agent().put(&path(&first, "/assignee"), json!({ "agent_id": me })).ok();
    for (name, value, expected) in [
        ("status", "closed", &[5][..]),
        ("active", "true", &[1, 2, 3]),
        ("active", "false", &[5]),
        ("channel", "phone", &[3]),
        ("priority", "high", &[3]),
        ("team_id", &team, &[2]),
        ("contact_id", contact, &[1, 2]),
        ("assignee_id", &me, &[1]),
        ("unassigned", "true", &[2, 3, 5]),
        ("unassigned", "false", &[1]),
        ("organization_id", contact, &[]),
        ("tag", "vip", &[1]),
        ("promise", "breached", &[1]),
        ("promise", "at_risk", &[2]),
        ("promise", "met", &[]),
        ("received_from", "2026-06-09T19:00:00Z", &[2, 3, 5]),
        ("received_to", "2026-06-09T19:00:00Z", &[1]),
        ("number", "3", &[3]),
        ("number", "4", &[]),
    ] {
        let mut numbers = found(desk, &[("q", "dns"), (name, value)]);
        numbers.sort_unstable();
        let mut plain = found(desk, &[(name, value)]);
        plain.retain(|number| *number != 4);
        plain.sort_unstable();
        assert_eq!(numbers, expected, "{name}={value}");
        assert_eq!(numbers, plain, "{name}={value} with and without q");
    }
    desk.settle();
}

fn pages_of_a_search_cover_every_ticket_once(desk: &Desk) {
    for number in 0..12 {
        let ticket = open(desk, if number % 3 == 0 { "needle" } else { "hay" }, "a needle");
        if number % 4 == 0 {
            desk.agent().post(&path(&ticket, "/notes"), json!({ "body": "needle again" })).ok();
        }
    }
    for sort in ["relevance", "due", "received", "updated"] {
        let (mut seen, mut next) = (Vec::new(), query(&[("q", "needle"), ("sort", sort), ("limit", "5")]));
        loop {
            let page = desk.agent().get(&next);
            let json = page.ok();
            seen.extend(json["items"].as_array().unwrap().iter().filter_map(|ticket| ticket["number"].as_i64()));
            let Some(link) = page.header("link") else {
                assert_eq!(json["next_cursor"], Value::Null);
                break;
            };
            next = link.trim_start_matches('<').split('>').next().unwrap().to_owned();
            if seen.len() == 5 {
                // What comes in between changes nothing on the later pages.
                open(desk, "needle", "needle");
            }
        }
        if sort == "relevance" {
            assert_eq!(&seen[..4], [1, 10, 7, 4], "{sort}: {seen:?}");
        }
        seen.retain(|number| *number <= 12);
        seen.sort_unstable();
        assert_eq!(seen, (1..=12).collect::<Vec<i64>>(), "{sort}");
    }
    desk.agent().get("/api/v1/tickets?q=needle&cursor=abc").refuses_field("cursor");
}

fn pages_that_end_within_a_step_go_on_with_it(desk: &Desk) {
    // The newest 25 are ranked together, and then all the others, of which the oldest fit best.
    let count: i64 = 65;
    for number in 1..=count {
        let ticket = open(desk, if number <= 10 { "needle" } else { "hay" }, "a needle");
        for _ in 0..3 {
            desk.agent().post(&path(&ticket, "/notes"), json!({ "body": "needle again" })).ok();
        }
    }
    let first = desk.agent().get(&query(&[("q", "needle"), ("limit", "40")])).ok();
    let second = query(&[("q", "needle"), ("limit", "40"), ("cursor", first["next_cursor"].as_str().unwrap())]);
    let second = desk.agent().get(&second).ok();
    let numbers =
        |page: &Value| page["items"].as_array().unwrap().iter().filter_map(|ticket| ticket["number"].as_i64()).collect();
    let (first, second): (Vec<i64>, Vec<i64>) = (numbers(&first), numbers(&second));
    let expected: Vec<i64> = (41..=count).rev().chain((1..=10).rev()).chain((36..=40).rev()).collect();
    assert_eq!(first, expected);
    assert_eq!(second, (11..=35).rev().collect::<Vec<i64>>());
}

fn whatever_is_typed_is_answered(desk: &Desk) {
    open(desk, "Domain", "NEAR(a b) AND \"quoted\" OR c:d * ^ + - { } ' \\ % _ & | ! <-> :*A");
    let mut runner = TestRunner::new(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() });
    let typed = prop_oneof![
        "[a-c\"*(){}:^+|&!<>'\\\\%_ -]{1,40}",
        "\\PC{1,40}",
        "(NEAR|AND|OR|NOT|subject|rowid|[ \":*()^-]|[ab]){1,12}",
    ];
    let agent = desk.agent();
    runner
        .run(&typed, |text| {
            let answer = agent.get(&query(&[("q", &text)]));
            prop_assert_eq!(answer.status, 200, "{:?}", text);
            Ok(())
        })
        .unwrap();
    for q in ["NEAR(a b)", "c:d", "AND OR", "\"quoted\"", "'", "a <-> b"] {
        assert_eq!(agent.get(&query(&[("q", q)])).status, 200, "{q}");
    }
    finds(desk, "c:d near quoted", &[1]);
}

fn tickets_from_before_the_index_are_found(desk: &Desk) {
    let ticket = open(desk, "Domain", "first");
    desk.agent().post(&path(&ticket, "/notes"), json!({ "body": "second" })).ok();
    open(desk, "Zone", "third");
    let mut conn = Conn::open(desk.app().db.url()).unwrap();
    let emptied = diesel::sql_query("DELETE FROM search_documents");
    deskbell::each!(&mut conn, conn => emptied.execute(conn)).unwrap();
    finds(desk, "domain", &[]);
    conn.write(deskbell::tickets::search::index::catch_up).unwrap();
    for (q, expected) in [("domain first", &[1][..]), ("domain second", &[1]), ("third", &[2])] {
        finds(desk, q, expected);
    }
    conn.write(deskbell::tickets::search::index::catch_up).unwrap();
    desk.agent().post(&path(&ticket, "/notes"), json!({ "body": "later" })).ok();
    finds(desk, "domain later", &[1]);
}
