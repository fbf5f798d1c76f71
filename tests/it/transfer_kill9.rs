//! Imports that are killed in the middle go on.
use crate::binary::{Binary, until};
use crate::support::{Test, plain, servers};
use crate::transfer::{IMPORTS, counts, lines};
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = plain![a_killed_import_goes_on_sqlite, a_killed_import_goes_on_postgresql];

/// A job whose process was killed is taken again after so long: the shortest lease there is.
const LEASE_SECONDS: u32 = 10;

const ROWS: usize = 3_000;

fn killed(desk: &Binary) {
    let desk = desk
        .clone()
        .with("jobs.lease_seconds", LEASE_SECONDS)
        .with("mail.smtp_timeout_seconds", LEASE_SECONDS / 2)
        .with("server.rate_per_minute", 0);
    let mut server = desk.serve();
    let secret = server.first_secret.clone().unwrap();
    let rows: Vec<Value> = (0..ROWS)
        .map(|n| json!({ "external_id": format!("O-{n}"), "name": format!("N {n}"), "account": format!("R-{n}") }))
        .collect();
    let asked = json!({ "kind": "organizations", "format": "jsonl", "body": lines(&rows) });
    let path = format!("{IMPORTS}/{}", server.client(&secret).post(IMPORTS, asked).id());
    let mut killed_inside = 0;
    for part in [1, 2] {
        let mut done = 0;
        until("the import comes on", || {
            done = server.client(&secret).get(&path).ok()["done"].as_u64().unwrap() as usize;
            done >= ROWS * part / 4
        });
        killed_inside += usize::from(done < ROWS);
        server.kill();
        server = desk.serve();
    }
    assert!(killed_inside > 0, "it was killed in the middle");
    let mut import = Value::Null;
    until("the import ends", || {
        import = server.client(&secret).get(&path).ok();
        import["state"] == "done"
    });
    assert_eq!(counts(&import), [ROWS as i64, ROWS as i64, 0, 0, 0]);
    let file = server.client(&secret).get("/api/v1/exports/organizations.jsonl").text;
    let mut names: Vec<&str> = file.lines().collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!((names.len(), file.lines().count()), (ROWS, ROWS), "each once");
    server.stop();
}

fn a_killed_import_goes_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    killed(&Binary::in_folder(folder.path()));
}

fn a_killed_import_goes_on_postgresql() {
    struct Scratch;
    impl Drop for Scratch {
        fn drop(&mut self) {
            servers::postgres().drop_database("killed_import");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    servers::postgres().create("killed_import", None);
    let _scratch = Scratch;
    killed(&Binary::in_folder(folder.path()).with("database.url", servers::postgres().url("killed_import")));
}
