//! The time that agents were available, shared out over the groups of the report on calls. Pure.
use super::calls_asked::{CallsAsked, CallsBy};
use super::calls_figures::CallsTally;
use super::figures::{Groups, Key};
use crate::ids::{AgentId, TeamId};
use chrono::{DateTime, SubsecRound, Utc};
use std::collections::HashMap;

/// A stretch of time in which an agent was available; it may reach beyond the period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spell {
    /// Who.
    pub agent_id: AgentId,
    /// Since when.
    pub from: DateTime<Utc>,
    /// Until when.
    pub to: DateTime<Utc>,
}

/// Whole seconds of a spell within a stretch.
fn within(spell: &Spell, from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
    let (from, to) = (spell.from.trunc_subsecs(0).max(from), spell.to.trunc_subsecs(0).min(to));
    (to - from).num_seconds().max(0)
}

/// Adds spells to the total once, and to every group that they belong to: an agent of two teams is there for both.
pub fn share_out(asked: &CallsAsked, spells: &[Spell], teams: &HashMap<AgentId, Vec<TeamId>>, groups: &mut Groups<CallsTally>) {
    for spell in spells {
        let own = teams.get(&spell.agent_id).map(Vec::as_slice).unwrap_or_default();
        let is_wanted = asked.agent_id.is_none_or(|id| id == spell.agent_id) && asked.team_id.is_none_or(|id| own.contains(&id));
        let seconds = within(spell, asked.period.from, asked.period.to);
        if !is_wanted || seconds == 0 {
            continue;
        }
        groups.whole.available_seconds += seconds;
        let mut add = |key: Key, seconds: i64| groups.by_key.entry(key).or_default().available_seconds += seconds;
        match asked.group_by {
            None => {}
            Some(CallsBy::Agent) => add(Some(spell.agent_id).into(), seconds),
            Some(CallsBy::Team) if own.is_empty() => add(None::<TeamId>.into(), seconds),
            Some(CallsBy::Team) => {
                for team in own.iter().filter(|team| asked.team_id.is_none_or(|id| id == **team)) {
                    add(Some(*team).into(), seconds);
                }
            }
            Some(_) => {
                for (index, bucket) in asked.buckets.iter().enumerate() {
                    match within(spell, bucket.from, bucket.to) {
                        0 => {}
                        seconds => add(Key::Bucket(index), seconds),
                    }
                }
            }
        }
    }
}
