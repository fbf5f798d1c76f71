//! When a digest is due, about which week, and what it says in words. Pure.
use crate::reports::asked::{Period, Unit, local_instant, midnight};
use crate::reports::drawings::{change_in_words, count, metric_name, period_in_words};
use crate::reports::figures::{NpsTally, SlaTallies, SlaTally, percent_one_decimal};
use crate::sla::clock::Metric;
use crate::surveys::score::{self, Tally};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

/// Breaches that a digest names.
pub const BREACHES_MAX: usize = 5;
/// The longest subject that it quotes, in characters.
const SUBJECT_MAX: usize = 50;
/// A full bar, in pixels.
const BAR_PX: u64 = 200;

/// When digests go out, in local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// 1 is Monday.
    pub weekday: u32,
    /// Seconds of the day.
    pub at_seconds: u32,
    /// Whose weeks and hours.
    pub zone: Tz,
}

/// A week to write about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Week {
    /// Its Monday.
    pub on: NaiveDate,
    /// From its Monday to the next, in local time.
    pub period: Period,
}

/// The week that the newest digest due by `now` is about: the whole one before the one that its time lies in. Older ones that
/// were missed are not made up for.
pub fn due_week(schedule: Schedule, now: DateTime<Utc>) -> Option<Week> {
    let Schedule { weekday, at_seconds, zone } = schedule;
    let today = now.with_timezone(&zone).date_naive();
    let this_monday = Unit::Week.first(today)?;
    let time_of = |monday: NaiveDate| {
        let date = monday.checked_add_days(Days::new(u64::from(weekday.clamp(1, 7) - 1)))?;
        let local = date.and_hms_opt(0, 0, 0)?.checked_add_signed(TimeDelta::seconds(at_seconds.into()))?;
        Some(local_instant(zone, local))
    };
    let sent_in = if time_of(this_monday)? <= now { this_monday } else { this_monday.checked_sub_days(Days::new(7))? };
    let on = sent_in.checked_sub_days(Days::new(7))?;
    Some(Week { on, period: Period { from: midnight(zone, on), to: midnight(zone, sent_in), zone } })
}

/// What the figures of the week are.
#[derive(Debug, Default)]
pub struct Facts {
    /// Promises that began in the week.
    pub sla: SlaTallies,
    /// Those of the week before.
    pub sla_before: SlaTallies,
    /// Answers of the week, and of the one before.
    pub nps: NpsTally,
    /// Promises that began in the week and are broken, the worst first.
    pub breaches: Vec<Breach>,
    /// Reviews that are not done.
    pub reviews_waiting: u64,
    /// Of those, past their time.
    pub reviews_overdue: u64,
}

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The ticket's number.
    pub ticket_number: i64,
    /// What it is about.
    pub subject: String,
    /// What was promised.
    pub metric: Metric,
    /// Elapsed seconds from the due instant until it was done, or until now.
    pub late_seconds: i64,
    /// Whether it is not done yet.
    pub is_open: bool,
}

/// A line about the promises of one metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromiseLine {
    /// What was promised.
    pub name: &'static str,
    /// Such as `98.7 %`.
    pub share: String,
    /// Such as `1,204 of 1,220 in time`.
    pub of: String,
    /// Such as `week before 97.0 %`.
    pub before: String,
    /// Of `BAR_PX`.
    pub bar_px: u64,
    /// What the bar leaves free.
    pub rest_px: u64,
}

/// A line about one breach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreachLine {
    /// Such as `#1042`.
    pub ticket: String,
    /// What it is about, on one line.
    pub subject: String,
    /// Such as `first response 3 h 5 min late`.
    pub what: String,
}

/// A digest in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// Such as `1 June 2026 to 7 June 2026, America/Toronto`.
    pub week: String,
    /// One a metric that has any.
    pub promises: Vec<PromiseLine>,
    /// The NPS with its interval.
    pub nps: String,
    /// How it stands against the week before.
    pub nps_change: String,
    /// What came back of the letters.
    pub answers: String,
    /// The worst ones.
    pub breaches: Vec<BreachLine>,
    /// How many more there were.
    pub breaches_more: usize,
    /// Reviews.
    pub reviews: String,
}

/// Such as `3 days 4 h`, `2 h 5 min` or `45 s`.
pub fn late(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (1, hours, _) => format!("1 day {hours} h"),
        (days, hours, _) => format!("{days} days {hours} h"),
    }
}

fn percent(tally: &SlaTally) -> Option<f64> {
    percent_one_decimal(tally.met, tally.decided())
}

fn promise(metric: Metric, now: &SlaTally, before: &SlaTally) -> PromiseLine {
    let shown = |percent: Option<f64>| percent.map_or("nothing decided".to_owned(), |percent| format!("{percent:.1} %"));
    let decided = now.decided();
    let bar_px = (BAR_PX * now.met + decided / 2).checked_div(decided).unwrap_or(0);
    PromiseLine {
        name: metric_name(metric),
        share: shown(percent(now)),
        of: format!("{} of {} in time", count(now.met), count(decided)),
        before: format!("week before: {}", shown(percent(before))),
        bar_px,
        rest_px: BAR_PX - bar_px,
    }
}

fn shortened(text: &str) -> String {
    let line = crate::mail::one_line(text);
    if line.chars().count() <= SUBJECT_MAX {
        return line;
    }
    format!("{}…", line.chars().take(SUBJECT_MAX - 1).collect::<String>().trim_end())
}

fn nps_in_words(answers: &Tally) -> String {
    let Some(nps) = answers.nps_rounded() else { return "no answers".to_owned() };
    let interval = answers.interval().map(|(low, high)| format!(" (95 % interval {low:.0} to {high:.0})")).unwrap_or_default();
    let few = if answers.is_few() { ", few answers" } else { "" };
    format!("{nps}{interval}{few}")
}

impl Words {
    /// What the facts of a week say.
    pub fn of(week: &Week, facts: Facts) -> Self {
        let Facts { sla, sla_before, nps, breaches, reviews_waiting, reviews_overdue } = facts;
        let lines = Metric::ALL.iter().zip(&sla.by_metric).zip(&sla_before.by_metric);
        let any = lines.filter(|((_, now), _)| now.total() > 0);
        let change = score::compare(&nps.before, &nps.answers).map(|change| change_in_words(change.direction.into()));
        let rate = percent_one_decimal(nps.answered, nps.sent).map(|rate| format!(" ({rate:.1} %)")).unwrap_or_default();
        let breaches_more = breaches.len().saturating_sub(BREACHES_MAX);
        let named = breaches.into_iter().take(BREACHES_MAX).map(|breach| BreachLine {
            ticket: format!("#{}", breach.ticket_number),
            subject: shortened(&breach.subject),
            what: format!(
                "{} {} late{}",
                metric_name(breach.metric).to_lowercase(),
                late(breach.late_seconds),
                if breach.is_open { " and still open" } else { "" }
            ),
        });
        Self {
            week: period_in_words((week.period.from, week.period.to), week.period.zone.name()),
            promises: any.map(|((metric, now), before)| promise(*metric, now, before)).collect(),
            nps: nps_in_words(&nps.answers),
            nps_change: change.map_or_else(|| "nothing to compare with".to_owned(), str::to_owned),
            answers: format!(
                "{} answers given; {} of {} letters sent were answered{rate}",
                count(nps.answers.n()),
                count(nps.answered),
                count(nps.sent)
            ),
            breaches: named.collect(),
            breaches_more,
            reviews: match (reviews_waiting, reviews_overdue) {
                (0, _) => "No answer waits for its review.".to_owned(),
                (waiting, overdue) => {
                    format!("{} answers wait for a review, {} of them past their time.", count(waiting), count(overdue))
                }
            },
        }
    }
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
