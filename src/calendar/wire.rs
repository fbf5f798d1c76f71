//! A calendar as JSON, on the wire and in its stored versions, and the way to [`Hours`]. Pure.
use super::hours::{Exception, Hours, Span};
use crate::accounts::contacts::wire::ZoneName;
use crate::error::FieldError;
use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use validator::Validate;

/// Intervals of one day at the most.
const SPANS_MAX: usize = 24;
/// Exceptions of one calendar at the most.
pub const EXCEPTIONS_MAX: usize = 2_000;

/// A stretch of a local day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// Local time of opening, `00:00` to `23:59`.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", examples("08:00"))]
    pub open: String,
    /// Local time of closing, up to `24:00`; at or before `open` it is on the next day.
    #[schema(pattern = "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$", examples("20:00"))]
    pub close: String,
}

/// The usual hours of each weekday; a day that is left out is closed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "weekdays")]
pub struct Weekly {
    #[schema(max_items = 24)]
    pub mon: Vec<Interval>,
    #[schema(max_items = 24)]
    pub tue: Vec<Interval>,
    #[schema(max_items = 24)]
    pub wed: Vec<Interval>,
    #[schema(max_items = 24)]
    pub thu: Vec<Interval>,
    #[schema(max_items = 24)]
    pub fri: Vec<Interval>,
    #[schema(max_items = 24)]
    pub sat: Vec<Interval>,
    #[schema(max_items = 24)]
    pub sun: Vec<Interval>,
}

/// One local date that is not as usual.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExceptionWire {
    /// What it is.
    #[serde(default)]
    #[validate(length(max = 200))]
    #[schema(max_length = 200, examples("Christmas Day"))]
    pub name: String,
    /// The hours of that date: empty for closed, null for the usual ones.
    #[serde(default)]
    #[schema(max_items = 24)]
    pub hours: Option<Vec<Interval>>,
    /// When nobody reads mail either: clocks that run around the clock stand still too.
    #[serde(default)]
    #[schema(max_items = 24)]
    pub no_service: Vec<Interval>,
    /// Open with fewer people; a note that changes no clock.
    #[serde(default)]
    pub reduced: bool,
}

/// What a calendar says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// IANA time zone.
    #[schema(value_type = ZoneName)]
    pub time_zone: String,
    /// The usual hours.
    pub weekly: Weekly,
    /// Dates that are not as usual, by local date.
    #[serde(default)]
    #[validate(nested)]
    pub exceptions: BTreeMap<NaiveDate, ExceptionWire>,
}

/// Seconds of the day that `HH:MM` stands for; `24:00` is the end of the day.
pub fn parse_time(text: &str) -> Option<u32> {
    let digits = text.bytes().enumerate().all(|(at, byte)| if at == 2 { byte == b':' } else { byte.is_ascii_digit() });
    if text.len() != 5 || !digits {
        return None;
    }
    let (hours, minutes): (u32, u32) = (text.get(..2)?.parse().ok()?, text.get(3..)?.parse().ok()?);
    let seconds = hours * 3600 + minutes * 60;
    (minutes < 60 && seconds <= 86_400).then_some(seconds)
}

fn spans(path: &str, intervals: &[Interval], errors: &mut Vec<FieldError>) -> Vec<Span> {
    if intervals.len() > SPANS_MAX {
        errors.push(FieldError::new(path, "length", format!("must have at most {SPANS_MAX} intervals")));
    }
    let mut spans = Vec::with_capacity(intervals.len());
    for (index, interval) in intervals.iter().enumerate() {
        let span =
            parse_time(&interval.open).zip(parse_time(&interval.close)).and_then(|(open, close)| Span::new(open, close).ok());
        match span {
            Some(span) => spans.push(span),
            None => errors.push(FieldError::new(
                format!("{path}[{index}]"),
                "time",
                "open must be 00:00 to 23:59 and close 00:00 to 24:00",
            )),
        }
    }
    spans
}

/// A time zone by its IANA name.
pub fn zone(field: &str, name: &str) -> Result<Tz, FieldError> {
    name.parse().map_err(|_| FieldError::new(field, "time_zone", format!("{name:?} is not an IANA time zone")))
}

impl Definition {
    /// The hours that this says, or every field that is wrong.
    pub fn hours(&self) -> Result<Hours, Vec<FieldError>> {
        let mut errors = Vec::new();
        let w = &self.weekly;
        let days = [
            ("mon", &w.mon),
            ("tue", &w.tue),
            ("wed", &w.wed),
            ("thu", &w.thu),
            ("fri", &w.fri),
            ("sat", &w.sat),
            ("sun", &w.sun),
        ];
        let weekly = days.map(|(name, day)| spans(&format!("weekly.{name}"), day, &mut errors));
        let mut exceptions = BTreeMap::new();
        for (on, exception) in &self.exceptions {
            let path = format!("exceptions.{on}");
            let hours = exception.hours.as_ref().map(|hours| spans(&format!("{path}.hours"), hours, &mut errors));
            let no_service = spans(&format!("{path}.no_service"), &exception.no_service, &mut errors);
            exceptions.insert(*on, Exception { hours, no_service });
        }
        if self.exceptions.len() > EXCEPTIONS_MAX {
            errors.push(FieldError::new("exceptions", "length", format!("must be at most {EXCEPTIONS_MAX}")));
        }
        match zone("time_zone", &self.time_zone) {
            Ok(zone) if errors.is_empty() => Ok(Hours::new(zone, weekly, exceptions)),
            Ok(_) => Err(errors),
            Err(error) => {
                errors.push(error);
                Err(errors)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<u32>) {
        assert_eq!(parse_time(text), expected, "{text:?}");
    }

    #[test]
    fn a_time_of_day_is_five_characters_up_to_24_00() {
        check("00:00", Some(0));
        check("23:59", Some(86_340));
        check("24:00", Some(86_400));
        check("24:01", None);
        check("8:00", None);
        check("08:60", None);
        check("+8:00", None);
        check("08-00", None);
        check("０8:0", None);
    }

    #[test]
    fn every_wrong_field_is_named() {
        let wrong = r#"{"time_zone":"Mars/Base","weekly":{"mon":[{"open":"8","close":"9"}]},"exceptions":{"2026-12-25":{"hours":[{"open":"24:00","close":"24:00"}]}}}"#;
        let definition: Definition = serde_json::from_str(wrong).expect("reads");
        let fields: Vec<String> = definition.hours().expect_err("is wrong").into_iter().map(|error| error.field).collect();
        assert_eq!(fields, ["weekly.mon[0]", "exceptions.2026-12-25.hours[0]", "time_zone"]);
    }
}
