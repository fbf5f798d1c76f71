//! The running server: HTTP, worker, alarm and chores, started and stopped together.
use crate::app::App;
use crate::error::Result;
use crate::http::{log, rate};
use crate::inbound::{imap, lmtp};
use crate::jobs::worker;
use crate::sla::alarm;
use crate::{chat, live, presence, routes, timetable, webhooks};
use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::web::{Data, PayloadConfig};
use actix_web::{App as Web, HttpServer};
use std::any::Any;
use std::net::TcpListener;
use std::time::Duration;
use tokio::sync::watch;

/// A peer that takes nothing for so long, or answers nothing, is cut: it would be held for ever, or for a quarter of an hour.
const TAKES_WITHIN: Duration = Duration::from_secs(30);

/// Tells the system when to give a connection up.
fn cut_in_time(connection: &dyn Any) {
    #[cfg(target_os = "linux")]
    if let Some(stream) = connection.downcast_ref::<actix_web::rt::net::TcpStream>()
        && let Err(error) = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(TAKES_WITHIN))
    {
        tracing::debug!(%error, "a connection has no timeout of its own");
    }
}

/// The HTTP side of the desk on a bound listener.
pub fn server(app: Data<App>, listener: TcpListener) -> std::io::Result<Server> {
    let settings = &app.config.server;
    let threads = match settings.threads {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        threads => threads,
    };
    let (stop_seconds, body_limit) = (settings.stop_seconds, settings.body_limit_bytes);
    let server = HttpServer::new(move || {
        Web::new()
            .app_data(app.clone())
            .app_data(PayloadConfig::new(body_limit))
            .wrap(from_fn(rate::strangers))
            .wrap(from_fn(log::watch))
            .configure(routes::configure)
    });
    let server = server.on_connect(|connection, _| cut_in_time(connection));
    Ok(server.workers(threads).shutdown_timeout(stop_seconds).disable_signals().listen(listener)?.run())
}

/// Runs alarms and jobs that are due, and what they queue, until nothing is due; says how much was done.
pub async fn settle(app: &Data<App>) -> Result<usize> {
    let mut done = 0;
    loop {
        let step = alarm::catch_up(app).await? + worker::run_due(app).await? + webhooks::jobs::catch_up(app).await?;
        let step = step + presence::jobs::catch_up(app).await? + chat::jobs::catch_up(app).await?;
        if step == 0 {
            return Ok(done);
        }
        done += step;
    }
}

/// Serves until `stop` is told; then running requests and jobs finish, and what is in memory is written down.
pub async fn run(app: Data<App>, listener: TcpListener, stop: impl Future<Output = ()>) -> std::io::Result<()> {
    let (tell, told) = watch::channel(false);
    let lmtp = lmtp::Listener::bind(&app.config.inbound.lmtp_listen).await?;
    let taking = lmtp.map(|listener| actix_web::rt::spawn(lmtp::run(app.clone(), listener, told.clone())));
    let loops = [
        actix_web::rt::spawn(worker::run(app.clone(), told.clone())),
        actix_web::rt::spawn(alarm::run(app.clone(), told.clone())),
        actix_web::rt::spawn(webhooks::jobs::run(app.clone(), told.clone())),
        actix_web::rt::spawn(live::reader::run(app.clone(), told.clone())),
        actix_web::rt::spawn(imap::run(app.clone(), told.clone())),
        actix_web::rt::spawn(presence::jobs::run(app.clone(), told.clone())),
        actix_web::rt::spawn(chat::jobs::run(app.clone(), told.clone())),
        actix_web::rt::spawn(timetable::chores(app.clone(), told)),
    ];
    let server = server(app.clone(), listener)?;
    let handle = server.handle();
    let serving = actix_web::rt::spawn(server);
    stop.await;
    tracing::info!("stopping: running requests and jobs finish");
    app.live.stop();
    handle.stop(true).await;
    serving.await.map_err(std::io::Error::other)??;
    let _ = tell.send(true);
    let patience = Duration::from_secs(app.config.server.stop_seconds.max(1));
    for running in loops.into_iter().chain(taking) {
        if tokio::time::timeout(patience, running).await.is_err() {
            tracing::warn!("a job did not end in time; its lease lets it be taken again");
        }
    }
    if let Err(error) = timetable::note_token_uses(&app).await {
        tracing::warn!(%error, "last uses of tokens were not written down");
    }
    tracing::info!("stopped");
    Ok(())
}
