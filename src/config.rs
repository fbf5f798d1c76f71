//! Every setting, its variable, its default. The only reader of the environment.
use crate::attachments::model::Limits;
use crate::sla::clock::Metric;
use crate::sla::ladder::{Ladder, Rung};
use crate::webhooks::address::Network;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The shipped file that is the defaults.
pub const DEFAULTS: &str = include_str!("defaults.toml");
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

#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "defaults.toml documents each")]
pub struct Attachments {
    pub store: String,
    pub size_max_bytes: usize,
    pub message_files_max: usize,
    pub message_bytes_max: u64,
    pub refused_extensions: Vec<String>,
    pub media_types: Vec<String>,
}

impl Attachments {
    /// The same for the rules.
    pub fn limits(&self) -> Limits<'_> {
        let Self { message_files_max, message_bytes_max, refused_extensions, media_types, .. } = self;
        Limits { message_files_max: *message_files_max, message_bytes_max: *message_bytes_max, refused_extensions, media_types }
    }
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
    pub folder: PathBuf,
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

impl std::fmt::Debug for Calls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The secret stays out of every log.
        f.debug_struct("Calls").field("home_country", &self.home_country).finish_non_exhaustive()
    }
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

    fn check(&self) -> Result<(), BadSetting> {
        if u64::from(self.jobs.lease_seconds) <= self.mail.smtp_timeout_seconds {
            return bad("jobs.lease_seconds: must be more than mail.smtp_timeout_seconds");
        }
        let seconds_of_a_year = 31_536_000;
        within("server.body_limit_bytes", self.server.body_limit_bytes, 1_024, 104_857_600)?;
        within("server.threads", self.server.threads, 0, 256)?;
        within("server.stop_seconds", self.server.stop_seconds, 0, 3_600)?;
        within("database.pool_size", self.database.pool_size, 1, 200)?;
        within("digest.weekday", self.digest.weekday, 1, 7)?;
        if time_of_day("digest.at", &self.digest.at)? >= 86_400 {
            return bad("digest.at: must be before 24:00");
        }
        if !self.digest.time_zone.is_empty() && self.digest.time_zone.parse::<chrono_tz::Tz>().is_err() {
            return bad(format!("digest.time_zone: {:?} is not a time zone such as Europe/Berlin", self.digest.time_zone));
        }
        within("tickets.reopen_window_days", self.tickets.reopen_window_days, 0, 3_650)?;
        within("attachments.size_max_bytes", self.attachments.size_max_bytes, 1, 1_073_741_824)?;
        within("attachments.message_files_max", self.attachments.message_files_max, 0, 100)?;
        within("attachments.message_bytes_max", self.attachments.message_bytes_max, 0, 1_073_741_824)?;
        within("mail.smtp_timeout_seconds", self.mail.smtp_timeout_seconds, 1, 600)?;
        within("jobs.concurrency", self.jobs.concurrency, 1, 64)?;
        within("jobs.lease_seconds", self.jobs.lease_seconds, 10, 3_600)?;
        within("jobs.attempts_max", self.jobs.attempts_max, 1, 1_000)?;
        within("jobs.backoff_seconds", self.jobs.backoff_seconds, 1, 3_600)?;
        within("survey.delay_seconds", self.survey.delay_seconds, 0, seconds_of_a_year)?;
        within("survey.valid_days", self.survey.valid_days, 1, 365)?;
        within("survey.edit_hours", self.survey.edit_hours, 0, 8_760)?;
        within("survey.throttle_days", self.survey.throttle_days, 1, 3_650)?;
        within("survey.reminder_days", self.survey.reminder_days, 1, 364)?;
        within("survey.review_seconds", self.survey.review_seconds, 1, seconds_of_a_year)?;
        within("survey.followup_seconds", self.survey.followup_seconds, 1, seconds_of_a_year)?;
        if self.survey.reminder_enabled && self.survey.reminder_days >= self.survey.valid_days {
            return bad("survey.reminder_days: must be less than survey.valid_days");
        }
        within("alerts.later_seconds", self.alerts.later_seconds, 60, seconds_of_a_year)?;
        within("alerts.repeat_seconds", self.alerts.repeat_seconds, 0, seconds_of_a_year)?;
        if (1..60).contains(&self.alerts.repeat_seconds) {
            return bad("alerts.repeat_seconds: must be 0 or at least 60");
        }
        within("webhooks.timeout_seconds", self.webhooks.timeout_seconds, 1, 60)?;
        within("webhooks.disable_after_days", self.webhooks.disable_after_days, 1, 365)?;
        within("webhooks.keep_days", self.webhooks.keep_days, 1, 3_650)?;
        if let Some(text) = self.webhooks.allow_networks.iter().find(|text| Network::parse(text).is_none()) {
            return bad(format!("webhooks.allow_networks: {text:?} is not a network such as 10.1.0.0/16"));
        }
        within("calls.ring_seconds", self.calls.ring_seconds, 1, 600)?;
        within("calls.ring_wider_seconds", self.calls.ring_wider_seconds, 1, 600)?;
        if crate::calls::number::country(&self.calls.home_country).is_none() {
            return bad(format!("calls.home_country: {:?} is not a country such as CA", self.calls.home_country));
        }
        for day in &self.survey.window_weekdays {
            within("survey.window_weekdays", *day, 1, 7)?;
        }
        one_of("log.format", &self.log.format, &["pretty", "json"])?;
        one_of("mail.smtp_tls", &self.mail.smtp_tls, &["none", "starttls", "tls"])?;
        if self.log.level.parse::<tracing_subscriber::filter::targets::Targets>().is_err() {
            return bad(format!("log.level: {:?} is not a log level", self.log.level));
        }
        if self.server.listen.parse::<std::net::SocketAddr>().is_err() {
            return bad(format!("server.listen: {:?} is not an address with a port", self.server.listen));
        }
        for proxy in &self.server.trusted_proxies {
            if proxy.parse::<crate::http::address::Network>().is_err() {
                return bad(format!("server.trusted_proxies: {proxy:?} is no address and no network such as 10.0.0.0/8"));
            }
        }
        let url = &self.server.public_url;
        if !(url.starts_with("http://") || url.starts_with("https://")) || url.ends_with('/') {
            return bad("server.public_url: must start with http:// or https:// and not end with a slash");
        }
        if self.mail.from.parse::<lettre::message::Mailbox>().is_err() {
            return bad(format!("mail.from: {:?} is not a mail address", self.mail.from));
        }
        let has_key = !self.mail.dkim_key_file.as_os_str().is_empty();
        if has_key != crate::mail::dkim::is_dns_name(&self.mail.dkim_selector) {
            return bad(
                "mail.dkim_selector: must be a DNS label such as desk2026 where mail.dkim_key_file is set, and empty else",
            );
        }
        if !self.mail.dkim_domain.is_empty() && !crate::mail::dkim::is_dns_name(&self.mail.dkim_domain) {
            return bad(format!("mail.dkim_domain: {:?} is not a domain", self.mail.dkim_domain));
        }
        if self.company.name.trim().is_empty() {
            return bad("company.name: must not be empty");
        }
        let from = time_of_day("survey.window_from", &self.survey.window_from)?;
        let to = time_of_day("survey.window_to", &self.survey.window_to)?;
        if self.survey.window_enabled && (from >= to || self.survey.window_weekdays.is_empty()) {
            return bad("survey.window_from: the window must be open at some time");
        }
        Ok(())
    }
}

/// Seconds of the day that `HH:MM` stands for; 24:00 is allowed.
pub fn time_of_day(name: &str, text: &str) -> Result<u32, BadSetting> {
    crate::calendar::wire::parse_time(text).ok_or_else(|| BadSetting(format!("{name}: {text:?} is not a time such as 08:00")))
}

fn within<T: PartialOrd + std::fmt::Display>(name: &str, value: T, low: T, high: T) -> Result<(), BadSetting> {
    if value < low || value > high {
        return bad(format!("{name}: {value} is not between {low} and {high}"));
    }
    Ok(())
}

fn one_of(name: &str, value: &str, allowed: &[&str]) -> Result<(), BadSetting> {
    if allowed.contains(&value) {
        return Ok(());
    }
    bad(format!("{name}: {value:?} is none of {}", allowed.join(", ")))
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
mod tests {
    use super::*;

    #[track_caller]
    fn refused(file: &str, variable: Option<(&str, &str)>, named: &str) {
        let environment = variable.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let error = Config::from_parts(file, environment.into_iter()).expect_err("must be refused");
        assert!(error.to_string().contains(named), "{error} does not name {named}");
    }

    #[test]
    fn the_shipped_file_is_complete_and_right() {
        let config = Config::from_parts("", std::iter::empty()).expect("defaults");
        assert_eq!(config.survey.delay_seconds, 3 * 3600);
    }

    #[test]
    fn a_wrong_setting_is_refused_by_its_name() {
        refused("[server]\nlisten = 5", None, "server.listen");
        refused("[server]\nlisten = \"here\"", None, "server.listen");
        refused("[server]\nport = 5", None, "server.port");
        refused("[server]\ntrusted_proxies = [\"10.0.0.0/33\"]", None, "server.trusted_proxies");
        refused("[mail]\ndkim_key_file = \"key.pem\"", None, "mail.dkim_selector");
        refused("[mail]\ndkim_domain = \"a b\"", None, "mail.dkim_domain");
        refused("[sever]\nport = 5", None, "sever.port");
        refused("[survey]\ndelay_seconds = -1", None, "delay_seconds");
        refused("[mail]\nsmtp_tls = \"maybe\"", None, "mail.smtp_tls");
        refused("[survey]\nwindow_from = \"8\"", None, "survey.window_from");
        refused("[survey]\nreminder_enabled = true\nreminder_days = 14", None, "survey.reminder_days");
        refused("[alerts]\nbreach = [\"everybody\"]", None, "everybody");
        refused("[alerts]\nlater_seconds = 5", None, "alerts.later_seconds");
        refused("[digest]\nweekday = 0", None, "digest.weekday");
        refused("[digest]\nat = \"24:00\"", None, "digest.at");
        refused("[digest]\ntime_zone = \"Mars/Base\"", None, "digest.time_zone");
        refused("[webhooks]\nallow_networks = [\"10.0.0.0/40\"]", None, "webhooks.allow_networks");
        refused("", Some(("DESKBELL_SERVER_PORT", "1")), "DESKBELL_SERVER_PORT");
        refused("", Some(("DESKBELL_SURVEY_ENABLED", "perhaps")), "DESKBELL_SURVEY_ENABLED");
    }

    #[test]
    fn a_variable_wins_over_the_file_and_the_file_over_the_default() {
        let variables = [("DESKBELL_SURVEY_DELAY_SECONDS".to_owned(), "7".to_owned())];
        let config = Config::from_parts("[survey]\ndelay_seconds = 9\nvalid_days = 3", variables.into_iter()).expect("settings");
        assert_eq!((config.survey.delay_seconds, config.survey.valid_days), (7, 3));
    }
}
