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
pub const PLAIN: &[Test] =
    plain![a_full_disk_is_a_503_and_loses_nothing_acknowledged, a_full_tmpfs_is_a_503_and_loses_nothing_acknowledged,];

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

/// How much room the desk's files have.
#[derive(Clone, Copy, PartialEq)]
pub enum Room {
    /// All that there is.
    Plenty,
    /// No file can grow past so many KiB.
    PerFile(u32),
    /// They are on a disk of their own, of so many MiB, in memory.
    Disk(u32),
}

/// What runs a command where it may mount: as root in a namespace of its own, else as root of one of the user's own.
fn namespace() -> Option<&'static [&'static str]> {
    let ways: [&[&str]; 2] = [&["unshare", "--mount"], &["unshare", "--user", "--map-root-user", "--mount"]];
    ways.into_iter().find(|way| {
        let tried = Command::new(way[0]).args(&way[1..]).args(["mount", "-t", "tmpfs", "none", "/mnt"]).output();
        tried.is_ok_and(|tried| tried.status.success())
    })
}

/// The binary on `folder`.
pub fn serve(folder: &Path, room: Room) -> (Child, String, Option<String>) {
    serve_on(folder, room, None)
}

/// The binary on `folder` and another database than SQLite.
pub fn serve_on(folder: &Path, room: Room, database: Option<&str>) -> (Child, String, Option<String>) {
    let binary = env!("CARGO_BIN_EXE_deskbell");
    let script = match room {
        Room::Plenty => format!("exec {binary} serve"),
        Room::PerFile(kib) => format!("trap '' XFSZ; ulimit -S -f {kib}; exec {binary} serve"),
        Room::Disk(mib) => {
            let way = namespace().expect("asked before").join(" ");
            let mount = format!("mkdir -p data; mount -t tmpfs -o size={mib}m none data; exec {binary} serve");
            format!("exec {way} bash -c '{mount}'")
        }
    };
    let mut command = process::command("bash", "KILL", None);
    command
        .args(["-c", &script])
        .current_dir(folder)
        .env("DESKBELL_SERVER_LISTEN", "127.0.0.1:0")
        .env("DESKBELL_SERVER_RATE_PER_MINUTE", "0")
        .env_remove("DESKBELL_TEST_PYTHON")
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    if let Some(url) = database {
        command.env("DESKBELL_DATABASE_URL", url);
    }
    let mut child = process::start(command).unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut token = None;
    let base = said.find_map(|line| {
        token = token.take().or(line.strip_prefix("Admin token, shown this once: ").map(str::to_owned));
        line.strip_prefix("Deskbell listens on ").and_then(|rest| rest.split("/ ").next().map(str::to_owned))
    });
    (child, base.expect("the server starts"), token)
}

/// There is room again, while the desk runs.
fn make_room(child: &Child, room: Room, folder: &Path) {
    let pid = child.id().to_string();
    let made = match room {
        Room::Plenty => return,
        Room::PerFile(_) => Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited:unlimited"]).status(),
        Room::Disk(mib) => Command::new("nsenter")
            .args(["--target", &pid, "--mount"])
            .args(namespace().filter(|way| way.contains(&"--user")).map_or(&[][..], |_| &["--user", "--preserve-credentials"]))
            .args(["mount", "-o"])
            .arg(format!("remount,size={}m", mib * 10))
            .arg(folder.join("data"))
            .status(),
    };
    assert!(made.unwrap().success(), "prlimit and nsenter are part of Debian's util-linux");
}

/// Kills the desk and keeps its files as they are at that moment, also where its disk goes with it.
fn kill(child: &mut Child, room: Room, folder: &Path) {
    if let Room::Disk(_) = room {
        process::signal(child, "STOP");
        let seen = format!("/proc/{}/root{}/data", child.id(), folder.display());
        let copied = Command::new("cp").args(["-a", "--no-target-directory", &seen]).arg(folder.join("data")).status();
        assert!(copied.unwrap().success(), "{seen}");
    }
    let _ = child.kill();
    let _ = child.wait();
}

fn a_full_disk_is_a_503_and_loses_nothing_acknowledged() {
    full(Room::PerFile(4_000));
}

/// As above, with the whole disk full: nothing at all can be written.
fn a_full_tmpfs_is_a_503_and_loses_nothing_acknowledged() {
    if namespace().is_none() {
        // Nothing may be mounted here. A limit on each file is the nearest thing; it is not skipped.
        eprintln!("no tmpfs can be mounted here: the files are limited instead");
        return full(Room::PerFile(3_000));
    }
    full(Room::Disk(8));
}

fn full(room: Room) {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, base, token) = serve(folder.path(), room);
    let token = token.expect("a first start prints the admin's token");
    let client = Client::new(&client::agent(), &base, Some(&token), &std::sync::Arc::new(true.into()));
    let mut acknowledged = Vec::new();
    let mut refused = 0;
    for number in 0..3_000 {
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
    make_room(&child, room, folder.path());
    // The same process goes on writing.
    let again = || {
        let answer = client.post("/api/v1/tickets", ticket(0));
        (answer.status == 201).then(|| acknowledged.push(answer.id())).is_some()
    };
    process::wait_for(std::time::Duration::from_secs(10), again).expect("the writer recovers without a restart");
    kill(&mut child, room, folder.path());
    let (mut child, base, _) = serve(folder.path(), Room::Plenty);
    let client = Client::new(&client::agent(), &base, Some(&token), &std::sync::Arc::default());
    for id in &acknowledged {
        client.get(&format!("/api/v1/tickets/{id}")).ok();
    }
    client.post("/api/v1/tickets", ticket(0)).is(201);
    process::stop(&mut child, "TERM");
}
