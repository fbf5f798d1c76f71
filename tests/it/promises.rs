//! Promises: kept or broken to the second, paused, resumed, and written in time also after a restart.
use crate::support::given::{call, close, email_ticket, path};
use crate::support::{Desk, Test, tests};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_call_picked_up_at_twenty_seconds_is_met,
    a_call_picked_up_a_microsecond_later_is_breached,
    a_call_while_closed_is_not_promised,
    a_call_just_before_closing_is_due_after_it,
    a_call_entered_by_hand_is_not_measured,
    a_chat_is_picked_up_once_and_a_mail_never,
    notes_and_status_changes_stop_no_first_response,
    a_mail_is_due_after_24_hours_whatever_the_hour,
    a_mail_closed_unanswered_still_breaks_its_promise,
    what_the_desk_writes_first_promises_nothing_until_the_contact_writes,
    pending_pauses_resolution_and_on_hold_does_not,
    reopening_starts_another_cycle_of_resolution,
    what_pauses_is_what_the_target_said_at_its_start,
    a_breach_stays_with_whom_it_happened_to,
    a_public_reply_picks_a_chat_up_too,
    a_later_question_starts_the_next_response,
    a_breach_is_written_at_its_instant_and_after_a_restart_too,
    a_thousand_clocks_due_in_one_second_are_written_with_their_instant,
    a_thousand_clocks_that_fell_due_while_the_desk_was_off_are_written_with_their_instant,
    what_is_decided_keeps_the_version_it_ran_under,
    a_team_keeps_its_own_holidays,
    events_rebuild_every_clock_exactly,
];

#[track_caller]
fn clock<'a>(ticket: &'a Value, metric: &str) -> &'a Value {
    let clocks = ticket["clocks"].as_array().unwrap();
    clocks.iter().rev().find(|clock| clock["metric"] == metric).unwrap_or_else(|| panic!("no {metric} in {clocks:?}"))
}

fn instant(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

/// A policy for web tickets: resolution in two business hours, next response in one hour.
fn web_policy(desk: &Desk) {
    let targets = json!([
        { "metric": "resolution", "seconds": 7200, "mode": "business_hours" },
        { "metric": "next_response", "seconds": 3600, "mode": "always", "warn_percent": 50 },
        { "metric": "first_response", "seconds": 1800, "mode": "always", "warn_percent": 0 },
    ]);
    let policy = json!({ "name": "Web", "position": 5, "definition": { "match": { "channels": ["web"] }, "targets": targets } });
    desk.admin().post("/api/v1/policies", policy).is(201);
}

fn web_ticket(desk: &Desk) -> Value {
    let ticket = json!({ "channel": "web", "subject": "Form", "body": "Hello", "from": { "email": "ana@nordwind.example" } });
    desk.agent().post("/api/v1/tickets", ticket).ok()
}

fn a_call_picked_up_at_twenty_seconds_is_met(desk: &Desk) {
    let ticket = call(desk, "+4930123456", "2026-06-10T14:00:00Z");
    desk.set_time("2026-06-10T14:00:20Z".parse().unwrap());
    let ticket = desk.agent().post(&path(&ticket, "/pickup"), json!({})).ok();
    let pickup = clock(&ticket, "pickup");
    assert_eq!((&pickup["verdict"], &pickup["used_seconds"]), (&json!("met"), &json!(20)));
    assert_eq!((&pickup["due_at"], &pickup["breached_at"]), (&json!("2026-06-10T14:00:20Z"), &Value::Null));
    assert_eq!(ticket["assignee_id"], json!(desk.people.agent.id));
    desk.advance(TimeDelta::days(1));
    assert_eq!(clock(&desk.agent().get(&path(&ticket, "")).ok(), "pickup")["verdict"], "met");
}

fn a_call_picked_up_a_microsecond_later_is_breached(desk: &Desk) {
    let ticket = call(desk, "+4930123456", "2026-06-10T14:00:00Z");
    // The alarm has not run: the verb itself writes the breach, at the due instant.
    desk.only_set_clock("2026-06-10T14:00:20.000001Z".parse().unwrap());
    let ticket = desk.agent().post(&path(&ticket, "/pickup"), json!({})).ok();
    let pickup = clock(&ticket, "pickup");
    assert_eq!((&pickup["verdict"], &pickup["used_seconds"]), (&json!("breached"), &json!(21)));
    assert_eq!(pickup["breached_at"], "2026-06-10T14:00:20Z");
    let history = desk.agent().get(&path(&ticket, "/history")).ok();
    let breach = history["items"].as_array().unwrap().iter().find(|event| event["kind"] == "clock_breached").unwrap().clone();
    assert_eq!((&breach["at"], &breach["actor"]), (&json!("2026-06-10T14:00:20Z"), &json!("desk")));
}

fn a_call_while_closed_is_not_promised(desk: &Desk) {
    // 20:00 in Toronto is closing time, and closed.
    desk.set_time("2026-06-11T00:00:00Z".parse().unwrap());
    let ticket = call(desk, "+4930123456", "2026-06-11T00:00:00Z");
    assert_eq!(
        (&clock(&ticket, "pickup")["verdict"], &clock(&ticket, "pickup")["reason"]),
        (&json!("not_promised"), &json!("closed"))
    );
    desk.advance(TimeDelta::minutes(5));
    let ticket = desk.agent().post(&path(&ticket, "/pickup"), json!({})).ok();
    assert_eq!(clock(&ticket, "pickup")["verdict"], "not_promised");
    assert_eq!(ticket["picked_up_at"], "2026-06-11T00:05:00Z");
}

fn a_call_just_before_closing_is_due_after_it(desk: &Desk) {
    desk.set_time("2026-06-11T00:00:00Z".parse().unwrap());
    let ticket = call(desk, "+4930123456", "2026-06-10T23:59:50Z");
    assert_eq!(clock(&ticket, "pickup")["due_at"], "2026-06-11T00:00:10Z");
}

fn a_call_entered_by_hand_is_not_measured(desk: &Desk) {
    let ticket = json!({ "channel": "phone", "subject": "Call", "from": { "phone": "+4930123456" } });
    let ticket = desk.agent().post("/api/v1/tickets", ticket).ok();
    let pickup = clock(&ticket, "pickup");
    assert_eq!((&pickup["verdict"], &pickup["reason"]), (&json!("not_measured"), &json!("entered_by_hand")));
    desk.advance(TimeDelta::minutes(5));
    assert_eq!(clock(&desk.agent().get(&path(&ticket, "")).ok(), "pickup")["verdict"], "not_measured");
}

fn a_chat_is_picked_up_once_and_a_mail_never(desk: &Desk) {
    let chat = json!({ "channel": "chat", "subject": "Chat", "from": { "email": "ana@nordwind.example" } });
    let chat = desk.channel().post("/api/v1/tickets", chat).ok();
    desk.agent().post(&path(&chat, "/pickup"), json!({})).ok();
    desk.other_agent().post(&path(&chat, "/pickup"), json!({})).refused(409, "already_picked_up");
    desk.channel().post(&path(&chat, "/pickup"), json!({})).refused(403, "missing_right");
    let mail = email_ticket(desk, "ana@nordwind.example");
    desk.agent().post(&path(&mail, "/pickup"), json!({})).refused(409, "nothing_to_pick_up");
}

fn notes_and_status_changes_stop_no_first_response(desk: &Desk) {
    let ticket = email_ticket(desk, "ana@nordwind.example");
    desk.agent().post(&path(&ticket, "/notes"), json!({ "body": "Looking." })).ok();
    desk.agent().patch(&path(&ticket, ""), json!({ "status": "pending", "priority": "high" })).ok();
    let now = desk.agent().put(&path(&ticket, "/assignee"), json!({ "agent_id": desk.people.agent.id })).ok();
    assert_eq!(clock(&now, "first_response")["verdict"], "running");
    let answered = desk.agent().post(&path(&ticket, "/replies"), json!({ "body": "Hello." })).ok();
    assert_eq!(clock(&answered, "first_response")["verdict"], "met");
}

fn a_mail_is_due_after_24_hours_whatever_the_hour(desk: &Desk) {
    desk.set_time("2026-06-13T05:30:00.25Z".parse().unwrap());
    let ticket = email_ticket(desk, "ana@nordwind.example");
    let first = clock(&ticket, "first_response");
    assert_eq!((&first["due_at"], &first["warn_at"]), (&json!("2026-06-14T05:30:00.250Z"), &json!("2026-06-13T23:30:00.250Z")));
    assert_eq!(instant(&first["due_at"]) - instant(&ticket["received_at"]), TimeDelta::hours(24));
}

fn a_mail_closed_unanswered_still_breaks_its_promise(desk: &Desk) {
    let ticket = email_ticket(desk, "ana@nordwind.example");
    close(desk, ticket["id"].as_str().unwrap());
    desk.advance(TimeDelta::hours(25));
    let ticket = desk.agent().get(&path(&ticket, "")).ok();
    assert_eq!(clock(&ticket, "first_response")["breached_at"], "2026-06-11T14:00:00Z");
}

fn what_the_desk_writes_first_promises_nothing_until_the_contact_writes(desk: &Desk) {
    let ticket =
        json!({ "channel": "email", "direction": "outbound", "subject": "News", "from": { "email": "ana@nordwind.example" } });
    let ticket = desk.agent().post("/api/v1/tickets", ticket).ok();
    assert_eq!(ticket["clocks"], json!([]));
    desk.agent().post(&path(&ticket, "/replies"), json!({ "body": "We have news." })).ok();
    desk.advance(TimeDelta::hours(2));
    let asked = desk.channel().post(&path(&ticket, "/messages"), json!({ "body": "Which?" })).ok();
    assert_eq!(clock(&asked, "first_response")["due_at"], "2026-06-11T16:00:00Z");
}

fn pending_pauses_resolution_and_on_hold_does_not(desk: &Desk) {
    web_policy(desk);
    let ticket = web_ticket(desk);
    let due = |ticket: &Value| clock(ticket, "resolution")["due_at"].clone();
    assert_eq!(due(&ticket), "2026-06-10T16:00:00Z");
    desk.advance(TimeDelta::minutes(30));
    let held = desk.agent().patch(&path(&ticket, ""), json!({ "status": "on_hold" })).ok();
    assert_eq!(due(&held), "2026-06-10T16:00:00Z");
    let pending = desk.agent().patch(&path(&ticket, ""), json!({ "status": "pending" })).ok();
    assert_eq!((&clock(&pending, "resolution")["verdict"], due(&pending)), (&json!("paused"), Value::Null));
    assert_eq!(clock(&pending, "first_response")["verdict"], "running", "only what may pause does");
    // Until the next morning in Toronto, ten minutes after opening.
    desk.set_time("2026-06-11T12:10:00Z".parse().unwrap());
    let back = desk.channel().post(&path(&ticket, "/messages"), json!({ "body": "Here it is." })).ok();
    assert_eq!((back["status"].as_str(), due(&back)), (Some("open"), json!("2026-06-11T13:40:00Z")));
    desk.advance(TimeDelta::minutes(90));
    let closed = close(desk, ticket["id"].as_str().unwrap());
    assert_eq!(
        (&clock(&closed, "resolution")["verdict"], &clock(&closed, "resolution")["used_seconds"]),
        (&json!("met"), &json!(7200))
    );
}

fn what_pauses_is_what_the_target_said_at_its_start(desk: &Desk) {
    web_policy(desk);
    let ticket = web_ticket(desk);
    // Another policy comes first from now on, and promises no resolution at all.
    let targets = json!([{ "metric": "first_response", "seconds": 60, "mode": "always" }]);
    let other = json!({ "name": "Critical", "position": 1, "definition": { "match": { "priorities": ["critical"] }, "targets": targets } });
    desk.admin().post("/api/v1/policies", other).is(201);
    desk.agent().patch(&path(&ticket, ""), json!({ "priority": "critical" })).ok();
    let pending = desk.agent().patch(&path(&ticket, ""), json!({ "status": "pending" })).ok();
    assert_eq!(clock(&pending, "resolution")["verdict"], "paused");
}

fn a_breach_stays_with_whom_it_happened_to(desk: &Desk) {
    let ticket = email_ticket(desk, "ana@nordwind.example");
    desk.agent().put(&path(&ticket, "/assignee"), json!({ "agent_id": desk.people.agent.id })).ok();
    desk.only_set_clock(desk.now() + TimeDelta::hours(25));
    desk.other_agent().post(&path(&ticket, "/replies"), json!({ "body": "Sorry." })).ok();
    let report = desk.manager().get("/api/v1/reports/sla?group_by=agent&from=2026-06-10&to=2026-06-12").ok();
    let groups: Vec<_> = report["groups"].as_array().unwrap().iter().map(|group| group["key"]["id"].clone()).collect();
    assert_eq!(groups, [json!(desk.people.agent.id)], "{report}");
}

fn a_public_reply_picks_a_chat_up_too(desk: &Desk) {
    let chat = json!({ "channel": "chat", "subject": "Chat", "from": { "email": "ana@nordwind.example" } });
    let chat = desk.channel().post("/api/v1/tickets", chat).ok();
    desk.advance(TimeDelta::seconds(5));
    let replied = desk.agent().post(&path(&chat, "/replies"), json!({ "body": "Hello." })).ok();
    assert_eq!((&clock(&replied, "pickup")["verdict"], &clock(&replied, "pickup")["used_seconds"]), (&json!("met"), &json!(5)));
    desk.other_agent().post(&path(&chat, "/pickup"), json!({})).refused(409, "already_picked_up");
}

fn reopening_starts_another_cycle_of_resolution(desk: &Desk) {
    web_policy(desk);
    let ticket = web_ticket(desk);
    let id = ticket["id"].as_str().unwrap();
    close(desk, id);
    desk.advance(TimeDelta::hours(1));
    let reopened = desk.agent().delete(&path(&ticket, "/closure")).ok();
    let cycles: Vec<_> = reopened["clocks"].as_array().unwrap().iter().filter(|clock| clock["metric"] == "resolution").collect();
    assert_eq!(cycles.iter().map(|clock| clock["verdict"].as_str().unwrap()).collect::<Vec<_>>(), ["met", "running"]);
    assert_eq!((&cycles[1]["cycle"], &cycles[1]["started_at"]), (&json!(2), &json!("2026-06-10T15:00:00Z")));
    desk.advance(TimeDelta::hours(3));
    let late = close(desk, id);
    assert_eq!(clock(&late, "resolution")["breached_at"], "2026-06-10T17:00:00Z");
}

fn a_later_question_starts_the_next_response(desk: &Desk) {
    web_policy(desk);
    let ticket = web_ticket(desk);
    let ask = || desk.channel().post(&path(&ticket, "/messages"), json!({ "body": "And?" })).ok();
    assert!(!ask().to_string().contains("next_response"), "the first response is still owed");
    desk.agent().post(&path(&ticket, "/replies"), json!({ "body": "Hello." })).ok();
    desk.advance(TimeDelta::minutes(10));
    let asked = ask();
    assert_eq!(clock(&asked, "next_response")["due_at"], "2026-06-10T15:10:00Z");
    desk.advance(TimeDelta::minutes(10));
    assert_eq!(clock(&ask(), "next_response")["cycle"], 1, "asking again does not start it anew");
    let answered = desk.agent().post(&path(&ticket, "/replies"), json!({ "body": "Yes." })).ok();
    assert_eq!(
        (&clock(&answered, "next_response")["verdict"], &clock(&answered, "next_response")["used_seconds"]),
        (&json!("met"), &json!(600))
    );
    assert_eq!(clock(&ask(), "next_response")["cycle"], 2);
}

fn breaches(desk: &Desk, ticket: &Value) -> Vec<Value> {
    let history = desk.agent().get(&path(ticket, "/history")).ok();
    history["items"].as_array().unwrap().iter().filter(|event| event["kind"] == "clock_breached").cloned().collect()
}

fn a_breach_is_written_at_its_instant_and_after_a_restart_too(desk: &Desk) {
    let one = call(desk, "+4930123456", "2026-06-10T14:00:00Z");
    desk.advance(TimeDelta::minutes(1));
    let written = breaches(desk, &one);
    assert_eq!(written.len(), 1);
    assert_eq!(written[0]["at"], "2026-06-10T14:00:20Z");
    let late = instant(&written[0]["data"]["written_at"]) - instant(&written[0]["at"]);
    assert!(late <= TimeDelta::seconds(1), "{late}");
    // The desk is off when the second one falls due.
    let two = call(desk, "+4930123456", "2026-06-10T14:01:00Z");
    desk.restart(|_| {});
    desk.jump("2026-06-10T18:00:00Z".parse().unwrap());
    let written = breaches(desk, &two);
    assert_eq!(written.iter().map(|event| &event["at"]).collect::<Vec<_>>(), ["2026-06-10T14:01:20Z"]);
    assert_eq!(desk.agent().get("/api/v1/tickets?promise=breached").ok()["items"].as_array().map(Vec::len), Some(2));
}

fn a_thousand_clocks_due_in_one_second_are_written_with_their_instant(desk: &Desk) {
    a_thousand_calls(desk);
    desk.advance(TimeDelta::minutes(1));
    all_are_broken_at_their_instant(desk);
}

fn a_thousand_clocks_that_fell_due_while_the_desk_was_off_are_written_with_their_instant(desk: &Desk) {
    a_thousand_calls(desk);
    desk.restart(|_| {});
    desk.jump("2026-06-10T15:00:00Z".parse().unwrap());
    all_are_broken_at_their_instant(desk);
    let alerts = desk.agent().get("/api/v1/alerts?level=breach&limit=100").ok();
    assert!(alerts["items"].as_array().unwrap().iter().all(|alert| alert["raised_at"] == "2026-06-10T14:00:20Z"));
    assert!(alerts["next_cursor"].is_string());
}

fn a_thousand_calls(desk: &Desk) {
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let client = desk.channel();
            scope.spawn(move || {
                for number in 0..250 {
                    let from = json!({ "phone": format!("+4930{thread}{number:05}") });
                    let ticket =
                        json!({ "channel": "phone", "subject": "Call", "from": from, "received_at": "2026-06-10T14:00:00Z" });
                    client.post("/api/v1/tickets", ticket).ok();
                }
            });
        }
    });
}

#[track_caller]
fn all_are_broken_at_their_instant(desk: &Desk) {
    let report = desk.manager().get("/api/v1/reports/sla?from=2026-06-10T14:00:00Z&to=2026-06-10T15:00:00Z").ok().to_string();
    assert!(report.contains("\"breached\":1000"), "{report}");
    let some = desk.agent().get("/api/v1/tickets?promise=breached&limit=100").ok();
    for line in some["items"].as_array().unwrap() {
        let ticket = desk.agent().get(&path(line, "")).ok();
        assert_eq!(clock(&ticket, "pickup")["breached_at"], "2026-06-10T14:00:20Z");
        assert_eq!(line["promise"], json!({ "state": "breached", "due_at": null, "warn_at": null, "breached": 1, "met": 0 }));
    }
}

fn what_is_decided_keeps_the_version_it_ran_under(desk: &Desk) {
    let before = email_ticket(desk, "ana@nordwind.example");
    desk.agent().post(&path(&before, "/replies"), json!({ "body": "Hello." })).ok();
    let policies = desk.admin().get("/api/v1/policies").ok();
    let email = policies["items"].as_array().unwrap().iter().find(|policy| policy["position"] == 30).unwrap().clone();
    let mut definition = email["definition"].clone();
    definition["targets"][0]["seconds"] = json!(3600);
    let changed = json!({ "name": email["name"], "position": 30, "definition": definition });
    let changed = desk.admin().put(&format!("/api/v1/policies/{}", email["id"].as_str().unwrap()), changed).ok();
    assert_eq!(changed["version"], 2);
    let after = email_ticket(desk, "ana@nordwind.example");
    assert_eq!(
        (&clock(&after, "first_response")["due_at"], &clock(&after, "first_response")["policy_version"]),
        (&json!("2026-06-10T15:00:00Z"), &json!(2))
    );
    desk.settle();
    let before = desk.agent().get(&path(&before, "")).ok();
    assert_eq!(
        (&clock(&before, "first_response")["due_at"], &clock(&before, "first_response")["policy_version"]),
        (&json!("2026-06-11T14:00:00Z"), &json!(1))
    );
}

fn a_team_keeps_its_own_holidays(desk: &Desk) {
    let day = json!([{ "open": "08:00", "close": "20:00" }]);
    let weekly = json!({ "mon": day, "tue": day, "wed": day, "thu": day, "fri": day, "sat": day, "sun": day });
    let exceptions = json!({ "2026-06-10": { "name": "Founders' day", "hours": [] } });
    let calendar = json!({ "name": "Compliance", "definition": { "time_zone": "America/Toronto", "weekly": weekly, "exceptions": exceptions } });
    let calendar = desk.admin().post("/api/v1/calendars", calendar).id();
    let team = desk.admin().post("/api/v1/teams", json!({ "name": "Compliance", "calendar_id": calendar })).id();
    let mut ticket = json!({ "channel": "phone", "subject": "Call", "from": { "phone": "+4930123456" }, "team_id": team });
    assert_eq!(clock(&desk.channel().post("/api/v1/tickets", &ticket).ok(), "pickup")["verdict"], "not_promised");
    ticket["team_id"] = Value::Null;
    assert_eq!(clock(&desk.channel().post("/api/v1/tickets", &ticket).ok(), "pickup")["verdict"], "running");
}

/// What the clock slice says of replay, tried on tickets with every kind of fact.
fn events_rebuild_every_clock_exactly(desk: &Desk) {
    web_policy(desk);
    let ticket = web_ticket(desk);
    let late = call(desk, "+4930123456", "2026-06-10T14:00:00Z");
    desk.advance(TimeDelta::minutes(45));
    desk.agent().post(&path(&late, "/pickup"), json!({})).ok();
    desk.agent().post(&path(&ticket, "/replies"), json!({ "body": "Hello." })).ok();
    desk.agent().patch(&path(&ticket, ""), json!({ "status": "pending" })).ok();
    desk.set_time("2026-06-11T12:10:00.5Z".parse().unwrap());
    desk.channel().post(&path(&ticket, "/messages"), json!({ "body": "Here it is." })).ok();
    desk.advance(TimeDelta::hours(2));
    close(desk, ticket["id"].as_str().unwrap());
    desk.agent().delete(&path(&ticket, "/closure")).ok();
    email_ticket(desk, "bo@nordwind.example");
    let replayed = crate::replay::all(desk);
    assert!(replayed >= 6, "{replayed} clocks");
}
