//! Reminders: where the desk wants it, a survey without an answer is followed by one more letter, and never by a third.
pub mod commands;
mod store;

pub use store::{find_by_token, find_by_unsubscribe};
