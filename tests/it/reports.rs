//! Reports against an independent count: what the tickets and answers of some busy days say, listed over the API and added up here.
use crate::support::desk::at;
use crate::support::{Desk, Test, given, sqlite, tests};
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::America::Toronto;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    sla_figures_are_those_of_the_tickets_clocks,
    nps_figures_are_those_of_the_answers,
    nothing_is_no_figure,
    a_wrong_parameter_is_refused_by_its_name,
    only_managers_read_reports,
];

/// Those whose answer does not depend on the database.
pub const ONCE: &[Test] = sqlite![csv_says_what_json_says];

pub(crate) const SLA: &str = "/api/v1/reports/sla";
pub(crate) const NPS: &str = "/api/v1/reports/nps";
const TICKETS: &str = "/api/v1/tickets";
pub(crate) const METRICS: [&str; 4] = ["pickup", "first_response", "next_response", "resolution"];
const GROUPS: [&str; 8] = ["channel", "team", "agent", "organization", "priority", "day", "week", "month"];
const PRIORITIES: [&str; 4] = ["normal", "high", "low", "critical"];
const COUNT: usize = 60;
/// Between two tickets: no divisor of a day, so that they come at all hours.
const STEP_MINUTES: i64 = 157;

enum Act {
    Open,
    PickUp,
    Reply,
    Pending,
    ContactWrites,
    Close,
    Reopen,
    Answer(u8, &'static str),
}

/// Teams and organizations by name.
pub(crate) struct Places {
    pub teams: [Option<String>; 3],
    organizations: [Option<String>; 3],
}

fn prepare(desk: &Desk) -> Places {
    let admin = desk.admin();
    let target = |metric: &str, seconds: i64, mode: &str| json!({ "metric": metric, "seconds": seconds, "mode": mode });
    let targets = [
        target("first_response", 3_600, "business_hours"),
        target("next_response", 7_200, "always"),
        target("resolution", 28_800, "business_hours"),
    ];
    let web = json!({ "match": { "channels": ["web"] }, "targets": targets });
    admin.post("/api/v1/policies", json!({ "name": "Web", "position": 5, "definition": web })).ok();
    let team = |name: &str| Some(admin.post("/api/v1/teams", json!({ "name": name })).id());
    let organization = |name: &str| Some(admin.post("/api/v1/organizations", json!({ "name": name })).id());
    Places {
        teams: [None, team("=cmd()"), team("Payments")],
        organizations: [organization("+Nordwind"), None, organization("Südwind, \"Hosting\"")],
    }
}

/// What happens to the `n`th ticket, by minutes after it came. A ticket that nobody is responsible for is left alone.
fn story(n: usize) -> Vec<(f64, Act)> {
    let mut acts = vec![(0.0, Act::Open)];
    if assignee(n).is_none() {
        return acts;
    }
    let is_live = ["phone", "chat"].contains(&channel(n));
    if is_live && !n.is_multiple_of(7) {
        acts.push((if n.is_multiple_of(2) { 0.2 } else { 0.8 }, Act::PickUp));
    }
    match n % 8 {
        0 | 1 => acts.extend([(30.0, Act::Reply), (90.0, Act::Close)]),
        2 => acts.extend([(1_600.0, Act::Reply), (1_700.0, Act::Close)]),
        3 => acts.extend([(20.0, Act::Reply), (40.0, Act::Pending), (300.0, Act::ContactWrites), (500.0, Act::Reply)]),
        4 => acts.extend([(45.0, Act::Reply), (60.0, Act::Close), (90.0, Act::Reopen), (400.0, Act::Close)]),
        5 => acts.extend([(50.0, Act::Reply), (55.0, Act::Pending)]),
        6 => acts.extend([(70.0, Act::Close)]),
        _ => {}
    }
    let closed = acts.iter().rev().find_map(|(at, act)| matches!(act, Act::Close).then_some(*at));
    let has_email = channel(n) != "phone";
    if let Some(at) = closed.filter(|_| has_email && !n.is_multiple_of(9)) {
        let comments = ["", "Slow, and =HYPERLINK(\"x\")", "", "Thank you 🎉"];
        acts.push((at + 200.0 + n as f64, Act::Answer([10, 9, 3, 8, 0, 10, 6, 9, 7, 5, 10][n % 11], comments[n % 4])));
    }
    acts
}

fn channel(n: usize) -> &'static str {
    ["phone", "email", "chat", "web", "email"][n % 5]
}

/// 0 is Amir, 1 is Olga.
fn assignee(n: usize) -> Option<usize> {
    [Some(0), Some(1), None, Some(1), Some(0), Some(0)][n % 6]
}

fn open(desk: &Desk, places: &Places, n: usize) -> String {
    let agents = [&desk.people.agent.id, &desk.people.other_agent.id];
    let from = match channel(n) {
        "phone" => json!({ "phone": format!("+1416555{n:04}") }),
        _ => json!({ "email": format!("c{n}@nordwind.example") }),
    };
    let mut ticket = json!({
        "channel": channel(n),
        "subject": format!("Request {n}"),
        "from": from,
        "priority": PRIORITIES[n % 4],
        "team_id": places.teams[n % 3],
        "organization_id": places.organizations[n / 2 % 3],
        "assignee_id": assignee(n).map(|agent| agents[agent]),
    });
    // Every thirteenth is written down by hand and has no ring; the others came some seconds ago, to the microsecond.
    if n % 13 == 10 {
        return desk.agent().post(TICKETS, ticket).id();
    }
    ticket["received_at"] = json!(desk.now() - TimeDelta::microseconds(n as i64 % 9 * 1_370_000));
    desk.channel().post(TICKETS, ticket).id()
}

/// The link of the newest survey about a ticket, without the host.
#[track_caller]
fn survey(desk: &Desk, n: usize) -> String {
    let mails = desk.mails_to(&format!("c{n}@nordwind.example"));
    let letter = mails.iter().rev().find(|mail| mail.subject.starts_with("How did we do?"));
    let letter = letter.unwrap_or_else(|| panic!("request {n} was not asked about"));
    let link = letter.links().into_iter().find(|link| link.contains("/survey/") && !link.contains('?')).unwrap();
    link.strip_prefix(&desk.base()).unwrap().to_owned()
}

/// Some busy days, from one instant to the next.
pub(crate) fn busy_days(desk: &Desk) -> Places {
    let places = prepare(desk);
    let start = desk.now();
    let mut acts = Vec::new();
    for n in 0..COUNT {
        let came = start + TimeDelta::minutes(STEP_MINUTES * n as i64);
        acts.extend(
            story(n).into_iter().map(|(minutes, act)| (came + TimeDelta::milliseconds((minutes * 60_000.0) as i64), n, act)),
        );
    }
    acts.sort_by_key(|(at, n, _)| (*at, *n));
    let mut ids: BTreeMap<usize, String> = BTreeMap::new();
    for (at, n, act) in acts {
        desk.set_time(at);
        let agent = if assignee(n) == Some(1) { desk.other_agent() } else { desk.agent() };
        let path = |verb: &str| format!("{TICKETS}/{}/{verb}", ids[&n]);
        match act {
            Act::Open => drop(ids.insert(n, open(desk, &places, n))),
            Act::PickUp => drop(agent.post(&path("pickup"), json!({})).ok()),
            Act::Reply => drop(agent.post(&path("replies"), json!({ "body": "Done." })).ok()),
            Act::Pending => drop(agent.patch(&format!("{TICKETS}/{}", ids[&n]), json!({ "status": "pending" })).ok()),
            Act::ContactWrites => drop(desk.channel().post(&path("messages"), json!({ "body": "And now?" })).ok()),
            Act::Close => drop(agent.post(&path("closure"), json!({})).ok()),
            Act::Reopen => drop(agent.delete(&path("closure")).ok()),
            Act::Answer(score, comment) => {
                let form = [("score", score.to_string()), ("comment", comment.to_owned())];
                let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
                desk.anonymous().post_form(&survey(desk, n), &form).is(303);
            }
        }
    }
    given::email_ticket(desk, "late@nordwind.example");
    desk.advance(TimeDelta::hours(5));
    places
}

#[track_caller]
pub(crate) fn every(desk: &Desk, list: &str) -> Vec<Value> {
    let (mut all, mut path) = (Vec::new(), Some(list.to_owned()));
    while let Some(asked) = path {
        let page = desk.manager().get(&asked).ok();
        all.extend(page["items"].as_array().unwrap().iter().cloned());
        let joint = if list.contains('?') { '&' } else { '?' };
        path = page["next_cursor"].as_str().map(|cursor| format!("{list}{joint}cursor={cursor}"));
    }
    all
}

/// A row to count: a clock, an answer or a letter, with its ticket and the instant that it is counted under.
pub(crate) struct Fact {
    pub at: DateTime<Utc>,
    pub ticket: Value,
    pub row: Value,
}

/// What a report is asked for.
pub(crate) struct Asked {
    pub from: &'static str,
    pub to: &'static str,
    pub filter: Vec<(&'static str, String)>,
    pub group_by: Option<&'static str>,
}

fn midnight(date: NaiveDate) -> DateTime<Utc> {
    Toronto.from_local_datetime(&date.and_time(NaiveTime::MIN)).unwrap().to_utc()
}

impl Asked {
    pub(crate) fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("from", self.from).append_pair("to", self.to).append_pair("tz", "America/Toronto");
        query.extend_pairs(&self.filter).extend_pairs(self.group_by.map(|by| ("group_by", by)));
        format!("?{}", query.finish())
    }

    pub(crate) fn bounds(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        (midnight(self.from.parse().unwrap()), midnight(self.to.parse().unwrap()))
    }

    /// Whether a fact is meant, whenever it was.
    fn means(&self, fact: &Fact) -> bool {
        let column = |name: &str| if name == "agent_id" { "assignee_id" } else { name }.to_owned();
        self.filter.iter().all(|(name, value)| fact.ticket[column(name)] == **value)
    }

    fn label_of_time(&self, at: DateTime<Utc>) -> Option<String> {
        let local = at.with_timezone(&Toronto);
        match self.group_by? {
            "day" => Some(local.format("%Y-%m-%d").to_string()),
            "week" => Some(local.format("%G-W%V").to_string()),
            "month" => Some(local.format("%Y-%m").to_string()),
            _ => None,
        }
    }

    /// The group of a fact: its column and, for what has a name, the name.
    fn label(&self, fact: &Fact, names: &BTreeMap<String, String>) -> String {
        if let Some(label) = self.label_of_time(fact.at) {
            return label;
        }
        let value = match self.group_by.unwrap() {
            by @ ("channel" | "priority") => fact.ticket[by].as_str().unwrap().to_owned(),
            "agent" => fact.ticket["assignee_id"].as_str().unwrap_or("none").to_owned(),
            by => fact.ticket[format!("{by}_id")].as_str().unwrap_or("none").to_owned(),
        };
        names.get(&value).cloned().unwrap_or(value)
    }

    /// Days, weeks or months with their bounds, cut at the period's.
    fn buckets(&self) -> Vec<Value> {
        let (start, end) = self.bounds();
        let mut buckets: Vec<Value> = Vec::new();
        for date in self.from.parse::<NaiveDate>().unwrap().iter_days().take_while(|date| midnight(*date) < end) {
            let (from, to) = (midnight(date).max(start), midnight(date.succ_opt().unwrap()).min(end));
            let label = self.label_of_time(from).unwrap();
            match buckets.last_mut() {
                Some(last) if last["label"] == *label => last["to"] = json!(to),
                _ => buckets.push(json!({ "label": label, "id": null, "name": null, "from": from, "to": to })),
            }
        }
        assert!(buckets.iter().all(|bucket| at(bucket["from"].as_str().unwrap()).year() == 2026));
        buckets
    }

    /// The groups in their order with their keys and facts.
    pub(crate) fn groups<'a>(&self, facts: &[&'a Fact], names: &BTreeMap<String, String>) -> Vec<(Value, Vec<&'a Fact>)> {
        let Some(by) = self.group_by else { return Vec::new() };
        let mut by_label: BTreeMap<String, Vec<&Fact>> = BTreeMap::new();
        for fact in facts {
            by_label.entry(self.label(fact, names)).or_default().push(fact);
        }
        if ["day", "week", "month"].contains(&by) {
            let buckets = self.buckets().into_iter();
            return buckets
                .map(|key| (key.clone(), by_label.remove(key["label"].as_str().unwrap()).unwrap_or_default()))
                .collect();
        }
        let none = by_label.remove("none").map(|facts| ("none".to_owned(), facts));
        let key = |label: &str| {
            let id = names.iter().find(|(_, name)| *name == label).map(|(id, _)| id);
            json!({ "label": label, "id": id, "name": id.map(|_| label), "from": null, "to": null })
        };
        by_label.into_iter().chain(none).map(|(label, facts)| (key(&label), facts)).collect()
    }
}

pub(crate) fn names(desk: &Desk) -> BTreeMap<String, String> {
    let lists = ["/api/v1/teams", "/api/v1/agents", "/api/v1/organizations"];
    let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    lists.iter().flat_map(|list| every(desk, list)).map(|item| (text(&item, "id"), text(&item, "name"))).collect()
}

pub(crate) fn questions(places: &Places, desk: &Desk) -> Vec<Asked> {
    let (from, to) = ("2026-06-12", "2026-06-16");
    let mut questions: Vec<Asked> =
        GROUPS.iter().map(|by| Asked { from: "2026-06-10", to: "2026-06-20", filter: Vec::new(), group_by: Some(by) }).collect();
    questions.extend(GROUPS.iter().map(|by| Asked { from, to, filter: Vec::new(), group_by: Some(by) }));
    questions.push(Asked { from, to, filter: Vec::new(), group_by: None });
    questions.push(Asked { from: "2026-05-25", to: "2026-07-02", filter: Vec::new(), group_by: Some("month") });
    let filters = [
        ("channel", "web".to_owned()),
        ("priority", "high".to_owned()),
        ("team_id", places.teams[1].clone().unwrap()),
        ("agent_id", desk.people.other_agent.id.clone()),
        ("organization_id", places.organizations[0].clone().unwrap()),
    ];
    for (index, filter) in filters.iter().enumerate() {
        questions.push(Asked { from, to, filter: vec![filter.clone()], group_by: None });
        let both = vec![filter.clone(), filters[(index + 1) % filters.len()].clone()];
        questions.push(Asked { from: "2026-06-10", to: "2026-06-20", filter: both, group_by: Some("day") });
    }
    questions
}

/// 100·part/whole to one decimal, half away from zero.
pub(crate) fn percent(part: i64, whole: i64) -> Value {
    if whole == 0 {
        return Value::Null;
    }
    let doubled = 2_000 * part.abs() + whole;
    json!((doubled / (2 * whole) * part.signum()) as f64 / 10.0)
}

pub(crate) fn nearest_rank(sorted: &[i64], percent: f64) -> Value {
    let rank = (percent / 100.0 * sorted.len() as f64).ceil().max(1.0) as usize;
    json!(sorted.get(rank - 1))
}

pub(crate) fn sla_figures(metric: &str, facts: &[&Fact]) -> Value {
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
pub(crate) fn check_sla(report: &Value, asked: &Asked, meant: &[&Fact], names: &BTreeMap<String, String>) {
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

/// Promoters, passives, detractors.
pub(crate) fn tally(scores: &[i64]) -> (i64, i64, i64) {
    let count = |range: std::ops::RangeInclusive<i64>| scores.iter().filter(|score| range.contains(score)).count() as i64;
    (count(9..=10), count(7..=8), count(0..=6))
}

pub(crate) fn nps(scores: &[i64]) -> Value {
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
pub(crate) fn near(shown: &Value, expected: f64, what: &str) {
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
pub(crate) fn check_nps(figures: &Value, answers: &[&Fact], sent: &[&Fact], what: &str) {
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
pub(crate) fn answers_and_letters(desk: &Desk) -> (Vec<Fact>, Vec<Fact>) {
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

pub(crate) fn scores(facts: &[&Fact]) -> Vec<i64> {
    facts.iter().map(|fact| fact.row["score"].as_i64().unwrap()).collect()
}

/// Compares what is said of two periods with the formula of DESIGN 5.
#[track_caller]
pub(crate) fn check_change(change: &Value, before: &[&Fact], now: &[&Fact], what: &str) {
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

/// Rows of a CSV by the names of their columns.
#[track_caller]
pub(crate) fn rows(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let head = reader.headers().unwrap().clone();
    let row = |record: csv::StringRecord| head.iter().map(str::to_owned).zip(record.iter().map(str::to_owned)).collect();
    reader.records().map(|record| row(record.unwrap())).collect()
}

pub(crate) fn cell(value: &Value) -> String {
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
pub(crate) fn check_row(row: &BTreeMap<String, String>, key: &Value, figures: &Value, cells: &[(&str, &str)]) {
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
