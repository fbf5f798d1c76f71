//! Every setting, its variable, its default. The only reader of the environment.
mod attachments;
mod check;

use crate::sla::clock::Metric;
use crate::sla::ladder::{Ladder, Rung};
use crate::webhooks::address::Network;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

pub use attachments::Attachments;
pub use check::time_of_day;

/// The shipped file that is the defaults.
pub const DEFAULTS: &str = include_str!("../defaults.toml");
const PREFIX: &str = "DESKBELL_";

/// Why the settings were refused; the text names the setting.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadSetting(String);

fn bad<T>(text: impl Into<String>) -> Result<T, BadSetting> {
    Err(BadSetting(text.into()))
}

/// All settings; see `defaults.toml` for what each means.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "defaults.toml documents each")]
pub struct Config {
    pub server: Server,
    pub database: Database,
    pub log: Log,
    pub company: Company,
    pub digest: Digest,
    pub tickets: Tickets,
    pub attachments: Attachments,
    pub mail: Mail,
    pub jobs: Jobs,
    pub survey: Survey,
    pub alerts: Alerts,
    pub webhooks: Webhooks,
    pub calls: Calls,
    pub inbound: Inbound,
    pub presence: Presence,
    pub chat: Chat,
}

#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "defaults.toml documents each")]
pub struct Server {
    pub listen: String,
    pub public_url: String,
    pub threads: usize,
    pub body_limit_bytes: usize,
    pub rate_per_minute: u32,
    pub rate_per_minute_per_address: u32,
    pub trusted_proxies: Vec<String>,
    pub stop_seconds: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "defaults.toml documents each")]
pub struct Database {
    pub url: String,
    pub data_dir: PathBuf,
    pub pool_size: u32,
}

#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "defaults.toml documents each")]
pub struct Log {
    pub format: String,
    pub level: String,
}

#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "defaults.toml documents each")]
pub struct Company {
    pub name: String,
}

#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "defaults.toml documents each")]
pub struct Digest {
    pub enabled: bool,
    pub weekday: u32,
    pub at: String,
    pub time_zone: String,
}

#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "defaults.toml documents each")]
pub struct Tickets {
    pub reopen_window_days: u32,
}

#[derive(Clone, Deserialize)]
#[expect(missing_docs, reason = "defaults.toml documents each")]
pub struct Mail {
    pub from: String,
    pub smtp_host: String,
    pub smtp_port: u16,
    pub smtp_tls: String,
    pub smtp_ca_file: PathBuf,
    pub smtp_user: String,
    pub smtp_password: String,
    pub smtp_timeout_seconds: u64,
    pub dkim_key_file: PathBuf,
    pub dkim_selector: String,
    pub dkim_domain: String,
    pub dkim_keys: Vec<DkimKey>,
    pub folder: PathBuf,
    pub undo_seconds: u32,
    pub acknowledge: bool,
    pub acknowledge_hour_max: u32,
}

/// A key of a mailbox's own domain.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "defaults.toml documents each")]
pub struct DkimKey {
    pub domain: String,
    pub selector: String,
    pub key_file: PathBuf,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The password stays out of every log.
        f.debug_struct("Mail").field("from", &self.from).field("smtp_host", &self.smtp_host).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "defaults.toml documents each")]
pub struct Jobs {
    pub concurrency: usize,
    pub lease_seconds: u32,
    pub attempts_max: u32,
    pub backoff_seconds: u32,
}

#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "defaults.toml documents each")]
pub struct Survey {
    pub enabled: bool,
    pub delay_seconds: u32,
    pub valid_days: u32,
    pub edit_hours: u32,
    pub throttle_enabled: bool,
    pub throttle_days: u32,
    pub relationship_throttle_days: u32,
    pub between_kinds_days: u32,
    pub reminder_enabled: bool,
    pub reminder_days: u32,
    pub window_enabled: bool,
    pub window_weekdays: Vec<u32>,
    pub window_from: String,
    pub window_to: String,
    pub review_seconds: u32,
    pub followup_seconds: u32,
}

/// Whom the desk calls when a promise is at risk or broken.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "defaults.toml documents each")]
pub struct Alerts {
    pub mail_metrics: Vec<Metric>,
    pub warning: Vec<Rung>,
    pub breach: Vec<Rung>,
    pub later: Vec<Rung>,
    pub later_seconds: u32,
    pub repeat_seconds: u32,
}

impl Alerts {
    /// Whether alerts of this metric go out by mail.
    pub fn is_mailed(&self, metric: Metric) -> bool {
        self.mail_metrics.contains(&metric)
    }

    /// The ladder that they climb.
    pub fn ladder(&self) -> Ladder {
        let Self { mail_metrics: _, warning, breach, later, later_seconds, repeat_seconds } = self.clone();
        Ladder { warning, breach, later, later_seconds, repeat_seconds }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "defaults.toml documents each")]
pub struct Webhooks {
    pub allow_http: bool,
    pub allow_networks: Vec<String>,
    pub timeout_seconds: u64,
    pub disable_after_days: u32,
    pub keep_days: u32,
}

impl Webhooks {
    /// The networks that webhooks may lead into beside the public internet.
    pub fn networks(&self) -> Vec<Network> {
        self.allow_networks.iter().filter_map(|text| Network::parse(text)).collect()
    }
}

#[derive(Clone, Deserialize)]
#[expect(missing_docs, reason = "defaults.toml documents each")]
pub struct Calls {
    pub home_country: String,
    pub twilio_auth_token: String,
    pub ring_seconds: u32,
    pub ring_wider_seconds: u32,
    pub closed_text: String,
    pub missed_text: String,
}

#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "defaults.toml documents each")]
pub struct Presence {
    pub alarm_repeat_seconds: u32,
    pub alarm_mail: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "defaults.toml documents each")]
pub struct Chat {
    pub sites: Vec<Site>,
    pub offer_seconds: u32,
    pub patience_seconds: u32,
    pub gone_seconds: u32,
    pub idle_seconds: u32,
    pub connections_max: usize,
    pub connections_per_address: usize,
    pub asks_per_minute_per_address: u32,
    pub asks_per_minute_per_site: u32,
    pub messages_per_minute: u32,
    pub file_size_max_bytes: usize,
    pub files_max: u32,
    pub files_per_minute_per_address: u32,
    pub blocked: Vec<String>,
}

/// A site that has the widget.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "defaults.toml documents each")]
pub struct Site {
    pub origin: String,
    #[serde(default)]
    pub secret: String,
    #[serde(default)]
    pub team: String,
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The secret stays out of every log.
        f.debug_struct("Site").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Calls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The secret stays out of every log.
        f.debug_struct("Calls").field("home_country", &self.home_country).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "defaults.toml documents each")]
pub struct Inbound {
    pub lmtp_listen: String,
    pub lmtp_connections_max: usize,
    pub lmtp_timeout_seconds: u64,
    pub size_max_bytes: usize,
    pub imap_poll_seconds: u64,
    pub imap_timeout_seconds: u64,
    pub imap_ca_file: PathBuf,
    pub authserv_ids: Vec<String>,
    pub lmtp_is_trusted: bool,
    pub check_dkim: bool,
    pub received_by: Vec<String>,
    pub dns_server: String,
}

impl Config {
    /// The defaults, then the file, then the process's environment.
    #[expect(clippy::disallowed_methods, reason = "its one home")]
    pub fn load(file: Option<&Path>) -> Result<Self, BadSetting> {
        let text = match file {
            None => String::new(),
            Some(path) => {
                std::fs::read_to_string(path).map_err(|error| BadSetting(format!("cannot read {}: {error}", path.display())))?
            }
        };
        Self::from_parts(&text, std::env::vars())
    }

    /// The same from given parts.
    pub fn from_parts(file: &str, environment: impl Iterator<Item = (String, String)>) -> Result<Self, BadSetting> {
        let mut settings: Table = toml::from_str(DEFAULTS).map_err(|error| BadSetting(error.to_string()))?;
        let own: Table = toml::from_str(file).map_err(|error| BadSetting(error.to_string()))?;
        overlay(&mut settings, own)?;
        for (name, text) in environment {
            if name == "DATABASE_URL" {
                set(&mut settings, "database", "url", Value::String(text))?;
            } else if let Some(rest) = name.strip_prefix(PREFIX) {
                set_variable(&mut settings, &name, rest, text)?;
            }
        }
        let config = Self::deserialize(settings).map_err(|error| BadSetting(error.to_string()))?;
        config.check()?;
        Ok(config)
    }

    /// The database's address: what was set, or SQLite's file in the data folder.
    pub fn database_url(&self) -> String {
        if self.database.url.is_empty() {
            self.database.data_dir.join("deskbell.sqlite").to_string_lossy().into_owned()
        } else {
            self.database.url.clone()
        }
    }

    /// Where letters go without SMTP.
    pub fn outbox_folder(&self) -> PathBuf {
        if self.mail.folder.as_os_str().is_empty() { self.database.data_dir.join("outbox") } else { self.mail.folder.clone() }
    }
}

fn overlay(settings: &mut Table, own: Table) -> Result<(), BadSetting> {
    for (section, value) in own {
        let Value::Table(table) = value else {
            return bad(format!("{section}: there is no such setting outside a section"));
        };
        for (name, value) in table {
            set(settings, &section, &name, value)?;
        }
    }
    Ok(())
}

fn set(settings: &mut Table, section: &str, name: &str, value: Value) -> Result<(), BadSetting> {
    let known = settings.get_mut(section).and_then(Value::as_table_mut).and_then(|table| table.get_mut(name));
    match known {
        None => bad(format!("{section}.{name}: there is no such setting")),
        Some(default) if !default.same_type(&value) => {
            bad(format!("{section}.{name}: must be {}, not {}", default.type_str(), value.type_str()))
        }
        Some(default) => {
            *default = value;
            Ok(())
        }
    }
}

/// `DESKBELL_SURVEY_DELAY_SECONDS=60`: the text is read as the type that the default has.
fn set_variable(settings: &mut Table, variable: &str, rest: &str, text: String) -> Result<(), BadSetting> {
    let lower = rest.to_ascii_lowercase();
    let Some((section, name)) = lower.split_once('_') else {
        return bad(format!("{variable}: there is no such setting"));
    };
    let Some(default) = settings.get(section).and_then(|table| table.get(name)) else {
        return bad(format!("{variable}: there is no such setting"));
    };
    let value = match default {
        Value::String(_) => Value::String(text),
        _ => {
            let line: Table = toml::from_str(&format!("value = {text}"))
                .map_err(|_| BadSetting(format!("{variable}: {text:?} is not {}", default.type_str())))?;
            line.get("value").cloned().unwrap_or(Value::String(text))
        }
    };
    set(settings, section, name, value).map_err(|error| BadSetting(format!("{variable}: {error}")))
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
