//! Cells of CSV: no spreadsheet runs them, and every text comes back as it was. Pure.
use crate::reports::csv::is_formula;
use serde_json::Value;

/// What stands between the entries of a list in one cell.
const SEPARATOR: char = ';';

/// Whether a text, without quotes in front, is one that a spreadsheet would run.
fn is_guarded(cell: &str) -> bool {
    is_formula(cell.trim_start_matches('\''))
}

/// A text as a cell that no spreadsheet runs.
pub fn guard(text: &str) -> String {
    if is_guarded(text) { format!("'{text}") } else { text.to_owned() }
}

/// The text of a cell that [`guard`] made, or that somebody else wrote.
pub fn unguard(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if is_guarded(rest) => rest,
        _ => cell,
    }
}

/// A list in one cell: `a;b`, or JSON where an entry holds what would be misread.
pub fn join(list: &[String]) -> String {
    let is_plain = |entry: &String| !entry.is_empty() && !entry.contains(SEPARATOR) && entry.trim() == entry;
    if list.iter().all(is_plain) && !list.first().is_some_and(|first| first.starts_with('[')) {
        return list.join(";");
    }
    Value::from(list.to_vec()).to_string()
}

/// The list of a cell; entries that are no texts stay what they are, and are refused later by name.
pub fn split(cell: &str) -> Value {
    if cell.starts_with('[')
        && let Ok(list) = serde_json::from_str::<Value>(cell)
    {
        return list;
    }
    cell.split(SEPARATOR).map(str::trim).filter(|entry| !entry.is_empty()).collect::<Vec<_>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_and_none_is_run() {
        for text in ["", "a", "=1", "'=1", "''=1", "+49 30", "'t Hoen", "-", "@x", "\t=1", "\r", "\n=1", "'", "a=b", "Ünal; 'x"]
        {
            let cell = guard(text);
            assert_eq!(unguard(&cell), text, "{text:?}");
            assert!(!is_formula(&cell), "{text:?}");
        }
        assert_eq!(unguard("'t Hoen"), "'t Hoen");
        assert_eq!(unguard("'+49"), "+49");
    }

    #[test]
    fn every_list_comes_back() {
        for list in
            [vec![], vec!["a"], vec!["a", "b c"], vec!["a;b", "c"], vec!["[a]"], vec!["a", "[b"], vec![" a"], vec!["\"x\""]]
        {
            let list: Vec<String> = list.into_iter().map(str::to_owned).collect();
            assert_eq!(split(&join(&list)), Value::from(list.clone()), "{list:?}");
        }
        assert_eq!(join(&["a".to_owned(), "b".to_owned()]), "a;b");
        assert_eq!(split(" a ;; b;"), Value::from(vec!["a", "b"]));
    }
}
