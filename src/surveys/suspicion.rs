//! What looks machine-made about a pressed button, and the stamp that tells when its page was served. Pure.
use crate::ids::InvitationId;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

/// Nobody reads the question, chooses and presses in less.
pub const FAST_SECONDS: i64 = 2;
/// Links of several scores opened within so long were opened by a machine.
pub const BURST_SECONDS: i64 = 10;
/// What the stamp's hash begins with, so that it stands for nothing else.
const PURPOSE: &[u8] = b"deskbell survey form 1";

names! {
    /// Why an answer is not counted before a person has confirmed it.
    pub enum Flag {
        /// The field that people do not see was filled.
        Honeypot = "honeypot",
        /// The button was pressed within two seconds of the page.
        TooFast = "too_fast",
        /// Links of several scores were opened within ten seconds of the page.
        ManyScores = "many_scores",
        /// The form says of its page what the desk never said.
        ForgedStamp = "forged_stamp",
        /// It was read from a mail, by a person of the desk.
        ByMail = "by_mail",
    }
}

/// A score's link was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Click {
    /// Which score.
    pub score: u8,
    /// When.
    pub at: DateTime<Utc>,
}

/// What is known of a pressed button beside the answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Press {
    /// The field that people do not see was filled.
    pub is_trapped: bool,
    /// The stamp of the page; a form without one was not sent by a browser that showed ours, which proves nothing.
    pub stamp: Option<String>,
    /// Links of this survey that were opened lately.
    pub clicks: Vec<Click>,
}

/// The instant and its seal. The key is the invitation's id: random, known to every node, and never shown to a contact.
/// The text that is hashed has one length, so that nothing can be appended to it.
fn sealed(key: InvitationId, micros: i64) -> String {
    let mut hash = Sha256::new();
    hash.update(PURPOSE);
    hash.update(key.0.as_bytes());
    hash.update(micros.to_be_bytes());
    format!("{micros}.{}", URL_SAFE_NO_PAD.encode(hash.finalize()))
}

/// The stamp of a page that is served now.
pub fn stamp(key: InvitationId, now: DateTime<Utc>) -> String {
    sealed(key, now.timestamp_micros())
}

/// When the page with that stamp was served; `None` for a stamp that the desk did not make for this invitation.
pub fn served_at(key: InvitationId, stamp: &str) -> Option<DateTime<Utc>> {
    let micros = stamp.split_once('.')?.0.parse().ok()?;
    (sealed(key, micros) == stamp).then(|| DateTime::from_timestamp_micros(micros))?
}

/// What is suspicious about a button pressed now.
pub fn flags(press: &Press, key: InvitationId, now: DateTime<Utc>) -> Vec<Flag> {
    let served = press.stamp.as_deref().map(|stamp| served_at(key, stamp));
    let is_fast = matches!(served, Some(Some(at)) if now - at < TimeDelta::seconds(FAST_SECONDS));
    let around = served.flatten().unwrap_or(now);
    let near = |click: &&Click| (click.at - around).abs() <= TimeDelta::seconds(BURST_SECONDS);
    let mut scores: Vec<u8> = press.clicks.iter().filter(near).map(|click| click.score).collect();
    scores.sort_unstable();
    scores.dedup();
    let rules = [
        (press.is_trapped, Flag::Honeypot),
        (is_fast, Flag::TooFast),
        (scores.len() > 1, Flag::ManyScores),
        (served == Some(None), Flag::ForgedStamp),
    ];
    rules.into_iter().filter(|(applies, _)| *applies).map(|(_, flag)| flag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_781_000_000 + second, 0).expect("an instant")
    }

    #[track_caller]
    fn check(served: Option<i64>, clicks: &[(u8, i64)], pressed: i64, expected: &[Flag]) {
        let key = InvitationId::new();
        let press = Press {
            is_trapped: false,
            stamp: served.map(|second| stamp(key, at(second))),
            clicks: clicks.iter().map(|(score, second)| Click { score: *score, at: at(*second) }).collect(),
        };
        assert_eq!(flags(&press, key, at(pressed)), expected);
        let trapped = Press { is_trapped: true, ..press };
        assert_eq!(flags(&trapped, key, at(pressed)).first(), Some(&Flag::Honeypot));
    }

    #[test]
    fn a_person_reads_before_pressing() {
        check(Some(0), &[(7, 0)], 2, &[]);
        check(Some(0), &[(7, 0)], 1, &[Flag::TooFast]);
        check(Some(5), &[], 0, &[Flag::TooFast]);
        check(None, &[], 0, &[]);
    }

    #[test]
    fn several_scores_count_around_the_page_that_was_answered() {
        check(Some(0), &[(7, 0), (7, 3)], 60, &[]);
        check(Some(0), &[(7, 0), (8, 10)], 60, &[Flag::ManyScores]);
        check(Some(0), &[(7, 0), (8, 11)], 60, &[]);
        check(Some(10), &[(8, 0), (7, 10)], 60, &[Flag::ManyScores]);
        // A scanner went through the letter when it came; the person came hours later.
        check(Some(9_000), &[(0, 0), (1, 0), (2, 1), (9, 9_000)], 9_030, &[]);
        check(None, &[(0, 55), (1, 56)], 60, &[Flag::ManyScores]);
        check(Some(0), &[(0, 0), (1, 0)], 1, &[Flag::TooFast, Flag::ManyScores]);
    }

    #[test]
    fn a_stamp_is_good_for_its_own_survey_alone_and_cannot_be_changed() {
        let (key, other) = (InvitationId::new(), InvitationId::new());
        let good = stamp(key, at(0));
        assert_eq!(served_at(key, &good), Some(at(0)));
        for bad in
            [stamp(other, at(0)), good.replacen("17", "16", 1), good.clone() + "A", String::new(), ".".into(), "x.y".into()]
        {
            assert_eq!(served_at(key, &bad), None, "{bad}");
            let press = Press { stamp: Some(bad), ..Press::default() };
            assert_eq!(flags(&press, key, at(60)), [Flag::ForgedStamp]);
        }
    }
}
