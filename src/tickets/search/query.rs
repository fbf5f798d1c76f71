//! What somebody looks for: words, "phrases", -without, begin*; anything else is text. Pure.
use super::words;

/// A shorter beginning is taken for a whole word: it would begin too many.
const PREFIX_MIN: usize = 3;

/// Words that stand one after the other; the last one may be a beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    /// Folded words, at least one.
    pub words: Vec<String>,
    /// Whether the last one is only the beginning of a word.
    pub is_prefix: bool,
}

/// What must be in a text, all of it, and what must not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// All of these.
    pub with: Vec<Phrase>,
    /// None of these.
    pub without: Vec<Phrase>,
}

impl Query {
    /// Reads what was typed; there is nothing that cannot be read.
    pub fn parse(text: &str) -> Self {
        let mut query = Self::default();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (is_without, part) = match rest.strip_prefix('-') {
                Some(part) if part.starts_with(|c: char| !c.is_whitespace()) => (true, part),
                _ => (false, rest),
            };
            let (inner, after) = match part.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
                None => part.split_at(part.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(part.len())),
            };
            let (is_prefix, after) = match after.strip_prefix('*') {
                Some(after) => (true, after),
                None => (inner.ends_with('*'), after),
            };
            let mut found = Vec::new();
            words::each(inner, |word, _| found.push(word.to_owned()));
            if let Some(last) = found.last() {
                let is_prefix = is_prefix && last.chars().count() >= PREFIX_MIN;
                let phrase = Phrase { words: found, is_prefix };
                if is_without { query.without.push(phrase) } else { query.with.push(phrase) }
            }
            rest = after.trim_start();
        }
        query
    }

    /// True where there is nothing to look for: such a query finds nothing.
    pub fn is_empty(&self) -> bool {
        self.with.is_empty()
    }

    /// In the notation of SQLite's FTS5. Words hold letters and digits only, so nothing in them can be taken for syntax.
    pub fn fts5(&self) -> String {
        let phrase = |phrase: &Phrase| format!("\"{}\"{}", phrase.words.join(" "), if phrase.is_prefix { " *" } else { "" });
        let with: Vec<String> = self.with.iter().map(phrase).collect();
        let mut text = format!("({})", with.join(" AND "));
        for without in &self.without {
            text = format!("({text} NOT {})", phrase(without));
        }
        text
    }

    /// In the notation of PostgreSQL's tsquery.
    pub fn tsquery(&self) -> String {
        let phrase = |phrase: &Phrase| {
            let words: Vec<String> = phrase.words.iter().map(|word| format!("'{word}'")).collect();
            format!("({}{})", words.join(" <-> "), if phrase.is_prefix { ":*" } else { "" })
        };
        let with = self.with.iter().map(phrase);
        let without = self.without.iter().map(|without| format!("!{}", phrase(without)));
        with.chain(without).collect::<Vec<String>>().join(" & ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, fts5: &str, tsquery: &str) {
        let query = Query::parse(text);
        assert_eq!((query.fts5().as_str(), query.tsquery().as_str()), (fts5, tsquery), "{text}");
    }

    #[test]
    fn everything_that_is_typed_means_something() {
        check("Stuck transfer", r#"("stuck" AND "transfer")"#, "('stuck') & ('transfer')");
        check(r#""Stuck  transfer""#, r#"("stuck transfer")"#, "('stuck' <-> 'transfer')");
        check("nordwind.example", r#"("nordwind example")"#, "('nordwind' <-> 'example')");
        check("dns -mail", r#"(("dns") NOT "mail")"#, "('dns') & !('mail')");
        check(r#"dns -"a b" -c"#, r#"((("dns") NOT "a b") NOT "c")"#, "('dns') & !('a' <-> 'b') & !('c')");
        check("trans*", r#"("trans" *)"#, "('trans':*)");
        check(r#""auth co*""#, r#"("auth co")"#, "('auth' <-> 'co')");
        check(r#""auth cod*""#, r#"("auth cod" *)"#, "('auth' <-> 'cod':*)");
        check(r#""auth cod"*"#, r#"("auth cod" *)"#, "('auth' <-> 'cod':*)");
        check("tr*", r#"("tr")"#, "('tr')");
        check("a - b", r#"("a" AND "b")"#, "('a') & ('b')");
        check(r#"say"hello there"#, r#"("say" AND "hello there")"#, "('say') & ('hello' <-> 'there')");
        check(
            "NEAR(a b) OR c:d ^e {f}",
            r#"("near a" AND "b" AND "or" AND "c d" AND "e" AND "f")"#,
            "('near' <-> 'a') & ('b') & ('or') & ('c' <-> 'd') & ('e') & ('f')",
        );
        check("域名", r#"("域 名")"#, "('域' <-> '名')");
    }

    #[test]
    fn what_has_no_words_looks_for_nothing() {
        for text in ["", "  ", "\"", "\"\"", "-", "*", "-dns", "--", "'; --", "\u{301}", "-\"", "-*"] {
            assert!(Query::parse(text).is_empty(), "{text}");
        }
    }
}
