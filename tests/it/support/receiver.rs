//! Somebody else's server that takes webhooks: keeps what it got, and answers what the test says.
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What came in one request.
#[derive(Debug, Clone)]
pub struct Received {
    /// Method and path.
    pub line: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Received {
    /// A header.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("{name} is not among {:?}", self.headers)).1
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Default)]
struct Kept {
    received: Vec<Received>,
    answers: VecDeque<String>,
    always: Option<String>,
}

/// A server on loopback.
pub struct Receiver {
    /// Where it listens.
    pub port: u16,
    kept: Arc<Mutex<Kept>>,
}

fn locked(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(status: u16, more: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n{more}\r\n{body}", body.len())
}

fn take(stream: TcpStream, kept: &Mutex<Kept>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 {
            return Ok(());
        }
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    let text = {
        let mut kept = locked(kept);
        kept.received.push(Received { line, headers, body: String::from_utf8(body).unwrap() });
        let next = kept.answers.pop_front();
        next.or_else(|| kept.always.clone()).unwrap_or_else(|| answer(200, "", "thanks"))
    };
    reader.into_inner().write_all(text.as_bytes())
}

impl Receiver {
    /// Starts one; its thread ends with the process.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let kept = Arc::new(Mutex::new(Kept::default()));
        let shared = kept.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                std::thread::spawn(move || take(stream, &shared));
            }
        });
        Self { port, kept }
    }

    /// `http://127.0.0.1:<port>/hook`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// The next request is answered so; those after it as before.
    pub fn answers(&self, status: u16, more: &str, body: &str) {
        locked(&self.kept).answers.push_back(answer(status, more, body));
    }

    /// All requests are answered so from now on.
    pub fn always_answers(&self, status: u16) {
        locked(&self.kept).always = Some(answer(status, "", ""));
    }

    /// What came so far, oldest first.
    pub fn received(&self) -> Vec<Received> {
        locked(&self.kept).received.clone()
    }
}
