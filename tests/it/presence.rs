//! Presence: said by agents, held by their streams, lost with the last one; the alarm where nobody is there; the wallboard.
use crate::binary::{Binary, Server};
use crate::load::quick;
use crate::support::client::Client;
use crate::support::desk::at;
use crate::support::process::wait_for;
use crate::support::sse::Listening;
use crate::support::{Desk, Test, plain, servers, tests};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    an_agent_says_what_they_are_and_all_hear_it,
    who_opens_no_stream_is_offline_soon,
    a_stream_holds_an_agent_and_its_end_lets_them_go,
    an_alarm_rings_while_the_desk_is_open_and_nobody_is_available,
    nobody_is_alarmed_where_presence_is_not_used,
    the_wallboard_shows_who_waits_and_who_is_there,
];

/// Those with servers of their own, whose time is the real one.
pub const SERVED: &[Test] = plain![a_cut_line_is_noticed_within_five_seconds, a_killed_node_keeps_nobody_present];

const PRESENCE: &str = "/api/v1/presence";
const ALARM: &str = "/api/v1/presence/alarm";

#[track_caller]
fn say(client: &Client, state: &str) -> Value {
    client.put(PRESENCE, json!({ "state": state })).ok()
}

fn of(client: &Client, agent: &str) -> Value {
    let page = client.get(PRESENCE).ok();
    page["items"].as_array().unwrap().iter().find(|one| one["agent_id"] == agent).unwrap().clone()
}

fn an_agent_says_what_they_are_and_all_hear_it(desk: &Desk) {
    let (agent, id) = (desk.agent(), desk.people.agent.id.as_str());
    let listening = Listening::to(desk, &desk.people.other_agent.secret, "?topic=presence");
    let never = of(&agent, id);
    assert_eq!((&never["state"], &never["since"]), (&json!("offline"), &Value::Null));
    let said = say(&agent, "available");
    assert_eq!(
        (&said["state"], &said["chats_max"], &said["since"]),
        (&json!("available"), &json!(3), &json!("2026-06-10T14:00:00Z"))
    );
    let told = listening.of_kind("presence_changed");
    assert_eq!((&told["actor_id"], &told["data"]["before"]), (&json!(id), &Value::Null));
    assert_eq!(told["data"]["after"]["state"], "available");
    desk.only_set_clock(at("2026-06-10T14:00:02Z"));
    // The same again is no news, and the state is as old as it was.
    assert_eq!(say(&agent, "available")["since"], "2026-06-10T14:00:00Z");
    let away = agent.put(PRESENCE, json!({ "state": "away", "reason": "lunch", "chats_max": 2 })).ok();
    assert_eq!(
        (&away["reason"], &away["chats_max"], &away["since"]),
        (&json!("lunch"), &json!(2), &json!("2026-06-10T14:00:02Z"))
    );
    let told = listening.of_kind("presence_changed");
    assert_eq!((&told["data"]["before"]["state"], &told["data"]["after"]["reason"]), (&json!("available"), &json!("lunch")));
    assert_eq!(of(&desk.manager(), id), away);
    assert_eq!(say(&agent, "offline")["chats_max"], 2, "as before");
    assert_eq!(desk.agent().get(&format!("{PRESENCE}?state=away")).ok()["items"], json!([]));
    assert_eq!(desk.agent().get(&format!("{PRESENCE}?state=offline")).ok()["items"].as_array().unwrap().len(), 4);
    let first = agent.get(&format!("{PRESENCE}?limit=3")).ok();
    let rest = agent.get(&format!("{PRESENCE}?limit=3&cursor={}", first["next_cursor"].as_str().unwrap())).ok();
    assert_eq!((first["items"].as_array().unwrap().len(), rest["items"].as_array().unwrap().len()), (3, 1));
    assert_eq!(agent.put(PRESENCE, json!({ "state": "asleep" })).refuses_field("state"), "unknown_name");
    assert_eq!(agent.put(PRESENCE, json!({ "state": "away", "reason": "" })).refuses_field("reason"), "length");
    assert_eq!(agent.put(PRESENCE, json!({ "state": "away", "chats_max": 51 })).refuses_field("chats_max"), "range");
    assert_eq!(agent.put(PRESENCE, json!({})).refuses_field("state"), "missing");
    assert_eq!(of(&agent, id)["state"], "offline", "nothing was written");
}

fn who_opens_no_stream_is_offline_soon(desk: &Desk) {
    let (agent, id) = (desk.agent(), desk.people.agent.id.as_str());
    say(&agent, "available");
    desk.advance(TimeDelta::seconds(3));
    assert_eq!(of(&agent, id)["state"], "available", "a moment to open one");
    desk.advance(TimeDelta::seconds(1));
    let lost = of(&agent, id);
    assert_eq!((&lost["state"], &lost["reason"]), (&json!("offline"), &json!("no connection")));
    assert_eq!(lost["since"], "2026-06-10T14:00:04Z");
    desk.settle();
    assert_eq!(of(&agent, id), lost, "once");
    let replayed = Listening::to(desk, &desk.people.agent.secret, "?topic=presence&after=0");
    replayed.event();
    assert_eq!(replayed.event().1["actor"], "desk");
    assert!(replayed.is_silent_for(Duration::from_millis(100)));
}

fn a_stream_holds_an_agent_and_its_end_lets_them_go(desk: &Desk) {
    let (agent, id) = (desk.agent(), desk.people.agent.id.as_str());
    let first = Listening::to(desk, &desk.people.agent.secret, "?topic=calls");
    say(&agent, "available");
    desk.settle();
    let second = Listening::to(desk, &desk.people.agent.secret, "?topic=calls");
    desk.advance(TimeDelta::minutes(10));
    drop(first);
    let mut is_gone = || {
        desk.settle();
        of(&agent, id)["state"] == "offline"
    };
    assert!(wait_for(Duration::from_secs(3), &mut is_gone).is_err(), "another stream lives");
    drop(second);
    assert!(wait_for(Duration::from_secs(10), &mut is_gone).is_ok(), "the end of the last stream is noticed");
    // Whoever comes back at once is not missed.
    let third = Listening::to(desk, &desk.people.agent.secret, "?topic=calls");
    say(&agent, "available");
    desk.advance(TimeDelta::minutes(1));
    assert_eq!(of(&agent, id)["state"], "available");
    drop(third);
}

fn an_alarm_rings_while_the_desk_is_open_and_nobody_is_available(desk: &Desk) {
    let (agent, manager) = (desk.agent(), desk.manager());
    let line = Listening::to(desk, &desk.people.agent.secret, "?topic=calls");
    let alerts = Listening::to(desk, &desk.people.manager.secret, "?topic=alerts");
    say(&agent, "available");
    desk.advance(TimeDelta::minutes(1));
    assert_eq!(manager.get(ALARM).ok()["raised_at"], Value::Null);
    manager.post(&format!("{ALARM}/acknowledgement"), json!({})).refused(409, "no_alarm");
    say(&agent, "away");
    desk.settle();
    let told = alerts.of_kind("staffing_alarm");
    assert_eq!((&told["at"], &told["data"]["times"]), (&json!("2026-06-10T14:01:00Z"), &json!(1)));
    assert_eq!(manager.get(ALARM).ok()["raised_at"], "2026-06-10T14:01:00Z");
    desk.advance(TimeDelta::seconds(59));
    desk.advance(TimeDelta::seconds(1));
    assert_eq!(alerts.of_kind("staffing_alarm")["data"]["times"], 2, "again until somebody sees to it");
    let seen = manager.post(&format!("{ALARM}/acknowledgement"), json!({})).ok();
    assert_eq!((&seen["acknowledged_by"], &seen["times"]), (&json!(desk.people.manager.id), &json!(2)));
    manager.post(&format!("{ALARM}/acknowledgement"), json!({})).refused(409, "already_acknowledged");
    alerts.of_kind("staffing_acknowledged");
    desk.advance(TimeDelta::minutes(5));
    assert_eq!(manager.get(ALARM).ok()["times"], 2, "it is not told again");
    say(&agent, "available");
    desk.settle();
    assert_eq!(alerts.event().1["kind"], "staffing_restored");
    assert_eq!(manager.get(ALARM).ok()["raised_at"], Value::Null);
    let letters = desk.mails_to("mary.manager@desk.test");
    assert_eq!(letters.iter().map(|mail| mail.subject.as_str()).collect::<Vec<_>>(), ["Nobody is available"]);
    // Nobody has to be there at night; in the morning somebody has.
    desk.set_time(at("2026-06-11T00:00:00Z"));
    say(&agent, "away");
    desk.set_time(at("2026-06-11T11:59:59Z"));
    assert_eq!(manager.get(ALARM).ok()["raised_at"], Value::Null);
    desk.set_time(at("2026-06-11T12:00:00Z"));
    assert_eq!(manager.get(ALARM).ok()["raised_at"], "2026-06-11T12:00:00Z");
    drop(line);
}

fn nobody_is_alarmed_where_presence_is_not_used(desk: &Desk) {
    desk.advance(TimeDelta::days(1));
    assert_eq!(desk.manager().get(ALARM).ok()["raised_at"], Value::Null);
}

fn the_wallboard_shows_who_waits_and_who_is_there(desk: &Desk) {
    let report = |call: &str, event: &str, when: &str, more: Value| {
        let mut body = json!({ "call_id": call, "event": event, "occurred_at": when, "from": "+493023125000" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        desk.channel().post("/api/v1/calls/events", body).ok();
    };
    let board = || desk.agent().get("/api/v1/wallboard").ok();
    let empty = board();
    assert_eq!((&empty["is_open"], &empty["calls"]["waiting"], &empty["chats"]["waiting"]), (&json!(true), &json!(0), &json!(0)));
    assert_eq!((&empty["agents"]["available"], &empty["calls"]["longest_since"]), (&Value::Null, &Value::Null));
    assert_eq!(empty["today"]["service_level"]["of_offered"]["percent"], Value::Null);
    report("c1", "ringing", "2026-06-10T14:00:00Z", json!({}));
    let chat = json!({ "channel": "chat", "subject": "Chat", "from": { "email": "ana@nordwind.example" }, "received_at": "2026-06-10T14:00:00Z" });
    let chat = desk.channel().post("/api/v1/tickets", chat).id();
    desk.set_time(at("2026-06-10T14:00:05Z"));
    report("c2", "ringing", "2026-06-10T14:00:05Z", json!({ "from": "+493023125001" }));
    desk.set_time(at("2026-06-10T14:00:30Z"));
    let busy = board();
    assert_eq!(busy["calls"], json!({ "waiting": 2, "longest_since": "2026-06-10T14:00:00Z", "longest_wait_seconds": 30 }));
    assert_eq!(
        busy["chats"],
        json!({ "waiting": 1, "longest_since": "2026-06-10T14:00:00Z", "longest_wait_seconds": 30 }),
        "also past its promise"
    );
    let line = Listening::to(desk, &desk.people.agent.secret, "?topic=calls");
    say(&desk.agent(), "available");
    assert_eq!(board()["agents"], json!({ "available": 1, "away": 0, "free": 1 }));
    report("c1", "answered", "2026-06-10T14:00:10Z", json!({ "agent": desk.people.agent.id }));
    report("c2", "answered", "2026-06-10T14:00:30Z", json!({ "agent": desk.people.other_agent.id }));
    desk.agent().post(&format!("/api/v1/tickets/{chat}/pickup"), json!({})).ok();
    let quiet = board();
    assert_eq!((&quiet["calls"]["waiting"], &quiet["chats"]["waiting"]), (&json!(0), &json!(0)));
    assert_eq!(quiet["agents"], json!({ "available": 1, "away": 0, "free": 0 }), "on a call");
    assert_eq!(quiet["today"]["service_level"]["of_offered"]["percent"], 50.0, "{quiet}");
    // A new day begins at the desk's own midnight.
    desk.set_time(at("2026-06-11T04:00:01Z"));
    assert_eq!(board()["today"]["offered"], 0);
    assert_eq!(board()["is_open"], false);
    drop(line);
}

/// Seconds until an agent is offline.
#[track_caller]
fn seconds_until_offline(client: &Client) -> f64 {
    let id = client.get("/api/v1/agents/me").ok()["id"].as_str().unwrap().to_owned();
    let started = Instant::now();
    assert!(wait_for(Duration::from_secs(60), || of(client, &id)["state"] == "offline").is_ok(), "never");
    started.elapsed().as_secs_f64()
}

#[track_caller]
fn be_available(server: &Server, secret: &str) {
    let client = server.client(secret);
    say(&client, "available");
    let id = client.get("/api/v1/agents/me").ok()["id"].as_str().unwrap().to_owned();
    let is_gone = wait_for(Duration::from_secs(6), || of(&client, &id)["state"] != "available");
    assert!(is_gone.is_err(), "the stream holds it");
}

fn a_cut_line_is_noticed_within_five_seconds() {
    use std::io::{Read, Write};
    let folder = tempfile::tempdir().unwrap();
    let server = Binary::in_folder(folder.path()).serve();
    let secret = server.first_secret.clone().unwrap();
    let mut line = std::net::TcpStream::connect(server.address()).unwrap();
    write!(line, "GET /api/v1/stream HTTP/1.1\r\nHost: desk\r\nAuthorization: Bearer {secret}\r\n\r\n").unwrap();
    line.read_exact(&mut [0; 16]).unwrap();
    be_available(&server, &secret);
    drop(line);
    let seconds = seconds_until_offline(&server.client(&secret));
    assert!((1.0..5.0).contains(&seconds), "{seconds} s");
    server.stop();
}

fn a_killed_node_keeps_nobody_present() {
    let folder = tempfile::tempdir().unwrap();
    servers::postgres().create("presence_killed", None);
    let url = servers::postgres().url("presence_killed");
    let mut nodes: Vec<Server> = (0..2)
        .map(|number| {
            let own = folder.path().join(format!("node{number}"));
            std::fs::create_dir(&own).unwrap();
            quick(Binary::in_folder(&own), "presence.test").with("database.url", &url).with("presence.alarm_mail", false).serve()
        })
        .collect();
    let secret = nodes[0].first_secret.clone().unwrap();
    let line = Listening::at(&nodes[1].base, &secret, "");
    be_available(&nodes[0], &secret);
    nodes.remove(1).kill();
    let seconds = seconds_until_offline(&nodes[0].client(&secret));
    assert!(seconds < 5.0, "{seconds} s");
    drop(line);
    nodes.into_iter().for_each(Server::stop);
    servers::postgres().drop_database("presence_killed");
}
