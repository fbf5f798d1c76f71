//! Rows of the alarm that nobody is there: one for each time and each place that somebody has to be.
use super::model::{Alarm, Watch};
use crate::Result;
use crate::calendar;
use crate::db::ext::OnConflictExt;
use crate::db::schema::{staffing_alarms, team_members, teams};
use crate::db::{Conn, types::Time};
use crate::each;
use crate::ids::{AgentId, AlertId, CalendarId, TeamId};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// An alarm as stored.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = staffing_alarms, treat_none_as_default_value = false)]
#[expect(missing_docs, reason = "columns")]
pub struct StaffingRow {
    pub id: AlertId,
    pub team_id: Option<TeamId>,
    pub raised_at: Time,
    pub told_at: Time,
    pub times: i32,
    pub acknowledged_at: Option<Time>,
    pub acknowledged_by: Option<AgentId>,
    pub ended_at: Option<Time>,
}

/// The alarms that ring, the desk's first. One query.
pub fn open(conn: &mut Conn) -> Result<Vec<StaffingRow>> {
    let mut rows: Vec<StaffingRow> =
        staffing_alarms::table.filter(staffing_alarms::ended_at.is_null()).select(StaffingRow::as_select()).load(conn)?;
    rows.sort_by_key(|row| row.team_id);
    Ok(rows)
}

/// One; on PostgreSQL locked until the commit. One query.
pub fn lock(conn: &mut Conn, id: AlertId) -> Result<Option<StaffingRow>> {
    let of_id = staffing_alarms::table.find(id);
    Ok(match conn {
        Conn::Pg(conn) => of_id.select(StaffingRow::as_select()).for_update().first(conn).optional()?,
        Conn::Sqlite(conn) => of_id.select(StaffingRow::as_select()).first(conn).optional()?,
    })
}

/// Writes a new one; false where one of that place rings already. One insert, which decides.
pub fn raise(conn: &mut Conn, row: &StaffingRow) -> Result<bool> {
    Ok(each!(conn, conn => diesel::insert_into(staffing_alarms::table).values(row).or_ignore().execute(conn))? == 1)
}

/// Tells one again, unless another node did, or somebody sees to it, or it is over. One update.
pub fn tell_again(conn: &mut Conn, seen: &StaffingRow, now: DateTime<Utc>) -> Result<bool> {
    let same = staffing_alarms::table
        .find(seen.id)
        .filter(staffing_alarms::told_at.eq(seen.told_at).and(staffing_alarms::acknowledged_at.is_null()))
        .filter(staffing_alarms::ended_at.is_null());
    let values = (staffing_alarms::told_at.eq(Time(now)), staffing_alarms::times.eq(seen.times + 1));
    Ok(diesel::update(same).set(values).execute(conn)? == 1)
}

/// Ends one; false where it was over. One update.
pub fn end(conn: &mut Conn, id: AlertId, now: DateTime<Utc>) -> Result<bool> {
    let rings = staffing_alarms::table.find(id).filter(staffing_alarms::ended_at.is_null());
    Ok(diesel::update(rings).set(staffing_alarms::ended_at.eq(Time(now))).execute(conn)? == 1)
}

/// Somebody sees to one that is locked. One update.
pub fn acknowledge(conn: &mut Conn, id: AlertId, by: AgentId, now: DateTime<Utc>) -> Result<()> {
    let values = (staffing_alarms::acknowledged_at.eq(Time(now)), staffing_alarms::acknowledged_by.eq(by));
    diesel::update(staffing_alarms::table.find(id)).set(values).execute(conn)?;
    Ok(())
}

/// What teams are called. One query.
pub fn names(conn: &mut Conn, ids: &[TeamId]) -> Result<HashMap<TeamId, String>> {
    let rows: Vec<(TeamId, String)> = teams::table.filter(teams::id.eq_any(ids)).select((teams::id, teams::name)).load(conn)?;
    Ok(rows.into_iter().collect())
}

/// Where somebody has to be: at the desk, in each team with members and hours of its own, and where an alarm still rings. Three
/// queries, or four where there are such teams.
pub fn watches(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<Watch>> {
    let rows: Vec<(TeamId, Option<CalendarId>, AgentId)> = teams::table
        .inner_join(team_members::table.on(team_members::team_id.eq(teams::id)))
        .filter(teams::calendar_id.is_not_null())
        .select((teams::id, teams::calendar_id, team_members::agent_id))
        .load(conn)?;
    let calendars: BTreeSet<CalendarId> = rows.iter().filter_map(|row| row.1).collect();
    let hours = calendar::in_force_of(conn, &calendars)?;
    let mut alarms: HashMap<Option<TeamId>, Alarm> = HashMap::new();
    for row in open(conn)? {
        alarms.insert(row.team_id, Alarm { told_at: row.told_at.0, is_acknowledged: row.acknowledged_at.is_some() });
    }
    let is_open = calendar::in_force(conn, None)?.is_some_and(|calendar| calendar.hours.is_open(now));
    let mut watches = vec![Watch { team: None, is_open, members: None, alarm: alarms.remove(&None) }];
    let mut teams: BTreeMap<TeamId, (Option<CalendarId>, BTreeSet<AgentId>)> = BTreeMap::new();
    for (team, calendar, agent) in rows {
        let (its, members) = teams.entry(team).or_default();
        *its = calendar;
        members.insert(agent);
    }
    for (team, (calendar, members)) in teams {
        let is_open = calendar.and_then(|id| hours.get(&id)).is_some_and(|hours| hours.is_open(now));
        watches.push(Watch { team: Some(team), is_open, members: Some(members), alarm: alarms.remove(&Some(team)) });
    }
    // A team that lost its hours or its members meanwhile: nobody has to be there any more.
    watches.extend(alarms.into_iter().map(|(team, alarm)| Watch { team, is_open: false, members: None, alarm: Some(alarm) }));
    Ok(watches)
}
