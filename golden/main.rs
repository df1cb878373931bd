//! Runs the program on every folder of `fixtures/` and compares what it prints, writes and returns
//! with the folder of the same name beside this file. `--bless` rewrites the latter. How a case is
//! written stands in CONTRIBUTING.md.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test harness reads files and the command line, and reports on standard output"
)]

mod case;
mod definitions;
mod keys;
mod page;
mod readme;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use similar::TextDiff;

/// Files by their path below some folder.
type Files = BTreeMap<String, Vec<u8>>;

/// What the harness was asked for.
struct Request {
    is_bless: bool,
    is_list: bool,
    filters: Vec<String>,
}

fn main() -> ExitCode {
    let request = request();
    if request.is_list {
        return ExitCode::SUCCESS;
    }
    match run(&request) {
        Ok((passed, failed)) => {
            println!("{passed} passed, {failed} failed");
            ExitCode::from(u8::from(failed > 0))
        }
        Err(error) => {
            println!("the golden cases could not be run: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Reads the arguments: flags of the usual test harness are passed over.
fn request() -> Request {
    let args: Vec<String> = env::args().skip(1).collect();
    let has = |flag: &str| args.iter().any(|arg| arg == flag);
    Request {
        is_bless: has("--bless"),
        is_list: has("--list"),
        filters: args
            .iter()
            .filter(|a| !a.starts_with('-'))
            .cloned()
            .collect(),
    }
}

fn run(request: &Request) -> io::Result<(usize, usize)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut passed, mut failed) = (0, 0);
    let mut count = |name: &str, faults: Vec<String>| {
        if faults.is_empty() {
            passed += 1;
        } else {
            failed += 1;
        }
        for fault in faults {
            println!("FAIL {name}: {fault}");
        }
    };
    for name in names(root)? {
        if is_wanted(&name, request) {
            count(&name, judge(root, &name, request.is_bless)?);
        }
    }
    if is_wanted("KEYS", request) {
        count("KEYS", keys::faults(root)?);
    }
    if is_wanted("definitions", request) {
        count("definitions", definitions::faults(root, request.is_bless)?);
    }
    if is_wanted("docs", request) {
        count("docs", page::faults(root, request.is_bless)?);
    }
    if is_wanted("README", request) {
        match readme::faults(root, request.is_bless)? {
            Some(faults) => count("README", faults),
            None => println!("README: skipped, there is no case {}", readme::CASE),
        }
    }
    Ok((passed, failed))
}

fn is_wanted(name: &str, request: &Request) -> bool {
    request.filters.is_empty()
        || request
            .filters
            .iter()
            .any(|part| name.contains(part.as_str()))
}

/// Returns the names of all cases: of all fixtures, and of goldens whose fixture is gone.
fn names(root: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for folder in ["fixtures", "golden"] {
        let Ok(entries) = fs::read_dir(root.join(folder)) else {
            continue;
        };
        for entry in entries {
            let path = entry?.path();
            names.extend(
                path.file_name()
                    .filter(|_| path.is_dir())
                    .map(|name| name.to_string_lossy().into_owned()),
            );
        }
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// Runs a case; compares, or rewrites what is expected.
fn judge(root: &Path, name: &str, is_bless: bool) -> io::Result<Vec<String>> {
    let (fixture, golden) = (
        root.join("fixtures").join(name),
        root.join("golden").join(name),
    );
    if !fixture.is_dir() {
        if is_bless {
            fs::remove_dir_all(&golden)?;
            return Ok(Vec::new());
        }
        return Ok(vec![format!("golden/{name} has no fixture")]);
    }
    let case::Ran { files, mut faults } = case::run(&fixture)?;
    if is_bless && faults.is_empty() {
        bless(&golden, &files)?;
    } else {
        faults.extend(differences(&read_tree(&golden)?, &files));
    }
    Ok(faults)
}

/// Replaces the expected files.
fn bless(golden: &Path, files: &Files) -> io::Result<()> {
    if read_tree(golden)? == *files {
        return Ok(());
    }
    if golden.exists() {
        fs::remove_dir_all(golden)?;
    }
    for (path, bytes) in files {
        let path = golden.join(path);
        fs::create_dir_all(path.parent().unwrap_or(golden))?;
        fs::write(path, bytes)?;
    }
    Ok(())
}

/// Returns a unified diff for every file that is not as expected.
fn differences(expected: &Files, found: &Files) -> Vec<String> {
    let mut faults = Vec::new();
    let mut paths: Vec<&String> = expected.keys().chain(found.keys()).collect();
    paths.sort();
    paths.dedup();
    for path in paths {
        let text = |files: &Files| {
            let bytes = files.get(path).map_or(&[][..], Vec::as_slice);
            String::from_utf8_lossy(bytes).into_owned()
        };
        if expected.get(path) == found.get(path) {
            continue;
        }
        let what = match (expected.contains_key(path), found.contains_key(path)) {
            (true, false) => "is expected, and was not made",
            (false, true) => "was made, and is not expected",
            (true, true) | (false, false) => "differs",
        };
        let mut fault = format!("{path} {what}");
        let (old, new) = (text(expected), text(found));
        let diff = TextDiff::from_lines(old.as_str(), new.as_str());
        let _ = write!(
            fault,
            "\n{}",
            diff.unified_diff().header("expected", "found")
        );
        faults.push(fault);
    }
    faults
}

/// Reads all files below a folder; none where it is absent.
fn read_tree(root: &Path) -> io::Result<Files> {
    let mut files = Files::new();
    let mut folders: Vec<PathBuf> = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(below) = path.strip_prefix(root) {
                let below = below.to_string_lossy().replace('\\', "/");
                files.insert(below, fs::read(&path)?);
            }
        }
    }
    Ok(files)
}
