//! Tags: counted, renamed and merged on all tickets at once.
use crate::support::given::{email_ticket, path};
use crate::support::{Desk, Test, tests};
use deskbell::db::Conn;
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    tags_are_listed_with_their_tickets,
    a_rename_changes_every_ticket_and_is_told_in_its_history,
    a_merge_leaves_one_tag_on_each_ticket,
    a_wrong_rename_or_merge_changes_nothing,
    many_tickets_are_retagged_at_once,
];

fn tagged(desk: &Desk, tags: &[&str]) -> Value {
    let ticket = email_ticket(desk, "ana@nordwind.example");
    desk.agent().patch(&path(&ticket, ""), json!({ "tags": tags })).ok()
}

fn listed(desk: &Desk) -> Vec<(String, i64)> {
    let items = desk.agent().get("/api/v1/tags?limit=100").ok()["items"].clone();
    items
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["tag"].as_str().unwrap().to_owned(), item["tickets"].as_i64().unwrap()))
        .collect()
}

fn counts(expected: &[(&str, i64)]) -> Vec<(String, i64)> {
    expected.iter().map(|(tag, tickets)| ((*tag).to_owned(), *tickets)).collect()
}

fn tags_are_listed_with_their_tickets(desk: &Desk) {
    assert_eq!(listed(desk), counts(&[]));
    tagged(desk, &["b", "a"]);
    tagged(desk, &["b", "c"]);
    assert_eq!(listed(desk), counts(&[("a", 1), ("b", 2), ("c", 1)]));
    let first = desk.agent().get("/api/v1/tags?limit=2").ok();
    let next = desk.agent().get(&format!("/api/v1/tags?limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).ok();
    assert_eq!((next["items"][0]["tag"].as_str(), next["next_cursor"].as_str()), (Some("c"), None));
}

fn a_rename_changes_every_ticket_and_is_told_in_its_history(desk: &Desk) {
    let (one, two, other) = (tagged(desk, &["é", "tranfer", "X"]), tagged(desk, &["tranfer"]), tagged(desk, &["x"]));
    let view = json!({ "name": "T", "audience": "own", "filter": { "tag": "tranfer", "status": "open" } });
    let view = desk.agent().post("/api/v1/views", view).ok();
    let rename = json!({ "from": "tranfer", "to": "it's a \"transfer\"" });
    let manager = desk.manager().with("Idempotency-Key", "rename");
    assert_eq!(manager.post("/api/v1/tags/rename", &rename).ok(), json!({ "tag": "it's a \"transfer\"", "changed": 2 }));
    assert_eq!(manager.post("/api/v1/tags/rename", &rename).ok()["changed"], 2, "a retry gets the first answer");
    assert_eq!(listed(desk).len(), 4);
    let shown = |ticket: &Value| desk.agent().get(&path(ticket, "")).ok()["tags"].clone();
    assert_eq!((shown(&one), shown(&two)), (json!(["X", "it's a \"transfer\"", "é"]), json!(["it's a \"transfer\""])));
    assert_eq!(desk.agent().get("/api/v1/tickets?tag=x").ok()["items"][0]["tags"], json!(["x"]));
    for ticket in [&one, &two] {
        let events = desk.agent().get(&path(ticket, "/history")).ok()["items"].as_array().unwrap().clone();
        let renamed: Vec<&Value> = events.iter().filter(|event| event["kind"] == "tag_renamed").collect();
        assert_eq!(renamed.len(), 1, "{events:?}");
        assert_eq!(renamed[0]["data"], json!({ "before": "tranfer", "after": "it's a \"transfer\"" }));
        assert_eq!((&renamed[0]["actor"], &renamed[0]["actor_id"]), (&json!("agent"), &json!(desk.people.manager.id)));
    }
    let stale = desk.agent().with("If-Match", format!("\"{}\"", one["version"]));
    stale.patch(&path(&one, ""), json!({ "tags": ["tranfer"] })).refused(412, "stale_version");
    assert_eq!(desk.agent().get(&path(&other, "")).ok()["version"], other["version"]);
    let found = desk.agent().get(&format!("/api/v1/views/{}/tickets", view["id"].as_str().unwrap())).ok();
    assert_eq!(found["items"].as_array().map(Vec::len), Some(2), "a view goes on finding them");
}

fn a_merge_leaves_one_tag_on_each_ticket(desk: &Desk) {
    let both = tagged(desk, &["transfer", "transfers", "tf"]);
    tagged(desk, &["tf"]);
    tagged(desk, &["transfer"]);
    let merge = json!({ "from": ["transfers", "tf", "transfer", "tf", "unused"], "into": "transfer" });
    assert_eq!(desk.manager().post("/api/v1/tags/merge", merge).ok(), json!({ "tag": "transfer", "changed": 2 }));
    assert_eq!(listed(desk), counts(&[("transfer", 3)]));
    assert_eq!(desk.agent().get(&path(&both, "")).ok()["tags"], json!(["transfer"]));
    let into_new = json!({ "from": ["transfer"], "into": "moves" });
    desk.manager().post("/api/v1/tags/merge", into_new).ok();
    assert_eq!(listed(desk), counts(&[("moves", 3)]));
}

fn a_wrong_rename_or_merge_changes_nothing(desk: &Desk) {
    tagged(desk, &["a", "b"]);
    let rename = |from: &str, to: &str| desk.manager().post("/api/v1/tags/rename", json!({ "from": from, "to": to }));
    rename("a", "b").refused(409, "tag_exists");
    rename("a", "a").refused(409, "tag_exists");
    assert_eq!(rename("z", "y").refuses_field("from"), "unknown_tag");
    rename("a", " y").refuses_field("to");
    rename("a", "").refuses_field("to");
    let merge = |from: Value, into: &str| desk.manager().post("/api/v1/tags/merge", json!({ "from": from, "into": into }));
    merge(json!(["a"]), "a").refuses_field("from");
    merge(json!([]), "a").refuses_field("from");
    assert_eq!(merge(json!(["z"]), "a").refuses_field("from"), "unknown_tag");
    desk.agent().post("/api/v1/tags/rename", json!({ "from": "a", "to": "c" })).refused(403, "missing_right");
    assert_eq!(listed(desk), counts(&[("a", 1), ("b", 1)]));
}

fn many_tickets_are_retagged_at_once(desk: &Desk) {
    let many = 5_000;
    let first = tagged(desk, &["old"]);
    // The interface would take a while to make so many.
    let copy =
        "INSERT INTO tickets (id, subject, channel, direction, status, priority, contact_id, received_at, created_at, updated_at,
        close_count, version, promise_due_at, promise_warn_at, promises_breached, promises_met)
        SELECT {id}, subject, channel, direction, status, priority, contact_id, received_at, created_at, updated_at,
        close_count, version, promise_due_at, promise_warn_at, promises_breached, promises_met FROM tickets, {series};
        INSERT INTO ticket_tags (ticket_id, tag) SELECT id, 'old' FROM tickets WHERE number > 1;
        INSERT INTO ticket_tags (ticket_id, tag) SELECT id, 'new' FROM tickets WHERE number % 2 = 0;";
    let mut conn = Conn::open(desk.app().db.url()).unwrap();
    let (id, series) = match conn {
        Conn::Sqlite(_) => {
            ("randomblob(16)", "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT i FROM n)")
        }
        Conn::Pg(_) => ("gen_random_uuid()", "generate_series(1, 5000)"),
    };
    let copy = copy.replace("{id}", id).replace("{series}", series);
    match &mut conn {
        Conn::Sqlite(conn) => conn.batch_execute(&copy).unwrap(),
        Conn::Pg(conn) => conn.batch_execute(&copy).unwrap(),
    }
    drop(conn);
    let merged = desk.manager().post("/api/v1/tags/merge", json!({ "from": ["old"], "into": "new" })).ok();
    assert_eq!(merged["changed"], many + 1);
    assert_eq!(listed(desk), counts(&[("new", many + 1)]));
    assert_eq!(desk.agent().get(&path(&first, "")).ok()["tags"], json!(["new"]));
}
