//! The one test binary: every test runs on SQLite and on PostgreSQL, through HTTP, mail, phone events and the clock.
//! Start it with `bash tests/run.sh`, which installs what it needs; afterwards `cargo test --test it sqlite::tickets` is enough.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod architecture;
mod basics;
mod mails;
mod migrations;
mod promises;
mod replay;
mod rights;
mod schemathesis;
mod support;
mod surveys;
mod tickets;

use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;
use support::{Test, log, servers, trials};

/// Every list of tests; a test that is in none is dead code, and clippy says so.
const ALL: &[&[Test]] = &[
    architecture::TESTS,
    basics::TESTS,
    mails::TESTS,
    migrations::TESTS,
    promises::TESTS,
    rights::ONCE,
    rights::PAGE,
    rights::TESTS,
    schemathesis::TESTS,
    support::browser::TESTS,
    support::desk::TESTS,
    surveys::TESTS,
    tickets::TESTS,
    accounts::TESTS,
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    log::install();
    // Dropped last, also when something above panics.
    let _servers = servers::StoppedAtTheEnd;
    let trials: Vec<Trial> = ALL.iter().flat_map(|tests| tests.iter()).flat_map(trials).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}
