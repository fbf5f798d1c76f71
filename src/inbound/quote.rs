//! The new text of a mail parted from what it quotes and from its signature: each line is in one of the two. Pure.
use super::quote_words::{ABOUT, FORWARDED, FROM, ON, ORIGINAL, SENT_FROM, TO, WHEN, WROTE};

/// A line past this is nobody's heading.
const HEADING_MAX_BYTES: usize = 400;
/// Lines that the line above a quote may be broken into.
const BROKEN_INTO_MAX: usize = 3;
/// Lines below `From:` that belong to a quoted letter's heading.
const HEADING_LINES: usize = 8;
/// Lines of a heading beside `From:` that make it one.
const HEADING_LINES_MIN: usize = 2;
/// A signature of a mail program past this is a sentence.
const SENT_FROM_MAX_CHARS: usize = 80;

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Said,
    /// It begins with `>`.
    Quoted,
    /// It stands above a quote, and says who wrote that.
    Above,
    Signature,
    /// It and all below it is an earlier letter.
    Earlier,
}

/// The new text, and the rest; both in their order, without blank lines at their ends.
pub fn split(text: &str) -> (String, String) {
    let lines: Vec<&str> = text.lines().collect();
    let kinds = kinds(&lines);
    let pick = |wanted: bool| {
        let picked = lines.iter().zip(&kinds).filter(|(_, kind)| (**kind == Line::Said) == wanted).map(|(line, _)| *line);
        let text = picked.collect::<Vec<_>>().join("\n");
        text.trim_start_matches('\n').trim_end().to_owned()
    };
    let said = pick(true);
    // An earlier letter with nothing above it was passed on: it is what is said.
    if said.trim().is_empty() && kinds.iter().find(|kind| **kind != Line::Said) == Some(&Line::Earlier) {
        return (text.trim_start_matches('\n').trim_end().to_owned(), String::new());
    }
    (said, pick(false))
}

fn kinds(lines: &[&str]) -> Vec<Line> {
    let mut kinds = vec![Line::Said; lines.len()];
    let mut passed_on = lines.len();
    let mut has_above = false;
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        if is_between_dashes(line, FORWARDED) || is_begin_forwarded(line) {
            passed_on = at;
            break;
        }
        if is_quoted(line) {
            kinds[at] = Line::Quoted;
        } else if is_between_dashes(line, ORIGINAL) || is_heading(lines, at) || is_rule_above_heading(lines, at) {
            kinds[at..].fill(Line::Earlier);
            break;
        } else if let Some(count) = above(lines, at) {
            let next = lines.iter().skip(at + count).find(|line| !line.trim().is_empty());
            if next.is_some_and(|line| is_quoted(line)) {
                kinds[at..at + count].fill(Line::Above);
                has_above = true;
                at += count;
                continue;
            } else if is_dated(&lines[at..at + count]) && next.is_some() {
                kinds[at..].fill(Line::Earlier);
                break;
            }
        }
        at += 1;
    }
    keep_pasted(lines, &mut kinds[..passed_on], has_above);
    signatures(lines, &mut kinds[..passed_on]);
    blanks(lines, &mut kinds[..passed_on]);
    kinds
}

fn is_quoted(line: &str) -> bool {
    let start = line.trim_start_matches([' ', '\u{a0}']);
    line.len() - start.len() <= 3 && start.starts_with('>')
}

/// A line short enough to be a heading, in lower case, without the marks of bold.
fn heading(line: &str) -> Option<String> {
    (line.len() <= HEADING_MAX_BYTES).then(|| line.trim().replace(['*', '\u{a0}'], " ").trim().to_lowercase())
}

/// `----- Original Message -----`
fn is_between_dashes(line: &str, words: &[&str]) -> bool {
    let bare = line.trim();
    if !bare.starts_with("--") || bare.trim_matches('-').is_empty() {
        return false;
    }
    let Some(line) = heading(line) else { return false };
    let inside = line.trim_matches(['-', ' ', '_', '=']);
    words.iter().any(|word| inside.strip_prefix(word).is_some_and(|rest| rest.trim_matches([' ', ':', '-']).is_empty()))
}

fn is_begin_forwarded(line: &str) -> bool {
    line.trim_end().ends_with(':')
        && heading(line).is_some_and(|line| FORWARDED.iter().any(|word| line.trim_end_matches(':').trim() == *word))
}

/// Whether a line is `Name: …` with one of the names.
fn is_field(line: &str, names: &[&str]) -> bool {
    let Some((name, _)) = line.split_once([':', '：']) else { return false };
    name.len() <= 40 && heading(name).is_some_and(|name| names.contains(&name.as_str()))
}

/// `From:` and below it when, to whom or about what.
fn is_heading(lines: &[&str], at: usize) -> bool {
    if !is_field(lines[at].trim_start(), FROM) {
        return false;
    }
    let below = lines.iter().skip(at + 1).take(HEADING_LINES).take_while(|line| !line.trim().is_empty());
    let mut met = [false; 3];
    for line in below {
        for (met, names) in met.iter_mut().zip([WHEN, TO, ABOUT]) {
            *met |= is_field(line.trim_start(), names);
        }
    }
    met.iter().filter(|met| **met).count() >= HEADING_LINES_MIN
}

/// A rule with such a heading right below.
fn is_rule_above_heading(lines: &[&str], at: usize) -> bool {
    let line = lines[at].trim();
    if line.len() < 5 || line.chars().any(|c| !matches!(c, '_' | '-' | '=' | '—')) {
        return false;
    }
    let next = (at + 1..lines.len()).take(3).find(|next| !lines[*next].trim().is_empty());
    next.is_some_and(|next| is_heading(lines, next))
}

/// How many lines from here on say who wrote the quote below them.
fn above(lines: &[&str], at: usize) -> Option<usize> {
    let mut joined = String::new();
    for count in 1..=BROKEN_INTO_MAX {
        let line = heading(lines.get(at + count - 1)?)?;
        if line.is_empty() || is_quoted(&line) {
            return None;
        }
        joined.push_str(&line);
        joined.push(' ');
        let begins = joined.starts_with(|c: char| c.is_ascii_digit()) || ON.iter().any(|on| joined.starts_with(on));
        if is_above(joined.trim_end(), begins) {
            return Some(count);
        }
        // Only what begins like one goes on below.
        if !begins {
            return None;
        }
    }
    None
}

fn is_above(line: &str, begins: bool) -> bool {
    let Some(inside) = line.strip_suffix(':').or_else(|| line.strip_suffix('：')) else {
        return false;
    };
    let wrote = WROTE.iter().any(|word| inside.contains(word));
    // Some programs only write when, and whose address.
    let has_address = inside.ends_with('>') && inside.contains('@');
    wrote && (begins || inside.contains(['@', '<']) || inside.chars().any(|c| c.is_ascii_digit()) || inside.len() <= 60)
        || has_address && inside.chars().filter(char::is_ascii_digit).count() >= 6
}

/// Whether the line above names a day: then what is below is an earlier letter even without marks.
fn is_dated(lines: &[&str]) -> bool {
    let joined = lines.join(" ").to_lowercase();
    let begins = joined.starts_with(|c: char| c.is_ascii_digit()) || ON.iter().any(|on| joined.starts_with(on));
    begins && joined.chars().filter(char::is_ascii_digit).count() >= 5
}

/// Without a line that says who wrote them, lines with `>` in the middle of a text are part of it.
fn keep_pasted(lines: &[&str], kinds: &mut [Line], has_above: bool) {
    if has_above {
        return;
    }
    let is_text = |at: &usize| kinds[*at] == Line::Said && !lines[*at].trim().is_empty();
    let (first, last) = ((0..kinds.len()).find(is_text), (0..kinds.len()).rfind(is_text));
    if let (Some(first), Some(last)) = (first, last) {
        kinds[first..last].iter_mut().filter(|kind| **kind == Line::Quoted).for_each(|kind| *kind = Line::Said);
    }
}

/// From the mark of a signature to the next quote; and what mail programs add below a text.
fn signatures(lines: &[&str], kinds: &mut [Line]) {
    let mut is_signature = false;
    for at in 0..kinds.len() {
        if kinds[at] != Line::Said {
            is_signature = false;
            continue;
        }
        is_signature |= matches!(lines[at], "-- " | "--");
        if is_signature {
            kinds[at] = Line::Signature;
        }
    }
    let mut is_last = true;
    for at in (0..kinds.len()).rev() {
        let is_blank = lines[at].trim().is_empty();
        if kinds[at] != Line::Said || is_blank {
            is_last |= kinds[at] != Line::Said;
            continue;
        }
        if is_last && is_sent_from(lines[at]) {
            kinds[at] = Line::Signature;
        }
        is_last = false;
    }
}

fn is_sent_from(line: &str) -> bool {
    line.chars().count() <= SENT_FROM_MAX_CHARS
        && heading(line)
            .is_some_and(|line| SENT_FROM.iter().any(|sent| line.trim_start_matches(['—', '-', ' ', '_']).starts_with(sent)))
}

/// Blank lines inside what is folded are folded with it.
fn blanks(lines: &[&str], kinds: &mut [Line]) {
    let mut last = Line::Said;
    for at in 0..kinds.len() {
        if !lines[at].trim().is_empty() {
            last = kinds[at];
        } else if kinds[at] == Line::Said && last != Line::Said {
            kinds[at] = last;
        }
    }
}
