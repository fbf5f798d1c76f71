//! Backup and restore as `docs/OPERATING.md` says it, run as it stands there, on both databases, while the desk is written to.
use crate::binary::{Binary, Server};
use crate::load::{Load, TICKETS, quick, text};
use crate::support::{Test, plain, servers};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// Tests of this file.
pub const TESTS: &[Test] = plain![the_drill_restores_sqlite, the_drill_restores_postgresql];

const WRITERS: usize = 4;

/// The commands of the drill for one database.
fn drill(database: &str) -> String {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/OPERATING.md")).unwrap();
    let mark = format!("<!-- drill {database}: a test runs this -->");
    let after = page.split(&mark).nth(1).unwrap_or_else(|| panic!("docs/OPERATING.md has no {mark}"));
    after.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the drill is a shell block").to_owned()
}

fn run_drill(folder: &TempDir, desk: &Binary, database: &str) {
    let own = Path::new(env!("CARGO_BIN_EXE_deskbell")).parent().unwrap();
    let ended = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &drill(database)])
        .current_dir(folder.path())
        .env_clear()
        .envs(desk.environment())
        .env("PATH", format!("{}:{}", own.display(), servers::variable("PATH").unwrap_or_default()))
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "the drill of docs/OPERATING.md fails: {out}{err}");
}

fn tickets(server: &Server, secret: &str) -> Vec<Value> {
    let (mut all, mut path) = (Vec::new(), Some(format!("{TICKETS}?limit=100")));
    while let Some(asked) = path {
        let page = server.client(secret).get(&asked).ok();
        all.extend(page["items"].as_array().unwrap().iter().cloned());
        path = page["next_cursor"].as_str().map(|cursor| format!("{TICKETS}?limit=100&cursor={cursor}"));
    }
    all
}

fn get(server: &Server, secret: &str, path: &str) -> Value {
    server.client(secret).get(path).ok()
}

/// What a ticket is, without what a job may have done since.
fn lasting(mut ticket: Value) -> Value {
    ticket.as_object_mut().unwrap().remove("surveys");
    ticket
}

fn the_drill_restores(folder: &TempDir, desk: &Binary, restored: &Binary, database: &str) {
    let server = desk.serve();
    let secret = server.first_secret.clone().unwrap();
    let team = json!({ "name": "Zahlungen – 支払い" });
    server.client(&secret).post("/api/v1/teams", &team).ok();
    let load = Load::on(std::slice::from_ref(&server), secret.clone());
    let before = load.during(WRITERS, || {
        load.more(120);
        let before: Vec<Value> = tickets(&server, &secret);
        run_drill(folder, desk, database);
        load.more(40);
        before
    });
    assert!(before.len() > 20, "{}", before.len());

    // As the page says: it mails nobody.
    let copy = restored.clone().with("survey.enabled", false).with("mail.smtp_host", "").serve();
    assert_eq!(copy.first_secret, None, "it is the same desk");
    assert_eq!(get(&copy, &secret, "/api/v1/teams")["items"][0]["name"], team["name"]);
    for lists in ["policies", "calendars", "agents", "tokens"] {
        let ids = |server: &Server| -> Vec<Value> {
            let items = get(server, &secret, &format!("/api/v1/{lists}?limit=100"))["items"].clone();
            items.as_array().unwrap().iter().map(|item| item["id"].clone()).collect()
        };
        assert_eq!(ids(&copy), ids(&server), "{lists}");
    }
    // What was acknowledged before the backup began is in it, whole; what was closed then has not changed since.
    let mut compared = 0;
    for ticket in &before {
        let path = format!("{TICKETS}/{}", text(&ticket["id"]));
        let kept = get(&copy, &secret, &path);
        assert_eq!(kept["number"], ticket["number"]);
        if ticket["status"] == "closed" {
            compared += 1;
            assert_eq!(lasting(kept), lasting(get(&server, &secret, &path)), "{path}");
            assert!(get(&copy, &secret, &format!("{path}/history"))["items"].as_array().unwrap().len() >= 4, "{path}");
        }
    }
    assert!(compared > 5, "{compared}");
    // And it works on: numbers go on, an answer that was stored is given again.
    let (all, new) =
        (tickets(&copy, &secret), json!({ "channel": "email", "subject": "After", "from": { "email": "z@nordwind.example" } }));
    let most = all.iter().filter_map(|ticket| ticket["number"].as_i64()).max().unwrap();
    let made = copy.client(&secret).with("Idempotency-Key", "after").post(TICKETS, &new).ok();
    assert!(made["number"].as_i64().unwrap() > most, "{made}");
    assert_eq!(copy.client(&secret).with("Idempotency-Key", "after").post(TICKETS, &new).ok()["id"], made["id"]);
    copy.stop();
    server.stop();
}

fn the_drill_restores_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let desk = quick(Binary::in_folder(folder.path()), "restore-sqlite.test");
    let restored = desk.clone().with("database.data_dir", folder.path().join("restored").display());
    the_drill_restores(&folder, &desk, &restored, "sqlite");
}

/// A database of its own on the server, and the one that the drill makes; dropped at the end, whatever happens.
struct Scratch(&'static [&'static str]);

impl Drop for Scratch {
    fn drop(&mut self) {
        self.0.iter().for_each(|name| servers::postgres().drop_database(name));
    }
}

fn the_drill_restores_postgresql() {
    let folder = tempfile::tempdir().unwrap();
    let scratch = Scratch(&["restore", "desk_drill"]);
    servers::postgres().create("restore", None);
    let url = |name: &str| servers::postgres().url(name);
    let desk =
        quick(Binary::in_folder(folder.path()), "restore-postgresql.test").with_variable("DATABASE_URL", url(scratch.0[0]));
    let restored = desk.clone().with_variable("DATABASE_URL", url(scratch.0[1]));
    the_drill_restores(&folder, &desk, &restored, "postgresql");
}
