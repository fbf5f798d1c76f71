//! What handlers and jobs are given.
use crate::attachments::depot::Depot;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Conn, Database, migrate};
use crate::error::Result;
use crate::http::auth::Known;
use crate::mail::transport::Mailer;
use crate::metrics::Metrics;
use crate::setup;
use tokio::sync::Notify;

/// The desk as a process: settings, database, clock, mailer, figures, and what is kept in memory.
pub struct App {
    /// The settings.
    pub config: Config,
    /// Reading and writing.
    pub db: Database,
    /// What time it is.
    pub clock: Clock,
    /// The bytes of attachments.
    pub depot: Depot,
    /// Sends letters.
    pub mailer: Mailer,
    /// Counters for `/metrics`.
    pub metrics: Metrics,
    /// Tokens seen lately.
    pub known: Known,
    /// Who listens to the live stream.
    pub live: crate::live::Hub,
    /// Who talks in chats on this node.
    pub rooms: crate::chat::Rooms,
    /// Sends to webhooks.
    pub webhooks: crate::webhooks::Sender,
    /// Rung when a job was queued on this node.
    pub jobs_queued: Notify,
    /// Links of surveys that were opened lately.
    pub clicks: crate::surveys::clicks::Clicks,
    /// Mails that come in.
    pub taking: crate::inbound::taking::Taking,
    /// When worker and alarm last looked at the queue.
    pub beat: crate::jobs::Beat,
}

impl App {
    /// Opens the database, brings its schema up to date and fills an empty one with the shipped defaults.
    /// The secret of a first admin comes back once.
    pub fn open(config: Config, clock: Clock) -> Result<(Self, Option<String>)> {
        let url = config.database_url();
        let mut conn = Conn::open(&url)?;
        let ran = migrate::up(&mut conn)?;
        if ran > 0 {
            tracing::info!(migrations = ran, database = conn.kind(), "the schema is up to date");
        }
        let now = clock.now();
        let first_secret = conn.write(|conn| setup::first_start(conn, now))?;
        drop(conn);
        let app = Self {
            db: Database::open(&url, config.database.pool_size)?,
            depot: Depot::open(&config)?,
            mailer: Mailer::new(&config)?,
            webhooks: crate::webhooks::Sender::new(&config),
            live: crate::live::Hub::default(),
            rooms: crate::chat::Rooms::default(),
            metrics: Metrics::new(),
            known: Known::default(),
            jobs_queued: Notify::new(),
            clicks: crate::surveys::clicks::Clicks::default(),
            taking: crate::inbound::taking::Taking::default(),
            beat: crate::jobs::Beat::default(),
            clock,
            config,
        };
        Ok((app, first_secret))
    }
}
