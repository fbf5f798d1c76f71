//! HTTP: what comes in, what goes out, who is asking. The domain knows none of it.
pub mod address;
pub mod auth;
pub mod depth;
pub mod extract;
pub mod headers;
pub mod idempotency;
pub mod log;
pub mod openapi;
pub mod ops;
pub mod page;
pub mod patch;
pub mod pattern;
pub mod rate;
pub mod respond;
pub mod text;
