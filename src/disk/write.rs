//! Texts into files, whole or not at all: every file is written aside and renamed. A folder of
//! ours has an index of what was written; what the index does not name is never touched.

mod index;
pub mod pair;
mod survey;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::render::Tree;

use index::Index;

/// The code of a fault that came up while files were written; all others come up before.
pub const NOT_WRITTEN: &str = "not-written";

/// How a tree is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether a tree without files may replace one with files.
    pub allow_empty: bool,
}

/// What writing a tree did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Files that are new or have another text, sorted.
    pub changed: Vec<String>,
    /// How many files were right already.
    pub unchanged: usize,
    /// Files of a former run that the tree has no more, sorted.
    pub removed: Vec<String>,
}

/// Writes a tree into a folder, which is made where it is absent.
///
/// # Errors
/// Returns every reason why the folder is not as it must be, before anything is written; or what
/// the system refused on the way.
pub fn tree(dir: &str, tree: &Tree, options: Options) -> Result<Written, Vec<Diagnostic>> {
    let root = Path::new(dir);
    let former = index::read(dir)?;
    let stale: BTreeSet<String> = former
        .paths()
        .filter(|path| !tree.contains_key(*path))
        .map(str::to_owned)
        .collect();
    let faults = survey::faults(dir, tree, &former, options);
    if !faults.is_empty() {
        return Err(faults);
    }
    perform(root, tree, (&former, &stale))
}

/// Returns the files that [`tree`] would write or remove, sorted.
///
/// # Errors
/// Returns what keeps a file from being read.
pub fn differing(dir: &str, tree: &Tree) -> Result<Vec<String>, Vec<Diagnostic>> {
    let root = Path::new(dir);
    let former = index::read(dir)?;
    let mut found: Vec<String> = former
        .paths()
        .filter(|path| !tree.contains_key(*path))
        .map(str::to_owned)
        .collect();
    for (path, text) in tree {
        let place = below(root, path);
        if !is_equal(&place, text).map_err(|e| unread(&place, &e))? {
            found.push(path.clone());
        }
    }
    found.sort();
    Ok(found)
}

fn unread(path: &Path, error: &io::Error) -> Vec<Diagnostic> {
    let fault = Diagnostic::error("unreadable-file", format!("cannot be read: {error}"));
    vec![fault.at(path.display().to_string(), "")]
}

/// Writes one file, whole or not at all. What is no plain file (a device, a pipe) is written to
/// and never replaced; a link is followed, as a shell's `>` would.
///
/// # Errors
/// Returns what the system refused.
pub fn file(path: &str, text: &str) -> Result<(), Vec<Diagnostic>> {
    let path = Path::new(path);
    let written = match (fs::symlink_metadata(path), fs::metadata(path)) {
        (_, Ok(meta)) if meta.is_file() => {
            fs::canonicalize(path).and_then(|target| replace(&target, text))
        }
        (Ok(_), _) => straight(path, text),
        (Err(_), _) => replace(path, text),
    };
    written.map_err(|error| refused(path, &error))
}

/// Writes to what is there already.
fn straight(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).open(path)?;
    file.write_all(text.as_bytes())
}

/// Does what was found to be allowed. The index names old and new files while the work goes on, so
/// that a run that is broken off leaves nothing behind that the next one would not know.
fn perform(
    root: &Path,
    tree: &Tree,
    (former, stale): (&Index, &BTreeSet<String>),
) -> Result<Written, Vec<Diagnostic>> {
    let at = |path: &str| below(root, path);
    let mut written = Written::default();
    let mut wanted: Vec<(&str, &str)> = Vec::new();
    for (path, text) in tree {
        if is_equal(&at(path), text).map_err(|e| refused(&at(path), &e))? {
            written.unchanged += 1;
        } else {
            wanted.push((path, text));
        }
    }
    let latter = Index::of(tree);
    if *former == latter && wanted.is_empty() {
        return Ok(written);
    }
    fs::create_dir_all(root).map_err(|e| refused(root, &e))?;
    write_index(root, &former.joined(&latter))?;
    for (path, text) in wanted {
        let target = at(path);
        let folder = target.parent().unwrap_or(root);
        fs::create_dir_all(folder).map_err(|e| refused(folder, &e))?;
        replace(&target, text).map_err(|e| refused(&target, &e))?;
        written.changed.push(path.to_owned());
    }
    for path in stale {
        if remove(root, &at(path)).map_err(|e| refused(&at(path), &e))? {
            written.removed.push(path.clone());
        }
    }
    write_index(root, &latter)?;
    Ok(written)
}

fn write_index(root: &Path, index: &Index) -> Result<(), Vec<Diagnostic>> {
    let path = root.join(index::NAME);
    replace(&path, &index.text()).map_err(|e| refused(&path, &e))
}

/// Returns the place of a tree's path in the file system.
fn below(root: &Path, path: &str) -> PathBuf {
    path.split('/')
        .fold(root.to_owned(), |place, part| place.join(part))
}

fn is_equal(path: &Path, text: &str) -> io::Result<bool> {
    match fs::read(path) {
        Ok(bytes) => Ok(bytes == text.as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Writes a file beside its place and renames it.
fn replace(target: &Path, text: &str) -> io::Result<()> {
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    let mut aside = aside(folder)?;
    if let Ok(former) = fs::metadata(target) {
        aside.as_file().set_permissions(former.permissions())?;
    }
    aside.write_all(text.as_bytes())?;
    aside.as_file().sync_all()?;
    aside.persist(target).map_err(|error| error.error)?;
    Ok(())
}

/// Makes a file with the rights that any new file gets, not only its owner's.
fn aside(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".cosmos-render-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// Removes a file and the folders that are empty without it; returns whether it was there.
fn remove(root: &Path, path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    }
    let mut folder = path.parent();
    while let Some(place) = folder.filter(|place| *place != root) {
        if fs::remove_dir(place).is_err() {
            break; // not empty
        }
        folder = place.parent();
    }
    Ok(true)
}

fn refused(path: &Path, error: &io::Error) -> Vec<Diagnostic> {
    // An error without a code of the system's names the file aside, which nobody knows of.
    let why = match error.raw_os_error() {
        Some(_) => error.to_string(),
        None => error.kind().to_string(),
    };
    let fault = match path.parent() {
        Some(folder) if error.kind() == io::ErrorKind::NotFound => {
            let message = format!("cannot write: there is no folder {}", folder.display());
            Diagnostic::error(NOT_WRITTEN, message).hint("make the folder first, or check the path")
        }
        Some(_) | None => Diagnostic::error(NOT_WRITTEN, format!("cannot write: {why}")),
    };
    vec![fault.at(path.display().to_string(), "")]
}

#[cfg(test)]
mod tests;
