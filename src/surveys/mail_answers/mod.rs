//! Answers to a survey's letter that came as mails: read for a number, and counted only once a person has confirmed it.
pub mod api;
pub mod commands;
pub mod model;
mod queries;
mod store;
