//! Tickets that belong together: links between them, and merges that can be undone.
pub mod api;
pub mod commands;
pub mod model;
pub mod queries;
mod store;
pub mod wire;
