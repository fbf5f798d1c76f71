//! Follow-ups: whoever would not recommend the desk is spoken to, by an owner, within a time, to a named outcome.
pub mod api;
pub mod commands;
pub mod model;
mod queries;
mod store;

pub use store::is_followup;
