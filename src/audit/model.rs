//! What is kept of a change: only what differs, and nothing that is a secret or mere book-keeping. Pure.
use serde_json::{Map, Value};

/// Fields that say nothing about what somebody did.
const BOOK_KEEPING: [&str; 4] = ["id", "version", "created_at", "updated_at"];
/// Fields that are never kept, wherever they stand.
const SECRET: [&str; 3] = ["secret", "password", "token"];

/// What the audit shows of a thing.
pub fn shown(value: Value) -> Value {
    let Value::Object(fields) = value else { return value };
    Value::Object(
        fields.into_iter().filter(|(name, _)| !BOOK_KEEPING.contains(&name.as_str())).filter_map(without_secrets).collect(),
    )
}

fn without_secrets((name, value): (String, Value)) -> Option<(String, Value)> {
    if SECRET.contains(&name.as_str()) {
        return None;
    }
    let value = match value {
        Value::Object(fields) => Value::Object(fields.into_iter().filter_map(without_secrets).collect()),
        Value::Array(items) => {
            let clean = |item: Value| match item {
                Value::Object(fields) => Value::Object(fields.into_iter().filter_map(without_secrets).collect()),
                other => other,
            };
            Value::Array(items.into_iter().map(clean).collect())
        }
        other => other,
    };
    Some((name, value))
}

/// What differs between two values, on either side; objects are compared field by field. `None` where nothing does.
pub fn difference(before: Value, after: Value) -> Option<(Value, Value)> {
    let (mut old, new) = match (before, after) {
        (before, after) if before == after => return None,
        (Value::Object(old), Value::Object(new)) => (old, new),
        (before, after) => return Some((before, after)),
    };
    let (mut gone, mut come) = (Map::new(), Map::new());
    for (name, value) in new {
        match old.remove(&name) {
            None => {
                come.insert(name, value);
            }
            Some(was) => {
                if let Some((was, is)) = difference(was, value) {
                    gone.insert(name.clone(), was);
                    come.insert(name, is);
                }
            }
        }
    }
    gone.extend(old);
    Some((Value::Object(gone), Value::Object(come)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(before: Value, after: Value, expected: Option<(Value, Value)>) {
        assert_eq!(difference(before, after), expected);
    }

    #[test]
    fn only_what_differs_is_kept() {
        check(json!({ "a": 1 }), json!({ "a": 1 }), None);
        check(json!({ "a": 1, "b": 2 }), json!({ "a": 1, "b": 3 }), Some((json!({ "b": 2 }), json!({ "b": 3 }))));
        check(json!({ "a": 1 }), json!({ "b": 1 }), Some((json!({ "a": 1 }), json!({ "b": 1 }))));
        check(json!({ "a": null }), json!({ "a": [] }), Some((json!({ "a": null }), json!({ "a": [] }))));
        check(
            json!({ "d": { "x": { "2026-12-25": 1, "2026-12-26": 2 }, "zone": "UTC" } }),
            json!({ "d": { "x": { "2026-12-26": 3 }, "zone": "UTC" } }),
            Some((json!({ "d": { "x": { "2026-12-25": 1, "2026-12-26": 2 } } }), json!({ "d": { "x": { "2026-12-26": 3 } } }))),
        );
        check(json!([1, 2]), json!([2, 1]), Some((json!([1, 2]), json!([2, 1]))));
    }

    #[test]
    fn secrets_and_book_keeping_are_left_out() {
        let row = json!({ "id": 1, "version": 2, "name": "x", "secret": "s", "in": { "password": "p", "id": 3 }, "list": [{ "token": "t", "a": 1 }] });
        assert_eq!(shown(row), json!({ "name": "x", "in": { "id": 3 }, "list": [{ "a": 1 }] }));
        assert_eq!(shown(json!(5)), json!(5));
    }
}
