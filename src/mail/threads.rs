//! How a reply fits into its thread: which Message-IDs it names, and what its subject is made of. Pure.
use super::one_line;

/// Message-IDs in a References header at the most: the first and the newest are kept (RFC 5537, 3.4.4).
const REFERENCES_MAX: usize = 20;
/// What mail programs put before the subject of an answer.
const ANSWERS: [&str; 8] = ["re", "aw", "antw", "sv", "vs", "ref", "rif", "odp"];

/// The thread of a reply: what it answers, and all before it.
pub fn thread(ids: &[String]) -> (Option<String>, Option<String>) {
    let kept: Vec<&str> = if ids.len() > REFERENCES_MAX {
        let newest = ids.iter().skip(ids.len() - REFERENCES_MAX + 1);
        ids.iter().take(1).chain(newest).map(String::as_str).collect()
    } else {
        ids.iter().map(String::as_str).collect()
    };
    (kept.last().map(|id| (*id).to_owned()), (!kept.is_empty()).then(|| kept.join(" ")))
}

/// What a letter's subject is made of: without what marks an answer, and without our number, so that it stays the same however often
/// the two sides answer.
pub fn stem(subject: &str, number: i64) -> String {
    let ours = format!("[#{number}]");
    let mut stem = one_line(&subject.replace(&ours, " "));
    while let Some((mark, rest)) = stem.split_once(':') {
        if !ANSWERS.iter().any(|own| mark.trim().eq_ignore_ascii_case(own)) {
            break;
        }
        stem = rest.trim().to_owned();
    }
    stem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_thread_keeps_its_first_and_its_newest_ids() {
        let ids: Vec<String> = (0..30).map(|n| format!("<{n}@x>")).collect();
        let (answers, references) = thread(&ids);
        let references = references.unwrap_or_default();
        assert_eq!(answers.as_deref(), Some("<29@x>"));
        assert!(references.starts_with("<0@x> <11@x>") && references.split(' ').count() == REFERENCES_MAX, "{references}");
        assert_eq!(thread(&[]), (None, None));
    }

    #[test]
    fn a_subject_stays_the_same_however_often_it_is_answered() {
        for (subject, expected) in [
            ("Transfer", "Transfer"),
            ("Re: Transfer [#7]", "Transfer"),
            ("AW: Re: RE : Transfer [#7]", "Transfer"),
            ("Transfer [#8]", "Transfer [#8]"),
            ("Refund: 7 EUR", "Refund: 7 EUR"),
            ("Re:", ""),
        ] {
            assert_eq!(stem(subject, 7), expected, "{subject}");
        }
    }
}
