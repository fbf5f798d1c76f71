//! Writers that put a desk of one or more nodes under load, and what must hold of everything that they were told.
use crate::binary::{Binary, Server, until};
use crate::support::mail::from_domain;
use crate::support::servers;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::Duration;

pub const TICKETS: &str = "/api/v1/tickets";
/// A job whose process was killed is taken again after so long: the shortest lease there is.
pub const LEASE_SECONDS: u32 = 10;
/// A request that gets no answer within so long is sent again.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Random numbers that are the same in every run (Knuth's MMIX constants).
pub struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// What one writer was told.
#[derive(Debug)]
struct Told {
    id: String,
    subject: String,
    is_closed: bool,
}

/// What all threads share.
pub struct Load {
    /// The nodes that are asked, in turn.
    pub bases: RwLock<Vec<String>>,
    pub secret: String,
    told: Mutex<Vec<Told>>,
    /// Requests that were answered.
    pub acknowledged: AtomicUsize,
    /// Requests that were sent again because no answer came.
    pub repeated: AtomicUsize,
    /// Answers that said "not now".
    pub unavailable: AtomicUsize,
    turn: AtomicUsize,
    is_over: AtomicBool,
}

/// A desk whose letters come from a domain of its own, with everything at its quickest.
pub fn quick(desk: Binary, domain: &str) -> Binary {
    desk.with("mail.from", format!("Support <support@{domain}>"))
        .with("mail.smtp_host", "127.0.0.1")
        .with("mail.undo_seconds", 0)
        .with("mail.smtp_port", servers::smtp().port)
        .with("mail.smtp_tls", "none")
        .with("survey.delay_seconds", 0)
        // They are repeated by the hour: some job would always wait.
        .with("alerts.mail_metrics", "[]")
        .with("jobs.lease_seconds", LEASE_SECONDS)
        .with("mail.smtp_timeout_seconds", LEASE_SECONDS / 2)
        .with("jobs.backoff_seconds", 1)
        .with("server.rate_per_minute", 0)
        .with("server.threads", 2)
}

impl Load {
    pub fn on(servers: &[Server], secret: String) -> Self {
        Self {
            bases: RwLock::new(servers.iter().map(|server| server.base.clone()).collect()),
            secret,
            told: Mutex::default(),
            acknowledged: AtomicUsize::new(0),
            repeated: AtomicUsize::new(0),
            unavailable: AtomicUsize::new(0),
            turn: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
        }
    }

    /// One try at the next node: the answer, where one came.
    fn try_post(&self, http: &ureq::Agent, path: &str, key: &str, body: &Value) -> Option<Value> {
        let base = {
            let bases = self.bases.read().unwrap();
            bases[self.turn.fetch_add(1, Ordering::Relaxed) % bases.len()].clone()
        };
        let request = http.post(format!("{base}{path}")).header("Authorization", format!("Bearer {}", self.secret));
        let mut response = request.header("Idempotency-Key", key).send_json(body).ok()?;
        let status = response.status().as_u16();
        let text = response.body_mut().read_to_string().ok()?;
        if status == 503 {
            assert!(response.headers().contains_key("retry-after"), "503 says when to come back");
            self.unavailable.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        assert!((200..300).contains(&status), "POST {path} was answered {status}: {text}");
        Some(serde_json::from_str(&text).unwrap())
    }

    /// Tries with the same key until an answer comes.
    pub fn post(&self, http: &ureq::Agent, path: &str, key: &str, body: &Value) -> Value {
        let (mut answer, mut tries) = (None, 0);
        until("a request is answered", || {
            tries += 1;
            answer = self.try_post(http, path, key, body);
            answer.is_some()
        });
        self.repeated.fetch_add(tries - 1, Ordering::Relaxed);
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
        answer.unwrap()
    }

    /// Connections of one writer.
    pub fn http() -> ureq::Agent {
        let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).timeout_global(Some(ANSWER_WITHIN));
        config.build().new_agent()
    }

    /// Tickets, each replied to once and most of them closed, until it is over.
    fn write(&self, writer: usize) {
        let http = Self::http();
        for n in 0.. {
            if self.is_over.load(Ordering::Relaxed) {
                return;
            }
            let subject = format!("w{writer}-{n}");
            let from = json!({ "email": format!("{subject}@nordwind.example") });
            let ticket = json!({ "channel": "email", "subject": subject, "body": "It is stuck.", "from": from });
            let key = |verb: &str| format!("{subject}-{verb}");
            let id = self.post(&http, TICKETS, &key("open"), &ticket)["id"].as_str().unwrap().to_owned();
            if n % 4 == 0 {
                assert_eq!(self.post(&http, TICKETS, &key("open"), &ticket)["id"], id, "a retry names the same ticket");
            }
            self.post(&http, &format!("{TICKETS}/{id}/replies"), &key("reply"), &json!({ "body": "It moves now." }));
            let is_closed = n % 5 != 4;
            if is_closed {
                self.post(&http, &format!("{TICKETS}/{id}/closure"), &key("close"), &json!({}));
            }
            self.told.lock().unwrap().push(Told { id, subject, is_closed });
        }
    }

    /// Lets so many writers write while `trouble` goes on; ends them whatever happens to it.
    pub fn during<T: Send>(&self, writers: usize, trouble: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            for writer in 0..writers {
                scope.spawn(move || self.write(writer));
            }
            let done = scope.spawn(trouble).join();
            self.is_over.store(true, Ordering::Relaxed);
            done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Waits until so many writes more were acknowledged.
    #[track_caller]
    pub fn more(&self, count: usize) {
        let at = self.acknowledged.load(Ordering::Relaxed) + count;
        until("the writers go on", || self.acknowledged.load(Ordering::Relaxed) >= at);
    }
}

fn every(server: &Server, secret: &str, list: &str) -> Vec<Value> {
    let (mut all, mut path) = (Vec::new(), Some(list.to_owned()));
    while let Some(asked) = path {
        let page = server.client(secret).get(&asked).ok();
        all.extend(page["items"].as_array().unwrap().iter().cloned());
        path = page["next_cursor"].as_str().map(|cursor| format!("{list}&cursor={cursor}"));
    }
    all
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Waits until no letter is on its way: what a killed process had in its hands is taken again when its lease runs out.
#[track_caller]
pub fn drain(server: &Server, secret: &str) {
    let is_level =
        |metrics: &str, what: &str| metrics.contains(&format!("deskbell_level{{kind=\"jobs\",result=\"{what}\"}} 0\n"));
    let idle = |metrics: &str| is_level(metrics, "waiting") && is_level(metrics, "parked");
    until("all jobs are done", || idle(&server.client(secret).get("/metrics").text));
}

/// Everything acknowledged is there, once. `once` also wants every letter out once, as where nothing died.
#[track_caller]
pub fn check(server: &Server, load: &Load, domain: &str, once: bool) {
    let told = load.told.lock().unwrap();
    let tickets = every(server, &load.secret, &format!("{TICKETS}?limit=100&sort=received&channel=email"));
    let by_subject: BTreeMap<&str, &Value> = tickets.iter().map(|ticket| (text(&ticket["subject"]), ticket)).collect();
    assert_eq!(by_subject.len(), tickets.len(), "a ticket was made twice");
    assert_eq!(told.len(), tickets.len(), "every writer ended with an answer");
    let numbers: BTreeSet<i64> = tickets.iter().map(|ticket| ticket["number"].as_i64().unwrap()).collect();
    assert_eq!(numbers.len(), tickets.len(), "a number was given twice");

    let mut letters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for letter in from_domain(&servers::smtp(), domain) {
        let ids = letters.entry(letter.subject.clone()).or_default();
        ids.push(letter.header("message-id").to_owned());
    }
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for Told { id, subject, is_closed } in told.iter() {
        assert_eq!(by_subject[subject.as_str()]["id"], *id, "{subject}");
        let ticket = server.client(&load.secret).get(&format!("{TICKETS}/{id}")).ok();
        let mut kinds: Vec<&str> = ticket["messages"].as_array().unwrap().iter().map(|message| text(&message["kind"])).collect();
        // Where the clock stepped back between the two, they stand the other way round (docs/decisions/0054).
        kinds.sort_unstable();
        assert_eq!(kinds, ["inbound", "reply"], "{subject}");
        let closed = if *is_closed { ("closed", 1) } else { ("open", 0) };
        assert_eq!((text(&ticket["status"]), ticket["close_count"].as_i64().unwrap()), closed, "{subject}");

        let number = &ticket["number"];
        let replies = letters.get(&format!("Re: {subject} [#{number}]")).cloned().unwrap_or_default();
        let ids: BTreeSet<&String> = replies.iter().collect();
        assert_eq!(ids.len(), 1, "{subject}: a reply goes out at least once, always under one Message-ID: {replies:?}");
        assert!(!once || replies.len() == 1, "{subject}: nothing died, and the reply went out {} times", replies.len());

        let surveys = ticket["surveys"].as_array().unwrap();
        assert_eq!(surveys.len(), usize::from(*is_closed), "{subject}: {surveys:?}");
        let asked = letters.get(&format!("How did we do? {subject} [#{number}]")).map_or(0, Vec::len);
        for survey in surveys {
            let outcome = text(&survey["outcome"]);
            *outcomes.entry(outcome.to_owned()).or_default() += 1;
            // What was being handed over when the process died may have arrived or not.
            let may_be = if outcome == "sent" { 1..=1 } else { 0..=1 };
            let is_known = outcome == "sent" || (outcome == "unknown" && !once);
            assert!(is_known && may_be.contains(&asked), "{subject}: {survey}, {asked} letters");
        }
    }
    assert!(outcomes.get("sent").is_some_and(|sent| *sent > 50), "{outcomes:?}");
}
