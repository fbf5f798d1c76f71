//! Texts that were parsed once, so that the same text is not parsed again at every promise.
use crate::Result;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

/// Texts kept at the most; then all are forgotten.
const KEPT_MAX: usize = 1_000;

/// What texts say, by the text itself: what is kept can never be out of date.
pub struct Memo<V>(LazyLock<Mutex<HashMap<String, Arc<V>>>>);

impl<V> Memo<V> {
    /// An empty one.
    #[expect(clippy::new_without_default, reason = "for statics")]
    pub const fn new() -> Self {
        Self(LazyLock::new(Mutex::default))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<V>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `text` says, parsed where it is not known yet.
    pub fn get(&self, text: String, parse: impl FnOnce(&str) -> Result<V>) -> Result<Arc<V>> {
        if let Some(known) = self.lock().get(&text) {
            return Ok(known.clone());
        }
        let parsed = Arc::new(parse(&text)?);
        let mut known = self.lock();
        if known.len() >= KEPT_MAX {
            known.clear();
        }
        known.insert(text, parsed.clone());
        Ok(parsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_parsed_once_and_a_failure_is_not_kept() {
        let memo = Memo::<usize>::new();
        assert!(memo.get("a".into(), |_| Err(crate::Error::internal("no"))).is_err());
        assert_eq!(memo.get("a".into(), |text| Ok(text.len())).map(|value| *value).ok(), Some(1));
        assert_eq!(memo.get("a".into(), |_| Ok(7)).map(|value| *value).ok(), Some(1));
    }
}
