//! Tags of any HTML, scanned in linear time. Pure.

/// Attributes of one tag that are looked at.
const ATTRIBUTES_MAX: usize = 40;

/// What is behind the end of an element that goes with its content.
pub(super) fn behind<'a>(rest: &'a str, name: &str) -> &'a str {
    let mut from = rest;
    while let Some(at) = from.find("</") {
        from = from.get(at + 2..).unwrap_or_default();
        let is_end = from.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        if is_end
            && from
                .get(name.len()..)
                .is_some_and(|more| more.starts_with(|c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/')))
        {
            return from.split_once('>').map_or("", |(_, rest)| rest);
        }
    }
    ""
}

/// Attributes of a tag up to its `>`, and what is behind it; none where the tag never ends.
pub(super) fn attributes(text: &str) -> (Vec<(&str, &str)>, Option<&str>) {
    let is_space = |c: char| c.is_ascii_whitespace();
    let (mut found, mut rest) = (Vec::new(), text);
    loop {
        rest = rest.trim_start_matches(|c: char| is_space(c) || c == '/');
        if rest.is_empty() {
            return (found, None);
        }
        if let Some(rest) = rest.strip_prefix('>') {
            return (found, Some(rest));
        }
        // An equals sign may begin a name.
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let tail = rest.get(first..).unwrap_or_default();
        let end = tail.find(|c: char| is_space(c) || matches!(c, '/' | '>' | '=')).map_or(rest.len(), |at| at + first);
        let (name, after) = rest.split_at(end);
        let after_name = after.trim_start_matches(is_space);
        let Some(value) = after_name.strip_prefix('=').map(|value| value.trim_start_matches(is_space)) else {
            keep(&mut found, name, "");
            rest = after_name;
            continue;
        };
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (value, after) = match quote {
            Some(quote) => match value.get(1..).unwrap_or_default().split_once(quote) {
                Some(parts) => parts,
                None => return (found, None),
            },
            None => value.split_at(value.find(|c: char| is_space(c) || c == '>').unwrap_or(value.len())),
        };
        keep(&mut found, name, value);
        rest = after;
    }
}

fn keep<'a>(found: &mut Vec<(&'a str, &'a str)>, name: &'a str, value: &'a str) {
    if found.len() < ATTRIBUTES_MAX {
        found.push((name, value));
    }
}
