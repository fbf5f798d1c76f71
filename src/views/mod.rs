//! Saved views: filters of the list of tickets under a name, for oneself, a team or everyone.
pub mod api;
pub mod model;
mod store;
