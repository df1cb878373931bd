//! Whether a tree may be written into a folder: all that speaks against it, found before the
//! first file is touched.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::render::Tree;

use super::index::{self, Index};
use super::{Options, below, is_equal};

/// Returns everything that speaks against writing the tree.
pub(super) fn faults(dir: &str, tree: &Tree, former: &Index, options: Options) -> Vec<Diagnostic> {
    if tree.is_empty() && !former.is_empty() && !options.allow_empty {
        let count = former.paths().count();
        let message = format!("nothing was rendered, but {count} files of a former run are here");
        let hint = "say --allow-empty where they are meant to go";
        let fault = Diagnostic::error("empty-result", message).at(dir, "");
        return vec![fault.hint(hint)];
    }
    let root = Path::new(dir);
    if let Ok(meta) = fs::metadata(root)
        && !meta.is_dir()
    {
        return vec![Diagnostic::error("not-a-folder", "this is no folder").at(dir, "")];
    }
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for path in tree.keys().map(String::as_str).chain(former.paths()) {
        if !index::is_inside(path) {
            let message = format!("the path {path:?} leads out of the folder");
            faults.push(Diagnostic::error("path-outside", message).at(dir, ""));
            continue;
        }
        faults.extend(links(root, path, &mut seen));
    }
    for (path, text) in tree {
        faults.extend(occupied(root, path, (text, former)));
    }
    faults.sort();
    faults
}

/// Finds symbolic links on the way to a path that lead out of the folder.
fn links(root: &Path, path: &str, seen: &mut BTreeSet<PathBuf>) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let mut place = root.to_owned();
    for part in path.split('/') {
        place.push(part);
        if !seen.insert(place.clone()) {
            continue;
        }
        let Ok(meta) = fs::symlink_metadata(&place) else {
            break; // not there yet, and so nothing below it
        };
        if meta.is_symlink() && !stays_inside(root, &place) {
            let name = place.display().to_string();
            let message = "this symbolic link leads out of the folder, or nowhere";
            let hint = "remove the link, or give another folder";
            faults.push(
                Diagnostic::error("link-outside", message)
                    .at(name, "")
                    .hint(hint),
            );
            break;
        }
    }
    faults
}

fn stays_inside(root: &Path, link: &Path) -> bool {
    match (fs::canonicalize(root), fs::canonicalize(link)) {
        (Ok(root), Ok(target)) => target.starts_with(root),
        (Err(_), _) | (_, Err(_)) => false,
    }
}

/// Finds what stands where a file is to be written and is not ours. A file of the same text counts
/// as ours: writing it would change nothing.
fn occupied(root: &Path, path: &str, (text, former): (&str, &Index)) -> Option<Diagnostic> {
    let place = below(root, path);
    let meta = fs::symlink_metadata(&place).ok()?;
    let name = place.display().to_string();
    if !meta.is_file() && !meta.is_symlink() {
        let message = "this is no file, and stands where one is to be written";
        return Some(Diagnostic::error("not-ours", message).at(name, ""));
    }
    if former.names(path) || is_equal(&place, text).unwrap_or(false) {
        return None;
    }
    let message = "this file exists, and no former run wrote it";
    let hint = "move it away, or give another folder";
    Some(
        Diagnostic::error("not-ours", message)
            .at(name, "")
            .hint(hint),
    )
}
