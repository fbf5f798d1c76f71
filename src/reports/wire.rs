//! Groups and the SLA report as JSON. Pure.
use super::asked::{Asked, GroupBy};
use super::figures::{Groups, Key, METRICS, Names, Reasons, SlaTallies, SlaTally, Spread, percent_one_decimal};
use crate::sla::clock::Metric;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use utoipa::ToSchema;
use uuid::Uuid;

/// The label of what nobody was responsible for, or belongs to no organization.
const NONE: &str = "none";

/// Which group the figures are of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct GroupKey {
    /// What to show: the name, or `2026-03-08`, `2026-W10`, `2026-03`; `none` where there is no team, agent or organization.
    #[schema(examples("Reseller Support"))]
    pub label: String,
    /// The id of the team, agent or organization.
    pub id: Option<Uuid>,
    /// The name of the team, agent or organization; null where it no longer exists.
    pub name: Option<String>,
    /// First instant of the day, week or month, or of the part of it that lies in the period.
    pub from: Option<DateTime<Utc>>,
    /// The first instant after it.
    pub to: Option<DateTime<Utc>>,
}

impl GroupKey {
    fn plain(label: &str) -> Self {
        Self { label: label.to_owned(), id: None, name: None, from: None, to: None }
    }

    /// The key of figures that are of no group.
    pub fn total() -> Self {
        Self::plain("total")
    }

    fn of(key: Key, asked: &Asked, names: &Names) -> Self {
        match key {
            Key::Whole => Self::total(),
            Key::Name(name) => Self::plain(name),
            Key::Id(None) => Self::plain(NONE),
            Key::Id(Some(id)) => {
                let name = names.get(&id).cloned();
                Self { id: Some(id), name: name.clone(), ..Self::plain(&name.unwrap_or_else(|| id.to_string())) }
            }
            Key::Bucket(at) => asked.buckets.get(at).map_or_else(Self::total, |bucket| Self {
                from: Some(bucket.from),
                to: Some(bucket.to),
                ..Self::plain(&bucket.label)
            }),
        }
    }
}

/// The groups in the order in which they are shown: time runs, labels are sorted, none comes last.
pub(super) fn in_order<T: Default>(mut by_key: HashMap<Key, T>, asked: &Asked, names: &Names) -> Vec<(GroupKey, T)> {
    if !asked.buckets.is_empty() {
        let keys = (0..asked.buckets.len()).map(Key::Bucket);
        return keys.map(|key| (GroupKey::of(key, asked, names), by_key.remove(&key).unwrap_or_default())).collect();
    }
    let mut groups: Vec<_> = by_key.into_iter().map(|(key, figures)| (key, GroupKey::of(key, asked, names), figures)).collect();
    groups.sort_by(|(a, a_out, _), (b, b_out, _)| {
        (*a == Key::Id(None), &a_out.label, a_out.id).cmp(&(*b == Key::Id(None), &b_out.label, b_out.id))
    });
    groups.into_iter().map(|(_, key, figures)| (key, figures)).collect()
}

/// Clocks that are out of the attainment, and why.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LeftOutCount {
    /// How many.
    pub count: u64,
    /// The same by reason, such as `closed` (the calendar was, when a `when_open` promise would have begun) or
    /// `entered_by_hand`.
    pub reasons: BTreeMap<String, u64>,
}

impl From<Reasons> for LeftOutCount {
    fn from(reasons: Reasons) -> Self {
        Self { count: reasons.values().sum(), reasons }
    }
}

/// Clocks that are out of the attainment.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LeftOut {
    /// Nothing was promised.
    pub not_promised: LeftOutCount,
    /// The start is not known.
    pub not_measured: LeftOutCount,
}

/// The share of promises kept.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Attainment {
    /// 100 · numerator ÷ denominator, rounded half away from zero to one decimal; null where nothing is decided.
    #[schema(examples(98.7))]
    pub percent: Option<f64>,
    /// Clocks met.
    pub numerator: u64,
    /// Clocks met and clocks breached; what is undecided or left out is not in it.
    pub denominator: u64,
}

/// Seconds that the promise's clock counted until what was promised was done: over all that are `reached`, in time or late.
/// What is not done yet is not in them: see `unreached_breached`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SecondsOut {
    /// How many clocks the figures are of.
    pub reached: u64,
    /// 50th percentile. All percentiles are the nearest rank: the value at place ⌈n·percent÷100⌉ of the sorted values.
    pub median: Option<i64>,
    /// 90th percentile.
    pub p90: Option<i64>,
    /// 95th percentile.
    pub p95: Option<i64>,
    /// The longest.
    pub worst: Option<i64>,
}

/// How the promises of one metric were kept; total = met + breached + running + paused + all left out.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SlaFigures {
    /// What was promised.
    pub metric: Metric,
    /// All clocks that began in the period.
    pub total: u64,
    /// Reached at or before due.
    pub met: u64,
    /// Not reached by due, whether reached since or not.
    pub breached: u64,
    /// Of the breached, those still not reached: `seconds` does not cover them.
    pub unreached_breached: u64,
    /// Undecided and not overdue at `as_of`.
    pub running: u64,
    /// Undecided and standing still.
    pub paused: u64,
    /// Neither met nor breached, because nothing was promised or measured.
    pub left_out: LeftOut,
    /// The share kept.
    pub attainment: Attainment,
    /// How long it took.
    pub seconds: SecondsOut,
}

impl SlaFigures {
    fn of(metric: Metric, tally: SlaTally) -> Self {
        let (total, decided) = (tally.total(), tally.decided());
        let SlaTally { met, breached, unreached_breached, running, paused, not_promised, not_measured, seconds } = tally;
        let reached = seconds.len() as u64;
        let spread = Spread::of(seconds);
        Self {
            metric,
            total,
            met,
            breached,
            unreached_breached,
            running,
            paused,
            left_out: LeftOut { not_promised: not_promised.into(), not_measured: not_measured.into() },
            attainment: Attainment { percent: percent_one_decimal(met, decided), numerator: met, denominator: decided },
            seconds: SecondsOut {
                reached,
                median: spread.map(|spread| spread.median),
                p90: spread.map(|spread| spread.p90),
                p95: spread.map(|spread| spread.p95),
                worst: spread.map(|spread| spread.worst),
            },
        }
    }

    fn all(tallies: [SlaTally; METRICS]) -> Vec<Self> {
        Metric::ALL.iter().zip(tallies).map(|(metric, tally)| Self::of(*metric, tally)).collect()
    }
}

/// Resolutions of tickets that were reopened count once for each time that they began; here each ticket counts at most once.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Resolutions {
    /// Those before any reopening.
    pub first: SlaFigures,
    /// Those after which the ticket was not reopened, as far as is known at `as_of`.
    pub last: SlaFigures,
}

impl Resolutions {
    fn of(first: SlaTally, last: SlaTally) -> Self {
        Self { first: SlaFigures::of(Metric::Resolution, first), last: SlaFigures::of(Metric::Resolution, last) }
    }
}

/// Figures of one group.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SlaGroup {
    /// Which group.
    pub key: GroupKey,
    /// One of each metric that has clocks: in the group, or, for a day, week or month, anywhere in the report.
    pub metrics: Vec<SlaFigures>,
    /// First and last resolutions; null where `metrics` has no resolution.
    pub resolutions: Option<Resolutions>,
}

/// Whether promises were kept: clocks counted by when they began.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SlaReport {
    /// Start of the period.
    pub from: DateTime<Utc>,
    /// End of the period, exclusive.
    pub to: DateTime<Utc>,
    /// Where dates were read.
    #[schema(examples("America/Toronto"))]
    pub time_zone: String,
    /// When the clocks were read.
    pub as_of: DateTime<Utc>,
    /// What the groups are.
    pub group_by: Option<GroupBy>,
    /// Everything, one of each metric.
    pub total: Vec<SlaFigures>,
    /// First and last resolutions of everything.
    pub resolutions: Resolutions,
    /// The groups: by label, none last; days, weeks and months in order, without gaps.
    pub groups: Vec<SlaGroup>,
}

impl SlaReport {
    /// The report that the tallies make.
    pub fn of(asked: &Asked, as_of: DateTime<Utc>, groups: Groups<SlaTallies>, names: &Names) -> Self {
        let Groups { whole, by_key } = groups;
        let SlaTallies { by_metric, first_resolution, last_resolution } = whole;
        let (total, resolutions) = (SlaFigures::all(by_metric), Resolutions::of(first_resolution, last_resolution));
        let is_timed = !asked.buckets.is_empty();
        let groups = in_order(by_key, asked, names).into_iter().map(|(key, tallies)| {
            let SlaTallies { by_metric, first_resolution, last_resolution } = tallies;
            let all = SlaFigures::all(by_metric).into_iter().zip(&total);
            let shown = all.filter(|(own, whole)| own.total > 0 || (is_timed && whole.total > 0));
            let metrics: Vec<SlaFigures> = shown.map(|(own, _)| own).collect();
            let has_resolution = metrics.iter().any(|figures| figures.metric == Metric::Resolution);
            SlaGroup { key, metrics, resolutions: has_resolution.then(|| Resolutions::of(first_resolution, last_resolution)) }
        });
        let groups = groups.collect();
        let (from, to) = (asked.period.from, asked.period.to);
        let time_zone = asked.period.zone.to_string();
        Self { from, to, time_zone, as_of, group_by: asked.group_by, total, resolutions, groups }
    }
}
