//! Where a text names a person's address or number exactly, and the text without it. Pure.
use super::model::ERASED;
use serde_json::Value;

/// Digits of a national number from which on it is one person's, wherever it stands.
const NATIONAL_MIN: usize = 8;
/// Characters that may stand between two digits of one number.
const BETWEEN_MAX: usize = 3;

/// Addresses and numbers that are looked for.
#[derive(Debug, Clone, Default)]
pub struct Sought {
    /// In lower case.
    addresses: Vec<Vec<char>>,
    /// As digits, the longest spelling first.
    numbers: Vec<Vec<char>>,
    patterns: Vec<String>,
}

/// The spellings of an E.164 number: with its country code, with 00 before it, and as it is dialled at home.
fn spellings(number: &str) -> (Vec<String>, String) {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let parsed = phonenumber::parse(None, number).ok();
    let national = parsed.map(|parsed| {
        let national = parsed.national();
        format!("{}{}", "0".repeat(usize::from(national.zeros())), national.value())
    });
    let mut found = vec![format!("00{digits}"), digits.clone()];
    let Some(national) = national.filter(|national| national.len() >= NATIONAL_MIN && digits.ends_with(national.as_str())) else {
        return (found, digits);
    };
    found.extend([format!("0{national}"), national.clone()]);
    (found, national)
}

fn is_between(c: char) -> bool {
    matches!(c, ' ' | '.' | '-' | '(' | ')' | '/' | '\u{a0}')
}

impl Sought {
    /// From addresses (`ana@nordwind.example`) and E.164 numbers (`+14165550177`); anything else is passed over.
    pub fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let mut sought = Self::default();
        let (addresses, others): (Vec<&str>, Vec<&str>) = words.into_iter().partition(|word| word.contains('@'));
        for word in addresses {
            sought.addresses.push(word.to_lowercase().chars().collect());
            let plain = |c: char| if c.is_ascii() && c != '\\' { c.to_ascii_lowercase() } else { '_' };
            sought.patterns.push(format!("%{}%", word.chars().map(plain).collect::<String>()));
        }
        for word in others.into_iter().filter(|word| word.starts_with('+')) {
            let (spellings, shortest) = spellings(word);
            sought.numbers.extend(spellings.iter().map(|digits| digits.chars().collect()));
            let apart: Vec<String> = shortest.chars().map(String::from).collect();
            sought.patterns.push(format!("%{}%", apart.join("%")));
        }
        sought.numbers.sort_by_key(|digits: &Vec<char>| std::cmp::Reverse(digits.len()));
        sought
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Patterns of `LIKE`, one of which every text in lower case fits that [`Self::scrubbed`] would change, and others too.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }

    /// Those of the addresses alone.
    pub fn address_patterns(&self) -> &[String] {
        self.patterns.get(..self.addresses.len()).unwrap_or_default()
    }

    /// The text without what is looked for; none where it does not say it.
    pub fn scrubbed(&self, text: &str) -> Option<String> {
        let chars: Vec<char> = text.chars().collect();
        let (mut out, mut at, mut is_changed) = (String::with_capacity(text.len()), 0, false);
        while let Some(c) = chars.get(at) {
            if let Some(end) = self.end_at(&chars, at) {
                out.push_str(ERASED);
                (at, is_changed) = (end, true);
            } else {
                out.push(*c);
                at += 1;
            }
        }
        is_changed.then_some(out)
    }

    /// A document with every text in it scrubbed; none where nothing is said.
    pub fn scrubbed_json(&self, value: &Value) -> Option<Value> {
        match value {
            Value::String(text) => self.scrubbed(text).map(Value::String),
            Value::Array(items) => {
                let new: Vec<Option<Value>> = items.iter().map(|item| self.scrubbed_json(item)).collect();
                let is_changed = new.iter().any(Option::is_some);
                is_changed.then(|| new.into_iter().zip(items).map(|(new, old)| new.unwrap_or_else(|| old.clone())).collect())
            }
            Value::Object(fields) => {
                let new: Vec<Option<Value>> = fields.values().map(|value| self.scrubbed_json(value)).collect();
                let is_changed = new.iter().any(Option::is_some);
                let whole = || {
                    let both = new.into_iter().zip(fields);
                    both.map(|(new, (name, old))| (name.clone(), new.unwrap_or_else(|| old.clone()))).collect()
                };
                is_changed.then(|| Value::Object(whole()))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => None,
        }
    }

    fn end_at(&self, chars: &[char], at: usize) -> Option<usize> {
        let before = at.checked_sub(1).and_then(|index| chars.get(index)).copied();
        if before.is_some_and(char::is_alphanumeric) {
            return None;
        }
        let address = || self.addresses.iter().find_map(|address| address_end(chars, (at, before), address));
        let number = || self.numbers.iter().find_map(|digits| number_end(chars, (at, before), digits));
        address().or_else(number)
    }
}

/// Behind an address that stands at `at`, where it is no part of a longer one.
fn address_end(chars: &[char], (at, before): (usize, Option<char>), address: &[char]) -> Option<usize> {
    if before.is_some_and(|c| matches!(c, '.' | '_' | '+' | '-')) {
        return None;
    }
    let end = at + address.len();
    let said = chars.get(at..end)?;
    if !said.iter().zip(address).all(|(said, wanted)| said == wanted || said.to_lowercase().eq(std::iter::once(*wanted))) {
        return None;
    }
    let goes_on = match chars.get(end) {
        Some('.' | '-' | '_') => chars.get(end + 1).is_some_and(|c| c.is_alphanumeric()),
        Some(c) => c.is_alphanumeric(),
        None => false,
    };
    (!goes_on).then_some(end)
}

/// Behind a number that begins at `at` with a digit, a plus sign or a bracket, however its digits are grouped.
fn number_end(chars: &[char], (at, before): (usize, Option<char>), digits: &[char]) -> Option<usize> {
    if before == Some('+') && chars.get(at).is_some_and(char::is_ascii_digit) {
        return None;
    }
    let mut end = at;
    while chars.get(end).is_some_and(|c| matches!(c, '+' | '(')) {
        end += 1;
    }
    for (index, digit) in digits.iter().enumerate() {
        let mut between = 0;
        while index > 0 && between < BETWEEN_MAX && chars.get(end).copied().is_some_and(is_between) {
            (end, between) = (end + 1, between + 1);
        }
        if chars.get(end) != Some(digit) {
            return None;
        }
        end += 1;
    }
    let goes_on = chars.get(end).is_some_and(char::is_ascii_digit);
    (!goes_on).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let sought = Sought::new(["ana@nordwind.example", "+14165550177", "+493023125000", "Ana Castro"]);
        assert_eq!(sought.scrubbed(text).as_deref(), expected, "{text:?}");
        let text = text.to_lowercase();
        let fits = |pattern: &String| {
            let mut rest = text.as_str();
            pattern.split('%').all(|part| {
                let found = rest.find(part);
                rest = found.and_then(|at| rest.get(at + part.len()..)).unwrap_or("");
                found.is_some()
            })
        };
        assert!(expected.is_none() || sought.patterns().iter().any(fits), "no pattern finds {text:?}");
    }

    #[test]
    fn an_address_or_number_is_found_however_it_is_written_and_nothing_longer() {
        check("Write to ana@nordwind.example.", Some("Write to (erased)."));
        check("<mailto:Ana@Nordwind.EXAMPLE>", Some("<mailto:(erased)>"));
        check("ana@nordwind.example, ana@nordwind.example", Some("(erased), (erased)"));
        check("mariana@nordwind.example", None);
        check("x.ana@nordwind.example", None);
        check("ana@nordwind.example.org", None);
        check("ana@nordwind.examples", None);
        check("call +14165550177!", Some("call (erased)!"));
        check("call +1 (416) 555-0177 now", Some("call (erased) now"));
        check("call (416) 555-0177 now", Some("call (erased) now"));
        check("416.555.0177", Some("(erased)"));
        check("0014165550177", Some("(erased)"));
        check("030 23125000", Some("(erased)"));
        check("+49 (0)30 2312 5000", Some("+49 (erased)"));
        check("ticket 94165550177", None);
        check("41655501778", None);
        check("a4165550177", None);
        check("Ana Castro called", None);
        check("", None);
    }

    #[test]
    fn a_document_keeps_all_but_what_is_said() {
        let sought = Sought::new(["ana@nordwind.example"]);
        let before = json!({ "subject": { "after": "for\nana@nordwind.example" }, "n": 1, "list": ["a", null] });
        let after = json!({ "subject": { "after": "for\n(erased)" }, "n": 1, "list": ["a", null] });
        assert_eq!(sought.scrubbed_json(&before), Some(after.clone()));
        assert_eq!(sought.scrubbed_json(&after), None);
        assert!(Sought::new(["Ana"]).is_empty() && !sought.is_empty());
    }
}
