//! DKIM (RFC 6376, RFC 8463): the key from the settings, the signature under a letter, and the key's record in the DNS.
use super::Dkim;
use super::transport::domain;
use crate::config::{Config, DkimKey};
use crate::error::{Error, Result};
use crate::inbound::origin::is_aligned;
use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::SigningKey;
use lettre::message::Message;
use lettre::message::dkim::{DkimCanonicalization, DkimCanonicalizationType, DkimConfig, DkimSigningAlgorithm, DkimSigningKey};
use lettre::message::header::HeaderName;
use rsa::RsaPrivateKey;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey, LineEnding};
use rsa::pkcs8::{DecodePrivateKey, EncodePublicKey};
use rsa::traits::PublicKeyParts;
use std::path::Path;

/// What is signed. Content-Type is not: its boundary may be folded on the way, and the body's hash covers the parts. A
/// name that a letter lacks is signed as lacking, so that nobody can add such a header later.
const HEADERS: [&str; 13] = [
    "From",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Reply-To",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
];
/// Shorter RSA keys are refused: receivers ask for 2,048 bits (RFC 8301).
const RSA_BITS_MIN: usize = 2_048;
/// The longest text in one string of a TXT record (RFC 1035, 3.3.14).
const TXT_MAX: usize = 255;

/// Signs letters: with the desk's key, and with those of other domains.
pub struct Signer {
    /// The desk's own comes first, where there is one.
    keys: Vec<Key>,
    has_own: bool,
}

struct Key {
    config: DkimConfig,
    domain: String,
    selector: String,
    /// The key, for mailboxes that sign with it in another domain's name.
    pem: String,
    /// The record without quotes.
    record: String,
}

/// Whether a text can be a selector or a domain: labels of letters, digits and hyphens.
pub fn is_dns_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

/// The key as lettre takes it, and the record that lets others check its signatures.
fn read_key(pem: &str) -> Result<(DkimSigningKey, String), String> {
    let refused = |error: &dyn std::fmt::Display| error.to_string();
    if let Ok(key) = SigningKey::from_pkcs8_pem(pem) {
        let record = format!("v=DKIM1; k=ed25519; p={}", STANDARD.encode(key.verifying_key().as_bytes()));
        let secret = STANDARD.encode(key.to_bytes());
        return Ok((DkimSigningKey::new(&secret, DkimSigningAlgorithm::Ed25519).map_err(|error| refused(&error))?, record));
    }
    let key = RsaPrivateKey::from_pkcs8_pem(pem)
        .or_else(|_| RsaPrivateKey::from_pkcs1_pem(pem))
        .map_err(|_| "is no RSA or ed25519 private key in PEM, without a password".to_owned())?;
    let bits = key.size() * 8;
    if bits < RSA_BITS_MIN {
        return Err(format!("is an RSA key of {bits} bits; it must have at least {RSA_BITS_MIN}"));
    }
    let public = key.to_public_key().to_public_key_der().map_err(|error| refused(&error))?;
    let record = format!("v=DKIM1; k=rsa; p={}", STANDARD.encode(public.as_bytes()));
    let secret = key.to_pkcs1_pem(LineEnding::LF).map_err(|error| refused(&error))?;
    Ok((DkimSigningKey::new(&secret, DkimSigningAlgorithm::Rsa).map_err(|error| refused(&error))?, record))
}

fn configured(selector: String, domain: String, key: DkimSigningKey) -> DkimConfig {
    let relaxed = DkimCanonicalization { header: DkimCanonicalizationType::Relaxed, body: DkimCanonicalizationType::Relaxed };
    DkimConfig::new(selector, domain, key, HEADERS.map(HeaderName::new_from_ascii_str).to_vec(), relaxed)
}

impl Key {
    fn read(file: &Path, setting: &str, domain: &str, selector: &str) -> Result<Self> {
        let refused = |text: String| Error::internal(format!("{setting}: {}: {text}", file.display()));
        let pem = std::fs::read_to_string(file).map_err(|error| refused(error.to_string()))?;
        let (key, record) = read_key(&pem).map_err(refused)?;
        let (domain, selector) = (domain.to_lowercase(), selector.to_lowercase());
        Ok(Self { config: configured(selector.clone(), domain.clone(), key), domain, selector, pem, record })
    }

    /// The line for a zone file: name, type, and the record in strings that are short enough.
    fn dns_record(&self) -> String {
        let strings: Vec<String> =
            self.record.as_bytes().chunks(TXT_MAX).map(|part| format!("\"{}\"", String::from_utf8_lossy(part))).collect();
        format!("{}._domainkey.{}. IN TXT {}", self.selector, self.domain, strings.join(" "))
    }
}

impl Signer {
    /// By the settings; none where no key is set. A key that cannot be used is refused by its setting.
    pub fn of(config: &Config) -> Result<Option<Self>> {
        let mail = &config.mail;
        let has_own = !mail.dkim_key_file.as_os_str().is_empty();
        let mut keys = Vec::new();
        if has_own {
            let domain = if mail.dkim_domain.is_empty() { domain(config) } else { mail.dkim_domain.clone() };
            keys.push(Key::read(&mail.dkim_key_file, "mail.dkim_key_file", &domain, &mail.dkim_selector)?);
        }
        for DkimKey { domain, selector, key_file } in &mail.dkim_keys {
            keys.push(Key::read(key_file, "mail.dkim_keys", domain, selector)?);
        }
        Ok((!keys.is_empty()).then_some(Self { keys, has_own }))
    }

    /// The key for letters from this domain: its own, that of the nearest domain above it, or the desk's.
    fn key_for(&self, from: &str) -> Option<&Key> {
        let aligned = self.keys.iter().filter(|key| is_aligned(&key.domain, from)).max_by_key(|key| key.domain.len());
        aligned.or_else(|| self.keys.first().filter(|_| self.has_own))
    }

    /// Signs a letter from an address of this domain, which nobody may change afterwards; in the name of `other` where there is one. A
    /// letter that no key is for stays as it is.
    pub fn sign(&self, message: &mut Message, from: &str, other: Option<&Dkim>) -> Result<(), String> {
        let named =
            other.and_then(|other| self.keys.iter().find(|key| (&key.domain, &key.selector) == (&other.domain, &other.selector)));
        match (other, named, self.keys.first().filter(|_| self.has_own)) {
            (Some(other), None, Some(own)) => {
                let (key, _) = read_key(&own.pem)?;
                message.sign(&configured(other.selector.clone(), other.domain.clone(), key));
            }
            _ => {
                if let Some(key) = named.or_else(|| self.key_for(from)) {
                    message.sign(&key.config);
                }
            }
        }
        Ok(())
    }

    /// The lines for zone files, one for each key.
    pub fn dns_records(&self) -> String {
        self.keys.iter().map(Key::dns_record).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dns_name_is_told_from_other_texts() {
        for (text, expected) in [("desk2026", true), ("a.b-c.example", true), ("", false), ("a..b", false), ("-a", false)] {
            assert_eq!(is_dns_name(text), expected, "{text}");
        }
        assert!(!is_dns_name("a b") && !is_dns_name("a;p=x") && !is_dns_name(&"a".repeat(64)));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            assert!(read_key(text).is_err_and(|error| error.contains("no RSA or ed25519")), "{text}");
        }
    }
}
