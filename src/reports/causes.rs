//! What answers are about: the causes that their reviews name, and what each does to the NPS. Pure.
use super::asked::Period;
use super::figures::percent_one_decimal;
use crate::surveys::score::{Score, Tally};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Counted answers by cause.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct CauseTally {
    all: Tally,
    reviewed: u64,
    named: u64,
    by_cause: BTreeMap<String, Tally>,
}

impl CauseTally {
    /// Counts an answer with the causes that its review names.
    pub fn add(&mut self, score: Score, is_reviewed: bool, mut causes: Vec<String>) {
        self.all.add(score);
        self.reviewed += u64::from(is_reviewed);
        causes.sort();
        causes.dedup();
        self.named += u64::from(!causes.is_empty());
        for cause in causes {
            self.by_cause.entry(cause).or_default().add(score);
        }
    }
}

/// One cause.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CauseFigures {
    /// Its name.
    #[schema(examples("slow answer"))]
    pub cause: String,
    /// Answers whose review names it. One answer can have several causes: they do not add up.
    pub answers: u64,
    /// Of those, 9 and 10.
    pub promoters: u64,
    /// 7 and 8.
    pub passives: u64,
    /// 0 to 6.
    pub detractors: u64,
    /// The share of all counted answers, in percent to one decimal.
    pub share_percent: Option<f64>,
    /// The NPS of those answers alone.
    pub nps: Option<f64>,
    /// What they contribute to the NPS of all: 100 · (promoters − detractors) ÷ all counted answers, to one decimal.
    pub nps_points: Option<f64>,
}

/// What the answers given in a period are about.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CausesReport {
    /// Start of the period.
    pub from: DateTime<Utc>,
    /// End of the period, exclusive.
    pub to: DateTime<Utc>,
    /// Where dates were read.
    #[schema(examples("America/Toronto"))]
    pub time_zone: String,
    /// When the answers were read.
    pub as_of: DateTime<Utc>,
    /// Counted answers.
    pub answers: u64,
    /// Their NPS, to one decimal.
    pub nps: Option<f64>,
    /// Of those, with a finished review.
    pub reviewed: u64,
    /// Of those, whose review names any cause.
    pub with_cause: u64,
    /// The causes, the most frequent first.
    pub causes: Vec<CauseFigures>,
}

impl CausesReport {
    /// The report that the tally makes.
    pub fn of(period: &Period, as_of: DateTime<Utc>, tally: CauseTally) -> Self {
        let CauseTally { all, reviewed, named, by_cause } = tally;
        let n = all.n();
        let mut causes: Vec<CauseFigures> = by_cause
            .into_iter()
            .map(|(cause, own)| {
                let Tally { promoters, passives, detractors } = own;
                // All others neither add nor take points.
                let among_all = Tally { passives: n - promoters - detractors, ..own };
                CauseFigures {
                    cause,
                    answers: own.n(),
                    promoters,
                    passives,
                    detractors,
                    share_percent: percent_one_decimal(own.n(), n),
                    nps: own.nps_one_decimal(),
                    nps_points: among_all.nps_one_decimal(),
                }
            })
            .collect();
        causes.sort_by(|a, b| b.answers.cmp(&a.answers).then_with(|| a.cause.cmp(&b.cause)));
        Self {
            from: period.from,
            to: period.to,
            time_zone: period.zone.to_string(),
            as_of,
            answers: n,
            nps: all.nps_one_decimal(),
            reviewed,
            with_cause: named,
            causes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_has_a_share_a_score_and_its_points_of_the_whole() {
        let mut tally = CauseTally::default();
        let causes = |list: &[&str]| list.iter().map(|cause| (*cause).to_owned()).collect::<Vec<_>>();
        for (score, is_reviewed, list) in [
            (10, true, causes(&["fast answer"])),
            (9, true, causes(&["fast answer", "friendly agent", "fast answer"])),
            (3, true, causes(&["slow answer", "fast answer"])),
            (0, false, causes(&[])),
            (8, true, causes(&[])),
            (0, true, causes(&["slow answer"])),
        ] {
            tally.add(Score::new(score).expect("a score"), is_reviewed, list);
        }
        let now: DateTime<Utc> = "2026-06-15T12:00:00Z".parse().expect("an instant");
        let period = Period { from: now, to: now, zone: chrono_tz::UTC };
        let report = CausesReport::of(&period, now, tally);
        assert_eq!((report.answers, report.reviewed, report.with_cause, report.nps), (6, 5, 4, Some(-16.7)));
        let shown: Vec<_> =
            report.causes.iter().map(|c| (c.cause.as_str(), c.answers, c.share_percent, c.nps, c.nps_points)).collect();
        assert_eq!(
            shown,
            [
                ("fast answer", 3, Some(50.0), Some(33.3), Some(16.7)),
                ("slow answer", 2, Some(33.3), Some(-100.0), Some(-33.3)),
                ("friendly agent", 1, Some(16.7), Some(100.0), Some(16.7)),
            ]
        );
    }
}
