//! Shifts: who is on duty by the plan, and which open hours nobody is.
use crate::promises_moved::{calendar, definition};
use crate::support::desk::at;
use crate::support::{Desk, Test, tests};
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_gap_inside_opening_hours_is_shown_when_a_shift_is_saved,
    a_team_has_hours_and_a_plan_of_its_own,
    a_shift_is_kept_like_all_that_managers_keep,
    what_cannot_be_is_refused,
];

const SHIFTS: &str = "/api/v1/shifts";

/// Every day of the week with these hours.
fn daily(open: &str, close: &str) -> Value {
    let day = json!([{ "open": open, "close": close }]);
    json!({ "mon": day, "tue": day, "wed": day, "thu": day, "fri": day, "sat": day, "sun": day })
}

fn shift(agent: &str, weekly: Value) -> Value {
    json!({ "agent_id": agent, "from_on": "2026-06-01", "weekly": weekly })
}

fn gaps(coverage: &Value) -> Vec<(&str, &str)> {
    let text = |gap: &'_ Value, key: &str| gap[key].as_str().unwrap().to_owned().leak() as &str;
    coverage["gaps"].as_array().unwrap().iter().map(|gap| (text(gap, "from"), text(gap, "to"))).collect()
}

/// The desk is open every day from 08:00 to 20:00 in Toronto, which is 12:00 to 24:00 UTC in June. It is 10:00 there on the 10th.
fn a_gap_inside_opening_hours_is_shown_when_a_shift_is_saved(desk: &Desk) {
    let (amir, olga) = (&desk.people.agent.id, &desk.people.other_agent.id);
    let whole = desk.agent().get(&format!("{SHIFTS}/gaps?to=2026-06-11T14:00:00Z")).ok();
    let without = [("2026-06-10T14:00:00Z", "2026-06-11T00:00:00Z"), ("2026-06-11T12:00:00Z", "2026-06-11T14:00:00Z")];
    assert_eq!((gaps(&whole), &whole["gap_seconds"]), (without.to_vec(), &json!(12 * 3600)));
    let early = desk.manager().post(SHIFTS, shift(amir, daily("07:00", "14:00")));
    early.is(201);
    let left = &early.json["coverage"];
    assert_eq!((&left["from"], &left["to"]), (&json!("2026-06-10T14:00:00Z"), &json!("2026-07-08T14:00:00Z")));
    assert_eq!((gaps(left).len(), gaps(left)[0]), (28, ("2026-06-10T18:00:00Z", "2026-06-11T00:00:00Z")));
    assert_eq!((&left["gap_seconds"], &left["gaps_cut"]), (&json!(28 * 6 * 3600), &json!(false)));
    let late = desk.manager().post(SHIFTS, shift(olga, daily("14:00", "20:00"))).ok();
    assert_eq!((gaps(&late["coverage"]), &late["coverage"]["gap_seconds"]), (Vec::new(), &json!(0)), "nothing is left open");
    // Who is on duty: at ten in the morning the one, at six in the evening the other.
    let on = |at: &str| desk.agent().get(&format!("{SHIFTS}/duty{at}")).ok();
    assert_eq!((&on("")[0]["agent_id"], on("").as_array().unwrap().len()), (&json!(amir), 1));
    let evening = on("?at=2026-06-10T22:00:00Z");
    assert_eq!((&evening[0]["agent_id"], &evening[0]["to"]), (&json!(olga), &json!("2026-06-11T00:00:00Z")));
    assert_eq!(on("?at=2026-06-10T02:00:00Z"), json!([]));
    // A shorter plan shows what it leaves.
    let late_path = format!("{SHIFTS}/{}", late["id"].as_str().unwrap());
    let mut shorter = shift(olga, daily("14:00", "19:00"));
    shorter["to_on"] = json!("2026-06-11");
    let shorter = desk.manager().put(&late_path, shorter).ok();
    let left = gaps(&shorter["coverage"]);
    assert_eq!(left[..2], [("2026-06-10T23:00:00Z", "2026-06-11T00:00:00Z"), ("2026-06-11T23:00:00Z", "2026-06-12T00:00:00Z")]);
    assert_eq!((left.len(), left[2]), (28, ("2026-06-12T18:00:00Z", "2026-06-13T00:00:00Z")), "after its last day");
    // Somebody who left the desk covers nothing.
    desk.admin().patch(&format!("/api/v1/agents/{amir}"), json!({ "disabled": true })).ok();
    let now = desk.manager().get(&format!("{SHIFTS}/gaps?to=2026-06-10T20:00:00Z")).ok();
    assert_eq!(gaps(&now), [("2026-06-10T14:00:00Z", "2026-06-10T18:00:00Z")]);
    let gone = desk.manager().delete(&late_path);
    assert_eq!(gaps(&gone.ok())[0], ("2026-06-10T14:00:00Z", "2026-06-11T00:00:00Z"), "what a shift leaves that is taken away");
}

fn a_team_has_hours_and_a_plan_of_its_own(desk: &Desk) {
    let holidays = json!({ "2026-06-11": { "name": "Founders' day", "hours": [] } });
    let hours = calendar(desk, "Payments", holidays.clone());
    assert_eq!(definition(holidays)["time_zone"], "America/Toronto");
    let team = json!({ "name": "Payments", "calendar_id": hours, "members": [desk.people.agent.id] });
    let team = desk.admin().post("/api/v1/teams", team).id();
    let mut mine = shift(&desk.people.agent.id, daily("08:00", "19:00"));
    mine["team_id"] = json!(team);
    let made = desk.manager().post(SHIFTS, &mine).ok();
    let left = gaps(&made["coverage"]);
    assert_eq!(left[0], ("2026-06-10T23:00:00Z", "2026-06-11T00:00:00Z"));
    assert_eq!(left[1], ("2026-06-12T23:00:00Z", "2026-06-13T00:00:00Z"), "no gap on its holiday");
    assert_eq!(made["coverage"]["team_id"], json!(team));
    // A shift of another team, or of the desk, does not cover this team; this one covers the desk.
    desk.manager().post(SHIFTS, shift(&desk.people.other_agent.id, daily("19:00", "20:00"))).is(201);
    let window = "from=2026-06-10T12:00:00Z&to=2026-06-11T00:00:00Z";
    let of = |query: &str| desk.agent().get(&format!("{SHIFTS}/gaps?{window}{query}")).ok();
    assert_eq!(gaps(&of(&format!("&team_id={team}"))).len(), 1);
    assert_eq!(gaps(&of("")), Vec::new());
    // A shift that begins later is looked at from then on.
    let mut later = mine.clone();
    later["from_on"] = json!("2026-09-07");
    let later = desk.manager().post(SHIFTS, &later).ok();
    assert_eq!(at(later["coverage"]["from"].as_str().unwrap()), at("2026-09-07T00:00:00Z"));
}

fn a_shift_is_kept_like_all_that_managers_keep(desk: &Desk) {
    let keyed = desk.manager().with("Idempotency-Key", "shift-1");
    let mut wanted = shift(&desk.people.agent.id, daily("08:00", "20:00"));
    wanted["note"] = json!("early");
    let made = keyed.post(SHIFTS, &wanted).ok();
    assert_eq!(keyed.post(SHIFTS, &wanted).ok(), made, "once");
    let path = format!("{SHIFTS}/{}", made["id"].as_str().unwrap());
    let seen = desk.agent().get(&path).ok();
    assert_eq!(
        (&seen["note"], &seen["coverage"], &seen["weekly"]["mon"]),
        (&json!("early"), &Value::Null, &wanted["weekly"]["mon"])
    );
    wanted["note"] = Value::Null;
    let first = desk.manager().with("If-Match", "\"1\"");
    assert_eq!(first.put(&path, &wanted).ok()["version"], 2);
    first.put(&path, &wanted).refused(412, "stale_version");
    first.delete(&path).refused(412, "stale_version");
    assert_eq!(desk.agent().get(SHIFTS).ok()["items"].as_array().unwrap().len(), 1);
    assert_eq!(desk.agent().get(&format!("{SHIFTS}?agent_id={}", desk.people.manager.id)).ok()["items"], json!([]));
    for wrong in [desk.agent().post(SHIFTS, &wanted), desk.agent().put(&path, &wanted), desk.agent().delete(&path)] {
        wrong.refused(403, "missing_right");
    }
    desk.manager().with("If-Match", "\"2\"").delete(&path).ok();
    desk.agent().get(&path).refused(404, "not_found");
    let audit = desk.admin().get("/api/v1/audit?object=shift").ok();
    let kinds: Vec<&str> = audit["items"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["removed", "changed", "created"]);
}

fn what_cannot_be_is_refused(desk: &Desk) {
    let good = shift(&desk.people.agent.id, daily("08:00", "20:00"));
    let nobody = "00000000-0000-7000-8000-000000000000";
    for (change, field, code) in [
        (json!({ "agent_id": nobody }), "agent_id", "unknown_agent"),
        (json!({ "team_id": nobody }), "team_id", "unknown_team"),
        (json!({ "to_on": "2026-05-31" }), "to_on", "order"),
        (json!({ "weekly": {} }), "weekly", "empty"),
        (json!({ "weekly": { "mon": [{ "open": "8", "close": "9" }] } }), "weekly.mon[0]", "time"),
        (json!({ "note": "" }), "note", "length"),
        (json!({ "who": 1 }), "who", "unknown_field"),
    ] {
        let mut wrong = good.clone();
        wrong.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        assert_eq!(desk.manager().post(SHIFTS, &wrong).refuses_field(field), code, "{change}");
    }
    for (query, field) in [
        ("gaps?from=2026-06-10T00:00:00Z&to=2026-06-10T00:00:00Z", "to"),
        ("gaps?to=2027-06-10T00:00:00Z", "to"),
        ("gaps?from=1969-06-10T00:00:00Z", "from"),
        ("duty?at=9999-06-10T00:00:00Z", "at"),
        (&format!("gaps?team_id={nobody}"), "team_id"),
    ] {
        desk.manager().get(&format!("{SHIFTS}/{query}")).refuses_field(field);
    }
    assert_eq!(desk.agent().get(SHIFTS).ok()["items"], json!([]), "nothing was written");
    desk.manager().get(&format!("{SHIFTS}/{nobody}")).refused(404, "not_found");
    desk.manager().put(&format!("{SHIFTS}/{nobody}"), &good).refused(404, "not_found");
    desk.manager().delete(&format!("{SHIFTS}/{nobody}")).refused(404, "not_found");
}
