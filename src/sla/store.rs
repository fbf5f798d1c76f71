//! Clock rows: load and save the promises of a ticket.
use super::clock::{Clock, Metric, Promise, Standing};
use super::wire::ModeName;
use crate::Result;
use crate::db::{
    Conn,
    ext::{self, among},
    schema::{calendar_versions, clocks},
    types::{JsonText, Named, Time},
};
use crate::each;
use crate::ids::{AgentId, CalendarId, ClockId, OrganizationId, PolicyId, TeamId, TicketId};
use crate::tickets::model::{Channel, Priority};
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// A clock as stored; the last five columns say whose promise it was. An update leaves out what hardly ever changes and stands in an
/// index, which would be written too, changed or not.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Debug, Clone, PartialEq)]
#[diesel(table_name = clocks, treat_none_as_null = true, treat_none_as_default_value = false)]
#[expect(missing_docs, reason = "columns")]
pub struct ClockRow {
    pub id: ClockId,
    #[diesel(skip_update)]
    pub ticket_id: TicketId,
    #[diesel(skip_update)]
    pub metric: Named<Metric>,
    #[diesel(skip_update)]
    pub cycle: i32,
    pub policy_id: PolicyId,
    pub policy_version: i32,
    pub calendar_id: CalendarId,
    pub calendar_version: i32,
    pub mode: Named<ModeName>,
    pub target_seconds: i64,
    pub warn_percent: i32,
    pub pauses: bool,
    pub standing: Named<Standing>,
    pub reason: Option<String>,
    #[diesel(skip_update)]
    pub started_at: Time,
    pub anchor_at: Time,
    pub used_at_anchor: i64,
    pub due_at: Option<Time>,
    pub warn_at: Option<Time>,
    pub warned_at: Option<Time>,
    pub breached_at: Option<Time>,
    pub reached_at: Option<Time>,
    pub used_seconds: Option<i64>,
    pub alarm_at: Option<Time>,
    pub channel: Named<Channel>,
    pub priority: Named<Priority>,
    pub team_id: Option<TeamId>,
    pub agent_id: Option<AgentId>,
    pub organization_id: Option<OrganizationId>,
}

impl ClockRow {
    /// The clock that the row holds.
    pub fn clock(&self) -> Clock {
        let at = |time: Option<Time>| time.map(|time| time.0);
        Clock {
            promise: Promise { mode: self.mode.0.mode(), target_seconds: self.target_seconds, warn_percent: self.warn_percent },
            standing: self.standing.0,
            reason: self.reason.clone(),
            started_at: self.started_at.0,
            anchor_at: self.anchor_at.0,
            used_at_anchor: self.used_at_anchor,
            due_at: at(self.due_at),
            warn_at: at(self.warn_at),
            warned_at: at(self.warned_at),
            breached_at: at(self.breached_at),
            reached_at: at(self.reached_at),
            used_seconds: self.used_seconds,
        }
    }

    /// Takes over what the clock says now; `alarm_at` is the cache that the alarm looks for.
    pub fn set(&mut self, clock: &Clock) {
        let alarm_at = clock.alarm_at();
        let Clock {
            promise,
            standing,
            reason,
            started_at,
            anchor_at,
            used_at_anchor,
            due_at,
            warn_at,
            warned_at,
            breached_at,
            reached_at,
            used_seconds,
        } = clock.clone();
        let at = |instant: Option<DateTime<Utc>>| instant.map(Time);
        self.mode = Named(promise.mode.into());
        (self.target_seconds, self.warn_percent) = (promise.target_seconds, promise.warn_percent);
        (self.standing, self.reason) = (Named(standing), reason);
        (self.started_at, self.anchor_at, self.used_at_anchor) = (Time(started_at), Time(anchor_at), used_at_anchor);
        (self.due_at, self.warn_at, self.alarm_at) = (at(due_at), at(warn_at), at(alarm_at));
        (self.warned_at, self.breached_at, self.reached_at) = (at(warned_at), at(breached_at), at(reached_at));
        self.used_seconds = used_seconds;
    }
}

/// The clocks of a ticket, oldest first. One query.
pub fn of_ticket(conn: &mut Conn, ticket: TicketId) -> Result<Vec<ClockRow>> {
    let rows = clocks::table.filter(clocks::ticket_id.eq(ticket)).order(clocks::id);
    Ok(each!(conn, conn => rows.select(ClockRow::as_select()).load(conn))?)
}

/// The clocks of a ticket that are to be worked on, oldest first; those that are not decided with the definition of the calendar
/// version they run under. One query.
pub fn of_ticket_with_hours(conn: &mut Conn, ticket: TicketId) -> Result<Vec<(ClockRow, Option<JsonText>)>> {
    use calendar_versions as v;
    let is_open = clocks::standing.eq(Named(Standing::Running)).or(clocks::standing.eq(Named(Standing::Paused)));
    let runs_under = v::calendar_id.eq(clocks::calendar_id).and(v::version.eq(clocks::calendar_version)).and(is_open);
    let rows = clocks::table.left_join(v::table.on(runs_under)).filter(clocks::ticket_id.eq(ticket));
    let mut rows: Vec<(ClockRow, Option<JsonText>)> =
        each!(conn, conn => rows.select((ClockRow::as_select(), v::definition.nullable())).load(conn))?;
    rows.sort_unstable_by_key(|(row, _)| row.id);
    Ok(rows)
}

/// The clocks of a page of tickets. One query.
pub fn of_tickets(conn: &mut Conn, tickets: &[TicketId]) -> Result<Vec<ClockRow>> {
    let rows = clocks::table.order(clocks::id);
    Ok(match conn {
        Conn::Pg(conn) => rows.filter(clocks::ticket_id.eq_any(tickets)).select(ClockRow::as_select()).load(conn),
        Conn::Sqlite(conn) => rows.filter(among(clocks::ticket_id, tickets)).select(ClockRow::as_select()).load(conn),
    }?)
}

/// Writes a new clock.
pub fn insert(conn: &mut Conn, row: &ClockRow) -> Result<()> {
    each!(conn, conn => diesel::insert_into(clocks::table).values(row).execute(conn))?;
    Ok(())
}

/// Saves a changed clock; `started_at` is what is stored.
pub fn update(conn: &mut Conn, row: &ClockRow, started_at: Time) -> Result<()> {
    let values = (row, (row.started_at != started_at).then(|| clocks::started_at.eq(row.started_at)));
    each!(conn, conn => ext::update(clocks::table, clocks::id.eq(row.id), values).execute(conn))?;
    Ok(())
}

/// Tickets with a clock that fell due by `now`, at most `limit` clocks' worth. One index range.
pub fn due_tickets(conn: &mut Conn, now: DateTime<Utc>, limit: i64) -> Result<Vec<TicketId>> {
    let mut tickets: Vec<TicketId> = clocks::table
        .filter(clocks::alarm_at.le(Time(now)))
        .order(clocks::alarm_at)
        .limit(limit)
        .select(clocks::ticket_id)
        .load(conn)?;
    tickets.sort_unstable();
    tickets.dedup();
    Ok(tickets)
}

/// When the next clock falls due. One look at the index.
pub fn next_alarm(conn: &mut Conn) -> Result<Option<DateTime<Utc>>> {
    let at: Option<Option<Time>> = clocks::table
        .filter(clocks::alarm_at.is_not_null())
        .order(clocks::alarm_at)
        .select(clocks::alarm_at)
        .first(conn)
        .optional()?;
    Ok(at.flatten().map(|at| at.0))
}

/// Clocks that run now, for `/metrics`.
pub fn count_running(conn: &mut Conn) -> Result<i64> {
    Ok(clocks::table.filter(clocks::alarm_at.is_not_null()).count().get_result(conn)?)
}
