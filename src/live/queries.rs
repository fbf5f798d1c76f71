//! Events as listeners are told of them, with whose they were.
use super::model::{self, Move, Topic};
use crate::Result;
use crate::db::{
    Conn,
    schema::{events, import_keys, teams, tickets},
    types::{Json, Named, Time},
};
use crate::ids::{TeamId, TicketId};
use crate::timeline::{ActorId, Kind};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// What `import_keys` calls tickets.
const TICKETS: &str = "tickets";

/// An event, rendered once for all who listen.
#[derive(Debug)]
pub struct Told {
    /// Its number.
    pub id: i64,
    /// What it is about.
    pub topic: Topic,
    /// The ticket whose history it is in.
    pub ticket_id: Option<TicketId>,
    /// Whose it was and is.
    pub teams: (Option<TeamId>, Option<TeamId>),
    /// The frame.
    pub text: String,
}

/// A stretch of history.
#[derive(Debug, Default)]
pub struct Batch {
    /// Everything up to here is in it, or was before it.
    pub reaches: i64,
    /// What is told of it, in order.
    pub told: Vec<Told>,
    /// Whether the stretch went on.
    pub is_full: bool,
    /// Whether somebody's access may have changed.
    pub is_about_access: bool,
}

/// What a frame says.
#[derive(Serialize)]
struct Data {
    id: i64,
    kind: Kind,
    ticket_id: Option<TicketId>,
    team_id: Option<TeamId>,
    actor: String,
    actor_id: Option<Uuid>,
    at: DateTime<Utc>,
    data: serde_json::Value,
}

type Row = (i64, Option<TicketId>, Named<Kind>, String, Option<ActorId>, Time, Json);

/// The events after `after` up to `until`, at most `limit` of them, on one snapshot: one query where there are none, else four.
pub fn between(conn: &mut Conn, after: i64, until: i64, limit: i64) -> Result<Batch> {
    conn.snapshot(|conn| {
        let rows: Vec<Row> = events::table
            .filter(events::id.gt(after).and(events::id.le(until)))
            .order(events::id)
            .limit(limit)
            .select((events::id, events::ticket_id, events::kind, events::actor, events::actor_id, events::at, events::data))
            .load(conn)?;
        let is_full = rows.len() as i64 == limit;
        let reaches = rows.last().filter(|_| is_full).map_or(until, |row| row.0);
        let is_about_access = rows.iter().any(|row| matches!(row.2.0, Kind::Changed | Kind::Removed));
        let ids: Vec<TicketId> = rows.iter().filter_map(|row| row.1).collect::<BTreeSet<_>>().into_iter().collect();
        let history = if ids.is_empty() { Histories::default() } else { Histories::of(conn, &ids, after)? };
        let mut told = Vec::with_capacity(rows.len());
        for row in rows {
            told.extend(history.tell(row)?);
        }
        Ok(Batch { reaches, told, is_full, is_about_access })
    })
}

/// Whose the tickets of a stretch are, were, and which of their events were brought from elsewhere.
#[derive(Default)]
struct Histories {
    now: HashMap<TicketId, Option<TeamId>>,
    moves: HashMap<TicketId, Vec<Move>>,
    /// What was imported happened long ago: nobody is told of it.
    imported: HashMap<Uuid, i64>,
}

impl Histories {
    fn of(conn: &mut Conn, ids: &[TicketId], after: i64) -> Result<Self> {
        let now: Vec<(TicketId, Option<TeamId>)> =
            tickets::table.filter(tickets::id.eq_any(ids)).select((tickets::id, tickets::team_id)).load(conn)?;
        let handed: Vec<(Option<TicketId>, i64, Json)> = events::table
            .filter(events::ticket_id.eq_any(ids).and(events::id.gt(after)))
            .filter(events::kind.eq(Named(Kind::HandedOver)))
            .order(events::id)
            .select((events::ticket_id, events::id, events::data))
            .load(conn)?;
        let mut moves: HashMap<TicketId, Vec<Move>> = HashMap::new();
        for (ticket, event_id, data) in handed {
            let from = data.0.get("before").and_then(|team| team.as_str()).and_then(|text| text.parse().ok());
            if let Some(ticket) = ticket {
                moves.entry(ticket).or_default().push(Move { event_id, from });
            }
        }
        let objects: Vec<ActorId> = ids.iter().map(|id| ActorId(id.0)).collect();
        let imported: Vec<(ActorId, i64)> = import_keys::table
            .filter(import_keys::kind.eq(TICKETS).and(import_keys::object_id.eq_any(objects)))
            .select((import_keys::object_id, import_keys::last_event_id))
            .load(conn)?;
        let imported = imported.into_iter().map(|(id, last)| (id.0, last)).collect();
        Ok(Self { now: now.into_iter().collect(), moves, imported })
    }

    fn tell(&self, (id, ticket_id, kind, actor, actor_id, at, data): Row) -> Result<Option<Told>> {
        let Some(topic) = model::topic(kind.0) else { return Ok(None) };
        if ticket_id.and_then(|ticket| self.imported.get(&ticket.0)).is_some_and(|last| id <= *last) {
            return Ok(None);
        }
        let teams = ticket_id.map_or((None, None), |ticket| {
            let moves = self.moves.get(&ticket).map_or(&[][..], Vec::as_slice);
            model::teams_at(id, moves, self.now.get(&ticket).copied().flatten())
        });
        let (kind, team_id, actor_id) = (kind.0, teams.1, actor_id.map(|id| id.0));
        let data = Data { id, kind, ticket_id, team_id, actor, actor_id, at: at.0, data: data.0 };
        Ok(Some(Told { id, topic, ticket_id, teams, text: model::frame(id, topic, &data)? }))
    }
}

/// Whether all of these are teams. One query.
pub fn are_teams(conn: &mut Conn, ids: &[TeamId]) -> Result<bool> {
    let known: i64 = teams::table.filter(teams::id.eq_any(ids)).count().get_result(conn)?;
    Ok(known == ids.len() as i64)
}
