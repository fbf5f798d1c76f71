//! The digest as a letter: text and HTML, bars without images. Pure.
use super::model::Words;
use askama::Template;

/// The letter to one manager.
#[derive(Debug, Clone)]
pub struct DigestMail<'a> {
    /// Whose desk.
    pub company: String,
    /// Whom to greet.
    pub agent_name: String,
    /// What it says.
    pub words: &'a Words,
}

impl DigestMail<'_> {
    /// The text part: nothing is escaped.
    pub fn text(&self) -> askama::Result<String> {
        DigestText { mail: self }.render()
    }

    /// The HTML part: everything is escaped.
    pub fn html(&self) -> askama::Result<String> {
        DigestHtml { mail: self }.render()
    }
}

#[derive(Template)]
#[template(path = "digest/templates/digest.txt")]
struct DigestText<'a> {
    mail: &'a DigestMail<'a>,
}

#[derive(Template)]
#[template(path = "digest/templates/digest.html")]
struct DigestHtml<'a> {
    mail: &'a DigestMail<'a>,
}
