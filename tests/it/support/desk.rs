//! One desk for one test: its own database, server, clock, mail domain and people.
use super::client::{Client, agent};
use super::mail::{self, Mail};
use super::running::Running;
use super::servers::{postgres, smtp};
use super::template::{self, People, Person, Template};
use super::{Backend, Test, log, tests};
use actix_web::web::Data;
use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use deskbell::app::App;
use deskbell::clock::Clock;
use deskbell::config::Config;
use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tempfile::TempDir;

/// Desks of this run.
static DESKS: AtomicUsize = AtomicUsize::new(1);

/// When every desk starts: a Wednesday, 10:00 in Toronto.
pub fn start_of_time() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 6, 10, 14, 0, 0).unwrap()
}

/// An instant, written as RFC 3339.
#[track_caller]
pub fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap_or_else(|error| panic!("{text}: {error}")).to_utc()
}

/// The settings of a desk in `data_dir`, on SQLite, reached through `listener`.
pub fn config(data_dir: &Path, domain: &str, listener: &TcpListener) -> Config {
    let mut config = Config::from_parts("", std::iter::empty()).unwrap();
    let address = listener.local_addr().unwrap();
    config.server.listen = address.to_string();
    config.server.public_url = format!("http://{address}");
    config.server.threads = 1;
    config.server.rate_per_minute = 0;
    config.server.rate_per_minute_per_address = 0;
    config.database.data_dir = data_dir.to_owned();
    config.database.pool_size = 4;
    config.mail.from = format!("Support <support@{domain}>");
    config.mail.smtp_host = "127.0.0.1".to_owned();
    config.mail.smtp_port = smtp().port;
    config.mail.smtp_tls = "none".to_owned();
    config.mail.undo_seconds = 0;
    config
}

/// A desk.
pub struct Desk {
    /// Where its data is.
    pub backend: Backend,
    /// The domain that its letters come from.
    pub domain: String,
    /// Who works here.
    pub people: People,
    running: Mutex<Option<Running>>,
    config: Mutex<Config>,
    clock: Clock,
    listener: TcpListener,
    http: ureq::Agent,
    name: String,
    folder: TempDir,
    may_see_server_errors: Arc<AtomicBool>,
    may_park: AtomicBool,
    is_kept: bool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    /// A copy of the template, running.
    #[track_caller]
    pub fn open(backend: Backend) -> Self {
        let template = template::of(backend);
        let name = format!("desk{}", DESKS.fetch_add(1, Ordering::Relaxed));
        let domain = format!("{name}.test");
        let folder = tempfile::Builder::new().prefix("deskbell-").tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut config = config(folder.path(), &domain, &listener);
        match backend {
            Backend::Sqlite => {
                template.copy_file(folder.path());
            }
            Backend::Postgres => config.database.url = template.copy_database(&name),
        }
        let desk = Self {
            backend,
            domain,
            people: template.people.clone(),
            running: Mutex::new(None),
            config: Mutex::new(config),
            clock: Clock::fixed(start_of_time()),
            listener,
            http: agent(),
            name,
            folder,
            may_see_server_errors: Arc::default(),
            may_park: AtomicBool::new(false),
            is_kept: false,
        };
        desk.start();
        desk
    }

    #[track_caller]
    fn start(&self) {
        let running = self.another_node();
        *locked(&self.running) = Some(running);
    }

    /// The same desk's next process: everything in memory is gone, and its settings may be others. Address and clock stay.
    #[track_caller]
    pub fn restart(&self, change: impl FnOnce(&mut Config)) {
        locked(&self.running).take();
        change(&mut locked(&self.config));
        self.start();
    }

    /// The desk stops, and has from now on what it has now only as a template.
    pub fn into_template(mut self) -> Result<Template, String> {
        locked(&self.running).take();
        self.is_kept = true;
        Template::keep(self.backend, self.people.clone(), self.folder.path(), &self.name)
    }

    /// From now on the desk has what a template has, and its time is `now`; what it had before is gone.
    #[track_caller]
    pub fn become_copy_of(&self, template: &Template, now: DateTime<Utc>) {
        locked(&self.running).take();
        match self.backend {
            Backend::Sqlite => {
                for end in ["", "-wal", "-shm"] {
                    let _ = std::fs::remove_file(self.folder.path().join(format!("deskbell.sqlite{end}")));
                }
                template.copy_file(self.folder.path());
            }
            Backend::Postgres => {
                postgres().drop_database(&self.name);
                template.copy_database(&self.name);
            }
        }
        self.clock.set(now);
        self.start();
    }

    /// One more server on the same database, listening on the same address unless it is asked by its own `app`.
    #[track_caller]
    pub fn another_node(&self) -> Running {
        let config = locked(&self.config).clone();
        Running::start(&self.name, config, self.clock.clone(), self.listener.try_clone().unwrap())
    }

    #[track_caller]
    fn with_running<T>(&self, work: impl FnOnce(&Running) -> T) -> T {
        work(locked(&self.running).as_ref().expect("the desk runs"))
    }

    /// What handlers and jobs are given, for what no interface shows.
    pub fn app(&self) -> Data<App> {
        self.with_running(Running::app)
    }

    /// The settings that it was started with.
    pub fn config(&self) -> Config {
        locked(&self.config).clone()
    }

    /// Where its files are.
    pub fn data_dir(&self) -> &Path {
        self.folder.path()
    }

    /// `http://127.0.0.1:<port>`.
    pub fn base(&self) -> String {
        self.config().server.public_url
    }

    /// What time it is here.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Runs what is due now; says how much ran.
    #[track_caller]
    pub fn settle(&self) -> usize {
        self.with_running(|running| running.settle(None))
    }

    /// Time goes by: everything that falls due on the way is done at its own instant.
    #[track_caller]
    pub fn set_time(&self, to: DateTime<Utc>) {
        assert!(to >= self.now(), "time goes forward: it is {}, not yet {to}", self.now());
        self.with_running(|running| running.settle(Some(to)));
    }

    /// Time goes by.
    #[track_caller]
    pub fn advance(&self, by: TimeDelta) {
        self.set_time(self.now() + by);
    }

    /// The desk was off, or its clock was set: what fell due meanwhile is done now, late.
    #[track_caller]
    pub fn jump(&self, to: DateTime<Utc>) {
        self.clock.set(to);
        self.settle();
    }

    /// Sets the clock and does nothing: what is due waits for `settle`.
    pub fn only_set_clock(&self, to: DateTime<Utc>) {
        self.clock.set(to);
    }

    /// A client with this token.
    pub fn client(&self, token: &str) -> Client {
        Client::new(&self.http, &self.base(), Some(token), &self.may_see_server_errors)
    }

    fn as_person(&self, person: &Person) -> Client {
        self.client(&person.secret)
    }

    /// The first admin.
    pub fn admin(&self) -> Client {
        self.as_person(&self.people.admin)
    }

    /// Mary Manager.
    pub fn manager(&self) -> Client {
        self.as_person(&self.people.manager)
    }

    /// Amir Agent.
    pub fn agent(&self) -> Client {
        self.as_person(&self.people.agent)
    }

    /// Olga Other, another agent.
    pub fn other_agent(&self) -> Client {
        self.as_person(&self.people.other_agent)
    }

    /// A phone system, mail gate or chat widget.
    pub fn channel(&self) -> Client {
        self.as_person(&self.people.channel)
    }

    /// A migration from another desk.
    pub fn import(&self) -> Client {
        self.as_person(&self.people.import)
    }

    /// Somebody without a token.
    pub fn anonymous(&self) -> Client {
        Client::new(&self.http, &self.base(), None, &self.may_see_server_errors)
    }

    /// The letters that reached the SMTP server, oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        mail::from_domain(&smtp(), &self.domain)
    }

    /// The one letter to `address`.
    #[track_caller]
    pub fn mail_to(&self, address: &str) -> Mail {
        let mails = self.mails_to(address);
        assert_eq!(mails.len(), 1, "letters to {address}: {:?}", mails.iter().map(|mail| &mail.subject).collect::<Vec<_>>());
        mails.into_iter().next().unwrap()
    }

    /// All letters to `address`, oldest first.
    pub fn mails_to(&self, address: &str) -> Vec<Mail> {
        self.mails().into_iter().filter(|mail| mail.rcpt_tos.iter().any(|to| to == address)).collect()
    }

    /// The test wants answers of 500 and above, and `error!` in the log.
    pub fn expect_server_errors(&self) {
        self.may_see_server_errors.store(true, Ordering::Relaxed);
    }

    /// The test wants a job that is given up.
    pub fn expect_parked(&self) {
        self.may_park.store(true, Ordering::Relaxed);
    }

    /// What must hold after every test: nothing was given up, and nothing was logged as an error.
    #[track_caller]
    pub fn check(&self) {
        let may_fail = self.may_see_server_errors.load(Ordering::Relaxed);
        if !self.may_park.load(Ordering::Relaxed) {
            let parked = self.manager().get("/api/v1/mails?state=parked").ok();
            assert_eq!(parked["items"], serde_json::json!([]), "letters were given up; desk.expect_parked() allows it");
        }
        let errors = log::errors_of(|thread| self.with_running(|running| running.is_thread(thread)));
        assert!(may_fail || errors.is_empty(), "the desk logged errors; desk.expect_server_errors() allows it: {errors:#?}");
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        locked(&self.running).take();
        if self.backend == Backend::Postgres && !self.is_kept {
            postgres().drop_database(&self.name);
        }
    }
}

/// The harness's own tests.
pub const TESTS: &[Test] = tests![
    every_desk_has_its_own_data,
    a_restart_keeps_data_address_and_clock,
    each_actor_is_who_they_are_called,
    time_goes_by_from_one_due_instant_to_the_next,
];

fn every_desk_has_its_own_data(desk: &Desk) {
    let other = Desk::open(desk.backend);
    let team = serde_json::json!({ "name": "Payments" });
    desk.admin().post("/api/v1/teams", &team).ok();
    other.admin().post("/api/v1/teams", &team).ok();
    desk.admin().post("/api/v1/teams", &team).is(409);
    other.check();
}

fn a_restart_keeps_data_address_and_clock(desk: &Desk) {
    let team = desk.admin().post("/api/v1/teams", serde_json::json!({ "name": "Payments" })).id();
    desk.advance(TimeDelta::hours(1));
    let address = desk.base();
    desk.restart(|config| config.company.name = "Nordwind".to_owned());
    assert_eq!((desk.base(), desk.now()), (address, at("2026-06-10T15:00:00Z")));
    assert_eq!(desk.app().config.company.name, "Nordwind");
    desk.agent().get(&format!("/api/v1/teams/{team}")).ok();
}

fn each_actor_is_who_they_are_called(desk: &Desk) {
    for (client, role) in
        [(desk.admin(), "admin"), (desk.manager(), "manager"), (desk.agent(), "agent"), (desk.other_agent(), "agent")]
    {
        assert_eq!(client.get("/api/v1/agents/me").ok()["role"], role);
    }
    assert_ne!(desk.people.agent.id, desk.people.other_agent.id);
    desk.channel().get("/api/v1/agents/me").refused(403, "missing_right");
    desk.import().get("/api/v1/agents/me").refused(403, "missing_right");
    desk.anonymous().get("/api/v1/agents/me").refused(401, "unauthorized");
}

fn time_goes_by_from_one_due_instant_to_the_next(desk: &Desk) {
    let ticket = super::given::email_ticket(desk, "ana@nordwind.example");
    let id = ticket["id"].as_str().unwrap();
    super::given::close(desk, id);
    desk.advance(TimeDelta::days(2));
    let survey = &desk.agent().get(&format!("/api/v1/tickets/{id}")).ok()["surveys"][0];
    assert_eq!(survey["outcome"], "sent", "{survey}");
    assert_eq!(at(survey["sent_at"].as_str().unwrap()), at("2026-06-10T17:00:00Z"), "three hours after the close, not two days");
    assert_eq!(desk.mail_to("ana@nordwind.example").mail_from, format!("support@{}", desk.domain));
}
