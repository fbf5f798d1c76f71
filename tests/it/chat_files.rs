//! Files in chats: from the visitor and to the visitor, kept on the ticket, limited, and fetched by signed addresses alone.
use crate::attachments::{BOUNDARY, bytes, form, upload};
use crate::support::client::Client;
use crate::support::websocket::{SITE, Socket, Visitor, agent_on, with_chat};
use crate::support::{Answer, Desk, Test, given, tests};
use chrono::TimeDelta;
use deskbell::ids::ClientMessageId;
use serde_json::{Value, json};
use ureq::http::Method;

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_file_goes_both_ways_and_stays_with_the_ticket,
    files_of_strangers_are_limited,
    nobody_hands_in_or_fetches_without_a_signed_address,
    a_file_of_a_chat_on_another_node_is_heard_of,
];

/// The chat as its visitor sees it once an agent took it, and the agent's line.
#[track_caller]
fn talking(desk: &Desk) -> (Visitor, Socket, Value) {
    let (mut visitor, chat) = Visitor::ask(desk, json!({}));
    assert_eq!(chat["upload"], Value::Null, "nobody is there yet");
    desk.agent().post(&format!("/api/v1/chats/{}/accept", chat["id"].as_str().unwrap()), json!({})).ok();
    let chat = visitor.socket.stands("active");
    let agent = agent_on(&desk.base(), &desk.people.agent.secret, &chat, 0);
    (visitor, agent, chat)
}

#[track_caller]
fn hand_in(client: &Client, address: &str, id: ClientMessageId, (name, kind, bytes): (&str, &str, &[u8])) -> Answer {
    let headers = format!("Content-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: {kind}");
    let body = form(&[(&headers, bytes)]);
    let path = format!("{address}&id={id}");
    client.send(Method::POST, &path, Some((&format!("multipart/form-data; boundary={BOUNDARY}"), body)))
}

fn on_site(desk: &Desk) -> Client {
    desk.anonymous().with("Origin", SITE)
}

fn door(chat: &Value) -> String {
    chat["upload"].as_str().expect("files are taken").to_owned()
}

#[track_caller]
fn ticket_of(desk: &Desk, chat: &Value) -> Value {
    let id = desk.agent().get(&format!("/api/v1/chats/{}", chat["id"].as_str().unwrap())).ok()["ticket_id"].clone();
    desk.agent().get(&format!("/api/v1/tickets/{}", id.as_str().unwrap())).ok()
}

fn a_file_goes_both_ways_and_stays_with_the_ticket(desk: &Desk) {
    with_chat(desk, |_| {});
    let (mut visitor, mut agent, chat) = talking(desk);
    let (photo, id) = (bytes(100_000), ClientMessageId::new());
    let sent = || hand_in(&on_site(desk), &door(&chat), id, ("..\\my photo.png", "image/png", &photo));
    let taken = sent();
    assert_eq!(taken.ok(), json!({ "id": id, "seq": 1 }));
    assert_eq!(taken.header("access-control-allow-origin"), Some(SITE), "the widget reads what became of it");
    let (here, there) = (visitor.socket.of_type("message"), agent.of_type("message"));
    assert_eq!(here.to_string(), there.to_string(), "both ends have the same, byte for byte");
    let file = &here["files"][0];
    assert_eq!(
        (&here["body"], &file["name"], &file["size_bytes"]),
        (&json!("my photo.png"), &json!("my photo.png"), &json!(100_000))
    );
    let got = desk.anonymous().get(file["url"].as_str().unwrap());
    assert!(got.is(200).bytes == photo, "{} bytes came back", got.bytes.len());
    let shown = got.header("content-disposition").unwrap();
    assert!(shown.starts_with("attachment; filename=\"my photo.png\""), "{shown}");
    assert_eq!(desk.anonymous().head(file["url"].as_str().unwrap()).is(200).header("content-length"), Some("100000"));
    // The same again is the same message.
    assert_eq!(sent().ok()["seq"], 1);
    let own = upload(&desk.agent(), "guide.pdf", "application/pdf", b"%PDF").id();
    let path = format!("/api/v1/chats/{}/messages", chat["id"].as_str().unwrap());
    let said = json!({ "body": "Please read this.", "attachments": [own] });
    assert_eq!(desk.agent().post(&path, &said).ok()["seq"], 2);
    assert_eq!(desk.agent().post(&path, &said).refuses_field("attachments[0]"), "unknown_attachment");
    let told = visitor.socket.of_type("message");
    assert_eq!((&told["body"], &told["files"][0]["name"]), (&json!("Please read this."), &json!("guide.pdf")));
    assert_eq!(desk.anonymous().get(told["files"][0]["url"].as_str().unwrap()).is(200).bytes, b"%PDF");
    let listed = desk.agent().get(&path).ok();
    assert_eq!(listed["items"][1]["files"], told["files"]);
    // The transcript is the ticket.
    let ticket = ticket_of(desk, &chat);
    let names: Vec<&Value> =
        ticket["messages"].as_array().unwrap().iter().map(|message| &message["attachments"][0]["file_name"]).collect();
    assert_eq!(names, [&json!("my photo.png"), &json!("guide.pdf")]);
    let history = desk.agent().get(&given::path(&ticket, "/history")).ok();
    let attached = |event: &&Value| event["kind"] == "files_attached";
    let actors: Vec<&Value> = history["items"].as_array().unwrap().iter().filter(attached).map(|event| &event["actor"]).collect();
    assert_eq!(actors, [&json!("contact"), &json!("agent")]);
    // Who comes back has it all again.
    let hello = json!({ "type": "hello", "visitor": visitor.signed, "chat": chat["id"], "after": 0 });
    assert_eq!(Visitor::hello(&desk.base(), hello).socket.of_type("message").to_string(), here.to_string());
    desk.advance(TimeDelta::days(30));
    desk.anonymous().get(file["url"].as_str().unwrap()).refused(404, "not_found");
    let kept = format!("/api/v1/attachments/{}", file["id"].as_str().unwrap());
    desk.agent().get(&kept).is(200);
}

fn files_of_strangers_are_limited(desk: &Desk) {
    with_chat(desk, |chat| (chat.file_size_max_bytes, chat.files_max, chat.files_per_minute_per_address) = (1_000, 2, 0));
    let (mut visitor, _agent, chat) = talking(desk);
    let (client, address) = (on_site(desk), door(&chat));
    let send = |name: &str, kind: &str, bytes: &[u8]| hand_in(&client, &address, ClientMessageId::new(), (name, kind, bytes));
    let refused = send("a.txt", "text/plain", &[b'x'; 1_001]);
    refused.refused(413, "body_too_large");
    assert_eq!(refused.header("access-control-allow-origin"), Some(SITE));
    assert_eq!(send("a.exe", "application/octet-stream", b"MZ").refuses_field("file"), "refused_type");
    let json = client.post(&format!("{address}&id={}", ClientMessageId::new()), json!({}));
    json.refused(415, "unsupported_media_type");
    assert_eq!(ticket_of(desk, &chat)["messages"], json!([]), "nothing was written");
    send("a.txt", "text/plain", &[b'x'; 1_000]).ok();
    send("b.txt", "text/plain", b"b").ok();
    send("c.txt", "text/plain", b"c").refused(409, "too_many_files");
    desk.agent().post(&format!("/api/v1/chats/{}/end", chat["id"].as_str().unwrap()), json!({})).ok();
    assert_eq!(visitor.socket.stands("ended")["upload"], Value::Null);
    send("d.txt", "text/plain", b"d").refused(409, "chat_over");
    with_chat(desk, |chat| chat.files_per_minute_per_address = 1);
    let (_visitor, _agent, chat) = talking(desk);
    let one = |name: &str| hand_in(&on_site(desk), &door(&chat), ClientMessageId::new(), (name, "text/plain", b"x"));
    one("a.txt").ok();
    one("b.txt").refused(429, "too_many_requests");
    with_chat(desk, |chat| chat.file_size_max_bytes = 0);
    let (mut visitor, chat) = Visitor::ask(desk, json!({}));
    desk.manager().post(&format!("/api/v1/chats/{}/accept", chat["id"].as_str().unwrap()), json!({})).ok();
    assert_eq!(visitor.socket.stands("active")["upload"], Value::Null, "files are not taken");
}

fn nobody_hands_in_or_fetches_without_a_signed_address(desk: &Desk) {
    with_chat(desk, |chat| chat.blocked = vec!["203.0.113.0/24".to_owned()]);
    let (mut visitor, _agent, chat) = talking(desk);
    let file = ("a.txt", "text/plain", b"x".as_slice());
    let id = ClientMessageId::new;
    let address = door(&chat);
    hand_in(&desk.anonymous(), &address, id(), file).refused(403, "origin_not_allowed");
    let stranger = hand_in(&desk.anonymous().with("Origin", "https://evil.example"), &address, id(), file);
    stranger.refused(403, "origin_not_allowed");
    assert_eq!(stranger.header("access-control-allow-origin"), None);
    let own = address.split("key=").next().unwrap();
    for key in ["", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "%F0%9F%98%80"] {
        hand_in(&on_site(desk), &format!("{own}key={key}"), id(), file).refused(403, "bad_key");
    }
    // The address of one chat is not that of another.
    let (_other, _line, other) = talking(desk);
    let mixed = format!("/chat/{}/files?{}", other["id"].as_str().unwrap(), address.split('?').nth(1).unwrap());
    hand_in(&on_site(desk), &mixed, id(), file).refused(403, "bad_key");
    on_site(desk).get(&address).refused(405, "method_not_allowed");
    on_site(desk).post("/chat/nothing/files?key=x", json!({})).is(404);
    hand_in(&on_site(desk), &format!("{address}&more=1"), id(), file).refuses_field("more");
    hand_in(&on_site(desk), &address, id(), file).ok();
    let url = visitor.socket.of_type("message")["files"][0]["url"].as_str().unwrap().to_owned();
    desk.anonymous().get(&url).is(200);
    let place = url.split('?').next().unwrap();
    desk.anonymous().get(place).is(422);
    desk.anonymous().get(&format!("{place}?key=guess")).refused(403, "bad_key");
    desk.anonymous().post(&url, json!({})).refused(405, "method_not_allowed");
    // A file that was no chat's has no such address.
    let other = upload(&desk.agent(), "note.txt", "text/plain", b"n").id();
    let key = url.split("key=").nth(1).unwrap();
    desk.anonymous().get(&format!("/chat/files/{other}?key={key}")).refused(403, "bad_key");
    // Who is kept out hands nothing in.
    desk.agent().put(&format!("/api/v1/chats/{}/block", chat["id"].as_str().unwrap()), json!({ "blocked": true })).ok();
    let late = hand_in(&on_site(desk), &address, id(), file);
    assert!(late.status == 403 || late.status == 409, "{}", late.text);
}

fn a_file_of_a_chat_on_another_node_is_heard_of(desk: &Desk) {
    with_chat(desk, |_| {});
    let (_visitor, mut agent, chat) = talking(desk);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let clock = deskbell::clock::Clock::fixed(desk.now());
    let other = crate::support::running::Running::start("chat-files-other-node", desk.config(), clock, listener);
    let away = Client::new(&crate::support::client::agent(), &other.base, None, &Default::default()).with("Origin", SITE);
    hand_in(&away, &door(&chat), ClientMessageId::new(), ("a.txt", "text/plain", b"away")).ok();
    let url = agent.of_type("message")["files"][0]["url"].as_str().unwrap().to_owned();
    assert_eq!(desk.anonymous().get(&url).is(200).bytes, b"away", "the other node signed it with the same key");
    // Who types on another node is heard of too, and no trace of it is left.
    let mut line = agent_on(&other.base, &desk.people.agent.secret, &chat, 1);
    line.of_type("chat");
    drop(agent);
    let mut visitor = _visitor;
    crate::support::process::wait_for(std::time::Duration::from_secs(20), || {
        line.tell(json!({ "type": "typing" }));
        desk.settle();
        noted(desk) > 0
    })
    .expect("it is noted");
    desk.settle();
    visitor.socket.of_type("typing");
    desk.advance(TimeDelta::seconds(61));
    assert_eq!(noted(desk), 0);
}

/// How many rows say that somebody types.
fn noted(desk: &Desk) -> i64 {
    use deskbell::db::schema::chat_typing;
    use diesel::prelude::*;
    let mut conn = deskbell::db::Conn::open(&desk.config().database_url()).unwrap();
    chat_typing::table.count().get_result(&mut conn).unwrap()
}
