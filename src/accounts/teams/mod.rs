//! Teams: departments of the desk, each with its members and, where it keeps its own hours, a calendar.
pub mod api;
mod store;

pub use store::find_by_name;
pub use store::{Team, TeamRow, calendar_of, find, insert};
