//! Chats: a visitor of a site asks, the agents who are free are rung at once, one takes it; what is said are messages of a ticket.
//!
//! Verbs ([`commands`], [`commands_offers`]) are asked by sockets ([`socket`]), by `/chats` and by the clock ([`jobs`]). A socket hears of
//! what others wrote through the live stream's reader, on whatever node they wrote it, and reads it from the rows by its number.
pub mod api;
pub mod commands;
pub mod commands_ends;
pub mod commands_files;
pub mod commands_offers;
pub mod files;
pub mod identity;
pub mod jobs;
pub mod model;
pub mod pages;
pub mod queries;
mod rooms;
pub mod socket;
mod socket_line;
mod socket_staff;
mod socket_talk;
mod store;
mod store_typing;
mod typing;
pub mod wire;
pub mod wire_socket;

pub use rooms::Rooms;
pub use store::ChatRow;
