//! What all lists and things share: lost updates, retries, pages.
use crate::accounts::{AGENTS, CONTACTS, ORGANIZATIONS, TEAMS, TOKENS, VERSIONED, body, items, make};
use crate::support::{Answer, Desk, Test, tests};
use chrono::TimeDelta;
use deskbell::http::idempotency;
use deskbell::ids::TicketId;
use serde_json::json;
use std::collections::BTreeSet;

/// Tests of this file.
pub const TESTS: &[Test] = tests![
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
];

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
