//! The rules of surveys: whom to ask, when, and how answers are reviewed. Pure.
use super::score::{Group, Score};
use crate::calendar::hours::{Hours, Span};
use crate::ids::AgentId;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use std::collections::BTreeMap;

/// Longest comment, in characters.
pub const COMMENT_MAX: usize = 2_000;

/// The highest score of a detractor.
pub const DETRACTOR_MAX: i32 = 6;
/// A ticket with this tag is not asked about.
pub const SPAM_TAG: &str = "spam";

names! {
    /// What a survey asks about; the two are never mixed in one figure.
    pub enum SurveyKind {
        /// The request that was closed.
        Transactional = "transactional",
        /// The company as a whole.
        Relationship = "relationship",
    }
}

impl Default for SurveyKind {
    /// What the desk promises: each request is asked about.
    fn default() -> Self {
        Self::Transactional
    }
}

names! {
    /// How a close ended for the survey: every close has exactly one, and the ticket shows it.
    pub enum Outcome {
        /// The invitation waits for its time.
        Waiting = "waiting",
        /// It is being handed to the mail server.
        Sending = "sending",
        /// It was mailed.
        Sent = "sent",
        /// The ticket was opened again first.
        CancelledReopened = "cancelled_reopened",
        /// The wave was stopped first: for relationship surveys.
        CancelledStopped = "cancelled_stopped",
        /// A later close of the same contact is asked about instead.
        Superseded = "superseded",
        /// The contact has no mail address.
        SkippedNoEmail = "skipped_no_email",
        /// The contact wants no surveys.
        SkippedUnsubscribed = "skipped_unsubscribed",
        /// The address bounces.
        SkippedBounced = "skipped_bounced",
        /// The contact was asked lately.
        SkippedThrottled = "skipped_throttled",
        /// The contact is one of the staff.
        SkippedStaff = "skipped_staff",
        /// The ticket was merged into another.
        SkippedMerged = "skipped_merged",
        /// The ticket was spam.
        SkippedSpam = "skipped_spam",
        /// Surveys are switched off.
        SkippedDisabled = "skipped_disabled",
        /// Follow-ups of an answer are not surveyed.
        SkippedFollowup = "skipped_followup",
        /// There is an answer already: for reminders.
        SkippedAnswered = "skipped_answered",
        /// The time to answer is over: for reminders.
        SkippedExpired = "skipped_expired",
        /// It could not be mailed; a person can release it.
        Failed = "failed",
        /// The connection broke while it was handed over; it is not sent again.
        Unknown = "unknown",
    }
}

names! {
    /// Where the review of an answer stands.
    pub enum ReviewState {
        /// Nobody has taken it.
        New = "new",
        /// Somebody has.
        InReview = "in_review",
        /// Done.
        Reviewed = "reviewed",
    }
}

names! {
    /// What became of a suspicious answer.
    pub enum Confirmation {
        /// Nobody has looked; it is not counted.
        Unconfirmed = "unconfirmed",
        /// A person said that it is genuine; it is counted.
        Confirmed = "confirmed",
        /// A person said that it is not; it is not counted.
        Rejected = "rejected",
    }
}

/// What is true of an invitation right before it is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facts {
    /// Surveys are switched on.
    pub is_enabled: bool,
    /// The ticket is still closed by the same close.
    pub is_that_close: bool,
    /// The wave was stopped.
    pub is_wave_stopped: bool,
    /// The ticket was merged into another one.
    pub is_merged: bool,
    /// The ticket is tagged as spam.
    pub is_spam: bool,
    /// The ticket was opened to follow an answer up.
    pub is_followup: bool,
    /// There is an answer already.
    pub is_answered: bool,
    /// The time to answer is over.
    pub is_expired: bool,
    /// A later close of the same contact waits too.
    pub is_superseded: bool,
    /// The contact wants no surveys.
    pub is_unsubscribed: bool,
    /// The contact has a mail address.
    pub has_email: bool,
    /// The address is one of the staff's.
    pub is_staff: bool,
    /// The address refused a letter.
    pub is_bounced: bool,
    /// The contact was asked lately.
    pub is_throttled: bool,
}

/// Why an invitation is not sent; `None` where it is.
pub fn hindrance(facts: &Facts) -> Option<Outcome> {
    let rules = [
        (!facts.is_that_close, Outcome::CancelledReopened),
        (facts.is_wave_stopped, Outcome::CancelledStopped),
        (!facts.is_enabled, Outcome::SkippedDisabled),
        (facts.is_merged, Outcome::SkippedMerged),
        (facts.is_spam, Outcome::SkippedSpam),
        (facts.is_followup, Outcome::SkippedFollowup),
        (facts.is_answered, Outcome::SkippedAnswered),
        (facts.is_expired, Outcome::SkippedExpired),
        (facts.is_superseded, Outcome::Superseded),
        (!facts.has_email, Outcome::SkippedNoEmail),
        (facts.is_staff, Outcome::SkippedStaff),
        (facts.is_unsubscribed, Outcome::SkippedUnsubscribed),
        (facts.is_bounced, Outcome::SkippedBounced),
        (facts.is_throttled, Outcome::SkippedThrottled),
    ];
    rules.into_iter().find(|(applies, _)| *applies).map(|(_, outcome)| outcome)
}

/// When people may be written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// 1 is Monday.
    pub weekdays: Vec<u32>,
    /// Local time of opening, in seconds of the day.
    pub from: u32,
    /// Local time of closing.
    pub to: u32,
}

/// The first instant at or after `due` inside the window, in the contact's zone; `due` itself where there is no window.
pub fn send_at(due: DateTime<Utc>, window: Option<&Window>, zone: Tz) -> DateTime<Utc> {
    let Some(window) = window else { return due };
    let Ok(span) = Span::new(window.from, window.to) else { return due };
    let weekly: [Vec<Span>; 7] =
        std::array::from_fn(|day| if window.weekdays.contains(&(day as u32 + 1)) { vec![span] } else { Vec::new() });
    Hours::new(zone, weekly, BTreeMap::new()).next_opening(due).unwrap_or(due)
}

/// An answer can be changed for so long after it was given.
pub fn can_edit(answered_at: DateTime<Utc>, edit_hours: u32, now: DateTime<Utc>) -> bool {
    now <= answered_at + TimeDelta::hours(i64::from(edit_hours))
}

/// Whether an answer is in doubt: then whoever has the link can still give the real one, while the survey is open.
pub fn is_in_doubt(confirmation: Option<Confirmation>) -> bool {
    matches!(confirmation, Some(Confirmation::Unconfirmed | Confirmation::Rejected))
}

/// A detractor whose next answer is 7 or more has been won back.
pub fn is_recovered(score: i32, next_score: Option<i32>) -> bool {
    score <= DETRACTOR_MAX && next_score.is_some_and(|next| next > DETRACTOR_MAX)
}

/// The place of an answer in the queue of reviews: detractors with a comment first.
pub fn rank(score: Score, comment: &str) -> i32 {
    match (score.group(), comment.is_empty()) {
        (Group::Detractor, false) => 0,
        (Group::Detractor, true) => 1,
        (Group::Passive | Group::Promoter, false) => 2,
        (Group::Passive | Group::Promoter, true) => 3,
    }
}

/// Whether a review must name causes: for 0 to 6, and for any comment.
pub fn needs_causes(score: Score, comment: &str) -> bool {
    rank(score, comment) < 3
}

/// An answer is never reviewed by someone who handled the ticket.
pub fn may_review(agent: AgentId, assignee: Option<AgentId>, repliers: &[AgentId]) -> bool {
    assignee != Some(agent) && !repliers.contains(&agent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_hindrance_names_the_outcome_and_none_means_send() {
        let good = Facts { is_enabled: true, is_that_close: true, has_email: true, ..Facts::default() };
        assert_eq!(hindrance(&good), None);
        let rows = [
            (Facts { is_that_close: false, ..good }, Outcome::CancelledReopened),
            (Facts { is_wave_stopped: true, ..good }, Outcome::CancelledStopped),
            (Facts { is_enabled: false, ..good }, Outcome::SkippedDisabled),
            (Facts { is_merged: true, ..good }, Outcome::SkippedMerged),
            (Facts { is_spam: true, ..good }, Outcome::SkippedSpam),
            (Facts { is_followup: true, ..good }, Outcome::SkippedFollowup),
            (Facts { is_answered: true, ..good }, Outcome::SkippedAnswered),
            (Facts { is_expired: true, ..good }, Outcome::SkippedExpired),
            (Facts { is_superseded: true, ..good }, Outcome::Superseded),
            (Facts { has_email: false, ..good }, Outcome::SkippedNoEmail),
            (Facts { is_staff: true, ..good }, Outcome::SkippedStaff),
            (Facts { is_unsubscribed: true, ..good }, Outcome::SkippedUnsubscribed),
            (Facts { is_bounced: true, ..good }, Outcome::SkippedBounced),
            (Facts { is_throttled: true, ..good }, Outcome::SkippedThrottled),
        ];
        for (facts, outcome) in rows {
            assert_eq!(hindrance(&facts), Some(outcome));
        }
        // What stands further up names it.
        assert_eq!(hindrance(&Facts { is_that_close: false, is_unsubscribed: true, ..good }), Some(Outcome::CancelledReopened));
    }

    #[track_caller]
    fn check(due: &str, expected: &str) {
        let window = Window { weekdays: vec![1, 2, 3, 4, 5], from: 8 * 3600, to: 18 * 3600 };
        let due = due.parse().expect("an instant");
        assert_eq!(
            send_at(due, Some(&window), chrono_tz::Europe::Berlin),
            expected.parse::<DateTime<Utc>>().expect("an instant")
        );
        assert_eq!(send_at(due, None, chrono_tz::Europe::Berlin), due);
    }

    #[test]
    fn an_invitation_moves_into_the_contacts_own_working_hours() {
        check("2026-06-10T09:00:00Z", "2026-06-10T09:00:00Z");
        check("2026-06-10T16:00:00Z", "2026-06-11T06:00:00Z");
        check("2026-06-12T20:00:00Z", "2026-06-15T06:00:00Z");
        check("2026-03-28T12:00:00Z", "2026-03-30T06:00:00Z");
    }

    #[test]
    fn a_detractor_is_recovered_by_the_next_answer() {
        for (score, next, expected) in
            [(6, Some(7), true), (0, Some(10), true), (6, Some(6), false), (6, None, false), (7, Some(9), false)]
        {
            assert_eq!(is_recovered(score, next), expected, "{score} {next:?}");
        }
        assert!(Score::new(6).is_ok_and(|score| score.group() == Group::Detractor));
        assert!(Score::new(7).is_ok_and(|score| score.group() != Group::Detractor), "DETRACTOR_MAX says the same as the score");
    }

    #[test]
    fn detractors_with_a_comment_come_first_and_comments_need_causes() {
        let score = |n| Score::new(n).expect("a score");
        assert_eq!([rank(score(6), "no"), rank(score(0), ""), rank(score(7), "ok"), rank(score(10), "")], [0, 1, 2, 3]);
        assert!(needs_causes(score(10), "why") && needs_causes(score(6), "") && !needs_causes(score(7), ""));
    }
}
