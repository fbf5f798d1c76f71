//! How much of the time that agents were available they talked.
use crate::support::desk::at;
use crate::support::{Desk, Test, tests};
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![occupancy_is_talk_of_the_time_that_agents_were_available];

fn occupancy_is_talk_of_the_time_that_agents_were_available(desk: &Desk) {
    let amir = desk.people.agent.id.as_str();
    let team = json!({ "name": "Front", "members": [amir] });
    let front = desk.admin().post("/api/v1/teams", team).id();
    let says = |client: &crate::support::client::Client, when: &str, state: &str| {
        desk.only_set_clock(at(&format!("2026-06-10T{when}Z")));
        client.put("/api/v1/presence", json!({ "state": state })).ok();
    };
    says(&desk.agent(), "14:00:00", "available");
    says(&desk.other_agent(), "14:15:00", "available");
    says(&desk.agent(), "14:30:00", "away");
    says(&desk.agent(), "14:40:00", "available");
    says(&desk.agent(), "14:50:00", "available");
    desk.only_set_clock(at("2026-06-10T15:00:00Z"));
    for (event, when, agent) in [("ringing", "14:00:00", None), ("answered", "14:00:20", Some(amir)), ("ended", "14:05:00", None)]
    {
        let body = json!({
            "call_id": "c1", "event": event, "occurred_at": format!("2026-06-10T{when}Z"), "from": "+14165550177", "queue": "Front", "agent": agent,
        });
        desk.channel().post("/api/v1/calls/events", body).ok();
    }
    let get =
        |query: &str| desk.manager().get(&format!("/api/v1/reports/calls?from=2026-06-10&to=2026-06-11&tz=UTC{query}")).ok();
    let share = |figures: &Value| {
        (
            figures["occupancy"]["numerator"].clone(),
            figures["occupancy"]["denominator"].clone(),
            figures["occupancy"]["percent"].clone(),
        )
    };
    let whole = get("");
    assert_eq!(share(&whole["total"]), (json!(280), json!(5700), json!(4.9)), "{whole}");
    assert_eq!((&whole["total"]["available_seconds"], &whole["total"]["talk_seconds"]), (&json!(5700), &json!(280)));
    let group = |report: &Value, id: &str| {
        let found = report["groups"].as_array().unwrap().iter().find(|group| group["key"]["id"] == id);
        share(&found.unwrap_or_else(|| panic!("{id} in {report}"))["figures"])
    };
    let by_agent = get("&group_by=agent");
    assert_eq!(group(&by_agent, amir), (json!(280), json!(3000), json!(9.3)));
    assert_eq!(group(&by_agent, &desk.people.other_agent.id), (json!(0), json!(2700), json!(0.0)));
    let by_team = get("&group_by=team");
    assert_eq!(group(&by_team, &front), (json!(280), json!(3000), json!(9.3)));
    assert_eq!(get(&format!("&team_id={front}"))["total"]["available_seconds"], 3000);
    assert_eq!(get(&format!("&agent_id={amir}"))["total"]["available_seconds"], 3000);
    let halves = get("&group_by=30min");
    let available: Vec<i64> = halves["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["figures"]["available_seconds"].as_i64().unwrap())
        .collect();
    assert_eq!((available.iter().sum::<i64>(), &available[28..30]), (5700, &[2700, 3000][..]), "shared out without a rest");
    // Nobody holds a stream: both are lost, and from then on no time is counted.
    desk.settle();
    desk.set_time(at("2026-06-10T17:00:00Z"));
    assert_eq!(share(&get("")["total"]), (json!(280), json!(5700), json!(4.9)));
    let board = desk.agent().get("/api/v1/wallboard").ok();
    assert_eq!(board["today"]["available_seconds"], 5700, "{board}");
    let csv = desk.manager().get("/api/v1/reports/calls?from=2026-06-10&to=2026-06-11&format=csv").is(200).text.clone();
    assert!(
        csv.lines().next().unwrap().ends_with("available_seconds,occupancy_percent") && csv.contains(",280,5700,4.9"),
        "{csv}"
    );
    for (group_by, said) in
        [("", "All: 0.0 % (0 of 1)"), ("&group_by=team", "Front: 0.0 % (0 of 1)"), ("&group_by=hour", "Service level")]
    {
        let chart =
            desk.manager().get(&format!("/api/v1/reports/calls.svg?from=2026-06-10&to=2026-06-11&within_seconds=10{group_by}"));
        chart.is(200);
        assert!(chart.text.contains("Calls answered within 10 s") && chart.text.contains(said), "{group_by}: {}", chart.text);
    }
    assert_eq!(desk.manager().get("/api/v1/reports/calls.svg?format=csv").refuses_field("format"), "unwanted");
    assert!(
        desk.manager()
            .get("/api/v1/reports/calls.svg?from=2026-07-01&to=2026-07-02")
            .is(200)
            .text
            .contains("There are no figures")
    );
    desk.manager().get("/api/v1/reports/calls?from=2026-07-01&to=2026-07-02").ok();
}
