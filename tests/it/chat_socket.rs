//! What passes over the sockets of chats: nothing lost or doubled however lines break, nobody let in who is not known, no input that hurts.
use crate::support::client::Client;
use crate::support::websocket::{SECRET, SITE, Socket, Visitor, agent_on, with_chat};
use crate::support::{Desk, Test, servers, tests};
use deskbell::ids::ClientMessageId;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::process::Command;
use tungstenite::Message;

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    however_lines_break_both_ends_have_the_same_transcript,
    nobody_is_let_in_who_forged_who_they_are,
    odd_input_is_refused_and_the_line_goes_on,
    what_is_no_frame_at_all_ends_the_line_alone,
    a_flood_from_one_address_is_limited_and_others_are_served,
    a_revoked_token_ends_the_line,
    a_chat_goes_on_at_another_node,
];

#[track_caller]
fn accepted(desk: &Desk, more: Value) -> (Visitor, Value) {
    let (visitor, chat) = Visitor::ask(desk, more);
    desk.agent().post(&format!("/api/v1/chats/{}/accept", chat["id"].as_str().unwrap()), json!({})).ok();
    (visitor, chat)
}

/// One end of a chat whose line breaks now and then: what it wrote and waits to have its place, and what it has.
struct End {
    pending: VecDeque<(String, String)>,
    has: Vec<Value>,
}

impl End {
    fn new(side: &str, bodies: usize) -> Self {
        let odd = ["\u{1f600}\u{200d}", "\u{202e}abc", "a\r\nb", "\"\\\u{1}", "é\u{301}", "  spaces  ", "\u{fffd}\u{10ffff}"];
        let body = |number: usize| format!("{side} {number} {}", odd[number % odd.len()]);
        let pending = (0..bodies).map(|number| (ClientMessageId::new().to_string(), body(number))).collect();
        Self { pending, has: Vec::new() }
    }

    fn last(&self) -> i64 {
        self.has.last().map_or(0, |message| message["seq"].as_i64().unwrap())
    }

    /// Works on a line until it is cut: says what waits, again where it may not have arrived, and takes what comes.
    fn work(&mut self, mut socket: Socket, frames: usize) {
        for (id, body) in self.pending.iter().take(3) {
            socket.tell(json!({ "type": "message", "id": id, "body": body }));
        }
        for _ in 0..frames {
            if self.pending.is_empty() && self.has.len() == 2 * BODIES {
                return;
            }
            let Some(frame) = socket.try_next() else { return };
            match frame["type"].as_str().unwrap() {
                "message" => {
                    assert_eq!(frame["seq"].as_i64().unwrap(), self.last() + 1, "in order, once: {frame}");
                    self.has.push(frame);
                }
                "ack" => {
                    self.pending.retain(|(id, _)| frame["id"] != *id);
                    if let Some((id, body)) = self.pending.front() {
                        socket.tell(json!({ "type": "message", "id": id, "body": body }));
                    }
                }
                _ => {}
            }
        }
        socket.cut();
    }
}

/// Messages of each end.
const BODIES: usize = 25;

fn however_lines_break_both_ends_have_the_same_transcript(desk: &Desk) {
    with_chat(desk, |_| {});
    let (visitor, chat) = accepted(desk, json!({}));
    let (signed, base) = (visitor.signed.clone(), desk.base());
    visitor.socket.cut();
    let run = |end: &mut End, seed: u64, connect: &dyn Fn(i64) -> Socket| {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut lines = 0;
        while !(end.pending.is_empty() && end.has.len() == 2 * BODIES) {
            lines += 1;
            assert!(lines < 2_000, "{} wait, {} are there", end.pending.len(), end.has.len());
            let frames = random.random_range(1..12);
            end.work(connect(end.last()), frames);
        }
        lines
    };
    let (mut guest, mut staff) = (End::new("visitor", BODIES), End::new("agent", BODIES));
    let secret = desk.people.agent.secret.as_str();
    std::thread::scope(|scope| {
        let there = scope.spawn(|| {
            run(&mut guest, 1, &|after| {
                let hello = json!({ "type": "hello", "visitor": signed, "chat": chat["id"], "after": after });
                Visitor::hello(&base, hello).socket
            })
        });
        let here = scope.spawn(|| run(&mut staff, 2, &|after| agent_on(&base, secret, &chat, after)));
        let lines = (there.join().unwrap(), here.join().unwrap());
        assert!(lines.0 > 5 && lines.1 > 5, "lines broke: {lines:?}");
    });
    let transcript = |end: &End| serde_json::to_string(&end.has).unwrap().into_bytes();
    assert_eq!(transcript(&guest), transcript(&staff), "byte for byte");
    // What was written is what was sent, each once.
    for side in ["visitor", "agent"] {
        let mut said: Vec<&str> =
            guest.has.iter().filter(|message| message["from"] == side).filter_map(|message| message["body"].as_str()).collect();
        let written = End::new(side, BODIES);
        let mut wanted: Vec<&str> = written.pending.iter().map(|(_, body)| body.as_str()).collect();
        said.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(said, wanted);
    }
    let ticket = desk.agent().get(&format!("/api/v1/chats/{}", chat["id"].as_str().unwrap())).ok()["ticket_id"].clone();
    let ticket = desk.agent().get(&format!("/api/v1/tickets/{}", ticket.as_str().unwrap())).ok();
    assert_eq!(ticket["messages"].as_array().unwrap().len(), 2 * BODIES, "and so has the ticket");
}

#[track_caller]
fn refused_hello(desk: &Desk, path: &str, hello: Value, code: &str) {
    let mut socket = Socket::open(&desk.base(), path, &[("origin", SITE)]).unwrap();
    socket.tell(hello.clone());
    assert_eq!(socket.of_type("refused")["code"], code, "{hello}");
    assert!(socket.is_closed());
}

/// Tokens of a host site, signed by a library that it may have.
fn identity(claims: &Value, secret: &str, algorithm: &str) -> String {
    let script = "import jwt, json, sys; print(jwt.encode(json.loads(sys.argv[1]), sys.argv[2] or None, algorithm=sys.argv[3]))";
    let python = servers::python().unwrap_or_else(|error| panic!("{error}"));
    let made = Command::new(python).args(["-c", script, &claims.to_string(), secret, algorithm]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}

fn nobody_is_let_in_who_forged_who_they_are(desk: &Desk) {
    with_chat(desk, |_| {});
    let base = desk.base();
    for origin in [None, Some("https://evil.example"), Some("https://www.nordwind.example.evil.example"), Some("null")] {
        let headers: Vec<(&'static str, &str)> = origin.iter().map(|origin| ("origin", *origin)).collect();
        let Err((status, problem)) = Socket::open(&base, "/chat/ws", &headers) else { panic!("{origin:?} is let in") };
        assert_eq!((status, &problem["code"]), (403, &json!("origin_not_allowed")));
    }
    let (visitor, chat) = Visitor::ask(desk, json!({ "body": "Secret" }));
    let mut forged = visitor.signed.clone();
    let first = if forged.starts_with('0') { "1" } else { "0" };
    forged.replace_range(..1, first);
    refused_hello(desk, "/chat/ws", json!({ "type": "hello", "visitor": forged }), "bad_visitor");
    refused_hello(desk, "/chat/ws", json!({ "type": "hello", "visitor": "guess" }), "bad_visitor");
    // Somebody else's chat is not shown, whoever names it.
    let mut other = Visitor::hello(&base, json!({ "type": "hello", "chat": chat["id"], "after": 0 }));
    other.socket.tell(json!({ "type": "message", "id": ClientMessageId::new(), "body": "Let me in" }));
    assert_eq!(other.socket.of_type("refused")["code"], "no_chat");
    let until = desk.now().timestamp() + 60;
    let claims = json!({ "sub": "r-42", "exp": until, "email": "ana@nordwind.example", "name": "Ana Castro" });
    let good = identity(&claims, SECRET, "HS256");
    let hello = |token: &str| json!({ "type": "hello", "identity": token });
    let unsigned = identity(&claims, "", "none");
    let late = identity(&json!({ "sub": "r-42", "exp": desk.now().timestamp() }), SECRET, "HS256");
    let never = identity(&json!({ "sub": "r-42" }), SECRET, "HS256");
    let stolen = identity(&claims, "another-secret-that-is-as-long-as-ours", "HS256");
    let other_kind = identity(&claims, &SECRET.repeat(2), "HS512");
    for token in [&unsigned, &late, &never, &stolen, &other_kind, &format!("{good}x"), &"a.b.c".to_owned(), &String::new()] {
        refused_hello(desk, "/chat/ws", hello(token), "bad_identity");
    }
    let mut ana = Visitor::hello(&base, hello(&good));
    ana.socket.tell(json!({ "type": "ask" }));
    let asked = ana.socket.of_type("chat");
    assert_eq!(asked["has_address"], true);
    let shown = desk.agent().get(&format!("/api/v1/chats/{}", asked["id"].as_str().unwrap())).ok();
    assert_eq!((&shown["verified"], &shown["site"]), (&json!(true), &json!(SITE)));
    // At another machine the same person finds the same chat.
    let again = Visitor::hello(&base, hello(&identity(&claims, SECRET, "HS256"))).socket.of_type("chat");
    assert_eq!(again["id"], asked["id"]);
    let agents = |token: &str| json!({ "type": "hello", "token": token, "chat": chat["id"] });
    refused_hello(desk, "/chat/agent/ws", agents("guess"), "unauthorized");
    refused_hello(desk, "/chat/agent/ws", agents(&desk.people.channel.secret), "missing_right");
    let nothing = json!({ "type": "hello", "token": desk.people.agent.secret, "chat": ClientMessageId::new() });
    refused_hello(desk, "/chat/agent/ws", nothing, "not_found");
    desk.anonymous().get("/chat/ws").refused(403, "origin_not_allowed");
    desk.anonymous().with("Origin", SITE).get("/chat/ws").refused(400, "not_a_websocket");
    desk.anonymous().get("/chat/agent/ws").refused(400, "not_a_websocket");
    desk.anonymous().post("/chat/ws", json!({})).refused(405, "method_not_allowed");
}

fn odd_input_is_refused_and_the_line_goes_on(desk: &Desk) {
    with_chat(desk, |_| {});
    let (mut visitor, chat) = accepted(desk, json!({ "name": "\u{202e}\u{0}\u{1}" }));
    let id = ClientMessageId::new();
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let frames = [
        String::new(),
        "{".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        "{\"type\":\"hello\"}".to_owned(),
        "{\"type\":\"nothing\"}".to_owned(),
        "{\"type\":\"message\"}".to_owned(),
        "{\"type\":\"message\",\"id\":\"no uuid\",\"body\":\"x\"}".to_owned(),
        format!("{{\"type\":\"message\",\"id\":\"{id}\",\"body\":\"x\",\"more\":1}}"),
        format!("{{\"type\":\"message\",\"id\":\"{id}\",\"body\":\"\\ud800\"}}"),
        json!({ "type": "message", "id": id, "body": "a\u{0}b" }).to_string(),
        json!({ "type": "message", "id": id, "body": " \t\n" }).to_string(),
        json!({ "type": "message", "id": id, "body": "x".repeat(4_001) }).to_string(),
        json!({ "type": "message", "id": id, "body": 7 }).to_string(),
        json!({ "type": "address", "email": "a\u{0}@b.example" }).to_string(),
        deep,
    ];
    for frame in frames {
        visitor.socket.send(Message::text(frame.clone()));
        let answer = visitor.socket.of_type("refused");
        assert_ne!(answer["code"], "internal", "{frame}: {answer}");
    }
    assert_eq!(visitor.say(&"é".repeat(4_000)), 1, "nothing of that was written");
    let widest = "\u{10ffff}".repeat(4_000);
    let id = ClientMessageId::new();
    let escaped: String = "\\udbff\\udfff".repeat(4_000);
    visitor.socket.send(Message::text(format!("{{\"type\":\"message\",\"id\":\"{id}\",\"body\":\"{escaped}\"}}")));
    assert_eq!(visitor.socket.of_type("ack")["seq"], 2);
    let said = desk.agent().get(&format!("/api/v1/chats/{}/messages", chat["id"].as_str().unwrap())).ok();
    assert_eq!(said["items"][1]["body"], widest);
}

fn what_is_no_frame_at_all_ends_the_line_alone(desk: &Desk) {
    with_chat(desk, |_| {});
    let (mut kept, _) = Visitor::ask(desk, json!({}));
    let endings: [Message; 4] = [
        Message::text("x".repeat(70_000)),
        Message::binary(vec![0; 10]),
        Message::text("x".repeat(3_000_000)),
        Message::Close(None),
    ];
    for message in endings {
        let mut visitor = Visitor::come(desk);
        visitor.socket.send(message);
        assert!(visitor.socket.is_closed());
    }
    let mut silent = Socket::open(&desk.base(), "/chat/ws", &[("origin", SITE)]).unwrap();
    silent.send(Message::binary(vec![1]));
    assert!(silent.is_closed(), "the first frame is a hello");
    let mut raw = std::net::TcpStream::connect(desk.base().trim_start_matches("http://")).unwrap();
    use std::io::{Read, Write};
    let key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==";
    write!(
        raw,
        "GET /chat/ws HTTP/1.1\r\nHost: desk\r\nOrigin: {SITE}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{key}\r\n\r\n"
    )
    .unwrap();
    raw.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    raw.read_exact(&mut [0; 12]).unwrap();
    // Frames that are not masked, and have bits that mean nothing.
    let _ = raw.write_all(&[0xff; 512]);
    let _ = raw.read_to_end(&mut Vec::new());
    kept.socket.tell(json!({ "type": "ping" }));
    kept.socket.of_type("pong");
}

fn a_flood_from_one_address_is_limited_and_others_are_served(desk: &Desk) {
    desk.restart(|config| config.server.trusted_proxies = vec!["127.0.0.0/8".into()]);
    with_chat(desk, |chat| {
        (chat.asks_per_minute_per_address, chat.connections_per_address, chat.messages_per_minute) = (2, 3, 5);
        chat.blocked = vec!["203.0.113.0/24".to_owned()];
    });
    let base = desk.base();
    let from = |address: &str| Socket::open(&base, "/chat/ws", &[("origin", SITE), ("x-forwarded-for", address)]);
    let come = |address: &str| -> Socket {
        let mut socket = from(address).unwrap_or_else(|refused| panic!("{address}: {refused:?}"));
        socket.tell(json!({ "type": "hello" }));
        socket.of_type("welcome");
        socket
    };
    let mut lines: Vec<Socket> = (0..3).map(|_| come("198.51.100.1")).collect();
    let Err((status, problem)) = from("198.51.100.1") else { panic!("a fourth line is let in") };
    assert_eq!((status, &problem["code"]), (429, &json!("too_many_requests")));
    let Err((status, problem)) = from("203.0.113.7") else { panic!("a blocked network is let in") };
    assert_eq!((status, &problem["code"]), (403, &json!("blocked")));
    for (line, expected) in lines.iter_mut().zip(["chat", "chat", "refused"]) {
        line.tell(json!({ "type": "ask" }));
        line.of_type(expected);
    }
    lines[2].tell(json!({ "type": "ask" }));
    assert_eq!(lines[2].of_type("refused")["code"], "too_many_requests");
    let mut other = come("198.51.100.2");
    other.tell(json!({ "type": "ask" }));
    other.of_type("chat");
    for number in 1..=6 {
        lines[0].tell(json!({ "type": "message", "id": ClientMessageId::new(), "body": "x" }));
        let answer = if number <= 5 { lines[0].of_type("ack") } else { lines[0].of_type("refused") };
        assert!(number <= 5 || answer["code"] == "too_many_requests", "{answer}");
    }
    other.tell(json!({ "type": "message", "id": ClientMessageId::new(), "body": "x" }));
    other.of_type("ack");
    for _ in 0..60 {
        lines[1].tell(json!({ "type": "typing" }));
    }
    assert!(lines[1].is_closed(), "who says far too much is cut");
    let waiting = desk.agent().get("/api/v1/chats?state=waiting").ok();
    assert_eq!(waiting["items"].as_array().unwrap().len(), 3, "of five who asked");
}

fn a_revoked_token_ends_the_line(desk: &Desk) {
    with_chat(desk, |_| {});
    let (_visitor, chat) = accepted(desk, json!({}));
    let token = json!({ "agent_id": desk.people.agent.id, "name": "Laptop", "scopes": ["agent"] });
    let made = desk.admin().post("/api/v1/tokens", token).ok();
    let mut line = agent_on(&desk.base(), made["secret"].as_str().unwrap(), &chat, 0);
    line.of_type("chat");
    desk.admin().delete(&format!("/api/v1/tokens/{}", made["id"].as_str().unwrap())).is(204);
    assert!(line.is_closed());
}

fn a_chat_goes_on_at_another_node(desk: &Desk) {
    with_chat(desk, |_| {});
    let (mut visitor, chat) = accepted(desk, json!({}));
    let config = desk.config();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let clock = deskbell::clock::Clock::fixed(desk.now());
    let other = crate::support::running::Running::start("chat-other-node", config, clock, listener);
    let mut line = agent_on(&other.base, &desk.people.agent.secret, &chat, 0);
    line.of_type("chat");
    line.tell(json!({ "type": "message", "id": ClientMessageId::new(), "body": "From another node" }));
    line.of_type("ack");
    assert_eq!(visitor.socket.of_type("message")["body"], "From another node");
    visitor.say("And back");
    line.of_type("message");
    assert_eq!(line.of_type("message")["body"], "And back");
    let away = Client::new(&crate::support::client::agent(), &other.base, Some(&desk.people.agent.secret), &Default::default());
    away.post(&format!("/api/v1/chats/{}/end", chat["id"].as_str().unwrap()), json!({})).ok();
    visitor.socket.stands("ended");
}
