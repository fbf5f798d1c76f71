//! The verbs of promises: start, reach, pause, resume, and writing what fell due. Each transition is an event.
use super::alerts::{self, commands::News};
use super::clock::{Clock, Fact, Metric, Standing};
use super::ladder::{EndReason, Level};
use super::model::{NEVER, Policy, Subject, Summary};
use super::rematch::Ground;
use super::store::{self, ClockRow};
use super::wire::ModeName;
use crate::Result;
use crate::calendar::{self, hours::Hours};
use crate::db::Conn;
use crate::db::types::{Named, Time};
use crate::ids::{AgentId, CalendarId, ClockId, TicketId};
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;

/// Whose promise it is: written on each clock until it is decided.
#[derive(Debug, Clone, Copy)]
pub struct Attribution {
    /// What the policies look at.
    pub subject: Subject,
    /// Who is responsible.
    pub agent_id: Option<AgentId>,
}

/// What a promise on the start of a ticket stands on.
pub(super) struct Basis {
    pub(super) policy: Policy,
    pub(super) calendar: calendar::InForce,
}

/// What `save` has to do for a row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    New,
    Changed,
    Same,
}

/// The clocks of one ticket while a verb works on it; [`Clocks::save`] writes what changed, and the events.
pub struct Clocks {
    pub(super) ticket: TicketId,
    pub(super) rows: Vec<ClockRow>,
    states: Vec<State>,
    /// When each started, as stored.
    starts: Vec<Time>,
    pub(super) events: Vec<(Kind, Actor, DateTime<Utc>, serde_json::Value)>,
    hours: HashMap<(CalendarId, i32), Arc<Hours>>,
    basis: Option<Option<Basis>>,
    pub(super) news: Vec<News>,
}

impl Clocks {
    /// For a ticket that is just being made.
    pub fn of_new(ticket: TicketId) -> Self {
        Self {
            ticket,
            rows: Vec::new(),
            states: Vec::new(),
            starts: Vec::new(),
            events: Vec::new(),
            hours: HashMap::new(),
            basis: None,
            news: Vec::new(),
        }
    }

    /// The clocks as they are stored, with the hours of those that are not decided. One query.
    pub fn load(conn: &mut Conn, ticket: TicketId) -> Result<Self> {
        let (mut rows, mut hours) = (Vec::new(), HashMap::new());
        for (row, definition) in store::of_ticket_with_hours(conn, ticket)? {
            let (id, version) = (row.calendar_id, row.calendar_version);
            if let Some(definition) = definition {
                hours.insert((id, version), calendar::hours_of(id, version, definition)?);
            }
            rows.push(row);
        }
        Ok(Self { hours, ..Self::from_rows(ticket, rows) })
    }

    /// The same from rows that were loaded for many tickets at once.
    pub fn from_rows(ticket: TicketId, rows: Vec<ClockRow>) -> Self {
        let starts = rows.iter().map(|row| row.started_at).collect();
        Self { states: vec![State::Same; rows.len()], starts, rows, ..Self::of_new(ticket) }
    }

    /// The rows, oldest first.
    pub fn rows(&self) -> &[ClockRow] {
        &self.rows
    }

    fn hours(&mut self, conn: &mut Conn, id: CalendarId, version: i32) -> Result<Arc<Hours>> {
        if let Some(hours) = self.hours.get(&(id, version)) {
            return Ok(hours.clone());
        }
        let hours = calendar::find_version(conn, id, version)?;
        self.hours.insert((id, version), hours.clone());
        Ok(hours)
    }

    /// The policy and calendar for a promise that starts now. Two or three queries, once a verb.
    fn basis(&mut self, conn: &mut Conn, subject: &Subject) -> Result<Option<&Basis>> {
        if self.basis.is_none() {
            self.basis = Some(find_basis(conn, subject)?);
        }
        Ok(self.basis.as_ref().and_then(Option::as_ref))
    }

    /// Starts the next cycle of a metric at `at` where a policy promises it.
    pub fn start(
        &mut self,
        conn: &mut Conn,
        whose: &Attribution,
        metric: Metric,
        at: DateTime<Utc>,
        is_measured: bool,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let cycle = self.rows.iter().filter(|row| row.metric.0 == metric).count() as i32 + 1;
        let ticket_id = self.ticket;
        let Some(basis) = self.basis(conn, &whose.subject)? else { return Ok(()) };
        let Some(target) = basis.policy.target(metric) else { return Ok(()) };
        let clock = if is_measured {
            Clock::start(target.promise, &basis.calendar.hours, at)
        } else {
            Clock::not_measured(target.promise, at)
        };
        let mut row = ClockRow {
            id: ClockId::new(),
            ticket_id,
            metric: Named(metric),
            cycle,
            policy_id: basis.policy.id,
            policy_version: basis.policy.version,
            calendar_id: basis.calendar.id,
            calendar_version: basis.calendar.version,
            mode: Named(target.promise.mode.into()),
            target_seconds: 0,
            warn_percent: 0,
            pauses: target.pauses,
            standing: Named(clock.standing),
            reason: None,
            started_at: Time(clock.started_at),
            anchor_at: Time(clock.started_at),
            used_at_anchor: 0,
            due_at: None,
            warn_at: None,
            warned_at: None,
            breached_at: None,
            reached_at: None,
            used_seconds: None,
            alarm_at: None,
            channel: Named(whose.subject.channel),
            priority: Named(whose.subject.priority),
            team_id: whose.subject.team_id,
            agent_id: whose.agent_id,
            organization_id: whose.subject.organization_id,
        };
        row.set(&clock);
        let data = json!({
            "clock_id": row.id, "metric": metric, "cycle": cycle,
            "policy_id": row.policy_id, "policy_version": row.policy_version,
            "calendar_id": row.calendar_id, "calendar_version": row.calendar_version,
            "mode": ModeName::from(target.promise.mode), "target_seconds": row.target_seconds, "warn_percent": row.warn_percent, "pauses": row.pauses,
            "standing": row.standing.0, "reason": row.reason, "started_at": clock.started_at, "due_at": clock.due_at,
        });
        self.events.push((Kind::ClockStarted, Actor::Desk, now, data));
        self.starts.push(row.started_at);
        self.rows.push(row);
        self.states.push(State::New);
        Ok(())
    }

    /// Writes all that fell due by `now`: breaches with their exact instants.
    pub fn ring(&mut self, now: DateTime<Utc>) -> Vec<(Metric, Kind)> {
        (0..self.rows.len()).flat_map(|index| self.take_in(index, None, Actor::Desk, now)).collect()
    }

    /// What was promised was done by an agent: reaches every clock of the metric that is not decided.
    pub fn reach(&mut self, conn: &mut Conn, metric: Metric, by: AgentId, now: DateTime<Utc>) -> Result<()> {
        // What is broken by now stays whose it was.
        self.ring(now);
        for index in self.undecided(|row| row.metric.0 == metric) {
            if let Some(row) = self.rows.get_mut(index).filter(|row| row.breached_at.is_none()) {
                row.agent_id = Some(by);
            }
            self.change(conn, index, Fact::Reached(now), Actor::Agent(by), now)?;
        }
        Ok(())
    }

    /// The contact is to act: clocks whose target said at their start that they pause stand still.
    pub fn pause(&mut self, conn: &mut Conn, actor: Actor, now: DateTime<Utc>) -> Result<()> {
        for index in self.undecided(|row| row.pauses && row.standing.0 == Standing::Running) {
            self.change(conn, index, Fact::Paused(now), actor, now)?;
        }
        Ok(())
    }

    /// Clocks that stand still run again.
    pub fn resume(&mut self, conn: &mut Conn, actor: Actor, now: DateTime<Utc>) -> Result<()> {
        for index in self.undecided(|row| row.standing.0 == Standing::Paused) {
            self.change(conn, index, Fact::Resumed(now), actor, now)?;
        }
        Ok(())
    }

    /// Whose the promises are from now on; what is decided stays as it was.
    pub fn attribute(&mut self, whose: &Attribution, now: DateTime<Utc>) {
        self.ring(now);
        for index in self.undecided(|row| row.breached_at.is_none()) {
            if let Some(row) = self.rows.get_mut(index) {
                row.priority = Named(whose.subject.priority);
                (row.team_id, row.agent_id) = (whose.subject.team_id, whose.agent_id);
                self.touched(index);
            }
        }
    }

    pub(super) fn touched(&mut self, index: usize) {
        if let Some(state @ State::Same) = self.states.get_mut(index) {
            *state = State::Changed;
        }
    }

    /// Writes new and changed clocks, their events, and the alerts that these raise or end. One write a clock, one an event.
    pub fn save(&mut self, conn: &mut Conn) -> Result<()> {
        self.save_without_alerts(conn)?;
        alerts::commands::follow(conn, &self.take_news())
    }

    /// What alerts have to know since the clocks were loaded, for a caller that tells it of many tickets at once.
    pub(super) fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// The same without alerts.
    pub(super) fn save_without_alerts(&mut self, conn: &mut Conn) -> Result<()> {
        for ((row, state), start) in self.rows.iter().zip(&mut self.states).zip(&mut self.starts) {
            match std::mem::replace(state, State::Same) {
                State::New => store::insert(conn, row)?,
                State::Changed => store::update(conn, row, *start)?,
                State::Same => {}
            }
            *start = row.started_at;
        }
        for (kind, actor, at, data) in std::mem::take(&mut self.events) {
            timeline::record(conn, self.ticket, kind, actor, at, data)?;
        }
        Ok(())
    }

    /// Whether a clock of the metric still waits to be reached.
    pub fn waits(&self, metric: Metric) -> bool {
        !self.undecided(|row| row.metric.0 == metric).is_empty()
    }

    pub(super) fn undecided(&self, which: impl Fn(&ClockRow) -> bool) -> Vec<usize> {
        let open = |row: &ClockRow| matches!(row.standing.0, Standing::Running | Standing::Paused);
        self.rows.iter().enumerate().filter(|(_, row)| open(row) && which(row)).map(|(index, _)| index).collect()
    }

    /// Takes in what a person did, for which the calendar is needed. One query, once a verb.
    pub(super) fn change(&mut self, conn: &mut Conn, index: usize, fact: Fact, actor: Actor, now: DateTime<Utc>) -> Result<()> {
        if let Some(row) = self.rows.get(index) {
            let hours = self.hours(conn, row.calendar_id, row.calendar_version)?;
            self.take_in(index, Some((fact, &hours)), actor, now);
        }
        Ok(())
    }

    /// Takes in what fell due before `now`, then `fact`; says what was new.
    fn take_in(&mut self, index: usize, fact: Option<(Fact, &Hours)>, actor: Actor, now: DateTime<Utc>) -> Vec<(Metric, Kind)> {
        let Some(mut clock) = self.rows.get(index).map(ClockRow::clock) else { return Vec::new() };
        let due = clock.fallen_due(now).into_iter().map(|fact| (fact, None, Actor::Desk));
        let mut done = Vec::new();
        for (fact, hours, actor) in due.chain(fact.map(|(fact, hours)| (fact, Some(hours), actor))) {
            match hours {
                Some(hours) => clock.apply(fact, hours),
                None => clock.mark(fact),
            }
            let Some(row) = self.rows.get_mut(index) else { continue };
            row.set(&clock);
            let metric = row.metric.0;
            done.push((metric, self.note(index, &clock, fact, actor, now)));
        }
        if !done.is_empty() {
            self.touched(index);
        }
        done
    }

    /// Notes a fact that was just taken in, as history keeps it.
    pub(super) fn note(&mut self, index: usize, clock: &Clock, fact: Fact, actor: Actor, now: DateTime<Utc>) -> Kind {
        let kind = match fact {
            Fact::Paused(_) => Kind::ClockPaused,
            Fact::Resumed(_) => Kind::ClockResumed,
            Fact::Reached(_) => Kind::ClockReached,
            Fact::Warned(_) => Kind::ClockWarned,
            Fact::Breached(_) => Kind::ClockBreached,
        };
        if let Some(row) = self.rows.get(index) {
            let data = json!({
                "clock_id": row.id, "metric": row.metric.0, "cycle": row.cycle, "written_at": now,
                "due_at": clock.due_at, "used_seconds": clock.used_at(fact),
                "verdict": clock.verdict(now),
            });
            self.events.push((kind, actor, fact.at(), data));
            self.news.extend(news(row, fact, now));
        }
        kind
    }

    /// What the ticket's row is to repeat.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary { due_at: NEVER, warn_at: NEVER, breached: 0, met: 0 };
        for row in &self.rows {
            match (row.standing.0, row.breached_at) {
                (_, Some(_)) => summary.breached += 1,
                (Standing::Reached, None) => summary.met += 1,
                (Standing::Running, None) => {
                    summary.due_at = summary.due_at.min(row.due_at.map_or(NEVER, |at| at.0));
                    summary.warn_at = summary.warn_at.min(row.warn_at.map_or(NEVER, |at| at.0));
                }
                _ => {}
            }
        }
        summary
    }
}

/// What alerts have to know of a fact that was just taken in.
fn news(row: &ClockRow, fact: Fact, written_at: DateTime<Utc>) -> Option<News> {
    let (ticket, clock, metric) = (row.ticket_id, row.id, row.metric.0);
    match fact {
        Fact::Warned(at) => Some(News::Raised { ticket, clock, metric, level: Level::Warning, at, written_at }),
        Fact::Breached(at) => Some(News::Raised { ticket, clock, metric, level: Level::Breach, at, written_at }),
        Fact::Reached(_) if row.warned_at.is_some() || row.breached_at.is_some() => {
            Some(News::Stopped { clock, reason: EndReason::Reached, written_at })
        }
        Fact::Paused(_) | Fact::Resumed(_) | Fact::Reached(_) => None,
    }
}

fn find_basis(conn: &mut Conn, subject: &Subject) -> Result<Option<Basis>> {
    Ground::load(conn)?.basis(conn, subject)
}
