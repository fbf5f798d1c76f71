//! One promise as a value: started, paused, resumed, reached, and asked about an instant. Pure.
//!
//! Budgets and used time are whole seconds; instants keep what the database keeps. A clock that runs in elapsed time is due
//! exactly its seconds after its start, parts of a second included. One that counts open hours counts from the beginning of
//! the second it started in. A second that was begun is used: more than the target is used exactly when it is broken.
use crate::calendar::hours::{Hours, Mode};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

names! {
    /// What is measured.
    pub enum Metric {
        /// A live person picks up.
        Pickup = "pickup",
        /// The first public reply by a person.
        FirstResponse = "first_response",
        /// A public reply to what the contact wrote later.
        NextResponse = "next_response",
        /// Closed.
        Resolution = "resolution",
    }
}

names! {
    /// Where a clock stands.
    pub enum Standing {
        /// It counts.
        Running = "running",
        /// It stands still until the contact writes.
        Paused = "paused",
        /// What was promised was done, in time or not.
        Reached = "reached",
        /// Nothing was promised; the reason is kept.
        NotPromised = "not_promised",
        /// The start is not known; it stays out of the figures.
        NotMeasured = "not_measured",
    }
}

names! {
    /// What people read: the one comparison of a clock with an instant.
    pub enum Verdict {
        /// In time so far.
        Running = "running",
        /// In time so far, but the warning share is used.
        AtRisk = "at_risk",
        /// Standing still.
        Paused = "paused",
        /// Done in time.
        Met = "met",
        /// Not done in time, whether done since or not.
        Breached = "breached",
        /// Nothing was promised.
        NotPromised = "not_promised",
        /// The start is not known.
        NotMeasured = "not_measured",
    }
}

/// Why nothing was promised: the calendar was closed at the start.
pub const CLOSED: &str = "closed";
/// Why nothing is measured: an agent wrote the call or chat down by hand.
pub const BY_HAND: &str = "entered_by_hand";

/// What is promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promise {
    /// What counts.
    pub mode: Mode,
    /// Seconds allowed, at least 1.
    pub target_seconds: i64,
    /// Share of the time, in percent, at which a warning goes out; 0 for none.
    pub warn_percent: i32,
}

impl Promise {
    /// Seconds after which the warning is due; 0 for none.
    fn warning_seconds(&self) -> i64 {
        self.target_seconds * i64::from(self.warn_percent) / 100
    }
}

/// A promise on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// What is promised.
    pub promise: Promise,
    /// Where it stands.
    pub standing: Standing,
    /// Why it is not promised or not measured.
    pub reason: Option<String>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// From here on time is counted anew: the start, or the last resumption or pause.
    pub anchor_at: DateTime<Utc>,
    /// Seconds used up to the anchor.
    pub used_at_anchor: i64,
    /// When the time is used up; none while it stands still.
    pub due_at: Option<DateTime<Utc>>,
    /// When the warning is due.
    pub warn_at: Option<DateTime<Utc>>,
    /// When the warning fell due and was written.
    pub warned_at: Option<DateTime<Utc>>,
    /// When the promise was broken: exactly the due instant. Never unmade.
    pub breached_at: Option<DateTime<Utc>>,
    /// When it was reached.
    pub reached_at: Option<DateTime<Utc>>,
    /// Seconds used when it was reached.
    pub used_seconds: Option<i64>,
}

/// What happens to a clock; history keeps these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// It stands still from here.
    Paused(DateTime<Utc>),
    /// It runs again from here.
    Resumed(DateTime<Utc>),
    /// A person did what was promised.
    Reached(DateTime<Utc>),
    /// The alarm wrote the warning.
    Warned(DateTime<Utc>),
    /// The alarm wrote the breach.
    Breached(DateTime<Utc>),
}

/// The second that `at` lies in, and the part of a second that an elapsed clock carries along.
pub(super) fn split(mode: Mode, at: DateTime<Utc>) -> (DateTime<Utc>, TimeDelta) {
    let second = at.trunc_subsecs(0);
    match mode {
        Mode::Always | Mode::WhenOpen => (second, at - second),
        Mode::BusinessHours => (second, TimeDelta::zero()),
    }
}

/// The end of the second that `at` lies in.
pub(super) fn second_after(at: DateTime<Utc>) -> DateTime<Utc> {
    let floor = at.trunc_subsecs(0);
    if floor == at { at } else { floor + TimeDelta::seconds(1) }
}

impl Clock {
    /// Starts a clock at `at`; a `when_open` promise made while closed is none.
    pub fn start(promise: Promise, hours: &Hours, at: DateTime<Utc>) -> Self {
        let mut clock = Self::standing(promise, at, Standing::Running, None);
        if promise.mode == Mode::WhenOpen && !hours.is_open(at) {
            clock.standing = Standing::NotPromised;
            clock.reason = Some(CLOSED.to_owned());
        } else {
            clock.lay_out(hours);
        }
        clock
    }

    /// A clock whose real start nobody knows.
    pub fn not_measured(promise: Promise, at: DateTime<Utc>) -> Self {
        Self::standing(promise, at, Standing::NotMeasured, Some(BY_HAND.to_owned()))
    }

    /// A clock whose promise came to nothing, for a reason that is no fault of the desk.
    pub fn withdrawn(promise: Promise, at: DateTime<Utc>, reason: &str) -> Self {
        Self::standing(promise, at, Standing::NotPromised, Some(reason.to_owned()))
    }

    fn standing(promise: Promise, at: DateTime<Utc>, standing: Standing, reason: Option<String>) -> Self {
        Self {
            promise,
            standing,
            reason,
            started_at: at,
            anchor_at: at,
            used_at_anchor: 0,
            due_at: None,
            warn_at: None,
            warned_at: None,
            breached_at: None,
            reached_at: None,
            used_seconds: None,
        }
    }

    /// Lays what remains over the hours from the anchor on.
    pub(super) fn lay_out(&mut self, hours: &Hours) {
        let (anchor, part) = split(self.promise.mode, self.anchor_at);
        let left = |seconds: i64| (seconds - self.used_at_anchor).max(0);
        let at = |seconds: i64| hours.due(self.promise.mode, anchor, left(seconds)).ok()?.checked_add_signed(part);
        let warning = self.promise.warning_seconds();
        (self.due_at, self.warn_at) = (at(self.promise.target_seconds), (warning > 0).then(|| at(warning)).flatten());
    }

    /// What fell due by `now` and is not yet written; the caller writes it as facts.
    pub fn fallen_due(&self, now: DateTime<Utc>) -> Vec<Fact> {
        let mut facts = Vec::new();
        if self.standing == Standing::Running && self.breached_at.is_none() {
            if let Some(at) = self.warn_at.filter(|at| self.warned_at.is_none() && now >= *at) {
                facts.push(Fact::Warned(at));
            }
            if let Some(at) = self.due_at.filter(|at| now > *at) {
                facts.push(Fact::Breached(at));
            }
        }
        facts
    }

    /// Takes in what the alarm wrote; needs no calendar.
    pub fn mark(&mut self, fact: Fact) {
        match fact {
            Fact::Warned(at) => self.warned_at = self.warned_at.or(Some(at)),
            Fact::Breached(at) => self.breached_at = self.breached_at.or(Some(at)),
            Fact::Paused(_) | Fact::Resumed(_) | Fact::Reached(_) => {}
        }
    }

    /// Takes in one fact. What fell due before it must have been taken in first; what does not fit changes nothing.
    pub fn apply(&mut self, fact: Fact, hours: &Hours) {
        match (self.standing, fact) {
            (Standing::Running, Fact::Paused(at)) => {
                let at = at.max(self.anchor_at);
                self.used_at_anchor = self.used_by(at, hours);
                self.anchor_at = at;
                self.standing = Standing::Paused;
                if self.breached_at.is_none() {
                    (self.due_at, self.warn_at) = (None, None);
                }
            }
            (Standing::Paused, Fact::Resumed(at)) => {
                self.anchor_at = at.max(self.anchor_at);
                self.standing = Standing::Running;
                if self.breached_at.is_none() {
                    self.lay_out(hours);
                }
            }
            (Standing::Running | Standing::Paused, Fact::Reached(at)) => {
                let at = at.max(self.started_at);
                self.used_seconds = Some(self.used_at_anchor + self.counted_since_anchor(at, hours, second_after));
                self.reached_at = Some(at);
                self.standing = Standing::Reached;
            }
            (Standing::Running | Standing::Paused, Fact::Warned(_) | Fact::Breached(_)) => self.mark(fact),
            (Standing::Reached | Standing::NotPromised | Standing::NotMeasured, _)
            | (Standing::Running, Fact::Resumed(_))
            | (Standing::Paused, Fact::Paused(_)) => {}
        }
    }

    /// Seconds counted since the anchor, a begun one by `round`; none while it stands still.
    fn counted_since_anchor(&self, at: DateTime<Utc>, hours: &Hours, round: fn(DateTime<Utc>) -> DateTime<Utc>) -> i64 {
        if self.standing != Standing::Running {
            return 0;
        }
        let (anchor, part) = split(self.promise.mode, self.anchor_at);
        hours.counted(self.promise.mode, anchor, round(at - part))
    }

    /// Whole seconds used when a fact took place that was just taken in; a warning and a breach need no calendar for it.
    pub fn used_at(&self, fact: Fact) -> i64 {
        match fact {
            Fact::Warned(_) => self.promise.warning_seconds(),
            Fact::Breached(_) => self.promise.target_seconds,
            Fact::Paused(_) | Fact::Resumed(_) | Fact::Reached(_) => self.used_seconds.unwrap_or(self.used_at_anchor),
        }
    }

    /// Whole seconds used by `now`.
    pub fn used_by(&self, now: DateTime<Utc>, hours: &Hours) -> i64 {
        match (self.standing, self.used_seconds) {
            (Standing::Reached, Some(used)) => used,
            _ => self.used_at_anchor + self.counted_since_anchor(now, hours, |at| at.trunc_subsecs(0)),
        }
    }

    /// The next instant at which something must be written; none where nothing can fall due.
    pub fn alarm_at(&self) -> Option<DateTime<Utc>> {
        if self.standing != Standing::Running || self.breached_at.is_some() {
            return None;
        }
        self.warn_at.filter(|_| self.warned_at.is_none()).into_iter().chain(self.due_at).min()
    }

    /// How the promise stands at `now`. At or before due is met.
    pub fn verdict(&self, now: DateTime<Utc>) -> Verdict {
        verdict(self.standing, (self.due_at, self.warn_at), self.breached_at.is_some(), now)
    }
}

/// How a promise stands at `now` by what is stored of it: the one comparison, for verbs and for figures.
pub fn verdict(
    standing: Standing,
    (due_at, warn_at): (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    is_breached: bool,
    now: DateTime<Utc>,
) -> Verdict {
    let is_overdue = standing == Standing::Running && due_at.is_some_and(|due| now > due);
    match standing {
        Standing::NotPromised => Verdict::NotPromised,
        Standing::NotMeasured => Verdict::NotMeasured,
        _ if is_overdue || is_breached => Verdict::Breached,
        Standing::Reached => Verdict::Met,
        Standing::Paused => Verdict::Paused,
        Standing::Running if warn_at.is_some_and(|at| now >= at) => Verdict::AtRisk,
        Standing::Running => Verdict::Running,
    }
}

#[cfg(test)]
#[path = "clock_tests.rs"]
mod tests;
