//! How chats end: the visitor goes away, either side is done, or the visitor is kept out. Each verb is one transaction.
use super::commands_offers as offers;
use super::model::{ChatEnd, ChatState, OfferOutcome, Silence};
use super::store::{self, ChatRow};
use crate::accounts::caller::Agent;
use crate::accounts::contacts;
use crate::config::Config;
use crate::db::Conn;
use crate::db::types::{Named, Time};
use crate::error::{Error, Result};
use crate::ids::{ChatId, LineId};
use crate::seen::Seen;
use crate::sla::corrections::Known;
use crate::tickets::commands_calls::{self as calls, Callback, Change};
use crate::tickets::{commands as tickets, commands_chats as verbs};
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, Utc};
use serde_json::json;

/// Nobody is waited for any more: offers end, and a promise that was still in time is withdrawn.
pub(super) fn withdraw(conn: &mut Conn, row: &ChatRow, at: DateTime<Utc>, now: DateTime<Utc>) -> Result<()> {
    store::end_all_offers(conn, row.id, OfferOutcome::Withdrawn, now)?;
    let known = Known { started_at: Some(row.asked_at.0), reached: None, given_up_at: Some(at), withdrawn: None };
    let change = Change {
        actor: Actor::Contact(row.contact_id),
        pickup: row.pickup_clock_id.map(|clock| (clock, known)),
        callback: Callback::None,
        said: None,
        because: json!({ "chat_id": row.id, "gave_up_at": at }),
    };
    calls::follow(conn, row.ticket_id, change, now)?;
    Ok(())
}

/// The visitor of a chat that waits, which is locked, went away at `at`.
pub(super) fn give_up(conn: &mut Conn, row: &mut ChatRow, at: DateTime<Utc>, now: DateTime<Utc>) -> Result<()> {
    withdraw(conn, row, at, now)?;
    (row.state, row.ended_at, row.ended_by) = (Named(ChatState::Abandoned), Some(Time(at)), Some(Named(ChatEnd::Visitor)));
    row.next_at = None;
    store::save(conn, row)?;
    let data = json!({ "chat_id": row.id, "waited_seconds": (at - row.asked_at.0).num_seconds() });
    timeline::record(conn, row.ticket_id, Kind::ChatAbandoned, Actor::Contact(row.contact_id), at, data)?;
    owe(conn, row, at.max(row.asked_at.0))
}

/// Whoever can be written to is answered.
pub(super) fn owe(conn: &mut Conn, row: &ChatRow, at: DateTime<Utc>) -> Result<()> {
    match contacts::primary_email(conn, row.contact_id)? {
        Some(_) => verbs::owe_an_answer(conn, row.ticket_id, at),
        None => Ok(()),
    }
}

/// A visitor's connection is there.
pub fn arrive(conn: &mut Conn, config: &Config, id: ChatId, line: LineId) -> Result<ChatRow> {
    let mut row = store::lock(conn, id)?;
    (row.line, row.gone_at) = (Some(line), None);
    if row.state.0 == ChatState::Waiting {
        row.next_at = Some(Time(offers::next_look(config, &row)));
    }
    store::save(conn, &row)?;
    Ok(row)
}

/// A visitor's connection ended; unless another one took its place, who waits has a moment to come back.
pub fn depart(conn: &mut Conn, config: &Config, id: ChatId, line: LineId, now: DateTime<Utc>) -> Result<()> {
    let mut row = store::lock(conn, id)?;
    if row.line != Some(line) || !row.state.0.is_open() {
        return Ok(());
    }
    row.gone_at = Some(Time(now));
    if row.state.0 == ChatState::Waiting {
        row.next_at = Some(Time(offers::next_look(config, &row)));
    }
    store::save(conn, &row)
}

/// Ends a chat: whoever waits goes away; whoever talks is done, and so is the ticket. One that is over stays as it is.
pub fn end_by_visitor(conn: &mut Conn, config: &Config, id: ChatId, now: DateTime<Utc>) -> Result<ChatRow> {
    let mut row = store::lock(conn, id)?;
    match row.state.0 {
        ChatState::Waiting => give_up(conn, &mut row, now, now)?,
        ChatState::Active => {
            let actor = Actor::Contact(row.contact_id);
            finish(conn, &mut row, (ChatEnd::Visitor, actor), now)?;
            close_ticket(conn, config, &row, actor, now)?;
        }
        ChatState::Missed | ChatState::Abandoned | ChatState::Left | ChatState::Ended => {}
    }
    Ok(row)
}

/// Nobody has said anything in a chat that is locked for too long: it ends, and its ticket where nothing is left to do.
pub(super) fn end_of_silence(conn: &mut Conn, config: &Config, row: &mut ChatRow, now: DateTime<Utc>) -> Result<()> {
    let (last, is_answered) = store::spoken(conn, row)?;
    let silence = Silence { is_gone: row.gone_at.is_some(), is_answered, last };
    finish(conn, row, (ChatEnd::Idle, Actor::Desk), now)?;
    if silence.is_done() { close_ticket(conn, config, row, Actor::Desk, now) } else { Ok(()) }
}

/// Closes the ticket of a chat that ended, as the work of its agent.
fn close_ticket(conn: &mut Conn, config: &Config, row: &ChatRow, actor: Actor, now: DateTime<Utc>) -> Result<()> {
    if let Some(agent) = row.agent_id {
        verbs::close_after(conn, config, row.ticket_id, (agent, actor), now)?;
    }
    Ok(())
}

/// An agent ends a chat, and closes its ticket where that is wanted: then the contact is asked how it was.
pub fn end_by_agent(
    conn: &mut Conn,
    config: &Config,
    agent: &Agent,
    (id, closes): (ChatId, bool),
    now: DateTime<Utc>,
) -> Result<ChatRow> {
    let mut row = store::lock(conn, id)?;
    match row.state.0 {
        ChatState::Waiting => return Err(Error::conflict("not_accepted", "nobody has accepted this chat yet")),
        ChatState::Active => finish(conn, &mut row, (ChatEnd::Agent, Actor::Agent(agent.id())), now)?,
        ChatState::Missed | ChatState::Abandoned | ChatState::Left | ChatState::Ended => {}
    }
    if closes {
        match tickets::close(conn, config, agent, row.ticket_id, Seen(None), now) {
            Ok(_) | Err(Error::Conflict { code: "ticket_closed" | "ticket_merged", .. }) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(row)
}

/// Ends a chat that is locked and that an agent has.
fn finish(conn: &mut Conn, row: &mut ChatRow, (by, actor): (ChatEnd, Actor), now: DateTime<Utc>) -> Result<()> {
    (row.state, row.ended_at, row.ended_by) = (Named(ChatState::Ended), Some(Time(now)), Some(Named(by)));
    row.next_at = None;
    store::save(conn, row)?;
    let data = json!({ "chat_id": row.id, "by": by, "messages": row.last_seq, "agent_id": row.agent_id });
    timeline::record(conn, row.ticket_id, Kind::ChatEnded, actor, now, data)
}

/// An agent keeps a visitor out, or lets them in again; a chat that is open ends.
pub fn block(conn: &mut Conn, agent: &Agent, id: ChatId, is_blocked: bool, now: DateTime<Utc>) -> Result<ChatRow> {
    let mut row = store::lock(conn, id)?;
    store::find_or_make_visitor(conn, row.visitor_id, now)?;
    store::set_blocked(conn, row.visitor_id, is_blocked.then_some(now))?;
    match row.state.0 {
        ChatState::Waiting if is_blocked => give_up(conn, &mut row, now, now)?,
        ChatState::Active if is_blocked => finish(conn, &mut row, (ChatEnd::Agent, Actor::Agent(agent.id())), now)?,
        _ => {}
    }
    Ok(row)
}
