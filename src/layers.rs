//! The wall between the rooms, as a test: reads `src/` and fails where a room names one that it
//! may not import, or where the core reaches for the disk, the environment, the clock or other
//! processes. What is declared under `#[cfg(test)]` is exempt.

#![expect(clippy::disallowed_methods, reason = "this test reads the source code")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room, whether it is core (pure), and the rooms that it may import.
const ROOMS: &[(&str, bool, &str)] = &[
    ("model", true, ""),
    ("spread", true, ""),
    ("diagnostic", true, "model"),
    ("settings", true, "model diagnostic"),
    ("spec", true, "model diagnostic settings"),
    ("live", true, "model"),
    ("parse", true, "model diagnostic settings spec live spread"),
    ("lint", true, "model diagnostic settings spec live parse"),
    ("desired", true, "model spec live"),
    ("diff", true, "model live desired plan"),
    ("plan", true, "model spec live desired diff"),
    ("order", true, "model plan"),
    ("timeline", true, "model"),
    ("check", true, "model spec live desired plan"),
    ("explain", true, "model spec live desired diff plan"),
    ("review", true, "model settings spec live desired plan"),
    (
        "render",
        true,
        "model diagnostic settings live desired diff plan order explain review timeline spread",
    ),
    (
        "pipeline",
        true,
        "model diagnostic settings spec live parse lint desired diff plan order check explain review render spread",
    ),
    (
        "simulate",
        true,
        "model diagnostic settings spec parse plan pipeline timeline",
    ),
    (
        "keys",
        true,
        "model diagnostic spec live parse desired render",
    ),
    ("duties", true, "model spec"),
    ("disk", false, "model diagnostic settings render"),
    ("comet", false, "model"),
    ("sidecar", false, "model spec desired comet apply"),
    ("apply", false, "model parse live plan"),
    (
        "runner",
        false,
        "model diagnostic parse live plan pipeline keys apply duties spec comet",
    ),
    (
        "cli",
        false,
        "model diagnostic settings plan explain review render pipeline timeline simulate keys apply disk runner sidecar spread",
    ),
    ("lib", false, ""),
    ("main", false, ""),
    ("layers", false, ""),
];

/// What the core may not name.
const OUTSIDE: &[&str] = &["fs", "env", "time", "process", "net"];

#[test]
fn no_room_names_one_that_it_may_not_import() {
    let found = in_sources(|room, code| {
        let Some((_, _, allowed)) = ROOMS.iter().find(|(name, _, _)| *name == room) else {
            return vec![format!("the room `{room}` is not in the table of rooms")];
        };
        let allowed: BTreeSet<&str> = allowed.split(' ').chain([room]).collect();
        let named = named_after(code, "crate");
        let wrong = named.iter().filter(|name| !allowed.contains(name.as_str()));
        wrong
            .map(|name| format!("names the room `{name}`"))
            .collect()
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_core_is_pure() {
    let found = in_sources(|room, code| {
        if !ROOMS
            .iter()
            .any(|(name, is_core, _)| *name == room && *is_core)
        {
            return Vec::new();
        }
        let named = named_after(code, "std");
        let wrong = named.iter().filter(|name| OUTSIDE.contains(&name.as_str()));
        wrong.map(|name| format!("names `std::{name}`")).collect()
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn paths_across_rooms_start_at_the_crate() {
    let found = in_sources(|_, code| {
        let is_wrong = code.contains("super::super");
        is_wrong
            .then(|| "names `super::super`".to_owned())
            .into_iter()
            .collect()
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn files_are_written_through_one_door() {
    // what is to lie on a disk must go by those who see to its mode, and that it is whole
    const DOOR: &str = "disk/write";
    const MAKES: &[&str] = &[
        "fs::write",
        "File::create",
        "OpenOptions",
        "create_dir",
        "tempfile::",
    ];
    let found: Vec<String> = in_sources(|_, code| {
        let makes = MAKES.iter().filter(|name| code.contains(**name));
        makes.map(|name| format!("names `{name}`")).collect()
    });
    let is_test = |what: &str| what.contains("/tests.rs:");
    let wrong: Vec<&String> = found
        .iter()
        .filter(|what| !what.starts_with(DOOR) && !is_test(what))
        .collect();
    assert!(wrong.is_empty(), "only {DOOR} makes files: {wrong:?}");
    assert!(!found.is_empty(), "the door itself is not seen");
}

#[test]
fn pages_alone_write_markup() {
    // what escapes markup is trusted in one place, and looked at there
    let found = in_sources(|_, code| {
        let is_named = code.contains("maud::");
        is_named
            .then(|| "names `maud`".to_owned())
            .into_iter()
            .collect()
    });
    let is_of_pages =
        |what: &&String| what.starts_with("render/html/") || what.starts_with("render/html.rs");
    let (inside, outside): (Vec<&String>, Vec<&String>) = found.iter().partition(is_of_pages);
    assert!(
        outside.is_empty(),
        "only render/html writes markup: {outside:?}"
    );
    assert!(!inside.is_empty(), "the room itself is not seen");
    let unescaped = in_sources(|_, code| {
        let places = code.matches("PreEscaped(").count();
        (places > 0)
            .then(|| places.to_string())
            .into_iter()
            .collect()
    });
    // our own style sheet and script
    assert_eq!(unescaped, ["render/html/frame.rs: 2"]);
}

#[test]
fn every_file_says_what_lives_in_it() {
    let wrong: Vec<String> = sources()
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//! "))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(wrong.is_empty(), "these do not open with `//!`: {wrong:?}");
}

/// Calls `judge` with the room and the code of every file; returns what it found, with the file.
fn in_sources(judge: impl Fn(&str, &str) -> Vec<String>) -> Vec<String> {
    let sources = sources();
    let tests: Vec<PathBuf> = sources
        .iter()
        .flat_map(|(path, text)| test_modules(path, text))
        .collect();
    let mut found = Vec::new();
    for (path, text) in &sources {
        let module = path.with_extension("");
        if tests.iter().any(|test| module.starts_with(test)) {
            continue;
        }
        let first = module.components().next().unwrap();
        let room = Path::new(first.as_os_str());
        let wrong = judge(room.to_str().unwrap(), &code(text));
        found.extend(
            wrong
                .iter()
                .map(|what| format!("{}: {what}", path.display())),
        );
    }
    found
}

/// Returns every source file below `src/`, by its path there.
fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(&root).unwrap().to_owned(), text));
            }
        }
    }
    found.sort();
    assert!(found.len() > 10, "the sources were not found");
    found
}

/// Returns the modules, by their paths without an ending, that a file declares for tests alone and
/// whose code lies in files of their own.
fn test_modules(path: &Path, text: &str) -> Vec<PathBuf> {
    let is_root = path == Path::new("lib.rs");
    let folder = if is_root {
        PathBuf::new()
    } else {
        path.with_extension("")
    };
    let mut found = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    for pair in lines.windows(2) {
        let declared = pair[1].trim_start_matches("pub(crate) ");
        let name = declared
            .strip_prefix("mod ")
            .and_then(|name| name.strip_suffix(';'));
        if let ("#[cfg(test)]", Some(name)) = (pair[0], name) {
            found.push(folder.join(name));
        }
    }
    found
}

/// Returns a file's code without its comments and without the test module at its end.
fn code(text: &str) -> String {
    let text = match text.find("#[cfg(test)]\nmod tests {") {
        Some(end) => &text[..end],
        None => text,
    };
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    text.lines().filter(is_code).collect::<Vec<_>>().join("\n")
}

/// Returns the names that stand behind `root::`, alone or in a group.
fn named_after(code: &str, root: &str) -> BTreeSet<String> {
    let start = format!("{root}::");
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices(&start) {
        let is_whole = !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
        if is_whole {
            names.extend(heads(&code[at + start.len()..]));
        }
    }
    names
}

/// Returns the first name of a path, or the first names of all paths of a group.
fn heads(rest: &str) -> Vec<String> {
    let name = |text: &str| {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
        text[..end.unwrap_or(text.len())].to_owned()
    };
    let Some(group) = rest.strip_prefix('{') else {
        return vec![name(rest)];
    };
    let mut depth = 0;
    let mut heads = vec![String::new()];
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => heads.push(String::new()),
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 && c != ',' {
            heads.last_mut().unwrap().push(c);
        }
    }
    let heads = heads.iter().map(|head| name(head.trim()));
    heads
        .filter(|head| !head.is_empty() && head != "self")
        .collect()
}

#[test]
fn only_what_is_declared_for_tests_is_exempt() {
    let text =
        "#[cfg(test)]\npub(crate) mod a;\n#[cfg(test)]\nmod b;\nmod c;\n#[cfg(test)]\nmod d {";
    let tests = |path: &str| test_modules(Path::new(path), text);
    assert_eq!(tests("room.rs"), [Path::new("room/a"), Path::new("room/b")]);
    assert_eq!(tests("lib.rs"), [Path::new("a"), Path::new("b")]);
}

#[track_caller]
fn check_named(code: &str, expected: &[&str]) {
    let names: Vec<String> = named_after(code, "crate").into_iter().collect();
    assert_eq!(names, expected, "{code}");
}

#[test]
fn imports_are_seen_however_they_are_written() {
    check_named("use crate::plan::Plan;", &["plan"]);
    check_named("let x = crate::disk::read();", &["disk"]);
    check_named(
        "use crate::{plan, model::{A, B}, disk::{self, x}};",
        &["disk", "model", "plan"],
    );
    check_named("use crate::{\n    plan,\n    disk,\n};", &["disk", "plan"]);
    check_named("pub(crate) fn x() {} my_crate::disk()", &[]);
}
