//! Organizations, contacts, agents, teams and tokens over HTTP; lost updates, retries and pages, which all of them share.
use crate::support::client::Client;
use crate::support::{Answer, Desk, Test, tests};
use chrono::TimeDelta;
use deskbell::ids::TicketId;
use serde_json::{Value, json};

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
];

pub const ORGANIZATIONS: &str = "/api/v1/organizations";
pub const CONTACTS: &str = "/api/v1/contacts";
pub const AGENTS: &str = "/api/v1/agents";
pub const TEAMS: &str = "/api/v1/teams";
pub const TOKENS: &str = "/api/v1/tokens";

/// Lists whose things have a version.
pub const VERSIONED: [&str; 4] = [ORGANIZATIONS, CONTACTS, AGENTS, TEAMS];

/// A body for the `n`th thing of a list.
pub fn body(list: &str, n: usize) -> Value {
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
pub fn make(desk: &Desk, list: &str, n: usize) -> Answer {
    let answer = desk.admin().post(list, body(list, n));
    answer.is(201);
    answer
}

/// What a new thing's answer must be: 201, where it is, its first version, and the same again when it is read.
#[track_caller]
pub fn is_made(client: &Client, list: &str, answer: &Answer) -> Value {
    let made = answer.is(201).json.clone();
    let path = format!("{list}/{}", made["id"].as_str().unwrap());
    assert_eq!(answer.header("location"), Some(path.as_str()));
    assert_eq!((answer.etag().as_str(), &made["version"]), ("\"1\"", &json!(1)));
    let read = client.get(&path);
    assert_eq!((read.ok(), read.etag()), (made.clone(), answer.etag()));
    made
}

#[track_caller]
pub fn items(client: &Client, path: &str) -> Vec<Value> {
    client.get(path).ok()["items"].as_array().unwrap().clone()
}

pub fn field<'a>(items: &'a [Value], name: &str) -> Vec<&'a str> {
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
