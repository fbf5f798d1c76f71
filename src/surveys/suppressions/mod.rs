//! Suppressions: addresses that refused a survey's letter and are not asked again, until a person lifts it.
pub mod api;
mod store;

pub use store::{is_suppressed, suppress};
