//! What becomes of closes: outcome, letter, answer, review, follow-up. Every step adds up to the one above it. Pure.
use super::asked::{Asked, GroupBy};
use super::figures::{Groups, Names, percent_one_decimal};
use super::wire::{GroupKey, in_order};
use crate::surveys::model::{Outcome, ReviewState};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

names! {
    /// By what a close is counted in a period.
    pub enum Cohort {
        /// When the ticket was closed.
        Closed = "closed",
        /// When the letter was sent: only those that were.
        Sent = "sent",
    }
}

names! {
    /// Whether an answer counts.
    pub enum AnswerStanding {
        /// In every figure.
        Counted = "counted",
        /// It looks machine-made, and nobody has decided.
        Unconfirmed = "unconfirmed",
        /// A person said that it is not genuine.
        Rejected = "rejected",
    }
}

names! {
    /// Where a follow-up stands.
    pub enum FollowUp {
        /// It has no outcome yet.
        Open = "open",
        /// What was wrong is put right.
        Resolved = "resolved",
        /// The contact was spoken to.
        Contacted = "contacted",
        /// The contact did not answer.
        NoReply = "no_reply",
        /// The contact did not want to talk.
        Declined = "declined",
        /// There was nothing to follow up.
        NotNeeded = "not_needed",
    }
}

/// An answer, as far as the funnel looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerFact {
    /// Whether it counts.
    pub standing: AnswerStanding,
    /// Where its review stands.
    pub review: Option<ReviewState>,
    /// Where its follow-up stands, where one is owed.
    pub follow_up: Option<FollowUp>,
}

/// One close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseFact {
    /// Its named outcome.
    pub outcome: Outcome,
    /// Whether its letter came back.
    pub is_bounced: bool,
    /// Until when it can be answered.
    pub expires_at: Option<DateTime<Utc>>,
    /// The answer to it.
    pub answer: Option<AnswerFact>,
}

/// Counts of a cohort.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct FunnelTally {
    outcomes: BTreeMap<&'static str, u64>,
    sent: u64,
    unknown: u64,
    bounced: u64,
    waiting: u64,
    expired: u64,
    standings: BTreeMap<&'static str, u64>,
    counted_of_sent: u64,
    reviews: BTreeMap<&'static str, u64>,
    without_review: u64,
    follow_ups: BTreeMap<&'static str, u64>,
}

impl FunnelTally {
    /// Counts one close as it stands at `now`.
    pub fn add(&mut self, fact: &CloseFact, now: DateTime<Utc>) {
        let CloseFact { outcome, is_bounced, expires_at, answer } = *fact;
        *self.outcomes.entry(outcome.as_str()).or_default() += 1;
        let is_sent = outcome == Outcome::Sent;
        self.sent += u64::from(is_sent);
        self.unknown += u64::from(outcome == Outcome::Unknown);
        match answer {
            Some(AnswerFact { standing, review, follow_up }) => {
                *self.standings.entry(standing.as_str()).or_default() += 1;
                self.counted_of_sent += u64::from(is_sent && standing == AnswerStanding::Counted);
                match review {
                    Some(review) => *self.reviews.entry(review.as_str()).or_default() += 1,
                    None => self.without_review += 1,
                }
                if let Some(follow_up) = follow_up {
                    *self.follow_ups.entry(follow_up.as_str()).or_default() += 1;
                }
            }
            None if !matches!(outcome, Outcome::Sent | Outcome::Unknown) => {}
            // Who answered got the letter, whatever came back.
            None if is_bounced => self.bounced += 1,
            None if expires_at.is_none_or(|at| now < at) => self.waiting += 1,
            None => self.expired += 1,
        }
    }
}

/// What became of the letters: sent + unknown = bounced + waiting + expired + answered.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LettersOut {
    /// Taken by the mail server.
    pub sent: u64,
    /// The connection broke when they may have been taken.
    pub unknown: u64,
    /// Came back as undeliverable.
    pub bounced: u64,
    /// Not answered, and still can be.
    pub waiting: u64,
    /// Not answered in time.
    pub expired: u64,
    /// Answered.
    pub answered: u64,
}

/// What became of the answers: answered = counted + unconfirmed + rejected.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AnswersOut {
    /// In every figure.
    pub counted: u64,
    /// They look machine-made, and nobody has decided.
    pub unconfirmed: u64,
    /// A person said that they are not genuine.
    pub rejected: u64,
}

/// Where the reviews of the answers stand: answered = new + in_review + reviewed + none.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ReviewsOut {
    /// Nobody has taken them.
    pub new: u64,
    /// Somebody has.
    pub in_review: u64,
    /// Done.
    pub reviewed: u64,
    /// Without a review.
    pub none: u64,
}

/// What became of the follow-ups: owed is the sum of all others.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the names of the outcomes")]
pub struct FollowUpsOut {
    /// Answers that are owed one.
    pub owed: u64,
    pub open: u64,
    pub resolved: u64,
    pub contacted: u64,
    pub no_reply: u64,
    pub declined: u64,
    pub not_needed: u64,
}

/// The share of the letters that were answered.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ResponseRate {
    /// 100 · numerator ÷ denominator, rounded half away from zero to one decimal; null where nothing was sent.
    #[schema(examples(31.4))]
    pub percent: Option<f64>,
    /// Counted answers to letters that were sent.
    pub numerator: u64,
    /// Letters sent, without those that came back.
    pub denominator: u64,
}

/// The funnel of a cohort.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FunnelFigures {
    /// Closes; each has one outcome.
    pub closes: u64,
    /// Those outcomes by name; they add up to the closes.
    pub outcomes: BTreeMap<String, u64>,
    /// Of those sent or perhaps sent.
    pub letters: LettersOut,
    /// Of those answered.
    pub answers: AnswersOut,
    /// Of those answered.
    pub reviews: ReviewsOut,
    /// Of those answered.
    pub follow_ups: FollowUpsOut,
    /// The share answered.
    pub response_rate: ResponseRate,
}

impl From<FunnelTally> for FunnelFigures {
    fn from(tally: FunnelTally) -> Self {
        let FunnelTally { outcomes, sent, unknown, bounced, waiting, expired, standings, .. } = tally;
        let FunnelTally { counted_of_sent, reviews, without_review, follow_ups, .. } = tally;
        let of = |counts: &BTreeMap<&'static str, u64>, name: &str| counts.get(name).copied().unwrap_or(0);
        let delivered = sent.saturating_sub(bounced);
        Self {
            closes: outcomes.values().sum(),
            letters: LettersOut { sent, unknown, bounced, waiting, expired, answered: standings.values().sum() },
            answers: AnswersOut {
                counted: of(&standings, AnswerStanding::Counted.as_str()),
                unconfirmed: of(&standings, AnswerStanding::Unconfirmed.as_str()),
                rejected: of(&standings, AnswerStanding::Rejected.as_str()),
            },
            reviews: ReviewsOut {
                new: of(&reviews, ReviewState::New.as_str()),
                in_review: of(&reviews, ReviewState::InReview.as_str()),
                reviewed: of(&reviews, ReviewState::Reviewed.as_str()),
                none: without_review,
            },
            follow_ups: FollowUpsOut {
                owed: follow_ups.values().sum(),
                open: of(&follow_ups, FollowUp::Open.as_str()),
                resolved: of(&follow_ups, FollowUp::Resolved.as_str()),
                contacted: of(&follow_ups, FollowUp::Contacted.as_str()),
                no_reply: of(&follow_ups, FollowUp::NoReply.as_str()),
                declined: of(&follow_ups, FollowUp::Declined.as_str()),
                not_needed: of(&follow_ups, FollowUp::NotNeeded.as_str()),
            },
            response_rate: ResponseRate {
                percent: percent_one_decimal(counted_of_sent, delivered),
                numerator: counted_of_sent,
                denominator: delivered,
            },
            outcomes: outcomes.into_iter().map(|(name, count)| (name.to_owned(), count)).collect(),
        }
    }
}

/// The funnel of one group.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FunnelGroup {
    /// Which group.
    pub key: GroupKey,
    /// Its funnel.
    pub figures: FunnelFigures,
}

/// What became of the closes of a period.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FunnelReport {
    /// Start of the period.
    pub from: DateTime<Utc>,
    /// End of the period, exclusive.
    pub to: DateTime<Utc>,
    /// Where dates were read.
    #[schema(examples("America/Toronto"))]
    pub time_zone: String,
    /// When the closes were read.
    pub as_of: DateTime<Utc>,
    /// By what they are counted in the period.
    pub cohort: Cohort,
    /// What the groups are.
    pub group_by: Option<GroupBy>,
    /// Everything.
    pub total: FunnelFigures,
    /// The groups: by label, none last; days, weeks and months in order, without gaps.
    pub groups: Vec<FunnelGroup>,
}

impl FunnelReport {
    /// The report that the tallies make.
    pub fn of(asked: &Asked, cohort: Cohort, as_of: DateTime<Utc>, groups: Groups<FunnelTally>, names: &Names) -> Self {
        let Groups { whole, by_key } = groups;
        let groups = in_order(by_key, asked, names).into_iter();
        Self {
            from: asked.period.from,
            to: asked.period.to,
            time_zone: asked.period.zone.to_string(),
            as_of,
            cohort,
            group_by: asked.group_by,
            total: whole.into(),
            groups: groups.map(|(key, tally)| FunnelGroup { key, figures: tally.into() }).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_close_is_counted_once_at_every_step() {
        let now: DateTime<Utc> = "2026-06-15T12:00:00Z".parse().expect("an instant");
        let mut tally = FunnelTally::default();
        let (mut facts, ends) = (0, [None, Some(now), Some(now + chrono::TimeDelta::seconds(1))]);
        let mut answers = vec![None];
        for standing in AnswerStanding::ALL {
            for review in ReviewState::ALL.iter().copied().map(Some).chain([None]) {
                for follow_up in FollowUp::ALL.iter().copied().map(Some).chain([None]) {
                    answers.push(Some(AnswerFact { standing: *standing, review, follow_up }));
                }
            }
        }
        for outcome in Outcome::ALL {
            let may_be_answered = matches!(outcome, Outcome::Sent | Outcome::Unknown);
            for answer in answers.iter().filter(|answer| may_be_answered || answer.is_none()) {
                for (is_bounced, expires_at) in [false, true].into_iter().flat_map(|is| ends.map(|at| (is, at))) {
                    tally.add(&CloseFact { outcome: *outcome, is_bounced, expires_at, answer: *answer }, now);
                    facts += 1;
                }
            }
        }
        let FunnelFigures { closes, outcomes, letters, answers, reviews, follow_ups, response_rate } = tally.into();
        assert_eq!((closes, outcomes.values().sum::<u64>()), (facts, facts));
        assert_eq!(letters.sent + letters.unknown, letters.bounced + letters.waiting + letters.expired + letters.answered);
        assert_eq!((letters.bounced, letters.waiting, letters.expired), (6, 4, 2), "the end itself is too late");
        assert_eq!(letters.answered, answers.counted + answers.unconfirmed + answers.rejected);
        assert_eq!(letters.answered, reviews.new + reviews.in_review + reviews.reviewed + reviews.none);
        let FollowUpsOut { owed, open, resolved, contacted, no_reply, declined, not_needed } = follow_ups;
        assert_eq!(owed, open + resolved + contacted + no_reply + declined + not_needed);
        assert_eq!(response_rate.numerator * 2, answers.counted, "half of the answers are to letters that were surely sent");
    }
}
