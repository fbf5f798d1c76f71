//! DKIM: what reached the SMTP server is verified by dkimpy against the record that `deskbell dkim` prints.
use crate::binary::Binary;
use crate::support::given::{close, email_ticket, path};
use crate::support::mail::Mail;
use crate::support::{Desk, Test, plain, servers, tests};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use deskbell::config::DkimKey;
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Tests of this file.
pub const TESTS: &[Test] = tests![
    letters_are_signed_and_verified_by_others,
    a_mailbox_signs_in_the_name_of_its_own_domain,
    a_domain_of_a_mailbox_has_a_key_of_its_own,
    without_a_key_nothing_is_signed,
];
/// Those about the command.
pub const PLAIN: &[Test] = plain![what_is_no_good_key_is_refused_by_its_setting];

const SELECTOR: &str = "desk2026";
const RSA: &[&str] = &["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
const ED25519: &[&str] = &["genpkey", "-algorithm", "ed25519"];

fn openssl(arguments: &[&str], to: &Path) -> PathBuf {
    let made = Command::new("openssl").args(arguments).arg("-out").arg(to).output().unwrap();
    assert!(made.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&made.stderr));
    to.to_owned()
}

/// What `deskbell dkim` prints for a key: the record's name and its text, as a DNS server joins it.
fn record(folder: &Path, key: &Path, domain: &str) -> (String, String) {
    let ended = Binary::in_folder(folder)
        .with("mail.from", format!("Support <support@{domain}>"))
        .with("mail.dkim_key_file", key.display())
        .with("mail.dkim_selector", SELECTOR)
        .run(&["dkim"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let (name, strings) = ended.out.trim().split_once(" IN TXT ").unwrap();
    let parts: Vec<&str> = strings.trim_matches('"').split("\" \"").collect();
    assert!(parts.iter().all(|part| part.len() <= 255), "{strings}");
    assert_eq!(name, format!("{SELECTOR}._domainkey.{domain}."));
    (name.to_owned(), parts.concat())
}

/// Whether the signature of each letter holds.
fn verified(letters: &[&str], (name, text): &(String, String)) -> Vec<bool> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/dkim_verify.py");
    let mut command = Command::new(servers::python().unwrap());
    command.arg("-W").arg("ignore").arg(program).args([name, text]);
    let mut run = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let letters: Vec<String> = letters.iter().map(|letter| STANDARD.encode(letter)).collect();
    run.stdin.take().unwrap().write_all(&serde_json::to_vec(&letters).unwrap()).unwrap();
    let ended = run.wait_with_output().unwrap();
    serde_json::from_slice(&ended.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&ended.stderr)))
}

/// The letter with one thing changed on its way.
fn tampered(letter: &Mail) -> Vec<(&'static str, String)> {
    let raw = &letter.raw;
    let body = raw.find("\r\n\r\n").unwrap() + 4;
    let changed = |what: &'static str, text: String| {
        assert_ne!(&text, raw, "{what}");
        (what, text)
    };
    vec![
        changed("a letter of the body", format!("{}{}", &raw[..body], raw[body..].replacen("Nordwind", "Nordwing", 1))),
        changed("the subject", raw.replacen("Subject: ", "Subject: Fwd: ", 1)),
        changed("the sender", raw.replacen("From: Support", "From: Suppost", 1)),
        changed("the recipient", raw.replacen("To: ana", "To: eva", 1)),
        changed("another reply address", format!("Reply-To: eve@evil.example\r\n{raw}")),
    ]
    .into_iter()
    .chain(
        letter
            .has_header("list-unsubscribe")
            .then(|| changed("the unsubscribe link", raw.replacen("List-Unsubscribe: <http:", "List-Unsubscribe: <https:", 1))),
    )
    .collect()
}

fn letters_are_signed_and_verified_by_others(desk: &Desk) {
    let folder = tempfile::tempdir().unwrap();
    let rsa = openssl(RSA, &folder.path().join("rsa.pem"));
    let traditional = openssl(&["rsa", "-traditional", "-in", rsa.to_str().unwrap()], &folder.path().join("rsa1.pem"));
    let ed25519 = openssl(ED25519, &folder.path().join("ed25519.pem"));
    for (key, algorithm) in [(rsa, "rsa-sha256"), (traditional, "rsa-sha256"), (ed25519, "ed25519-sha256")] {
        desk.restart(|config| {
            config.company.name = "Nordwind Hosting".into();
            config.mail.dkim_key_file.clone_from(&key);
            config.mail.dkim_selector = SELECTOR.into();
        });
        let address = format!("ana-{}@nordwind.example", key.file_stem().unwrap().display());
        let ticket = email_ticket(desk, &address);
        let reply = "Schöne Grüße aus Łódź, 東京 🦀 – Nordwind.\n\nTwo  spaces, a tab\t and trailing blanks   \n\n\n";
        desk.agent().post(&path(&ticket, "/replies"), json!({ "body": reply })).ok();
        let spoken = json!({ "body": "Danke!", "mail_message_id": "<1@nordwind.example>" });
        desk.channel().post(&path(&ticket, "/messages"), spoken).ok();
        desk.agent().post(&path(&ticket, "/replies"), json!({ "body": "Plain ASCII from Nordwind." })).ok();
        close(desk, ticket["id"].as_str().unwrap());
        desk.advance(TimeDelta::hours(4));
        let letters = desk.mails_to(&address);
        assert_eq!(letters.len(), 3, "two replies and a survey");
        let published = record(folder.path(), &key, &desk.domain);
        for letter in &letters {
            let signature = letter.header("dkim-signature");
            for wanted in [&format!("a={algorithm};"), &format!("d={};", desk.domain), "c=relaxed/relaxed;", "s=desk2026;"] {
                assert!(signature.contains(wanted), "{wanted} in {signature}");
            }
            let changed = tampered(letter);
            let all: Vec<&str> =
                std::iter::once(letter.raw.as_str()).chain(changed.iter().map(|(_, text)| text.as_str())).collect();
            let holds = verified(&all, &published);
            assert!(holds[0], "{algorithm}: {:?}", letter.headers);
            for ((what, _), holds) in changed.iter().zip(&holds[1..]) {
                assert!(!holds, "{what} was changed and the signature still holds");
            }
        }
        assert!(letters.iter().any(|letter| letter.has_header("list-unsubscribe")));
        assert!(letters.iter().any(|letter| letter.has_header("references")));
        let (name, _) = published;
        let other = openssl(ED25519, &folder.path().join("other.pem"));
        let wrong = (name, record(folder.path(), &other, &desk.domain).1);
        assert_eq!(verified(&[&letters[0].raw], &wrong), [false], "another key signs nothing of ours");
    }
}

fn a_mailbox_signs_in_the_name_of_its_own_domain(desk: &Desk) {
    let folder = tempfile::tempdir().unwrap();
    let key = openssl(ED25519, &folder.path().join("ed25519.pem"));
    desk.restart(|config| {
        config.mail.dkim_key_file.clone_from(&key);
        config.mail.dkim_selector = SELECTOR.into();
    });
    let domain = format!("pay.{}", desk.domain);
    let dkim = json!({ "domain": domain.replacen('p', "P", 1), "selector": "pay2026" });
    let new = json!({ "address": format!("payments@mail.{domain}"), "kind": "lmtp", "dkim": dkim });
    let made = desk.admin().post("/api/v1/mailboxes", new);
    assert_eq!(made.json["dkim"]["domain"], domain.as_str());
    let ticket = email_ticket(desk, "ana@nordwind.example");
    desk.agent().post(&path(&ticket, "/replies"), json!({ "body": "Hello.", "cc": ["bo@nordwind.example"] })).ok();
    desk.settle();
    let letters = crate::support::mail::from_domain(&servers::smtp(), &format!("mail.{domain}"));
    let letter = letters.iter().find(|letter| letter.header("reply-to").contains("payments+")).unwrap();
    let signature = letter.header("dkim-signature");
    assert!(signature.contains(&format!("d={domain};")) && signature.contains("s=pay2026;"), "{signature}");
    let (_, text) = record(folder.path(), &key, &desk.domain);
    let published = (format!("pay2026._domainkey.{domain}."), text);
    let copied = letter.raw.replacen("Cc: bo", "Cc: eve", 1);
    assert_eq!(verified(&[&letter.raw, &copied], &published), [true, false], "{}", letter.raw);
    let one = format!("/api/v1/mailboxes/{}", made.id());
    for other in ["evil.example", &domain[1..]] {
        let change = json!({ "dkim": { "domain": other, "selector": "pay2026" } });
        desk.admin().patch(&one, change).refuses_field("dkim.domain");
    }
}

fn a_domain_of_a_mailbox_has_a_key_of_its_own(desk: &Desk) {
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str| openssl(ED25519, &folder.path().join(name));
    let (own, theirs, above) = (make("own.pem"), make("theirs.pem"), make("above.pem"));
    let domain = desk.domain.clone();
    let mailboxes = [format!("support@{domain}"), format!("billing@pay.{domain}")];
    desk.restart(|config| {
        config.mail.dkim_key_file.clone_from(&own);
        config.mail.dkim_selector = SELECTOR.into();
        let key = |domain: &str, selector: &str, key_file: &PathBuf| DkimKey {
            domain: domain.to_owned(),
            selector: selector.to_owned(),
            key_file: key_file.clone(),
        };
        // The nearest one signs.
        config.mail.dkim_domain = "elsewhere.example".into();
        config.mail.dkim_keys = vec![key(&domain, "above2026", &above), key(&format!("pay.{domain}"), "pay2026", &theirs)];
    });
    let signed_by = [("above2026", &above), ("pay2026", &theirs)];
    for (n, (address, (selector, key))) in mailboxes.iter().zip(signed_by).enumerate() {
        let team = desk.admin().post("/api/v1/teams", json!({ "name": format!("Team {n}") })).id();
        desk.admin().post("/api/v1/mailboxes", json!({ "address": address, "kind": "lmtp", "team_id": team })).id();
        let to = format!("ana{n}@nordwind.example");
        let ticket = email_ticket(desk, &to);
        desk.agent().put(&path(&ticket, "/team"), json!({ "team_id": team })).ok();
        desk.agent().post(&path(&ticket, "/replies"), json!({ "body": "Hello from Nordwind." })).ok();
        desk.settle();
        let signed = address.split('@').nth(1).unwrap();
        let letters = crate::support::mail::from_domain(&servers::smtp(), signed);
        let letter = letters.iter().find(|letter| letter.rcpt_tos == [to.as_str()]).unwrap();
        let signature = letter.header("dkim-signature");
        assert!(signature.contains(&format!("d={signed};")) && signature.contains(&format!("s={selector};")), "{signature}");
        let name = format!("{selector}._domainkey.{signed}.");
        let published = |key: &Path| (name.clone(), record(folder.path(), key, signed).1);
        assert_eq!(verified(&[&letter.raw], &published(key)), [true], "{}", letter.raw);
        assert_eq!(verified(&[&letter.raw], &published(&own)), [false], "the desk's own key has nothing to do with it");
    }
    // A key that nobody has cannot be asked for where the desk has none of its own.
    desk.restart(|config| (config.mail.dkim_key_file, config.mail.dkim_selector) = (PathBuf::new(), String::new()));
    for (selector, status) in [("above2026", 201), ("other", 422)] {
        let dkim = json!({ "domain": desk.domain, "selector": selector });
        let new = json!({ "address": format!("{selector}@{}", desk.domain), "kind": "lmtp", "dkim": dkim });
        desk.admin().post("/api/v1/mailboxes", new).is(status);
    }
}

fn without_a_key_nothing_is_signed(desk: &Desk) {
    let ticket = email_ticket(desk, "ana@nordwind.example");
    desk.agent().post(&path(&ticket, "/replies"), json!({ "body": "Hello." })).ok();
    desk.settle();
    assert!(!desk.mail_to("ana@nordwind.example").has_header("dkim-signature"));
}

fn what_is_no_good_key_is_refused_by_its_setting() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Binary::in_folder(folder.path());
    let refused = |desk: &Binary, named: &str| {
        for command in ["dkim", "serve"] {
            let ended = desk.run(&[command]);
            assert!(ended.code == Some(1) && ended.err.contains(named), "{command} does not name {named}: {ended:?}");
        }
    };
    let ended = desk.run(&["dkim"]);
    assert!(ended.code == Some(1) && ended.err.contains("mail.dkim_key_file: is not set"), "{ended:?}");
    let short = openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"], &folder.path().join("short.pem"));
    let with = |file: &Path| desk.clone().with("mail.dkim_key_file", file.display()).with("mail.dkim_selector", SELECTOR);
    refused(&with(&short), "1024 bits");
    refused(&with(&folder.path().join("nowhere.pem")), "mail.dkim_key_file");
    std::fs::write(folder.path().join("text.pem"), "no key").unwrap();
    refused(&with(&folder.path().join("text.pem")), "no RSA or ed25519 private key");
    refused(&desk.clone().with("mail.dkim_key_file", short.display()), "mail.dkim_selector");
    refused(&with(&short).with("mail.dkim_selector", "a b"), "mail.dkim_selector");
    let help = desk.run(&["dkim", "--help"]);
    assert!(help.out.contains("openssl genpkey") && help.out.contains("umask 077"), "{}", help.out);
}
