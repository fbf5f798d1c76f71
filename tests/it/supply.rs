//! What the desk is built from: where crates come from, under which licence, how often, and whether they have known holes.
use crate::support::{Test, plain, servers};
use semver::{Version, VersionReq};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

/// Tests of this file.
pub const TESTS: &[Test] = plain![
    every_crate_comes_from_the_registry_with_a_checksum,
    every_licence_is_one_that_we_may_use,
    no_crate_is_there_in_three_versions,
    no_crate_has_a_hole_that_is_known,
    the_rules_are_seen_to_fail,
];

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";
/// Licences that ask for no more than their text.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "PostgreSQL",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];
/// Holes that we live with, and why.
const ACCEPTED: &[(&str, &str)] = &[("RUSTSEC-2023-0071", "docs/decisions/0050: signing letters, which nobody can time")];

/// A crate of the lock file that is built on this machine's kind.
struct Package {
    name: String,
    version: Version,
    licence: String,
    source: Option<String>,
}

fn packages() -> Vec<Package> {
    let cargo = servers::variable("CARGO").unwrap_or_else(|| "cargo".to_owned());
    let kind = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let arguments = ["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", &kind];
    let asked = Command::new(cargo).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    let metadata: Value = serde_json::from_slice(&asked.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all: Vec<Package> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| Package {
            name: text(&package["name"]),
            version: text(&package["version"]).parse().unwrap(),
            licence: text(&package["license"]),
            source: package["source"].as_str().map(str::to_owned),
        })
        .collect();
    assert!(all.len() > 200, "{} crates", all.len());
    all
}

fn every_crate_comes_from_the_registry_with_a_checksum() {
    for Package { name, source, .. } in packages().iter().filter(|package| package.name != "deskbell") {
        assert_eq!(source.as_deref(), Some(REGISTRY), "{name}");
    }
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock")).unwrap();
    for part in lock.split("\n[[package]]\n").skip(1) {
        let is_ours = part.starts_with("name = \"deskbell\"");
        assert!(is_ours || part.contains(&format!("source = \"{REGISTRY}\"")) && part.contains("\nchecksum = \""), "{part}");
    }
}

/// Whether an SPDX expression can be met: `AND` needs both sides, `OR` (and the old `/`) one.
fn may_use(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (holds, rest) = either(&words);
    holds && rest.is_empty()
}

fn either<'a>(words: &'a [&'a str]) -> (bool, &'a [&'a str]) {
    let (mut holds, mut rest) = both(words);
    while let ["OR", more @ ..] = rest {
        let (other, left) = both(more);
        (holds, rest) = (holds || other, left);
    }
    (holds, rest)
}

fn both<'a>(words: &'a [&'a str]) -> (bool, &'a [&'a str]) {
    let (mut holds, mut rest) = one(words);
    while let ["AND", more @ ..] = rest {
        let (other, left) = one(more);
        (holds, rest) = (holds && other, left);
    }
    (holds, rest)
}

fn one<'a>(words: &'a [&'a str]) -> (bool, &'a [&'a str]) {
    match words {
        ["(", more @ ..] => match either(more) {
            (holds, [")", rest @ ..]) => (holds, rest),
            _ => (false, &[]),
        },
        [name, "WITH", exception, rest @ ..] => (LICENCES.contains(&format!("{name} WITH {exception}").as_str()), rest),
        [name, rest @ ..] => (LICENCES.contains(name), rest),
        [] => (false, &[]),
    }
}

fn every_licence_is_one_that_we_may_use() {
    for Package { name, licence, .. } in packages() {
        assert!(may_use(&licence), "{name} is under {licence:?}");
    }
}

/// Two are a change on its way; three are never needed.
fn no_crate_is_there_in_three_versions() {
    let mut versions: BTreeMap<String, Vec<Version>> = BTreeMap::new();
    packages().into_iter().for_each(|package| versions.entry(package.name).or_default().push(package.version));
    let often: Vec<_> = versions.iter().filter(|(_, versions)| versions.len() > 2).collect();
    assert!(often.is_empty(), "{often:?}");
}

/// One line of the list of holes.
struct Hole {
    id: String,
    name: String,
    spared: Vec<VersionReq>,
    title: String,
}

impl Hole {
    fn read(line: &str) -> Self {
        let (id, name, patched, unaffected, title): (String, String, Vec<String>, Vec<String>, String) =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let spared = patched.iter().chain(&unaffected).map(|text| text.parse().unwrap_or_else(|_| panic!("{id}: {text}")));
        Self { spared: spared.collect(), id, name, title }
    }

    fn is_in(&self, name: &str, version: &Version) -> bool {
        self.name == name && !self.spared.iter().any(|spared| spared.matches(version))
    }
}

/// `tests/run.sh` gives a fresh list where it can get one; `tests/advisories.jsonl` is the one that is kept.
fn no_crate_has_a_hole_that_is_known() {
    let kept = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/advisories.jsonl"));
    let list = servers::variable("DESKBELL_TEST_ADVISORIES").map_or(kept, PathBuf::from);
    let text = std::fs::read_to_string(&list).unwrap();
    let holes: Vec<Hole> = text.lines().skip(1).map(Hole::read).collect();
    assert!(holes.len() > 300, "{} holes in {}", holes.len(), list.display());
    let packages = packages();
    let mut met = Vec::new();
    for hole in &holes {
        for Package { name, version, .. } in packages.iter().filter(|package| hole.is_in(&package.name, &package.version)) {
            let why = ACCEPTED.iter().find(|(id, _)| *id == hole.id);
            assert!(why.is_some(), "{name} {version} has {}: {} (list of {})", hole.id, hole.title, text.lines().next().unwrap());
            met.push(hole.id.clone());
        }
    }
    for (id, why) in ACCEPTED {
        assert!(met.iter().any(|met| met == id), "{id} is no longer met and need not be accepted ({why})");
    }
}

fn the_rules_are_seen_to_fail() {
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("MIT OR GPL-3.0-only", true),
        ("MIT AND GPL-3.0-only", false),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("(GPL-2.0 OR Apache-2.0) AND AGPL-3.0", false),
        ("MIT/Apache-2.0", true),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("GPL-2.0 WITH Classpath-exception-2.0", false),
        ("", false),
        ("(MIT", false),
    ] {
        assert_eq!(may_use(expression), expected, "{expression}");
    }
    let hole = Hole::read(r#"["RUSTSEC-0", "a", [">= 1.2.3, < 2.0.0", ">= 2.1.0"], ["< 0.5.0"], "Bad"]"#);
    for (version, expected) in
        [("1.2.2", true), ("1.2.3", false), ("2.0.5", true), ("2.1.0", false), ("0.4.9", false), ("0.5.0", true)]
    {
        assert_eq!(hole.is_in("a", &version.parse().unwrap()), expected, "{version}");
    }
    assert!(!hole.is_in("b", &"1.0.0".parse().unwrap()));
}
