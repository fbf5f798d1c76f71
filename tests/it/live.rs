//! The live stream: every event once and in order, whatever is cut, on both databases and across nodes.
use crate::binary::{Binary, until};
use crate::support::sse::{Came, Listening};
use crate::support::{Backend, Desk, Test, given, plain, servers, tests};
use deskbell::db::Conn;
use deskbell::db::schema::events;
use deskbell::live::model::{Topic, topic};
use deskbell::timeline::Kind;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    every_event_is_seen_once_and_in_order_though_lines_are_cut_and_two_nodes_tell,
    what_commits_late_is_not_passed_over,
    a_listener_hears_what_it_asks_for,
    what_was_imported_is_not_told,
    a_wrong_question_is_refused,
    a_revoked_token_ends_its_stream,
    one_who_does_not_read_is_dropped_and_comes_back_for_the_rest,
];

/// Those with a server of their own.
pub const SERVED: &[Test] = plain![a_stream_has_heartbeats_and_ends_when_the_server_stops, one_who_takes_nothing_at_all_is_cut];

/// A client of somebody else's making, with a process of its own.
fn python(desk: &Desk, query: &str, seed: u32) -> Child {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/sse_client.py");
    Command::new(servers::python().unwrap())
        .args([script, &desk.base(), &desk.people.agent.secret, query, &seed.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts")
}

#[track_caller]
fn seen(mut child: Child, last: i64) -> Value {
    writeln!(child.stdin.take().unwrap(), "{last}").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the client failed");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What history says: number and topic of each event that is told.
fn happened(desk: &Desk) -> Vec<(i64, Topic)> {
    let mut conn = Conn::open(desk.app().db.url()).unwrap();
    let rows: Vec<(i64, String)> = events::table.order(events::id).select((events::id, events::kind)).load(&mut conn).unwrap();
    rows.into_iter().filter_map(|(id, kind)| Some((id, topic(kind.parse::<Kind>().unwrap())?))).collect()
}

fn every_event_is_seen_once_and_in_order_though_lines_are_cut_and_two_nodes_tell(desk: &Desk) {
    // Both listen on one address: each time a client comes back it may find the other one.
    let other = desk.another_node();
    let (all, some) = (python(desk, "?after=0", 1), python(desk, "?after=0&topic=messages,clocks", 2));
    std::thread::scope(|scope| {
        for writer in 0..5 {
            scope.spawn(move || {
                for n in 0..6 {
                    let ticket = given::email_ticket(desk, &format!("w{writer}n{n}@nordwind.example"));
                    desk.channel().post(&given::path(&ticket, "/messages"), json!({ "body": "And now?" })).ok();
                    desk.agent().post(&given::path(&ticket, "/replies"), json!({ "body": "Now it is done." })).ok();
                }
            });
        }
    });
    let happened = happened(desk);
    let last = happened.last().unwrap().0;
    for (child, wants) in [(all, Topic::ALL), (some, &[Topic::Messages, Topic::Clocks])] {
        let seen = seen(child, last);
        let told: Vec<(i64, String)> = seen["seen"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (one[0].as_i64().unwrap(), one[1].as_str().unwrap().to_owned()))
            .collect();
        let expected: Vec<(i64, String)> =
            happened.iter().filter(|(_, topic)| wants.contains(topic)).map(|(id, topic)| (*id, topic.to_string())).collect();
        assert!(expected.len() > 100, "{}", expected.len());
        assert!(seen["cuts"].as_i64().unwrap() > 5, "{seen}");
        assert_eq!(told, expected, "after {} cuts", seen["cuts"]);
        let started = seen["seen"].as_array().unwrap().iter().find(|one| one[2]["kind"] == "clock_started").unwrap();
        assert_eq!(started[2]["data"]["due_at"], "2026-06-11T14:00:00Z", "a client counts down by itself: {started}");
    }
    drop(other);
    desk.settle();
}

/// On PostgreSQL a number is drawn before its commit: who comes later may be there first.
fn what_commits_late_is_not_passed_over(desk: &Desk) {
    if desk.backend == Backend::Sqlite {
        return;
    }
    let listening = Listening::to(desk, &desk.people.agent.secret, "");
    let mut slow = Conn::open(desk.app().db.url()).unwrap();
    slow.batch_execute(
        "BEGIN; UPDATE teams SET version = version; INSERT INTO teams VALUES (gen_random_uuid(), 'Slow', NULL, 1, 0, 0)",
    )
    .unwrap();
    slow.batch_execute("INSERT INTO events (kind, actor, at, data) VALUES ('tag_renamed', 'desk', 0, '{}'), ('note_added', 'desk', 0, '{\"late\": true}')")
        .unwrap();
    let ticket = given::email_ticket(desk, "ana@nordwind.example");
    assert!(listening.is_silent_for(Duration::from_millis(400)), "an event below may still come");
    slow.batch_execute("COMMIT").unwrap();
    let (Came::Event(late, topic, data), Came::Event(received, ..)) = (listening.next(), listening.next()) else {
        panic!("two events")
    };
    assert_eq!((topic.as_str(), &data["data"]), ("messages", &json!({ "late": true })));
    assert!(late < received, "in order");
    drop(listening);
    let replayed = Listening::to(desk, &desk.people.agent.secret, &format!("?after={late}"));
    assert_eq!(replayed.event().1["ticket_id"], ticket["id"]);
}

fn a_listener_hears_what_it_asks_for(desk: &Desk) {
    let admin = desk.admin();
    let [payments, support] = ["Payments", "Support"].map(|name| admin.post("/api/v1/teams", json!({ "name": name })).id());
    let secret = &desk.people.agent.secret;
    let all = Listening::to(desk, secret, "");
    let of_payments = Listening::to(desk, secret, &format!("?team={payments}"));
    let of_support = Listening::to(desk, secret, &format!("?team={support}&topic=tickets,messages"));
    let asked_at = Instant::now();
    let ticket = given::email_ticket(desk, "ana@nordwind.example");
    let (topic, data) = all.event();
    assert!(asked_at.elapsed() < Duration::from_secs(2));
    assert_eq!((topic.as_str(), &data["kind"], &data["ticket_id"]), ("tickets", &json!("ticket_received"), &ticket["id"]));
    assert_eq!(data["data"]["number"], ticket["number"]);
    for listening in [&of_payments, &of_support] {
        assert_eq!(listening.of_kind("ticket_received")["team_id"], Value::Null, "nobody's is everybody's");
    }
    desk.agent().put(&given::path(&ticket, "/team"), json!({ "team_id": payments })).ok();
    assert_eq!(of_payments.of_kind("handed_over")["team_id"], json!(payments));
    let note = |text: &str| desk.agent().post(&given::path(&ticket, "/notes"), json!({ "body": text })).ok();
    note("of Payments alone");
    assert_eq!(of_payments.of_kind("note_added")["team_id"], json!(payments));
    desk.agent().put(&given::path(&ticket, "/team"), json!({ "team_id": support })).ok();
    assert_eq!(of_payments.of_kind("handed_over")["team_id"], json!(support), "who had it sees it go");
    note("of Support alone");
    desk.agent().post(&given::path(&ticket, "/closure"), json!({})).ok();
    assert_eq!(of_support.of_kind("handed_over")["data"]["before"], Value::Null);
    assert_eq!(of_support.of_kind("handed_over")["data"]["before"], json!(payments));
    assert_eq!(of_support.event().1["kind"], "note_added");
    assert_eq!(of_support.event().1["kind"], "ticket_closed");
    all.of_kind("ticket_closed");
    drop((all, of_payments, of_support));
    // Read later from the rows it is the same, as the team is the one of then.
    let kinds = |query: &str| -> Vec<String> {
        let listening = Listening::to(desk, secret, &format!("?after=0&follow=false&topic=tickets,messages&team={query}"));
        let mut kinds = Vec::new();
        while let Some(Came::Event(_, _, data)) = listening.try_next() {
            kinds.push(data["kind"].as_str().unwrap().to_owned());
        }
        kinds
    };
    assert_eq!(kinds(&payments), ["ticket_received", "handed_over", "note_added", "handed_over"]);
    assert_eq!(kinds(&support), ["ticket_received", "handed_over", "handed_over", "note_added", "ticket_closed"]);
    assert_eq!(kinds(&format!("{payments},{support}")).len(), 6);
}

fn what_was_imported_is_not_told(desk: &Desk) {
    let listening = Listening::to(desk, &desk.people.agent.secret, "");
    let row = json!({
        "external_id": "T-1", "email": "ana@nordwind.example", "name": "Ana Castro", "channel": "email", "subject": "It is stuck",
        "received_at": "2026-06-01T10:00:00Z", "body": "Please help.",
    });
    let import = json!({ "kind": "tickets", "format": "jsonl", "body": row.to_string(), "create_missing": true });
    let id = desk.import().post("/api/v1/imports", import).id();
    desk.settle();
    let done = desk.import().get(&format!("/api/v1/imports/{id}")).ok();
    assert_eq!(done["created"], 1, "{done}");
    let ticket = given::email_ticket(desk, "ben@nordwind.example");
    assert_eq!(listening.event().1["ticket_id"], ticket["id"], "the first that is told");
}

fn a_wrong_question_is_refused(desk: &Desk) {
    let ask = |query: &str| desk.agent().get(&format!("/api/v1/stream?{query}"));
    assert_eq!(ask("topic=weather").refuses_field("topic"), "unknown_name");
    assert_eq!(ask("team=x").refuses_field("team"), "unknown_team");
    assert_eq!(ask(&format!("team={}", desk.people.agent.id)).refuses_field("team"), "unknown_team");
    assert_eq!(ask("after=-1").refuses_field("after"), "range");
    assert_eq!(ask("after=99999999").refuses_field("after"), "future");
    assert_eq!(ask("after=x").refuses_field("after"), "wrong_type");
    assert_eq!(ask("colour=red").refuses_field("colour"), "unknown_field");
    let with_id = |id: &str| desk.agent().with("Last-Event-ID", id).get("/api/v1/stream?follow=false&after=0");
    assert_eq!(with_id("x").refuses_field("Last-Event-ID"), "wrong_type");
    assert_eq!(with_id("99999999").refuses_field("after"), "future");
    assert_eq!(with_id("").is(200).text, "retry: 1000\nid: 0\n\n", "nothing but administrative changes happened");
    given::email_ticket(desk, "ana@nordwind.example");
    let text = with_id("1").is(200).text.clone();
    assert!(text.starts_with("retry: 1000\nid: 1\n\nid: "), "the header wins: {text}");
}

fn a_revoked_token_ends_its_stream(desk: &Desk) {
    let admin = desk.admin();
    let make = || {
        let token = json!({ "agent_id": desk.people.agent.id, "name": "Second", "scopes": ["agent"] });
        admin.post("/api/v1/tokens", token).ok()
    };
    let (token, kept) = (make(), make());
    let listening = Listening::to(desk, token["secret"].as_str().unwrap(), "");
    let other = Listening::to(desk, kept["secret"].as_str().unwrap(), "");
    admin.delete(&format!("/api/v1/tokens/{}", token["id"].as_str().unwrap())).is(204);
    assert!(listening.ends(), "at once");
    given::email_ticket(desk, "ana@nordwind.example");
    other.of_kind("ticket_received");
    let agent = format!("/api/v1/agents/{}", desk.people.agent.id);
    admin.patch(&agent, json!({ "disabled": true })).ok();
    assert!(other.ends(), "and of an agent who was barred");
    assert_eq!(desk.app().live.listeners(), 0, "nobody is left behind");
}

/// Writes many events that nobody needs to have done.
fn flood(desk: &Desk, count: usize) {
    flood_at(desk.app().db.url(), desk.backend, count);
}

fn flood_at(url: &str, backend: Backend, count: usize) {
    let mut conn = Conn::open(url).unwrap();
    let row = "'note_added', 'desk', 0, '{\"text\": \"0123456789012345678901234567890123456789\"}'";
    let sql = match backend {
        Backend::Sqlite => format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) INSERT INTO events (kind, actor, at, data) SELECT {row} FROM n"
        ),
        Backend::Postgres => format!(
            "INSERT INTO events (kind, actor, at, data) SELECT 'note_added', 'desk', 0, '{{\"text\": \"0123456789012345678901234567890123456789\"}}'::jsonb FROM generate_series(1, {count})"
        ),
    };
    conn.batch_execute(&sql).unwrap();
}

fn one_who_does_not_read_is_dropped_and_comes_back_for_the_rest(desk: &Desk) {
    const COUNT: usize = 60_000;
    let place = happened(desk).last().map_or(0, |one| one.0);
    let mut stuck = TcpStream::connect(desk.base().trim_start_matches("http://")).unwrap();
    let secret = &desk.people.agent.secret;
    write!(stuck, "GET /api/v1/stream HTTP/1.1\r\nHost: desk\r\nAuthorization: Bearer {secret}\r\n\r\n").unwrap();
    let mut first = [0; 16];
    stuck.read_exact(&mut first).unwrap();
    let quick = Listening::to(desk, secret, "");
    flood(desk, COUNT);
    let last = happened(desk).last().unwrap().0;
    loop {
        if let Came::Event(id, ..) = quick.next()
            && id == last
        {
            break;
        }
    }
    // The others are served; what waits for the stuck one is bounded, and it is let go when it reads again.
    let mut rest = Vec::new();
    stuck.read_to_end(&mut rest).unwrap();
    let text = String::from_utf8_lossy(&rest);
    let got: Vec<i64> = text.lines().filter_map(|line| line.strip_prefix("id: ")?.parse().ok()).collect();
    assert!(got.len() < COUNT, "it was dropped after {} events", got.len());
    let last_seen = got.iter().copied().max().unwrap_or(place);
    let back = Listening::to(desk, secret, &format!("?after={last_seen}&follow=false"));
    let mut ids = Vec::new();
    while let Some(Came::Event(id, ..)) = back.try_next() {
        ids.push(id);
    }
    let expected: Vec<i64> = happened(desk).into_iter().map(|one| one.0).filter(|id| *id > last_seen).collect();
    assert_eq!(ids, expected);
}

fn a_stream_has_heartbeats_and_ends_when_the_server_stops() {
    let folder = tempfile::tempdir().unwrap();
    let server = Binary::in_folder(folder.path()).serve();
    let secret = server.first_secret.clone().unwrap();
    let listening = Listening::at(&server.base, &secret, "?topic=calls");
    let started = Instant::now();
    assert!(matches!(listening.next(), Came::Mark(_)), "a heartbeat moves the place on");
    assert!((14..20).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
    let started = Instant::now();
    server.stop();
    assert!(listening.ends());
    assert!(started.elapsed() < Duration::from_secs(10), "a stop does not wait for streams: {:?}", started.elapsed());
}

fn one_who_takes_nothing_at_all_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Binary::in_folder(folder.path());
    let server = desk.serve();
    let secret = server.first_secret.clone().unwrap();
    let mut stuck = TcpStream::connect(server.address()).unwrap();
    write!(stuck, "GET /api/v1/stream HTTP/1.1\r\nHost: desk\r\nAuthorization: Bearer {secret}\r\n\r\n").unwrap();
    stuck.read_exact(&mut [0; 16]).unwrap();
    let are_open = |count: i32| {
        let figures = server.client(&secret).get("/metrics").text;
        figures.lines().any(|line| line.contains("streams") && line.ends_with(&format!(" {count}")))
    };
    assert!(are_open(1));
    flood_at(desk.data().join("deskbell.sqlite").to_str().unwrap(), Backend::Sqlite, 60_000);
    let started = Instant::now();
    until("it is cut", || are_open(0));
    assert!((20..60).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
    drop(stuck);
    server.stop();
}
