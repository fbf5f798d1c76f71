//! Two and three nodes on one PostgreSQL: they share jobs, alarms and idempotency, and survive each other and the database.
use crate::binary::{Binary, Server, until};
use crate::load::{Load, TICKETS, check, drain, quick, text};
use crate::support::cluster::Cluster;
use crate::support::{Test, plain, servers};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use tempfile::TempDir;

/// Tests of this file.
pub const TESTS: &[Test] = plain![
    three_nodes_share_jobs_and_alarms_without_doubles,
    one_key_at_three_nodes_at_once_is_one_ticket,
    a_node_that_is_killed_loses_nothing,
    a_database_that_restarts_under_load_loses_nothing,
    a_primary_that_is_killed_under_load_loses_nothing_that_was_acknowledged,
];

const WRITERS: usize = 8;

/// A database of its own on the server; dropped at the end, whatever happens.
struct Scratch(&'static str);

impl Scratch {
    fn make(name: &'static str) -> Self {
        servers::postgres().create(name, None);
        Self(name)
    }

    fn url(&self) -> String {
        servers::postgres().url(self.0)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        servers::postgres().drop_database(self.0);
    }
}

/// Nodes on one database, started one after the other, and the secret of the admin that the first one made.
fn nodes(folder: &TempDir, url: &str, domain: &str, count: usize) -> (Vec<Binary>, Vec<Server>, String) {
    let made: Vec<Binary> = (0..count)
        .map(|number| {
            let own = folder.path().join(format!("node{number}"));
            std::fs::create_dir(&own).unwrap();
            quick(Binary::in_folder(&own), domain).with("database.url", url)
        })
        .collect();
    let servers: Vec<Server> = made.iter().map(Binary::serve).collect();
    let secret = servers[0].first_secret.clone().expect("the first node makes the admin");
    assert!(servers[1..].iter().all(|server| server.first_secret.is_none()), "and it alone");
    (made, servers, secret)
}

fn stop(servers: Vec<Server>) {
    servers.into_iter().for_each(Server::stop);
}

/// A promise of two seconds for chats, so that many fall due at once.
fn promise_a_second(server: &Server, secret: &str) {
    let target = json!({ "metric": "first_response", "seconds": 2, "mode": "always", "warn_percent": 50 });
    let definition = json!({ "match": { "channels": ["chat"] }, "targets": [target] });
    let policy = json!({ "name": "At once", "position": 1, "is_active": true, "definition": definition });
    server.client(secret).post("/api/v1/policies", policy).ok();
}

fn three_nodes_share_jobs_and_alarms_without_doubles() {
    let (folder, scratch, domain) = (tempfile::tempdir().unwrap(), Scratch::make("nodes_share"), "nodes-share.test");
    let (_, servers, secret) = nodes(&folder, &scratch.url(), domain, 3);
    promise_a_second(&servers[0], &secret);
    let chats: Vec<String> = (0..60)
        .map(|number| {
            let from = json!({ "phone": format!("+49301000{number:03}") });
            servers[number % 3].client(&secret).post(TICKETS, json!({ "channel": "chat", "subject": "Chat", "from": from })).id()
        })
        .collect();
    let load = Load::on(&servers, secret.clone());
    load.during(WRITERS, || load.more(500));
    drain(&servers[0], &secret);
    for id in &chats {
        let path = format!("{TICKETS}/{id}");
        let is_broken = || servers[1].client(&secret).get(&path).ok()["clocks"].to_string().contains("\"breached\"");
        until("the promise is broken", is_broken);
        let clocks = servers[1].client(&secret).get(&path).ok()["clocks"].clone();
        let clock = clocks.as_array().unwrap().iter().find(|clock| clock["metric"] == "first_response").unwrap().clone();
        assert_eq!(clock["breached_at"], clock["due_at"], "at its exact instant: {clock}");
        let history = servers[2].client(&secret).get(&format!("{path}/history")).ok();
        let kinds: Vec<&str> = history["items"].as_array().unwrap().iter().map(|event| text(&event["kind"])).collect();
        let count = |part: &str| kinds.iter().filter(|kind| kind.contains(part)).count();
        assert_eq!((count("warn"), count("breach")), (1, 1), "written once, by whichever node: {kinds:?}");
    }
    check(&servers[0], &load, domain, true);
    stop(servers);
}

fn one_key_at_three_nodes_at_once_is_one_ticket() {
    let (folder, scratch) = (tempfile::tempdir().unwrap(), Scratch::make("nodes_keys"));
    let (_, servers, secret) = nodes(&folder, &scratch.url(), "nodes-keys.test", 3);
    for round in 0..15 {
        let (key, from) = (format!("round-{round}"), json!({ "email": format!("r{round}@nordwind.example") }));
        let ticket = json!({ "channel": "email", "subject": key, "from": from });
        let answers: Vec<(u16, Value)> = std::thread::scope(|scope| {
            let asked: Vec<_> = servers
                .iter()
                .cycle()
                .take(6)
                .map(|server| {
                    let client = server.client(&secret).with("Idempotency-Key", &key);
                    let ticket = &ticket;
                    scope.spawn(move || {
                        let answer = client.post(TICKETS, ticket);
                        (answer.status, answer.json)
                    })
                })
                .collect();
            asked.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(answers.iter().all(|(status, _)| *status == 201), "{answers:?}");
        assert!(answers.iter().all(|(_, json)| *json == answers[0].1), "one answer, whoever gives it: {answers:?}");
    }
    let tickets = servers[0].client(&secret).get(&format!("{TICKETS}?limit=100")).ok();
    let ids: BTreeSet<&str> = tickets["items"].as_array().unwrap().iter().map(|ticket| text(&ticket["subject"])).collect();
    assert_eq!((ids.len(), tickets["items"].as_array().unwrap().len()), (15, 15));
    stop(servers);
}

fn a_node_that_is_killed_loses_nothing() {
    let (folder, scratch, domain) = (tempfile::tempdir().unwrap(), Scratch::make("nodes_killed"), "nodes-killed.test");
    let (made, mut servers, secret) = nodes(&folder, &scratch.url(), domain, 3);
    let load = Load::on(&servers, secret.clone());
    let servers = load.during(WRITERS, || {
        load.more(150);
        // Its clients go to the others; its jobs do too, when their leases run out.
        servers.remove(1).kill();
        load.more(150);
        servers.remove(0).kill();
        *load.bases.write().unwrap() = servers.iter().map(|server| server.base.clone()).collect();
        load.more(150);
        servers.push(made[0].serve());
        *load.bases.write().unwrap() = servers.iter().map(|server| server.base.clone()).collect();
        load.more(50);
        servers
    });
    assert!(load.repeated.load(Ordering::Relaxed) > 0, "the kills hit requests that were running");
    drain(&servers[0], &secret);
    check(&servers[1], &load, domain, false);
    stop(servers);
}

fn a_database_that_restarts_under_load_loses_nothing() {
    let (folder, domain) = (tempfile::tempdir().unwrap(), "nodes-restart.test");
    let mut cluster = Cluster::start();
    cluster.run("CREATE DATABASE desk");
    let (_, servers, secret) = nodes(&folder, &cluster.url("desk"), domain, 2);
    let load = Load::on(&servers, secret.clone());
    load.during(WRITERS, || {
        for is_killed in [false, true, false] {
            load.more(150);
            let before = load.unavailable.load(Ordering::Relaxed);
            if is_killed {
                cluster.kill()
            } else {
                cluster.stop()
            }
            until("requests are told to come back", || load.unavailable.load(Ordering::Relaxed) >= before + 4);
            for server in &servers {
                assert_eq!(server.client(&secret).get("/healthz").status, 200, "the process is well");
            }
            cluster.resume();
        }
        load.more(150);
    });
    for server in &servers {
        until("it is ready again", || server.probe("/readyz") == 200);
    }
    drain(&servers[0], &secret);
    check(&servers[1], &load, domain, false);
    stop(servers);
}

fn a_primary_that_is_killed_under_load_loses_nothing_that_was_acknowledged() {
    let (folder, domain) = (tempfile::tempdir().unwrap(), "nodes-standby.test");
    let mut primary = Cluster::start();
    primary.run("CREATE DATABASE desk");
    let standby = primary.standby();
    primary.run("ALTER SYSTEM SET synchronous_standby_names = '*'");
    primary.run("SELECT pg_reload_conf()");
    primary.wait_until("EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync')");
    let both = format!("postgres://postgres@{},{}/desk?target_session_attrs=read-write", primary.address(), standby.address());
    let (_, servers, secret) = nodes(&folder, &both, domain, 2);
    let load = Load::on(&servers, secret.clone());
    load.during(WRITERS, || {
        load.more(400);
        primary.kill();
        let before = load.unavailable.load(Ordering::Relaxed);
        until("requests are told to come back", || load.unavailable.load(Ordering::Relaxed) >= before + 4);
        standby.promote();
        load.more(200);
    });
    drain(&servers[0], &secret);
    check(&servers[1], &load, domain, false);
    stop(servers);
}
