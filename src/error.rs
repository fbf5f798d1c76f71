//! What can go wrong, in the caller's terms. Knows no HTTP.
use diesel::result::{DatabaseErrorKind, Error as Diesel};

/// The result of everything that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One field of the input that was refused.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// Where: `emails[0]`, `targets[1].seconds`.
    #[schema(examples("seconds"))]
    pub field: String,
    /// A stable word for machines.
    #[schema(examples("range"))]
    pub code: String,
    /// A sentence for people.
    #[schema(examples("must be between 1 and 31536000"))]
    pub message: String,
}

impl FieldError {
    /// A refusal of one field.
    pub fn new(field: impl Into<String>, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), code: code.into(), message: message.into() }
    }

    /// The same refusal, seen from the body that the part is in.
    #[must_use]
    pub fn within(mut self, part: &str) -> Self {
        self.field = format!("{part}.{}", self.field);
        self
    }
}

/// Why a request, a job or a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No valid token came with the request.
    #[error("{0}")]
    Unauthorized(&'static str),
    /// The caller is known and may not do this.
    #[error("{message}")]
    Forbidden {
        /// Stable word.
        code: &'static str,
        /// Sentence.
        message: String,
    },
    /// The named thing does not exist.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The input cannot be read at all.
    #[error("{message}")]
    Malformed {
        /// Stable word.
        code: &'static str,
        /// Sentence.
        message: String,
    },
    /// Fields of the input are wrong.
    #[error("the input has errors")]
    Invalid(Vec<FieldError>),
    /// The thing is in a state that does not allow this, or such a thing exists already.
    #[error("{message}")]
    Conflict {
        /// Stable word.
        code: &'static str,
        /// Sentence.
        message: String,
    },
    /// `If-Match` named a version that is no longer the current one.
    #[error("it was changed since: the current version is {current}")]
    Stale {
        /// The version now.
        current: i32,
    },
    /// The same idempotency key came with another request.
    #[error("this Idempotency-Key was used for another request")]
    KeyReused,
    /// Two requests with one idempotency key ran at once; the loser reads the winner's answer.
    #[error("a request with this Idempotency-Key is being answered")]
    KeyBusy,
    /// It was there, and is no longer.
    #[error("{0}")]
    Gone(&'static str),
    /// The body is larger than allowed.
    #[error("the body is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// The body is not of a type that is read here.
    #[error("the body must be {0}")]
    MediaType(&'static str),
    /// The path exists, the method does not.
    #[error("this method is not allowed here")]
    MethodNotAllowed(String),
    /// The caller asks too often.
    #[error("too many requests: wait {retry_after_seconds} s")]
    TooMany {
        /// Requests allowed in a minute.
        limit: u32,
        /// When to come back.
        retry_after_seconds: u64,
    },
    /// The database cannot be used now: locked, full, gone, too busy.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// Our fault; the text is for the log alone.
    #[error("internal error: {0}")]
    Internal(String),
}

impl Error {
    /// Our fault, with what the log should say.
    pub fn internal(text: impl Into<String>) -> Self {
        Self::Internal(text.into())
    }

    /// One wrong field.
    pub fn field(field: &str, code: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(field, code, message)])
    }

    /// The state does not allow it.
    pub fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::Conflict { code, message: message.into() }
    }

    /// The caller may not do this.
    pub fn forbidden(code: &'static str, message: impl Into<String>) -> Self {
        Self::Forbidden { code, message: message.into() }
    }
}

/// Words of SQLite's and PostgreSQL's messages that mean "not now" and not "our fault".
const PASSING: [&str; 11] = [
    // SQLite rolled the whole transaction back by itself: the disk is full or failing.
    "no such savepoint",
    "no transaction is active",
    "deadlock detected",
    "database is locked",
    "database or disk is full",
    "disk I/O error",
    "unable to open database",
    "No space left",
    "could not extend file",
    "the database system is",
    "terminating connection",
];

impl From<Diesel> for Error {
    fn from(error: Diesel) -> Self {
        let text = error.to_string();
        let passing = match &error {
            Diesel::DatabaseError(
                DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::UnableToSendCommand
                | DatabaseErrorKind::SerializationFailure,
                _,
            ) => true,
            Diesel::BrokenTransactionManager => true,
            _ => PASSING.iter().any(|words| text.contains(words)),
        };
        if passing { Self::Unavailable(text) } else { Self::Internal(text) }
    }
}

impl From<diesel::ConnectionError> for Error {
    fn from(error: diesel::ConnectionError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Internal(format!("json: {error}"))
    }
}

impl From<crate::names::UnknownName> for Error {
    fn from(error: crate::names::UnknownName) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<rand::rngs::SysError> for Error {
    fn from(error: rand::rngs::SysError) -> Self {
        Self::Internal(format!("randomness: {error}"))
    }
}
