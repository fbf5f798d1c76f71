//! The one test binary: every test runs on SQLite and on PostgreSQL, through HTTP, mail, phone events and the clock.
//! Start it with `bash tests/run.sh`, which installs what it needs; afterwards `cargo test --test it sqlite::tickets` is enough.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod alerts;
mod architecture;
mod attachments;
mod audit;
mod basics;
mod binary;
mod bulk;
mod calendars;
mod calls;
mod calls_counted;
mod calls_twilio;
mod canned;
mod chat;
mod chat_browser;
mod chat_socket;
mod cli;
mod clockstep;
mod digest;
mod dkim;
mod doors;
mod fields;
mod figures;
mod funnel;
mod hours;
mod inbound;
mod inbound_imap;
mod inbound_kill9;
mod incoming;
mod kill9;
mod limits;
mod live;
mod load;
mod mail;
mod mails;
mod merges;
mod migrations;
mod nodes;
mod pages;
mod presence;
mod privacy;
mod promises;
mod promises_edited;
mod promises_moved;
mod replay;
mod reports;
mod restore;
mod rights;
mod schemathesis;
mod search;
mod secrets;
mod supply;
mod support;
mod surveys;
mod surveys_answers;
mod surveys_followups;
mod surveys_letters;
mod tags;
mod tickets;
mod tour;
mod transfer;
mod trouble;
mod views;
mod waves;
mod webhooks;

use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;
use support::{Test, log, servers, trials};

/// Every list of tests; a test that is in none is dead code, and clippy says so.
const ALL: &[&[Test]] = &[
    // The longest goes first.
    schemathesis::TESTS,
    alerts::TESTS,
    architecture::TESTS,
    audit::TESTS,
    attachments::TESTS,
    attachments::PLAIN,
    canned::TESTS,
    chat::TESTS,
    chat_browser::TESTS,
    chat_socket::TESTS,
    fields::TESTS,
    tags::TESTS,
    views::TESTS,
    basics::TESTS,
    mails::TESTS,
    bulk::TESTS,
    merges::TESTS,
    migrations::TESTS,
    promises::TESTS,
    promises_edited::TESTS,
    promises_moved::TESTS,
    rights::ONCE,
    rights::PAGE,
    rights::TESTS,
    search::TESTS,
    support::browser::TESTS,
    support::desk::TESTS,
    surveys::TESTS,
    surveys_letters::TESTS,
    surveys_answers::TESTS,
    surveys_answers::PAGE,
    surveys_followups::TESTS,
    waves::TESTS,
    privacy::TESTS,
    pages::TESTS,
    tickets::TESTS,
    tour::TESTS,
    transfer::TESTS,
    transfer::KILLED,
    trouble::TESTS,
    webhooks::TESTS,
    trouble::PLAIN,
    accounts::TESTS,
    calendars::ONCE,
    calendars::TESTS,
    digest::TESTS,
    figures::TESTS,
    funnel::TESTS,
    hours::TESTS,
    incoming::TESTS,
    inbound::TESTS,
    inbound::LOCKED,
    inbound_imap::TESTS,
    inbound_imap::PLAIN,
    inbound_kill9::TESTS,
    reports::ONCE,
    reports::TESTS,
    calls::TESTS,
    calls_counted::TESTS,
    calls_twilio::TESTS,
    cli::TESTS,
    dkim::TESTS,
    dkim::PLAIN,
    doors::TESTS,
    doors::ONCE,
    limits::TESTS,
    live::TESTS,
    live::SERVED,
    presence::TESTS,
    presence::SERVED,
    limits::PAGES,
    secrets::TESTS,
    supply::TESTS,
    clockstep::TESTS,
    clockstep::MOVED,
    kill9::TESTS,
    nodes::TESTS,
    restore::TESTS,
];

/// Tests that run at once, for each core.
const TESTS_PER_CORE: usize = 4;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // They wait for disks and servers more than they compute.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    arguments.test_threads.get_or_insert(cores * TESTS_PER_CORE);
    log::install();
    // Dropped last, also when something above panics.
    let _servers = servers::StoppedAtTheEnd;
    let trials: Vec<Trial> = ALL.iter().flat_map(|tests| tests.iter()).flat_map(trials).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}
