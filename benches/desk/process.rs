//! Processes that the bench starts: the desk, a bare handler, PostgreSQL. Each is stopped by its own id.
use super::Failure;
use super::load;
use super::seed;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A process that is not ready or not gone after so long never will be.
const PATIENCE: Duration = Duration::from_secs(60);
/// The unit of processor time in `/proc`; Linux never had another for programs.
const TICKS_PER_SECOND: f64 = 100.0;
/// Between two looks at something that is waited for.
const PAUSE: Duration = Duration::from_millis(2);

/// Ends a process by its id when it goes.
pub struct Running {
    child: Child,
    signal: &'static str,
}

impl Running {
    /// Takes care of a process that is to be ended by `signal`.
    pub fn new(child: Child, signal: &'static str) -> Self {
        Self { child, signal }
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Processor seconds used so far.
    pub fn cpu_seconds(&self) -> Result<f64, Failure> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let ticks = after_name.split_whitespace().skip(11).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
        Ok(ticks / TICKS_PER_SECOND)
    }

    /// A figure of `/proc/PID/status` in MB.
    pub fn megabytes(&self, field: &str) -> Result<f64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line =
            status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).ok_or("no such figure in /proc")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1_024.0)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(format!("-{}", self.signal)).arg(self.child.id().to_string()).status();
        let asked = Instant::now();
        while self.is_alive() {
            if asked.elapsed() > PATIENCE {
                let _ = self.child.kill();
                let _ = self.child.wait();
            }
            std::thread::sleep(PAUSE);
        }
    }
}

/// A server that listens.
pub struct Server {
    /// Where.
    pub address: SocketAddr,
    /// Its process.
    pub process: Running,
}

/// Starts a program that says `http://ADDRESS/` in a line of its output.
fn listening(mut command: Command) -> Result<Server, Failure> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().ok_or("no output")?;
    let process = Running::new(child, "TERM");
    for line in BufReader::new(output).lines() {
        let line = line?;
        if let Some(address) = line.split("http://").nth(1).and_then(|rest| rest.split('/').next()) {
            return Ok(Server { address: address.parse()?, process });
        }
    }
    Err("the server ended before it listened".into())
}

/// Where the desk's letters go while it is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Letters {
    /// Into files, as shipped.
    Written,
    /// To a mail server that never answers: they wait.
    Held(SocketAddr),
}

/// Starts the desk's own release binary, as shipped but for the rate limit, on a free port of loopback.
pub fn desk(url: &str, folder: &Path, letters: Letters) -> Result<Server, Failure> {
    desk_with(url, folder, letters, &[])
}

/// The same with more settings.
pub fn desk_with(url: &str, folder: &Path, letters: Letters, more: &[(&str, String)]) -> Result<Server, Failure> {
    let log = File::options().create(true).append(true).open(folder.join("desk.log"))?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_deskbell"));
    command.env_clear().env("PATH", "/usr/bin:/bin").arg("serve").stderr(log).current_dir(folder);
    command.env("DATABASE_URL", url).env("DESKBELL_DATABASE_DATA_DIR", folder.join("data"));
    command.env("DESKBELL_SERVER_LISTEN", "127.0.0.1:0").env("DESKBELL_SERVER_RATE_PER_MINUTE", "0");
    command.env("DESKBELL_SERVER_RATE_PER_MINUTE_PER_ADDRESS", "0");
    command.env("DESKBELL_SERVER_STOP_SECONDS", "1");
    command.envs(more.iter().map(|(name, value)| (name, value)));
    if let Letters::Held(server) = letters {
        command.env("DESKBELL_MAIL_SMTP_HOST", server.ip().to_string()).env("DESKBELL_MAIL_SMTP_PORT", server.port().to_string());
        command.env("DESKBELL_MAIL_SMTP_TLS", "none").env("DESKBELL_MAIL_SMTP_TIMEOUT_SECONDS", "600");
        command.env("DESKBELL_JOBS_LEASE_SECONDS", "3600");
    }
    listening(command)
        .map_err(|error| format!("{error}: {}", std::fs::read_to_string(folder.join("desk.log")).unwrap_or_default()).into())
}

/// Milliseconds from the start of the desk's process to its first 200, with database, worker and alarm ready.
pub fn first_answer(url: &str, folder: &Path) -> Result<f64, Failure> {
    let started = Instant::now();
    let server = desk(url, folder, Letters::Written)?;
    loop {
        let (_, answer) = load::once(server.address, &seed::get("/readyz", 0))?;
        if answer.starts_with("HTTP/1.1 200") {
            return Ok(started.elapsed().as_secs_f64() * 1_000.0);
        }
        if started.elapsed() > PATIENCE {
            return Err(format!("the desk does not become ready: {answer}").into());
        }
        std::thread::sleep(PAUSE);
    }
}

/// Lets this process, and those that it starts, have so many open files; where they are too few it starts itself anew with more.
pub fn with_files(wanted: usize) -> Result<(), Failure> {
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).ok_or("no limit of open files in /proc")?;
    let mut numbers = line.split_whitespace().map(|text| text.parse().unwrap_or(usize::MAX));
    let (soft, hard) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    if soft >= wanted {
        return Ok(());
    }
    if hard < wanted {
        return Err(format!("{wanted} open files are needed, and {hard} are allowed").into());
    }
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -S -n {wanted} && exec \"$0\" \"$@\"")]).arg(std::env::current_exe()?);
    Err(command.args(std::env::args_os().skip(1)).exec().into())
}

/// Starts this program once more as a bare actix server.
pub fn bare() -> Result<Server, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--bare");
    listening(command)
}

/// What a bare actix server is: one route, no state, a small constant answer. Runs until it is ended.
pub fn be_bare() -> Result<(), Failure> {
    use actix_web::{App, HttpResponse, HttpServer, web};
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}/", listener.local_addr()?);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let answer = || async { HttpResponse::Ok().content_type("application/json").body(r#"{"status":"ok"}"#) };
    let server = HttpServer::new(move || App::new().route("/", web::get().to(answer))).workers(threads).listen(listener)?;
    Ok(actix_web::rt::System::new().block_on(server.run())?)
}

/// Waits until something holds.
pub fn wait_until(mut holds: impl FnMut() -> bool) -> Result<(), Failure> {
    let started = Instant::now();
    while !holds() {
        if started.elapsed() > PATIENCE {
            return Err("waited too long".into());
        }
        std::thread::sleep(PAUSE);
    }
    Ok(())
}
