//! Tickets: one request of a contact, from its receipt to its close, with messages, promises and history.
pub mod api;
pub mod api_messages;
pub mod commands;
pub mod commands_calls;
pub mod commands_intake;
pub mod model;
pub mod queries;
mod store;
mod store_calls;
pub mod wire;

pub use store::MessageRow as Message;
