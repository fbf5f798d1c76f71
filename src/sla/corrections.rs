//! Corrections: a phone system may tell late when a call rang, was answered or was over. History keeps what was written, an
//! event says what was put right, and the clock stands as the instants say (docs/decisions/0055).
use super::alerts::commands::News;
use super::clock::{Clock, Fact, Metric, Standing};
use super::commands::Clocks;
use super::ladder::Level;
use crate::Result;
use crate::calendar::{self, hours::Hours};
use crate::db::Conn;
use crate::ids::{AgentId, ClockId};
use crate::timeline::{Actor, Kind};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// Why nothing is measured: no ring was reported.
pub const NO_RING: &str = "no_ring";
/// Why nothing is promised any more: the caller hung up while there was still time.
pub const HUNG_UP_IN_TIME: &str = "hung_up_in_time";

/// What is known now of a promise that a call made.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known {
    /// When it began; none while nobody knows.
    pub started_at: Option<DateTime<Utc>>,
    /// When an agent did what was promised, and who.
    pub reached: Option<(DateTime<Utc>, AgentId)>,
    /// When the contact gave up waiting.
    pub given_up_at: Option<DateTime<Utc>>,
    /// Why it came to nothing, whatever else is known.
    pub withdrawn: Option<&'static str>,
}

/// The clock that these instants make.
fn clock_of(before: &Clock, known: &Known, reached_at: Option<DateTime<Utc>>, hours: &Hours) -> Clock {
    let promise = before.promise;
    if let Some(reason) = known.withdrawn {
        return Clock::withdrawn(promise, before.started_at, reason);
    }
    let Some(start) = known.started_at else {
        return Clock { reason: Some(NO_RING.to_owned()), ..Clock::not_measured(promise, before.started_at) };
    };
    let mut clock = Clock::start(promise, hours, start);
    if clock.standing != Standing::Running {
        return clock;
    }
    if let Some(at) = reached_at {
        for fact in clock.fallen_due(at) {
            clock.mark(fact);
        }
        clock.apply(Fact::Reached(at), hours);
        return clock;
    }
    match (known.given_up_at, clock.due_at) {
        (Some(end), Some(due)) if end <= due => Clock::withdrawn(promise, start, HUNG_UP_IN_TIME),
        _ => clock,
    }
}

fn told(clock: &Clock, now: DateTime<Utc>) -> Value {
    json!({
        "standing": clock.standing, "reason": clock.reason, "started_at": clock.started_at, "due_at": clock.due_at,
        "warned_at": clock.warned_at, "breached_at": clock.breached_at, "reached_at": clock.reached_at,
        "used_seconds": clock.used_seconds, "verdict": clock.verdict(now),
    })
}

impl Clocks {
    /// Brings a clock to what is known now. Where it only goes on, that is the usual event; where what was written is not
    /// true, it is a correction. Says whether anything changed. One calendar, which is kept in memory.
    pub fn correct(&mut self, conn: &mut Conn, id: ClockId, known: &Known, because: &Value, now: DateTime<Utc>) -> Result<bool> {
        let Some(index) = self.rows.iter().position(|row| row.id == id) else { return Ok(false) };
        let Some(row) = self.rows.get(index) else { return Ok(false) };
        let before = row.clock();
        let hours = calendar::find_version(conn, row.calendar_id, row.calendar_version)?;
        let same_start = known.withdrawn.is_none() && known.started_at == Some(before.started_at);
        if let Some((at, by)) = known.reached.filter(|_| same_start && goes_on(&before, known)) {
            self.reach_at(index, (at, by), &hours, now);
            return Ok(true);
        }
        let stands = matches!(before.standing, Standing::Running | Standing::Paused | Standing::Reached);
        if same_start && stands && known.reached.is_none() && known.given_up_at.is_none() {
            return Ok(false);
        }
        // What an agent did by hand counts until the phone system knows better.
        let reached_at = known.reached.map(|(at, _)| at).or(before.reached_at);
        let after = clock_of(&before, known, reached_at, &hours);
        let shown = |clock: &Clock| (clock.standing, clock.reason.clone(), clock.started_at, clock.reached_at);
        if shown(&after) == shown(&before) {
            return Ok(false);
        }
        self.put_right(index, (&before, &after), because, Actor::Desk, now);
        if let Some(row) = self.rows.get_mut(index) {
            row.agent_id = known.reached.map(|(_, by)| by).or(row.agent_id);
        }
        Ok(true)
    }

    /// The reply of that instant was taken back: the responses that it had given are owed again, from where they stood.
    pub fn take_back(&mut self, at: DateTime<Utc>, (by, is_paused): (AgentId, bool), because: &Value, now: DateTime<Utc>) {
        for index in 0..self.rows.len() {
            let Some(row) = self.rows.get(index) else { continue };
            let (metric, cycle) = (row.metric.0, row.cycle);
            let is_last = !self.rows.iter().any(|other| other.metric.0 == metric && other.cycle > cycle);
            let before = row.clock();
            let is_response = matches!(metric, Metric::FirstResponse | Metric::NextResponse);
            if !(is_response && is_last && before.standing == Standing::Reached && before.reached_at == Some(at)) {
                continue;
            }
            let standing = if is_paused { Standing::Paused } else { Standing::Running };
            let after = Clock { standing, reached_at: None, used_seconds: None, ..before.clone() };
            self.put_right(index, (&before, &after), because, Actor::Agent(by), now);
            // The reply had ended its alert: somebody has to hear of it again, from the bottom of the ladder.
            let raised = (after.breached_at.map(|at| (Level::Breach, at))).or(after.warned_at.map(|at| (Level::Warning, at)));
            if let (Some((level, at)), Some(row)) = (raised, self.rows.get(index)) {
                let (ticket, clock) = (row.ticket_id, row.id);
                self.news.push(News::Raised { ticket, clock, metric, level, at, written_at: now });
            }
        }
        self.ring(now);
    }

    /// Writes what a clock is from now on, and that it was otherwise.
    fn put_right(&mut self, index: usize, (before, after): (&Clock, &Clock), because: &Value, actor: Actor, now: DateTime<Utc>) {
        let Some(row) = self.rows.get_mut(index) else { return };
        let mut data = told(after, now);
        if let Value::Object(fields) = &mut data {
            let more = [
                ("clock_id", json!(row.id)),
                ("metric", json!(row.metric.0)),
                ("cycle", json!(row.cycle)),
                ("because", because.clone()),
                ("before", told(before, now)),
            ];
            fields.extend(more.map(|(name, value)| (name.to_owned(), value)));
        }
        row.set(after);
        self.touched(index);
        self.events.push((Kind::ClockCorrected, actor, now, data));
    }

    /// An agent did what was promised at an instant that may have passed a while ago.
    fn reach_at(&mut self, index: usize, (at, by): (DateTime<Utc>, AgentId), hours: &Hours, now: DateTime<Utc>) {
        let written = self.events.len();
        self.ring(at);
        for (_, _, _, data) in self.events.iter_mut().skip(written) {
            if let Some(written_at) = data.get_mut("written_at") {
                *written_at = json!(now);
            }
        }
        let Some(row) = self.rows.get_mut(index) else { return };
        let mut clock = row.clock();
        if clock.breached_at.is_none() {
            row.agent_id = Some(by);
        }
        clock.apply(Fact::Reached(at), hours);
        row.set(&clock);
        self.note(index, &clock, Fact::Reached(at), Actor::Agent(by), now);
        self.touched(index);
    }
}

/// Whether being reached is the next thing that happens to this clock, and nothing that was written is untrue.
fn goes_on(before: &Clock, known: &Known) -> bool {
    let is_open = matches!(before.standing, Standing::Running | Standing::Paused);
    is_open && known.reached.is_some_and(|(at, _)| before.breached_at.is_none_or(|breach| at > breach))
}
