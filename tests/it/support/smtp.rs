//! The SMTP server of the run: `smtp_server.py`, which keeps every letter and misbehaves on request.
use super::{process, servers};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use tempfile::TempDir;

/// Who may send through the port that asks for a login.
pub const USER: &str = "desk";
/// Their password.
pub const PASSWORD: &str = "correct horse";

/// The running server.
pub struct Smtp {
    server: Child,
    folder: TempDir,
    /// Takes letters from anyone.
    pub port: u16,
    /// Takes letters after a login.
    pub auth_port: u16,
    /// Takes letters after STARTTLS.
    pub starttls_port: u16,
    /// What to trust for STARTTLS.
    pub certificate: PathBuf,
}

impl Smtp {
    /// Starts it and waits until it listens.
    pub fn start() -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("deskbell-smtp-").tempdir().map_err(|error| error.to_string())?;
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/smtp_server.py");
        let mut command = process::command(servers::python()?, "KILL", None);
        command.arg("-W").arg("ignore").arg(program).arg(folder.path()).args([USER, PASSWORD]);
        let log = std::fs::File::create(folder.path().join("log")).map_err(|error| error.to_string())?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut server = process::start(command)?;
        let mut line = String::new();
        if let Some(output) = server.stdout.take() {
            BufReader::new(output).read_line(&mut line).map_err(|error| error.to_string())?;
        }
        let Ok(ready) = serde_json::from_str::<serde_json::Value>(&line) else {
            process::stop(&mut server, "TERM");
            let log = std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
            return Err(format!("the SMTP server does not start: {log}"));
        };
        let port = |name: &str| ready[name].as_u64().and_then(|port| u16::try_from(port).ok()).unwrap_or(0);
        Ok(Self {
            port: port("port"),
            auth_port: port("auth_port"),
            starttls_port: port("starttls_port"),
            certificate: ready["certificate"].as_str().unwrap_or_default().into(),
            server,
            folder,
        })
    }

    /// Where the letters from a domain are.
    pub fn letters_from(&self, domain: &str) -> PathBuf {
        self.folder.path().join(domain)
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        // It ends with its standard input.
        drop(self.server.stdin.take());
        process::stop(&mut self.server, "TERM");
    }
}
