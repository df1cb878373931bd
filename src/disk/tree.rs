//! The files of the tree around specifications, as far as they may hold keys; and paths as seen
//! from the current folder.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use ignore::WalkBuilder;

use super::{Limits, read};
use crate::diagnostic::{Diagnostic, Reported};
use crate::model::Source;
use crate::settings::FILE;

/// Larger files are no key files, and snapshots above it are none that anybody keeps in Git.
const LARGEST: u64 = 64 << 20;
/// So much is read of one tree.
const TOTAL: u64 = 2 << 30;

/// Reads the files below the specifications' folders and the roots of their trees, and keeps those
/// that `is_wanted`. The root of a tree is the nearest folder above with settings, or else the root
/// of the Git work tree; without either, what is named itself is searched. Hidden files
/// count, those that a `.gitignore` names do not: they do not get into Git.
#[must_use]
pub fn tree(specs: &[String], is_wanted: fn(&[u8]) -> bool) -> Reported<Vec<Source>> {
    let mut found = Reported::clean(Vec::new());
    let mut seen = BTreeSet::new();
    let mut left = TOTAL;
    for root in roots(specs) {
        let walk = WalkBuilder::new(&root)
            .standard_filters(false)
            .hidden(false)
            .parents(true)
            .git_ignore(true)
            .git_exclude(true)
            .require_git(false)
            .sort_by_file_name(Ord::cmp)
            .filter_entry(|entry| entry.file_name() != ".git")
            .build();
        // what cannot be walked is told where it is read as a specification
        for entry in walk.filter_map(Result::ok) {
            let size = entry.metadata().map_or(0, |about| about.len());
            let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
            if !is_file || size > LARGEST || !seen.insert(entry.path().to_owned()) {
                continue;
            }
            let Some(rest) = left.checked_sub(size) else {
                let message = format!("only the first {} GiB were searched for keys", TOTAL >> 30);
                let cut = Diagnostic::warning("tree-too-large", message);
                let cut = cut.hint("keep what is no source out with a .gitignore");
                found.diagnostics.push(cut.at(shown(&root), ""));
                return found;
            };
            left = rest;
            found.value.extend(wanted(entry.path(), is_wanted));
        }
    }
    found
}

fn wanted(path: &Path, is_wanted: fn(&[u8]) -> bool) -> Option<Source> {
    let name = shown(path);
    let is_packed = [".gz", ".zst"].iter().any(|end| name.ends_with(end));
    if is_packed {
        let limits = Limits {
            total: LARGEST,
            inflated: LARGEST,
            ..Limits::default()
        };
        let packed = [path.to_string_lossy().into_owned()];
        let source = read(&packed, &[], &mut io::empty(), &limits).value.pop()?;
        let bytes = source.bytes;
        return is_wanted(&bytes).then_some(Source { name, bytes });
    }
    let bytes = fs::read(path).ok()?;
    is_wanted(&bytes).then_some(Source { name, bytes })
}

/// Returns the folders that are searched, none inside another.
fn roots(specs: &[String]) -> BTreeSet<PathBuf> {
    let found: BTreeSet<PathBuf> = specs.iter().filter_map(|spec| root(spec)).collect();
    let is_outermost = |folder: &&PathBuf| {
        let mut above = folder.ancestors().skip(1);
        !above.any(|above| found.contains(above))
    };
    found.iter().filter(is_outermost).cloned().collect()
}

fn root(spec: &str) -> Option<PathBuf> {
    let path = if spec == "-" { "." } else { spec };
    let real = fs::canonicalize(path).ok()?;
    let mut above = real.ancestors().filter(|folder| folder.is_dir());
    let is_root = |folder: &&Path| folder.join(FILE).is_file() || folder.join(".git").exists();
    let root = above.find(is_root).map(Path::to_owned);
    root.or_else(|| (spec != "-").then_some(real))
}

/// Returns a path as seen from the current folder, where it lies below.
#[must_use]
pub fn from_here(path: &str) -> String {
    if path.starts_with('/') {
        return shown(Path::new(path));
    }
    let parts = Path::new(path).components();
    let kept: PathBuf = parts.filter(|part| *part != Component::CurDir).collect();
    kept.to_string_lossy().into_owned()
}

fn shown(path: &Path) -> String {
    let here = fs::canonicalize(".").unwrap_or_default();
    let below = path.strip_prefix(&here).unwrap_or(path);
    below.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(files: &[&str], spec: &str, expected: &[&str]) {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let text = if file.ends_with(".gitignore") {
                "ignored\n"
            } else {
                "key"
            };
            fs::write(path, text).unwrap();
        }
        let spec = root.path().join(spec).display().to_string();
        let found = tree(&[spec], |bytes| bytes == b"key");
        let real = fs::canonicalize(root.path()).unwrap();
        let names = found.value.iter().map(|source| {
            let name = Path::new(&source.name).strip_prefix(&real).unwrap();
            name.display().to_string()
        });
        assert_eq!(names.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_whole_tree_is_searched_but_for_what_git_never_sees() {
        let files = [
            ".git/HEAD",
            ".gitignore",
            ".hidden/a",
            "b/c.yaml",
            "b/ignored",
            "d/e",
        ];
        check(&files, "b", &[".hidden/a", "b/c.yaml", "d/e"]);
        check(&files, "b/c.yaml", &[".hidden/a", "b/c.yaml", "d/e"]);
    }

    #[test]
    fn settings_are_the_root_of_a_tree() {
        let files = [".git/HEAD", "a", "t/cosmos-render.toml", "t/s/x.yaml"];
        check(&files, "t/s", &["t/cosmos-render.toml", "t/s/x.yaml"]);
    }

    #[test]
    fn outside_of_a_tree_only_what_is_named_is_searched() {
        check(&["a/x.yaml", "b"], "a", &["a/x.yaml"]);
        check(&["a/x.yaml", "a/y.yaml"], "a/x.yaml", &["a/x.yaml"]);
    }
}
