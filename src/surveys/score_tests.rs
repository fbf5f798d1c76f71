//! The figures against published vectors, tables and properties.
use super::*;
use proptest::prelude::*;

const VECTORS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/nps.json"));

fn tally(promoters: u64, passives: u64, detractors: u64) -> Tally {
    Tally { promoters, passives, detractors }
}

/// Figures are compared as printed, to `decimals`; an absent figure prints as "none".
#[track_caller]
fn check<T: Printed>(what: &str, figure: T, expected: &str) {
    assert_eq!(figure.printed(), expected, "{what}");
}

trait Printed {
    fn printed(&self) -> String;
}

impl Printed for f64 {
    fn printed(&self) -> String {
        format!("{self:.6}")
    }
}

impl Printed for i64 {
    fn printed(&self) -> String {
        self.to_string()
    }
}

impl Printed for bool {
    fn printed(&self) -> String {
        self.to_string()
    }
}

impl Printed for Group {
    fn printed(&self) -> String {
        format!("{self:?}")
    }
}

impl Printed for (f64, f64) {
    fn printed(&self) -> String {
        format!("{:.6} {:.6}", self.0, self.1)
    }
}

impl Printed for Change {
    fn printed(&self) -> String {
        format!("p {:.4} {:?}", self.p, self.direction)
    }
}

impl<T: Printed> Printed for Option<T> {
    fn printed(&self) -> String {
        self.as_ref().map_or_else(|| "none".into(), Printed::printed)
    }
}

impl<T: Printed> Printed for Result<T, OutOfRange> {
    fn printed(&self) -> String {
        self.as_ref().map_or_else(ToString::to_string, Printed::printed)
    }
}

#[test]
fn a_score_is_zero_to_ten_and_falls_into_one_of_three_groups() {
    for (value, expected) in [
        (0, "Detractor"),
        (1, "Detractor"),
        (5, "Detractor"),
        (6, "Detractor"),
        (7, "Passive"),
        (8, "Passive"),
        (9, "Promoter"),
        (10, "Promoter"),
        (11, "a score is 0 to 10, not 11"),
        (255, "a score is 0 to 10, not 255"),
    ] {
        check(&value.to_string(), Score::new(value).map(Score::group), expected);
    }
}

#[test]
fn every_published_vector_is_met() {
    let file: serde_json::Value = serde_json::from_str(VECTORS).expect("the vectors are JSON");
    let cases = file["cases"].as_array().expect("the vectors hold cases");
    assert!(!cases.is_empty());
    for case in cases {
        let count = |name: &str| case[name].as_u64().expect("a count");
        let points = |name: &str| case[name].as_f64().expect("a number of points");
        let tally = tally(count("promoters"), count("passives"), count("detractors"));
        let what = case.to_string();
        assert_eq!(tally.n(), count("n"), "{what}");
        check(&what, tally.nps(), &points("nps").printed());
        check(&what, tally.interval_of_any_size(), &(points("lo"), points("hi")).printed());
    }
}

#[test]
fn the_figures_promised_in_the_design_are_met() {
    let (april, march) = (tally(60, 25, 15), tally(48, 30, 22));
    check("April", april.nps_rounded(), "45");
    check("April", april.interval(), "29.343111 58.035530");
    check("March", march.nps_rounded(), "26");
    check("April after March", compare(&march, &april), "p 0.0851 NoClearChange");
    check("only promoters", tally(10, 0, 0).nps_rounded(), "100");
    check("only promoters", tally(10, 0, 0).interval(), "47.503552 100.000000");
}

#[test]
fn no_answers_are_no_score() {
    let nobody = Tally::default();
    check("nps", nobody.nps(), "none");
    check("rounded", nobody.nps_rounded(), "none");
    check("one decimal", nobody.nps_one_decimal(), "none");
    check("interval", nobody.interval_of_any_size(), "none");
    check("bounds, nobody asked", nobody.bounds(0), "none");
    check("bounds, nobody answered", nobody.bounds(3), "-100.000000 100.000000");
    check("change from nothing", compare(&nobody, &tally(1, 0, 0)), "none");
    check("change to nothing", compare(&tally(1, 0, 0), &nobody), "none");
    check("few", nobody.is_few(), "true");
}

#[test]
fn halves_are_rounded_away_from_zero() {
    for (answers, whole, tenths) in [
        (tally(1, 199, 0), "1", "0.500000"),
        (tally(0, 199, 1), "-1", "-0.500000"),
        (tally(1, 7, 0), "13", "12.500000"),
        (tally(0, 7, 1), "-13", "-12.500000"),
        (tally(1, 1999, 0), "0", "0.100000"),
        (tally(0, 1999, 1), "0", "-0.100000"),
        (tally(1, 2000, 0), "0", "0.000000"),
        (tally(23, 1977, 0), "1", "1.200000"),
        (tally(0, 1977, 23), "-1", "-1.200000"),
        (tally(2, 0, 1), "33", "33.300000"),
        (tally(0, 0, 7), "-100", "-100.000000"),
        (tally(4, 2, 4), "0", "0.000000"),
    ] {
        check(&format!("{answers:?}"), answers.nps_rounded(), whole);
        check(&format!("{answers:?}"), answers.nps_one_decimal(), tenths);
    }
}

#[test]
fn zero_is_never_shown_as_minus_zero() {
    check("one decimal", tally(0, 9999, 1).nps_one_decimal().map(f64::is_sign_negative), "false");
    check("not rounded", tally(1, 0, 1).nps().map(f64::is_sign_negative), "false");
}

#[test]
fn an_interval_needs_five_answers_and_thirty_are_not_few() {
    for (answers, shown, few) in [(1, false, true), (4, false, true), (5, true, true), (29, true, true), (30, true, false)] {
        let answers = tally(answers, 0, 0);
        assert!(answers.interval_of_any_size().is_some());
        assert_eq!(answers.interval().is_some(), shown, "{answers:?}");
        check(&format!("{answers:?}"), answers.is_few(), &few.to_string());
    }
}

#[test]
fn bounds_count_the_silent_at_either_end() {
    check("half answered", tally(6, 3, 1).bounds(10), "-25.000000 75.000000");
    check("all answered", tally(6, 3, 1).bounds(0), "50.000000 50.000000");
}

#[test]
fn an_arrow_needs_a_clear_change() {
    let (low, high) = (tally(100, 50, 50), tally(140, 40, 20));
    check("better", compare(&low, &high), "p 0.0000 Up");
    check("worse", compare(&high, &low), "p 0.0000 Down");
    check("the same", compare(&low, &low), "p 1.0000 NoClearChange");
    check("two lone answers", compare(&tally(1, 0, 0), &tally(0, 0, 1)), "p 0.3458 NoClearChange");
}

#[test]
fn tails_agree_with_published_tables() {
    for (z, p) in [
        (0.0, 1.0),
        (0.5, 0.617_075_077_451_974),
        (1.0, 0.317_310_507_862_914),
        (Z_95, 0.05),
        (2.575_829_303_548_901, 0.01),
        (3.290_526_731_491_926, 0.001),
        (5.0, 5.733_031_437_584e-7),
        (7.9, 0.0),
        (40.0, 0.0),
    ] {
        assert!((two_sided_p(z) - p).abs() < 1e-14, "{z}: {} is not {p}", two_sided_p(z));
        assert_eq!(two_sided_p(-z), two_sided_p(z), "{z}");
    }
}

fn any_tally() -> impl Strategy<Value = Tally> {
    (0..100_000_u64, 0..100_000_u64, 0..100_000_u64).prop_map(|(promoters, passives, detractors)| Tally {
        promoters,
        passives,
        detractors,
    })
}

fn of(scores: &[u8]) -> Tally {
    let mut tally = Tally::default();
    scores.iter().filter_map(|&value| Score::new(value).ok()).for_each(|score| tally.add(score));
    tally
}

proptest! {
    #[test]
    fn merging_is_adding(
        left in proptest::collection::vec(0..=10_u8, 0..50),
        right in proptest::collection::vec(0..=10_u8, 0..50),
    ) {
        let both = [left.clone(), right.clone()].concat();
        prop_assert_eq!(of(&left).merge(of(&right)), of(&both));
        prop_assert_eq!(of(&right).merge(of(&left)), of(&both));
        prop_assert_eq!(of(&both).n(), both.len() as u64);
    }

    #[test]
    fn an_interval_lies_in_order_within_the_scale(tally in any_tally()) {
        if let Some((low, high)) = tally.interval_of_any_size() {
            prop_assert!(-100.0 <= low && low < high && high <= 100.0);
        }
    }

    #[test]
    fn figures_agree_with_each_other(tally in any_tally(), unanswered in 0..100_000_u64) {
        if let (Some(exact), Some(whole), Some(tenths)) = (tally.nps(), tally.nps_rounded(), tally.nps_one_decimal()) {
            prop_assert!((exact - whole as f64).abs() <= 0.5 + 1e-9);
            prop_assert!((exact - tenths).abs() <= 0.05 + 1e-9);
            let (worst, best) = tally.bounds(unanswered).expect("there are answers");
            prop_assert!(-100.0 <= worst && worst <= exact && exact <= best && best <= 100.0);
        }
    }

    #[test]
    fn a_better_answer_never_lowers_the_figures(tally in any_tally()) {
        let better = Tally { promoters: tally.promoters + 1, ..tally };
        if let (Some(before), Some(now)) = (tally.nps(), better.nps()) {
            prop_assert!(before <= now);
            let change = compare(&tally, &better).expect("both have answers");
            let back = compare(&better, &tally).expect("both have answers");
            prop_assert!((0.0..=1.0).contains(&change.p));
            prop_assert_eq!((change.z, change.p), (-back.z, back.p));
        }
    }
}
