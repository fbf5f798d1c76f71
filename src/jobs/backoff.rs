//! How long a failed job waits: doubling, with jitter, up to an hour. Pure.
use chrono::TimeDelta;

/// The longest pause, in seconds.
const PAUSE_MAX_SECONDS: f64 = 3_600.0;

/// The pause after `attempts` tries (1 or more), in whole milliseconds: between half and the whole of the doubled base, by `jitter` in 0..1
/// ("equal jitter", M. Brooker, Exponential Backoff and Jitter, 2015).
pub fn pause(base_seconds: u32, attempts: i32, jitter: f64) -> TimeDelta {
    let doublings = attempts.saturating_sub(1).clamp(0, 30);
    let whole = (f64::from(base_seconds) * 2f64.powi(doublings)).min(PAUSE_MAX_SECONDS);
    let seconds = whole / 2.0 + whole / 2.0 * jitter.clamp(0.0, 1.0);
    TimeDelta::milliseconds((seconds * 1_000.0) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(attempts: i32, jitter: f64, milliseconds: i64) {
        assert_eq!(pause(15, attempts, jitter).num_milliseconds(), milliseconds);
    }

    #[test]
    fn the_pause_doubles_up_to_an_hour_and_jitter_takes_at_most_half() {
        check(1, 1.0, 15_000);
        check(1, 0.0, 7_500);
        check(2, 1.0, 30_000);
        check(4, 0.5, 90_000);
        check(20, 1.0, 3_600_000);
        check(i32::MAX, 0.0, 1_800_000);
        check(0, 1.0, 15_000);
    }
}
