//! Rows of saved views.
use super::model::{self, Audience, Standing};
use crate::accounts::caller::Agent;
use crate::accounts::rights::Role;
use crate::accounts::teams;
use crate::db::{
    Conn,
    schema::{saved_views as v, team_members},
    types::{Json, Named, Time},
};
use crate::error::{Error, Result};
use crate::ids::{AgentId, TeamId, ViewId};
use crate::seen::Seen;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// A view as stored.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = v, treat_none_as_default_value = false)]
pub(super) struct ViewRow {
    pub id: ViewId,
    pub name: String,
    pub audience: Named<Audience>,
    pub agent_id: AgentId,
    pub team_id: Option<TeamId>,
    pub filter: Json,
    pub version: i32,
    pub created_at: Time,
    pub updated_at: Time,
}

/// How an agent stands to a view. One query where it is a team's.
fn standing(conn: &mut Conn, agent: &Agent, row: &ViewRow) -> Result<Standing> {
    let is_member = match row.team_id {
        None => false,
        Some(team) => {
            let member = team_members::table.find((team, agent.id())).select(team_members::agent_id);
            member.first::<AgentId>(conn).optional()?.is_some()
        }
    };
    Ok(Standing { role: agent.role(), is_maker: row.agent_id == agent.id(), is_member })
}

/// Refuses a view that an agent may not keep, or that does not name its team.
fn check(conn: &mut Conn, agent: &Agent, row: &ViewRow) -> Result<()> {
    match (row.audience.0, row.team_id) {
        (Audience::Team, None) => return Err(Error::field("team_id", "one_of", "a team's view names its team")),
        (Audience::Own | Audience::Everyone, Some(_)) => {
            return Err(Error::field("team_id", "one_of", "only a team's view names a team"));
        }
        (Audience::Team, Some(team)) if teams::calendar_of(conn, team)?.is_none() => {
            return Err(Error::field("team_id", "unknown_team", "is no team"));
        }
        _ => {}
    }
    if model::may_keep(row.audience.0, standing(conn, agent, row)?) {
        return Ok(());
    }
    Err(Error::forbidden("not_your_view", "a team's views are kept by its members, everyone's by managers"))
}

/// Writes a new one.
pub(super) fn insert(conn: &mut Conn, agent: &Agent, row: ViewRow) -> Result<ViewRow> {
    check(conn, agent, &row)?;
    diesel::insert_into(v::table).values(&row).execute(conn)?;
    Ok(row)
}

/// One by id, where the agent sees it.
pub(super) fn find(conn: &mut Conn, agent: &Agent, id: ViewId) -> Result<ViewRow> {
    let found: Option<ViewRow> = v::table.find(id).select(ViewRow::as_select()).first(conn).optional()?;
    let row = found.ok_or(Error::NotFound("view"))?;
    if model::may_see(row.audience.0, standing(conn, agent, &row)?) { Ok(row) } else { Err(Error::NotFound("view")) }
}

/// A page after `after`, by age, of those that the agent sees. One query.
pub(super) fn list(conn: &mut Conn, agent: &Agent, after: Option<ViewId>, limit: i64) -> Result<Vec<ViewRow>> {
    let mut query = v::table.select(ViewRow::as_select()).order(v::id).limit(limit).into_boxed();
    let shared = v::agent_id.eq(agent.id()).or(v::audience.eq(Named(Audience::Everyone)));
    let team = v::audience.eq(Named(Audience::Team));
    query = if agent.role() >= Role::Manager {
        query.filter(shared.or(team))
    } else {
        let theirs = team_members::table.filter(team_members::agent_id.eq(agent.id())).select(team_members::team_id.nullable());
        query.filter(shared.or(team.and(v::team_id.eq_any(theirs).assume_not_null())))
    };
    if let Some(after) = after {
        query = query.filter(v::id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// One that the agent may keep, at the version that they saw.
fn keep(conn: &mut Conn, agent: &Agent, id: ViewId, seen: Seen) -> Result<ViewRow> {
    let row = find(conn, agent, id)?;
    seen.check(row.version)?;
    check(conn, agent, &row)?;
    Ok(row)
}

/// Changes what `patch` names.
pub(super) fn update(
    conn: &mut Conn,
    agent: &Agent,
    (id, seen): (ViewId, Seen),
    now: DateTime<Utc>,
    patch: impl FnOnce(&mut ViewRow),
) -> Result<ViewRow> {
    let mut row = keep(conn, agent, id, seen)?;
    let version = row.version;
    patch(&mut row);
    check(conn, agent, &row)?;
    row.version += 1;
    row.updated_at = Time(now);
    let changed = diesel::update(v::table.find(id).filter(v::version.eq(version)))
        .set((
            v::name.eq(&row.name),
            v::audience.eq(row.audience),
            v::team_id.eq(row.team_id),
            v::filter.eq(&row.filter),
            v::version.eq(row.version),
            v::updated_at.eq(row.updated_at),
        ))
        .execute(conn)?;
    if changed == 0 { Err(Error::Stale { current: version + 1 }) } else { Ok(row) }
}

/// Takes one away.
pub(super) fn remove(conn: &mut Conn, agent: &Agent, id: ViewId, seen: Seen) -> Result<()> {
    keep(conn, agent, id, seen)?;
    diesel::delete(v::table.find(id)).execute(conn)?;
    Ok(())
}
