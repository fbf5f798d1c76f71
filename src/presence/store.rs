//! Rows of presence: what agents said, the leases of nodes, the alarm.
use super::model::{PresenceState, Standing};
use super::store_alarms;
use crate::Result;
use crate::db::{
    Conn,
    ext::OnConflictExt,
    schema::{presence, presence_lines, presence_nodes, presence_spells},
    types::{Named, Time},
};
use crate::each;
use crate::ids::{AgentId, NodeId};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

/// What is kept of an agent.
#[derive(Queryable, Selectable, Insertable, Debug, Clone, PartialEq)]
#[diesel(table_name = presence, treat_none_as_default_value = false)]
#[expect(missing_docs, reason = "columns")]
pub struct PresenceRow {
    pub agent_id: AgentId,
    pub state: Named<PresenceState>,
    pub reason: Option<String>,
    pub chats_max: i32,
    pub changed_at: Time,
    pub updated_at: Time,
}

/// One agent's. One query.
pub fn find(conn: &mut Conn, agent: AgentId) -> Result<Option<PresenceRow>> {
    Ok(presence::table.find(agent).select(PresenceRow::as_select()).first(conn).optional()?)
}

/// Writes what an agent is now, in place of what they were. One statement.
pub fn put(conn: &mut Conn, row: &PresenceRow) -> Result<()> {
    let replace = "(agent_id) DO UPDATE SET state = excluded.state, reason = excluded.reason, chats_max = excluded.chats_max, \
                   changed_at = excluded.changed_at, updated_at = excluded.updated_at";
    each!(conn, conn => OnConflictExt::on_conflict(diesel::insert_into(presence::table).values(row.clone()), replace).execute(conn))?;
    Ok(())
}

/// Takes an agent to be gone, unless they said something since. False where they did. One update.
pub fn lose(conn: &mut Conn, seen: &PresenceRow, reason: &str, now: DateTime<Utc>) -> Result<bool> {
    let same = presence::table
        .filter(presence::agent_id.eq(seen.agent_id).and(presence::updated_at.eq(seen.updated_at)))
        .filter(presence::state.ne(Named(PresenceState::Offline)));
    let values = (
        presence::state.eq(Named(PresenceState::Offline)),
        presence::reason.eq(Some(reason)),
        presence::changed_at.eq(Time(now)),
        presence::updated_at.eq(Time(now)),
    );
    Ok(diesel::update(same).set(values).execute(conn)? == 1)
}

/// Notes since when an agent is available. One insert.
pub fn begin_spell(conn: &mut Conn, agent: AgentId, now: DateTime<Utc>) -> Result<()> {
    let row = (presence_spells::agent_id.eq(agent), presence_spells::began_at.eq(Time(now)));
    diesel::insert_into(presence_spells::table).values(row).or_ignore().execute(conn)?;
    Ok(())
}

/// Notes until when an agent was available. One update.
pub fn end_spell(conn: &mut Conn, agent: AgentId, now: DateTime<Utc>) -> Result<()> {
    let open = presence_spells::table.filter(presence_spells::ended_at.is_null().and(presence_spells::agent_id.eq(agent)));
    diesel::update(open).set(presence_spells::ended_at.eq(Time(now))).execute(conn)?;
    Ok(())
}

/// What is known now. One query where presence is not used, else up to seven.
pub fn standing(conn: &mut Conn, now: DateTime<Utc>) -> Result<Standing> {
    type Present = (AgentId, Named<PresenceState>, Time);
    let all: Vec<Present> = presence::table
        .order(presence::agent_id)
        .select((presence::agent_id, presence::state, presence::updated_at))
        .load(conn)?;
    if all.is_empty() {
        return Ok(Standing::default());
    }
    let present = all.into_iter().filter(|one| one.1.0 != PresenceState::Offline);
    let present = present.map(|(id, state, at)| (id, state.0 == PresenceState::Available, at.0)).collect();
    let lines: Vec<(NodeId, AgentId)> =
        presence_lines::table.select((presence_lines::node_id, presence_lines::agent_id)).load(conn)?;
    let nodes: Vec<(NodeId, Time)> =
        presence_nodes::table.select((presence_nodes::id, presence_nodes::lease_until)).load(conn)?;
    Ok(Standing {
        is_used: true,
        present,
        lines: lines.into_iter().map(|(node, agent)| (node.0, agent)).collect(),
        nodes: nodes.into_iter().map(|(node, until)| (node.0, until.0)).collect(),
        watches: store_alarms::watches(conn, now)?,
    })
}

/// Renews the lease of a node. One statement.
pub fn renew(conn: &mut Conn, node: Uuid, until: DateTime<Utc>) -> Result<()> {
    let row = (presence_nodes::id.eq(NodeId(node)), presence_nodes::lease_until.eq(Time(until)));
    let replace = "(id) DO UPDATE SET lease_until = excluded.lease_until";
    each!(conn, conn => OnConflictExt::on_conflict(diesel::insert_into(presence_nodes::table).values(row), replace).execute(conn))?;
    Ok(())
}

/// Forgets nodes that are no longer there, with their streams. One delete.
pub fn bury(conn: &mut Conn, nodes: &[Uuid], now: DateTime<Utc>) -> Result<()> {
    let nodes: Vec<NodeId> = nodes.iter().copied().map(NodeId).collect();
    let dead = presence_nodes::table.filter(presence_nodes::id.eq_any(nodes).and(presence_nodes::lease_until.le(Time(now))));
    diesel::delete(dead).execute(conn)?;
    Ok(())
}

/// Writes whose streams a node has now, and whose no longer. Two statements at the most.
pub fn hold(conn: &mut Conn, node: Uuid, joined: &[AgentId], left: &[AgentId]) -> Result<()> {
    if !left.is_empty() {
        let gone =
            presence_lines::table.filter(presence_lines::node_id.eq(NodeId(node)).and(presence_lines::agent_id.eq_any(left)));
        diesel::delete(gone).execute(conn)?;
    }
    if !joined.is_empty() {
        let rows: Vec<_> =
            joined.iter().map(|agent| (presence_lines::node_id.eq(NodeId(node)), presence_lines::agent_id.eq(*agent))).collect();
        each!(conn, conn => diesel::insert_into(presence_lines::table).values(&rows).on_conflict_do_nothing().execute(conn))?;
    }
    Ok(())
}
