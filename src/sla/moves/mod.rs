//! After an edit of a policy or a calendar: the clocks that run follow it, batch by batch, in a job that can be resumed.
pub mod commands;
pub mod jobs;
mod store;
