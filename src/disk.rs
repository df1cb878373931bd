//! Files, folders and standard input into source texts, and texts into files: the only room that
//! meets the disk. Decides nothing of what the texts mean.

#![expect(
    clippy::disallowed_methods,
    reason = "this room is where the program meets the disk"
)]

mod read;
mod revision;
mod settings;
mod tree;
pub mod write;

pub use read::{Limits, read};
pub use revision::{Revisions, at_commit, commit_of, revisions};
pub use settings::settings;

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A folder.
    Folder,
    /// A file, or something else that is no folder.
    File,
    /// Nothing.
    Nothing,
}

/// Returns what a path leads to.
#[must_use]
pub fn find(path: &str) -> Found {
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_dir() => Found::Folder,
        Ok(_) => Found::File,
        Err(_) => Found::Nothing,
    }
}

/// Returns whether two paths lead to one file.
#[must_use]
pub fn is_same(one: &str, other: &str) -> bool {
    let real = std::fs::canonicalize;
    one == other || matches!((real(one), real(other)), (Ok(one), Ok(other)) if one == other)
}
pub use tree::{from_here, tree};
