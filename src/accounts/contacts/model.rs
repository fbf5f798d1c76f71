//! One spelling for e-mail addresses, phone numbers and names. Pure.
use std::collections::HashSet;
use validator::ValidateEmail;

/// Characters of an e-mail address at the most (RFC 5321 leaves 254 between the angle brackets).
pub const EMAIL_MAX: usize = 254;
/// Characters of a name at the most.
pub const NAME_MAX: usize = 200;
/// Digits of an E.164 number, country code included.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// The one spelling of an e-mail address: trimmed and in lower case; `None` for what is not one.
pub fn normal_email(text: &str) -> Option<String> {
    let address = text.trim().to_lowercase();
    // The validator lets anything stand before an address literal, even a line break.
    let is_plain = !address.contains(|c: char| c == '[' || c.is_whitespace() || c.is_control());
    // Nor does it mind dots that RFC 5321 does not allow; mail servers do.
    let has_stray_dot = address.starts_with('.') || address.contains("..") || address.contains(".@");
    (is_plain && !has_stray_dot && address.chars().count() <= EMAIL_MAX && address.validate_email()).then_some(address)
}

/// The E.164 spelling of a phone number with its country code (`+…` or `00…`); `None` for what is not one.
pub fn normal_phone(text: &str) -> Option<String> {
    let plain: String = text.trim().chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
    let digits = plain.strip_prefix('+').or_else(|| plain.strip_prefix("00"))?;
    let is_number =
        PHONE_DIGITS.contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| format!("+{digits}"))
}

/// Spells every entry in the one way and drops those that repeat an earlier one; `Err` is the index of a wrong entry.
pub fn normal_list(entries: &[String], normal: fn(&str) -> Option<String>) -> Result<Vec<String>, usize> {
    let mut list = Vec::with_capacity(entries.len());
    let mut seen = HashSet::new();
    for (index, entry) in entries.iter().enumerate() {
        let spelled = normal(entry).ok_or(index)?;
        if seen.insert(spelled.clone()) {
            list.push(spelled);
        }
    }
    Ok(list)
}

/// A name for someone who just wrote or called: the one they gave, without control characters, or else `fallback`.
pub fn shown_name(given: Option<&str>, fallback: &str) -> String {
    let clean = |text: &str| {
        let plain: String = text.trim().chars().filter(|c| !c.is_control()).take(NAME_MAX).collect();
        plain.trim_end().to_owned()
    };
    given.map(clean).filter(|name| !name.is_empty()).unwrap_or_else(|| clean(fallback))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(normal: fn(&str) -> Option<String>, text: &str, expected: Option<&str>) {
        assert_eq!(normal(text).as_deref(), expected, "{text:?}");
    }

    #[test]
    fn an_address_has_one_spelling() {
        for (text, expected) in [
            ("ada@example.com", Some("ada@example.com")),
            ("  Ada.L@Example.COM\n", Some("ada.l@example.com")),
            ("a+b@mail.example.co.uk", Some("a+b@mail.example.co.uk")),
            ("ada@münchen.example", Some("ada@münchen.example")),
            ("", None),
            ("ada", None),
            ("@example.com", None),
            ("ada@", None),
            ("ada@-example.com", None),
            ("ada@@example.com", None),
            ("ada lovelace@example.com", None),
            ("Ada <ada@example.com>", None),
            ("ada@[192.0.2.1]", None),
            ("ada@example.com\r\nBcc: eve@example.com[192.0.2.1]", None),
            ("ada@example.com\0", None),
        ] {
            check(normal_email, text, expected);
        }
    }

    #[test]
    fn an_address_is_bounded() {
        let labels = |last: usize| format!("ada@{}.{}.{}.{}", "a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(last));
        let longest = labels(58);
        assert_eq!(longest.len(), EMAIL_MAX);
        check(normal_email, &longest, Some(&longest));
        check(normal_email, &labels(59), None);
        check(normal_email, &format!("{}@example.com", "a".repeat(65)), None);
    }

    #[test]
    fn a_number_has_one_spelling() {
        for (text, expected) in [
            ("+14165550100", Some("+14165550100")),
            ("+1 (416) 555-0100", Some("+14165550100")),
            ("001.416.555.0100", Some("+14165550100")),
            ("(00) 49 30 901820", Some("+4930901820")),
            ("+1234567", Some("+1234567")),
            ("+123456789012345", Some("+123456789012345")),
            ("+123456", None),
            ("+1234567890123456", None),
            ("+0123456789", None),
            ("00+14165550100", None),
            ("4165550100", None),
            ("++14165550100", None),
            ("+1416555O100", None),
            ("+١٢٣٤٥٦٧٨", None),
            ("+1416555\t0100", None),
            ("+", None),
            ("", None),
        ] {
            check(normal_phone, text, expected);
        }
    }

    #[test]
    fn a_list_keeps_its_order_and_names_its_first_wrong_entry() {
        let list = |entries: &[&str]| normal_list(&entries.iter().map(|text| text.to_string()).collect::<Vec<_>>(), normal_email);
        assert_eq!(list(&["B@b.co", "a@b.co", "b@b.co "]), Ok(vec!["b@b.co".to_owned(), "a@b.co".to_owned()]));
        assert_eq!(list(&["a@b.co", "x", "y"]), Err(1));
        assert_eq!(list(&[]), Ok(Vec::new()));
    }

    #[test]
    fn a_name_falls_back_and_is_cut() {
        for (given, expected) in [(Some(" Ada\r\n Lovelace "), "Ada Lovelace"), (Some(" \0"), "ada@b.co"), (None, "ada@b.co")] {
            assert_eq!(shown_name(given, "ada@b.co"), expected, "{given:?}");
        }
        assert_eq!(shown_name(Some(&"é".repeat(NAME_MAX + 1)), "x").chars().count(), NAME_MAX);
    }
}
