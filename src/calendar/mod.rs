//! Calendars: when the desk is open. Versions are kept, so that a promise names the hours it ran under.
pub mod api;
pub mod api_exceptions;
pub mod api_import;
pub mod edit;
pub mod hours;
pub mod ics;
mod store;
pub mod wire;

pub use store::{
    Calendar, InForce, default_calendar, find, find_version, find_versions, hours_of, in_force, in_force_of, insert,
};
