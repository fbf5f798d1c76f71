//! The requests that are measured.
use super::load::{Requests, header};
use super::seed;
use std::cell::RefCell;
use uuid::Uuid;

/// What a contact writes.
const BODY: &str = "Hello, the transfer of a domain has been waiting for three days now and the registry says that it was never asked. Our customer moves on Friday and needs the zone by then. The auth code was entered twice, and the lock was taken off on Monday. Could you have a look, and tell us what we can tell them? Many thanks.";
/// What an agent answers.
const ANSWER: &str = "Hello, the transfer was held because the registrant's address at the old registrar bounced. We have sent the request again by hand and the registry has taken it; it takes up to five days from now, and the zone is with us already. Please tell your customer that the site will not be down.";

fn post(path: &str, token: usize, key: Option<&str>, body: &str, out: &mut Vec<u8>) {
    let key = key.map_or_else(String::new, |key| format!("Idempotency-Key: {key}\r\n"));
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: desk\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n{key}Content-Length: {}\r\n\r\n{body}",
        seed::secret(token),
        body.len()
    );
    out.extend_from_slice(request.as_bytes());
}

/// Opens tickets, each with a key of its own, and keeps their ids.
pub struct Create {
    /// The ids in the order of the answers.
    pub made: RefCell<Vec<Uuid>>,
    key: Key,
}

#[derive(Clone, Copy)]
enum Key {
    Same(&'static str),
    New(&'static str),
}

impl Create {
    /// With a new key each, which begins so.
    pub fn new(prefix: &'static str) -> Self {
        Self { made: RefCell::default(), key: Key::New(prefix) }
    }

    /// All with this key.
    pub fn with_key(key: &'static str) -> Self {
        Self { made: RefCell::default(), key: Key::Same(key) }
    }
}

impl Requests for Create {
    fn write(&self, index: usize, out: &mut Vec<u8>) -> bool {
        let body = format!(
            r#"{{"channel":"email","subject":"Transfer of example{index}.example is stuck","body":"{BODY}","from":{{"email":"{}"}},"mail_message_id":"<mail-{index}@reseller.example>"}}"#,
            seed::email(index * 7)
        );
        let key = match self.key {
            Key::Same(key) => key.to_owned(),
            Key::New(prefix) => format!("bench-{prefix}-{index:012}"),
        };
        post("/api/v1/tickets", index, Some(&key), &body, out);
        true
    }

    fn answered(&self, _: usize, head: &str) {
        if let Some(id) = header(head, "location").and_then(|at| at.rsplit('/').next()).and_then(|id| Uuid::try_parse(id).ok()) {
            self.made.borrow_mut().push(id);
        }
    }
}

/// Works on each of the tickets once.
pub struct Each<'a> {
    tickets: &'a [Uuid],
    verb: &'static str,
    body: String,
}

impl<'a> Each<'a> {
    /// Answers.
    pub fn reply(tickets: &'a [Uuid]) -> Self {
        Self { tickets, verb: "replies", body: format!(r#"{{"body":"{ANSWER}"}}"#) }
    }

    /// Closes.
    pub fn close(tickets: &'a [Uuid]) -> Self {
        Self { tickets, verb: "closure", body: "{}".to_owned() }
    }
}

impl Requests for Each<'_> {
    fn write(&self, index: usize, out: &mut Vec<u8>) -> bool {
        let Some(id) = self.tickets.get(index) else { return false };
        post(&format!("/api/v1/tickets/{id}/{}", self.verb), index, None, &self.body, out);
        true
    }
}

/// Reads any of the tickets, over and over.
pub struct Get<'a>(pub &'a [Uuid]);

impl Requests for Get<'_> {
    fn write(&self, index: usize, out: &mut Vec<u8>) -> bool {
        // A step without a common factor with the count visits all of them in no useful order.
        let Some(id) = self.0.get(index * 7_919 % self.0.len().max(1)) else { return false };
        out.extend_from_slice(&seed::get(&format!("/api/v1/tickets/{id}"), index));
        true
    }
}

/// Lists what falls due next.
pub struct List {
    /// Also by channel and by one of the teams.
    pub is_narrow: bool,
}

impl Requests for List {
    fn write(&self, index: usize, out: &mut Vec<u8>) -> bool {
        let mut path = "/api/v1/tickets?status=open&sort=due&limit=50".to_owned();
        if self.is_narrow {
            path.push_str(&format!("&channel=email&team_id={}", seed::team(index)));
        }
        out.extend_from_slice(&seed::get(&path, index));
        true
    }
}

/// Looks for words as people do: common ones, a phrase, a number that one ticket has, the beginning of a name.
pub struct Search {
    /// How many there are.
    pub tickets: usize,
}

impl Requests for Search {
    fn write(&self, index: usize, out: &mut Vec<u8>) -> bool {
        let ticket = index * 7_919 % self.tickets;
        let q = match index % 4 {
            0 => "transfer+stuck".to_owned(),
            1 => "%22the+registry+says%22+order+-invoice".to_owned(),
            2 => format!("order+{}", ticket * 7),
            _ => format!("example{}*", 100 + ticket % 900),
        };
        out.extend_from_slice(&seed::get(&format!("/api/v1/tickets?q={q}&limit=20"), index));
        true
    }
}
