//! Tickets: one request of a contact, from its receipt to its close, with messages, promises and history.
pub mod api;
pub mod api_messages;
pub mod commands;
pub mod commands_intake;
pub mod model;
pub mod queries;
mod store;
mod tags;
pub mod wire;
pub mod wire_promises;
pub mod wire_verbs;

pub use api::{TicketParams, page_of};
pub use store::MessageRow as Message;
pub use wire::TicketOut;
