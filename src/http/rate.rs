//! How often one token may ask: a fixed window of a minute, told in `RateLimit-*` headers.
use crate::error::{Error, Result};
use crate::ids::TokenId;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(60);

/// The counters of this node.
#[derive(Default)]
pub struct Rates(Mutex<HashMap<TokenId, (Instant, u32)>>);

/// Where a caller stands in its window; all zero where there is no limit.
pub struct Standing {
    limit: u32,
    remaining: u32,
    reset_seconds: u64,
}

impl Rates {
    /// Counts one request; refuses it past the limit. 0 sets no limit.
    pub fn count(&self, token: TokenId, limit: u32) -> Result<Standing> {
        if limit == 0 {
            return Ok(Standing { limit, remaining: 0, reset_seconds: 0 });
        }
        let now = Instant::now();
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let window = windows.entry(token).or_insert((now, 0));
        if now.duration_since(window.0) >= WINDOW {
            *window = (now, 0);
        }
        let reset_seconds = WINDOW.saturating_sub(now.duration_since(window.0)).as_secs() + 1;
        if window.1 >= limit {
            return Err(Error::TooMany { retry_after_seconds: reset_seconds });
        }
        window.1 += 1;
        Ok(Standing { limit, remaining: limit - window.1, reset_seconds })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_too_many_is_refused_and_others_are_not() {
        let rates = Rates::default();
        let (busy, calm) = (TokenId::new(), TokenId::new());
        assert!(rates.count(busy, 2).is_ok());
        assert_eq!(rates.count(busy, 2).map(|standing| standing.remaining).ok(), Some(0));
        assert!(matches!(rates.count(busy, 2), Err(Error::TooMany { .. })));
        assert!(rates.count(calm, 2).is_ok());
        assert!(rates.count(busy, 0).is_ok());
    }
}
