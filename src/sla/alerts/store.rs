//! Rows of alerts and of the letters about them.
use crate::Result;
use crate::accounts::rights::Role;
use crate::db::{
    Conn,
    schema::{agents, alert_letters, alerts, team_members, tickets},
    types::{Named, Time},
};
use crate::each;
use crate::ids::{AgentId, AlertId, AlertLetterId, ClockId, TeamId, TicketId};
use crate::sla::clock::Metric;
use crate::sla::ladder::{EndReason, Level};
use crate::tickets::model::{Priority, Status};
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// An alert as stored.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = alerts, treat_none_as_default_value = false)]
pub struct AlertRow {
    pub id: AlertId,
    pub ticket_id: TicketId,
    pub clock_id: ClockId,
    pub metric: Named<Metric>,
    pub level: Named<Level>,
    pub raised_at: Time,
    pub step: i32,
    pub next_at: Option<Time>,
    pub told_at: Option<Time>,
    pub acknowledged_at: Option<Time>,
    pub acknowledged_by: Option<AgentId>,
    pub ended_at: Option<Time>,
    pub end_reason: Option<Named<EndReason>>,
}

names! {
    /// Where a letter about alerts stands.
    pub enum LetterState {
        /// Waits to be sent, or to be tried again.
        Queued = "queued",
        /// Taken by the mail server, or in the folder.
        Sent = "sent",
        /// Given up.
        Parked = "parked",
    }
}

/// A letter about alerts as stored.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = alert_letters, treat_none_as_default_value = false)]
pub struct LetterRow {
    pub id: AlertLetterId,
    pub agent_id: AgentId,
    pub recipient: String,
    pub subject: String,
    pub text_body: String,
    pub html_body: String,
    pub state: Named<LetterState>,
    pub attempts: i32,
    pub last_error: Option<String>,
    pub created_at: Time,
    pub sent_at: Option<Time>,
}

/// What an alert needs to know of its ticket: id, number, subject, status, priority, team, assignee.
pub type About = (TicketId, i64, String, Named<Status>, Named<Priority>, Option<TeamId>, Option<AgentId>);

/// Writes alerts. One insert.
pub fn insert(conn: &mut Conn, rows: &[AlertRow]) -> Result<()> {
    each!(conn, conn => diesel::insert_into(alerts::table).values(rows).execute(conn))?;
    Ok(())
}

/// Ends the open alerts of these clocks, of one level or of both. One update.
pub fn end(conn: &mut Conn, clocks: &[ClockId], level: Option<Level>, reason: EndReason, now: DateTime<Utc>) -> Result<()> {
    let levels: Vec<Named<Level>> = level.map_or(Level::ALL.to_vec(), |level| vec![level]).into_iter().map(Named).collect();
    let open = alerts::clock_id.eq_any(clocks).and(alerts::ended_at.is_null()).and(alerts::level.eq_any(levels));
    each!(conn, conn => diesel::update(alerts::table.filter(open))
        .set((
            alerts::ended_at.eq(Time(now)),
            alerts::end_reason.eq(Named(reason)),
            alerts::next_at.eq(None::<Time>),
        ))
        .execute(conn))?;
    Ok(())
}

/// Alerts whose next step is due, the longest due first. One index range.
pub fn due(conn: &mut Conn, now: DateTime<Utc>, limit: i64) -> Result<Vec<AlertRow>> {
    let due = alerts::table.filter(alerts::next_at.le(Time(now))).order(alerts::next_at).limit(limit);
    Ok(each!(conn, conn => due.select(AlertRow::as_select()).load(conn))?)
}

/// When the next step of any alert is due. One look at the index.
pub fn next_due(conn: &mut Conn) -> Result<Option<DateTime<Utc>>> {
    let next: Option<Option<Time>> = alerts::table
        .filter(alerts::next_at.is_not_null())
        .order(alerts::next_at)
        .select(alerts::next_at)
        .first(conn)
        .optional()?;
    Ok(next.flatten().map(|at| at.0))
}

/// Saves a step; false where another node took it first, or it was acknowledged meanwhile.
pub fn save(conn: &mut Conn, before: &AlertRow, after: &AlertRow) -> Result<bool> {
    let held = alerts::table.find(before.id).filter(alerts::next_at.eq(before.next_at));
    let saved = each!(conn, conn => diesel::update(held)
        .set((
            alerts::step.eq(after.step),
            alerts::next_at.eq(after.next_at),
            alerts::told_at.eq(after.told_at),
            alerts::ended_at.eq(after.ended_at),
            alerts::end_reason.eq(after.end_reason),
        ))
        .execute(conn))?;
    Ok(saved == 1)
}

/// One to acknowledge; on PostgreSQL locked until the commit.
pub fn find(conn: &mut Conn, id: AlertId) -> Result<Option<AlertRow>> {
    Ok(match conn {
        Conn::Pg(conn) => alerts::table.find(id).select(AlertRow::as_select()).for_update().first(conn).optional()?,
        Conn::Sqlite(conn) => alerts::table.find(id).select(AlertRow::as_select()).first(conn).optional()?,
    })
}

/// Somebody has it: it is not told again.
pub fn acknowledge(conn: &mut Conn, id: AlertId, by: AgentId, now: DateTime<Utc>) -> Result<()> {
    diesel::update(alerts::table.find(id))
        .set((alerts::acknowledged_at.eq(Time(now)), alerts::acknowledged_by.eq(by), alerts::next_at.eq(None::<Time>)))
        .execute(conn)?;
    Ok(())
}

/// The tickets of alerts. One query.
pub fn about(conn: &mut Conn, ids: &[TicketId]) -> Result<Vec<About>> {
    let columns = (
        tickets::id,
        tickets::number,
        tickets::subject,
        tickets::status,
        tickets::priority,
        tickets::team_id,
        tickets::assignee_id,
    );
    Ok(tickets::table.filter(tickets::id.eq_any(ids)).select(columns).load(conn)?)
}

/// Active agents with role and address: these, and all managers and admins. One query.
pub fn people(conn: &mut Conn, ids: &[AgentId]) -> Result<Vec<(AgentId, Named<Role>, String)>> {
    let roles = [Named(Role::Manager), Named(Role::Admin)];
    Ok(agents::table
        .filter(agents::disabled_at.is_null().and(agents::id.eq_any(ids).or(agents::role.eq_any(roles))))
        .select((agents::id, agents::role, agents::email))
        .load(conn)?)
}

/// Members of these teams. One query.
pub fn members(conn: &mut Conn, teams: &[TeamId]) -> Result<Vec<(TeamId, AgentId)>> {
    Ok(team_members::table
        .filter(team_members::team_id.eq_any(teams))
        .select((team_members::team_id, team_members::agent_id))
        .load(conn)?)
}

/// Writes letters. One insert.
pub fn insert_letters(conn: &mut Conn, rows: &[LetterRow]) -> Result<()> {
    each!(conn, conn => diesel::insert_into(alert_letters::table).values(rows).execute(conn))?;
    Ok(())
}

/// A letter by id.
pub fn letter(conn: &mut Conn, id: AlertLetterId) -> Result<Option<LetterRow>> {
    Ok(each!(conn, conn => alert_letters::table.find(id).select(LetterRow::as_select()).first(conn)).optional()?)
}

/// How a try to send a letter ended; `error` is none where it was taken.
pub fn tried(conn: &mut Conn, id: AlertLetterId, error: Option<&str>, now: DateTime<Utc>) -> Result<()> {
    let (state, sent_at) = match error {
        None => (LetterState::Sent, Some(Time(now))),
        Some(_) => (LetterState::Queued, None),
    };
    diesel::update(alert_letters::table.find(id))
        .set((
            alert_letters::state.eq(Named(state)),
            alert_letters::attempts.eq(alert_letters::attempts + 1),
            alert_letters::last_error.eq(error),
            alert_letters::sent_at.eq(sent_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// A letter that was given up waits to be tried again.
pub fn queue_again(conn: &mut Conn, id: AlertLetterId) -> Result<()> {
    diesel::update(alert_letters::table.find(id)).set(alert_letters::state.eq(Named(LetterState::Queued))).execute(conn)?;
    Ok(())
}

/// A page of letters, newest first. One index range.
pub fn letters(conn: &mut Conn, state: Option<LetterState>, before: Option<AlertLetterId>, limit: i64) -> Result<Vec<LetterRow>> {
    use alert_letters as l;
    Ok(each!(conn, conn => {
        let mut query = l::table.select(LetterRow::as_select()).limit(limit).into_boxed();
        if let Some(state) = state {
            query = query.filter(l::state.eq(Named(state)));
        }
        if let Some(id) = before {
            query = query.filter(l::id.lt(id));
        }
        query.order(l::id.desc()).load(conn)
    })?)
}

/// A letter was given up.
pub fn park(conn: &mut Conn, id: AlertLetterId, error: &str) -> Result<()> {
    diesel::update(alert_letters::table.find(id))
        .set((alert_letters::state.eq(Named(LetterState::Parked)), alert_letters::last_error.eq(error)))
        .execute(conn)?;
    Ok(())
}
