//! Links of scores that were opened lately, in the memory of this process alone: looking writes nothing down.
use super::suspicion::Click;
use chrono::{DateTime, Utc};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Surveys that are remembered at the most; then the one that was opened first is forgotten.
const SURVEYS_MAX: usize = 10_000;
/// Clicks of one survey that are remembered at the most, the newest.
const CLICKS_MAX: usize = 32;

/// What was clicked lately, by the hash of the survey's token.
#[derive(Default)]
pub struct Clicks(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    by_token: HashMap<Vec<u8>, VecDeque<Click>>,
    /// The order in which surveys were first opened.
    order: VecDeque<Vec<u8>>,
}

impl Clicks {
    /// A score's link of a survey that exists was opened.
    pub fn note(&self, token_hash: &[u8], score: u8, now: DateTime<Utc>) {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Remembered { by_token, order } = &mut *guard;
        let click = Click { score, at: now };
        if let Some(clicks) = by_token.get_mut(token_hash) {
            if clicks.len() >= CLICKS_MAX {
                clicks.pop_front();
            }
            clicks.push_back(click);
            return;
        }
        if order.len() >= SURVEYS_MAX
            && let Some(oldest) = order.pop_front()
        {
            by_token.remove(&oldest);
        }
        order.push_back(token_hash.to_vec());
        by_token.insert(token_hash.to_vec(), VecDeque::from([click]));
    }

    /// What was clicked of a survey.
    pub fn of(&self, token_hash: &[u8]) -> Vec<Click> {
        let guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        guard.by_token.get(token_hash).map(|clicks| clicks.iter().copied().collect()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_is_bounded_and_keeps_the_newest() {
        let (clicks, now) = (Clicks::default(), DateTime::UNIX_EPOCH);
        for survey in 0..=SURVEYS_MAX {
            clicks.note(&survey.to_be_bytes(), 3, now);
        }
        assert!(clicks.of(&0usize.to_be_bytes()).is_empty());
        assert_eq!(clicks.of(&SURVEYS_MAX.to_be_bytes()).len(), 1);
        for score in 0..=CLICKS_MAX {
            clicks.note(b"one", score as u8, now);
        }
        let kept = clicks.of(b"one");
        assert_eq!((kept.len(), kept.first().map(|click| click.score)), (CLICKS_MAX, Some(1)));
    }
}
