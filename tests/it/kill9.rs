//! SIGKILL under load: what was acknowledged is there exactly once, and nobody is asked twice about one close.
use crate::binary::{Binary, Server};
use crate::load::{Load, Numbers, check, drain, quick};
use crate::support::{Test, plain, servers};
use std::sync::atomic::Ordering;

/// Tests of this file.
pub const TESTS: &[Test] =
    plain![killed_under_load_sqlite_keeps_what_was_acknowledged, killed_under_load_postgresql_keeps_what_was_acknowledged,];

const WRITERS: usize = 8;
/// On each of the two databases.
const KILLS: usize = 10;

/// Kills the server at a random count of acknowledged writes and starts it again, some times.
fn kill_again_and_again(load: &Load, desk: &Binary, mut server: Server) -> Server {
    let mut numbers = Numbers(9);
    for _ in 0..KILLS {
        load.more(20 + numbers.below(120) as usize);
        server.kill();
        server = desk.serve();
        assert_eq!(server.first_secret, None, "it is still the same desk");
        *load.bases.write().unwrap() = vec![server.base.clone()];
    }
    load.more(50);
    server
}

fn killed_under_load(desk: Binary, domain: &str) {
    let desk = quick(desk, domain);
    let server = desk.serve();
    let secret = server.first_secret.clone().unwrap();
    let load = Load::on(std::slice::from_ref(&server), secret);
    let server = load.during(WRITERS, || kill_again_and_again(&load, &desk, server));
    assert!(load.repeated.load(Ordering::Relaxed) >= KILLS, "the kills hit requests that were running");
    drain(&server, &load.secret);
    check(&server, &load, domain, false);
    server.stop();
    // And once more from the disk alone.
    let server = desk.serve();
    check(&server, &load, domain, false);
    server.stop();
}

fn killed_under_load_sqlite_keeps_what_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    killed_under_load(Binary::in_folder(folder.path()), "kill9-sqlite.test");
}

/// A database of its own on the server; dropped at the end, whatever happens.
struct Scratch(&'static str);

impl Drop for Scratch {
    fn drop(&mut self) {
        servers::postgres().drop_database(self.0);
    }
}

fn killed_under_load_postgresql_keeps_what_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    servers::postgres().create("kill9", None);
    let scratch = Scratch("kill9");
    let desk = Binary::in_folder(folder.path()).with("database.url", servers::postgres().url(scratch.0));
    killed_under_load(desk, "kill9-postgresql.test");
}
