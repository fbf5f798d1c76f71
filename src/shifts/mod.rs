//! Shifts: the plan of who is on duty, by weekly pattern, and where it leaves open hours without anybody.
pub mod api;
pub mod commands;
pub mod model;
pub mod queries;
mod store;
pub mod wire;
