//! What the report on calls was asked for: parts of an hour, hours, days and more in a time zone. Pure.
use super::asked::{BUCKETS_MAX, Bucket, Period, Unit};
use crate::error::FieldError;
use crate::ids::{AgentId, TeamId};
use chrono::{Offset, TimeDelta, Timelike, Utc};

names! {
    /// What the calls are divided by.
    pub enum CallsBy {
        /// Quarters of local hours.
        QuarterHour = "15min",
        /// Halves of local hours.
        HalfHour = "30min",
        /// Local hours.
        Hour = "hour",
        /// Local dates.
        Day = "day",
        /// ISO weeks, from Monday.
        Week = "week",
        /// Calendar months.
        Month = "month",
        /// The team whose queue it rang in.
        Team = "team",
        /// The agent who has it, or had it last: calls that nobody answered are nobody's.
        Agent = "agent",
    }
}

/// A whole question about calls.
#[derive(Debug, Clone)]
pub struct CallsAsked {
    /// About when: calls by the first instant that is known of them.
    pub period: Period,
    /// Only this team's.
    pub team_id: Option<TeamId>,
    /// Only this agent's.
    pub agent_id: Option<AgentId>,
    /// Divided by what.
    pub group_by: Option<CallsBy>,
    /// Seconds within which an answer is in time.
    pub within_seconds: i64,
    /// The stretches of the period, where it is divided by time.
    pub buckets: Vec<Bucket>,
}

/// Parts of local hours in order and without gaps, cut at the ends of the period; none where they are too many. An hour that a
/// change of clocks shortens, lengthens or repeats is as long as it was, and its label says which offset it had.
pub fn parts(period: &Period, minutes: i64) -> Option<Vec<Bucket>> {
    let (mut buckets, mut start) = (Vec::new(), period.from);
    while start < period.to {
        let local = start.with_timezone(&period.zone);
        let into = (i64::from(local.minute()) % minutes) * 60 + i64::from(local.second());
        let into = TimeDelta::seconds(into) + TimeDelta::nanoseconds(i64::from(local.nanosecond() % 1_000_000_000));
        let whole = start - into;
        let mut end = whole + TimeDelta::minutes(minutes);
        // A change of clocks inside ends the part there.
        let offset = |at: chrono::DateTime<Utc>| at.with_timezone(&period.zone).offset().fix().local_minus_utc();
        if offset(end) != offset(start) {
            let quarter = TimeDelta::minutes(15);
            let mut at = whole + quarter;
            while at < end && offset(at) == offset(start) {
                at += quarter;
            }
            end = at.min(end);
        }
        // Where the clocks changed inside, the part is named by its own first instant.
        let named = if offset(whole) == offset(start) { whole } else { start };
        let label = named.with_timezone(&period.zone).format("%Y-%m-%dT%H:%M%:z").to_string();
        buckets.push(Bucket { label, from: start, to: end.min(period.to) });
        start = end;
        if buckets.len() > BUCKETS_MAX {
            return None;
        }
    }
    Some(buckets)
}

impl CallsAsked {
    /// Lays the stretches out, if that is what is asked for.
    pub fn new(
        period: Period,
        (team_id, agent_id): (Option<TeamId>, Option<AgentId>),
        group_by: Option<CallsBy>,
        within_seconds: i64,
    ) -> Result<Self, FieldError> {
        let buckets = match group_by {
            Some(CallsBy::QuarterHour) => parts(&period, 15),
            Some(CallsBy::HalfHour) => parts(&period, 30),
            Some(CallsBy::Hour) => parts(&period, 60),
            Some(CallsBy::Day) => period.buckets(Unit::Day),
            Some(CallsBy::Week) => period.buckets(Unit::Week),
            Some(CallsBy::Month) => period.buckets(Unit::Month),
            Some(CallsBy::Team | CallsBy::Agent) | None => Some(Vec::new()),
        };
        let too_many = || {
            FieldError::new("group_by", "range", format!("would make more than {BUCKETS_MAX} groups: ask for a shorter period"))
        };
        Ok(Self { period, team_id, agent_id, group_by, within_seconds, buckets: buckets.ok_or_else(too_many)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use chrono_tz::Tz;

    #[track_caller]
    fn labels(from: &str, to: &str, zone: Tz, minutes: i64) -> Vec<String> {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap_or_default();
        let period = Period { from: at(from), to: at(to), zone };
        let buckets = parts(&period, minutes).unwrap_or_default();
        assert_eq!(buckets.first().map(|bucket| bucket.from), Some(period.from));
        assert_eq!(buckets.last().map(|bucket| bucket.to), Some(period.to));
        assert!(buckets.windows(2).all(|pair| pair[0].to == pair[1].from && pair[0].from < pair[0].to), "{buckets:?}");
        buckets.into_iter().map(|bucket| bucket.label).collect()
    }

    #[test]
    fn parts_of_hours_follow_the_local_clock() {
        let toronto = chrono_tz::America::Toronto;
        assert_eq!(
            labels("2026-06-10T14:10:00Z", "2026-06-10T14:50:00Z", toronto, 15),
            ["2026-06-10T10:00-04:00", "2026-06-10T10:15-04:00", "2026-06-10T10:30-04:00", "2026-06-10T10:45-04:00"]
        );
        // India is half an hour off.
        assert_eq!(labels("2026-06-10T14:00:00Z", "2026-06-10T15:00:00Z", chrono_tz::Asia::Kolkata, 60).len(), 2);
    }

    #[test]
    fn a_change_of_clocks_makes_one_hour_less_or_more() {
        let toronto = chrono_tz::America::Toronto;
        assert_eq!(labels("2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z", toronto, 60).len(), 23);
        let autumn = labels("2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z", toronto, 60);
        assert_eq!(autumn.len(), 25);
        assert_eq!(autumn[1..3], ["2026-11-01T01:00-04:00", "2026-11-01T01:00-05:00"]);
        // Half an hour on Lord Howe Island.
        assert_eq!(labels("2026-04-04T13:00:00Z", "2026-04-04T17:00:00Z", chrono_tz::Australia::Lord_Howe, 60).len(), 5);
    }

    #[test]
    fn too_many_parts_are_refused() {
        let period = Period { from: DateTime::UNIX_EPOCH, to: DateTime::UNIX_EPOCH + TimeDelta::days(42), zone: Tz::UTC };
        assert_eq!(parts(&period, 15), None);
        assert_eq!(parts(&period, 60).map(|parts| parts.len()), Some(42 * 24));
    }
}
