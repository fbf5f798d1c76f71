//! The NPS report as JSON. Pure.
use super::asked::{Asked, Compared, GroupBy};
use super::figures::{Groups, Names, NpsTally, SCORES, percent_one_decimal};
use super::wire::{GroupKey, in_order};
use crate::surveys::score::{self, Direction, Tally};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// Points to six decimals: more is noise of the arithmetic.
fn six_decimals(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// A 95 % interval in points.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct IntervalOut {
    /// Its lower end.
    #[schema(examples(29.343111))]
    pub low: f64,
    /// Its upper end.
    #[schema(examples(58.03553))]
    pub high: f64,
}

/// The NPS, in points to one decimal, that the letters sent in the period could still have had.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct BoundsOut {
    /// If all who did not answer were detractors.
    pub if_all_others_detractors: f64,
    /// If all who did not answer were promoters.
    pub if_all_others_promoters: f64,
}

/// What came back of the letters that were sent in the period, whenever it came.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CohortOut {
    /// Invitations sent in the period.
    pub sent: u64,
    /// Of those, returned as undeliverable; always 0 as long as returned mail is not read.
    pub bounced: u64,
    /// Of those sent, answered by now.
    pub answered: u64,
    /// 100 · answered ÷ (sent − bounced), rounded half away from zero to one decimal; null where nothing was sent.
    pub response_rate: Option<f64>,
    /// Over the answers to these letters, not over the answers given in the period; null where nothing was sent.
    pub bounds: Option<BoundsOut>,
}

/// What the answers given in the period say.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct NpsFigures {
    /// Answers of 9 or 10.
    pub promoters: u64,
    /// Answers of 7 or 8.
    pub passives: u64,
    /// Answers of 0 to 6.
    pub detractors: u64,
    /// All answers.
    pub n: u64,
    /// 100 · (promoters − detractors) ÷ n in points, −100 to 100, rounded half away from zero to one decimal; null without answers.
    #[schema(examples(45.0))]
    pub nps: Option<f64>,
    /// The same in whole points, rounded from the counts.
    pub nps_rounded: Option<i64>,
    /// Adjusted Wald (Rocks 2016), 95 %; null under 5 answers.
    pub interval: Option<IntervalOut>,
    /// True under 30 answers.
    pub few_answers: bool,
    /// Answers of 0, of 1, and so on to 10.
    #[schema(value_type = Vec<u64>, min_items = 11, max_items = 11)]
    pub by_score: [u64; SCORES],
    /// Answers with a comment.
    pub comments: u64,
    /// The letters sent in the period.
    pub cohort: CohortOut,
}

impl From<NpsTally> for NpsFigures {
    fn from(tally: NpsTally) -> Self {
        let bounds = tally.bounds();
        let NpsTally { answers, by_score, comments, before: _, sent, bounced, answered, cohort: _ } = tally;
        let Tally { promoters, passives, detractors } = answers;
        let interval = answers.interval();
        Self {
            promoters,
            passives,
            detractors,
            n: answers.n(),
            nps: answers.nps_one_decimal(),
            nps_rounded: answers.nps_rounded(),
            interval: interval.map(|(low, high)| IntervalOut { low: six_decimals(low), high: six_decimals(high) }),
            few_answers: answers.is_few(),
            by_score,
            comments,
            cohort: CohortOut {
                sent,
                bounced,
                answered,
                response_rate: percent_one_decimal(answered, sent.saturating_sub(bounced)),
                bounds: bounds.map(|(worst, best)| BoundsOut { if_all_others_detractors: worst, if_all_others_promoters: best }),
            },
        }
    }
}

names! {
    /// Which arrow to show.
    pub enum DirectionName {
        /// Clearly better.
        Up = "up",
        /// Clearly worse.
        Down = "down",
        /// The difference may well be chance.
        NoClearChange = "no_clear_change",
    }
}

impl From<Direction> for DirectionName {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Up => Self::Up,
            Direction::Down => Self::Down,
            Direction::NoClearChange => Self::NoClearChange,
        }
    }
}

/// The period that was asked to compare with: the one of equal length before, or another.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PreviousOut {
    /// Its start.
    pub from: DateTime<Utc>,
    /// Its end, exclusive.
    pub to: DateTime<Utc>,
    /// Its answers.
    pub n: u64,
    /// Its NPS in points, to one decimal; null without answers.
    pub nps: Option<f64>,
}

impl PreviousOut {
    fn of(Compared { from, to }: Compared, before: &Tally) -> Self {
        Self { from, to, n: before.n(), nps: before.nps_one_decimal() }
    }
}

/// Whether the NPS changed between the two periods: a two-sided z test of the adjusted scores.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ChangeOut {
    /// The difference in standard errors; positive is better now.
    pub z: f64,
    /// The chance of a difference at least this large if nothing had changed.
    pub p: f64,
    /// `up` or `down` only where p is below 0.05.
    pub direction: DirectionName,
}

impl ChangeOut {
    fn of(before: &Tally, now: &Tally) -> Option<Self> {
        let score::Change { z, p, direction } = score::compare(before, now)?;
        Some(Self { z: six_decimals(z), p: six_decimals(p), direction: direction.into() })
    }
}

/// Figures of one group.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct NpsGroup {
    /// Which group.
    pub key: GroupKey,
    /// Its figures.
    pub figures: NpsFigures,
    /// What to compare it with; null for days, weeks and months, and where nothing is compared.
    pub previous: Option<PreviousOut>,
    /// The comparison; null where either period has no answers. Of twenty groups that did not change, one will seem to.
    pub change: Option<ChangeOut>,
}

/// What contacts answered: answers counted by when they were given, letters by when they were sent.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct NpsReport {
    /// Start of the period.
    pub from: DateTime<Utc>,
    /// End of the period, exclusive.
    pub to: DateTime<Utc>,
    /// Where dates were read.
    #[schema(examples("America/Toronto"))]
    pub time_zone: String,
    /// When the answers were read.
    pub as_of: DateTime<Utc>,
    /// What the groups are.
    pub group_by: Option<GroupBy>,
    /// Everything.
    pub total: NpsFigures,
    /// What to compare the total with; null where nothing is compared.
    pub previous: Option<PreviousOut>,
    /// The comparison; null where either period has no answers.
    pub change: Option<ChangeOut>,
    /// The groups: by label, none last; days, weeks and months in order, without gaps.
    pub groups: Vec<NpsGroup>,
}

impl NpsReport {
    /// The report that the tallies make.
    pub fn of(asked: &Asked, compared: Option<Compared>, as_of: DateTime<Utc>, groups: Groups<NpsTally>, names: &Names) -> Self {
        let Groups { whole, by_key } = groups;
        let (previous, change) =
            (compared.map(|c| PreviousOut::of(c, &whole.before)), ChangeOut::of(&whole.before, &whole.answers));
        let compared = compared.filter(|_| asked.buckets.is_empty());
        let groups = in_order(by_key, asked, names).into_iter().map(|(key, tally)| {
            let change = ChangeOut::of(&tally.before, &tally.answers);
            NpsGroup { key, previous: compared.map(|c| PreviousOut::of(c, &tally.before)), change, figures: tally.into() }
        });
        Self {
            from: asked.period.from,
            to: asked.period.to,
            time_zone: asked.period.zone.to_string(),
            as_of,
            group_by: asked.group_by,
            groups: groups.collect(),
            previous,
            change,
            total: whole.into(),
        }
    }
}
