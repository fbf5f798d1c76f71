//! Mails for tests and benches: a corpus in `fixtures`, and the worst that can come.
pub mod worst;
