//! Fetching mails from IMAP servers: one node at a time for each mailbox, told of new mails by the server (IDLE) or looking again
//! and again. A mail is stored first, and marked or moved on the server afterwards.
use super::commands::{self, Arrived, Coming, Envelope};
use super::imap_session::{Mails, Server, Size};
use super::mailboxes::{self, Imap, MailboxRow, WatchRow};
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::{self, FetcherId, MailboxId};
use actix_web::web::Data;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How often the list of mailboxes is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// A mailbox whose node fell silent for so long is fetched from by another one.
const LEASE_SECONDS: i64 = 90;
/// The lease is held for longer so often.
const HOLD_EVERY: Duration = Duration::from_secs(20);
/// A connection that lasted for so long was a good one.
const GOOD_WHILE: Duration = Duration::from_secs(60);
/// Longest pause after a failure.
const PAUSE_SECONDS_MAX: u64 = 300;
/// Mails between two times that the server is told what was taken.
const BATCH: usize = 50;
/// Bytes that are fetched and stored together, but for a mail that is larger by itself.
const TOGETHER_BYTES: u64 = 4 * 1024 * 1024;
/// After the server gave all mails new numbers, those of so many days before the last look are looked at again.
const LOOK_BACK_DAYS: i64 = 2;

/// One fetcher's hold over a mailbox.
struct Watch<'a> {
    app: &'a Data<App>,
    row: MailboxRow,
    imap: Imap,
    node: FetcherId,
    state: WatchRow,
}

fn until(now: DateTime<Utc>) -> DateTime<Utc> {
    now + TimeDelta::seconds(LEASE_SECONDS)
}

impl<'a> Watch<'a> {
    /// Takes the lease; none where another node has it.
    async fn take_up(app: &'a Data<App>, row: MailboxRow, node: FetcherId) -> Result<Option<Self>> {
        let Some(imap) = row.imap()? else { return Ok(None) };
        let (id, now) = (row.id, app.clock.now());
        let state = app.db.write(move |conn| mailboxes::take_up(conn, id, node, until(now), now)).await?;
        Ok(state.map(|state| Self { app, row, imap, node, state }))
    }

    /// Holds the lease for longer; false where it was lost.
    async fn hold(&self) -> Result<bool> {
        let (id, node, until) = (self.row.id, self.node, until(self.app.clock.now()));
        self.app.db.write(move |conn| mailboxes::hold(conn, id, node, until)).await
    }

    async fn let_go(&self) -> Result<()> {
        let (id, node) = (self.row.id, self.node);
        self.app.db.write(move |conn| mailboxes::let_go(conn, id, node)).await
    }

    async fn connect(&self) -> Result<Server> {
        let settings = &self.app.config.inbound;
        Server::connect(&self.imap, settings.imap_timeout_seconds, &settings.imap_ca_file).await
    }

    /// What of the folder may be new.
    fn wanted(&self, validity: i64) -> Mails {
        match (self.state.uid_validity, self.state.last_uid) {
            (Some(known), Some(uid)) if known == validity => Mails::After(u32::try_from(uid).unwrap_or(0)),
            // All mails have new numbers: bytes that are known change nothing, so it is enough to look far enough back.
            (Some(_), _) => {
                let last = self.state.looked_at.map_or_else(|| self.app.clock.now(), |at| at.0);
                Mails::Since((last - TimeDelta::days(LOOK_BACK_DAYS)).date_naive())
            }
            // What somebody read before the desk came is done.
            (None, _) => Mails::Unseen,
        }
    }

    /// Takes everything that is new; says how many mails that were.
    async fn look(&mut self, server: &mut Server) -> Result<usize> {
        let validity = server.validity();
        let wanted = self.wanted(validity);
        let known = match wanted {
            Mails::After(uid) => uid,
            // Those that are passed over now are not looked at later either.
            Mails::Since(_) | Mails::Unseen => server.search(&Mails::After(0)).await?.into_iter().max().unwrap_or(0),
        };
        let mut uids = server.search(&wanted).await?;
        uids.sort_unstable();
        let last = i64::from(uids.last().copied().unwrap_or(0).max(known));
        let (mut taken, mut trouble) = (0, None);
        for batch in uids.chunks(BATCH) {
            let (stored, seen) = self.take(server, batch).await?;
            taken += seen;
            // A folder that is missing keeps no mail from being taken.
            if let Err(error) = server.done(&stored, self.imap.done_folder.as_deref()).await {
                trouble = Some(error);
            }
        }
        if let Some(error) = trouble {
            return Err(error);
        }
        let (id, node, now) = (self.row.id, self.node, self.app.clock.now());
        self.app.db.write(move |conn| mailboxes::looked(conn, id, node, (validity, last), now)).await?;
        (self.state.uid_validity, self.state.last_uid) = (Some(validity), Some(last));
        self.state.looked_at = Some(crate::db::types::Time(now));
        Ok(taken)
    }

    /// Takes mails, a few megabytes at a time: the next ones are fetched while those before are stored. Says which ones are to be
    /// marked, and how many were there; one that is too large stays on the server, and its headers are held.
    async fn take(&self, server: &mut Server, uids: &[u32]) -> Result<(Vec<u32>, usize)> {
        // Between the search and here somebody may have moved some away.
        let sizes: HashMap<u32, Size> = server.sizes(uids).await?.into_iter().collect();
        let size_max = self.app.config.inbound.size_max_bytes as u64;
        let (mut groups, mut large, mut bytes) = (Vec::<Vec<u32>>::new(), Vec::new(), 0);
        for (uid, size) in uids.iter().filter_map(|uid| Some((*uid, sizes.get(uid)?))) {
            if size.bytes > size_max {
                large.push(uid);
                continue;
            }
            bytes += size.bytes;
            match groups.last_mut().filter(|_| bytes <= TOGETHER_BYTES) {
                Some(group) => group.push(uid),
                None => (bytes, _) = (size.bytes, groups.push(vec![uid])),
            }
        }
        let (mut stored, mut seen) = (Vec::with_capacity(uids.len()), 0);
        let mut fetched = Vec::new();
        for group in groups {
            if !self.hold().await? {
                return Err(Error::Unavailable("another node fetches from this mailbox now".to_owned()));
            }
            let (before, next) = tokio::join!(self.store(fetched, &sizes), server.whole(&group));
            stored.extend(before?);
            fetched = next?;
            seen += fetched.len();
        }
        stored.extend(self.store(fetched, &sizes).await?);
        for (uid, headers) in server.headers(&large).await? {
            self.hold_headers(headers, sizes.get(&uid)).await?;
            seen += 1;
        }
        Ok((stored, seen))
    }

    fn arrived(&self, raw: Vec<u8>, size: Option<&Size>) -> Arrived {
        let now = self.app.clock.now();
        Arrived::new(raw, size.and_then(|size| size.received_at).unwrap_or(now).min(now))
    }

    /// Stores some mails in one transaction; says which ones these are.
    async fn store(&self, mails: Vec<(u32, Vec<u8>)>, sizes: &HashMap<u32, Size>) -> Result<Vec<u32>> {
        let uids: Vec<u32> = mails.iter().map(|(uid, _)| *uid).collect();
        if uids.is_empty() {
            return Ok(uids);
        }
        let coming = |(uid, raw)| Coming {
            mailbox: self.row.id,
            envelope: Envelope { from: None, to: self.row.address.clone() },
            mail: Arc::new(self.arrived(raw, sizes.get(&uid))),
        };
        let mails: Vec<Coming> = mails.into_iter().map(coming).collect();
        let (app, now) = (self.app, self.app.clock.now());
        let due_at = app.taking.due_at(mails.len(), now);
        app.db.write_again(move |conn| commands::accept_each(conn, &mails, due_at, now).map(|_| ())).await?;
        app.taking.taken(app, due_at, now);
        Ok(uids)
    }

    /// A mail is too large: it stays on the server, and people are shown its headers.
    async fn hold_headers(&self, headers: Vec<u8>, size: Option<&Size>) -> Result<()> {
        let (id, now, bytes) = (self.row.id, self.app.clock.now(), size.map_or(0, |size| size.bytes));
        let (mail, envelope) = (self.arrived(headers, size), Envelope { from: None, to: self.row.address.clone() });
        self.app.db.write_again(move |conn| commands::hold_headers(conn, id, &envelope, &mail, bytes, now)).await
    }

    /// Looks, and waits for more, until it is told to stop or the lease is lost.
    async fn keep(&mut self, server: &mut Option<Server>, stop: &mut watch::Receiver<bool>) -> Result<()> {
        let poll = Duration::from_secs(self.app.config.inbound.imap_poll_seconds);
        while !*stop.borrow() {
            let Some(connected) = server else { return Ok(()) };
            self.look(connected).await?;
            let Some(connected) = server.take() else { return Ok(()) };
            let hold = async || {
                loop {
                    tokio::time::sleep(HOLD_EVERY).await;
                    match self.hold().await {
                        Ok(true) => {}
                        Ok(false) => return Err(Error::Unavailable("another node fetches from this mailbox now".to_owned())),
                        Err(error) => return Err(error),
                    }
                }
            };
            let interrupted = async {
                tokio::select! {
                    lost = hold() => lost,
                    _ = stop.changed() => Ok(()),
                }
            };
            let (waited, ended) = connected.wait(poll, interrupted).await?;
            *server = Some(waited);
            ended?;
        }
        Ok(())
    }
}

fn node() -> FetcherId {
    FetcherId::new()
}

async fn note_failure(app: &App, id: MailboxId, node: FetcherId, error: &Error) {
    let (text, now) = (error.to_string(), app.clock.now());
    tracing::warn!(mailbox = %id, "mails cannot be fetched");
    if let Err(error) = app.db.write(move |conn| mailboxes::failed(conn, id, node, &text, now)).await {
        tracing::warn!(%error, "that fetching failed was not written down");
    }
}

/// Fetches once from every mailbox that no other node fetches from; says how many mails it saw.
pub async fn catch_up(app: &Data<App>) -> Result<usize> {
    let (rows, node) = (app.db.read(mailboxes::imap_active).await?, node());
    let mut seen = 0;
    for row in rows {
        let id = row.id;
        let Some(mut watch) = Watch::take_up(app, row, node).await? else { continue };
        let looked = match watch.connect().await {
            Ok(mut server) => {
                let looked = watch.look(&mut server).await;
                server.bye().await;
                looked
            }
            Err(error) => Err(error),
        };
        match looked {
            Ok(mails) => seen += mails,
            Err(error) => note_failure(app, id, node, &error).await,
        }
        watch.let_go().await?;
    }
    Ok(seen)
}

/// Fetches from one mailbox until it is told to stop.
async fn fetch(app: Data<App>, row: MailboxRow, node: FetcherId, mut stop: watch::Receiver<bool>) {
    let mut failures = 0_u32;
    while !*stop.borrow() {
        let (id, started, mut server) = (row.id, tokio::time::Instant::now(), None);
        let done = match Watch::take_up(&app, row.clone(), node).await {
            Ok(None) => Ok(()),
            Ok(Some(mut watch)) => {
                let kept = match watch.connect().await {
                    Ok(connected) => {
                        server = Some(connected);
                        watch.keep(&mut server, &mut stop).await
                    }
                    Err(error) => Err(error),
                };
                if let Err(error) = &kept {
                    note_failure(&app, id, node, error).await;
                }
                if let Err(error) = watch.let_go().await {
                    tracing::warn!(%error, "a mailbox was not let go of; its lease runs out");
                }
                kept
            }
            Err(error) => Err(error),
        };
        if let Some(server) = server {
            server.bye().await;
        }
        failures = match done {
            Ok(()) => 0,
            // It went well for a while: this is a new trouble.
            Err(_) if started.elapsed() > GOOD_WHILE => 1,
            Err(_) => failures.saturating_add(1),
        };
        let seconds = match failures {
            0 => LOOK_EVERY.as_secs(),
            failures => (1_u64 << failures.min(9)).min(PAUSE_SECONDS_MAX),
        };
        let pause = Duration::from_secs_f64(seconds as f64 * (0.5 + ids::jitter() / 2.0));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.changed() => {}
        }
    }
}

/// A mailbox that is being fetched from by a task of its own.
struct Fetching {
    version: i32,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Fetching {
    async fn end(self) {
        let _ = self.stop.send(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "fetching from a mailbox ended badly");
        }
    }
}

/// Fetches from all mailboxes until `stop` is told; one that is changed, made or switched off is noticed within seconds.
pub async fn run(app: Data<App>, mut stop: watch::Receiver<bool>) {
    let (mut fetching, node) = (HashMap::<MailboxId, Fetching>::new(), node());
    while !*stop.borrow() {
        match app.db.read(mailboxes::imap_active).await {
            Ok(rows) => {
                let wanted: HashMap<MailboxId, i32> = rows.iter().map(|row| (row.id, row.version)).collect();
                let is_old = |id: &MailboxId, task: &Fetching| wanted.get(id) != Some(&task.version) || task.task.is_finished();
                let old: Vec<MailboxId> = fetching.iter().filter(|(id, task)| is_old(id, task)).map(|(id, _)| *id).collect();
                for task in old.iter().filter_map(|id| fetching.remove(id)).collect::<Vec<_>>() {
                    task.end().await;
                }
                for row in rows {
                    let (id, version) = (row.id, row.version);
                    fetching.entry(id).or_insert_with(|| {
                        let (stop, told) = watch::channel(false);
                        Fetching { version, stop, task: actix_web::rt::spawn(fetch(app.clone(), row, node, told)) }
                    });
                }
            }
            Err(error) => tracing::error!(%error, "the mailboxes could not be listed; it is tried again"),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = stop.changed() => {}
        }
    }
    for (_, task) in fetching {
        task.end().await;
    }
}
