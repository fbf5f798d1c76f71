//! Encoded words of header fields (RFC 2047), those included that are cut inside a character. Pure.
use super::decode::{base64, charset, quoted_printable};
use super::model::{Defect, Defects};
use ::base64::{Engine, engine::general_purpose::STANDARD};
use std::borrow::Cow;

/// An encoded word past this is none (RFC 2047 allows 75 characters; some mail programs never heard of it).
const WORD_MAX_BYTES: usize = 4_000;

/// One encoded word: its character set and bytes, and how long it was.
struct Word<'a> {
    charset: &'a str,
    bytes: Vec<u8>,
    length: usize,
}

/// The encoded word at the beginning of a text.
fn word<'a>(text: &'a str) -> Option<Word<'a>> {
    let inside = text.strip_prefix("=?")?;
    let mut near = WORD_MAX_BYTES.min(inside.len());
    while !inside.is_char_boundary(near) {
        near -= 1;
    }
    let inside = inside.get(..near)?;
    let (set, rest) = inside.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    let is_token = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
    if !is_token(set) || encoding.len() != 1 {
        return None;
    }
    let end = rest.find("?=")?;
    let coded = rest.get(..end)?;
    // Without spaces by the letter of the law; Q words with spaces are seen all the same.
    if coded.contains("=?") {
        return None;
    }
    let bytes = match encoding {
        "B" | "b" => base64(coded.as_bytes()).0,
        "Q" | "q" => quoted_printable(coded.replace('_', " ").as_bytes()).0,
        _ => return None,
    };
    // A language may follow (RFC 2231, 5).
    let charset = set.split('*').next().unwrap_or_default();
    Some(Word { charset, bytes, length: 2 + set.len() + 1 + encoding.len() + 1 + end + 2 })
}

/// Finds runs of encoded words, and writes each run as `write` says; all else as it is.
fn rewrite(text: &str, defects: &mut Defects, write: fn(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("=?") {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let Some(first) = word(from) else {
            out.push_str("=?");
            rest = from.get(2..).unwrap_or_default();
            continue;
        };
        rest = from.get(first.length..).unwrap_or_default();
        let mut run = vec![first];
        // White space between two words is none (RFC 2047, 6.2).
        while let Some(next) = word(rest.trim_start()) {
            rest = rest.trim_start().get(next.length..).unwrap_or_default();
            match run.last_mut() {
                Some(last) if last.charset.eq_ignore_ascii_case(next.charset) => last.bytes.extend(next.bytes),
                _ => run.push(next),
            }
        }
        let mut decoded = String::new();
        for word in run {
            let (text, is_good) = charset(&word.bytes, Some(word.charset));
            if !is_good {
                defects.note(Defect::BadCharset);
            }
            decoded.push_str(&text);
        }
        out.push_str(&write(&decoded));
    }
    out.push_str(rest);
    out
}

/// The text with its encoded words decoded, on one line and without control characters.
pub(super) fn decoded(text: &str, defects: &mut Defects) -> String {
    let text = match text.contains("=?") {
        true => Cow::from(rewrite(text, defects, str::to_owned)),
        false => Cow::from(text),
    };
    one_line(&text)
}

/// The field with each run of encoded words as one word in UTF-8, as the parser of addresses reads it.
pub(super) fn joined<'a>(text: &'a str, defects: &mut Defects) -> Cow<'a, str> {
    match text.contains("=?") {
        true => rewrite(text, defects, |decoded| format!("=?utf-8?B?{}?=", STANDARD.encode(decoded))).into(),
        false => text.into(),
    }
}

/// Control characters, and those that turn the direction of a text around, are left out; white space becomes one space.
pub(super) fn one_line(text: &str) -> String {
    let is_space = |c: char| c.is_whitespace() || c.is_control();
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    let words = text.split(is_space).filter(|part| !part.is_empty());
    let mut out = String::with_capacity(text.len());
    for part in words {
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(part.chars().filter(|c| !turns(*c)));
    }
    out
}
