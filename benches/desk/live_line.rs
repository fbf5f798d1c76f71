//! One connection of an agent's page or a visitor's widget, with no more memory and work than it needs.
use super::Failure;
use super::load;
use std::cell::RefCell;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Bytes that are read at once by one who listens.
const READ_BYTES: usize = 16 * 1_024;
/// The mark of a ping in a WebSocket, and the answer to it.
const PING: u8 = 0x89;
const PONG: [u8; 6] = [0x8a, 0x80, 0, 0, 0, 0];

/// When events were seen, by what they are about.
#[derive(Default)]
pub struct Seen(HashMap<String, Vec<Instant>>);

impl Seen {
    /// When something was seen, once for each stream.
    pub fn of(&self, name: &str) -> &[Instant] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// Takes note of the events in some lines: `CALL PHASE`, and `CHAT chat_offered`.
    fn note(&mut self, lines: &str, at: Instant) {
        for line in lines.lines().filter_map(|line| line.strip_prefix("data: ")) {
            let of = |mark: &str| line.split_once(mark)?.1.split('"').next();
            let name = match (of("\"call_id\":\""), of("\"event\":\"")) {
                (Some(call), Some(phase)) => format!("{call} {phase}"),
                _ if line.contains("\"kind\":\"chat_offered\"") => {
                    format!("{} chat_offered", of("\"chat_id\":\"").unwrap_or_default())
                }
                _ => continue,
            };
            self.0.entry(name).or_default().push(at);
        }
    }
}

/// A connection that was let in.
pub struct Line {
    stream: TcpStream,
    is_socket: bool,
}

impl Line {
    /// An agent's stream.
    pub async fn agent(to: SocketAddr, secret: &str, query: &str) -> Result<Self, Failure> {
        let head = format!("GET /api/v1/stream{query} HTTP/1.1\r\nHost: desk\r\nAuthorization: Bearer {secret}\r\n\r\n");
        Self::open(to, &head, "HTTP/1.1 200", false).await
    }

    /// A visitor's socket, after its hello.
    pub async fn visitor(to: SocketAddr, site: &str) -> Result<Self, Failure> {
        let head = format!(
            "GET /chat/ws HTTP/1.1\r\nHost: desk\r\nOrigin: {site}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        );
        let mut line = Self::open(to, &head, "HTTP/1.1 101", true).await?;
        line.say(r#"{"type":"hello"}"#).await?;
        line.until("\"type\":\"welcome\"").await?;
        Ok(line)
    }

    async fn open(to: SocketAddr, head: &str, wanted: &str, is_socket: bool) -> Result<Self, Failure> {
        let mut stream = load::connect(to).await?;
        stream.write_all(head.as_bytes()).await?;
        let mut answer = Vec::new();
        let mut byte = [0];
        // A byte at a time: what follows the head is not its own.
        while !answer.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).await?;
            answer.push(byte[0]);
        }
        let answer = String::from_utf8_lossy(&answer);
        if answer.starts_with(wanted) { Ok(Self { stream, is_socket }) } else { Err(answer.into()) }
    }

    /// Says something: one frame, masked by zeros.
    pub async fn say(&mut self, text: &str) -> Result<(), Failure> {
        let mut frame = vec![0x81, 0x80 | u8::try_from(text.len())?, 0, 0, 0, 0];
        frame.extend_from_slice(text.as_bytes());
        Ok(self.stream.write_all(&frame).await?)
    }

    /// Reads until something was told; gives all that was.
    pub async fn until(&mut self, mark: &str) -> Result<String, Failure> {
        let (mut told, mut part) = (Vec::new(), [0; 1_024]);
        loop {
            let read = self.stream.read(&mut part).await?;
            if read == 0 {
                return Err("a line was cut".into());
            }
            let bytes = part.get(..read).unwrap_or_default();
            self.live(bytes).await?;
            told.extend_from_slice(bytes);
            let text = String::from_utf8_lossy(&told);
            if text.contains(mark) {
                return Ok(text.into_owned());
            }
        }
    }

    /// Says that it lives, where it is asked.
    async fn live(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if self.is_socket && bytes.first() == Some(&PING) {
            self.stream.write_all(&PONG).await?;
        }
        Ok(())
    }

    /// Whether it is still there at an instant.
    pub async fn hold(mut self, until: Instant) -> bool {
        let mut part = [0; 256];
        loop {
            match tokio::time::timeout_at(until.into(), self.stream.read(&mut part)).await {
                Err(_) => return true,
                Ok(Ok(0) | Err(_)) => return false,
                Ok(Ok(read)) if self.live(part.get(..read).unwrap_or_default()).await.is_err() => return false,
                Ok(Ok(_)) => {}
            }
        }
    }

    /// Takes what comes until it ends; what is seen is noted, where that is wanted.
    pub async fn listen(mut self, seen: Option<Rc<RefCell<Seen>>>) {
        let (mut rest, mut part) = (Vec::new(), vec![0; READ_BYTES]);
        while let Ok(read) = self.stream.read(&mut part).await {
            let at = Instant::now();
            let (Some(bytes), Some(seen)) = (part.get(..read).filter(|bytes| !bytes.is_empty()), &seen) else {
                if read == 0 {
                    return;
                }
                continue;
            };
            rest.extend_from_slice(bytes);
            // Whole lines; the last one may go on.
            let end = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            seen.borrow_mut().note(&String::from_utf8_lossy(rest.get(..end).unwrap_or_default()), at);
            rest.drain(..end);
        }
    }
}
