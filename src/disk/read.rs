//! PLACEHOLDER for the reader of files and folders.
#![expect(
    clippy::disallowed_methods,
    reason = "this room is the one that reads the disk"
)]

use crate::diagnostic::{Diagnostic, Reported};
use crate::model::Source;

/// How much is read at most.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// All inputs together, in bytes once inflated; the default of the room where it is `None`.
    pub max_input: Option<u64>,
}

/// Reads files, the files of folders, and `-`.
#[must_use]
pub fn read(paths: &[String], limits: Limits) -> Reported<Vec<Source>> {
    let _ = limits;
    let mut reported = Reported::clean(Vec::new());
    for path in paths {
        match std::fs::read(path) {
            Ok(bytes) => reported.value.push(Source {
                name: path.clone(),
                bytes,
            }),
            Err(error) => reported
                .diagnostics
                .push(Diagnostic::error("unreadable", format!("{path}: {error}")).at(path, "")),
        }
    }
    reported
}
