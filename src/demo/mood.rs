//! What contacts answer to the survey, and when the answer is reviewed. Pure.
use super::dice::Dice;
use super::words;
use crate::surveys::model::needs_causes;
use crate::surveys::score::{Group, Score};
use chrono::TimeDelta;

/// Invitations that are answered, in percent.
const ANSWERED: f64 = 30.5;
/// Contacts who want no more surveys, in percent of invitations.
const UNSUBSCRIBED: f64 = 0.12;
/// Answers with a comment, in percent, for promoters and passives; detractors say why more often.
const COMMENTED: f64 = 44.0;
const COMMENTED_BY_DETRACTORS: f64 = 68.0;
/// Answers that are changed a little later, in percent.
const REVISED: f64 = 2.5;
/// The cause of an answer that gives no reason.
const NO_REASON: &str = "no reason given";

/// What is known of a ticket when its survey is answered.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Experience {
    /// A promise was broken.
    pub(super) is_breached: bool,
    /// It was closed too early.
    pub(super) is_reopened: bool,
    /// How many percent more of these contacts are glad than of others.
    pub(super) bias: f64,
}

/// An answer with its review.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    /// From the letter to the answer.
    pub(super) after: TimeDelta,
    pub(super) score: Score,
    /// With `{topic}` and `{agent}` in it.
    pub(super) comment: &'static str,
    /// A second thought: how much later, and the new score.
    pub(super) revision: Option<(TimeDelta, Score)>,
    /// From the answer until somebody takes the review.
    pub(super) claimed_after: TimeDelta,
    /// From then until it is done.
    pub(super) reviewed_after: TimeDelta,
    pub(super) causes: Vec<String>,
    /// With `{agent}` in it.
    pub(super) note: &'static str,
}

/// What a contact does with an invitation.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reaction {
    Nothing,
    /// So long after the letter.
    Unsubscribes(TimeDelta),
    Answers(Box<Answer>),
}

/// How often each score is given, from 0 to 10.
fn scores(experience: &Experience) -> [u32; 11] {
    match (experience.is_breached, experience.is_reopened) {
        (false, false) => [7, 4, 7, 10, 14, 24, 42, 92, 165, 285, 350],
        (false, true) => [20, 12, 20, 28, 32, 48, 70, 110, 140, 160, 140],
        (true, _) => [55, 30, 45, 55, 55, 70, 90, 110, 120, 130, 110],
    }
}

/// Draws what happens.
pub(super) fn react(dice: &mut Dice, experience: &Experience) -> Reaction {
    if dice.chance(UNSUBSCRIBED) {
        return Reaction::Unsubscribes(dice.hours(0.1, 20.0, 2.0));
    }
    if !dice.chance(ANSWERED) {
        return Reaction::Nothing;
    }
    let mut drawn = dice.weigh(&scores(experience));
    if dice.chance(experience.bias.abs()) {
        drawn = if experience.bias > 0.0 { (drawn + 2).min(10) } else { drawn.saturating_sub(2) };
    }
    let Some(score) = score(drawn) else { return Reaction::Nothing };
    let (comment, cause) = comment(dice, score, experience);
    let revision =
        if dice.chance(REVISED) { self::score(drawn + 1).map(|second| (dice.minutes(1.0, 40.0), second)) } else { None };
    let causes = if needs_causes(score, comment) { vec![cause.to_owned()] } else { Vec::new() };
    Reaction::Answers(Box::new(Answer {
        after: if dice.chance(82.0) { dice.hours(0.02, 26.0, 2.6) } else { dice.hours(20.0, 190.0, 1.7) },
        score,
        comment,
        revision,
        claimed_after: if dice.chance(94.0) { dice.hours(0.75, 6.5, 1.8) } else { dice.hours(7.0, 60.0, 1.0) },
        reviewed_after: if dice.chance(85.0) { dice.minutes(2.0, 25.0) } else { dice.hours(4.0, 60.0, 1.0) },
        causes,
        note: match score.group() {
            _ if comment.is_empty() => "",
            Group::Promoter => dice.pick(words::NOTES_ON_PRAISE),
            Group::Passive | Group::Detractor => dice.pick(words::NOTES_ON_BLAME),
        },
    }))
}

fn score(number: usize) -> Option<Score> {
    Score::new(u8::try_from(number).ok()?).ok()
}

fn comment(dice: &mut Dice, score: Score, experience: &Experience) -> (&'static str, &'static str) {
    let is_detractor = score.group() == Group::Detractor;
    if !dice.chance(if is_detractor { COMMENTED_BY_DETRACTORS } else { COMMENTED }) {
        return ("", NO_REASON);
    }
    match score.group() {
        Group::Promoter => dice.pick(words::PRAISE),
        Group::Passive => dice.pick(words::SO_SO),
        Group::Detractor if experience.is_breached => dice.pick(words::WAITED),
        Group::Detractor => dice.pick(words::BLAME),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers in percent, comments in percent of these, and the score.
    fn figures(experience: Experience) -> (usize, usize, i64) {
        let mut dice = Dice::new(1);
        let answers: Vec<Answer> = (0..20_000)
            .filter_map(|_| match react(&mut dice, &experience) {
                Reaction::Answers(answer) => Some(*answer),
                Reaction::Nothing | Reaction::Unsubscribes(_) => None,
            })
            .collect();
        let count = |group| answers.iter().filter(|answer| answer.score.group() == group).count() as i64;
        let commented = answers.iter().filter(|answer| !answer.comment.is_empty()).count();
        let net = (count(Group::Promoter) - count(Group::Detractor)) * 100 / answers.len() as i64;
        (answers.len() / 200, commented * 100 / answers.len(), net)
    }

    #[test]
    fn about_a_third_answers_half_of_them_with_words_and_broken_promises_are_not_forgiven() {
        let (answered, commented, net) = figures(Experience::default());
        assert!((28..33).contains(&answered) && (43..55).contains(&commented), "{answered} {commented}");
        assert!((40..60).contains(&net), "{net}");
        let (_, _, breached) = figures(Experience { is_breached: true, ..Experience::default() });
        assert!(breached < 0, "{breached}");
    }

    #[test]
    fn a_review_that_needs_causes_has_one() {
        let mut dice = Dice::new(2);
        for _ in 0..2_000 {
            if let Reaction::Answers(answer) = react(&mut dice, &Experience::default()) {
                assert_eq!(needs_causes(answer.score, answer.comment), !answer.causes.is_empty());
            }
        }
    }
}
