//! Sending a letter: over SMTP, or as an `.eml` file in a folder.
use super::dkim::Signer;
use super::session::{self, Answers};
use super::{Enclosed, Letter, Smtp, SmtpTls};
use crate::attachments::model::served_type;
use crate::config::{self, Config};
use crate::error::{Error, Result};
use crate::jobs::Failure;
use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Body, Mailbox, Message, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A hand-over ends so long before its job's lease does.
const LEASE_MARGIN_SECONDS: u32 = 5;
/// The longest line that SMTP carries, without its end.
const LINE_MAX_BYTES: usize = 998;

/// Where letters go.
pub struct Mailer {
    from: Mailbox,
    /// Past this the job's lease is near its end: the letter may or may not have been taken.
    patience: Duration,
    signer: Option<Signer>,
    route: Route,
    /// Of mailboxes that have a server of their own.
    others: Mutex<HashMap<Smtp, Connections>>,
    settings: config::Mail,
}

type Connections = Arc<AsyncSmtpTransport<Tokio1Executor>>;

/// Servers whose connections are kept.
const OTHERS_MAX: usize = 50;

enum Route {
    Smtp(Connections),
    Folder(PathBuf),
}

/// Why a letter was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSent {
    /// It was surely not taken, and may be later.
    Later(String),
    /// It was refused for good.
    Refused(String),
    /// The connection broke when it may have been taken.
    Unknown(String),
}

impl NotSent {
    /// What happened, for people.
    pub fn text(&self) -> &str {
        match self {
            Self::Later(text) | Self::Refused(text) | Self::Unknown(text) => text,
        }
    }
}

/// For letters that are better sent twice than never: one that may have been taken is sent again.
impl From<NotSent> for Failure {
    fn from(error: NotSent) -> Self {
        match error {
            NotSent::Refused(text) => Self::Never(text),
            NotSent::Later(text) | NotSent::Unknown(text) => Self::Later(text),
        }
    }
}

/// The domain of our own Message-IDs: that of the sender's address.
pub fn domain(config: &Config) -> String {
    config.mail.from.parse::<Mailbox>().map_or_else(|_| "localhost".to_owned(), |from| from.email.domain().to_owned())
}

fn domain_of(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(_, domain)| domain)
}

fn refused_setting(error: impl std::fmt::Display) -> Error {
    Error::internal(format!("mail settings: {error}"))
}

/// The server that the settings name; none where letters are files.
pub(super) fn own_server(mail: &config::Mail) -> Option<Smtp> {
    let (tls, usual_port) = match mail.smtp_tls.as_str() {
        "none" => (SmtpTls::None, 25),
        "tls" => (SmtpTls::Tls, 465),
        _ => (SmtpTls::Starttls, 587),
    };
    let port = if mail.smtp_port == 0 { usual_port } else { mail.smtp_port };
    let login = (!mail.smtp_user.is_empty()).then(|| (mail.smtp_user.clone(), mail.smtp_password.clone()));
    (!mail.smtp_host.is_empty()).then(|| Smtp { host: mail.smtp_host.clone(), port, tls, login })
}

pub(super) fn trusted(mail: &config::Mail, host: &str) -> Result<TlsParameters> {
    let mut parameters = TlsParameters::builder(host.to_owned());
    let file = &mail.smtp_ca_file;
    if !file.as_os_str().is_empty() {
        let unreadable = |error: &dyn std::fmt::Display| refused_setting(format!("smtp_ca_file {}: {error}", file.display()));
        let pem = std::fs::read(file).map_err(|error| unreadable(&error))?;
        parameters = parameters.add_root_certificate(Certificate::from_pem(&pem).map_err(|error| unreadable(&error))?);
    }
    parameters.build().map_err(refused_setting)
}

pub(super) fn not_sent(error: &lettre::transport::smtp::Error) -> NotSent {
    let text = error.to_string();
    // An answer of the server, or none at all before a session began, says that it did not take the letter.
    let never_began = text.starts_with("Connection error") || error.is_client() || error.is_tls();
    if error.is_permanent() {
        NotSent::Refused(text)
    } else if error.is_transient() || never_began {
        NotSent::Later(text)
    } else {
        NotSent::Unknown(text)
    }
}

/// Nothing is connected yet.
fn connections(settings: &config::Mail, server: &Smtp) -> Result<Connections> {
    let tls = match server.tls {
        SmtpTls::None => Tls::None,
        SmtpTls::Tls => Tls::Wrapper(trusted(settings, &server.host)?),
        SmtpTls::Starttls => Tls::Required(trusted(settings, &server.host)?),
    };
    let mut smtp = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
        .port(server.port)
        .tls(tls)
        .timeout(Some(Duration::from_secs(settings.smtp_timeout_seconds)));
    if let Some((user, password)) = &server.login {
        smtp = smtp.credentials(Credentials::new(user.clone(), password.clone()));
    }
    Ok(Arc::new(smtp.build()))
}

impl Mailer {
    /// By the settings; nothing is connected yet.
    pub fn new(config: &Config) -> Result<Self> {
        let from = config.mail.from.parse().map_err(refused_setting)?;
        let patience = Duration::from_secs(u64::from(config.jobs.lease_seconds.saturating_sub(LEASE_MARGIN_SECONDS)));
        let signer = Signer::of(config)?;
        let mail = &config.mail;
        let route = match own_server(mail) {
            None => Route::Folder(config.outbox_folder()),
            Some(server) => Route::Smtp(connections(mail, &server)?),
        };
        Ok(Self { from, patience, signer, route, others: Mutex::default(), settings: mail.clone() })
    }

    /// Sends one letter and waits until it is taken.
    pub async fn send(&self, letter: &Letter) -> Result<(), NotSent> {
        let message = self.compose(letter).map_err(NotSent::Refused)?;
        let own = letter.sender.as_ref().and_then(|sender| sender.smtp.as_ref());
        let smtp = match (own, &self.route) {
            (Some(server), _) => self.other(server).map_err(|error| NotSent::Later(error.to_string()))?,
            (None, Route::Smtp(smtp)) => smtp.clone(),
            (None, Route::Folder(folder)) => {
                return write_file(folder.clone(), letter.message_id.clone(), message.formatted()).await;
            }
        };
        match tokio::time::timeout(self.patience, smtp.send(message)).await {
            Ok(taken) => taken.map(|_| ()).map_err(|error| not_sent(&error)),
            Err(_) => Err(NotSent::Unknown("the mail server took too long".to_owned())),
        }
    }

    /// Sends one letter to all its recipients but those that are `settled`, and says what became of each. A refusal of one keeps it from
    /// no other.
    pub async fn send_each(&self, letter: &Letter, settled: &[String]) -> Result<Answers, NotSent> {
        let own = letter.sender.as_ref().and_then(|sender| sender.smtp.clone()).or_else(|| own_server(&self.settings));
        let Some(server) = own else { return self.send(letter).await.map(|()| Answers::default()) };
        let message = self.compose(letter).map_err(NotSent::Refused)?;
        let to = message.envelope().to().iter().filter(|to| !settled.contains(&to.to_string())).cloned().collect();
        let envelope = Envelope::new(message.envelope().from().cloned(), to);
        // Everybody has it, or nobody can.
        let Ok(envelope) = envelope else { return Ok(Answers::default()) };
        let bytes = message.formatted();
        let sent = session::send(&self.settings, &server, &envelope, &bytes);
        match tokio::time::timeout(self.patience, sent).await {
            Ok(answers) => answers,
            Err(_) => Err(NotSent::Unknown("the mail server took too long".to_owned())),
        }
    }

    /// Connections to the server of a mailbox; they are kept for the next letter.
    fn other(&self, server: &Smtp) -> Result<Connections> {
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = others.get(server) {
            return Ok(known.clone());
        }
        // Settings that nobody uses any more go with the rest.
        if others.len() >= OTHERS_MAX {
            others.clear();
        }
        let made = connections(&self.settings, server)?;
        others.insert(server.clone(), made.clone());
        Ok(made)
    }

    fn compose(&self, letter: &Letter) -> Result<Message, String> {
        let to: Address = letter.to.parse().map_err(|error| format!("the recipient's address: {error}"))?;
        let mut message = Message::builder()
            .to(Mailbox::new(None, to.clone()))
            .subject(&letter.subject)
            .message_id(Some(letter.message_id.clone()));
        let copied = |text: &String| text.parse::<Address>().map_err(|error| format!("an address in copy: {error}"));
        let cc = letter.cc.iter().map(copied).collect::<Result<Vec<Address>, String>>()?;
        for address in &cc {
            message = message.cc(Mailbox::new(None, address.clone()));
        }
        message = match &letter.sender {
            None => message.from(self.from.clone()),
            Some(sender) => {
                let address = |text: &str| text.parse::<Address>().map_err(|error| format!("the sender's address: {error}"));
                let name = sender.name.clone().or_else(|| self.from.name.clone());
                let to = std::iter::once(to).chain(cc.iter().cloned()).collect();
                let envelope = Envelope::new(Some(address(&sender.reports_to)?), to).map_err(|error| error.to_string())?;
                message
                    .from(Mailbox::new(name.clone(), address(&sender.address)?))
                    .reply_to(Mailbox::new(name, address(&sender.reply_to)?))
                    .raw_header(raw("X-Deskbell-Desk", &sender.desk))
                    .envelope(envelope)
            }
        };
        if let Some(id) = &letter.in_reply_to {
            message = message.in_reply_to(id.clone());
        }
        if let Some(ids) = &letter.references {
            message = message.references(ids.clone());
        }
        if letter.is_automatic {
            let how = if letter.is_auto_reply { "auto-replied" } else { "auto-generated" };
            message = message.raw_header(raw("Auto-Submitted", how)).raw_header(raw("X-Auto-Response-Suppress", "All"));
        }
        if let Some(url) = &letter.unsubscribe {
            message = message
                .raw_header(raw("List-Unsubscribe", &format!("<{url}>")))
                .raw_header(raw("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"));
        }
        let part = |kind: ContentType, text: &str| SinglePart::builder().header(kind).body(body(text));
        let parts = MultiPart::alternative()
            .singlepart(part(ContentType::TEXT_PLAIN, &letter.text))
            .singlepart(part(ContentType::TEXT_HTML, &letter.html));
        let parts = match letter.files.is_empty() {
            true => parts,
            false => letter.files.iter().fold(MultiPart::mixed().multipart(parts), |all, file| all.singlepart(enclosed(file))),
        };
        let mut message = message.multipart(parts).map_err(|error| error.to_string())?;
        // Last: what is changed afterwards breaks the signature.
        if let Some(signer) = &self.signer {
            let dkim = letter.sender.as_ref().and_then(|sender| sender.dkim.as_ref());
            let from = letter.sender.as_ref().map_or(self.from.email.domain(), |sender| domain_of(&sender.address));
            signer.sign(&mut message, from, dkim)?;
        }
        Ok(message)
    }
}

/// A file as a part of a letter, in base64.
fn enclosed(file: &Enclosed) -> SinglePart {
    let octets = || ContentType::parse("application/octet-stream").unwrap_or(ContentType::TEXT_PLAIN);
    let kind = ContentType::parse(served_type(&file.media_type)).unwrap_or_else(|_| octets());
    // Whatever a text has at the ends of its lines arrives as it was.
    let body = Body::new_with_encoding(file.bytes.clone(), ContentTransferEncoding::Base64).unwrap_or_else(Body::new);
    Attachment::new(file.name.clone()).body(body, kind)
}

/// Plain ASCII goes out as it is, so that a letter can be read and its links be copied from the file; anything else, a line
/// longer than SMTP allows (RFC 5321, 4.5.3.1.6) or a stray CR is encoded.
fn body(text: &str) -> Body {
    let lines = text.replace("\r\n", "\n");
    if lines.is_ascii() && !lines.contains('\r') && lines.lines().all(|line| line.len() <= LINE_MAX_BYTES) {
        return Body::dangerous_pre_encoded(lines.replace('\n', "\r\n").into_bytes(), ContentTransferEncoding::SevenBit);
    }
    Body::new(lines)
}

fn raw(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// Writes beside the final name first, so that nobody ever sees half a letter.
async fn write_file(folder: PathBuf, message_id: String, bytes: Vec<u8>) -> Result<(), NotSent> {
    let name: String = message_id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    let write = move || -> std::io::Result<()> {
        use std::io::Write;
        std::fs::create_dir_all(&folder)?;
        let part = folder.join(format!(".{name}.part"));
        let mut file = std::fs::File::create(&part)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        std::fs::rename(part, folder.join(format!("{name}.eml")))
    };
    match tokio::task::spawn_blocking(write).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(NotSent::Later(error.to_string())),
        Err(error) => Err(NotSent::Later(error.to_string())),
    }
}
