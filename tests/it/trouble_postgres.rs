//! PostgreSQL on a full disk: 503 that says so, nothing acknowledged is lost, and the same processes go on when there is room.
use crate::support::client::Client;
use crate::support::postgres::{admin, own, programs, user};
use crate::support::{Test, plain, process};
use crate::trouble::{Room, serve_on};
use diesel::PgConnection;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use serde_json::{Value, json};
use std::fs::File;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Tests of this file.
pub const TESTS: &[Test] = plain![a_full_disk_under_postgresql_is_a_503_and_loses_nothing_acknowledged];

/// What the tables may grow to, before and after there is room, in MiB. A new cluster takes about 40.
const DISK: (u32, u32) = (56, 400);
/// What files may grow to where nothing can be mounted, in KiB.
const FILE_KIB: u32 = 2_500;

/// A cluster whose tables are on a small disk of their own; its log of writes is elsewhere, as on a server that is cared for.
struct Full {
    folder: TempDir,
    port: u16,
    server: Child,
    is_mounted: bool,
}

fn ticket(number: usize) -> Value {
    json!({ "channel": "email", "subject": format!("{number}"), "body": "x".repeat(20_000), "from": { "email": "ana@nordwind.example" } })
}

impl Full {
    fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("deskbell-full-").tempdir().unwrap();
        let runs_as = user().map(|user| {
            own(&folder, user).unwrap();
            format!("setpriv --reuid={user} --regid=$(id -g {user}) --init-groups --")
        });
        // PostgreSQL does not run as root: only root itself can mount for another user.
        let may_mount = Command::new("unshare").args(["--mount", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
        let is_mounted = runs_as.is_some() && may_mount.is_ok_and(|tried| tried.status.success());
        let (place, way) = if is_mounted {
            let owner = user().unwrap_or_default();
            (format!("mkdir data; mount -t tmpfs -o size={}m none data; chown {owner} data", DISK.0), "unshare --mount ")
        } else {
            eprintln!("no tmpfs can be mounted here: the files are limited instead");
            (format!("mkdir data; {}", user().map_or(String::new(), |user| format!("chown {user} data"))), "")
        };
        let limit = if is_mounted { String::new() } else { format!("trap '' XFSZ; ulimit -S -f {FILE_KIB};") };
        let (programs, runs_as) = (programs().unwrap(), runs_as.unwrap_or_default());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let script = format!(
            "set -e; {place}; {runs_as} {bin}/initdb -A trust -U postgres -E UTF8 --no-locale --wal-segsize=1 --waldir=$PWD/wal -D data/pg; \
             {limit} exec {runs_as} {bin}/postgres -D data/pg -p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
             -c lc_messages=C -c jit=off -c autovacuum=off",
            bin = programs.display(),
        );
        let log = folder.path().join("log");
        let output = File::create(&log).unwrap();
        let mut command = process::command("bash", "QUIT", None);
        command.arg("-c").arg(format!("exec {way}bash -c '{script}'")).current_dir(folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(output);
        let mut server = process::start(command).unwrap();
        let is_up = admin(&mut server, port).is_some();
        let full = Self { folder, port, server, is_mounted };
        assert!(is_up, "PostgreSQL does not start: {}", full.logged());
        full
    }

    fn logged(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/desk", self.port)
    }

    /// There is room again, under the same server.
    fn make_room(&self) {
        let pid = self.server.id().to_string();
        let made = if self.is_mounted {
            let mut remount = Command::new("nsenter");
            remount.args(["--target", &pid, "--mount", "mount", "-o"]).arg(format!("remount,size={}m", DISK.1));
            remount.arg(self.folder.path().join("data")).status()
        } else {
            // Every process of the server has a limit of its own; those of new connections have the first one's.
            let listed = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
            let free = |pid: &str| Command::new("prlimit").args(["--pid", pid, "--fsize=unlimited:unlimited"]).status();
            for child in listed.split_whitespace() {
                // It may have ended meanwhile.
                let _ = free(child);
            }
            free(&pid)
        };
        assert!(made.unwrap().success(), "prlimit and nsenter are part of Debian's util-linux");
    }
}

impl Drop for Full {
    fn drop(&mut self) {
        process::stop(&mut self.server, "INT");
    }
}

fn a_full_disk_under_postgresql_is_a_503_and_loses_nothing_acknowledged() {
    let full = Full::start();
    PgConnection::establish(&full.url().replace("/desk", "/postgres")).unwrap().batch_execute("CREATE DATABASE desk").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (mut child, base, token) = serve_on(folder.path(), Room::Plenty, Some(&full.url()));
    let token = token.expect("a first start prints the admin's token");
    let client = Client::new(&crate::support::client::agent(), &base, Some(&token), &std::sync::Arc::new(true.into()));
    let (mut acknowledged, mut refused) = (Vec::new(), 0);
    for number in 0..10_000 {
        let keyed = client.with("Idempotency-Key", format!("n{number}"));
        let answer = keyed.post("/api/v1/tickets", ticket(number));
        match answer.status {
            201 => acknowledged.push((answer.id(), number)),
            _ => {
                answer.refused(503, "unavailable");
                assert!(answer.header("retry-after").is_some());
                refused += 1;
            }
        }
        if refused >= 5 {
            break;
        }
    }
    assert!(acknowledged.len() > 20 && refused >= 5, "{} acknowledged, {refused} refused", acknowledged.len());
    // What is there can be read meanwhile.
    client.get(&format!("/api/v1/tickets/{}", acknowledged[0].0)).ok();
    full.make_room();
    let again = || {
        let keyed = client.with("Idempotency-Key", "again");
        let answer = keyed.post("/api/v1/tickets", ticket(0));
        (answer.status == 201).then(|| acknowledged.push((answer.id(), 0))).is_some()
    };
    process::wait_for(Duration::from_secs(20), again).expect("the same processes recover without a restart");
    for (id, number) in &acknowledged {
        let kept = client.get(&format!("/api/v1/tickets/{id}")).ok();
        assert_eq!(kept["messages"][0]["body"].as_str().map(str::len), Some(20_000), "{number}");
    }
    // What was refused was not written: each key makes one ticket, however often it is sent.
    let mut conn = PgConnection::establish(&full.url()).unwrap();
    let stored: i64 = deskbell::db::schema::tickets::table.count().get_result(&mut conn).unwrap();
    assert_eq!(stored, acknowledged.len() as i64, "nothing is half-written");
    drop(conn);
    process::stop(&mut child, "TERM");
}
