//! What handlers are given: bodies, query parameters, the time, the version that the client saw.
use crate::app::App;
use crate::error::{Error, FieldError, Result};
use crate::http::depth;
use crate::http::idempotency::Once;
use crate::seen::Seen;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpRequest, error::PayloadError};
use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use std::future::{Ready, ready};
use std::time::Duration;
use validator::{Validate, ValidationErrors, ValidationErrorsKind};

/// A body must have come within so long.
const BODY_WITHIN: Duration = Duration::from_secs(30);

/// The request's time, read once.
pub struct Now(pub DateTime<Utc>);

impl FromRequest for Now {
    type Error = Error;
    type Future = Ready<Result<Self>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(app(request).map(|app| Self(app.clock.now())))
    }
}

/// The desk behind a request.
pub fn app(request: &HttpRequest) -> Result<&Data<App>> {
    request.app_data::<Data<App>>().ok_or_else(|| Error::internal("no App in the server"))
}

/// `If-Match`, where the client sends one (RFC 9110, 13.1.1).
impl FromRequest for Seen {
    type Error = Error;
    type Future = Ready<Result<Self>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(match request.headers().get(header::IF_MATCH) {
            None => Ok(Self(None)),
            Some(value) => match value.to_str().map(str::trim) {
                Ok("*") => Ok(Self(None)),
                // A tag that is not one of ours matches no version.
                Ok(tag) => Ok(Self(Some(tag.trim_matches('"').parse().unwrap_or(-1)))),
                Err(_) => Ok(Self(Some(-1))),
            },
        })
    }
}

/// A JSON body that was read, checked for unknown fields and validated.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned + Validate + 'static> FromRequest for Body<T> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;
    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = bytes(request, payload);
        Box::pin(async move { Ok(Self(read(&bytes.await?)?)) })
    }
}

/// A body of a POST together with its idempotency key.
pub struct Post<T> {
    /// What was sent.
    pub body: T,
    /// Runs the work at most once for a key.
    pub once: Once,
}

impl<T: DeserializeOwned + Validate + 'static> FromRequest for Post<T> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;
    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = bytes(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let bytes = bytes.await?;
            let once = Once::of(&request, &bytes)?;
            let body = read(if bytes.is_empty() { b"{}" } else { &bytes })?;
            Ok(Self { body, once })
        })
    }
}

/// A body without fields.
#[derive(Debug, serde::Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

fn bytes(request: &HttpRequest, payload: &mut Payload) -> LocalBoxFuture<'static, Result<Bytes>> {
    let is_json = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("application/json"));
    let limit_bytes = app(request).map_or(0, |app| app.config.server.body_limit_bytes);
    let read = Bytes::from_request(request, payload);
    Box::pin(async move {
        let Ok(read) = tokio::time::timeout(BODY_WITHIN, read).await else {
            let message = format!("the body did not come within {} s", BODY_WITHIN.as_secs());
            return Err(Error::Malformed { code: "slow_body", message });
        };
        let bytes = read.map_err(|error| match error.as_error::<PayloadError>() {
            Some(PayloadError::Overflow) => Error::TooLarge { limit_bytes },
            _ if error.as_response_error().status_code() == 413 => Error::TooLarge { limit_bytes },
            _ => Error::Malformed { code: "unreadable_body", message: "the body could not be read".into() },
        })?;
        if !bytes.is_empty() && !is_json {
            return Err(Error::MediaType("application/json"));
        }
        Ok(bytes)
    })
}

fn read<T: DeserializeOwned + Validate>(bytes: &[u8]) -> Result<T> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Error::Malformed { code: "invalid_utf8", message: "the body is not UTF-8".into() })?;
    if depth::of(text) > depth::DEPTH_MAX {
        let message = format!("the body is nested more than {} levels deep", depth::DEPTH_MAX);
        return Err(Error::Malformed { code: "too_deep", message });
    }
    if has_nul(text) {
        return Err(Error::field("body", "nul_character", "must not contain the character U+0000"));
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let value: T = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        // serde_json takes a number or null in the place of a name for broken syntax.
        if inner.is_data() || serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
            refused(&path, &inner.to_string())
        } else {
            Error::Malformed { code: "malformed_json", message: format!("the body is not JSON: {inner}") }
        }
    })?;
    json.end().map_err(|error| Error::Malformed { code: "malformed_json", message: format!("the body is not JSON: {error}") })?;
    value.validate().map_err(|errors| Error::Invalid(fields(&errors)))?;
    Ok(value)
}

/// A data error of serde as a field error; serde's position in the text is no use to people.
pub fn refused(path: &str, message: &str) -> Error {
    let message = message.split(" at line ").next().unwrap_or(message);
    let code = match message {
        text if text.starts_with("unknown field") => "unknown_field",
        text if text.starts_with("missing field") => "missing",
        text if text.starts_with("unknown variant") => "unknown_name",
        _ => "wrong_type",
    };
    let named = message.split('`').nth(1).filter(|_| code == "unknown_field" || code == "missing");
    let field = match (path, named) {
        (".", Some(name)) => name.to_owned(),
        (path, Some(name)) if code == "missing" => format!("{path}.{name}"),
        (".", None) => "body".to_owned(),
        (path, _) => path.to_owned(),
    };
    Error::Invalid(vec![FieldError::new(field, code, message)])
}

/// True where a JSON text holds the escape of U+0000, which PostgreSQL cannot store.
pub fn has_nul(text: &str) -> bool {
    text.match_indices("u0000").any(|(at, _)| {
        let slashes = text.as_bytes().iter().take(at).rev().take_while(|byte| **byte == b'\\').count();
        slashes % 2 == 1
    })
}

/// The validator's tree of errors as a list with paths.
pub fn fields(errors: &ValidationErrors) -> Vec<FieldError> {
    fn walk(prefix: &str, errors: &ValidationErrors, out: &mut Vec<FieldError>) {
        for (name, kind) in errors.errors() {
            let path = if prefix.is_empty() { name.to_string() } else { format!("{prefix}.{name}") };
            match kind {
                ValidationErrorsKind::Struct(inner) => walk(&path, inner, out),
                ValidationErrorsKind::List(items) => {
                    for (index, inner) in items {
                        walk(&format!("{path}[{index}]"), inner, out);
                    }
                }
                ValidationErrorsKind::Field(list) => {
                    for error in list {
                        let bound = |name: &str| error.params.get(name).map(ToString::to_string);
                        let message = error.message.as_ref().map_or_else(
                            || match (bound("min"), bound("max")) {
                                (Some(min), Some(max)) => format!("{} must be between {min} and {max}", error.code),
                                (None, Some(max)) => format!("{} must be at most {max}", error.code),
                                (Some(min), None) => format!("{} must be at least {min}", error.code),
                                (None, None) => format!("is not a valid {}", error.code),
                            },
                            ToString::to_string,
                        );
                        out.push(FieldError::new(path.clone(), error.code.to_string(), message));
                    }
                }
            }
        }
    }
    let mut out = Vec::new();
    walk("", errors, &mut out);
    out.sort_by(|a, b| a.field.cmp(&b.field));
    out
}

/// Query parameters: unknown ones are refused, like unknown fields.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned + Validate> FromRequest for Params<T> {
    type Error = Error;
    type Future = Ready<Result<Self>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(params(request.query_string()).map(Self))
    }
}

fn params<T: DeserializeOwned + Validate>(query: &str) -> Result<T> {
    if query.contains("%00") {
        return Err(Error::field("query", "nul_character", "must not contain the character U+0000"));
    }
    let mut seen = std::collections::HashSet::new();
    for (name, _) in form_urlencoded::parse(query.as_bytes()) {
        if !seen.insert(name.clone()) {
            return Err(Error::field(&name, "repeated", "is given more than once"));
        }
    }
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    let value: T = serde_path_to_error::deserialize(pairs).map_err(|error| {
        let path = error.path().to_string();
        refused(&path, &error.into_inner().to_string())
    })?;
    value.validate().map_err(|errors| Error::Invalid(fields(&errors)))?;
    Ok(value)
}

/// An id in the path: what is not a UUID names nothing.
pub struct Id<T>(pub T);

impl<T: std::str::FromStr> FromRequest for Id<T> {
    type Error = Error;
    type Future = Ready<Result<Self>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let text = request.match_info().get("id").unwrap_or("");
        ready(text.parse().map(Self).map_err(|_| Error::NotFound("thing: the id in the path is not a UUID")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_nul_is_seen_and_an_escaped_backslash_is_not_one() {
        for (text, expected) in
            [(r#"{"a":"\u0000"}"#, true), (r#"{"a":"\\u0000"}"#, false), (r#"{"a":"\\\u0000"}"#, true), ("u0000", false)]
        {
            assert_eq!(has_nul(text), expected, "{text}");
        }
    }
}
