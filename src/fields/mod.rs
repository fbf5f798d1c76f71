//! Custom fields: what a desk wants to know of its tickets beside what every ticket has.
pub mod api;
pub mod known;
pub mod model;
mod store;
pub mod values;
pub mod wire;
