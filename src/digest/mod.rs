//! The weekly digest: what the last week's figures say, by mail to every manager, once a week on however many nodes.
pub mod api;
pub mod commands;
pub mod jobs;
pub mod model;
mod store;
mod templates;
