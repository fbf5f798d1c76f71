//! Organizations, contacts, agents, teams and tokens over HTTP; lost updates, retries and pages, which all of them share.
use crate::support::client::Client;
use crate::support::{Answer, Desk, Test, tests};
use chrono::TimeDelta;
use deskbell::ids::TicketId;
use deskbell::{http::idempotency, timetable};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    an_organization_is_made_read_changed_and_listed,
    an_account_id_belongs_to_one_organization,
    a_contact_is_made_read_changed_and_listed,
    an_address_and_a_number_belong_to_one_contact,
    what_is_no_address_number_zone_or_language_is_refused,
    an_agent_is_made_read_changed_and_listed,
    the_last_admin_stays,
    two_admins_who_bar_each_other_at_once_leave_one,
    a_team_is_made_read_changed_and_listed,
    a_team_refuses_strangers_and_repetitions,
    names_in_any_script_survive,
    a_name_may_have_two_hundred_characters_of_any_size,
    a_stale_version_is_refused_and_loses_nothing,
    of_two_changes_at_once_from_the_same_version_one_is_refused,
    what_does_not_exist_is_not_found,
    a_retry_gets_the_first_answer_and_does_nothing,
    a_key_belongs_to_its_token_and_its_request,
    a_refusal_is_not_kept_under_its_key,
    a_key_is_forgotten_after_a_day,
    a_key_that_is_none_is_refused,
    the_same_post_many_times_at_once_is_done_once,
    pages_cover_everything_exactly_once,
    a_cursor_that_is_none_is_refused,
    a_token_shows_its_secret_once,
    a_token_can_do_no_more_than_its_agent,
    a_disabled_agent_is_out_at_once_and_in_again,
    a_revoked_token_is_out_at_once,
    an_expired_token_is_out_at_its_instant,
    a_lower_role_lowers_the_token,
    the_last_use_of_a_token_is_written_down,
];

const ORGANIZATIONS: &str = "/api/v1/organizations";
const CONTACTS: &str = "/api/v1/contacts";
const AGENTS: &str = "/api/v1/agents";
const TEAMS: &str = "/api/v1/teams";
const TOKENS: &str = "/api/v1/tokens";

/// Lists whose things have a version.
const VERSIONED: [&str; 4] = [ORGANIZATIONS, CONTACTS, AGENTS, TEAMS];

/// A body for the `n`th thing of a list.
fn body(list: &str, n: usize) -> Value {
    match list {
        ORGANIZATIONS => json!({ "name": format!("Nordwind {n}"), "account": format!("R-{n}") }),
        CONTACTS => json!({ "name": format!("Ana {n}"), "emails": [format!("ana{n}@nordwind.example")] }),
        AGENTS => json!({ "name": format!("Grace {n}"), "email": format!("grace{n}@desk.test"), "role": "agent" }),
        TEAMS => json!({ "name": format!("Team {n}") }),
        TOKENS => json!({ "name": format!("Phone system {n}"), "scopes": ["channel"] }),
        other => panic!("{other} is not a list"),
    }
}

#[track_caller]
fn make(desk: &Desk, list: &str, n: usize) -> Answer {
    let answer = desk.admin().post(list, body(list, n));
    answer.is(201);
    answer
}

/// What a new thing's answer must be: 201, where it is, its first version, and the same again when it is read.
#[track_caller]
fn is_made(client: &Client, list: &str, answer: &Answer) -> Value {
    let made = answer.is(201).json.clone();
    let path = format!("{list}/{}", made["id"].as_str().unwrap());
    assert_eq!(answer.header("location"), Some(path.as_str()));
    assert_eq!((answer.etag().as_str(), &made["version"]), ("\"1\"", &json!(1)));
    let read = client.get(&path);
    assert_eq!((read.ok(), read.etag()), (made.clone(), answer.etag()));
    made
}

#[track_caller]
fn items(client: &Client, path: &str) -> Vec<Value> {
    client.get(path).ok()["items"].as_array().unwrap().clone()
}

fn field<'a>(items: &'a [Value], name: &str) -> Vec<&'a str> {
    items.iter().map(|item| item[name].as_str().unwrap()).collect()
}

fn an_organization_is_made_read_changed_and_listed(desk: &Desk) {
    let agent = desk.agent();
    let made = is_made(&agent, ORGANIZATIONS, &agent.post(ORGANIZATIONS, json!({ "name": "Nordwind", "account": "R-1" })));
    assert_eq!((&made["name"], &made["account"]), (&json!("Nordwind"), &json!("R-1")));
    let other = is_made(&agent, ORGANIZATIONS, &agent.post(ORGANIZATIONS, json!({ "name": "Südwind" })));
    assert_eq!(other["account"], Value::Null);

    desk.advance(TimeDelta::seconds(5));
    let path = format!("{ORGANIZATIONS}/{}", made["id"].as_str().unwrap());
    let changed = agent.patch(&path, json!({ "name": "Nordwind Hosting" }));
    assert_eq!((&changed.ok()["name"], &changed.json["account"]), (&json!("Nordwind Hosting"), &json!("R-1")), "the rest stays");
    assert_eq!((changed.etag().as_str(), &changed.json["version"]), ("\"2\"", &json!(2)));
    assert_eq!((&changed.json["created_at"], &changed.json["updated_at"]), (&made["created_at"], &json!("2026-06-10T14:00:05Z")));
    assert_eq!(agent.patch(&path, json!({ "account": null })).ok()["account"], Value::Null);
    assert_eq!(agent.patch(&path, json!({ "name": null })).refuses_field("name"), "wrong_type");
    assert_eq!(agent.patch(&path, json!({ "account": "" })).status, 422);

    assert_eq!(field(&items(&agent, ORGANIZATIONS), "name"), ["Nordwind Hosting", "Südwind"], "oldest first");
    agent.patch(&path, json!({ "account": "R-2" })).ok();
    assert_eq!(field(&items(&agent, &format!("{ORGANIZATIONS}?account=R-2")), "name"), ["Nordwind Hosting"]);
    assert!(items(&agent, &format!("{ORGANIZATIONS}?account=R-1")).is_empty());
}

fn an_account_id_belongs_to_one_organization(desk: &Desk) {
    let agent = desk.agent();
    agent.post(ORGANIZATIONS, json!({ "name": "Nordwind", "account": "R-1" })).ok();
    let other = agent.post(ORGANIZATIONS, json!({ "name": "Südwind" })).id();
    let before = items(&agent, ORGANIZATIONS);
    agent.post(ORGANIZATIONS, json!({ "name": "Westwind", "account": "R-1" })).refused(409, "account_taken");
    agent.patch(&format!("{ORGANIZATIONS}/{other}"), json!({ "account": "R-1" })).refused(409, "account_taken");
    assert_eq!(items(&agent, ORGANIZATIONS), before, "nothing was written");
    agent.post(ORGANIZATIONS, json!({ "name": "Nordwind" })).is(201);
}

fn a_contact_is_made_read_changed_and_listed(desk: &Desk) {
    let agent = desk.agent();
    let organization = make(desk, ORGANIZATIONS, 1).id();
    let new = json!({
        "name": "Ana Castro",
        "organization_id": organization,
        "emails": ["Ana.Castro@Nordwind.example", "ana@home.example", "ana.castro@nordwind.example"],
        "phones": ["+49 (30) 123-456", "0049 30 123456", "+1 416 555 0100"],
        "time_zone": "Europe/Berlin",
        "language": "pt-BR",
    });
    let made = is_made(&agent, CONTACTS, &agent.post(CONTACTS, &new));
    assert_eq!(made["emails"], json!(["ana.castro@nordwind.example", "ana@home.example"]), "one spelling, each once, in order");
    assert_eq!(made["phones"], json!(["+4930123456", "+14165550100"]));
    assert_eq!((&made["time_zone"], &made["language"]), (&json!("Europe/Berlin"), &json!("pt-BR")));
    let plain = is_made(&agent, CONTACTS, &agent.post(CONTACTS, json!({ "name": "Ben" })));
    assert_eq!((&plain["emails"], &plain["language"], &plain["surveys_stopped"]), (&json!([]), &json!("en"), &json!(false)));

    let path = format!("{CONTACTS}/{}", made["id"].as_str().unwrap());
    let changed =
        agent.patch(&path, json!({ "emails": ["new@nordwind.example", "ana@home.example"], "surveys_stopped": true })).ok();
    assert_eq!(changed["emails"], json!(["new@nordwind.example", "ana@home.example"]));
    assert_eq!((&changed["phones"], &changed["surveys_stopped"]), (&made["phones"], &json!(true)));
    assert_eq!(agent.get(&path).ok(), changed);
    let cleared = agent.patch(&path, json!({ "organization_id": null, "time_zone": null, "phones": [] })).ok();
    assert_eq!(
        (&cleared["organization_id"], &cleared["time_zone"], &cleared["phones"]),
        (&Value::Null, &Value::Null, &json!([]))
    );
    agent.patch(&path, json!({ "organization_id": organization, "phones": ["+14165550100"] })).ok();

    let found = |query: &str| items(&agent, &format!("{CONTACTS}?{query}")).len();
    assert_eq!(found("email=NEW@nordwind.example"), 1);
    assert_eq!(found("email=ana.castro@nordwind.example"), 0, "an address that was taken away finds nobody");
    assert_eq!((found("phone=%2B14165550100"), found("phone=001%20416%20555-0100"), found("phone=%2B4930123456")), (1, 1, 0));
    assert_eq!((found(&format!("organization_id={organization}")), found("limit=100")), (1, 2));
}

fn an_address_and_a_number_belong_to_one_contact(desk: &Desk) {
    let agent = desk.agent();
    let ana = json!({ "name": "Ana", "emails": ["ana@nordwind.example"], "phones": ["+4930123456"] });
    let ana = agent.post(CONTACTS, &ana).id();
    let ben = agent.post(CONTACTS, json!({ "name": "Ben", "emails": ["ben@nordwind.example"] })).id();
    let before = items(&agent, CONTACTS);
    let taken = json!({ "name": "Eve", "emails": ["eve@nordwind.example", "ANA@nordwind.example"] });
    agent.post(CONTACTS, taken).refused(409, "address_taken");
    agent.post(CONTACTS, json!({ "name": "Eve", "phones": ["004930123456"] })).refused(409, "number_taken");
    let path = format!("{CONTACTS}/{ben}");
    agent.patch(&path, json!({ "emails": ["ben@home.example", "ana@nordwind.example"] })).refused(409, "address_taken");
    agent.patch(&path, json!({ "name": "Benjamin", "phones": ["+4930123456"] })).refused(409, "number_taken");
    assert_eq!(items(&agent, CONTACTS), before, "nothing was written, also not half of it");
    // What one gives away the other may take.
    agent.patch(&format!("{CONTACTS}/{ana}"), json!({ "emails": [] })).ok();
    agent.patch(&path, json!({ "emails": ["ben@home.example", "ana@nordwind.example"] })).ok();
}

fn what_is_no_address_number_zone_or_language_is_refused(desk: &Desk) {
    let agent = desk.agent();
    let with = |name: &str, value: Value| {
        let mut body = json!({ "name": "Ana", "emails": ["ana@nordwind.example"] });
        body[name] = value;
        agent.post(CONTACTS, body)
    };
    assert_eq!(with("emails", json!(["ana@nordwind.example", "nobody"])).refuses_field("emails[1]"), "email");
    with("emails", json!(["ana@nordwind.example\r\nBcc: eve@example.com"])).refuses_field("emails[0]");
    assert_eq!(with("phones", json!(["030 123456"])).refuses_field("phones[0]"), "phone");
    with("time_zone", json!("Mars/Base")).refuses_field("time_zone");
    with("language", json!("en_US")).refuses_field("language");
    assert_eq!(with("organization_id", json!(TicketId::new())).refuses_field("organization_id"), "unknown_organization");
    with("emails", json!((0..11).map(|n| format!("a{n}@x.example")).collect::<Vec<_>>())).refuses_field("emails");
    assert_eq!(agent.get(&format!("{CONTACTS}?email=nobody")).refuses_field("email"), "email");
    assert!(items(&agent, CONTACTS).is_empty(), "nothing was written");
    with("language", json!("en-US")).is(201);
}

fn an_agent_is_made_read_changed_and_listed(desk: &Desk) {
    let admin = desk.admin();
    let new = json!({ "name": "Grace Hopper", "email": " Grace@Desk.test ", "role": "manager" });
    let made = is_made(&admin, AGENTS, &admin.post(AGENTS, &new));
    assert_eq!((&made["email"], &made["role"], &made["disabled"]), (&json!("grace@desk.test"), &json!("manager"), &json!(false)));
    let path = format!("{AGENTS}/{}", made["id"].as_str().unwrap());
    let changed = admin.patch(&path, json!({ "name": "Rear Admiral Hopper", "email": "HOPPER@desk.test" })).ok();
    assert_eq!((&changed["name"], &changed["email"]), (&json!("Rear Admiral Hopper"), &json!("hopper@desk.test")));
    assert_eq!((&changed["role"], &changed["version"]), (&json!("manager"), &json!(2)));

    let before = items(&admin, AGENTS);
    admin.post(AGENTS, json!({ "name": "Eve", "email": "Hopper@desk.test", "role": "agent" })).refused(409, "email_taken");
    let amir = format!("{AGENTS}/{}", desk.people.agent.id);
    admin.patch(&amir, json!({ "email": "hopper@desk.test" })).refused(409, "email_taken");
    assert_eq!(admin.post(AGENTS, json!({ "name": "Eve", "email": "eve", "role": "agent" })).refuses_field("email"), "email");
    assert_eq!(admin.patch(&amir, json!({ "email": "eve" })).refuses_field("email"), "email");
    let wrong = json!({ "name": "Eve", "email": "eve@desk.test", "role": "owner" });
    assert_eq!(admin.post(AGENTS, wrong).refuses_field("role"), "unknown_name");
    assert_eq!(admin.patch(&amir, json!({ "role": null })).refuses_field("role"), "wrong_type");
    assert_eq!(admin.patch(&amir, json!({ "role": 5 })).refuses_field("role"), "wrong_type");
    assert_eq!(items(&admin, AGENTS), before, "nothing was written");

    let managers = items(&desk.agent(), &format!("{AGENTS}?role=manager"));
    assert_eq!(field(&managers, "name"), ["Mary Manager", "Rear Admiral Hopper"]);
    assert_eq!(desk.agent().get(&format!("{AGENTS}/me")).ok()["id"], desk.people.agent.id);
}

fn the_last_admin_stays(desk: &Desk) {
    let admin = desk.admin();
    let own = format!("{AGENTS}/{}", desk.people.admin.id);
    let before = admin.get(&own).ok();
    for less in [json!({ "role": "manager" }), json!({ "role": "agent" }), json!({ "disabled": true })] {
        admin.patch(&own, less).refused(409, "last_admin");
    }
    assert_eq!(admin.get(&own).ok(), before);
    // A barred admin is none.
    let second = admin.post(AGENTS, json!({ "name": "Second", "email": "second@desk.test", "role": "admin" })).id();
    let second = format!("{AGENTS}/{second}");
    admin.patch(&second, json!({ "disabled": true })).ok();
    admin.patch(&own, json!({ "role": "agent" })).refused(409, "last_admin");
    admin.patch(&second, json!({ "disabled": false })).ok();
    admin.patch(&own, json!({ "role": "agent" })).ok();
    admin.patch(&second, json!({ "disabled": true })).refused(403, "missing_right");
}

fn two_admins_who_bar_each_other_at_once_leave_one(desk: &Desk) {
    let admin = desk.admin();
    let second = admin.post(AGENTS, json!({ "name": "Second", "email": "second@desk.test", "role": "admin" })).id();
    let token = json!({ "agent_id": second, "name": "Second", "scopes": ["admin"] });
    let secret = admin.post(TOKENS, token).ok()["secret"].as_str().unwrap().to_owned();
    let bar = |client: Client, id: &str| client.patch(&format!("{AGENTS}/{id}"), json!({ "disabled": true })).status;
    let (one, other) = std::thread::scope(|scope| {
        let one = scope.spawn(|| bar(desk.admin(), &second));
        let other = scope.spawn(|| bar(desk.client(&secret), &desk.people.admin.id));
        (one.join().unwrap(), other.join().unwrap())
    });
    // The loser was either too late to be let in, or hears that it would leave nobody.
    let [won, lost] = if one == 200 { [one, other] } else { [other, one] };
    assert!(won == 200 && [401, 409].contains(&lost), "{one} and {other}");
    let admins = items(&desk.agent(), &format!("{AGENTS}?role=admin"));
    assert_eq!(admins.iter().filter(|admin| admin["disabled"] == false).count(), 1);
}

fn a_team_is_made_read_changed_and_listed(desk: &Desk) {
    let (admin, people) = (desk.admin(), &desk.people);
    let mut members = [people.other_agent.id.clone(), people.agent.id.clone()];
    let made = is_made(&admin, TEAMS, &admin.post(TEAMS, json!({ "name": "Payments", "members": members })));
    members.sort();
    assert_eq!((&made["members"], &made["calendar_id"]), (&json!(members), &Value::Null));
    let path = format!("{TEAMS}/{}", made["id"].as_str().unwrap());
    let calendar = items(&admin, "/api/v1/calendars")[0]["id"].clone();
    let changed = admin.patch(&path, json!({ "calendar_id": calendar, "members": [people.manager.id] })).ok();
    assert_eq!((&changed["calendar_id"], &changed["members"]), (&calendar, &json!([people.manager.id])));
    assert_eq!((&changed["name"], &changed["version"]), (&json!("Payments"), &json!(2)));
    let cleared = admin.patch(&path, json!({ "calendar_id": null, "members": [], "name": "Billing" })).ok();
    assert_eq!((&cleared["calendar_id"], &cleared["members"], &cleared["name"]), (&Value::Null, &json!([]), &json!("Billing")));
    assert_eq!(desk.agent().get(&path).ok(), cleared);
    make(desk, TEAMS, 1);
    assert_eq!(field(&items(&desk.agent(), TEAMS), "name"), ["Billing", "Team 1"]);
}

fn a_team_refuses_strangers_and_repetitions(desk: &Desk) {
    let (admin, agent) = (desk.admin(), &desk.people.agent.id);
    let team = admin.post(TEAMS, json!({ "name": "Payments", "members": [agent] })).id();
    make(desk, TEAMS, 1);
    let before = items(&admin, TEAMS);
    let path = format!("{TEAMS}/{team}");
    let nobody = TicketId::new();
    admin.post(TEAMS, json!({ "name": "Payments" })).refused(409, "name_taken");
    admin.patch(&path, json!({ "name": "Team 1" })).refused(409, "name_taken");
    for is_new in [true, false] {
        let send = |name: &str, value: Value| {
            let body = json!({ "name": if is_new { "New" } else { "Payments" }, name: value });
            if is_new { admin.post(TEAMS, body) } else { admin.patch(&path, body) }
        };
        assert_eq!(send("members", json!([agent, nobody])).refuses_field("members[1]"), "unknown_agent");
        assert_eq!(send("members", json!([agent, agent])).refuses_field("members[1]"), "repeated");
        assert_eq!(send("calendar_id", json!(nobody)).refuses_field("calendar_id"), "unknown_calendar");
    }
    assert_eq!(items(&admin, TEAMS), before, "nothing was written");
}

fn names_in_any_script_survive(desk: &Desk) {
    let names = [
        "Łukasz Żółć",
        "👩🏽‍💻 Ana 🦀",
        "محمد بن سلمان",
        "\u{202e}evil\u{202c} right to left",
        "e\u{301} is not é",
        "Z̸̡̛a̶͎͝l̷̺͠g̵̣̈o̴̫͑",
        "山田太郎 ﷽ 𠜎",
        "\"quotes\", <b>tags</b> & 'more' \\ \t 100%",
        "' OR 1=1; DROP TABLE agents; --",
        "zero\u{200b}width\u{feff}",
    ];
    for (n, name) in names.iter().enumerate() {
        for list in [ORGANIZATIONS, CONTACTS, AGENTS, TEAMS, TOKENS] {
            let mut new = body(list, n);
            new["name"] = json!(name);
            let made = desk.admin().post(list, new).ok();
            assert_eq!(made["name"], *name, "{list}");
            let listed = items(&desk.admin(), list);
            assert!(listed.iter().any(|item| item["id"] == made["id"] && item["name"] == *name), "{list}: {name}");
        }
    }
    // The same letters, composed otherwise, are another name.
    desk.admin().post(TEAMS, json!({ "name": "é is not é" })).is(201);
}

fn a_name_may_have_two_hundred_characters_of_any_size(desk: &Desk) {
    for list in [ORGANIZATIONS, CONTACTS, AGENTS, TEAMS, TOKENS] {
        let mut new = body(list, 1);
        new["name"] = json!("🦀".repeat(201));
        assert_eq!(desk.admin().post(list, &new).refuses_field("name"), "length");
        new["name"] = json!("🦀".repeat(200));
        assert_eq!(desk.admin().post(list, &new).ok()["name"], new["name"]);
    }
}

fn a_stale_version_is_refused_and_loses_nothing(desk: &Desk) {
    let admin = desk.admin();
    for list in VERSIONED {
        let made = make(desk, list, 1);
        let path = format!("{list}/{}", made.id());
        let seen = admin.get(&path).etag();
        let first = admin.with("If-Match", &seen).patch(&path, json!({ "name": "First" }));
        assert_eq!(first.ok()["name"], "First");
        let stale = admin.with("If-Match", &seen).patch(&path, json!({ "name": "Second" }));
        let problem = stale.refused(412, "stale_version");
        assert!(problem["detail"].as_str().unwrap().contains("the current version is 2"), "{problem}");
        for tag in ["W/\"2\"", "\"3\"", "\"x\"", "\"\"", "-1"] {
            admin.with("If-Match", tag).patch(&path, json!({ "name": "Third" })).refused(412, "stale_version");
        }
        assert_eq!(admin.get(&path).ok(), first.json, "nothing was lost");
        admin.with("If-Match", first.etag()).patch(&path, json!({ "name": "Fourth" })).ok();
        admin.with("If-Match", "*").patch(&path, json!({ "name": "Fifth" })).ok();
        assert_eq!(admin.patch(&path, json!({ "name": "Sixth" })).etag(), "\"5\"");
    }
}

fn of_two_changes_at_once_from_the_same_version_one_is_refused(desk: &Desk) {
    for list in VERSIONED {
        let path = format!("{list}/{}", make(desk, list, 1).id());
        let names = ["One", "Two", "Three", "Four"];
        let change = |name: &str| desk.admin().with("If-Match", "\"1\"").patch(&path, json!({ "name": name }));
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let running = names.map(|name| scope.spawn(move || change(name)));
            running.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let won: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(won.len(), 1, "{list}: {answers:?}");
        for lost in answers.iter().filter(|answer| answer.status != 200) {
            lost.refused(412, "stale_version");
        }
        assert_eq!(desk.admin().get(&path).ok(), won[0].json);
    }
}

fn what_does_not_exist_is_not_found(desk: &Desk) {
    let admin = desk.admin();
    for list in VERSIONED {
        let path = format!("{list}/{}", TicketId::new());
        admin.get(&path).refused(404, "not_found");
        admin.patch(&path, json!({ "name": "Nobody" })).refused(404, "not_found");
        admin.with("If-Match", "\"1\"").patch(&path, json!({ "name": "Nobody" })).refused(404, "not_found");
        admin.patch(&format!("{list}/1"), json!({ "name": "Nobody" })).refused(404, "not_found");
    }
    admin.delete(&format!("{TOKENS}/{}", TicketId::new())).refused(404, "not_found");
}

/// Everything of an answer that a client can act on.
fn shown(answer: &Answer) -> (u16, Option<String>, Option<String>, String) {
    let header = |name: &str| answer.header(name).map(str::to_owned);
    (answer.status, header("etag"), header("location"), answer.text.clone())
}

fn a_retry_gets_the_first_answer_and_does_nothing(desk: &Desk) {
    for (n, list) in VERSIONED.into_iter().enumerate() {
        let client = desk.admin().with("Idempotency-Key", format!("key-{n}"));
        let first = client.post(list, body(list, 1));
        first.is(201);
        let count = items(&desk.admin(), list).len();
        desk.advance(TimeDelta::hours(1));
        // Also after the thing was changed: the answer is the first one.
        desk.admin().patch(&format!("{list}/{}", first.id()), json!({ "name": "Changed" })).ok();
        assert_eq!(shown(&client.post(list, body(list, 1))), shown(&first), "{list}");
        assert_eq!(items(&desk.admin(), list).len(), count, "{list}");
        client.post(list, body(list, 2)).refused(422, "idempotency_key_reused");
        assert_eq!(items(&desk.admin(), list).len(), count, "{list}");
        // Without a key it is another request, and the index refuses it; organizations lose their account id here.
        desk.admin().post(list, body(list, 2)).is(201);
    }
}

fn a_key_belongs_to_its_token_and_its_request(desk: &Desk) {
    let new = json!({ "name": "Nordwind" });
    let first = desk.agent().with("Idempotency-Key", "k").post(ORGANIZATIONS, &new).id();
    let other = desk.other_agent().with("Idempotency-Key", "k").post(ORGANIZATIONS, &new).id();
    assert_ne!(first, other, "another token's key is another key");
    desk.agent().with("Idempotency-Key", "k").post(CONTACTS, &new).refused(422, "idempotency_key_reused");
    assert_eq!(desk.agent().with("Idempotency-Key", "k").post(ORGANIZATIONS, &new).id(), first);
    assert!(items(&desk.agent(), CONTACTS).is_empty());
    // A restart forgets no key.
    desk.restart(|_| {});
    assert_eq!(desk.agent().with("Idempotency-Key", "k").post(ORGANIZATIONS, &new).id(), first);
}

fn a_refusal_is_not_kept_under_its_key(desk: &Desk) {
    let taken = make(desk, TEAMS, 1).id();
    let client = desk.admin().with("Idempotency-Key", "k");
    client.post(TEAMS, body(TEAMS, 1)).refused(409, "name_taken");
    client.post(TEAMS, json!({ "name": "" })).refused(422, "invalid_input");
    desk.admin().patch(&format!("{TEAMS}/{taken}"), json!({ "name": "Renamed" })).ok();
    client.post(TEAMS, body(TEAMS, 1)).is(201);
}

fn a_key_is_forgotten_after_a_day(desk: &Desk) {
    let client = desk.agent().with("Idempotency-Key", "k");
    let new = json!({ "name": "Nordwind" });
    let first = client.post(ORGANIZATIONS, &new).id();
    let forget = |expected: usize| {
        let (app, now) = (desk.app(), desk.now());
        let forgotten = async move { app.db.write(move |conn| idempotency::forget(conn, now)).await };
        assert_eq!(actix_web::rt::System::new().block_on(forgotten).unwrap(), expected);
    };
    desk.advance(TimeDelta::hours(24));
    forget(0);
    assert_eq!(client.post(ORGANIZATIONS, &new).id(), first);
    desk.advance(TimeDelta::seconds(1));
    forget(1);
    assert_ne!(client.post(ORGANIZATIONS, &new).id(), first);
}

fn a_key_that_is_none_is_refused(desk: &Desk) {
    let post = |key: &str| desk.agent().with("Idempotency-Key", key).post(ORGANIZATIONS, json!({ "name": "Nordwind" }));
    post("").refused(400, "bad_idempotency_key");
    post(&"k".repeat(256)).refused(400, "bad_idempotency_key");
    assert!(items(&desk.agent(), ORGANIZATIONS).is_empty());
    post(&"k".repeat(255)).is(201);
}

fn the_same_post_many_times_at_once_is_done_once(desk: &Desk) {
    for (n, list) in [ORGANIZATIONS, CONTACTS, AGENTS, TEAMS, TOKENS].into_iter().enumerate() {
        let before = items(&desk.admin(), list).len();
        for round in 0..3 {
            let post = || desk.admin().with("Idempotency-Key", format!("{n}-{round}")).post(list, body(list, round));
            let answers: Vec<Answer> = std::thread::scope(|scope| {
                let running: Vec<_> = (0..6).map(|_| scope.spawn(post)).collect();
                running.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let mut different = answers.iter().map(shown).collect::<Vec<_>>();
            if list == TOKENS {
                // One shows the secret, and all others that there was one.
                let secrets = answers.iter().filter(|answer| answer.json["secret"].is_string()).count();
                assert_eq!(secrets, 1, "{answers:?}");
                different = answers.iter().map(|answer| (answer.status, None, None, answer.id())).collect();
            }
            different.dedup();
            assert_eq!((different.len(), answers[0].status), (1, 201), "{list}: {answers:#?}");
            assert_eq!(items(&desk.admin(), list).len(), before + round + 1, "{list}");
        }
    }
}

/// The address in a `Link` header to the next page.
fn next(answer: &Answer) -> Option<String> {
    let link = answer.header("link")?;
    let (address, rel) = link.strip_prefix('<')?.split_once('>')?;
    assert_eq!(rel, "; rel=\"next\"");
    Some(address.to_owned())
}

fn pages_cover_everything_exactly_once(desk: &Desk) {
    let admin = desk.admin();
    for (list, filter) in [(ORGANIZATIONS, ""), (CONTACTS, ""), (AGENTS, "role=agent&"), (TEAMS, ""), (TOKENS, "")] {
        (0..12).for_each(|n| drop(make(desk, list, n)));
        let all = items(&admin, &format!("{list}?{filter}limit=100"));
        assert!(all.len() >= 12 && next(&admin.get(&format!("{list}?{filter}limit=100"))).is_none());
        for limit in [1, 5, all.len() - 1, all.len()] {
            let (mut seen, mut path) = (Vec::new(), Some(format!("{list}?{filter}limit={limit}")));
            while let Some(asked) = path {
                let page = admin.get(&asked);
                let rows = page.ok()["items"].as_array().unwrap().clone();
                assert!(rows.len() == limit || next(&page).is_none(), "only the last page is short");
                seen.extend(rows);
                path = next(&page);
                let cursor = page.json["next_cursor"].as_str();
                assert_eq!(cursor.is_some(), path.is_some());
                if let (Some(path), Some(cursor)) = (&path, cursor) {
                    assert_eq!(*path, format!("{list}?{filter}limit={limit}&cursor={cursor}"));
                }
            }
            assert_eq!(seen, all, "{list}, {limit} a page");
        }
    }
    // What is added while somebody turns pages comes last, and nothing comes twice.
    let first = admin.get(&format!("{ORGANIZATIONS}?limit=6"));
    make(desk, ORGANIZATIONS, 99);
    let rest = items(&admin, &next(&first).unwrap());
    let ids: BTreeSet<_> =
        rest.iter().chain(first.json["items"].as_array().unwrap()).map(|item| item["id"].to_string()).collect();
    assert!(ids.len() == 6 + rest.len() || rest.len() == 6, "{ids:?}");
}

fn a_cursor_that_is_none_is_refused(desk: &Desk) {
    for list in [ORGANIZATIONS, CONTACTS, AGENTS, TEAMS, TOKENS] {
        for cursor in ["x", "e30", "", "%22%22"] {
            desk.admin().get(&format!("{list}?cursor={cursor}")).refuses_field("cursor");
        }
    }
}

fn a_token_shows_its_secret_once(desk: &Desk) {
    let admin = desk.admin();
    let new = json!({ "name": "Phone system", "scopes": ["channel"], "expires_at": "2026-07-01T00:00:00Z" });
    let client = admin.with("Idempotency-Key", "k");
    let made = client.post(TOKENS, &new).ok();
    let secret = made["secret"].as_str().unwrap();
    desk.client(secret).post("/api/v1/tickets", json!({})).refused(422, "invalid_input");
    let again = client.post(TOKENS, &new);
    assert_eq!((again.status, &again.json["secret"], &again.json["id"]), (201, &Value::Null, &made["id"]));
    assert_eq!((&made["expires_at"], &made["scopes"]), (&json!("2026-07-01T00:00:00Z"), &json!(["channel"])));

    let list = admin.get(&format!("{TOKENS}?limit=100"));
    let people = &desk.people;
    for person in [&people.admin, &people.manager, &people.agent, &people.other_agent, &people.channel, &people.import] {
        assert!(!list.text.contains(&person.secret), "a secret is in the list");
    }
    assert!(!list.text.contains(secret) && !list.text.contains("secret"), "{}", list.text);
    let own = items(&admin, &format!("{TOKENS}?agent_id={}", people.agent.id));
    assert_eq!(field(&own, "name"), ["Amir Agent"]);
}

fn a_token_can_do_no_more_than_its_agent(desk: &Desk) {
    let admin = desk.admin();
    let with = |agent: Value, scopes: Value| admin.post(TOKENS, json!({ "agent_id": agent, "name": "New", "scopes": scopes }));
    let (agent, manager) = (json!(desk.people.agent.id), json!(desk.people.manager.id));
    let count = items(&admin, TOKENS).len();
    assert_eq!(with(agent.clone(), json!(["agent", "manager"])).refuses_field("scopes"), "beyond_role");
    assert_eq!(with(manager.clone(), json!(["admin"])).refuses_field("scopes"), "beyond_role");
    assert_eq!(with(agent, json!(["channel"])).refuses_field("scopes"), "beyond_role");
    assert_eq!(with(Value::Null, json!(["agent"])).refuses_field("scopes"), "needs_agent");
    assert_eq!(with(json!(TicketId::new()), json!(["agent"])).refuses_field("agent_id"), "unknown_agent");
    with(Value::Null, json!([])).refuses_field("scopes");
    let past = json!({ "name": "New", "scopes": ["channel"], "expires_at": desk.now() });
    assert_eq!(admin.post(TOKENS, past).refuses_field("expires_at"), "past");
    assert_eq!(items(&admin, TOKENS).len(), count, "nothing was written");
    with(manager, json!(["agent", "manager"])).is(201);
}

fn a_disabled_agent_is_out_at_once_and_in_again(desk: &Desk) {
    let path = format!("{AGENTS}/{}", desk.people.agent.id);
    desk.agent().get(TEAMS).ok();
    desk.admin().patch(&path, json!({ "disabled": true })).ok();
    desk.agent().get(TEAMS).refused(401, "unauthorized");
    let token = json!({ "agent_id": desk.people.agent.id, "name": "New", "scopes": ["agent"] });
    assert_eq!(desk.admin().post(TOKENS, token).refuses_field("agent_id"), "unknown_agent");
    desk.other_agent().get(TEAMS).ok();
    desk.admin().patch(&path, json!({ "disabled": false })).ok();
    desk.agent().get(TEAMS).ok();
}

fn a_revoked_token_is_out_at_once(desk: &Desk) {
    let admin = desk.admin();
    desk.channel().post("/api/v1/tickets", json!({})).refused(422, "invalid_input");
    let token = items(&admin, TOKENS).into_iter().find(|token| token["name"] == "Phone system").unwrap();
    let path = format!("{TOKENS}/{}", token["id"].as_str().unwrap());
    admin.delete(&path).is(204);
    desk.channel().post("/api/v1/tickets", json!({})).refused(401, "unauthorized");
    desk.import().post("/api/v1/tickets", json!({})).refused(422, "invalid_input");
    let revoked = || items(&admin, TOKENS).into_iter().find(|item| item["id"] == token["id"]).unwrap();
    let before = revoked();
    assert_eq!(before["revoked_at"], "2026-06-10T14:00:00Z");
    desk.advance(TimeDelta::hours(1));
    admin.delete(&path).is(204);
    assert_eq!(revoked(), before, "it was revoked then, not now");
}

fn an_expired_token_is_out_at_its_instant(desk: &Desk) {
    let expires_at = desk.now() + TimeDelta::hours(1);
    let token = json!({ "name": "Visitor", "scopes": ["channel"], "expires_at": expires_at });
    let secret = desk.admin().post(TOKENS, token).ok()["secret"].as_str().unwrap().to_owned();
    let ask = || desk.client(&secret).post("/api/v1/tickets", json!({}));
    desk.set_time(expires_at - TimeDelta::microseconds(1));
    ask().refused(422, "invalid_input");
    desk.set_time(expires_at);
    ask().refused(401, "unauthorized");
}

fn a_lower_role_lowers_the_token(desk: &Desk) {
    let id = &desk.people.manager.id;
    let token = json!({ "agent_id": id, "name": "Both", "scopes": ["agent", "manager"] });
    let both = desk.admin().post(TOKENS, token).ok()["secret"].as_str().unwrap().to_owned();
    let reports = "/api/v1/reports/sla";
    desk.manager().get(reports).ok();
    desk.client(&both).get(reports).ok();
    desk.admin().patch(&format!("{AGENTS}/{id}"), json!({ "role": "agent" })).ok();
    desk.manager().get(reports).refused(403, "missing_right");
    desk.manager().get(TEAMS).refused(403, "missing_right");
    desk.client(&both).get(reports).refused(403, "missing_right");
    desk.client(&both).get(TEAMS).ok();
    desk.admin().patch(&format!("{AGENTS}/{id}"), json!({ "role": "manager" })).ok();
    desk.manager().get(reports).ok();
}

fn the_last_use_of_a_token_is_written_down(desk: &Desk) {
    let note = || {
        let app = desk.app();
        actix_web::rt::System::new().block_on(async move { timetable::note_token_uses(&app).await }).unwrap();
    };
    let used = |name: &str| {
        let tokens = items(&desk.admin(), TOKENS);
        tokens.iter().find(|token| token["name"] == name).unwrap()["last_used_at"].clone()
    };
    assert_eq!(used("Amir Agent"), Value::Null);
    desk.advance(TimeDelta::minutes(5));
    desk.agent().get(TEAMS).ok();
    desk.advance(TimeDelta::minutes(1));
    note();
    assert_eq!(used("Amir Agent"), "2026-06-10T14:05:00Z");
    assert_eq!(used("Olga Other"), Value::Null);
    desk.agent().get("/api/v1/nothing").refused(404, "not_found");
    note();
    assert_eq!(used("Amir Agent"), "2026-06-10T14:06:00Z", "also one that found nothing");
}
