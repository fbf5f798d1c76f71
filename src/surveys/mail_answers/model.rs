//! What a mail says in answer to a survey, and when a person can still make it count. Pure.
use crate::surveys::model;
use crate::surveys::score::Score;
use chrono::{DateTime, Utc};

names! {
    /// Where an answer by mail stands.
    pub enum MailAnswerState {
        /// Nobody has decided; no figure counts it.
        Waiting = "waiting",
        /// A person said which score it is; that one counts.
        Confirmed = "confirmed",
        /// A person said that it is none.
        Dismissed = "dismissed",
    }
}

/// What may follow a number to say that it is one of ten.
const OF_TEN: [&str; 6] = ["/10", "/ 10", "out of 10", "of 10", "von 10", "sur 10"];
/// What may stand between the number and words.
const AFTER: &[char] = &[',', '!', ';', ':', '(', '-', '–', '—', '…'];

/// The number that a mail's new text begins with: alone on its line, or apart from what follows it, and the only one in all of the
/// text. Anything else is for a person to read.
pub fn found_score(said: &str) -> Option<Score> {
    let text = said.trim();
    let (number, after) = text.split_at(text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len());
    let is_plain = number == "0" || !number.starts_with('0');
    let score = number.parse().ok().filter(|_| is_plain).and_then(|number| Score::new(number).ok())?;
    let trimmed = after.trim_start_matches([' ', '\t']);
    let lower = trimmed.get(..12.min(trimmed.len())).unwrap_or(trimmed).to_lowercase();
    let of_ten = OF_TEN.iter().find(|words| lower.starts_with(**words)).map_or(0, |words| words.len());
    let after = trimmed.get(of_ten..)?;
    if after.contains(char::is_numeric) {
        return None;
    }
    let line = after.lines().next().unwrap_or_default().trim();
    let is_apart = line.starts_with(AFTER) || line.trim_start_matches('.').is_empty();
    is_apart.then_some(score)
}

/// What is said beside the number; empty where the mail is the number alone.
pub fn comment(said: &str) -> String {
    let said = said.trim();
    let is_bare = said.trim_end_matches(['.', '!']).chars().all(|c| c.is_ascii_digit());
    let comment = if is_bare { "" } else { said };
    comment.chars().take(model::COMMENT_MAX).collect()
}

/// Why an answer by mail can no longer count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooLate {
    /// The survey had ended when the mail came.
    Ended,
    /// The contact has answered on the page since.
    AnsweredSince,
    /// The time to change the answer on the page was over when the mail came.
    EditTimeOver,
}

/// What stands of an answer when a mail is to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// When it was given.
    pub answered_at: DateTime<Utc>,
    /// When it was last said so.
    pub said_at: DateTime<Utc>,
    /// Whether it is in doubt.
    pub is_in_doubt: bool,
}

/// Whether a mail of that instant can count: it is as good as the button would have been then.
pub fn check(
    received_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    standing: Option<Standing>,
    edit_hours: u32,
) -> Result<(), TooLate> {
    if expires_at.is_none_or(|at| at <= received_at) {
        return Err(TooLate::Ended);
    }
    match standing {
        Some(standing) if standing.said_at > received_at => Err(TooLate::AnsweredSince),
        Some(standing) if !standing.is_in_doubt && !model::can_edit(standing.answered_at, edit_hours, received_at) => {
            Err(TooLate::EditTimeOver)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_where_nothing_else_can_be_meant() {
        for (said, expected) in [
            ("9, thanks", Some(9)),
            ("9", Some(9)),
            ("  10!\n", Some(10)),
            ("0", Some(0)),
            ("7.", Some(7)),
            ("8/10", Some(8)),
            ("8 / 10, good", Some(8)),
            ("3 out of 10 - slow", Some(3)),
            ("9 – great", Some(9)),
            ("9\n\nThank you, Ana", Some(9)),
            ("10 von 10", Some(10)),
            // A person reads these.
            ("", None),
            ("nine", None),
            ("11", None),
            ("100", None),
            ("09", None),
            ("-1", None),
            ("9.5", None),
            ("9,5", None),
            ("9-10", None),
            ("8/5", None),
            ("9 times I called", None),
            ("9th", None),
            ("9. Call me", None),
            ("I say 9", None),
            ("10 out of 10 on day 2", None),
            ("9, but it took 3 weeks", None),
            ("9\n\nAna\nTel. 555 01", None),
            ("24/7", None),
            ("٩", None),
            ("9999999999999999999999", None),
        ] {
            assert_eq!(found_score(said).map(|score| i32::from(score.get())), expected, "{said}");
        }
    }

    #[test]
    fn a_bare_number_is_no_comment() {
        for (said, expected) in [("9", ""), (" 9.\n", ""), ("9, thanks", "9, thanks"), ("", "")] {
            assert_eq!(comment(said), expected, "{said}");
        }
        assert_eq!(comment(&"é".repeat(3_000)).chars().count(), model::COMMENT_MAX);
    }

    #[test]
    fn a_mail_counts_as_the_button_would_have_when_it_came() {
        let at = |hour: i64| DateTime::from_timestamp(1_781_000_000 + hour * 3_600, 0).expect("an instant");
        let standing = |answered, said, is_in_doubt| Some(Standing { answered_at: at(answered), said_at: at(said), is_in_doubt });
        for (received, expires, stands, expected) in [
            (5, Some(6), None, Ok(())),
            (6, Some(6), None, Err(TooLate::Ended)),
            (5, None, None, Err(TooLate::Ended)),
            (5, Some(60), standing(4, 4, false), Ok(())),
            (5, Some(60), standing(4, 6, false), Err(TooLate::AnsweredSince)),
            (5, Some(60), standing(4, 6, true), Err(TooLate::AnsweredSince)),
            (29, Some(60), standing(4, 4, false), Err(TooLate::EditTimeOver)),
            (29, Some(60), standing(4, 4, true), Ok(())),
        ] {
            assert_eq!(check(at(received), expires.map(at), stands, 24), expected, "{received} {stands:?}");
        }
    }
}
