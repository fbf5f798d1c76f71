//! Causes: the desk's own list of what reviewers can name behind an answer.
pub mod api;
mod store;

pub use store::check;
