//! What a busy desk logs, at every level, names no token, no address and no word that people wrote.
use crate::binary::{Binary, Server, until};
use crate::support::client::Client;
use crate::support::mail::from_domain;
use crate::support::{Test, plain, servers, smtp};
use serde_json::json;
use std::sync::Arc;
use ureq::http::Method;

/// Tests of this file.
pub const TESTS: &[Test] =
    plain![the_log_of_a_busy_desk_on_sqlite_names_nobody, the_log_of_a_busy_desk_on_postgresql_names_nobody];

/// In every text, name and address that people send; in no word of ours.
const MARK: &str = "quokka";

/// Letters of ours to an address, once there is one.
fn links(domain: &str, address: &str) -> Vec<String> {
    let mut links = Vec::new();
    until("the survey is mailed", || {
        let letters =
            from_domain(&servers::smtp(), domain).into_iter().filter(|mail| mail.rcpt_tos.iter().any(|to| to == address));
        links = letters.flat_map(|mail| mail.links()).collect();
        links.iter().any(|link| link.contains("/unsubscribe/"))
    });
    links
}

/// A link begins with the public address, which is another one than the test's.
fn path_of(link: &str) -> String {
    format!("/{}", link.splitn(4, '/').nth(3).unwrap())
}

/// Everything that people and machines do, done well and done badly. Gives what must stay secret, beside what bears the mark.
fn work(server: &Server, domain: &str) -> Vec<String> {
    let secret = server.first_secret.clone().unwrap();
    let admin = Client::new(&crate::support::client::agent(), &server.base, Some(&secret), &Arc::new(true.into()));
    let nobody = server.client("guessed-quokka-token");
    let ticket = |address: &str| {
        let ticket = json!({
            "channel": "email", "subject": format!("Subject {MARK}"), "body": format!("Body {MARK}"),
            "from": { "email": address, "name": format!("Name {MARK}") }, "mail_message_id": format!("<{MARK}@nordwind.example>"),
        });
        let key = format!("{MARK}-{address}").replace('@', "-");
        let id = admin.with("Idempotency-Key", key).post("/api/v1/tickets", ticket).id();
        let path = format!("/api/v1/tickets/{id}");
        admin.post(&format!("{path}/replies"), json!({ "body": format!("Reply {MARK}") })).ok();
        admin.post(&format!("{path}/notes"), json!({ "body": format!("Note {MARK}") })).ok();
        admin.post(&format!("{path}/closure"), json!({})).ok();
        path
    };
    let own = format!("ana.{MARK}@nordwind.example");
    let path = ticket(&own);
    for misbehaving in ["reject550", "busy451", "data550", "drop"] {
        ticket(&format!("{misbehaving}@{MARK}.example"));
    }
    let second = json!({ "agent_id": null, "name": format!("Machine {MARK}"), "scopes": ["channel"] });
    let made = admin.post("/api/v1/tokens", second).ok()["secret"].as_str().unwrap().to_owned();
    server
        .client(&made)
        .post("/api/v1/tickets", json!({ "channel": "phone", "subject": MARK, "from": { "phone": "+4930987654321" } }))
        .ok();
    // Badly.
    for (body, status) in [
        (format!("{{\"subject\": \"{MARK}"), 400),
        (format!("{{\"{MARK}\": 1}}"), 422),
        (format!("{{\"channel\": \"{MARK}\", \"subject\": 5}}"), 422),
        (format!("[[\"{MARK}\"]]"), 422),
    ] {
        admin.send(Method::POST, "/api/v1/tickets", Some(("application/json", body.into_bytes()))).is(status);
    }
    admin.get(&format!("/api/v1/tickets?{MARK}={MARK}")).is(422);
    admin.get(&format!("/api/v1/{MARK}")).is(404);
    admin.get(&format!("/api/v1/contacts?email={own}")).ok();
    admin.with("If-Match", "\"77\"").patch(&path, json!({ "subject": MARK })).is(412);
    admin.post("/api/v1/contacts", json!({ "name": MARK, "emails": [own] })).is(409);
    nobody.get(&path).is(401);
    nobody.post("/api/v1/tickets", json!({ "subject": MARK })).is(401);
    let links = links(domain, &own);
    for link in &links {
        nobody.get(&path_of(link)).is(200);
    }
    let page = |part: &str| path_of(links.iter().find(|link| link.contains(part) && !link.contains('?')).unwrap());
    let survey = &page("/survey/");
    nobody.post_form(survey, &[("score", "11"), ("comment", MARK)]).is(422);
    nobody.post_form(survey, &[("score", "3"), ("comment", MARK)]).is(303);
    nobody.post_form(&page("/unsubscribe/"), &[]).is(200);
    nobody.post_form(&format!("/survey/{MARK}"), &[("score", "3"), ("comment", MARK)]).is(404);
    let token = |page: &str| page.rsplit('/').next().unwrap().to_owned();
    vec![secret, made, token(survey), token(&page("/unsubscribe/")), "+4930987654321".to_owned(), smtp::PASSWORD.to_owned()]
}

fn the_log_names_nobody(desk: Binary, domain: &str, more: &[&str], break_database: impl Fn()) {
    let desk = desk
        .with("log.level", "trace")
        .with("log.format", "json")
        .with("mail.from", format!("Support <support@{domain}>"))
        .with("mail.smtp_host", "127.0.0.1")
        .with("mail.undo_seconds", 0)
        .with("mail.smtp_port", servers::smtp().auth_port)
        .with("mail.smtp_user", smtp::USER)
        .with("mail.smtp_password", smtp::PASSWORD)
        .with("mail.smtp_tls", "none")
        .with("mail.smtp_timeout_seconds", 5)
        .with("jobs.lease_seconds", 10)
        .with("jobs.attempts_max", 2)
        .with("jobs.backoff_seconds", 1)
        .with("survey.delay_seconds", 0)
        .with("server.rate_per_minute_per_address", 0);
    let server = desk.serve();
    let mut secrets = work(&server, domain);
    break_database();
    let _ = server.client(&secrets[0]).get("/healthz");
    until("letters were refused and given up", || server.logged().contains("\"park\":true"));
    let log = server.logged();
    server.stop();
    // The log is there, and says what it should.
    for said in ["answered", "a job failed", "/api/v1/tickets/{id}/closure", "/survey/{token}"] {
        assert!(log.contains(said), "the log says nothing of {said}");
    }
    secrets.extend([MARK.to_owned(), "correct%20horse".to_owned()].into_iter().chain(more.iter().map(|text| (*text).to_owned())));
    let lower = log.to_lowercase();
    for secret in secrets {
        if let Some(at) = lower.find(&secret.to_lowercase()) {
            let line = log.lines().find(|line| line.to_lowercase().contains(&secret.to_lowercase())).unwrap_or_default();
            panic!("the log names {secret:?} at byte {at}: {line}");
        }
    }
}

fn the_log_of_a_busy_desk_on_sqlite_names_nobody() {
    let folder = tempfile::tempdir().unwrap();
    the_log_names_nobody(Binary::in_folder(folder.path()), "secrets-sqlite.test", &[], || {});
}

/// A database of its own on the server; dropped at the end, whatever happens.
struct Scratch(&'static str);

impl Drop for Scratch {
    fn drop(&mut self) {
        servers::postgres().drop_database(self.0);
    }
}

fn the_log_of_a_busy_desk_on_postgresql_names_nobody() {
    let folder = tempfile::tempdir().unwrap();
    servers::postgres().create("secrets", None);
    let scratch = Scratch("secrets");
    // The server trusts everybody, so any password will do; this one must stay secret.
    let url = servers::postgres().url(scratch.0).replace("postgres@", "postgres:sesame-of-the-database@");
    let desk = Binary::in_folder(folder.path()).with("database.url", url);
    the_log_names_nobody(desk, "secrets-postgresql.test", &["sesame"], || servers::postgres().disconnect_all(scratch.0));
}
