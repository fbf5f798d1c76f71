//! A PostgreSQL server of the bench's own, with fsync, and `pgbench` beside it; both are reached through its socket, as a server on
//! the same machine is.
use super::Failure;
use super::process::{Running, wait_until};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Full durability is the default; the rest keeps checkpoints from falling into one measurement and not into another.
const SETTINGS: [&str; 8] = [
    "listen_addresses=",
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    "shared_buffers=512MB",
    "max_wal_size=8GB",
    "checkpoint_timeout=30min",
    "lc_messages=C",
];

/// The running server.
pub struct Postgres {
    programs: PathBuf,
    _process: Running,
    folder: TempDir,
}

/// The newest of the installed versions that has all programs.
fn programs() -> Result<PathBuf, Failure> {
    let version = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse::<f64>().ok()).unwrap_or(0.0);
    let has_all = |path: &PathBuf| ["initdb", "postgres", "pgbench"].iter().all(|name| path.join("bin").join(name).exists());
    let found = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path());
    found
        .filter(has_all)
        .max_by(|a, b| version(a).total_cmp(&version(b)))
        .map(|path| path.join("bin"))
        .ok_or_else(|| "PostgreSQL with pgbench is not there: install postgresql and postgresql-contrib".into())
}

/// PostgreSQL refuses to run as root; then it runs as the user that its package made.
fn as_postgres(program: &Path) -> Command {
    if std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() != 0) {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--pdeathsig=INT", "--"]).arg(program);
    command
}

fn url(folder: &Path, database: &str) -> String {
    format!("postgres://postgres@{}/{database}", folder.to_string_lossy().replace('/', "%2F"))
}

impl Postgres {
    /// Makes a cluster and starts it.
    pub fn start() -> Result<Self, Failure> {
        let programs = programs()?;
        let folder = tempfile::Builder::new().prefix("deskbell-bench-postgres-").tempdir()?;
        let handed = Command::new("chown").arg("postgres").arg(folder.path()).status();
        let mut initdb = as_postgres(&programs.join("initdb"));
        initdb.args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "-D"]).arg(folder.path().join("data"));
        let made = initdb.current_dir(folder.path()).output()?;
        if !made.status.success() {
            return Err(format!("initdb failed ({handed:?}): {}", String::from_utf8_lossy(&made.stderr)).into());
        }
        let mut command = as_postgres(&programs.join("postgres"));
        command.arg("-D").arg(folder.path().join("data")).arg("-k").arg(folder.path());
        for setting in SETTINGS {
            command.arg("-c").arg(setting);
        }
        let log = folder.path().join("log");
        command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?);
        let mut process = Running::new(command.spawn()?, "INT");
        let address = url(folder.path(), "postgres");
        wait_until(|| PgConnection::establish(&address).is_ok() || !process.is_alive())?;
        if !process.is_alive() {
            return Err(format!("PostgreSQL does not start: {}", std::fs::read_to_string(&log)?).into());
        }
        Ok(Self { programs, _process: process, folder })
    }

    /// The address of one of its databases.
    pub fn url(&self, database: &str) -> String {
        url(self.folder.path(), database)
    }

    /// Makes a database, empty or as a copy of another that nobody is connected to.
    pub fn create(&self, database: &str, copy_of: Option<&str>) -> Result<String, Failure> {
        self.run(&format!("CREATE DATABASE {database} TEMPLATE {}", copy_of.unwrap_or("template0")))?;
        Ok(self.url(database))
    }

    /// Drops a database and writes everything down, so that the next one starts alike.
    pub fn drop_database(&self, database: &str) -> Result<(), Failure> {
        self.run(&format!("DROP DATABASE {database} WITH (FORCE)"))?;
        self.run("CHECKPOINT")
    }

    /// Runs a statement outside of any of the databases.
    pub fn run(&self, sql: &str) -> Result<(), Failure> {
        Ok(PgConnection::establish(&self.url("postgres"))?.batch_execute(sql)?)
    }

    /// Runs a script with `pgbench` and prepared statements; transactions a second.
    /// `span` is `-T seconds` or `-t transactions` of each client.
    pub fn pgbench(&self, database: &str, script: &str, clients: u32, span: (&str, u64)) -> Result<f64, Failure> {
        let file = self.folder.path().join("script.sql");
        std::fs::write(&file, script)?;
        let mut command = Command::new(self.programs.join("pgbench"));
        command.args(["-n", "-M", "prepared", "-j", "2", "-D", "n=0", "-U", "postgres"]);
        command.arg("-h").arg(self.folder.path()).arg("-c").arg(clients.to_string());
        command.arg(span.0).arg(span.1.to_string()).arg("-f").arg(&file).arg(database);
        let done = command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C").output()?;
        let text = String::from_utf8_lossy(&done.stdout);
        let per_second = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse::<f64>().ok());
        let failed = text.lines().any(|line| line.starts_with("number of failed") && !line.contains(": 0 ("));
        match per_second {
            Some(per_second) if done.status.success() && !failed => Ok(per_second),
            _ => Err(format!("pgbench failed: {text}{}", String::from_utf8_lossy(&done.stderr)).into()),
        }
    }
}
