//! Alarms that nobody is there, for lists.
pub use super::store_alarms::StaffingRow;
use super::store_alarms::{self as store};
use crate::Result;
use crate::db::schema::staffing_alarms;
use crate::db::{Conn, types::Time};
use crate::each;
use crate::error::Error;
use crate::ids::{AlertId, TeamId};
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// Which alarms; what is `None` does not filter.
#[derive(Debug, Default, Clone)]
#[expect(missing_docs, reason = "the words of the domain")]
pub struct Filter {
    pub is_open: Option<bool>,
    pub is_acknowledged: Option<bool>,
    pub team_id: Option<TeamId>,
}

/// The alarm of the desk, where it rings. One query.
pub fn of_desk(conn: &mut Conn) -> Result<Option<StaffingRow>> {
    Ok(store::open(conn)?.into_iter().find(|row| row.team_id.is_none()))
}

/// One. One query.
pub fn find(conn: &mut Conn, id: AlertId) -> Result<StaffingRow> {
    let found = staffing_alarms::table.find(id).select(StaffingRow::as_select()).first(conn).optional()?;
    found.ok_or(Error::NotFound("alert"))
}

/// A page of alarms after an instant and an id, the oldest first. One query.
pub fn list(conn: &mut Conn, filter: &Filter, after: Option<(DateTime<Utc>, AlertId)>, limit: i64) -> Result<Vec<StaffingRow>> {
    use staffing_alarms as s;
    Ok(each!(conn, conn => {
        let mut query = s::table.select(StaffingRow::as_select()).limit(limit).into_boxed();
        match filter.is_open {
            Some(true) => query = query.filter(s::ended_at.is_null()),
            Some(false) => query = query.filter(s::ended_at.is_not_null()),
            None => {}
        }
        match filter.is_acknowledged {
            Some(true) => query = query.filter(s::acknowledged_at.is_not_null()),
            Some(false) => query = query.filter(s::acknowledged_at.is_null()),
            None => {}
        }
        if let Some(id) = filter.team_id {
            query = query.filter(s::team_id.eq(id));
        }
        if let Some((at, id)) = after {
            let at = Time(at);
            query = query.filter(s::raised_at.ge(at).and(s::raised_at.gt(at).or(s::id.gt(id))));
        }
        query.order((s::raised_at, s::id)).load(conn)
    })?)
}
