//! Running promises meet other policies: the new target runs from the original start, and what is decided stays.
use super::alerts::commands::News;
use super::clock::{Clock, Fact, Standing};
use super::commands::{Attribution, Basis, Clocks};
use super::ladder::EndReason;
use super::model::{self, Policy, Subject};
use super::{policies, store};
use crate::Result;
use crate::calendar::{self, InForce, hours::Hours};
use crate::db::Conn;
use crate::db::types::Time;
use crate::ids::{CalendarId, ClockId, TeamId, TicketId};
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::collections::HashMap;

names! {
    /// Why a promise was laid out anew.
    pub enum Because {
        /// The ticket is more or less urgent.
        Priority = "priority",
        /// Another team is responsible.
        Team = "team",
        /// A policy was edited.
        Policy = "policy",
        /// A calendar was edited.
        Calendar = "calendar",
        /// A ticket was merged, or parted again: its receipt is another.
        Merge = "merge",
    }
}

names! {
    /// How a promise was laid out anew.
    pub enum LaidAnew {
        /// By the new target, from the original start.
        FromStart = "from_start",
        /// The time used stays used; what remains lies over the new hours.
        Remaining = "remaining",
        /// By the same target, from another receipt.
        FromReceipt = "from_receipt",
    }
}

/// When clocks stood still, by clock, in the order of history.
pub type Pauses = HashMap<ClockId, Vec<Fact>>;

/// What promises are decided by, looked up once for many tickets.
pub struct Ground {
    policies: Vec<Policy>,
    teams: HashMap<TeamId, Option<CalendarId>>,
    calendars: HashMap<Option<CalendarId>, Option<InForce>>,
}

impl Ground {
    /// The policies that are in force now. One query.
    pub fn load(conn: &mut Conn) -> Result<Self> {
        Ok(Self::of(policies::in_force(conn)?))
    }

    /// These policies.
    pub fn of(policies: Vec<Policy>) -> Self {
        Self { policies, teams: HashMap::new(), calendars: HashMap::new() }
    }

    pub(super) fn calendar(&mut self, conn: &mut Conn, id: Option<CalendarId>) -> Result<Option<InForce>> {
        if let Some(known) = self.calendars.get(&id) {
            return Ok(known.clone());
        }
        let found = calendar::in_force(conn, id)?;
        self.calendars.insert(id, found.clone());
        Ok(found)
    }

    fn calendar_of_team(&mut self, conn: &mut Conn, team: TeamId) -> Result<Option<CalendarId>> {
        if let Some(known) = self.teams.get(&team) {
            return Ok(*known);
        }
        let found = crate::accounts::teams::calendar_of(conn, team)?.flatten();
        self.teams.insert(team, found);
        Ok(found)
    }

    /// What a promise of such a ticket stands on. Up to two queries for each team and calendar that was not met yet.
    pub(super) fn basis(&mut self, conn: &mut Conn, subject: &Subject) -> Result<Option<Basis>> {
        let Some(policy) = model::first_match(&self.policies, subject).cloned() else { return Ok(None) };
        let named = match (policy.calendar_id, subject.team_id) {
            (Some(id), _) => Some(id),
            (None, Some(team)) => self.calendar_of_team(conn, team)?,
            (None, None) => None,
        };
        let calendar = match named {
            Some(id) => self.calendar(conn, Some(id))?,
            None => None,
        };
        // A calendar that was removed at this moment leaves the default one to count by: no promise is dropped.
        let calendar = match calendar {
            Some(calendar) => Some(calendar),
            None => self.calendar(conn, None)?,
        };
        // Without any calendar nothing can be promised; set-up makes one and the API keeps a default.
        Ok(calendar.map(|calendar| Basis { policy, calendar }))
    }
}

/// When the clocks of these tickets stood still. One query.
pub fn pauses(conn: &mut Conn, tickets: &[TicketId]) -> Result<Pauses> {
    let mut found = Pauses::new();
    for (_, kind, Time(at), data) in timeline::of_kinds(conn, tickets, &[Kind::ClockPaused, Kind::ClockResumed])? {
        let id = data.0.get("clock_id").and_then(|id| id.as_str()).and_then(|id| id.parse::<ClockId>().ok());
        let fact = if kind.0 == Kind::ClockPaused { Fact::Paused(at) } else { Fact::Resumed(at) };
        if let Some(id) = id {
            found.entry(id).or_default().push(fact);
        }
    }
    Ok(found)
}

/// Whether a clock may have stood still before.
pub(super) fn may_have_paused(row: &store::ClockRow) -> bool {
    row.pauses || row.standing.0 == Standing::Paused || row.anchor_at != row.started_at
}

impl Basis {
    /// Whether a clock stands on it already.
    pub(super) fn is_of(&self, row: &store::ClockRow) -> bool {
        let Self { policy, calendar } = self;
        let stands_on = (row.policy_id, row.policy_version, row.calendar_id, row.calendar_version);
        stands_on == (policy.id, policy.version, calendar.id, calendar.version)
    }
}

impl Clocks {
    /// Whose clocks they are.
    pub fn ticket(&self) -> TicketId {
        self.ticket
    }

    /// How many were laid out anew since they were loaded or saved.
    pub fn count_moved(&self) -> i64 {
        self.events.iter().filter(|(kind, ..)| *kind == Kind::ClockMoved).count() as i64
    }

    /// The ticket is another one to the policies: whose its promises are, and by which target they run. Up to four queries.
    pub fn rematch(
        &mut self,
        conn: &mut Conn,
        whose: &Attribution,
        is_pending: bool,
        (because, actor): (Because, Actor),
        now: DateTime<Utc>,
    ) -> Result<()> {
        self.attribute(whose, now);
        if !self.rows.iter().any(|row| row.clock().can_move()) {
            return Ok(());
        }
        let Some(basis) = Ground::load(conn)?.basis(conn, &whose.subject)? else { return Ok(()) };
        let ticket = self.ticket;
        let pauses = if self.rows.iter().any(may_have_paused) { pauses(conn, &[ticket])? } else { Pauses::new() };
        for index in 0..self.rows.len() {
            self.retarget(index, &basis, &pauses, is_pending, (because, actor), now);
        }
        Ok(())
    }

    /// Lays one clock out by what now matches its ticket, from its original start; says whether it was moved.
    pub(super) fn retarget(
        &mut self,
        index: usize,
        basis: &Basis,
        pauses: &Pauses,
        is_pending: bool,
        (because, actor): (Because, Actor),
        now: DateTime<Utc>,
    ) -> bool {
        let Some(row) = self.rows.get_mut(index) else { return false };
        let Basis { policy, calendar } = basis;
        let Some(target) = policy.target(row.metric.0).filter(|_| !basis.is_of(row)) else { return false };
        let stood_still = pauses.get(&row.id).map(Vec::as_slice).unwrap_or_default();
        let Some((mut clock, fell_due)) = row.clock().retargeted(target.promise, &calendar.hours, stood_still, now) else {
            return false;
        };
        let before = row.clone();
        (row.policy_id, row.policy_version) = (policy.id, policy.version);
        (row.calendar_id, row.calendar_version, row.pauses) = (calendar.id, calendar.version, target.pauses);
        row.set(&clock);
        if before.warned_at.is_some() && clock.warned_at.is_none() {
            self.news.push(News::Stopped { clock: before.id, reason: EndReason::Moved, written_at: now });
        }
        self.moved(index, &before, (because, LaidAnew::FromStart, actor), now);
        for fact in fell_due {
            clock.mark(fact);
            self.wrote(index, &clock, fact, Actor::Desk, now);
        }
        // From here on it stands still where the new target says so.
        let turn = match (clock.standing, target.pauses && is_pending) {
            (Standing::Running, true) => Some(Fact::Paused(now)),
            (Standing::Paused, false) => Some(Fact::Resumed(now)),
            _ => None,
        };
        if let Some(fact) = turn {
            clock.apply(fact, &calendar.hours);
            self.wrote(index, &clock, fact, actor, now);
        }
        true
    }

    /// Lays what remains of one clock over a later version of its calendar, from the edit on; says whether it was moved.
    pub(super) fn relay(&mut self, index: usize, old: &Hours, new: &InForce, at: DateTime<Utc>) -> bool {
        let Some(row) = self.rows.get_mut(index) else { return false };
        if row.calendar_id != new.id || row.calendar_version >= new.version {
            return false;
        }
        let Some(clock) = row.clock().relaid(at, old, &new.hours) else { return false };
        let before = row.clone();
        row.calendar_version = new.version;
        row.set(&clock);
        self.moved(index, &before, (Because::Calendar, LaidAnew::Remaining, Actor::Desk), at);
        true
    }

    /// Notes that a clock was laid out anew.
    fn moved(
        &mut self,
        index: usize,
        before: &store::ClockRow,
        (because, how, actor): (Because, LaidAnew, Actor),
        at: DateTime<Utc>,
    ) {
        let Some(row) = self.rows.get(index) else { return };
        let instant = |time: Option<Time>| time.map(|time| time.0);
        let data = json!({
            "clock_id": row.id, "metric": row.metric.0, "cycle": row.cycle, "because": because, "how": how,
            "policy_id": row.policy_id, "policy_version": row.policy_version,
            "calendar_id": row.calendar_id, "calendar_version": row.calendar_version,
            "mode": row.mode.0, "target_seconds": row.target_seconds, "warn_percent": row.warn_percent, "pauses": row.pauses,
            "due_at": instant(row.due_at),
            "before": {
                "policy_id": before.policy_id, "policy_version": before.policy_version,
                "calendar_id": before.calendar_id, "calendar_version": before.calendar_version,
                "mode": before.mode.0, "target_seconds": before.target_seconds, "due_at": instant(before.due_at),
            },
        });
        self.events.push((Kind::ClockMoved, actor, at, data));
        self.touched(index);
    }

    fn wrote(&mut self, index: usize, clock: &Clock, fact: Fact, actor: Actor, now: DateTime<Utc>) {
        if let Some(row) = self.rows.get_mut(index) {
            row.set(clock);
        }
        self.note(index, clock, fact, actor, now);
    }
}
