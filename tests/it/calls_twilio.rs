//! Twilio's webhooks, signed by Twilio's own library, which also reads the answers.
use crate::support::client::Client;
use crate::support::desk::at;
use crate::support::{Answer, Desk, Test, servers, tests};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_call_rings_the_queue_and_an_agent_answers,
    nobody_answers_and_the_caller_leaves_a_message,
    out_of_hours_the_recorder_answers,
    where_presence_is_used_a_call_rings_who_is_free,
    a_forged_or_missing_signature_is_refused,
    without_a_token_every_webhook_is_refused,
];

const TOKEN: &str = "12345678901234567890123456789012";
const CALLER: &str = "+493023125000";

/// Asks Twilio's library, one question a line.
#[track_caller]
fn library(questions: &[Value]) -> Vec<Value> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/twilio_client.py");
    let mut child = Command::new(servers::python().unwrap())
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let lines: String = questions.iter().map(|question| format!("{question}\n")).collect();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "Twilio's library disagrees");
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn open(desk: &Desk) -> Client {
    desk.restart(|config| config.calls.twilio_auth_token = TOKEN.to_owned());
    desk.anonymous()
}

/// Signs a webhook and sends it.
#[track_caller]
fn hook(desk: &Desk, path: &str, fields: &[(&str, &str)]) -> Answer {
    let form: serde_json::Map<String, Value> = fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let url = format!("{}{path}", desk.base());
    let signature = library(&[json!({ "sign": { "token": TOKEN, "url": url, "fields": form } })]);
    desk.anonymous().with("X-Twilio-Signature", signature[0].as_str().unwrap()).post_form(path, fields)
}

/// The verbs of an answer, as Twilio's library reads them.
#[track_caller]
fn verbs(answer: &Answer) -> Value {
    answer.is(200);
    assert_eq!(answer.header("content-type"), Some("text/xml; charset=utf-8"));
    library(&[json!({ "twiml": answer.text })]).remove(0)
}

fn staff(desk: &Desk) {
    let admin = desk.admin();
    let people = &desk.people;
    for (id, number) in
        [(&people.agent.id, "+14165550101"), (&people.other_agent.id, "+14165550102"), (&people.manager.id, "+14165550109")]
    {
        admin.put(&format!("/api/v1/agents/{id}/phone"), json!({ "number": number })).ok();
    }
    let members = json!([people.agent.id, people.other_agent.id]);
    admin.post("/api/v1/teams", json!({ "name": "Reseller Support", "members": members })).is(201);
}

const VOICE: &str = "/hooks/twilio/voice?queue=Reseller+Support";

fn rings(status: &str) -> [(&str, &str); 4] {
    [("CallSid", "CA1"), ("From", CALLER), ("To", "+14165550199"), ("CallStatus", status)]
}

fn the_call(desk: &Desk) -> Value {
    let page = desk.agent().get("/api/v1/calls").ok();
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    page["items"][0].clone()
}

fn pickup(desk: &Desk) -> Value {
    let ticket = desk.agent().get(&format!("/api/v1/tickets/{}", the_call(desk)["ticket_id"].as_str().unwrap())).ok();
    ticket["clocks"].as_array().unwrap().iter().find(|clock| clock["metric"] == "pickup").unwrap().clone()
}

fn a_call_rings_the_queue_and_an_agent_answers(desk: &Desk) {
    open(desk);
    staff(desk);
    let ring = verbs(&hook(desk, VOICE, &rings("ringing")));
    assert_eq!((&ring[0]["verb"], &ring[0]["timeout"]), (&json!("Dial"), &json!("14")));
    assert_eq!(ring[0]["in"], json!(["+14165550101", "+14165550102"]), "the queue's agents, all at once");
    assert_eq!(ring[0]["action"], format!("{}/hooks/twilio/wider?queue=Reseller+Support", desk.base()));
    desk.set_time(at("2026-06-10T14:00:14Z"));
    // Twilio asks again when an answer was lost: nothing is told twice.
    hook(desk, VOICE, &rings("ringing")).is(200);
    let wider =
        verbs(&hook(desk, "/hooks/twilio/wider?queue=Reseller+Support", &[("CallSid", "CA1"), ("DialCallStatus", "no-answer")]));
    assert_eq!(wider[0]["in"], json!(["+14165550109", "+14165550101", "+14165550102"]), "everybody, the manager first");
    desk.set_time(at("2026-06-10T14:00:18Z"));
    let leg = [("CallSid", "CA9"), ("ParentCallSid", "CA1"), ("To", "+14165550102"), ("CallStatus", "in-progress")];
    hook(desk, "/hooks/twilio/leg?queue=Reseller+Support", &leg).is(204);
    let call = the_call(desk);
    assert_eq!((&call["state"], &call["wait_seconds"], &call["from"]), (&json!("talking"), &json!(18), &json!(CALLER)));
    assert_eq!((&call["agent_id"], &pickup(desk)["verdict"]), (&json!(desk.people.other_agent.id), &json!("met")));
    desk.set_time(at("2026-06-10T14:03:00Z"));
    let done = [("CallSid", "CA1"), ("DialCallStatus", "completed")];
    assert_eq!(verbs(&hook(desk, "/hooks/twilio/missed", &done))[0]["verb"], "Hangup");
    let mut over = rings("completed").to_vec();
    over.push(("Timestamp", "Wed, 10 Jun 2026 14:02:58 +0000"));
    hook(desk, "/hooks/twilio/status", &over).is(204);
    let call = the_call(desk);
    assert_eq!((&call["outcome"], &call["ended_at"]), (&json!("answered"), &json!("2026-06-10T14:02:59Z")));
    crate::replay::all(desk);
}

fn nobody_answers_and_the_caller_leaves_a_message(desk: &Desk) {
    open(desk);
    staff(desk);
    hook(desk, VOICE, &rings("ringing")).is(200);
    desk.set_time(at("2026-06-10T14:00:44Z"));
    let missed = verbs(&hook(desk, "/hooks/twilio/missed", &[("CallSid", "CA1"), ("DialCallStatus", "no-answer")]));
    assert_eq!((&missed[0]["verb"], &missed[1]["verb"]), (&json!("Say"), &json!("Record")));
    assert_eq!(missed[0]["text"], desk.config().calls.missed_text);
    desk.set_time(at("2026-06-10T14:01:10Z"));
    let url = "https://api.twilio.example/Recordings/RE1";
    let recorded = [("CallSid", "CA1"), ("RecordingUrl", url), ("RecordingSid", "RE1"), ("RecordingDuration", "20")];
    assert_eq!(verbs(&hook(desk, "/hooks/twilio/recorded", &recorded))[0]["verb"], "Hangup");
    hook(desk, "/hooks/twilio/status", &rings("completed")).is(204);
    desk.advance(TimeDelta::seconds(30));
    let text = [("CallSid", "CA1"), ("TranscriptionSid", "TR1"), ("TranscriptionText", "Call me & hurry")];
    hook(desk, "/hooks/twilio/transcribed", &text).is(204);
    let call = the_call(desk);
    assert_eq!(
        (&call["outcome"], &call["recording_url"], &call["transcript"]),
        (&json!("voicemail"), &json!(url), &json!("Call me & hurry"))
    );
    assert_eq!(pickup(desk)["verdict"], "breached", "a recorder is nobody");
    let ticket = desk.agent().get(&format!("/api/v1/tickets/{}", call["ticket_id"].as_str().unwrap())).ok();
    let callback = ticket["clocks"].as_array().unwrap().iter().find(|clock| clock["metric"] == "first_response").unwrap();
    assert_eq!(callback["due_at"], "2026-06-11T14:01:10Z");
    assert_eq!(ticket["messages"].as_array().unwrap().len(), 2);
    crate::replay::all(desk);
}

fn out_of_hours_the_recorder_answers(desk: &Desk) {
    open(desk);
    staff(desk);
    desk.set_time(at("2026-06-11T03:00:00Z"));
    let closed = verbs(&hook(desk, VOICE, &rings("ringing")));
    assert_eq!((&closed[0]["verb"], &closed[0]["text"]), (&json!("Say"), &json!(desk.config().calls.closed_text)));
    assert_eq!(closed[1]["verb"], "Record");
    assert_eq!((&the_call(desk)["promised"], &pickup(desk)["reason"]), (&json!(false), &json!("closed")));
}

fn a_forged_or_missing_signature_is_refused(desk: &Desk) {
    let stranger = open(desk);
    stranger.post_form(VOICE, &rings("ringing")).refused(403, "bad_signature");
    for signature in ["", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="] {
        stranger.with("X-Twilio-Signature", signature).post_form(VOICE, &rings("ringing")).refused(403, "bad_signature");
    }
    // One field more than was signed.
    let good: serde_json::Map<String, Value> =
        rings("ringing").iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let url = format!("{}{VOICE}", desk.base());
    let signature = library(&[json!({ "sign": { "token": TOKEN, "url": url, "fields": good } })]);
    let mut more = rings("ringing").to_vec();
    more.push(("Digits", "1"));
    stranger.with("X-Twilio-Signature", signature[0].as_str().unwrap()).post_form(VOICE, &more).refused(403, "bad_signature");
    assert_eq!(desk.agent().get("/api/v1/calls").ok()["items"], json!([]), "nothing was written");
    stranger.get(VOICE).is(405);
    stranger.post_form("/hooks/twilio/other", &[]).is(404);
    hook(desk, VOICE, &[("From", CALLER)]).is(422);
}

fn without_a_token_every_webhook_is_refused(desk: &Desk) {
    hook(desk, VOICE, &rings("ringing")).refused(403, "bad_signature");
    assert_eq!(desk.agent().get("/api/v1/calls").ok()["items"], json!([]));
}

fn where_presence_is_used_a_call_rings_who_is_free(desk: &Desk) {
    open(desk);
    staff(desk);
    let available = json!({ "state": "available" });
    desk.other_agent().put("/api/v1/presence", &available).ok();
    let ring = verbs(&hook(desk, VOICE, &rings("ringing")));
    assert_eq!(ring[0]["in"], json!(["+14165550102"]), "of the queue, who is available");
    let leg = [("CallSid", "CA9"), ("ParentCallSid", "CA1"), ("To", "+14165550102"), ("CallStatus", "in-progress")];
    hook(desk, "/hooks/twilio/leg?queue=Reseller+Support", &leg).is(204);
    desk.agent().put("/api/v1/presence", &available).ok();
    let second = [("CallSid", "CA2"), ("From", "+493023125001"), ("To", "+14165550199"), ("CallStatus", "ringing")];
    assert_eq!(verbs(&hook(desk, VOICE, &second))[0]["in"], json!(["+14165550101"]), "the other one talks");
    desk.agent().put("/api/v1/presence", json!({ "state": "away" })).ok();
    let third = [("CallSid", "CA3"), ("From", "+493023125002"), ("To", "+14165550199"), ("CallStatus", "ringing")];
    let wider = verbs(&hook(desk, VOICE, &third));
    assert_eq!(wider[0]["in"].as_array().unwrap().len(), 3, "nobody is free: everybody rings");
}
