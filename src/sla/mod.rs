//! Promises: policies say what is promised, clocks say to the second whether it was kept.
pub mod alarm;
pub mod alerts;
pub mod api;
pub mod api_sla;
pub mod clock;
pub mod commands;
pub mod corrections;
pub mod dry_run;
pub mod explain;
mod history;
pub mod ladder;
pub mod model;
pub mod moves;
mod policies;
pub mod relay;
pub mod rematch;
mod restart;
mod store;
pub mod wire;

pub use policies::insert_policy;
pub use store::{ClockRow, of_ticket, of_tickets};
