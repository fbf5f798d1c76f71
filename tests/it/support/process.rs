//! Processes that the run starts: each is stopped by its own id, and by the kernel where the run is killed.
use std::io;
use std::process::{Child, Command};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// A process is killed where it does not end by itself within so long.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks at something that is waited for.
const PAUSE: Duration = Duration::from_millis(5);

type Order = (Command, Sender<io::Result<Child>>);

/// A command that the kernel signals when this run dies, however it dies; `user` is who it runs as.
pub fn command(program: impl AsRef<std::ffi::OsStr>, signal: &str, user: Option<&str>) -> Command {
    let mut command = Command::new("setpriv");
    if let Some(user) = user {
        // Some users have a group of another name.
        let group = Command::new("id").args(["-g", user]).output().map(|done| done.stdout).unwrap_or_default();
        let group = String::from_utf8_lossy(&group).trim().to_owned();
        command.arg(format!("--reuid={user}")).arg(format!("--regid={group}")).arg("--init-groups");
    }
    command.arg(format!("--pdeathsig={signal}")).arg("--").arg(program);
    command
}

/// Starts a process from a thread that lives as long as the run: the kernel takes the end of the starting *thread* for the parent's death.
pub fn start(command: Command) -> Result<Child, String> {
    static KEEPER: OnceLock<Mutex<Sender<Order>>> = OnceLock::new();
    let keeper = KEEPER.get_or_init(|| {
        let (orders, inbox) = channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, answer) in inbox {
                let _ = answer.send(command.spawn());
            }
        });
        Mutex::new(orders)
    });
    let described = format!("{command:?}");
    let (answer, child) = channel();
    let lock = keeper.lock().map_err(|_| "the starting thread is gone".to_owned())?;
    lock.send((command, answer)).map_err(|error| error.to_string())?;
    child.recv().map_err(|error| error.to_string())?.map_err(|error| format!("cannot start {described}: {error}"))
}

/// Sends a signal to one process.
pub fn signal(child: &Child, name: &str) {
    let _ = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", child.id())).status();
}

/// Asks a process to end, waits, and kills it where it does not.
pub fn stop(child: &mut Child, name: &str) {
    if matches!(child.try_wait(), Ok(Some(_))) {
        return;
    }
    signal(child, name);
    if wait_for(PATIENCE, || matches!(child.try_wait(), Ok(Some(_)))).is_err() {
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Waits until something holds; an error where it does not come true in time.
pub fn wait_for(patience: Duration, mut holds: impl FnMut() -> bool) -> Result<(), ()> {
    let started = Instant::now();
    while !holds() {
        if started.elapsed() > patience {
            return Err(());
        }
        std::thread::sleep(PAUSE);
    }
    Ok(())
}
