//! The verbs of offers: ring, ring wider, accept, decline, and what the clock brings. Each is one transaction.
use super::model::{self, ChatState, Member, OfferOutcome, Offering, Turn, Waits};
use super::queries;
use super::store::{self, ChatRow};
use super::{commands, commands_ends as ends};
use crate::accounts::caller::Agent;
use crate::config::Config;
use crate::db::Conn;
use crate::db::types::{Named, Time};
use crate::error::{Error, Result};
use crate::ids::{AgentId, ChatId};
use crate::seen::Seen;
use crate::tickets::commands as tickets;
use crate::timeline::{self, Actor, Kind};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

/// How long things take here.
pub(super) fn waits(config: &Config) -> Waits {
    let seconds = |seconds: u32| TimeDelta::seconds(i64::from(seconds));
    let chat = &config.chat;
    Waits { offer: seconds(chat.offer_seconds), patience: seconds(chat.patience_seconds), gone: seconds(chat.gone_seconds) }
}

/// When a chat that waits is looked at again, whatever happens.
pub(super) fn next_look(config: &Config, row: &ChatRow) -> DateTime<Utc> {
    model::next_look(row.asked_at.0, row.round, row.gone_at.map(|at| at.0), &waits(config))
}

fn tell_ended(conn: &mut Conn, row: &ChatRow, agents: &[AgentId], outcome: OfferOutcome, now: DateTime<Utc>) -> Result<()> {
    if agents.is_empty() {
        return Ok(());
    }
    let data = json!({ "chat_id": row.id, "agents": agents, "outcome": outcome });
    timeline::record(conn, row.ticket_id, Kind::ChatOfferEnded, Actor::Desk, now, data)
}

/// Brings a chat to what its time and the staff say; false where there is nothing to do. Four statements, and those of what it does.
pub fn look_after(conn: &mut Conn, config: &Config, id: ChatId, staff: &[Member], now: DateTime<Utc>) -> Result<bool> {
    let mut row = store::lock(conn, id)?;
    match row.state.0 {
        ChatState::Waiting => {}
        ChatState::Active => return end_if_idle(conn, config, &mut row, now),
        ChatState::Missed | ChatState::Abandoned | ChatState::Left | ChatState::Ended => return Ok(false),
    }
    match model::turn(&queries::standing(conn, &row)?, staff, &waits(config), now) {
        Turn::Stay => return Ok(false),
        Turn::GiveUp(at) => ends::give_up(conn, &mut row, at, now)?,
        Turn::Miss(at) => miss(conn, &mut row, at.min(now), now)?,
        Turn::Offer(Offering { round, unanswered, returned, to }) => {
            let ended = store::end_offers(conn, &unanswered, OfferOutcome::Unanswered, now)?;
            tell_ended(conn, &row, &ended, OfferOutcome::Unanswered, now)?;
            let ended = store::end_offers(conn, &returned, OfferOutcome::Returned, now)?;
            tell_ended(conn, &row, &ended, OfferOutcome::Returned, now)?;
            let rung = store::offer(conn, id, round, &to, now)?;
            row.round = round;
            row.next_at = Some(Time(next_look(config, &row)));
            store::save(conn, &row)?;
            if !rung.is_empty() {
                let data = json!({ "chat_id": id, "agents": rung, "round": round, "asked_at": row.asked_at.0 });
                timeline::record(conn, row.ticket_id, Kind::ChatOffered, Actor::Desk, now, data)?;
            }
        }
    }
    Ok(true)
}

/// Nobody came to a chat that is locked: the visitor can leave a message.
fn miss(conn: &mut Conn, row: &mut ChatRow, at: DateTime<Utc>, now: DateTime<Utc>) -> Result<()> {
    store::end_all_offers(conn, row.id, OfferOutcome::Unanswered, now)?;
    (row.state, row.next_at) = (Named(ChatState::Missed), None);
    store::save(conn, row)?;
    let data = json!({ "chat_id": row.id, "waited_seconds": (at - row.asked_at.0).num_seconds() });
    timeline::record(conn, row.ticket_id, Kind::ChatMissed, Actor::Desk, at, data)?;
    ends::owe(conn, row, at)
}

/// Nobody has said anything for too long: the chat ends.
fn end_if_idle(conn: &mut Conn, config: &Config, row: &mut ChatRow, now: DateTime<Utc>) -> Result<bool> {
    let ends_at = row.active_at.0 + commands::idle(config);
    if now < ends_at {
        return Ok(false);
    }
    ends::end_of_silence(conn, config, row, now)?;
    Ok(true)
}

/// An agent takes a chat that waits: exactly one wins. Its ticket is picked up; all other offers end.
pub fn accept(conn: &mut Conn, config: &Config, agent: &Agent, id: ChatId, now: DateTime<Utc>) -> Result<ChatRow> {
    store::lock_agent(conn, agent.id())?;
    let before = store::lock(conn, id)?;
    // An agent who asks again has what they asked for.
    if before.state.0 == ChatState::Active && before.agent_id == Some(agent.id()) {
        return Ok(before);
    }
    if before.state.0 == ChatState::Waiting
        && store::active_of(conn, agent.id())? >= i64::from(queries::capacity(conn, agent.id())?)
    {
        return Err(Error::conflict("at_capacity", "you have as many chats as you said that you can have at once"));
    }
    if !store::take(conn, id, agent.id(), now + commands::idle(config), now)? {
        return Err(match before.state.0 {
            ChatState::Active => Error::conflict("chat_taken", "another agent has taken this chat"),
            _ => Error::conflict("chat_over", "the visitor does not wait any more"),
        });
    }
    // Somebody may have picked the ticket up by hand.
    match tickets::pick_up(conn, agent, before.ticket_id, Seen(None), now) {
        Ok(_) | Err(Error::Conflict { code: "already_picked_up", .. }) => {}
        Err(other) => return Err(other),
    }
    store::end_offer_of(conn, id, agent.id(), OfferOutcome::Accepted, now)?;
    let others = store::end_all_offers(conn, id, OfferOutcome::Taken, now)?;
    let data = json!({
        "chat_id": id, "agent_id": agent.id(), "others": others,
        "waited_seconds": (now - before.asked_at.0).num_seconds(),
    });
    timeline::record(conn, before.ticket_id, Kind::ChatAccepted, Actor::Agent(agent.id()), now, data)?;
    store::lock(conn, id)
}

/// An agent who is rung says no.
pub fn decline(conn: &mut Conn, config: &Config, agent: &Agent, id: ChatId, now: DateTime<Utc>) -> Result<ChatRow> {
    let row = store::lock(conn, id)?;
    if !store::end_offer_of(conn, id, agent.id(), OfferOutcome::Declined, now)? {
        return Err(Error::conflict("not_offered", "this chat is not offered to you"));
    }
    tell_ended(conn, &row, &[agent.id()], OfferOutcome::Declined, now)?;
    let staff = queries::staff(conn, now)?;
    look_after(conn, config, id, &staff, now)?;
    store::lock(conn, id)
}

/// Chats for which something is to be done now. Two queries where nobody waits, else eight.
pub fn to_look_after(conn: &mut Conn, config: &Config, now: DateTime<Utc>) -> Result<Vec<ChatId>> {
    let due = queries::due(conn, now)?;
    let mut ids: Vec<ChatId> = due.into_iter().filter(|chat| chat.1 == ChatState::Active).map(|chat| chat.0).collect();
    let waiting = queries::waiting(conn)?;
    if waiting.is_empty() {
        return Ok(ids);
    }
    let staff = queries::staff(conn, now)?;
    let waits = waits(config);
    ids.extend(waiting.iter().filter(|(_, chat)| model::turn(chat, &staff, &waits, now) != Turn::Stay).map(|(id, _)| *id));
    Ok(ids)
}

/// Does what is to be done now, the longest wait first; says how many chats that were.
pub fn look_after_all(conn: &mut Conn, config: &Config, now: DateTime<Utc>) -> Result<usize> {
    let ids = to_look_after(conn, config, now)?;
    let staff = if ids.is_empty() { Vec::new() } else { queries::staff(conn, now)? };
    let mut done = 0;
    for id in ids {
        done += usize::from(look_after(conn, config, id, &staff, now)?);
    }
    Ok(done)
}
