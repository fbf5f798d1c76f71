//! Which pattern a path matches, for the log and the gate in front of the router, whose own answer comes too late for them and
//! costs a regular expression. Pure.
use std::collections::HashMap;

/// Patterns such as `/api/v1/tickets/{id}/notes`, by how many words they have and by the first that differs.
#[derive(Default)]
pub struct Patterns(HashMap<(usize, &'static str), Vec<Pattern>>);

struct Pattern {
    path: &'static str,
    words: Vec<&'static str>,
}

/// Words in front of those that tell patterns apart: `/api/v1/` makes three, the first of them empty.
const SHARED: usize = 3;

fn is_any(word: &str) -> bool {
    word.starts_with('{')
}

impl Patterns {
    /// Of these paths; of several that match, the first is meant. A word in braces stands for any that is not empty.
    pub fn new(paths: impl IntoIterator<Item = &'static str>) -> Self {
        let mut patterns = Self::default();
        for path in paths {
            let words: Vec<&str> = path.split('/').collect();
            let place = patterns.0.entry((words.len(), words.get(SHARED).copied().unwrap_or_default())).or_default();
            if place.iter().all(|known| known.path != path) {
                place.push(Pattern { path, words });
            }
        }
        patterns
    }

    /// The pattern that the path matches.
    pub fn of(&self, path: &str) -> Option<&'static str> {
        let count = path.bytes().filter(|byte| *byte == b'/').count() + 1;
        let candidates = self.0.get(&(count, path.split('/').nth(SHARED)?))?;
        let fits = |words: &[&str]| {
            path.split('/').zip(words).all(|(word, wanted)| if is_any(wanted) { !word.is_empty() } else { word == *wanted })
        };
        candidates.iter().find(|pattern| fits(&pattern.words)).map(|pattern| pattern.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::TABLE;
    use actix_web::dev::ResourceDef;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    fn words() -> Vec<&'static str> {
        let mut words: Vec<&str> = TABLE.iter().flat_map(|(_, path, _)| path.split('/')).collect();
        words.extend(["", " ", "0190", "{id}", "Tickets", "tickets ", "ünï", "%2F", "..", "a.b"]);
        words.sort_unstable();
        words.dedup();
        words
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn any_path_matches_what_the_router_matches(
            known in 0..TABLE.len(),
            other in prop::collection::vec(prop::sample::select(words()), 0..6),
            changes in prop::collection::vec(any::<bool>(), 8),
        ) {
            static ROUTER: LazyLock<Vec<ResourceDef>> =
                LazyLock::new(|| TABLE.iter().map(|(_, path, _)| ResourceDef::new(*path)).collect());
            static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| Patterns::new(TABLE.iter().map(|(_, path, _)| *path)));
            // A path of the table with some of its words changed, or with more of them.
            let mut path: Vec<&str> = TABLE.get(known).map_or_else(Vec::new, |(_, path, _)| path.split('/').collect());
            let mut others = other.iter();
            for (word, changes) in path.iter_mut().zip(&changes) {
                if (is_any(word) || *changes) && let Some(other) = others.next() {
                    *word = other;
                }
            }
            if changes.last() == Some(&true) {
                path.extend(others);
            }
            let path = path.join("/");
            let routed = ROUTER.iter().position(|pattern| pattern.is_match(&path)).and_then(|at| TABLE.get(at));
            prop_assert_eq!(PATTERNS.of(&path), routed.map(|(_, pattern, _)| *pattern), "{}", path);
        }
    }
}
