//! Lists of chats, what was said in one, who waits, and who could come.
use super::model::{ChatSide, ChatState, Member, OfferOutcome, Standing};
use super::store::{self, ChatRow, OfferRow, VisitorRow};
use crate::accounts::rights::Role;
use crate::db::schema::{agents, chat_messages, chat_offers, chats, messages, presence as present, team_members};
use crate::db::{
    Conn,
    types::{Json, Named, Time},
};
use crate::error::{Error, Result};
use crate::ids::{AgentId, ChatId, ChatOfferId, ClientMessageId, TeamId, VisitorId};
use crate::presence::{self, model::PresenceState};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use std::collections::HashMap;

/// Chats that an agent has at once who never said how many.
pub const CHATS_MAX_DEFAULT: i32 = 3;
/// Chats that are looked at in one go.
const AT_ONCE: i64 = 500;

/// Which chats; what is `None` does not filter.
#[derive(Debug, Default, Clone)]
#[expect(missing_docs, reason = "the words of the domain")]
pub struct Filter {
    pub state: Option<ChatState>,
    pub team_id: Option<TeamId>,
    pub agent_id: Option<AgentId>,
}

/// Where the next page starts: when the chat was asked for in microseconds, and its id.
pub type Cursor = (i64, ChatId);

/// A chat and whom it rings now.
pub type Listed = (ChatRow, Vec<AgentId>);

/// A page of chats, newest first. Two queries.
pub fn list(conn: &mut Conn, filter: &Filter, after: Option<Cursor>, limit: i64) -> Result<Vec<Listed>> {
    let mut query =
        chats::table.select(ChatRow::as_select()).order((chats::asked_at.desc(), chats::id.desc())).limit(limit).into_boxed();
    let Filter { state, team_id, agent_id } = filter;
    if let Some(state) = state {
        query = query.filter(chats::state.eq(Named(*state)));
    }
    if let Some(id) = team_id {
        query = query.filter(chats::team_id.eq(*id));
    }
    if let Some(id) = agent_id {
        query = query.filter(chats::agent_id.eq(*id));
    }
    if let Some((micros, id)) = after {
        let wrong = || Error::field("cursor", "unknown_cursor", "is not a cursor of this list");
        let at = Time(DateTime::from_timestamp_micros(micros).ok_or_else(wrong)?);
        query = query.filter(chats::asked_at.le(at).and(chats::asked_at.lt(at).or(chats::id.lt(id))));
    }
    let rows: Vec<ChatRow> = query.load(conn)?;
    let waiting: Vec<ChatId> = rows.iter().filter(|row| row.state.0 == ChatState::Waiting).map(|row| row.id).collect();
    let mut ringing: HashMap<ChatId, Vec<AgentId>> = HashMap::new();
    for offer in standing_offers(conn, &waiting)?.into_iter().filter(|offer| offer.ended_at.is_none()) {
        ringing.entry(offer.chat_id).or_default().push(offer.agent_id);
    }
    Ok(rows.into_iter().map(|row| (ringing.remove(&row.id).unwrap_or_default(), row)).map(|(rung, row)| (row, rung)).collect())
}

/// One chat. One query.
pub fn find(conn: &mut Conn, id: ChatId) -> Result<ChatRow> {
    chats::table.find(id).select(ChatRow::as_select()).first(conn).optional()?.ok_or(Error::NotFound("chat"))
}

/// One chat with its offers, oldest first. Two queries.
pub fn full(conn: &mut Conn, id: ChatId) -> Result<(ChatRow, Vec<OfferRow>)> {
    let row = find(conn, id)?;
    let offers = chat_offers::table.filter(chat_offers::chat_id.eq(id)).order((chat_offers::offered_at, chat_offers::id));
    Ok((row, offers.select(OfferRow::as_select()).load(conn)?))
}

/// What was said: its number, by which side, by whose id, by which agent with their name, when, and what.
#[derive(Queryable, Debug, Clone)]
#[expect(missing_docs, reason = "columns")]
pub struct SaidRow {
    pub seq: i32,
    pub side: Named<ChatSide>,
    pub client_id: ClientMessageId,
    pub agent_id: Option<AgentId>,
    pub agent_name: Option<String>,
    pub at: Time,
    pub body: String,
    pub attachments: Option<Json>,
}

/// What was said after a number, in order. One query.
pub fn said(conn: &mut Conn, chat: ChatId, after: i32, limit: i64) -> Result<Vec<SaidRow>> {
    Ok(chat_messages::table
        .inner_join(messages::table.on(messages::id.eq(chat_messages::message_id)))
        .left_join(agents::table.on(agents::id.nullable().eq(messages::agent_id)))
        .filter(chat_messages::chat_id.eq(chat).and(chat_messages::seq.gt(after)))
        .order(chat_messages::seq)
        .limit(limit)
        .select((
            chat_messages::seq,
            chat_messages::side,
            chat_messages::client_id,
            messages::agent_id,
            agents::name.nullable(),
            messages::at,
            messages::body,
            messages::attachments,
        ))
        .load(conn)?)
}

/// How many messages with files a visitor wrote in a chat. One query.
pub fn files_of_visitor(conn: &mut Conn, chat: ChatId) -> Result<i64> {
    Ok(chat_messages::table
        .inner_join(messages::table.on(messages::id.eq(chat_messages::message_id)))
        .filter(chat_messages::chat_id.eq(chat).and(chat_messages::side.eq(Named(ChatSide::Visitor))))
        .filter(messages::attachments.is_not_null())
        .count()
        .get_result(conn)?)
}

/// What both ends see of a chat beside what was said.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// The chat.
    pub row: ChatRow,
    /// What its agent is called.
    pub agent_name: Option<String>,
    /// How many were there before this visitor, and wait for the same team; one more than that is the place. None where nobody waits.
    pub position: Option<i64>,
}

/// A chat as both ends see it. Three queries at the most.
pub fn shown(conn: &mut Conn, id: ChatId) -> Result<Shown> {
    let row = find(conn, id)?;
    let agent_name = match row.agent_id {
        Some(agent) => agents::table.find(agent).select(agents::name).first(conn).optional()?,
        None => None,
    };
    let position = if row.state.0 == ChatState::Waiting { Some(before(conn, &row)? + 1) } else { None };
    Ok(Shown { row, agent_name, position })
}

/// How many wait for the same team for longer. One query.
fn before(conn: &mut Conn, row: &ChatRow) -> Result<i64> {
    let (at, id) = (row.asked_at, row.id);
    let earlier = chats::table
        .filter(chats::state.eq(Named(ChatState::Waiting)))
        .filter(chats::asked_at.lt(at).or(chats::asked_at.eq(at).and(chats::id.lt(id))));
    Ok(match row.team_id {
        Some(team) => earlier.filter(chats::team_id.eq(team)).count().get_result(conn)?,
        None => earlier.filter(chats::team_id.is_null()).count().get_result(conn)?,
    })
}

/// The newest chat of a visitor. One query.
pub fn newest_of(conn: &mut Conn, visitor: VisitorId) -> Result<Option<ChatRow>> {
    let theirs = chats::table.filter(chats::visitor_id.eq(visitor)).order(chats::asked_at.desc());
    Ok(theirs.select(ChatRow::as_select()).first(conn).optional()?)
}

/// What is kept of a visitor. One query.
pub fn visitor(conn: &mut Conn, id: VisitorId) -> Result<Option<VisitorRow>> {
    store::visitor(conn, id)
}

/// Offers of these chats that stand, or were declined. One query.
fn standing_offers(conn: &mut Conn, ids: &[ChatId]) -> Result<Vec<OfferRow>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(chat_offers::table
        .filter(chat_offers::chat_id.eq_any(ids))
        .filter(chat_offers::ended_at.is_null().or(chat_offers::outcome.eq(Named(OfferOutcome::Declined))))
        .select(OfferRow::as_select())
        .load(conn)?)
}

/// Who waits, with the offers that stand; the longest first. Two queries.
pub fn waiting(conn: &mut Conn) -> Result<Vec<(ChatId, Standing)>> {
    let rows: Vec<ChatRow> = chats::table
        .filter(chats::state.eq(Named(ChatState::Waiting)))
        .order((chats::asked_at, chats::id))
        .limit(AT_ONCE)
        .select(ChatRow::as_select())
        .load(conn)?;
    let ids: Vec<ChatId> = rows.iter().map(|row| row.id).collect();
    let offers = standing_offers(conn, &ids)?;
    Ok(rows.iter().map(|row| (row.id, stands(row, &offers))).collect())
}

/// The same of one chat. One query.
pub fn standing(conn: &mut Conn, row: &ChatRow) -> Result<Standing> {
    let offers = standing_offers(conn, &[row.id])?;
    Ok(stands(row, &offers))
}

fn stands(row: &ChatRow, offers: &[OfferRow]) -> Standing {
    let own = || offers.iter().filter(|offer| offer.chat_id == row.id);
    let open: Vec<(ChatOfferId, AgentId, i32)> =
        own().filter(|offer| offer.ended_at.is_none()).map(|offer| (offer.id, offer.agent_id, offer.round)).collect();
    let declined = own().filter(|offer| offer.ended_at.is_some()).map(|offer| offer.agent_id).collect();
    let gone_at = row.gone_at.map(|at| at.0);
    Standing { asked_at: row.asked_at.0, round: row.round, gone_at, team: row.team_id, open, declined }
}

/// Everybody who could take a chat, and how many more. Five queries; where presence was never used, all active agents are there.
pub fn staff(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<Member>> {
    type Row = (AgentId, Named<Role>, Option<Named<PresenceState>>, Option<i32>);
    let free = presence::queries::free_for_a_call(conn, now)?;
    let rows: Vec<Row> = agents::table
        .left_join(present::table.on(present::agent_id.eq(agents::id)))
        .filter(agents::disabled_at.is_null())
        .order(agents::id)
        .select((agents::id, agents::role, present::state.nullable(), present::chats_max.nullable()))
        .load(conn)?;
    let active: Vec<(Option<AgentId>, i64)> = chats::table
        .filter(chats::state.eq(Named(ChatState::Active)))
        .group_by(chats::agent_id)
        .select((chats::agent_id, diesel::dsl::count_star()))
        .load(conn)?;
    let active: HashMap<AgentId, i64> = active.into_iter().filter_map(|(id, count)| id.map(|id| (id, count))).collect();
    let mut teams: HashMap<AgentId, Vec<TeamId>> = HashMap::new();
    for (agent, team) in
        team_members::table.select((team_members::agent_id, team_members::team_id)).load::<(AgentId, TeamId)>(conn)?
    {
        teams.entry(agent).or_default().push(team);
    }
    let member = |(id, role, state, chats_max): Row| Member {
        id,
        is_supervisor: role.0 >= Role::Manager,
        is_available: free.as_ref().is_none_or(|free| free.contains(&id)),
        is_present: free.is_none() || state.is_some_and(|state| state.0 != PresenceState::Offline),
        room: chats_max.unwrap_or(CHATS_MAX_DEFAULT)
            - active.get(&id).map_or(0, |count| i32::try_from(*count).unwrap_or(i32::MAX)),
        teams: teams.remove(&id).unwrap_or_default(),
    };
    Ok(rows.into_iter().map(member).collect())
}

/// How many chats an agent can have at once. One query.
pub fn capacity(conn: &mut Conn, id: AgentId) -> Result<i32> {
    let said: Option<i32> = present::table.find(id).select(present::chats_max).first(conn).optional()?;
    Ok(said.unwrap_or(CHATS_MAX_DEFAULT))
}

/// Chats of which something is due now. One look at an index.
pub fn due(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<(ChatId, ChatState)>> {
    let rows: Vec<(ChatId, Named<ChatState>)> = chats::table
        .filter(chats::next_at.le(Time(now)))
        .order(chats::next_at)
        .limit(AT_ONCE)
        .select((chats::id, chats::state))
        .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.0, row.1.0)).collect())
}
