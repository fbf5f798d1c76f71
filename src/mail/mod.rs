//! Mail going out: letters are rows written with the verb that wants them, and are sent by jobs.
pub mod api;
pub mod dkim;
pub mod jobs;
pub mod markdown;
pub mod notices;
pub mod outbox;
pub mod probe;
pub mod refusal;
mod session;
pub mod templates;
mod threads;
pub mod transport;

names! {
    /// What a letter is.
    pub enum MailKind {
        /// An agent's public reply.
        Reply = "reply",
        /// An invitation to a survey.
        Survey = "survey",
        /// Tells who wrote that their mail came.
        Acknowledgement = "acknowledgement",
        /// Tells an admin of something.
        Notice = "notice",
    }
}

names! {
    /// Where a letter stands.
    pub enum MailState {
        /// Waits to be sent, or to be tried again.
        Queued = "queued",
        /// Taken by the mail server, or in the folder.
        Sent = "sent",
        /// Given up until a person releases it.
        Parked = "parked",
        /// No longer wanted.
        Cancelled = "cancelled",
        /// The connection broke after the letter was handed over; it is not sent again.
        Unknown = "unknown",
    }
}

/// A letter ready to go.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its own Message-ID, in angle brackets.
    pub message_id: String,
    /// The recipient's address.
    pub to: String,
    /// The subject, on one line.
    pub subject: String,
    /// The plain part.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// Message-ID that it answers.
    pub in_reply_to: Option<String>,
    /// Message-IDs of the thread.
    pub references: Option<String>,
    /// Address of the one-click unsubscription (RFC 8058), for surveys.
    pub unsubscribe: Option<String>,
    /// Whether a machine wrote it (RFC 3834).
    pub is_automatic: bool,
    /// Whether that machine answers a mail.
    pub is_auto_reply: bool,
    /// Who has a copy.
    pub cc: Vec<String>,
    /// Files that go with it.
    pub files: Vec<Enclosed>,
    /// Who sends it, where that is not the desk's own address.
    pub sender: Option<Sender>,
}

impl Letter {
    /// What the desk itself writes to one of its own people.
    pub fn of_desk(message_id: String, to: String, subject: String, (text, html): (String, String)) -> Self {
        Self {
            message_id,
            to,
            subject,
            text,
            html,
            in_reply_to: None,
            references: None,
            unsubscribe: None,
            is_automatic: true,
            is_auto_reply: false,
            cc: Vec::new(),
            files: Vec::new(),
            sender: None,
        }
    }
}

/// A mailbox that a letter is sent from, and where what follows from it goes.
#[derive(Clone, PartialEq, Eq)]
pub struct Sender {
    /// The mailbox's address.
    pub address: String,
    /// The name beside it; the desk's own where there is none.
    pub name: Option<String>,
    /// Where an answer goes.
    pub reply_to: String,
    /// The envelope's sender, where a report goes.
    pub reports_to: String,
    /// What this desk knows its own letters by.
    pub desk: String,
    /// The server that takes its letters, where that is not the desk's own.
    pub smtp: Option<Smtp>,
    /// Who signs them, where that is not the desk's own domain.
    pub dkim: Option<Dkim>,
}

names! {
    /// How a connection to an SMTP server is protected.
    pub enum SmtpTls {
        /// Not at all.
        None = "none",
        /// By STARTTLS; refused where the server has none.
        Starttls = "starttls",
        /// From the first byte.
        Tls = "tls",
    }
}

/// An SMTP server.
#[derive(Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Smtp {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: SmtpTls,
    /// Who logs in, and with which password; none where nobody does.
    pub login: Option<(String, String)>,
}

/// In whose name letters are signed: with the desk's key.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Dkim {
    /// The domain.
    pub domain: String,
    /// The key's name in the DNS of that domain.
    pub selector: String,
}

/// A file that goes with a letter.
#[derive(Clone, PartialEq, Eq)]
pub struct Enclosed {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A text on one line, for headers and text parts.
pub fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control()).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
