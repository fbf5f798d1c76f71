//! Canned replies: texts with variables that agents start their replies from.
pub mod api;
mod store;
pub mod template;
