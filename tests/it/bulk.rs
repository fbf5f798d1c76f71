//! Changing many tickets at once: each has a result of its own.
use crate::support::given::{email_ticket, path};
use crate::support::{Desk, Test, tests};
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] =
    tests![each_ticket_has_its_own_action_and_result, a_refusal_leaves_the_others, what_is_no_bulk_is_refused, a_hundred_at_once];

fn item(ticket: &Value, action: Value) -> Value {
    json!({ "ticket_id": ticket["id"], "action": action })
}

fn each_ticket_has_its_own_action_and_result(desk: &Desk) {
    let team = desk.admin().post("/api/v1/teams", json!({ "name": "Payments" })).id();
    let tickets: [Value; 6] = std::array::from_fn(|_| email_ticket(desk, "ana@nordwind.example"));
    desk.agent().patch(&path(&tickets[4], ""), json!({ "tags": ["a", "b"] })).ok();
    let items = [
        item(&tickets[0], json!({ "assign": { "agent_id": desk.people.agent.id } })),
        item(&tickets[1], json!({ "team": { "team_id": team } })),
        item(&tickets[2], json!({ "priority": "high" })),
        item(&tickets[3], json!({ "status": "pending" })),
        item(&tickets[4], json!({ "add_tags": ["c", "a"] })),
        item(&tickets[4], json!({ "remove_tags": ["b"] })),
        item(&tickets[5], json!({ "close": {} })),
    ];
    let key = desk.agent().with("Idempotency-Key", "bulk-1");
    let done = key.post("/api/v1/tickets/bulk", json!({ "items": items })).ok();
    assert_eq!((done["done"].as_u64(), done["refused"].as_u64()), (Some(7), Some(0)), "{done}");
    let versions: Vec<i64> = done["results"].as_array().unwrap().iter().filter_map(|result| result["version"].as_i64()).collect();
    assert_eq!(versions, [2, 2, 2, 2, 3, 4, 2]);
    assert_eq!(key.post("/api/v1/tickets/bulk", json!({ "items": items })).ok(), done, "a retry does nothing twice");
    let now: Vec<Value> = tickets.iter().map(|ticket| desk.agent().get(&path(ticket, "")).ok()).collect();
    assert_eq!(now[0]["assignee_id"], json!(desk.people.agent.id));
    assert_eq!(now[1]["team_id"], json!(team));
    assert_eq!((&now[2]["priority"], &now[3]["status"]), (&json!("high"), &json!("pending")));
    assert_eq!((&now[4]["tags"], &now[5]["status"]), (&json!(["a", "c"]), &json!("closed")));
    assert_eq!(now[5]["surveys"][0]["outcome"], "waiting");
    crate::replay::all(desk);
}

fn a_refusal_leaves_the_others(desk: &Desk) {
    let tickets: [Value; 4] = std::array::from_fn(|_| email_ticket(desk, "ana@nordwind.example"));
    desk.agent().post(&path(&tickets[1], "/closure"), json!({})).ok();
    let stale = json!({ "ticket_id": tickets[2]["id"], "version": 7, "action": { "priority": "low" } });
    let items = [
        item(&tickets[0], json!({ "priority": "high" })),
        item(&tickets[1], json!({ "priority": "high" })),
        stale,
        item(&json!({ "id": desk.people.agent.id }), json!({ "close": {} })),
        item(&tickets[2], json!({ "assign": { "agent_id": tickets[0]["id"] } })),
        item(&tickets[3], json!({ "status": "closed" })),
        json!({ "ticket_id": tickets[3]["id"], "version": 1, "action": { "close": {} } }),
    ];
    let answer = desk.agent().post("/api/v1/tickets/bulk", json!({ "items": items })).ok();
    let results: Vec<(u64, &str)> = answer["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| (result["problem"]["status"].as_u64().unwrap_or(200), result["problem"]["code"].as_str().unwrap_or("ok")))
        .collect();
    let expected = [
        (200, "ok"),
        (409, "ticket_closed"),
        (412, "stale_version"),
        (404, "not_found"),
        (422, "invalid_input"),
        (409, "close_by_closure"),
        (200, "ok"),
    ];
    assert_eq!(results, expected);
    assert_eq!((answer["done"].as_u64(), answer["refused"].as_u64()), (Some(2), Some(5)));
    assert_eq!(answer["results"][4]["problem"]["errors"][0]["field"], "agent_id");
    let get = |ticket: &Value| desk.agent().get(&path(ticket, "")).ok();
    assert_eq!((&get(&tickets[0])["priority"], &get(&tickets[1])["priority"]), (&json!("high"), &json!("normal")));
    assert_eq!((get(&tickets[2])["version"].as_i64(), &get(&tickets[3])["status"]), (Some(1), &json!("closed")));
    let history = desk.agent().get(&path(&tickets[2], "/history")).ok();
    assert_eq!(history["items"].as_array().map(Vec::len), Some(2), "a refused action leaves no event");
}

fn what_is_no_bulk_is_refused(desk: &Desk) {
    let ticket = email_ticket(desk, "ana@nordwind.example");
    let post = |items: Value| desk.agent().post("/api/v1/tickets/bulk", json!({ "items": items }));
    post(json!([])).refuses_field("items");
    let many: Vec<Value> = (0..101).map(|_| item(&ticket, json!({ "priority": "low" }))).collect();
    post(json!(many)).refuses_field("items");
    for action in [
        json!({}),
        json!("close"),
        json!({ "burn": {} }),
        json!({ "close": { "why": 1 } }),
        json!({ "priority": "huge" }),
        json!({ "priority": "low", "close": {} }),
        json!({ "assign": {} }),
    ] {
        let answer = post(json!([item(&ticket, action.clone())]));
        assert_eq!(answer.status, 422, "{action}: {}", answer.text);
    }
    assert_eq!(
        post(json!([item(&ticket, json!({ "add_tags": [" a"] }))])).ok()["results"][0]["problem"]["errors"][0]["field"],
        "tags"
    );
    desk.channel()
        .post("/api/v1/tickets/bulk", json!({ "items": [item(&ticket, json!({ "close": {} }))] }))
        .refused(403, "missing_right");
    let tags: Vec<String> = (0..50).map(|tag| tag.to_string()).collect();
    post(json!([item(&ticket, json!({ "add_tags": tags }))])).ok();
    assert_eq!(post(json!([item(&ticket, json!({ "add_tags": ["one more"] }))])).ok()["results"][0]["problem"]["status"], 422);
    assert_eq!(desk.agent().get(&path(&ticket, "")).ok()["version"], 2);
}

fn a_hundred_at_once(desk: &Desk) {
    let tickets: Vec<Value> = (0..100).map(|_| email_ticket(desk, "ana@nordwind.example")).collect();
    let items: Vec<Value> = tickets.iter().map(|ticket| item(ticket, json!({ "close": {} }))).collect();
    let answer = desk.agent().post("/api/v1/tickets/bulk", json!({ "items": items })).ok();
    assert_eq!(answer["done"], 100);
    assert_eq!(desk.agent().get("/api/v1/tickets?active=true").ok()["items"], json!([]));
}
