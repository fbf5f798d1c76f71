//! One person's data: handed out whole, and erased so that no word is left while every figure stays.
use crate::inbound;
use crate::support::client::Client;
use crate::support::given::{close, path};
use crate::support::lmtp;
use crate::support::{Desk, Test, tests};
use crate::surveys::press;
use crate::transfer::{import, lines};
use chrono::TimeDelta;
use deskbell::db::Conn;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use serde_json::{Value, json};
use std::path::Path;
use ureq::http::Method;

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    an_export_holds_everything_that_was_said,
    after_an_erasure_no_word_of_the_person_is_left_and_every_figure_stays,
    an_erasure_waits_for_open_tickets_and_happens_once,
    others_are_not_touched,
    letters_to_the_staff_and_errors_of_imports_forget_the_person,
];

/// Words of the person that nothing else says: name, address, number, and what was said in each place.
pub const WORDS: &[&str] = &[
    "zebulon",
    "quarterman",
    "qwormwood",
    "14165550177",
    "vortexium",
    "sundrywick",
    "snorkelfish",
    "marmalark",
    "hexaplank",
    "glimmerbolt",
    "oldcomment",
    "reviewnote",
    "whynotnow",
    "attemptnote",
    "plumbago",
    "krakatau",
    "fieldword",
    "voicewords",
    "recordingplace",
    "resultnote",
    "bouncedetail",
    "lettersubject",
    "letterwords",
    "copyperson",
];

pub struct Person {
    pub contact: String,
    mail: Value,
    call: Value,
}

#[track_caller]
pub fn upload(client: &Client) -> String {
    let body = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"plumbago.txt\"\r\nContent-Type: text/plain\r\n\r\n\
                krakatau bytes\r\n--x--\r\n";
    client.send(Method::POST, "/api/v1/attachments", Some(("multipart/form-data; boundary=x", body.into()))).id()
}

/// Somebody who has used everything that the desk offers, with all tickets closed.
pub fn person(desk: &Desk) -> Person {
    desk.admin().post("/api/v1/fields", json!({ "key": "wish", "label": "Wish", "type": "text" })).ok();
    let address = "zebulon@qwormwood.example";
    let keyed = desk.channel().with("Idempotency-Key", "first-mail");
    let mail = keyed
        .post(
            "/api/v1/tickets",
            json!({
                "channel": "email", "subject": "Vortexium is broken", "body": "My snorkelfish died.",
                "from": { "email": address, "name": "Zebulon Quarterman" },
            }),
        )
        .ok();
    let contact = mail["contact_id"].as_str().unwrap().to_owned();
    desk.agent().patch(&format!("/api/v1/contacts/{contact}"), json!({ "phones": ["+14165550177"] })).ok();
    desk.agent().patch(&path(&mail, ""), json!({ "subject": "Sundrywick", "fields": { "wish": "fieldword" } })).ok();
    let file = upload(&desk.agent());
    let reply = json!({ "body": "Dear Zebulon, marmalark.", "attachments": [file] });
    desk.agent().with("Idempotency-Key", "reply-1").post(&path(&mail, "/replies"), reply).ok();
    desk.agent().post(&path(&mail, "/notes"), json!({ "body": "Quarterman is a hexaplank." })).ok();
    close(desk, mail["id"].as_str().unwrap());
    let report = |event: &str, when: &str, more: Value| {
        let mut body =
            json!({ "call_id": "c1", "event": event, "occurred_at": when, "from": "+14165550177", "to": "+14165550199" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        desk.channel().post("/api/v1/calls/events", body).ok()
    };
    report("ringing", "2026-06-10T13:59:40Z", json!({}));
    let words = json!({ "recording_url": "https://phone.example/recordingplace", "transcript": "voicewords" });
    report("voicemail", "2026-06-10T13:59:50Z", words);
    let call = report("ended", "2026-06-10T13:59:58Z", json!({}));
    let ticket = format!("/api/v1/tickets/{}", call["ticket_id"].as_str().unwrap());
    let called = json!({ "result": "no_answer", "note": "resultnote" });
    desk.agent().post(&format!("{ticket}/callbacks"), called).ok();
    desk.agent().post(&format!("{ticket}/closure"), json!({})).ok();
    desk.advance(TimeDelta::hours(4));
    let mails = desk.mails_to(address);
    let link = mails.iter().flat_map(|mail| mail.links()).find(|link| link.contains("/survey/") && !link.contains('?')).unwrap();
    let page = link.strip_prefix(&desk.base()).unwrap().to_owned();
    press(desk, &page, "2", "Oldcomment.").is(303);
    press(desk, &page, "1", "Glimmerbolt!").is(303);
    let answer = desk.agent().get("/api/v1/surveys/responses").ok()["items"][0].clone();
    let id = answer["id"].as_str().unwrap();
    desk.other_agent().post(&format!("/api/v1/surveys/responses/{id}/claim"), json!({})).ok();
    let review = json!({ "causes": ["slow answer"], "note": "reviewnote" });
    desk.other_agent().put(&format!("/api/v1/surveys/responses/{id}/review"), review).ok();
    let followup = format!("/api/v1/surveys/followups/{id}");
    desk.other_agent().post(&format!("{followup}/attempts"), json!({ "how": "phone", "note": "attemptnote" })).ok();
    desk.other_agent().put(&format!("{followup}/outcome"), json!({ "outcome": "no_reply", "why": "whynotnow" })).ok();
    let gate = lmtp::listen(desk);
    let to = inbound::mailbox(desk, "support", None);
    let from = format!("Zebulon Quarterman <{address}>");
    inbound::hand_over(
        desk,
        &gate,
        &to,
        &inbound::mail(&from, &to, "Lettersubject", "Cc: friend@copyperson.example\r\n", "Letterwords."),
    );
    let written = desk.agent().get(&format!("/api/v1/tickets?contact_id={contact}&status=open")).ok()["items"][0].clone();
    assert_eq!(written["subject"], "Lettersubject");
    close(desk, written["id"].as_str().unwrap());
    let suppression = json!({ "address": address, "detail": "bouncedetail" });
    desk.agent().post("/api/v1/surveys/suppressions", suppression).is(201);
    Person { contact, mail, call }
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    text: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

fn texts(conn: &mut Conn, sql: &str) -> Vec<String> {
    let rows: Vec<Line> = deskbell::each!(conn, conn => diesel::sql_query(sql).load(conn)).unwrap();
    rows.into_iter().map(|row| row.text).collect()
}

/// Every table, and a condition that is true where a row of it says the word, whatever the column.
fn tables(conn: &mut Conn) -> Vec<(String, String)> {
    if let Conn::Pg(_) = conn {
        let names = texts(conn, "SELECT tablename::text AS text FROM pg_tables WHERE schemaname = 'public'");
        return names
            .into_iter()
            .map(|name| (name.clone(), format!("position('WORD' in lower(\"{name}\"::text)) > 0")))
            .collect();
    }
    let names = texts(conn, "SELECT name AS text FROM sqlite_master WHERE type = 'table' AND name <> 'search_documents'");
    let mut found = Vec::new();
    for name in names {
        let columns = texts(conn, &format!("SELECT name AS text FROM pragma_table_info('{name}')"));
        let tests: Vec<String> = columns
            .iter()
            .map(|column| {
                format!("instr(lower(CAST(\"{column}\" AS TEXT)), 'WORD') > 0 OR instr(\"{column}\", CAST('WORD' AS BLOB)) > 0")
            })
            .collect();
        if !tests.is_empty() {
            found.push((name, tests.join(" OR ")));
        }
    }
    found
}

/// Where a word is found in the database.
pub fn found(desk: &Desk, word: &str) -> Vec<String> {
    let mut conn = Conn::open(desk.app().db.url()).unwrap();
    let conn = &mut conn;
    let tables = tables(conn);
    assert!(tables.len() > 40, "{tables:?}");
    let says = |conn: &mut Conn, (name, condition): &(String, String)| {
        let sql = format!("SELECT count(*) AS count FROM \"{name}\" WHERE {}", condition.replace("WORD", word));
        let rows: Vec<Count> = deskbell::each!(conn, conn => diesel::sql_query(sql).load(conn)).unwrap();
        rows.first().is_some_and(|row| row.count > 0)
    };
    tables.iter().filter(|table| says(conn, table)).map(|(name, _)| name.clone()).collect()
}

fn files(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
}

fn figures(desk: &Desk) -> Vec<Value> {
    let period = "from=2026-06-01T00:00:00Z&to=2026-08-01T00:00:00Z";
    ["sla", "nps", "surveys", "causes", "calls", "hours"]
        .iter()
        .map(|name| desk.manager().get(&format!("/api/v1/reports/{name}?{period}")).ok())
        .chain([desk.manager().get("/api/v1/surveys/recovery").ok()])
        .collect()
}

pub fn erase(desk: &Desk, person: &Person) -> Value {
    let done = desk.admin().post(&format!("/api/v1/contacts/{}/erasure", person.contact), json!({})).ok();
    desk.settle();
    done
}

fn an_export_holds_everything_that_was_said(desk: &Desk) {
    let person = person(desk);
    let address = format!("/api/v1/contacts/{}/export", person.contact);
    desk.agent().get(&address).refused(403, "missing_right");
    let answer = desk.manager().get(&address);
    assert!(answer.header("content-disposition").is_some_and(|value| value.starts_with("attachment")));
    let document = answer.ok();
    let whole = answer.text.to_lowercase();
    for word in WORDS.iter().filter(|word| !["krakatau", "copyperson"].contains(word)) {
        assert!(whole.contains(word), "{word} is not in the document");
    }
    assert_eq!(document["tickets"].as_array().unwrap().len(), 3);
    assert_eq!(document["tickets"][0]["messages"].as_array().unwrap().len(), 3);
    assert_eq!(document["calls"][0]["id"], person.call["id"]);
    let answers: Vec<&Value> = document["surveys"].as_array().unwrap().iter().filter(|one| !one["answer"].is_null()).collect();
    assert_eq!((answers.len(), &answers[0]["answer"]["score"]), (1, &json!(1)));
    assert_eq!(answers[0]["answer"]["earlier"][0]["score"], 2);
    assert_eq!(answers[0]["answer"]["review"]["causes"], json!(["slow answer"]));
    assert_eq!(answers[0]["answer"]["followup"]["attempts"][0]["how"], "phone");
    desk.manager().get("/api/v1/contacts/00000000-0000-7000-8000-000000000000/export").refused(404, "not_found");
}

fn after_an_erasure_no_word_of_the_person_is_left_and_every_figure_stays(desk: &Desk) {
    let person = person(desk);
    for word in WORDS.iter().filter(|word| **word != "krakatau") {
        assert!(!found(desk, word).is_empty(), "{word} is nowhere before");
    }
    let folder = desk.data_dir().join("attachments");
    assert_eq!(files(&folder), 1);
    let file = desk.agent().get(&path(&person.mail, "")).ok()["messages"][1]["attachments"][0]["id"].clone();
    let before = figures(desk);
    let done = erase(desk, &person);
    assert_eq!((&done["contact_id"], &done["files_left"]), (&json!(person.contact), &json!(1)));
    assert_eq!(done["is_finished"], false);
    for word in WORDS {
        assert_eq!(found(desk, word), Vec::<String>::new(), "{word} is left");
        assert_eq!(desk.agent().get(&format!("/api/v1/tickets?q={word}")).ok()["items"], json!([]), "{word} is found");
    }
    assert_eq!(figures(desk), before);
    assert_eq!(files(&folder), 0, "the bytes are gone");
    desk.agent().get(&format!("/api/v1/attachments/{}", file.as_str().unwrap())).refused(404, "not_found");
    let contact = desk.agent().get(&format!("/api/v1/contacts/{}", person.contact)).ok();
    assert_eq!((&contact["name"], &contact["emails"], &contact["phones"]), (&json!("Erased contact"), &json!([]), &json!([])));
    let ticket = desk.agent().get(&path(&person.mail, "")).ok();
    assert_eq!((&ticket["subject"], ticket["messages"].as_array().unwrap().len()), (&json!("(erased)"), 3));
    let answer = desk.agent().get("/api/v1/surveys/responses").ok()["items"][0].clone();
    assert_eq!(
        (&answer["score"], &answer["comment"], &answer["contact_name"]),
        (&json!(1), &json!("(erased)"), &json!("Erased contact"))
    );
    let audit = desk.admin().get(&format!("/api/v1/audit?object_id={}", person.contact)).ok();
    assert_eq!(audit["items"][0]["after"], json!({ "is_erased": true }), "{audit}");
    // Whoever writes again is somebody new, and nobody is asked or reminded any more.
    let letters = desk.mails().len();
    desk.advance(TimeDelta::days(10));
    assert_eq!(desk.mails().len(), letters);
    let again = crate::support::given::email_ticket(desk, "zebulon@qwormwood.example");
    assert_ne!(again["contact_id"], json!(person.contact));
}

fn an_erasure_waits_for_open_tickets_and_happens_once(desk: &Desk) {
    let ticket = crate::support::given::email_ticket(desk, "ana@nordwind.example");
    let address = format!("/api/v1/contacts/{}/erasure", ticket["contact_id"].as_str().unwrap());
    desk.manager().post(&address, json!({})).refused(403, "missing_right");
    desk.admin().post(&address, json!({ "why": "x" })).refused(422, "invalid_input");
    desk.admin().post(&address, json!({})).refused(409, "open_tickets");
    assert!(!found(desk, "ana@nordwind.example").is_empty(), "nothing was written");
    close(desk, ticket["id"].as_str().unwrap());
    let first = desk.admin().post(&address, json!({})).ok();
    desk.advance(TimeDelta::hours(4));
    assert_eq!(crate::surveys::outcomes(desk, &ticket), ["skipped_no_email"], "the letter that waited is not sent");
    assert!(desk.mails().is_empty());
    let again = desk.admin().post(&address, json!({})).ok();
    assert_eq!((&again["erased_at"], &again["erased_by"]), (&first["erased_at"], &first["erased_by"]));
    let nobody = "/api/v1/contacts/00000000-0000-7000-8000-000000000000/erasure";
    desk.admin().post(nobody, json!({})).refused(404, "not_found");
    desk.admin().post("/api/v1/contacts/x/erasure", json!({})).is(404);
}

fn letters_to_the_staff_and_errors_of_imports_forget_the_person(desk: &Desk) {
    let from = json!({ "email": "yasmin@quillfern.example" });
    let mail = json!({ "channel": "email", "subject": "Yakwhistle", "body": "Help.", "from": from });
    let mail = desk.channel().post("/api/v1/tickets", mail).ok();
    desk.advance(TimeDelta::hours(25));
    let row = json!({ "external_id": "yasmin@quillfern.example", "name": "Yasmin", "organization": "nowhere" });
    import(desk, "contacts", "jsonl", &lines(&[row]), json!({}));
    assert!(found(desk, "yakwhistle").contains(&"alert_letters".to_owned()), "the broken promise was told");
    assert!(found(desk, "quillfern").contains(&"import_errors".to_owned()));
    close(desk, mail["id"].as_str().unwrap());
    let contact = mail["contact_id"].as_str().unwrap().to_owned();
    erase(desk, &Person { contact, mail, call: Value::Null });
    for word in ["yakwhistle", "quillfern"] {
        assert_eq!(found(desk, word), Vec::<String>::new(), "{word} is left");
    }
}

fn others_are_not_touched(desk: &Desk) {
    let other = crate::support::given::email_ticket(desk, "bo@nordwind.example");
    let before = desk.agent().get(&path(&other, "")).ok();
    let contact = format!("/api/v1/contacts/{}", other["contact_id"].as_str().unwrap());
    let known = desk.agent().get(&contact).ok();
    let person = person(desk);
    erase(desk, &person);
    let after = desk.agent().get(&path(&other, "")).ok();
    for field in ["subject", "messages", "contact_name", "version", "clocks"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    assert_eq!(desk.agent().get(&contact).ok(), known);
    let found = desk.agent().get("/api/v1/tickets?q=transfer").ok();
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "{found}");
}
