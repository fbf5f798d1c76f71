//! Asks the mail server about one recipient, without a letter: after a refusal, only its answer to RCPT tells an address
//! that is bad from a letter that is.
use super::Letter;
use super::transport::tls_parameters;
use crate::config::Config;
use lettre::Address;
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use std::time::Duration;

/// What the server says where it refuses the address for good; `None` where it takes it, is unsure, or cannot be asked. Only the
/// desk's own server is asked.
pub async fn refusal(config: &Config, letter: &Letter) -> Option<String> {
    if letter.sender.as_ref().is_some_and(|sender| sender.smtp.is_some()) {
        return None;
    }
    let address = letter.to.as_str();
    let patience = Duration::from_secs(config.mail.smtp_timeout_seconds);
    tokio::time::timeout(patience, ask(config, address)).await.ok().flatten()
}

async fn ask(config: &Config, address: &str) -> Option<String> {
    let mail = &config.mail;
    let from = mail.from.parse::<Mailbox>().ok()?.email;
    let to: Address = address.parse().ok()?;
    let (wrapper, usual_port) = match mail.smtp_tls.as_str() {
        "none" => (None, 25),
        "tls" => (Some(tls_parameters(config).ok()?), 465),
        _ => (None, 587),
    };
    let port = if mail.smtp_port == 0 { usual_port } else { mail.smtp_port };
    let (hello, timeout) = (ClientId::default(), Some(Duration::from_secs(mail.smtp_timeout_seconds)));
    let server = (mail.smtp_host.as_str(), port);
    let mut session = AsyncSmtpConnection::connect_tokio1(server, timeout, &hello, wrapper, None).await.ok()?;
    if mail.smtp_tls == "starttls" {
        session.starttls(tls_parameters(config).ok()?, &hello).await.ok()?;
    }
    if !mail.smtp_user.is_empty() {
        let credentials = Credentials::new(mail.smtp_user.clone(), mail.smtp_password.clone());
        session.auth(DEFAULT_MECHANISMS, &credentials).await.ok()?;
    }
    session.command(Mail::new(Some(from), Vec::new())).await.ok()?;
    let asked = session.command(Rcpt::new(to, Vec::new())).await;
    session.abort().await;
    asked.err().filter(lettre::transport::smtp::Error::is_permanent).map(|error| error.to_string())
}
