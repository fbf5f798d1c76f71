//! Import and export: history with its receipts, once, resumable, errors by line; and what is exported can be imported.
use crate::support::given::path;
use crate::support::{Desk, Test, given, tests};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    history_is_taken_in_with_its_receipts_and_exact_breaches,
    imported_history_sends_nothing_and_asks_nobody,
    the_same_file_twice_changes_nothing_and_a_changed_row_what_it_names,
    bad_rows_are_reported_by_line_and_good_ones_taken_in,
    a_dry_run_keeps_nothing,
    who_is_missing_is_made_where_that_is_wanted,
    a_history_goes_on_but_is_not_rewritten,
    a_file_that_is_none_is_refused_as_a_whole,
    what_is_exported_can_be_imported_into_an_empty_desk,
    an_export_has_every_row_once,
    webhooks_hear_of_what_happens_after_an_import,
];

pub const IMPORTS: &str = "/api/v1/imports";

pub fn lines(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
}

#[track_caller]
pub fn import(desk: &Desk, kind: &str, format: &str, body: &str, more: Value) -> Value {
    let mut asked = json!({ "kind": kind, "format": format, "body": body });
    asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let id = desk.import().post(IMPORTS, asked).id();
    desk.settle();
    let done = desk.import().get(&format!("{IMPORTS}/{id}")).ok();
    assert_eq!(done["state"], "done", "{done}");
    done
}

#[track_caller]
fn take_in(desk: &Desk, kind: &str, rows: &[Value]) -> Value {
    import(desk, kind, "jsonl", &lines(rows), json!({}))
}

#[track_caller]
fn errors(desk: &Desk, import: &Value) -> Vec<String> {
    let found = desk.import().get(&format!("{IMPORTS}/{}/errors", import["id"].as_str().unwrap())).ok();
    let one =
        |error: &Value| format!("{} {} {}", error["line"], error["field"].as_str().unwrap(), error["code"].as_str().unwrap());
    found["items"].as_array().unwrap().iter().map(one).collect()
}

pub fn counts(import: &Value) -> [i64; 5] {
    ["total", "created", "changed", "unchanged", "refused"].map(|name| import[name].as_i64().unwrap())
}

fn amir(desk: &Desk) -> String {
    desk.agent().get("/api/v1/agents/me").ok()["email"].as_str().unwrap().to_owned()
}

#[track_caller]
fn only_ticket(desk: &Desk) -> Value {
    let list = desk.agent().get("/api/v1/tickets").ok();
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
    desk.agent().get(&format!("/api/v1/tickets/{}", list["items"][0]["id"].as_str().unwrap())).ok()
}

fn mail(desk: &Desk) -> Value {
    json!({
        "external_id": "T-1", "email": "ana@nordwind.example", "name": "Ana Castro", "channel": "email", "subject": "It is stuck",
        "received_at": "2026-06-01T10:00:00Z", "body": "Please help.", "tags": ["old"],
        "history": [
            { "at": "2026-06-03T10:00:00Z", "what": "replied", "agent": amir(desk), "body": "It moves." },
            { "at": "2026-06-03T11:00:00Z", "what": "closed", "agent": amir(desk) },
        ],
    })
}

fn history_is_taken_in_with_its_receipts_and_exact_breaches(desk: &Desk) {
    let organizations = import(desk, "organizations", "csv", "external_id,name,account\r\nO-1,'=Nord,R-1\r\n", json!({}));
    assert_eq!(counts(&organizations), [1, 1, 0, 0, 0]);
    let contacts = "external_id,organization,name,emails,phones,time_zone\nC-1,O-1,Ana,ana@nordwind.example;a@nordwind.example,'+14165550100,America/Toronto\n";
    assert_eq!(counts(&import(desk, "contacts", "csv", contacts, json!({}))), [1, 1, 0, 0, 0]);
    let contact = &desk.agent().get("/api/v1/contacts?email=a@nordwind.example").ok()["items"][0];
    assert_eq!((&contact["phones"], &contact["time_zone"]), (&json!(["+14165550100"]), &json!("America/Toronto")));
    let organization = desk.agent().get(&format!("/api/v1/organizations/{}", contact["organization_id"].as_str().unwrap())).ok();
    assert_eq!((&organization["name"], &organization["account"]), (&json!("=Nord"), &json!("R-1")));

    let mut row = mail(desk);
    (row["contact"], row["email"], row["name"]) = (json!("C-1"), Value::Null, Value::Null);
    assert_eq!(counts(&take_in(desk, "tickets", &[row])), [1, 1, 0, 0, 0]);
    let ticket = only_ticket(desk);
    assert_eq!((&ticket["received_at"], &ticket["closed_at"]), (&json!("2026-06-01T10:00:00Z"), &json!("2026-06-03T11:00:00Z")));
    assert_eq!((&ticket["organization_id"], &ticket["status"]), (&contact["organization_id"], &json!("closed")));
    let clock = ticket["clocks"].as_array().unwrap().iter().find(|clock| clock["metric"] == "first_response").unwrap();
    assert_eq!((&clock["verdict"], &clock["breached_at"]), (&json!("breached"), &json!("2026-06-02T10:00:00Z")));
    assert_eq!((&clock["reached_at"], &clock["used_seconds"]), (&json!("2026-06-03T10:00:00Z"), &json!(2 * 86_400)));
    let kinds: Vec<&Value> = ticket["messages"].as_array().unwrap().iter().map(|message| &message["kind"]).collect();
    assert_eq!(kinds, [&json!("inbound"), &json!("reply")]);

    let call = json!({
        "external_id": "T-2", "contact": "C-1", "channel": "phone", "subject": "Call", "received_at": "2026-06-09T14:00:00Z",
        "history": [{ "at": "2026-06-09T14:00:15Z", "what": "picked_up", "agent": amir(desk) }],
    });
    take_in(desk, "tickets", &[call]);
    let listed = &desk.agent().get("/api/v1/tickets?channel=phone").ok()["items"][0];
    let call = desk.agent().get(&path(listed, "")).ok();
    let pickup = call["clocks"].as_array().unwrap().iter().find(|clock| clock["metric"] == "pickup").unwrap();
    assert_eq!((&pickup["verdict"], &pickup["used_seconds"]), (&json!("met"), &json!(15)));
}

fn imported_history_sends_nothing_and_asks_nobody(desk: &Desk) {
    take_in(desk, "tickets", &[mail(desk)]);
    desk.advance(TimeDelta::days(20));
    assert_eq!(desk.mails().len(), 0);
    assert_eq!(only_ticket(desk)["surveys"], json!([]));
    assert_eq!(desk.manager().get("/api/v1/mails").ok()["items"], json!([]));
}

fn the_same_file_twice_changes_nothing_and_a_changed_row_what_it_names(desk: &Desk) {
    let rows = [json!({ "external_id": "O-1", "name": "Nord" }), json!({ "external_id": "O-2", "name": "Süd" })];
    assert_eq!(counts(&take_in(desk, "organizations", &rows)), [2, 2, 0, 0, 0]);
    assert_eq!(counts(&take_in(desk, "organizations", &rows)), [2, 0, 0, 2, 0]);
    let changed = [rows[0].clone(), json!({ "external_id": "O-2", "name": "South", "account": "R-2" })];
    assert_eq!(counts(&take_in(desk, "organizations", &changed)), [2, 0, 1, 1, 0]);
    let names: Vec<Value> =
        desk.agent().get("/api/v1/organizations").ok()["items"].as_array().unwrap().iter().map(|o| o["name"].clone()).collect();
    assert_eq!(names, [json!("Nord"), json!("South")]);
    let change = &desk.admin().get("/api/v1/audit?object=organization&kind=changed").ok()["items"][0];
    assert_eq!((&change["before"], &change["actor"]), (&json!({ "name": "Süd", "account": null }), &json!("machine")));
    assert_eq!(counts(&take_in(desk, "tickets", &[mail(desk)])), [1, 1, 0, 0, 0]);
    let before = only_ticket(desk);
    assert_eq!(counts(&take_in(desk, "tickets", &[mail(desk)])), [1, 0, 0, 1, 0]);
    assert_eq!(only_ticket(desk), before);
}

fn bad_rows_are_reported_by_line_and_good_ones_taken_in(desk: &Desk) {
    let mut no_agent = mail(desk);
    (no_agent["external_id"], no_agent["history"][0]["agent"]) = (json!("T-3"), json!("who@desk.example"));
    let mut early = mail(desk);
    (early["external_id"], early["history"][1]["at"]) = (json!("T-4"), json!("2026-06-02T10:00:00Z"));
    let mut twice = mail(desk);
    twice["external_id"] = json!("T-5");
    twice["history"].as_array_mut().unwrap().push(json!({ "at": "2026-06-04T10:00:00Z", "what": "closed", "agent": amir(desk) }));
    let mut future = mail(desk);
    (future["external_id"], future["received_at"], future["history"]) = (json!("T-6"), json!("2027-01-01T00:00:00Z"), json!([]));
    let mut unknown = mail(desk);
    (unknown["external_id"], unknown["email"], unknown["contact"]) = (json!("T-7"), Value::Null, json!("C-404"));
    let rows = [no_agent, early, twice, future, unknown].iter().map(|row| format!("{row}\n")).collect::<String>();
    let file = format!("{}\n{{\n\n{rows}{{\"external_id\":\"T-8\"}}\n", mail(desk));
    let done = import(desk, "tickets", "jsonl", &file, json!({}));
    assert_eq!(counts(&done), [8, 1, 0, 0, 7]);
    assert_eq!(
        errors(desk, &done),
        [
            "2 row malformed_json",
            "4 history[0].agent unknown_agent",
            "5 history[1].at order",
            "6 history[2] ticket_closed",
            "7 received_at future",
            "8 contact unknown_contact",
            "9 channel missing",
        ]
    );
    only_ticket(desk);
    let contacts = "external_id,name,emails\nC-1,Ana,ana@x.example\nC-2,Ben,ana@x.example\nC-3,Eva,nobody\nC-4,\n";
    let done = import(desk, "contacts", "csv", contacts, json!({}));
    assert_eq!(counts(&done), [4, 1, 0, 0, 3]);
    assert_eq!(errors(desk, &done), ["3 row address_taken", "4 emails[0] email", "5 row cells"]);
    desk.import().get(&format!("{IMPORTS}/{}/errors?limit=1", done["id"].as_str().unwrap())).ok()["next_cursor"]
        .as_str()
        .unwrap();
}

fn a_dry_run_keeps_nothing(desk: &Desk) {
    let file = lines(&[json!({ "external_id": "O-1", "name": "Nord" }), json!({ "external_id": "O-2" })]);
    let done = import(desk, "organizations", "jsonl", &file, json!({ "dry_run": true }));
    assert_eq!(counts(&done), [2, 1, 0, 0, 1]);
    assert_eq!(errors(desk, &done), ["2 name missing"]);
    let done = import(desk, "tickets", "jsonl", &lines(&[mail(desk)]), json!({ "dry_run": true }));
    assert_eq!(counts(&done), [1, 1, 0, 0, 0]);
    for list in ["organizations", "tickets", "contacts"] {
        assert_eq!(desk.agent().get(&format!("/api/v1/{list}")).ok()["items"], json!([]), "{list}");
    }
    assert_eq!(desk.admin().get("/api/v1/audit?object=organization").ok()["items"], json!([]));
    assert_eq!(counts(&take_in(desk, "organizations", &[json!({ "external_id": "O-1", "name": "Nord" })])), [1, 1, 0, 0, 0]);
}

fn who_is_missing_is_made_where_that_is_wanted(desk: &Desk) {
    let mut row = mail(desk);
    row["team"] = json!("Old team");
    row["history"][0]["agent"] = json!("left@olddesk.example");
    let done = take_in(desk, "tickets", &[row.clone()]);
    assert_eq!(errors(desk, &done), ["1 team unknown_team"]);
    let done = import(desk, "tickets", "jsonl", &lines(&[row]), json!({ "create_missing": true }));
    assert_eq!(counts(&done), [1, 1, 0, 0, 0]);
    let agents = desk.admin().get("/api/v1/agents").ok();
    let left = agents["items"].as_array().unwrap().iter().find(|agent| agent["email"] == "left@olddesk.example").unwrap();
    assert_eq!((&left["disabled"], &left["role"]), (&json!(true), &json!("agent")));
    let ticket = only_ticket(desk);
    assert_eq!(ticket["messages"][1]["agent_id"], left["id"]);
    let team = desk.agent().get(&format!("/api/v1/teams/{}", ticket["team_id"].as_str().unwrap())).ok();
    assert_eq!(team["name"], "Old team");
}

fn a_history_goes_on_but_is_not_rewritten(desk: &Desk) {
    let mut row = mail(desk);
    take_in(desk, "tickets", &[row.clone()]);
    let id = only_ticket(desk)["id"].as_str().unwrap().to_owned();
    row["history"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "at": "2026-06-05T09:00:00Z", "what": "contact_wrote", "body": "Not yet." }));
    row["priority"] = json!("high");
    assert_eq!(counts(&take_in(desk, "tickets", &[row.clone()])), [1, 0, 1, 0, 0]);
    let ticket = only_ticket(desk);
    assert_eq!((&ticket["id"], &ticket["status"], &ticket["priority"]), (&json!(id), &json!("open"), &json!("high")));
    assert_eq!(ticket["messages"].as_array().unwrap().len(), 3);

    let mut other = row.clone();
    other["history"][0]["body"] = json!("It did not move.");
    let done = take_in(desk, "tickets", &[other]);
    assert_eq!(errors(desk, &done), ["1 history rewritten"]);
    let mut fixed = row.clone();
    fixed["received_at"] = json!("2026-05-31T10:00:00Z");
    let done = take_in(desk, "tickets", &[fixed]);
    assert_eq!(errors(desk, &done), ["1 received_at fixed"]);

    desk.advance(TimeDelta::minutes(1));
    given::close(desk, &id);
    row["history"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "at": "2026-06-06T09:00:00Z", "what": "contact_wrote", "body": "Still not." }));
    let done = take_in(desk, "tickets", &[row]);
    assert_eq!(errors(desk, &done), ["1 history moved_on"]);
    assert_eq!(only_ticket(desk)["messages"].as_array().unwrap().len(), 3);
}

fn a_file_that_is_none_is_refused_as_a_whole(desk: &Desk) {
    let refuses = |kind: &str, format: &str, body: &str| {
        desk.import().post(IMPORTS, json!({ "kind": kind, "format": format, "body": body })).refuses_field("body")
    };
    assert_eq!(refuses("organizations", "csv", "external_id,name\n"), "empty");
    assert_eq!(refuses("organizations", "csv", "id,name\n1,A\n"), "unknown_column");
    assert_eq!(refuses("tickets", "jsonl", "\n"), "empty");
    assert_eq!(desk.import().get(IMPORTS).ok()["items"], json!([]));
    desk.agent().get(IMPORTS).refused(403, "missing_right");
    desk.agent().get("/api/v1/exports/tickets.csv").refused(403, "missing_right");
    desk.admin().get("/api/v1/exports/agents.csv").is(404);
    desk.admin().get("/api/v1/exports/tickets.csv?limit=5").refuses_field("limit");
}

#[track_caller]
fn exported(desk: &Desk, file: &str) -> String {
    let answer = desk.admin().get(&format!("/api/v1/exports/{file}"));
    answer.is(200);
    assert_eq!(answer.header("content-disposition"), Some(format!("attachment; filename=\"{file}\"").as_str()));
    answer.text
}

/// A desk with a bit of everything that a file can say.
fn fill(desk: &Desk) {
    let team = desk.admin().post("/api/v1/teams", json!({ "name": "Payments" })).id();
    let organization = desk.admin().post("/api/v1/organizations", json!({ "name": "=cmd|' /C calc'!A0", "account": "@R" })).id();
    let contact = json!({
        "name": "'t Hoen, \"Jo\"\n", "organization_id": organization, "emails": ["jo@nordwind.example", "j@nordwind.example"],
        "phones": ["+14165550100"], "time_zone": "Europe/Amsterdam", "language": "nl",
    });
    let contact = desk.admin().post("/api/v1/contacts", contact).id();
    desk.admin().patch(&format!("/api/v1/contacts/{contact}"), json!({ "surveys_stopped": true })).ok();
    let ticket = json!({
        "channel": "email", "subject": "-stuck", "body": "=1+1\r\nsecond", "from": { "contact_id": contact }, "team_id": team,
        "tags": ["a b", "x;y"], "priority": "high", "mail_message_id": "<1@nordwind.example>",
    });
    let ticket = desk.channel().post("/api/v1/tickets", ticket).ok();
    desk.advance(TimeDelta::minutes(5));
    desk.agent().post(&given::path(&ticket, "/notes"), json!({ "body": "+ for us" })).ok();
    desk.agent().patch(&given::path(&ticket, ""), json!({ "status": "pending" })).ok();
    desk.advance(TimeDelta::hours(30));
    desk.channel().post(&given::path(&ticket, "/messages"), json!({ "body": "Hello?" })).ok();
    desk.agent().post(&given::path(&ticket, "/replies"), json!({ "body": "Yes." })).ok();
    given::close(desk, ticket["id"].as_str().unwrap());
    desk.advance(TimeDelta::hours(1));
    desk.channel().post(&given::path(&ticket, "/messages"), json!({ "body": "Once more" })).ok();
    given::close(desk, ticket["id"].as_str().unwrap());
    desk.agent().delete(&given::path(&ticket, "/closure")).ok();
    let call = given::call(desk, "+4930123456", &desk.now().to_rfc3339());
    desk.agent().post(&given::path(&call, "/pickup"), json!({})).ok();
    let by_hand = json!({ "channel": "phone", "subject": "By hand", "from": { "phone": "+4930123456" } });
    desk.agent().post("/api/v1/tickets", by_hand).ok();
    let outbound = json!({ "channel": "email", "direction": "outbound", "subject": "News", "from": { "contact_id": contact } });
    desk.agent().post("/api/v1/tickets", outbound).ok();
}

fn what_is_exported_can_be_imported_into_an_empty_desk(desk: &Desk) {
    fill(desk);
    for format in ["jsonl", "csv"] {
        let empty = Desk::open(desk.backend);
        empty.set_time(desk.now());
        for kind in ["organizations", "contacts", "tickets"] {
            let file = exported(desk, &format!("{kind}.{format}"));
            let done = import(&empty, kind, format, &file, json!({ "create_missing": true }));
            assert_eq!(errors(&empty, &done), [""; 0], "{kind}.{format}: {file}");
            assert_eq!(exported(&empty, &format!("{kind}.{format}")), file, "{kind}.{format}");
            let again = import(&empty, kind, format, &file, json!({ "create_missing": true }));
            assert_eq!(again["unchanged"], again["total"], "{again}");
        }
        let shown = |desk: &Desk| -> Vec<Value> {
            let tickets = desk.agent().get("/api/v1/tickets?sort=received").ok();
            let clocks = |ticket: &Value| -> Vec<Value> {
                let mut clocks = ticket["clocks"].as_array().unwrap().clone();
                clocks.sort_by_key(|clock| (clock["metric"].to_string(), clock["cycle"].as_i64()));
                let one = |clock: &Value| {
                    json!([
                        clock["metric"],
                        clock["cycle"],
                        clock["verdict"],
                        clock["breached_at"],
                        clock["reached_at"],
                        clock["used_seconds"],
                        clock["due_at"]
                    ])
                };
                clocks.iter().map(one).collect()
            };
            let one = |ticket: &Value| {
                let whole = desk.agent().get(&path(ticket, "")).ok();
                json!([whole["subject"], whole["status"], whole["close_count"], whole["picked_up_at"], clocks(&whole)])
            };
            let mut all: Vec<Value> = tickets["items"].as_array().unwrap().iter().map(one).collect();
            all.sort_by_key(ToString::to_string);
            all
        };
        assert_eq!(shown(&empty), shown(desk), "promises stand as they stood");
        empty.check();
    }
    let csv = exported(desk, "contacts.csv");
    assert!(csv.contains("'+14165550100") && !csv.lines().any(|line| line.contains(",+")), "{csv}");
    assert!(exported(desk, "organizations.csv").contains(",'=cmd"));
}

fn an_export_has_every_row_once(desk: &Desk) {
    let rows: Vec<Value> = (0..230).map(|n| json!({ "external_id": format!("O-{n}"), "name": format!("N {n}") })).collect();
    assert_eq!(counts(&take_in(desk, "organizations", &rows)), [230, 230, 0, 0, 0]);
    let csv = exported(desk, "organizations.csv");
    let mut names: Vec<&str> = csv.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    names.sort_unstable();
    let mut wanted: Vec<String> = (0..230).map(|n| format!("O-{n}")).collect();
    wanted.sort_unstable();
    assert_eq!(names, wanted);
    assert_eq!(csv.matches("external_id").count(), 1);
    assert_eq!(exported(desk, "tickets.jsonl"), "");
    assert_eq!(exported(desk, "contacts.csv").lines().count(), 1);
}

fn webhooks_hear_of_what_happens_after_an_import(desk: &Desk) {
    desk.restart(|config| {
        config.webhooks.allow_http = true;
        config.webhooks.allow_networks = vec!["127.0.0.1".to_owned()];
    });
    let receiver = crate::support::receiver::Receiver::start();
    desk.admin()
        .post(
            "/api/v1/webhooks",
            json!({ "url": receiver.url(), "topics": ["agent_replied", "ticket_closed", "ticket_reopened"] }),
        )
        .ok();
    take_in(desk, "tickets", &[mail(desk)]);
    assert_eq!(receiver.received().len(), 0);
    let id = only_ticket(desk)["id"].as_str().unwrap().to_owned();
    desk.agent().delete(&format!("/api/v1/tickets/{id}/closure")).ok();
    desk.settle();
    assert_eq!(receiver.received().len(), 1);
    assert_eq!(receiver.received()[0].json()["type"], "ticket_reopened");
}
