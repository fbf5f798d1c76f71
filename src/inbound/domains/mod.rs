//! Mail domains of organizations: who writes from one of them for the first time belongs to that organization.
pub mod api;
pub mod model;
mod store;

pub use store::organization_of;
