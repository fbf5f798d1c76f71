//! Figures of calls folded from their rows, each call in exactly one place. Pure.
use crate::calls::model::{CallOutcome, Doubt};
use crate::tickets::model::Direction;

names! {
    /// Why a call is in no figure.
    pub enum LeftOutCall {
        /// The desk was closed when it rang.
        NotPromised = "not_promised",
        /// It is not over and nobody has answered.
        Undecided = "undecided",
        /// No ring was reported.
        NoRing = "no_ring",
        /// Its reports contradict each other.
        InDoubt = "in_doubt",
        /// The desk called.
        Outbound = "outbound",
    }
}

/// What the figures need to know of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of the domain")]
pub struct CallFact {
    pub direction: Direction,
    pub outcome: Option<CallOutcome>,
    pub is_promised: Option<bool>,
    pub is_in_doubt: bool,
    pub wait_seconds: Option<i64>,
    pub talk_seconds: Option<i64>,
}

/// A call that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// How it went.
    pub outcome: CallOutcome,
    /// How long the caller waited.
    pub wait_seconds: i64,
}

impl Counted {
    /// Whether an agent took it within so many seconds.
    pub fn is_in_time(&self, within_seconds: i64) -> bool {
        self.outcome == CallOutcome::Answered && self.wait_seconds <= within_seconds
    }
}

/// Whether doubts of this kind make the seconds of a call worthless.
pub fn spoils(doubt: Doubt) -> bool {
    match doubt {
        Doubt::AnsweredBeforeRing | Doubt::EndedBeforeRing => true,
        Doubt::Future | Doubt::LongPast | Doubt::UnknownAgent | Doubt::NoRing | Doubt::AnsweredAfterEnd => false,
    }
}

impl CallFact {
    /// Whether it counts, or why not.
    pub fn counted(&self) -> Result<Counted, LeftOutCall> {
        if self.direction == Direction::Outbound {
            return Err(LeftOutCall::Outbound);
        }
        if self.is_in_doubt {
            return Err(LeftOutCall::InDoubt);
        }
        match (self.is_promised, self.outcome, self.wait_seconds) {
            (None, ..) => Err(LeftOutCall::NoRing),
            (Some(false), ..) | (_, Some(CallOutcome::NotPromised), _) => Err(LeftOutCall::NotPromised),
            (Some(true), Some(outcome), Some(wait_seconds)) => Ok(Counted { outcome, wait_seconds }),
            (Some(true), ..) => Err(LeftOutCall::Undecided),
        }
    }
}

/// The calls of a group; total = offered + everything left out.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of the domain")]
pub struct CallsTally {
    pub total: u64,
    pub offered: u64,
    pub answered: u64,
    pub answered_in_time: u64,
    pub abandoned: u64,
    pub short_abandoned: u64,
    pub voicemail: u64,
    pub answer_wait_seconds: i64,
    pub longest_wait_seconds: Option<i64>,
    pub talk_seconds: i64,
    pub available_seconds: i64,
    pub left_out: [u64; LeftOutCall::ALL.len()],
}

impl CallsTally {
    /// Counts one call; an answer within so many seconds is in time.
    pub fn add(&mut self, fact: &CallFact, within_seconds: i64) {
        self.total += 1;
        let counted = match fact.counted() {
            Ok(counted) => counted,
            Err(reason) => {
                let place = LeftOutCall::ALL.iter().position(|of| *of == reason).unwrap_or_default();
                if let Some(count) = self.left_out.get_mut(place) {
                    *count += 1;
                }
                return;
            }
        };
        let Counted { outcome, wait_seconds } = counted;
        self.offered += 1;
        self.longest_wait_seconds = self.longest_wait_seconds.max(Some(wait_seconds));
        match outcome {
            CallOutcome::Answered => {
                self.answered += 1;
                self.answered_in_time += u64::from(counted.is_in_time(within_seconds));
                self.answer_wait_seconds += wait_seconds;
                self.talk_seconds += fact.talk_seconds.unwrap_or(0);
            }
            CallOutcome::Abandoned => self.abandoned += 1,
            CallOutcome::ShortAbandoned => self.short_abandoned += 1,
            CallOutcome::Voicemail => self.voicemail += 1,
            CallOutcome::NotPromised => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(outcome: Option<CallOutcome>, wait: Option<i64>) -> CallFact {
        CallFact {
            direction: Direction::Inbound,
            outcome,
            is_promised: Some(true),
            is_in_doubt: false,
            wait_seconds: wait,
            talk_seconds: Some(60),
        }
    }

    #[test]
    fn every_call_is_in_exactly_one_place() {
        let calls = [
            fact(Some(CallOutcome::Answered), Some(20)),
            fact(Some(CallOutcome::Answered), Some(21)),
            fact(Some(CallOutcome::Abandoned), Some(90)),
            fact(Some(CallOutcome::ShortAbandoned), Some(3)),
            fact(Some(CallOutcome::Voicemail), Some(44)),
            fact(None, None),
            fact(Some(CallOutcome::NotPromised), Some(9)),
            CallFact { is_promised: Some(false), ..fact(Some(CallOutcome::Answered), Some(2)) },
            CallFact { is_promised: None, ..fact(Some(CallOutcome::Answered), None) },
            CallFact { is_in_doubt: true, ..fact(Some(CallOutcome::Answered), Some(0)) },
            CallFact { direction: Direction::Outbound, ..fact(Some(CallOutcome::Answered), Some(5)) },
        ];
        let mut tally = CallsTally::default();
        calls.iter().for_each(|call| tally.add(call, 20));
        assert_eq!((tally.total, tally.offered), (11, 5));
        assert_eq!(tally.offered, tally.answered + tally.abandoned + tally.short_abandoned + tally.voicemail);
        assert_eq!(tally.total, tally.offered + tally.left_out.iter().sum::<u64>());
        assert_eq!(tally.left_out, [2, 1, 1, 1, 1]);
        assert_eq!((tally.answered, tally.answered_in_time, tally.answer_wait_seconds), (2, 1, 41));
        assert_eq!((tally.longest_wait_seconds, tally.talk_seconds), (Some(90), 120));
    }
}
