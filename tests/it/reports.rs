//! Reports against an independent count: what the tickets and answers of some busy days say, listed over the API and added up here.
use crate::reports_nps::check_nps;
use crate::support::busy::{Asked, Fact, TICKETS, busy_days, every, names, percent, questions};
use crate::support::desk::at;
use crate::support::{Desk, Test, tests};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    sla_figures_are_those_of_the_tickets_clocks,
    nothing_is_no_figure,
    a_wrong_parameter_is_refused_by_its_name,
    only_managers_read_reports,
];

pub const SLA: &str = "/api/v1/reports/sla";
pub const NPS: &str = "/api/v1/reports/nps";
pub const METRICS: [&str; 4] = ["pickup", "first_response", "next_response", "resolution"];
pub fn nearest_rank(sorted: &[i64], percent: f64) -> Value {
    let rank = (percent / 100.0 * sorted.len() as f64).ceil().max(1.0) as usize;
    json!(sorted.get(rank - 1))
}

pub fn sla_figures(metric: &str, facts: &[&Fact]) -> Value {
    let rows: Vec<&Value> = facts.iter().map(|fact| &fact.row).filter(|row| row["metric"] == *metric).collect();
    let count = |verdicts: &[&str]| rows.iter().filter(|row| verdicts.contains(&row["verdict"].as_str().unwrap())).count() as i64;
    let reasons = |verdict: &str| {
        let mut reasons = Map::new();
        for row in rows.iter().filter(|row| row["verdict"] == verdict) {
            let reason = row["reason"].as_str().unwrap().to_owned();
            let before = reasons.get(&reason).and_then(Value::as_i64).unwrap_or(0);
            reasons.insert(reason, json!(before + 1));
        }
        json!({ "count": count(&[verdict]), "reasons": reasons })
    };
    let late = rows.iter().filter(|row| row["verdict"] == "breached" && row["reached_at"].is_null()).count();
    let mut seconds: Vec<i64> = rows.iter().filter_map(|row| row["used_seconds"].as_i64()).collect();
    seconds.sort_unstable();
    let (met, breached) = (count(&["met"]), count(&["breached"]));
    json!({
        "metric": metric,
        "total": rows.len(),
        "met": met,
        "breached": breached,
        "unreached_breached": late,
        "running": count(&["running", "at_risk"]),
        "paused": count(&["paused"]),
        "left_out": { "not_promised": reasons("not_promised"), "not_measured": reasons("not_measured") },
        "attainment": { "percent": percent(met, met + breached), "numerator": met, "denominator": met + breached },
        "seconds": {
            "reached": seconds.len(),
            "median": nearest_rank(&seconds, 50.0),
            "p90": nearest_rank(&seconds, 90.0),
            "p95": nearest_rank(&seconds, 95.0),
            "worst": seconds.last(),
        },
    })
}

fn clocks(desk: &Desk) -> Vec<Fact> {
    let mut facts = Vec::new();
    for line in every(desk, &format!("{TICKETS}?limit=100&sort=received")) {
        let ticket = desk.manager().get(&format!("{TICKETS}/{}", line["id"].as_str().unwrap())).ok();
        let clocks = ticket["clocks"].as_array().unwrap();
        for clock in clocks {
            let later = |other: &&Value| other["metric"] == clock["metric"] && other["cycle"].as_i64() > clock["cycle"].as_i64();
            let mut row = clock.clone();
            row["is_last"] = json!(clocks.iter().find(later).is_none());
            facts.push(Fact { at: at(clock["started_at"].as_str().unwrap()), ticket: ticket.clone(), row });
        }
    }
    facts
}

fn sla_figures_are_those_of_the_tickets_clocks(desk: &Desk) {
    let places = busy_days(desk);
    let (facts, names) = (clocks(desk), names(desk));
    // The days are worth counting: every verdict occurs.
    for verdict in ["met", "breached", "running", "paused", "not_promised", "not_measured"] {
        assert!(facts.iter().any(|fact| fact.row["verdict"] == verdict), "no promise is {verdict}");
    }
    let reopened = facts.iter().filter(|fact| fact.row["metric"] == "resolution" && fact.row["is_last"] == false).count();
    assert!(reopened > 0, "no ticket was reopened");
    for asked in questions(&places, desk) {
        let report = desk.manager().get(&format!("{SLA}{}", asked.query())).ok();
        let (from, to) = asked.bounds();
        let meant: Vec<&Fact> = facts.iter().filter(|fact| fact.at >= from && fact.at < to && asked.means(fact)).collect();
        check_sla(&report, &asked, &meant, &names);
        let head = (&report["from"], &report["to"], &report["time_zone"], &report["as_of"], &report["group_by"]);
        assert_eq!(
            head,
            (&json!(from), &json!(to), &json!("America/Toronto"), &json!(desk.now()), &json!(asked.group_by)),
            "{}",
            asked.query()
        );
    }
}

/// The resolutions before any reopening, and those after which there was none.
fn resolutions(facts: &[&Fact]) -> Value {
    let first: Vec<&Fact> = facts.iter().filter(|fact| fact.row["cycle"] == 1).copied().collect();
    let last: Vec<&Fact> = facts.iter().filter(|fact| fact.row["is_last"] == true).copied().collect();
    json!({ "first": sla_figures("resolution", &first), "last": sla_figures("resolution", &last) })
}

/// Compares a report with a count of the clocks that it is about.
#[track_caller]
pub fn check_sla(report: &Value, asked: &Asked, meant: &[&Fact], names: &BTreeMap<String, String>) {
    let total: Vec<Value> = METRICS.iter().map(|metric| sla_figures(metric, meant)).collect();
    assert_eq!(report["total"], json!(total), "{}", asked.query());
    assert_eq!(report["resolutions"], resolutions(meant), "{}", asked.query());
    let is_timed = asked.group_by.is_some_and(|by| ["day", "week", "month"].contains(&by));
    let is_shown = |own: &Value, whole: &Value| own["total"] != 0 || (is_timed && whole["total"] != 0);
    let groups: Vec<Value> = asked
        .groups(meant, names)
        .into_iter()
        .map(|(key, facts)| {
            let all = METRICS.iter().map(|metric| sla_figures(metric, &facts));
            let shown: Vec<Value> = all.zip(&total).filter(|(own, whole)| is_shown(own, whole)).map(|(own, _)| own).collect();
            let has_any = shown.iter().any(|own| own["metric"] == "resolution");
            json!({ "key": key, "metrics": shown, "resolutions": has_any.then(|| resolutions(&facts)) })
        })
        .collect();
    let shown = report["groups"].as_array().unwrap();
    for (own, expected) in shown.iter().zip(&groups) {
        assert_eq!(own, expected, "{}", asked.query());
    }
    assert_eq!(shown.len(), groups.len(), "{}: {shown:#?}", asked.query());
}

fn nothing_is_no_figure(desk: &Desk) {
    let sla = desk.manager().get(&format!("{SLA}?group_by=channel")).ok();
    assert_eq!(sla["groups"], json!([]));
    for (figures, metric) in sla["total"].as_array().unwrap().iter().zip(METRICS) {
        assert_eq!(*figures, sla_figures(metric, &[]));
        assert_eq!(figures["attainment"], json!({ "percent": null, "numerator": 0, "denominator": 0 }));
    }
    let nps = desk.manager().get(NPS).ok();
    check_nps(&nps["total"], &[], &[], "an empty desk");
    assert_eq!((&nps["total"]["nps"], &nps["change"]), (&Value::Null, &Value::Null), "no answer is not a score of zero");
    assert_eq!((&sla["from"], &sla["to"]), (&json!("2026-03-12T14:00:00Z"), &json!("2026-06-10T14:00:00Z")), "90 days to now");
}

fn a_wrong_parameter_is_refused_by_its_name(desk: &Desk) {
    for path in [SLA, NPS] {
        let refuses = |query: &str, field: &str, code: &str| {
            assert_eq!(desk.manager().get(&format!("{path}?{query}")).refuses_field(field), code, "{query}");
        };
        refuses("tz=Mars/Base", "tz", "time_zone");
        refuses("from=yesterday", "from", "date_time");
        refuses("to=2026-02-30", "to", "date_time");
        refuses("from=2026-06-10T08:00", "from", "date_time");
        refuses("from=1969-12-31", "from", "range");
        refuses("from=2026-06-10&to=2026-06-10", "from", "order");
        refuses("from=2026-06-12&to=2026-06-10", "from", "order");
        refuses("from=2010-01-01&to=2026-06-10", "from", "range");
        refuses("group_by=hour", "group_by", "unknown_name");
        refuses("channel=fax", "channel", "unknown_name");
        refuses("priority=urgent", "priority", "unknown_name");
        refuses("format=xml", "format", "unknown_name");
        refuses("team_id=1", "team_id", "wrong_type");
        refuses("team=1", "team", "unknown_field");
        refuses("tz=UTC&tz=UTC", "tz", "repeated");
        refuses(&format!("tz={}", "x".repeat(65)), "tz", "length");
        desk.manager().get(&format!("{path}?from=2016-06-11&to=2026-06-10&group_by=day&tz=Asia/Kathmandu")).ok();
        desk.manager().get(&format!("{path}?from=2026-06-09T08:00:00%2B02:00")).ok();
    }
}

fn only_managers_read_reports(desk: &Desk) {
    for path in [SLA, NPS] {
        desk.agent().get(path).refused(403, "missing_right");
        desk.agent().get(&format!("{path}?format=csv")).refused(403, "missing_right");
        desk.channel().get(path).refused(403, "missing_right");
        desk.anonymous().get(path).refused(401, "unauthorized");
        desk.manager().get(path).ok();
        desk.admin().get(path).ok();
    }
}
