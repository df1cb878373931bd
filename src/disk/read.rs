//! PLACEHOLDER for the reader of files and folders.

use std::fs::File;
use std::io::Read;

use crate::diagnostic::{Diagnostic, Reported};
use crate::model::Source;

/// What may be read at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The bytes of all inputs together, inflated (`--max-input`).
    pub total: u64,
    /// The bytes that one compressed input may inflate to.
    pub inflated: u64,
    /// How many times its own size a compressed input may inflate to.
    pub ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            total: 8 << 30,
            inflated: 8 << 30,
            ratio: 200,
        }
    }
}

/// Reads files and `-` (standard input) into sources.
pub fn read(paths: &[String], stdin: &mut dyn Read, limits: &Limits) -> Reported<Vec<Source>> {
    let _ = limits;
    let mut reported = Reported::clean(Vec::new());
    for path in paths {
        let mut bytes = Vec::new();
        let read = match path.as_str() {
            "-" => stdin.read_to_end(&mut bytes),
            _ => File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)),
        };
        let name = path.clone();
        match read {
            Ok(_) => reported.value.push(Source { name, bytes }),
            Err(error) => {
                let fault = Diagnostic::error("unreadable", format!("cannot be read: {error}"));
                reported.diagnostics.push(fault.at(name, ""));
            }
        }
    }
    reported
}
