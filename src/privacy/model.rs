//! What is left of a person's words: what counts stays, what tells of them goes. Pure.
use chrono::DateTime;
use serde_json::Value;
use uuid::Uuid;

/// What stands where something was erased.
pub const ERASED: &str = "(erased)";
/// What an erased contact is called.
pub const NAME: &str = "Erased contact";
/// Where their letters went.
pub const ADDRESS: &str = "erased@invalid";
/// Tickets of one contact that are erased in one transaction.
pub const TICKETS_MAX: usize = 2_000;

/// Fields of history in which people write freely, or are named.
const FREE: [&str; 12] =
    ["subject", "note", "name", "email", "emails", "phone", "phones", "body", "comment", "error", "file_name", "fields"];
/// The longest word that the desk itself uses in history.
const WORD_MAX: usize = 40;

/// Whether a text is one of the desk's own: an id, an instant, or one of its words such as `first_response`.
fn is_own(text: &str) -> bool {
    let is_word = text.len() <= WORD_MAX && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    is_word || Uuid::try_parse(text).is_ok() || DateTime::parse_from_rfc3339(text).is_ok()
}

/// What history may keep: numbers, ids, instants and the desk's own words.
pub fn scrubbed(value: Value) -> Value {
    within(value, false)
}

fn within(value: Value, is_free: bool) -> Value {
    match value {
        Value::String(text) if is_free || !is_own(&text) => Value::String(ERASED.to_owned()),
        Value::Array(items) => Value::Array(items.into_iter().map(|item| within(item, is_free)).collect()),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| {
                let is_free = is_free || FREE.contains(&name.as_str());
                (name, within(value, is_free))
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other,
    }
}

/// A pattern of `LIKE` that finds a text anywhere.
pub fn anywhere(text: &str) -> String {
    format!("%{text}%")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn history_keeps_what_counts_and_forgets_what_people_wrote() {
        let id = "01993a00-0000-7000-8000-000000000001";
        for (before, after) in [
            (json!({ "close_number": 2, "outcome": "sent" }), json!({ "close_number": 2, "outcome": "sent" })),
            (json!({ "message_id": id, "mail_id": null }), json!({ "message_id": id, "mail_id": null })),
            (json!({ "received_at": "2026-06-10T14:00:00Z" }), json!({ "received_at": "2026-06-10T14:00:00Z" })),
            (
                json!({ "subject": { "before": "help", "after": "Ana called" } }),
                json!({ "subject": { "before": ERASED, "after": ERASED } }),
            ),
            (json!({ "fields": { "wish": { "after": "grapes" } } }), json!({ "fields": { "wish": { "after": ERASED } } })),
            (
                json!({ "from": "2026-06-10T14:00:00Z", "to": "+14165550177" }),
                json!({ "from": "2026-06-10T14:00:00Z", "to": ERASED }),
            ),
            (json!({ "error": "550 <ana@nordwind.example>" }), json!({ "error": ERASED })),
            (json!({ "said": ["Ana Castro", "open"] }), json!({ "said": [ERASED, "open"] })),
            (
                json!({ "fields": { "domain": { "after": "nordwind.example" } } }),
                json!({ "fields": { "domain": { "after": ERASED } } }),
            ),
            (json!([1, 2.5, true, null]), json!([1, 2.5, true, null])),
        ] {
            assert_eq!(scrubbed(before.clone()), after, "{before}");
            assert_eq!(scrubbed(after.clone()), after, "a second time changes nothing");
        }
    }
}
