//! Texts as words: told apart and folded in one place, so that both databases find the same, whatever their locale. Pure.
//!
//! A word is a run of letters and digits of any script, in lower case and without accents. Scripts that are written without
//! spaces (Han, Kana, Thai, …) count each character as a word; a run of them is found as a phrase.
use std::ops::Range;
use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// Longest word that is compared, in bytes; what is longer counts by its beginning.
const WORD_MAX_BYTES: usize = 64;
/// Words of one text that are indexed; those after them are not found.
pub const WORDS_MAX: usize = 10_000;

/// Calls `found` with each word, folded, and where it stands in `text`, in bytes.
///
/// ```
/// let mut words = Vec::new();
/// deskbell::tickets::search::words::each("Überweisung: 1.500 €, İstanbul", |word, at| words.push((word.to_owned(), at.start)));
/// assert_eq!(words, [("uberweisung", 0), ("1", 14), ("500", 16), ("istanbul", 25)].map(|(word, at)| (word.to_owned(), at)));
/// ```
pub fn each(text: &str, mut found: impl FnMut(&str, Range<usize>)) {
    let (mut word, mut start, mut end) = (String::new(), 0, 0);
    for (at, c) in text.char_indices() {
        let after = at + c.len_utf8();
        if c.is_ascii_alphanumeric() {
            if word.is_empty() {
                start = at;
            }
            push(&mut word, c.to_ascii_lowercase());
            end = after;
            continue;
        }
        if !c.is_ascii() && is_silent(c) {
            // An accent or a soft hyphen belongs to the word that it stands in, and does not make one.
            if !word.is_empty() {
                end = after;
            }
            continue;
        }
        let is_part = !c.is_ascii() && (c.is_alphanumeric() || is_combining_mark(c));
        if !word.is_empty() && (!is_part || is_alone(c)) {
            found(&word, start..end);
            word.clear();
        }
        if is_part {
            if word.is_empty() {
                start = at;
            }
            fold(c, &mut word);
            end = after;
            if is_alone(c) && !word.is_empty() {
                found(&word, start..end);
                word.clear();
            }
        }
    }
    if !word.is_empty() {
        found(&word, start..end);
    }
}

/// The words of a text, each followed by a space: what SQLite's index is given.
pub fn joined(text: &str) -> String {
    let (mut joined, mut count) = (String::with_capacity(text.len()), 0);
    each(text, |word, _| {
        if count < WORDS_MAX {
            joined.push_str(word);
            joined.push(' ');
        }
        count += 1;
    });
    joined
}

/// The words of a subject (marked A) and of a body with their places: what PostgreSQL's index is given, in its own notation.
pub fn vector(subject: &str, body: &str) -> String {
    use std::fmt::Write;
    let (mut places, mut place) = (Vec::new(), 1);
    for (text, mark) in [(subject, "A"), (body, "")] {
        each(text, |word, _| {
            if place <= WORDS_MAX {
                places.push((word.to_owned(), place, mark));
            }
            place += 1;
        });
        // No phrase reaches from the subject into the body.
        place += 1;
    }
    places.sort_unstable();
    let (mut vector, mut before) = (String::new(), None);
    for (word, place, mark) in &places {
        // Writing to a string does not fail.
        let _ = match before {
            Some(same) if same == word => write!(vector, ",{place}{mark}"),
            Some(_) => write!(vector, " '{word}':{place}{mark}"),
            None => write!(vector, "'{word}':{place}{mark}"),
        };
        before = Some(word);
    }
    vector
}

fn push(word: &mut String, c: char) {
    if word.len() + c.len_utf8() <= WORD_MAX_BYTES {
        word.push(c);
    }
}

fn fold(c: char, word: &mut String) {
    for lower in c.to_lowercase() {
        let plain = match lower {
            'ß' => "ss",
            'ø' => "o",
            'æ' => "ae",
            'œ' => "oe",
            'ð' | 'đ' => "d",
            'þ' => "th",
            'ł' => "l",
            'ħ' => "h",
            'ı' => "i",
            'ς' => "σ",
            _ => "",
        };
        if !plain.is_empty() {
            plain.chars().for_each(|c| push(word, c));
            continue;
        }
        decompose_compatible(lower, |part| {
            if !is_silent(part) && (part.is_alphanumeric() || is_combining_mark(part)) {
                part.to_lowercase().for_each(|c| push(word, c));
            }
        });
    }
}

/// Accents, vowel points, joiners, soft hyphens: they make no difference.
fn is_silent(c: char) -> bool {
    matches!(
        c,
        '\u{300}'..='\u{36f}'
            | '\u{483}'..='\u{487}'
            | '\u{591}'..='\u{5bd}'
            | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}' | '\u{5c5}' | '\u{5c7}'
            | '\u{610}'..='\u{61a}'
            | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}'
            | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e4}' | '\u{6e7}' | '\u{6e8}' | '\u{6ea}'..='\u{6ed}'
            | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}'
            | '\u{ad}' | '\u{200c}' | '\u{200d}' | '\u{2060}'
    )
}

/// Characters of scripts that are written without spaces.
fn is_alone(c: char) -> bool {
    matches!(
        c,
        '\u{e00}'..='\u{eff}'
            | '\u{1000}'..='\u{109f}'
            | '\u{1780}'..='\u{17ff}'
            | '\u{3040}'..='\u{30ff}'
            | '\u{31f0}'..='\u{31ff}'
            | '\u{3400}'..='\u{4dbf}'
            | '\u{4e00}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}'
            | '\u{ff66}'..='\u{ff9f}'
            | '\u{20000}'..='\u{3ffff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(joined(text).trim_end(), expected, "{text}");
        each(text, |_, at| assert!(text.get(at.clone()).is_some_and(|part| !part.is_empty()), "{at:?} of {text}"));
    }

    #[test]
    fn texts_are_told_apart_and_folded() {
        check("Domain-Transfer: STUCK!", "domain transfer stuck");
        check("ana@nordwind.example", "ana nordwind example");
        check("Überweisung Señor naïve", "uberweisung senor naive");
        check("U\u{308}berweisung", "uberweisung");
        check("Straße Łódź Ærø ΟΔΟΣ", "strasse lodz aero οδοσ");
        check("½ ﬁle Ⅷ ＡＢＣ １２", "12 file viii abc 12");
        check("co\u{ad}operate", "cooperate");
        check("我的域名 ok", "我 的 域 名 ok");
        check("مَرْحَبًا", "مرحبا");
        check("हिन्दी में", "हिन्दी में");
        check("\u{301} -- '' \"\" \\ \u{202e}", "");
        check("don't 🙂 1e5", "don t 1e5");
        check(&"x".repeat(100), &"x".repeat(64));
    }

    #[test]
    fn a_vector_holds_each_word_once_with_its_places() {
        assert_eq!(vector("B a", "a, a c"), "'a':2A,4,5 'b':1A 'c':6");
        assert_eq!(vector("!", ""), "");
    }

    #[test]
    fn a_long_text_is_indexed_by_its_beginning() {
        let text = "a ".repeat(WORDS_MAX + 5);
        assert_eq!(joined(&text).len(), WORDS_MAX * 2);
        assert!(vector("", &text).ends_with(&format!(",{WORDS_MAX}")));
    }
}
