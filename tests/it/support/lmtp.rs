//! Handing mails over: by Python's LMTP client, or line by line.
use super::{Desk, process, servers};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// No answer takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts the desk again with a socket that mails are handed over on; gives its path.
#[track_caller]
pub fn listen(desk: &Desk) -> PathBuf {
    let path = desk.data_dir().join("lmtp");
    let setting = format!("unix:{}", path.display());
    desk.restart(|config| config.inbound.lmtp_listen = setting);
    path
}

/// What Python's client says after it sent letters, each `(from, to, bytes)`: `answers` and `extensions`.
#[track_caller]
pub fn python(host: &str, port: u16, letters: &[(&str, &[&str], &[u8])]) -> Value {
    let letters: Vec<Value> =
        letters.iter().map(|(from, to, data)| json!({ "from": from, "to": to, "data": STANDARD.encode(data) })).collect();
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/lmtp_client.py");
    let mut command = process::command(servers::python().unwrap(), "KILL", None);
    command.arg(program).arg(host).arg(port.to_string());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = process::start(command).unwrap();
    child.stdin.take().unwrap().write_all(serde_json::to_string(&letters).unwrap().as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}{}", String::from_utf8_lossy(&done.stderr)))
}

/// A connection on which the test says every line itself.
pub struct Talk<S> {
    reader: BufReader<S>,
}

impl Talk<UnixStream> {
    /// On a unix socket, after the greeting.
    #[track_caller]
    pub fn to(path: &Path) -> Self {
        Self::try_to(path).expect("the desk listens")
    }

    /// The same where nobody may listen.
    pub fn try_to(path: &Path) -> Option<Self> {
        let stream = UnixStream::connect(path).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        let mut talk = Self { reader: BufReader::new(stream) };
        let greeting = talk.try_hear()?;
        greeting.starts_with("220 ").then_some(talk)
    }

    /// Sends bytes as they are; false where nobody takes them.
    pub fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.reader.get_mut().write_all(bytes).is_ok()
    }
}

impl Talk<TcpStream> {
    /// On a port, after the greeting.
    #[track_caller]
    pub fn to_port(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut talk = Self { reader: BufReader::new(stream) };
        assert!(talk.hear().starts_with("220 "));
        talk
    }
}

impl<S: std::io::Read> Talk<S> {
    /// The last line of an answer; none where the connection is gone.
    pub fn try_hear(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if line.as_bytes().get(3) != Some(&b'-') {
                return Some(line.trim_end().to_owned());
            }
        }
    }

    /// The last line of an answer.
    #[track_caller]
    pub fn hear(&mut self) -> String {
        self.try_hear().expect("an answer")
    }
}

impl<S: std::io::Read + Write> Talk<S> {
    /// Sends a line and gives the last line of the answer.
    #[track_caller]
    pub fn say(&mut self, line: &str) -> String {
        self.reader.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
        self.hear()
    }

    /// Sends bytes as they are.
    #[track_caller]
    pub fn send(&mut self, bytes: &[u8]) {
        self.reader.get_mut().write_all(bytes).unwrap();
    }
}
