//! Files: handed in as a form, given to a message, mailed with a reply, saved again, and swept where no message wants them.
use crate::support::client::{self, Client};
use crate::support::given::{email_ticket, path};
use crate::support::{Answer, Desk, Test, plain, process, tests};
use crate::trouble;
use chrono::TimeDelta;
use deskbell::attachments::jobs;
use mail_parser::{MessageParser, MimeHeaders};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use ureq::http::Method;

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_file_comes_back_as_it_went_in,
    a_file_belongs_to_the_message_that_names_it,
    a_public_reply_carries_its_files_and_a_note_mails_none,
    a_retry_of_an_upload_gets_the_first_answer,
    a_file_is_refused_by_size_end_type_and_form,
    files_are_refused_that_are_not_waiting_for_their_sender,
    too_many_or_too_large_files_are_refused_together,
    what_no_message_wants_is_swept_after_a_day,
    what_a_file_is_called_breaks_out_of_no_header,
    a_desk_can_keep_files_in_memory,
];
/// Against the real binary.
pub const PLAIN: &[Test] = plain![a_full_disk_takes_no_half_file];

pub const FILES: &str = "/api/v1/attachments";
pub const BOUNDARY: &str = "----form-7f3a";

/// A form of parts: the headers of each, and its bytes.
pub fn form(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (headers, bytes) in parts {
        body.extend_from_slice(format!("--{BOUNDARY}\r\n{headers}\r\n\r\n").as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

#[track_caller]
fn send(client: &Client, body: Vec<u8>) -> Answer {
    client.send(Method::POST, FILES, Some((&format!("multipart/form-data; boundary={BOUNDARY}"), body)))
}

#[track_caller]
pub fn upload(client: &Client, name: &str, kind: &str, bytes: &[u8]) -> Answer {
    let headers = format!("Content-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: {kind}");
    send(client, form(&[(&headers, bytes)]))
}

/// Bytes of every kind.
pub fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from((at * 7 + at / 251) % 256).unwrap()).collect()
}

pub fn stored(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { stored(&path) } else { vec![path] }).collect()
}

pub fn sweep(desk: &Desk) -> usize {
    let app = desk.app();
    actix_web::rt::System::new().block_on(jobs::sweep(&app)).unwrap()
}

fn messages(desk: &Desk, ticket: &Value) -> Vec<Value> {
    desk.agent().get(&path(ticket, "")).ok()["messages"].as_array().unwrap().clone()
}

fn a_file_comes_back_as_it_went_in(desk: &Desk) {
    // The second is written in parts.
    for length in [0, 7_000_000] {
        let sent = bytes(length);
        let made = upload(&desk.agent(), "scan 7.png", "image/png", &sent);
        made.is(201);
        let file = made.ok();
        assert_eq!(
            (&file["file_name"], &file["media_type"], &file["size_bytes"]),
            (&json!("scan 7.png"), &json!("image/png"), &json!(length))
        );
        let address = made.header("location").unwrap();
        let got = desk.other_agent().get(address);
        got.is(200);
        assert!(got.bytes == sent, "{} bytes came back", got.bytes.len());
        let digest: String = Sha256::digest(&sent).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(file["sha256"], json!(digest));
        for (name, value) in [
            ("content-type", "image/png"),
            ("content-disposition", "attachment; filename=\"scan 7.png\"; filename*=UTF-8''scan%207.png"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "default-src 'none'; sandbox"),
            ("cache-control", "private, no-store"),
            ("content-length", &length.to_string()),
        ] {
            assert_eq!(got.header(name), Some(value), "{name}");
        }
        let head = desk.agent().head(address);
        assert_eq!((head.is(200).text.as_str(), head.header("content-length")), ("", Some(length.to_string().as_str())));
        desk.channel().get(address).refused(403, "missing_right");
    }
    desk.agent().get(&format!("{FILES}/0198f3c2-0000-7000-8000-000000000000")).refused(404, "not_found");
}

fn a_file_belongs_to_the_message_that_names_it(desk: &Desk) {
    let mail = upload(&desk.channel(), "log.txt", "text/plain; charset=UTF-8", b"one").id();
    let ticket = json!({ "channel": "email", "subject": "Log", "body": "See the log.", "from": { "email": "ana@nordwind.example" }, "attachments": [mail] });
    let ticket = desk.channel().post("/api/v1/tickets", ticket).ok();
    let (b, a) =
        (upload(&desk.channel(), "b.txt", "text/plain", b"b").id(), upload(&desk.channel(), "a.txt", "text/plain", b"a").id());
    desk.channel().post(&path(&ticket, "/messages"), json!({ "body": "Two more.", "attachments": [b, a] })).ok();
    let note = upload(&desk.agent(), "note.txt", "text/plain", b"n").id();
    desk.agent().post(&path(&ticket, "/notes"), json!({ "body": "Looked at.", "attachments": [note] })).ok();
    let shown = messages(desk, &ticket);
    let ids = |message: &Value| -> Vec<Value> {
        message["attachments"].as_array().unwrap().iter().map(|file| file["id"].clone()).collect()
    };
    assert_eq!(shown.iter().map(ids).collect::<Vec<_>>(), [vec![json!(mail)], vec![json!(b), json!(a)], vec![json!(note)]]);
    assert_eq!(shown[0]["attachments"][0]["media_type"], "text/plain; charset=utf-8");
    let history = desk.agent().get(&path(&ticket, "/history")).ok();
    let attached: Vec<&Value> =
        history["items"].as_array().unwrap().iter().filter(|event| event["kind"] == "files_attached").collect();
    assert_eq!(attached.len(), 3, "{history}");
    assert_eq!(
        (&attached[1]["actor"], &attached[1]["data"]),
        (&json!("machine"), &json!({ "message_id": shown[1]["id"], "attachment_ids": [b, a] }))
    );
}

fn a_public_reply_carries_its_files_and_a_note_mails_none(desk: &Desk) {
    let ticket = email_ticket(desk, "ana@nordwind.example");
    // Line ends as they were, an unusual name, and a page that no mail program may open as one.
    let page = b"<html>\n<script>alert(1)</script>\r\n</html>\n";
    let (first, sent) = (upload(&desk.agent(), "Übersicht \u{1F3E0}.html", "text/html", page).id(), bytes(100_000));
    let second = upload(&desk.agent(), "scan.png", "image/png", &sent).id();
    desk.agent().post(&path(&ticket, "/replies"), json!({ "body": "Here they are.", "attachments": [first, second] })).ok();
    desk.settle();
    let mail = desk.mail_to("ana@nordwind.example");
    assert!(mail.text.contains("Here they are."), "{}", mail.text);
    assert!(mail.html.contains("Here they are."), "{}", mail.html);
    let parsed = MessageParser::default().parse(mail.raw.as_bytes()).unwrap();
    let files: Vec<_> = parsed.attachments().collect();
    let names: Vec<_> = files.iter().map(|file| file.attachment_name().unwrap()).collect();
    assert_eq!(names, ["Übersicht \u{1F3E0}.html", "scan.png"]);
    assert!(files[0].contents() == page && files[1].contents() == sent);
    let kinds: Vec<_> = files
        .iter()
        .map(|file| file.content_type().unwrap())
        .map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap()))
        .collect();
    assert_eq!(kinds, ["application/octet-stream", "image/png"]);
    let note = upload(&desk.agent(), "note.txt", "text/plain", b"n").id();
    desk.agent().post(&path(&ticket, "/notes"), json!({ "body": "Ours.", "attachments": [note] })).ok();
    desk.settle();
    assert_eq!(desk.mails_to("ana@nordwind.example").len(), 1);
}

fn a_retry_of_an_upload_gets_the_first_answer(desk: &Desk) {
    let client = desk.agent().with("Idempotency-Key", "upload-1");
    let first = upload(&client, "a.txt", "text/plain", b"one").ok();
    assert_eq!(upload(&client, "a.txt", "text/plain", b"one").ok(), first);
    upload(&client, "a.txt", "text/plain", b"two").refused(422, "idempotency_key_reused");
    upload(&desk.agent().with("Idempotency-Key", "a b"), "a.txt", "text/plain", b"one").refused(400, "bad_idempotency_key");
    let reply = desk.agent().with("Idempotency-Key", "reply-1");
    let ticket = email_ticket(desk, "ana@nordwind.example");
    let body = json!({ "body": "Here.", "attachments": [first["id"]] });
    let answer = reply.post(&path(&ticket, "/replies"), &body).ok();
    assert_eq!(reply.post(&path(&ticket, "/replies"), &body).ok(), answer, "a retry does not find the file taken");
}

fn a_file_is_refused_by_size_end_type_and_form(desk: &Desk) {
    desk.restart(|config| {
        config.attachments.size_max_bytes = 1_000;
        config.attachments.media_types = vec!["image/*".to_owned(), "application/pdf".to_owned()];
    });
    let agent = desk.agent();
    upload(&agent, "a.png", "image/png", &bytes(1_000)).is(201);
    let kept = stored(&desk.data_dir().join("attachments"));
    assert_eq!(kept.len(), 1, "{kept:?}");
    upload(&agent, "a.png", "image/png", &bytes(1_001)).refused(413, "body_too_large");
    assert_eq!(upload(&agent, "a.png.EXE", "image/png", b"x").refuses_field("file"), "refused_type");
    assert_eq!(upload(&agent, "a.txt", "text/plain", b"x").refuses_field("file"), "refused_type");
    let file = "Content-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png";
    let other = "Content-Disposition: form-data; name=\"other\"";
    send(&agent, form(&[(file, b"x"), (file, b"y")])).refuses_field("file");
    send(&agent, form(&[(file, b"x"), (other, b"y")])).refuses_field("other");
    send(&agent, form(&[(other, b"y")])).refuses_field("other");
    assert_eq!(send(&agent, form(&[])).refuses_field("file"), "missing");
    let whole = form(&[(file, b"x")]);
    send(&agent, whole[..whole.len() - 20].to_vec()).refused(400, "malformed_multipart");
    send(&agent, form(&[("Content-Type: image/png", b"x")])).refused(400, "malformed_multipart");
    send(&agent, b"nothing of the kind".to_vec()).refused(400, "malformed_multipart");
    agent.send(Method::POST, FILES, Some(("multipart/form-data", whole.clone()))).refused(400, "malformed_multipart");
    agent.send(Method::POST, FILES, Some(("multipart/mixed; boundary=x", whole))).refused(415, "unsupported_media_type");
    agent.post(FILES, json!({})).refused(415, "unsupported_media_type");
    agent.send(Method::POST, FILES, None).refused(415, "unsupported_media_type");
    assert_eq!(stored(&desk.data_dir().join("attachments")), kept, "nothing that was refused is kept");
}

fn files_are_refused_that_are_not_waiting_for_their_sender(desk: &Desk) {
    let ticket = email_ticket(desk, "ana@nordwind.example");
    let mine = upload(&desk.agent(), "mine.txt", "text/plain", b"m").id();
    let theirs = upload(&desk.other_agent(), "theirs.txt", "text/plain", b"t").id();
    let machines = upload(&desk.channel(), "machine.txt", "text/plain", b"c").id();
    let reply = |ids: Value| desk.agent().post(&path(&ticket, "/replies"), json!({ "body": "Here.", "attachments": ids }));
    for (ids, wrong) in [
        (json!([mine, theirs]), 1),
        (json!([machines]), 0),
        (json!([mine, mine]), 1),
        (json!(["0198f3c2-0000-7000-8000-000000000000"]), 0),
    ] {
        assert_eq!(reply(ids).refuses_field(&format!("attachments[{wrong}]")), "unknown_attachment");
    }
    reply(json!(["x"])).refused(422, "invalid_input");
    assert_eq!(messages(desk, &ticket).len(), 1, "nothing was written");
    reply(json!([mine])).ok();
    assert_eq!(reply(json!([mine])).refuses_field("attachments[0]"), "unknown_attachment");
    desk.settle();
    assert_eq!(desk.mails_to("ana@nordwind.example").len(), 1);
    let silent =
        json!({ "channel": "web", "subject": "x", "from": { "email": "a@nordwind.example" }, "attachments": [machines] });
    assert_eq!(desk.channel().post("/api/v1/tickets", silent).refuses_field("attachments"), "no_message");
}

fn too_many_or_too_large_files_are_refused_together(desk: &Desk) {
    desk.restart(|config| (config.attachments.message_files_max, config.attachments.message_bytes_max) = (2, 100));
    let ticket = email_ticket(desk, "ana@nordwind.example");
    let ids: Vec<String> =
        [50, 50, 51].iter().map(|size| upload(&desk.agent(), "a.txt", "text/plain", &bytes(*size)).id()).collect();
    let note = |ids: &[&String]| desk.agent().post(&path(&ticket, "/notes"), json!({ "body": "Here.", "attachments": ids }));
    assert_eq!(note(&[&ids[0], &ids[1], &ids[2]]).refuses_field("attachments"), "too_many_files");
    assert_eq!(note(&[&ids[0], &ids[2]]).refuses_field("attachments"), "files_too_large");
    note(&[&ids[0], &ids[1]]).ok();
}

fn what_no_message_wants_is_swept_after_a_day(desk: &Desk) {
    let ticket = email_ticket(desk, "ana@nordwind.example");
    let kept = upload(&desk.agent(), "kept.txt", "text/plain", b"k").id();
    let loose = upload(&desk.agent(), "loose.txt", "text/plain", b"l").id();
    desk.agent().post(&path(&ticket, "/notes"), json!({ "body": "Here.", "attachments": [kept] })).ok();
    let folder = desk.data_dir().join("attachments");
    // An upload that broke off after its bytes were written.
    let orphan = folder.join("2026-06-10/0198f3c2-0000-7000-8000-000000000000");
    std::fs::write(&orphan, b"o").unwrap();
    assert_eq!(stored(&folder).len(), 3);
    desk.advance(TimeDelta::hours(24));
    assert_eq!(sweep(desk), 0, "not before its day is over");
    desk.advance(TimeDelta::seconds(1));
    assert_eq!(sweep(desk), 1);
    desk.agent().get(&format!("{FILES}/{loose}")).refused(404, "not_found");
    assert!(orphan.exists());
    desk.advance(TimeDelta::hours(24));
    assert_eq!(sweep(desk), 1);
    assert_eq!(stored(&folder).len(), 1);
    assert_eq!(desk.agent().get(&format!("{FILES}/{kept}")).is(200).text, "k");
    assert_eq!(sweep(desk), 0);
}

fn what_a_file_is_called_breaks_out_of_no_header(desk: &Desk) {
    for (said, kept, header) in [
        ("../../etc/pass\u{202E}wd", "passwd", "filename=\"passwd\"; filename*=UTF-8''passwd"),
        ("quo\\\"te.txt", "quo\"te.txt", "filename=\"quo_te.txt\"; filename*=UTF-8''quo%22te.txt"),
        (
            "Ünïcode \u{5BB6}.txt",
            "Ünïcode \u{5BB6}.txt",
            "filename=\"_n_code _.txt\"; filename*=UTF-8''%C3%9Cn%C3%AFcode%20%E5%AE%B6.txt",
        ),
        ("", "attachment", "filename=\"attachment\"; filename*=UTF-8''attachment"),
    ] {
        let made = upload(&desk.agent(), said, "image/svg+xml", b"<svg/>").ok();
        assert_eq!((&made["file_name"], &made["media_type"]), (&json!(kept), &json!("image/svg+xml")));
        let got = desk.agent().get(&format!("{FILES}/{}", made["id"].as_str().unwrap()));
        assert_eq!(got.header("content-disposition"), Some(format!("attachment; {header}").as_str()));
        assert_eq!(got.header("content-type"), Some("application/octet-stream"));
    }
    let extended = "Content-Disposition: form-data; name=\"file\"; filename=\"x\"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20b.txt";
    let made = send(&desk.agent(), form(&[(extended, b"x")])).ok();
    assert_eq!((&made["file_name"], &made["media_type"]), (&json!("aSet-Cookie: b.txt"), &json!("application/octet-stream")));
    let got = desk.agent().get(&format!("{FILES}/{}", made["id"].as_str().unwrap()));
    assert!(got.header("set-cookie").is_none() && got.header("content-disposition").is_some());
}

fn a_desk_can_keep_files_in_memory(desk: &Desk) {
    desk.restart(|config| config.attachments.store = "memory:".to_owned());
    let id = upload(&desk.agent(), "a.bin", "application/octet-stream", &bytes(7_000_000)).id();
    assert!(desk.agent().get(&format!("{FILES}/{id}")).bytes == bytes(7_000_000));
    assert_eq!(stored(&desk.data_dir().join("attachments")), Vec::<PathBuf>::new());
    desk.advance(TimeDelta::hours(25));
    assert_eq!(sweep(desk), 1);
}

fn a_full_disk_takes_no_half_file() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, base, token) = trouble::serve(folder.path(), trouble::Room::PerFile(4_000));
    let client = Client::new(&client::agent(), &base, token.as_deref(), &std::sync::Arc::new(true.into()));
    for length in [5_000_000, 15_000_000] {
        upload(&client, "large.bin", "application/octet-stream", &bytes(length)).refused(503, "unavailable");
    }
    let id = upload(&client, "small.bin", "application/octet-stream", &bytes(1_000)).id();
    assert!(client.get(&format!("{FILES}/{id}")).bytes == bytes(1_000));
    let left = stored(&folder.path().join("data/attachments"));
    assert_eq!(left.len(), 1, "{left:?}");
    process::stop(&mut child, "TERM");
}
