//! Chats, their visitors, offers and places of messages: load and save.
use super::model::{ChatEnd, ChatSide, ChatState, OfferOutcome};
use crate::db::ext::OnConflictExt;
use crate::db::schema::{agents, chat_messages, chat_offers, chat_visitors, chats};
use crate::db::{
    Conn,
    types::{Named, Time},
};
use crate::each;
use crate::error::{Error, Result};
use crate::ids::{
    AgentId, ChatId, ChatOfferId, ClientMessageId, ClockId, ContactId, LineId, MessageId, TeamId, TicketId, VisitorId,
};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;

/// Who comes back later asks anew.
const LEAVE_WITHIN: TimeDelta = TimeDelta::hours(1);

/// Rows of one insert.
const OFFERS_AT_ONCE: usize = 1_000;

/// A chat as stored.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Debug, Clone, PartialEq)]
#[diesel(table_name = chats, treat_none_as_null = true, treat_none_as_default_value = false)]
#[expect(missing_docs, reason = "columns")]
pub struct ChatRow {
    pub id: ChatId,
    pub visitor_id: VisitorId,
    pub origin: String,
    pub is_verified: bool,
    pub state: Named<ChatState>,
    pub team_id: Option<TeamId>,
    pub contact_id: ContactId,
    pub ticket_id: TicketId,
    pub pickup_clock_id: Option<ClockId>,
    pub agent_id: Option<AgentId>,
    pub last_seq: i32,
    pub round: i32,
    pub asked_at: Time,
    pub accepted_at: Option<Time>,
    pub ended_at: Option<Time>,
    pub ended_by: Option<Named<ChatEnd>>,
    pub line: Option<LineId>,
    pub gone_at: Option<Time>,
    pub active_at: Time,
    pub next_at: Option<Time>,
}

impl ChatRow {
    /// Whether a message can still be left in place of an answer.
    pub fn can_be_left(&self, now: DateTime<Utc>) -> bool {
        self.state.0 == ChatState::Missed && now < self.asked_at.0 + LEAVE_WITHIN
    }
}

/// Somebody who asked for a chat.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = chat_visitors, treat_none_as_default_value = false)]
pub struct VisitorRow {
    pub id: VisitorId,
    pub contact_id: Option<ContactId>,
    pub blocked_at: Option<Time>,
    pub created_at: Time,
}

/// An offer as stored.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = chat_offers, treat_none_as_default_value = false)]
pub struct OfferRow {
    pub id: ChatOfferId,
    pub chat_id: ChatId,
    pub agent_id: AgentId,
    pub round: i32,
    pub offered_at: Time,
    pub ended_at: Option<Time>,
    pub outcome: Option<Named<OfferOutcome>>,
}

/// The place of a message.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = chat_messages)]
pub struct PlaceRow {
    pub chat_id: ChatId,
    pub seq: i32,
    pub side: Named<ChatSide>,
    pub client_id: ClientMessageId,
    pub message_id: MessageId,
}

/// The visitor, made where they are new, and locked until the commit. Two queries.
pub fn find_or_make_visitor(conn: &mut Conn, id: VisitorId, now: DateTime<Utc>) -> Result<VisitorRow> {
    let new = VisitorRow { id, contact_id: None, blocked_at: None, created_at: Time(now) };
    each!(conn, conn => diesel::insert_into(chat_visitors::table).values(&new).or_ignore().execute(conn))?;
    let of_id = chat_visitors::table.find(id);
    Ok(match conn {
        Conn::Pg(conn) => of_id.select(VisitorRow::as_select()).for_update().first(conn)?,
        Conn::Sqlite(conn) => of_id.select(VisitorRow::as_select()).first(conn)?,
    })
}

/// The visitor, where they asked before. One query.
pub fn visitor(conn: &mut Conn, id: VisitorId) -> Result<Option<VisitorRow>> {
    Ok(chat_visitors::table.find(id).select(VisitorRow::as_select()).first(conn).optional()?)
}

/// Says who a visitor is. One update.
pub fn set_visitor_contact(conn: &mut Conn, id: VisitorId, contact: ContactId) -> Result<()> {
    diesel::update(chat_visitors::table.find(id)).set(chat_visitors::contact_id.eq(contact)).execute(conn)?;
    Ok(())
}

/// Lets a visitor in, or not. One update.
pub fn set_blocked(conn: &mut Conn, id: VisitorId, at: Option<DateTime<Utc>>) -> Result<()> {
    diesel::update(chat_visitors::table.find(id)).set(chat_visitors::blocked_at.eq(at.map(Time))).execute(conn)?;
    Ok(())
}

/// Writes a new chat. One insert.
pub fn insert(conn: &mut Conn, row: &ChatRow) -> Result<()> {
    each!(conn, conn => diesel::insert_into(chats::table).values(row).execute(conn))?;
    Ok(())
}

/// One chat, locked until the commit. One query.
pub fn lock(conn: &mut Conn, id: ChatId) -> Result<ChatRow> {
    let of_id = chats::table.find(id);
    let found = match conn {
        Conn::Pg(conn) => of_id.select(ChatRow::as_select()).for_update().first(conn).optional()?,
        Conn::Sqlite(conn) => of_id.select(ChatRow::as_select()).first(conn).optional()?,
    };
    found.ok_or(Error::NotFound("chat"))
}

/// Saves a changed chat. One update.
pub fn save(conn: &mut Conn, row: &ChatRow) -> Result<()> {
    each!(conn, conn => diesel::update(chats::table.find(row.id)).set(row).execute(conn))?;
    Ok(())
}

/// Gives a chat that waits to an agent; false where it waits no more. One update, which decides.
pub fn take(conn: &mut Conn, id: ChatId, agent: AgentId, next_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<bool> {
    let waiting = chats::table.find(id).filter(chats::state.eq(Named(ChatState::Waiting)));
    let values = (
        chats::state.eq(Named(ChatState::Active)),
        chats::agent_id.eq(Some(agent)),
        chats::accepted_at.eq(Some(Time(now))),
        chats::active_at.eq(Time(now)),
        chats::next_at.eq(Some(Time(next_at))),
    );
    Ok(diesel::update(waiting).set(values).execute(conn)? == 1)
}

/// Locks an agent, whose chats are counted. No-op on SQLite.
pub fn lock_agent(conn: &mut Conn, id: AgentId) -> Result<()> {
    if let Conn::Pg(conn) = conn {
        // Offers name the agent too, under the lock of their chat: that is no reason to wait.
        agents::table.find(id).select(agents::id).for_no_key_update().first::<AgentId>(conn)?;
    }
    Ok(())
}

/// Chats that an agent has now. One query.
pub fn active_of(conn: &mut Conn, id: AgentId) -> Result<i64> {
    let active = chats::table.filter(chats::agent_id.eq(id).and(chats::state.eq(Named(ChatState::Active))));
    Ok(active.count().get_result(conn)?)
}

/// Offers a chat; who has an offer that stands keeps that one. Gives those who have it new. One insert, and a query where somebody had.
pub fn offer(conn: &mut Conn, chat: ChatId, round: i32, to: &[AgentId], now: DateTime<Utc>) -> Result<Vec<AgentId>> {
    let row = |agent: &AgentId| OfferRow {
        id: ChatOfferId::new(),
        chat_id: chat,
        agent_id: *agent,
        round,
        offered_at: Time(now),
        ended_at: None,
        outcome: None,
    };
    let rows: Vec<OfferRow> = to.iter().map(row).collect();
    let mut written = 0;
    for some in rows.chunks(OFFERS_AT_ONCE) {
        written +=
            each!(conn, conn => diesel::insert_into(chat_offers::table).values(some).on_conflict_do_nothing().execute(conn))?;
    }
    if written == to.len() {
        return Ok(to.to_vec());
    }
    let ids: Vec<ChatOfferId> = rows.iter().map(|row| row.id).collect();
    Ok(chat_offers::table.filter(chat_offers::id.eq_any(ids)).select(chat_offers::agent_id).load(conn)?)
}

macro_rules! end_offers {
    ($conn:expr, $which:expr, $outcome:expr, $now:expr) => {{
        let open = chat_offers::table.filter($which).filter(chat_offers::ended_at.is_null());
        let agents: Vec<AgentId> = open.clone().select(chat_offers::agent_id).load($conn)?;
        if !agents.is_empty() {
            diesel::update(open)
                .set((chat_offers::ended_at.eq(Some(Time($now))), chat_offers::outcome.eq(Some(Named($outcome)))))
                .execute($conn)?;
        }
        agents
    }};
}

/// Ends some offers of a chat that is locked; whose they were. Two queries.
pub fn end_offers(conn: &mut Conn, ids: &[ChatOfferId], outcome: OfferOutcome, now: DateTime<Utc>) -> Result<Vec<AgentId>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(end_offers!(conn, chat_offers::id.eq_any(ids), outcome, now))
}

/// Ends all offers of a chat that is locked; whose they were. Two queries.
pub fn end_all_offers(conn: &mut Conn, chat: ChatId, outcome: OfferOutcome, now: DateTime<Utc>) -> Result<Vec<AgentId>> {
    Ok(end_offers!(conn, chat_offers::chat_id.eq(chat), outcome, now))
}

/// Ends one agent's offer of a chat that is locked; whether there was one. Two queries.
pub fn end_offer_of(conn: &mut Conn, chat: ChatId, agent: AgentId, outcome: OfferOutcome, now: DateTime<Utc>) -> Result<bool> {
    let which = chat_offers::chat_id.eq(chat).and(chat_offers::agent_id.eq(agent));
    Ok(!end_offers!(conn, which, outcome, now).is_empty())
}

/// Where a message stands that a client wrote already. One query.
pub fn place_of(conn: &mut Conn, chat: ChatId, side: ChatSide, client: ClientMessageId) -> Result<Option<PlaceRow>> {
    let known = chat_messages::table
        .filter(chat_messages::chat_id.eq(chat).and(chat_messages::side.eq(Named(side))))
        .filter(chat_messages::client_id.eq(client));
    Ok(known.select(PlaceRow::as_select()).first(conn).optional()?)
}

/// Who said the last thing, and whether an agent said anything. Two queries.
pub fn spoken(conn: &mut Conn, row: &ChatRow) -> Result<(Option<ChatSide>, bool)> {
    let of_chat = || chat_messages::table.filter(chat_messages::chat_id.eq(row.id));
    let last: Option<Named<ChatSide>> =
        of_chat().filter(chat_messages::seq.eq(row.last_seq)).select(chat_messages::side).first(conn).optional()?;
    let by_agent = of_chat().filter(chat_messages::side.eq(Named(ChatSide::Agent)));
    let first: Option<i32> = by_agent.select(chat_messages::seq).first(conn).optional()?;
    Ok((last.map(|side| side.0), first.is_some()))
}

/// Puts a message in its place. One insert.
pub fn place(conn: &mut Conn, row: &PlaceRow) -> Result<()> {
    each!(conn, conn => diesel::insert_into(chat_messages::table).values(row).execute(conn))?;
    Ok(())
}
