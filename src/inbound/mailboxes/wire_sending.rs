//! How letters of a mailbox go out, as JSON.
use crate::config::{self, DkimKey};
use crate::db::types::Json;
use crate::error::{Error, Result};
use crate::http::extract::fields;
use crate::inbound::origin::is_aligned;
use crate::mail::{self, SmtpTls, dkim::is_dns_name};
use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationError, ValidationErrors};

/// The server that takes the letters of a mailbox, where that is not the desk's own.
#[derive(Debug, Clone, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SmtpIn {
    /// The server.
    #[validate(length(min = 1, max = 253), custom(function = "super::api::plain"))]
    #[schema(min_length = 1, max_length = 253, pattern = "^[!-~]+$", examples("smtp.example.com"))]
    host: String,
    /// Its port: 465 for `tls`, 587 for `starttls`, as a rule.
    #[validate(range(min = 1))]
    #[schema(minimum = 1, maximum = 65535)]
    port: u16,
    /// How the connection is protected.
    #[serde(default = "starttls")]
    tls: SmtpTls,
    /// Who logs in; nobody where it is left out.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    user: Option<String>,
    /// With this password, which is never shown again. In a PATCH the old one stays where it is left out.
    #[validate(length(min = 1, max = 500))]
    #[schema(min_length = 1, max_length = 500)]
    password: Option<String>,
}

fn starttls() -> SmtpTls {
    SmtpTls::Starttls
}

/// In whose name letters of a mailbox are signed: with the key of that name (`mail.dkim_keys`), or with the desk's (`mail.dkim_key_file`).
#[derive(Debug, Clone, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DkimIn {
    /// The domain.
    #[validate(custom(function = "dns_name"))]
    #[schema(
        max_length = 253,
        pattern = r"^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$",
        examples("example.com")
    )]
    domain: String,
    /// The key's name in the DNS of that domain.
    #[validate(custom(function = "dns_name"))]
    #[schema(max_length = 63, pattern = r"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$", examples("desk2026"))]
    selector: String,
}

fn dns_name(text: &str) -> Result<(), ValidationError> {
    if is_dns_name(text) { Ok(()) } else { Err(ValidationError::new("dns_name")) }
}

/// The server that takes the letters of a mailbox; the password is not shown.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SmtpOut {
    host: String,
    port: u16,
    tls: SmtpTls,
    user: Option<String>,
}

impl From<mail::Smtp> for SmtpOut {
    fn from(mail::Smtp { host, port, tls, login }: mail::Smtp) -> Self {
        Self { host, port, tls, user: login.map(|(user, _)| user) }
    }
}

/// In whose name letters are signed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DkimOut {
    domain: String,
    selector: String,
}

impl From<mail::Dkim> for DkimOut {
    fn from(mail::Dkim { domain, selector }: mail::Dkim) -> Self {
        Self { domain, selector }
    }
}

/// Also what a PATCH says is checked.
fn checked(part: &str, input: &impl Validate) -> Result<()> {
    let refused = |errors: &ValidationErrors| fields(errors).into_iter().map(|error| error.within(part)).collect();
    input.validate().map_err(|errors| Error::Invalid(refused(&errors)))
}

/// The server as it is kept; `old` gives the password that is left out.
pub fn kept_smtp(smtp: Option<SmtpIn>, old: Option<mail::Smtp>) -> Result<Option<Json>> {
    let Some(smtp) = smtp else { return Ok(None) };
    checked("smtp", &smtp)?;
    let SmtpIn { host, port, tls, user, password } = smtp;
    let old = old.and_then(|old| old.login).map(|(_, password)| password);
    let login = match (user, password) {
        (None, None) => None,
        (None, Some(_)) => return Err(Error::field("smtp.user", "missing", "must be given where a password is")),
        (Some(user), password) => {
            let missing = || Error::field("smtp.password", "missing", "must be given");
            Some((user, password.or(old).ok_or_else(missing)?))
        }
    };
    let is_wild = |text: &String| text.contains(|c: char| c.is_control());
    if login.as_ref().is_some_and(|(user, password)| is_wild(user) || is_wild(password)) {
        return Err(Error::field("smtp", "control_character", "must not contain control characters"));
    }
    Ok(Some(Json::of(&mail::Smtp { host, port, tls, login })?))
}

/// The signer as it is kept: with a key that the desk has, for the domain of the address.
pub fn kept_dkim(dkim: Option<DkimIn>, address: &str, config: &config::Mail) -> Result<Option<Json>> {
    match dkim {
        None => Ok(None),
        Some(dkim) => {
            checked("dkim", &dkim)?;
            let DkimIn { domain, selector } = dkim;
            let dkim = mail::Dkim { domain: domain.to_lowercase(), selector: selector.to_lowercase() };
            let is_named = |key: &DkimKey| {
                key.domain.eq_ignore_ascii_case(&dkim.domain) && key.selector.eq_ignore_ascii_case(&dkim.selector)
            };
            if config.dkim_key_file.as_os_str().is_empty() && !config.dkim_keys.iter().any(is_named) {
                return Err(Error::field(
                    "dkim",
                    "no_key",
                    "the desk has no such key: see mail.dkim_key_file and mail.dkim_keys",
                ));
            }
            let from = address.rsplit_once('@').map_or(address, |(_, domain)| domain);
            if !(is_aligned(&dkim.domain, from) || is_aligned(from, &dkim.domain)) {
                let text =
                    "must be the domain of the mailbox's address, or one above or below it: else nobody believes the signature";
                return Err(Error::field("dkim.domain", "not_aligned", text));
            }
            Ok(Some(Json::of(&dkim)?))
        }
    }
}
