//! Webhooks: what happens is told to others, signed, tried again, in order, once, and never into a private network.
use crate::support::receiver::{Received, Receiver};
use crate::support::{Desk, Test, given, tests};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use deskbell::db::schema::{events, webhook_deliveries};
use diesel::prelude::*;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    what_happens_is_told_in_order_and_signed,
    a_webhook_hears_what_it_asks_for_and_from_its_beginning_on,
    administrative_changes_are_told_too,
    a_failed_delivery_is_tried_again_on_schedule,
    after_ten_attempts_it_is_given_up_until_a_person_sends_it_again,
    a_webhook_that_fails_for_days_is_switched_off,
    one_that_is_gone_is_switched_off_at_once,
    a_redirect_is_not_followed,
    a_private_address_is_never_reached,
    a_receiver_that_is_away_is_left_alone_for_a_moment,
    after_a_rotation_both_secrets_sign_for_a_day,
    a_secret_is_shown_once,
    a_wrong_webhook_is_refused,
    what_happens_while_it_is_off_is_passed_over,
    a_ping_is_sent,
    every_event_is_handed_on_once_though_many_write_and_two_nodes_read,
];

const WEBHOOKS: &str = "/api/v1/webhooks";

/// The desk may deliver to this machine, as an operator may allow it.
fn open(desk: &Desk) -> Receiver {
    desk.restart(|config| {
        config.webhooks.allow_http = true;
        config.webhooks.allow_networks = vec!["127.0.0.0/8".to_owned()];
        config.webhooks.timeout_seconds = 5;
    });
    Receiver::start()
}

#[track_caller]
fn webhook(desk: &Desk, receiver: &Receiver, topics: &[&str]) -> Value {
    desk.admin().post(WEBHOOKS, json!({ "url": receiver.url(), "topics": topics })).ok()
}

#[track_caller]
fn deliveries(desk: &Desk, webhook: &Value) -> Vec<Value> {
    let path = format!("{WEBHOOKS}/{}/deliveries", webhook["id"].as_str().unwrap());
    desk.admin().get(&path).ok()["items"].as_array().unwrap().clone()
}

/// The signature as OpenSSL computes it.
fn signature(secret: &str, received: &Received) -> String {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let key: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut openssl = Command::new("openssl")
        .args(["dgst", "-sha256", "-mac", "HMAC", "-macopt", &format!("hexkey:{key}"), "-binary"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let signed = format!("{}.{}.{}", received.header("webhook-id"), received.header("webhook-timestamp"), received.body);
    openssl.stdin.take().unwrap().write_all(signed.as_bytes()).unwrap();
    let out = openssl.wait_with_output().unwrap();
    assert!(out.status.success());
    format!("v1,{}", STANDARD.encode(out.stdout))
}

fn what_happens_is_told_in_order_and_signed(desk: &Desk) {
    let receiver = open(desk);
    let hook = webhook(desk, &receiver, &[]);
    let ticket = given::email_ticket(desk, "ana@nordwind.example");
    desk.agent().post(&given::path(&ticket, "/replies"), json!({ "body": "It moves." })).ok();
    given::close(desk, ticket["id"].as_str().unwrap());
    desk.settle();
    let history = desk.agent().get(&given::path(&ticket, "/history")).ok();
    let happened: Vec<&Value> = history["items"].as_array().unwrap().iter().collect();
    let received = receiver.received();
    let told: Vec<Value> = received.iter().map(Received::json).filter(|told| told["data"]["ticket_id"] == ticket["id"]).collect();
    assert_eq!(told.len(), happened.len());
    for (told, event) in told.iter().zip(happened) {
        assert_eq!((&told["type"], &told["timestamp"]), (&event["kind"], &event["at"]));
        assert_eq!((&told["data"]["event_id"], &told["data"]["data"]), (&event["id"], &event["data"]));
        assert_eq!(told["data"]["actor_id"], event["actor_id"]);
    }
    for one in &received {
        assert_eq!((one.line.as_str(), one.header("content-type")), ("POST /hook", "application/json"));
        assert_eq!(one.header("webhook-timestamp"), desk.now().timestamp().to_string());
        assert_eq!(one.header("webhook-signature"), signature(hook["secret"].as_str().unwrap(), one));
    }
    let list = deliveries(desk, &hook);
    assert!(list.iter().all(|delivery| delivery["state"] == "delivered"), "{list:?}");
    assert_eq!(list[0]["attempts"][0]["status"], 200);
    assert_eq!(list[0]["attempts"][0]["answer"], "thanks");
}

fn a_webhook_hears_what_it_asks_for_and_from_its_beginning_on(desk: &Desk) {
    let receiver = open(desk);
    let early = given::email_ticket(desk, "ana@nordwind.example");
    let hook = webhook(desk, &receiver, &["ticket_closed"]);
    desk.settle();
    assert_eq!(receiver.received().len(), 0);
    given::close(desk, early["id"].as_str().unwrap());
    given::email_ticket(desk, "ben@nordwind.example");
    desk.settle();
    let received = receiver.received();
    assert_eq!(received.len(), 1);
    assert_eq!((&received[0].json()["type"], &received[0].json()["data"]["ticket_id"]), (&json!("ticket_closed"), &early["id"]));
    assert_eq!(deliveries(desk, &hook).len(), 1);
    desk.settle();
    assert_eq!(receiver.received().len(), 1, "once");
}

fn administrative_changes_are_told_too(desk: &Desk) {
    let receiver = open(desk);
    webhook(desk, &receiver, &["created"]);
    let id = desk.admin().post("/api/v1/teams", json!({ "name": "Payments" })).id();
    desk.settle();
    let data = &receiver.received().last().unwrap().json()["data"];
    assert_eq!((&data["object"], &data["object_id"], &data["ticket_id"]), (&json!("team"), &json!(id), &Value::Null), "{data}");
}

fn a_failed_delivery_is_tried_again_on_schedule(desk: &Desk) {
    let receiver = open(desk);
    let hook = webhook(desk, &receiver, &["ticket_received"]);
    receiver.answers(500, "", "out of order");
    receiver.answers(503, "", "");
    given::email_ticket(desk, "ana@nordwind.example");
    desk.settle();
    desk.advance(TimeDelta::milliseconds(4_900));
    assert_eq!(receiver.received().len(), 1);
    desk.advance(TimeDelta::milliseconds(700));
    assert_eq!(receiver.received().len(), 2);
    desk.advance(TimeDelta::seconds(290));
    assert_eq!(receiver.received().len(), 2);
    assert_eq!(deliveries(desk, &hook)[0]["state"], "waiting");
    desk.advance(TimeDelta::seconds(45));
    let received = receiver.received();
    assert_eq!(received.len(), 3);
    assert_eq!(received[0].header("webhook-id"), received[2].header("webhook-id"));
    assert_eq!(received[0].body, received[2].body);
    assert_ne!(received[0].header("webhook-timestamp"), received[2].header("webhook-timestamp"));
    assert_eq!(received[2].header("webhook-signature"), signature(hook["secret"].as_str().unwrap(), &received[2]));
    let delivery = &deliveries(desk, &hook)[0];
    assert_eq!((&delivery["state"], &delivery["next_at"]), (&json!("delivered"), &Value::Null));
    let attempts = delivery["attempts"].as_array().unwrap();
    let statuses: Vec<&Value> = attempts.iter().map(|attempt| &attempt["status"]).collect();
    assert_eq!(statuses, [&json!(500), &json!(503), &json!(200)]);
    assert_eq!((&attempts[0]["answer"], &attempts[0]["number"]), (&json!("out of order"), &json!(1)));
    assert!(attempts[0]["duration_ms"].as_i64().unwrap() >= 0);
    desk.admin().get(&format!("{WEBHOOKS}/{}", hook["id"].as_str().unwrap())).ok();
}

fn after_ten_attempts_it_is_given_up_until_a_person_sends_it_again(desk: &Desk) {
    let receiver = open(desk);
    let hook = webhook(desk, &receiver, &["ticket_received"]);
    receiver.always_answers(500);
    given::email_ticket(desk, "ana@nordwind.example");
    desk.advance(TimeDelta::days(4));
    assert_eq!(receiver.received().len(), 10);
    let delivery = &deliveries(desk, &hook)[0];
    assert_eq!((&delivery["state"], &delivery["next_at"]), (&json!("failed"), &Value::Null));
    let failed = format!("{WEBHOOKS}/{}/deliveries?state=failed", hook["id"].as_str().unwrap());
    assert_eq!(desk.admin().get(&failed).ok()["items"].as_array().unwrap().len(), 1);
    receiver.always_answers(204);
    let path = format!("{WEBHOOKS}/deliveries/{}", delivery["id"].as_str().unwrap());
    assert_eq!(desk.admin().post(&format!("{path}/retry"), json!({})).ok()["state"], "waiting");
    desk.settle();
    let delivery = desk.admin().get(&path).ok();
    assert_eq!((&delivery["state"], &delivery["attempts"][10]["status"]), (&json!("delivered"), &json!(204)));
}

fn a_webhook_that_fails_for_days_is_switched_off(desk: &Desk) {
    let receiver = open(desk);
    let hook = webhook(desk, &receiver, &["ticket_received"]);
    let path = format!("{WEBHOOKS}/{}", hook["id"].as_str().unwrap());
    receiver.always_answers(500);
    given::email_ticket(desk, "ana@nordwind.example");
    desk.settle();
    assert_eq!(desk.admin().get(&path).ok()["failing_since"], json!(desk.now()));
    desk.advance(TimeDelta::days(5));
    assert_eq!(desk.admin().get(&path).ok()["active"], true, "nothing was tried after so long");
    given::email_ticket(desk, "ben@nordwind.example");
    desk.settle();
    let off = desk.admin().get(&path).ok();
    assert_eq!(
        (&off["active"], &off["disabled_reason"], &off["disabled_at"]),
        (&json!(false), &json!("failing"), &json!(desk.now()))
    );
    let change = &desk.admin().get("/api/v1/audit?object=webhook&limit=1").ok()["items"][0];
    assert_eq!((&change["actor"], &change["after"]["active"]), (&json!("desk"), &json!(false)), "{change}");
    let tried = receiver.received().len();
    given::email_ticket(desk, "eva@nordwind.example");
    desk.advance(TimeDelta::hours(1));
    assert_eq!(receiver.received().len(), tried, "it is off");
    receiver.always_answers(200);
    let on = desk.admin().patch(&path, json!({ "active": true })).ok();
    assert_eq!((&on["failing_since"], &on["disabled_reason"]), (&Value::Null, &Value::Null));
    desk.settle();
    assert_eq!(receiver.received().len(), tried + 1, "what waited is sent; what happened while it was off is not");
}

fn one_that_is_gone_is_switched_off_at_once(desk: &Desk) {
    let receiver = open(desk);
    let hook = webhook(desk, &receiver, &["ticket_received"]);
    receiver.answers(410, "", "");
    given::email_ticket(desk, "ana@nordwind.example");
    desk.settle();
    let off = desk.admin().get(&format!("{WEBHOOKS}/{}", hook["id"].as_str().unwrap())).ok();
    assert_eq!((&off["active"], &off["disabled_reason"]), (&json!(false), &json!("gone")));
}

fn a_redirect_is_not_followed(desk: &Desk) {
    let receiver = open(desk);
    let hook = webhook(desk, &receiver, &["ticket_received"]);
    receiver.answers(302, &format!("location: http://127.0.0.1:{}/elsewhere\r\n", receiver.port), "");
    given::email_ticket(desk, "ana@nordwind.example");
    desk.settle();
    assert_eq!(receiver.received().len(), 1);
    assert_eq!(deliveries(desk, &hook)[0]["attempts"][0]["status"], 302);
    assert_eq!(deliveries(desk, &hook)[0]["state"], "waiting");
}

fn a_private_address_is_never_reached(desk: &Desk) {
    let receiver = Receiver::start();
    desk.restart(|config| config.webhooks.allow_http = true);
    for host in ["127.0.0.1", "10.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "100.64.0.1"] {
        let url = format!("http://{host}:{}/hook", receiver.port);
        assert_eq!(desk.admin().post(WEBHOOKS, json!({ "url": url })).refuses_field("url"), "url");
    }
    // Names, and numbers that only the resolver reads as an address, are seen when they are resolved.
    for host in ["localhost", "2130706433", "127.1", "0x7f000001"] {
        let url = format!("http://{host}:{}/hook", receiver.port);
        let hook = desk.admin().post(WEBHOOKS, json!({ "url": url, "topics": ["ticket_closed"] })).ok();
        let id = hook["id"].as_str().unwrap();
        desk.admin().post(&format!("{WEBHOOKS}/{id}/ping"), json!({})).is(201);
        desk.settle();
        let attempt = &deliveries(desk, &hook)[0]["attempts"][0];
        assert_eq!(attempt["status"], Value::Null, "{host}: {attempt}");
        assert!(attempt["error"].as_str().is_some_and(|error| !error.is_empty()), "{host}: {attempt}");
    }
    let named = deliveries(desk, &desk.admin().get(WEBHOOKS).ok()["items"][0]);
    assert!(named[0]["attempts"][0]["error"].as_str().unwrap().contains("not on the public internet"), "{named:?}");
    assert_eq!(receiver.received().len(), 0);
}

fn a_receiver_that_is_away_is_left_alone_for_a_moment(desk: &Desk) {
    let receiver = open(desk);
    let away = { std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port() };
    let url = format!("http://127.0.0.1:{away}/hook");
    let hook = desk.admin().post(WEBHOOKS, json!({ "url": url, "topics": ["ticket_received"] })).ok();
    for n in 0..8 {
        given::email_ticket(desk, &format!("c{n}@nordwind.example"));
    }
    desk.settle();
    let tried = |desk: &Desk| deliveries(desk, &hook).iter().filter(|one| one["attempts"] != json!([])).count();
    assert!((1..8).contains(&tried(desk)), "{} of 8", tried(desk));
    desk.advance(TimeDelta::minutes(10));
    assert_eq!(tried(desk), 8);
    assert!(deliveries(desk, &hook)[0]["attempts"][0]["error"].is_string());
    let path = format!("{WEBHOOKS}/{}", hook["id"].as_str().unwrap());
    desk.admin().patch(&path, json!({ "url": receiver.url() })).ok();
    desk.advance(TimeDelta::minutes(60));
    assert_eq!(receiver.received().len(), 8, "each once, when it was due");
}

fn after_a_rotation_both_secrets_sign_for_a_day(desk: &Desk) {
    let receiver = open(desk);
    let hook = webhook(desk, &receiver, &["ticket_received"]);
    let path = format!("{WEBHOOKS}/{}", hook["id"].as_str().unwrap());
    let client = desk.admin().with("Idempotency-Key", "rotate-1");
    let rotated = client.post(&format!("{path}/rotation"), json!({})).ok();
    assert_eq!(client.post(&format!("{path}/rotation"), json!({})).ok()["secret"], Value::Null);
    let (old, new) = (hook["secret"].as_str().unwrap(), rotated["secret"].as_str().unwrap());
    assert_ne!(old, new);
    given::email_ticket(desk, "ana@nordwind.example");
    desk.settle();
    let first = &receiver.received()[0];
    assert_eq!(first.header("webhook-signature"), format!("{} {}", signature(new, first), signature(old, first)));
    desk.advance(TimeDelta::hours(24));
    given::email_ticket(desk, "ben@nordwind.example");
    desk.settle();
    let second = &receiver.received()[1];
    assert_eq!(second.header("webhook-signature"), signature(new, second));
}

fn a_secret_is_shown_once(desk: &Desk) {
    let client = desk.admin().with("Idempotency-Key", "hook-1");
    let body = json!({ "url": "https://hooks.example.com/desk", "description": "Chat" });
    let made = client.post(WEBHOOKS, &body).ok();
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_") && STANDARD.decode(&secret[6..]).unwrap().len() == 32, "{secret}");
    let again = client.post(WEBHOOKS, &body).ok();
    assert_eq!((&again["id"], &again["secret"]), (&made["id"], &Value::Null));
    let id = made["id"].as_str().unwrap();
    for path in [WEBHOOKS.to_owned(), format!("{WEBHOOKS}/{id}"), "/api/v1/audit".to_owned()] {
        let text = desk.admin().get(&path).text;
        assert!(!text.contains(&secret[6..]) && text.contains("hooks.example.com"), "{path}: {text}");
    }
    let etag = desk.admin().get(&format!("{WEBHOOKS}/{id}")).etag();
    desk.admin().with("If-Match", &etag).patch(&format!("{WEBHOOKS}/{id}"), json!({ "topics": ["clock_breached"] })).ok();
    desk.admin().with("If-Match", &etag).patch(&format!("{WEBHOOKS}/{id}"), json!({ "topics": [] })).is(412);
    desk.admin().with("If-Match", &etag).delete(&format!("{WEBHOOKS}/{id}")).is(412);
    desk.admin().delete(&format!("{WEBHOOKS}/{id}")).is(204);
    desk.admin().get(&format!("{WEBHOOKS}/{id}")).is(404);
}

fn a_wrong_webhook_is_refused(desk: &Desk) {
    let refuses = |body: Value, field: &str| desk.admin().post(WEBHOOKS, body).refuses_field(field);
    refuses(json!({ "url": "http://hooks.example.com/" }), "url");
    refuses(json!({ "url": "https://user@hooks.example.com/" }), "url");
    refuses(json!({ "url": format!("https://hooks.example.com/{}", "x".repeat(2_000)) }), "url");
    refuses(json!({ "url": "https://hooks.example.com/", "topics": ["everything"] }), "topics[0]");
    refuses(json!({ "url": "https://hooks.example.com/", "secret": "mine" }), "secret");
    assert_eq!(desk.admin().get(WEBHOOKS).ok()["items"], json!([]));
    desk.manager().get(WEBHOOKS).refused(403, "missing_right");
}

fn what_happens_while_it_is_off_is_passed_over(desk: &Desk) {
    let receiver = open(desk);
    let hook = webhook(desk, &receiver, &["ticket_received"]);
    let path = format!("{WEBHOOKS}/{}", hook["id"].as_str().unwrap());
    desk.admin().patch(&path, json!({ "active": false })).ok();
    desk.admin().post(&format!("{path}/ping"), json!({})).refused(409, "webhook_inactive");
    given::email_ticket(desk, "ana@nordwind.example");
    desk.settle();
    desk.admin().patch(&path, json!({ "active": true })).ok();
    desk.settle();
    assert_eq!(receiver.received().len(), 0);
    given::email_ticket(desk, "ben@nordwind.example");
    desk.settle();
    assert_eq!(receiver.received().len(), 1);
}

fn a_ping_is_sent(desk: &Desk) {
    let receiver = open(desk);
    let hook = webhook(desk, &receiver, &["ticket_closed"]);
    let made = desk.admin().post(&format!("{WEBHOOKS}/{}/ping", hook["id"].as_str().unwrap()), json!({})).ok();
    assert_eq!((&made["topic"], &made["event_id"]), (&json!("ping"), &Value::Null));
    desk.settle();
    assert_eq!(receiver.received()[0].json()["type"], "ping");
    desk.admin().post(&format!("{WEBHOOKS}/{}/ping", made["id"].as_str().unwrap()), json!({})).is(404);
    desk.admin().post(&format!("{WEBHOOKS}/deliveries/{}/retry", hook["id"].as_str().unwrap()), json!({})).is(404);
}

fn every_event_is_handed_on_once_though_many_write_and_two_nodes_read(desk: &Desk) {
    let receiver = open(desk);
    webhook(desk, &receiver, &["ticket_received", "contact_wrote"]);
    let other = desk.another_node();
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..6)
            .map(|writer| {
                scope.spawn(move || {
                    for n in 0..6 {
                        let ticket = given::email_ticket(desk, &format!("w{writer}n{n}@nordwind.example"));
                        desk.channel().post(&given::path(&ticket, "/messages"), json!({ "body": "And now?" })).ok();
                    }
                })
            })
            .collect();
        let other = &other;
        let settle_often = |settle: &dyn Fn() -> usize| {
            for _ in 0..10 {
                settle();
            }
        };
        let readers =
            [scope.spawn(move || settle_often(&|| other.settle(None))), scope.spawn(move || settle_often(&|| desk.settle()))];
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
    desk.settle();
    drop(other);
    let read = desk.app();
    let (happened, told): (Vec<i64>, Vec<Option<i64>>) = {
        let mut conn = deskbell::db::Conn::open(read.db.url()).unwrap();
        let kinds = ["ticket_received", "contact_wrote"];
        let happened =
            events::table.filter(events::kind.eq_any(kinds)).order(events::id).select(events::id).load(&mut conn).unwrap();
        let told = webhook_deliveries::table
            .order(webhook_deliveries::event_id)
            .select(webhook_deliveries::event_id)
            .load(&mut conn)
            .unwrap();
        (happened, told)
    };
    assert_eq!(happened.len(), 72);
    assert_eq!(told.into_iter().flatten().collect::<Vec<_>>(), happened);
    let mut ids: Vec<i64> = receiver.received().iter().map(|one| one.json()["data"]["event_id"].as_i64().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, happened, "each was received once");
}
