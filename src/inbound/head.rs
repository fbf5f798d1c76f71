//! The header of a mail or a part as fields, however broken it is. Pure.
use super::decode::guess;
use super::model::{Defect, Defects};

/// Fields past this are not read.
const FIELDS_MAX: usize = 1_000;
/// A header past this is not read on.
const HEADER_MAX_BYTES: usize = 512 * 1024;
/// A field past this is cut.
const FIELD_MAX_BYTES: usize = 16 * 1024;
/// A field of a part, past which it is cut: it holds names and boundaries.
const PART_FIELD_MAX_BYTES: usize = 2 * 1024;

/// Fields in their order, each on one line, not decoded.
#[derive(Debug, Default)]
pub(super) struct Header {
    fields: Vec<(String, String)>,
}

impl Header {
    /// The first field of that name (in lower case).
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// All fields of that name (in lower case).
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

/// Whose header it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// A mail's.
    Mail,
    /// A part's, which may have none.
    Part,
}

/// The next line with its end, and the rest.
pub(super) fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
    bytes.split_at(end)
}

/// The name of the field that a line begins.
fn name(line: &[u8]) -> Option<&[u8]> {
    let colon = line.iter().take(100).position(|byte| *byte == b':')?;
    let name = line.get(..colon)?.trim_ascii_end();
    let is_name = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    is_name.then_some(name)
}

fn is_folded(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t')) && !line.trim_ascii().is_empty()
}

/// Reads a header; gives it and the body.
pub(super) fn read<'a>(raw: &'a [u8], of: Of, defects: &mut Defects) -> (Header, &'a [u8]) {
    let field_max = if of == Of::Mail { FIELD_MAX_BYTES } else { PART_FIELD_MAX_BYTES };
    let (mut header, mut rest, mut held) = (Header::default(), raw, Vec::new());
    let mut is_kept = true;
    loop {
        let (first, after) = line(rest);
        if first.is_empty() {
            break;
        }
        if first.trim_ascii().is_empty() {
            rest = after;
            break;
        }
        if (!held.is_empty() || !is_kept) && is_folded(first) {
            if is_kept {
                extend(&mut held, b" ", field_max, defects);
                extend(&mut held, first.trim_ascii(), field_max, defects);
            }
        } else if name(first).is_some() {
            push(&mut header, &held, defects);
            held.clear();
            is_kept = header.fields.len() < FIELDS_MAX && raw.len() - rest.len() < HEADER_MAX_BYTES;
            if is_kept {
                extend(&mut held, first.trim_ascii_end(), field_max, defects);
            } else {
                let why = if header.fields.len() < FIELDS_MAX { Defect::TooLongHeader } else { Defect::TooManyHeaders };
                defects.note(why);
            }
        } else if is_stray(first, after, rest.len() == raw.len(), of) {
            // The line in front of a mailbox's mails is no fault.
            if !first.starts_with(b"From ") && !first.starts_with(b">From ") {
                defects.note(Defect::BrokenHeader);
            }
        } else {
            defects.note(Defect::BrokenHeader);
            break;
        }
        rest = after;
    }
    push(&mut header, &held, defects);
    (header, rest)
}

/// Whether a line that is no field stands among fields, so that the header goes on behind it.
fn is_stray(first: &[u8], after: &[u8], is_at_the_start: bool, of: Of) -> bool {
    let next = line(after).0;
    let goes_on = name(next).is_some_and(|name| of == Of::Mail || name.len() > 8 && name[..8].eq_ignore_ascii_case(b"content-"));
    if is_at_the_start && of == Of::Mail && (first.starts_with(b"From ") || first.starts_with(b">From ")) {
        return name(next).is_some();
    }
    // A part whose text begins at once has no header.
    goes_on && !(is_at_the_start && of == Of::Part)
}

fn extend(held: &mut Vec<u8>, bytes: &[u8], field_max: usize, defects: &mut Defects) {
    let room = field_max.saturating_sub(held.len());
    if bytes.len() > room {
        defects.note(Defect::TooLongHeader);
    }
    held.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
}

fn push(header: &mut Header, held: &[u8], defects: &mut Defects) {
    let Some(name) = name(held) else { return };
    if !held.is_ascii() {
        defects.note(Defect::EightBitHeader);
    }
    let value = held.splitn(2, |byte| *byte == b':').nth(1).unwrap_or_default();
    // A NUL or a lone CR would end the field for the parser.
    let value: String = guess(value).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    header.fields.push((guess(name).to_ascii_lowercase(), value.trim().to_owned()));
}
