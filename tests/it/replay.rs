//! Rebuilding every stored clock from events alone.
use crate::support::Desk;
use chrono::{DateTime, Utc};
use deskbell::calendar::hours::{Hours, Mode};
use deskbell::calendar::wire::Definition;
use deskbell::db::Conn;
use deskbell::db::schema::{calendar_versions, events};
use deskbell::db::types::{Json, Named, Time};
use deskbell::ids::{CalendarId, TicketId};
use deskbell::sla;
use deskbell::sla::clock::{Clock, Fact, Promise, Standing};
use deskbell::sla::rematch::LaidAnew;
use deskbell::sla::wire::ModeName;
use deskbell::timeline::Kind;
use diesel::prelude::*;
use serde_json::Value;
use std::collections::HashMap;

fn hours(conn: &mut Conn, started: &Value) -> Hours {
    let id: CalendarId = started["calendar_id"].as_str().unwrap().parse().unwrap();
    let version = started["calendar_version"].as_i64().unwrap() as i32;
    let definition: Json =
        calendar_versions::table.find((id, version)).select(calendar_versions::definition).first(conn).unwrap();
    definition.to::<Definition>().unwrap().hours().unwrap()
}

fn promise(said: &Value) -> Promise {
    let mode: ModeName = said["mode"].as_str().unwrap().parse().unwrap();
    let mode: Mode = mode.mode();
    let number = |name: &str| said[name].as_i64().unwrap();
    Promise { mode, target_seconds: number("target_seconds"), warn_percent: number("warn_percent") as i32 }
}

fn start(started: &Value, hours: &Hours) -> Clock {
    let promise = promise(started);
    let at = started["started_at"].as_str().unwrap().parse().unwrap();
    let standing: Standing = started["standing"].as_str().unwrap().parse().unwrap();
    if standing == Standing::NotMeasured { Clock::not_measured(promise, at) } else { Clock::start(promise, hours, at) }
}

/// The clock that a correction tells of, worked out from its instants.
fn corrected(data: &Value, promise: Promise, hours: &Hours) -> Clock {
    let at = |name: &str| data[name].as_str().map(|text| text.parse::<DateTime<Utc>>().unwrap());
    let started_at = at("started_at").unwrap();
    let reason = data["reason"].as_str().map(str::to_owned);
    let standing: Standing = data["standing"].as_str().unwrap().parse().unwrap();
    let mut clock = match (standing, reason.as_deref()) {
        (Standing::NotPromised, Some(reason)) if reason != "closed" => Clock::withdrawn(promise, started_at, reason),
        (Standing::NotMeasured, _) => Clock { reason, ..Clock::not_measured(promise, started_at) },
        _ => Clock::start(promise, hours, started_at),
    };
    if let Some(reached_at) = at("reached_at") {
        clock.fallen_due(reached_at).into_iter().for_each(|fact| clock.mark(fact));
        clock.apply(Fact::Reached(reached_at), hours);
    } else {
        // A reply that was taken back had come after them.
        let before = [at("warned_at").map(Fact::Warned), at("breached_at").map(Fact::Breached)];
        before.into_iter().flatten().for_each(|fact| clock.mark(fact));
    }
    assert_eq!(clock.standing, standing);
    clock
}

/// Folds all events and compares every clock with its row; says how many there were.
pub fn of(conn: &mut Conn) -> usize {
    let rows: Vec<(Option<TicketId>, Named<Kind>, Time, Json)> =
        events::table.order(events::id).select((events::ticket_id, events::kind, events::at, events::data)).load(conn).unwrap();
    let mut clocks: HashMap<String, (TicketId, Clock, Hours, Vec<Fact>)> = HashMap::new();
    for (ticket, kind, at, Json(data)) in rows {
        let Some(id) = data["clock_id"].as_str().map(str::to_owned) else { continue };
        if kind.0 == Kind::ClockStarted {
            let hours = hours(conn, &data);
            clocks.insert(id, (ticket.unwrap(), start(&data, &hours), hours, Vec::new()));
            continue;
        }
        let (_, clock, frozen, pauses) = clocks.get_mut(&id).unwrap();
        if kind.0 == Kind::ClockMoved {
            let hours = hours(conn, &data);
            let moved = match data["how"].as_str().unwrap().parse().unwrap() {
                LaidAnew::FromStart => clock.retargeted(promise(&data), &hours, pauses, at.0).map(|(clock, _)| clock),
                LaidAnew::FromReceipt => {
                    clock.started_at = data["started_at"].as_str().unwrap().parse().unwrap();
                    clock.retargeted(promise(&data), &hours, pauses, at.0).map(|(clock, _)| clock)
                }
                LaidAnew::Remaining => clock.relaid(at.0, frozen, &hours),
            };
            (*clock, *frozen) = (moved.unwrap(), hours);
            continue;
        }
        if kind.0 == Kind::ClockCorrected {
            *clock = corrected(&data, clock.promise, frozen);
            continue;
        }
        let fact = match kind.0 {
            Kind::ClockPaused => Fact::Paused(at.0),
            Kind::ClockResumed => Fact::Resumed(at.0),
            Kind::ClockReached => Fact::Reached(at.0),
            Kind::ClockWarned => Fact::Warned(at.0),
            Kind::ClockBreached => Fact::Breached(at.0),
            other => panic!("{other} names a clock"),
        };
        if matches!(fact, Fact::Paused(_) | Fact::Resumed(_)) {
            pauses.push(fact);
        }
        clock.apply(fact, frozen);
    }
    for (id, (ticket, clock, ..)) in &clocks {
        let rows = sla::of_ticket(conn, *ticket).unwrap();
        let row = rows.iter().find(|row| row.id.to_string() == *id).unwrap();
        assert_eq!(row.clock(), *clock, "clock {id} of ticket {ticket}");
        assert_eq!(row.alarm_at.map(|at| at.0), clock.alarm_at(), "the alarm's cache of clock {id}");
    }
    clocks.len()
}

/// The same for a desk under test.
pub fn all(desk: &Desk) -> usize {
    of(&mut Conn::open(desk.app().db.url()).unwrap())
}
