//! Attachments: files that are handed in first and belong to a message afterwards. The bytes are in the depot, all else in rows.
pub mod api;
pub mod commands;
pub mod depot;
pub mod incoming;
pub mod jobs;
pub mod model;
pub mod queries;
pub mod serve;
mod store;
pub mod wire;
