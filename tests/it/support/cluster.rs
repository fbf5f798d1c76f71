//! PostgreSQL servers of one test's own, as they are shipped: they can be stopped, killed, started again, copied to a
//! standby and promoted.
use super::postgres::{admin, own, programs, user};
use super::process;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use std::fs::File;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Whatever is waited for has happened within so long.
const PATIENCE: Duration = Duration::from_secs(60);
const SETTINGS: [&str; 7] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "wal_level=replica",
    "max_wal_senders=4",
    "autovacuum=off",
    "jit=off",
    "lc_messages=C",
];

/// A server and its files; it is killed when it goes.
pub struct Cluster {
    folder: TempDir,
    port: u16,
    server: Option<Child>,
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    is_so: bool,
}

/// A folder that PostgreSQL may write to, and a port that was free a moment ago.
fn place() -> (TempDir, u16) {
    let folder = tempfile::Builder::new().prefix("deskbell-cluster-").tempdir().unwrap();
    if let Some(user) = user() {
        own(&folder, user).unwrap();
    }
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    (folder, port)
}

#[track_caller]
fn done(mut command: Command, what: &str) {
    let ended = command.output().unwrap();
    assert!(ended.status.success(), "{what}: {}", String::from_utf8_lossy(&ended.stderr));
}

impl Cluster {
    /// A new one, running.
    #[track_caller]
    pub fn start() -> Self {
        let (folder, port) = place();
        let mut initdb = process::command(programs().unwrap().join("initdb"), "KILL", user());
        initdb.args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "--no-sync", "-D"]);
        initdb.arg(folder.path().join("data")).current_dir(folder.path());
        done(initdb, "initdb");
        let mut cluster = Self { folder, port, server: None };
        cluster.resume();
        cluster
    }

    /// A standby that follows this one.
    #[track_caller]
    pub fn standby(&self) -> Self {
        let (folder, port) = place();
        let mut copy = process::command(programs().unwrap().join("pg_basebackup"), "KILL", user());
        copy.args(["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync", "--pgdata"]);
        copy.arg(folder.path().join("data")).arg("--dbname").arg(self.url("postgres")).current_dir(folder.path());
        done(copy, "pg_basebackup");
        let mut standby = Self { folder, port, server: None };
        standby.resume();
        standby
    }

    /// Starts it where it stopped, on the same port.
    #[track_caller]
    pub fn resume(&mut self) {
        let log = self.log();
        let output = File::options().create(true).append(true).open(&log).unwrap();
        let mut command = process::command(programs().unwrap().join("postgres"), "QUIT", user());
        command.arg("-D").arg(self.folder.path().join("data")).arg("-p").arg(self.port.to_string());
        for setting in SETTINGS {
            command.arg("-c").arg(setting);
        }
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(output);
        let mut server = process::start(command).unwrap();
        let is_up = admin(&mut server, self.port).is_some();
        self.server = Some(server);
        assert!(is_up, "PostgreSQL does not start: {}", std::fs::read_to_string(log).unwrap_or_default());
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// `127.0.0.1:<port>`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The address of one of its databases.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@{}/{database}", self.address())
    }

    /// Runs SQL on the database `postgres`.
    #[track_caller]
    pub fn run(&self, sql: &str) {
        PgConnection::establish(&self.url("postgres"))
            .unwrap()
            .batch_execute(sql)
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Waits until a condition of SQL holds.
    #[track_caller]
    pub fn wait_until(&self, condition: &str) {
        let mut conn = PgConnection::establish(&self.url("postgres")).unwrap();
        let holds = || diesel::sql_query(format!("SELECT ({condition}) AS is_so")).get_result::<Answer>(&mut conn).unwrap().is_so;
        assert!(process::wait_for(PATIENCE, holds).is_ok(), "in vain waited for {condition}");
    }

    /// Stops it as an operator does who is in a hurry: connections are cut, nothing acknowledged is lost.
    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            process::stop(&mut server, "INT");
        }
    }

    /// Kills all its processes in whatever they are doing.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            let listed = format!("/proc/{0}/task/{0}/children", server.id());
            let children = std::fs::read_to_string(listed).unwrap_or_default();
            let _ = server.kill();
            let _ = server.wait();
            for child in children.split_whitespace() {
                let _ = Command::new("sh").arg("-c").arg(format!("kill -KILL {child}")).stderr(Stdio::null()).status();
            }
        }
    }

    /// Makes a standby the one that takes writes.
    #[track_caller]
    pub fn promote(&self) {
        self.run("SELECT pg_promote(true, 30)");
        self.wait_until("NOT pg_is_in_recovery()");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            process::stop(server, "QUIT");
        }
    }
}
