//! The verbs between tickets: merge, unmerge, link, unlink. Each is one transaction, and an event on both.
use super::model::{self, LinkKind, Part};
use super::queries::{HAS_LINKS, HAS_MERGED};
use super::store::{self, MergeRow, Was};
use crate::accounts::caller::Agent;
use crate::config::Config;
use crate::db::{
    Conn,
    types::{Json, Time},
};
use crate::error::{Error, Result};
use crate::ids::TicketId;
use crate::seen::Seen;
use crate::surveys;
use crate::tickets::commands::{Whole, load, lock, save};
use crate::tickets::model::{Action, Status, Ticket};
use crate::tickets::queries;
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, Utc};
use serde_json::json;

/// What a merge has to do with receipts; kept as microseconds, as they are stored.
fn instant(micros: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| Error::internal("a stored receipt is out of range"))
}

/// Two tickets are one request: `id` is closed without a survey, and what the contact writes to it goes to `into` from now on. That one
/// shows the messages of both, and its promises that still run began when the earlier of both was received.
pub fn merge(
    conn: &mut Conn,
    config: &Config,
    agent: &Agent,
    id: TicketId,
    seen: Seen,
    into: TicketId,
    now: DateTime<Utc>,
) -> Result<Whole> {
    lock(conn, &[id, into])?;
    let (mut ticket, mut clocks) = load(conn, id, seen)?;
    let (mut survivor, mut promises) = load(conn, into, Seen(None)).map_err(|error| match error {
        Error::NotFound(_) => Error::field("into", "unknown_ticket", "is no ticket"),
        other => other,
    })?;
    let beside = store::merged_into(conn, into)?;
    let has_merged = !store::merged_into(conn, id)?.is_empty();
    model::may_merge(part(&ticket, has_merged), part(&survivor, !beside.is_empty()))?;
    let actor = Actor::Agent(agent.id());
    let own_received_micros = match beside.into_iter().next() {
        Some((_, was)) => was.to::<Was>()?.own_received_micros,
        None => survivor.received_at.timestamp_micros(),
    };
    let was = Was { status: ticket.status, held: clocks.hold(conn, actor, now)?, own_received_micros };
    if ticket.status != Status::Closed {
        ticket.apply(Action::Close, now)?;
        surveys::commands::invite(conn, config, &ticket, &[], now)?;
    }
    surveys::commands_merged::skip(conn, id, ticket.close_count, now)?;
    (ticket.merged_into_id, ticket.updated_at, survivor.updated_at) = (Some(into), now, now);
    let row = MergeRow { ticket_id: id, into_id: into, agent_id: Some(agent.id()), at: Time(now), was: Json::of(&was)? };
    store::insert_merge(conn, &row)?;
    store::mark(conn, [into, into], HAS_MERGED)?;
    let before = survivor.received_at;
    survivor.received_at = model::received_at(before, [ticket.received_at]);
    if survivor.received_at != before {
        store::set_received_at(conn, into, survivor.received_at)?;
        promises.restart(conn, survivor.received_at, actor, now)?;
    }
    let data = json!({
        "ticket_id": id, "number": ticket.number, "into_id": into, "into_number": survivor.number,
        "status": { "before": was.status, "after": ticket.status },
        "received_at": { "before": before, "after": survivor.received_at },
    });
    for one in [id, into] {
        timeline::record(conn, one, Kind::TicketMerged, actor, now, data.clone())?;
    }
    save(conn, survivor, promises)?;
    save(conn, ticket, clocks)
}

/// They were two requests after all: the merged one stands where it stood, and its promises run on from here. What was
/// said since stays where it was said; what is broken stays broken.
pub fn unmerge(conn: &mut Conn, agent: &Agent, id: TicketId, seen: Seen, now: DateTime<Utc>) -> Result<Whole> {
    let not_merged = || Error::conflict("not_merged", "the ticket is not merged into another");
    let into = queries::find(conn, id)?.merged_into_id.ok_or_else(not_merged)?;
    lock(conn, &[id, into])?;
    let (mut ticket, mut clocks) = load(conn, id, seen)?;
    let row = store::find_merge(conn, id)?.filter(|row| row.into_id == into).ok_or_else(not_merged)?;
    let was: Was = row.was.to()?;
    let (mut survivor, mut promises) = load(conn, into, Seen(None))?;
    let actor = Actor::Agent(agent.id());
    (ticket.merged_into_id, ticket.updated_at, survivor.updated_at) = (None, now, now);
    if was.status != Status::Closed {
        ticket.apply(Action::Reopen, now)?;
        ticket.apply(Action::SetStatus(was.status), now)?;
    }
    clocks.release(conn, &was.held, actor, now)?;
    store::delete_merge(conn, id)?;
    let others = store::merged_into(conn, into)?.into_iter().map(|(at, _)| at.0);
    let before = survivor.received_at;
    survivor.received_at = model::received_at(instant(was.own_received_micros)?, others);
    if survivor.received_at != before {
        store::set_received_at(conn, into, survivor.received_at)?;
        promises.restart(conn, survivor.received_at, actor, now)?;
    }
    let data = json!({
        "ticket_id": id, "number": ticket.number, "into_id": into, "into_number": survivor.number, "status": ticket.status,
        "received_at": { "before": before, "after": survivor.received_at },
    });
    for one in [id, into] {
        timeline::record(conn, one, Kind::TicketUnmerged, actor, now, data.clone())?;
    }
    save(conn, survivor, promises)?;
    save(conn, ticket, clocks)
}

fn part(ticket: &Ticket, has_merged: bool) -> Part {
    Part { id: ticket.id, status: ticket.status, is_merged: ticket.merged_into_id.is_some(), has_merged }
}

/// Links two tickets, or says anew how; one link between two.
pub fn link(conn: &mut Conn, actor: Actor, (id, other): (TicketId, TicketId), kind: LinkKind, now: DateTime<Utc>) -> Result<()> {
    if id == other {
        return Err(Error::conflict("same_ticket", "a ticket cannot be linked to itself"));
    }
    lock(conn, &[id, other])?;
    queries::must_exist(conn, id)?;
    queries::must_exist(conn, other)?;
    let before = store::find_link(conn, id, other)?;
    if before.is_some_and(|(from, before)| from == id && before.0 == kind) {
        return Ok(());
    }
    if before.is_some() {
        store::delete_link(conn, id, other)?;
    }
    let agent = match actor {
        Actor::Agent(id) => Some(id),
        Actor::Machine(_) | Actor::Contact(_) | Actor::Desk => None,
    };
    store::insert_link(conn, (id, other), kind, agent, now)?;
    store::mark(conn, [id, other], HAS_LINKS)?;
    let data = json!({ "ticket_id": id, "other_id": other, "kind": kind, "before": before.map(|(_, kind)| kind.0) });
    for one in [id, other] {
        timeline::record(conn, one, Kind::TicketLinked, actor, now, data.clone())?;
    }
    Ok(())
}

/// Takes the link between two tickets away, from whichever end it was set.
pub fn unlink(conn: &mut Conn, agent: &Agent, (id, other): (TicketId, TicketId), now: DateTime<Utc>) -> Result<()> {
    lock(conn, &[id, other])?;
    queries::must_exist(conn, id)?;
    let (from, kind) = store::find_link(conn, id, other)?.ok_or(Error::NotFound("link"))?;
    store::delete_link(conn, id, other)?;
    let to = if from == id { other } else { id };
    let data = json!({ "ticket_id": from, "other_id": to, "kind": kind.0 });
    for one in [id, other] {
        timeline::record(conn, one, Kind::TicketUnlinked, Actor::Agent(agent.id()), now, data.clone())?;
    }
    Ok(())
}
