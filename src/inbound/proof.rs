//! Where a mail comes from: by the word of a trusted server, or by a DKIM signature or SPF, which the desk checks itself (DNS).
use super::mailboxes::{self, MailboxKind};
use super::model::Parsed;
use super::origin::{author_domain, is_aligned, told};
use super::received;
use super::route::Origin;
use crate::accounts::agents;
use crate::accounts::contacts::model::normal_email;
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::MailboxId;
use mail_auth::hickory_resolver::config::{ConnectionConfig, NameServerConfig, ProtocolConfig, ResolverConfig, ResolverOpts};
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{AuthenticatedMessage, DkimResult, MessageAuthenticator, SpfResult};
use std::net::SocketAddr;
use std::time::Duration;

/// The check ends so long after it began: DNS may be slow, and then nothing is proven.
const PATIENCE: Duration = Duration::from_secs(10);
/// Signatures of one mail beyond which none is checked.
const SIGNATURES_MAX: usize = 20;

/// What is known of a mail's origin. DNS is asked only where an agent is said to have written it.
pub(super) async fn origin(
    app: &App,
    (mailbox, sender): (MailboxId, Option<&str>),
    raw: &[u8],
    parsed: &Parsed,
) -> Result<Origin> {
    let settings = &app.config.inbound;
    let author = author_domain(parsed);
    let origin = told(raw, &settings.authserv_ids, author);
    let (Some(domain), Origin::Unproven) = (author, origin) else { return Ok(origin) };
    let Some(address) = parsed.author().and_then(|author| normal_email(&author.address)) else { return Ok(origin) };
    let look = move |conn: &mut crate::db::Conn| {
        let agent = agents::find_by_email(conn, &address)?.filter(|agent| agent.disabled_at.is_none());
        match agent {
            None => Ok(None),
            Some(_) => Ok(Some(mailboxes::find(conn, mailbox)?.0.kind.0)),
        }
    };
    let Some(kind) = app.db.read(look).await? else { return Ok(origin) };
    if settings.lmtp_is_trusted && kind == MailboxKind::Lmtp {
        return Ok(Origin::TrustedRelay);
    }
    let by = (settings.received_by.as_slice(), sender);
    let is_proven = async {
        let is_signed = settings.check_dkim && is_signed(&settings.dns_server, raw, domain).await?;
        Ok::<_, Error>(is_signed || is_by_its_sender(&settings.dns_server, raw, by, domain).await?)
    };
    let is_proven = tokio::time::timeout(PATIENCE, is_proven).await;
    Ok(if is_proven.unwrap_or(Ok(false))? { Origin::Aligned } else { origin })
}

/// Whether the envelope's sender is of the author's domain, and may send from where the mail came to a server that the desk
/// believes (SPF, RFC 7208).
async fn is_by_its_sender(dns_server: &str, raw: &[u8], (by, sender): (&[String], Option<&str>), domain: &str) -> Result<bool> {
    let Some(client) = received::client(raw, by) else { return Ok(false) };
    // A mail server that hands the mail over says who sent it; one that is fetched from wrote it down.
    let Some(sender) = sender.or(client.return_path.as_deref()) else { return Ok(false) };
    if !sender.rsplit_once('@').is_some_and(|(_, own)| is_aligned(own, domain)) {
        return Ok(false);
    }
    let host = by.first().map_or("localhost", String::as_str);
    let asked = SpfParameters::verify_mail_from(client.ip, &client.helo, host, sender);
    Ok(authenticator(dns_server)?.verify_spf(asked).await.result() == SpfResult::Pass)
}

/// Whether a good signature of the author's domain is over all of a mail.
async fn is_signed(dns_server: &str, raw: &[u8], domain: &str) -> Result<bool> {
    let Some(message) = AuthenticatedMessage::parse(raw) else { return Ok(false) };
    if message.dkim_headers.len() > SIGNATURES_MAX {
        return Ok(false);
    }
    let found = authenticator(dns_server)?.verify_dkim(&message).await;
    Ok(found.iter().any(|output| {
        // A signature over the beginning of the text (l=) proves nothing about the rest.
        let is_whole = |signature: &mail_auth::dkim::Signature| signature.l == 0 && is_aligned(&signature.d, domain);
        *output.result() == DkimResult::Pass && output.signature().is_some_and(is_whole)
    }))
}

fn authenticator(dns_server: &str) -> Result<MessageAuthenticator> {
    let failed = |error: &dyn std::fmt::Display| Error::Unavailable(format!("DNS: {error}"));
    if dns_server.is_empty() {
        return MessageAuthenticator::new_system_conf().map_err(|error| failed(&error));
    }
    let address: SocketAddr = dns_server.parse().map_err(|error| failed(&error))?;
    let by = |protocol| {
        let mut connection = ConnectionConfig::new(protocol);
        connection.port = address.port();
        connection
    };
    let connections = vec![by(ProtocolConfig::Udp), by(ProtocolConfig::Tcp)];
    let server = NameServerConfig::new(address.ip(), true, connections);
    let config = ResolverConfig::from_name_servers(vec![server]);
    MessageAuthenticator::new(config, ResolverOpts::default()).map_err(|error| failed(&error))
}
