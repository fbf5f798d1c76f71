//! Following an edit: queue it, carry it out batch by batch, or only say what it would do.
use super::store::{self, Edited, MoveRow};
use crate::calendar::{self, InForce, hours::Hours};
use crate::db::{Conn, types::Time};
use crate::error::Result;
use crate::ids::{CalendarId, MoveId, PolicyId, TicketId};
use crate::jobs::{JobKind, queue};
use crate::sla::ClockRow;
use crate::sla::commands::Clocks;
use crate::sla::dry_run::{DryRunOut, Plan, differences};
use crate::sla::model::Subject;
use crate::sla::rematch::{Because, Ground, Pauses, may_have_paused, pauses};
use crate::timeline::Actor;
use crate::{sla, tickets};
use chrono::{DateTime, Utc};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Clocks looked at in one step at the most.
const BATCH: i64 = 200;
/// Clocks read at once for a dry run, which writes nothing.
const PAGE: i64 = 2_000;

/// An edit as running clocks see it.
pub struct Edit {
    at: DateTime<Utc>,
    what: What,
}

enum What {
    Policy {
        id: PolicyId,
        ground: Ground,
    },
    /// Of a calendar, which is the default one or a team's from then on.
    Choice {
        id: CalendarId,
        ground: Ground,
    },
    Calendar {
        new: InForce,
        old: HashMap<i32, Arc<Hours>>,
    },
}

impl Edit {
    /// A policy was edited: what ran under it, or comes under it now, meets what is in force. One query.
    pub fn of_policy(conn: &mut Conn, id: PolicyId, at: DateTime<Utc>) -> Result<Self> {
        Ok(Self { at, what: What::Policy { id, ground: Ground::load(conn)? } })
    }

    /// A calendar was chosen, as the default or by a team: what counts by it now, and did not before, meets what is in force.
    /// Two queries.
    pub fn of_choice(conn: &mut Conn, id: CalendarId, at: DateTime<Utc>) -> Result<Self> {
        let mut ground = Ground::load(conn)?;
        ground.calendar(conn, None)?;
        Ok(Self { at, what: What::Choice { id, ground } })
    }

    /// A calendar was edited: this is its new version.
    pub fn of_calendar(new: InForce, at: DateTime<Utc>) -> Self {
        Self { at, what: What::Calendar { new, old: HashMap::new() } }
    }

    fn read(conn: &mut Conn, row: &MoveRow) -> Result<Self> {
        match row.edited.0 {
            Edited::Calendar => {
                let (id, version) = (CalendarId(row.edited_id.0), row.version);
                let hours = calendar::find_version(conn, id, version)?;
                Ok(Self::of_calendar(InForce { id, version, hours }, row.at.0))
            }
            Edited::Choice => Self::of_choice(conn, CalendarId(row.edited_id.0), row.at.0),
            Edited::Policy => Self::of_policy(conn, PolicyId(row.edited_id.0), row.at.0),
        }
    }

    fn probe(&self) -> MoveRow {
        match &self.what {
            What::Policy { id, .. } => store::fresh(Edited::Policy, id.0, 0, self.at),
            What::Choice { id, .. } => store::fresh(Edited::Choice, id.0, 0, self.at),
            What::Calendar { new, .. } => store::fresh(Edited::Calendar, new.id.0, new.version, self.at),
        }
    }

    /// The hours of an earlier version. One query for each that was not met yet.
    fn old_hours(conn: &mut Conn, old: &mut HashMap<i32, Arc<Hours>>, row: &ClockRow) -> Result<Arc<Hours>> {
        if let Some(known) = old.get(&row.calendar_version) {
            return Ok(known.clone());
        }
        let found = calendar::find_version(conn, row.calendar_id, row.calendar_version)?;
        old.insert(row.calendar_version, found.clone());
        Ok(found)
    }

    /// Whether a clock has to follow.
    fn concerns(&mut self, conn: &mut Conn, row: &ClockRow) -> Result<bool> {
        if !row.clock().can_move() {
            return Ok(false);
        }
        match &mut self.what {
            What::Policy { id, ground } => {
                let Some(basis) = ground.basis(conn, &subject(row))? else { return Ok(false) };
                Ok((basis.policy.id == *id || row.policy_id == *id) && !basis.is_of(row))
            }
            What::Choice { id, ground } => {
                let Some(basis) = ground.basis(conn, &subject(row))? else { return Ok(false) };
                Ok(basis.calendar.id == *id && row.calendar_id != *id)
            }
            What::Calendar { new, old } => {
                let ours = row.calendar_id == new.id && row.calendar_version < new.version;
                // Hours that count alike for this clock give it the same due instant for ever.
                Ok(ours && !Self::old_hours(conn, old, row)?.counts_alike(&new.hours, row.mode.0.mode()))
            }
        }
    }

    /// Lays the clocks of one ticket out; what fell due before the edit fell due by the old rule.
    fn carry_out(
        &mut self,
        conn: &mut Conn,
        clocks: &mut Clocks,
        (pauses, is_pending): (&Pauses, bool),
        now: DateTime<Utc>,
    ) -> Result<()> {
        clocks.ring(self.at);
        for index in 0..clocks.rows().len() {
            let Some(row) = clocks.rows().get(index).cloned() else { continue };
            if !self.concerns(conn, &row)? {
                continue;
            }
            let (ground, because) = match &mut self.what {
                What::Policy { ground, .. } => (ground, Because::Policy),
                What::Choice { ground, .. } => (ground, Because::Calendar),
                What::Calendar { new, old } => {
                    let hours = Self::old_hours(conn, old, &row)?;
                    clocks.relay(index, &hours, new, self.at);
                    continue;
                }
            };
            if let Some(basis) = ground.basis(conn, &subject(&row))? {
                clocks.retarget(index, &basis, pauses, is_pending, (because, Actor::Desk), now);
            }
        }
        clocks.ring(now);
        Ok(())
    }

    /// Lays the clocks of these tickets out. Three queries, however many tickets.
    fn carry_out_all(
        &mut self,
        conn: &mut Conn,
        tickets: &[TicketId],
        now: DateTime<Utc>,
    ) -> Result<Vec<(Vec<ClockRow>, Clocks)>> {
        let mut rows = sla::of_tickets(conn, tickets)?;
        rows.sort_by_key(|row| (row.ticket_id, row.id));
        // The hours of a calendar change what lies ahead only; all else counts from the start of a promise.
        let from_start = !matches!(self.what, What::Calendar { .. });
        let stood_still = if from_start && rows.iter().any(may_have_paused) { pauses(conn, tickets)? } else { Pauses::new() };
        let pending = if from_start { store::pending(conn, tickets)? } else { Default::default() };
        let mut done = Vec::new();
        for of_one in rows.chunk_by(|a, b| a.ticket_id == b.ticket_id) {
            let Some(ticket) = of_one.first().map(|row| row.ticket_id) else { continue };
            let mut clocks = Clocks::from_rows(ticket, of_one.to_vec());
            self.carry_out(conn, &mut clocks, (&stood_still, pending.contains(&ticket)), now)?;
            done.push((of_one.to_vec(), clocks));
        }
        Ok(done)
    }

    /// The tickets among the next candidates that have to follow, and where to go on. One query.
    fn look(&mut self, conn: &mut Conn, row: &MoveRow, limit: i64) -> Result<(Vec<TicketId>, MoveRow)> {
        let found = store::candidates(conn, row, limit)?;
        let mut next = row.clone();
        match found.last() {
            Some(last) if found.len() as i64 == limit => (next.cursor_at, next.cursor_id) = (last.alarm_at, Some(last.id)),
            _ => (next.phase, next.cursor_at, next.cursor_id) = (row.phase + 1, None, None),
        }
        let mut tickets = BTreeSet::new();
        for clock in &found {
            if self.concerns(conn, clock)? {
                tickets.insert(clock.ticket_id);
            }
        }
        Ok((tickets.into_iter().collect(), next))
    }
}

fn subject(row: &ClockRow) -> Subject {
    Subject { channel: row.channel.0, priority: row.priority.0, team_id: row.team_id, organization_id: row.organization_id }
}

/// A policy was edited: its clocks follow in a job. Two inserts.
pub fn follow_policy(conn: &mut Conn, id: PolicyId, version: i32, now: DateTime<Utc>) -> Result<()> {
    follow(conn, &store::fresh(Edited::Policy, id.0, version, now), now)
}

/// A calendar was edited: its clocks follow in a job. Two inserts.
pub fn follow_calendar(conn: &mut Conn, id: CalendarId, version: i32, now: DateTime<Utc>) -> Result<()> {
    follow(conn, &store::fresh(Edited::Calendar, id.0, version, now), now)
}

/// Another calendar was chosen, as the default or by a team: what counts by it now and did not before follows in a job, from its
/// original start. `None` is the default one. Three statements.
pub fn follow_choice(conn: &mut Conn, id: Option<CalendarId>, now: DateTime<Utc>) -> Result<()> {
    match calendar::in_force(conn, id)? {
        Some(InForce { id, version, .. }) => follow(conn, &store::fresh(Edited::Choice, id.0, version, now), now),
        None => Ok(()),
    }
}

fn follow(conn: &mut Conn, row: &MoveRow, now: DateTime<Utc>) -> Result<()> {
    store::insert(conn, row)?;
    queue::enqueue(conn, JobKind::MoveClocks, row.id.0, now, now)
}

/// What edits would do to the clocks that run now, no two to the same one; writes nothing.
pub fn plan(conn: &mut Conn, edits: Vec<Edit>, now: DateTime<Utc>) -> Result<DryRunOut> {
    let mut plan = Plan::default();
    for edit in edits {
        add_to(conn, &mut plan, edit, now)?;
    }
    let numbers = store::numbers(conn, &plan.listed())?;
    Ok(plan.out(&numbers))
}

fn add_to(conn: &mut Conn, plan: &mut Plan, mut edit: Edit, now: DateTime<Utc>) -> Result<()> {
    let mut row = edit.probe();
    // Nobody writes meanwhile what this would miss: two phases do.
    while row.phase < store::PHASES - 1 {
        let (tickets, next) = edit.look(conn, &row, PAGE)?;
        let is_paused = store::is_paused(row.phase);
        for (before, clocks) in edit.carry_out_all(conn, &tickets, now)? {
            // A ticket may have clocks of both phases: each is told in its own.
            let own: Vec<ClockRow> =
                before.into_iter().filter(|clock| (clock.standing.0 == sla::clock::Standing::Paused) == is_paused).collect();
            plan.add(differences(&own, clocks.rows()));
        }
        row = next;
    }
    Ok(())
}

/// Takes the next step of an edit: at most 200 clocks, one transaction. False where nothing is left to do.
pub fn step(conn: &mut Conn, id: MoveId, now: DateTime<Utc>) -> Result<bool> {
    let Some(row) = store::next(conn, id)? else { return Ok(false) };
    let mut edit = Edit::read(conn, &row)?;
    let (tickets, mut next) = edit.look(conn, &row, BATCH)?;
    if next.phase >= store::PHASES {
        next.finished_at = Some(Time(now));
    }
    if !store::advance(conn, &row, &next)? {
        return Ok(true);
    }
    if tickets.is_empty() {
        return Ok(true);
    }
    tickets::commands::lock(conn, &tickets)?;
    let mut moved = 0;
    for (_, mut clocks) in edit.carry_out_all(conn, &tickets, now)? {
        moved += clocks.count_moved();
        clocks.save(conn)?;
        tickets::commands::repeat_promises(conn, clocks.ticket(), &clocks.summary())?;
    }
    store::count(conn, row.id, moved)?;
    Ok(true)
}

/// Puts the rest of an edit back into the queue.
pub fn go_on(conn: &mut Conn, id: MoveId, now: DateTime<Utc>) -> Result<()> {
    queue::enqueue(conn, JobKind::MoveClocks, id.0, now, now)
}

/// What a change of one ticket would do to its promises, from the clocks before and after it.
pub fn of_one(before: &[ClockRow], after: &[ClockRow], number: i64) -> DryRunOut {
    let mut plan = Plan::default();
    plan.add(differences(before, after));
    let numbers = plan.listed().into_iter().map(|id| (id, number)).collect();
    plan.out(&numbers)
}
