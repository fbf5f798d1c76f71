//! When a delivery is tried again, what its end is, and which addresses are taken at all. Pure.
use super::address::{self, Network};
use chrono::{DateTime, TimeDelta, Utc};

/// Pauses after the first, second … failed attempt, in seconds: the schedule of Standard Webhooks.
const PAUSES_SECONDS: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// The jitter adds at most so much of a pause.
const JITTER_SHARE: f64 = 0.1;
/// The longest address of a webhook, in characters.
pub const URL_MAX: usize = 2_000;
/// The answer "gone": the receiver wants no more.
const GONE: u16 = 410;

names! {
    /// Where a delivery stands.
    pub enum DeliveryState {
        /// To be sent, or to be tried again.
        Waiting = "waiting",
        /// The receiver took it.
        Delivered = "delivered",
        /// Given up; a person can have it sent again.
        Failed = "failed",
    }
}

names! {
    /// Why the desk switched a webhook off.
    pub enum DisabledReason {
        /// The receiver answered 410.
        Gone = "gone",
        /// Nothing was taken for days.
        Failing = "failing",
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When it began.
    pub at: DateTime<Utc>,
    /// How long it took.
    pub duration_ms: i32,
    /// The status of the answer, where there was one.
    pub status: Option<u16>,
    /// Why there was none.
    pub error: Option<String>,
    /// The first of the answer's text.
    pub answer: Option<String>,
}

impl Attempt {
    /// Only 2xx says that it was taken; a redirect is not followed.
    pub fn is_taken(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// When to try again after `attempts` failed ones; `None`: no more. `jitter` is in 0..1.
pub fn next_at(attempts: i32, now: DateTime<Utc>, jitter: f64) -> Option<DateTime<Utc>> {
    let pause = usize::try_from(attempts - 1).ok().and_then(|index| PAUSES_SECONDS.get(index))?;
    let more = (*pause as f64 * 1_000.0 * JITTER_SHARE * jitter.clamp(0.0, 1.0)) as i64;
    Some(now + TimeDelta::milliseconds(pause * 1_000 + more))
}

/// Whether the webhook is switched off after a failed attempt.
pub fn give_up(
    attempt: &Attempt,
    failing_since: DateTime<Utc>,
    disable_after_days: u32,
    now: DateTime<Utc>,
) -> Option<DisabledReason> {
    match attempt.status {
        Some(GONE) => Some(DisabledReason::Gone),
        _ if now - failing_since >= TimeDelta::days(i64::from(disable_after_days)) => Some(DisabledReason::Failing),
        _ => None,
    }
}

/// Why an address is refused when it is saved; what its name resolves to is asked at every connection.
pub fn check_url(text: &str, allow_http: bool, allowed: &[Network]) -> Result<(), &'static str> {
    let Some((scheme, rest)) = text.split_once("://") else { return Err("must begin with https://") };
    match scheme {
        "https" => {}
        "http" if allow_http => {}
        "http" => return Err("must begin with https:// (webhooks.allow_http allows http://)"),
        _ => return Err("must begin with https://"),
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.contains(['\\', '"', '<', '>', '^', '`', '{', '|', '}', '#']) {
        return Err("holds a character that an address cannot have, or a fragment");
    }
    let authority = rest.split(['/', '?']).next().unwrap_or("");
    if authority.contains('@') {
        return Err("must not hold a user or a password");
    }
    let (host, port) = match authority.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':').or(if port.is_empty() { None } else { Some("x") })),
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    if port.is_some_and(|port| port.parse::<u16>().map_or(true, |port| port == 0)) {
        return Err("has a port that is none");
    }
    match host.parse() {
        Ok(address) if !address::may_connect(address, allowed) => Err("leads to an address that is not on the public internet"),
        Ok(_) => Ok(()),
        Err(_) if !authority.starts_with('[') && is_host_name(host) => Ok(()),
        Err(_) => Err("has no host name"),
    }
}

fn is_host_name(host: &str) -> bool {
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    host.len() <= 253 && host.strip_suffix('.').unwrap_or(host).split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(status: Option<u16>) -> Attempt {
        Attempt { at: DateTime::UNIX_EPOCH, duration_ms: 1, status, error: None, answer: None }
    }

    #[test]
    fn the_schedule_of_standard_webhooks() {
        let pause = |attempts, jitter| next_at(attempts, DateTime::UNIX_EPOCH, jitter).map(|at| at.timestamp_millis());
        assert_eq!(pause(1, 0.0), Some(5_000));
        assert_eq!(pause(1, 1.0), Some(5_500));
        assert_eq!(pause(2, 0.0), Some(300_000));
        assert_eq!(pause(9, 0.0), Some(86_400_000));
        assert_eq!(pause(10, 0.0), None);
        assert_eq!(pause(0, 0.0), None);
    }

    #[test]
    fn only_2xx_is_taken() {
        for (status, expected) in [(200, true), (204, true), (299, true), (302, false), (304, false), (404, false), (500, false)]
        {
            assert_eq!(attempt(Some(status)).is_taken(), expected, "{status}");
        }
        assert!(!attempt(None).is_taken());
    }

    #[test]
    fn it_is_given_up_when_gone_or_after_days_of_failing() {
        let since = DateTime::UNIX_EPOCH;
        let after = |hours| since + TimeDelta::hours(hours);
        assert_eq!(give_up(&attempt(Some(410)), since, 5, after(0)), Some(DisabledReason::Gone));
        assert_eq!(give_up(&attempt(Some(500)), since, 5, after(119)), None);
        assert_eq!(give_up(&attempt(None), since, 5, after(120)), Some(DisabledReason::Failing));
    }

    #[track_caller]
    fn check(url: &str, allow_http: bool, expected: bool) {
        assert_eq!(check_url(url, allow_http, &[]).is_ok(), expected, "{url}: {:?}", check_url(url, allow_http, &[]));
    }

    #[test]
    fn an_address_is_taken_or_refused() {
        for url in [
            "https://hooks.example/desk",
            "https://hooks.example:8443/a?b=c",
            "https://8.8.8.8/",
            "https://[2606:4700::1111]/x",
            "https://h",
        ] {
            check(url, false, true);
        }
        check("http://hooks.example/", true, true);
        for url in [
            "http://hooks.example/",
            "ftp://hooks.example/",
            "hooks.example",
            "https://",
            "https:///x",
            "https://a b.example/",
            "https://u@h.example/",
            "https://u:p@h.example/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://10.0.0.1:443/",
            "https://169.254.169.254/latest",
            "https://h.example:0/",
            "https://h.example:99999/",
            "https://h.example:/",
            "https://h.example/#x",
            "https://h..example/",
            "https://h.example\\@evil/",
            "https://[h]/",
            "https://münchen.example/",
        ] {
            check(url, false, false);
        }
    }
}
