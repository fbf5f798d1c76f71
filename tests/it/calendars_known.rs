//! Known answers over the API: the vectors, and the holidays of 2012.
use crate::calendars::{CALENDARS, DAYS, add_up, deadline, every_day, interval, items, look, make, named, rfc3339};
use crate::support::desk::at;
use crate::support::{Desk, Test, sqlite, tests};
use chrono::TimeZone;
use chrono_tz::America::Toronto;
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![known_deadlines_sampled, the_holidays_of_2012, the_holidays_of_2012_on_tickets,];

/// Those whose answer does not depend on the database.
pub const ONCE: &[Test] = sqlite![known_deadlines];

const VECTORS: &str = include_str!("../vectors/calendar.jsonl");

/// One line of the vectors as the calendar that it means.
fn vector_hours(vector: &Value) -> Value {
    let day = |hours: &Value| -> Value {
        hours.as_object().into_iter().flatten().map(|(open, close)| interval(open, close.as_str().unwrap())).collect()
    };
    let weekly: serde_json::Map<_, _> = DAYS.iter().map(|name| ((*name).to_owned(), day(&vector["hours"][name]))).collect();
    let mut exceptions = serde_json::Map::new();
    for date in vector["holidays"].as_array().unwrap() {
        exceptions.insert(date.as_str().unwrap().to_owned(), json!({ "hours": [] }));
    }
    for (date, hours) in vector["overrides"].as_object().unwrap() {
        exceptions.insert(date.clone(), json!({ "hours": day(hours) }));
    }
    json!({ "time_zone": vector["time_zone"], "weekly": weekly, "exceptions": exceptions })
}

#[track_caller]
fn known_answer(desk: &Desk, calendar: &str, vector: &Value) {
    let definition = vector_hours(vector);
    desk.admin().put(&format!("{CALENDARS}/{calendar}"), named("Vector", &definition)).ok();
    let text = |name: &str| vector[name].as_str().unwrap();
    let (start, seconds) = (text("start"), vector["seconds"].as_i64().unwrap());
    let answer = deadline(desk, calendar, start, seconds, "business_hours");
    assert_eq!(answer.json["due_at"], vector["due"], "vector {}", vector["id"]);
    add_up(&answer, start, seconds);
    assert_eq!(look(desk, calendar, start).0, vector["open_at_start"], "vector {}", vector["id"]);
    // Open seconds up to `until`: that budget is used up by then, and one second more is not.
    let (until, open) = (at(text("until")), vector["business_seconds_until"].as_i64().unwrap());
    let due = |seconds: i64| at(deadline(desk, calendar, start, seconds, "business_hours").json["due_at"].as_str().unwrap());
    assert!(open == 0 || due(open) <= until, "vector {}", vector["id"]);
    assert!(due(open + 1) > until, "vector {}", vector["id"]);
}

fn vectors() -> Vec<Value> {
    let vectors: Vec<Value> = VECTORS.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(vectors.len(), 240);
    vectors
}

fn known_deadlines(desk: &Desk) {
    let calendar = make(desk, "Vector", &every_day("UTC", "00:00", "24:00"));
    vectors().iter().for_each(|vector| known_answer(desk, &calendar, vector));
}

fn known_deadlines_sampled(desk: &Desk) {
    let calendar = make(desk, "Vector", &every_day("UTC", "00:00", "24:00"));
    vectors().iter().step_by(12).for_each(|vector| known_answer(desk, &calendar, vector));
}

/// The hours of Reseller Support around the end of 2012 as published; with `no_service` nobody reads mail while it is closed.
fn reseller_support(no_service: bool) -> Value {
    let mut hours = every_day("America/Toronto", "08:00", "20:00");
    let stretch = |open: &str, close: &str| if no_service { json!([interval(open, close)]) } else { json!([]) };
    let short = json!({ "hours": [interval("08:00", "17:00")], "no_service": stretch("17:00", "24:00") });
    let closed = json!({ "hours": [], "no_service": stretch("00:00", "24:00") });
    let morning = json!({ "no_service": stretch("00:00", "08:00") });
    hours["exceptions"] = json!({
        "2012-12-24": short, "2012-12-25": closed, "2012-12-26": morning,
        "2012-12-31": short, "2013-01-01": closed, "2013-01-02": morning,
    });
    hours
}

fn closed_on(dates: &[&str]) -> Value {
    let mut hours = every_day("America/Toronto", "08:00", "20:00");
    for date in dates {
        hours["exceptions"][*date] = json!({ "hours": [] });
    }
    hours
}

/// A local time in Toronto, in UTC.
fn toronto(local: &str) -> String {
    let local: chrono::NaiveDateTime = local.parse().unwrap();
    rfc3339(Toronto.from_local_datetime(&local).unwrap().to_utc())
}

fn the_holidays_of_2012(desk: &Desk) {
    let marked = make(desk, "Reseller Support", &reseller_support(true));
    let unmarked = make(desk, "Reseller Support, mail is read", &reseller_support(false));
    let payments = closed_on(&["2012-12-25", "2012-12-26", "2013-01-01"]);
    let week = ["2012-12-25", "2012-12-26", "2012-12-27", "2012-12-28", "2012-12-29", "2012-12-30", "2012-12-31", "2013-01-01"];
    let compliance = make(desk, "Compliance", &closed_on(&week));
    let bureau = make(desk, "Service Bureau", &payments);
    let payments = make(desk, "Payments", &payments);
    let check = |calendar: &str, received: &str, seconds: i64, mode: &str, due: Option<&str>| {
        let answer = deadline(desk, calendar, &toronto(received), seconds, mode).json;
        assert_eq!(answer["due_at"], json!(due.map(toronto)), "{received}, {seconds} s {mode}");
        assert_eq!(answer["promised"], due.is_some());
    };
    let day = 86_400;
    check(&marked, "2012-12-24T16:59:50", 20, "when_open", Some("2012-12-24T17:00:10"));
    check(&marked, "2012-12-24T17:00:00", 20, "when_open", None);
    check(&marked, "2012-12-24T16:00:00", day, "always", Some("2012-12-27T07:00:00"));
    check(&unmarked, "2012-12-24T16:00:00", day, "always", Some("2012-12-25T16:00:00"));
    check(&marked, "2012-11-22T09:00:00", 20, "when_open", Some("2012-11-22T09:00:20"));

    // The first and the last second of each closure.
    for (received, due) in [
        ("2012-12-24T16:59:59", Some("2012-12-24T17:00:19")),
        ("2012-12-26T07:59:59", None),
        ("2012-12-26T08:00:00", Some("2012-12-26T08:00:20")),
        ("2012-12-31T17:00:00", None),
        ("2013-01-02T07:59:59", None),
        ("2013-01-02T08:00:00", Some("2013-01-02T08:00:20")),
        ("2012-12-27T19:59:50", Some("2012-12-27T20:00:10")),
    ] {
        check(&marked, received, 20, "when_open", due);
    }
    // The other departments keep other holidays; American Thanksgiving is a day like others in all of them.
    check(&compliance, "2012-12-24T19:30:00", 3_600, "business_hours", Some("2013-01-02T08:30:00"));
    for calendar in [&payments, &bureau] {
        check(calendar, "2012-12-24T19:30:00", 3_600, "business_hours", Some("2012-12-27T08:30:00"));
        check(calendar, "2012-12-31T19:30:00", 3_600, "business_hours", Some("2013-01-02T08:30:00"));
        check(calendar, "2012-12-27T12:00:00", 20, "when_open", Some("2012-12-27T12:00:20"));
    }
    for calendar in [&marked, &unmarked, &payments, &compliance, &bureau] {
        let (open, closes, _) = look(desk, calendar, &toronto("2012-11-22T09:00:00"));
        assert_eq!((open, closes), (true, Some(toronto("2012-11-22T20:00:00"))));
        assert!(!look(desk, calendar, &toronto("2012-12-25T12:00:00")).0);
        let (open, closes, _) = look(desk, calendar, &toronto("2013-01-02T08:00:00"));
        assert_eq!((open, closes), (true, Some(toronto("2013-01-02T20:00:00"))), "normal hours resume");
    }
}

fn the_holidays_of_2012_on_tickets(desk: &Desk) {
    let shipped = items(desk, CALENDARS)[0].clone();
    let path = format!("{CALENDARS}/{}", shipped["id"].as_str().unwrap());
    let keep = |definition: Value| {
        desk.admin().put(&path, json!({ "name": "Support hours", "is_default": true, "definition": definition })).ok();
    };
    let first = |channel: &str, received: &str| {
        let from =
            if channel == "phone" { json!({ "phone": "+14165550100" }) } else { json!({ "email": "ana@nordwind.example" }) };
        let ticket = json!({ "channel": channel, "subject": "Holiday", "from": from, "received_at": toronto(received) });
        let clock = desk.import().post("/api/v1/tickets", ticket).ok()["clocks"][0].clone();
        let due = clock["due_at"].as_str().map(str::to_owned);
        (due, clock["reason"].as_str().map(str::to_owned), clock["verdict"].as_str().unwrap().to_owned())
    };
    let due = |local: &str| (Some(toronto(local)), None, "breached".to_owned());
    keep(reseller_support(true));
    assert_eq!(first("phone", "2012-12-24T16:59:50"), due("2012-12-24T17:00:10"));
    assert_eq!(first("phone", "2012-12-24T17:00:00"), (None, Some("closed".to_owned()), "not_promised".to_owned()));
    assert_eq!(first("email", "2012-12-24T16:00:00"), due("2012-12-27T07:00:00"));
    assert_eq!(first("chat", "2012-11-22T09:00:00"), due("2012-11-22T09:00:20"));
    keep(reseller_support(false));
    assert_eq!(first("email", "2012-12-24T16:00:00"), due("2012-12-25T16:00:00"));
}
