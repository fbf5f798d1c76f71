//! Presence: who is available, away or offline, for as long as a stream of theirs lives; and an alarm where nobody is.
//!
//! An agent says it; the desk takes it back when the last stream of theirs has died, on whatever node it was ([`model`] says
//! when). Each node holds a lease on its streams, so that a killed one does not keep agents present.
pub mod api;
pub mod commands;
pub mod commands_alarms;
pub mod jobs;
pub mod model;
pub mod queries;
pub mod queries_alarms;
mod store;
mod store_alarms;
