//! One attempt over HTTP: a new connection to an address that was checked, no redirects, no proxy, little time, little answer.
use super::address::{self, Network};
use crate::config::Config;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

/// Of an answer so much is kept, in bytes.
const ANSWER_MAX: usize = 1_000;
/// Headers of an answer at the most, in bytes.
const HEADERS_MAX: usize = 16_384;

/// Resolves as usual, and then lets only addresses through that may be connected to: what is checked is what is used.
#[derive(Debug)]
struct Guarded {
    inner: DefaultResolver,
    allowed: Vec<Network>,
}

#[derive(Debug, thiserror::Error)]
#[error("the name leads to an address that is not on the public internet")]
struct NotPublic;

impl Resolver for Guarded {
    fn resolve(
        &self,
        uri: &ureq::http::Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        let open: Vec<SocketAddr> = found.iter().copied().filter(|at| address::may_connect(at.ip(), &self.allowed)).collect();
        if open.is_empty() {
            return Err(ureq::Error::Other(Box::new(NotPublic)));
        }
        let mut addresses = self.empty();
        open.into_iter().for_each(|at| addresses.push(at));
        Ok(addresses)
    }
}

/// Sends to webhooks.
pub struct Sender {
    http: ureq::Agent,
}

/// What a receiver answered: status and the first of its text.
pub type Answered = (u16, Option<String>);

/// What one request consists of.
pub struct Request {
    /// Where to.
    pub url: String,
    /// Stable over all attempts.
    pub id: String,
    /// Seconds since 1970, of this attempt.
    pub timestamp: i64,
    /// See [`super::sign::header`].
    pub signature: String,
    /// JSON.
    pub body: Vec<u8>,
}

impl Sender {
    /// With the operator's settings; trusts the certificates that the machine trusts.
    pub fn new(config: &Config) -> Self {
        let roots = rustls_native_certs::load_native_certs().certs;
        let roots: Vec<Certificate<'static>> = roots.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&roots))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let settings = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .https_only(!config.webhooks.allow_http)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .tls_config(tls)
            .user_agent(concat!("Deskbell/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(Duration::from_secs(config.webhooks.timeout_seconds)))
            .max_response_header_size(HEADERS_MAX)
            // Each attempt asks for the address anew.
            .max_idle_connections(0)
            .build();
        let resolver = Guarded { inner: DefaultResolver::default(), allowed: config.webhooks.networks() };
        Self { http: ureq::Agent::with_parts(settings, DefaultConnector::default(), resolver) }
    }

    /// One attempt; blocks. The error says why there was no answer.
    pub fn send(&self, request: Request) -> Result<Answered, String> {
        let Request { url, id, timestamp, signature, body } = request;
        let sent = self
            .http
            .post(&url)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp.to_string())
            .header("webhook-signature", signature)
            .send(&body[..]);
        let response = sent.map_err(|error| error.to_string())?;
        let status = response.status().as_u16();
        let mut first = Vec::new();
        // The status counts, also where the rest of the answer does not come.
        let _ = response.into_body().into_reader().take(ANSWER_MAX as u64).read_to_end(&mut first);
        Ok((status, readable(&first)))
    }
}

/// The text of an answer without what a database or a screen cannot show.
fn readable(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let text: String = text.chars().filter(|c| !c.is_control() || *c == '\n' || *c == '\t').collect();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_made_readable() {
        assert_eq!(readable(b"ok\0\x1b[31m\n"), Some("ok[31m\n".to_owned()));
        assert_eq!(readable(b""), None);
        assert!(readable(&[0xff, b'a']).is_some_and(|text| text.ends_with('a')));
    }
}
