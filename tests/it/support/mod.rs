//! What tests are made of: a desk of their own, clients, letters, a browser.
#![allow(dead_code, reason = "helpers may wait for the test that needs them")]
pub mod browser;
pub mod busy;
pub mod client;
pub mod cluster;
pub mod desk;
pub mod dovecot;
pub mod given;
pub mod lmtp;
pub mod log;
pub mod mail;
pub mod postgres;
pub mod process;
pub mod receiver;
pub mod running;
pub mod s3;
pub mod sample;
pub mod servers;
pub mod smtp;
pub mod sse;
pub mod template;
pub mod websocket;

pub use client::Answer;
pub use desk::Desk;

use libtest_mimic::Trial;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Which database a desk keeps its data in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// A file.
    Sqlite,
    /// A database on the server that the run started.
    Postgres,
}

/// What a test asks for.
#[derive(Clone, Copy)]
pub enum Run {
    /// A desk, once on each database.
    Desk(fn(&Desk)),
    /// A desk on SQLite alone.
    Sqlite(fn(&Desk)),
    /// Nothing.
    Plain(fn()),
}

/// A test and its name.
pub struct Test {
    /// With its module.
    pub name: &'static str,
    /// The function.
    pub run: Run,
}

/// Lists tests that take a `&Desk`: each runs on both databases.
macro_rules! tests {
    ($($name:ident),* $(,)?) => { $crate::support::listed!(Desk $($name)*) };
}

/// Lists tests that take a `&Desk` and run on SQLite alone.
macro_rules! sqlite {
    ($($name:ident),* $(,)?) => { $crate::support::listed!(Sqlite $($name)*) };
}

/// Lists tests that take nothing.
macro_rules! plain {
    ($($name:ident),* $(,)?) => { $crate::support::listed!(Plain $($name)*) };
}

macro_rules! listed {
    ($kind:ident $($name:ident)*) => {
        &[$($crate::support::Test {
            name: concat!(module_path!(), "::", stringify!($name)),
            run: $crate::support::Run::$kind($name),
        }),*]
    };
}
pub(crate) use {listed, plain, sqlite, tests};

fn on(backend: Backend, run: fn(&Desk)) {
    let desk = Desk::open(backend);
    run(&desk);
    desk.check();
}

fn trial(name: String, run: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name.clone(), move || {
        log::name_this_test(name.clone());
        let began = Instant::now();
        run();
        TOOK.lock().unwrap().push((began.elapsed(), name));
        Ok(())
    })
}

/// How long each test that passed took, beside all that ran at the same time.
static TOOK: Mutex<Vec<(Duration, String)>> = Mutex::new(Vec::new());

/// Names the slowest tests.
pub fn tell_the_slowest(count: usize) {
    let mut took = std::mem::take(&mut *TOOK.lock().unwrap());
    took.sort_by(|a, b| b.cmp(a));
    println!("slowest:");
    for (time, name) in took.iter().take(count) {
        println!("  {:6.1} s  {name}", time.as_secs_f64());
    }
}

/// What the runner is given for one test.
pub fn trials(test: &'static Test) -> Vec<Trial> {
    let name = test.name.strip_prefix("it::").unwrap_or(test.name);
    match test.run {
        Run::Plain(run) => vec![trial(name.to_owned(), run)],
        Run::Sqlite(run) => vec![trial(format!("sqlite::{name}"), move || on(Backend::Sqlite, run))],
        Run::Desk(run) => vec![
            trial(format!("sqlite::{name}"), move || on(Backend::Sqlite, run)),
            trial(format!("postgres::{name}"), move || on(Backend::Postgres, run)),
        ],
    }
}
