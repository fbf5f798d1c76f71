//! Holidays from an iCalendar file (RFC 5545): which dates its events close. Pure.
use super::wire::{Definition, ExceptionWire, Interval};
use chrono::{Days, NaiveDate, TimeDelta};
use icalendar::parser::{Component, Property, read_calendar, unfold};

/// Events of one file at the most.
pub const EVENTS_MAX: usize = 2_000;
/// Days of one event at the most.
const DAYS_MAX: i64 = 366;
/// Components inside components at the most; real files have three.
const DEPTH_MAX: usize = 8;
/// Characters of an exception's name at the most.
const NAME_MAX: usize = 200;

names! {
    /// What became of an event.
    pub enum ImportOutcome {
        /// At least one of its dates is an exception now.
        Added = "added",
        /// All of its dates were closed already.
        Unchanged = "unchanged",
        /// Another exception stands on one of its dates and stays.
        Kept = "kept",
        /// It was called off, and nothing was done.
        Skipped = "skipped",
        /// It cannot be an exception; `code` says why.
        Failed = "failed",
    }
}

/// Why a file or an event was refused: a stable word and a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(pub &'static str, pub String);

/// An event of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its own id, where it has one.
    pub uid: Option<String>,
    /// What it is called.
    pub summary: String,
    /// Whether it was called off.
    pub is_cancelled: bool,
    /// Its first and last date, or why it has none.
    pub dates: Result<(NaiveDate, NaiveDate), Refused>,
}

/// The events of a file, in its order.
pub fn read(text: &str) -> Result<Vec<Event>, Refused> {
    let text = unfold(text.trim_start_matches('\u{feff}'));
    if is_too_deep(&text) {
        return Err(Refused("not_icalendar", format!("has components inside components more than {DEPTH_MAX} deep")));
    }
    if !text.trim_start().get(..15).is_some_and(|start| start.eq_ignore_ascii_case("BEGIN:VCALENDAR")) {
        return Err(Refused("not_icalendar", "does not begin with BEGIN:VCALENDAR".to_owned()));
    }
    let calendar = read_calendar(text.trim_start()).map_err(|_| {
        Refused("not_icalendar", "is not an iCalendar file (RFC 5545): a line has no name, or an end is missing".to_owned())
    })?;
    let events: Vec<Event> = calendar.components.iter().filter(|part| part.name == "VEVENT").map(event).collect();
    if events.len() > EVENTS_MAX {
        return Err(Refused("length", format!("has more than {EVENTS_MAX} events")));
    }
    Ok(events)
}

/// The parser calls itself for each component in a component: a deep file must not use up its stack.
fn is_too_deep(text: &str) -> bool {
    let mut depth = 0_usize;
    for line in text.lines() {
        depth += line.match_indices("BEGIN:").count();
        depth = depth.saturating_sub(usize::from(line.starts_with("END:")));
        if depth > DEPTH_MAX {
            return true;
        }
    }
    false
}

fn value(part: &Component<'_>, name: &str) -> Option<String> {
    part.find_prop(name).map(|found| found.val.as_str().trim().to_owned())
}

fn event(part: &Component<'_>) -> Event {
    let summary = part.find_prop("SUMMARY").map(|found| found.val.clone().unescape_text());
    let summary: String = summary.as_ref().map_or("", |text| text.as_str()).split_whitespace().collect::<Vec<_>>().join(" ");
    Event {
        uid: value(part, "UID").map(|uid| uid.chars().take(NAME_MAX).collect()),
        summary: summary.chars().take(NAME_MAX).collect(),
        is_cancelled: value(part, "STATUS").is_some_and(|status| status.eq_ignore_ascii_case("CANCELLED")),
        dates: dates(part),
    }
}

/// A date, or the midnight that begins one: some programs write whole days so.
fn date(property: &Property<'_>) -> Result<NaiveDate, Refused> {
    let text = property.val.as_str().trim();
    let day = match text.split_once('T') {
        None => text,
        Some((day, "000000")) => day,
        Some(_) => return Err(Refused("not_all_day", "has a time of day: only whole days are imported".to_owned())),
    };
    let is_date = day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit());
    let read = NaiveDate::parse_from_str(day, "%Y%m%d").ok().filter(|_| is_date);
    read.ok_or_else(|| Refused("date", format!("{} is not a date such as 20261225", property.name.as_str())))
}

/// `P3D` or `P1W` in days.
fn duration(text: &str) -> Option<i64> {
    let rest = text.strip_prefix('P').or_else(|| text.strip_prefix("+P"))?;
    let (number, factor) = rest.strip_suffix('D').map(|n| (n, 1)).or_else(|| rest.strip_suffix('W').map(|n| (n, 7)))?;
    number.parse::<u16>().ok().map(|number| i64::from(number) * factor)
}

fn dates(part: &Component<'_>) -> Result<(NaiveDate, NaiveDate), Refused> {
    if ["RRULE", "RDATE"].iter().any(|name| part.find_prop(name).is_some()) {
        return Err(Refused("recurring", "repeats: only single events are imported".to_owned()));
    }
    let start = part.find_prop("DTSTART").ok_or_else(|| Refused("date", "DTSTART is missing".to_owned()))?;
    let first = date(start)?;
    let days = match (part.find_prop("DTEND"), value(part, "DURATION")) {
        (Some(end), _) => (date(end)? - first).num_days(),
        (None, Some(text)) => duration(&text).ok_or_else(|| Refused("date", "DURATION is not whole days".to_owned()))?,
        (None, None) => 1,
    };
    // A day that ends when it begins is written by some programs, and meant as a whole one.
    let days = if days == 0 { 1 } else { days };
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(Refused("range", format!("must be 1 to {DAYS_MAX} days long")));
    }
    let last = first.checked_add_signed(TimeDelta::days(days - 1)).filter(|last| last.to_string().len() == 10);
    last.map(|last| (first, last)).ok_or_else(|| Refused("range", "is too far from today".to_owned()))
}

/// How the dates of an event are to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closing {
    /// Whether nobody reads mail either.
    pub no_service: bool,
    /// Whether other exceptions on the same dates give way.
    pub replace: bool,
}

/// Closes the dates of an event; says what became of it.
pub fn close(definition: &mut Definition, event: &Event, how: Closing) -> ImportOutcome {
    let Ok((first, last)) = event.dates else { return ImportOutcome::Failed };
    if event.is_cancelled {
        return ImportOutcome::Skipped;
    }
    let all_day = Interval { open: "00:00".to_owned(), close: "24:00".to_owned() };
    let name = if event.summary.is_empty() { "Holiday".to_owned() } else { event.summary.clone() };
    let no_service = if how.no_service { vec![all_day] } else { Vec::new() };
    let exception = ExceptionWire { name, hours: Some(Vec::new()), no_service, reduced: false };
    let (mut added, mut kept) = (false, false);
    let dates = first.iter_days().take_while(|date| *date <= last && *date <= NaiveDate::MAX - Days::new(1));
    for on in dates {
        match definition.exceptions.get(&on) {
            Some(there) if there.hours == exception.hours && there.no_service == exception.no_service => {}
            Some(_) if !how.replace => kept = true,
            _ => {
                definition.exceptions.insert(on, exception.clone());
                added = true;
            }
        }
    }
    match (added, kept) {
        (true, _) => ImportOutcome::Added,
        (false, true) => ImportOutcome::Kept,
        (false, false) => ImportOutcome::Unchanged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(lines: &str) -> String {
        format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\nBEGIN:VEVENT\r\nUID:1\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        )
    }

    #[track_caller]
    fn check(lines: &str, expected: Result<(&str, &str), &str>) {
        let events = read(&file(lines)).expect("a file");
        let dates = events[0].dates.as_ref().map(|(first, last)| (first.to_string(), last.to_string()));
        let dates = dates.as_ref().map(|(first, last)| (first.as_str(), last.as_str())).map_err(|refused| refused.0);
        assert_eq!(dates, expected, "{lines}");
    }

    #[test]
    fn an_event_is_the_dates_from_its_start_to_before_its_end() {
        check("DTSTART;VALUE=DATE:20261225", Ok(("2026-12-25", "2026-12-25")));
        check("DTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261227", Ok(("2026-12-25", "2026-12-26")));
        check("DTSTART;VALUE=DATE:20261231\r\nDURATION:P1W", Ok(("2026-12-31", "2027-01-06")));
        check("DTSTART:20261225T000000\r\nDTEND:20261226T000000", Ok(("2026-12-25", "2026-12-25")));
        check("DTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261225", Ok(("2026-12-25", "2026-12-25")));
        check("DTSTART;VALUE=DATE:202\r\n 61225", Ok(("2026-12-25", "2026-12-25")));
        check("DTSTART:20261225T090000Z", Err("not_all_day"));
        check("DTSTART;VALUE=DATE:20261325", Err("date"));
        check("DTSTART;VALUE=DATE:2026-12-25", Err("date"));
        check("SUMMARY:Nothing", Err("date"));
        check("DTSTART;VALUE=DATE:20261225\r\nRRULE:FREQ=YEARLY", Err("recurring"));
        check("DTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261224", Err("range"));
        check("DTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20291224", Err("range"));
        check("DTSTART;VALUE=DATE:20261225\r\nDURATION:PT3H", Err("date"));
    }

    #[test]
    fn what_is_no_calendar_is_refused_as_a_whole() {
        let deep = "BEGIN:A\r\n".repeat(100_000);
        for text in [
            "",
            "hello",
            "BEGIN:VCALENDAR",
            "BEGIN:VEVENT\r\nEND:VEVENT",
            "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR",
            &deep,
        ] {
            assert_eq!(read(text).map_err(|refused| refused.0), Err("not_icalendar"), "{}", text.get(..30).unwrap_or(text));
        }
        assert_eq!(read("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n"), Ok(Vec::new()));
    }

    #[test]
    fn a_second_import_changes_nothing_and_what_people_set_stays() {
        let mut definition: Definition =
            serde_json::from_str(r#"{"time_zone":"Europe/Berlin","weekly":{},"exceptions":{"2026-12-24":{"name":"By hand","hours":[{"open":"08:00","close":"12:00"}]}}}"#)
                .expect("a definition");
        let events = read(&file("SUMMARY:Christmas\\, all of it\r\nDTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20261227"))
            .expect("a file");
        let how = Closing { no_service: false, replace: false };
        assert_eq!(close(&mut definition, &events[0], how), ImportOutcome::Added);
        let names: Vec<&str> = definition.exceptions.values().map(|exception| exception.name.as_str()).collect();
        assert_eq!(names, ["By hand", "Christmas, all of it", "Christmas, all of it"]);
        let before = definition.clone();
        assert_eq!(close(&mut definition, &events[0], how), ImportOutcome::Kept);
        assert_eq!(definition, before);
        assert_eq!(close(&mut definition, &events[0], Closing { replace: true, ..how }), ImportOutcome::Added);
        assert_eq!(close(&mut definition, &events[0], how), ImportOutcome::Unchanged);
        let cancelled = Event { is_cancelled: true, ..events[0].clone() };
        assert_eq!(close(&mut definition, &cancelled, how), ImportOutcome::Skipped);
    }
}
