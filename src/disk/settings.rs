//! Finds and reads the settings of the tree that the specifications lie in.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::read::unreadable;
use crate::diagnostic::{Diagnostic, Reported};
use crate::model::Source;
use crate::settings::FILE;

/// Reads the file that is named, or the one nearest above the specifications: in the folder of
/// each, or in one above it up to the root of the Git work tree (or of the disk, outside of one).
/// What comes from standard input belongs to the current folder.
#[must_use]
pub fn settings(specs: &[String], named: Option<&str>) -> Reported<Option<Source>> {
    if let Some(name) = named {
        return read(name, Path::new(name));
    }
    let mut found: BTreeMap<PathBuf, &str> = BTreeMap::new();
    for spec in specs {
        if let Some(file) = above(spec) {
            found.entry(file).or_insert(spec);
        }
    }
    let mut files = found.iter();
    let Some((file, spec)) = files.next() else {
        return Reported::clean(None);
    };
    if let Some((other, by)) = files.next() {
        let message = format!(
            "two settings would hold: {} for {spec} and {} for {by}",
            shown(file),
            shown(other),
        );
        let fault = Diagnostic::error("several-settings", message);
        let hint = "name the one that is meant with --config";
        return Reported {
            value: None,
            diagnostics: vec![fault.hint(hint)],
        };
    }
    read(&shown(file), file)
}

/// Returns the nearest settings above a specification.
fn above(spec: &str) -> Option<PathBuf> {
    let path = if spec == "-" { "." } else { spec };
    let real = fs::canonicalize(path).ok()?;
    for folder in real.ancestors().filter(|folder| folder.is_dir()) {
        let file = folder.join(FILE);
        if file.is_file() {
            return Some(file);
        }
        if folder.join(".git").exists() {
            break;
        }
    }
    None
}

/// Returns a path as seen from the current folder where it lies below it or above.
fn shown(file: &Path) -> String {
    let here = fs::canonicalize(".").unwrap_or_default();
    if let Ok(below) = file.strip_prefix(&here) {
        return below.display().to_string();
    }
    let folder = file.parent().unwrap_or(file);
    match here.strip_prefix(folder) {
        Ok(down) => "../".repeat(down.components().count()) + FILE,
        Err(_) => file.display().to_string(),
    }
}

fn read(name: &str, path: &Path) -> Reported<Option<Source>> {
    match fs::read(path) {
        Ok(bytes) => Reported::clean(Some(Source {
            name: name.to_owned(),
            bytes,
        })),
        Err(error) => Reported {
            value: None,
            diagnostics: vec![unreadable(name, &error)],
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        root
    }

    /// Checks which file holds for some specs, all below a tree of these files.
    #[track_caller]
    fn check(files: &[&str], specs: &[&str], expected: Option<&str>) {
        let root = tree(files);
        let below = |path: &&str| root.path().join(path).display().to_string();
        let specs: Vec<String> = specs.iter().map(below).collect();
        let read = settings(&specs, None);
        assert!(read.diagnostics.is_empty(), "{:?}", read.diagnostics);
        let bytes = read.value.map(|source| source.bytes);
        assert_eq!(bytes.as_deref(), expected.map(str::as_bytes));
    }

    #[test]
    fn the_nearest_file_above_the_specifications_holds() {
        let top = "cosmos-render.toml";
        check(
            &[top, ".git/HEAD", "a/b/hub.yaml"],
            &["a/b/hub.yaml"],
            Some(top),
        );
        check(
            &[top, ".git/HEAD", "a/b/hub.yaml"],
            &["a", "a/b"],
            Some(top),
        );
        let near = "a/cosmos-render.toml";
        check(
            &[top, near, ".git/HEAD", "a/b/hub.yaml"],
            &["a/b"],
            Some(near),
        );
        check(&[".git/HEAD", "a/hub.yaml"], &["a"], None);
    }

    #[test]
    fn what_lies_outside_of_the_work_tree_does_not_hold() {
        check(
            &["cosmos-render.toml", "a/.git/HEAD", "a/hub.yaml"],
            &["a"],
            None,
        );
    }

    #[test]
    fn two_files_are_one_too_many() {
        let root = tree(&[".git/HEAD", "a/cosmos-render.toml", "b/cosmos-render.toml"]);
        let specs = ["a", "b"].map(|folder| root.path().join(folder).display().to_string());
        assert_eq!(
            settings(&specs, None).diagnostics[0].code,
            "several-settings"
        );
        let named = root
            .path()
            .join("b/cosmos-render.toml")
            .display()
            .to_string();
        let read = settings(&specs, Some(&named));
        assert_eq!(read.value.unwrap().bytes, b"b/cosmos-render.toml");
    }

    #[test]
    fn a_named_file_must_be_there() {
        let read = settings(&[], Some("no/such/file.toml"));
        assert_eq!(read.diagnostics[0].code, "missing-file");
    }
}
