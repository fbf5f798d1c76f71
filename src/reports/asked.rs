//! What a report was asked for: a period, its days, weeks or months in a time zone, groups, filters. Pure.
use crate::error::FieldError;
use crate::ids::{AgentId, OrganizationId, TeamId};
use crate::surveys::model::SurveyKind;
use crate::tickets::model::{Channel, Priority};
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};

/// A period at the most: ten years, three of them leap years.
pub const PERIOD_DAYS_MAX: i64 = 3_653;
/// The period where none is given.
pub const PERIOD_DAYS_DEFAULT: i64 = 90;
/// Days, weeks or months of one report at the most.
pub const BUCKETS_MAX: usize = 4_000;
/// Years that a period may touch.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=9999;

names! {
    /// What a report is divided by.
    pub enum GroupBy {
        /// How the ticket came.
        Channel = "channel",
        /// The team that was responsible.
        Team = "team",
        /// The agent that was responsible.
        Agent = "agent",
        /// Whose ticket it was.
        Organization = "organization",
        /// How urgent it was.
        Priority = "priority",
        /// Local date.
        Day = "day",
        /// ISO week, from Monday.
        Week = "week",
        /// Calendar month.
        Month = "month",
    }
}

impl GroupBy {
    /// The stretch of time that is meant; none where it is a property of the ticket.
    pub fn unit(self) -> Option<Unit> {
        match self {
            Self::Day => Some(Unit::Day),
            Self::Week => Some(Unit::Week),
            Self::Month => Some(Unit::Month),
            Self::Channel | Self::Team | Self::Agent | Self::Organization | Self::Priority => None,
        }
    }
}

/// A stretch of local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// From midnight to midnight.
    Day,
    /// From Monday to Monday.
    Week,
    /// From the first to the first.
    Month,
}

impl Unit {
    /// The first date of the stretch that `date` lies in.
    pub fn first(self, date: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Day => Some(date),
            Self::Week => date.checked_sub_days(Days::new(date.weekday().num_days_from_monday().into())),
            Self::Month => date.with_day(1),
        }
    }

    fn next(self, first: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Day => first.succ_opt(),
            Self::Week => first.checked_add_days(Days::new(7)),
            Self::Month => first.checked_add_months(Months::new(1)),
        }
    }

    fn label(self, first: NaiveDate) -> String {
        match self {
            Self::Day => first.to_string(),
            Self::Week => format!("{:04}-W{:02}", first.iso_week().year(), first.iso_week().week()),
            Self::Month => format!("{:04}-{:02}", first.year(), first.month()),
        }
    }
}

/// The first instant of a local date; where midnight falls into a gap, the first one after it.
pub fn midnight(zone: Tz, date: NaiveDate) -> DateTime<Utc> {
    local_instant(zone, date.and_time(NaiveTime::MIN))
}

/// When a clock on the wall first shows `local`; where it never does, the first instant after the gap.
pub fn local_instant(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    let offset = zone.offset_from_local_datetime(&local).earliest().map(|offset| (local, offset));
    // The first missing local time, at the offset before the gap, is the first instant after it.
    let gap = || GapInfo::new(&local, &zone).and_then(|gap| gap.begin);
    match offset.or_else(gap) {
        Some((local, offset)) => local.and_utc() - TimeDelta::seconds(offset.fix().local_minus_utc().into()),
        None => local.and_utc(),
    }
}

/// A stretch of time, `[from, to)`, read in a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Its first instant.
    pub from: DateTime<Utc>,
    /// The first instant after it.
    pub to: DateTime<Utc>,
    /// Where its dates are read.
    pub zone: Tz,
}

impl Period {
    /// Reads RFC 3339 instants or local dates; without `to` it ends now, without `from` it is
    /// [`PERIOD_DAYS_DEFAULT`] days long.
    pub fn read(from: Option<&str>, to: Option<&str>, zone: Tz, now: DateTime<Utc>) -> Result<Self, FieldError> {
        let to = to.map_or(Ok(now), |text| instant("to", text, zone))?;
        let from = from.map_or(Ok(to - TimeDelta::days(PERIOD_DAYS_DEFAULT)), |text| instant("from", text, zone))?;
        if from >= to {
            return Err(FieldError::new("from", "order", format!("must be before {}, where the period ends", to.to_rfc3339())));
        }
        if to - from > TimeDelta::days(PERIOD_DAYS_MAX) {
            return Err(FieldError::new("from", "range", "must be at most ten years before the end of the period"));
        }
        Ok(Self { from, to, zone })
    }

    /// The period of equal length, in elapsed time, that ends where this one starts.
    pub fn before(self) -> Compared {
        Compared { from: self.from - (self.to - self.from), to: self.from }
    }

    /// Its days, weeks or months in order and without gaps, cut at its ends; none where they are more than [`BUCKETS_MAX`].
    pub fn buckets(&self, unit: Unit) -> Option<Vec<Bucket>> {
        let mut buckets = Vec::new();
        let mut first = unit.first(self.from.with_timezone(&self.zone).date_naive())?;
        let mut start = midnight(self.zone, first);
        while start < self.to {
            let next = unit.next(first)?;
            let end = midnight(self.zone, next);
            let (from, to) = (start.max(self.from), end.min(self.to));
            // A date that its zone skipped has no length.
            if from < to {
                buckets.push(Bucket { label: unit.label(first), from, to });
            }
            (first, start) = (next, end);
            if buckets.len() > BUCKETS_MAX {
                return None;
            }
        }
        Some(buckets)
    }
}

/// The period that figures are compared with, `[from, to)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compared {
    /// Its first instant.
    pub from: DateTime<Utc>,
    /// The first instant after it.
    pub to: DateTime<Utc>,
}

names! {
    /// What to compare with.
    pub enum Compare {
        /// The period of equal length before this one.
        Previous = "previous",
        /// Nothing.
        None = "none",
    }
}

impl Compared {
    /// What `compare`, or `compare_from` with `compare_to`, ask for; the period before where neither is given.
    pub fn read(
        compare: Option<Compare>,
        from: Option<&str>,
        to: Option<&str>,
        period: Period,
    ) -> Result<Option<Self>, FieldError> {
        match (compare, from, to) {
            (None | Some(Compare::Previous), None, None) => Ok(Some(period.before())),
            (Some(Compare::None), None, None) => Ok(None),
            (None, Some(from), Some(to)) => {
                let Period { from, to, .. } = Period::read(Some(from), Some(to), period.zone, period.to)
                    .map_err(|error| FieldError { field: format!("compare_{}", error.field), ..error })?;
                Ok(Some(Self { from, to }))
            }
            (None, Some(_), None) => Err(FieldError::new("compare_to", "missing", "is needed beside compare_from")),
            (None, None, Some(_)) => Err(FieldError::new("compare_from", "missing", "is needed beside compare_to")),
            (Some(_), _, _) => Err(FieldError::new("compare", "one_of", "cannot be given beside compare_from and compare_to")),
        }
    }
}

fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() })
}

/// An instant in whole microseconds, which is what is stored.
fn instant(field: &str, text: &str, zone: Tz) -> Result<DateTime<Utc>, FieldError> {
    let wrong =
        || FieldError::new(field, "date_time", "must be a date such as 2026-03-01 or an instant such as 2026-03-01T08:00:00Z");
    let (at, year) = if is_date(text) {
        let date: NaiveDate = text.parse().map_err(|_| wrong())?;
        (midnight(zone, date), date.year())
    } else {
        let is_joined_by_t = text.as_bytes().get(10).is_some_and(|byte| byte.eq_ignore_ascii_case(&b'T'));
        let at = DateTime::parse_from_rfc3339(text).ok().filter(|_| is_joined_by_t).ok_or_else(wrong)?;
        (at.to_utc(), at.to_utc().year())
    };
    let whole = DateTime::from_timestamp_micros(at.timestamp_micros()).ok_or_else(wrong)?;
    if YEARS.contains(&year) && whole.year() <= *YEARS.end() {
        Ok(whole)
    } else {
        Err(FieldError::new(field, "range", format!("must be in the years {} to {}", YEARS.start(), YEARS.end())))
    }
}

/// One day, week or month of a report, or the part of it that lies in the period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// `2026-03-08`, `2026-W10` or `2026-03`.
    pub label: String,
    /// Its first instant.
    pub from: DateTime<Utc>,
    /// The first instant after it.
    pub to: DateTime<Utc>,
}

/// Which of `buckets`, in order and without gaps, an instant of the period lies in.
pub fn bucket_of(buckets: &[Bucket], at: DateTime<Utc>) -> usize {
    buckets.partition_point(|bucket| bucket.from <= at).saturating_sub(1)
}

/// Whose figures; what is `None` does not filter.
#[derive(Debug, Default, Clone, Copy)]
#[expect(missing_docs, reason = "the words of the domain")]
pub struct Filter {
    pub channel: Option<Channel>,
    pub priority: Option<Priority>,
    pub team_id: Option<TeamId>,
    pub agent_id: Option<AgentId>,
    pub organization_id: Option<OrganizationId>,
    /// Figures of surveys are of one kind, never of both.
    pub kind: SurveyKind,
}

impl Filter {
    /// The same, about surveys of this kind; those about requests where none is named.
    #[must_use]
    pub fn about(self, kind: Option<SurveyKind>) -> Self {
        Self { kind: kind.unwrap_or_default(), ..self }
    }
}

/// A whole question.
#[derive(Debug, Clone)]
pub struct Asked {
    /// About when.
    pub period: Period,
    /// About whom.
    pub filter: Filter,
    /// Divided by what.
    pub group_by: Option<GroupBy>,
    /// The days, weeks or months of the period, where it is divided by them.
    pub buckets: Vec<Bucket>,
}

impl Asked {
    /// Lays the days, weeks or months out, if that is what is asked for.
    pub fn new(period: Period, filter: Filter, group_by: Option<GroupBy>) -> Result<Self, FieldError> {
        let buckets =
            group_by.and_then(GroupBy::unit).map_or(Some(Vec::new()), |unit| period.buckets(unit)).ok_or_else(|| {
                FieldError::new(
                    "group_by",
                    "range",
                    format!("would make more than {BUCKETS_MAX} groups: ask for a shorter period"),
                )
            })?;
        Ok(Self { period, filter, group_by, buckets })
    }
}

#[cfg(test)]
#[path = "asked_tests.rs"]
mod tests;
