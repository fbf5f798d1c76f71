//! Clean HTML as text, and text as HTML. Pure.

/// Depth of quoting that is shown.
const QUOTES_MAX: usize = 20;

/// Elements that stand on lines of their own.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "blockquote",
    "caption",
    "center",
    "dd",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "header",
    "hr",
    "li",
    "main",
    "ol",
    "pre",
    "section",
    "table",
    "tr",
    "ul",
];
/// Elements with a blank line around them.
const PARAGRAPHS: &[&str] = &["p", "h1", "h2", "h3", "h4", "h5", "h6"];

#[derive(Default)]
struct Writer {
    out: String,
    /// Line breaks that are due before the next word.
    breaks: usize,
    is_space_due: bool,
    quotes: usize,
    preformatted: usize,
    /// Where an open link goes, and where its text begins.
    link: Option<(String, usize)>,
}

impl Writer {
    fn line_break(&mut self, count: usize) {
        self.is_space_due = false;
        self.breaks = self.breaks.max(count);
    }

    /// Writes the breaks and spaces that are due.
    fn settle(&mut self) {
        let prefix = "> ".repeat(self.quotes.min(QUOTES_MAX));
        if self.out.is_empty() {
            self.out.push_str(&prefix);
        } else if self.breaks > 0 {
            for at in 0..self.breaks {
                self.out.push('\n');
                self.out.push_str(if at + 1 < self.breaks { prefix.trim_end() } else { &prefix });
            }
        } else if self.is_space_due {
            self.out.push(' ');
        }
        (self.breaks, self.is_space_due) = (0, false);
    }

    fn text(&mut self, text: &str) {
        if self.preformatted > 0 {
            for (at, line) in text.split('\n').enumerate() {
                if at > 0 {
                    self.breaks += 1;
                }
                if !line.is_empty() {
                    self.settle();
                    self.out.push_str(line);
                }
            }
            return;
        }
        let is_space = |c: char| c.is_ascii_whitespace();
        let is_apart = |c: Option<char>| c.is_some_and(is_space);
        self.is_space_due |= is_apart(text.chars().next()) && self.breaks == 0 && !self.out.is_empty();
        for word in text.split(is_space).filter(|word| !word.is_empty()) {
            self.settle();
            self.out.extend(
                word.chars()
                    .filter(|c| !c.is_control() && !matches!(c, '\u{200b}' | '\u{feff}' | '\u{34f}'))
                    .map(|c| if c == '\u{a0}' { ' ' } else { c }),
            );
            self.is_space_due = true;
        }
        self.is_space_due &= is_apart(text.chars().next_back());
    }

    fn begin(&mut self, name: &str, attributes: &str) {
        match name {
            "br" => {
                self.is_space_due = false;
                self.breaks += 1;
            }
            "td" | "th" => self.is_space_due = self.breaks == 0,
            "img" => {
                if let Some(alt) = attribute(attributes, "alt").map(|alt| entities(&alt)).filter(|alt| !alt.trim().is_empty()) {
                    self.text(&format!("[{}]", alt.trim()));
                }
            }
            "a" => {
                let href = attribute(attributes, "href").map(|href| entities(&href)).unwrap_or_default();
                self.link = Some((href, self.out.len()));
            }
            "pre" => {
                self.line_break(1);
                self.preformatted += 1;
            }
            "blockquote" => {
                self.line_break(1);
                self.quotes += 1;
            }
            "li" => {
                self.line_break(1);
                self.text("-");
                self.is_space_due = true;
            }
            "hr" => {
                self.line_break(1);
                self.text("---");
                self.line_break(1);
            }
            name if PARAGRAPHS.contains(&name) => self.line_break(2),
            name if BLOCKS.contains(&name) => self.line_break(1),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "a" => self.end_link(),
            "pre" => {
                self.preformatted = self.preformatted.saturating_sub(1);
                self.line_break(1);
            }
            "blockquote" => {
                self.line_break(1);
                self.quotes = self.quotes.saturating_sub(1);
            }
            name if PARAGRAPHS.contains(&name) => self.line_break(2),
            name if BLOCKS.contains(&name) => self.line_break(1),
            _ => {}
        }
    }

    /// Where a link goes is written behind it, unless it says so itself.
    fn end_link(&mut self) {
        let Some((href, from)) = self.link.take() else { return };
        let shown = self.out.get(from..).unwrap_or_default().trim();
        let bare = |text: &str| {
            let text = ["mailto:", "tel:", "https://", "http://"]
                .iter()
                .fold(text, |text, scheme| text.strip_prefix(scheme).unwrap_or(text));
            text.trim_end_matches('/').to_lowercase()
        };
        if !href.is_empty() && !shown.is_empty() && bare(shown) != bare(&href) {
            let is_space_due = std::mem::take(&mut self.is_space_due);
            self.out.push_str(" <");
            self.out.push_str(&href);
            self.out.push('>');
            self.is_space_due = is_space_due;
        }
    }
}

/// The text of clean HTML; quotes begin with `>`.
pub fn to_text(clean: &str) -> String {
    let mut writer = Writer::default();
    let mut rest = clean;
    while let Some((text, tag)) = rest.split_once('<') {
        writer.text(&entities(text));
        let (inside, behind) = tag.split_once('>').unwrap_or((tag, ""));
        rest = behind;
        if let Some(name) = inside.strip_prefix('/') {
            writer.end(name);
        } else {
            let (name, attributes) = inside.split_once(' ').unwrap_or((inside, ""));
            writer.begin(name, attributes);
        }
    }
    writer.text(&entities(rest));
    let lines: Vec<&str> = writer.out.lines().map(|line| if line == "-- " { line } else { line.trim_end() }).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

/// A value of a clean tag.
fn attribute(attributes: &str, name: &str) -> Option<String> {
    let start = format!("{name}=\"");
    let at = attributes
        .match_indices(&start)
        .map(|(at, _)| at)
        .find(|at| *at == 0 || attributes.get(..*at).is_some_and(|before| before.ends_with(' ')))?;
    let value = attributes.get(at + start.len()..)?;
    value.split_once('"').map(|(value, _)| value.to_owned())
}

/// The five that clean HTML has.
fn entities(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    text.replace("&nbsp;", "\u{a0}").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// Text as HTML, line by line.
pub fn of_text(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<div>{}</div>", escaped.replace('\n', "<br>"))
}
