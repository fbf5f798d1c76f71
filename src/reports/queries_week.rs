//! Tickets of a period with their first promise of one kind: counted by hour of the week, or listed.
//!
//! Cost: one range of `tickets_by_received`, and a look at the unique index of clocks for each ticket.
use super::asked::{Filter, Period};
use super::figures::ClockFact;
use super::queries::filtered;
use super::rows::{Place, RowsAsked};
use super::rows_week::HourRow;
use super::week::{Week, slot};
use crate::db::schema::{clocks, tickets};
use crate::db::{
    Conn,
    types::{Named, Time},
};
use crate::error::Result;
use crate::ids::{AgentId, OrganizationId, TeamId, TicketId};
use crate::sla::clock::{Metric, Standing, verdict};
use crate::tickets::model::{Channel, Direction, Priority};
use chrono::{DateTime, Utc};
use diesel::connection::DefaultLoadingMode;
use diesel::prelude::*;

/// The tickets that came in the period, each with its first clock of the metric, where it has one.
macro_rules! received {
    ($from:expr, $to:expr, $metric:expr) => {{
        let first = clocks::ticket_id.eq(tickets::id).and(clocks::metric.eq(Named($metric))).and(clocks::cycle.eq(1));
        tickets::table
            .left_join(clocks::table.on(first))
            .filter(tickets::received_at.ge(Time($from)).and(tickets::received_at.lt(Time($to))))
            .filter(tickets::direction.eq(Named(Direction::Inbound)))
            .into_boxed()
    }};
}

type ClockSlim = (Named<Standing>, Option<String>, Option<Time>, Option<Time>, Option<i64>);

/// Counts the tickets of a period by hour of the week. One query.
pub fn hours(conn: &mut Conn, period: &Period, filter: Filter, metric: Metric, now: DateTime<Utc>) -> Result<Week> {
    let query = filtered!(received!(period.from, period.to, metric), filter, tickets, assignee_id);
    let columns = (
        tickets::received_at,
        (clocks::standing, clocks::reason, clocks::due_at, clocks::breached_at, clocks::used_seconds).nullable(),
    );
    let mut week = Week::new(period.zone);
    for row in query.select(columns).load_iter::<(Time, Option<ClockSlim>), DefaultLoadingMode>(conn)? {
        let (received_at, clock) = row?;
        let fact = clock.map(|(standing, reason, due_at, breached_at, used_seconds)| ClockFact {
            metric,
            standing: standing.0,
            reason,
            due_at: due_at.map(|at| at.0),
            is_breached: breached_at.is_some(),
            used_seconds,
            is_first: true,
            is_last: false,
        });
        week.add(received_at.0, fact.as_ref(), now);
    }
    Ok(week)
}

type TicketColumns =
    (TicketId, i64, Time, Named<Channel>, Named<Priority>, Option<TeamId>, Option<AgentId>, Option<OrganizationId>);
type ClockColumns = (Named<Standing>, Option<String>, Time, Option<Time>, Option<Time>, Option<Time>, Option<Time>, Option<i64>);

/// The tickets themselves, oldest first. One query.
pub fn rows(conn: &mut Conn, asked: &RowsAsked, metric: Metric, after: Option<Place>, limit: i64) -> Result<Vec<HourRow>> {
    use tickets as t;
    let Period { from, to, zone } = asked.period;
    let from = after.map_or(from, |(at, _)| at);
    let mut query = filtered!(received!(from, to, metric), asked.filter, tickets, assignee_id);
    if let Some((at, id)) = after {
        query = query.filter(t::received_at.gt(Time(at)).or(t::id.gt(TicketId(id))));
    }
    let rows: Vec<(TicketColumns, Option<ClockColumns>)> = query
        .order((t::received_at, t::id))
        .limit(limit)
        .select((
            (t::id, t::number, t::received_at, t::channel, t::priority, t::team_id, t::assignee_id, t::organization_id),
            (
                clocks::standing,
                clocks::reason,
                clocks::started_at,
                clocks::due_at,
                clocks::warn_at,
                clocks::breached_at,
                clocks::reached_at,
                clocks::used_seconds,
            )
                .nullable(),
        ))
        .load(conn)?;
    let rows = rows.into_iter().map(|(ticket, clock)| {
        let (ticket_id, ticket_number, received_at, channel, priority, team_id, agent_id, organization_id) = ticket;
        let (weekday, hour) = slot(zone, received_at.0);
        let at = |at: Option<Time>| at.map(|at| at.0);
        let mut row = HourRow {
            ticket_id,
            ticket_number,
            received_at: received_at.0,
            weekday,
            hour,
            channel: channel.0,
            priority: priority.0,
            team_id,
            agent_id,
            organization_id,
            metric,
            started_at: None,
            due_at: None,
            reached_at: None,
            used_seconds: None,
            verdict: None,
            reason: None,
        };
        if let Some((standing, reason, started_at, due_at, warn_at, breached_at, reached_at, used_seconds)) = clock {
            row.verdict = Some(verdict(standing.0, (at(due_at), at(warn_at)), breached_at.is_some(), asked.as_of));
            (row.started_at, row.due_at, row.reached_at) = (Some(started_at.0), at(due_at), at(reached_at));
            (row.used_seconds, row.reason) = (used_seconds, reason);
        }
        row
    });
    Ok(rows.collect())
}
