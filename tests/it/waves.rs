//! Relationship surveys: waves, their frozen samples, their letters, and figures that are never mixed.
use crate::support::desk::at;
use crate::support::given::{close, email_ticket};
use crate::support::{Desk, Test, tests};
use crate::surveys::{asked, press, responses};
use chrono::{DateTime, Datelike, TimeDelta, Utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_dry_run_says_who_would_be_asked_and_the_frozen_sample_is_the_same,
    everybody_in_the_sample_gets_one_letter_on_their_day_and_in_their_hours,
    an_answer_is_about_the_company_and_in_no_figure_about_requests,
    everything_is_checked_again_before_a_letter_goes_out,
    a_letter_keeps_its_distance_from_the_last_request,
    nobody_is_asked_twice_within_ninety_days,
    a_stopped_wave_sends_nothing_more,
    bad_plans_are_refused,
];

pub const ALL: &str = "/api/v1/surveys/waves";

#[track_caller]
pub fn contact(desk: &Desk, address: Option<&str>, more: Value) -> String {
    let mut wanted = json!({ "name": "Ana Castro", "emails": address.into_iter().collect::<Vec<_>>() });
    for (field, value) in more.as_object().unwrap() {
        wanted[field] = value.clone();
    }
    desk.agent().post("/api/v1/contacts", wanted).id()
}

fn organization(desk: &Desk, name: &str) -> String {
    desk.agent().post("/api/v1/organizations", json!({ "name": name })).id()
}

/// A wave over the rest of June, of everybody.
#[track_caller]
pub fn planned(desk: &Desk, more: Value) -> String {
    let mut wanted = json!({ "quarter": "2026-Q2", "active_days": null });
    for (field, value) in more.as_object().unwrap() {
        wanted[field] = value.clone();
    }
    let made = desk.manager().post(ALL, wanted);
    made.is(201);
    format!("{ALL}/{}", made.id())
}

#[track_caller]
pub fn started(desk: &Desk, more: Value) -> String {
    let wave = planned(desk, more);
    desk.manager().post(&format!("{wave}/start"), json!({})).ok();
    desk.settle();
    assert_eq!(desk.manager().get(&wave).ok()["state"], "running");
    wave
}

/// The contacts of a wave by id, read in pages of two.
#[track_caller]
pub fn members(desk: &Desk, wave: &str, query: &str) -> BTreeMap<String, Value> {
    let (mut all, mut cursor) = (BTreeMap::new(), String::new());
    loop {
        let page = desk.manager().get(&format!("{wave}/contacts?limit=2{query}{cursor}")).ok();
        for item in page["items"].as_array().unwrap() {
            let before = all.insert(item["contact_id"].as_str().unwrap().to_owned(), item.clone());
            assert!(before.is_none(), "each contact once: {item}");
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

fn standing(members: &BTreeMap<String, Value>, id: &str) -> String {
    members.get(id).map_or("not listed", |member| member["standing"].as_str().unwrap()).to_owned()
}

/// What a sample says of each contact: standing and day.
fn drawn(members: &BTreeMap<String, Value>) -> Vec<(String, Value, Value)> {
    members.iter().map(|(id, member)| (id.clone(), member["standing"].clone(), member["send_on"].clone())).collect()
}

fn outcome(desk: &Desk, wave: &str, id: &str) -> Value {
    members(desk, wave, "")[id]["outcome"].clone()
}

pub fn page_of(desk: &Desk, address: &str) -> String {
    let mails = desk.mails_to(address);
    let link = mails.last().unwrap().links().into_iter().find(|link| link.contains("/survey/") && !link.contains('?')).unwrap();
    link.strip_prefix(&desk.base()).unwrap().to_owned()
}

fn a_dry_run_says_who_would_be_asked_and_the_frozen_sample_is_the_same(desk: &Desk) {
    let nordwind = organization(desk, "Nordwind");
    let colleagues: Vec<String> =
        (0..4).map(|n| contact(desk, Some(&format!("c{n}@nordwind.example")), json!({ "organization_id": nordwind }))).collect();
    let without = contact(desk, None, json!({ "phones": ["+14165550100"] }));
    let stopped = contact(desk, Some("stopped@solo.example"), json!({}));
    desk.agent().patch(&format!("/api/v1/contacts/{stopped}"), json!({ "surveys_stopped": true })).ok();
    let bounced = contact(desk, Some("bounced@solo.example"), json!({}));
    let suppression = json!({ "address": "bounced@solo.example", "detail": "came back" });
    desk.agent().post("/api/v1/surveys/suppressions", suppression).is(201);
    let staff_address = desk.agent().get("/api/v1/agents/me").ok()["email"].as_str().unwrap().to_owned();
    let staff = contact(desk, Some(&staff_address), json!({}));
    let solo = contact(desk, Some("solo@solo.example"), json!({}));

    let wave = planned(desk, json!({ "cap_per_organization": 2 }));
    let dry = desk.manager().get(&format!("{wave}/sample")).ok();
    assert_eq!((&dry["is_frozen"], &dry["considered"], &dry["included"]), (&json!(false), &json!(9), &json!(3)));
    let excluded = json!({ "no_address": 1, "organization_cap": 2, "staff": 1, "suppressed": 1, "unsubscribed": 1 });
    assert_eq!(dry["excluded"], excluded);
    let before = members(desk, &wave, "");
    assert_eq!(before.len(), 9);
    for (id, expected) in
        [(&without, "no_address"), (&stopped, "unsubscribed"), (&bounced, "suppressed"), (&staff, "staff"), (&solo, "included")]
    {
        assert_eq!(standing(&before, id), expected);
    }
    let capped = |members: &BTreeMap<String, Value>| {
        colleagues.iter().filter(|id| standing(members, id) == "organization_cap").cloned().collect::<Vec<_>>()
    };
    assert_eq!(capped(&before).len(), 2);
    assert_eq!(members(desk, &wave, "&standing=included").len(), 3);
    assert_eq!(members(desk, &wave, ""), before, "asked again, drawn the same");
    let days: u64 = dry["days"].as_array().unwrap().iter().map(|day| day["contacts"].as_u64().unwrap()).sum();
    assert_eq!(days, 3);

    desk.agent().post(&format!("{wave}/start"), json!({})).refused(403, "missing_right");
    let etag = desk.manager().get(&wave).etag();
    let keyed = desk.manager().with("If-Match", &etag).with("Idempotency-Key", "start-1");
    assert_eq!(keyed.post(&format!("{wave}/start"), json!({})).ok()["state"], "freezing");
    assert_eq!(keyed.post(&format!("{wave}/start"), json!({})).ok()["state"], "freezing", "a retry starts nothing");
    desk.manager().with("If-Match", &etag).post(&format!("{wave}/stop"), json!({})).refused(412, "stale_version");
    desk.settle();
    desk.manager().post(&format!("{wave}/start"), json!({})).refused(409, "wave_started");
    // What changes now changes the sample no more.
    contact(desk, Some("late@solo.example"), json!({}));
    desk.agent().patch(&format!("/api/v1/contacts/{stopped}"), json!({ "surveys_stopped": false })).ok();
    let frozen = desk.manager().get(&format!("{wave}/sample")).ok();
    assert_eq!(frozen["is_frozen"], true);
    for field in ["considered", "included", "excluded", "days"] {
        assert_eq!(frozen[field], dry[field], "{field}");
    }
    assert_eq!(drawn(&members(desk, &wave, "")), drawn(&before));
    assert_eq!(capped(&members(desk, &wave, "&standing=organization_cap")).len(), 2);
    let audit = desk.admin().get("/api/v1/audit?object=survey_wave").ok();
    let kinds: Vec<&str> = audit["items"].as_array().unwrap().iter().map(|item| item["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["changed", "created"]);
}

fn everybody_in_the_sample_gets_one_letter_on_their_day_and_in_their_hours(desk: &Desk) {
    let zones = ["Pacific/Auckland", "America/Toronto", "Pacific/Honolulu"];
    let mut of: BTreeMap<String, (String, chrono_tz::Tz)> = BTreeMap::new();
    for n in 0..6 {
        let (address, zone) = (format!("p{n}@nordwind.example"), zones[n % 3]);
        let id = contact(desk, Some(&address), json!({ "time_zone": zone }));
        of.insert(id, (address, zone.parse().unwrap()));
    }
    let wave = started(desk, json!({}));
    assert!(desk.mails().is_empty());
    desk.set_time(at("2026-07-03T00:00:00Z"));
    let members = members(desk, &wave, "");
    assert_eq!(members.len(), 6);
    for (id, (address, zone)) in &of {
        let member = &members[id];
        assert_eq!(member["outcome"], "sent", "{member}");
        let sent_at: DateTime<Utc> = at(member["sent_at"].as_str().unwrap());
        let local = sent_at.with_timezone(zone);
        assert_eq!(local.date_naive().to_string(), member["send_on"].as_str().unwrap(), "{member}");
        assert!((8..18).contains(&chrono::Timelike::hour(&local)), "{local}");
        assert!(local.weekday().number_from_monday() <= 5);
        assert!(local.date_naive().to_string().as_str() > "2026-06-10");
        assert_eq!(desk.mails_to(address).len(), 1);
    }
    let sample = desk.manager().get(&format!("{wave}/sample")).ok();
    assert_eq!(sample["outcomes"], json!({ "sent": 6 }));
    assert_eq!(desk.manager().get(&wave).ok()["is_over"], true);
    desk.advance(TimeDelta::days(30));
    assert_eq!(desk.mails().len(), 6);
}

pub const PERIOD: &str = "from=2026-06-01T00:00:00Z&to=2026-08-01T00:00:00Z";

fn an_answer_is_about_the_company_and_in_no_figure_about_requests(desk: &Desk) {
    // Whatever the day that is drawn, the survey can be answered at the end of the quarter.
    desk.restart(|config| config.survey.valid_days = 60);
    let (ticket, page) = asked(desk, "bo@nordwind.example");
    press(desk, &page, "10", "").is(303);
    let bo = format!("/api/v1/contacts/{}", ticket["contact_id"].as_str().unwrap());
    desk.agent().patch(&bo, json!({ "surveys_stopped": true })).ok();
    contact(desk, Some("ana@nordwind.example"), json!({}));
    started(desk, json!({}));
    desk.set_time(at("2026-07-02T00:00:00Z"));
    let mail = desk.mail_to("ana@nordwind.example");
    assert_eq!(mail.subject, "One question about Example Hosting");
    for part in [&mail.text, &mail.html] {
        let plain: String = part.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(plain.contains("would recommend Example Hosting to a friend or colleague?"), "{plain}");
        assert!(!plain.contains("most recent support request"), "{plain}");
    }
    assert!(mail.has_header("list-unsubscribe"));
    let page = page_of(desk, "ana@nordwind.example");
    let shown = desk.anonymous().get(&page);
    shown.is(200);
    assert!(shown.text.contains("about everything you have seen of Example Hosting"), "{}", shown.text);
    assert!(!shown.text.contains("support request"), "{}", shown.text);
    press(desk, &page, "3", "Too slow.").is(303);
    let thanks = desk.anonymous().get(&format!("{page}/thanks"));
    assert!(thanks.text.contains("<strong>3</strong> out of 10.") && !thanks.text.contains("request"), "{}", thanks.text);

    let all = responses(desk, "kind=relationship");
    assert_eq!(all.len(), 1);
    assert_eq!(
        (&all[0]["ticket_id"], &all[0]["ticket_number"], &all[0]["close_number"]),
        (&Value::Null, &Value::Null, &json!(0))
    );
    assert!(all[0]["wave_id"].is_string());
    assert_eq!(responses(desk, "kind=transactional").len(), 1);
    // It is reviewed and followed up like any other.
    let id = all[0]["id"].as_str().unwrap();
    desk.agent().post(&format!("/api/v1/surveys/responses/{id}/claim"), json!({})).ok();
    let done = json!({ "causes": ["slow answer"] });
    desk.agent().put(&format!("/api/v1/surveys/responses/{id}/review"), done).ok();
    let followup = desk.agent().get(&format!("/api/v1/surveys/followups/{id}")).ok();
    assert_eq!((&followup["ticket_id"], &followup["score"]), (&Value::Null, &json!(3)));
    let to_call = json!({ "channel": "phone", "subject": "What was slow?" });
    desk.agent().post(&format!("/api/v1/surveys/followups/{id}/ticket"), to_call).is(201);

    let get = |path: &str, kind: &str| desk.manager().get(&format!("/api/v1/reports/{path}?{PERIOD}{kind}")).ok();
    for (kind, promoters, detractors, ticket) in [("", 1, 0, true), ("&kind=relationship", 0, 1, false)] {
        let nps = get("nps", kind);
        assert_eq!(nps["total"]["promoters"], promoters, "{kind}: {nps}");
        assert_eq!(nps["total"]["detractors"], detractors, "{kind}: {nps}");
        let rows = get("nps/rows", kind);
        assert_eq!(rows["items"].as_array().unwrap().len(), 1, "{kind}: {rows}");
        assert_eq!(rows["items"][0]["ticket_id"].is_string(), ticket, "{rows}");
        let rows = get("surveys/rows", kind);
        assert_eq!(rows["items"].as_array().unwrap().len(), 1, "{kind}: {rows}");
        assert_eq!(rows["items"][0]["ticket_number"].is_i64(), ticket, "{rows}");
        assert_eq!(get("surveys", kind)["total"]["closes"], 1, "{kind}");
    }
    assert_eq!(get("causes", "")["causes"], json!([]));
    assert_eq!(get("causes", "&kind=relationship")["causes"].as_array().unwrap().len(), 1);
    for path in ["nps.svg", "surveys.svg", "causes.svg"] {
        desk.manager().get(&format!("/api/v1/reports/{path}?{PERIOD}&kind=relationship")).is(200);
    }
    desk.manager().get("/api/v1/reports/nps?kind=both").refused(422, "invalid_input");
    let letters = desk.manager().get("/api/v1/mails").ok();
    assert_eq!(letters["items"].as_array().unwrap().iter().filter(|mail| mail["ticket_id"].is_null()).count(), 1);
}

fn everything_is_checked_again_before_a_letter_goes_out(desk: &Desk) {
    let gone = contact(desk, Some("gone@nordwind.example"), json!({}));
    let stopped = contact(desk, Some("stopped@nordwind.example"), json!({}));
    let bounced = contact(desk, Some("bounced@nordwind.example"), json!({}));
    let stays = contact(desk, Some("stays@nordwind.example"), json!({}));
    let wave = started(desk, json!({}));
    desk.agent().patch(&format!("/api/v1/contacts/{gone}"), json!({ "emails": [] })).ok();
    desk.agent().patch(&format!("/api/v1/contacts/{stopped}"), json!({ "surveys_stopped": true })).ok();
    let suppression = json!({ "address": "bounced@nordwind.example", "detail": "came back" });
    desk.agent().post("/api/v1/surveys/suppressions", suppression).is(201);
    desk.set_time(at("2026-07-03T00:00:00Z"));
    assert_eq!(outcome(desk, &wave, &gone), "skipped_no_email");
    assert_eq!(outcome(desk, &wave, &stopped), "skipped_unsubscribed");
    assert_eq!(outcome(desk, &wave, &bounced), "skipped_bounced");
    assert_eq!(outcome(desk, &wave, &stays), "sent");
    assert_eq!(desk.mails().len(), 1);
}

fn a_letter_keeps_its_distance_from_the_last_request(desk: &Desk) {
    let (ticket, _) = asked(desk, "ana@nordwind.example");
    let asked_at = desk.now();
    let id = ticket["contact_id"].as_str().unwrap();
    // The window is over before seven days have gone by, and then it is not.
    let soon = started(desk, json!({ "to_on": "2026-06-15" }));
    desk.set_time(at("2026-06-16T20:00:00Z"));
    assert_eq!(outcome(desk, &soon, id), "skipped_throttled");
    desk.manager().post(&format!("{soon}/stop"), json!({})).ok();
    let wave = started(desk, json!({ "to_on": "2026-06-17" }));
    desk.set_time(at("2026-06-17T17:00:00Z") - TimeDelta::minutes(1));
    assert_eq!(desk.mails_to("ana@nordwind.example").len(), 1, "only the one about the request");
    desk.set_time(at("2026-06-19T00:00:00Z"));
    assert_eq!(outcome(desk, &wave, id), "sent");
    let sent_at = at(members(desk, &wave, "")[id]["sent_at"].as_str().unwrap());
    assert!(sent_at >= asked_at + TimeDelta::days(7), "{sent_at}");
    // Every close is asked about as shipped, and with a throttle the wave counts too.
    desk.restart(|config| (config.survey.throttle_enabled, config.survey.throttle_days) = (true, 1));
    desk.set_time(at("2026-06-20T12:00:00Z"));
    let again = email_ticket(desk, "ana@nordwind.example");
    close(desk, again["id"].as_str().unwrap());
    desk.advance(TimeDelta::hours(4));
    assert_eq!(crate::surveys::outcomes(desk, &again), ["skipped_throttled"]);
}

fn nobody_is_asked_twice_within_ninety_days(desk: &Desk) {
    // A ticket stays open for three months: nobody needs to be told by the hour.
    desk.restart(|config| config.alerts.mail_metrics.clear());
    let ana = contact(desk, Some("ana@nordwind.example"), json!({}));
    started(desk, json!({ "from_on": "2026-06-30" }));
    desk.set_time(at("2026-07-01T12:00:00Z"));
    assert_eq!(desk.mails().len(), 1);
    let bo = contact(desk, Some("bo@nordwind.example"), json!({}));
    let ticket = email_ticket(desk, "cy@nordwind.example");
    let next = planned(desk, json!({ "quarter": "2026-Q3", "active_days": 365 }));
    let members_now = members(desk, &next, "");
    assert_eq!(standing(&members_now, &ana), "asked_lately");
    assert_eq!(standing(&members_now, &bo), "inactive");
    assert_eq!(standing(&members_now, ticket["contact_id"].as_str().unwrap()), "included");
    let last = planned(desk, json!({ "quarter": "2026-Q4", "sample_size": 1 }));
    desk.set_time(at("2026-10-01T12:00:00Z"));
    let members = members(desk, &last, "");
    let mut standings: Vec<String> = members.keys().map(|id| standing(&members, id)).collect();
    standings.sort();
    assert_eq!(standings, ["included", "not_drawn", "not_drawn"], "92 days later");
}

fn a_stopped_wave_sends_nothing_more(desk: &Desk) {
    for n in 0..12 {
        contact(desk, Some(&format!("p{n}@nordwind.example")), json!({ "time_zone": "America/Toronto" }));
    }
    let wave = started(desk, json!({}));
    // Until the invitations of a later day are made and not all of them sent.
    let waiting = |desk: &Desk| desk.manager().get(&format!("{wave}/sample")).ok()["outcomes"]["waiting"].as_u64().unwrap_or(0);
    while waiting(desk) == 0 {
        assert!(desk.now() < at("2026-07-01T00:00:00Z"));
        desk.advance(TimeDelta::hours(1));
    }
    let (sent, left) = (desk.mails().len(), waiting(desk));
    assert_eq!(desk.manager().post(&format!("{wave}/stop"), json!({})).ok()["state"], "stopped");
    assert_eq!(desk.manager().post(&format!("{wave}/stop"), json!({})).ok()["state"], "stopped");
    desk.manager().post(&format!("{wave}/start"), json!({})).refused(409, "wave_stopped");
    desk.set_time(at("2026-07-03T00:00:00Z"));
    assert_eq!(desk.mails().len(), sent);
    let outcomes = desk.manager().get(&format!("{wave}/sample")).ok()["outcomes"].clone();
    assert_eq!(outcomes["cancelled_stopped"], left, "{outcomes}");
    // The quarter is free for another.
    planned(desk, json!({}));
}

fn bad_plans_are_refused(desk: &Desk) {
    for (wanted, field, code) in [
        (json!({ "quarter": "2026-Q5" }), "quarter", "quarter"),
        (json!({ "quarter": "summer" }), "quarter", "quarter"),
        (json!({ "quarter": "2026-Q3", "from_on": "2026-06-30" }), "from_on", "outside_quarter"),
        (json!({ "quarter": "2026-Q3", "to_on": "2026-10-01" }), "to_on", "outside_quarter"),
        (json!({ "quarter": "2026-Q3", "from_on": "2026-08-02", "to_on": "2026-08-01" }), "from_on", "order"),
        (json!({ "quarter": "2026-Q3", "from_on": "2026-08-01", "to_on": "2026-08-02" }), "to_on", "no_weekday"),
        (json!({ "quarter": "2026-Q3", "cap_per_organization": 0 }), "cap_per_organization", "range"),
        (json!({ "quarter": "2026-Q3", "active_days": -1 }), "active_days", "range"),
        (json!({ "quarter": "2026-Q3", "sample_size": 0 }), "sample_size", "range"),
        (json!({ "quarter": "2026-Q3", "name": " x" }), "name", "name"),
    ] {
        assert_eq!(desk.manager().post(ALL, &wanted).refuses_field(field), code, "{wanted}");
    }
    desk.manager().post(ALL, json!({ "quarter": "2026-Q3", "from": "2026-07-01" })).refused(422, "invalid_input");
    desk.manager().post(ALL, json!({ "quarter": "2026-Q3", "from_on": "2026-02-30" })).refused(422, "invalid_input");
    desk.agent().post(ALL, json!({ "quarter": "2026-Q3" })).refused(403, "missing_right");
    assert_eq!(desk.manager().get(ALL).ok()["items"], json!([]), "nothing was written");
    let past = planned(desk, json!({ "quarter": "2026-Q1" }));
    desk.manager().post(&format!("{past}/start"), json!({})).refused(409, "window_over");
    assert_eq!(desk.manager().get(&past).ok()["state"], "draft");
    let wave = planned(desk, json!({ "quarter": "2026-Q3" }));
    desk.manager().post(ALL, json!({ "quarter": "2026-Q3" })).refused(409, "quarter_taken");
    desk.manager().get(&format!("{wave}/contacts?standing=lucky")).refused(422, "invalid_input");
    desk.manager().get(&format!("{wave}/contacts?cursor=x")).refused(422, "invalid_input");
    let nobody = format!("{ALL}/00000000-0000-7000-8000-000000000000");
    for path in ["", "/sample", "/contacts"] {
        desk.manager().get(&format!("{nobody}{path}")).refused(404, "not_found");
    }
    desk.manager().post(&format!("{nobody}/start"), json!({})).refused(404, "not_found");
    let listed = desk.manager().get(ALL).ok();
    assert_eq!(listed["items"][0]["quarter"], "2026-Q3", "newest first");
}
