//! Surveys: after a close its contact is asked one question by mail; every answer is reviewed by a person.
pub mod api;
pub mod causes;
pub mod commands;
mod commands_answer;
mod commands_review;
pub mod followups;
pub mod jobs;
pub mod model;
pub mod pages;
mod queries;
pub mod reminders;
pub mod score;
mod store;
pub mod suppressions;
pub mod templates;
