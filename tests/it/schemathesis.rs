//! Schemathesis asks the API what its own description allows and forbids, and compares the answers with it.
use crate::support::{Desk, Test, servers, sqlite};
use std::process::Command;

/// On SQLite alone: it is about the description, not about the data.
pub const TESTS: &[Test] = sqlite![the_api_keeps_its_description];

/// Cases for each operation and phase.
const EXAMPLES: &str = "8";

fn the_api_keeps_its_description(desk: &Desk) {
    let python = servers::python().unwrap_or_else(|error| panic!("{error}"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("schemathesis.toml"), include_str!("support/schemathesis.toml")).unwrap();
    std::fs::write(folder.path().join("schemathesis_hooks.py"), include_str!("support/schemathesis_hooks.py")).unwrap();
    let run = Command::new(python.with_file_name("st"))
        .current_dir(folder.path())
        .args(["run", &format!("{}/api/openapi.json", desk.base())])
        .args(["--header", &format!("Authorization: Bearer {}", desk.people.admin.secret)])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES])
        .args(["--workers", "1", "--seed", "1", "--generation-database", "none", "--no-color"])
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{shown}\n{}", String::from_utf8_lossy(&run.stderr));
}
