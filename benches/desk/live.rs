//! Agents who listen and visitors who ask: how soon a call or a chat is seen by all, and what a connection costs that says nothing.
use super::Failure;
use super::desk::Bench;
use super::live_line::{Line, Seen};
use super::load::{self, Measured};
use super::process::{self, Letters, Server};
use super::table::{Row, Target};
use super::{note, seed};
use deskbell::clock::Clock;
use deskbell::db::Conn;
use deskbell::ids;
use std::cell::RefCell;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::task::LocalSet;
use tokio::time::{sleep, sleep_until};

/// Agents who listen while it is measured how soon they see something.
const AGENTS: usize = 1_000;
const TEAMS: usize = 50;
/// One of so many is looked at; all are written to.
const LOOKED_AT: usize = 10;
/// Reports of phone systems a second, and the connections that they come over.
const EVENTS_PER_SECOND: usize = 200;
const REPORTERS: usize = 40;
/// A call rings, is answered so many reports later, and ends as many later again.
const APART: usize = 60;
/// Chats asked for a second, and the visitors who take turns.
const CHATS_PER_SECOND: usize = 5;
const VISITORS: usize = 20;
/// Connections that say nothing.
const IDLE: usize = 10_000;
/// Connections that are made at once.
const AT_ONCE: usize = 100;
/// Idle connections are held for so long: each is written to once meanwhile.
const HELD: Duration = Duration::from_secs(20);
/// What was asked is seen by then, or never.
const PATIENCE: Duration = Duration::from_secs(10);
/// The site of the visitors, and the phone system's token.
const SITE: &str = "https://bench.example";
const PHONES: &str = "bench-phone-system-token-of-32-chars-or-more";
/// Files that are open at once, with room.
pub const FILES: usize = 12_000;

/// The phases of a call.
const PHASES: [&str; 3] = ["ringing", "answered", "ended"];

fn secret(agent: usize) -> String {
    format!("bench-listener-{:028}", agent % AGENTS)
}

/// Agents with tokens and teams, a phone system, and a desk that never closes.
fn prepare(url: &str, bench: &Bench<'_>) -> Result<(), Failure> {
    let (mut conn, d, now) = (Conn::open(url)?, bench.dialect, Clock::System.now().timestamp_micros());
    let id = |kind: u16, number: &str| d.id(kind, "1704067200000", number);
    let (agent, team) = (id(200, "i"), id(201, &format!("i % {TEAMS}")));
    let numbers = |to: usize| d.numbers(0, to as i64 - 1);
    let day = r#"[{"open":"00:00","close":"24:00"}]"#;
    let week = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(|name| format!("\"{name}\":{day}")).join(",");
    let mut statements = vec![
        format!("UPDATE calendar_versions SET definition = {}", d.json(&format!(r#"{{"time_zone":"UTC","weekly":{{{week}}}}}"#))),
        format!(
            "INSERT INTO agents (id, name, email, role, version, created_at, updated_at)
             SELECT {agent}, 'Listener ' || i, 'listener' || i || '@desk.example', 'agent', 1, {now}, {now} FROM {}",
            numbers(AGENTS)
        ),
        format!(
            "INSERT INTO teams (id, name, version, created_at, updated_at) SELECT {}, 'Live ' || i, 1, {now}, {now} FROM {}",
            id(201, "i"),
            numbers(TEAMS)
        ),
        format!("INSERT INTO team_members (team_id, agent_id) SELECT {team}, {agent} FROM {}", numbers(AGENTS)),
        format!(
            "INSERT INTO tokens (id, name, scopes, secret_hash, created_at) VALUES ({}, 'Phones', 'channel', {}, {now})",
            id(203, "0"),
            d.bytes(&ids::digest(PHONES))
        ),
    ];
    statements.extend((0..AGENTS).map(|number| {
        format!(
            "INSERT INTO tokens (id, agent_id, name, scopes, secret_hash, created_at) VALUES ({}, {}, 'Page', 'agent', {}, {now})",
            id(202, &number.to_string()),
            id(200, &number.to_string()),
            d.bytes(&ids::digest(&secret(number)))
        )
    }));
    seed::run(&mut conn, "BEGIN")?;
    statements.iter().try_for_each(|statement| seed::run(&mut conn, statement))?;
    seed::run(&mut conn, "COMMIT")
}

/// All rows about what is live.
pub fn measure(bench: &Bench<'_>, url: &str, rows: &mut Vec<Row>) -> Result<(), Failure> {
    prepare(url, bench)?;
    let sites = format!(r#"[{{ origin = "{SITE}", team = "Live 0" }}]"#);
    let many = (2 * IDLE).to_string();
    let settings = [
        ("DESKBELL_CHAT_SITES", sites),
        ("DESKBELL_CHAT_CONNECTIONS_PER_ADDRESS", many),
        ("DESKBELL_CHAT_ASKS_PER_MINUTE_PER_ADDRESS", "0".to_owned()),
        ("DESKBELL_CHAT_ASKS_PER_MINUTE_PER_SITE", "0".to_owned()),
    ];
    let name = bench.dialect.name();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for (what, is_visitor) in [("stream", false), ("visitor's socket", true)] {
        let server = process::desk_with(url, bench.folder, Letters::Written, &settings)?;
        let (kilobytes, percent) = LocalSet::new().block_on(&runtime, idle(&server, is_visitor))?;
        note(&format!("{name}: {IDLE} idle connections ({what}): {kilobytes:.1} KB each, {percent:.1} % of a core"));
        rows.push(Row::figure(format!("memory of an idle {what}, {IDLE} held"), name, (kilobytes, "KB"), 16.0));
        rows.push(Row::figure(format!("processor for {IDLE} of them"), name, (percent, "% of a core"), f64::INFINITY));
    }
    let server = process::desk_with(url, bench.folder, Letters::Written, &settings)?;
    let before = server.process.cpu_seconds()?;
    let (calls, chats) = LocalSet::new().block_on(&runtime, busy(&server, bench))?;
    let used = server.process.cpu_seconds()? - before;
    for (what, measured) in [("call event", calls), ("chat request", chats)] {
        let Measured { per_second, p50_ms, p99_ms, .. } = measured;
        note(&format!(
            "{name}: {what} to a stream: {per_second:.1}/s, p50 {p50_ms:.1} ms, p99 {p99_ms:.1} ms, {used:.1} s of processor"
        ));
        rows.push(Row {
            operation: format!("{what} to the byte on an agent's stream, {AGENTS} listen"),
            database: name,
            per_second: Some(per_second),
            figure: None,
            latency: Some((p50_ms, p99_ms)),
            floor: None,
            target: Target::None,
            p99_max: Some(50.0),
        });
    }
    Ok(())
}

/// Connects many, some at a time.
async fn connect(to: SocketAddr, count: usize, is_visitor: bool, topics: &str) -> Result<Vec<Line>, Failure> {
    let mut lines = Vec::with_capacity(count);
    for from in (0..count).step_by(AT_ONCE) {
        let some = (from..count.min(from + AT_ONCE)).map(|number| async move {
            if is_visitor { Line::visitor(to, SITE).await } else { Line::agent(to, &secret(number), topics).await }
        });
        for line in futures_util::future::join_all(some).await {
            lines.push(line?);
        }
    }
    Ok(lines)
}

/// Kilobytes of the server for each connection that says nothing, and the share of a core that all need.
async fn idle(server: &Server, is_visitor: bool) -> Result<(f64, f64), Failure> {
    // What the first ones bring with them is not theirs.
    let warm = connect(server.address, AT_ONCE, is_visitor, "").await?;
    sleep(Duration::from_secs(2)).await;
    let before = server.process.megabytes("VmRSS")?;
    let lines = connect(server.address, IDLE, is_visitor, "").await?;
    sleep(Duration::from_secs(2)).await;
    let kilobytes = (server.process.megabytes("VmRSS")? - before) * 1_024.0 / IDLE as f64;
    let (used, until) = (server.process.cpu_seconds()?, Instant::now() + HELD);
    let held = futures_util::future::join_all(lines.into_iter().map(|line| line.hold(until))).await;
    let percent = (server.process.cpu_seconds()? - used) / HELD.as_secs_f64() * 100.0;
    drop(warm);
    match held.iter().filter(|is_held| !**is_held).count() {
        0 => Ok((kilobytes, percent)),
        lost => Err(format!("{lost} of {IDLE} idle connections were cut").into()),
    }
}

/// When something was to be asked, by what it is called on the stream.
type Asked = Rc<RefCell<HashMap<String, Instant>>>;

/// Latencies from the instant that something was due to be asked to its bytes on each stream that is looked at.
async fn busy(server: &Server, bench: &Bench<'_>) -> Result<(Measured, Measured), Failure> {
    let to = server.address;
    let lines = connect(to, AGENTS, false, "?topic=calls,chats").await?;
    for from in (0..AGENTS).step_by(AT_ONCE) {
        let said = (from..from + AT_ONCE).map(|number| async move {
            let request = json_request("PUT", "/api/v1/presence", &secret(number), r#"{"state":"available"}"#);
            load::answer(&mut load::connect(to).await?, &request).await
        });
        futures_util::future::try_join_all(said).await?;
    }
    let seen = Rc::new(RefCell::new(Seen::default()));
    let mut listening = Vec::new();
    for (number, line) in lines.into_iter().enumerate() {
        let seen = (number % LOOKED_AT == 0).then(|| seen.clone());
        listening.push(tokio::task::spawn_local(line.listen(seen)));
    }
    let (from, to_end) = (Instant::now() + bench.spans.warm_up, Instant::now() + bench.spans.warm_up + bench.spans.measure);
    let (calls, chats): (Asked, Asked) = Default::default();
    let began = Instant::now();
    let reporting = (0..REPORTERS).map(|reporter| report(to, (began, to_end), reporter, calls.clone()));
    let asking = (0..VISITORS).map(|visitor| chat(to, (began, to_end), visitor, chats.clone()));
    let (reported, asked) = tokio::join!(futures_util::future::join_all(reporting), futures_util::future::join_all(asking));
    reported.into_iter().chain(asked).collect::<Result<Vec<()>, Failure>>()?;
    sleep(Duration::from_secs(1)).await;
    listening.iter().for_each(tokio::task::JoinHandle::abort);
    let seen = seen.borrow();
    let of = |asked: &Asked| -> Result<Measured, Failure> {
        let (mut micros, mut counted) = (Vec::new(), 0);
        for (name, due) in asked.borrow().iter().filter(|(_, due)| **due >= from) {
            let at = seen.of(name);
            if at.len() != AGENTS / LOOKED_AT {
                return Err(format!("{name} was seen on {} streams of {}", at.len(), AGENTS / LOOKED_AT).into());
            }
            counted += 1;
            micros.extend(at.iter().map(|at| u32::try_from(at.duration_since(*due).as_micros()).unwrap_or(u32::MAX)));
        }
        let mut measured = Measured::of(micros, bench.spans.measure, counted);
        measured.per_second = counted as f64 / bench.spans.measure.as_secs_f64();
        Ok(measured)
    };
    Ok((of(&calls)?, of(&chats)?))
}

fn json_request(method: &str, path: &str, token: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: desk\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// One connection of a phone system: reports at its instants, whatever became of the one before.
async fn report(to: SocketAddr, (from, until): (Instant, Instant), reporter: usize, asked: Asked) -> Result<(), Failure> {
    let mut line = load::connect(to).await?;
    for index in (reporter..).step_by(REPORTERS) {
        let due = from + Duration::from_secs(1) * u32::try_from(index)? / u32::try_from(EVENTS_PER_SECOND)?;
        if due >= until {
            return Ok(());
        }
        sleep_until(due.into()).await;
        let phase = PHASES[index % PHASES.len()];
        let call = (index / PHASES.len() + PHASES.len() * APART).saturating_sub(index % PHASES.len() * APART);
        let at = Clock::System.now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        let agent = if phase == "answered" { r#","agent":"listener0@desk.example""# } else { "" };
        let body = format!(
            r#"{{"call_id":"bench-{call}","event":"{phase}","occurred_at":"{at}","from":"+4930231{:05}"{agent}}}"#,
            call % 90_000
        );
        let answer = load::answer(&mut line, &json_request("POST", "/api/v1/calls/events", PHONES, &body)).await?;
        let id = text_after(&answer, "\"id\":\"").ok_or_else(|| format!("no id in {answer}"))?;
        asked.borrow_mut().insert(format!("{id} {phase}"), due);
    }
    Ok(())
}

/// One visitor: asks at their instants, and goes away a second later.
async fn chat(to: SocketAddr, (from, until): (Instant, Instant), visitor: usize, asked: Asked) -> Result<(), Failure> {
    let mut line = Line::visitor(to, SITE).await?;
    for index in (visitor..).step_by(VISITORS) {
        let due = from + Duration::from_secs(1) * u32::try_from(index)? / u32::try_from(CHATS_PER_SECOND)?;
        if due >= until {
            return Ok(());
        }
        sleep_until(due.into()).await;
        line.say(r#"{"type":"ask"}"#).await?;
        let told = tokio::time::timeout(PATIENCE, line.until("\"state\":\"waiting\"")).await??;
        let id = text_after(&told, "\"type\":\"chat\",\"id\":\"").ok_or_else(|| format!("no chat in {told}"))?;
        asked.borrow_mut().insert(format!("{id} chat_offered"), due);
        sleep(Duration::from_secs(1)).await;
        line.say(r#"{"type":"end"}"#).await?;
        tokio::time::timeout(PATIENCE, line.until("\"state\":\"abandoned\"")).await??;
    }
    Ok(())
}

/// What stands in quotes after a mark.
fn text_after<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    text.split_once(mark)?.1.split('"').next()
}
