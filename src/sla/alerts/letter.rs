//! The letter about alerts: one to each person, about all that climbed at the same time. Pure.
use crate::mail::one_line;
use crate::sla::clock::Metric;
use crate::sla::ladder::Level;
use askama::Template;
use chrono::{DateTime, Utc};

/// Alerts named in one letter at the most; the rest is counted.
const NAMED_MAX: usize = 50;

/// One alert in a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub ticket_number: i64,
    pub ticket_subject: String,
    pub metric: Metric,
    pub level: Level,
    pub due_at: Option<DateTime<Utc>>,
}

impl Item {
    fn promise(&self) -> &'static str {
        match self.metric {
            Metric::Pickup => "pickup",
            Metric::FirstResponse => "first response",
            Metric::NextResponse => "next response",
            Metric::Resolution => "resolution",
        }
    }

    /// `#1042 first response: was due on 10 June 2026, 14:00:00 UTC`.
    fn line(&self) -> String {
        let due = self.due_at.map_or_else(String::new, |at| at.format(" on %-d %B %Y, %H:%M:%S UTC").to_string());
        let verb = match self.level {
            Level::Warning => "is due",
            Level::Breach => "was due",
        };
        format!("#{} {}: {verb}{due}", self.ticket_number, self.promise())
    }

    fn title(&self) -> String {
        one_line(&self.ticket_subject)
    }
}

#[derive(Template)]
#[template(path = "mail/templates/alert.txt")]
struct Text<'a> {
    company: &'a str,
    items: &'a [Item],
    more: usize,
}

#[derive(Template)]
#[template(path = "mail/templates/alert.html")]
struct Html<'a> {
    company: &'a str,
    items: &'a [Item],
    more: usize,
}

/// Text for HTML.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Subject, text and HTML of a letter.
pub fn write(company: &str, items: &[Item]) -> askama::Result<(String, String, String)> {
    let (named, rest) = items.split_at(items.len().min(NAMED_MAX));
    let broken = items.iter().filter(|item| item.level == Level::Breach).count();
    let subject = match (items, broken) {
        ([one], 0) => format!("Promise at risk: {} [#{}]", one.promise(), one.ticket_number),
        ([one], _) => format!("Promise broken: {} [#{}]", one.promise(), one.ticket_number),
        (_, 0) => format!("{} promises at risk", items.len()),
        _ => format!("{} promises need someone, {broken} of them broken", items.len()),
    };
    let company = one_line(company);
    let text = Text { company: &company, items: named, more: rest.len() }.render()?;
    let html = Html { company: &company, items: named, more: rest.len() }.render()?;
    Ok((subject, text, html))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(number: i64, level: Level) -> Item {
        let due_at = "2026-06-10T14:00:20Z".parse().ok();
        Item { ticket_number: number, ticket_subject: "A <b>\r\nB".to_owned(), metric: Metric::FirstResponse, level, due_at }
    }

    #[test]
    fn a_letter_names_each_promise_and_counts_the_rest() {
        let (subject, text, html) = write("Acme & Sons", &[item(1042, Level::Breach)]).expect("a letter");
        assert_eq!(subject, "Promise broken: first response [#1042]");
        assert!(text.contains("#1042 first response: was due on 10 June 2026, 14:00:20 UTC\n  A <b> B\n"), "{text}");
        assert!(text.ends_with("Acme & Sons\n") && html.contains("A &#60;b&#62; B"), "{text}{html}");
        let many: Vec<Item> = (0..60).map(|number| item(number, Level::Warning)).collect();
        let (subject, text, html) = write("Acme", &many).expect("a letter");
        assert_eq!(subject, "60 promises at risk");
        assert!(text.contains("and 10 more") && html.contains("and 10 more"), "{text}");
        assert!(!text.contains("#50 ") && text.contains("#49 "));
    }
}
