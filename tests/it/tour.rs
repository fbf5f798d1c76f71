//! The README's quick tour, run as it stands there against the real binary.
use crate::support::process;
use crate::support::{Test, plain};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};

/// Tests of this file.
pub const TESTS: &[Test] = plain![the_tour_of_the_readme_ends_with_an_nps_figure];

fn script() -> String {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let after = readme.split("<!-- tour: a test runs this -->").nth(1).expect("the README marks its tour");
    after.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the tour is a shell block").to_owned()
}

fn the_tour_of_the_readme_ends_with_an_nps_figure() {
    let folder = tempfile::tempdir().unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut server = process::command(env!("CARGO_BIN_EXE_deskbell"), "KILL", None);
    server
        .arg("serve")
        .current_dir(folder.path())
        .env("DESKBELL_SURVEY_DELAY_SECONDS", "0")
        .env("DESKBELL_SERVER_LISTEN", address.to_string())
        .env("DESKBELL_SERVER_PUBLIC_URL", format!("http://{address}"))
        .env_remove("DESKBELL_TEST_PYTHON")
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut server = process::start(server).unwrap();
    let mut said = BufReader::new(server.stdout.take().unwrap()).lines().map_while(Result::ok);
    let token = said.find_map(|line| line.strip_prefix("Admin token, shown this once: ").map(str::to_owned)).unwrap();
    said.find(|line| line.contains("listens on")).expect("the server says where it listens");
    let script = script();
    assert!(script.contains("http://127.0.0.1:8080/api/v1"));
    let tour = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script.replace("127.0.0.1:8080", &address.to_string())])
        .current_dir(folder.path())
        .env("TOKEN", token)
        .output()
        .unwrap();
    process::stop(&mut server, "TERM");
    let shown = String::from_utf8_lossy(&tour.stdout);
    assert!(tour.status.success(), "{shown}\n{}", String::from_utf8_lossy(&tour.stderr));
    for expected in [
        "\"verdict\": \"running\"",
        "\"verdict\": \"met\"",
        "\"status\": \"closed\"",
        "{\"met\":1,\"breached\":0,\"left_out\":0}",
        "{\"promoters\":1,\"passives\":0,\"detractors\":0,\"nps\":100",
    ] {
        assert!(shown.contains(expected), "no {expected} in {shown}");
    }
}
