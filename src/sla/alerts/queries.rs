//! Lists of alerts with their tickets.
use super::store;
pub use super::store::{AlertRow, LetterRow, LetterState};
use crate::Result;
use crate::db::{
    Conn,
    schema::{alerts, tickets},
    types::{Named, Time},
};
use crate::each;
use crate::error::Error;
use crate::ids::{AgentId, AlertId, AlertLetterId, TeamId, TicketId};
use crate::sla::clock::Metric;
use crate::sla::ladder::Level;
use crate::tickets::model::Priority;
use chrono::DateTime;
use diesel::prelude::*;

/// Which alerts; what is `None` does not filter.
#[derive(Debug, Default, Clone)]
pub struct Filter {
    pub is_open: Option<bool>,
    pub is_acknowledged: Option<bool>,
    pub level: Option<Level>,
    pub metric: Option<Metric>,
    pub priority: Option<Priority>,
    pub team_id: Option<TeamId>,
    pub assignee_id: Option<AgentId>,
    pub ticket_id: Option<TicketId>,
}

/// The ticket of an alert: number, subject, priority, team, assignee.
pub type Whose = (i64, String, Named<Priority>, Option<TeamId>, Option<AgentId>);

macro_rules! listed {
    () => {
        alerts::table.inner_join(tickets::table.on(tickets::id.eq(alerts::ticket_id))).select((
            AlertRow::as_select(),
            (tickets::number, tickets::subject, tickets::priority, tickets::team_id, tickets::assignee_id),
        ))
    };
}

/// A page of alerts, the oldest first: who waits longest is first. One query.
pub fn list(conn: &mut Conn, filter: &Filter, after: Option<(i64, AlertId)>, limit: i64) -> Result<Vec<(AlertRow, Whose)>> {
    let after = match after {
        None => None,
        Some((micros, id)) => {
            let unknown = || Error::field("cursor", "unknown_cursor", "is not a cursor of this list");
            Some((Time(DateTime::from_timestamp_micros(micros).ok_or_else(unknown)?), id))
        }
    };
    Ok(each!(conn, conn => {
        let mut query = listed!().limit(limit).into_boxed();
        match filter.is_open {
            Some(true) => query = query.filter(alerts::ended_at.is_null()),
            Some(false) => query = query.filter(alerts::ended_at.is_not_null()),
            None => {}
        }
        match filter.is_acknowledged {
            Some(true) => query = query.filter(alerts::acknowledged_at.is_not_null()),
            Some(false) => query = query.filter(alerts::acknowledged_at.is_null()),
            None => {}
        }
        if let Some(level) = filter.level {
            query = query.filter(alerts::level.eq(Named(level)));
        }
        if let Some(metric) = filter.metric {
            query = query.filter(alerts::metric.eq(Named(metric)));
        }
        if let Some(priority) = filter.priority {
            query = query.filter(tickets::priority.eq(Named(priority)));
        }
        if let Some(id) = filter.team_id {
            query = query.filter(tickets::team_id.eq(id));
        }
        if let Some(id) = filter.assignee_id {
            query = query.filter(tickets::assignee_id.eq(id));
        }
        if let Some(id) = filter.ticket_id {
            query = query.filter(alerts::ticket_id.eq(id));
        }
        if let Some((at, id)) = after {
            query = query.filter(alerts::raised_at.ge(at).and(alerts::raised_at.gt(at).or(alerts::id.gt(id))));
        }
        query.order((alerts::raised_at, alerts::id)).load(conn)
    })?)
}

/// A page of letters to the staff, newest first.
pub fn letters(conn: &mut Conn, state: Option<LetterState>, before: Option<AlertLetterId>, limit: i64) -> Result<Vec<LetterRow>> {
    store::letters(conn, state, before, limit)
}

/// A letter to the staff.
pub fn letter(conn: &mut Conn, id: AlertLetterId) -> Result<LetterRow> {
    store::letter(conn, id)?.ok_or(Error::NotFound("alert letter"))
}

/// One with its ticket. One query.
pub fn find(conn: &mut Conn, id: AlertId) -> Result<(AlertRow, Whose)> {
    let found: Option<(AlertRow, Whose)> = each!(conn, conn => listed!().filter(alerts::id.eq(id)).first(conn)).optional()?;
    found.ok_or(Error::NotFound("alert"))
}
