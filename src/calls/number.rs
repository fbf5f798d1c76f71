//! Numbers as phone systems write them: one spelling, shared with the contacts. Pure.
use crate::accounts::contacts::model::normal_phone;
use phonenumber::country::Id as Country;

/// Where national numbers are read, or an error for what names no country.
pub fn country(code: &str) -> Option<Country> {
    code.parse().ok()
}

/// The E.164 spelling of a number with its country code, or of a national one of `home`; `None` for what is no number
/// (`anonymous`, `Restricted`, an internal extension).
pub fn normal(text: &str, home: &str) -> Option<String> {
    let text = text.trim().trim_start_matches("tel:").trim_start_matches("sip:");
    let text = text.split(['@', ';']).next().unwrap_or_default();
    if let Some(number) = normal_phone(text) {
        return Some(number);
    }
    if text.len() > 40 || !text.bytes().any(|byte| byte.is_ascii_digit()) || text.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    let parsed = phonenumber::parse(country(home), text).ok()?;
    if !phonenumber::is_valid(&parsed) {
        return None;
    }
    normal_phone(&parsed.format().mode(phonenumber::Mode::E164).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_the_spelling_that_contacts_have() {
        for (text, home, expected) in [
            ("+14165550100", "CA", Some("+14165550100")),
            ("tel:+1 416 555 0100", "DE", Some("+14165550100")),
            ("sip:+14165550100@pbx.example;user=phone", "DE", Some("+14165550100")),
            ("0014165550100", "DE", Some("+14165550100")),
            ("(416) 967-1111", "CA", Some("+14169671111")),
            ("030 23125000", "DE", Some("+493023125000")),
            ("201", "CA", None),
            ("anonymous", "CA", None),
            ("Restricted", "CA", None),
            ("", "CA", None),
            ("+", "CA", None),
            ("٠٣٠٢٣١٢٥٠٠٠", "DE", None),
        ] {
            assert_eq!(normal(text, home).as_deref(), expected, "{text:?} in {home}");
        }
    }
}
