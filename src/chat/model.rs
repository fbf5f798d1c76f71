//! Who is offered a chat, when it is offered wider, and when nobody came. Pure.
use crate::ids::{AgentId, ChatOfferId, TeamId};
use chrono::{DateTime, TimeDelta, Utc};

/// Characters of a message at the most.
pub const BODY_MAX: usize = 4_000;
/// What a visitor is called who says no name.
pub const NAMELESS: &str = "Visitor";
/// The round in which the agents of the team are rung.
pub const NARROW: i32 = 1;
/// The round in which everybody is rung.
pub const WIDE: i32 = 2;

names! {
    /// Where a chat stands.
    pub enum ChatState {
        /// The visitor waits for somebody.
        Waiting = "waiting",
        /// An agent has it.
        Active = "active",
        /// Nobody came in time; the visitor can leave a message.
        Missed = "missed",
        /// The visitor went away before anybody came.
        Abandoned = "abandoned",
        /// The visitor left a message and an address: its ticket is answered by mail.
        Left = "left",
        /// It is over.
        Ended = "ended",
    }
}

impl ChatState {
    /// Whether something can still be said in it.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Active)
    }
}

names! {
    /// Who speaks.
    pub enum ChatSide {
        /// The visitor of the site.
        Visitor = "visitor",
        /// An agent.
        Agent = "agent",
    }
}

names! {
    /// Who ended a chat.
    pub enum ChatEnd {
        /// The visitor.
        Visitor = "visitor",
        /// An agent.
        Agent = "agent",
        /// Nobody said anything any more.
        Idle = "idle",
    }
}

names! {
    /// What came of an offer.
    pub enum OfferOutcome {
        /// This agent took the chat.
        Accepted = "accepted",
        /// Another agent took it.
        Taken = "taken",
        /// This agent said no.
        Declined = "declined",
        /// It was offered wider, or nobody came at all.
        Unanswered = "unanswered",
        /// This agent was not available any more, or had enough chats.
        Returned = "returned",
        /// The visitor went away.
        Withdrawn = "withdrawn",
    }
}

/// How long things take.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    /// Then a chat is offered wider.
    pub offer: TimeDelta,
    /// Then nobody came.
    pub patience: TimeDelta,
    /// A visitor whose connection ended may come back for so long.
    pub gone: TimeDelta,
}

/// An agent as offers see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub id: AgentId,
    /// Managers and admins.
    pub is_supervisor: bool,
    /// Available, and not on a call.
    pub is_available: bool,
    /// Not offline.
    pub is_present: bool,
    /// Chats that they can take beside those they have.
    pub room: i32,
    /// Their teams.
    pub teams: Vec<TeamId>,
}

/// A chat that waits.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Since when.
    pub asked_at: DateTime<Utc>,
    /// The round that it is in.
    pub round: i32,
    /// When the visitor's connection ended.
    pub gone_at: Option<DateTime<Utc>>,
    /// Whose it is.
    pub team: Option<TeamId>,
    /// Offers that stand: which, to whom, of which round.
    pub open: Vec<(ChatOfferId, AgentId, i32)>,
    /// Agents who said no.
    pub declined: Vec<AgentId>,
}

/// What becomes of a chat that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// Nothing.
    Stay,
    /// The visitor went away, at that instant.
    GiveUp(DateTime<Utc>),
    /// Nobody came, by that instant.
    Miss(DateTime<Utc>),
    /// Offers end and begin.
    Offer(Offering),
}

/// Which offers end and begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offering {
    /// The round from now on.
    pub round: i32,
    /// Offers that nobody answered.
    pub unanswered: Vec<ChatOfferId>,
    /// Offers to agents who are no longer available.
    pub returned: Vec<ChatOfferId>,
    /// Who is offered it now.
    pub to: Vec<AgentId>,
}

/// Whether a round rings an agent. The first rings the team, the second everybody who is free and supervisors who are away.
fn rings(member: &Member, team: Option<TeamId>, round: i32) -> bool {
    let is_of_team = team.is_none_or(|team| member.teams.contains(&team));
    let is_asked = if round == NARROW { member.is_available && is_of_team } else { member.is_available || stands_by(member) };
    is_asked && member.room > 0
}

fn stands_by(member: &Member) -> bool {
    member.is_supervisor && member.is_present
}

/// What becomes of a chat that waits at `now`.
pub fn turn(chat: &Standing, staff: &[Member], waits: &Waits, now: DateTime<Utc>) -> Turn {
    if let Some(gone_at) = chat.gone_at.filter(|at| now >= *at + waits.gone) {
        return Turn::GiveUp(gone_at);
    }
    let missed_at = chat.asked_at + waits.patience;
    if now >= missed_at {
        return Turn::Miss(missed_at);
    }
    // Where nobody of the team can come, everybody is asked at once.
    let is_asked = |member: &Member| rings(member, chat.team, NARROW) && !chat.declined.contains(&member.id);
    let is_narrow = now < chat.asked_at + waits.offer && staff.iter().any(is_asked);
    let round = if is_narrow { chat.round.max(NARROW) } else { WIDE };
    let wanted: Vec<AgentId> = staff.iter().filter(|member| rings(member, chat.team, round)).map(|member| member.id).collect();
    let (mut unanswered, mut returned, mut held) = (Vec::new(), Vec::new(), Vec::new());
    for (offer, agent, of_round) in &chat.open {
        match (wanted.contains(agent), *of_round < round) {
            (false, _) => returned.push(*offer),
            (true, true) => unanswered.push(*offer),
            (true, false) => held.push(*agent),
        }
    }
    let to: Vec<AgentId> = wanted.into_iter().filter(|agent| !held.contains(agent) && !chat.declined.contains(agent)).collect();
    if round == chat.round && unanswered.is_empty() && returned.is_empty() && to.is_empty() {
        return Turn::Stay;
    }
    Turn::Offer(Offering { round, unanswered, returned, to })
}

/// When a chat that waits has to be looked at again, whatever agents do.
pub fn next_look(asked_at: DateTime<Utc>, round: i32, gone_at: Option<DateTime<Utc>>, waits: &Waits) -> DateTime<Utc> {
    let missed = asked_at + waits.patience;
    let wider = if round < WIDE { missed.min(asked_at + waits.offer) } else { missed };
    gone_at.map_or(wider, |at| wider.min(at + waits.gone))
}

/// How a chat stands that nobody goes on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    /// Whether the visitor has no connection any more.
    pub is_gone: bool,
    /// Whether an agent said anything in it.
    pub is_answered: bool,
    /// Who spoke last.
    pub last: Option<ChatSide>,
}

impl Silence {
    /// Whether nothing is left to do on its ticket: the desk spoke last, or it answered and the visitor went away.
    pub fn is_done(self) -> bool {
        self.last == Some(ChatSide::Agent) || (self.is_gone && self.is_answered)
    }
}

/// Whether a text can be said: not blank, not too long, and nothing that PostgreSQL cannot keep.
pub fn is_sayable(body: &str) -> bool {
    !body.trim().is_empty() && !body.contains('\0') && body.chars().count() <= BODY_MAX
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
