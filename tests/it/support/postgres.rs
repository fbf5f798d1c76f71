//! A PostgreSQL server of the run's own: in a temporary folder, on a free loopback port, without fsync.
use super::process;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use std::fs::File;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tempfile::TempDir;

/// A server that is not ready after so long never will be.
const PATIENCE: Duration = Duration::from_secs(60);
/// Another program may take the free port first; then another one is tried.
const TRIES: usize = 5;
const SETTINGS: [&str; 10] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    "fsync=off",
    "full_page_writes=off",
    "autovacuum=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "jit=off",
    "lc_messages=C",
];

/// The running server.
pub struct Postgres {
    server: Child,
    port: u16,
    admin: Mutex<PgConnection>,
    _folder: TempDir,
}

/// The newest of the installed versions.
pub(crate) fn programs() -> Result<PathBuf, String> {
    let version = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse::<f64>().ok()).unwrap_or(0.0);
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path()).filter(|path| path.join("bin/initdb").exists()).collect())
        .unwrap_or_default();
    found.sort_by(|a, b| version(a).total_cmp(&version(b)));
    found.pop().map(|path| path.join("bin")).ok_or_else(|| "PostgreSQL is not installed: run `bash tests/run.sh`".to_owned())
}

/// PostgreSQL refuses to run as root; then it runs as the user that its package made.
pub(crate) fn user() -> Option<&'static str> {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0).then_some("postgres")
}

pub(crate) fn own(folder: &TempDir, user: &str) -> Result<(), String> {
    let id = Command::new("id").args(["-u", user]).output().map_err(|error| error.to_string())?;
    let id: u32 = String::from_utf8_lossy(&id.stdout).trim().parse().map_err(|_| format!("there is no user {user}"))?;
    std::os::unix::fs::chown(folder.path(), Some(id), None).map_err(|error| error.to_string())
}

impl Postgres {
    /// Makes a cluster and starts it.
    pub fn start() -> Result<Self, String> {
        let programs = programs()?;
        let folder = tempfile::Builder::new().prefix("deskbell-postgres-").tempdir().map_err(|error| error.to_string())?;
        if let Some(user) = user() {
            own(&folder, user)?;
        }
        let mut initdb = process::command(programs.join("initdb"), "KILL", user());
        initdb
            .args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "--no-sync", "-D"])
            .arg(folder.path().join("data"));
        let made = initdb.current_dir(folder.path()).output().map_err(|error| format!("initdb: {error}"))?;
        if !made.status.success() {
            return Err(format!("initdb failed: {}", String::from_utf8_lossy(&made.stderr)));
        }
        let mut failure = String::new();
        for _ in 0..TRIES {
            let port =
                TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).map_err(|error| error.to_string())?.port();
            let log = folder.path().join("log");
            let output = File::create(&log).map_err(|error| error.to_string())?;
            let mut command = process::command(programs.join("postgres"), "INT", user());
            command.arg("-D").arg(folder.path().join("data")).arg("-p").arg(port.to_string());
            for setting in SETTINGS {
                command.arg("-c").arg(setting);
            }
            command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(output);
            let mut server = process::start(command)?;
            match admin(&mut server, port) {
                Some(admin) => return Ok(Self { server, port, admin: Mutex::new(admin), _folder: folder }),
                None => {
                    process::stop(&mut server, "INT");
                    failure = std::fs::read_to_string(&log).unwrap_or_default();
                }
            }
        }
        Err(format!("PostgreSQL does not start: {failure}"))
    }

    /// The address of one of its databases.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes an empty database, or a copy of `template`.
    pub fn create(&self, database: &str, template: Option<&str>) {
        let template = template.unwrap_or("template0");
        self.run(&format!("CREATE DATABASE {database} TEMPLATE {template} STRATEGY {}", "WAL_LOG"));
    }

    /// Drops a database, whoever is still connected.
    pub fn drop_database(&self, database: &str) {
        self.run(&format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"));
    }

    /// Ends all connections to a database, as a failing network does.
    pub fn disconnect_all(&self, database: &str) {
        self.run(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"));
    }

    fn run(&self, sql: &str) {
        let mut admin = self.admin.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = admin.batch_execute(sql) {
            panic!("{sql}: {error}");
        }
    }
}

pub(crate) fn admin(server: &mut Child, port: u16) -> Option<PgConnection> {
    let mut admin = None;
    let waited = process::wait_for(PATIENCE, || {
        admin = PgConnection::establish(&format!("postgres://postgres@127.0.0.1:{port}/postgres")).ok();
        admin.is_some() || !matches!(server.try_wait(), Ok(None))
    });
    waited.ok().and(admin)
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGINT is PostgreSQL's fast stop.
        process::stop(&mut self.server, "INT");
    }
}
