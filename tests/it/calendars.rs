//! Calendars, exceptions and policies over HTTP, and the two questions that a calendar answers: open? due when?
use crate::policies::POLICIES;
use crate::support::desk::at;
use crate::support::{Answer, Desk, Test, tests};
use chrono::{DateTime, SecondsFormat, Utc};
use deskbell::ids::TicketId;
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_calendar_is_made_read_replaced_and_removed,
    a_calendar_that_is_wrong_is_refused_by_its_fields,
    a_calendar_that_is_used_stays,
    one_calendar_is_the_default,
    an_exception_is_set_and_taken_away,
    open_and_closed_meet_at_the_second,
    a_clock_change_moves_openings_as_the_local_time_does,
    segments_add_up,
    the_start_and_the_budget_of_a_deadline_have_bounds,
];

pub const CALENDARS: &str = "/api/v1/calendars";
pub const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

pub fn interval(open: &str, close: &str) -> Value {
    json!({ "open": open, "close": close })
}

/// Every day the same.
pub fn every_day(zone: &str, open: &str, close: &str) -> Value {
    let weekly: serde_json::Map<_, _> = DAYS.iter().map(|day| ((*day).to_owned(), json!([interval(open, close)]))).collect();
    json!({ "time_zone": zone, "weekly": weekly, "exceptions": {} })
}

pub fn named(name: &str, definition: &Value) -> Value {
    json!({ "name": name, "definition": definition })
}

#[track_caller]
pub fn make(desk: &Desk, name: &str, definition: &Value) -> String {
    let answer = desk.admin().post(CALENDARS, named(name, definition));
    answer.is(201);
    answer.id()
}

#[track_caller]
pub fn items(desk: &Desk, list: &str) -> Vec<Value> {
    desk.agent().get(&format!("{list}?limit=100")).ok()["items"].as_array().unwrap().clone()
}

pub fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// What `GET …/open` says: whether it is open, when it closes, when it opens.
#[track_caller]
pub fn look(desk: &Desk, calendar: &str, at: &str) -> (bool, Option<String>, Option<String>) {
    let answer = desk.agent().get(&format!("{CALENDARS}/{calendar}/open?at={at}")).ok();
    let text = |name: &str| answer[name].as_str().map(str::to_owned);
    (answer["open"].as_bool().unwrap(), text("closes_at"), text("opens_at"))
}

#[track_caller]
pub fn deadline(desk: &Desk, calendar: &str, from: &str, seconds: i64, mode: &str) -> Answer {
    let answer =
        desk.agent().post(&format!("{CALENDARS}/{calendar}/deadline"), json!({ "from": from, "seconds": seconds, "mode": mode }));
    answer.ok();
    answer
}

fn a_calendar_is_made_read_replaced_and_removed(desk: &Desk) {
    let admin = desk.admin();
    let mut hours = every_day("Europe/Berlin", "09:00", "17:00");
    hours["weekly"]["sat"] = json!([interval("22:00", "02:00"), interval("08:00", "12:00")]);
    hours["exceptions"]["2026-12-25"] =
        json!({ "name": "Christmas Day", "hours": [], "no_service": [interval("00:00", "24:00")], "reduced": false });
    let made = admin.post(CALENDARS, named("Berlin", &hours));
    made.is(201);
    let path = format!("{CALENDARS}/{}", made.id());
    assert_eq!((made.header("location"), made.etag().as_str()), (Some(path.as_str()), "\"1\""));
    assert_eq!((&made.json["definition"], &made.json["is_default"]), (&hours, &json!(false)), "as it was said");
    let read = desk.agent().get(&path);
    assert_eq!((read.ok(), read.etag()), (made.json.clone(), made.etag()));
    assert!(items(desk, CALENDARS).contains(&made.json));

    let shorter = every_day("Europe/Berlin", "10:00", "16:00");
    let replaced = admin.with("If-Match", "\"1\"").put(&path, named("Berlin, short", &shorter));
    assert_eq!((&replaced.ok()["definition"], &replaced.json["name"]), (&shorter, &json!("Berlin, short")));
    assert_eq!((replaced.etag().as_str(), desk.agent().get(&path).ok()), ("\"2\"", replaced.json.clone()));
    admin.with("If-Match", "\"1\"").put(&path, named("Berlin, stale", &hours)).refused(412, "stale_version");
    admin.with("If-Match", "\"1\"").delete(&path).refused(412, "stale_version");
    assert_eq!(desk.agent().get(&path).ok(), replaced.json, "nothing was lost");
    admin.with("If-Match", "\"2\"").delete(&path).is(204);
    desk.agent().get(&path).refused(404, "not_found");
    admin.delete(&path).refused(404, "not_found");
    admin.put(&path, named("Berlin", &hours)).refused(404, "not_found");
    desk.agent().get(&format!("{path}/open")).refused(404, "not_found");
    let question = json!({ "from": "2026-06-10T00:00:00Z", "seconds": 1, "mode": "always" });
    desk.agent().post(&format!("{path}/deadline"), question).refused(404, "not_found");
    // The name is free again.
    make(desk, "Berlin, short", &hours);
}

fn a_calendar_that_is_wrong_is_refused_by_its_fields(desk: &Desk) {
    let admin = desk.admin();
    let good = every_day("America/Toronto", "08:00", "20:00");
    let path = format!("{CALENDARS}/{}", make(desk, "Good", &good));
    make(desk, "Taken", &good);
    let before = items(desk, CALENDARS);
    let refuse = |pointer: &str, value: Value, field: &str, code: &str| {
        let mut wrong = named("Wrong", &good);
        *wrong.pointer_mut(pointer).unwrap() = value;
        assert_eq!(admin.post(CALENDARS, &wrong).refuses_field(field), code, "{wrong}");
        assert_eq!(admin.put(&path, &wrong).refuses_field(field), code, "{wrong}");
    };
    refuse("/definition/time_zone", json!("Mars/Base"), "definition.time_zone", "time_zone");
    refuse("/definition/time_zone", json!("EST5"), "definition.time_zone", "time_zone");
    for (open, close) in [("8:00", "20:00"), ("24:00", "24:00"), ("08:00", "24:01"), ("08:60", "20:00"), ("", "")] {
        refuse("/definition/weekly/tue/0", interval(open, close), "definition.weekly.tue[0]", "time");
    }
    let many: Vec<_> = (0..25).map(|hour| interval(&format!("{:02}:00", hour % 24), "24:00")).collect();
    refuse("/definition/weekly/sun", json!(many), "definition.weekly.sun", "length");
    let closed = json!({ "mon": [], "tue": [], "wed": [], "thu": [], "fri": [], "sat": [], "sun": [] });
    refuse("/definition/weekly", closed.clone(), "definition", "never_open");
    refuse("/definition/weekly", json!({ "lun": [] }), "definition.weekly.lun", "unknown_field");
    let dated = |exception: Value| json!({ "2026-12-25": exception });
    let on = "definition.exceptions.2026-12-25";
    refuse("/definition/exceptions", dated(json!({ "hours": [interval("1", "2")] })), &format!("{on}.hours[0]"), "time");
    refuse(
        "/definition/exceptions",
        dated(json!({ "no_service": [interval("1", "2")] })),
        &format!("{on}.no_service[0]"),
        "time",
    );
    // A length is found by place: the first exception by date.
    refuse("/definition/exceptions", dated(json!({ "name": "x".repeat(201) })), "definition.exceptions[0].name", "length");
    assert_eq!(admin.post(CALENDARS, json!({ "name": "Wrong" })).refuses_field("definition"), "missing");
    let text =
        serde_json::to_string(&named("Wrong", &good)).unwrap().replace("\"exceptions\":{}", "\"exceptions\":{\"25.12.\":{}}");
    admin.send(ureq::http::Method::POST, CALENDARS, Some(("application/json", text.into_bytes()))).refused(422, "invalid_input");
    admin.post(CALENDARS, named("Taken", &good)).refused(409, "name_taken");
    admin.put(&path, named("Taken", &good)).refused(409, "name_taken");
    assert_eq!(items(desk, CALENDARS), before, "nothing was written");

    // Open once, but only after more than 400 days; one day nearer it is soon enough.
    let once = |on: &str| {
        let exceptions = json!({ on: { "hours": [interval("08:00", "09:00")] } });
        named("Once", &json!({ "time_zone": "UTC", "weekly": closed, "exceptions": exceptions }))
    };
    assert_eq!(admin.post(CALENDARS, once("2027-07-16")).refuses_field("definition"), "never_open");
    admin.post(CALENDARS, once("2027-07-15")).is(201);
}

fn a_calendar_that_is_used_stays(desk: &Desk) {
    let admin = desk.admin();
    let hours = every_day("Europe/Berlin", "09:00", "17:00");
    let calendar = make(desk, "Berlin", &hours);
    let path = format!("{CALENDARS}/{calendar}");
    let team = admin.post("/api/v1/teams", json!({ "name": "Payments", "calendar_id": calendar })).id();
    admin.delete(&path).refused(409, "in_use");
    admin.patch(&format!("/api/v1/teams/{team}"), json!({ "calendar_id": null })).ok();

    let target = json!({ "metric": "resolution", "seconds": 60, "mode": "always" });
    let matcher = json!({ "channels": ["web"] });
    let policy = |calendar: Value| json!({ "name": "Web", "position": 5, "definition": { "match": matcher, "calendar_id": calendar, "targets": [target] } });
    let made = admin.post(POLICIES, policy(json!(calendar))).id();
    admin.delete(&path).refused(409, "in_use");
    admin.put(&format!("{POLICIES}/{made}"), policy(Value::Null)).ok();
    admin.delete(&path).is(204);

    // A promise that ran under it needs its hours for ever, also once nothing else uses it.
    let calendar = make(desk, "Berlin", &hours);
    let path = format!("{CALENDARS}/{calendar}");
    admin.put(&format!("{POLICIES}/{made}"), policy(json!(calendar))).ok();
    let ticket = json!({ "channel": "web", "subject": "Form", "from": { "email": "ana@nordwind.example" } });
    desk.agent().post("/api/v1/tickets", ticket).ok();
    admin.put(&format!("{POLICIES}/{made}"), policy(Value::Null)).ok();
    admin.delete(&path).refused(409, "in_use");
    desk.agent().get(&path).ok();
}

fn one_calendar_is_the_default(desk: &Desk) {
    let admin = desk.admin();
    let shipped = items(desk, CALENDARS)[0].clone();
    assert_eq!((&shipped["name"], &shipped["is_default"]), (&json!("Support hours"), &json!(true)));
    let first = format!("{CALENDARS}/{}", shipped["id"].as_str().unwrap());
    admin.delete(&first).refused(409, "last_default");
    admin.put(&first, named("Support hours", &shipped["definition"])).refused(409, "last_default");

    let hours = every_day("Europe/Berlin", "09:00", "17:00");
    let defaults = || -> Vec<String> {
        let all = items(desk, CALENDARS).into_iter().filter(|calendar| calendar["is_default"] == true);
        all.map(|calendar| calendar["name"].as_str().unwrap().to_owned()).collect()
    };
    let second = admin.post(CALENDARS, json!({ "name": "Berlin", "is_default": true, "definition": hours })).id();
    assert_eq!(defaults(), ["Berlin"]);
    admin.delete(&format!("{CALENDARS}/{second}")).refused(409, "last_default");
    let again = json!({ "name": "Support hours", "is_default": true, "definition": shipped["definition"] });
    admin.put(&first, again).ok();
    assert_eq!(defaults(), ["Support hours"]);
    admin.delete(&format!("{CALENDARS}/{second}")).is(204);
}

fn an_exception_is_set_and_taken_away(desk: &Desk) {
    let admin = desk.admin();
    let calendar = make(desk, "Toronto", &every_day("America/Toronto", "08:00", "20:00"));
    let on = format!("{CALENDARS}/{calendar}/exceptions/2026-07-01");
    let closed = json!({ "name": "Canada Day", "hours": [] });
    let set = admin.with("If-Match", "\"1\"").put(&on, &closed);
    let kept = json!({ "name": "Canada Day", "hours": [], "no_service": [], "reduced": false });
    assert_eq!((&set.ok()["definition"]["exceptions"]["2026-07-01"], set.etag().as_str()), (&kept, "\"2\""));
    assert_eq!(look(desk, &calendar, "2026-07-01T16:00:00Z"), (false, None, Some("2026-07-02T12:00:00Z".to_owned())));
    admin.put(&on, json!({ "hours": null, "reduced": true })).ok();
    assert!(look(desk, &calendar, "2026-07-01T16:00:00Z").0, "reduced staffing changes no hours");
    let before = admin.get(&format!("{CALENDARS}/{calendar}")).ok();
    admin.with("If-Match", "\"1\"").put(&on, &closed).refused(412, "stale_version");
    admin.with("If-Match", "\"1\"").delete(&on).refused(412, "stale_version");
    assert_eq!(admin.put(&on, json!({ "hours": [interval("8", "9")] })).refuses_field("hours[0]"), "time");
    assert_eq!(admin.put(&on, json!({ "no_service": [interval("08:00", "25:00")] })).refuses_field("no_service[0]"), "time");
    assert_eq!(admin.put(&on, json!({ "open": true })).refuses_field("open"), "unknown_field");
    for wrong in ["2026-02-29", "25.12.2026", "tomorrow"] {
        assert_eq!(admin.put(&format!("{CALENDARS}/{calendar}/exceptions/{wrong}"), &closed).refuses_field("on"), "date");
    }
    assert_eq!(admin.get(&format!("{CALENDARS}/{calendar}")).ok(), before, "nothing was written");
    let removed = admin.with("If-Match", "\"3\"").delete(&on);
    assert_eq!((&removed.ok()["definition"]["exceptions"], removed.etag().as_str()), (&json!({}), "\"4\""));
    admin.delete(&on).refused(404, "not_found");
    let nowhere = format!("{CALENDARS}/{}/exceptions/2026-07-01", TicketId::new());
    admin.put(&nowhere, &closed).refused(404, "not_found");
    admin.delete(&nowhere).refused(404, "not_found");
}

fn open_and_closed_meet_at_the_second(desk: &Desk) {
    let some = |text: &str| Some(text.to_owned());
    let shipped = items(desk, CALENDARS)[0]["id"].as_str().unwrap().to_owned();
    let look = |at: &str| look(desk, &shipped, at);
    assert_eq!(look("2026-06-10T11:59:59Z"), (false, None, some("2026-06-10T12:00:00Z")));
    assert_eq!(
        look("2026-06-10T11:59:59.999999Z"),
        (false, None, some("2026-06-10T12:00:00Z")),
        "parts of a second do not count"
    );
    assert_eq!(look("2026-06-10T12:00:00Z"), (true, some("2026-06-11T00:00:00Z"), None));
    assert_eq!(look("2026-06-10T23:59:59Z"), (true, some("2026-06-11T00:00:00Z"), None));
    assert_eq!(look("2026-06-10T20:00:00-04:00"), (false, None, some("2026-06-11T12:00:00Z")), "closed at closing");
    let now = desk.agent().get(&format!("{CALENDARS}/{shipped}/open")).ok();
    assert_eq!((&now["at"], &now["open"]), (&json!("2026-06-10T14:00:00Z"), &json!(true)), "now where no instant is said");
    desk.agent().get(&format!("{CALENDARS}/{shipped}/open?at=noon")).refuses_field("at");
}

fn a_clock_change_moves_openings_as_the_local_time_does(desk: &Desk) {
    let some = |text: &str| Some(text.to_owned());
    // On 8 March 2026 Toronto has no 02:30; on 1 November it has 01:30 twice. One opens in the gap, one closes in the fold.
    let night = make(desk, "Night", &every_day("America/Toronto", "02:30", "04:00"));
    assert_eq!(
        look(desk, &night, "2026-03-08T06:59:59Z"),
        (false, None, some("2026-03-08T07:00:00Z")),
        "03:00 EDT, the first that exists"
    );
    assert_eq!(look(desk, &night, "2026-03-08T07:00:00Z"), (true, some("2026-03-08T08:00:00Z"), None));
    let late = make(desk, "Late", &every_day("America/Toronto", "23:00", "01:30"));
    assert_eq!(look(desk, &late, "2026-11-01T05:30:00Z"), (true, some("2026-11-01T06:30:00Z"), None), "the second 01:30 closes");
    let early = make(desk, "Early", &every_day("America/Toronto", "01:30", "03:00"));
    assert_eq!(look(desk, &early, "2026-11-01T05:29:59Z"), (false, None, some("2026-11-01T05:30:00Z")), "the first 01:30 opens");
    let whole = make(desk, "Whole", &every_day("America/Toronto", "00:00", "24:00"));
    assert_eq!(
        deadline(desk, &whole, "2026-03-08T05:00:00Z", 23 * 3600, "business_hours").json["due_at"],
        "2026-03-09T04:00:00Z"
    );
    let without_end = look(desk, &whole, "2026-06-10T00:00:00Z");
    assert_eq!(without_end, (true, some("2027-07-15T00:00:00Z"), None), "no longer than 400 days are looked at");
}

/// The segments lie one after the other from `from` to the deadline, turn by turn, and the counted ones make the budget.
#[track_caller]
pub fn add_up(answer: &Answer, from: &str, seconds: i64) {
    let segments = answer.json["segments"].as_array().unwrap();
    let (mut reached, mut counted, mut before) = (at(from), 0, None);
    for segment in segments {
        let (start, end) = (at(segment["from"].as_str().unwrap()), at(segment["to"].as_str().unwrap()));
        assert_eq!(start, reached, "no gap: {}", answer.text);
        assert!(end > start && segment["seconds"] == (end - start).num_seconds(), "{segment}");
        assert_ne!(Some(&segment["counted"]), before, "neighbours differ");
        counted += if segment["counted"] == true { segment["seconds"].as_i64().unwrap() } else { 0 };
        (reached, before) = (end, Some(&segment["counted"]));
    }
    assert_eq!((rfc3339(reached), counted), (answer.json["due_at"].as_str().unwrap().to_owned(), seconds), "{}", answer.text);
    assert_eq!((&answer.json["promised"], &answer.json["segments_cut"]), (&json!(true), &json!(false)));
}

fn segments_add_up(desk: &Desk) {
    let mut hours = every_day("America/Toronto", "08:00", "20:00");
    hours["weekly"]["sun"] = json!([]);
    hours["exceptions"]["2026-07-01"] = json!({ "hours": [], "no_service": [interval("00:00", "24:00")] });
    hours["exceptions"]["2026-07-02"] = json!({ "no_service": [interval("06:00", "09:30"), interval("09:00", "10:00")] });
    let calendar = make(desk, "Toronto", &hours);
    for mode in ["always", "business_hours", "when_open"] {
        for from in ["2026-06-30T12:00:00Z", "2026-06-30T19:59:59Z", "2026-06-27T23:59:59Z"] {
            for seconds in [1, 20, 3_600, 43_200, 86_400, 700_000] {
                add_up(&deadline(desk, &calendar, from, seconds, mode), from, seconds);
            }
        }
    }
    // Two hours before a day without service, and the rest after it: it was 20:00 in Toronto when they began.
    let over = deadline(desk, &calendar, "2026-07-01T02:00:00Z", 4 * 3600, "always");
    assert_eq!(over.json["due_at"], "2026-07-02T06:00:00Z");
    let lengths: Vec<_> =
        over.json["segments"].as_array().unwrap().iter().map(|segment| segment["seconds"].as_i64().unwrap()).collect();
    assert_eq!(lengths, [7_200, 86_400, 7_200]);

    let closed = deadline(desk, &calendar, "2026-06-28T16:00:00Z", 20, "when_open").json;
    assert_eq!(closed, json!({ "due_at": null, "promised": false, "segments": [], "segments_cut": false }));
    let closing = deadline(desk, &calendar, "2026-06-29T12:00:00Z", 43_200, "business_hours").json;
    assert_eq!(closing["due_at"], "2026-06-30T00:00:00Z", "used up at closing is due at closing");
    // More segments than are listed: the list is cut and says so.
    let long = deadline(desk, &calendar, "2026-06-29T12:00:00Z", 600 * 43_200, "business_hours").json;
    assert_eq!((long["segments"].as_array().unwrap().len(), &long["segments_cut"]), (1_000, &json!(true)));
}

fn the_start_and_the_budget_of_a_deadline_have_bounds(desk: &Desk) {
    let calendar = make(desk, "Toronto", &every_day("America/Toronto", "08:00", "20:00"));
    let path = format!("{CALENDARS}/{calendar}/deadline");
    let ask = |from: &str, seconds: i64| desk.agent().post(&path, json!({ "from": from, "seconds": seconds, "mode": "always" }));
    ask("2026-06-10T14:00:00Z", 315_360_000).ok();
    ask("9999-12-31T23:59:59Z", 315_360_000).ok();
    ask("1900-01-01T00:00:00Z", 1).ok();
    ask("2026-06-10T14:00:00Z", 0).refuses_field("seconds");
    ask("2026-06-10T14:00:00Z", 315_360_001).refuses_field("seconds");
    ask("2026-06-10", 1).refuses_field("from");
    ask("0001-01-01T00:00:00Z", 1).refuses_field("from");
    let exact = ask("2026-06-10T14:00:00.999999Z", 1);
    assert_eq!(exact.json["due_at"], "2026-06-10T14:00:01Z", "parts of a second are cut off");
}
