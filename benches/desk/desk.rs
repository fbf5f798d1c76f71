//! One database: its floors, the desk's operations on it, and what the desk needs for them.
use super::asked::{Create, Each, Get, List, Search};
use super::capture::{KEY, Watched};
use super::dialect::Dialect;
use super::floors::{self, Operations, Written};
use super::load::{self, Measured, Requests};
use super::postgres::Postgres;
use super::process::{self, Letters, Server};
use super::table::{Row, Target};
use super::{Failure, alarm, fetched, intake, live, note, seed};
use deskbell::db::{Conn, schema::tickets};
use deskbell::ids::TicketId;
use diesel::prelude::*;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;
use uuid::Uuid;

/// Tickets of the desk on which one request of each kind is watched.
const TICKETS_WATCHED: i64 = 20;
/// Single requests of a report, of which the median counts.
const REPORTS: usize = 20;
/// Starts, of which the median counts.
const STARTS: usize = 5;
/// Mails in a folder that is fetched from.
const FETCHED: u64 = 20_000;
/// The same where little is measured.
const FETCHED_QUICK: u64 = 5_000;
/// From so long a measurement on all of them.
const FETCHED_LONG: Duration = Duration::from_secs(10);
/// What a desk does at its start is over after so long.
const SETTLED: Duration = Duration::from_secs(3);

/// What `--only=` calls streams and chats.
const LIVE: &str = "live";

/// How long is measured.
#[derive(Clone, Copy)]
pub struct Spans {
    /// Before each measurement.
    pub warm_up: Duration,
    /// Of each operation.
    pub measure: Duration,
}

/// A database to measure on.
pub struct Bench<'a> {
    /// Which.
    pub dialect: Dialect,
    /// The server, for PostgreSQL.
    pub postgres: Option<&'a Postgres>,
    /// Where files go.
    pub folder: &'a Path,
    /// F1.
    pub bare: &'a Measured,
    /// How long.
    pub spans: Spans,
    /// Only operations whose name holds this are asked; empty for all.
    pub only: &'a str,
}

impl Bench<'_> {
    fn make(&self, name: &str, tickets: i64) -> Result<String, Failure> {
        let url = match self.postgres {
            Some(server) => server.create(name, None)?,
            None => self.folder.join(format!("{name}.sqlite")).to_string_lossy().into_owned(),
        };
        seed::fill(&url, self.dialect, tickets)?;
        Ok(url)
    }

    fn remove(&self, name: &str) -> Result<(), Failure> {
        match self.postgres {
            Some(server) => server.drop_database(name),
            None => {
                for end in ["", "-wal", "-shm"] {
                    let _ = std::fs::remove_file(self.folder.join(format!("{name}.sqlite{end}")));
                }
                Ok(())
            }
        }
    }

    /// All rows of the table for this database.
    pub fn run(&self, tickets: i64, rows: &mut Vec<Row>) -> Result<(), Failure> {
        // It needs none of the tickets.
        if self.only == LIVE {
            return self.live(rows);
        }
        note(&format!("{}: seeding {tickets} tickets", self.dialect.name()));
        let url = self.make("desk", tickets)?;
        let operations = self.watch()?;
        let floor = self.floor(&url, &operations)?;
        self.start(&url, tickets, rows)?;
        let silent = TcpListener::bind("127.0.0.1:0")?;
        let server = process::desk(&url, self.folder, Letters::Held(silent.local_addr()?))?;
        self.reports(&server, tickets, rows)?;
        self.reads(&server, &url, rows)?;
        self.alarm(&url, rows)?;
        self.writes(&server, &floor, rows)?;
        let peak = server.process.megabytes("VmHWM")?;
        rows.push(Row::figure("memory at its peak under this load", self.dialect.name(), (peak, "MB"), 300.0));
        drop(server);
        self.letters(&url, &floor, rows)?;
        self.remove("desk")?;
        self.intake(rows)?;
        self.live(rows)
    }

    /// Streams and chats.
    fn live(&self, rows: &mut Vec<Row>) -> Result<(), Failure> {
        if !LIVE.contains(self.only) {
            return Ok(());
        }
        note(&format!("{}: streams and chats", self.dialect.name()));
        let url = self.make(LIVE, TICKETS_WATCHED)?;
        live::measure(self, &url, rows)?;
        self.remove(LIVE)
    }

    /// Mails handed over by LMTP and fetched by IMAP, beside the floor of writing their bytes alone.
    fn intake(&self, rows: &mut Vec<Row>) -> Result<(), Failure> {
        if !"intake".contains(self.only) {
            return Ok(());
        }
        let floor = intake::floor(&self.make("mailfloor", TICKETS_WATCHED)?, self.dialect, self.spans)?;
        self.remove("mailfloor")?;
        let name = self.dialect.name();
        let row = |operation: &str, per_second: f64, target: Target| Row {
            operation: operation.to_owned(),
            database: name,
            per_second: Some(per_second),
            figure: None,
            latency: None,
            floor: Some(("raw bytes alone", floor)),
            target,
            p99_max: None,
        };
        let url = self.make("mail", TICKETS_WATCHED)?;
        intake::mailbox(&url, None)?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let listen = [("DESKBELL_INBOUND_LMTP_LISTEN", address.to_string())];
        let server = process::desk_with(&url, self.folder, Letters::Written, &listen)?;
        process::wait_until(|| std::net::TcpStream::connect(address).is_ok())?;
        let per_second = intake::by_lmtp(address, self.spans)?;
        note(&format!("{name}: intake: {per_second:.0} mails/s, floor {floor:.0}"));
        rows.push(row("mails taken by LMTP, 20 KB", per_second, Target::Share(50.0)));
        if let Some(per_second) = intake::filed(&url, self.spans)? {
            note(&format!("{name}: filed: {per_second:.0} mails/s"));
            rows.push(row("those mails filed as tickets", per_second, Target::None));
        }
        drop(server);
        self.remove("mail")?;
        let url = self.make("fetched", TICKETS_WATCHED)?;
        let mails = if self.spans.measure < FETCHED_LONG { FETCHED_QUICK } else { FETCHED };
        let per_second = fetched::by_imap(&url, self.folder, mails)?;
        rows.push(row("mails taken by IMAP, 20 KB", per_second, Target::Share(50.0)));
        self.remove("fetched")
    }

    /// Start and reports alone, on a desk with more of a past.
    pub fn run_large(&self, tickets: i64, rows: &mut Vec<Row>) -> Result<(), Failure> {
        note(&format!("{}: seeding {tickets} tickets", self.dialect.name()));
        let url = self.make("large", tickets)?;
        self.start(&url, tickets, rows)?;
        let server = process::desk(&url, self.folder, Letters::Written)?;
        self.reports(&server, tickets, rows)?;
        self.search(&server, usize::try_from(tickets)?, rows)?;
        drop(server);
        self.remove("large")
    }

    /// What one request of each kind writes.
    fn watch(&self) -> Result<Operations, Failure> {
        let url = self.make("watched", TICKETS_WATCHED)?;
        let silent = TcpListener::bind("127.0.0.1:0")?;
        let server = process::desk(&url, self.folder, Letters::Held(silent.local_addr()?))?;
        let ask = |requests: &dyn Requests| -> Result<(), Failure> {
            let mut request = Vec::new();
            requests.write(0, &mut request);
            let (_, answer) = load::once(server.address, &request)?;
            if !answer.starts_with("HTTP/1.1 2") {
                return Err(answer.into());
            }
            requests.answered(0, &answer);
            Ok(())
        };
        let mut watched = Watched::open(&url, self.dialect)?;
        let mut look = || watched.look(&["tokens"]);
        let create = Create::with_key(KEY);
        ask(&create)?;
        let made = create.made.borrow().clone();
        let operations = Operations {
            create: look()?,
            reply: {
                ask(&Each::reply(&made))?;
                look()?
            },
            close: {
                ask(&Each::close(&made))?;
                look()?
            },
        };
        for (name, writes) in [("create", &operations.create), ("reply", &operations.reply), ("close", &operations.close)] {
            let tables: Vec<&str> = writes.iter().map(|write| write.table()).collect();
            note(&format!("{}: a {name} writes {} rows: {}", self.dialect.name(), writes.len(), tables.join(" ")));
        }
        drop((server, watched));
        self.remove("watched")?;
        Ok(operations)
    }

    fn floor(&self, url: &str, operations: &Operations) -> Result<Written, Failure> {
        note(&format!("{}: measuring the floor", self.dialect.name()));
        let written = match self.postgres {
            Some(server) => {
                server.create("floor", Some("desk"))?;
                floors::postgres(server, "floor", operations, self.spans.measure)?
            }
            None => {
                let copy = self.folder.join("floor.sqlite");
                std::fs::copy(url, &copy)?;
                floors::sqlite(&copy.to_string_lossy(), operations, self.spans.measure)?
            }
        };
        self.remove("floor")?;
        Ok(written)
    }

    fn start(&self, url: &str, tickets: i64, rows: &mut Vec<Row>) -> Result<(), Failure> {
        let mut took = Vec::new();
        for _ in 0..STARTS {
            took.push(process::first_answer(url, self.folder)?);
        }
        let name = self.dialect.name();
        rows.push(Row::figure(format!("first 200 after start, {tickets} tickets"), name, (median(took), "ms"), 300.0));
        let idle = process::desk(url, self.folder, Letters::Written)?;
        load::once(idle.address, &seed::get("/readyz", 0))?;
        std::thread::sleep(SETTLED);
        rows.push(Row::figure(format!("idle memory, {tickets} tickets"), name, (idle.process.megabytes("VmRSS")?, "MB"), 40.0));
        Ok(())
    }

    fn reports(&self, server: &Server, tickets: i64, rows: &mut Vec<Row>) -> Result<(), Failure> {
        let most = if tickets > 100_000 { 400.0 } else { 60.0 };
        for (name, path) in [("SLA", "/api/v1/reports/sla?group_by=team"), ("NPS", "/api/v1/reports/nps?group_by=team")] {
            let mut took = Vec::new();
            for token in 0..REPORTS {
                let (ms, answer) = load::once(server.address, &seed::get(path, token))?;
                if !answer.starts_with("HTTP/1.1 200") {
                    return Err(answer.into());
                }
                took.push(ms);
            }
            let operation = format!("{name} report of 90 days, {tickets} tickets");
            rows.push(Row::figure(operation, self.dialect.name(), (median(took), "ms"), most));
        }
        Ok(())
    }

    fn reads(&self, server: &Server, url: &str, rows: &mut Vec<Row>) -> Result<(), Failure> {
        let is_sqlite = self.dialect == Dialect::Sqlite;
        let ids: Vec<TicketId> = tickets::table.select(tickets::id).load(&mut Conn::open(url)?)?;
        let ids: Vec<Uuid> = ids.into_iter().map(|id| id.0).collect();
        let floor = ("F1", self.bare.per_second);
        let (get, list) = if is_sqlite { (12.0, 6.0) } else { (5.0, 2.0) };
        let p99 = |most: f64| is_sqlite.then_some(most);
        let measured = self.measure(server, "get", &Get(&ids))?;
        rows.push(self.row("get a ticket with messages and clocks", &measured, floor, Target::Share(get), p99(20.0)));
        for (name, is_narrow) in [("list 50 by due, open", false), ("list 50 by due, open, channel and team", true)] {
            let measured = self.measure(server, name, &List { is_narrow })?;
            rows.push(self.row(name, &measured, floor, Target::Share(list), p99(30.0)));
        }
        self.search(server, ids.len(), rows)
    }

    fn search(&self, server: &Server, tickets: usize, rows: &mut Vec<Row>) -> Result<(), Failure> {
        let measured = self.measure(server, "search", &Search { tickets })?;
        let most = if self.dialect == Dialect::Sqlite { 40.0 } else { 60.0 };
        let operation = format!("text search, 20 by relevance, {tickets} tickets");
        let p99_max = (tickets <= 100_000).then_some(most);
        rows.push(self.row(&operation, &measured, ("F1", self.bare.per_second), Target::None, p99_max));
        Ok(())
    }

    fn alarm(&self, url: &str, rows: &mut Vec<Row>) -> Result<(), Failure> {
        note(&format!("{}: {} clocks fall due", self.dialect.name(), alarm::CLOCKS));
        let (latest, median) = alarm::latest_ms(url, self.dialect)?;
        let mut row = Row::figure("1,000 clocks due in one second: latest event", self.dialect.name(), (latest, "ms"), 1_000.0);
        row.latency = Some((median, latest));
        rows.push(row);
        Ok(())
    }

    fn writes(&self, server: &Server, floor: &Written, rows: &mut Vec<Row>) -> Result<(), Failure> {
        let name = self.floor_name();
        let p99_max = (self.dialect == Dialect::Sqlite).then_some(50.0);
        let create = Create::new("first");
        let measured = self.measure(server, "create", &create)?;
        rows.push(self.row("create a ticket with its message", &measured, (name, floor.create), Target::Share(50.0), p99_max));
        let made = create.made.into_inner();
        let measured = self.measure(server, "reply", &Each::reply(&made))?;
        rows.push(self.row("reply", &measured, (name, floor.reply), Target::Share(50.0), None));
        let measured = self.measure(server, "close", &Each::close(&made))?;
        rows.push(self.row("close with its survey invitation", &measured, (name, floor.close), Target::Share(50.0), None));
        Ok(())
    }

    /// Replies once more, while the worker writes their letters into files as shipped.
    fn letters(&self, url: &str, floor: &Written, rows: &mut Vec<Row>) -> Result<(), Failure> {
        let server = process::desk(url, self.folder, Letters::Written)?;
        let create = Create::new("second");
        let _ = self.measure(&server, "create", &create)?;
        let measured = self.measure(&server, "reply with letters", &Each::reply(&create.made.into_inner()))?;
        rows.push(self.row("reply while letters go out", &measured, (self.floor_name(), floor.reply), Target::None, None));
        Ok(())
    }

    fn floor_name(&self) -> &'static str {
        if self.dialect == Dialect::Sqlite { "F2" } else { "F3" }
    }

    fn measure(&self, server: &Server, name: &str, requests: &impl Requests) -> Result<Measured, Failure> {
        if !name.contains(self.only) {
            return Ok(Measured::default());
        }
        let before = server.process.cpu_seconds()?;
        let measured = load::run(server.address, requests, self.spans.warm_up, self.spans.measure)?;
        // Unlike the rate, what one request costs the server depends little on who else uses the machine.
        let micros = (server.process.cpu_seconds()? - before) * 1e6 / measured.asked as f64;
        let Measured { per_second, p99_ms, .. } = measured;
        note(&format!(
            "{}: {name}: {per_second:.0} req/s, p99 {p99_ms:.1} ms, {micros:.0} µs of processor each",
            self.dialect.name()
        ));
        Ok(measured)
    }

    fn row(&self, operation: &str, measured: &Measured, floor: (&'static str, f64), target: Target, p99_max: Option<f64>) -> Row {
        Row {
            operation: operation.to_owned(),
            database: self.dialect.name(),
            per_second: Some(measured.per_second),
            figure: None,
            latency: Some((measured.p50_ms, measured.p99_ms)),
            floor: Some(floor),
            target,
            p99_max,
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
