//! The report on calls as JSON. Pure.
use super::asked::{Asked, Filter, GroupBy};
use super::calls_asked::{CallsAsked, CallsBy};
use super::calls_figures::{CallsTally, LeftOutCall};
use super::figures::{Groups, Names, percent_one_decimal};
use super::wire::{GroupKey, in_order};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A share, with the formula that it is by.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Share {
    /// What is divided by what.
    #[schema(examples("answered within 20 s / offered"))]
    pub formula: String,
    /// 100 · numerator ÷ denominator, rounded half away from zero to one decimal; null where nothing is divided by.
    #[schema(examples(91.3))]
    pub percent: Option<f64>,
    /// What is divided.
    pub numerator: u64,
    /// By what.
    pub denominator: u64,
}

impl Share {
    fn of(formula: String, numerator: u64, denominator: u64) -> Self {
        Self { formula, percent: percent_one_decimal(numerator, denominator), numerator, denominator }
    }
}

/// The service level in the three formulas that call centres use.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ServiceLevels {
    /// Answered in time, of all that were offered.
    pub of_offered: Share,
    /// The same, without those who hung up within five seconds.
    pub of_offered_less_short: Share,
    /// Answered in time, of those that were answered.
    pub of_answered: Share,
}

/// Figures of calls. total = offered + everything left out; offered = answered + abandoned + short abandoned + voicemail.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CallFigures {
    /// All calls that began in the period.
    pub total: u64,
    /// Calls that rang while the desk was open and are decided.
    pub offered: u64,
    /// An agent took it.
    pub answered: u64,
    /// An agent took it within `within_seconds`.
    pub answered_in_time: u64,
    /// The caller hung up after five seconds or more.
    pub abandoned: u64,
    /// The caller hung up within five seconds.
    pub short_abandoned: u64,
    /// Nobody took it, and the caller left a message.
    pub voicemail: u64,
    /// Calls that are in no figure, by reason.
    pub left_out: BTreeMap<&'static str, u64>,
    /// The service level.
    pub service_level: ServiceLevels,
    /// Mean seconds until an agent answered, to one decimal; null where none was answered.
    pub average_speed_of_answer_seconds: Option<f64>,
    /// Abandoned, short ones included, of all that were offered.
    pub abandonment: Share,
    /// Abandoned, short ones left out above and below.
    pub abandonment_less_short: Share,
    /// The longest wait of any offered call, answered or not.
    pub longest_wait_seconds: Option<i64>,
    /// Seconds that agents talked in the calls that were offered.
    pub talk_seconds: i64,
    /// Seconds that agents were available, on a call or not; of a team: its members of today. An agent of two teams is there for both.
    pub available_seconds: i64,
    /// The share of that time in which they talked.
    pub occupancy: Share,
}

/// A mean of whole seconds to one decimal, half away from zero.
fn mean(sum: i64, count: u64) -> Option<f64> {
    let count = i64::try_from(count).ok().filter(|count| *count > 0)?;
    Some(((sum * 20 + count) / (count * 2)) as f64 / 10.0)
}

impl CallFigures {
    fn of(tally: &CallsTally, within: i64) -> Self {
        let CallsTally {
            total,
            offered,
            answered,
            answered_in_time,
            abandoned,
            short_abandoned,
            voicemail,
            answer_wait_seconds,
            longest_wait_seconds,
            talk_seconds,
            available_seconds,
            left_out,
        } = *tally;
        let in_time = format!("answered within {within} s");
        let less_short = offered - short_abandoned;
        Self {
            total,
            offered,
            answered,
            answered_in_time,
            abandoned,
            short_abandoned,
            voicemail,
            left_out: LeftOutCall::ALL.iter().map(|reason| reason.as_str()).zip(left_out).collect(),
            service_level: ServiceLevels {
                of_offered: Share::of(format!("{in_time} / offered"), answered_in_time, offered),
                of_offered_less_short: Share::of(
                    format!("{in_time} / (offered - short_abandoned)"),
                    answered_in_time,
                    less_short,
                ),
                of_answered: Share::of(format!("{in_time} / answered"), answered_in_time, answered),
            },
            average_speed_of_answer_seconds: mean(answer_wait_seconds, answered),
            abandonment: Share::of("(abandoned + short_abandoned) / offered".into(), abandoned + short_abandoned, offered),
            abandonment_less_short: Share::of("abandoned / (offered - short_abandoned)".into(), abandoned, less_short),
            longest_wait_seconds,
            talk_seconds,
            available_seconds,
            occupancy: Share::of(
                "talk_seconds / available_seconds".into(),
                talk_seconds.try_into().unwrap_or(0),
                available_seconds.try_into().unwrap_or(0),
            ),
        }
    }
}

/// Figures of one group.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CallGroup {
    /// Which group.
    pub key: GroupKey,
    /// Its figures.
    pub figures: CallFigures,
}

/// How calls went: calls counted by when they began.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CallsReport {
    /// Start of the period.
    pub from: DateTime<Utc>,
    /// End of the period, exclusive.
    pub to: DateTime<Utc>,
    /// Where dates and hours were read.
    #[schema(examples("America/Toronto"))]
    pub time_zone: String,
    /// When the calls were read.
    pub as_of: DateTime<Utc>,
    /// Seconds within which an answer is in time.
    pub within_seconds: i64,
    /// What the groups are.
    pub group_by: Option<CallsBy>,
    /// Everything.
    pub total: CallFigures,
    /// The groups: by label, none last; stretches of time in order, without gaps.
    pub groups: Vec<CallGroup>,
}

/// The question in the words of the other reports, for names and for the order of groups.
fn as_asked(asked: &CallsAsked) -> Asked {
    Asked { period: asked.period, filter: Filter::default(), group_by: named(asked.group_by), buckets: asked.buckets.clone() }
}

/// What the groups are called by, where they have names.
pub fn named(group_by: Option<CallsBy>) -> Option<GroupBy> {
    match group_by {
        Some(CallsBy::Team) => Some(GroupBy::Team),
        Some(CallsBy::Agent) => Some(GroupBy::Agent),
        _ => None,
    }
}

impl CallsReport {
    /// The report that the tallies make.
    pub fn of(asked: &CallsAsked, as_of: DateTime<Utc>, groups: Groups<CallsTally>, names: &Names) -> Self {
        let Groups { whole, by_key } = groups;
        let within_seconds = asked.within_seconds;
        let figures = |tally: CallsTally| CallFigures::of(&tally, within_seconds);
        let groups = in_order(by_key, &as_asked(asked), names);
        Self {
            from: asked.period.from,
            to: asked.period.to,
            time_zone: asked.period.zone.to_string(),
            as_of,
            within_seconds,
            group_by: asked.group_by,
            total: figures(whole),
            groups: groups.into_iter().map(|(key, tally)| CallGroup { key, figures: figures(tally) }).collect(),
        }
    }
}
