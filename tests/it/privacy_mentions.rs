//! What an erasure does to what others wrote about the person, and to files that wait to be imported.
use crate::inbound;
use crate::privacy::{WORDS, erase, found, person};
use crate::support::given::{email_ticket, path};
use crate::support::lmtp;
use crate::support::{Desk, Test, tests};
use serde_json::{Value, json};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    what_others_wrote_keeps_all_but_address_and_number,
    what_the_person_wrote_elsewhere_goes,
    an_import_that_waits_takes_the_person_in_no_more,
];

const ADDRESS: &str = "zebulon@qwormwood.example";

#[track_caller]
fn nothing_is_left(desk: &Desk) {
    for word in WORDS {
        assert_eq!(found(desk, word), Vec::<String>::new(), "{word} is left");
    }
}

fn what_others_wrote_keeps_all_but_address_and_number(desk: &Desk) {
    let erased = person(desk);
    let other = email_ticket(desk, "bo@nordwind.example");
    let of = |rest: &str| path(&other, rest);
    let said = format!("Ask <{}> or\ncall +1 (416) 555-0177, not mariana@qwormwood.test or 94165550177.", ADDRESS.to_uppercase());
    desk.agent().post(&of("/replies"), json!({ "body": said })).ok();
    desk.agent().post(&of("/notes"), json!({ "body": format!("{ADDRESS}: 416-555-0177") })).ok();
    let subject = format!("About {ADDRESS}");
    desk.agent().patch(&of(""), json!({ "subject": subject, "fields": { "wish": format!("not {ADDRESS}") } })).ok();
    desk.agent().post("/api/v1/tickets", json!({ "channel": "email", "subject": "Later", "from": { "email": "cy@nordwind.example" }, "body": format!("I am not x{ADDRESS}.") })).ok();
    let canned = json!({ "name": "Ask", "body": format!("Ask {ADDRESS}") });
    let canned = desk.manager().post("/api/v1/canned-replies", canned).id();
    let view = json!({ "name": "Theirs", "audience": "own", "filter": { "q": ADDRESS } });
    let view = desk.agent().post("/api/v1/views", view).id();
    let before = desk.agent().get(&of("")).ok();
    let done = erase(desk, &erased);
    assert_eq!(done["is_finished"], false);
    let again = desk.admin().post(&format!("/api/v1/contacts/{}/erasure", erased.contact), json!({})).ok();
    assert_eq!((&again["is_finished"], &again["files_left"]), (&json!(true), &json!(0)));
    for word in WORDS.iter().filter(|word| !["qwormwood", "zebulon", "14165550177"].contains(word)) {
        assert_eq!(found(desk, word), Vec::<String>::new(), "{word} is left");
    }
    assert_eq!(found(desk, ADDRESS), found(desk, &format!("x{ADDRESS}")), "only the longer address is left");
    let after = desk.agent().get(&of("")).ok();
    let bodies: Vec<&Value> = after["messages"].as_array().unwrap().iter().map(|message| &message["body"]).collect();
    let kept = "Ask <(erased)> or\ncall (erased), not mariana@qwormwood.test or 94165550177.";
    assert_eq!(bodies[1..], [&json!(kept), &json!("(erased): (erased)")]);
    assert_eq!((&after["subject"], &after["fields"]["wish"]), (&json!("About (erased)"), &json!("not (erased)")));
    assert_ne!(after["version"], before["version"], "whoever holds the old text is told");
    for field in ["contact_name", "clocks", "status"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    let history = desk.agent().get(&of("/history")).ok().to_string();
    assert!(history.contains("About (erased)") && !history.contains(ADDRESS), "{history}");
    assert_eq!(desk.agent().get("/api/v1/tickets?q=mariana").ok()["items"][0]["id"], other["id"], "found by what is left");
    assert_eq!(desk.agent().get(&format!("/api/v1/canned-replies/{canned}")).ok()["body"], "Ask (erased)");
    assert_eq!(desk.agent().get(&format!("/api/v1/views/{view}")).ok()["filter"]["q"], "(erased)");
    let letter = desk.mail_to("bo@nordwind.example");
    assert!(letter.text.contains("555-0177"), "what was sent before is with its reader");
    assert_eq!(desk.agent().get("/api/v1/tickets?q=later").ok()["items"].as_array().unwrap().len(), 1);
}

fn what_the_person_wrote_elsewhere_goes(desk: &Desk) {
    let gate = lmtp::listen(desk);
    let to = inbound::mailbox(desk, "help", None);
    let cc = format!("Cc: {ADDRESS}\r\n");
    inbound::hand_over(desk, &gate, &to, &inbound::mail("Bo <bo@nordwind.example>", &to, "Transfer", &cc, "It is stuck."));
    let theirs = "References: <Transfer@nordwind.example>\r\n";
    let mail = inbound::mail(&format!("Zebulon <{ADDRESS}>"), &to, "Re: it", theirs, "Vortexium too.");
    inbound::hand_over(desk, &gate, &to, &mail);
    let ticket = inbound::tickets(desk)[0].clone();
    let whole = desk.agent().get(&path(&ticket, "")).ok();
    let contact = whole["messages"][1]["contact_id"].as_str().unwrap().to_owned();
    assert_ne!(json!(contact), ticket["contact_id"]);
    let document = desk.manager().get(&format!("/api/v1/contacts/{contact}/export")).ok();
    assert_eq!(document["said_elsewhere"][0]["body"].as_str().unwrap().trim(), "Vortexium too.");
    desk.admin().post(&format!("/api/v1/contacts/{contact}/erasure"), json!({})).ok();
    desk.settle();
    nothing_is_left(desk);
    let after = desk.agent().get(&path(&ticket, "")).ok();
    assert_eq!(after["messages"][0], whole["messages"][0], "what others wrote of themselves stays");
    assert_eq!((&after["messages"][1]["body"], &after["status"]), (&json!("(erased)"), &json!("open")));
}

fn an_import_that_waits_takes_the_person_in_no_more(desk: &Desk) {
    let erased = person(desk);
    let row = |id: &str, who: Value, body: &str| {
        let mut row =
            json!({ "external_id": id, "channel": "email", "subject": "S", "received_at": "2026-06-01T10:00:00Z", "body": body });
        row.as_object_mut().unwrap().extend(who.as_object().unwrap().clone());
        format!("{row}\n")
    };
    let tickets = [
        row("T-1", json!({ "email": "cy@nordwind.example" }), "Mine."),
        row("T-2", json!({ "email": ADDRESS, "name": "Zebulon" }), "Snorkelfish."),
        row("T-3", json!({ "phone": "+1 416 555 0177" }), "Marmalark."),
        row("T-4", json!({ "contact": erased.contact }), "Hexaplank."),
        row("T-5", json!({ "email": "di@nordwind.example" }), &format!("Not\n{ADDRESS}.")),
    ];
    let contacts = format!(
        "external_id,name,emails\nC-1,Zebulon,e@nordwind.example;{ADDRESS}\nC-2,\"Knows\n{ADDRESS}\",f@nordwind.example\nC-3,,\n"
    );
    let begun = [("tickets", "jsonl", tickets.concat()), ("contacts", "csv", contacts)].map(|(kind, format, body)| {
        desk.import().post("/api/v1/imports", json!({ "kind": kind, "format": format, "body": body })).id()
    });
    assert!(found(desk, "snorkelfish").contains(&"imports".to_owned()));
    desk.admin().post(&format!("/api/v1/contacts/{}/erasure", erased.contact), json!({})).ok();
    assert!(!found(desk, "snorkelfish").contains(&"imports".to_owned()) && !found(desk, ADDRESS).contains(&"imports".to_owned()));
    desk.settle();
    nothing_is_left(desk);
    let ended = begun.map(|id| {
        let done = desk.import().get(&format!("/api/v1/imports/{id}")).ok();
        let errors = desk.import().get(&format!("/api/v1/imports/{id}/errors")).ok();
        let errors: Vec<String> =
            errors["items"].as_array().unwrap().iter().map(|one| format!("{} {}", one["line"], one["code"])).collect();
        (json!([done["state"], done["total"], done["created"], done["refused"]]), errors)
    });
    let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    assert_eq!(ended[0], (json!(["done", 5, 2, 3]), lines(&["2 \"erased\"", "3 \"erased\"", "4 \"erased\""])));
    assert_eq!(ended[1], (json!(["done", 3, 1, 2]), lines(&["2 \"erased\"", "5 \"missing\""])));
    let told = desk.agent().get("/api/v1/tickets?q=not").ok()["items"][0].clone();
    assert_eq!(desk.agent().get(&path(&told, "")).ok()["messages"][0]["body"], "Not\n(erased).");
}
