//! The funnel of surveys and the causes of answers, counted again from their rows.
use crate::figures::{fact, rows_behind};
use crate::reports_csv::rows;
use crate::support::busy::{Asked, Fact, busy_days, every, names, percent, questions};
use crate::support::desk::at;
use crate::support::{Desk, Test, tests};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Tests of this file.
pub const TESTS: &[Test] =
    tests![the_funnel_is_the_sum_of_its_rows_and_adds_up, causes_are_those_of_the_reviews, a_funnel_of_nothing_is_no_figure,];

const SURVEYS: &str = "/api/v1/reports/surveys";
const CAUSES: &str = "/api/v1/reports/causes";
const RESPONSES: &str = "/api/v1/surveys/responses";

/// Busy days after which a manager reviewed every other answer and followed some up.
fn reviewed_days(desk: &Desk) -> crate::support::busy::Places {
    let places = busy_days(desk);
    let causes = [json!(["slow answer"]), json!(["not solved", "slow answer"]), json!(["fast answer"])];
    for (n, row) in every(desk, RESPONSES).iter().enumerate() {
        let one = format!("{RESPONSES}/{}", row["id"].as_str().unwrap());
        if n % 4 != 3 {
            desk.manager().post(&format!("{one}/claim"), json!({})).ok();
        }
        if n % 2 == 0 {
            desk.manager().put(&format!("{one}/review"), json!({ "causes": causes[n / 2 % 3], "note": "" })).ok();
        }
    }
    places
}

pub fn recount(rows: &[&Value], now: DateTime<Utc>) -> Value {
    let count = |f: &dyn Fn(&Value) -> bool| rows.iter().filter(|row| f(row)).count() as i64;
    let of = |name: &'static str, value: &'static str| count(&|row| row[name] == value);
    let mut outcomes = Map::new();
    for row in rows {
        let name = row["outcome"].as_str().unwrap();
        outcomes.insert(name.to_owned(), json!(of_name(rows, name)));
    }
    let is_letter = |row: &Value| row["outcome"] == "sent" || row["outcome"] == "unknown";
    let is_silent = |row: &Value| is_letter(row) && row["response_id"].is_null();
    let is_over = |row: &Value| row["expires_at"].as_str().is_some_and(|text| at(text) <= now);
    let bounced = count(&|row| is_silent(row) && row["is_bounced"] == true);
    let counted = count(&|row| row["standing"] == "counted" && row["outcome"] == "sent");
    let sent = of("outcome", "sent");
    json!({
        "closes": rows.len(),
        "outcomes": outcomes,
        "letters": {
            "sent": sent,
            "unknown": of("outcome", "unknown"),
            "bounced": bounced,
            "waiting": count(&|row| is_silent(row) && row["is_bounced"] == false && !is_over(row)),
            "expired": count(&|row| is_silent(row) && row["is_bounced"] == false && is_over(row)),
            "answered": count(&|row| !row["response_id"].is_null()),
        },
        "answers": {
            "counted": of("standing", "counted"),
            "unconfirmed": of("standing", "unconfirmed"),
            "rejected": of("standing", "rejected"),
        },
        "reviews": {
            "new": of("review", "new"),
            "in_review": of("review", "in_review"),
            "reviewed": of("review", "reviewed"),
            "none": count(&|row| !row["response_id"].is_null() && row["review"].is_null()),
        },
        "follow_ups": {
            "owed": count(&|row| !row["follow_up"].is_null()),
            "open": of("follow_up", "open"),
            "resolved": of("follow_up", "resolved"),
            "contacted": of("follow_up", "contacted"),
            "no_reply": of("follow_up", "no_reply"),
            "declined": of("follow_up", "declined"),
            "not_needed": of("follow_up", "not_needed"),
        },
        "response_rate": { "percent": percent(counted, sent - bounced), "numerator": counted, "denominator": sent - bounced },
    })
}

fn of_name(rows: &[&Value], name: &str) -> usize {
    rows.iter().filter(|row| row["outcome"] == name).count()
}

/// Each step of a funnel adds up to the one above it.
#[track_caller]
pub fn adds_up(figures: &Value, what: &str) {
    let n = |pointer: &str| figures.pointer(pointer).unwrap().as_i64().unwrap();
    let sum = |part: &str| figures[part].as_object().unwrap().values().map(|count| count.as_i64().unwrap()).sum::<i64>();
    assert_eq!(n("/closes"), sum("outcomes"), "{what}");
    let letters = n("/letters/sent") + n("/letters/unknown");
    assert_eq!(letters, n("/letters/bounced") + n("/letters/waiting") + n("/letters/expired") + n("/letters/answered"), "{what}");
    assert_eq!((n("/letters/answered"), n("/letters/answered")), (sum("answers"), sum("reviews")), "{what}");
    assert_eq!(2 * n("/follow_ups/owed"), sum("follow_ups"), "{what}");
}

fn the_funnel_is_the_sum_of_its_rows_and_adds_up(desk: &Desk) {
    let places = reviewed_days(desk);
    let names = names(desk);
    let closes: u64 = every(desk, "/api/v1/tickets?limit=100&sort=received")
        .iter()
        .map(|ticket| {
            let full = desk.manager().get(&format!("/api/v1/tickets/{}", ticket["id"].as_str().unwrap())).ok();
            full["surveys"].as_array().unwrap().len() as u64
        })
        .sum();
    let whole = desk.manager().get(&format!("{SURVEYS}?from=2026-06-01&to=2026-08-01")).ok();
    assert_eq!(whole["total"]["closes"], closes, "every close is in the funnel");
    let n = |pointer: &str| whole["total"].pointer(pointer).unwrap().as_i64().unwrap_or(0);
    for seen in
        ["/letters/sent", "/letters/waiting", "/answers/counted", "/reviews/new", "/reviews/in_review", "/reviews/reviewed"]
    {
        assert!(n(seen) > 0, "{seen} of {whole}");
    }
    assert!(n("/outcomes/cancelled_reopened") > 0, "{whole}");
    for asked in questions(&places, desk) {
        for (cohort, when) in [("closed", "closed_at"), ("sent", "sent_at")] {
            let what = format!("{}&cohort={cohort}", asked.query());
            let report = desk.manager().get(&format!("{SURVEYS}{what}")).ok();
            assert_eq!(report["cohort"], cohort);
            let of_all = Asked { group_by: None, filter: asked.filter.clone(), ..asked };
            let query = format!("{}&cohort={cohort}", of_all.query());
            let facts: Vec<Fact> = rows_behind(desk, SURVEYS, &query).iter().map(|row| fact(row, when)).collect();
            let all: Vec<&Fact> = facts.iter().collect();
            let figures = |facts: &[&Fact]| recount(&facts.iter().map(|fact| &fact.row).collect::<Vec<_>>(), desk.now());
            assert_eq!(report["total"], figures(&all), "{what}");
            adds_up(&report["total"], &what);
            let groups: Vec<Value> = asked
                .groups(&all, &names)
                .into_iter()
                .map(|(key, facts)| json!({ "key": key, "figures": figures(&facts) }))
                .collect();
            assert_eq!(report["groups"], json!(groups), "{what}");
        }
    }
    // The same letters as those of the NPS report.
    let nps = desk.manager().get("/api/v1/reports/nps?from=2026-06-01&to=2026-08-01").ok();
    let sent = desk.manager().get(&format!("{SURVEYS}?from=2026-06-01&to=2026-08-01&cohort=sent")).ok();
    assert_eq!(nps["total"]["cohort"]["sent"], sent["total"]["letters"]["sent"]);
    assert_eq!(nps["total"]["cohort"]["response_rate"], sent["total"]["response_rate"]["percent"]);

    let csv = rows(&desk.manager().get(&format!("{SURVEYS}?from=2026-06-01&to=2026-08-01&format=csv")).is(200).text);
    assert_eq!(csv.len(), 1);
    assert_eq!((&csv[0]["closes"], &csv[0]["answered"]), (&closes.to_string(), &n("/letters/answered").to_string()));
    assert_eq!(csv[0]["outcome_cancelled_reopened"], n("/outcomes/cancelled_reopened").to_string());
    let svg = desk.manager().get("/api/v1/reports/surveys.svg?from=2026-06-01&to=2026-08-01").is(200).text.clone();
    assert!(svg.contains("What became of closes") && svg.contains("Counted answers"), "{svg}");
    desk.agent().get(SURVEYS).refused(403, "missing_right");
    assert_eq!(desk.manager().get(&format!("{SURVEYS}?cohort=asked")).refuses_field("cohort"), "unknown_name");

    // Two weeks later nobody can answer any more: what waited has expired.
    desk.restart(|config| config.alerts.mail_metrics.clear());
    desk.advance(TimeDelta::days(20));
    let later = desk.manager().get(&format!("{SURVEYS}?from=2026-06-01&to=2026-08-01")).ok();
    adds_up(&later["total"], "later");
    assert_eq!(later["total"]["letters"]["waiting"], 0);
    assert!(later["total"]["letters"]["expired"].as_i64().unwrap() > 0);
}

fn causes_are_those_of_the_reviews(desk: &Desk) {
    reviewed_days(desk);
    for query in
        ["?from=2026-06-10&to=2026-06-20", "?from=2026-06-10&to=2026-06-20&channel=web", "?from=2026-06-12&to=2026-06-14"]
    {
        let report = desk.manager().get(&format!("{CAUSES}{query}")).ok();
        let rows = rows_behind(desk, "/api/v1/reports/nps", query);
        let group = |row: &Value| match row["score"].as_i64().unwrap() {
            9.. => 1,
            7..=8 => 0,
            _ => -1,
        };
        let n = rows.len() as i64;
        let lead: i64 = rows.iter().map(group).sum();
        assert_eq!((&report["answers"], &report["nps"]), (&json!(n), &percent(lead, n)), "{query}");
        assert_eq!(report["reviewed"], rows.iter().filter(|row| row["review"] == "reviewed").count(), "{query}");
        assert_eq!(report["with_cause"], rows.iter().filter(|row| row["causes"] != json!([])).count(), "{query}");
        let mut by_cause: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
        for row in &rows {
            for cause in row["causes"].as_array().unwrap() {
                by_cause.entry(cause.as_str().unwrap().to_owned()).or_default().push(row);
            }
        }
        let mut expected: Vec<Value> = by_cause
            .into_iter()
            .map(|(cause, rows)| {
                let of = |wanted: i64| rows.iter().filter(|row| group(row) == wanted).count() as i64;
                let (own, lead) = (rows.len() as i64, of(1) - of(-1));
                json!({
                    "cause": cause, "answers": own, "promoters": of(1), "passives": of(0), "detractors": of(-1),
                    "share_percent": percent(own, n), "nps": percent(lead, own), "nps_points": percent(lead, n),
                })
            })
            .collect();
        expected.sort_by_key(|cause| (-cause["answers"].as_i64().unwrap(), cause["cause"].as_str().unwrap().to_owned()));
        assert_eq!(report["causes"], json!(expected), "{query}");
        let csv = crate::reports_csv::rows(&desk.manager().get(&format!("{CAUSES}{query}&format=csv")).is(200).text);
        let shown: Vec<(&String, &String)> = csv.iter().map(|row| (&row["cause"], &row["answers"])).collect();
        let listed: Vec<(String, String)> =
            expected.iter().map(|cause| (cause["cause"].as_str().unwrap().to_owned(), cause["answers"].to_string())).collect();
        assert_eq!(shown, listed.iter().map(|(cause, count)| (cause, count)).collect::<Vec<_>>());
    }
    let svg = desk.manager().get("/api/v1/reports/causes.svg?from=2026-06-10&to=2026-06-20").is(200).text.clone();
    assert!(svg.contains("slow answer") && svg.contains("points"), "{svg}");
}

fn a_funnel_of_nothing_is_no_figure(desk: &Desk) {
    let report = desk.manager().get(SURVEYS).ok();
    assert_eq!(report["total"], recount(&[], desk.now()));
    assert_eq!(report["total"]["response_rate"], json!({ "percent": null, "numerator": 0, "denominator": 0 }));
    let causes = desk.manager().get(CAUSES).ok();
    assert_eq!((&causes["nps"], &causes["causes"], &causes["answers"]), (&Value::Null, &json!([]), &json!(0)));
    for chart in ["surveys.svg", "causes.svg"] {
        let svg = desk.manager().get(&format!("/api/v1/reports/{chart}")).is(200).text.clone();
        assert!(svg.contains("There are no figures"), "{chart}");
    }
    for path in [SURVEYS, CAUSES] {
        desk.agent().get(path).refused(403, "missing_right");
        desk.anonymous().get(path).refused(401, "unauthorized");
    }
}
