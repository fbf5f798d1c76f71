//! Letters that reached the SMTP server.
use super::smtp::Smtp;
use base64::{Engine, engine::general_purpose::STANDARD};
use mail_parser::{MessageParser, PartType};
use serde::Deserialize;

/// A letter, decoded.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The envelope's sender.
    pub mail_from: String,
    /// The envelope's recipients.
    pub rcpt_tos: Vec<String>,
    /// Who logged in, where somebody did.
    pub user: Option<String>,
    /// Whether the server said that it has it.
    pub answered: bool,
    /// Names in lower case and values, unfolded, in the order of the letter.
    pub headers: Vec<(String, String)>,
    /// The subject, decoded.
    pub subject: String,
    /// The plain text part, decoded; empty where there is none.
    pub text: String,
    /// The HTML part, decoded; empty where there is none.
    pub html: String,
    /// As it came.
    pub raw: String,
}

#[derive(Deserialize)]
struct Kept {
    mail_from: Option<String>,
    rcpt_tos: Vec<String>,
    data: String,
    user: Option<String>,
    answered: bool,
}

/// All letters from a domain, in the order in which they came.
pub fn from_domain(smtp: &Smtp, domain: &str) -> Vec<Mail> {
    let Ok(folder) = std::fs::read_dir(smtp.letters_from(domain)) else { return Vec::new() };
    let mut files: Vec<_> =
        folder.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|ext| ext == "json")).collect();
    files.sort();
    files.iter().map(|path| Mail::read(&std::fs::read(path).unwrap())).collect()
}

impl Mail {
    fn read(file: &[u8]) -> Self {
        let kept: Kept = serde_json::from_slice(file).unwrap();
        let bytes = STANDARD.decode(kept.data).unwrap();
        let message = MessageParser::default().parse(&bytes).expect("a letter that can be parsed");
        let value = |start: u32, end: u32| {
            let raw = bytes.get(start as usize..end as usize).unwrap_or_default();
            String::from_utf8_lossy(raw).replace("\r\n", "").trim().to_owned()
        };
        let part = |found: &dyn Fn(&PartType<'_>) -> Option<String>| message.parts.iter().find_map(|part| found(&part.body));
        Self {
            mail_from: kept.mail_from.unwrap_or_default(),
            rcpt_tos: kept.rcpt_tos,
            user: kept.user,
            answered: kept.answered,
            headers: message
                .headers()
                .iter()
                .map(|header| (header.name.as_str().to_ascii_lowercase(), value(header.offset_start, header.offset_end)))
                .collect(),
            subject: message.subject().unwrap_or_default().to_owned(),
            text: part(&|body| if let PartType::Text(text) = body { Some(text.replace("\r\n", "\n")) } else { None })
                .unwrap_or_default(),
            html: part(&|body| if let PartType::Html(text) = body { Some(text.replace("\r\n", "\n")) } else { None })
                .unwrap_or_default(),
            raw: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    /// The one header of that name.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let mut values =
            self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str());
        let value = values.next().unwrap_or_else(|| panic!("the letter has no {name}:\n{}", self.raw));
        assert!(values.next().is_none(), "the letter has {name} twice:\n{}", self.raw);
        value
    }

    /// Whether there is a header of that name.
    pub fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    /// The links of the text part, in order.
    pub fn links(&self) -> Vec<String> {
        self.text
            .split(|c: char| c.is_whitespace() || "<>\"()".contains(c))
            .filter(|word| word.starts_with("http://") || word.starts_with("https://"))
            .map(str::to_owned)
            .collect()
    }
}
