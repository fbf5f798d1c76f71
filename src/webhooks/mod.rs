//! Webhooks: events handed to other systems, signed (Standard Webhooks), tried again, and never sent into a private network.
//!
//! `fan_out` reads the events that were written since it last looked and writes one delivery for each webhook that asks for
//! the topic; [`jobs`] claims the webhooks that have something due and sends. Verbs on tickets know nothing of it.
pub mod address;
pub mod api;
pub mod api_deliveries;
mod fan_out;
pub mod jobs;
pub mod model;
mod send;
pub mod sign;
mod store;

pub use send::Sender;
pub use store::forget;
