//! Some busy days of a desk, and the questions that reports are asked about them.
use crate::support::desk::at;
use crate::support::servers::Shared;
use crate::support::template::Template;
use crate::support::{Backend, Desk, given};
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::America::Toronto;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub const TICKETS: &str = "/api/v1/tickets";

pub const GROUPS: [&str; 8] = ["channel", "team", "agent", "organization", "priority", "day", "week", "month"];

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
#[derive(Clone)]
pub struct Places {
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

/// A desk at the end of its busy days.
struct Busy {
    template: Template,
    places: Places,
    ends_at: DateTime<Utc>,
}

static SQLITE: Shared<Busy> = Shared::new();
static POSTGRES: Shared<Busy> = Shared::new();

/// Removes what was kept.
pub fn forget() {
    SQLITE.stop();
    POSTGRES.stop();
}

/// The desk has some busy days behind it, and nothing else. The first test on a database lives through them for all.
#[track_caller]
pub fn busy_days(desk: &Desk) -> Places {
    let busy = match desk.backend {
        Backend::Sqlite => SQLITE.get(|| live(desk.backend)),
        Backend::Postgres => POSTGRES.get(|| live(desk.backend)),
    };
    desk.become_copy_of(&busy.template, busy.ends_at);
    busy.places.clone()
}

fn live(backend: Backend) -> Result<Busy, String> {
    let desk = Desk::open(backend);
    let places = live_through(&desk);
    desk.check();
    let ends_at = desk.now();
    Ok(Busy { template: desk.into_template()?, places, ends_at })
}

/// Some busy days, from one instant to the next.
fn live_through(desk: &Desk) -> Places {
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
pub fn every(desk: &Desk, list: &str) -> Vec<Value> {
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
pub struct Fact {
    pub at: DateTime<Utc>,
    pub ticket: Value,
    pub row: Value,
}

/// What a report is asked for.
pub struct Asked {
    pub from: &'static str,
    pub to: &'static str,
    pub filter: Vec<(&'static str, String)>,
    pub group_by: Option<&'static str>,
}

fn midnight(date: NaiveDate) -> DateTime<Utc> {
    Toronto.from_local_datetime(&date.and_time(NaiveTime::MIN)).unwrap().to_utc()
}

impl Asked {
    pub fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("from", self.from).append_pair("to", self.to).append_pair("tz", "America/Toronto");
        query.extend_pairs(&self.filter).extend_pairs(self.group_by.map(|by| ("group_by", by)));
        format!("?{}", query.finish())
    }

    pub fn bounds(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        (midnight(self.from.parse().unwrap()), midnight(self.to.parse().unwrap()))
    }

    /// Whether a fact is meant, whenever it was.
    pub fn means(&self, fact: &Fact) -> bool {
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
    pub fn groups<'a>(&self, facts: &[&'a Fact], names: &BTreeMap<String, String>) -> Vec<(Value, Vec<&'a Fact>)> {
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

pub fn names(desk: &Desk) -> BTreeMap<String, String> {
    let lists = ["/api/v1/teams", "/api/v1/agents", "/api/v1/organizations"];
    let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    lists.iter().flat_map(|list| every(desk, list)).map(|item| (text(&item, "id"), text(&item, "name"))).collect()
}

pub fn questions(places: &Places, desk: &Desk) -> Vec<Asked> {
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
pub fn percent(part: i64, whole: i64) -> Value {
    if whole == 0 {
        return Value::Null;
    }
    let doubled = 2_000 * part.abs() + whole;
    json!((doubled / (2 * whole) * part.signum()) as f64 / 10.0)
}
