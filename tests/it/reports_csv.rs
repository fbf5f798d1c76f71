//! CSV of reports says what their JSON says.
use crate::reports::{NPS, SLA};
use crate::support::busy::{Asked, GROUPS, busy_days};
use crate::support::{Desk, Test, sqlite};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Those whose answer does not depend on the database.
pub const ONCE: &[Test] = sqlite![csv_says_what_json_says];

/// Rows of a CSV by the names of their columns.
#[track_caller]
pub fn rows(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let head = reader.headers().unwrap().clone();
    let row = |record: csv::StringRecord| head.iter().map(str::to_owned).zip(record.iter().map(str::to_owned)).collect();
    reader.records().map(|record| row(record.unwrap())).collect()
}

pub fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if text.starts_with(['=', '+', '-', '@']) => format!("'{text}"),
        Value::String(text) => text.clone(),
        Value::Object(reasons) => reasons.iter().map(|(reason, n)| format!("{reason}: {n}")).collect::<Vec<_>>().join("; "),
        Value::Number(number) if number.is_f64() => number.as_f64().unwrap().to_string(),
        other => other.to_string(),
    }
}

/// Column and where it is in the JSON of one row.
const SLA_CELLS: [(&str, &str); 19] = [
    ("metric", "/metric"),
    ("total", "/total"),
    ("met", "/met"),
    ("breached", "/breached"),
    ("unreached_breached", "/unreached_breached"),
    ("running", "/running"),
    ("paused", "/paused"),
    ("not_promised", "/left_out/not_promised/count"),
    ("not_promised_reasons", "/left_out/not_promised/reasons"),
    ("not_measured", "/left_out/not_measured/count"),
    ("not_measured_reasons", "/left_out/not_measured/reasons"),
    ("attainment_percent", "/attainment/percent"),
    ("attainment_numerator", "/attainment/numerator"),
    ("attainment_denominator", "/attainment/denominator"),
    ("reached", "/seconds/reached"),
    ("median_seconds", "/seconds/median"),
    ("p90_seconds", "/seconds/p90"),
    ("p95_seconds", "/seconds/p95"),
    ("worst_seconds", "/seconds/worst"),
];

const NPS_CELLS: [(&str, &str); 18] = [
    ("promoters", "/promoters"),
    ("passives", "/passives"),
    ("detractors", "/detractors"),
    ("n", "/n"),
    ("nps", "/nps"),
    ("nps_rounded", "/nps_rounded"),
    ("interval_low", "/interval/low"),
    ("interval_high", "/interval/high"),
    ("few_answers", "/few_answers"),
    ("score_0", "/by_score/0"),
    ("score_10", "/by_score/10"),
    ("comments", "/comments"),
    ("sent", "/cohort/sent"),
    ("bounced", "/cohort/bounced"),
    ("answered", "/cohort/answered"),
    ("response_rate", "/cohort/response_rate"),
    ("nps_if_all_others_detractors", "/cohort/bounds/if_all_others_detractors"),
    ("nps_if_all_others_promoters", "/cohort/bounds/if_all_others_promoters"),
];

#[track_caller]
pub fn check_row(row: &BTreeMap<String, String>, key: &Value, figures: &Value, cells: &[(&str, &str)]) {
    for (column, field) in [("group", "label"), ("group_id", "id"), ("group_from", "from"), ("group_to", "to")] {
        assert_eq!(row[column], cell(&key[field]), "{column} of {key}");
    }
    for (column, pointer) in cells {
        assert_eq!(row[*column], cell(figures.pointer(pointer).unwrap_or(&Value::Null)), "{column} of {key}");
    }
}

fn csv_says_what_json_says(desk: &Desk) {
    busy_days(desk);
    let total = json!({ "label": "total", "id": null, "from": null, "to": null });
    let no_group: [Option<&str>; 1] = [None];
    for group_by in GROUPS.into_iter().map(Some).chain(no_group) {
        let query = Asked { from: "2026-06-10", to: "2026-06-20", filter: Vec::new(), group_by }.query();
        for (path, file, cells) in [(SLA, "sla.csv", &SLA_CELLS[..]), (NPS, "nps.csv", &NPS_CELLS[..])] {
            let json = desk.manager().get(&format!("{path}{query}")).ok();
            let answer = desk.manager().get(&format!("{path}{query}&format=csv"));
            assert_eq!(answer.is(200).header("content-type"), Some("text/csv; charset=utf-8"));
            assert_eq!(answer.header("content-disposition"), Some(format!("attachment; filename=\"{file}\"").as_str()));
            let asked = desk.manager().with("Accept", "text/csv").get(&format!("{path}{query}"));
            assert_eq!((&asked.text, asked.header("vary")), (&answer.text, Some("Accept")));
            let mut figures: Vec<(&Value, &Value)> = Vec::new();
            for group in json["groups"].as_array().unwrap() {
                let metrics = group["metrics"].as_array().into_iter().flatten();
                figures.extend(metrics.chain(group.get("figures")).map(|own| (&group["key"], own)));
            }
            if group_by.is_none() {
                let own = json["total"].as_array().map_or(vec![&json["total"]], |metrics| metrics.iter().collect());
                figures.extend(own.into_iter().map(|own| (&total, own)));
            }
            let is_resolution =
                |row: &BTreeMap<String, String>| row.get("metric").is_some_and(|name| name.ends_with("_resolution"));
            let (told_apart, rows): (Vec<_>, Vec<_>) = rows(&answer.text).into_iter().partition(is_resolution);
            let with_resolutions = json["groups"].as_array().unwrap().iter().chain(group_by.is_none().then_some(&json));
            let expected = with_resolutions.filter(|own| own["resolutions"].is_object()).flat_map(|own| {
                let of = &own["resolutions"];
                [("first_resolution", &of["first"]), ("last_resolution", &of["last"])].map(|(name, of)| (own, name, of))
            });
            let expected: Vec<_> = expected.collect();
            assert_eq!(told_apart.len(), expected.len(), "{path}{query}");
            for (row, (own, name, figures)) in told_apart.iter().zip(expected) {
                assert_eq!(row["metric"], name);
                check_row(row, own.get("key").unwrap_or(&total), figures, &cells[1..]);
            }
            assert_eq!(rows.len(), figures.len(), "{path}{query}");
            for (row, (key, own)) in rows.iter().zip(figures) {
                check_row(row, key, own, cells);
            }
        }
    }
    let labels = |group_by: &str| {
        let csv = desk.manager().get(&format!("{SLA}?group_by={group_by}&format=csv")).text;
        rows(&csv).into_iter().map(|row| row["group"].clone()).collect::<Vec<_>>()
    };
    assert!(labels("team").contains(&"'=cmd()".to_owned()), "no spreadsheet runs a team's name");
    let organizations = labels("organization");
    assert!(organizations.contains(&"'+Nordwind".to_owned()) && organizations.contains(&"Südwind, \"Hosting\"".to_owned()));
}
