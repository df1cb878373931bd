//! Reads inputs: every file once, folders in sorted order, compressed ones inflated within limits.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use ignore::WalkBuilder;
use ruzstd::decoding::StreamingDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};

use crate::diagnostic::{Diagnostic, Reported, Severity};
use crate::model::Source;

/// What may be read at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The bytes of all inputs together, inflated (`--max-input`).
    pub total: u64,
    /// The bytes that one compressed input may inflate to.
    pub inflated: u64,
    /// How many times its own size a compressed input may inflate to (never less than
    /// [`Limits::SMALL`] is allowed).
    pub ratio: u64,
}

impl Limits {
    /// What any compressed input may inflate to, however small it is.
    pub const SMALL: u64 = 1 << 20;
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

/// Reads files, folders and `-` (standard input) into sources.
///
/// Folders are walked in sorted order: hidden files and those that a `.gitignore` names are
/// skipped, and only `*.yaml`, `*.yml` and `*.json` count, also with `.gz` or `.zst` behind. A
/// file that is named itself is read whatever it is called. Gzip and zstd are known by their first
/// bytes. A file reached twice is read once. All faults are told, and what can be read is read.
///
/// What lies below a folder, but is named `apart` as an input of another sort, is left to that: a
/// snapshot beside the specifications is none of them.
pub fn read(
    paths: &[String],
    apart: &[String],
    stdin: &mut dyn Read,
    limits: &Limits,
) -> Reported<Vec<Source>> {
    let real = |path: &String| fs::canonicalize(path).ok();
    let named: BTreeSet<PathBuf> = paths.iter().filter_map(real).collect();
    let apart = apart.iter().filter_map(real);
    let mut room = Room {
        limits,
        left: limits.total,
        apart: apart.filter(|path| !named.contains(path)).collect(),
        seen: BTreeSet::new(),
        sources: Vec::new(),
        faults: Vec::new(),
    };
    for path in paths {
        if path == "-" {
            if room.seen.insert(PathBuf::from("-")) {
                room.take("-", stdin, 0);
            }
        } else if Path::new(path).is_dir() {
            room.folder(path);
        } else {
            room.file(Path::new(path));
        }
    }
    Reported {
        value: room.sources,
        diagnostics: room.faults,
    }
}

/// Takes what was read elsewhere, each under its name, as files of these names would be taken: what
/// no folder's walk would read is left out.
pub(super) fn taken(
    found: impl Iterator<Item = (String, Vec<u8>)>,
    apart: &[String],
    limits: &Limits,
) -> Reported<Vec<Source>> {
    let mut room = Room {
        limits,
        left: limits.total,
        apart: BTreeSet::new(),
        seen: BTreeSet::new(),
        sources: Vec::new(),
        faults: Vec::new(),
    };
    for (name, bytes) in found {
        if is_walked(&name) && !apart.contains(&name) {
            room.take(&name, &mut bytes.as_slice(), bytes.len() as u64);
        }
    }
    Reported {
        value: room.sources,
        diagnostics: room.faults,
    }
}

/// Returns whether a folder's walk would read a file of this name: an input, and not hidden.
fn is_walked(name: &str) -> bool {
    let is_hidden = |part: &str| part.starts_with('.') && part != "." && part != "..";
    !name.split('/').any(is_hidden) && is_input(Path::new(name))
}

struct Room<'a> {
    limits: &'a Limits,
    /// How many bytes may still be read.
    left: u64,
    /// The real paths that folders are walked around.
    apart: BTreeSet<PathBuf>,
    /// Which files were read, by their real paths.
    seen: BTreeSet<PathBuf>,
    sources: Vec<Source>,
    faults: Vec<Diagnostic>,
}

impl Room<'_> {
    fn folder(&mut self, path: &str) {
        let apart = self.apart.clone();
        let walk = WalkBuilder::new(path)
            .standard_filters(false)
            .hidden(true)
            .parents(true)
            .git_ignore(true)
            .git_exclude(true)
            .require_git(false)
            .follow_links(true)
            .sort_by_file_name(Ord::cmp)
            .filter_entry(move |entry| {
                let is_apart = |real| apart.contains(&real);
                apart.is_empty() || !fs::canonicalize(entry.path()).is_ok_and(is_apart)
            })
            .build();
        let mut is_empty = true;
        for entry in walk {
            match entry {
                Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_dir()) => {}
                Ok(entry) if is_input(entry.path()) => {
                    is_empty = false;
                    self.file(entry.path());
                }
                Ok(_) => {}
                Err(error) => self.faults.extend(walk_fault(path, &error)),
            }
        }
        if is_empty {
            self.faults.push(
                Diagnostic::warning("empty-folder", "this folder holds no YAML or JSON files")
                    .hint("files count that end in .yaml, .yml or .json (also .gz, .zst), are not hidden and not in a .gitignore")
                    .at(path, ""),
            );
        }
    }

    fn file(&mut self, path: &Path) {
        let name = path.to_string_lossy();
        let opened = fs::canonicalize(path).and_then(|real| {
            let is_new = self.seen.insert(real);
            Ok(is_new.then_some(File::open(path)?))
        });
        match opened {
            Ok(Some(mut file)) => {
                let size = file.metadata().map_or(0, |about| about.len());
                self.take(&name, &mut file, size);
            }
            Ok(None) => {}
            Err(error) => self.faults.push(unreadable(&name, &error)),
        }
    }

    /// Reads one input to its end and inflates it where it is compressed. Where its size is known, no more
    /// memory is touched than it takes.
    fn take(&mut self, name: &str, input: &mut dyn Read, size: u64) {
        match self.bytes(input, size) {
            Ok(bytes) => {
                self.left = self.left.saturating_sub(bytes.len() as u64);
                self.sources.push(Source {
                    name: name.to_owned(),
                    bytes,
                });
            }
            Err(Fault::TotalReached) => self.faults.push(
                Diagnostic::error(
                    "input-too-large",
                    format!(
                        "with this, all inputs are larger than {} bytes",
                        self.limits.total
                    ),
                )
                .hint("give fewer inputs, or allow more with --max-input")
                .at(name, ""),
            ),
            Err(Fault::Bomb(bound)) => self.faults.push(
                Diagnostic::error(
                    "inflates-too-far",
                    format!("this inflates to more than {bound} bytes, far more than its own size"),
                )
                .hint("inflate it yourself if you trust it, and give the result")
                .at(name, ""),
            ),
            Err(Fault::Broken(format, why)) => self.faults.push(
                Diagnostic::error(
                    "broken-archive",
                    format!("this {format} data is broken: {why}"),
                )
                .hint("make the file anew; its copying may have been cut off")
                .at(name, ""),
            ),
            Err(Fault::Io(error)) => self.faults.push(unreadable(name, &error)),
        }
    }

    fn bytes(&self, input: &mut dyn Read, size: u64) -> Result<Vec<u8>, Fault> {
        let raw = bounded(input, self.left, size)
            .map_err(Fault::Io)?
            .ok_or(Fault::TotalReached)?;
        let format = match raw.as_slice() {
            [0x1F, 0x8B, ..] => "gzip",
            [0x28, 0xB5, 0x2F, 0xFD, ..] => "zstd",
            _ => return Ok(raw),
        };
        let by_ratio = (raw.len() as u64).saturating_mul(self.limits.ratio);
        let bound = by_ratio.max(Limits::SMALL).min(self.limits.inflated);
        let inflated = if format == "gzip" {
            bounded(
                &mut MultiGzDecoder::new(raw.as_slice()),
                bound.min(self.left),
                0,
            )
        } else {
            unpack_zstd(&raw, bound.min(self.left))
        };
        match inflated {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) if bound > self.left => Err(Fault::TotalReached),
            Ok(None) => Err(Fault::Bomb(bound)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(Fault::Broken(format, "it ends too early".to_owned()))
            }
            Err(error) => Err(Fault::Broken(format, error.to_string())),
        }
    }
}

enum Fault {
    Io(io::Error),
    TotalReached,
    Bomb(u64),
    Broken(&'static str, String),
}

/// Reads to the end; nothing where that is beyond the bound. `size` is what is expected, 0 where nobody
/// knows.
fn bounded(input: &mut dyn Read, bound: u64, size: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let expected = usize::try_from(size.min(bound)).unwrap_or_default();
    bytes.try_reserve_exact(expected)?;
    input
        .take(bound.saturating_add(1))
        .read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= bound).then_some(bytes))
}

/// Inflates all frames of a zstd file.
fn unpack_zstd(raw: &[u8], bound: u64) -> io::Result<Option<Vec<u8>>> {
    let mut rest = raw;
    let mut bytes = Vec::new();
    while !rest.is_empty() {
        let mut frame = match StreamingDecoder::new(&mut rest) {
            Ok(frame) => frame,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                let skipped = usize::try_from(length).unwrap_or(usize::MAX);
                rest = rest.get(skipped..).ok_or(io::ErrorKind::UnexpectedEof)?;
                continue;
            }
            Err(error) => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    error.to_string(),
                ));
            }
        };
        let left = bound.saturating_sub(bytes.len() as u64);
        let Some(part) = bounded(&mut frame, left, 0)? else {
            return Ok(None);
        };
        let decoder = frame.into_frame_decoder();
        let told = decoder.get_checksum_from_data();
        if told.is_some() && told != decoder.get_calculated_checksum() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "its checksum is wrong",
            ));
        }
        bytes.extend(part);
    }
    Ok(Some(bytes))
}

/// Returns whether a file of a folder is an input by its name.
fn is_input(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name
        .strip_suffix(".gz")
        .or_else(|| name.strip_suffix(".zst"))
        .unwrap_or(&name);
    [".yaml", ".yml", ".json"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// Says that a file cannot be read, and why.
pub(super) fn unreadable(name: &str, error: &io::Error) -> Diagnostic {
    let fault = if error.kind() == io::ErrorKind::NotFound {
        Diagnostic::error("missing-file", "there is no such file or folder")
            .hint("check the path; `-` is standard input")
    } else {
        Diagnostic::error("unreadable-file", format!("this can't be read: {error}"))
            .hint("check who owns it and what its permissions are")
    };
    fault.at(name, "")
}

/// Tells what the walk could not reach. Links that lead back up are a warning, since all that they
/// lead to is read anyway; broken links count only where they are named like an input.
fn walk_fault(root: &str, error: &ignore::Error) -> Option<Diagnostic> {
    let (path, error) = innermost(Path::new(root), error);
    let name = path.to_string_lossy().into_owned();
    if let ignore::Error::Loop { child, .. } = error {
        let message = "this link leads back to a folder around it, and is passed over";
        return Some(
            Diagnostic::warning("link-loop", message)
                .hint("remove the link")
                .at(child.to_string_lossy(), ""),
        );
    }
    let io_error = error.io_error();
    let is_missing = io_error.is_some_and(|error| error.kind() == io::ErrorKind::NotFound);
    if is_missing && !is_input(path) {
        return None;
    }
    let mut fault = match io_error {
        Some(error) => unreadable(&name, error),
        None => Diagnostic::error("unreadable-file", format!("this can't be read: {error}"))
            .at(name, ""),
    };
    fault.severity = Severity::Error;
    Some(fault)
}

fn innermost<'a>(path: &'a Path, error: &'a ignore::Error) -> (&'a Path, &'a ignore::Error) {
    match error {
        ignore::Error::WithPath { path, err } => innermost(path, err),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            innermost(path, err)
        }
        ignore::Error::Partial(_)
        | ignore::Error::Loop { .. }
        | ignore::Error::Io(_)
        | ignore::Error::Glob { .. }
        | ignore::Error::UnrecognizedFileType(_)
        | ignore::Error::InvalidDefinition => (path, error),
    }
}

#[cfg(test)]
#[path = "read/tests.rs"]
mod tests;
