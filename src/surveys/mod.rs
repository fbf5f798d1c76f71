//! Surveys: after a close its contact is asked one question by mail; every answer is reviewed by a person.
pub mod api;
pub mod commands;
pub mod commands_merged;
pub mod jobs;
pub mod model;
pub mod pages;
mod queries;
pub mod score;
mod store;
pub mod templates;
