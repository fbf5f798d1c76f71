//! Tickets: one request of a contact, from its receipt to its close, with messages, promises and history.
pub mod api;
pub mod api_messages;
pub mod bulk;
pub mod commands;
pub mod commands_calls;
pub mod commands_chats;
pub mod commands_import;
pub mod commands_intake;
pub mod commands_mail;
pub mod dry_run;
pub mod model;
pub mod queries;
pub mod related;
pub mod search;
mod store;
mod store_calls;
mod store_chats;
mod tags;
pub mod wire;
pub mod wire_promises;
pub mod wire_verbs;

pub use api::{TicketParams, page_of};
pub use store::MessageRow as Message;
pub use wire::TicketOut;
