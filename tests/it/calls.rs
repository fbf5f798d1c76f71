//! Calls: what phone systems report, in any order, and what comes of it.
use crate::support::desk::at;
use crate::support::given::path;
use crate::support::{Desk, Test, tests};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_call_opens_a_ticket_whose_clock_runs_from_the_ring,
    every_order_of_delivery_gives_the_same_call_and_promises,
    the_same_event_twice_changes_nothing,
    an_answer_told_late_puts_a_breach_right_and_keeps_its_history,
    an_answer_that_was_late_stays_a_breach,
    only_an_agent_of_the_desk_stops_the_clock,
    a_caller_who_hangs_up_in_time_breaks_no_promise,
    a_missed_call_and_a_voicemail_owe_a_callback_from_the_end,
    calling_back_stops_that_clock_and_no_answer_does_not,
    a_phone_system_reports_a_callback_too,
    a_call_while_closed_promises_nothing,
    what_cannot_be_is_received_and_named,
    a_call_is_moved_to_another_ticket_of_its_contact,
    bad_reports_are_refused,
    an_agents_number_is_set_and_taken_away,
];

const NUMBER: &str = "+493023125000";

fn body(call: &str, event: &str, when: &str, more: Value) -> Value {
    let mut body = json!({ "call_id": call, "event": event, "occurred_at": when, "from": NUMBER });
    body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    body
}

/// Reports an event now.
#[track_caller]
pub fn report(desk: &Desk, call: &str, event: &str, when: &str, more: Value) -> Value {
    desk.channel().post("/api/v1/calls/events", body(call, event, when, more)).ok()
}

#[track_caller]
fn ticket(desk: &Desk, call: &Value) -> Value {
    desk.agent().get(&format!("/api/v1/tickets/{}", call["ticket_id"].as_str().expect("a ticket"))).ok()
}

#[track_caller]
fn clock(ticket: &Value, metric: &str) -> Value {
    let clocks = ticket["clocks"].as_array().unwrap();
    clocks.iter().rev().find(|clock| clock["metric"] == metric).cloned().unwrap_or_else(|| panic!("no {metric} in {clocks:?}"))
}

fn kinds(desk: &Desk, ticket: &Value) -> Vec<String> {
    let history = desk.agent().get(&path(ticket, "/history?limit=100")).ok();
    history["items"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
}

fn by(desk: &Desk) -> Value {
    json!({ "agent": desk.people.agent.id })
}

fn a_call_opens_a_ticket_whose_clock_runs_from_the_ring(desk: &Desk) {
    let call = report(desk, "c1", "ringing", "2026-06-10T13:59:58Z", json!({ "to": "+14165550199" }));
    assert_eq!((&call["state"], &call["promised"], &call["from"]), (&json!("ringing"), &json!(true), &json!(NUMBER)));
    let first = ticket(desk, &call);
    assert_eq!((&first["channel"], &first["received_at"]), (&json!("phone"), &json!("2026-06-10T13:59:58Z")));
    assert_eq!(clock(&first, "pickup")["due_at"], "2026-06-10T14:00:18Z");
    desk.set_time(at("2026-06-10T14:00:12Z"));
    let call = report(desk, "c1", "answered", "2026-06-10T14:00:11.5Z", by(desk));
    assert_eq!((&call["outcome"], &call["wait_seconds"]), (&json!("answered"), &json!(14)));
    let now = ticket(desk, &call);
    let pickup = clock(&now, "pickup");
    assert_eq!((&pickup["verdict"], &pickup["used_seconds"]), (&json!("met"), &json!(14)));
    assert_eq!(now["assignee_id"], json!(desk.people.agent.id));
    assert_eq!(now["picked_up_at"], "2026-06-10T14:00:11.500Z");
    // The second call of the same number is the same contact's.
    let again = report(desk, "c2", "ringing", "2026-06-10T14:00:12Z", json!({ "from": "0049 30 23125000" }));
    assert_eq!(again["contact_id"], call["contact_id"]);
    assert_ne!(again["ticket_id"], call["ticket_id"]);
    desk.advance(TimeDelta::days(2));
    crate::replay::all(desk);
}

/// Every order of so many things.
fn orders(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for shorter in orders(n - 1) {
        for place in 0..n {
            let mut longer = shorter.clone();
            longer.insert(place, n - 1);
            all.push(longer);
        }
    }
    all
}

fn every_order_of_delivery_gives_the_same_call_and_promises(desk: &Desk) {
    let agent = by(desk);
    let stories = [
        vec![
            ("ringing", "14:00:00Z", json!({})),
            ("answered", "14:00:19Z", agent),
            ("transferred", "14:02:00Z", json!({})),
            ("ended", "14:05:00Z", json!({})),
        ],
        vec![("ringing", "14:00:00Z", json!({})), ("offered", "14:00:01Z", json!({})), ("ended", "14:00:12Z", json!({}))],
        vec![
            ("ringing", "14:00:00Z", json!({})),
            ("voicemail", "14:00:31Z", json!({ "transcript": "Hi" })),
            ("ended", "14:00:50Z", json!({})),
        ],
    ];
    for (story, events) in stories.iter().enumerate() {
        // The phone system was cut off: all is told five minutes later, second by second.
        let mut seen: Option<(Value, Value)> = None;
        for order in orders(events.len()) {
            let name = format!("s{story}-{order:?}");
            let mut call = Value::Null;
            for place in &order {
                let (event, when, more) = &events[*place];
                desk.only_set_clock(desk.now() + TimeDelta::milliseconds(10));
                if desk.now() < at("2026-06-10T14:05:00Z") {
                    desk.set_time(at("2026-06-10T14:05:00Z"));
                }
                call = report(desk, &name, event, &format!("2026-06-10T{when}"), more.clone());
            }
            let whole = ticket(desk, &call);
            let shown = |clock: &Value| {
                let mut clock = clock.clone();
                clock.as_object_mut().unwrap().retain(|name, _| !["id", "alarm_at"].contains(&name.as_str()));
                clock
            };
            let clocks: Vec<Value> =
                whole["clocks"].as_array().unwrap().iter().filter(|clock| clock["reason"] != "answered").map(shown).collect();
            let told = json!({ "received_at": whole["received_at"], "picked_up_at": whole["picked_up_at"], "clocks": clocks });
            for name in ["id", "call_id", "ticket_id", "opened_ticket_id"] {
                call.as_object_mut().unwrap().remove(name);
            }
            match &seen {
                None => seen = Some((call, told)),
                Some(first) => assert_eq!((&first.0, &first.1), (&call, &told), "{name}"),
            }
        }
    }
    crate::replay::all(desk);
}

fn the_same_event_twice_changes_nothing(desk: &Desk) {
    let first = report(desk, "c1", "ringing", "2026-06-10T14:00:00Z", json!({}));
    desk.advance(TimeDelta::seconds(2));
    assert_eq!(report(desk, "c1", "ringing", "2026-06-10T14:00:00Z", json!({})), first);
    let id = first["id"].as_str().unwrap();
    let full = desk.agent().get(&format!("/api/v1/calls/{id}")).ok();
    assert_eq!(full["events"].as_array().unwrap().len(), 1);
    assert_eq!(kinds(desk, &ticket(desk, &first)).iter().filter(|kind| *kind == "call_reported").count(), 1);
    report(desk, "c1", "ringing", "2026-06-10T14:00:00Z", json!({ "queue": "Sales" }));
    assert_eq!(desk.agent().get(&format!("/api/v1/calls/{id}")).ok()["events"].as_array().unwrap().len(), 2);
    assert_eq!(desk.agent().get("/api/v1/tickets").ok()["items"].as_array().unwrap().len(), 1);
}

fn an_answer_told_late_puts_a_breach_right_and_keeps_its_history(desk: &Desk) {
    let call = report(desk, "c1", "ringing", "2026-06-10T14:00:00Z", json!({}));
    desk.set_time(at("2026-06-10T14:00:25Z"));
    assert_eq!(clock(&ticket(desk, &call), "pickup")["verdict"], "breached");
    let call = report(desk, "c1", "answered", "2026-06-10T14:00:19Z", by(desk));
    let now = ticket(desk, &call);
    let pickup = clock(&now, "pickup");
    assert_eq!((&pickup["verdict"], &pickup["used_seconds"]), (&json!("met"), &json!(19)));
    assert_eq!((&pickup["breached_at"], &pickup["reached_at"]), (&Value::Null, &json!("2026-06-10T14:00:19Z")));
    let kinds = kinds(desk, &now);
    let place = |kind: &str| kinds.iter().position(|of| of == kind).unwrap_or_else(|| panic!("no {kind} in {kinds:?}"));
    assert!(place("clock_breached") < place("clock_corrected"));
    let history = desk.agent().get(&path(&now, "/history")).ok();
    let corrected = history["items"].as_array().unwrap().iter().find(|event| event["kind"] == "clock_corrected").unwrap();
    assert_eq!((&corrected["data"]["before"]["verdict"], &corrected["data"]["verdict"]), (&json!("breached"), &json!("met")));
    assert_eq!(corrected["data"]["because"]["call_id"], call["id"]);
    let report = desk.manager().get("/api/v1/reports/sla?from=2026-06-10").ok();
    let pickups = report["total"].as_array().unwrap().iter().find(|of| of["metric"] == "pickup").unwrap();
    assert_eq!((&pickups["met"], &pickups["breached"]), (&json!(1), &json!(0)));
    crate::replay::all(desk);
}

fn an_answer_that_was_late_stays_a_breach(desk: &Desk) {
    report(desk, "c1", "ringing", "2026-06-10T14:00:00Z", json!({}));
    desk.set_time(at("2026-06-10T14:00:25Z"));
    let call = report(desk, "c1", "answered", "2026-06-10T14:00:20.000001Z", by(desk));
    let now = ticket(desk, &call);
    let pickup = clock(&now, "pickup");
    assert_eq!((&pickup["verdict"], &pickup["used_seconds"]), (&json!("breached"), &json!(21)));
    assert_eq!(pickup["breached_at"], "2026-06-10T14:00:20Z");
    assert!(!kinds(desk, &now).contains(&"clock_corrected".to_owned()));
    crate::replay::all(desk);
}

fn only_an_agent_of_the_desk_stops_the_clock(desk: &Desk) {
    report(desk, "c1", "ringing", "2026-06-10T14:00:00Z", json!({}));
    desk.set_time(at("2026-06-10T14:00:03Z"));
    report(desk, "c1", "answered", "2026-06-10T14:00:01Z", json!({}));
    let call = report(desk, "c1", "answered", "2026-06-10T14:00:02Z", json!({ "agent": "nobody@elsewhere.example" }));
    assert_eq!((&call["outcome"], &call["doubts"]), (&Value::Null, &json!(["unknown_agent"])));
    desk.set_time(at("2026-06-10T14:00:21Z"));
    report(desk, "c1", "voicemail", "2026-06-10T14:00:15Z", json!({}));
    assert_eq!(clock(&ticket(desk, &call), "pickup")["verdict"], "breached");
    let agent = desk.agent().get("/api/v1/agents/me").ok();
    let call = report(desk, "c1", "answered", "2026-06-10T14:00:18Z", json!({ "agent": agent["email"] }));
    assert_eq!((&call["outcome"], &call["agent_id"]), (&json!("answered"), &agent["id"]));
    assert_eq!(clock(&ticket(desk, &call), "pickup")["verdict"], "met");
    crate::replay::all(desk);
}

fn a_caller_who_hangs_up_in_time_breaks_no_promise(desk: &Desk) {
    report(desk, "c1", "ringing", "2026-06-10T14:00:00Z", json!({}));
    desk.set_time(at("2026-06-10T14:00:12Z"));
    let call = report(desk, "c1", "ended", "2026-06-10T14:00:12Z", json!({}));
    assert_eq!((&call["outcome"], &call["wait_seconds"]), (&json!("abandoned"), &json!(12)));
    desk.advance(TimeDelta::minutes(1));
    let pickup = clock(&ticket(desk, &call), "pickup");
    assert_eq!((&pickup["verdict"], &pickup["reason"]), (&json!("not_promised"), &json!("hung_up_in_time")));
    // Who waited longer than was promised was let down.
    report(desk, "c2", "ringing", "2026-06-10T14:01:00Z", json!({}));
    desk.set_time(at("2026-06-10T14:02:00Z"));
    let call = report(desk, "c2", "ended", "2026-06-10T14:01:40Z", json!({}));
    assert_eq!(clock(&ticket(desk, &call), "pickup")["verdict"], "breached");
    crate::replay::all(desk);
}

fn a_missed_call_and_a_voicemail_owe_a_callback_from_the_end(desk: &Desk) {
    report(desk, "c1", "ringing", "2026-06-10T14:00:00Z", json!({}));
    desk.set_time(at("2026-06-10T14:01:00Z"));
    let said = json!({ "recording_url": "https://pbx.example/r/1.wav", "transcript": "Please call me." });
    report(desk, "c1", "voicemail", "2026-06-10T14:00:31Z", said);
    let call = report(desk, "c1", "ended", "2026-06-10T14:00:50Z", json!({}));
    assert_eq!((&call["outcome"], &call["transcript"]), (&json!("voicemail"), &json!("Please call me.")));
    let now = ticket(desk, &call);
    let callback = clock(&now, "first_response");
    assert_eq!((&callback["verdict"], &callback["due_at"]), (&json!("running"), &json!("2026-06-11T14:00:50Z")));
    let message = &now["messages"][0];
    assert_eq!(
        (&message["kind"], &message["body"]),
        (&json!("automatic"), &json!("Voicemail: Please call me.\n\nRecording: https://pbx.example/r/1.wav"))
    );
    desk.advance(TimeDelta::hours(25));
    assert_eq!(clock(&ticket(desk, &call), "first_response")["breached_at"], "2026-06-11T14:00:50Z");
    crate::replay::all(desk);
}

/// A call that nobody took; its ticket.
fn missed(desk: &Desk) -> Value {
    report(desk, "c1", "ringing", "2026-06-10T14:00:00Z", json!({}));
    desk.set_time(at("2026-06-10T14:00:40Z"));
    ticket(desk, &report(desk, "c1", "ended", "2026-06-10T14:00:40Z", json!({})))
}

fn calling_back_stops_that_clock_and_no_answer_does_not(desk: &Desk) {
    let missed = missed(desk);
    desk.advance(TimeDelta::hours(1));
    let now = desk.agent().post(&path(&missed, "/callbacks"), json!({ "result": "no_answer" })).ok();
    assert_eq!(clock(&now, "first_response")["verdict"], "running");
    desk.advance(TimeDelta::hours(1));
    let now = desk.agent().post(&path(&missed, "/callbacks"), json!({ "result": "reached", "note": "All clear." })).ok();
    assert_eq!(clock(&now, "first_response")["verdict"], "met");
    assert_eq!(kinds(desk, &missed).iter().filter(|kind| *kind == "called_back").count(), 2);
    desk.agent().post(&path(&missed, "/callbacks"), json!({ "result": "perhaps" })).is(422);
    desk.channel().post(&path(&missed, "/callbacks"), json!({ "result": "reached" })).refused(403, "missing_right");
    crate::replay::all(desk);
}

fn a_phone_system_reports_a_callback_too(desk: &Desk) {
    let missed = missed(desk);
    desk.set_time(at("2026-06-10T15:00:00Z"));
    let out = |event: &str, when: &str, more: Value| {
        let mut all = json!({ "direction": "outbound", "from": "+14165550199", "to": NUMBER });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        report(desk, "out-1", event, when, all)
    };
    let call = out("ringing", "2026-06-10T14:59:00Z", json!({}));
    assert_eq!((&call["direction"], &call["ticket_id"]), (&json!("outbound"), &missed["id"]));
    assert_eq!(clock(&ticket(desk, &call), "first_response")["verdict"], "running");
    out("answered", "2026-06-10T14:59:20Z", by(desk));
    let callback = clock(&ticket(desk, &call), "first_response");
    assert_eq!((&callback["verdict"], &callback["reached_at"]), (&json!("met"), &json!("2026-06-10T14:59:20Z")));
    assert_eq!(desk.agent().get("/api/v1/tickets").ok()["items"].as_array().unwrap().len(), 1, "a callback opens no ticket");
    crate::replay::all(desk);
}

fn a_call_while_closed_promises_nothing(desk: &Desk) {
    desk.set_time(at("2026-06-11T02:00:00Z"));
    let call = report(desk, "c1", "ringing", "2026-06-11T02:00:00Z", json!({}));
    assert_eq!(call["promised"], false);
    desk.advance(TimeDelta::minutes(1));
    let call = report(desk, "c1", "ended", "2026-06-11T02:00:30Z", json!({}));
    assert_eq!(call["outcome"], "not_promised");
    let now = ticket(desk, &call);
    assert_eq!(clock(&now, "pickup")["reason"], "closed");
    assert_eq!(clock(&now, "first_response")["due_at"], "2026-06-12T02:00:30Z");
}

fn what_cannot_be_is_received_and_named(desk: &Desk) {
    let far = report(desk, "c1", "ringing", "2027-01-01T00:00:00Z", json!({}));
    assert_eq!((&far["state"], &far["ticket_id"], &far["doubts"]), (&json!("unknown"), &Value::Null, &json!(["future"])));
    let old = report(desk, "c2", "ringing", "1970-01-01T00:00:00Z", json!({}));
    assert_eq!((&old["state"], &old["doubts"]), (&json!("unknown"), &json!(["long_past"])));
    report(desk, "c3", "ended", "2026-06-10T13:59:00Z", json!({}));
    let backwards = report(desk, "c3", "ringing", "2026-06-10T13:59:30Z", json!({}));
    assert_eq!((&backwards["outcome"], &backwards["doubts"]), (&Value::Null, &json!(["ended_before_ring"])));
    let silent = report(desk, "c4", "answered", "2026-06-10T13:59:30Z", by(desk));
    assert_eq!((&silent["wait_seconds"], &silent["doubts"]), (&Value::Null, &json!(["no_ring"])));
    let pickup = clock(&ticket(desk, &silent), "pickup");
    assert_eq!((&pickup["verdict"], &pickup["reason"]), (&json!("not_measured"), &json!("no_ring")));
    let hidden = report(desk, "c5", "ringing", "2026-06-10T13:59:59Z", json!({ "from": "anonymous" }));
    assert_eq!((&hidden["from"], &ticket(desk, &hidden)["contact_name"]), (&Value::Null, &json!("Unknown caller")));
    let full = desk.agent().get(&format!("/api/v1/calls/{}", far["id"].as_str().unwrap())).ok();
    assert_eq!(full["events"][0]["occurred_at"], "2027-01-01T00:00:00Z");
    crate::replay::all(desk);
}

fn a_call_is_moved_to_another_ticket_of_its_contact(desk: &Desk) {
    let other = crate::support::given::call(desk, NUMBER, "2026-06-10T14:00:00Z");
    let strange = crate::support::given::call(desk, "+4930999999", "2026-06-10T14:00:00Z");
    let call = report(desk, "c1", "ringing", "2026-06-10T14:00:00Z", json!({}));
    let to = format!("/api/v1/calls/{}/ticket", call["id"].as_str().unwrap());
    desk.agent().put(&to, json!({ "ticket_id": strange["id"] })).refused(409, "other_contact");
    desk.agent().put(&to, json!({ "ticket_id": call["id"] })).is(422);
    let moved = desk.agent().put(&to, json!({ "ticket_id": other["id"] })).ok();
    assert_eq!((&moved["ticket_id"], &moved["opened_ticket_id"]), (&other["id"], &call["ticket_id"]));
    assert!(kinds(desk, &other).contains(&"call_moved".to_owned()));
    // The promise stays with the ticket that rang; what follows is owed on the other one.
    desk.set_time(at("2026-06-10T14:00:10Z"));
    report(desk, "c1", "ended", "2026-06-10T14:00:10Z", json!({}));
    assert_eq!(clock(&ticket(desk, &call), "pickup")["reason"], "hung_up_in_time");
    assert_eq!(clock(&ticket(desk, &moved), "first_response")["verdict"], "running");
    crate::replay::all(desk);
}

fn bad_reports_are_refused(desk: &Desk) {
    let good = body("c1", "ringing", "2026-06-10T14:00:00Z", json!({}));
    let bad = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        desk.channel().post("/api/v1/calls/events", body).is(422);
    };
    bad("event", json!("picked_up"));
    bad("call_id", json!(""));
    bad("call_id", json!("x".repeat(201)));
    bad("call_id", json!("a\nb"));
    bad("occurred_at", json!("yesterday"));
    bad("recording_url", json!("javascript:alert(1)"));
    bad("colour", json!("red"));
    bad("transcript", json!("x".repeat(20_001)));
    desk.agent().post("/api/v1/calls/events", &good).refused(403, "missing_right");
    desk.import().post("/api/v1/calls/events", &good).refused(403, "missing_right");
    assert_eq!(desk.agent().get("/api/v1/calls").ok()["items"], json!([]));
}

fn an_agents_number_is_set_and_taken_away(desk: &Desk) {
    let of = |id: &str| format!("/api/v1/agents/{id}/phone");
    let mine = of(&desk.people.agent.id.to_string());
    desk.agent().get(&mine).is(404);
    desk.agent().put(&mine, json!({ "number": "+14165550101" })).refused(403, "missing_right");
    desk.admin().put(&mine, json!({ "number": "+1 416 555-0101" })).ok();
    assert_eq!(desk.agent().get(&mine).ok()["number"], "+14165550101");
    desk.admin()
        .put(&of(&desk.people.other_agent.id.to_string()), json!({ "number": "+14165550101" }))
        .refused(409, "number_taken");
    desk.admin().put(&mine, json!({ "number": "101" })).is(422);
    desk.admin().put(&mine, json!({ "number": "+14165550102" })).ok();
    let call = report(desk, "c1", "ringing", "2026-06-10T14:00:00Z", json!({}));
    let call2 = report(desk, "c1", "answered", "2026-06-10T14:00:00Z", json!({ "agent": "(416) 555-0102" }));
    assert_eq!((&call2["id"], &call2["agent_id"]), (&call["id"], &json!(desk.people.agent.id)));
    desk.admin().delete(&mine).is(204);
    desk.admin().delete(&mine).is(204);
    desk.agent().get(&mine).is(404);
}
