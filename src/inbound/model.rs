//! What is known of a mail that came in. Pure.
use chrono::{DateTime, Utc};

/// What the one who took the mail knows about it beside its bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The envelope sender (MAIL FROM); empty is the null sender, none is not known.
    pub sender: Option<&'a str>,
    /// What this desk writes into `X-Deskbell-Desk` of its own letters; none is not asked.
    pub desk: Option<&'a str>,
}

/// A mail, read. It is whole whatever the bytes were: what was wrong with them is in `defects`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parsed {
    /// Its Message-ID, without angle brackets.
    pub message_id: Option<String>,
    /// Message-IDs that it answers, without angle brackets.
    pub in_reply_to: Vec<String>,
    /// Message-IDs of its thread, the oldest first, without angle brackets.
    pub references: Vec<String>,
    /// Who wrote it: usually one.
    pub from: Vec<Person>,
    /// Who sent it for them.
    pub sender: Option<Person>,
    /// Where an answer shall go.
    pub reply_to: Vec<Person>,
    /// To whom it went.
    pub to: Vec<Person>,
    /// Who had a copy.
    pub cc: Vec<Person>,
    /// What it is about, decoded, on one line.
    pub subject: String,
    /// When its sender says it was written; never believed.
    pub date: Option<DateTime<Utc>>,
    /// All of its text; made from the HTML where there is no text part.
    pub text: String,
    /// Its HTML as far as it may be shown: nothing runs, and nothing is loaded from elsewhere.
    pub html: Option<String>,
    /// Whether the HTML has images that are loaded only when asked for ([`super::html::with_remote_images`]).
    pub has_remote_images: bool,
    /// The part of the text that is new.
    pub said: String,
    /// The other part of the text: what was quoted, and the signature.
    pub quoted: String,
    /// All else that came with it.
    pub files: Vec<File>,
    /// Whether a machine wrote it, and how that is known.
    pub machine: Option<Machine>,
    /// What it reports about a letter that could not be delivered (RFC 3464).
    pub bounce: Option<Bounce>,
    /// Whether a filter on its way called it spam.
    pub is_spam: bool,
    /// Addresses that it was delivered to on its way (`Delivered-To`), in lower case.
    pub delivered_to: Vec<String>,
    /// Whether this very desk wrote it.
    pub is_our_own: bool,
    /// What was wrong with its bytes, each once.
    pub defects: Vec<Defect>,
}

/// A name and an address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// The name as shown, decoded; empty where there is none.
    pub name: String,
    /// The address, its domain in lower case.
    pub address: String,
}

/// A file that came with a mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct File {
    /// Its name, without folders; made up where it had none.
    pub name: String,
    /// Its media type as told, in lower case, without parameters.
    pub media_type: String,
    /// By which the HTML shows it (`cid:`), without angle brackets.
    pub content_id: Option<String>,
    /// Whether it belongs into the text, as an image of the HTML does.
    pub is_inline: bool,
    /// What is in it, decoded.
    pub bytes: Vec<u8>,
}

/// A mail that no person wrote at its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// What it is.
    pub kind: MachineKind,
    /// Header fields that say so, as `name: value`.
    pub why: Vec<String>,
}

names! {
    /// What kind of machine wrote a mail.
    pub enum MachineKind {
        /// A report about delivery or reading.
        Report = "report",
        /// Somebody is out of office, or another answering machine.
        AutoReply = "auto_reply",
        /// A mailing list, or mail to many.
        Bulk = "bulk",
        /// Any other.
        Generated = "generated",
    }
}

/// A delivery report (RFC 3464).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bounce {
    /// What became of the letter, by recipient; at least one.
    pub recipients: Vec<Recipient>,
    /// Message-ID of the letter that it is about, without angle brackets.
    pub message_id: Option<String>,
    /// Envelope id of that letter.
    pub envelope_id: Option<String>,
    /// The server that reports.
    pub reporter: Option<String>,
}

/// What became of a letter to one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The last address that was tried.
    pub final_recipient: String,
    /// The address that the letter was sent to, where the report says so.
    pub original_recipient: Option<String>,
    /// What the server did.
    pub action: Action,
    /// Class, subject and detail of the status (RFC 3463).
    pub status: (u16, u16, u16),
    /// What the last server said.
    pub diagnostic: Option<String>,
}

names! {
    /// What a mail server did with a letter.
    pub enum Action {
        /// Gave up.
        Failed = "failed",
        /// Is still trying.
        Delayed = "delayed",
        /// Brought it there.
        Delivered = "delivered",
        /// Handed it to a server that sends no reports.
        Relayed = "relayed",
        /// Handed it on to several.
        Expanded = "expanded",
    }
}

names! {
    /// What follows from a report about one recipient.
    pub enum Consequence {
        /// The address is no good: no further letter goes there.
        SuppressAddress = "suppress_address",
        /// This letter failed.
        FailLetter = "fail_letter",
        /// This letter failed for a passing reason: it is counted.
        Count = "count",
        /// Nothing failed.
        Nothing = "nothing",
    }
}

/// Details of status 5.1 that are about the sender's address and not the recipient's (RFC 3463, 3.2).
const ABOUT_THE_SENDER: [u16; 2] = [7, 8];

impl Recipient {
    /// What follows from it. Pure: a delayed letter has not failed.
    pub fn consequence(&self) -> Consequence {
        match (self.action, self.status) {
            (Action::Failed, (5, 1, detail)) if !ABOUT_THE_SENDER.contains(&detail) => Consequence::SuppressAddress,
            (Action::Failed, (4, ..)) => Consequence::Count,
            (Action::Failed, _) => Consequence::FailLetter,
            (Action::Delayed | Action::Delivered | Action::Relayed | Action::Expanded, _) => Consequence::Nothing,
        }
    }

    /// The status as it is written, such as `5.1.1`.
    pub fn status_text(&self) -> String {
        let (class, subject, detail) = self.status;
        format!("{class}.{subject}.{detail}")
    }
}

names! {
    /// What can be wrong with the bytes of a mail.
    pub enum Defect {
        /// There are no bytes.
        Empty = "empty",
        /// It begins without header fields.
        NoHeader = "no_header",
        /// It has no usable Message-ID.
        NoMessageId = "no_message_id",
        /// It has no usable From.
        NoFrom = "no_from",
        /// Several people or several fields in From.
        SeveralFrom = "several_from",
        /// Something in an address field is no address.
        BadAddress = "bad_address",
        /// More addresses than are kept.
        TooManyAddresses = "too_many_addresses",
        /// It has no date.
        NoDate = "no_date",
        /// Its date is none.
        BadDate = "bad_date",
        /// A header field that may be there once is there several times.
        RepeatedHeader = "repeated_header",
        /// A line among the header fields is none.
        BrokenHeader = "broken_header",
        /// A header field has bytes beyond ASCII.
        EightBitHeader = "eight_bit_header",
        /// More header fields than are read.
        TooManyHeaders = "too_many_headers",
        /// A header field or all of them are longer than is read.
        TooLongHeader = "too_long_header",
        /// Lines end without CR.
        BareLf = "bare_lf",
        /// Lines end without LF.
        BareCr = "bare_cr",
        /// There are NUL bytes; they are left out of texts.
        NulBytes = "nul_bytes",
        /// A character set is unknown, or the bytes are not in it.
        BadCharset = "bad_charset",
        /// A transfer encoding is unknown, or the bytes are not in it.
        BadEncoding = "bad_encoding",
        /// A multipart has no boundary, or none of its parts was found: it is read as text.
        BrokenMultipart = "broken_multipart",
        /// A multipart ends without its last boundary.
        UnendedMultipart = "unended_multipart",
        /// More parts than are taken apart; the rest is one file.
        TooManyParts = "too_many_parts",
        /// Parts inside parts deeper than is taken apart; what is inside is one file.
        TooDeep = "too_deep",
        /// The text is longer than is kept; the whole is a file.
        LongText = "long_text",
        /// The HTML is longer than is shown; the whole is a file.
        LongHtml = "long_html",
        /// The HTML has tags inside tags deeper than is shown.
        DeepHtml = "deep_html",
        /// It says it is a delivery report and is none by RFC 3464.
        BrokenReport = "broken_report",
    }
}

/// Defects found so far, each once, in order of the list.
#[derive(Debug, Default)]
pub struct Defects(std::collections::BTreeSet<Defect>);

impl Defects {
    /// Notes one.
    pub fn note(&mut self, defect: Defect) {
        self.0.insert(defect);
    }

    /// All of them.
    pub fn into_vec(self) -> Vec<Defect> {
        self.0.into_iter().collect()
    }
}

impl Parsed {
    /// Who wrote it as far as one person can be named: the author, or of several the sender, or the first.
    pub fn author(&self) -> Option<&Person> {
        let sender = self.sender.as_ref().filter(|sender| self.from.iter().any(|from| from.address == sender.address));
        match self.from.as_slice() {
            [] => None,
            [one] => Some(one),
            [first, ..] => sender.or(Some(first)),
        }
    }

    /// Message-IDs that may name a message of ours, the nearest first, each once.
    pub fn answered(&self) -> Vec<&str> {
        let mut ids: Vec<&str> = Vec::new();
        for id in self.in_reply_to.iter().chain(self.references.iter().rev()) {
            if !ids.contains(&id.as_str()) {
                ids.push(id);
            }
        }
        ids
    }
}
