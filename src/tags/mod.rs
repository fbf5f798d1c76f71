//! Tags over all tickets: which there are, and renaming and merging them everywhere at once.
pub mod api;
mod store;
