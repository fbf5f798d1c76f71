//! Promises: policies say what is promised, clocks say to the second whether it was kept.
pub mod alarm;
pub mod api;
pub mod clock;
pub mod commands;
pub mod corrections;
pub mod model;
mod policies;
pub mod relay;
pub mod rematch;
mod store;
pub mod wire;

pub use policies::insert_policy;
pub use store::{ClockRow, of_ticket, of_tickets};
