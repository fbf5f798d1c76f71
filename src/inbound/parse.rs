//! A mail from its bytes, whatever they are: never fails, in time that grows with their length alone. Pure.
use super::decode::charset;
use super::head::Header;
use super::mime::{Part, bare, split};
use super::model::{Defect, Defects, Envelope, File, Parsed, Person};
use super::people::{ids, people};
use super::words::decoded;
use super::{bounce, html, machine, quote};
use chrono::{DateTime, Utc};
use mail_parser::parsers::MessageStream;
use mail_parser::{HeaderValue, MessageParser};

/// Text past this is a file.
const TEXT_MAX_BYTES: usize = 1024 * 1024;
/// HTML past this is a file.
const HTML_MAX_BYTES: usize = 1024 * 1024;
/// A subject past this is cut.
const SUBJECT_MAX_CHARS: usize = 998;
/// Fields that may be there once (RFC 5322, 3.6).
const ONCE: [&str; 8] = ["date", "sender", "reply-to", "to", "cc", "message-id", "in-reply-to", "subject"];
/// The field by which a desk knows its own letters.
pub const DESK_FIELD: &str = "X-Deskbell-Desk";

/// Reads a mail.
pub fn parse(raw: &[u8], envelope: Envelope<'_>) -> Parsed {
    let mut defects = Defects::default();
    // Some programs begin their files with a mark of UTF-8.
    let raw = raw.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(raw);
    let mended = lines(raw, &mut defects);
    let root = split(mended.as_deref().unwrap_or(raw), &mut defects);
    let mut found = Found::default();
    gather(&root, true, &mut found, &mut defects);
    let mut parsed = headed(&root.header, &mut defects);
    parsed.bounce = bounce::read(&root, &mut defects);
    parsed.machine = machine::read(&root, &parsed, envelope);
    (parsed.text, parsed.html, parsed.has_remote_images) = found.body(&mut defects);
    (parsed.said, parsed.quoted) = quote::split(&parsed.text);
    parsed.is_spam = machine::is_spam(&root.header);
    parsed.is_our_own =
        envelope.desk.is_some_and(|desk| root.header.all(&DESK_FIELD.to_ascii_lowercase()).any(|own| own == desk));
    parsed.files = named(found.files);
    parsed.defects = defects.into_vec();
    parsed
}

/// Mends what stands in the way of reading lines, where something does.
fn lines(raw: &[u8], defects: &mut Defects) -> Option<Vec<u8>> {
    if raw.contains(&0) {
        defects.note(Defect::NulBytes);
    }
    let raw = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw);
    let ends = raw.iter().filter(|byte| **byte == b'\n').count();
    let returns = raw.windows(2).filter(|pair| *pair == b"\r\n").count();
    if ends > returns {
        defects.note(Defect::BareLf);
    }
    if ends == 0 && raw.contains(&b'\r') {
        defects.note(Defect::BareCr);
        return Some(raw.iter().map(|byte| if *byte == b'\r' { b'\n' } else { *byte }).collect());
    }
    None
}

/// What the header says.
fn headed(header: &Header, defects: &mut Defects) -> Parsed {
    let from = people(header, "from", defects);
    if header.all("from").count() > 1 || from.len() > 1 {
        defects.note(Defect::SeveralFrom);
    }
    if from.is_empty() {
        defects.note(Defect::NoFrom);
    }
    let message_id = ids(header, "message-id").into_iter().next();
    if message_id.is_none() {
        defects.note(Defect::NoMessageId);
    }
    if ONCE.iter().any(|name| header.all(name).count() > 1) {
        defects.note(Defect::RepeatedHeader);
    }
    let date = date(header, defects);
    let subject = decoded(header.first("subject").unwrap_or_default(), defects);
    let addresses = header.all("delivered-to").filter_map(|field| super::people::address(field.trim_matches(['<', '>'])));
    Parsed {
        message_id,
        in_reply_to: ids(header, "in-reply-to"),
        references: ids(header, "references"),
        from,
        sender: people(header, "sender", defects).into_iter().next(),
        reply_to: people(header, "reply-to", defects),
        to: people(header, "to", defects),
        cc: people(header, "cc", defects),
        subject: subject.chars().take(SUBJECT_MAX_CHARS).collect(),
        date,
        delivered_to: addresses.map(|address| address.to_lowercase()).collect(),
        ..Parsed::default()
    }
}

fn date(header: &Header, defects: &mut Defects) -> Option<DateTime<Utc>> {
    let Some(field) = header.first("date") else {
        defects.note(Defect::NoDate);
        return None;
    };
    let ended = format!("{field}\n");
    let instant = match MessageStream::new(ended.as_bytes()).parse_date() {
        HeaderValue::DateTime(date) if date.is_valid() => DateTime::from_timestamp(date.to_timestamp(), 0),
        _ => None,
    };
    if instant.is_none() {
        defects.note(Defect::BadDate);
    }
    instant
}

/// A piece of the body: as text, as HTML, or both.
#[derive(Debug, Default)]
struct Block {
    text: Option<String>,
    html: Option<String>,
}

/// What the parts gave.
#[derive(Debug, Default)]
struct Found {
    blocks: Vec<Block>,
    files: Vec<File>,
}

impl Found {
    /// The text and the HTML of all pieces, and whether images wait.
    fn body(&mut self, defects: &mut Defects) -> (String, Option<String>, bool) {
        let has_html = self.blocks.iter().any(|block| block.html.is_some());
        let (mut texts, mut htmls, mut has_remote_images) = (Vec::new(), Vec::new(), false);
        let mut room = TEXT_MAX_BYTES + HTML_MAX_BYTES;
        for block in std::mem::take(&mut self.blocks) {
            let length: usize = [&block.text, &block.html].into_iter().flatten().map(String::len).sum();
            if length > room {
                defects.note(Defect::LongText);
                continue;
            }
            room -= length;
            let clean = block.html.as_deref().map(html::clean);
            if let Some(clean) = &clean {
                has_remote_images |= clean.has_remote_images;
                if clean.is_deep {
                    defects.note(Defect::DeepHtml);
                }
            }
            // Some programs send a text part with nothing in it.
            let text = block.text.filter(|text| clean.is_none() || !text.trim().is_empty());
            if has_html {
                htmls.push(
                    clean.as_ref().map_or_else(|| html::of_text(text.as_deref().unwrap_or_default()), |clean| clean.html.clone()),
                );
            }
            texts.push(text.unwrap_or_else(|| clean.map(|clean| html::to_text(&clean.html)).unwrap_or_default()));
        }
        let texts: Vec<&str> = texts.iter().map(|text| text.trim_end()).filter(|text| !text.is_empty()).collect();
        let text = texts.join("\n\n").trim_start_matches('\n').to_owned();
        (text, has_html.then(|| htmls.concat()), has_remote_images)
    }
}

/// Sorts a part, and those in it, into body and files.
fn gather(part: &Part<'_>, is_body: bool, found: &mut Found, defects: &mut Defects) {
    if part.is_multipart() {
        match part.media_type.as_str() {
            "multipart/alternative" => alternatives(part, found, defects),
            "multipart/related" => {
                for (at, child) in part.children.iter().enumerate() {
                    gather(child, at == 0, found, defects);
                }
            }
            "multipart/digest" => part.children.iter().for_each(|child| gather(child, false, found, defects)),
            // The first part is for people, the others are for machines.
            "multipart/report" => {
                for (at, child) in part.children.iter().enumerate() {
                    gather(child, at == 0, found, defects);
                }
            }
            _ => part.children.iter().for_each(|child| gather(child, is_body, found, defects)),
        }
        return;
    }
    let is_text = matches!(part.media_type.as_str(), "text/plain" | "text/html");
    if !is_text || part.is_attachment || !is_body || !part.name.is_empty() {
        found.files.push(file(part, defects));
        return;
    }
    let (bytes, is_html) = (part.decoded(defects), part.media_type == "text/html");
    let (text, is_good) = charset(&bytes, part.parameter("charset"));
    if !is_good {
        defects.note(Defect::BadCharset);
    }
    let max = if is_html { HTML_MAX_BYTES } else { TEXT_MAX_BYTES };
    let used: usize = found.blocks.iter().flat_map(|block| [&block.text, &block.html]).flatten().map(String::len).sum();
    let (text, is_whole) = cut(text, max.saturating_sub(used));
    if !is_whole {
        defects.note(if is_html { Defect::LongHtml } else { Defect::LongText });
        found.files.push(file(part, defects));
    }
    found.blocks.push(match is_html {
        true => Block { html: Some(text), text: None },
        false => Block { text: Some(plain(&text, part)), html: None },
    });
}

/// The same thing in several forms: the text of one and the HTML of one.
fn alternatives(part: &Part<'_>, found: &mut Found, defects: &mut Defects) {
    let (mut block, mut files) = (Block::default(), Vec::new());
    let mut rest = Vec::new();
    for child in &part.children {
        let mut inner = Found::default();
        gather(child, true, &mut inner, defects);
        files.append(&mut inner.files);
        for form in inner.blocks {
            match (form.text, form.html) {
                (Some(text), None) if block.text.is_none() => block.text = Some(text),
                (None, Some(html)) if block.html.is_none() => block.html = Some(html),
                (text, html) => rest.push(Block { text, html }),
            }
        }
    }
    if block.text.is_some() || block.html.is_some() {
        found.blocks.push(block);
    }
    // Several HTML parts in one alternative (around an image, as Apple Mail writes): nothing is lost.
    found.blocks.extend(
        rest.into_iter().filter(|form| form.html.is_some() || form.text.as_ref().is_some_and(|text| !text.trim().is_empty())),
    );
    found.files.append(&mut files);
}

/// A text cut to a length at a character, and whether it is whole.
fn cut(mut text: String, max_bytes: usize) -> (String, bool) {
    if text.len() <= max_bytes {
        return (text, true);
    }
    let mut end = max_bytes;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    (text, false)
}

/// Lines end in LF, flowed lines are joined (RFC 3676), and control characters are out.
fn plain(text: &str, part: &Part<'_>) -> String {
    let is = |name: &str, value: &str| part.parameter(name).is_some_and(|own| own.eq_ignore_ascii_case(value));
    let (is_flowed, is_delsp) = (is("format", "flowed"), is("delsp", "yes"));
    let mut out = String::with_capacity(text.len());
    // The depth of quoting of the line that is still open.
    let mut open: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let line = line.strip_suffix('\n').unwrap_or(line);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let line: String = line.chars().filter(|c| *c == '\t' || !c.is_control()).collect();
        let depth = line.len() - line.trim_start_matches('>').len();
        let text = line.get(depth..).unwrap_or_default();
        let text = if is_flowed { text.strip_prefix(' ').unwrap_or(text) } else { text };
        if open.is_some_and(|open| open == depth) && text != "-- " {
            out.push_str(text);
        } else {
            if open.is_some() {
                out.push('\n');
            }
            if is_flowed && depth > 0 {
                out.extend(std::iter::repeat_n('>', depth));
                out.push(' ');
                out.push_str(text);
            } else {
                out.push_str(if is_flowed { text } else { &line });
            }
        }
        open = (is_flowed && text.ends_with(' ') && text != "-- ").then_some(depth);
        match open {
            Some(_) if is_delsp => _ = out.pop(),
            Some(_) => {}
            None => {
                if text != "-- " {
                    out.truncate(out.trim_end_matches([' ', '\t']).len());
                }
                out.push('\n');
            }
        }
    }
    out.trim_end().to_owned()
}

/// A part as a file.
fn file(part: &Part<'_>, defects: &mut Defects) -> File {
    let bytes = part.decoded(defects).into_owned();
    let name = if part.name.is_empty() { made_up(part, &bytes) } else { part.name.clone() };
    let is_inline = !part.is_attachment && (part.is_inline || part.content_id.is_some()) && part.class() == "image";
    File { name, media_type: part.media_type.clone(), content_id: part.content_id.clone(), is_inline, bytes }
}

/// A name for what has none.
fn made_up(part: &Part<'_>, bytes: &[u8]) -> String {
    let ending = match part.media_type.as_str() {
        "message/rfc822" | "message/global" => {
            let subject = MessageParser::new().parse_headers(bytes.get(..bytes.len().min(16 * 1024)).unwrap_or_default());
            let subject = subject.and_then(|message| message.subject().map(bare)).filter(|subject| !subject.is_empty());
            return format!("{}.eml", subject.as_deref().unwrap_or("message"));
        }
        "message/delivery-status" | "message/global-delivery-status" => return "delivery-status.txt".to_owned(),
        "message/disposition-notification" => return "disposition.txt".to_owned(),
        "text/rfc822-headers" => return "headers.txt".to_owned(),
        "text/calendar" => return "invite.ics".to_owned(),
        "application/ms-tnef" | "application/vnd.ms-tnef" => return "winmail.dat".to_owned(),
        "application/pgp-signature" => return "signature.asc".to_owned(),
        "text/plain" => return "message.txt".to_owned(),
        "text/html" => return "message.html".to_owned(),
        "image/jpeg" => "jpg",
        "image/svg+xml" => "svg",
        other if other.starts_with("multipart/") => return "message-parts.eml".to_owned(),
        other => {
            other.rsplit('/').next().filter(|kind| kind.len() <= 5 && kind.chars().all(char::is_alphanumeric)).unwrap_or("bin")
        }
    };
    let name = match part.class() {
        "image" => "image",
        _ => "file",
    };
    format!("{name}.{ending}")
}

/// Files of the same name are told apart.
fn named(mut files: Vec<File>) -> Vec<File> {
    let mut seen: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
    for file in &mut files {
        let count = seen.entry(file.name.to_lowercase()).or_default();
        *count += 1;
        if *count > 1 {
            file.name = match file.name.rsplit_once('.') {
                Some((name, ending)) => format!("{name}-{count}.{ending}"),
                None => format!("{}-{count}", file.name),
            };
        }
    }
    files
}

/// Names people by address alone, for rules.
pub(super) fn first_address(people: &[Person]) -> &str {
    people.first().map(|person| person.address.as_str()).unwrap_or_default()
}
