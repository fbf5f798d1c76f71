//! Agents: the staff of the desk, each with a role.
pub mod api;
mod store;

pub use store::{AgentRow, count, find, find_by_email, insert, is_active, list_all, set_disabled};
