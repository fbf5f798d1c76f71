//! Asks the mail server about one recipient, without a letter: after a refusal, only its answer to RCPT tells an address
//! that is bad from a letter that is.
use super::transport::own_server;
use super::{Letter, session};
use crate::config::Config;
use lettre::Address;
use lettre::message::Mailbox;
use lettre::transport::smtp::commands::{Mail, Rcpt};
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
    let from = config.mail.from.parse::<Mailbox>().ok()?.email;
    let to: Address = address.parse().ok()?;
    let mut session = session::open(&config.mail, &own_server(&config.mail)?).await.ok()?;
    session.command(Mail::new(Some(from), Vec::new())).await.ok()?;
    let asked = session.command(Rcpt::new(to, Vec::new())).await;
    session.abort().await;
    asked.err().filter(lettre::transport::smtp::Error::is_permanent).map(|error| error.to_string())
}
