//! API tokens: shown once, stored as a hash, scoped, expiring, revocable.
pub mod api;
mod store;

pub use store::{NewToken, TokenRow, create, find_caller, list, note_uses, revoke, working};
