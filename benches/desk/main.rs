//! `cargo bench`: the desk's operations on both databases against floors measured in the same run, as one table.
//!
//! `cargo bench --bench desk -- --quick` measures for a shorter time and leaves the million tickets out; `--json` adds a line for
//! machines; `--sqlite` and `--postgres` measure on that database alone; `--only=get --seconds=30` asks one operation for
//! longer, to look at the desk meanwhile; `--only=live` measures streams and chats alone. The server is the real binary in a process of its own, on
//! loopback, with its shipped settings but for the rate limit.
mod alarm;
mod asked;
mod capture;
mod desk;
mod dialect;
mod fetched;
mod floors;
mod intake;
mod live;
mod live_line;
mod load;
mod machine;
mod postgres;
mod process;
mod seed;
mod table;

use desk::{Bench, Spans};
use dialect::Dialect;
use std::process::ExitCode;
use std::time::Duration;
use table::Row;

/// Why a run ended early.
pub type Failure = Box<dyn std::error::Error>;

const TICKETS: i64 = 100_000;
const TICKETS_LARGE: i64 = 1_000_000;
const SPANS: Spans = Spans { warm_up: Duration::from_secs(2), measure: Duration::from_secs(10) };
const SPANS_QUICK: Spans = Spans { warm_up: Duration::from_secs(1), measure: Duration::from_secs(3) };

/// Tells who watches how far it is.
pub fn note(text: &str) {
    eprintln!("  {text}");
}

fn main() -> ExitCode {
    let has = |name: &str| std::env::args().any(|argument| argument == name);
    let done = if has("--bare") { process::be_bare() } else { process::with_files(live::FILES).and_then(|()| run(&has)) };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What an argument says after its name.
fn value(name: &str) -> Option<String> {
    std::env::args().find_map(|argument| argument.strip_prefix(name).map(str::to_owned))
}

fn run(has: &dyn Fn(&str) -> bool) -> Result<(), Failure> {
    let mut spans = if has("--quick") { SPANS_QUICK } else { SPANS };
    if let Some(seconds) = value("--seconds=") {
        spans.measure = Duration::from_secs(seconds.parse()?);
    }
    let only = value("--only=").unwrap_or_default();
    let folder = tempfile::Builder::new().prefix("deskbell-bench-").tempdir()?;
    let machine = machine::described(folder.path())?;
    let postgres = if has("--sqlite") { None } else { Some(postgres::Postgres::start()?) };
    note("measuring a bare handler");
    let bare = floors::bare(spans.warm_up, spans.measure)?;
    let mut rows = vec![Row {
        operation: "bare actix handler (F1)".to_owned(),
        database: "",
        per_second: Some(bare.per_second),
        figure: None,
        latency: Some((bare.p50_ms, bare.p99_ms)),
        floor: None,
        target: table::Target::None,
        p99_max: None,
    }];
    let sqlite = (!has("--postgres")).then_some((Dialect::Sqlite, None));
    let databases: Vec<_> = sqlite.into_iter().chain(postgres.as_ref().map(|server| (Dialect::Postgres, Some(server)))).collect();
    for tickets in [TICKETS, TICKETS_LARGE] {
        for (dialect, server) in &databases {
            let bench = Bench { dialect: *dialect, postgres: *server, folder: folder.path(), bare: &bare, spans, only: &only };
            match tickets {
                TICKETS => bench.run(tickets, &mut rows)?,
                _ if has("--quick") => {}
                _ => bench.run_large(tickets, &mut rows)?,
            }
        }
    }
    println!("{}\n", table::show(&rows));
    println!("{} connections; {machine}, {} after.", load::CONNECTIONS, machine::load_average());
    if has("--json") {
        println!("{}", serde_json::Value::from_iter(rows.iter().map(Row::json)));
    }
    Ok(())
}
