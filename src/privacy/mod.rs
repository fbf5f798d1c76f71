//! One person's data: handing all of it out, and erasing it while every figure stays.
pub mod api;
pub mod commands;
pub mod jobs;
pub mod mentions;
pub mod model;
mod queries;
mod queries_surveys;
mod store;
mod store_inbound;
mod store_mentions;
