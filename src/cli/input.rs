//! From the named inputs to what the pipeline made of them, with everything said on the way.

use std::io;

use crate::diagnostic::Diagnostic;
use crate::disk;
use crate::model::Source;
use crate::pipeline::{self, FleetManifests, Outcome, Request};
use crate::plan::FleetPlan;

use super::resolve::Inputs;
use super::terminal::Terminal;
use super::{Failure, live};

/// What came of the inputs.
pub(super) struct Planned<T = ()> {
    /// The plan and the manifests.
    pub(super) outcome: Outcome,
    /// What was made of each fleet's manifests.
    pub(super) made: Vec<T>,
    /// The documents that it was made from.
    pub(super) documents: Vec<Source>,
    /// Errors that were passed over because the caller wants what can be had: the run failed, but
    /// has a result.
    pub(super) failure: Option<Failure>,
}

/// Reads the inputs and runs the pipeline. Warnings and notes are printed; where there are errors,
/// they are what is returned.
pub(super) fn run(
    inputs: &Inputs,
    terminal: &Terminal,
    consequence: &'static str,
) -> Result<Planned, Failure> {
    run_each(inputs, (terminal, consequence), |_, _| ())
}

/// Does what [`run`] does, and makes something of each fleet's manifests.
pub(super) fn run_each<T: Send>(
    inputs: &Inputs,
    (terminal, consequence): (&Terminal, &'static str),
    each: impl Fn(&mut FleetManifests, Option<&FleetPlan>) -> T + Sync + Send,
) -> Result<Planned<T>, Failure> {
    let (request, mut diagnostics) = read(inputs, terminal, consequence)?;
    let ran = pipeline::run_each(&request, each);
    // the snapshot goes before anything is written
    let documents = request.specs;
    drop(request.snapshot);
    let has_errors = ran.has_errors();
    diagnostics.extend(ran.diagnostics);
    let mut failure = Failure {
        diagnostics,
        consequence,
    };
    let Some((outcome, made)) = ran
        .value
        .filter(|_| !has_errors || inputs.options.keep_going)
    else {
        return Err(failure);
    };
    for note in &outcome.notes {
        terminal.note(&format!("note: {note}"));
    }
    if has_errors {
        failure.consequence = "only the other fleets were planned";
        let failure = Some(failure);
        return Ok(Planned {
            outcome,
            made,
            documents,
            failure,
        });
    }
    terminal.counted(&failure.diagnostics);
    Ok(Planned {
        outcome,
        made,
        documents,
        failure: None,
    })
}

/// Reads specs and snapshot, so that the faults of both are told at once; returns warnings beside.
pub(super) fn read(
    inputs: &Inputs,
    terminal: &Terminal,
    consequence: &'static str,
) -> Result<(Request, Vec<Diagnostic>), Failure> {
    let mut stdin = io::stdin().lock();
    let mut limits = limits(inputs.max_input);
    let of_cluster = inputs.snapshot.as_deref().unwrap_or_default();
    let specs = disk::read(&inputs.specs, of_cluster, &mut stdin, &limits);
    limits.total = limits.total.saturating_sub(size(&specs.value));
    let mut has_errors = specs.has_errors();
    let mut diagnostics = specs.diagnostics;
    let snapshot = inputs.snapshot.as_ref().map(|paths| {
        let namespaces = || pipeline::namespaces(&specs.value, inputs.options.namespace.as_deref());
        let read = live::read(paths, &inputs.specs, (&mut stdin, &limits), &namespaces);
        has_errors |= read.has_errors();
        diagnostics.extend(read.diagnostics);
        read.value
    });
    if has_errors {
        return Err(Failure {
            diagnostics,
            consequence,
        });
    }
    terminal.detail(&format!("read specs: {}", count(&specs.value)));
    match &snapshot {
        Some(sources) => terminal.detail(&format!("read snapshot: {}", count(sources))),
        None => terminal.detail("no snapshot: the cluster is taken for empty"),
    }
    let request = Request {
        specs: specs.value,
        snapshot,
        options: inputs.options.clone(),
    };
    Ok((request, diagnostics))
}

/// Returns what may be read: all inputs share one limit, whether they come compressed or not.
pub(super) fn limits(max_input: Option<u64>) -> disk::Limits {
    let limits = disk::Limits::default();
    match max_input {
        None => limits,
        Some(max) => disk::Limits {
            total: max,
            inflated: max,
            ..limits
        },
    }
}

fn count(sources: &[Source]) -> String {
    let files = if sources.len() == 1 { "file" } else { "files" };
    format!("{} {files}, {} bytes", sources.len(), size(sources))
}

fn size(sources: &[Source]) -> u64 {
    sources.iter().map(|source| source.bytes.len() as u64).sum()
}
