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
use crate::presence::queries_alarms::{self, StaffingRow};
use crate::sla::clock::Metric;
use crate::sla::ladder::{About, Level};
use crate::tickets::model::Priority;
use chrono::DateTime;
use diesel::prelude::*;

/// Which alerts; what is `None` does not filter.
#[derive(Debug, Default, Clone)]
pub struct Filter {
    pub about: Option<About>,
    pub is_open: Option<bool>,
    pub is_acknowledged: Option<bool>,
    pub level: Option<Level>,
    pub metric: Option<Metric>,
    pub priority: Option<Priority>,
    pub team_id: Option<TeamId>,
    pub assignee_id: Option<AgentId>,
    pub ticket_id: Option<TicketId>,
}

impl Filter {
    /// Whether what has no ticket can pass.
    fn may_be_staffing(&self) -> bool {
        let is_of_ticket = self.level.is_some()
            || self.metric.is_some()
            || self.priority.is_some()
            || self.assignee_id.is_some()
            || self.ticket_id.is_some();
        !is_of_ticket && self.about != Some(About::Promise)
    }
}

/// What an alert is about: a promise of a ticket, or a place where nobody is.
#[derive(Debug, Clone)]
pub enum Alert {
    /// A warning or a breach.
    Promise(AlertRow, Whose),
    /// The desk or a team is open and nobody is available.
    Staffing(StaffingRow),
}

impl Alert {
    /// Its place in the list.
    pub fn key(&self) -> (i64, AlertId) {
        match self {
            Self::Promise(row, _) => (row.raised_at.0.timestamp_micros(), row.id),
            Self::Staffing(row) => (row.raised_at.0.timestamp_micros(), row.id),
        }
    }
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

/// A page of alerts, the oldest first: who waits longest is first. Two queries.
pub fn list(conn: &mut Conn, filter: &Filter, after: Option<(i64, AlertId)>, limit: i64) -> Result<Vec<Alert>> {
    let after = match after {
        None => None,
        Some((micros, id)) => {
            let unknown = || Error::field("cursor", "unknown_cursor", "is not a cursor of this list");
            Some((Time(DateTime::from_timestamp_micros(micros).ok_or_else(unknown)?), id))
        }
    };
    let mut all = Vec::new();
    if filter.about != Some(About::Staffing) {
        let rows = of_promises(conn, filter, after, limit)?;
        all.extend(rows.into_iter().map(|(row, whose)| Alert::Promise(row, whose)));
    }
    if filter.may_be_staffing() {
        let Filter { is_open, is_acknowledged, team_id, .. } = *filter;
        let own = queries_alarms::Filter { is_open, is_acknowledged, team_id };
        let rows = queries_alarms::list(conn, &own, after.map(|(at, id)| (at.0, id)), limit)?;
        all.extend(rows.into_iter().map(Alert::Staffing));
    }
    all.sort_by_key(Alert::key);
    all.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(all)
}

fn of_promises(conn: &mut Conn, filter: &Filter, after: Option<(Time, AlertId)>, limit: i64) -> Result<Vec<(AlertRow, Whose)>> {
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

/// One with what it is about. Two queries at the most.
pub fn find(conn: &mut Conn, id: AlertId) -> Result<Alert> {
    let found: Option<(AlertRow, Whose)> = each!(conn, conn => listed!().filter(alerts::id.eq(id)).first(conn)).optional()?;
    match found {
        Some((row, whose)) => Ok(Alert::Promise(row, whose)),
        None => Ok(Alert::Staffing(queries_alarms::find(conn, id)?)),
    }
}
