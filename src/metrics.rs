//! Figures for Prometheus. Counters live here; levels are read when `/metrics` is asked.
use actix_web::http::Method;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Request {
    method: String,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labelled {
    kind: String,
    result: String,
}

/// Seconds that split requests into fast and slow.
const BUCKETS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

/// All figures of this process.
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    seconds: Histogram,
    jobs: Family<Labelled, Counter>,
    mails: Family<Labelled, Counter>,
    surveys: Family<Labelled, Counter>,
    clock_events: Family<Labelled, Counter>,
    levels: Family<Labelled, Gauge>,
}

/// What `/metrics` reads from the database and the pool when it is asked.
#[derive(Default, Debug)]
pub struct Levels {
    /// Connections open and idle.
    pub connections: (u32, u32),
    /// Group commits and the writes in them.
    pub batches: (u64, u64),
    /// Jobs waiting and parked.
    pub jobs: (i64, i64),
    /// Clocks running.
    pub running_clocks: i64,
    /// Letters waiting and parked.
    pub mails: (i64, i64),
    /// Live streams.
    pub streams: i64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// An empty set.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("deskbell");
        let requests = Family::default();
        let seconds = Histogram::new(BUCKETS);
        let (jobs, mails, clock_events, levels) = (Family::default(), Family::default(), Family::default(), Family::default());
        registry.register("requests", "Requests answered", requests.clone());
        registry.register("request_seconds", "Time to answer", seconds.clone());
        registry.register("jobs", "Jobs run, by kind and result", jobs.clone());
        registry.register("mails", "Letters, by kind and result", mails.clone());
        let surveys = Family::default();
        registry.register("surveys", "Score links opened (unconfirmed clicks) and answers by the button", surveys.clone());
        registry.register("clock_events", "Promises warned and breached, by metric", clock_events.clone());
        registry.register("level", "What is there now: connections, batches, jobs, clocks, mails", levels.clone());
        Self { registry, requests, seconds, jobs, mails, surveys, clock_events, levels }
    }

    /// Counts an answered request; the route is a pattern, never a path.
    pub fn request(&self, method: &Method, route: &str, status: u16, took: Duration) {
        // Anybody can make methods up; each would be a series of its own.
        let known = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
        let method = if known.contains(method) { method.as_str() } else { "other" };
        let label = Request { method: method.to_owned(), route: route.to_owned(), status };
        self.requests.get_or_create(&label).inc();
        self.seconds.observe(took.as_secs_f64());
    }

    /// Counts a run of a job.
    pub fn job(&self, kind: &str, result: &str) {
        self.jobs.get_or_create(&labelled(kind, result)).inc();
    }

    /// Counts a letter.
    pub fn mail(&self, kind: &str, result: &str) {
        self.mails.get_or_create(&labelled(kind, result)).inc();
    }

    /// Counts a score's link that was opened, which says nothing yet.
    pub fn survey_click(&self) {
        self.surveys.get_or_create(&labelled("click", "unconfirmed")).inc();
    }

    /// Counts a pressed button.
    pub fn survey_answer(&self, is_suspicious: bool) {
        self.surveys.get_or_create(&labelled("answer", if is_suspicious { "flagged" } else { "taken" })).inc();
    }

    /// Counts warnings and breaches written by the alarm.
    pub fn clock_event(&self, metric: &str, what: &str) {
        self.clock_events.get_or_create(&labelled(metric, what)).inc();
    }

    /// The text that Prometheus reads.
    pub fn render(&self, levels: &Levels) -> Result<String, std::fmt::Error> {
        let Levels { connections, batches, jobs, running_clocks, mails, streams } = levels;
        for (kind, what, value) in [
            ("connections", "open", i64::from(connections.0)),
            ("connections", "idle", i64::from(connections.1)),
            ("write_batches", "committed", i64::try_from(batches.0).unwrap_or(i64::MAX)),
            ("write_batches", "writes", i64::try_from(batches.1).unwrap_or(i64::MAX)),
            ("jobs", "waiting", jobs.0),
            ("jobs", "parked", jobs.1),
            ("clocks", "running", *running_clocks),
            ("mails", "queued", mails.0),
            ("mails", "parked", mails.1),
            ("streams", "open", *streams),
        ] {
            self.levels.get_or_create(&labelled(kind, what)).set(value);
        }
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

fn labelled(kind: &str, result: &str) -> Labelled {
    Labelled { kind: kind.to_owned(), result: result.to_owned() }
}
