//! The list of the files that a run wrote into a folder, so that the next one knows its own.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::diagnostic::Diagnostic;
use crate::render::{self, Tree};

/// The name of the list. It is hidden, and has no ending: Argo CD reads hidden files too, where they end in
/// .json or .yaml.
pub(super) const NAME: &str = ".cosmos-render-index";
const VERSION: u32 = 1;

/// What was written, by path below the folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Index {
    digests: BTreeMap<String, String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    files: Vec<Entry>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    path: String,
    sha256: String,
}

impl Index {
    /// Returns the list for a tree.
    pub(super) fn of(tree: &Tree) -> Self {
        let digest = |(path, text): (&String, &String)| (path.clone(), render::digest(text));
        let digests = tree.iter().map(digest);
        Self {
            digests: digests.collect(),
        }
    }

    /// Returns a list that names what either names.
    pub(super) fn joined(&self, other: &Self) -> Self {
        let mut digests = self.digests.clone();
        digests.extend(other.digests.clone());
        Self { digests }
    }

    /// Returns the paths, sorted.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.digests.keys().map(String::as_str)
    }

    /// Returns whether a path is named.
    pub(super) fn names(&self, path: &str) -> bool {
        self.digests.contains_key(path)
    }

    /// Returns whether nothing is named.
    pub(super) fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }

    /// Returns the list as it is written.
    pub(super) fn text(&self) -> String {
        let files: Vec<serde_json::Value> = self
            .digests
            .iter()
            .map(|(path, sha256)| serde_json::json!({"path": path, "sha256": sha256}))
            .collect();
        let document = serde_json::json!({"version": VERSION, "files": files});
        format!("{document:#}\n")
    }
}

/// Reads the list of a folder: an empty one where there is none.
pub(super) fn read(dir: &str) -> Result<Index, Vec<Diagnostic>> {
    let path = Path::new(dir).join(NAME);
    let name = path.display().to_string();
    let fault = |message: String| {
        let hint = "restore the file from Git, or give another folder";
        let fault = Diagnostic::error("broken-index", message).at(&name, "");
        vec![fault.hint(hint)]
    };
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Index::default()),
        Err(error) => return Err(fault(format!("cannot read: {error}"))),
    };
    let document: Document = serde_json::from_slice(&bytes)
        .map_err(|error| fault(format!("not an index of written files: {error}")))?;
    if document.version != VERSION {
        let version = document.version;
        return Err(fault(format!("an index of the unknown version {version}")));
    }
    if let Some(entry) = document.files.iter().find(|entry| !is_inside(&entry.path)) {
        let path = &entry.path;
        return Err(fault(format!(
            "names the path {path:?}, outside its folder"
        )));
    }
    let entries = document.files.into_iter();
    Ok(Index {
        digests: entries.map(|entry| (entry.path, entry.sha256)).collect(),
    })
}

/// Returns whether a path stays inside its folder: plain names between single slashes, and not the
/// index itself.
pub(super) fn is_inside(path: &str) -> bool {
    let is_plain = |part: &str| {
        !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', ':', '\0'])
    };
    path != NAME && path.split('/').all(is_plain)
}
