//! Text search over subjects and messages: one document of words for each message, with the subject in front.
pub mod index;
pub mod mark;
pub mod queries;
mod queries_sql;
pub mod query;
pub mod wire;
pub mod words;
