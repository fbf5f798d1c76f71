//! Waves that are planned otherwise, and the funnel of their letters.
use crate::inbound::{hand_over, mailbox, report};
use crate::support::desk::at;
use crate::support::lmtp::listen;
use crate::support::{Desk, Test, tests};
use crate::surveys::{press, responses};
use crate::waves::{ALL, PERIOD, contact, members, page_of, planned, started};
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_wave_is_planned_otherwise_until_somebody_is_invited,
    the_funnel_of_a_wave_counts_bounces_and_follow_ups_and_adds_up,
];

fn get(desk: &Desk, path: &str) -> Value {
    desk.manager().get(path).ok()
}

fn a_wave_is_planned_otherwise_until_somebody_is_invited(desk: &Desk) {
    for n in 0..4 {
        contact(desk, Some(&format!("p{n}@nordwind.example")), json!({ "time_zone": "America/Toronto" }));
    }
    let wave = planned(desk, json!({}));
    let made = get(desk, &wave);
    let wanted = json!({ "quarter": "2026-Q2", "active_days": null, "sample_size": 1, "name": "Spring", "to_on": "2026-06-29" });
    let versioned = |version: &Value| desk.manager().with("If-Match", format!("\"{version}\""));
    let edited = versioned(&made["version"]).put(&wave, &wanted).ok();
    assert_eq!((&edited["name"], &edited["to_on"], &edited["sample_size"]), (&json!("Spring"), &json!("2026-06-29"), &json!(1)));
    assert_eq!((&edited["state"], &edited["quarter"]), (&json!("draft"), &json!("2026-Q2")));
    versioned(&made["version"]).put(&wave, &wanted).refused(412, "stale_version");
    let audit = desk.admin().get("/api/v1/audit?object=survey_wave&kind=changed").ok();
    assert_eq!(
        (&audit["items"][0]["before"]["name"], &audit["items"][0]["after"]["name"]),
        (&json!("2026-Q2"), &json!("Spring"))
    );
    // What a plan may not be, an edit may not make of it.
    for (change, field, code) in [
        (json!({ "quarter": "2026-Q5" }), "quarter", "quarter"),
        (json!({ "quarter": "2026-Q2", "to_on": "2026-07-01" }), "to_on", "outside_quarter"),
        (json!({ "quarter": "2026-Q2", "cap_per_organization": 0 }), "cap_per_organization", "range"),
    ] {
        assert_eq!(desk.manager().put(&wave, &change).refuses_field(field), code, "{change}");
    }
    desk.agent().put(&wave, &wanted).refused(403, "missing_right");
    desk.manager().put(&format!("{ALL}/00000000-0000-7000-8000-000000000000"), &wanted).refused(404, "not_found");
    let other = planned(desk, json!({ "quarter": "2026-Q3" }));
    desk.manager().put(&other, &wanted).refused(409, "quarter_taken");
    assert_eq!(get(desk, &wave), edited, "nothing was written");
    // A frozen sample that nobody was invited of: a new name leaves it, new terms throw it away.
    let mut terms = json!({ "quarter": "2026-Q2", "active_days": null, "name": "Spring", "from_on": "2026-06-29" });
    desk.manager().put(&wave, &terms).ok();
    desk.manager().post(&format!("{wave}/start"), json!({})).ok();
    desk.settle();
    terms["name"] = json!("Summer");
    let named = desk.manager().put(&wave, &terms).ok();
    assert_eq!((&named["name"], &named["state"]), (&json!("Summer"), &json!("running")));
    terms["sample_size"] = json!(2);
    let again = desk.manager().put(&wave, &terms).ok();
    assert_eq!((&again["state"], &again["frozen_at"]), (&json!("draft"), &Value::Null));
    assert_eq!(get(desk, &format!("{wave}/sample"))["is_frozen"], false);
    desk.set_time(at("2026-06-28T12:00:00Z"));
    assert!(desk.mails().is_empty(), "a plan sends nothing");
    desk.manager().post(&format!("{wave}/start"), json!({})).ok();
    desk.set_time(at("2026-07-01T12:00:00Z"));
    assert_eq!(desk.mails().len(), 2);
    desk.manager().put(&wave, &terms).refused(409, "wave_sent");
    desk.manager().post(&format!("{wave}/stop"), json!({})).ok();
    desk.manager().put(&wave, &terms).refused(409, "wave_stopped");
}

fn the_funnel_of_a_wave_counts_bounces_and_follow_ups_and_adds_up(desk: &Desk) {
    desk.restart(|config| config.survey.valid_days = 60);
    mailbox(desk, "support", None);
    let gate = listen(desk);
    for name in ["ana", "bo", "cy", "di", "eve"] {
        contact(desk, Some(&format!("{name}@nordwind.example")), json!({}));
    }
    let wave = started(desk, json!({ "cap_per_organization": null }));
    desk.set_time(at("2026-07-02T00:00:00Z"));
    assert_eq!(members(desk, &wave, "&standing=included").len(), 5);
    press(desk, &page_of(desk, "ana@nordwind.example"), "3", "Too slow.").is(303);
    press(desk, &page_of(desk, "eve@nordwind.example"), "9", "").is(303);
    let bot = [("score", "0"), ("comment", ""), ("subject", "Buy")];
    desk.anonymous().post_form(&page_of(desk, "di@nordwind.example"), &bot).is(303);
    let letter = desk.mail_to("bo@nordwind.example");
    let about = letter.header("message-id").to_owned();
    let reported = |action: &str, status: &str| {
        hand_over(desk, &gate, &letter.mail_from, &report(&letter.mail_from, action, status, &about, "bo@nordwind.example"));
    };
    let path = format!("/api/v1/reports/surveys?{PERIOD}&kind=relationship");
    let figures = || get(desk, &path)["total"].clone();
    reported("delayed", "4.4.1");
    assert_eq!(figures()["letters"]["bounced"], 0, "a late letter has not failed");
    reported("failed", "5.2.1");
    reported("failed", "5.1.1");
    let total = figures();
    let letters = json!({ "sent": 5, "unknown": 0, "bounced": 1, "waiting": 1, "expired": 0, "answered": 3 });
    assert_eq!((&total["closes"], &total["letters"]), (&json!(5), &letters), "{total}");
    assert_eq!(total["answers"], json!({ "counted": 2, "unconfirmed": 1, "rejected": 0 }));
    let follow_ups =
        json!({ "owed": 1, "open": 1, "resolved": 0, "contacted": 0, "no_reply": 0, "declined": 0, "not_needed": 0 });
    assert_eq!(total["follow_ups"], follow_ups);
    assert_eq!(total["response_rate"], json!({ "percent": 50.0, "numerator": 2, "denominator": 4 }));
    crate::funnel::adds_up(&total, "a wave");
    // Followed up, and the machine's answer rejected.
    let id = |score: &str| responses(desk, &format!("kind=relationship&score_min={score}&score_max={score}"))[0]["id"].clone();
    let followup = format!("/api/v1/surveys/followups/{}", id("3").as_str().unwrap());
    desk.other_agent().post(&format!("{followup}/attempts"), json!({ "how": "phone", "note": "Called." })).ok();
    desk.other_agent().put(&format!("{followup}/outcome"), json!({ "outcome": "contacted" })).ok();
    let doubted = format!("/api/v1/surveys/responses/{}", id("0").as_str().unwrap());
    desk.other_agent().post(&format!("{doubted}/claim"), json!({})).ok();
    desk.other_agent().post(&format!("{doubted}/confirmation"), json!({ "decision": "rejected" })).ok();
    let total = figures();
    assert_eq!(total["answers"], json!({ "counted": 2, "unconfirmed": 0, "rejected": 1 }));
    assert_eq!((&total["follow_ups"]["open"], &total["follow_ups"]["contacted"]), (&json!(0), &json!(1)));
    crate::funnel::adds_up(&total, "a wave, later");
    let rows = get(desk, &format!("/api/v1/reports/surveys/rows?{PERIOD}&kind=relationship"));
    let rows: Vec<&Value> = rows["items"].as_array().unwrap().iter().collect();
    assert_eq!(crate::funnel::recount(&rows, desk.now()), total, "the figures are those of the rows");
    assert_eq!(rows.iter().filter(|row| row["is_bounced"] == true).count(), 1);
    // The share of the NPS report is of the same letters, and nothing of it is about requests.
    let nps = get(desk, &format!("/api/v1/reports/nps?{PERIOD}&kind=relationship"));
    let cohort = &nps["total"]["cohort"];
    assert_eq!((&cohort["sent"], &cohort["bounced"], &cohort["response_rate"]), (&json!(5), &json!(1), &json!(50.0)));
    let requests = get(desk, &format!("/api/v1/reports/surveys?{PERIOD}"));
    assert_eq!(requests["total"]["closes"], 0);
}
