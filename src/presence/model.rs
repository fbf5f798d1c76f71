//! When an agent is lost, what a node has to write, and when the alarm rings. Pure.
use crate::ids::{AgentId, TeamId};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;
use uuid::Uuid;

/// A node that wrote nothing for so long has no streams any more.
pub const LEASE: TimeDelta = TimeDelta::seconds(3);
/// A lease is renewed when so much of it is left.
const RENEW_AT: TimeDelta = TimeDelta::seconds(2);
/// Who says that they are there has so long to open a stream.
pub const TO_CONNECT: TimeDelta = TimeDelta::seconds(4);

names! {
    /// Whether an agent can be given work.
    pub enum PresenceState {
        /// Takes calls and chats.
        Available = "available",
        /// At work, but takes nothing now.
        Away = "away",
        /// Not there.
        Offline = "offline",
    }
}

/// The alarm as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alarm {
    /// When it was last told.
    pub told_at: DateTime<Utc>,
    /// Whether somebody sees to it.
    pub is_acknowledged: bool,
}

/// What becomes of the alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Nothing.
    Stay,
    /// It is open and nobody is available: the managers are told.
    Raise,
    /// They are told again.
    Repeat,
    /// Somebody is available, or it is closed.
    End,
}

/// Where somebody has to be while it is open.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// The team; none for the desk.
    pub team: Option<TeamId>,
    /// Whether it is open.
    pub is_open: bool,
    /// Who counts; everybody where it is none.
    pub members: Option<BTreeSet<AgentId>>,
    /// The alarm, where one rings.
    pub alarm: Option<Alarm>,
}

impl Watch {
    fn is_nobody_there(&self, available: &BTreeSet<AgentId>) -> bool {
        let is_anybody = match &self.members {
            None => !available.is_empty(),
            Some(members) => members.intersection(available).next().is_some(),
        };
        self.is_open && !is_anybody
    }
}

/// What is known when a node looks.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// Whether any agent has ever used presence.
    pub is_used: bool,
    /// Agents who are not offline: whether they are available, and when they last said so.
    pub present: Vec<(AgentId, bool, DateTime<Utc>)>,
    /// Streams of present agents by node.
    pub lines: Vec<(Uuid, AgentId)>,
    /// Nodes and their leases.
    pub nodes: Vec<(Uuid, DateTime<Utc>)>,
    /// Where somebody has to be.
    pub watches: Vec<Watch>,
}

/// What a node has to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Whether its own lease is to be renewed.
    pub renews: bool,
    /// Whose streams it has now.
    pub joined: Vec<AgentId>,
    /// Whose it has no longer.
    pub left: Vec<AgentId>,
    /// Other nodes that are no longer there.
    pub dead: Vec<Uuid>,
    /// Agents whose last stream has died.
    pub lost: Vec<AgentId>,
    /// What becomes of alarms, of the desk or of teams; those that stay as they are left out.
    pub turns: Vec<(Option<TeamId>, Turn)>,
}

impl Plan {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        let Self { renews, joined, left, dead, lost, turns } = self;
        !renews && joined.is_empty() && left.is_empty() && dead.is_empty() && lost.is_empty() && turns.is_empty()
    }
}

/// The alarm's next turn; `repeat` is how often it is told until somebody sees to it.
pub fn turn(alarm: Option<Alarm>, is_nobody_there: bool, repeat: TimeDelta, now: DateTime<Utc>) -> Turn {
    match (alarm, is_nobody_there) {
        (None, true) => Turn::Raise,
        (None, false) => Turn::Stay,
        (Some(_), false) => Turn::End,
        (Some(alarm), true) if alarm.is_acknowledged || now - alarm.told_at < repeat => Turn::Stay,
        (Some(_), true) => Turn::Repeat,
    }
}

/// What node `node`, which has streams of the agents `seated`, has to write at `now`.
pub fn plan(standing: &Standing, node: Uuid, seated: &BTreeSet<AgentId>, repeat: TimeDelta, now: DateTime<Utc>) -> Plan {
    let present: BTreeSet<AgentId> = standing.present.iter().map(|one| one.0).collect();
    let ours: BTreeSet<AgentId> = standing.lines.iter().filter(|line| line.0 == node).map(|line| line.1).collect();
    let wanted: BTreeSet<AgentId> = seated.intersection(&present).copied().collect();
    let dead: Vec<Uuid> = standing.nodes.iter().filter(|(id, until)| *id != node && *until <= now).map(|one| one.0).collect();
    let is_held = |agent: &AgentId| {
        seated.contains(agent) || standing.lines.iter().any(|(id, held)| held == agent && *id != node && !dead.contains(id))
    };
    let is_lost = |(agent, _, said_at): &&(AgentId, bool, DateTime<Utc>)| !is_held(agent) && now - *said_at >= TO_CONNECT;
    let lost: Vec<AgentId> = standing.present.iter().filter(is_lost).map(|one| one.0).collect();
    let is_there = |(agent, is_available, _): &&(AgentId, bool, DateTime<Utc>)| *is_available && !lost.contains(agent);
    let available: BTreeSet<AgentId> = standing.present.iter().filter(is_there).map(|one| one.0).collect();
    let turn_of = |watch: &Watch| turn(watch.alarm, standing.is_used && watch.is_nobody_there(&available), repeat, now);
    let turns = standing.watches.iter().map(|watch| (watch.team, turn_of(watch))).filter(|one| one.1 != Turn::Stay).collect();
    let lease = standing.nodes.iter().find(|one| one.0 == node).map(|one| one.1);
    Plan {
        renews: !wanted.is_empty() && lease.is_none_or(|until| until - now <= RENEW_AT),
        joined: wanted.difference(&ours).copied().collect(),
        left: ours.difference(&wanted).copied().collect(),
        dead,
        lost,
        turns,
    }
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
