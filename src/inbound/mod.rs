//! Mail coming in: stored byte by byte first ([`commands`]), then read ([`parse()`]), routed ([`route::route`]) and filed
//! ([`commands_filing`]) by a job. What a mail says and where it belongs is pure; the rest is the ways in and the rows.
pub mod api;
mod bounce;
pub mod commands;
mod commands_agents;
pub mod commands_filing;
mod commands_known;
pub mod commands_reports;
mod decode;
pub mod deliver;
pub mod domains;
mod flood;
mod head;
pub mod html;
pub mod imap;
mod imap_session;
pub mod jobs;
pub mod keys;
pub mod lmtp;
mod machine;
pub mod mailboxes;
mod mime;
pub mod model;
pub mod origin;
mod parse;
#[cfg(test)]
mod parse_tests;
mod people;
mod proof;
pub mod queries;
pub mod queries_sending;
pub mod quote;
mod quote_words;
mod received;
pub mod route;
#[cfg(test)]
mod route_tests;
pub mod shown;
pub mod smtp_words;
mod store;
pub mod taking;
pub mod token;
pub mod wire;
mod words;

pub use model::{Envelope, Parsed};
pub use parse::parse;
