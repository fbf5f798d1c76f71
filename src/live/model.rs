//! What is told live: topics, whom an event concerns, and how it is written. Pure.
use crate::ids::TeamId;
use crate::timeline::Kind;
use serde::Serialize;

names! {
    /// What an event is about.
    pub enum Topic {
        /// Tickets come in, are picked up, assigned, handed over, changed, merged, closed.
        Tickets = "tickets",
        /// Somebody wrote.
        Messages = "messages",
        /// Promises start, pause, are reached, warn and break; with `due_at`.
        Clocks = "clocks",
        /// What phone systems report.
        Calls = "calls",
        /// People are told of warnings and breaches, and that nobody is available.
        Alerts = "alerts",
        /// Agents are available, away or offline.
        Presence = "presence",
        /// Chats are asked for, offered, taken, missed and over.
        Chats = "chats",
        /// Surveys are sent, answered and reviewed.
        Surveys = "surveys",
    }
}

/// The topic of an event; `None` for what only admins may see.
pub fn topic(kind: Kind) -> Option<Topic> {
    match kind {
        Kind::TicketReceived
        | Kind::PickedUp
        | Kind::Assigned
        | Kind::HandedOver
        | Kind::TicketChanged
        | Kind::TicketClosed
        | Kind::TicketReopened
        | Kind::TicketMerged
        | Kind::TicketUnmerged
        | Kind::TicketLinked
        | Kind::TicketUnlinked => Some(Topic::Tickets),
        Kind::ContactWrote
        | Kind::AgentReplied
        | Kind::NoteAdded
        | Kind::FilesAttached
        | Kind::MachineWrote
        | Kind::LinkSuggested
        | Kind::AddressBounced
        | Kind::MailBounced
        | Kind::MailParked => Some(Topic::Messages),
        Kind::ClockStarted
        | Kind::ClockPaused
        | Kind::ClockResumed
        | Kind::ClockReached
        | Kind::ClockWarned
        | Kind::ClockBreached
        | Kind::ClockMoved
        | Kind::ClockCorrected => Some(Topic::Clocks),
        Kind::CallReported | Kind::CallMoved | Kind::CalledBack => Some(Topic::Calls),
        Kind::AlertTold | Kind::AlertAcknowledged | Kind::StaffingAlarm | Kind::StaffingAcknowledged | Kind::StaffingRestored => {
            Some(Topic::Alerts)
        }
        Kind::PresenceChanged => Some(Topic::Presence),
        Kind::ChatAsked
        | Kind::ChatOffered
        | Kind::ChatOfferEnded
        | Kind::ChatAccepted
        | Kind::ChatMissed
        | Kind::ChatAbandoned
        | Kind::ChatMessageLeft
        | Kind::ChatContactKnown
        | Kind::ChatEnded => Some(Topic::Chats),
        Kind::SurveyOutcome
        | Kind::ReminderOutcome
        | Kind::SurveyAnswered
        | Kind::SurveyAnsweredByMail
        | Kind::ReviewChanged
        | Kind::AnswerDecided
        | Kind::FollowupChanged
        | Kind::SurveysStopped => Some(Topic::Surveys),
        Kind::TagRenamed | Kind::Created | Kind::Changed | Kind::Removed => None,
    }
}

/// A ticket went from one team to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// The event that says so.
    pub event_id: i64,
    /// Whose it was.
    pub from: Option<TeamId>,
}

/// Whose a ticket was when one of its events was written, and whose it is after the event: the rows of history say so, whenever
/// they are read. `moves` are the later ones and the event itself, in order.
pub fn teams_at(event_id: i64, moves: &[Move], now: Option<TeamId>) -> (Option<TeamId>, Option<TeamId>) {
    let mut later = moves.iter().filter(|one| one.event_id >= event_id).map(|one| (one.event_id, one.from));
    match later.next() {
        Some((id, from)) if id == event_id => (from, later.next().map_or(now, |(_, from)| from)),
        Some((_, from)) => (from, from),
        None => (now, now),
    }
}

/// What a listener wants to hear of; empty lists leave nothing out.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only these topics.
    pub topics: Vec<Topic>,
    /// Only what is of these teams, or of none.
    pub teams: Vec<TeamId>,
}

impl Filter {
    /// Whether everything passes.
    pub fn is_open(&self) -> bool {
        self.topics.is_empty() && self.teams.is_empty()
    }

    /// Whether an event of this topic passes that is of these teams, or of nobody's.
    pub fn passes(&self, topic: Topic, teams: (Option<TeamId>, Option<TeamId>)) -> bool {
        let is_ours = |team: Option<TeamId>| team.is_none_or(|team| self.teams.contains(&team));
        (self.topics.is_empty() || self.topics.contains(&topic))
            && (self.teams.is_empty() || is_ours(teams.0) || is_ours(teams.1))
    }
}

/// An event as server-sent events write it: its number, its topic and its data on one line.
pub fn frame(id: i64, topic: Topic, data: &impl Serialize) -> serde_json::Result<String> {
    Ok(format!("id: {id}\nevent: {topic}\ndata: {}\n\n", serde_json::to_string(data)?))
}

/// Moves a listener on without an event: what came before this number was not for it.
pub fn mark(id: i64) -> String {
    format!(":\nid: {id}\n\n")
}

/// How a stream begins: when to come back after a cut, and from where.
pub fn greeting(id: i64) -> String {
    format!("retry: 1000\nid: {id}\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn team(number: u128) -> Option<TeamId> {
        Some(TeamId(uuid::Uuid::from_u128(number)))
    }

    #[test]
    fn an_event_is_of_the_team_that_had_the_ticket_then() {
        let moves = [Move { event_id: 5, from: team(1) }, Move { event_id: 9, from: team(2) }];
        for (event, expected) in
            [(3, (team(1), team(1))), (5, (team(1), team(2))), (7, (team(2), team(2))), (9, (team(2), None)), (12, (None, None))]
        {
            assert_eq!(teams_at(event, &moves, None), expected, "event {event}");
        }
    }

    #[test]
    fn a_filter_lets_through_what_is_asked_for_and_what_is_nobodys() {
        let of = |topics: &[Topic], teams: &[Option<TeamId>]| Filter {
            topics: topics.to_vec(),
            teams: teams.iter().flatten().copied().collect(),
        };
        for (filter, topic, teams, expected) in [
            (of(&[], &[]), Topic::Calls, (team(1), team(1)), true),
            (of(&[Topic::Calls], &[]), Topic::Calls, (team(1), team(1)), true),
            (of(&[Topic::Calls], &[]), Topic::Clocks, (team(1), team(1)), false),
            (of(&[], &[team(1)]), Topic::Clocks, (team(2), team(2)), false),
            (of(&[], &[team(1)]), Topic::Clocks, (team(2), team(1)), true),
            (of(&[], &[team(1)]), Topic::Clocks, (team(1), team(2)), true),
            (of(&[], &[team(1)]), Topic::Clocks, (None, None), true),
            (of(&[Topic::Calls], &[team(1)]), Topic::Clocks, (team(1), team(1)), false),
        ] {
            assert_eq!(filter.passes(topic, teams), expected, "{filter:?} {topic} {teams:?}");
        }
    }

    #[test]
    fn a_frame_is_one_line_of_data() {
        let frame = frame(7, Topic::Messages, &serde_json::json!({ "text": "a\nb\r\u{2028}" })).expect("a frame");
        assert_eq!(frame, "id: 7\nevent: messages\ndata: {\"text\":\"a\\nb\\r\u{2028}\"}\n\n");
        assert_eq!((mark(7).as_str(), greeting(7).as_str()), (":\nid: 7\n\n", "retry: 1000\nid: 7\n\n"));
    }
}
