//! Contacts: the people on the other side of the desk, known by their addresses and numbers.
pub mod api;
pub mod model;
mod store;
pub mod wire;

pub use store::{Contact, update};
pub use store::{
    LANGUAGE_DEFAULT, NewContact, Person, find_by_email, find_by_phone, find_or_create_by_email, find_or_create_by_phone,
    find_person, insert, lock, primary_email, stop_surveys,
};
