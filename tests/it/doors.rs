//! Every door tried with what does not belong there: fields nobody knows, ids of other things, tokens of other people.
use crate::support::client::Client;
use crate::support::given::{call, close, email_ticket, path};
use crate::support::mail::Mail;
use crate::support::sample::{Description, at};
use crate::support::{Answer, Desk, Test, sqlite, tests};
use chrono::TimeDelta;
use deskbell::accounts::rights::{Scope, grants};
use deskbell::ids::TicketId;
use deskbell::routes::{Row, TABLE};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use ureq::http::Method;

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    an_id_of_another_thing_opens_nothing,
    a_token_without_the_right_touches_nothing_that_exists,
    what_one_agent_holds_another_does_not_take,
    every_route_with_an_id_is_walked,
];
/// Those about types, which do not know the database.
pub const ONCE: &[Test] = sqlite![no_body_takes_a_field_that_it_does_not_name, no_list_takes_a_parameter_that_it_does_not_name];

const UNKNOWN: &str = "nobody_knows_this";

fn description(desk: &Desk) -> Description {
    Description(desk.anonymous().get("/api/openapi.json").ok())
}

/// A path with an id in it; other placeholders name nothing.
fn filled(path: &str, id: &str) -> String {
    let mut filled = path.replacen("{id}", id, 1).replace("{on}", "2026-12-25");
    while let Some((before, rest)) = filled.clone().split_once('{') {
        let after = rest.split_once('}').map_or("", |(_, after)| after);
        filled = format!("{before}{}{after}", TicketId::new());
    }
    filled
}

/// Mass assignment is impossible by type: what a body does not name is refused, at every depth.
fn no_body_takes_a_field_that_it_does_not_name(desk: &Desk) {
    let description = description(desk);
    let (mut bodies, mut objects) = (0, 0);
    for (method, path, operation) in description.operations() {
        let Some(schema) = description.body(operation) else {
            let is_json = operation.pointer("/requestBody/content").is_none_or(|kinds| kinds.get("application/json").is_some());
            assert!(is_json || operation["requestBody"].is_object(), "{method} {path}");
            continue;
        };
        bodies += 1;
        let asked = filled(&path, &TicketId::new().to_string());
        let errors = |body: &Value| {
            let bytes = Some(("application/json", serde_json::to_vec(body).unwrap()));
            let client = if asked == "/api/v1/calls/events" { desk.channel() } else { desk.admin() };
            let answer = client.send(method.to_uppercase().parse().unwrap(), &asked, bytes);
            answer.json["errors"].as_array().cloned().unwrap_or_default()
        };
        for (way, is_closed, smallest) in description.objects(schema) {
            objects += 1;
            assert!(is_closed, "{method} {path}: the object at {way:?} is described as taking any field");
            let first = errors(&at(&way, json!({ UNKNOWN: 1 })));
            if first.iter().any(|error| error["code"] == "unknown_field" && error.to_string().contains(UNKNOWN)) {
                continue;
            }
            // One of several shapes: it is taken as it is, and not with a field more.
            let at_it = |error: &&Value| error["field"].as_str().is_some_and(|field| field.starts_with(&way[0]));
            let mut more = smallest.clone();
            more[UNKNOWN] = json!(1);
            let (without, with) = (errors(&at(&way, smallest)), errors(&at(&way, more)));
            let is_refused = with.iter().any(|error| at_it(&error)) && !without.iter().any(|error| at_it(&error));
            assert!(is_refused, "{method} {path} {way:?}: {first:?}, {with:?}, and without it {without:?}");
        }
    }
    assert!(bodies >= 27 && objects > bodies, "{bodies} bodies with {objects} objects: is the description read?");
}

fn no_list_takes_a_parameter_that_it_does_not_name(desk: &Desk) {
    let description = description(desk);
    let mut lists = 0;
    for (method, path, operation) in description.operations() {
        let has_query = operation["parameters"].as_array().is_some_and(|all| all.iter().any(|one| one["in"] == "query"));
        if method == "get" && has_query {
            lists += 1;
            let asked = format!("{}?{UNKNOWN}=1", filled(&path, &TicketId::new().to_string()));
            assert_eq!(desk.admin().get(&asked).refuses_field(UNKNOWN), "unknown_field", "{asked}");
        }
    }
    assert!(lists >= 10, "{lists} lists: is the description read?");
}

/// Routes whose id names nothing that a test makes here: a kind of export, and what loops of the desk make.
const ELSEWHERE: &[&str] =
    &["/api/v1/exports", "/api/v1/webhooks/deliveries", "/api/v1/reports/digests", "/api/v1/alerts/letters", "/api/v1/chats"];

/// One thing of each kind, by the path that its routes begin with; then those that cannot be listed or shown as JSON.
struct Things(BTreeMap<&'static str, String>, BTreeMap<&'static str, String>);

impl Things {
    fn make(desk: &Desk) -> Self {
        let admin = desk.admin();
        let id = |path: &str, body: Value| admin.post(path, body).id();
        let first = |list: &str| admin.get(list).ok()["items"][0]["id"].as_str().unwrap_or_else(|| panic!("{list}")).to_owned();
        let ticket = email_ticket(desk, "ana@nordwind.example");
        admin.post(&path(&ticket, "/replies"), json!({ "body": "Hello." })).ok();
        close(desk, ticket["id"].as_str().unwrap());
        desk.advance(TimeDelta::hours(4));
        let of_survey = |mail: &Mail| mail.links().into_iter().find(|link| link.contains("/survey/"));
        let survey = desk.mails_to("ana@nordwind.example").into_iter().find(|mail| of_survey(mail).is_some()).unwrap();
        let page = of_survey(&survey).unwrap().trim_start_matches(&desk.base()).to_owned();
        desk.anonymous().post_form(&page, &[("score", "2"), ("comment", "Slow.")]).is(303);
        let open = call(desk, "+4930123456", "2026-06-10T18:00:00Z");
        let machine = json!({ "name": "Gate", "scopes": ["channel"] });
        let ring = json!({ "call_id": "c1", "event": "ringing", "occurred_at": "2026-06-10T17:59:50Z", "from": "+4930999999" });
        let rang = desk.channel().post("/api/v1/calls/events", ring).ok();
        let hook = id("/api/v1/webhooks", json!({ "url": "https://hooks.nordwind.example/in" }));
        admin.patch(&format!("/api/v1/webhooks/{hook}"), json!({ "active": false })).ok();
        let file = json!({ "kind": "organizations", "format": "jsonl", "body": "{\"external_id\":\"1\",\"name\":\"Süd\"}" });
        let import = id("/api/v1/imports", file);
        let gate = crate::support::lmtp::listen(desk);
        let to = crate::inbound::mailbox(desk, "support", None);
        crate::inbound::hand_over(desk, &gate, &to, &crate::inbound::mail("di@nordwind.example", &to, "Came in", "", "Hello."));
        let came_in = admin.get("/api/v1/inbound").ok()["items"][0].clone();
        let answers = format!("In-Reply-To: {}\r\n", survey.header("message-id"));
        let answer = crate::inbound::mail("ana@nordwind.example", &to, "Re: How did we do?", &answers, "9, thanks");
        crate::inbound::hand_over(desk, &gate, &to, &answer);
        let daily = json!({ "mon": [{ "open": "08:00", "close": "20:00" }] });
        let shift = json!({ "agent_id": desk.people.agent.id, "from_on": "2026-06-01", "weekly": daily });
        desk.advance(TimeDelta::minutes(1));
        let others = BTreeMap::from([
            ("/api/v1/alerts", first("/api/v1/alerts")),
            ("/api/v1/attachments", crate::privacy::upload(&desk.agent())),
            ("/api/v1/messages", came_in["message_id"].as_str().unwrap_or_else(|| panic!("{came_in}")).to_owned()),
        ]);
        let things = BTreeMap::from([
            ("/api/v1/tickets", open["id"].as_str().unwrap().to_owned()),
            ("/api/v1/organizations", id("/api/v1/organizations", json!({ "name": "Nordwind" }))),
            ("/api/v1/contacts", first("/api/v1/contacts")),
            ("/api/v1/agents", desk.people.other_agent.id.clone()),
            ("/api/v1/teams", id("/api/v1/teams", json!({ "name": "Payments" }))),
            ("/api/v1/tokens", id("/api/v1/tokens", machine)),
            ("/api/v1/canned-replies", id("/api/v1/canned-replies", json!({ "name": "Hello", "body": "Hello." }))),
            ("/api/v1/views", id("/api/v1/views", json!({ "name": "All", "audience": "everyone", "filter": {} }))),
            ("/api/v1/fields", id("/api/v1/fields", json!({ "key": "vip", "label": "VIP", "type": "boolean" }))),
            ("/api/v1/calendars", first("/api/v1/calendars")),
            ("/api/v1/policies", first("/api/v1/policies")),
            ("/api/v1/mails", first("/api/v1/mails")),
            ("/api/v1/surveys/responses", first("/api/v1/surveys/responses")),
            // A follow-up has the id of its answer.
            ("/api/v1/surveys/followups", first("/api/v1/surveys/responses")),
            ("/api/v1/surveys/mail-answers", first("/api/v1/surveys/mail-answers")),
            ("/api/v1/surveys/suppressions", id("/api/v1/surveys/suppressions", json!({ "address": "bo@nordwind.example" }))),
            ("/api/v1/surveys/waves", id("/api/v1/surveys/waves", json!({ "quarter": "2026-Q4" }))),
            ("/api/v1/causes", first("/api/v1/causes")),
            ("/api/v1/calls", rang["id"].as_str().unwrap().to_owned()),
            ("/api/v1/webhooks", hook),
            ("/api/v1/imports", import),
            ("/api/v1/mailboxes", first("/api/v1/mailboxes")),
            ("/api/v1/inbound", came_in["id"].as_str().unwrap().to_owned()),
            ("/api/v1/shifts", id("/api/v1/shifts", shift)),
        ]);
        Self(things, others)
    }

    fn own(&self, prefix: &str) -> Option<&String> {
        self.0.get(prefix).or_else(|| self.1.get(prefix))
    }

    fn ids(&self) -> impl Iterator<Item = &String> {
        self.0.values().chain(self.1.values())
    }

    /// What everything looks like now, and how much there is of it.
    fn seen(&self, desk: &Desk) -> BTreeMap<String, Value> {
        let admin = desk.admin();
        let mut seen = BTreeMap::new();
        for (prefix, id) in &self.0 {
            let mut list = admin.get(&format!("{prefix}?limit=100")).ok()["items"].clone();
            // When a token was last used is no change.
            list.as_array_mut().unwrap().iter_mut().filter_map(Value::as_object_mut).for_each(|one| {
                one.remove("last_used_at");
            });
            seen.insert((*prefix).to_owned(), list);
            if *prefix != "/api/v1/tokens" {
                seen.insert(format!("{prefix}/{id}"), admin.get(&format!("{prefix}/{id}")).ok());
            }
        }
        let history = format!("/api/v1/tickets/{}/history", self.0["/api/v1/tickets"]);
        seen.insert(history.clone(), admin.get(&history).ok());
        seen
    }
}

fn with_id() -> impl Iterator<Item = (&'static Row, &'static str)> {
    TABLE.iter().filter_map(|row| row.1.split_once("/{id}").map(|(prefix, _)| (row, prefix)))
}

/// Asks a route with a smallest body that it takes.
fn ask(client: &Client, description: &Description, (method, path, _): &Row, id: &str) -> Answer {
    let verb: Method = method.to_uppercase().parse().unwrap();
    let body = description.sample_body(method, path).map(|body| ("application/json", serde_json::to_vec(&body).unwrap()));
    client.send(verb, &filled(path, id), body)
}

fn an_id_of_another_thing_opens_nothing(desk: &Desk) {
    let (things, description) = (Things::make(desk), description(desk));
    let before = things.seen(desk);
    let mut walked = 0;
    for (row, prefix) in with_id() {
        let own = things.own(prefix);
        let foreign = things.ids().filter(|id| Some(*id) != own).map(String::as_str);
        for id in foreign.chain(["00000000-0000-0000-0000-000000000000", "1", "%27%20OR%201=1--", "..%2f..%2fagents%2fme"]) {
            walked += 1;
            let answer = ask(&desk.admin(), &description, row, id);
            let is_refused = answer.status == 404 || (row.0 != "get" && [400, 415, 422].contains(&answer.status));
            assert!(is_refused, "{} was answered {}: {}", answer.asked, answer.status, answer.text);
        }
    }
    assert!(walked > 300, "{walked}");
    assert_eq!(things.seen(desk), before, "something was changed");
}

fn a_token_without_the_right_touches_nothing_that_exists(desk: &Desk) {
    let (things, description) = (Things::make(desk), description(desk));
    let revoked = desk.admin().post("/api/v1/tokens", json!({ "name": "Old", "scopes": ["import"] })).ok();
    desk.admin().delete(&format!("/api/v1/tokens/{}", revoked["id"].as_str().unwrap())).is(204);
    let made = json!({ "name": "Gone", "email": "gone@desk.test", "role": "admin" });
    let gone = desk.admin().post("/api/v1/agents", made).id();
    let token = desk.admin().post("/api/v1/tokens", json!({ "agent_id": gone, "name": "x", "scopes": ["admin"] })).ok();
    desk.admin().patch(&format!("/api/v1/agents/{gone}"), json!({ "disabled": true })).ok();
    let before = things.seen(desk);
    let secret = |made: &Value| made["secret"].as_str().unwrap().to_owned();
    let strangers = [desk.anonymous(), desk.client(&secret(&revoked)), desk.client(&secret(&token)), desk.client("guess")];
    let scopes = [
        (Scope::Agent, desk.agent()),
        (Scope::Manager, desk.manager()),
        (Scope::Channel, desk.channel()),
        (Scope::Import, desk.import()),
    ];
    for (row, prefix) in with_id() {
        let nothing = TicketId::new().to_string();
        let id = things.own(prefix).unwrap_or(&nothing);
        for stranger in &strangers {
            ask(stranger, &description, row, id).refused(401, "unauthorized");
        }
        for (_, client) in scopes.iter().filter(|(scope, _)| !grants(*scope, row.2)) {
            ask(client, &description, row, id).refused(403, "missing_right");
        }
    }
    assert_eq!(things.seen(desk), before, "something was changed");
}

fn what_one_agent_holds_another_does_not_take(desk: &Desk) {
    let things = Things::make(desk);
    let response = format!("/api/v1/surveys/responses/{}", things.0["/api/v1/surveys/responses"]);
    let review = json!({ "causes": ["slow answer"] });
    desk.other_agent().post(&format!("{response}/claim"), json!({})).ok();
    let held = desk.admin().get(&response).ok();
    for other in [desk.agent(), desk.manager()] {
        for answer in [other.put(&format!("{response}/review"), &review), other.post(&format!("{response}/claim"), json!({}))] {
            assert!([403, 409].contains(&answer.status), "{} was answered {}: {}", answer.asked, answer.status, answer.text);
        }
    }
    desk.agent().delete(&format!("{response}/claim")).refused(409, "not_claimed");
    assert_eq!(desk.admin().get(&response).ok(), held);
}

/// Whoever adds a route with an id says here what it names.
fn every_route_with_an_id_is_walked(desk: &Desk) {
    let things = Things::make(desk);
    let forgotten: Vec<&str> = with_id()
        .map(|(_, prefix)| prefix)
        .filter(|prefix| things.own(prefix).is_none() && !ELSEWHERE.contains(prefix))
        .collect();
    assert_eq!(forgotten, Vec::<&str>::new(), "nothing of these is made: the tests above ask for them in vain");
    for (prefix, id) in &things.0 {
        let is_listed = desk.admin().get(&format!("{prefix}?limit=100")).ok()["items"].to_string().contains(id);
        assert!(is_listed, "{prefix}/{id} does not exist");
    }
}
