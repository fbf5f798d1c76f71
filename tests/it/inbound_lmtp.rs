//! LMTP by the book, any bytes over it, and a database that is away.
use crate::inbound::{INBOUND, hand_over, mail, mailbox, texts, tickets, whole};
use crate::support::lmtp::{Talk, listen, python};
use crate::support::{Backend, Desk, Test, sqlite, tests};
use deskbell::db::Conn;
use diesel::connection::SimpleConnection;

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    any_bytes_are_kept,
    lmtp_answers_by_the_book,
    many_connections_at_once_take_each_mail_once,
    mails_whose_filing_was_put_off_are_filed_after_a_restart,
];

/// Where another process holds SQLite's lock.
pub const LOCKED: &[Test] = sqlite![a_mail_is_put_off_while_the_database_is_away];

fn any_bytes_are_kept(desk: &Desk) {
    let address = mailbox(desk, "support", None);
    let path = listen(desk);
    let wild: Vec<u8> = (0..=255_u8).cycle().take(5_000).filter(|byte| *byte != b'\r' && *byte != b'\n').collect();
    let nul = b"From: ana@nordwind.example\r\nSubject: a\0b\r\n\r\nNUL \0 here\r\n".to_vec();
    for bytes in [b"\r\n".to_vec(), b"no header at all\r\n".to_vec(), [&wild[..], b"\r\n"].concat(), nul] {
        hand_over(desk, &path, &address, &bytes);
    }
    let all = desk.agent().get(INBOUND).ok()["items"].as_array().unwrap().clone();
    assert_eq!(all.len(), 4);
    assert!(all.iter().all(|mail| mail["state"] == "filed" || mail["state"] == "quarantined"), "{all:?}");
    assert_eq!(tickets(desk).len(), 1, "the one that says who wrote it");
    for mail in all {
        desk.agent().get(&format!("{INBOUND}/{}", mail["id"].as_str().unwrap())).ok();
    }
}

fn lmtp_answers_by_the_book(desk: &Desk) {
    let address = mailbox(desk, "support", None);
    let path = listen(desk);
    let mut talk = Talk::to(&path);
    assert!(talk.say("MAIL FROM:<a@b.example>").starts_with("503 "));
    assert!(talk.say("HELO b.example").starts_with("500 "));
    assert!(talk.say("LHLO b.example").starts_with("250 SIZE 52428800"));
    assert!(talk.say("DATA").starts_with("503 "), "nobody would get it");
    assert!(talk.say("MAIL FROM:<a@b.example> SIZE=99999999").starts_with("552 5.3.4 "));
    assert!(talk.say("MAIL FROM:<a@b.example> SIZE=100 BODY=8BITMIME").starts_with("250 "));
    assert!(talk.say("MAIL FROM:<a@b.example>").starts_with("503 "));
    assert!(talk.say(&format!("RCPT TO:<other@{}>", desk.domain)).starts_with("550 5.1.1 "));
    assert!(talk.say("DATA").starts_with("503 "), "nobody of those asked is here");
    assert!(talk.say("VRFY ana").starts_with("252 "));
    assert!(talk.say(&"x".repeat(10_000)).starts_with("500 5.5.2 "));
    assert!(talk.say("RSET").starts_with("250 "));
    // All in one go, two recipients, a dot at the start of a line: an answer for each.
    let plus = address.replace('@', "+anything@");
    let body = "From: ana@nordwind.example\r\nSubject: Dots\r\n\r\n..one\r\n.\r\n";
    let all = format!("MAIL FROM:<a@b.example>\r\nRCPT TO:<{address}>\r\nRCPT TO:<{plus}>\r\nDATA\r\n");
    talk.send(all.as_bytes());
    let answers: Vec<String> = (0..4).map(|_| talk.hear()).collect();
    assert!(answers[3].starts_with("354 ") && answers[..3].iter().all(|line| line.starts_with("250 ")), "{answers:?}");
    talk.send(format!("{body}NOOP\r\n").as_bytes());
    let answers: Vec<String> = (0..3).map(|_| talk.hear()).collect();
    assert!(answers.iter().all(|line| line.starts_with("250 ")), "{answers:?}");
    desk.settle();
    assert_eq!(texts(&whole(desk, &tickets(desk)[0])), [("inbound", ".one")], "to one mailbox twice is once");
    // Too large is read to its end and refused for each.
    desk.restart(|config| config.inbound.size_max_bytes = 65_536);
    let mut talk = Talk::to(&path);
    talk.say("LHLO b.example");
    talk.say("MAIL FROM:<>");
    talk.say(&format!("RCPT TO:<{address}>"));
    talk.say("DATA");
    talk.send(&b"0123456789abcde\r\n".repeat(10_000));
    assert!(talk.say("\r\n.").starts_with("552 5.3.4 "));
    assert!(talk.say("QUIT").starts_with("221 "));
    assert_eq!(talk.try_hear(), None);
}

/// One mail on a connection, which must get its 250.
#[track_caller]
fn say(talk: &mut Talk<std::os::unix::net::UnixStream>, address: &str, bytes: &[u8]) {
    talk.send(format!("MAIL FROM:<ana@nordwind.example>\r\nRCPT TO:<{address}>\r\nDATA\r\n").as_bytes());
    let answers: Vec<String> = (0..3).map(|_| talk.hear()).collect();
    assert!(answers[2].starts_with("354 "), "{answers:?}");
    talk.send(bytes);
    assert!(talk.say(".").starts_with("250 "));
}

fn many_connections_at_once_take_each_mail_once(desk: &Desk) {
    const CONNECTIONS: usize = 12;
    const EACH: usize = 4;
    let address = mailbox(desk, "support", None);
    let path = listen(desk);
    let same = mail("ana@nordwind.example", &address, "The same", "", "From everybody at once.");
    std::thread::scope(|scope| {
        for connection in 0..CONNECTIONS {
            let (path, address, same) = (&path, &address, &same);
            scope.spawn(move || {
                let mut talk = Talk::to(path);
                talk.say("LHLO b.example");
                for n in 0..EACH {
                    say(&mut talk, address, same);
                    let own = mail("bo@nordwind.example", address, &format!("{connection} {n}"), "", &"Hello. ".repeat(500));
                    say(&mut talk, address, &own);
                }
            });
        }
    });
    desk.settle();
    let all = desk.agent().get(&format!("{INBOUND}?limit=100")).ok()["items"].as_array().unwrap().clone();
    assert!(all.iter().all(|mail| mail["state"] == "filed"), "{all:?}");
    assert_eq!(all.len(), CONNECTIONS * EACH + 1);
    let same = all.iter().filter(|mail| mail["subject"] == "The same").count();
    assert_eq!(same, 1, "the same bytes are one mail, however they come");
}

fn mails_whose_filing_was_put_off_are_filed_after_a_restart(desk: &Desk) {
    let address = mailbox(desk, "support", None);
    let path = listen(desk);
    let mut talk = Talk::to(&path);
    talk.say("LHLO b.example");
    for n in 0..3 {
        say(&mut talk, &address, &mail("ana@nordwind.example", &address, &format!("Mail {n}"), "", "Hello."));
    }
    drop(talk);
    // As a flood leaves them where the desk dies in it.
    let mut conn = Conn::open(desk.app().db.url()).unwrap();
    conn.batch_execute("UPDATE jobs SET due_at = due_at + 20000000 WHERE kind = 'file_mail'").unwrap();
    desk.restart(|_| {});
    desk.settle();
    assert_eq!(tickets(desk).len(), 3, "without waiting");
}

fn a_mail_is_put_off_while_the_database_is_away(desk: &Desk) {
    assert_eq!(desk.backend, Backend::Sqlite);
    desk.expect_server_errors();
    let address = mailbox(desk, "support", None);
    let path = listen(desk);
    let mut other = Conn::open(desk.app().db.url()).unwrap();
    let Conn::Sqlite(other) = &mut other else { panic!("SQLite") };
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    let bytes = mail("ana@nordwind.example", &address, "Not now", "", "Hello.");
    let letters: &[(&str, &[&str], &[u8])] = &[("ana@nordwind.example", &[&address], &bytes)];
    let said = python(path.to_str().unwrap(), 0, letters);
    assert_eq!(said["answers"][0]["refused"][&address][0], 451, "{said}");
    other.batch_execute("ROLLBACK").unwrap();
    hand_over(desk, &path, &address, &bytes);
    assert_eq!(tickets(desk).len(), 1);
}
