//! Alerts: warnings and breaches that people have to hear of, told up a ladder until somebody acknowledges them.
pub mod api;
pub mod api_letters;
pub mod commands;
pub mod jobs;
mod letter;
mod queries;
mod store;
