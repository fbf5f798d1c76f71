//! Organizations: reseller accounts, known by the company's own account id.
pub mod api;
mod store;

pub use store::{OrganizationRow, find, insert, update};
