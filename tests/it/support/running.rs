//! A desk's server in a thread of its own: the real App behind real HTTP, with a clock that only the test moves.
use actix_web::rt::System;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use deskbell::app::App;
use deskbell::clock::Clock;
use deskbell::config::Config;
use deskbell::db::schema::{chats, clocks, jobs, webhooks};
use deskbell::db::types::Time;
use deskbell::inbound::lmtp;
use deskbell::{live, serve};
use diesel::prelude::*;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;

/// What is due is done within so long, or something hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// Workers let go of the App within so long.
const LETTING_GO: Duration = Duration::from_secs(5);

type Done<T> = Result<T, String>;

enum Order {
    Settle { to: Option<DateTime<Utc>>, done: Sender<Done<usize>> },
    Stop,
}

struct Started {
    app: Data<App>,
    first_secret: Option<String>,
    system: usize,
}

/// A server that runs until it is dropped.
pub struct Running {
    app: Option<Data<App>>,
    /// The secret of the first admin, where the database was empty.
    pub first_secret: Option<String>,
    /// `http://127.0.0.1:<port>`.
    pub base: String,
    name: String,
    system: usize,
    orders: UnboundedSender<Order>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Starts a server; its thread has that name.
    #[track_caller]
    pub fn start(name: &str, config: Config, clock: Clock, listener: TcpListener) -> Self {
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (orders, inbox) = unbounded_channel();
        let (told, started) = channel();
        let body = move || System::new().block_on(serve(config, clock, listener, inbox, told));
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(body).unwrap();
        let started = started.recv().unwrap_or_else(|_| Err("its thread panicked; see above".to_owned()));
        let Started { app, first_secret, system } = started.unwrap_or_else(|error| panic!("the desk does not start: {error}"));
        Self { app: Some(app), first_secret, base, name: name.to_owned(), system, orders, thread: Some(thread) }
    }

    /// What its handlers are given.
    pub fn app(&self) -> Data<App> {
        self.app.clone().expect("it runs")
    }

    /// Runs what is due now; with `to`, goes there from one due instant to the next. Says how much ran.
    #[track_caller]
    pub fn settle(&self, to: Option<DateTime<Utc>>) -> usize {
        let (done, answer) = channel();
        let _ = self.orders.send(Order::Settle { to, done });
        match answer.recv_timeout(PATIENCE) {
            Ok(Ok(ran)) => ran,
            Ok(Err(error)) => panic!("what is due cannot be done: {error}"),
            Err(error) => panic!("what is due was not done: {error}"),
        }
    }

    /// Whether a thread of that name belongs to this server.
    pub fn is_thread(&self, name: &str) -> bool {
        name == self.name || name.starts_with(&format!("actix-rt|system:{}|", self.system))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The mailer's pool wants to end inside a runtime: the server's thread must be the last to let go.
        self.app.take();
        let _ = self.orders.send(Order::Stop);
        let ended = self.thread.take().map(JoinHandle::join);
        if matches!(ended, Some(Err(_))) && !std::thread::panicking() {
            panic!("the desk's thread panicked; see above");
        }
    }
}

async fn serve(
    config: Config,
    clock: Clock,
    listener: TcpListener,
    mut orders: UnboundedReceiver<Order>,
    told: Sender<Done<Started>>,
) {
    // The mailer's pool wants to be made inside a runtime.
    let opened = App::open(config, clock).map_err(|error| error.to_string()).and_then(|(app, first_secret)| {
        let app = Data::new(app);
        let server = serve::server(app.clone(), listener).map_err(|error| error.to_string())?;
        Ok((app, first_secret, server))
    });
    let (app, first_secret, server) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            let _ = told.send(Err(error));
            return;
        }
    };
    let lmtp = match lmtp::Listener::bind(&app.config.inbound.lmtp_listen).await {
        Ok(lmtp) => lmtp,
        Err(error) => {
            let _ = told.send(Err(error.to_string()));
            return;
        }
    };
    let (stop_taking, taking) = watch::channel(false);
    let taking = lmtp.map(|listener| actix_web::rt::spawn(lmtp::run(app.clone(), listener, taking)));
    beat(&app);
    let (tell, told_to_stop) = watch::channel(false);
    let reader = actix_web::rt::spawn(live::reader::run(app.clone(), told_to_stop));
    let handle = server.handle();
    let running = actix_web::rt::spawn(server);
    let _ = told.send(Ok(Started { app: app.clone(), first_secret, system: System::current().id() }));
    while let Some(Order::Settle { to, done }) = orders.recv().await {
        let _ = done.send(settle(&app, to).await.map_err(|error| error.to_string()));
    }
    app.live.stop();
    let _ = stop_taking.send(true);
    if let Some(taking) = taking {
        let _ = taking.await;
    }
    handle.stop(false).await;
    let _ = running.await;
    let _ = tell.send(true);
    let _ = reader.await;
    let started = Instant::now();
    while Arc::strong_count(&app) > 1 && started.elapsed() < LETTING_GO {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// How long after a due instant the queues are looked at again.
const LOOK_AFTER: chrono::TimeDelta = chrono::TimeDelta::milliseconds(200);

async fn settle(app: &Data<App>, to: Option<DateTime<Utc>>) -> deskbell::Result<usize> {
    let to = to.unwrap_or_else(|| app.clock.now());
    let mut ran = 0;
    loop {
        ran += serve::settle(app).await?;
        let now = app.clock.now();
        if now >= to {
            beat(app);
            return Ok(ran);
        }
        let next = app.db.read(move |conn| next_due(conn, now)).await?;
        app.clock.set(next.map_or(to, |next| next.min(to)));
        // A breach is one only after its instant; the alarm looks within a second, and so do we.
        ran += serve::settle(app).await?;
        app.clock.set(to.min(app.clock.now() + LOOK_AFTER));
    }
}

/// Here nothing runs in a loop: the test is what looks at the queues.
fn beat(app: &App) {
    let now = app.clock.now();
    app.beat.worker(now);
    app.beat.alarm(now);
}

/// The first instant after `now` at which the desk has something to do by itself.
fn next_due(conn: &mut deskbell::db::Conn, now: DateTime<Utc>) -> deskbell::Result<Option<DateTime<Utc>>> {
    let job: Option<Time> = jobs::table
        .filter(jobs::parked_at.is_null().and(jobs::due_at.gt(Time(now))))
        .order(jobs::due_at)
        .select(jobs::due_at)
        .first(conn)
        .optional()?;
    let alarm: Option<Option<Time>> = clocks::table
        .filter(clocks::alarm_at.gt(Time(now)))
        .order(clocks::alarm_at)
        .select(clocks::alarm_at)
        .first(conn)
        .optional()?;
    let webhook: Option<Option<Time>> = webhooks::table
        .filter(webhooks::next_at.gt(Time(now)).and(webhooks::is_active.eq(true)))
        .order(webhooks::next_at)
        .select(webhooks::next_at)
        .first(conn)
        .optional()?;
    let chat: Option<Option<Time>> =
        chats::table.filter(chats::next_at.gt(Time(now))).order(chats::next_at).select(chats::next_at).first(conn).optional()?;
    Ok([job, alarm.flatten(), webhook.flatten(), chat.flatten()].into_iter().flatten().map(|at| at.0).min())
}
