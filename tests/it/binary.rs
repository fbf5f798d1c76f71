//! The real binary in processes of its own: its commands, and a server that is stopped or killed.
use crate::support::client::{Client, agent};
use crate::support::{process, servers};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Whatever a test waits for has happened within so long.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Outputs of this run, each with a file of its own.
static OUTPUTS: AtomicUsize = AtomicUsize::new(1);

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub out: String,
    /// What it complained about.
    pub err: String,
}

/// The binary with its settings; the environment of the run is kept away from it.
#[derive(Clone)]
pub struct Binary {
    folder: PathBuf,
    settings: Vec<(String, String)>,
}

fn variable(setting: &str) -> String {
    format!("DESKBELL_{}", setting.replace('.', "_").to_uppercase())
}

/// Waits until something holds.
#[track_caller]
pub fn until(what: &str, holds: impl FnMut() -> bool) {
    assert!(process::wait_for(PATIENCE, holds).is_ok(), "in {PATIENCE:?} this did not come true: {what}");
}

impl Binary {
    /// A desk whose data is in `folder/data`, on SQLite, that listens on a free port and logs warnings.
    pub fn in_folder(folder: &Path) -> Self {
        let desk = Self { folder: folder.to_owned(), settings: Vec::new() };
        desk.with("server.listen", "127.0.0.1:0")
            .with("database.data_dir", folder.join("data").to_string_lossy())
            .with("log.level", "warn")
    }

    /// With one setting more.
    pub fn with(mut self, setting: &str, value: impl ToString) -> Self {
        self.settings.push((variable(setting), value.to_string()));
        self
    }

    /// With a variable of the environment that is no setting.
    pub fn with_variable(mut self, name: &str, value: impl ToString) -> Self {
        self.settings.push((name.to_owned(), value.to_string()));
        self
    }

    /// Its settings as variables.
    pub fn environment(&self) -> Vec<(String, String)> {
        self.settings.clone()
    }

    /// Where its data is.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn start(&self, arguments: &[&str]) -> (Child, PathBuf, PathBuf) {
        let mut command: Command = process::command(env!("CARGO_BIN_EXE_deskbell"), "KILL", None);
        let number = OUTPUTS.fetch_add(1, Ordering::Relaxed);
        let [out, err] = ["out", "err"].map(|kind| self.folder.join(format!("{number}.{kind}")));
        command.args(arguments).env_clear().envs(self.settings.clone());
        command.env("PATH", servers::variable("PATH").unwrap_or_default()).current_dir(&self.folder);
        command.stdin(Stdio::null()).stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap());
        (process::start(command).unwrap(), out, err)
    }

    /// Runs a command to its end.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Ended {
        let (mut child, out, err) = self.start(arguments);
        let ended = process::wait_for(PATIENCE, || matches!(child.try_wait(), Ok(Some(_))));
        process::stop(&mut child, "KILL");
        assert!(ended.is_ok(), "deskbell {} does not end", arguments.join(" "));
        let read = |path: PathBuf| std::fs::read_to_string(path).unwrap();
        Ended { code: child.wait().unwrap().code(), out: read(out), err: read(err) }
    }

    /// Starts the server and waits until it listens.
    #[track_caller]
    pub fn serve(&self) -> Server {
        let (mut child, out, err) = self.start(&["serve"]);
        let (mut base, mut printed) = (None, String::new());
        let listens = process::wait_for(PATIENCE, || {
            printed = std::fs::read_to_string(&out).unwrap_or_default();
            let line = printed.lines().find_map(|line| line.strip_prefix("Deskbell listens on "));
            base = line.and_then(|line| line.split_once("/ (").map(|(base, _)| base.to_owned()));
            base.is_some() || !matches!(child.try_wait(), Ok(None))
        });
        let Some(base) = base.filter(|_| listens.is_ok()) else {
            process::stop(&mut child, "KILL");
            panic!("the server does not start: {printed}{}", std::fs::read_to_string(err).unwrap_or_default());
        };
        let secret = printed.lines().find_map(|line| line.strip_prefix("Admin token, shown this once: ")).map(str::to_owned);
        Server { base, first_secret: secret, child, err }
    }
}

/// A running server; it is killed when it goes.
pub struct Server {
    /// `http://127.0.0.1:<port>`.
    pub base: String,
    /// The token that a first start prints.
    pub first_secret: Option<String>,
    child: Child,
    err: PathBuf,
}

impl Server {
    /// A client with this token.
    pub fn client(&self, token: &str) -> Client {
        Client::new(&agent(), &self.base, Some(token), &Arc::default())
    }

    /// The status of a GET without a token, whatever it is; 0 where no answer comes.
    pub fn probe(&self, path: &str) -> u16 {
        agent().get(format!("{}{path}", self.base)).call().map_or(0, |answer| answer.status().as_u16())
    }

    /// `127.0.0.1:<port>`.
    pub fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        process::signal(&self.child, name);
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// What it logged so far.
    pub fn logged(&self) -> String {
        std::fs::read_to_string(&self.err).unwrap_or_default()
    }

    /// Kills it in whatever it is doing, and waits until it is gone.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end; gives its exit code and what it logged.
    #[track_caller]
    pub fn end(mut self) -> (Option<i32>, String) {
        until("the server ends", || !self.is_running());
        (self.child.wait().unwrap().code(), std::fs::read_to_string(&self.err).unwrap())
    }

    /// Stops it as an operator does.
    #[track_caller]
    pub fn stop(self) {
        self.signal("TERM");
        let (code, log) = self.end();
        assert!(code == Some(0) && !log.contains("panicked"), "{code:?}: {log}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        process::stop(&mut self.child, "KILL");
    }
}
