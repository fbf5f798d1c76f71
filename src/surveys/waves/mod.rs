//! Waves of relationship surveys: once a quarter a frozen sample of contacts is asked about the company as a whole.
pub mod api;
pub mod commands;
pub mod jobs;
pub mod model;
pub mod queries;
mod store;
mod wire;
