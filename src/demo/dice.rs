//! Chance that repeats: the same seed gives the same throws.
use chrono::TimeDelta;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A source of chance.
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    /// The throws of a seed.
    pub(super) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A fraction in `[0, 1)`.
    pub(super) fn fraction(&mut self) -> f64 {
        self.0.random()
    }

    /// True in `percent` of 100 throws.
    pub(super) fn chance(&mut self, percent: f64) -> bool {
        self.fraction() * 100.0 < percent
    }

    /// A number in `[low, high)`.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.fraction()
    }

    /// An index below `count`; 0 where there is nothing to choose from.
    pub(super) fn index(&mut self, count: usize) -> usize {
        if count == 0 { 0 } else { self.0.random_range(0..count) }
    }

    /// One of a list.
    pub(super) fn pick<T: Copy + Default>(&mut self, list: &[T]) -> T {
        list.get(self.index(list.len())).copied().unwrap_or_default()
    }

    /// An index, each as often as its weight says; 0 where all weights are 0.
    pub(super) fn weigh(&mut self, weights: &[u32]) -> usize {
        let mut left = self.index(weights.iter().sum::<u32>() as usize) as u32;
        for (index, weight) in weights.iter().enumerate() {
            if left < *weight {
                return index;
            }
            left -= weight;
        }
        0
    }

    /// A stretch of time in seconds, to the millisecond.
    pub(super) fn seconds(&mut self, low: f64, high: f64) -> TimeDelta {
        TimeDelta::milliseconds((self.between(low, high) * 1_000.0) as i64)
    }

    /// A stretch of time in minutes.
    pub(super) fn minutes(&mut self, low: f64, high: f64) -> TimeDelta {
        self.seconds(low * 60.0, high * 60.0)
    }

    /// A stretch of time in hours; short ones are more frequent the larger `skew` is, 1 is even.
    pub(super) fn hours(&mut self, low: f64, high: f64, skew: f64) -> TimeDelta {
        let hours = low + (high - low) * self.fraction().powf(skew);
        TimeDelta::milliseconds((hours * 3_600_000.0) as i64)
    }

    /// Hexadecimal digits for a Message-ID.
    pub(super) fn hex(&mut self) -> String {
        format!("{:016x}", self.0.random::<u64>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throws_repeat_and_keep_to_their_weights() {
        let throws = |seed| {
            let mut dice = Dice::new(seed);
            (0..1_000).map(|_| dice.weigh(&[1, 0, 3])).collect::<Vec<_>>()
        };
        assert_eq!(throws(7), throws(7));
        assert_ne!(throws(7), throws(8));
        let count = |index| throws(7).iter().filter(|found| **found == index).count();
        assert!(count(1) == 0 && (200..300).contains(&count(0)), "{}", count(0));
        assert_eq!((Dice::new(1).weigh(&[]), Dice::new(1).pick::<u8>(&[])), (0, 0));
    }
}
