//! How often one token, or one address without a token, may ask: a fixed window of a minute, told in `RateLimit-*` headers.
use super::address::{self, Network};
use super::extract::app;
use crate::app::App;
use crate::error::{Error, Result};
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, ResponseError};
use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(60);
/// Windows kept in memory at the most.
const KEPT_MAX: usize = 100_000;

/// When a window began, and the requests in it.
type Window = (Instant, u32);

/// The counters of this node.
pub struct Rates<K>(Mutex<HashMap<K, Window>>);

impl<K> Default for Rates<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// Where a caller stands in its window; all zero where there is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    limit: u32,
    remaining: u32,
    reset_seconds: u64,
}

impl<K: Eq + Hash> Rates<K> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Window>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one request; refuses it past the limit. 0 sets no limit.
    pub fn count(&self, who: K, limit: u32) -> Result<Standing> {
        if limit == 0 {
            return Ok(Standing { limit, remaining: 0, reset_seconds: 0 });
        }
        let now = Instant::now();
        let mut windows = self.lock();
        if windows.len() >= KEPT_MAX && !windows.contains_key(&who) {
            windows.retain(|_, window| now.duration_since(window.0) < WINDOW);
            // More clients than that in a minute: counting begins anew rather than memory fills up.
            if windows.len() >= KEPT_MAX {
                windows.clear();
            }
        }
        let window = windows.entry(who).or_insert((now, 0));
        if now.duration_since(window.0) >= WINDOW {
            *window = (now, 0);
        }
        let reset_seconds = WINDOW.saturating_sub(now.duration_since(window.0)).as_secs() + 1;
        if window.1 >= limit {
            return Err(Error::TooMany { limit, retry_after_seconds: reset_seconds });
        }
        window.1 += 1;
        Ok(Standing { limit, remaining: limit - window.1, reset_seconds })
    }

    /// Refuses who has used up a window already, and counts nothing.
    pub fn check(&self, who: &K, limit: u32) -> Result<()> {
        let windows = self.lock();
        match windows.get(who) {
            Some((began, count)) if limit > 0 && *count >= limit && began.elapsed() < WINDOW => {
                let retry_after_seconds = WINDOW.saturating_sub(began.elapsed()).as_secs() + 1;
                Err(Error::TooMany { limit, retry_after_seconds })
            }
            _ => Ok(()),
        }
    }
}

impl Standing {
    /// Tells the caller.
    pub fn write(&self, headers: &mut HeaderMap) {
        if self.limit == 0 {
            return;
        }
        for (name, value) in [
            ("ratelimit-limit", u64::from(self.limit)),
            ("ratelimit-remaining", u64::from(self.remaining)),
            ("ratelimit-reset", self.reset_seconds),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
        }
    }
}

/// The client that a request comes from, as addresses are counted.
pub fn client(app: &App, request: &HttpRequest) -> IpAddr {
    let peer = request.peer_addr().map_or(address::NOBODY, |peer: SocketAddr| peer.ip());
    let proxies = &app.config.server.trusted_proxies;
    if proxies.is_empty() {
        return address::as_one(peer);
    }
    let proxies: Vec<Network> = proxies.iter().filter_map(|text| text.parse().ok()).collect();
    // Several headers of one name are one list (RFC 9110, 5.3).
    let said: Vec<&str> = request.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok()).collect();
    address::as_one(address::client(peer, &said.join(","), &proxies))
}

/// Paths that are not counted here: the API counts tokens, and strangers where their token is none; probes come often.
fn is_counted_elsewhere(path: &str) -> bool {
    path.starts_with("/api/v1/") || ["/healthz", "/readyz", "/metrics"].contains(&path)
}

/// Counts requests for pages, which need no token, by address.
pub async fn strangers(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    if is_counted_elsewhere(request.path()) {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let app = app(request.request())?.clone();
    let counted = app.known.strangers.count(client(&app, request.request()), app.config.server.rate_per_minute_per_address);
    match counted {
        Ok(standing) => {
            let mut response = next.call(request).await?;
            standing.write(response.headers_mut());
            Ok(response.map_into_left_body())
        }
        Err(error) => Ok(request.into_response(error.error_response()).map_into_right_body()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_too_many_is_refused_and_others_are_not() {
        let rates = Rates::default();
        assert!(rates.check(&"busy", 2).is_ok());
        assert!(rates.count("busy", 2).is_ok());
        assert!(rates.check(&"busy", 2).is_ok());
        assert_eq!(rates.count("busy", 2).map(|standing| standing.remaining).ok(), Some(0));
        assert!(matches!(rates.count("busy", 2), Err(Error::TooMany { limit: 2, .. })));
        assert!(matches!(rates.check(&"busy", 2), Err(Error::TooMany { .. })));
        assert!(rates.count("calm", 2).is_ok() && rates.check(&"calm", 2).is_ok());
        assert!(rates.count("busy", 0).is_ok() && rates.check(&"busy", 0).is_ok());
    }

    #[test]
    fn memory_is_bounded() {
        let rates = Rates::default();
        for who in 0..=KEPT_MAX {
            assert!(rates.count(who, 1).is_ok());
        }
        assert!(rates.lock().len() <= KEPT_MAX);
    }
}
