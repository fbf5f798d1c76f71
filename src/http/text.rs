//! A POST whose body is a text of another type than JSON.
use super::extract::app;
use super::idempotency::Once;
use crate::error::{Error, Result};
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, error::PayloadError};
use futures_util::future::LocalBoxFuture;

const CALENDAR: &str = "text/calendar";

/// An iCalendar file (RFC 5545) together with its idempotency key.
pub struct PostCalendar {
    /// What was sent.
    pub text: String,
    /// Runs the work at most once for a key.
    pub once: Once,
}

impl FromRequest for PostCalendar {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;
    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let is_calendar = kind.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case(CALENDAR);
        let limit_bytes = app(request).map_or(0, |app| app.config.server.body_limit_bytes);
        let read = Bytes::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let bytes = read.await.map_err(|error| match error.as_error::<PayloadError>() {
                Some(PayloadError::Overflow) => Error::TooLarge { limit_bytes },
                _ if error.as_response_error().status_code() == 413 => Error::TooLarge { limit_bytes },
                _ => Error::Malformed { code: "unreadable_body", message: "the body could not be read".into() },
            })?;
            if !is_calendar {
                return Err(Error::MediaType(CALENDAR));
            }
            let once = Once::of(&request, &bytes)?;
            let text = String::from_utf8(bytes.to_vec())
                .map_err(|_| Error::Malformed { code: "invalid_utf8", message: "the body is not UTF-8".into() })?;
            if text.contains('\0') {
                return Err(Error::field("body", "nul_character", "must not contain the character U+0000"));
            }
            Ok(Self { text, once })
        })
    }
}
