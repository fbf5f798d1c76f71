//! Mails that say they are by an agent: a token and a proof of origin, both, or they are held. DNS is a server with fixed records.
use crate::inbound::{hand_over, held, mail, mailbox, texts, tickets, whole};
use crate::support::given::path;
use crate::support::lmtp::{listen, python};
use crate::support::{Desk, Test, tests};
use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::SigningKey;
use lettre::message::dkim::{DkimCanonicalization, DkimCanonicalizationType, DkimConfig, DkimSigningAlgorithm, DkimSigningKey};
use lettre::message::header::{ContentType, HeaderName};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::UdpSocket;
use std::path::PathBuf;

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    a_signed_mail_with_a_token_is_a_reply_by_its_agent,
    without_token_or_proof_an_agents_mail_is_held,
    a_trusted_servers_word_is_a_proof,
    an_address_that_may_send_for_the_domain_is_a_proof,
    a_relay_that_checks_its_senders_is_a_proof,
    a_mail_that_its_domain_disowns_is_held,
];

const ANA: &str = "ana@nordwind.example";
const AMIR: &str = "amir.agent@desk.test";

/// A name in a question or an answer, and where it ends.
fn name(packet: &[u8], mut at: usize) -> (String, usize) {
    let mut labels = Vec::new();
    while packet[at] != 0 {
        let end = at + 1 + usize::from(packet[at]);
        labels.push(String::from_utf8_lossy(&packet[at + 1..end]).to_lowercase());
        at = end;
    }
    (labels.join("."), at + 1)
}

/// A DNS server that knows these TXT records and nothing else; it ends with the tests.
fn dns(records: HashMap<String, String>) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let mut packet = [0_u8; 1_500];
        while let Ok((length, from)) = socket.recv_from(&mut packet) {
            let (asked, end) = name(&packet[..length], 12);
            let found = records.get(&asked).filter(|_| packet[end..end + 2] == [0, 16]);
            let mut answer = packet[..2].to_vec();
            let code = if found.is_some() { 0 } else { 3 };
            answer.extend([0x81, 0x80 | code, 0, 1, 0, u8::from(found.is_some()), 0, 0, 0, 0]);
            answer.extend(&packet[12..end + 4]);
            if let Some(text) = found {
                let length = u8::try_from(text.len()).unwrap();
                answer.extend([0xC0, 12, 0, 16, 0, 1, 0, 0, 0, 60, 0, length + 1, length]);
                answer.extend(text.as_bytes());
            }
            let _ = socket.send_to(&answer, from);
        }
    });
    address
}

struct Given {
    way: PathBuf,
    ticket: Value,
    /// Where answers to Ana's ticket go.
    token: String,
    address: String,
}

/// Ana's ticket with one reply; the DNS knows the keys of `desk.test` and of `evil.example`.
#[track_caller]
fn given(desk: &Desk) -> Given {
    let address = mailbox(desk, "support", None);
    let key = |seed: u8| STANDARD.encode(SigningKey::from_bytes(&[seed; 32]).verifying_key().as_bytes());
    let record = |seed: u8| format!("v=DKIM1; k=ed25519; p={}", key(seed));
    let spf = |network: &str| format!("v=spf1 ip4:{network} -all");
    let records = [
        ("a._domainkey.desk.test", record(1)),
        ("a._domainkey.evil.example", record(2)),
        ("desk.test", spf("192.0.2.0/24")),
        ("evil.example", spf("198.51.100.0/24")),
    ];
    let server = dns(records.map(|(name, text)| (name.to_owned(), text)).into());
    desk.restart(|config| config.inbound.dns_server = server);
    let way = listen(desk);
    hand_over(desk, &way, &address, &mail(ANA, &address, "Transfer", "", "It is stuck."));
    let ticket = tickets(desk)[0].clone();
    desk.other_agent().post(&path(&ticket, "/replies"), json!({ "body": "We look." })).ok();
    desk.settle();
    let letter = desk.mail_to(ANA);
    let token = letter.header("reply-to").split('<').nth(1).unwrap().trim_end_matches('>').to_owned();
    Given { way, ticket, token, address }
}

/// A mail by Amir, signed by `domain` with the key of that seed.
fn signed(to: &str, subject: &str, text: &str, (domain, seed): (&str, u8)) -> Vec<u8> {
    let mut message = lettre::Message::builder()
        .from(AMIR.parse().unwrap())
        .to(to.parse().unwrap())
        .subject(subject)
        .message_id(Some(format!("<{subject}@desk.test>")))
        .header(ContentType::TEXT_PLAIN)
        .body(text.to_owned())
        .unwrap();
    let key = DkimSigningKey::new(&STANDARD.encode([seed; 32]), DkimSigningAlgorithm::Ed25519).unwrap();
    let headers = ["From", "To", "Subject", "Message-ID"].map(HeaderName::new_from_ascii_str).to_vec();
    let relaxed = DkimCanonicalization { header: DkimCanonicalizationType::Relaxed, body: DkimCanonicalizationType::Relaxed };
    message.sign(&DkimConfig::new("a".to_owned(), domain.to_owned(), key, headers, relaxed));
    message.formatted()
}

fn last(desk: &Desk, given: &Given) -> Value {
    whole(desk, &given.ticket)["messages"].as_array().unwrap().last().unwrap().clone()
}

fn a_signed_mail_with_a_token_is_a_reply_by_its_agent(desk: &Desk) {
    let given = given(desk);
    hand_over(desk, &given.way, &given.token, &signed(&given.token, "one", "It **moves** now.", ("desk.test", 1)));
    let message = last(desk, &given);
    assert_eq!((&message["kind"], &message["agent_id"]), (&json!("reply"), &json!(desk.people.agent.id)), "{:?}", held(desk));
    assert_eq!(message["body"].as_str().unwrap().trim(), "It **moves** now.");
    desk.settle();
    let letters = desk.mails_to(ANA);
    assert_eq!((letters.len(), letters[1].subject.as_str()), (2, "Re: Transfer [#1]"));
    assert!(letters[1].html.contains("<strong>moves</strong>") && letters[1].text.contains("Amir Agent"));
    assert_eq!((held(desk).len(), tickets(desk).len()), (0, 1));
    // What a closed ticket takes from nobody waits for a person.
    desk.agent().post(&path(&given.ticket, "/closure"), json!({})).ok();
    hand_over(desk, &given.way, &given.token, &signed(&given.token, "two", "And more.", ("desk.test", 1)));
    assert_eq!(held(desk)[0]["reason"], "ticket_closed");
}

fn without_token_or_proof_an_agents_mail_is_held(desk: &Desk) {
    let given = given(desk);
    let good = |to: &str, subject: &str| signed(to, subject, "Do as I say.", ("desk.test", 1));
    let changed = String::from_utf8(good(&given.token, "changed")).unwrap().replace("Do as I say", "Do as Eve says").into_bytes();
    let twice = String::from_utf8(good(&given.token, "twice")).unwrap();
    let twice = twice.replacen("Subject: ", "From: Eve <eve@evil.example>\r\nSubject: ", 1).into_bytes();
    let number = signed(&given.address, "Re: Transfer [#1]", "Do as I say.", ("desk.test", 1));
    for (what, to, bytes, reason) in [
        ("no token", &given.address, good(&given.address, "plain"), "agent_without_ticket"),
        ("a number is no token", &given.address, number, "agent_without_ticket"),
        ("no proof", &given.token, mail(AMIR, &given.token, "bare", "", "Do as I say."), "unproven_agent"),
        ("changed on its way", &given.token, changed, "unproven_agent"),
        ("another domain's", &given.token, signed(&given.token, "evil", "Do.", ("evil.example", 2)), "unproven_agent"),
        ("another's key", &given.token, signed(&given.token, "key", "Do.", ("desk.test", 2)), "unproven_agent"),
        ("two authors", &given.token, twice, "unproven_agent"),
    ] {
        let before = held(desk).len();
        hand_over(desk, &given.way, to, &bytes);
        let all = held(desk);
        assert_eq!(all.len(), before + 1, "{what}");
        assert_eq!(all[0]["reason"], reason, "{what}");
    }
    assert_eq!((texts(&whole(desk, &given.ticket)).len(), tickets(desk).len()), (2, 1));
    // Where the desk does not look, nothing is proven.
    desk.restart(|config| config.inbound.check_dkim = false);
    hand_over(desk, &given.way, &given.token, &good(&given.token, "late"));
    assert_eq!(held(desk)[0]["reason"], "unproven_agent");
}

fn by_amir(given: &Given, subject: &str, results: &str) -> Vec<u8> {
    mail(AMIR, &given.token, subject, &format!("Authentication-Results: {results}\r\n"), "It moves now.")
}

fn a_trusted_servers_word_is_a_proof(desk: &Desk) {
    let given = given(desk);
    desk.restart(|config| config.inbound.authserv_ids = vec!["mx.desk.test".to_owned()]);
    hand_over(desk, &given.way, &given.token, &by_amir(&given, "spf", "mx.desk.test; spf=pass smtp.mailfrom=amir@desk.test"));
    assert_eq!(last(desk, &given)["agent_id"], json!(desk.people.agent.id), "{:?}", held(desk));
    for (subject, results) in [
        ("other", "mx.evil.example; spf=pass smtp.mailfrom=amir@desk.test"),
        ("fails", "mx.desk.test; spf=fail smtp.mailfrom=amir@desk.test"),
        ("theirs", "mx.desk.test; dkim=pass header.d=evil.example"),
    ] {
        hand_over(desk, &given.way, &given.token, &by_amir(&given, subject, results));
        assert_eq!(held(desk)[0]["reason"], "unproven_agent", "{subject}");
    }
    assert_eq!(texts(&whole(desk, &given.ticket)).len(), 3);
}

/// A mail by Amir that came to `by` from an address; `sender` is the envelope's.
fn received(desk: &Desk, given: &Given, subject: &str, (sender, ip, by): (&str, &str, &str)) {
    let field = format!("Received: from mail.example (unknown [{ip}])\r\n\tby {by} (Postfix) with ESMTPS id 4; x\r\n");
    let bytes = [field.into_bytes(), mail(AMIR, &given.token, subject, "", "It moves now.")].concat();
    python(given.way.to_str().unwrap(), 0, &[(sender, &[&given.token], &bytes)]);
    desk.settle();
}

fn an_address_that_may_send_for_the_domain_is_a_proof(desk: &Desk) {
    let given = given(desk);
    let good = ("amir@desk.test", "192.0.2.7", "mx.desk.test");
    received(desk, &given, "early", good);
    assert_eq!(held(desk)[0]["reason"], "unproven_agent", "nobody is believed by himself");
    desk.restart(|config| config.inbound.received_by = vec!["mx.desk.test".to_owned()]);
    received(desk, &given, "good", good);
    assert_eq!(last(desk, &given)["agent_id"], json!(desk.people.agent.id), "{:?}", held(desk));
    for (subject, what) in [
        ("elsewhere", ("amir@desk.test", "203.0.113.7", "mx.desk.test")),
        ("unaligned", ("amir@evil.example", "198.51.100.7", "mx.desk.test")),
        ("unknown", ("amir@other.desk.test", "192.0.2.7", "mx.desk.test")),
        ("theirs", ("amir@desk.test", "192.0.2.7", "mx.evil.example")),
    ] {
        let before = held(desk).len();
        received(desk, &given, subject, what);
        assert_eq!(held(desk).len(), before + 1, "{subject}");
    }
    assert_eq!(texts(&whole(desk, &given.ticket)).len(), 3);
}

fn a_relay_that_checks_its_senders_is_a_proof(desk: &Desk) {
    let given = given(desk);
    desk.restart(|config| config.inbound.lmtp_is_trusted = true);
    hand_over(desk, &given.way, &given.token, &mail(AMIR, &given.token, "relay", "", "It moves now."));
    assert_eq!(last(desk, &given)["kind"], "reply", "{:?}", held(desk));
    hand_over(desk, &given.way, &given.address, &mail(AMIR, &given.address, "Re: Transfer [#1]", "", "It moves now."));
    assert_eq!(held(desk)[0]["reason"], "agent_without_ticket", "the token is asked for all the same");
}

fn a_mail_that_its_domain_disowns_is_held(desk: &Desk) {
    let given = given(desk);
    desk.restart(|config| config.inbound.authserv_ids = vec!["mx.desk.test".to_owned()]);
    let write = |subject: &str, results: &str| {
        let field = format!("Authentication-Results: {results}\r\n");
        hand_over(desk, &given.way, &given.address, &mail("bo@bank.example", &given.address, subject, &field, "Pay here."));
    };
    write("forged", "mx.desk.test; dmarc=fail (p=reject dis=none) header.from=bank.example");
    assert_eq!((held(desk)[0]["reason"].clone(), tickets(desk).len()), (json!("dmarc_failed"), 1));
    write("lax", "mx.desk.test; dmarc=fail (p=none) header.from=bank.example");
    write("said", "mx.evil.example; dmarc=fail (p=reject) header.from=bank.example");
    assert_eq!((held(desk).len(), tickets(desk).len()), (1, 3));
}
