//! Policies over HTTP.
use crate::calendars::items;
use crate::support::{Desk, Test, given, tests};
use deskbell::ids::TicketId;
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_policy_is_made_read_replaced_and_removed,
    a_policy_that_is_wrong_is_refused_by_its_fields,
    a_policy_under_which_a_promise_ran_stays,
    policies_are_listed_in_the_order_in_which_they_are_asked,
];

pub const POLICIES: &str = "/api/v1/policies";

fn web_policy(name: &str, position: i32) -> Value {
    json!({
        "name": name,
        "position": position,
        "definition": {
            "match": { "channels": ["web"] },
            "targets": [
                { "metric": "first_response", "seconds": 3600, "mode": "business_hours" },
                { "metric": "resolution", "seconds": 28_800, "mode": "business_hours", "warn_percent": 0 },
            ],
        },
    })
}

fn a_policy_is_made_read_replaced_and_removed(desk: &Desk) {
    let admin = desk.admin();
    let made = admin.post(POLICIES, web_policy("Web", 5));
    made.is(201);
    let path = format!("{POLICIES}/{}", made.id());
    assert_eq!((made.header("location"), made.etag().as_str()), (Some(path.as_str()), "\"1\""));
    assert_eq!(desk.agent().get(&path).ok(), made.json);
    let warn = |index: usize| made.json["definition"]["targets"][index]["warn_percent"].clone();
    assert_eq!(
        (warn(0), warn(1), &made.json["is_active"]),
        (json!(75), json!(0), &json!(true)),
        "what is left out is as shipped"
    );

    let mut other = web_policy("Web, off", 6);
    other["is_active"] = json!(false);
    let replaced = admin.with("If-Match", "\"1\"").put(&path, &other);
    assert_eq!((&replaced.ok()["name"], &replaced.json["position"]), (&json!("Web, off"), &json!(6)));
    assert_eq!((&replaced.json["is_active"], replaced.etag().as_str()), (&json!(false), "\"2\""));
    let ticket = json!({ "channel": "web", "subject": "Form", "from": { "email": "ana@nordwind.example" } });
    assert_eq!(desk.agent().post("/api/v1/tickets", ticket).ok()["clocks"], json!([]), "what is inactive promises nothing");

    admin.with("If-Match", "\"1\"").put(&path, web_policy("Web, stale", 7)).refused(412, "stale_version");
    admin.with("If-Match", "\"1\"").delete(&path).refused(412, "stale_version");
    assert_eq!(desk.agent().get(&path).ok(), replaced.json, "nothing was lost");
    admin.with("If-Match", "\"2\"").delete(&path).is(204);
    desk.agent().get(&path).refused(404, "not_found");
    admin.delete(&path).refused(404, "not_found");
    admin.put(&path, web_policy("Web", 5)).refused(404, "not_found");
    admin.post(POLICIES, web_policy("Web, off", 5)).is(201);
}

fn a_policy_that_is_wrong_is_refused_by_its_fields(desk: &Desk) {
    let admin = desk.admin();
    let path = format!("{POLICIES}/{}", admin.post(POLICIES, web_policy("Web", 5)).id());
    let before = items(desk, POLICIES);
    let refuse = |pointer: &str, value: Value, field: &str, code: &str| {
        let mut wrong = web_policy("Wrong", 5);
        *wrong.pointer_mut(pointer).unwrap() = value;
        assert_eq!(admin.post(POLICIES, &wrong).refuses_field(field), code, "{wrong}");
        assert_eq!(admin.put(&path, &wrong).refuses_field(field), code, "{wrong}");
    };
    refuse("/definition/targets/1/metric", json!("first_response"), "definition.targets[1].metric", "repeated");
    refuse("/definition/targets/0/metric", json!("speed"), "definition.targets[0].metric", "unknown_name");
    refuse("/definition/targets/0/mode", json!("sometimes"), "definition.targets[0].mode", "unknown_name");
    refuse("/definition/targets/0/seconds", json!(0), "definition.targets[0].seconds", "range");
    refuse("/definition/targets/0/seconds", json!(31_536_001), "definition.targets[0].seconds", "range");
    refuse("/definition/targets/1/warn_percent", json!(100), "definition.targets[1].warn_percent", "range");
    refuse("/definition/targets", json!([]), "definition.targets", "length");
    refuse("/definition/match", json!({ "channels": ["fax"] }), "definition.match.channels[0]", "unknown_name");
    refuse("/definition/match", json!({ "channel": ["web"] }), "definition.match.channel", "unknown_field");
    refuse("/position", json!(-1), "position", "range");
    refuse("/name", json!(""), "name", "length");
    let mut wrong = web_policy("Wrong", 5);
    wrong["definition"]["calendar_id"] = json!(TicketId::new());
    assert_eq!(admin.post(POLICIES, &wrong).refuses_field("definition.calendar_id"), "unknown_calendar");
    assert_eq!(admin.put(&path, &wrong).refuses_field("definition.calendar_id"), "unknown_calendar");
    admin.post(POLICIES, web_policy("Web", 5)).refused(409, "name_taken");
    admin.put(&path, web_policy("Email: an answer within 24 hours", 5)).refused(409, "name_taken");
    assert_eq!(items(desk, POLICIES), before, "nothing was written");
}

fn a_policy_under_which_a_promise_ran_stays(desk: &Desk) {
    let ticket = given::email_ticket(desk, "ana@nordwind.example");
    let policy = ticket["clocks"][0]["policy_id"].as_str().unwrap();
    let path = format!("{POLICIES}/{policy}");
    desk.admin().delete(&path).refused(409, "in_use");
    let mut policy = desk.admin().get(&path).ok();
    let off =
        json!({ "name": policy["name"].take(), "position": 30, "is_active": false, "definition": policy["definition"].take() });
    desk.admin().put(&path, off).ok();
    assert_eq!(given::email_ticket(desk, "ben@nordwind.example")["clocks"], json!([]));
    let running = desk.agent().get(&format!("/api/v1/tickets/{}", ticket["id"].as_str().unwrap())).ok();
    assert_eq!(running["clocks"], ticket["clocks"], "what runs keeps its version");
}

fn policies_are_listed_in_the_order_in_which_they_are_asked(desk: &Desk) {
    for (name, position) in [("Fourth", 40), ("First", 0), ("Second", 10), ("Third", 10)] {
        desk.admin().post(POLICIES, web_policy(name, position)).is(201);
    }
    let (mut names, mut path) = (Vec::new(), Some(format!("{POLICIES}?limit=2")));
    while let Some(asked) = path {
        let page = desk.agent().get(&asked).ok();
        names.extend(page["items"].as_array().unwrap().iter().map(|policy| policy["name"].as_str().unwrap().to_owned()));
        path = page["next_cursor"].as_str().map(|cursor| format!("{POLICIES}?limit=2&cursor={cursor}"));
    }
    let shipped = ["Phone: a person within 20 seconds", "Chat: a person within 20 seconds", "Email: an answer within 24 hours"];
    assert_eq!(names, ["First", shipped[0], "Second", "Third", shipped[1], shipped[2], "Fourth"]);
    let ticket = json!({ "channel": "web", "subject": "Form", "from": { "email": "ana@nordwind.example" } });
    let asked = desk.agent().post("/api/v1/tickets", ticket).ok()["clocks"][0]["policy_id"].clone();
    assert_eq!(asked, items(desk, POLICIES)[0]["id"], "the first that matches holds");
}
