//! Every figure of a report, counted again from the rows that the desk says are behind it.
use crate::reports::check_sla;
use crate::reports_csv::{cell, rows};
use crate::reports_nps::{check_change, nps, scores};
use crate::support::busy::{Asked, Fact, busy_days, every, names, questions};
use crate::support::desk::at;
use crate::support::{Desk, Test, given, tests};
use chrono::TimeDelta;
use deskbell::db::Conn;
use deskbell::db::schema::tickets;
use diesel::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    the_sla_report_is_the_sum_of_its_rows,
    the_nps_report_is_the_sum_of_its_rows,
    a_period_is_compared_with_any_other_or_with_none,
    rows_keep_the_period_of_their_first_page,
    a_report_reads_one_snapshot,
];

const SLA: &str = "/api/v1/reports/sla";
const NPS: &str = "/api/v1/reports/nps";

/// Rows behind a report, as pages and as one stream of CSV: the same rows, cell by cell.
#[track_caller]
pub(crate) fn rows_behind(desk: &Desk, report: &str, query: &str) -> Vec<Value> {
    let path = format!("{report}/rows{query}");
    let paged = every(desk, &format!("{path}&limit=7"));
    let stream = desk.manager().with("Accept", "text/csv").get(&path);
    assert_eq!(stream.is(200).header("content-type"), Some("text/csv; charset=utf-8"), "{path}");
    let streamed = rows(&stream.text);
    assert_eq!(streamed.len(), paged.len(), "{path}");
    for (cells, row) in streamed.iter().zip(&paged) {
        let shown = |value: &Value| match value {
            Value::Array(parts) => cell(&json!(parts.iter().map(|part| part.as_str().unwrap()).collect::<Vec<_>>().join("; "))),
            other => cell(other),
        };
        let expected: BTreeMap<String, String> =
            row.as_object().unwrap().iter().map(|(name, value)| (name.clone(), shown(value))).collect();
        assert_eq!(*cells, expected, "{path}");
    }
    paged
}

/// A row as what the independent counts of `reports` look at.
pub(crate) fn fact(row: &Value, when: &str) -> Fact {
    let mut ticket = row.clone();
    ticket["assignee_id"] = row["agent_id"].clone();
    Fact { at: at(row[when].as_str().unwrap()), ticket, row: row.clone() }
}

fn the_sla_report_is_the_sum_of_its_rows(desk: &Desk) {
    let places = busy_days(desk);
    let names = names(desk);
    let mut counted = 0;
    for asked in questions(&places, desk) {
        let report = desk.manager().get(&format!("{SLA}{}", asked.query())).ok();
        let of_all = Asked { group_by: None, filter: asked.filter.clone(), ..asked };
        let facts: Vec<Fact> = rows_behind(desk, SLA, &of_all.query()).iter().map(|row| fact(row, "started_at")).collect();
        check_sla(&report, &asked, &facts.iter().collect::<Vec<_>>(), &names);
        counted += facts.len();
    }
    assert!(counted > 500, "{counted} rows");
    let whole = rows_behind(desk, SLA, "?from=2026-06-10&to=2026-06-20");
    let only = rows_behind(desk, SLA, "?from=2026-06-10&to=2026-06-20&metric=resolution");
    let resolutions: Vec<&Value> = whole.iter().filter(|row| row["metric"] == "resolution").collect();
    assert_eq!(only.iter().collect::<Vec<_>>(), resolutions);
    assert!(resolutions.iter().any(|row| row["cycle"] == 2) && resolutions.iter().any(|row| row["is_last"] == false));
}

fn the_nps_report_is_the_sum_of_its_rows(desk: &Desk) {
    let places = busy_days(desk);
    for asked in questions(&places, desk) {
        let what = asked.query();
        let report = desk.manager().get(&format!("{NPS}{what}")).ok();
        let of_all = Asked { group_by: None, filter: asked.filter.clone(), ..asked };
        let facts: Vec<Fact> = rows_behind(desk, NPS, &of_all.query()).iter().map(|row| fact(row, "answered_at")).collect();
        let all: Vec<&Fact> = facts.iter().collect();
        let shown = &report["total"];
        let by_score: Vec<usize> = (0..=10).map(|score| all.iter().filter(|fact| fact.row["score"] == score).count()).collect();
        assert_eq!((&shown["n"], &shown["by_score"], &shown["nps"]), (&json!(all.len()), &json!(by_score), &nps(&scores(&all))));
        let comments = all.iter().filter(|fact| fact.row["comment"] != "").count();
        assert_eq!(shown["comments"], comments, "{what}");
    }
}

fn a_period_is_compared_with_any_other_or_with_none(desk: &Desk) {
    busy_days(desk);
    let of =
        |query: &str| every(desk, &format!("{NPS}/rows?{query}")).iter().map(|row| fact(row, "answered_at")).collect::<Vec<_>>();
    let (early, late) = (of("from=2026-06-10&to=2026-06-14"), of("from=2026-06-14&to=2026-06-20"));
    let (early, late): (Vec<&Fact>, Vec<&Fact>) = (early.iter().collect(), late.iter().collect());
    assert!(early.len() > 3 && late.len() > 3, "{} and {} answers", early.len(), late.len());
    let ask = |query: &str| desk.manager().get(&format!("{NPS}?from=2026-06-14&to=2026-06-20&{query}")).ok();

    let report = ask("compare_from=2026-06-10&compare_to=2026-06-14");
    let previous =
        json!({ "from": "2026-06-10T00:00:00Z", "to": "2026-06-14T00:00:00Z", "n": early.len(), "nps": nps(&scores(&early)) });
    assert_eq!(report["previous"], previous);
    check_change(&report["change"], &early, &late, "two periods of unequal length");
    let itself = ask("compare_from=2026-06-14&compare_to=2026-06-20");
    assert_eq!(itself["change"], json!({ "z": 0.0, "p": 1.0, "direction": "no_clear_change" }), "nothing changed");
    let none = ask("compare=none&group_by=channel");
    assert_eq!((&none["previous"], &none["change"]), (&Value::Null, &Value::Null));
    assert!(none["groups"].as_array().unwrap().iter().all(|group| group["previous"].is_null() && group["change"].is_null()));
    assert_eq!(ask("compare=previous"), ask(""));

    let refuses = |query: &str, field: &str, code: &str| {
        assert_eq!(desk.manager().get(&format!("{NPS}?{query}")).refuses_field(field), code, "{query}");
    };
    refuses("compare_from=2026-06-10", "compare_to", "missing");
    refuses("compare_to=2026-06-10", "compare_from", "missing");
    refuses("compare=previous&compare_from=2026-06-10&compare_to=2026-06-11", "compare", "one_of");
    refuses("compare_from=2026-06-10&compare_to=2026-06-10", "compare_from", "order");
    refuses("compare_from=now&compare_to=2026-06-10", "compare_from", "date_time");
    refuses("compare=last_year", "compare", "unknown_name");
    assert_eq!(desk.manager().get(&format!("{SLA}?compare=previous")).refuses_field("compare"), "unknown_field");
}

fn rows_keep_the_period_of_their_first_page(desk: &Desk) {
    for n in 0..5 {
        given::email_ticket(desk, &format!("c{n}@nordwind.example"));
        desk.advance(TimeDelta::minutes(1));
    }
    // Without `to` the period ends now; the next page must not find tickets of a later now, nor judge by it.
    let first = desk.manager().get(&format!("{SLA}/rows?limit=3")).ok();
    assert_eq!(first["items"].as_array().unwrap().len(), 3);
    let cursor = first["next_cursor"].as_str().unwrap().to_owned();
    given::email_ticket(desk, "late@nordwind.example");
    desk.advance(TimeDelta::days(2));
    let second = desk.manager().get(&format!("{SLA}/rows?limit=100&cursor={cursor}")).ok();
    let items = second["items"].as_array().unwrap();
    assert_eq!((items.len(), &second["next_cursor"]), (2, &Value::Null), "five tickets came before the first page");
    let afresh = desk.manager().get(&format!("{SLA}/rows?limit=100")).ok();
    assert_eq!(afresh["items"].as_array().unwrap().len(), 6);
    let csv = desk.manager().get(&format!("{SLA}/rows?format=csv&cursor={cursor}"));
    assert_eq!(rows(&csv.is(200).text).len(), 2, "a stream goes on from a cursor too");
    for path in [SLA, NPS] {
        desk.agent().get(&format!("{path}/rows")).refused(403, "missing_right");
        let refuses = |query: &str, field: &str, code: &str| {
            assert_eq!(desk.manager().get(&format!("{path}/rows?{query}")).refuses_field(field), code, "{query}");
        };
        refuses("cursor=nonsense", "cursor", "unknown_cursor");
        refuses("limit=0", "limit", "range");
        refuses("limit=101", "limit", "range");
        refuses("group_by=day", "group_by", "unknown_field");
        refuses("from=2026-06-12&to=2026-06-10", "from", "order");
        let head = desk.manager().with("Accept", "text/csv").head(&format!("{path}/rows"));
        assert_eq!((head.status, head.text.as_str()), (200, ""), "HEAD sends no rows");
    }
}

fn a_report_reads_one_snapshot(desk: &Desk) {
    given::email_ticket(desk, "ana@nordwind.example");
    let mut conn = Conn::open(desk.app().db.url()).unwrap();
    let count = |conn: &mut Conn| -> i64 { tickets::table.count().get_result(conn).unwrap() };
    let seen = conn.snapshot(|conn| {
        let before = count(conn);
        given::email_ticket(desk, "ben@nordwind.example");
        Ok((before, count(conn)))
    });
    assert_eq!(seen.unwrap(), (1, 1), "what is written meanwhile is not seen");
    assert_eq!(count(&mut conn), 2, "and afterwards it is");
    // The connection is good after a query that failed.
    let failed = conn.snapshot(|conn| Ok(diesel::sql_query("SELECT nothing FROM nowhere").execute(conn)?));
    assert!(failed.is_err());
    assert_eq!(conn.snapshot(|conn| Ok(count(conn))).unwrap(), 2);
}
