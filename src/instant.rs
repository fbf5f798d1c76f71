//! Instants as JSON, several times faster than through `core::fmt`: a page of tickets holds some 250 of them. Pure.
use chrono::{DateTime, Datelike, Timelike, Utc};
use serde::Serializer;

/// The longest text: `2026-11-21T10:00:00.123456789Z`.
const TEXT_MAX: usize = 30;

/// A text on the stack.
struct Text {
    bytes: [u8; TEXT_MAX],
    len: usize,
}

impl Text {
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }

    fn digits(&mut self, number: u32, mut unit: u32) {
        while unit > 0 {
            self.push(b'0' + (number / unit % 10) as u8);
            unit /= 10;
        }
    }
}

/// RFC 3339 in UTC, with no fraction or one of 3, 6 or 9 digits: the text that chrono's own `Serialize` writes.
pub fn serialize<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    // Each part asked of the `DateTime` would add its offset anew.
    let local = at.naive_utc();
    let Ok(year @ 0..=9_999) = u32::try_from(local.year()) else { return serde::Serialize::serialize(at, serializer) };
    let mut text = Text { bytes: [0; TEXT_MAX], len: 0 };
    let (second, nanos) = (local.second() + local.nanosecond() / 1_000_000_000, local.nanosecond() % 1_000_000_000);
    for (number, unit, end) in [
        (year, 1_000, b'-'),
        (local.month(), 10, b'-'),
        (local.day(), 10, b'T'),
        (local.hour(), 10, b':'),
        (local.minute(), 10, b':'),
        (second, 10, b'.'),
    ] {
        text.digits(number, unit);
        text.push(end);
    }
    match nanos {
        0 => text.len -= 1,
        nanos if nanos % 1_000_000 == 0 => text.digits(nanos / 1_000_000, 100),
        nanos if nanos % 1_000 == 0 => text.digits(nanos / 1_000, 100_000),
        nanos => text.digits(nanos, 100_000_000),
    }
    text.push(b'Z');
    let text = text.bytes.get(..text.len).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
    serializer.serialize_str(text)
}

/// The same for what may not be there.
pub mod option {
    use super::{DateTime, Serializer, Utc};

    /// `null` or the instant.
    pub fn serialize<S: Serializer>(at: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => super::serialize(at, serializer),
            None => serializer.serialize_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(at: DateTime<Utc>) {
        let ours = serialize(&at, serde_json::value::Serializer).unwrap_or_default();
        assert_eq!(ours, serde_json::to_value(at).unwrap_or_default());
    }

    #[test]
    fn leap_seconds_and_far_years_are_written_as_chrono_writes_them() {
        for text in ["2016-12-31T23:59:60Z", "2016-12-31T23:59:60.5Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z"] {
            check(text.parse().unwrap_or_default());
        }
        check(DateTime::<Utc>::MAX_UTC);
        check(DateTime::<Utc>::MIN_UTC);
    }

    proptest! {
        #[test]
        fn any_instant_is_written_as_chrono_writes_it(seconds in -62_167_219_200_i64..253_402_300_800, nanos in prop::sample::select(vec![0, 1, 1_000, 120_000, 1_000_000, 999_000_000, 999_999_000, 999_999_999])) {
            check(DateTime::from_timestamp(seconds, nanos).unwrap_or_default());
        }
    }
}
