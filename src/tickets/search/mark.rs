//! Where a query is found in a text: what is marked, and what counts for the order. Pure.
use super::query::{Phrase, Query};
use super::words;
use std::ops::Range;

/// Characters of a snippet, about.
const SNIPPET_CHARS: usize = 200;
/// Characters before the first match, about.
const BEFORE_CHARS: usize = 60;

/// A text's folded words in one string, and where each stands in both.
struct Words {
    folded: String,
    places: Vec<(Range<usize>, Range<usize>)>,
}

impl Words {
    fn of(text: &str) -> Self {
        let (mut folded, mut places) = (String::with_capacity(text.len()), Vec::new());
        words::each(text, |word, at| {
            let start = folded.len();
            folded.push_str(word);
            places.push((start..folded.len(), at));
        });
        Self { folded, places }
    }

    fn is_at(&self, index: usize, phrase: &Phrase) -> bool {
        let last = phrase.words.len() - 1;
        phrase.words.iter().enumerate().all(|(offset, wanted)| {
            let word = self.places.get(index + offset).and_then(|(at, _)| self.folded.get(at.clone()));
            word.is_some_and(
                |word| if phrase.is_prefix && offset == last { word.starts_with(wanted.as_str()) } else { word == wanted },
            )
        })
    }

    /// Where the words of a phrase stand in the text.
    fn found<'a>(&'a self, phrase: &'a Phrase) -> impl Iterator<Item = Range<usize>> + 'a {
        (0..self.places.len())
            .filter(|index| self.is_at(*index, phrase))
            .flat_map(|index| self.places.iter().skip(index).take(phrase.words.len()).map(|(_, at)| at.clone()))
    }
}

/// How many of the phrases looked for are in a text.
pub fn count(text: &str, query: &Query) -> usize {
    let words = Words::of(text);
    query.with.iter().filter(|phrase| words.found(phrase).next().is_some()).count()
}

/// The whole text as HTML, with what was found in `<mark>`; nothing else in it is markup.
pub fn whole(text: &str, query: &Query) -> String {
    html(text, 0..text.len(), &marks(text, query))
}

/// The part of a text around the first match as HTML, with what was found in `<mark>`; nothing else in it is markup.
pub fn snippet(text: &str, query: &Query) -> String {
    let marks = marks(text, query);
    let first = marks.first().map_or(0, |mark| mark.start);
    let head = text.get(..first).unwrap_or("");
    // Begin at a word, and not in the middle of one.
    let mut start = head.char_indices().rev().nth(BEFORE_CHARS - 1).map_or(0, |(at, _)| at);
    if start > 0 {
        let skipped = text.get(start..first).and_then(|part| part.find(char::is_whitespace));
        start += skipped.unwrap_or(0);
    }
    let rest = text.get(start..).unwrap_or("");
    let mut end = rest.char_indices().nth(SNIPPET_CHARS).map_or(text.len(), |(at, _)| start + at);
    if end < text.len() {
        let part = text.get(start..end).unwrap_or("");
        let space = part.rfind(char::is_whitespace).map(|at| start + at);
        end = space.filter(|at| *at > first && marks.iter().all(|mark| mark.end <= *at || mark.start >= *at)).unwrap_or(end);
    }
    let html = html(text, start..end, &marks);
    let (before, after) = (if start > 0 { "… " } else { "" }, if end < text.len() { " …" } else { "" });
    format!("{before}{}{after}", html.trim())
}

/// All that is to be marked, in order, without overlaps.
fn marks(text: &str, query: &Query) -> Vec<Range<usize>> {
    let words = Words::of(text);
    let mut marks: Vec<Range<usize>> = query.with.iter().flat_map(|phrase| words.found(phrase)).collect();
    marks.sort_unstable_by_key(|mark| mark.start);
    marks.dedup();
    marks
}

fn html(text: &str, part: Range<usize>, marks: &[Range<usize>]) -> String {
    let mut html = String::new();
    let mut at = part.start;
    for mark in marks.iter().filter(|mark| mark.start >= part.start && mark.start < part.end) {
        escape(text.get(at..mark.start).unwrap_or(""), &mut html);
        html.push_str("<mark>");
        at = mark.end.min(part.end);
        escape(text.get(mark.start..at).unwrap_or(""), &mut html);
        html.push_str("</mark>");
    }
    escape(text.get(at..part.end).unwrap_or(""), &mut html);
    html
}

/// Five characters become entities; line breaks and other control characters become one space.
fn escape(text: &str, html: &mut String) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c if c.is_whitespace() || c.is_control() => {
                if !html.ends_with(' ') {
                    html.push(' ');
                }
            }
            c => html.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, query: &str, expected: &str) {
        assert_eq!(snippet(text, &Query::parse(query)), expected, "{query} in {text}");
    }

    #[test]
    fn what_was_found_is_marked_and_the_rest_is_escaped() {
        check("The <b>Transfer</b> & more", "transfer", "The &lt;b&gt;<mark>Transfer</mark>&lt;/b&gt; &amp; more");
        check("Die ÜBERWEISUNG fehlt", "uberweis*", "Die <mark>ÜBERWEISUNG</mark> fehlt");
        check("a b a c", "\"a c\"", "a b <mark>a</mark> <mark>c</mark>");
        check("a b a c", "a -x", "<mark>a</mark> b <mark>a</mark> c");
        check("one\r\n\r\ntwo\u{7}", "two", "one <mark>two</mark>");
        check("u\u{308}ber alles", "uber", "<mark>u\u{308}ber</mark> alles");
        check("nothing here", "else", "nothing here");
        check("", "else", "");
        check("<mark>x</mark>", "x", "&lt;mark&gt;<mark>x</mark>&lt;/mark&gt;");
    }

    #[test]
    fn a_long_text_is_cut_around_the_first_match() {
        let text = format!("{} needle {}", "hay ".repeat(100), "straw ".repeat(100));
        let cut = snippet(&text, &Query::parse("needle"));
        assert!(cut.starts_with("… hay ") && cut.contains("hay <mark>needle</mark> straw") && cut.ends_with("straw …"), "{cut}");
        assert!(cut.chars().count() < 250, "{cut}");
        let one = "x".repeat(1_000);
        assert_eq!(snippet(&one, &Query::parse("y")), format!("{} …", "x".repeat(200)));
        let wide = "域名".repeat(300);
        assert!(snippet(&wide, &Query::parse("名域")).contains("<mark>名</mark>"));
    }

    #[test]
    fn phrases_are_counted_once_each() {
        for (text, query, expected) in
            [("transfer of a transfer", "transfer stuck", 1), ("Stuck: transfers", "stuck transf*", 2), ("a b", "\"b a\"", 0)]
        {
            assert_eq!(count(text, &Query::parse(query)), expected, "{query} in {text}");
        }
    }
}
