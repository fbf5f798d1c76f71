//! Any HTML as a small and well nested one, in linear time. Pure.
use super::lists::{ATTRIBUTES, BLOCKS, ELEMENTS, GENERAL, GONE, VOID};
use super::scan::{attributes, behind};

/// Elements inside elements that are kept; what is deeper loses its tags.
const DEPTH_MAX: usize = 100;
/// A value past this is left out.
const VALUE_MAX_BYTES: usize = 8 * 1024;

/// What [`tame`] wrote.
#[derive(Debug, Default)]
pub(super) struct Tame {
    pub html: String,
    pub is_deep: bool,
    open: Vec<&'static str>,
}

/// Finds one of a list, as the list has it.
fn listed(list: &'static [&'static str], name: &str) -> Option<&'static str> {
    list.iter().find(|own| own.eq_ignore_ascii_case(name)).copied()
}

/// Writes it.
pub(super) fn tame(html: &str) -> Tame {
    let mut tame = Tame::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        tame.text(text);
        rest = tame.tag(tag);
    }
    tame.text(rest);
    tame.close_to(0);
    tame
}

impl Tame {
    fn top(&self) -> &'static str {
        self.open.last().copied().unwrap_or_default()
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if !text.trim().is_empty() {
            self.open_cell();
        } else if matches!(self.top(), "table" | "thead" | "tbody" | "tfoot" | "tr") {
            return;
        }
        self.html.extend(text.chars().filter(|c| *c != '\0'));
    }

    /// Text of a table outside of its cells would be moved in front of it: it gets a cell.
    fn open_cell(&mut self) {
        if matches!(self.top(), "table" | "thead" | "tbody" | "tfoot") {
            self.push("tr", &[]);
        }
        if self.top() == "tr" {
            self.push("td", &[]);
        }
    }

    fn close_to(&mut self, depth: usize) {
        while self.open.len() > depth {
            if let Some(name) = self.open.pop() {
                self.html.push_str("</");
                self.html.push_str(name);
                self.html.push('>');
            }
        }
    }

    fn close_top_if(&mut self, names: &[&str]) {
        while names.contains(&self.top()) {
            self.close_to(self.open.len() - 1);
        }
    }

    /// What begins with `<`; gives what is behind it.
    fn tag<'a>(&mut self, tag: &'a str) -> &'a str {
        let inside = tag.get(1..).unwrap_or_default();
        if let Some(comment) = inside.strip_prefix("!--") {
            let end = if comment.starts_with('>') { Some(0) } else { comment.find("-->").map(|at| at + 2) };
            return end.and_then(|end| comment.get(end + 1..)).unwrap_or_default();
        }
        if inside.starts_with(['!', '?']) {
            return inside.split_once('>').map_or("", |(_, rest)| rest);
        }
        let (is_end, named) = inside.strip_prefix('/').map_or((false, inside), |inside| (true, inside));
        if !named.starts_with(|c: char| c.is_ascii_alphabetic()) {
            if is_end {
                return named.split_once('>').map_or("", |(_, rest)| rest);
            }
            self.text("&lt;");
            return inside;
        }
        let end = named.find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>')).unwrap_or(named.len());
        let (name, rest) = named.split_at(end);
        let (attributes, rest) = attributes(rest);
        let Some(rest) = rest else { return "" };
        if let Some(gone) = listed(GONE, name).filter(|_| !is_end) {
            return behind(rest, gone);
        }
        match listed(ELEMENTS, name) {
            Some(name) if is_end => self.end(name),
            Some(name) => self.begin(name, &attributes),
            // What stood in two cells or lines of a form does not run together.
            None if matches!(name.to_ascii_lowercase().as_str(), "option" | "button" | "input" | "label" | "legend") => {
                self.text(" ")
            }
            None => {}
        }
        rest
    }

    fn end(&mut self, name: &'static str) {
        if name == "br" {
            return self.begin("br", &[]);
        }
        // Nothing in a cell closes what is around its table.
        let is_of_table = matches!(name, "table" | "thead" | "tbody" | "tfoot" | "tr" | "td" | "th" | "caption");
        for at in (0..self.open.len()).rev() {
            let own = self.open[at];
            if own == name {
                return self.close_to(at);
            }
            if !is_of_table && matches!(own, "td" | "th" | "caption") || is_of_table && own == "table" {
                return;
            }
        }
    }

    fn begin(&mut self, name: &'static str, attributes: &[(&str, &str)]) {
        let is_in_table = self.open.contains(&"table");
        if BLOCKS.contains(&name) {
            self.close_top_if(&["p"]);
        }
        match name {
            "li" => self.close_top_if(&["li"]),
            "dd" | "dt" => self.close_top_if(&["dd", "dt"]),
            "td" | "th" | "tr" | "thead" | "tbody" | "tfoot" | "caption" if !is_in_table => return,
            "td" | "th" => {
                self.close_within_table(&["td", "th", "caption"]);
                if matches!(self.top(), "table" | "thead" | "tbody" | "tfoot") {
                    self.push("tr", &[]);
                }
            }
            "tr" => self.close_within_table(&["tr", "td", "th", "caption"]),
            "thead" | "tbody" | "tfoot" | "caption" => {
                self.close_within_table(&["thead", "tbody", "tfoot", "tr", "td", "th", "caption"])
            }
            _ => self.open_cell(),
        }
        if name == "a" {
            // A link in a link is none.
            if let Some(at) = self.open.iter().rposition(|own| *own == "a") {
                self.close_to(at);
            }
        }
        self.push(name, attributes);
    }

    /// Closes the outermost of these in the innermost table, with all that is in it.
    fn close_within_table(&mut self, names: &[&str]) {
        let table = self.open.iter().rposition(|own| *own == "table").map_or(0, |at| at + 1);
        if let Some(at) = self.open.iter().skip(table).position(|own| names.contains(own)) {
            self.close_to(table + at);
        }
    }

    fn push(&mut self, name: &'static str, attributes: &[(&str, &str)]) {
        let is_void = VOID.contains(&name);
        if !is_void && self.open.len() >= DEPTH_MAX {
            self.is_deep = true;
            return;
        }
        self.html.push('<');
        self.html.push_str(name);
        if name == "img" {
            self.image(attributes);
        }
        let own = ATTRIBUTES.iter().find(|(tag, _)| *tag == name).map_or(&[] as &[&str], |(_, names)| names);
        let mut seen: Vec<&str> = Vec::new();
        for (attribute, value) in attributes {
            let Some(known) =
                listed(GENERAL, attribute).or_else(|| own.iter().find(|own| own.eq_ignore_ascii_case(attribute)).copied())
            else {
                continue;
            };
            if !seen.contains(&known) && !matches!(known, "src" | "data-blocked-src") {
                seen.push(known);
                self.attribute(known, value);
            }
        }
        self.html.push('>');
        if !is_void {
            self.open.push(name);
        }
    }

    fn attribute(&mut self, name: &str, value: &str) {
        if value.len() > VALUE_MAX_BYTES {
            return;
        }
        self.html.push(' ');
        self.html.push_str(name);
        self.html.push_str("=\"");
        for c in value.chars() {
            match c {
                '"' => self.html.push_str("&quot;"),
                '<' => self.html.push_str("&lt;"),
                '\0' => {}
                c => self.html.push(c),
            }
        }
        self.html.push('"');
    }

    /// Images of the mail stay; those of other servers wait; all others are none.
    fn image(&mut self, attributes: &[(&str, &str)]) {
        let Some((_, source)) = attributes.iter().find(|(name, _)| name.eq_ignore_ascii_case("src")) else { return };
        let source = source.trim();
        let begins = |scheme: &str| source.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
        if begins("cid:") {
            self.attribute("src", source);
        } else if begins("https://") || begins("http://") {
            self.attribute("data-blocked-src", source);
        } else if begins("//") {
            self.attribute("data-blocked-src", &format!("https:{source}"));
        }
    }
}
