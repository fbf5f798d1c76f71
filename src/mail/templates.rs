//! The letters that go out to contacts, each as a text and an HTML part, as askama templates. Pure.

use super::markdown;
use askama::Template;

/// The last score of the first row, where a narrow screen breaks the eleven links into two rows.
const FIRST_ROW_LAST_SCORE: u8 = 5;

/// The invitation to answer a survey.
#[derive(Debug, Clone)]
pub struct SurveyMail {
    /// Whom the contact would recommend.
    pub company: String,
    /// How the contact is greeted, empty if unknown.
    pub contact_name: String,
    /// The number people know the ticket by, and what it is about, on one line; a relationship survey is about none.
    pub ticket: Option<(i64, String)>,
    /// Every score, lowest first, with the absolute URL that opens the page with it chosen.
    pub score_links: Vec<(u8, String)>,
    /// The absolute URL that opens the page with nothing chosen.
    pub plain_link: String,
    /// The absolute URL of the page that stops surveys.
    pub unsubscribe_link: String,
    /// Whether it is the second letter.
    pub is_reminder: bool,
    /// The last moment to answer, in words with a time zone.
    pub expires_on: String,
}

impl SurveyMail {
    /// The text part: nothing is escaped.
    pub fn text(&self) -> askama::Result<String> {
        SurveyText { mail: self }.render()
    }

    /// The HTML part: everything is escaped.
    pub fn html(&self) -> askama::Result<String> {
        let is_in_first_row = |(score, _): &&(u8, String)| *score <= FIRST_ROW_LAST_SCORE;
        let (first, second) = self.score_links.iter().partition(is_in_first_row);
        SurveyHtml { mail: self, rows: [first, second] }.render()
    }
}

#[derive(Template)]
#[template(path = "mail/templates/survey.txt")]
struct SurveyText<'a> {
    mail: &'a SurveyMail,
}

#[derive(Template)]
#[template(path = "mail/templates/survey.html")]
struct SurveyHtml<'a> {
    mail: &'a SurveyMail,
    rows: [Vec<&'a (u8, String)>; 2],
}

/// An agent's reply to a ticket.
#[derive(Debug, Clone)]
pub struct ReplyMail {
    /// For whom the agent writes.
    pub company: String,
    /// The number people know the ticket by.
    pub ticket_number: i64,
    /// What the ticket is about, on one line.
    pub ticket_subject: String,
    /// Who signs.
    pub agent_name: String,
    /// What stands under the agent's name; the company's name where it is empty.
    pub signature: String,
    /// What the agent wrote, in Markdown.
    pub body: String,
}

impl ReplyMail {
    /// The text part: nothing is escaped.
    pub fn text(&self) -> askama::Result<String> {
        ReplyText { mail: self }.render()
    }

    /// The HTML part: Markdown as HTML, and everything else escaped.
    pub fn html(&self) -> askama::Result<String> {
        ReplyHtml { mail: self, body: markdown::to_html(&self.body) }.render()
    }

    /// Under the agent's name.
    fn signed(&self) -> &str {
        if self.signature.trim().is_empty() { &self.company } else { self.signature.trim() }
    }
}

#[derive(Template)]
#[template(path = "mail/templates/reply.txt")]
struct ReplyText<'a> {
    mail: &'a ReplyMail,
}

#[derive(Template)]
#[template(path = "mail/templates/reply.html")]
struct ReplyHtml<'a> {
    mail: &'a ReplyMail,
    body: String,
}

/// A few lines by the desk itself.
#[derive(Debug, Clone)]
pub struct PlainMail {
    /// Whose desk it is.
    pub company: String,
    /// What the letter is about.
    pub title: String,
    /// What it says, a line each.
    pub paragraphs: Vec<String>,
}

impl PlainMail {
    /// The text part: nothing is escaped.
    pub fn text(&self) -> askama::Result<String> {
        PlainText { mail: self }.render()
    }

    /// The HTML part: everything is escaped.
    pub fn html(&self) -> askama::Result<String> {
        PlainHtml { mail: self }.render()
    }
}

#[derive(Template)]
#[template(path = "mail/templates/plain.txt")]
struct PlainText<'a> {
    mail: &'a PlainMail,
}

#[derive(Template)]
#[template(path = "mail/templates/plain.html")]
struct PlainHtml<'a> {
    mail: &'a PlainMail,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a line of a text part may hold, URLs apart, so that no mail program breaks it.
    const LINE_CHARACTERS_MAX: usize = 76;

    fn survey() -> SurveyMail {
        SurveyMail {
            company: "Acme & Sons".into(),
            contact_name: "Zoë".into(),
            ticket: Some((1042, "Transfer <fails>".into())),
            score_links: (0..=10).map(|score| (score, format!("https://desk.test/s/t?score={score}&a=b"))).collect(),
            plain_link: "https://desk.test/s/t".into(),
            unsubscribe_link: "https://desk.test/u/t".into(),
            is_reminder: false,
            expires_on: "14 May 2025, 09:00 UTC".into(),
        }
    }

    fn reply() -> ReplyMail {
        ReplyMail {
            company: "Acme & Sons".into(),
            ticket_number: 1042,
            ticket_subject: "Transfer <fails>".into(),
            agent_name: "Ada".into(),
            signature: String::new(),
            body: "Hi,\r\n\r\n\r\n<b>one</b>\r\ntwo & three\n \nBye".into(),
        }
    }

    #[track_caller]
    fn check(mail: askama::Result<String>, present: &[&str], absent: &[&str]) {
        let mail = mail.expect("the letter renders");
        for part in present {
            assert!(mail.contains(part), "{part} is not in {mail}");
        }
        for part in absent {
            assert!(!mail.contains(part), "{part} is in {mail}");
        }
    }

    #[test]
    fn a_survey_in_text_is_not_escaped() {
        let greeting = "Hello Zoë,\n\nBased on your most recent support request\n#1042: Transfer <fails>\n\n";
        let ends = " 9: https://desk.test/s/t?score=9&a=b\n10: https://desk.test/s/t?score=10&a=b\n\nEach";
        check(survey().text(), &[greeting, ends, "recommend\nAcme & Sons to a friend", "\n-- \n"], &["&#", "{"]);
    }

    #[test]
    fn a_survey_in_html_is_escaped_and_loads_nothing() {
        let html = survey().html().expect("the letter renders");
        assert_eq!(html.matches("?score=").count(), 11);
        check(
            Ok(html),
            &["recommend Acme &#38; Sons to a friend or colleague?", "Transfer &#60;fails&#62;", "score=10&#38;a=b"],
            &["<img", "src=", "<link", "url(", "<script", "<fails>"],
        );
    }

    #[test]
    fn a_contact_without_a_name_is_greeted_all_the_same() {
        let nameless = SurveyMail { contact_name: String::new(), ..survey() };
        check(nameless.text(), &["Hello,\n"], &["Hello ,"]);
        check(nameless.html(), &["Hello,"], &["Hello ,"]);
    }

    #[test]
    fn a_relationship_survey_is_about_no_request() {
        let whole = SurveyMail { ticket: None, ..survey() };
        let about = "Not about one request: about everything you have seen of Acme";
        check(whole.text(), &[about, "recommend\nAcme & Sons to a friend"], &["#", "Based on", "most recent"]);
        check(whole.html(), &[about, "One question about Acme &#38; Sons as a whole"], &["#1042", "Based on", "most recent"]);
    }

    #[test]
    fn a_reminder_says_that_it_is_the_only_one() {
        let again = SurveyMail { is_reminder: true, ..survey() };
        check(again.text(), &["Hello Zoë,\n\nA few days ago we asked", "no further"], &["&#"]);
        check(again.html(), &["A few days ago we asked", "no further"], &["<img"]);
        check(survey().text(), &["Hello Zoë,\n\nBased on"], &["A few days ago"]);
    }

    #[test]
    fn a_reply_keeps_its_lines_in_both_parts() {
        check(reply().text(), &["<b>one</b>\r\ntwo & three", "\n\nAda\nAcme & Sons\n\n-- \n"], &["&#"]);
        let middle = ">&lt;b&gt;one&lt;/b&gt;<br>\ntwo &amp; three</p>";
        check(reply().html(), &[">Hi,</p>", middle, ">Bye</p>"], &["<b>one"]);
    }

    #[test]
    fn a_teams_signature_stands_for_the_company() {
        let signed = ReplyMail { signature: "Payments <desk>\n+1 416".into(), ..reply() };
        check(signed.text(), &["\n\nAda\nPayments <desk>\n+1 416\n\n-- \n"], &["Ada\nAcme"]);
        check(signed.html(), &["Payments &#60;desk&#62;<br>+1 416</span>"], &["<desk>"]);
    }

    #[test]
    fn a_text_part_ends_with_one_line_break() {
        for text in [survey().text(), reply().text()] {
            let text = text.expect("the letter renders");
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{text:?}");
        }
    }

    #[test]
    fn no_line_of_text_is_too_long() {
        for text in [survey().text(), reply().text()] {
            for line in text.expect("the letter renders").lines().filter(|line| !line.contains("://")) {
                assert!(line.chars().count() <= LINE_CHARACTERS_MAX, "{line}");
            }
        }
    }
}
