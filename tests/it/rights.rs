//! Who may do what: every route against every kind of token, and the page that says so.
use crate::support::client::Client;
use crate::support::{Answer, Desk, Test, plain, servers, sqlite, tests};
use deskbell::accounts::rights::{Scope, grants};
use deskbell::ids::TicketId;
use deskbell::routes::{Row, TABLE};
use serde_json::json;
use std::collections::BTreeSet;
use ureq::http::Method;

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    every_route_is_open_to_exactly_those_who_have_its_right,
    a_path_written_otherwise_opens_no_door,
    a_stranger_is_refused_everywhere,
    head_obeys_as_get_does,
];

/// Those whose answer does not depend on the database.
pub const ONCE: &[Test] = sqlite![the_description_has_exactly_the_routes_of_the_table];

/// Those without a desk.
pub const PAGE: &[Test] = plain![rights_md_says_what_the_table_says, a_scope_and_a_right_are_told_apart_by_the_table];

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/RIGHTS.md");

const INTRODUCTION: &str = "\
# Who may do what

Each route of the API asks for one right, and a token has the rights of its scopes: `agent`, `manager` and `admin` are for
people, `channel` (phone systems, mail gates, chat widgets) and `import` (migrations) for machines. A person's token never has
a right that the person's role does not have: who is made less can do less at once. A request without a valid token is answered
401, one without the right 403 `missing_right`. HEAD asks for the right of GET.

Open to everybody, without a token: the survey and unsubscribe pages, whose links are secrets of their own; `/hooks/twilio/*`,
which ask for Twilio's signature; `/chat/ws`, which asks for a site that may have chats, and `/chat/agent/ws`, whose first frame must
bring a token with the right `work`; `/chat/{id}/files` and `/chat/files/{id}`, whose addresses are signed by the desk; the page and
the scripts under `/chat/`; `/healthz`, `/readyz`, `/metrics`; `/api/openapi.json` and `/api/docs/`.

This table is made from `src/routes.rs` and `src/accounts/rights.rs`; a test compares them.

";

fn with_token(desk: &Desk, scope: Scope) -> Client {
    match scope {
        Scope::Agent => desk.agent(),
        Scope::Manager => desk.manager(),
        Scope::Admin => desk.admin(),
        Scope::Channel => desk.channel(),
        Scope::Import => desk.import(),
    }
}

fn method((method, _, _): &Row) -> Method {
    method.to_uppercase().parse().unwrap()
}

/// A path that names nothing that exists.
fn path((_, path, _): &Row) -> String {
    path.replace("{id}", &TicketId::new().to_string()).replace("{on}", "2026-12-25")
}

/// The live stream ends only where it is asked to.
fn ending(path: &str) -> String {
    if path.ends_with("/stream") { format!("{path}?follow=false") } else { path.to_owned() }
}

fn ask(client: &Client, method: Method, path: &str) -> Answer {
    let path = &ending(path);
    let has_body = matches!(method, Method::POST | Method::PUT | Method::PATCH);
    client.send(method, path, has_body.then(|| ("application/json", b"{}".to_vec())))
}

fn every_route_is_open_to_exactly_those_who_have_its_right(desk: &Desk) {
    for row in TABLE {
        for scope in Scope::ALL {
            let answer = ask(&with_token(desk, *scope), method(row), &path(row));
            if grants(*scope, row.2) {
                assert_ne!(answer.json["code"], "missing_right", "{scope}: {} {}", answer.asked, answer.text);
                assert_ne!(answer.status, 401, "{scope}: {} {}", answer.asked, answer.text);
            } else {
                answer.refused(403, "missing_right");
            }
        }
    }
    for list in ["tickets", "organizations", "contacts", "teams", "mails", "surveys/responses"] {
        assert_eq!(desk.admin().get(&format!("/api/v1/{list}")).ok()["items"], json!([]), "{list}: nothing was made");
    }
}

/// `%61gents` is `agents` to the router, so it must be to the gate.
fn a_path_written_otherwise_opens_no_door(desk: &Desk) {
    for row in TABLE.iter().filter(|(_, _, right)| !grants(Scope::Channel, *right)) {
        let plain = path(row);
        let encoded = |letter: char| format!("%{:02x}", letter as u32);
        let name = plain.trim_start_matches("/api/v1/");
        let first = name.chars().next().unwrap();
        let last = plain.chars().last().unwrap();
        for written in [
            format!("/api/v1/{}{}", encoded(first), &name[1..]),
            format!("/%61pi/v1/{name}"),
            format!("{}{}", &plain[..plain.len() - 1], encoded(last)),
        ] {
            let answer = ask(&desk.channel(), method(row), &written);
            assert!(matches!(answer.status, 403 | 404), "{} {written} was answered {}: {}", row.0, answer.status, answer.text);
        }
        for written in [format!("{plain}/"), plain.replacen("/api", "//api", 1), plain.to_uppercase()] {
            assert_eq!(ask(&desk.channel(), method(row), &written).status, 404, "{written}");
        }
    }
}

fn a_stranger_is_refused_everywhere(desk: &Desk) {
    for row in TABLE {
        ask(&desk.anonymous(), method(row), &path(row)).refused(401, "unauthorized");
    }
}

fn head_obeys_as_get_does(desk: &Desk) {
    for row in TABLE.iter().filter(|row| row.0 == "get") {
        for scope in Scope::ALL {
            let (client, path) = (with_token(desk, *scope), ending(&path(row)));
            let (get, head) = (client.get(&path), client.head(&path));
            assert_eq!((head.status, head.text.as_str()), (get.status, ""), "{scope}: {}", head.asked);
        }
        desk.anonymous().head(&path(row)).is(401);
    }
}

fn the_description_has_exactly_the_routes_of_the_table(desk: &Desk) {
    let description = desk.anonymous().get("/api/openapi.json").ok();
    let mut described = BTreeSet::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap().iter().filter(|(_, operation)| operation.get("responses").is_some())
        {
            described.insert((method.clone(), path.clone()));
            let right = TABLE.iter().find(|row| row.0 == method && row.1 == path).map(|row| row.2.as_str()).unwrap_or_default();
            let text = operation["description"].as_str().unwrap_or_default();
            assert!(text.contains(&format!("Needs the right `{right}`")), "{method} {path}: {text}");
        }
    }
    let served: BTreeSet<_> = TABLE.iter().map(|row| (row.0.to_owned(), row.1.to_owned())).collect();
    assert_eq!(described, served);
    assert_eq!(TABLE.len(), served.len(), "a route is in the table twice");
}

fn page() -> String {
    let scopes: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
    let mut page =
        format!("{INTRODUCTION}| Route | {} | Right |\n|---|{}---|\n", scopes.join(" | "), ":-:|".repeat(scopes.len()));
    for (method, path, right) in TABLE {
        let cells: Vec<&str> = Scope::ALL.iter().map(|scope| if grants(*scope, *right) { "yes" } else { "–" }).collect();
        page.push_str(&format!("| `{} {path}` | {} | `{right}` |\n", method.to_uppercase(), cells.join(" | ")));
    }
    page
}

/// `DESKBELL_TEST_WRITE=1` writes the page anew.
fn rights_md_says_what_the_table_says() {
    if servers::variable("DESKBELL_TEST_WRITE").is_some() {
        std::fs::write(FILE, page()).unwrap();
    }
    let written = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        written == page(),
        "docs/RIGHTS.md is not what src/routes.rs and src/accounts/rights.rs say; this writes it anew:\n\
         DESKBELL_TEST_WRITE=1 cargo test --test it -- rights_md"
    );
}

/// The table itself, written down once more: a right that is given away by mistake fails here.
fn a_scope_and_a_right_are_told_apart_by_the_table() {
    let table: Vec<String> = Scope::ALL
        .iter()
        .map(|scope| {
            let rights = deskbell::accounts::rights::Right::ALL.iter().filter(|right| grants(*scope, **right));
            format!("{scope}: {}", rights.map(|right| right.as_str()).collect::<Vec<_>>().join(" "))
        })
        .collect();
    assert_eq!(
        table,
        [
            "agent: take_in keep_accounts work",
            "manager: take_in keep_accounts work manage",
            "admin: take_in keep_accounts work manage administer transfer",
            "channel: take_in report_calls",
            "import: take_in keep_accounts transfer",
        ]
    );
}
