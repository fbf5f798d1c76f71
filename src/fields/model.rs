//! What a custom field may hold: each type's values, each in one spelling. Pure.
use chrono::NaiveDate;
use serde_json::{Map, Number, Value};

/// The longest text, in characters.
pub const TEXT_MAX: usize = 500;
/// The longest key, in characters.
pub const KEY_MAX: usize = 50;
/// Whole numbers up to here are the same as a float and as an integer.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

names! {
    /// What a field holds.
    pub enum FieldKind {
        /// A text of 1 to 500 characters.
        Text = "text",
        /// A number.
        Number = "number",
        /// Yes or no.
        Boolean = "boolean",
        /// A day, such as 2026-12-25.
        Date = "date",
        /// One of the options.
        Choice = "choice",
    }
}

/// The values of a ticket by their keys.
pub type Values = Map<String, Value>;

/// Why a value or a filter is refused: a stable word and a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(pub &'static str, pub String);

fn refused<T>(code: &'static str, message: impl Into<String>) -> Result<T, Refused> {
    Err(Refused(code, message.into()))
}

/// A key is 1 to 50 small letters, digits and underscores, and begins with a letter.
pub fn is_key(text: &str) -> bool {
    (1..=KEY_MAX).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn number(number: &Number) -> Result<(Value, String), Refused> {
    let as_float = number.as_f64().filter(|float| float.is_finite());
    let exact = number.as_i64().or_else(|| as_float.filter(|f| f.fract() == 0.0 && f.abs() < EXACT_MAX).map(|f| f as i64));
    match (exact, as_float.and_then(Number::from_f64)) {
        (Some(whole), _) => Ok((whole.into(), whole.to_string())),
        (None, Some(float)) => Ok((Value::Number(float.clone()), float.to_string())),
        (None, None) => refused("wrong_type", "is out of range"),
    }
}

/// A value as it is kept, and its one spelling for filters.
pub fn value(kind: FieldKind, options: &[String], said: &Value) -> Result<(Value, String), Refused> {
    match (kind, said) {
        (FieldKind::Text, Value::String(text)) => {
            if !(1..=TEXT_MAX).contains(&text.chars().count()) || text.trim() != text {
                return refused("text", format!("must be 1 to {TEXT_MAX} characters without spaces at the ends"));
            }
            Ok((said.clone(), text.clone()))
        }
        (FieldKind::Number, Value::Number(said)) => number(said),
        (FieldKind::Boolean, Value::Bool(yes)) => Ok((said.clone(), yes.to_string())),
        (FieldKind::Date, Value::String(text)) => match text.parse::<NaiveDate>() {
            Ok(on) if on.to_string() == *text => Ok((said.clone(), text.clone())),
            _ => refused("date", "must be a day such as 2026-12-25"),
        },
        (FieldKind::Choice, Value::String(text)) => {
            if options.contains(text) {
                return Ok((said.clone(), text.clone()));
            }
            refused("unknown_option", format!("must be one of: {}", options.join(", ")))
        }
        (FieldKind::Text | FieldKind::Date | FieldKind::Choice, _) => refused("wrong_type", "must be a string"),
        (FieldKind::Number, _) => refused("wrong_type", "must be a number"),
        (FieldKind::Boolean, _) => refused("wrong_type", "must be true or false"),
    }
}

/// The spelling of a value that a filter names as text. An option need not be there any more: old tickets may still have it.
pub fn spelled(kind: FieldKind, text: &str) -> Result<String, Refused> {
    let said = match kind {
        FieldKind::Choice => return Ok(text.to_owned()),
        FieldKind::Text | FieldKind::Date => Value::String(text.to_owned()),
        FieldKind::Number => match serde_json::from_str(text) {
            Ok(Value::Number(number)) => Value::Number(number),
            _ => return refused("wrong_type", format!("{text:?} is not a number")),
        },
        FieldKind::Boolean => match text.parse() {
            Ok(yes) => Value::Bool(yes),
            Err(_) => return refused("wrong_type", format!("{text:?} is not true or false")),
        },
    };
    value(kind, &[], &said).map(|(_, spelled)| spelled)
}

/// What a filter asks of one field: its key, and its value; none where it is to be empty.
pub type Wanted = (String, Option<String>);

/// Reads a filter: `region:EU,tier:gold`. A comma or backslash in a value has a backslash before it; nothing after the colon asks
/// for tickets without a value.
///
/// ```
/// use deskbell::fields::model::filters;
/// let wanted = filters(r"region:EU,firm:Nord\, Wind,tier:").unwrap();
/// assert_eq!(wanted[1], ("firm".to_owned(), Some("Nord, Wind".to_owned())));
/// assert_eq!(wanted[2], ("tier".to_owned(), None));
/// ```
pub fn filters(text: &str) -> Result<Vec<Wanted>, Refused> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, parts.last_mut()) {
            (',', _) => parts.push(String::new()),
            ('\\', Some(part)) => part.extend(chars.next()),
            (c, Some(part)) => part.push(c),
            (_, None) => {}
        }
    }
    let mut wanted: Vec<Wanted> = Vec::new();
    for part in parts {
        let Some((key, value)) = part.split_once(':').filter(|(key, _)| is_key(key)) else {
            return refused("field_filter", "must be KEY:VALUE, several separated by commas");
        };
        if wanted.iter().any(|(known, _)| known == key) {
            return refused("repeated", format!("{key:?} is named twice"));
        }
        wanted.push((key.to_owned(), Some(value.to_owned()).filter(|value| !value.is_empty())));
    }
    Ok(wanted)
}

/// Keys that a ticket needs before it is closed and has no value for.
pub fn missing<'a>(required: &'a [String], values: &Values) -> Vec<&'a str> {
    required.iter().map(String::as_str).filter(|key| !values.contains_key(*key)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn options() -> Vec<String> {
        vec!["EU".to_owned(), "US".to_owned()]
    }

    #[track_caller]
    fn kept(kind: FieldKind, said: Value, as_it_is: Value, spelling: &str) {
        assert_eq!(value(kind, &options(), &said), Ok((as_it_is, spelling.to_owned())), "{kind} {said}");
        assert_eq!(spelled(kind, spelling).as_deref(), Ok(spelling), "a filter spells {kind} {said} the same");
    }

    #[track_caller]
    fn not_kept(kind: FieldKind, said: Value, code: &str) {
        assert_eq!(value(kind, &options(), &said).map_err(|refused| refused.0), Err(code), "{kind} {said}");
    }

    #[test]
    fn each_type_keeps_its_own_values_in_one_spelling() {
        kept(FieldKind::Text, json!("Grün, 7"), json!("Grün, 7"), "Grün, 7");
        kept(FieldKind::Number, json!(7), json!(7), "7");
        kept(FieldKind::Number, json!(7.0), json!(7), "7");
        kept(FieldKind::Number, json!(-0.0), json!(0), "0");
        kept(FieldKind::Number, json!(-1.5), json!(-1.5), "-1.5");
        kept(FieldKind::Number, json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_993_i64), "9007199254740993");
        kept(FieldKind::Boolean, json!(false), json!(false), "false");
        kept(FieldKind::Date, json!("2024-02-29"), json!("2024-02-29"), "2024-02-29");
        kept(FieldKind::Choice, json!("EU"), json!("EU"), "EU");
        for (kind, said, code) in [
            (FieldKind::Text, json!(""), "text"),
            (FieldKind::Text, json!(" a"), "text"),
            (FieldKind::Text, json!("x".repeat(501)), "text"),
            (FieldKind::Text, json!(7), "wrong_type"),
            (FieldKind::Number, json!("7"), "wrong_type"),
            (FieldKind::Boolean, json!("true"), "wrong_type"),
            (FieldKind::Boolean, json!(1), "wrong_type"),
            (FieldKind::Date, json!("2025-02-29"), "date"),
            (FieldKind::Date, json!("2025-2-9"), "date"),
            (FieldKind::Date, json!(20_250_209), "wrong_type"),
            (FieldKind::Choice, json!("Mars"), "unknown_option"),
            (FieldKind::Choice, json!(["EU"]), "wrong_type"),
        ] {
            not_kept(kind, said, code);
        }
    }

    #[test]
    fn numbers_that_are_the_same_are_spelled_the_same() {
        for text in ["7", "7.0", "0.7e1", "70e-1"] {
            assert_eq!(spelled(FieldKind::Number, text).as_deref(), Ok("7"), "{text}");
        }
        assert!(spelled(FieldKind::Number, "seven").is_err() && spelled(FieldKind::Number, "1e999").is_err());
    }

    #[test]
    fn a_filter_is_read_or_refused() {
        let wanted = |text| filters(text).map_err(|refused| refused.0);
        let pair = |key: &str, value: Option<&str>| (key.to_owned(), value.map(str::to_owned));
        assert_eq!(wanted("a:b:c,d_1:"), Ok(vec![pair("a", Some("b:c")), pair("d_1", None)]));
        assert_eq!(wanted(r"a:\\\,b"), Ok(vec![pair("a", Some(r"\,b"))]));
        for (text, code) in [
            ("", "field_filter"),
            ("a", "field_filter"),
            ("A:b", "field_filter"),
            (":b", "field_filter"),
            ("a:b,", "field_filter"),
            ("a:b,a:c", "repeated"),
        ] {
            assert_eq!(wanted(text), Err(code), "{text}");
        }
    }

    #[test]
    fn a_key_is_short_and_plain() {
        for (key, is_good) in
            [("a", true), ("region_2", true), ("2a", false), ("_a", false), ("Region", false), ("a-b", false), ("", false)]
        {
            assert_eq!(is_key(key), is_good, "{key}");
        }
        assert!(is_key(&"a".repeat(50)) && !is_key(&"a".repeat(51)));
    }
}
