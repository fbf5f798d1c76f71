//! Custom fields: defined once, typed and checked on tickets, asked for in lists, needed before a close.
use crate::support::given::{close, email_ticket, path};
use crate::support::{Answer, Desk, Test, tests};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_field_is_made_changed_and_archived,
    values_are_kept_by_type_and_told_in_the_history,
    a_wrong_value_is_refused_by_its_field_and_changes_nothing,
    a_list_finds_tickets_by_their_values,
    a_ticket_is_closed_only_with_the_values_it_needs,
    a_wrong_field_is_refused,
    a_view_can_ask_for_a_value,
];

const FIELDS: &str = "/api/v1/fields";

fn define(desk: &Desk, key: &str, kind: &str, more: Value) -> Value {
    let mut field = json!({ "key": key, "label": key, "type": kind });
    field.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    desk.admin().post(FIELDS, field).ok()
}

fn at(field: &Value) -> String {
    format!("{FIELDS}/{}", field["id"].as_str().unwrap())
}

fn set(desk: &Desk, ticket: &Value, fields: Value) -> Answer {
    desk.agent().patch(&path(ticket, ""), json!({ "fields": fields }))
}

/// The numbers of the tickets that a filter finds.
fn found(desk: &Desk, filter: &str) -> Vec<i64> {
    let filter: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
    let items = desk.agent().get(&format!("/api/v1/tickets?sort=received&field={filter}")).ok()["items"].clone();
    let mut numbers: Vec<i64> = items.as_array().unwrap().iter().map(|ticket| ticket["number"].as_i64().unwrap()).collect();
    numbers.sort_unstable();
    numbers
}

fn a_field_is_made_changed_and_archived(desk: &Desk) {
    let admin = desk.admin().with("Idempotency-Key", "field");
    let field =
        json!({ "key": "registry", "label": "Registry", "type": "choice", "options": ["DENIC", "Nominet"], "position": 2 });
    let made = admin.post(FIELDS, &field);
    assert_eq!(made.is(201).ok(), admin.post(FIELDS, &field).ok());
    let (made, etag) = (made.ok(), made.etag());
    desk.admin().post(FIELDS, &field).refused(409, "key_taken");
    define(desk, "amount", "number", json!({ "position": 1 }));
    let keys =
        |answer: Value| -> Vec<Value> { answer["items"].as_array().unwrap().iter().map(|item| item["key"].clone()).collect() };
    assert_eq!(keys(desk.agent().get(FIELDS).ok()), ["amount", "registry"]);
    let first = desk.agent().get(&format!("{FIELDS}?limit=1")).ok();
    let next = format!("{FIELDS}?limit=1&cursor={}", first["next_cursor"].as_str().unwrap());
    assert_eq!(keys(desk.agent().get(&next).ok()), ["registry"]);
    let ticket = email_ticket(desk, "ana@nordwind.example");
    set(desk, &ticket, json!({ "registry": "DENIC" })).ok();
    let change = json!({ "label": "Registry office", "options": ["Nominet"], "position": 0, "archived": true });
    let changed = desk.admin().with("If-Match", &etag).patch(&at(&made), change).ok();
    assert_eq!(
        (&changed["key"], &changed["label"], &changed["archived"], &changed["version"]),
        (&json!("registry"), &json!("Registry office"), &json!(true), &json!(2))
    );
    desk.admin().with("If-Match", &etag).patch(&at(&made), json!({ "label": "x" })).refused(412, "stale_version");
    assert_eq!(set(desk, &ticket, json!({ "registry": "Nominet" })).refuses_field("fields.registry"), "archived");
    assert_eq!(desk.agent().get(&path(&ticket, "")).ok()["fields"], json!({ "registry": "DENIC" }), "a value stays");
    assert_eq!(found(desk, "registry:DENIC"), [1]);
    assert_eq!(set(desk, &ticket, json!({ "registry": null })).ok()["fields"], json!({}));
    desk.agent().post(FIELDS, &field).refused(403, "missing_right");
    desk.manager().patch(&at(&made), json!({ "label": "x" })).refused(403, "missing_right");
}

fn values_are_kept_by_type_and_told_in_the_history(desk: &Desk) {
    let plain = email_ticket(desk, "ana@nordwind.example");
    assert_eq!(plain["fields"], json!({}));
    for (key, kind) in [("note", "text"), ("amount", "number"), ("vip", "boolean"), ("renewal", "date")] {
        define(desk, key, kind, json!({}));
    }
    define(desk, "region", "choice", json!({ "options": ["EU", "US"] }));
    let values = json!({ "note": "Grün", "amount": 12.5, "vip": false, "renewal": "2028-02-29", "region": "EU" });
    let ticket = json!({ "channel": "email", "subject": "x", "from": { "email": "ana@nordwind.example" }, "fields": values });
    let ticket = desk.channel().post("/api/v1/tickets", ticket).ok();
    assert_eq!(ticket["fields"], values);
    assert_eq!(desk.agent().get(&path(&ticket, "")).ok()["fields"], values);
    let changed = set(desk, &ticket, json!({ "amount": 7.0, "vip": null, "renewal": null })).ok();
    assert_eq!(changed["fields"], json!({ "note": "Grün", "amount": 7, "region": "EU" }));
    assert_eq!(changed["version"], 2);
    let items = desk.agent().get("/api/v1/tickets?sort=received&tag=none").ok();
    assert_eq!(items["items"], json!([]));
    let listed = desk.agent().get(&format!("/api/v1/tickets?number={}", ticket["number"])).ok();
    assert_eq!(listed["items"][0]["fields"], changed["fields"]);
    let events = desk.agent().get(&path(&ticket, "/history")).ok()["items"].as_array().unwrap().clone();
    let told: Vec<&Value> =
        events.iter().filter(|event| event["kind"] == "ticket_changed").map(|event| &event["data"]["fields"]).collect();
    assert_eq!(told.len(), 2, "{events:?}");
    assert_eq!((&told[0]["before"]["note"], &told[0]["after"]), (&Value::Null, &values));
    assert_eq!(
        told[1],
        &json!({
            "before": { "amount": 12.5, "vip": false, "renewal": "2028-02-29" },
            "after": { "amount": 7, "vip": null, "renewal": null },
        })
    );
}

fn a_wrong_value_is_refused_by_its_field_and_changes_nothing(desk: &Desk) {
    define(desk, "amount", "number", json!({}));
    define(desk, "region", "choice", json!({ "options": ["EU", "US"] }));
    define(desk, "note", "text", json!({}));
    let ticket = email_ticket(desk, "ana@nordwind.example");
    set(desk, &ticket, json!({ "amount": 1 })).ok();
    let before = desk.agent().get(&path(&ticket, "")).ok();
    for (values, field, code) in [
        (json!({ "amount": "1" }), "fields.amount", "wrong_type"),
        (json!({ "note": "ok", "region": "Mars" }), "fields.region", "unknown_option"),
        (json!({ "note": "" }), "fields.note", "text"),
        (json!({ "note": "x".repeat(501) }), "fields.note", "text"),
        (json!({ "colour": "red" }), "fields.colour", "unknown_custom_field"),
        (json!({ "colour": null }), "fields.colour", "unknown_custom_field"),
    ] {
        assert_eq!(set(desk, &ticket, values.clone()).refuses_field(field), code, "{values}");
        let new = json!({ "channel": "email", "subject": "x", "from": { "email": "b@nordwind.example" }, "fields": values });
        assert_eq!(desk.channel().post("/api/v1/tickets", new).refuses_field(field), code, "{values}");
    }
    set(desk, &ticket, json!(["amount"])).refused(422, "invalid_input");
    assert_eq!(desk.agent().get(&path(&ticket, "")).ok(), before);
    assert_eq!(desk.agent().get("/api/v1/tickets").ok()["items"].as_array().map(Vec::len), Some(1));
}

fn a_list_finds_tickets_by_their_values(desk: &Desk) {
    define(desk, "amount", "number", json!({}));
    define(desk, "region", "choice", json!({ "options": ["EU", "US"] }));
    define(desk, "firm", "text", json!({}));
    define(desk, "vip", "boolean", json!({}));
    let values = [
        json!({ "amount": 7, "region": "EU", "vip": true }),
        json!({ "amount": 7.5, "region": "EU", "firm": "Nord, Wind: 100%" }),
        json!({ "amount": 7, "region": "US", "vip": false }),
        json!({}),
    ];
    for fields in values {
        let ticket = email_ticket(desk, "ana@nordwind.example");
        set(desk, &ticket, fields).ok();
    }
    assert_eq!(found(desk, "region:EU"), [1, 2]);
    assert_eq!(found(desk, "amount:7"), [1, 3]);
    assert_eq!(found(desk, "amount:7.0"), [1, 3]);
    assert_eq!(found(desk, "amount:7.5"), [2]);
    assert_eq!(found(desk, "amount:7,region:EU"), [1]);
    assert_eq!(found(desk, "vip:false"), [3]);
    assert_eq!(found(desk, r"firm:Nord\, Wind: 100%"), [2]);
    assert_eq!(found(desk, "region:"), [4]);
    assert_eq!(found(desk, "region:Mars"), Vec::<i64>::new());
    set(desk, &desk.agent().get("/api/v1/tickets?number=1").ok()["items"][0], json!({ "region": "US", "amount": null })).ok();
    assert_eq!(found(desk, "region:EU"), [2]);
    assert_eq!(found(desk, "amount:"), [1, 4]);
    for (filter, code) in [
        ("colour:red", "unknown_custom_field"),
        ("amount:much", "wrong_type"),
        ("amount", "field_filter"),
        ("amount:1,amount:2", "repeated"),
    ] {
        assert_eq!(desk.agent().get(&format!("/api/v1/tickets?field={filter}")).refuses_field("field"), code);
    }
}

fn a_ticket_is_closed_only_with_the_values_it_needs(desk: &Desk) {
    let before = email_ticket(desk, "ana@nordwind.example");
    close(desk, before["id"].as_str().unwrap());
    let cause = define(desk, "cause", "text", json!({ "required_to_close": true }));
    define(desk, "amount", "number", json!({ "required_to_close": true, "position": 1 }));
    let ticket = email_ticket(desk, "ana@nordwind.example");
    let closing = || desk.agent().post(&path(&ticket, "/closure"), json!({}));
    let refusal = closing().refused(409, "fields_missing");
    assert!(refusal["detail"].as_str().unwrap().ends_with("cause, amount"), "{refusal}");
    set(desk, &ticket, json!({ "amount": 0 })).ok();
    closing().refused(409, "fields_missing");
    desk.settle();
    assert_eq!(desk.agent().get(&path(&ticket, "")).ok()["status"], "open");
    desk.admin().patch(&at(&cause), json!({ "archived": true })).ok();
    assert_eq!(closing().ok()["status"], "closed");
    desk.admin().patch(&at(&cause), json!({ "archived": false })).ok();
    desk.advance(TimeDelta::hours(1));
    desk.agent().delete(&path(&ticket, "/closure")).ok();
    closing().refused(409, "fields_missing");
    set(desk, &ticket, json!({ "cause": "Registry was slow" })).ok();
    closing().ok();
}

fn a_wrong_field_is_refused(desk: &Desk) {
    let make = |field: Value| desk.admin().post(FIELDS, field);
    let with = |name: &str, value: Value| {
        let mut field = json!({ "key": "a", "label": "A", "type": "text" });
        field[name] = value;
        make(field)
    };
    for key in ["", "A", "1a", "a-b", "ä"] {
        with("key", json!(key)).refuses_field("key");
    }
    with("type", json!("colour")).refuses_field("type");
    with("label", json!("")).refuses_field("label");
    with("position", json!(-1)).refuses_field("position");
    assert_eq!(with("options", json!(["x"])).refuses_field("options"), "options");
    assert_eq!(with("type", json!("choice")).refuses_field("options"), "options");
    let choice = |options: Value| make(json!({ "key": "a", "label": "A", "type": "choice", "options": options }));
    assert_eq!(choice(json!(["x", "x"])).refuses_field("options"), "repeated");
    assert_eq!(choice(json!([" x"])).refuses_field("options"), "option");
    assert_eq!(desk.agent().get(FIELDS).ok()["items"], json!([]));
    let field = choice(json!(["x"])).ok();
    assert_eq!(desk.admin().patch(&at(&field), json!({ "options": [] })).refuses_field("options"), "options");
    desk.admin().patch(&at(&field), json!({ "key": "b" })).refused(422, "invalid_input");
}

fn a_view_can_ask_for_a_value(desk: &Desk) {
    define(desk, "region", "choice", json!({ "options": ["EU", "US"] }));
    let tickets = [email_ticket(desk, "ana@nordwind.example"), email_ticket(desk, "ben@nordwind.example")];
    set(desk, &tickets[1], json!({ "region": "EU" })).ok();
    let view = json!({ "name": "EU", "audience": "own", "filter": { "field": "region:EU" } });
    let view = desk.agent().post("/api/v1/views", view).id();
    let found = desk.agent().get(&format!("/api/v1/views/{view}/tickets")).ok();
    assert_eq!((found["items"].as_array().map(Vec::len), &found["items"][0]["id"]), (Some(1), &tickets[1]["id"]));
}
