//! A locked database and a full disk: 503 that says so, and nothing acknowledged is lost.
use crate::support::client::{self, Client};
use crate::support::{Backend, Desk, Test, plain, process, sqlite};
use deskbell::db::Conn;
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// SQLite alone: a file can be locked and a disk can fill up under it.
pub const TESTS: &[Test] = sqlite![a_locked_database_is_a_503_and_nothing_is_half_written];
/// Against the real binary.
pub const PLAIN: &[Test] = plain![a_full_disk_is_a_503_and_loses_nothing_acknowledged];

fn ticket(number: usize) -> Value {
    json!({ "channel": "email", "subject": format!("{number}"), "body": "x".repeat(2_000), "from": { "email": "ana@nordwind.example" } })
}

fn a_locked_database_is_a_503_and_nothing_is_half_written(desk: &Desk) {
    assert_eq!(desk.backend, Backend::Sqlite);
    desk.expect_server_errors();
    let mut other = Conn::open(desk.app().db.url()).unwrap();
    let Conn::Sqlite(other) = &mut other else { panic!("SQLite") };
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    let answer = desk.agent().with("Idempotency-Key", "locked").post("/api/v1/tickets", ticket(1));
    answer.refused(503, "unavailable");
    assert!(answer.header("retry-after").is_some() && answer.text.contains("try again"), "{}", answer.text);
    desk.agent().get("/api/v1/tickets").ok();
    other.batch_execute("ROLLBACK").unwrap();
    desk.agent().with("Idempotency-Key", "locked").post("/api/v1/tickets", ticket(1)).is(201);
    assert_eq!(desk.agent().get("/api/v1/tickets").ok()["items"].as_array().map(Vec::len), Some(1));
}

/// The binary on `folder`; with a limit, no file of it can grow past so many KiB.
fn serve(folder: &Path, limit_kib: Option<u32>) -> (Child, String, Option<String>) {
    let binary = env!("CARGO_BIN_EXE_deskbell");
    let limit = limit_kib.map_or(String::new(), |kib| format!("trap '' XFSZ; ulimit -S -f {kib};"));
    let mut command = process::command("bash", "KILL", None);
    command
        .args(["-c", &format!("{limit} exec {binary} serve")])
        .current_dir(folder)
        .env("DESKBELL_SERVER_LISTEN", "127.0.0.1:0")
        .env_remove("DESKBELL_TEST_PYTHON")
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = process::start(command).unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut token = None;
    let base = said.find_map(|line| {
        token = token.take().or(line.strip_prefix("Admin token, shown this once: ").map(str::to_owned));
        line.strip_prefix("Deskbell listens on ").and_then(|rest| rest.split("/ ").next().map(str::to_owned))
    });
    (child, base.expect("the server starts"), token)
}

fn a_full_disk_is_a_503_and_loses_nothing_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, base, token) = serve(folder.path(), Some(4_000));
    let token = token.expect("a first start prints the admin's token");
    let client = Client::new(&client::agent(), &base, Some(&token), &std::sync::Arc::new(true.into()));
    let mut acknowledged = Vec::new();
    let mut refused = 0;
    for number in 0..1_500 {
        let answer = client.post("/api/v1/tickets", ticket(number));
        match answer.status {
            201 => acknowledged.push(answer.id()),
            _ => {
                answer.refused(503, "unavailable");
                refused += 1;
            }
        }
        if refused >= 5 {
            break;
        }
    }
    assert!(acknowledged.len() > 20 && refused >= 5, "{} acknowledged, {refused} refused", acknowledged.len());
    client.get(&format!("/api/v1/tickets/{}", acknowledged[0])).ok();
    // There is room again: the same process goes on writing.
    let room = Command::new("prlimit").args(["--pid", &child.id().to_string(), "--fsize=unlimited:unlimited"]).status();
    assert!(room.unwrap().success(), "prlimit is part of Debian's util-linux");
    let again = || client.post("/api/v1/tickets", ticket(0)).status == 201;
    process::wait_for(std::time::Duration::from_secs(10), again).expect("the writer recovers without a restart");
    process::stop(&mut child, "KILL");
    let (mut child, base, _) = serve(folder.path(), None);
    let client = Client::new(&client::agent(), &base, Some(&token), &std::sync::Arc::default());
    for id in &acknowledged {
        client.get(&format!("/api/v1/tickets/{id}")).ok();
    }
    client.post("/api/v1/tickets", ticket(0)).is(201);
    process::stop(&mut child, "TERM");
}
