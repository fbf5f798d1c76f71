//! The live stream: what happens on the desk, told to agents as it is written, each event once and in order.
//!
//! One loop on each node ([`reader`]) reads the rows of history below a horizon, as webhooks do, and hands each batch, rendered
//! once, to all who listen there (`hub`). Verbs know nothing of it: a commit wakes the loop, and nothing else.
pub mod api;
mod follower;
mod horizon;
mod hub;
mod listener;
pub mod model;
mod queries;
pub mod reader;

pub use follower::{Follower, Heard};
pub use hub::Hub;
pub use queries::{Batch, Told};
