//! The machine's clock steps by an hour, forward and back, under the real binary: nothing is lost, doubled or stuck.
use crate::binary::{Binary, Server, until};
use crate::load::{Load, TICKETS, check, drain, quick, text};
use crate::support::given::{email_ticket, path};
use crate::support::{Desk, Test, plain, servers, tests};
use chrono::{DateTime, TimeDelta, Utc};
use deskbell::db::Conn;
use deskbell::ids::JobId;
use deskbell::jobs::queue;
use serde_json::{Value, json};
use std::path::PathBuf;
use tempfile::TempDir;

/// Tests of this file.
pub const TESTS: &[Test] = plain![a_clock_that_steps_breaks_nothing_on_sqlite, a_clock_that_steps_breaks_nothing_on_postgresql];

/// Those with a clock that the test moves.
pub const MOVED: &[Test] = tests![a_worker_takes_no_job_from_itself];

const WRITERS: usize = 4;

/// A clock that steps past a lease lets others take the job, and never its own worker while it runs.
fn a_worker_takes_no_job_from_itself(desk: &Desk) {
    let mailed = email_ticket(desk, "ana@nordwind.example");
    desk.agent().post(&path(&mailed, "/replies"), json!({ "body": "Hello." })).ok();
    let mut conn = Conn::open(desk.app().db.url()).unwrap();
    let (now, lease) = (desk.now(), TimeDelta::seconds(10));
    let mut claim = |at: DateTime<Utc>, busy: &[JobId]| queue::claim(&mut conn, at, at + lease, 4, busy).unwrap();
    let own = claim(now, &[]);
    assert_eq!(own.len(), 1);
    assert!(claim(now + TimeDelta::seconds(9), &[]).is_empty(), "its lease holds");
    let stepped = now + TimeDelta::hours(1);
    assert!(claim(stepped, &[own[0].id]).is_empty(), "it runs still");
    let others = claim(stepped, &[]);
    assert_eq!((others[0].id, others[0].attempts), (own[0].id, 2), "another node takes it");
    desk.jump(stepped + TimeDelta::minutes(1));
    assert_eq!(desk.mails().len(), 1);
}

/// Debian's libfaketime, which `tests/run.sh` installs.
fn library() -> PathBuf {
    let found = std::fs::read_dir("/usr/lib").unwrap().flatten().map(|entry| entry.path().join("faketime/libfaketime.so.1"));
    found.into_iter().find(|path| path.exists()).expect("libfaketime is not installed: run `bash tests/run.sh`, it installs it")
}

/// A desk whose clock says what a file says.
struct Stepping {
    desk: Binary,
    file: PathBuf,
}

impl Stepping {
    fn on(folder: &TempDir, domain: &str, desk: Binary) -> Self {
        let file = folder.path().join("clock");
        let stepping = Self { desk, file };
        stepping.set(0);
        let with = |desk: Binary| {
            desk.with_variable("LD_PRELOAD", library().display())
                .with_variable("FAKETIME_TIMESTAMP_FILE", stepping.file.display())
                .with_variable("FAKETIME_NO_CACHE", "1")
                // A step changes the time of day; what measures durations goes on, as on a real machine.
                .with_variable("FAKETIME_DONT_FAKE_MONOTONIC", "1")
                .with_variable("DONT_FAKE_MONOTONIC", "1")
        };
        let desk = with(quick(stepping.desk.clone(), domain));
        Self { desk, ..stepping }
    }

    /// The clock is so many minutes ahead of the machine's from now on.
    fn set(&self, minutes: i64) {
        let part = self.file.with_extension("part");
        std::fs::write(&part, format!("{:+}\n", minutes * 60)).unwrap();
        std::fs::rename(part, &self.file).unwrap();
    }
}

fn ticket(server: &Server, secret: &str, channel: &str, from: &str) -> Value {
    let ticket = json!({ "channel": channel, "subject": "Step", "body": "x", "from": { "phone": from } });
    server.client(secret).post(TICKETS, ticket).ok()
}

fn get(server: &Server, secret: &str, ticket: &Value) -> Value {
    server.client(secret).get(&format!("{TICKETS}/{}", text(&ticket["id"]))).ok()
}

fn clock_of(server: &Server, secret: &str, ticket: &Value) -> Value {
    get(server, secret, ticket)["clocks"][0].clone()
}

fn instant(value: &Value) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text(value)).unwrap().to_utc()
}

/// A promise of half an hour for chats.
fn promise(server: &Server, secret: &str) {
    let target = json!({ "metric": "first_response", "seconds": 1_800, "mode": "always", "warn_percent": 50 });
    let definition = json!({ "match": { "channels": ["chat"] }, "targets": [target] });
    let policy = json!({ "name": "Half an hour", "position": 1, "is_active": true, "definition": definition });
    server.client(secret).post("/api/v1/policies", policy).ok();
}

fn a_clock_that_steps_breaks_nothing(folder: &TempDir, domain: &str, desk: Binary) {
    let clock = Stepping::on(folder, domain, desk);
    let server = clock.desk.serve();
    let secret = server.first_secret.clone().unwrap();
    promise(&server, &secret);
    let early = ticket(&server, &secret, "chat", "+4930111111");
    let load = Load::on(std::slice::from_ref(&server), secret.clone());
    load.during(WRITERS, || {
        load.more(80);
        // Forward: what falls due in the hour that never was is written with its exact instant.
        clock.set(60);
        load.more(80);
        until("the promise is broken", || clock_of(&server, &secret, &early)["breached_at"].is_string());
        let broken = clock_of(&server, &secret, &early);
        assert_eq!(broken["breached_at"], broken["due_at"], "{broken}");
        until("worker and alarm are at work", || server.probe("/readyz") == 200);
        let late = ticket(&server, &secret, "chat", "+4930222222");
        let made_at = instant(&late["received_at"]);
        let ahead = made_at - instant(&early["received_at"]);
        assert!(ahead > TimeDelta::minutes(59), "the desk's clock was not moved: {ahead}");
        // And back: what was broken stays so, nothing rings early, and what was made an hour from now can be worked on.
        clock.set(0);
        load.more(80);
        until("worker and alarm are at work", || server.probe("/readyz") == 200);
        assert_eq!(clock_of(&server, &secret, &early), broken, "a breach is never unmade");
        let standing = clock_of(&server, &secret, &late);
        assert_eq!((&standing["verdict"], &standing["breached_at"]), (&json!("running"), &Value::Null), "{standing}");
        let path = format!("{TICKETS}/{}", text(&late["id"]));
        let client = server.client(&secret);
        client.post(&format!("{path}/replies"), json!({ "body": "Here." })).ok();
        let answered = clock_of(&server, &secret, &late);
        assert_eq!((&answered["verdict"], &answered["used_seconds"]), (&json!("met"), &json!(0)), "{answered}");
        client.post(&format!("{path}/closure"), json!({})).ok();
        // And to and fro by more than a lease, while letters are handed over.
        for minutes in [1, -1, 2, -2, 0] {
            clock.set(minutes);
            load.more(20);
        }
        clock.set(60);
        load.more(40);
    });
    drain(&server, &secret);
    check(&server, &load, domain, false);
    server.stop();
    // A restart with the clock an hour back again.
    clock.set(0);
    let server = clock.desk.serve();
    until("it is ready", || server.probe("/readyz") == 200);
    check(&server, &load, domain, false);
    server.stop();
}

fn a_clock_that_steps_breaks_nothing_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    a_clock_that_steps_breaks_nothing(&folder, "clock-sqlite.test", Binary::in_folder(folder.path()));
}

/// A database of its own on the server; dropped at the end, whatever happens.
struct Scratch(&'static str);

impl Drop for Scratch {
    fn drop(&mut self) {
        servers::postgres().drop_database(self.0);
    }
}

fn a_clock_that_steps_breaks_nothing_on_postgresql() {
    let folder = tempfile::tempdir().unwrap();
    servers::postgres().create("clock", None);
    let scratch = Scratch("clock");
    let desk = Binary::in_folder(folder.path()).with("database.url", servers::postgres().url(scratch.0));
    a_clock_that_steps_breaks_nothing(&folder, "clock-postgresql.test", desk);
}
