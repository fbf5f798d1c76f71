//! From an error to an answer: the only table of status codes. Problems are RFC 9457.
use crate::error::{Error, FieldError};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};

/// `application/problem+json`.
pub const PROBLEM: &str = "application/problem+json";
/// What a client is told when we are at fault.
const OUR_FAULT: &str = "something went wrong on our side; it has been logged";

/// The body of every error answer (RFC 9457).
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the code says what happened.
    #[serde(rename = "type")]
    #[schema(examples("about:blank"))]
    pub kind: &'static str,
    /// The status in words.
    #[schema(examples("Unprocessable Entity"))]
    pub title: &'static str,
    /// The HTTP status.
    #[schema(examples(422))]
    pub status: u16,
    /// A stable word for machines.
    #[schema(examples("invalid_input"))]
    pub code: &'static str,
    /// What happened, for people.
    #[schema(examples("the input has errors"))]
    pub detail: String,
    /// The fields that were refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

fn row(error: &Error) -> (StatusCode, &'static str) {
    match error {
        Error::Unauthorized(_) => (StatusCode::UNAUTHORIZED, "unauthorized"),
        Error::Forbidden { code, .. } => (StatusCode::FORBIDDEN, code),
        Error::NotFound(_) => (StatusCode::NOT_FOUND, "not_found"),
        Error::Malformed { code, .. } => (StatusCode::BAD_REQUEST, code),
        Error::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_input"),
        Error::Conflict { code, .. } => (StatusCode::CONFLICT, code),
        Error::Stale { .. } => (StatusCode::PRECONDITION_FAILED, "stale_version"),
        Error::KeyReused => (StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused"),
        Error::KeyBusy => (StatusCode::CONFLICT, "idempotency_key_busy"),
        Error::Gone(_) => (StatusCode::GONE, "gone"),
        Error::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
        Error::MediaType(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
        Error::MethodNotAllowed(_) => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
        Error::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"),
        Error::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        Error::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
    }
}

impl Problem {
    /// What a client is told of an error; ours are logged.
    pub fn of(error: &Error) -> Self {
        let (status, code) = row(error);
        let detail = match error {
            Error::Internal(text) => {
                tracing::error!(error = %text, "internal error");
                OUR_FAULT.to_owned()
            }
            Error::Unavailable(text) => {
                tracing::warn!(error = %text, "unavailable");
                "the desk cannot do this right now (the database is busy, full or away); try again".to_owned()
            }
            other => other.to_string(),
        };
        let errors = match error {
            Error::Invalid(fields) => fields.clone(),
            _ => Vec::new(),
        };
        let title = status.canonical_reason().unwrap_or("Error");
        Self { kind: "about:blank", title, status: status.as_u16(), code, detail, errors }
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        row(self).0
    }

    fn error_response(&self) -> HttpResponse {
        let problem = Problem::of(self);
        let status = self.status_code();
        let mut answer = HttpResponse::build(status);
        answer.insert_header((header::CONTENT_TYPE, PROBLEM));
        match self {
            Error::Unauthorized(_) => {
                answer.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
            }
            Error::MethodNotAllowed(allowed) => {
                answer.insert_header((header::ALLOW, allowed.as_str()));
            }
            Error::TooMany { limit, retry_after_seconds } => {
                answer.insert_header((header::RETRY_AFTER, retry_after_seconds.to_string()));
                answer.insert_header(("ratelimit-limit", limit.to_string()));
                answer.insert_header(("ratelimit-remaining", "0"));
                answer.insert_header(("ratelimit-reset", retry_after_seconds.to_string()));
            }
            Error::Unavailable(_) => {
                answer.insert_header((header::RETRY_AFTER, "1"));
            }
            _ => {}
        }
        answer.json(problem)
    }
}

/// The ETag of a version.
pub fn etag(version: i32) -> String {
    format!("\"{version}\"")
}
