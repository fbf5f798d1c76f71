//! One connection to a mail server by hand, where its answer for each recipient counts: one of them may be refused, and the others
//! get the letter all the same.
use super::transport::{NotSent, trusted};
use super::{Smtp, SmtpTls};
use crate::config;
use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use std::time::Duration;

/// What a mail server said of each recipient.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// They have the letter.
    pub taken: Vec<String>,
    /// Refused for good, with what was said.
    pub refused: Vec<(String, String)>,
    /// Not now.
    pub later: Vec<(String, String)>,
}

fn later(error: impl std::fmt::Display) -> NotSent {
    NotSent::Later(error.to_string())
}

/// A connection on which somebody is logged in, if anybody has to be.
pub async fn open(settings: &config::Mail, server: &Smtp) -> Result<AsyncSmtpConnection, NotSent> {
    let (hello, timeout) = (ClientId::default(), Some(Duration::from_secs(settings.smtp_timeout_seconds)));
    let tls = match server.tls {
        SmtpTls::None => None,
        SmtpTls::Starttls | SmtpTls::Tls => Some(trusted(settings, &server.host).map_err(later)?),
    };
    let wrapper = tls.clone().filter(|_| server.tls == SmtpTls::Tls);
    let address = (server.host.as_str(), server.port);
    let mut session = AsyncSmtpConnection::connect_tokio1(address, timeout, &hello, wrapper, None).await.map_err(later)?;
    if let (SmtpTls::Starttls, Some(tls)) = (server.tls, tls) {
        session.starttls(tls, &hello).await.map_err(later)?;
    }
    if let Some((user, password)) = &server.login {
        let credentials = Credentials::new(user.clone(), password.clone());
        session.auth(DEFAULT_MECHANISMS, &credentials).await.map_err(|error| said(&error))?;
    }
    Ok(session)
}

/// An error before the letter's bytes: it was surely not taken.
fn said(error: &Error) -> NotSent {
    if error.is_permanent() { NotSent::Refused(error.to_string()) } else { later(error) }
}

fn parameters(session: &AsyncSmtpConnection, envelope: &Envelope, bytes: &[u8]) -> Result<Vec<MailParameter>, NotSent> {
    let mut parameters = Vec::new();
    let mut needs = |extension: Extension, parameter: MailParameter, name: &str| {
        parameters.push(parameter);
        match session.server_info().supports_feature(extension) {
            true => Ok(()),
            false => Err(NotSent::Later(format!("the mail server does not offer {name}, which this letter needs"))),
        }
    };
    let is_plain = |address: &lettre::Address| AsRef::<str>::as_ref(address).is_ascii();
    if !envelope.from().into_iter().chain(envelope.to()).all(is_plain) {
        needs(Extension::SmtpUtfEight, MailParameter::SmtpUtfEight, "SMTPUTF8")?;
    }
    if !bytes.is_ascii() {
        needs(Extension::EightBitMime, MailParameter::Body(MailBodyParameter::EightBitMime), "8BITMIME")?;
    }
    Ok(parameters)
}

async fn hand_over(session: &mut AsyncSmtpConnection, envelope: &Envelope, bytes: &[u8]) -> Result<Answers, NotSent> {
    let parameters = parameters(session, envelope, bytes)?;
    session.command(Mail::new(envelope.from().cloned(), parameters)).await.map_err(|error| said(&error))?;
    let mut answers = Answers::default();
    for to in envelope.to() {
        match session.command(Rcpt::new(to.clone(), Vec::new())).await {
            Ok(_) => answers.taken.push(to.to_string()),
            Err(error) if error.is_permanent() => answers.refused.push((to.to_string(), error.to_string())),
            Err(error) if error.is_transient() => answers.later.push((to.to_string(), error.to_string())),
            Err(error) => return Err(later(error)),
        }
    }
    if !answers.taken.is_empty() {
        session.command(Data).await.map_err(|error| said(&error))?;
        session.message(bytes).await.map_err(|error| super::transport::not_sent(&error))?;
    }
    Ok(answers)
}

/// Hands a letter over on a connection of its own: those whom the server takes get it, in one transaction of SMTP. An error means that
/// nobody has it, or that nobody knows.
pub async fn send(settings: &config::Mail, server: &Smtp, envelope: &Envelope, bytes: &[u8]) -> Result<Answers, NotSent> {
    let mut session = open(settings, server).await?;
    let answers = hand_over(&mut session, envelope, bytes).await;
    session.abort().await;
    answers
}
