//! A WebSocket client of another maker: frames in, frames out, and cuts.
use super::Desk;
use serde_json::{Value, json};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};
use tungstenite::client::IntoClientRequest;
use tungstenite::http::HeaderValue;
use tungstenite::{Error, HandshakeError, Message, WebSocket};

/// What is told comes within so long.
const PATIENCE: Duration = Duration::from_secs(30);
/// The site that has the widget in tests.
pub const SITE: &str = "https://www.nordwind.example";
/// What the site signs its visitors with.
pub const SECRET: &str = "a-secret-that-only-site-and-desk-know";

/// Lets [`SITE`] have chats; `change` may set more.
pub fn with_chat(desk: &Desk, change: impl FnOnce(&mut deskbell::config::Chat)) {
    desk.restart(|config| {
        let team = String::new();
        config.chat.sites = vec![deskbell::config::Site { origin: SITE.to_owned(), secret: SECRET.to_owned(), team }];
        // Tests ask from one address.
        (config.chat.asks_per_minute_per_address, config.chat.asks_per_minute_per_site) = (0, 0);
        (config.chat.messages_per_minute, config.chat.connections_per_address) = (0, 1_000);
        change(&mut config.chat);
    });
}

/// A connection.
pub struct Socket {
    inner: WebSocket<TcpStream>,
}

impl Socket {
    /// Connects from a site; the status where it is refused.
    pub fn open(base: &str, path: &str, headers: &[(&'static str, &str)]) -> Result<Self, (u16, Value)> {
        let address = base.trim_start_matches("http://");
        let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
        }
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        match tungstenite::client(request, stream) {
            Ok((inner, _)) => Ok(Self { inner }),
            Err(HandshakeError::Failure(Error::Http(answer))) => {
                let body = answer.body().as_deref().unwrap_or_default();
                Err((answer.status().as_u16(), serde_json::from_slice(body).unwrap_or(Value::Null)))
            }
            Err(error) => panic!("{path}: {error}"),
        }
    }

    /// Says something.
    pub fn tell(&mut self, frame: Value) {
        self.send(Message::text(frame.to_string()));
    }

    /// Sends a frame; nothing happens where the line is cut.
    pub fn send(&mut self, message: Message) {
        let _ = self.inner.send(message);
    }

    /// What comes next; `None` where the line is cut.
    #[track_caller]
    pub fn try_next(&mut self) -> Option<Value> {
        loop {
            match self.inner.read() {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(_)) => return None,
                Ok(_) => {}
                Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("nothing is told"),
                Err(_) => return None,
            }
        }
    }

    /// What comes next.
    #[track_caller]
    pub fn next(&mut self) -> Value {
        self.try_next().expect("the line lives")
    }

    /// The next frame of a type; others are passed over.
    #[track_caller]
    pub fn of_type(&mut self, kind: &str) -> Value {
        let mut passed = Vec::new();
        let started = Instant::now();
        loop {
            let Some(frame) = self.try_next() else { panic!("no {kind} before the end, but {passed:?}") };
            if frame["type"] == kind {
                return frame;
            }
            passed.push(frame);
            assert!(started.elapsed() < PATIENCE, "no {kind}, but {passed:?}");
        }
    }

    /// The next frame that says how the chat stands, once it stands so.
    #[track_caller]
    pub fn stands(&mut self, state: &str) -> Value {
        loop {
            let chat = self.of_type("chat");
            if chat["state"] == state {
                return chat;
            }
        }
    }

    /// Whether the other end has closed the line; what comes before is passed over.
    #[track_caller]
    pub fn is_closed(&mut self) -> bool {
        while self.try_next().is_some() {}
        true
    }

    /// Cuts the line as a lost network does, whatever is on its way.
    pub fn cut(self) {
        let _ = self.inner.get_ref().shutdown(Shutdown::Both);
    }
}

/// A visitor's widget.
pub struct Visitor {
    /// Its connection.
    pub socket: Socket,
    /// What the desk signed.
    pub signed: String,
    /// What it was welcomed with.
    pub welcome: Value,
}

impl Visitor {
    /// Somebody new on the site.
    #[track_caller]
    pub fn come(desk: &Desk) -> Self {
        Self::hello(&desk.base(), json!({ "type": "hello" }))
    }

    /// Somebody who says hello so.
    #[track_caller]
    pub fn hello(base: &str, hello: Value) -> Self {
        let mut socket = Socket::open(base, "/chat/ws", &[("origin", SITE)]).unwrap();
        socket.tell(hello);
        let welcome = socket.of_type("welcome");
        Self { socket, signed: welcome["visitor"].as_str().unwrap().to_owned(), welcome }
    }

    /// Comes and asks; gives the chat.
    #[track_caller]
    pub fn ask(desk: &Desk, more: Value) -> (Self, Value) {
        let mut visitor = Self::come(desk);
        let mut ask = json!({ "type": "ask" });
        ask.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        visitor.socket.tell(ask);
        let chat = visitor.socket.of_type("chat");
        (visitor, chat)
    }

    /// Says something and hears that it has its place.
    #[track_caller]
    pub fn say(&mut self, body: &str) -> i64 {
        let id = deskbell::ids::ClientMessageId::new().to_string();
        self.socket.tell(json!({ "type": "message", "id": id, "body": body }));
        let ack = self.socket.of_type("ack");
        assert_eq!(ack["id"], id);
        ack["seq"].as_i64().unwrap()
    }
}

/// An agent's connection to a chat.
#[track_caller]
pub fn agent_on(base: &str, secret: &str, chat: &Value, after: i64) -> Socket {
    let mut socket = Socket::open(base, "/chat/agent/ws", &[]).unwrap();
    socket.tell(json!({ "type": "hello", "token": secret, "chat": chat["id"], "after": after }));
    socket
}
