//! Who is on both sides of the desk: organizations and contacts, agents and teams, and the tokens that let them in.
pub mod agents;
pub mod caller;
pub mod contacts;
pub mod organizations;
pub mod rights;
pub mod teams;
pub mod tokens;
