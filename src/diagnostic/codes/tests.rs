//! Holds the table of codes against the source, and against the gallery of what they look like.

#![expect(
    clippy::disallowed_methods,
    reason = "these tests read the source code and the gallery"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::GROUPS;

/// Codes that no input shows, and why.
const NOT_IN_GALLERY: &[(&str, &str)] = &[
    (
        "broken-index",
        "a folder that was written: disk/write/tests",
    ),
    (
        "empty-result",
        "a folder that was written: disk/write/tests",
    ),
    ("by-hand-first", "a plan: the case gitops-refused"),
    ("claims-owned", "a plan: the case gitops-refused"),
    ("keys-in-configmaps", "a plan: the case gitops-refused"),
    ("no-snapshot", "a plan: the case gitops-refused"),
    ("no-source-path", "a plan: the case gitops-refused"),
    ("partial-snapshot", "a plan: the case gitops-refused"),
    ("no-cluster-access", "a program without the feature runner"),
    ("roll-failed", "a cluster: apply/roll/tests"),
    ("gate-not-met", "a cluster: the suite apply"),
    ("no-way-to-cluster", "a cluster: the suite apply"),
    ("not-applied", "a cluster: the suite apply"),
    ("not-captured", "a cluster: the suite apply"),
    ("not-checked", "a cluster: the suite sidecars"),
    ("not-running", "a cluster: the suite runner"),
    ("not-wanted", "a cluster: the suite apply"),
    ("stopped", "a cluster: the suite apply"),
    ("state-unknown", "a plan: the case next-image"),
    (
        "too-many-batches",
        "a fleet of 501 instances: render/gitops/argocd",
    ),
    ("identity-disagrees", "a plan: the case identities-disagree"),
    (
        "inflates-too-far",
        "an archive of many megabytes: disk/read/tests",
    ),
    ("internal", "a fault of the program"),
    ("internal-breach", "a fault of the program"),
    ("link-loop", "a link: disk/read/tests"),
    (
        "link-outside",
        "a folder that was written: disk/write/tests",
    ),
    (
        "not-a-folder",
        "a folder that was written: disk/write/tests",
    ),
    ("not-ours", "a folder that was written: disk/write/tests"),
    ("not-written", "a full disk"),
    ("data-loss", "a plan: the case findings-of-plans"),
    ("identity-change", "a plan: the case findings-of-plans"),
    ("node-restart", "a plan: the case findings-of-plans"),
    ("node-stop", "a plan: the case findings-of-plans"),
    ("step-blocked", "a plan: the case findings-of-plans"),
    ("too-many-restarts", "a plan: the case findings-of-plans"),
    (
        "path-outside",
        "a folder that was written: disk/write/tests",
    ),
    (
        "snapshot-item-too-large",
        "an object of 8 MiB: parse/snapshot",
    ),
    ("too-large", "a document of 16 MiB: parse/yaml/tests"),
    ("tree-too-large", "a tree of 2 GiB"),
    ("unknown-revision", "a repository: disk/revision"),
    ("unreadable", "a fault of the program"),
    (
        "unreadable-file",
        "a file of somebody else: disk/read/tests",
    ),
];

#[test]
fn codes_are_unique_and_sorted_within_their_group() {
    let mut seen = BTreeSet::new();
    for group in GROUPS {
        let names: Vec<&str> = group.codes.iter().map(|code| code.name).collect();
        assert!(names.is_sorted(), "{names:?}");
        for name in names {
            assert!(seen.insert(name), "{name} stands twice");
        }
    }
}

#[test]
fn every_code_of_the_source_is_in_the_table_and_every_rule_of_the_table_in_the_source() {
    let known: BTreeSet<&str> = GROUPS
        .iter()
        .flat_map(|group| group.codes)
        .map(|code| code.name)
        .collect();
    let mut told = BTreeSet::new();
    let mut unknown = BTreeSet::new();
    for path in files("src", "rs") {
        let name = path.display().to_string();
        if name.contains("/codes") || name.ends_with("layers.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let is_test = name.contains("tests");
        for (before, word) in literals(code) {
            if known.contains(word.as_str()) {
                told.insert(word);
            } else if !is_test && is_told(&before) {
                unknown.insert(format!("{name}: {word}"));
            }
        }
    }
    assert!(
        unknown.is_empty(),
        "add these to the table of codes: {unknown:#?}"
    );
    let idle: Vec<&str> = super::rules()
        .filter(|rule| !told.contains(*rule))
        .collect();
    assert!(idle.is_empty(), "nothing tells of these: {idle:?}");
}

#[test]
fn the_gallery_shows_every_code() {
    let shown: String = files("golden", "txt")
        .into_iter()
        .filter(|path| path.display().to_string().contains("/gallery"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let is_shown = |code: &str| shown.contains(&format!("[{code}]"));
    let exempt = |code: &str| NOT_IN_GALLERY.iter().any(|(name, _)| *name == code);
    let missing: Vec<&str> = all()
        .filter(|code| !is_shown(code) && !exempt(code))
        .collect();
    assert!(
        missing.is_empty(),
        "add inputs for these to fixtures/lint.py: {missing:?}"
    );
    let wrong = NOT_IN_GALLERY.iter().filter(|(code, _)| is_shown(code));
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "these are shown after all: {wrong:?}");
}

/// Returns the codes that the gallery shows; what single commands say is in their own cases.
fn all() -> impl Iterator<Item = &'static str> {
    let is_of_command = |title: &str| title == super::commands::COMMANDS.title;
    let groups = GROUPS
        .iter()
        .filter(move |group| !is_of_command(group.title));
    groups.flat_map(|group| group.codes).map(|code| code.name)
}

/// Returns whether a literal behind this code is that of a diagnostic.
fn is_told(before: &str) -> bool {
    let before = before.trim_end();
    let callers = [
        "Diagnostic::error(",
        "Diagnostic::warning(",
        "finding(",
        "code:",
        "self.stop(span,",
        "self.fault(text,",
        "self.fault(span,",
        "self.fault(at,",
    ];
    callers.iter().any(|caller| before.ends_with(caller))
}

/// Returns the literals of a source that have the form of a code, each with what stands before.
fn literals(code: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices('"') {
        let word = code[at + 1..].split('"').next().unwrap();
        let is_code = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !word.is_empty() && word.chars().all(is_code) {
            let start = code[..at]
                .char_indices()
                .rev()
                .nth(60)
                .map_or(0, |(at, _)| at);
            found.push((code[start..at].to_owned(), word.to_owned()));
        }
    }
    found
}

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
