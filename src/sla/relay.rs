//! A promise laid out anew while it runs: by another target, or over other hours. Pure.
use super::clock::{Clock, Fact, Promise, Standing, split};
use crate::calendar::hours::Hours;
use chrono::{DateTime, SubsecRound, Utc};

impl Fact {
    /// When it took place.
    pub fn at(self) -> DateTime<Utc> {
        match self {
            Self::Paused(at) | Self::Resumed(at) | Self::Reached(at) | Self::Warned(at) | Self::Breached(at) => at,
        }
    }
}

impl Clock {
    /// Whether it can still be kept: what is decided, or broken, stays as it is.
    pub fn can_move(&self) -> bool {
        matches!(self.standing, Standing::Running | Standing::Paused) && self.breached_at.is_none()
    }

    /// The same clock by another target from the original start, with `pauses` as they were; and what fell due by `now` that way.
    /// None where it is decided, or where the new target promises nothing at that start: then the old promise holds.
    pub fn retargeted(&self, promise: Promise, hours: &Hours, pauses: &[Fact], now: DateTime<Utc>) -> Option<(Self, Vec<Fact>)> {
        let mut clock = Self::start(promise, hours, self.started_at);
        if !self.can_move() || clock.standing != Standing::Running {
            return None;
        }
        let mut fell_due = Vec::new();
        for fact in pauses {
            // What would have been broken before a pause is broken at that instant, not after it.
            fell_due.extend(clock.take_due(fact.at()));
            clock.apply(*fact, hours);
        }
        fell_due.extend(clock.take_due(now));
        // A warning that was given is not given again, unless the new one still lies ahead.
        let was_warned = self.warned_at.filter(|_| clock.warned_at.is_some() || promise.warn_percent == 0);
        fell_due.retain(|fact| !(matches!(fact, Fact::Warned(_)) && was_warned.is_some()));
        (clock.warned_at, clock.breached_at) = (was_warned, None);
        Some((clock, fell_due))
    }

    fn take_due(&mut self, now: DateTime<Utc>) -> Vec<Fact> {
        let due = self.fallen_due(now);
        for fact in &due {
            self.mark(*fact);
        }
        due
    }

    /// The same clock over other hours from `at` on: the time used stays used, what remains is laid over the new hours.
    /// None where it is decided.
    pub fn relaid(&self, at: DateTime<Utc>, old: &Hours, new: &Hours) -> Option<Self> {
        if !self.can_move() {
            return None;
        }
        let mut clock = self.clone();
        if self.standing == Standing::Running {
            let (anchor, part) = split(self.promise.mode, self.anchor_at);
            // The last second that was used up: the part of a second that the clock carries along is not lost.
            let until = (at.max(self.anchor_at) - part).trunc_subsecs(0);
            clock.used_at_anchor += old.counted(self.promise.mode, anchor, until);
            clock.anchor_at = until + part;
            clock.lay_out(new);
            if self.warned_at.is_some() {
                clock.warn_at = self.warn_at;
            }
        }
        Some(clock)
    }
}

#[cfg(test)]
#[path = "relay_tests.rs"]
mod tests;
