//! Bytes of a part as they were meant: transfer encodings and character sets. Never fails. Pure.
use mail_parser::decoders::charsets::map::charset_decoder;
use std::borrow::Cow;

/// A name of a character set past this is none.
const CHARSET_NAME_MAX: usize = 45;

/// What base64 stands for, and whether nothing in it was foreign. White space and what is no base64 is skipped.
pub(super) fn base64(coded: &[u8]) -> (Vec<u8>, bool) {
    let mut out = Vec::with_capacity(coded.len() / 4 * 3 + 3);
    let (mut group, mut count, mut is_good) = (0_u32, 0_u8, true);
    for byte in coded {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                // The end of a run; another one may follow where texts were put together.
                flush(&mut out, group, count);
                (group, count) = (0, 0);
                continue;
            }
            b' ' | b'\t' | b'\r' | b'\n' => continue,
            _ => {
                is_good = false;
                continue;
            }
        };
        group = group << 6 | u32::from(value);
        count += 1;
        if count == 4 {
            out.extend_from_slice(&group.to_be_bytes()[1..]);
            (group, count) = (0, 0);
        }
    }
    flush(&mut out, group, count);
    (out, is_good && count != 1)
}

fn flush(out: &mut Vec<u8>, group: u32, count: u8) {
    match count {
        2 => out.push((group >> 4) as u8),
        3 => out.extend_from_slice(&((group >> 2) as u16).to_be_bytes()),
        _ => {}
    }
}

/// What quoted-printable stands for, and whether it was that. A lone `=` is kept.
pub(super) fn quoted_printable(coded: &[u8]) -> (Vec<u8>, bool) {
    let mut out = Vec::with_capacity(coded.len());
    let mut is_good = true;
    for line in coded.split_inclusive(|byte| *byte == b'\n') {
        let text = line.trim_ascii_end();
        // White space at the end of a line was added on the way; a soft break ends no line.
        let end: &[u8] = match line.last() {
            Some(b'\n') if line.ends_with(b"\r\n") => b"\r\n",
            Some(b'\n') => b"\n",
            _ => line.get(text.len()..).unwrap_or_default(),
        };
        let (text, end): (&[u8], &[u8]) = match text.split_last() {
            Some((b'=', before)) => (before, b""),
            _ => (text, end),
        };
        let mut at = 0;
        while let Some(byte) = text.get(at) {
            let digits = || Some((hex(*text.get(at + 1)?)?, hex(*text.get(at + 2)?)?));
            match (byte, (*byte == b'=').then(digits).flatten()) {
                (b'=', Some((high, low))) => {
                    out.push(high << 4 | low);
                    at += 3;
                    continue;
                }
                (b'=', None) => is_good = false,
                _ => {}
            }
            out.push(*byte);
            at += 1;
        }
        out.extend_from_slice(end);
    }
    (out, is_good)
}

fn hex(digit: u8) -> Option<u8> {
    (digit as char).to_digit(16).map(|value| value as u8)
}

/// Bytes as text, and whether they were what they were said to be.
pub(super) fn charset(bytes: &[u8], name: Option<&str>) -> (String, bool) {
    let name = name.unwrap_or_default().trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'').to_ascii_lowercase();
    if matches!(name.as_str(), "" | "us-ascii" | "ascii" | "utf-8" | "utf8" | "unknown-8bit" | "8bit" | "x-unknown" | "default") {
        let is_utf8 = name.starts_with("utf");
        return match std::str::from_utf8(bytes) {
            Ok(text) => (text.to_owned(), is_utf8 || text.is_ascii() || name.is_empty()),
            // Cut inside a character, or truly something else.
            Err(_) if is_utf8 => (String::from_utf8_lossy(bytes).into_owned(), false),
            Err(_) => (western(bytes), false),
        };
    }
    match charset_decoder(name.as_bytes()).filter(|_| name.len() <= CHARSET_NAME_MAX) {
        Some(decode) => {
            let text = decode(bytes);
            let is_good = !text.contains('\u{fffd}');
            (text, is_good)
        }
        None => (guess(bytes).into_owned(), false),
    }
}

/// Bytes of an unknown character set: UTF-8 where they are, else Western.
pub(super) fn guess(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => western(bytes).into(),
    }
}

/// Windows-1252, in which each byte is something.
fn western(bytes: &[u8]) -> String {
    match charset_decoder(b"windows-1252") {
        Some(decode) => decode(bytes),
        None => String::from_utf8_lossy(bytes).into_owned(),
    }
}
