//! A call as a fold over its events, sorted by their own time: whatever order they came in, the same call. Pure.
//!
//! A phone system says when each thing happened. Waiting and talking are measured between those instants alone, so a late
//! report changes nothing about them. What cannot be true is kept and named as a doubt, never repaired in silence.
use crate::ids::AgentId;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;

/// Who hung up sooner than this did not wait for anybody.
pub const SHORT_ABANDON: TimeDelta = TimeDelta::seconds(5);
/// The clock of a phone system may be ahead of ours by so much; what is said to happen later has not happened.
pub const AHEAD_MAX: TimeDelta = TimeDelta::seconds(60);
/// A report may be so late; what is said to be older is a clock that was not set.
pub const LATE_MAX: TimeDelta = TimeDelta::days(7);

names! {
    /// What a phone system reports, in the order in which it usually happens.
    pub enum CallEvent {
        /// The call came in and nobody has it.
        Ringing = "ringing",
        /// An agent's phone rings.
        Offered = "offered",
        /// Somebody took it; only with an agent of the desk is it a person who answered.
        Answered = "answered",
        /// Another agent or queue has it.
        Transferred = "transferred",
        /// The caller speaks to a recorder, or what they said is there.
        Voicemail = "voicemail",
        /// Hung up.
        Ended = "ended",
    }
}

names! {
    /// Where a call stands.
    pub enum CallState {
        /// Nothing that can be trusted was reported yet.
        Unknown = "unknown",
        /// It waits for somebody.
        Ringing = "ringing",
        /// An agent talks with the caller.
        Talking = "talking",
        /// The caller speaks to a recorder.
        Voicemail = "voicemail",
        /// Over.
        Ended = "ended",
    }
}

names! {
    /// How a call went.
    pub enum CallOutcome {
        /// An agent took it.
        Answered = "answered",
        /// The caller hung up before anybody took it.
        Abandoned = "abandoned",
        /// The same within five seconds.
        ShortAbandoned = "short_abandoned",
        /// Nobody took it, and the caller left a message.
        Voicemail = "voicemail",
        /// It rang while the desk was closed, nobody took it, and the caller left no message.
        NotPromised = "not_promised",
    }
}

names! {
    /// What about the reports cannot be, or is not known.
    pub enum Doubt {
        /// An event was said to happen after it was reported; it is kept and not counted.
        Future = "future",
        /// An event was said to be more than a week old; it is kept and not counted.
        LongPast = "long_past",
        /// Somebody answered who is no agent of the desk.
        UnknownAgent = "unknown_agent",
        /// No ring was reported: nobody knows how long the caller waited.
        NoRing = "no_ring",
        /// It was answered before it rang; the wait counts as none.
        AnsweredBeforeRing = "answered_before_ring",
        /// It was over before it rang.
        EndedBeforeRing = "ended_before_ring",
        /// It was answered after it was over; that answer is not counted.
        AnsweredAfterEnd = "answered_after_end",
    }
}

/// One report of a phone system, as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// What happened.
    pub kind: CallEvent,
    /// When it says that it happened.
    pub at: DateTime<Utc>,
    /// When we got it.
    pub received_at: DateTime<Utc>,
    /// The agent of the desk that it names.
    pub agent_id: Option<AgentId>,
    /// It names somebody whom the desk does not know.
    pub is_stranger: bool,
    /// Where the sound is.
    pub recording_url: Option<String>,
    /// What was said.
    pub transcript: Option<String>,
    /// Breaks ties between events of one kind and instant: the same on every node and in every order.
    pub digest: Vec<u8>,
}

impl Reported {
    /// Why it is kept but not counted.
    fn disbelief(&self) -> Option<Doubt> {
        if self.at > self.received_at + AHEAD_MAX {
            return Some(Doubt::Future);
        }
        (self.at < self.received_at - LATE_MAX).then_some(Doubt::LongPast)
    }

    /// By how much the phone system's clock is ahead of ours, at the least.
    fn ahead(&self) -> TimeDelta {
        (self.at - self.received_at).max(TimeDelta::zero())
    }
}

/// A call as its events tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of the domain")]
pub struct Call {
    pub state: CallState,
    pub outcome: Option<CallOutcome>,
    /// The earliest instant that is known of it.
    pub began_at: Option<DateTime<Utc>>,
    pub rang_at: Option<DateTime<Utc>>,
    pub answered_at: Option<DateTime<Utc>>,
    pub answered_by: Option<AgentId>,
    /// Who has it, or had it last.
    pub agent_id: Option<AgentId>,
    pub voicemail_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
    /// Whole seconds from the ring to the answer, or to the end of waiting; a second that was begun counts.
    pub wait_seconds: Option<i64>,
    /// Whole seconds from the answer to the end.
    pub talk_seconds: Option<i64>,
    pub recording_url: Option<String>,
    pub transcript: Option<String>,
    pub doubts: BTreeSet<Doubt>,
    /// By how much the phone system's clock was ahead of ours at the ring.
    pub ahead: TimeDelta,
}

/// Whole seconds of a stretch; one that was begun counts, as with every promise.
fn seconds(stretch: TimeDelta) -> i64 {
    let micros = stretch.num_microseconds().unwrap_or(i64::MAX).max(0);
    micros / 1_000_000 + i64::from(micros % 1_000_000 > 0)
}

impl Call {
    /// When it rang by our clock: what the promise counts from.
    pub fn rang_here_at(&self) -> Option<DateTime<Utc>> {
        self.rang_at.map(|at| at - self.ahead)
    }

    /// When an agent answered by our clock; the wait is the phone system's own.
    pub fn answered_here_at(&self) -> Option<DateTime<Utc>> {
        self.answered_at.map(|at| at - self.ahead)
    }

    /// When the caller was gone by our clock, or had left a message.
    pub fn missed_here_at(&self) -> Option<DateTime<Utc>> {
        let is_missed = self.outcome.is_some_and(|outcome| outcome != CallOutcome::Answered);
        self.ended_at.or(self.voicemail_at).filter(|_| is_missed).map(|at| at - self.ahead)
    }

    /// Whether the caller gave up by themselves, and when by our clock; a recorder that took the call is the desk's doing.
    pub fn gave_up_here_at(&self) -> Option<DateTime<Utc>> {
        let is_unanswered =
            matches!(self.outcome, Some(CallOutcome::Abandoned | CallOutcome::ShortAbandoned | CallOutcome::NotPromised));
        self.ended_at.filter(|_| is_unanswered).map(|at| at - self.ahead)
    }
}

/// The call that these events make. `is_open` says whether anybody was promised at an instant.
pub fn fold(events: &[Reported], is_open: impl Fn(DateTime<Utc>) -> bool) -> Call {
    let mut doubts: BTreeSet<Doubt> = events.iter().filter_map(Reported::disbelief).collect();
    let mut believed: Vec<&Reported> = events.iter().filter(|event| event.disbelief().is_none()).collect();
    believed.sort_by_key(|event| (event.at, event.kind, &event.digest));
    let of = |kind: CallEvent| believed.iter().copied().filter(move |event| event.kind == kind);
    let ring = of(CallEvent::Ringing).next();
    let rang_at = ring.map(|event| event.at);
    let ended_at = of(CallEvent::Ended).map(|event| event.at).next_back();
    let voicemail_at = of(CallEvent::Voicemail).map(|event| event.at).next();
    if of(CallEvent::Answered).any(|event| event.is_stranger) {
        doubts.insert(Doubt::UnknownAgent);
    }
    let by_agents = || of(CallEvent::Answered).filter(|event| event.agent_id.is_some());
    let is_after_end = |event: &&Reported| ended_at.is_some_and(|end| event.at > end);
    if by_agents().any(|event| is_after_end(&event)) {
        doubts.insert(Doubt::AnsweredAfterEnd);
    }
    let answer = by_agents().find(|event| !is_after_end(event));
    // Never before the ring.
    let answered_at = answer.map(|event| rang_at.map_or(event.at, |rang| event.at.max(rang)));
    if answer.zip(rang_at).is_some_and(|(event, rang)| event.at < rang) {
        doubts.insert(Doubt::AnsweredBeforeRing);
    }
    let is_impossible = rang_at.zip(ended_at).is_some_and(|(rang, end)| end < rang);
    if is_impossible {
        doubts.insert(Doubt::EndedBeforeRing);
    }
    if rang_at.is_none() && !believed.is_empty() {
        doubts.insert(Doubt::NoRing);
    }
    let waited_until = answered_at.or(voicemail_at).or(ended_at);
    let wait = rang_at.zip(waited_until).map(|(rang, until)| until - rang).filter(|wait| *wait >= TimeDelta::zero());
    let outcome = if answered_at.is_some() {
        Some(CallOutcome::Answered)
    } else if voicemail_at.is_some() {
        Some(CallOutcome::Voicemail)
    } else {
        match (rang_at, ended_at) {
            (Some(rang), Some(_)) if !is_impossible => Some(match wait {
                _ if !is_open(rang) => CallOutcome::NotPromised,
                Some(wait) if wait < SHORT_ABANDON => CallOutcome::ShortAbandoned,
                _ => CallOutcome::Abandoned,
            }),
            _ => None,
        }
    };
    let state = match (ended_at, answered_at, voicemail_at, believed.is_empty()) {
        (Some(_), ..) => CallState::Ended,
        (None, Some(_), ..) => CallState::Talking,
        (None, None, Some(_), _) => CallState::Voicemail,
        (None, None, None, false) => CallState::Ringing,
        (None, None, None, true) => CallState::Unknown,
    };
    let has_it = |event: &&&Reported| {
        let takes = matches!(event.kind, CallEvent::Answered | CallEvent::Transferred);
        takes && event.agent_id.is_some() && answered_at.is_some() && !is_after_end(event)
    };
    let last = |text: fn(&Reported) -> Option<&String>| believed.iter().rev().find_map(|event| text(event)).cloned();
    Call {
        state,
        outcome,
        began_at: believed.first().map(|event| event.at),
        rang_at,
        answered_at,
        answered_by: answer.and_then(|event| event.agent_id),
        agent_id: believed.iter().rev().find(has_it).and_then(|event| event.agent_id),
        voicemail_at,
        ended_at,
        wait_seconds: wait.map(seconds),
        talk_seconds: answered_at.zip(ended_at).map(|(from, to)| seconds(to - from)),
        recording_url: last(|event| event.recording_url.as_ref()),
        transcript: last(|event| event.transcript.as_ref()),
        doubts,
        ahead: ring.map_or(TimeDelta::zero(), Reported::ahead),
    }
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
