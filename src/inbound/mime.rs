//! The parts of a mail: one pass over the bytes a level, and few levels. Pure.
use super::decode::{base64, quoted_printable};
use super::head::{Header, Of, line, read};
use super::model::{Defect, Defects};
use super::words::{decoded, one_line};
use mail_parser::parsers::MessageStream;
use mail_parser::{ContentType, HeaderValue};
use std::borrow::Cow;

/// Parts that are taken apart at the most.
pub(super) const PARTS_MAX: usize = 1_000;
/// Levels of parts in parts that are taken apart at the most.
const DEPTH_MAX: usize = 20;
/// A name past this is cut.
const NAME_MAX_CHARS: usize = 200;

/// What a part is.
#[derive(Debug, Default)]
pub(super) struct Part<'a> {
    /// Its fields.
    pub header: Header,
    /// Media type in lower case, without parameters.
    pub media_type: String,
    /// Parameters of the media type, names in lower case.
    parameters: Vec<(String, String)>,
    /// Whether it says that it is a file.
    pub is_attachment: bool,
    /// Whether it says that it is to be shown in place.
    pub is_inline: bool,
    /// Its file name, decoded, without folders; empty where it has none.
    pub name: String,
    /// Its content id without angle brackets.
    pub content_id: Option<String>,
    /// Its bytes as they were sent.
    pub body: &'a [u8],
    /// What it consists of, where it was taken apart.
    pub children: Vec<Part<'a>>,
}

impl Part<'_> {
    /// A parameter of its media type.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The first half of the media type.
    pub(super) fn class(&self) -> &str {
        self.media_type.split('/').next().unwrap_or_default()
    }

    /// Whether it is a multipart that was taken apart.
    pub(super) fn is_multipart(&self) -> bool {
        !self.children.is_empty()
    }

    /// Its bytes as they were meant.
    pub(super) fn decoded(&self, defects: &mut Defects) -> Cow<'_, [u8]> {
        let encoding = self.header.first("content-transfer-encoding").unwrap_or_default();
        let encoding = encoding.split([';', ' ', '(']).next().unwrap_or_default().trim_matches('"').to_ascii_lowercase();
        let (bytes, is_good) = match encoding.as_str() {
            "base64" => base64(self.body),
            "quoted-printable" => quoted_printable(self.body),
            "" | "7bit" | "8bit" | "binary" | "7-bit" | "8-bit" => return self.body.into(),
            _ => {
                defects.note(Defect::BadEncoding);
                return self.body.into();
            }
        };
        if !is_good {
            defects.note(Defect::BadEncoding);
        }
        bytes.into()
    }
}

/// Counts parts on the way.
pub(super) struct Splitter<'d> {
    /// Parts so far.
    parts: usize,
    /// What was wrong.
    pub(super) defects: &'d mut Defects,
}

/// Takes a mail apart.
pub(super) fn split<'a>(raw: &'a [u8], defects: &mut Defects) -> Part<'a> {
    let (header, body) = read(raw, Of::Mail, defects);
    if header.is_empty() {
        defects.note(if raw.is_empty() { Defect::Empty } else { Defect::NoHeader });
    }
    Splitter { parts: 0, defects }.part(header, body, "text/plain", 0)
}

impl Splitter<'_> {
    fn part<'a>(&mut self, header: Header, body: &'a [u8], usual: &str, depth: usize) -> Part<'a> {
        self.parts += 1;
        let mut part = described(header, usual, self.defects);
        part.body = body;
        if part.class() != "multipart" {
            return part;
        }
        let Some(boundary) = part.parameter("boundary").map(str::to_owned).filter(|boundary| !boundary.is_empty()) else {
            self.defects.note(Defect::BrokenMultipart);
            part.media_type = "text/plain".to_owned();
            return part;
        };
        if depth >= DEPTH_MAX {
            self.defects.note(Defect::TooDeep);
            return part;
        }
        let usual = if part.media_type == "multipart/digest" { "message/rfc822" } else { "text/plain" };
        for piece in self.pieces(body, boundary.trim_end().as_bytes()) {
            if self.parts >= PARTS_MAX {
                self.defects.note(Defect::TooManyParts);
                let from = piece.as_ptr() as usize - body.as_ptr() as usize;
                let rest = Part {
                    media_type: "multipart/mixed".to_owned(),
                    body: body.get(from..).unwrap_or_default(),
                    ..Part::default()
                };
                part.children.push(rest);
                break;
            }
            let (header, body) = read(piece, Of::Part, self.defects);
            part.children.push(self.part(header, body, usual, depth + 1));
        }
        if part.children.is_empty() {
            self.defects.note(Defect::BrokenMultipart);
            part.media_type = "text/plain".to_owned();
        }
        part
    }

    /// What stands between the boundaries.
    fn pieces<'a>(&mut self, body: &'a [u8], boundary: &[u8]) -> Vec<&'a [u8]> {
        let (mut pieces, mut begun, mut rest) = (Vec::new(), None, body);
        let mut is_ended = false;
        while !rest.is_empty() {
            let at = body.len() - rest.len();
            let (this, after) = line(rest);
            rest = after;
            let Some(behind) = this.strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary)) else { continue };
            let behind = behind.trim_ascii_end();
            if !matches!(behind, b"" | b"--") {
                continue;
            }
            if let Some(from) = begun {
                pieces.push(without_end(body.get(from..at).unwrap_or_default()));
            }
            begun = Some(body.len() - rest.len());
            if behind == b"--" {
                (begun, is_ended) = (None, true);
                break;
            }
            // One more than are taken apart, to know that there are more.
            if pieces.len() > PARTS_MAX {
                return pieces;
            }
        }
        if let Some(from) = begun {
            pieces.push(body.get(from..).unwrap_or_default());
        }
        if !is_ended && !pieces.is_empty() {
            self.defects.note(Defect::UnendedMultipart);
        }
        pieces
    }
}

/// The line break in front of a boundary belongs to it (RFC 2046, 5.1.1).
fn without_end(piece: &[u8]) -> &[u8] {
    let piece = piece.strip_suffix(b"\n").unwrap_or(piece);
    piece.strip_suffix(b"\r").unwrap_or(piece)
}

/// `type/subtype; name=value` as the parser reads it.
fn typed(value: &str) -> Option<(String, Vec<(String, String)>)> {
    let ended = format!("{value}\n");
    let HeaderValue::ContentType(ContentType { c_type, c_subtype, attributes }) =
        MessageStream::new(ended.as_bytes()).parse_content_type()
    else {
        return None;
    };
    let name = match c_subtype {
        Some(subtype) => format!("{c_type}/{subtype}"),
        None => c_type.into_owned(),
    };
    let parameters = attributes.unwrap_or_default().into_iter();
    let parameters = parameters.map(|attribute| (attribute.name.to_ascii_lowercase(), attribute.value.into_owned()));
    Some((name.trim().to_ascii_lowercase(), parameters.collect()))
}

fn described<'a>(header: Header, usual: &str, defects: &mut Defects) -> Part<'a> {
    let (mut media_type, parameters) = header.first("content-type").and_then(typed).unwrap_or_default();
    let is_type = media_type.split_once('/').is_some_and(|(class, subtype)| !class.is_empty() && !subtype.is_empty());
    if media_type == "text" {
        media_type = "text/plain".to_owned();
    } else if !is_type || media_type.contains(char::is_whitespace) {
        media_type = usual.to_owned();
    }
    let (disposition, said) = header.first("content-disposition").and_then(typed).unwrap_or_default();
    let named = |parameters: &[(String, String)], name: &str| {
        parameters.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    };
    let name = named(&said, "filename").or_else(|| named(&parameters, "name")).unwrap_or_default();
    let content_id = header.first("content-id").map(|id| one_line(id.trim_matches(['<', '>', ' ']))).filter(|id| !id.is_empty());
    Part {
        name: bare(&decoded(&name, defects)),
        is_attachment: disposition == "attachment",
        is_inline: disposition == "inline",
        content_id,
        media_type,
        parameters,
        header,
        ..Part::default()
    }
}

/// A file name without folders and what no file system likes.
pub(super) fn bare(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).map(str::trim).find(|part| !part.is_empty()).unwrap_or_default();
    let plain: String = last.chars().filter(|c| !c.is_control()).take(NAME_MAX_CHARS).collect();
    if plain.chars().all(|c| c == '.') { String::new() } else { plain }
}
