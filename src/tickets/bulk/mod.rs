//! The same verbs on up to a hundred tickets in one request, each with a result of its own.
pub mod api;
pub mod commands;
pub mod wire;
