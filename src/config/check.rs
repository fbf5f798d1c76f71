//! What each setting may say.
use super::{BadSetting, Config, bad};
use crate::webhooks::address::Network;

impl Config {
    /// Refuses a setting that makes no sense, by its name.
    pub(super) fn check(&self) -> Result<(), BadSetting> {
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
        self.attachments.check_s3()?;
        within("attachments.size_max_bytes", self.attachments.size_max_bytes, 1, 1_073_741_824)?;
        within("attachments.message_files_max", self.attachments.message_files_max, 0, 100)?;
        within("attachments.message_bytes_max", self.attachments.message_bytes_max, 0, 1_073_741_824)?;
        within("mail.undo_seconds", u64::from(self.mail.undo_seconds), 0, 600)?;
        within("mail.acknowledge_hour_max", u64::from(self.mail.acknowledge_hour_max), 1, 1_000)?;
        within("mail.smtp_timeout_seconds", self.mail.smtp_timeout_seconds, 1, 600)?;
        within("jobs.concurrency", self.jobs.concurrency, 1, 64)?;
        within("jobs.lease_seconds", self.jobs.lease_seconds, 10, 3_600)?;
        within("jobs.attempts_max", self.jobs.attempts_max, 1, 1_000)?;
        within("jobs.backoff_seconds", self.jobs.backoff_seconds, 1, 3_600)?;
        within("survey.delay_seconds", self.survey.delay_seconds, 0, seconds_of_a_year)?;
        within("survey.valid_days", self.survey.valid_days, 1, 365)?;
        within("survey.edit_hours", self.survey.edit_hours, 0, 8_760)?;
        within("survey.throttle_days", self.survey.throttle_days, 1, 3_650)?;
        within("survey.relationship_throttle_days", self.survey.relationship_throttle_days, 1, 3_650)?;
        within("survey.between_kinds_days", self.survey.between_kinds_days, 0, 365)?;
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
        within("presence.alarm_repeat_seconds", self.presence.alarm_repeat_seconds, 5, 86_400)?;
        within("calls.ring_seconds", self.calls.ring_seconds, 1, 600)?;
        within("calls.ring_wider_seconds", self.calls.ring_wider_seconds, 1, 600)?;
        self.check_chat()?;
        if crate::calls::number::country(&self.calls.home_country).is_none() {
            return bad(format!("calls.home_country: {:?} is not a country such as CA", self.calls.home_country));
        }
        within("inbound.lmtp_connections_max", self.inbound.lmtp_connections_max, 1, 10_000)?;
        within("inbound.lmtp_timeout_seconds", self.inbound.lmtp_timeout_seconds, 1, 3_600)?;
        within("inbound.size_max_bytes", self.inbound.size_max_bytes, 65_536, 209_715_200)?;
        within("inbound.imap_poll_seconds", self.inbound.imap_poll_seconds, 1, 3_600)?;
        within("inbound.imap_timeout_seconds", self.inbound.imap_timeout_seconds, 1, 600)?;
        let lmtp = &self.inbound.lmtp_listen;
        let is_good = lmtp.is_empty() || lmtp.starts_with("unix:/") || lmtp.parse::<std::net::SocketAddr>().is_ok();
        if !is_good {
            return bad(format!("inbound.lmtp_listen: {lmtp:?} is no address with a port and no unix:/path"));
        }
        for day in &self.survey.window_weekdays {
            within("survey.window_weekdays", *day, 1, 7)?;
        }
        one_of("log.format", &self.log.format, &["pretty", "json"])?;
        if !self.inbound.dns_server.is_empty() && self.inbound.dns_server.parse::<std::net::SocketAddr>().is_err() {
            return bad(format!("inbound.dns_server: {:?} is no address with a port", self.inbound.dns_server));
        }
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
        for key in &self.mail.dkim_keys {
            let is_named = crate::mail::dkim::is_dns_name(&key.domain) && crate::mail::dkim::is_dns_name(&key.selector);
            if !is_named || key.key_file.as_os_str().is_empty() {
                return bad(format!(
                    "mail.dkim_keys: {:?} needs a domain, a selector such as desk2026 and a key_file",
                    key.domain
                ));
            }
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

/// The shortest secret of a site, in bytes: what HS256 asks for (RFC 7518, 3.2).
const SECRET_MIN_BYTES: usize = 32;

impl Config {
    fn check_chat(&self) -> Result<(), BadSetting> {
        let chat = &self.chat;
        within("chat.offer_seconds", chat.offer_seconds, 1, 600)?;
        within("chat.patience_seconds", chat.patience_seconds, 5, 3_600)?;
        within("chat.gone_seconds", chat.gone_seconds, 1, 600)?;
        within("chat.idle_seconds", chat.idle_seconds, 60, 86_400)?;
        within("chat.connections_max", chat.connections_max, 1, 1_000_000)?;
        for site in &chat.sites {
            let host = site.origin.strip_prefix("https://").or_else(|| site.origin.strip_prefix("http://"));
            if host.is_none_or(|host| host.is_empty() || host.contains('/')) || site.origin != site.origin.to_lowercase() {
                return bad(format!("chat.sites: {:?} is not an origin such as https://www.example.com", site.origin));
            }
            if !site.secret.is_empty() && site.secret.len() < SECRET_MIN_BYTES {
                return bad(format!("chat.sites: the secret of {} must have {SECRET_MIN_BYTES} characters or more", site.origin));
            }
        }
        for network in &chat.blocked {
            if network.parse::<crate::http::address::Network>().is_err() {
                return bad(format!("chat.blocked: {network:?} is no address and no network such as 203.0.113.0/24"));
            }
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
