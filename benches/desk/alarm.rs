//! A thousand promises that fall due within one second, and how late their breaches are in the database.
use super::Failure;
use super::dialect::Dialect;
use super::seed;
use deskbell::clock::Clock;
use deskbell::db::Conn;
use deskbell::db::schema::events;
use deskbell::db::types::{Named, Time};
use deskbell::timeline::Kind;
use diesel::prelude::*;
use std::time::{Duration, Instant};

/// Clocks that fall due.
pub const CLOCKS: i64 = 1_000;
/// From their making to the first due instant, in microseconds.
const AHEAD: i64 = 3_000_000;
/// After the last due instant, all must be written within so long.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(2);

/// Milliseconds from the due instants to when their breaches could be read: the latest and the median.
pub fn latest_ms(url: &str, dialect: Dialect) -> Result<(f64, f64), Failure> {
    let mut conn = Conn::open(url)?;
    let mut last: i64 = events::table.select(diesel::dsl::max(events::id)).first::<Option<i64>>(&mut conn)?.unwrap_or(0);
    let first_due = Clock::System.now().timestamp_micros() + AHEAD;
    make(&mut conn, dialect, first_due)?;
    let started = Instant::now();
    let mut late = Vec::new();
    while (late.len() as i64) < CLOCKS {
        if started.elapsed() > PATIENCE {
            return Err(format!("only {} of {CLOCKS} breaches were written", late.len()).into());
        }
        let rows: Vec<(i64, Time)> = events::table
            .filter(events::id.gt(last).and(events::kind.eq(Named(Kind::ClockBreached))))
            .order(events::id)
            .select((events::id, events::at))
            .load(&mut conn)?;
        let now = Clock::System.now();
        for (id, at) in rows {
            last = last.max(id);
            late.push((now - at.0).as_seconds_f64() * 1_000.0);
        }
        std::thread::sleep(PAUSE);
    }
    late.sort_by(f64::total_cmp);
    let median = late.get(late.len() / 2).copied().unwrap_or(f64::NAN);
    Ok((late.last().copied().unwrap_or(f64::NAN), median))
}

/// Tickets like the newest one, each with a clock that falls due a millisecond after the one before.
fn make(conn: &mut Conn, d: Dialect, first_due: i64) -> Result<(), Failure> {
    let millis = (first_due / 1_000).to_string();
    let (ticket, clock) = (d.id(100, &millis, "i"), d.id(101, &millis, "i"));
    let due = format!("{first_due} + i * 1000000 / {CLOCKS}");
    let start = format!("{due} - 86400000000");
    let numbers = d.numbers(0, CLOCKS - 1);
    let statements = [
        format!(
            "INSERT INTO tickets (id, subject, channel, direction, status, priority, contact_id, organization_id, received_at, created_at,
               updated_at, close_count, version, promise_due_at, promise_warn_at, promises_breached, promises_met)
             SELECT {ticket}, 'Falls due', 'email', 'inbound', 'open', 'normal', t.contact_id, t.organization_id, {start}, {start}, {start},
               0, 1, {due}, 253402214400000000, 0, 0
             FROM {numbers}, (SELECT contact_id, organization_id FROM tickets ORDER BY number DESC LIMIT 1) AS t"
        ),
        format!(
            "INSERT INTO clocks (id, ticket_id, metric, cycle, policy_id, policy_version, calendar_id, calendar_version, mode, target_seconds,
               warn_percent, pauses, standing, started_at, anchor_at, used_at_anchor, due_at, alarm_at, channel, priority)
             SELECT {clock}, {ticket}, 'first_response', 1, t.policy_id, 1, t.calendar_id, 1, 'always', 86400, 0, FALSE, 'running', {start}, {start}, 0,
               {due}, {due}, 'email', 'normal'
             FROM {numbers}, (SELECT policy_id, calendar_id FROM clocks LIMIT 1) AS t"
        ),
    ];
    seed::run(conn, "BEGIN")?;
    for statement in statements {
        seed::run(conn, &statement)?;
    }
    seed::run(conn, "COMMIT")
}
