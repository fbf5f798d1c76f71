//! That nobody is there is an alert like the others: of the desk, and of each team with hours and members of its own.
use crate::support::client::Client;
use crate::support::desk::at;
use crate::support::sse::Listening;
use crate::support::{Desk, Test, tests};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    the_alarm_of_the_desk_is_an_alert_and_is_acknowledged_there,
    a_team_with_hours_of_its_own_has_an_alarm_of_its_own,
    alerts_of_both_kinds_are_one_list,
];

const ALERTS: &str = "/api/v1/alerts";

#[track_caller]
fn say(client: &Client, state: &str) {
    client.put("/api/v1/presence", json!({ "state": state })).ok();
}

#[track_caller]
fn listed(desk: &Desk, query: &str) -> Vec<Value> {
    desk.manager().get(&format!("{ALERTS}?{query}")).ok()["items"].as_array().unwrap().clone()
}

fn acknowledgement(alert: &Value) -> String {
    format!("{ALERTS}/{}/acknowledgement", alert["id"].as_str().unwrap())
}

fn the_alarm_of_the_desk_is_an_alert_and_is_acknowledged_there(desk: &Desk) {
    let _line = Listening::to(desk, &desk.people.agent.secret, "?topic=calls");
    let alerts = Listening::to(desk, &desk.people.manager.secret, "?topic=alerts");
    say(&desk.agent(), "available");
    desk.settle();
    assert_eq!(listed(desk, ""), [] as [Value; 0]);
    say(&desk.agent(), "away");
    desk.settle();
    let told = alerts.of_kind("staffing_alarm");
    let open = listed(desk, "");
    assert_eq!(open.len(), 1, "{open:?}");
    let alert = &open[0];
    assert_eq!((&alert["about"], &alert["team_id"], &alert["ticket_id"]), (&json!("staffing"), &Value::Null, &Value::Null));
    assert_eq!(
        (&alert["raised_at"], &alert["step"], &alert["next_at"]),
        (&json!("2026-06-10T14:00:00Z"), &json!(1), &json!("2026-06-10T14:01:00Z"))
    );
    assert_eq!((&told["data"]["alert_id"], &told["data"]["team_id"]), (&alert["id"], &Value::Null));
    assert_eq!(desk.manager().get("/api/v1/presence/alarm").ok()["id"], alert["id"]);
    for (query, count) in [
        ("about=staffing", 1),
        ("about=promise", 0),
        ("acknowledged=false", 1),
        ("acknowledged=true", 0),
        ("open=false", 0),
        ("level=breach", 0),
        ("priority=normal", 0),
        ("metric=pickup", 0),
    ] {
        assert_eq!(listed(desk, query).len(), count, "{query}");
    }
    desk.advance(TimeDelta::minutes(1));
    assert_eq!(listed(desk, "")[0]["step"], 2, "told again");
    let seen = desk.manager().post(&acknowledgement(alert), json!({})).ok();
    assert_eq!((&seen["acknowledged_by"], &seen["next_at"]), (&json!(desk.people.manager.id), &Value::Null));
    desk.manager().post(&acknowledgement(alert), json!({})).refused(409, "already_acknowledged");
    alerts.of_kind("staffing_acknowledged");
    desk.advance(TimeDelta::minutes(5));
    assert_eq!(listed(desk, "acknowledged=true")[0]["step"], 2, "not told again");
    say(&desk.agent(), "available");
    desk.settle();
    alerts.of_kind("staffing_restored");
    assert_eq!(listed(desk, ""), [] as [Value; 0]);
    assert_eq!(listed(desk, "open=false")[0]["ended_at"], "2026-06-10T14:06:00Z");
    desk.manager().post(&acknowledgement(alert), json!({})).refused(409, "alert_ended");
    desk.manager().post(&format!("{ALERTS}/0198f3c2-0000-7000-8000-000000000000/acknowledgement"), json!({})).is(404);
    // The next one is a new one.
    say(&desk.agent(), "away");
    desk.settle();
    assert_ne!(listed(desk, "")[0]["id"], alert["id"]);
}

/// A calendar that is open from one hour to another, every day, in UTC.
#[track_caller]
fn hours(desk: &Desk, name: &str, open: &str, close: &str) -> String {
    let day = json!([{ "open": open, "close": close }]);
    let week: serde_json::Map<String, Value> =
        ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].iter().map(|name| ((*name).to_owned(), day.clone())).collect();
    let calendar = json!({ "name": name, "definition": { "time_zone": "UTC", "weekly": week } });
    desk.admin().post("/api/v1/calendars", calendar).id()
}

fn a_team_with_hours_of_its_own_has_an_alarm_of_its_own(desk: &Desk) {
    let agent = &desk.people.agent.id;
    let afternoon = hours(desk, "Afternoon", "14:10", "18:00");
    let team = json!({ "name": "Pay <ments>", "calendar_id": afternoon, "members": [agent] });
    let team = desk.admin().post("/api/v1/teams", team).id();
    // Neither hours of its own nor members: nobody has to be there.
    desk.admin().post("/api/v1/teams", json!({ "name": "Compliance", "members": [agent] })).ok();
    desk.admin().post("/api/v1/teams", json!({ "name": "Empty", "calendar_id": afternoon })).ok();
    let _lines = [&desk.people.agent, &desk.people.other_agent].map(|person| Listening::to(desk, &person.secret, "?topic=calls"));
    say(&desk.other_agent(), "available");
    desk.advance(TimeDelta::minutes(10) - TimeDelta::seconds(1));
    assert_eq!(listed(desk, ""), [] as [Value; 0], "the team is closed, and somebody is at the desk");
    desk.set_time(at("2026-06-10T14:10:00Z"));
    let open = listed(desk, "");
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!((&open[0]["team_id"], &open[0]["raised_at"]), (&json!(team), &json!("2026-06-10T14:10:00Z")));
    assert_eq!(listed(desk, &format!("team_id={team}")), open);
    assert_eq!(desk.manager().get("/api/v1/presence/alarm").ok()["raised_at"], Value::Null, "not the desk's");
    let letter = desk.mail_to("mary.manager@desk.test");
    assert_eq!(letter.subject, "Nobody of Pay <ments> is available");
    assert!(letter.text.contains("Pay <ments> is open, and since 10 June 2026, 14:10:00 UTC"), "{}", letter.text);
    // One of the team comes, the other goes: the desk's alarm does not ring, and the team's is over.
    say(&desk.agent(), "available");
    say(&desk.other_agent(), "away");
    desk.settle();
    assert_eq!(listed(desk, ""), [] as [Value; 0]);
    // Nobody at all: both ring, in one letter.
    say(&desk.agent(), "away");
    desk.settle();
    assert_eq!(listed(desk, "").len(), 2);
    let letters = desk.mails_to("mary.manager@desk.test");
    assert_eq!(letters.len(), 2, "one about both");
    assert!(
        letters[1].text.contains("The desk is open") && letters[1].text.contains("Pay <ments> is open"),
        "{}",
        letters[1].text
    );
    desk.manager().post(&acknowledgement(&listed(desk, &format!("team_id={team}"))[0]), json!({})).ok();
    desk.advance(TimeDelta::minutes(1));
    let steps: Vec<i64> = listed(desk, "").iter().map(|one| one["step"].as_i64().unwrap()).collect();
    assert_eq!(steps.iter().sum::<i64>(), 3, "only the other is told again: {steps:?}");
    // A team that nobody is in any more is watched no longer.
    desk.admin().patch(&format!("/api/v1/teams/{team}"), json!({ "members": [] })).ok();
    desk.settle();
    assert_eq!(listed(desk, "").iter().map(|one| one["team_id"].clone()).collect::<Vec<_>>(), [Value::Null]);
}

fn alerts_of_both_kinds_are_one_list(desk: &Desk) {
    let _line = Listening::to(desk, &desk.people.agent.secret, "?topic=calls");
    say(&desk.agent(), "available");
    // A call that nobody picks up, then nobody at the desk, then one more.
    crate::support::given::call(desk, "+493023125000", "2026-06-10T14:00:00Z");
    desk.advance(TimeDelta::seconds(30));
    say(&desk.agent(), "away");
    desk.advance(TimeDelta::seconds(30));
    crate::support::given::call(desk, "+493023125001", "2026-06-10T14:01:00Z");
    desk.advance(TimeDelta::seconds(30));
    let all = listed(desk, "");
    let kinds: Vec<&Value> = all.iter().map(|one| &one["about"]).collect();
    assert_eq!(kinds, [&json!("promise"), &json!("staffing"), &json!("promise")]);
    // Page by page it is the same.
    let mut paged = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = desk.manager().get(&format!("{ALERTS}?limit=1{cursor}")).ok();
        paged.extend(page["items"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, all);
}
