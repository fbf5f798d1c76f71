//! Mail and the real binary: the pipe of a mail server, and SIGKILL while mails are handed over. What got its 250 is there, once.
use crate::binary::{Binary, Server, until};
use crate::inbound::mail;
use crate::load::{Numbers, drain, quick};
use crate::support::lmtp::Talk;
use crate::support::process::wait_for;
use crate::support::{Test, plain, servers};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// Tests of this file.
pub const TESTS: &[Test] = plain![
    a_pipe_ends_with_the_words_of_sysexits,
    a_stop_takes_the_mail_that_is_being_handed_over,
    killed_while_mails_come_sqlite_loses_and_doubles_none,
    killed_while_mails_come_postgresql_loses_and_doubles_none,
];

const ADDRESS: &str = "support@desk.example";
const WRITERS: usize = 8;
const KILLS: usize = 8;
/// A server that was killed listens again within this.
const PATIENCE: Duration = Duration::from_secs(60);

#[track_caller]
fn mailbox(server: &Server, secret: &str) {
    server.client(secret).post("/api/v1/mailboxes", json!({ "address": ADDRESS, "kind": "lmtp" })).ok();
}

fn subjects(server: &Server, secret: &str) -> BTreeMap<String, usize> {
    let (mut found, mut path) = (BTreeMap::new(), Some("/api/v1/tickets?limit=100".to_owned()));
    while let Some(asked) = path {
        let page = server.client(secret).get(&asked).ok();
        for ticket in page["items"].as_array().unwrap() {
            *found.entry(ticket["subject"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        path = page["next_cursor"].as_str().map(|cursor| format!("/api/v1/tickets?limit=100&cursor={cursor}"));
    }
    found
}

/// `deskbell deliver` with a mail on its standard input: the exit code.
#[track_caller]
fn pipe(desk: &Binary, folder: &Path, to: &str, bytes: &[u8]) -> Option<i32> {
    let file = folder.join("piped.eml");
    std::fs::write(&file, bytes).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_deskbell"));
    command.args(["deliver", "--to", to, "--from", "ana@nordwind.example"]).env_clear().envs(desk.environment());
    command.stdin(std::fs::File::open(&file).unwrap()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().unwrap().code()
}

fn a_pipe_ends_with_the_words_of_sysexits() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Binary::in_folder(folder.path()).with("inbound.size_max_bytes", 65_536);
    let bytes = mail("ana@nordwind.example", ADDRESS, "Piped", "", "Hello.");
    assert_eq!(pipe(&desk, folder.path(), ADDRESS, &bytes), Some(75), "there is no desk yet");
    let server = desk.serve();
    let secret = server.first_secret.clone().unwrap();
    mailbox(&server, &secret);
    assert_eq!(pipe(&desk, folder.path(), "Support+x@desk.example", &bytes), Some(0));
    assert_eq!(pipe(&desk, folder.path(), ADDRESS, &bytes), Some(0), "the same again");
    assert_eq!(pipe(&desk, folder.path(), "nobody@desk.example", &bytes), Some(67));
    assert_eq!(pipe(&desk, folder.path(), ADDRESS, &vec![b'x'; 70_000]), Some(65));
    let wrong = desk.clone().with("inbound.size_max_bytes", "many");
    assert_eq!(pipe(&wrong, folder.path(), ADDRESS, &bytes), Some(75), "the mail server keeps it");
    until("the running desk files it", || subjects(&server, &secret).get("Piped") == Some(&1));
    server.stop();
    let later = mail("ana@nordwind.example", ADDRESS, "While it is off", "", "Hello.");
    assert_eq!(pipe(&desk, folder.path(), ADDRESS, &later), Some(0), "it needs no running desk");
    let server = desk.serve();
    until("it is filed afterwards", || subjects(&server, &secret).len() == 2);
    server.stop();
}

fn a_stop_takes_the_mail_that_is_being_handed_over() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("lmtp");
    let desk = Binary::in_folder(folder.path()).with("inbound.lmtp_listen", format!("unix:{}", socket.display()));
    let server = desk.serve();
    let secret = server.first_secret.clone().unwrap();
    mailbox(&server, &secret);
    let (mut busy, mut idle) = (Talk::to(&socket), Talk::to(&socket));
    busy.say("LHLO mx.example");
    busy.say("MAIL FROM:<ana@nordwind.example>");
    busy.say(&format!("RCPT TO:<{ADDRESS}>"));
    assert!(busy.say("DATA").starts_with("354 "));
    busy.send(b"From: ana@nordwind.example\r\nSubject: Last\r\n\r\nHel");
    server.signal("TERM");
    assert!(idle.hear().starts_with("421 "), "who is between two mails is told");
    assert!(busy.say("lo.\r\n.").starts_with("250 "));
    assert!(busy.hear().starts_with("421 "));
    let (code, log) = server.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(!socket.exists());
    let server = desk.serve();
    until("it is filed", || subjects(&server, &secret).get("Last") == Some(&1));
    server.stop();
}

/// What all writers share.
#[derive(Default)]
struct Told {
    taken: Mutex<Vec<String>>,
    count: AtomicUsize,
    broken: AtomicUsize,
    is_over: AtomicBool,
}

/// One mail on a connection; true for its 250.
fn hand_over(talk: &mut Talk<std::os::unix::net::UnixStream>, bytes: &[u8]) -> bool {
    let words = format!("MAIL FROM:<ana@nordwind.example>\r\nRCPT TO:<{ADDRESS}>\r\nDATA\r\n");
    if !talk.try_send(words.as_bytes()) {
        return false;
    }
    let answers: Vec<Option<String>> = (0..3).map(|_| talk.try_hear()).collect();
    if !answers[2].as_ref().is_some_and(|answer| answer.starts_with("354 ")) {
        return false;
    }
    talk.try_send(bytes) && talk.try_send(b".\r\n") && talk.try_hear().is_some_and(|answer| answer.starts_with("250 "))
}

/// A connection that answered LHLO.
fn greeted(socket: &Path) -> Option<Talk<std::os::unix::net::UnixStream>> {
    let mut talk = Talk::try_to(socket)?;
    talk.try_send(b"LHLO mx.example\r\n");
    talk.try_hear().map(|_| talk)
}

/// Mails until it is over, each again until it is taken.
fn write(told: &Told, socket: &Path, writer: usize) {
    let mut talk = None;
    for n in 0.. {
        let subject = format!("w{writer}-{n}");
        let bytes = mail(&format!("{subject}@nordwind.example"), ADDRESS, &subject, "", &"It is stuck. ".repeat(200));
        loop {
            if told.is_over.load(Ordering::Relaxed) {
                return;
            }
            let is_open = wait_for(PATIENCE, || {
                talk = talk.take().or_else(|| greeted(socket));
                talk.is_some() || told.is_over.load(Ordering::Relaxed)
            });
            assert!(is_open.is_ok(), "the door opens again");
            let Some(open) = &mut talk else { return };
            if hand_over(open, &bytes) {
                break;
            }
            told.broken.fetch_add(1, Ordering::Relaxed);
            talk = None;
        }
        told.taken.lock().unwrap().push(subject);
        told.count.fetch_add(1, Ordering::Relaxed);
    }
}

fn killed_while_mails_come(folder: &Path, desk: Binary, domain: &str) {
    let socket = folder.join("lmtp");
    let desk = quick(desk, domain).with("inbound.lmtp_listen", format!("unix:{}", socket.display()));
    let server = desk.serve();
    let secret = server.first_secret.clone().unwrap();
    mailbox(&server, &secret);
    let told = Told::default();
    let more = |count: usize| {
        let at = told.count.load(Ordering::Relaxed) + count;
        until("mails are taken", || told.count.load(Ordering::Relaxed) >= at);
    };
    let server = std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (told, socket) = (&told, &socket);
            scope.spawn(move || write(told, socket, writer));
        }
        let mut numbers = Numbers(11);
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut server = server;
            for _ in 0..KILLS {
                more(10 + numbers.below(60) as usize);
                server.kill();
                server = desk.serve();
            }
            more(20);
            server
        }));
        told.is_over.store(true, Ordering::Relaxed);
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    assert!(told.broken.load(Ordering::Relaxed) > 0, "the kills hit mails on their way");
    drain(&server, &secret);
    let found = subjects(&server, &secret);
    for subject in told.taken.lock().unwrap().iter() {
        assert_eq!(found.get(subject), Some(&1), "{subject} got its 250");
    }
    assert!(found.values().all(|count| *count == 1), "{found:?}");
    let held: Value = server.client(&secret).get("/api/v1/inbound?state=quarantined").ok();
    assert_eq!(held["items"], json!([]));
    server.stop();
}

fn killed_while_mails_come_sqlite_loses_and_doubles_none() {
    let folder = tempfile::tempdir().unwrap();
    killed_while_mails_come(folder.path(), Binary::in_folder(folder.path()), "kill9-mail-sqlite.test");
}

/// A database of its own on the server; dropped at the end, whatever happens.
struct Scratch(&'static str);

impl Drop for Scratch {
    fn drop(&mut self) {
        servers::postgres().drop_database(self.0);
    }
}

fn killed_while_mails_come_postgresql_loses_and_doubles_none() {
    let folder = tempfile::tempdir().unwrap();
    servers::postgres().create("kill9_mail", None);
    let scratch = Scratch("kill9_mail");
    let desk = Binary::in_folder(folder.path()).with("database.url", servers::postgres().url(scratch.0));
    killed_while_mails_come(folder.path(), desk, "kill9-mail-postgresql.test");
}
