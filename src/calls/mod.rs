//! Calls: what a phone system reports, folded into what happened, and what the desk owes for it.
pub mod api;
pub mod commands;
pub mod hooks;
pub mod model;
pub mod number;
pub mod queries;
mod store;
pub mod twilio;
pub mod wire;

pub use store::CallRow;
