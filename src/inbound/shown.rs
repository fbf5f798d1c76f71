//! The header fields of a mail as people see them. Pure.

/// Header fields that are shown.
const HEADERS_MAX: usize = 200;
/// Characters of each.
const HEADER_MAX: usize = 2_000;

/// The header fields of a mail as they came, each on one line: names and values.
pub fn headers(raw: &[u8]) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in raw.split(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).replace(|c: char| c.is_control(), " ");
        if line.is_empty() {
            break;
        }
        let room = |text: &str, used: usize| text.chars().take(HEADER_MAX.saturating_sub(used)).collect::<String>();
        let has_room = fields.len() < HEADERS_MAX;
        match (line.starts_with(' '), fields.last_mut(), line.split_once(':')) {
            (true, Some((_, value)), _) => {
                let more = room(line.trim(), value.chars().count());
                value.push(' ');
                value.push_str(&more);
            }
            (false, _, Some((name, value))) if has_room => {
                fields.push((room(name.trim(), 0), room(value.trim(), 0)));
            }
            _ => {}
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_shown_on_one_line_each() {
        let raw = b"From: a@b.example\r\nSubject: one\r\n two\r\n\tthree\r\nnonsense\r\nX: \xff\r\n\r\nBody: no";
        let shown = headers(raw);
        let expected = [("From", "a@b.example"), ("Subject", "one two three"), ("X", "\u{FFFD}")];
        assert_eq!(shown, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert!(headers(b"").is_empty());
        let many = "A: b\r\n".repeat(HEADERS_MAX + 9);
        assert_eq!(headers(many.as_bytes()).len(), HEADERS_MAX);
    }
}
