//! The NPS report against an independent count of answers and letters.
use crate::reports::NPS;
use crate::support::busy::{Fact, TICKETS, busy_days, every, names, percent, questions};
use crate::support::desk::at;
use crate::support::{Desk, Test, tests};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Tests of this file.
pub const TESTS: &[Test] = tests![nps_figures_are_those_of_the_answers,];

/// Promoters, passives, detractors.
pub fn tally(scores: &[i64]) -> (i64, i64, i64) {
    let count = |range: std::ops::RangeInclusive<i64>| scores.iter().filter(|score| range.contains(score)).count() as i64;
    (count(9..=10), count(7..=8), count(0..=6))
}

pub fn nps(scores: &[i64]) -> Value {
    let (promoters, _, detractors) = tally(scores);
    percent(promoters - detractors, scores.len() as i64)
}

/// The adjusted score, its variance and the adjusted n (DESIGN 5).
fn adjusted(scores: &[i64]) -> (f64, f64, f64) {
    let (promoters, _, detractors) = tally(scores);
    let (n, p, d) = (scores.len() as f64 + 3.0, promoters as f64 + 0.75, detractors as f64 + 0.75);
    let score = (p - d) / n;
    (score, (p + d) / n - score * score, n)
}

#[track_caller]
pub fn near(shown: &Value, expected: f64, what: &str) {
    let shown = shown.as_f64().unwrap_or_else(|| panic!("{what}: {shown}"));
    assert!((shown - expected).abs() < 2e-6, "{what}: {shown} is not {expected}");
}

/// The chance that a standard normal value lies further from zero than `z`, by Simpson's rule.
fn two_sided(z: f64) -> f64 {
    let density = |x: f64| (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let (steps, width) = (2_000, z.abs() / 2_000.0);
    let inner: f64 = (1..steps).map(|n| density(f64::from(n) * width) * if n % 2 == 0 { 2.0 } else { 4.0 }).sum();
    1.0 - 2.0 * width / 3.0 * (density(0.0) + inner + density(z.abs()))
}

/// Compares figures with a count of answers given and letters sent.
#[track_caller]
pub fn check_nps(figures: &Value, answers: &[&Fact], sent: &[&Fact], what: &str) {
    let scores: Vec<i64> = answers.iter().map(|fact| fact.row["score"].as_i64().unwrap()).collect();
    let (promoters, passives, detractors) = tally(&scores);
    let n = scores.len() as i64;
    let cohort: Vec<i64> = sent.iter().filter_map(|fact| fact.row["score"].as_i64()).collect();
    let silent = sent.len() - cohort.len();
    let with = |score: i64| nps(&[cohort.clone(), vec![score; silent]].concat());
    let bounds = json!({ "if_all_others_detractors": with(0), "if_all_others_promoters": with(10) });
    let rounded = (n > 0).then(|| ((200 * (promoters - detractors).abs() + n) / (2 * n)) * (promoters - detractors).signum());
    let mut shown = figures.clone();
    let interval = shown["interval"].take();
    let expected = json!({
        "promoters": promoters, "passives": passives, "detractors": detractors, "n": n,
        "nps": nps(&scores), "nps_rounded": rounded, "interval": null, "few_answers": n < 30,
        "by_score": (0..=10).map(|score| scores.iter().filter(|own| **own == score).count()).collect::<Vec<_>>(),
        "comments": answers.iter().filter(|fact| fact.row["comment"] != "").count(),
        "cohort": {
            "sent": sent.len(), "bounced": 0, "answered": cohort.len(),
            "response_rate": percent(cohort.len() as i64, sent.len() as i64),
            "bounds": if sent.is_empty() { Value::Null } else { bounds },
        },
    });
    assert_eq!(shown, expected, "{what}");
    if n < 5 {
        assert_eq!(interval, Value::Null, "{what}: hidden under five answers");
        return;
    }
    let (score, variance, adjusted_n) = adjusted(&scores);
    let half = 1.959_964 * (variance / adjusted_n).sqrt();
    near(&interval["low"], (100.0 * (score - half)).max(-100.0), what);
    near(&interval["high"], (100.0 * (score + half)).min(100.0), what);
}

/// Answers given, and letters sent with the answer to each.
pub fn answers_and_letters(desk: &Desk) -> (Vec<Fact>, Vec<Fact>) {
    let tickets = every(desk, &format!("{TICKETS}?limit=100&sort=received"));
    let tickets: BTreeMap<String, Value> = tickets.into_iter().map(|ticket| (ticket["id"].to_string(), ticket)).collect();
    let mut answers = Vec::new();
    for row in every(desk, "/api/v1/surveys/responses?limit=7") {
        let ticket = tickets[&row["ticket_id"].to_string()].clone();
        for column in ["channel", "team_id", "assignee_id", "organization_id"] {
            assert_eq!(row[column], ticket[column]);
        }
        answers.push(Fact { at: at(row["answered_at"].as_str().unwrap()), ticket, row });
    }
    let mut letters = Vec::new();
    for ticket in tickets.values() {
        let full = desk.manager().get(&format!("{TICKETS}/{}", ticket["id"].as_str().unwrap())).ok();
        for row in full["surveys"].as_array().unwrap().iter().filter(|row| row["outcome"] == "sent") {
            letters.push(Fact { at: at(row["sent_at"].as_str().unwrap()), ticket: ticket.clone(), row: row.clone() });
        }
    }
    (answers, letters)
}

fn nps_figures_are_those_of_the_answers(desk: &Desk) {
    let places = busy_days(desk);
    let ((answers, letters), names) = (answers_and_letters(desk), names(desk));
    let answered = letters.iter().filter(|letter| !letter.row["score"].is_null()).count();
    assert!(answers.len() >= 15 && letters.len() > answered, "{} answers to {} letters", answers.len(), letters.len());
    assert_eq!(answers.len(), answered);
    for asked in questions(&places, desk) {
        let what = asked.query();
        let report = desk.manager().get(&format!("{NPS}{what}")).ok();
        let (from, to) = asked.bounds();
        let between = |facts: &'_ [Fact], from, to| -> Vec<usize> {
            (0..facts.len()).filter(|n| facts[*n].at >= from && facts[*n].at < to && asked.means(&facts[*n])).collect()
        };
        let given: Vec<&Fact> = between(&answers, from, to).into_iter().map(|n| &answers[n]).collect();
        let sent: Vec<&Fact> = between(&letters, from, to).into_iter().map(|n| &letters[n]).collect();
        check_nps(&report["total"], &given, &sent, &what);

        let all: Vec<&Fact> = given.iter().chain(&sent).copied().collect();
        let groups = asked.groups(&all, &names);
        let shown = report["groups"].as_array().unwrap();
        assert_eq!(shown.len(), groups.len(), "{what}");
        for (group, (key, facts)) in shown.iter().zip(&groups) {
            assert_eq!(group["key"], *key, "{what}");
            let (given, sent): (Vec<&Fact>, Vec<&Fact>) = facts.iter().partition(|fact| fact.row.get("answered_at").is_some());
            check_nps(&group["figures"], &given, &sent, &format!("{what} {key}"));
        }

        let earlier: Vec<&Fact> = between(&answers, from - (to - from), from).into_iter().map(|n| &answers[n]).collect();
        let previous = json!({ "from": from - (to - from), "to": from, "n": earlier.len(), "nps": nps(&scores(&earlier)) });
        assert_eq!(report["previous"], previous, "{what}");
        check_change(&report["change"], &earlier, &given, &what);
        for (group, (key, facts)) in shown.iter().zip(&groups) {
            if key["from"] != Value::Null {
                assert_eq!((&group["previous"], &group["change"]), (&Value::Null, &Value::Null), "{what} {key}");
                continue;
            }
            let given: Vec<&Fact> = facts.iter().filter(|fact| fact.row.get("answered_at").is_some()).copied().collect();
            let before =
                asked.groups(&earlier, &names).into_iter().find(|(own, _)| own == key).map_or_else(Vec::new, |own| own.1);
            assert_eq!(group["previous"]["n"], before.len(), "{what} {key}");
            check_change(&group["change"], &before, &given, &format!("{what} {key}"));
        }
    }
}

pub fn scores(facts: &[&Fact]) -> Vec<i64> {
    facts.iter().map(|fact| fact.row["score"].as_i64().unwrap()).collect()
}

/// Compares what is said of two periods with the formula of DESIGN 5.
#[track_caller]
pub fn check_change(change: &Value, before: &[&Fact], now: &[&Fact], what: &str) {
    if now.is_empty() || before.is_empty() {
        assert_eq!(*change, Value::Null, "{what}");
        return;
    }
    let ((s1, v1, n1), (s2, v2, n2)) = (adjusted(&scores(before)), adjusted(&scores(now)));
    let z = (s2 - s1) / (v1 / n1 + v2 / n2).sqrt();
    near(&change["z"], z, what);
    near(&change["p"], two_sided(z), what);
    let direction = if two_sided(z) >= 0.05 {
        "no_clear_change"
    } else if z > 0.0 {
        "up"
    } else {
        "down"
    };
    assert_eq!(change["direction"], direction, "{what}");
}
