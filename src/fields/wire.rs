//! Values of custom fields in the description of the API.
use serde::Serialize;

/// A value of a custom field, as its type says.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum FieldValue {
    /// A text, an option, or a day such as 2026-12-25.
    Text(String),
    /// A number.
    Number(f64),
    /// Yes or no.
    Boolean(bool),
    /// Empty: only in what is sent.
    Empty,
}
