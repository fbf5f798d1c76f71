//! Who may know whom (STYLE 3): reads the source and fails on an offence. Each rule is seen to fail once on a planted one.
use crate::support::{Test, plain};
use std::fmt;
use std::path::{Path, PathBuf};

/// Tests of this file.
pub const TESTS: &[Test] = plain![
    the_source_keeps_the_rules,
    every_rule_is_seen_to_fail,
    every_schema_has_a_name_of_its_own,
    every_test_file_is_listed,
];

/// A file past this asks to be split.
const LINES_MAX: usize = 400;

/// Written from the tables, and as long as they are.
const GENERATED: &str = "db/schema.rs";

/// Which files a rule is about.
type About = fn(&Source) -> bool;

/// Words that some files may not mention.
struct Rule {
    name: &'static str,
    about: About,
    forbidden: &'static [&'static str],
}

const RULES: &[Rule] = &[
    Rule {
        name: "a pure file knows neither database, web, mail, time of day, environment nor chance",
        about: Source::is_pure,
        forbidden: &["diesel", "actix_web", "lettre", "tokio", "crate::db", "crate::http", "Utc::now", "std::env", "rand"],
    },
    Rule {
        name: "store and queries know no web, no mail and no verbs",
        about: |source| source.is_called("store") || source.is_called("queries"),
        forbidden: &["actix_web", "crate::http", "lettre", "commands"],
    },
    Rule {
        name: "commands know no web, no mail and no tables",
        about: |source| source.is_called("commands"),
        forbidden: &["actix_web", "crate::http", "lettre", "db::schema", "schema::"],
    },
    Rule {
        name: "api and pages know no SQL",
        about: |source| source.is_called("api") || source.is_called("pages"),
        forbidden: &["diesel", "db::schema", "schema::"],
    },
    Rule {
        name: "api and pages of a slice with commands do not load and save",
        about: |source| (source.is_called("api") || source.is_called("pages")) && source.has_commands,
        forbidden: &["store"],
    },
];

/// A file, read for its rules.
struct Source {
    path: PathBuf,
    text: String,
    /// Whether its folder has verbs.
    has_commands: bool,
}

/// A line that breaks a rule.
#[derive(Debug, PartialEq)]
struct Offence {
    path: PathBuf,
    line: usize,
    what: String,
}

impl fmt::Display for Offence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path.display(), self.line, self.what)
    }
}

impl Source {
    fn stem(&self) -> &str {
        self.path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default()
    }

    /// `api.rs`, and `api_messages.rs` where it was split.
    fn is_called(&self, name: &str) -> bool {
        self.stem().strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    }

    fn is_pure(&self) -> bool {
        let named = ["model", "hours", "score"].contains(&self.stem()) || self.path.ends_with("sla/clock.rs");
        named || self.text.lines().next().is_some_and(|line| line.trim_end().ends_with("Pure."))
    }

    fn is_tests(&self) -> bool {
        self.stem() == "tests" || self.stem().ends_with("_tests")
    }

    /// The folder as a path of modules: `src/sla/store.rs` is in `["sla"]`.
    fn folder(&self) -> Vec<String> {
        let parent = self.path.parent().unwrap_or(Path::new(""));
        parent.iter().skip(1).map(|part| part.to_string_lossy().into_owned()).collect()
    }

    /// Code by line, without comments, strings and tests; each `use` as the paths that it brings in.
    fn code(&self) -> Vec<(usize, String)> {
        let bare = without_comments_and_strings(&self.text);
        let end = bare.find("#[cfg(test)]\nmod ").unwrap_or(bare.len());
        let mut lines = Vec::new();
        let mut rest = bare.get(..end).unwrap_or_default().split_inclusive('\n').enumerate();
        while let Some((at, line)) = rest.next() {
            let start = line.trim_start();
            let is_use =
                ["use ", "pub use ", "pub(crate) use ", "pub(super) use "].iter().find_map(|word| start.strip_prefix(word));
            let Some(tree) = is_use else {
                lines.push((at + 1, line.to_owned()));
                continue;
            };
            let mut tree = tree.to_owned();
            while !tree.contains(';') {
                let Some((_, more)) = rest.next() else { break };
                tree.push_str(more);
            }
            let tree: String = tree.split(';').next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
            lines.extend(leaves("", &tree).into_iter().map(|path| (at + 1, path)));
        }
        lines
    }
}

/// The paths of a `use` tree: `a::{b, c::{d, e}}` is `a::b`, `a::c::d`, `a::c::e`.
fn leaves(prefix: &str, tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((head, inner)) = tree.split_once('{') else {
        return if tree.is_empty() { Vec::new() } else { vec![format!("{prefix}{tree}")] };
    };
    let prefix = format!("{prefix}{}", head.trim());
    let inner = inner.strip_suffix('}').unwrap_or(inner);
    let (mut depth, mut start, mut found) = (0_i32, 0, Vec::new());
    for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                found.extend(leaves(&prefix, inner.get(start..at).unwrap_or_default()));
                start = at + 1;
            }
            _ => {}
        }
    }
    found
}

/// The same lines, with comments and the insides of strings blanked.
fn without_comments_and_strings(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let chars: Vec<char> = text.chars().collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let mut index = 0;
    while index < chars.len() {
        let (skip, keep) = match at(index) {
            '/' if at(index + 1) == '/' => ((index..chars.len()).take_while(|i| at(*i) != '\n').count(), ""),
            '/' if at(index + 1) == '*' => {
                let end = (index + 2..chars.len()).find(|i| at(*i) == '*' && at(*i + 1) == '/').unwrap_or(chars.len());
                (end + 2 - index, "")
            }
            'r' if at(index + 1) == '"' || (at(index + 1) == '#' && (at(index + 2) == '"' || at(index + 2) == '#')) => {
                let hashes = (index + 1..chars.len()).take_while(|i| at(*i) == '#').count();
                let is_end = |i: &usize| at(*i) == '"' && (1..=hashes).all(|more| at(*i + more) == '#');
                let end = (index + hashes + 2..chars.len()).find(is_end).unwrap_or(chars.len());
                (end + hashes + 1 - index, "\"\"")
            }
            '"' => {
                let mut end = index + 1;
                while end < chars.len() && at(end) != '"' {
                    end += if at(end) == '\\' { 2 } else { 1 };
                }
                (end + 1 - index, "\"\"")
            }
            '\'' if at(index + 2) == '\'' => (3, "' '"),
            '\'' if at(index + 1) == '\\' => ((index + 3..chars.len()).take_while(|i| at(*i) != '\'').count() + 4, "' '"),
            _ => (0, ""),
        };
        if skip == 0 {
            out.push(at(index));
            index += 1;
            continue;
        }
        out.push_str(keep);
        // Lines keep their numbers.
        out.extend((index..index + skip).map(at).filter(|c| *c == '\n'));
        index += skip;
    }
    out
}

/// Whether a line names a word or path as a whole, and not as a field or method.
fn mentions(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(|c| is_part(c) || c == '.') && (word.ends_with(':') || !after.is_some_and(is_part))
    })
}

/// Paths in a line that lead into another slice's private rooms.
fn trespasses(line: &str, folder: &[String]) -> Vec<String> {
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let mut found = Vec::new();
    for path in line.split(|c| !is_path(c)).filter(|path| path.contains("::")) {
        let mut parts: Vec<&str> = path.split("::").collect();
        let Some(room) = parts.iter().position(|part| ["store", "api", "pages"].contains(part)) else { continue };
        parts.truncate(room);
        let is_own = match parts.as_slice() {
            // From a file, `super` is its own folder.
            ["super" | "self"] | [] => true,
            ["super", ..] => false,
            ["crate", inside @ ..] => inside.iter().copied().eq(folder.iter().map(String::as_str)),
            // What was brought in by name, such as `tickets` of `tickets::store`.
            [.., last] => folder.last().is_some_and(|own| own == last),
        };
        if !is_own {
            found.push(path.to_owned());
        }
    }
    found
}

fn read(root: &Path) -> Vec<Source> {
    let (mut folders, mut sources) = (vec![root.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let has_commands = folder.join("commands.rs").exists();
                let shown = path.strip_prefix(root.parent().unwrap()).unwrap().to_owned();
                sources.push(Source { path: shown, text, has_commands });
            }
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!sources.is_empty(), "{} has no source", root.display());
    sources
}

/// All offences of a tree; `root` is its folder `src`.
fn offences(root: &Path) -> Vec<Offence> {
    let mut found = Vec::new();
    for source in read(root) {
        let mut offend = |line: usize, what: String| found.push(Offence { path: source.path.clone(), line, what });
        if !source.text.starts_with("//!") {
            offend(1, "a file begins with one sentence after `//!` that says what it is".to_owned());
        }
        let lines = source.text.lines().count();
        if lines > LINES_MAX && !source.is_tests() && !source.path.ends_with(GENERATED) {
            offend(lines, format!("{lines} lines: a file past {LINES_MAX} asks to be split"));
        }
        if source.is_tests() {
            continue;
        }
        let folder = source.folder();
        let rules: Vec<&Rule> = RULES.iter().filter(|rule| (rule.about)(&source)).collect();
        for (line, code) in source.code() {
            for rule in &rules {
                for word in rule.forbidden.iter().filter(|word| mentions(&code, word)) {
                    offend(line, format!("`{word}`: {}", rule.name));
                }
            }
            if !folder.is_empty() {
                for path in trespasses(&code, &folder) {
                    offend(
                        line,
                        format!("`{path}`: a slice may call another's commands and queries, not its store, api or pages"),
                    );
                }
            }
        }
    }
    found.dedup();
    found
}

/// Types of the API's description are told apart by their names alone: of two with one name the description would show one.
fn every_schema_has_a_name_of_its_own() {
    let mut named: std::collections::BTreeMap<String, Vec<String>> = std::collections::BTreeMap::new();
    for source in read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let mut is_described = false;
        for line in source.text.lines().map(str::trim_start) {
            if line.starts_with("#[derive(") {
                is_described = line.contains("ToSchema");
            } else if line == "names! {" {
                is_described = true;
            } else if let Some((_, rest)) = line.split_once("struct ").or_else(|| line.split_once("enum "))
                && !line.starts_with("//")
                && std::mem::take(&mut is_described)
            {
                let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
                if name.is_empty() {
                    continue;
                }
                named.entry(name.to_owned()).or_default().push(source.path.display().to_string());
            }
        }
    }
    assert!(named.len() > 100, "{} schemas: is the source read?", named.len());
    named.retain(|_, places| places.len() > 1);
    assert!(named.is_empty(), "these share a name: {named:?}");
}

fn the_source_keeps_the_rules() {
    let found = offences(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let listed: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(listed.is_empty(), "{} offences against STYLE 3:\n{}", listed.len(), listed.join("\n"));
}

/// One planted line, and the word that its offence names; none where it is allowed.
const PLANTED: &[(&str, &str, Option<&str>)] = &[
    ("tickets/model.rs", "//! X.\nuse diesel::prelude::*;", Some("`diesel`")),
    ("tickets/model.rs", "//! X.\nuse crate::{db::Conn, error::Error};", Some("`crate::db`")),
    ("tickets/model.rs", "//! X.\nfn f() { let now = chrono::Utc::now(); }", Some("`Utc::now`")),
    ("tickets/model.rs", "//! X.\n// diesel\nfn f() { random(); let s = \"diesel\"; }", None),
    ("tickets/model.rs", "//! X.\nfn f() {}\n#[cfg(test)]\nmod tests {\n    use rand::Rng;\n}", None),
    ("sla/clock.rs", "//! X.\nuse std::{env, fmt};", Some("`std::env`")),
    ("clock.rs", "//! X.\nfn f() { chrono::Utc::now(); }", None),
    ("mail/parse.rs", "//! X. Pure.\nuse crate::{\n    http,\n};", Some("`crate::http`")),
    ("mail/parse.rs", "//! X.\nuse crate::http;", None),
    ("tickets/store.rs", "//! X.\nuse super::{commands, model};", Some("`commands`")),
    ("tickets/queries_lists.rs", "//! X.\nfn f() { lettre::send(); }", Some("`lettre`")),
    ("tickets/commands.rs", "//! X.\nuse crate::db::{Conn, schema::tickets};", Some("`db::schema`")),
    ("tickets/commands.rs", "//! X.\nuse crate::http::auth::Agent;", Some("`crate::http`")),
    ("tickets/api.rs", "//! X.\nuse super::store::{self};", Some("`store`")),
    ("tickets/api_messages.rs", "//! X.\nfn f() { diesel::insert_into(); }", Some("`diesel`")),
    ("tickets/api.rs", "//! X.\n#[schema(max_length = 3)]\nstruct A { restore: i32 }\nfn f() { flag.store(1); }", None),
    ("tags/api.rs", "//! X.\nuse super::store;", None),
    ("tags/api.rs", "//! X.\nuse crate::{error, tickets::store};", Some("another's commands and queries")),
    ("tags/jobs.rs", "//! X.\nfn f() { tickets::api::list() }", Some("another's commands and queries")),
    (
        "tags/jobs.rs",
        "//! X.\nuse crate::tickets::{commands, queries};\nfn f() { super::store::find(); crate::tags::store::find() }",
        None,
    ),
    ("tags/mod.rs", "/// X.\nfn f() {}", Some("begins with one sentence")),
];

fn every_rule_is_seen_to_fail() {
    for (path, text, expected) in PLANTED {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("src");
        for (path, text) in [("tickets/commands.rs", "//! X.\n"), (path, text)] {
            std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            std::fs::write(root.join(path), text).unwrap();
        }
        let found: Vec<String> = offences(&root).iter().map(ToString::to_string).collect();
        match expected {
            None => assert!(found.is_empty(), "{path}: {text:?} is allowed, but: {found:?}"),
            Some(word) => assert!(found.iter().any(|offence| offence.contains(word)), "{path}: {text:?} gives {found:?}"),
        }
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("src")).unwrap();
    std::fs::write(folder.path().join("src/long.rs"), format!("//! X.{}", "\n".repeat(LINES_MAX + 1))).unwrap();
    assert_eq!(offences(&folder.path().join("src")).len(), 1, "a long file");
}

fn every_test_file_is_listed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let sources = read(&root);
    let lists: String =
        sources.iter().filter(|source| ["main", "mod"].contains(&source.stem())).map(|source| source.text.as_str()).collect();
    for source in &sources {
        assert!(source.text.starts_with("//!"), "{} does not say what it is", source.path.display());
        if source.text.contains("\npub const TESTS") && source.stem() != "mod" {
            let list = format!("{}::TESTS", source.stem());
            assert!(lists.contains(&list), "{list} is not among the lists of tests/it/main.rs: its tests do not run");
        }
    }
}
