//! How many mails have come lately: while very many come, they are taken first and filed afterwards. Pure.
use std::time::Duration;

/// What came so long ago counts half.
const HALF_LIFE: Duration = Duration::from_millis(250);
/// More than this is a flood: about ninety mails a second.
const HIGH: f64 = 32.0;

/// A count that fades.
#[derive(Debug, Clone, Copy, Default)]
pub struct Flood {
    level: f64,
    at: Duration,
}

impl Flood {
    fn level(&self, at: Duration) -> f64 {
        let halves = at.saturating_sub(self.at).as_secs_f64() / HALF_LIFE.as_secs_f64();
        self.level * 0.5_f64.powf(halves)
    }

    /// Some mails have come. All instants are counted from the same one.
    pub fn came(&mut self, mails: usize, at: Duration) {
        (self.level, self.at) = (self.level(at) + mails as f64, self.at.max(at));
    }

    /// Whether very many come.
    pub fn is_high(&self, at: Duration) -> bool {
        self.level(at) > HIGH
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether it is high after so many mails a second for so long, and how many milliseconds later it is not any more.
    fn flood(per_second: u64, seconds: u64) -> (bool, u64) {
        let mut flood = Flood::default();
        let at = |n: u64| Duration::from_micros(n * 1_000_000 / per_second);
        for n in 0..per_second * seconds {
            flood.came(1, at(n));
        }
        let end = at(per_second * seconds);
        let ebb = (0..).find(|ms| !flood.is_high(end + Duration::from_millis(*ms))).unwrap_or_default();
        (flood.is_high(end), ebb)
    }

    #[test]
    fn many_mails_are_a_flood_and_it_ebbs_within_seconds() {
        for (per_second, seconds, is_high) in [(1, 60, false), (20, 10, false), (80, 10, false), (100, 2, true), (5_000, 5, true)]
        {
            let (found, ebb) = flood(per_second, seconds);
            assert_eq!(found, is_high, "{per_second} a second for {seconds} s");
            assert!(ebb < 2_000, "{per_second} a second: {ebb} ms");
        }
        let mut once = Flood::default();
        once.came(30, Duration::ZERO);
        assert!(!once.is_high(Duration::ZERO), "a few at once");
        once.came(3, Duration::ZERO);
        assert!(once.is_high(Duration::ZERO) && !once.is_high(Duration::from_millis(100)));
    }
}
