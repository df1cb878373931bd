//! Documents, snapshot and files into findings: the rooms that `lint` calls, in order.

use super::{Request, take, without_fleets};
use crate::diagnostic::Diagnostic;
use crate::lint::{self, Case};
use crate::model::Source;
use crate::parse;
use crate::settings::Settings;

/// Returns warnings of what is settled for fleets that no document of a request describes.
#[must_use]
pub fn settled_for_nobody(request: &Request, settings: &Settings) -> Vec<Diagnostic> {
    let namespace = request.options.namespace.as_deref();
    // what is wrong with the documents is told by whoever works on them
    let inputs = parse::specs(&request.specs, namespace).value;
    lint::settings::warnings(&inputs, settings)
}

/// Reads and judges everything: faults of form and findings of rules, weighed.
#[must_use]
pub fn lint(request: &Request, tree: &[Source], settings: &Settings) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let inputs = take(
        parse::specs(&request.specs, request.options.namespace.as_deref()),
        &mut found,
    );
    found.extend(without_fleets(&inputs, request, &found));
    let snapshot = request.snapshot.as_deref();
    let texts = take(parse::texts(snapshot.unwrap_or_default()), &mut found);
    let live = take(parse::snapshot::read(&texts), &mut found);
    let case = Case {
        sources: &request.specs,
        inputs: &inputs,
        live: snapshot.is_some().then_some(&live),
        tree,
        settings,
    };
    found.extend(lint::judge(&case));
    lint::weigh(found, &case)
}
