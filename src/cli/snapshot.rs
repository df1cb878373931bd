//! The command `snapshot`: a snapshot without what must not lie in Git.

use std::io;

use crate::disk::{self, write};
use crate::pipeline::{self, Redacted};
use crate::render::json;

use super::args::SnapshotArgs;
use super::terminal::{self, Terminal};
use super::{Exit, Failure, clock};

/// Takes out what nobody else may read, and prints or writes the rest.
pub(super) fn run(args: &SnapshotArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let SnapshotArgs {
        paths,
        captured_now,
        out,
    } = args;
    let failed = |diagnostics| Failure {
        diagnostics,
        consequence: "nothing was taken out, and nothing printed",
    };
    let now = captured_now.then(clock::now).transpose();
    let now = now.map_err(|fault| failed(vec![*fault]))?;
    let limits = disk::Limits::default();
    let read = disk::read(paths, &[], &mut io::stdin().lock(), &limits);
    let has_errors = read.has_errors();
    if has_errors {
        return Err(failed(read.diagnostics));
    }
    let mut said = read.diagnostics;
    let redacted = pipeline::redacted(&read.value, now);
    said.extend(redacted.diagnostics);
    let Some(Redacted {
        list,
        left_out,
        keys,
    }) = redacted.value
    else {
        return Err(failed(said));
    };
    terminal.counted(&said);
    let text = json::pretty(&list);
    match out {
        Some(file) => write::file(file, &text).map_err(failed)?,
        None => terminal::result(&text)?,
    }
    terminal.note(&format!(
        "private keys cut out: {keys}, objects left out: {left_out}"
    ));
    Ok(Exit::Done)
}
