//! The one test binary: every test runs on SQLite and on PostgreSQL, through HTTP, mail, phone events and the clock.
//! Start it with `bash tests/run.sh`, which installs what it needs; afterwards `cargo test --test it sqlite::tickets` is enough.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod accounts_tokens;
mod alerts;
mod architecture;
mod attachments;
mod attachments_s3;
mod audit;
mod basics;
mod binary;
mod bulk;
mod calendars;
mod calendars_known;
mod calls;
mod calls_counted;
mod calls_twilio;
mod canned;
mod chat;
mod chat_browser;
mod chat_ends;
mod chat_files;
mod chat_socket;
mod cli;
mod clockstep;
mod conventions;
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
mod inbound_lmtp;
mod incoming;
mod incoming_limits;
mod incoming_routes;
mod kill9;
mod letters;
mod limits;
mod live;
mod load;
mod mail;
mod mails;
mod mails_agents;
mod mails_refused;
mod merges;
mod migrations;
mod nodes;
mod occupancy;
mod pages;
mod policies;
mod presence;
mod presence_alarms;
mod privacy;
mod privacy_mentions;
mod promises;
mod promises_chosen;
mod promises_edited;
mod promises_moved;
mod replay;
mod reports;
mod reports_csv;
mod reports_nps;
mod restore;
mod rights;
mod schemathesis;
mod search;
mod secrets;
mod shifts;
mod strangers;
mod supply;
mod support;
mod surveys;
mod surveys_answers;
mod surveys_by_mail;
mod surveys_followups;
mod surveys_letters;
mod surveys_reviews;
mod tags;
mod tickets;
mod tour;
mod transfer;
mod transfer_kill9;
mod trouble;
mod trouble_postgres;
mod views;
mod waves;
mod waves_edited;
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
    attachments_s3::TESTS,
    canned::TESTS,
    chat::TESTS,
    chat_browser::TESTS,
    chat_ends::TESTS,
    chat_files::TESTS,
    chat_socket::TESTS,
    fields::TESTS,
    tags::TESTS,
    views::TESTS,
    basics::TESTS,
    mails::TESTS,
    mails_refused::TESTS,
    mails_agents::TESTS,
    letters::TESTS,
    bulk::TESTS,
    merges::TESTS,
    migrations::TESTS,
    promises::TESTS,
    promises_chosen::TESTS,
    promises_edited::TESTS,
    promises_moved::TESTS,
    rights::ONCE,
    rights::PAGE,
    rights::TESTS,
    search::TESTS,
    support::browser::TESTS,
    support::desk::TESTS,
    surveys::TESTS,
    surveys_reviews::TESTS,
    surveys_by_mail::TESTS,
    surveys_letters::TESTS,
    surveys_answers::TESTS,
    surveys_answers::PAGE,
    surveys_followups::TESTS,
    waves::TESTS,
    waves_edited::TESTS,
    privacy::TESTS,
    privacy_mentions::TESTS,
    pages::TESTS,
    tickets::TESTS,
    tour::TESTS,
    transfer::TESTS,
    transfer_kill9::TESTS,
    trouble::TESTS,
    webhooks::TESTS,
    trouble::PLAIN,
    trouble_postgres::TESTS,
    accounts::TESTS,
    conventions::TESTS,
    accounts_tokens::TESTS,
    calendars::TESTS,
    policies::TESTS,
    calendars_known::TESTS,
    calendars_known::ONCE,
    digest::TESTS,
    figures::TESTS,
    funnel::TESTS,
    hours::TESTS,
    incoming::TESTS,
    incoming_limits::TESTS,
    incoming_routes::TESTS,
    inbound::TESTS,
    inbound_lmtp::TESTS,
    inbound_lmtp::LOCKED,
    inbound_imap::TESTS,
    inbound_imap::PLAIN,
    inbound_kill9::TESTS,
    reports::TESTS,
    reports_nps::TESTS,
    reports_csv::ONCE,
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
    presence_alarms::TESTS,
    shifts::TESTS,
    occupancy::TESTS,
    limits::PAGES,
    secrets::TESTS,
    strangers::TESTS,
    strangers::SERVED,
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
    let done = libtest_mimic::run(&arguments, trials);
    support::tell_the_slowest(25);
    done.exit_code()
}
