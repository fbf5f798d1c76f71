//! A plain listener of the live stream, for tests that want to see events one by one.
use super::Desk;
use super::client::agent;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// What is told comes within so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// Something that came.
#[derive(Debug, Clone, PartialEq)]
pub enum Came {
    /// An event: its number, its topic, its data.
    Event(i64, String, Value),
    /// A number alone: the start of a stream, or a heartbeat.
    Mark(i64),
}

/// Somebody who listens until they are dropped.
pub struct Listening {
    came: Receiver<Came>,
}

impl Listening {
    /// Listens to a desk.
    #[track_caller]
    pub fn to(desk: &Desk, secret: &str, query: &str) -> Self {
        Self::at(&desk.base(), secret, query)
    }

    /// Listens to a server; comes back when the stream has begun.
    #[track_caller]
    pub fn at(base: &str, secret: &str, query: &str) -> Self {
        let url = format!("{base}/api/v1/stream{query}");
        let answer = agent().get(&url).header("Authorization", format!("Bearer {secret}")).call().unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{url}");
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let (told, came) = channel();
        let mut lines = BufReader::new(answer.into_body().into_reader()).lines();
        std::thread::spawn(move || {
            let (mut id, mut topic, mut data) = (0, String::new(), String::new());
            while let Some(Ok(line)) = lines.next() {
                match line.split_once(": ") {
                    Some(("id", text)) => id = text.parse().unwrap(),
                    Some(("event", text)) => topic = text.to_owned(),
                    Some(("data", text)) => data = text.to_owned(),
                    _ => {}
                }
                if line.is_empty() {
                    let came = match data.is_empty() {
                        true => Came::Mark(id),
                        false => Came::Event(id, std::mem::take(&mut topic), serde_json::from_str(&data).unwrap()),
                    };
                    data.clear();
                    if told.send(came).is_err() {
                        return;
                    }
                }
            }
        });
        let listening = Self { came };
        assert!(matches!(listening.next(), Came::Mark(_)), "a stream begins with the place where it begins");
        listening
    }

    /// What comes next.
    #[track_caller]
    pub fn next(&self) -> Came {
        self.came.recv_timeout(PATIENCE).expect("something is told")
    }

    /// What comes next; `None` where the stream has ended.
    #[track_caller]
    pub fn try_next(&self) -> Option<Came> {
        match self.came.recv_timeout(PATIENCE) {
            Ok(came) => Some(came),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("nothing is told, and the stream does not end"),
        }
    }

    /// The next event: its topic and its data.
    #[track_caller]
    pub fn event(&self) -> (String, Value) {
        loop {
            if let Came::Event(_, topic, data) = self.next() {
                return (topic, data);
            }
        }
    }

    /// The next event of this kind.
    #[track_caller]
    pub fn of_kind(&self, kind: &str) -> Value {
        loop {
            let (_, data) = self.event();
            if data["kind"] == kind {
                return data;
            }
        }
    }

    /// Whether nothing comes for a while.
    pub fn is_silent_for(&self, time: Duration) -> bool {
        self.came.recv_timeout(time) == Err(RecvTimeoutError::Timeout)
    }

    /// Whether it ends by itself; what comes before is passed over.
    pub fn ends(&self) -> bool {
        loop {
            match self.came.recv_timeout(PATIENCE) {
                Ok(_) => {}
                Err(error) => return error == RecvTimeoutError::Disconnected,
            }
        }
    }
}
