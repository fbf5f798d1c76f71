//! Edits of policies and calendars that running promises follow, dry runs of them, explanations, and imported holidays.
use crate::promises_moved::{calendar, clock, definition, events, policies, web_ticket};
use crate::support::given::{call, email_ticket, path};
use crate::support::{Desk, Test, tests};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use ureq::http::Method;

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    an_edited_policy_moves_what_runs_under_it_from_the_original_start,
    an_edited_calendar_keeps_used_time_and_lays_the_rest_anew,
    a_paused_promise_follows_an_edit_too,
    many_clocks_follow_in_batches_and_an_interrupted_job_goes_on,
    a_dry_run_says_what_would_move_and_writes_nothing,
    a_dry_run_of_a_ticket_is_its_verb_taken_back,
    every_promise_is_explained_to_the_second,
    holidays_come_from_a_calendar_file_once,
];

fn default_calendar(desk: &Desk) -> Value {
    let calendars = desk.admin().get("/api/v1/calendars").ok();
    calendars["items"].as_array().unwrap().iter().find(|calendar| calendar["is_default"] == true).unwrap().clone()
}

fn exception_path(desk: &Desk, on: &str, query: &str) -> String {
    format!("/api/v1/calendars/{}/exceptions/{on}{query}", default_calendar(desk)["id"].as_str().unwrap())
}

fn holiday() -> Value {
    json!({ "name": "Founders' day", "hours": [], "no_service": [{ "open": "00:00", "close": "24:00" }] })
}

fn now(desk: &Desk, ticket: &Value) -> Value {
    desk.agent().get(&path(ticket, "")).ok()
}

fn an_edited_policy_moves_what_runs_under_it_from_the_original_start(desk: &Desk) {
    let (usual, _) = policies(desk);
    let (ticket, mail) = (web_ticket(desk), email_ticket(desk, "bo@nordwind.example"));
    let late = web_ticket(desk);
    desk.advance(TimeDelta::minutes(61));
    let broken = clock(&now(desk, &late), "first_response").clone();
    assert_eq!(broken["breached_at"], "2026-06-10T15:00:00Z");
    let targets = json!([
        { "metric": "resolution", "seconds": 10_800, "mode": "business_hours" },
        { "metric": "first_response", "seconds": 86_400, "mode": "always" },
    ]);
    let changed = json!({ "name": "Web", "position": 5, "definition": { "match": { "channels": ["web"] }, "targets": targets } });
    desk.admin().put(&format!("/api/v1/policies/{usual}"), &changed).ok();
    assert_eq!(clock(&now(desk, &ticket), "resolution")["due_at"], "2026-06-10T16:00:00Z", "the job has not run");
    desk.settle();
    let moved = now(desk, &ticket);
    assert_eq!(
        (&clock(&moved, "resolution")["due_at"], &clock(&moved, "resolution")["policy_version"]),
        (&json!("2026-06-10T17:00:00Z"), &json!(2))
    );
    assert_eq!(clock(&moved, "first_response")["breached_at"], "2026-06-10T15:00:00Z", "a breach stays");
    assert_eq!(clock(&now(desk, &late), "first_response"), &broken);
    assert_eq!(events(desk, &mail, "clock_moved"), Vec::<Value>::new(), "other policies' tickets stay");
    let told = events(desk, &ticket, "clock_moved");
    assert_eq!((told.len(), &told[0]["data"]["because"], &told[0]["actor"]), (1, &json!("policy"), &json!("desk")));
    // Only its name: nothing to follow.
    let mut renamed = changed.clone();
    renamed["name"] = json!("Forms");
    desk.admin().put(&format!("/api/v1/policies/{usual}"), &renamed).ok();
    desk.settle();
    assert_eq!(events(desk, &ticket, "clock_moved").len(), 1);
    crate::replay::all(desk);
}

fn an_edited_calendar_keeps_used_time_and_lays_the_rest_anew(desk: &Desk) {
    policies(desk);
    let (ticket, mail) = (web_ticket(desk), email_ticket(desk, "bo@nordwind.example"));
    let ring = call(desk, "+4930123456", "2026-06-10T14:00:00Z");
    desk.advance(TimeDelta::milliseconds(1_800_250));
    // Closed from now on: today has no hours any more.
    desk.admin().put(&exception_path(desk, "2026-06-10", ""), json!({ "name": "Fire alarm", "hours": [] })).ok();
    desk.settle();
    let moved = now(desk, &ticket);
    let resolution = clock(&moved, "resolution");
    assert_eq!(resolution["due_at"], "2026-06-11T13:30:00Z", "half an hour is used, the rest is tomorrow from 08:00 on");
    assert_eq!(clock(&moved, "first_response")["due_at"], "2026-06-10T15:00:00Z");
    for other in [&mail, &ring] {
        assert_eq!(events(desk, other, "clock_moved"), Vec::<Value>::new(), "their hours count alike");
    }
    // Nobody reads mail either: what runs around the clock stands still for the rest of the day in Toronto.
    let day_off = holiday();
    desk.admin().put(&exception_path(desk, "2026-06-10", ""), &day_off).ok();
    desk.settle();
    assert_eq!(clock(&now(desk, &mail), "first_response")["due_at"], "2026-06-12T03:30:00Z");
    desk.advance(TimeDelta::hours(1));
    desk.admin().delete(&exception_path(desk, "2026-06-10", "")).ok();
    desk.settle();
    let back = now(desk, &ticket);
    assert_eq!(clock(&back, "resolution")["due_at"], "2026-06-10T17:00:00Z", "an hour was closed, and stays so");
    assert_eq!(clock(&back, "first_response")["due_at"], "2026-06-10T16:00:00Z");
    desk.advance(TimeDelta::days(2));
    let broken = now(desk, &ticket);
    assert_eq!(clock(&broken, "resolution")["breached_at"], "2026-06-10T17:00:00Z");
    crate::replay::all(desk);
    adds_up(desk, &ticket);
    adds_up(desk, &mail);
}

fn a_paused_promise_follows_an_edit_too(desk: &Desk) {
    policies(desk);
    let ticket = web_ticket(desk);
    desk.advance(TimeDelta::minutes(30));
    desk.agent().patch(&path(&ticket, ""), json!({ "status": "pending" })).ok();
    desk.admin().put(&exception_path(desk, "2026-06-11", ""), json!({ "hours": [] })).ok();
    desk.settle();
    desk.set_time("2026-06-10T23:30:00Z".parse().unwrap());
    let back = desk.agent().patch(&path(&ticket, ""), json!({ "status": "open" })).ok();
    // Half an hour used, half an hour left today, and the 11th is closed now.
    assert_eq!(clock(&back, "resolution")["due_at"], "2026-06-12T13:00:00Z");
    crate::replay::all(desk);
}

fn many_clocks_follow_in_batches_and_an_interrupted_job_goes_on(desk: &Desk) {
    policies(desk);
    desk.settle();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let client = desk.channel();
            scope.spawn(move || {
                for number in 0..70 {
                    let from = json!({ "email": format!("p{thread}x{number}@nordwind.example") });
                    let ticket = json!({ "channel": "web", "subject": "Form", "body": "Hello", "from": from });
                    client.post("/api/v1/tickets", ticket).ok();
                }
            });
        }
    });
    desk.admin().put(&exception_path(desk, "2026-06-10", ""), json!({ "hours": [] })).ok();
    // The node stops after the first step; the next one takes the job up where it stood.
    let app = desk.app();
    let id = waiting_move(desk);
    let taken = |app: &deskbell::app::App| {
        let now = app.clock.now();
        let mut conn = deskbell::db::Conn::open(app.db.url()).unwrap();
        conn.write(|conn| deskbell::sla::moves::commands::step(conn, id, now)).unwrap()
    };
    assert!(taken(&app));
    drop(app);
    desk.restart(|_| {});
    desk.settle();
    let mut conn = deskbell::db::Conn::open(desk.app().db.url()).unwrap();
    use deskbell::db::schema::{clock_moves, clocks};
    use diesel::prelude::*;
    let left: i64 = clocks::table
        .filter(clocks::mode.eq("business_hours").and(clocks::calendar_version.eq(1)))
        .count()
        .get_result(&mut conn)
        .unwrap();
    assert_eq!(left, 0);
    let due = "2026-06-11T14:00:00Z".parse::<DateTime<Utc>>().unwrap().timestamp_micros();
    let moved: i64 =
        clocks::table.filter(clocks::metric.eq("resolution").and(clocks::due_at.eq(due))).count().get_result(&mut conn).unwrap();
    assert_eq!(moved, 280);
    let (count, finished): (i64, Option<i64>) =
        clock_moves::table.find(id).select((clock_moves::moved, clock_moves::finished_at)).first(&mut conn).unwrap();
    assert!(count == 280 && finished.is_some(), "{count} {finished:?}");
    crate::replay::of(&mut conn);
}

fn waiting_move(desk: &Desk) -> deskbell::ids::MoveId {
    use deskbell::db::schema::clock_moves;
    use diesel::prelude::*;
    let mut conn = deskbell::db::Conn::open(desk.app().db.url()).unwrap();
    clock_moves::table.filter(clock_moves::finished_at.is_null()).select(clock_moves::id).first(&mut conn).unwrap()
}

fn a_dry_run_says_what_would_move_and_writes_nothing(desk: &Desk) {
    let (usual, _) = policies(desk);
    let ticket = web_ticket(desk);
    let waiting = web_ticket(desk);
    desk.agent().patch(&path(&waiting, ""), json!({ "status": "pending" })).ok();
    desk.advance(TimeDelta::minutes(30));
    let before = (now(desk, &ticket), default_calendar(desk), desk.admin().get("/api/v1/policies").ok());
    let targets = json!([
        { "metric": "resolution", "seconds": 10_800, "mode": "business_hours" },
        { "metric": "first_response", "seconds": 600, "mode": "always" },
    ]);
    let changed = json!({ "name": "Web", "position": 5, "definition": { "match": { "channels": ["web"] }, "targets": targets } });
    let plan = desk.admin().put(&format!("/api/v1/policies/{usual}?dry_run=true"), &changed).ok();
    assert_eq!((&plan["tickets"], &plan["clocks"], &plan["breaks"]), (&json!(2), &json!(4), &json!(2)), "{plan}");
    let item = |plan: &Value, ticket: &Value, metric: &str| {
        let items = plan["items"].as_array().unwrap();
        items.iter().find(|item| item["ticket_id"] == ticket["id"] && item["metric"] == metric).cloned().unwrap_or(Value::Null)
    };
    let resolution = item(&plan, &ticket, "resolution");
    assert_eq!(
        (&resolution["due_before"], &resolution["due_after"], &resolution["seconds"]),
        (&json!("2026-06-10T16:00:00Z"), &json!("2026-06-10T17:00:00Z"), &json!(3600))
    );
    assert_eq!(resolution["ticket_number"], ticket["number"]);
    assert_eq!(item(&plan, &ticket, "first_response")["breaks"], true);
    assert_eq!(item(&plan, &waiting, "resolution")["due_after"], Value::Null);
    // A calendar: replace it, set an exception, take it away.
    let plan = desk.admin().put(&exception_path(desk, "2026-06-10", "?dry_run=true"), holiday()).ok();
    assert_eq!(item(&plan, &ticket, "resolution")["due_after"], "2026-06-11T13:30:00Z", "{plan}");
    let calendar = default_calendar(desk);
    let shorter =
        json!({ "name": calendar["name"], "is_default": true, "definition": definition(json!({ "2026-06-10": holiday() })) });
    let replaced =
        desk.admin().put(&format!("/api/v1/calendars/{}?dry_run=true", calendar["id"].as_str().unwrap()), &shorter).ok();
    assert_eq!(replaced, plan);
    desk.settle();
    assert_eq!(before, (now(desk, &ticket), default_calendar(desk), desk.admin().get("/api/v1/policies").ok()));
    // The refusals are those of the real thing.
    desk.admin().delete(&exception_path(desk, "2026-06-10", "?dry_run=true")).refused(404, "not_found");
    desk.admin().put(&format!("/api/v1/policies/{usual}?dry_run=maybe"), &changed).refuses_field("dry_run");
    let stale = desk.admin().with("If-Match", "\"7\"");
    stale.put(&format!("/api/v1/policies/{usual}?dry_run=true"), &changed).refused(412, "stale_version");
    desk.agent().put(&format!("/api/v1/policies/{usual}?dry_run=true"), &changed).refused(403, "missing_right");
}

fn a_dry_run_of_a_ticket_is_its_verb_taken_back(desk: &Desk) {
    policies(desk);
    let holiday = calendar(desk, "Payments", json!({ "2026-06-10": holiday() }));
    let team = desk.admin().post("/api/v1/teams", json!({ "name": "Payments", "calendar_id": holiday })).id();
    let ticket = web_ticket(desk);
    desk.advance(TimeDelta::minutes(20));
    let before = (now(desk, &ticket), desk.agent().get(&path(&ticket, "/history")).ok());
    let plan = desk.agent().patch(&path(&ticket, "?dry_run=true"), json!({ "priority": "critical" })).ok();
    let items = plan["items"].as_array().unwrap();
    assert_eq!((&plan["clocks"], &plan["breaks"], &plan["tickets"]), (&json!(2), &json!(1), &json!(1)), "{plan}");
    let resolution = items.iter().find(|item| item["metric"] == "resolution").unwrap();
    assert_eq!((&resolution["seconds"], &resolution["due_after"]), (&json!(-3600), &json!("2026-06-10T15:00:00Z")));
    let plan = desk.agent().put(&path(&ticket, "/team?dry_run=true"), json!({ "team_id": team })).ok();
    assert_eq!(plan["clocks"], 2, "{plan}");
    assert_eq!(before, (now(desk, &ticket), desk.agent().get(&path(&ticket, "/history")).ok()), "nothing was written");
    let moved = desk.agent().put(&path(&ticket, "/team?dry_run=false"), json!({ "team_id": team })).ok();
    let said = plan["items"].as_array().unwrap().iter().find(|item| item["metric"] == "resolution").unwrap().clone();
    assert_eq!(clock(&moved, "resolution")["due_at"], said["due_after"]);
    crate::support::given::close(desk, ticket["id"].as_str().unwrap());
    desk.agent().patch(&path(&ticket, "?dry_run=true"), json!({ "priority": "low" })).refused(409, "ticket_closed");
}

fn instant(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

/// The explanation of a ticket, checked: no gaps, and the counted segments add up.
#[track_caller]
fn adds_up(desk: &Desk, ticket: &Value) -> Value {
    let sla = desk.agent().get(&path(ticket, "/sla")).ok();
    for clock in sla["clocks"].as_array().unwrap().iter().filter(|clock| !clock["used_seconds"].is_null()) {
        let segments = clock["segments"].as_array().unwrap();
        let counted: i64 = segments
            .iter()
            .filter(|segment| segment["counted"] == true)
            .map(|segment| segment["seconds"].as_i64().unwrap())
            .sum();
        assert_eq!(json!(counted), clock["used_seconds"], "{clock}");
        for pair in segments.windows(2) {
            assert_eq!(pair[0]["to"], pair[1]["from"]);
        }
        for segment in segments {
            assert_eq!((instant(&segment["to"]) - instant(&segment["from"])).num_seconds(), segment["seconds"].as_i64().unwrap());
        }
    }
    sla
}

fn every_promise_is_explained_to_the_second(desk: &Desk) {
    policies(desk);
    let ticket = web_ticket(desk);
    let by_hand = json!({ "channel": "phone", "subject": "Call", "from": { "phone": "+4930123456" } });
    let by_hand = desk.agent().post("/api/v1/tickets", by_hand).ok();
    desk.advance(TimeDelta::milliseconds(1_800_500));
    desk.agent().patch(&path(&ticket, ""), json!({ "status": "pending" })).ok();
    desk.advance(TimeDelta::minutes(10));
    desk.agent().patch(&path(&ticket, ""), json!({ "status": "open" })).ok();
    desk.admin().put(&exception_path(desk, "2026-06-11", ""), json!({ "hours": [{ "open": "10:00", "close": "12:00" }] })).ok();
    desk.admin().put(&exception_path(desk, "2026-06-10", ""), json!({ "hours": [{ "open": "08:00", "close": "11:00" }] })).ok();
    desk.settle();
    desk.set_time("2026-06-11T14:20:00Z".parse().unwrap());
    crate::support::given::close(desk, ticket["id"].as_str().unwrap());
    let sla = adds_up(desk, &ticket);
    let resolution = sla["clocks"].as_array().unwrap().iter().find(|clock| clock["metric"] == "resolution").unwrap();
    let shown: Vec<String> = resolution["segments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| {
            format!(
                "{} {} v{} {}",
                part["reason"].as_str().unwrap(),
                part["seconds"],
                part["calendar_version"],
                part["utc_offset_seconds"]
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "open 1800 v1 -14400",
            "paused 600 v1 -14400",
            "open 1200 v3 -14400",
            "exception 32400 v3 -14400",
            "closed 43200 v3 -14400",
            "exception 7200 v3 -14400",
            "open 1200 v3 -14400",
        ]
    );
    assert_eq!((&resolution["used_seconds"], &resolution["remaining_seconds"]), (&json!(4200), &json!(3000)));
    let hand = adds_up(desk, &by_hand);
    let pickup = hand["clocks"].as_array().unwrap().iter().find(|clock| clock["metric"] == "pickup").unwrap();
    assert_eq!(
        (&pickup["reason"], &pickup["used_seconds"], &pickup["segments"]),
        (&json!("entered_by_hand"), &Value::Null, &json!([]))
    );
    desk.agent().get("/api/v1/tickets/01900000-0000-7000-8000-000000000000/sla").refused(404, "not_found");
}

const HOLIDAYS: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Desk//EN\r\n\
BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Two days off\r\nDTSTART;VALUE=DATE:20260610\r\nDTEND;VALUE=DATE:20260612\r\nEND:VEVENT\r\n\
BEGIN:VEVENT\r\nUID:2\r\nSUMMARY:Lunch\r\nDTSTART:20260610T120000Z\r\nEND:VEVENT\r\n\
BEGIN:VEVENT\r\nUID:3\r\nSUMMARY:Every year\r\nDTSTART;VALUE=DATE:20261225\r\nRRULE:FREQ=YEARLY\r\nEND:VEVENT\r\n\
BEGIN:VEVENT\r\nUID:4\r\nSTATUS:CANCELLED\r\nDTSTART;VALUE=DATE:20261226\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

fn holidays_come_from_a_calendar_file_once(desk: &Desk) {
    policies(desk);
    let ticket = web_ticket(desk);
    let to = exception_path(desk, "import", "");
    let send =
        |body: &str| desk.admin().send(Method::POST, &to, Some(("text/calendar; charset=utf-8", body.as_bytes().to_vec())));
    let first = send(HOLIDAYS).ok();
    let outcomes: Vec<_> =
        first["items"].as_array().unwrap().iter().map(|item| (item["outcome"].clone(), item["code"].clone())).collect();
    assert_eq!(
        outcomes,
        [
            (json!("added"), Value::Null),
            (json!("failed"), json!("not_all_day")),
            (json!("failed"), json!("recurring")),
            (json!("skipped"), Value::Null),
        ]
    );
    assert_eq!((&first["version"], &first["items"][0]["to"]), (&json!(2), &json!("2026-06-11")));
    desk.settle();
    assert_eq!(clock(&now(desk, &ticket), "resolution")["due_at"], "2026-06-12T14:00:00Z", "running promises follow");
    let again = send(HOLIDAYS).ok();
    assert_eq!((&again["version"], &again["added"], &again["unchanged"]), (&json!(2), &json!(0), &json!(1)));
    assert_eq!(default_calendar(desk)["definition"]["exceptions"]["2026-06-11"]["name"], "Two days off");
    // The same key gives the same answer.
    let once = desk.admin().with("Idempotency-Key", "holidays-1");
    let more = HOLIDAYS.replace("20260610", "20260613").replace("20260612", "20260614");
    let keyed = || once.send(Method::POST, &to, Some(("text/calendar", more.as_bytes().to_vec()))).ok();
    let answer = keyed();
    assert_eq!((answer["version"].clone(), keyed()), (json!(3), answer));
    send("BEGIN:VCALENDAR\r\nBEGIN:VEVENT").refuses_field("body");
    send(&"BEGIN:A\r\n".repeat(50_000)).refuses_field("body");
    desk.admin().send(Method::POST, &to, Some(("application/json", b"{}".to_vec()))).refused(415, "unsupported_media_type");
    desk.admin().send(Method::POST, &to, Some(("text/calendar", vec![0xff]))).refused(400, "invalid_utf8");
    desk.agent().send(Method::POST, &to, Some(("text/calendar", Vec::new()))).refused(403, "missing_right");
    assert_eq!(default_calendar(desk)["version"], 3);
}
