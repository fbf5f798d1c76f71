//! Mail coming in, read without a desk: a corpus with what is expected of each, any bytes at all, and time over size.
use crate::support::{Test, plain};
use deskbell::inbound::model::{Parsed, Person};
use deskbell::inbound::{Envelope, html, parse};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Tests of this file.
pub const TESTS: &[Test] = plain![
    every_mail_of_the_corpus_is_read_as_expected,
    a_corpus_with_one_wrong_expectation_fails,
    any_bytes_are_read,
    mutations_of_the_corpus_are_read,
    any_html_is_made_harmless,
];

/// Rows of the corpus at the least.
const MAILS_MIN: usize = 80;
/// Cases of each property: debug builds are slow, and the corpus is a good teacher.
const CASES: u32 = 96;

/// A mail of the corpus.
struct Row {
    name: String,
    raw: Vec<u8>,
    expected: Map<String, Value>,
}

fn corpus() -> Vec<Row> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/mail/fixtures");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mails = paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "eml"));
    let read = |path: &PathBuf| Row {
        name: path.file_stem().unwrap().to_string_lossy().into_owned(),
        raw: std::fs::read(path).unwrap(),
        expected: serde_json::from_slice(&std::fs::read(path.with_extension("json")).unwrap()).unwrap(),
    };
    let rows: Vec<Row> = mails.map(read).collect();
    assert_eq!(rows.len() * 2, paths.len(), "a mail without its expectation, or the other way around");
    rows
}

fn shown(person: &Person) -> String {
    match person.name.as_str() {
        "" => person.address.clone(),
        name => format!("{name} <{}>", person.address),
    }
}

/// All that a mail was read as, as it is written in the corpus.
fn told(parsed: &Parsed) -> Map<String, Value> {
    let people = |people: &[Person]| people.iter().map(shown).collect::<Vec<_>>();
    let files = parsed.files.iter().map(|file| {
        let mut told = format!("{} {} {}", file.name, file.media_type, file.bytes.len());
        if file.is_inline {
            told.push_str(" inline");
        }
        if let Some(id) = &file.content_id {
            write!(told, " cid:{id}").unwrap();
        }
        told
    });
    let bounce = parsed.bounce.as_ref().map(|bounce| {
        let recipients = bounce.recipients.iter().map(|one| {
            let mut told = format!("{} {} {} {}", one.final_recipient, one.action, one.status_text(), one.consequence());
            if let Some(original) = &one.original_recipient {
                write!(told, " for {original}").unwrap();
            }
            if let Some(diagnostic) = &one.diagnostic {
                write!(told, ": {diagnostic}").unwrap();
            }
            told
        });
        json!({
            "message_id": bounce.message_id, "envelope_id": bounce.envelope_id, "reporter": bounce.reporter,
            "recipients": recipients.collect::<Vec<_>>(),
        })
    });
    let told = json!({
        "message_id": parsed.message_id, "in_reply_to": parsed.in_reply_to, "references": parsed.references, "answered": parsed.answered(),
        "from": people(&parsed.from), "sender": parsed.sender.as_ref().map(shown), "reply_to": people(&parsed.reply_to),
        "to": people(&parsed.to), "cc": people(&parsed.cc), "author": parsed.author().map(shown), "subject": parsed.subject,
        "date": parsed.date.map(|date| date.to_rfc3339()), "text": parsed.text, "html": parsed.html,
        "has_remote_images": parsed.has_remote_images, "said": parsed.said, "quoted": parsed.quoted, "files": files.collect::<Vec<_>>(),
        "machine": parsed.machine.as_ref().map(|machine| json!({"kind": machine.kind.as_str(), "why": machine.why})),
        "bounce": bounce, "is_spam": parsed.is_spam, "delivered_to": parsed.delivered_to, "is_our_own": parsed.is_our_own,
        "defects": parsed.defects.iter().map(|defect| defect.as_str()).collect::<Vec<_>>(),
    });
    match told {
        Value::Object(told) => told,
        _ => unreachable!("an object"),
    }
}

/// What nobody expects unless it is written down.
fn usual(key: &str) -> Option<Value> {
    match key {
        "defects" | "files" | "delivered_to" => Some(json!([])),
        "machine" | "bounce" => Some(Value::Null),
        "is_spam" | "is_our_own" | "has_remote_images" => Some(json!(false)),
        _ => None,
    }
}

/// How a mail differs from what is expected, a line a key.
fn differences(row: &Row) -> Vec<String> {
    let mut expected = row.expected.clone();
    let envelope = expected.remove("envelope").unwrap_or_default();
    let ignored = expected.remove("ignore").unwrap_or_default();
    let envelope = Envelope { sender: envelope["sender"].as_str(), desk: envelope["desk"].as_str() };
    let told = told(&parse(&row.raw, envelope));
    let unknown =
        expected.keys().filter(|key| !told.contains_key(*key)).map(|key| format!("{}: {key} is nothing that is told", row.name));
    let mut found: Vec<String> = unknown.collect();
    for (key, told) in told {
        let is_ignored = ignored.as_array().is_some_and(|keys| keys.iter().any(|own| *own == key));
        let wanted = expected.get(&key).cloned().or_else(|| usual(&key).filter(|_| !is_ignored));
        match (wanted, told) {
            // In any order.
            (Some(Value::Array(mut wanted)), Value::Array(mut told)) if key == "defects" => {
                let by_name = |value: &Value| value.to_string();
                wanted.sort_by_key(by_name);
                told.sort_by_key(by_name);
                if wanted != told {
                    found.push(format!("{}: {key} is {told:?}, expected {wanted:?}", row.name));
                }
            }
            (Some(wanted), told) if wanted != told => {
                found.push(format!("{}: {key} is\n    {told}\n  expected\n    {wanted}", row.name))
            }
            _ => {}
        }
    }
    found
}

fn every_mail_of_the_corpus_is_read_as_expected() {
    let rows = corpus();
    assert!(rows.len() >= MAILS_MIN, "{} mails", rows.len());
    let found: Vec<String> = rows.iter().flat_map(differences).collect();
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
}

fn a_corpus_with_one_wrong_expectation_fails() {
    for key in ["said", "subject", "from", "files", "machine", "bounce", "is_spam", "defects", "no_such_key"] {
        let mut row = corpus().into_iter().find(|row| row.name == "plain").unwrap();
        assert_eq!(differences(&row), [] as [String; 0]);
        row.expected.insert(key.to_owned(), json!(["something else"]));
        assert_eq!(differences(&row).len(), 1, "{key}");
    }
}

/// What holds of any mail.
#[track_caller]
pub fn check(raw: &[u8]) {
    let parsed = parse(raw, Envelope::default());
    let lines = |text: &str| text.lines().filter(|line| !line.trim().is_empty()).count();
    assert_eq!(lines(&parsed.text), lines(&parsed.said) + lines(&parsed.quoted), "each line is said or quoted");
    let texts = [&parsed.subject, &parsed.text, &parsed.said, &parsed.quoted];
    assert!(texts.iter().all(|text| !text.contains('\0')), "NUL bytes are left out");
    assert!(parsed.subject.lines().count() <= 1, "a subject is one line");
    assert!(
        parsed.files.iter().all(|file| !file.name.is_empty() && !file.name.contains(['/', '\\', '\0'])),
        "{:?}",
        parsed.files
    );
    if let Some(html) = &parsed.html {
        harmless(html);
    }
}

/// No element, attribute or address in it runs or loads anything.
#[track_caller]
fn harmless(html: &str) {
    let mut rest = html;
    while let Some((_, tag)) = rest.split_once('<') {
        let (tag, after) = tag.split_once('>').expect("a tag that ends");
        rest = after;
        let mut name = tag.split([' ', '/']).find(|word| !word.is_empty()).unwrap_or_default().to_owned();
        name.make_ascii_lowercase();
        let forbidden = [
            "script", "style", "form", "input", "iframe", "object", "embed", "svg", "math", "link", "meta", "base", "body",
            "video",
        ];
        assert!(!forbidden.contains(&name.as_str()), "<{tag}> in {html}");
        for (at, part) in tag.split('"').enumerate() {
            let before = if at == 0 { "" } else { tag.split('"').nth(at - 1).unwrap_or_default().trim_start() };
            let value = part.to_lowercase();
            match (at % 2, before) {
                (0, _) => assert!(!part.contains(" on") && !part.contains("style=") && !part.contains("srcset="), "<{tag}>"),
                (_, "src=" | "img src=") => assert!(value.starts_with("cid:"), "<{tag}>"),
                (_, "href=" | "a href=") => {
                    let known = ["http:", "https:", "mailto:", "tel:"];
                    assert!(known.iter().any(|scheme| value.starts_with(scheme)), "<{tag}>");
                }
                _ => {}
            }
        }
    }
}

pub fn run<S: Strategy>(strategy: S, test: impl Fn(S::Value)) {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let checked = TestRunner::new(config).run(&strategy, |value| {
        test(value);
        Ok(())
    });
    checked.unwrap_or_else(|error| panic!("{error}"));
}

/// Words that matter to the reader, so that chance meets them.
const WORDS: &[&str] = &[
    "\r\n",
    "\n",
    "\r\n\r\n",
    "--b",
    "--b--",
    "--",
    ":",
    ";",
    "=?utf-8?q?",
    "?=",
    "=?",
    "<",
    ">",
    "@",
    "\"",
    "(",
    ")",
    ",",
    "\\",
    "\0",
    "\u{1b}$B",
    "From: ",
    "Subject: ",
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
    "Content-Type: message/rfc822\r\n\r\n",
    "Content-Type: text/html\r\n\r\n",
    "Content-Transfer-Encoding: base64\r\n",
    "filename*0*=utf-8''%C3",
    "> ",
    "On 1.1.2025 wrote:\r\n",
    "-- \r\n",
    "Status: 5.1.1\r\n",
    "é",
    "=",
    "=C3",
    "+AD4-",
];

fn any_bytes_are_read() {
    let word = prop_oneof![vec(any::<u8>(), 0..40), (0..WORDS.len()).prop_map(|at| WORDS[at].as_bytes().to_vec())];
    run(vec(word, 0..60), |words| check(&words.concat()));
}

/// Mails of the corpus, changed at some places: bytes taken out, words put in, pieces repeated, pieces of another mail.
pub fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let rows = corpus();
    let edit = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..40_usize, 0..4_u8);
    (any::<prop::sample::Index>(), any::<prop::sample::Index>(), vec(edit, 1..8)).prop_map(move |(first, second, edits)| {
        let mut raw = first.get(&rows).raw.clone();
        let other = &second.get(&rows).raw;
        for (at, word, length, kind) in edits {
            let from = at.index(raw.len() + 1);
            let to = (from + length).min(raw.len());
            let put: Vec<u8> = match kind {
                0 => Vec::new(),
                1 => word.get(WORDS).as_bytes().to_vec(),
                2 => raw[from..to].repeat(3),
                _ => other.iter().skip(word.index(other.len() + 1)).take(length * 4).copied().collect(),
            };
            raw.splice(from..to, put);
        }
        raw
    })
}

fn mutations_of_the_corpus_are_read() {
    run(mutated(), |raw| check(&raw));
}

/// Pieces of HTML that have hurt others.
const PIECES: &[&str] = &[
    "<script>",
    "</script>",
    "<style>",
    "</style>",
    "<svg>",
    "</svg>",
    "<math>",
    "<mglyph>",
    "<noscript>",
    "</noscript>",
    "<template>",
    "<title>",
    "</title>",
    "<textarea>",
    "<table>",
    "<tr>",
    "<td>",
    "</table>",
    "<p>",
    "</p>",
    "<b>",
    "</b>",
    "<i>",
    "<a href=\"",
    "javascript:1",
    "\">",
    "<img src=",
    "data:x",
    "cid:a",
    " onerror=1",
    "'",
    "\"",
    ">",
    "<",
    "</",
    "<!--",
    "-->",
    "--!>",
    "&lt;",
    "&#60;",
    "&quot;",
    "text",
    "=",
    "/",
    "\0",
    "<blockquote>",
    "<br>",
    "<pre>",
    "https://x",
    "<img src=https://x>",
    "<![CDATA[",
    "]]>",
    "<a title=\"<img src=x onerror=1>\">",
    "<form>",
    "<input>",
    "<plaintext>",
    "<font ",
    "style=x:y",
    "<select><b>",
];

fn any_html_is_made_harmless() {
    run(vec((0..PIECES.len()).prop_map(|at| PIECES[at]), 0..40), |pieces| {
        let clean = html::clean(&pieces.concat()).html;
        harmless(&clean);
        // Nothing comes to life when it is read again.
        assert_eq!(html::clean(&clean).html.matches('<').count(), clean.matches('<').count(), "{clean}");
        html::to_text(&clean);
    });
}
