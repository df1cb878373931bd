//! The command `snapshot`: what a cluster holds, without what must not lie in Git.

use std::collections::BTreeMap;
use std::io;

use serde_json::{Value, json};

use crate::diagnostic::Diagnostic;
use crate::disk::{self, write};
use crate::pipeline::{self, Redacted};
use crate::render::{Tree, json};

use super::args::SnapshotArgs;
use super::terminal::{self, Terminal};
use super::{Exit, Failure, clock, live};

const CONSEQUENCE: &str = "nothing was taken out, and nothing printed";

/// Takes out what nobody else may read, and prints or writes the rest.
pub(super) fn run(args: &SnapshotArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let is_captured = args.paths.is_empty();
    let now = (args.captured_now || is_captured).then(clock::now);
    let now = now.transpose().map_err(|fault| failed(vec![*fault]))?;
    let read = if is_captured {
        live::capture(&args.door, args.namespace.clone()).map_err(failed)?
    } else {
        let limits = disk::Limits::default();
        disk::read(&args.paths, &[], &mut io::stdin().lock(), &limits)
    };
    if read.has_errors() {
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
    match &args.out {
        Some(folder) if is_captured => into_folder(folder, list)?,
        Some(file) => write::file(file, &json::pretty(&list)).map_err(failed)?,
        None => terminal::result(&json::pretty(&list))?,
    }
    terminal.note(&format!(
        "private keys cut out: {keys}, objects left out: {left_out}"
    ));
    Ok(Exit::Done)
}

fn failed(diagnostics: Vec<Diagnostic>) -> Failure {
    Failure {
        diagnostics,
        consequence: CONSEQUENCE,
    }
}

/// Writes one List for each kind. A folder that holds anything else is left alone.
fn into_folder(folder: &str, mut list: Value) -> Result<(), Failure> {
    let metadata = list["metadata"].take();
    let items = list["items"].as_array_mut().map(std::mem::take);
    let mut by_kind: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for item in items.into_iter().flatten() {
        let kind = item["kind"].as_str().unwrap_or_default().to_lowercase();
        by_kind.entry(kind).or_default().push(item);
    }
    let mut tree = Tree::default();
    for (kind, items) in by_kind {
        let list =
            json!({"apiVersion": "v1", "kind": "List", "metadata": metadata, "items": items});
        tree.insert(format!("{kind}.json"), json::pretty(&list));
    }
    write::tree(folder, &tree, write::Options::default())
        .map(|_| ())
        .map_err(failed)
}
