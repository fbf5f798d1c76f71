//! The binary as operators use it: its commands, its settings, its stop, its backup.
use crate::binary::{Binary, PATIENCE, until};
use crate::support::{Test, plain, servers};
use mail_parser::MessageParser;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

/// Tests of this file.
pub const TESTS: &[Test] = plain![
    openapi_prints_what_is_served,
    migrate_brings_the_schema_up_to_date_once,
    agents_are_added_listed_and_disabled,
    an_agents_token_works_on_a_running_server,
    what_agent_refuses_it_names,
    a_wrong_setting_is_refused_by_its_name,
    a_file_sets_and_a_variable_wins,
    the_first_start_prints_the_admins_token_once,
    a_stop_finishes_the_running_request_and_keeps_what_was_acknowledged,
    a_backup_while_writing_is_a_desk,
    without_smtp_a_reply_is_a_file_in_the_outbox,
    the_same_binary_serves_on_postgresql,
];

const TICKETS: &str = "/api/v1/tickets";

fn folder() -> TempDir {
    tempfile::Builder::new().prefix("deskbell-cli-").tempdir().unwrap()
}

fn ticket(subject: &str) -> Value {
    json!({ "channel": "email", "subject": subject, "from": { "email": "ana@nordwind.example" } })
}

fn openapi_prints_what_is_served() {
    let folder = folder();
    let desk = Binary::in_folder(folder.path());
    let printed = desk.run(&["openapi"]);
    assert_eq!(printed.code, Some(0), "{printed:?}");
    let printed: Value = serde_json::from_str(&printed.out).unwrap();
    assert!(printed["openapi"].as_str().unwrap().starts_with("3.1."), "{}", printed["openapi"]);
    assert!(!desk.data().exists(), "it needs no database");
    let server = desk.serve();
    assert_eq!(server.client("").get("/api/openapi.json").ok(), printed);
    server.stop();
}

fn migrate_brings_the_schema_up_to_date_once() {
    let folder = folder();
    let desk = Binary::in_folder(folder.path());
    let first = desk.run(&["migrate"]);
    assert!(first.code == Some(0) && first.out.ends_with(" migrations ran; the schema is up to date\n"), "{first:?}");
    assert!(!first.out.starts_with('0'), "{first:?}");
    let second = desk.run(&["migrate"]);
    assert_eq!((second.code, second.out.as_str()), (Some(0), "0 migrations ran; the schema is up to date\n"));
    // The first start is still to come.
    let server = desk.serve();
    assert!(server.first_secret.is_some());
    server.stop();
}

fn agents_are_added_listed_and_disabled() {
    let folder = folder();
    let desk = Binary::in_folder(folder.path());
    let added = desk.run(&["agent", "add", "Grace@Desk.test", "--name", "Grace Hopper", "--role", "manager"]);
    assert_eq!((added.code, added.out.as_str()), (Some(0), "added Grace Hopper <grace@desk.test>, manager\n"));
    assert_eq!(desk.run(&["agent", "add", "amir@desk.test", "--name", "Amir 🦀"]).out, "added Amir 🦀 <amir@desk.test>, agent\n");
    assert_eq!(desk.run(&["agent", "disable", "AMIR@desk.test"]).out, "disabled amir@desk.test\n");
    let list = desk.run(&["agent", "list"]);
    assert_eq!(list.code, Some(0));
    assert_eq!(list.out, "grace@desk.test\tmanager\tGrace Hopper\tactive\namir@desk.test\tagent\tAmir 🦀\tdisabled\n");
}

fn an_agents_token_works_on_a_running_server() {
    let folder = folder();
    let desk = Binary::in_folder(folder.path());
    let server = desk.serve();
    desk.run(&["agent", "add", "grace@desk.test", "--name", "Grace Hopper", "--role", "manager"]);
    let token = |arguments: &[&str]| {
        let made = desk.run(&[&["agent", "token", "grace@desk.test"], arguments].concat());
        assert_eq!((made.code, made.out.lines().count()), (Some(0), 1), "{made:?}");
        made.out.trim().to_owned()
    };
    let (own, less) = (server.client(&token(&[])), server.client(&token(&["--scope", "agent", "--name", "Laptop"])));
    assert_eq!(own.get("/api/v1/agents/me").ok()["name"], "Grace Hopper");
    own.get("/api/v1/reports/sla").ok();
    less.get("/api/v1/reports/sla").refused(403, "missing_right");
    less.get("/api/v1/agents/me").ok();
    let admin = server.client(server.first_secret.as_deref().unwrap());
    let names = admin.get("/api/v1/tokens").ok()["items"].as_array().unwrap().iter().map(|token| token["name"].clone()).collect();
    assert_eq!(Value::Array(names), json!(["First start", "Command line", "Laptop"]));

    assert_eq!(desk.run(&["agent", "disable", "grace@desk.test"]).code, Some(0));
    until("the running server hears that the agent is barred", || own.get("/api/v1/agents/me").status == 401);
    until("by all their tokens", || less.get("/api/v1/agents/me").status == 401);
    server.stop();
}

fn what_agent_refuses_it_names() {
    let folder = folder();
    let desk = Binary::in_folder(folder.path());
    desk.serve().stop();
    let refused = |arguments: &[&str], named: &str| {
        let ended = desk.run(&[&["agent"], arguments].concat());
        assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""), "{arguments:?}: {ended:?}");
        assert!(ended.err.contains(named), "{arguments:?}: {} does not name {named}", ended.err);
    };
    desk.run(&["agent", "add", "amir@desk.test", "--name", "Amir"]);
    let before = desk.run(&["agent", "list"]).out;
    refused(&["add", "amir@desk.test", "--name", "Other"], "another agent has this e-mail address");
    refused(&["add", "amir", "--name", "Other"], "email: is not an e-mail address");
    refused(&["disable", "nobody@desk.test"], "there is no such agent");
    refused(&["disable", "admin@localhost"], "the last one");
    refused(&["token", "amir@desk.test", "--scope", "admin"], "scopes: admin cannot be held by an agent of role agent");
    desk.run(&["agent", "disable", "amir@desk.test"]);
    refused(&["token", "amir@desk.test"], "agent_id: is no active agent");
    let usage = desk.run(&["agent", "add", "eve@desk.test", "--name", "Eve", "--role", "owner"]);
    assert!(usage.code == Some(2) && usage.err.contains("owner"), "{usage:?}");
    assert_eq!(desk.run(&["agent", "list"]).out, before.replace("Amir\tactive", "Amir\tdisabled"));
}

fn a_wrong_setting_is_refused_by_its_name() {
    let folder = folder();
    let desk = Binary::in_folder(folder.path());
    let refused = |desk: &Binary, arguments: &[&str], named: &str| {
        let ended = desk.run(arguments);
        assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""), "{named}: {ended:?}");
        assert!(ended.err.contains(named), "{} does not name {named}", ended.err);
        assert!(!desk.data().exists(), "nothing was begun");
    };
    let file = folder.path().join("desk.toml");
    let config = file.to_str().unwrap();
    for (text, named) in [
        ("[server]\nport = 8080", "server.port"),
        ("[survey]\ndelay_seconds = -1", "delay_seconds"),
        ("[mail]\nsmtp_tls = \"maybe\"", "mail.smtp_tls"),
        ("[jobs]\nlease_seconds = 1", "jobs.lease_seconds"),
        ("[jobs\n", "expected"),
    ] {
        std::fs::write(&file, text).unwrap();
        refused(&desk, &["--config", config, "serve"], named);
        refused(&desk, &["migrate", "--config", config], named);
    }
    refused(&desk, &["--config", "nowhere.toml", "serve"], "nowhere.toml");
    for (setting, value, named) in [
        ("survey.enabled", "perhaps", "DESKBELL_SURVEY_ENABLED"),
        ("server.port", "8080", "DESKBELL_SERVER_PORT"),
        ("server.listen", "here", "server.listen"),
        ("mail.from", "nobody", "mail.from"),
    ] {
        refused(&desk.clone().with(setting, value), &["serve"], named);
    }
    // A port that is taken is said by its setting too.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let ended = desk.with("server.listen", taken.local_addr().unwrap()).run(&["serve"]);
    assert!(ended.code == Some(1) && ended.err.contains("server.listen: cannot listen on"), "{ended:?}");
}

fn a_file_sets_and_a_variable_wins() {
    let folder = folder();
    let file = folder.path().join("desk.toml");
    std::fs::write(&file, "[database]\nurl = \"postgres://nobody@127.0.0.1:1/nowhere\"\ndata_dir = \"elsewhere\"\n").unwrap();
    let desk = Binary::in_folder(folder.path());
    let migrate = ["--config", file.to_str().unwrap(), "migrate"];
    let away = desk.run(&migrate);
    assert!(away.code == Some(1) && away.err.contains("127.0.0.1"), "the file's database is not there: {away:?}");
    let here = desk.clone().with("database.url", "").run(&migrate);
    assert_eq!(here.code, Some(0), "{here:?}");
    assert!(desk.data().join("deskbell.sqlite").exists() && !folder.path().join("elsewhere").exists(), "the variable wins");
}

fn the_first_start_prints_the_admins_token_once() {
    let folder = folder();
    let desk = Binary::in_folder(folder.path());
    let server = desk.serve();
    let secret = server.first_secret.clone().expect("a first start prints the admin's token");
    assert_eq!(server.client(&secret).get("/api/v1/agents/me").ok()["role"], "admin");
    server.stop();
    let server = desk.serve();
    assert_eq!(server.first_secret, None, "a second start prints none");
    server.client(&secret).get("/api/v1/agents/me").ok();
    until("it is ready", || server.client("").get("/healthz").status == 200);
    server.stop();
    for file in std::fs::read_dir(desk.data()).unwrap().flatten() {
        let bytes = std::fs::read(file.path()).unwrap_or_default();
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "the secret is in {:?}", file.path());
    }
}

/// The body of an answer that was read to the end of its connection.
fn body(answer: &str) -> Value {
    answer.split_once("\r\n\r\n").and_then(|(_, body)| serde_json::from_str(body).ok()).unwrap_or_else(|| panic!("{answer}"))
}

fn a_stop_finishes_the_running_request_and_keeps_what_was_acknowledged() {
    let folder = folder();
    let desk = Binary::in_folder(folder.path());
    let mut server = desk.serve();
    let secret = server.first_secret.clone().unwrap();
    let before = server.client(&secret).post(TICKETS, ticket("Before the stop")).id();

    // Half a request: the server has read its head, says so, and waits for the body.
    let text = ticket("During the stop").to_string();
    let (half, rest) = text.split_at(text.len() / 2);
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!(
        "POST {TICKETS} HTTP/1.1\r\nHost: desk\r\nAuthorization: Bearer {secret}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
        text.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut heard = [0; 25];
    stream.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(half.as_bytes()).unwrap();

    server.signal("TERM");
    until("nobody new is let in", || TcpStream::connect(server.address()).is_err());
    assert!(server.is_running(), "it waits for the request");
    stream.write_all(rest.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
    let (code, log) = server.end();
    assert_eq!((code, log.as_str()), (Some(0), ""), "it ends well");

    let server = desk.serve();
    for id in [before.as_str(), body(&answer)["id"].as_str().unwrap()] {
        server.client(&secret).get(&format!("{TICKETS}/{id}")).ok();
    }
    server.stop();
}

fn a_backup_while_writing_is_a_desk() {
    let folder = folder();
    let desk = Binary::in_folder(folder.path());
    let server = desk.serve();
    let secret = server.first_secret.clone().unwrap();
    let (acknowledged, is_over) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let copy = folder.path().join("copy.sqlite");
    let mut before = Vec::new();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let (client, acknowledged, is_over) = (server.client(&secret), &acknowledged, &is_over);
            scope.spawn(move || {
                for n in 0.. {
                    if is_over.load(Ordering::Relaxed) {
                        return;
                    }
                    let id = client.post(TICKETS, ticket(&format!("{writer}-{n}"))).id();
                    acknowledged.lock().unwrap().push(id);
                }
            });
        }
        let count = || acknowledged.lock().unwrap().len();
        until("forty tickets are written", || count() >= 40);
        before.clone_from(&acknowledged.lock().unwrap());
        let ended = desk.run(&["backup", copy.to_str().unwrap()]);
        let at_end = count();
        until("more tickets are written", || count() > at_end);
        is_over.store(true, Ordering::Relaxed);
        assert_eq!(ended.code, Some(0), "{ended:?}");
    });
    let again = desk.run(&["backup", copy.to_str().unwrap()]);
    assert!(again.code == Some(1) && again.err.contains("exists already"), "a backup is never written over: {again:?}");
    server.stop();

    let elsewhere = tempfile::tempdir().unwrap();
    let restored = Binary::in_folder(elsewhere.path());
    std::fs::create_dir(restored.data()).unwrap();
    std::fs::copy(&copy, restored.data().join("deskbell.sqlite")).unwrap();
    let server = restored.serve();
    assert_eq!(server.first_secret, None, "it is the same desk");
    for id in &before {
        assert_eq!(server.client(&secret).get(&format!("{TICKETS}/{id}")).ok()["clocks"].as_array().unwrap().len(), 1);
    }
    server.client(&secret).post(TICKETS, ticket("After the restore")).is(201);
    server.stop();
}

fn without_smtp_a_reply_is_a_file_in_the_outbox() {
    let folder = folder();
    let desk = Binary::in_folder(folder.path());
    let server = desk.serve();
    let admin = server.client(server.first_secret.as_deref().unwrap());
    let id = admin.post(TICKETS, ticket("Domain transfer is stuck")).id();
    admin.post(&format!("{TICKETS}/{id}/replies"), json!({ "body": "It went through, señora." })).ok();
    let letters = || -> Vec<_> {
        let files = std::fs::read_dir(desk.data().join("outbox")).into_iter().flatten().flatten().map(|file| file.path());
        files.filter(|path| path.extension().is_some_and(|kind| kind == "eml")).collect()
    };
    until("the letter is in the outbox", || letters().len() == 1);
    let bytes = std::fs::read(&letters()[0]).unwrap();
    let letter = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(letter.to().and_then(|to| to.first()).and_then(|to| to.address()), Some("ana@nordwind.example"));
    assert!(letter.subject().is_some_and(|subject| subject.starts_with("Re: Domain transfer is stuck [#")));
    assert!(letter.body_text(0).is_some_and(|text| text.contains("It went through, señora.")));
    until("the desk knows that it went out", || {
        admin.get("/api/v1/mails?state=sent").ok()["items"].as_array().unwrap().len() == 1
    });
    server.stop();
}

/// A database of its own on the server; dropped at the end, whatever happens.
struct Scratch(&'static str);

impl Drop for Scratch {
    fn drop(&mut self) {
        servers::postgres().drop_database(self.0);
    }
}

fn the_same_binary_serves_on_postgresql() {
    let folder = folder();
    servers::postgres().create("cli_serves", None);
    let scratch = Scratch("cli_serves");
    let desk = Binary::in_folder(folder.path()).with("database.url", servers::postgres().url(scratch.0));
    let server = desk.serve();
    let admin = server.client(server.first_secret.as_deref().unwrap());
    let made = admin.post(TICKETS, ticket("On PostgreSQL")).ok();
    assert!(!desk.data().join("deskbell.sqlite").exists());
    assert!(desk.run(&["agent", "list"]).out.contains("admin@localhost\tadmin"), "commands use the same database");
    server.stop();
    let server = desk.serve();
    assert_eq!(server.first_secret, None);
    let path = format!("{TICKETS}/{}", made["id"].as_str().unwrap());
    let token = desk.run(&["agent", "token", "admin@localhost"]).out;
    assert_eq!(server.client(token.trim()).get(&path).ok()["number"], made["number"]);
    server.stop();
}
