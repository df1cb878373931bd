//! What documents do that an API server takes and that hurts all the same: rules, each with a code
//! (see `diagnostic::codes`), judged on parsed documents, with a snapshot where there is one, and
//! on the files of the tree around them. Knows nothing of disks, nor of how a finding is printed.

mod allow;
mod chain;
mod identity;
mod images;
mod instances;
mod machines;
mod overlay;
mod peers;
mod storage;
mod tree;
mod versions;

pub mod explain;

use std::collections::BTreeMap;

use crate::diagnostic::codes::{self, Level};
use crate::diagnostic::{Diagnostic, Severity};
use crate::live::Live;
use crate::model::Source;
use crate::parse::inputs::{Fleet, Inputs};

/// All that is judged.
#[derive(Debug)]
pub struct Case<'a> {
    /// The sources of the documents.
    pub sources: &'a [Source],
    /// The documents.
    pub inputs: &'a Inputs,
    /// The cluster, where a snapshot was given.
    pub live: Option<&'a Live<'a>>,
    /// Files of the tree that may hold keys.
    pub tree: &'a [Source],
    /// What the tree's owner set.
    pub settings: &'a Settings,
}

/// What the owner of the tree set.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The levels of rules, by code.
    pub levels: BTreeMap<String, Level>,
    /// Whether something is declared that follows the heights of the chain.
    pub has_driver: bool,
}

/// Judges everything; the findings are not weighed yet.
#[must_use]
pub fn judge(case: &Case<'_>) -> Vec<Diagnostic> {
    let mut findings = Findings {
        sources: case.sources,
        found: Vec::new(),
    };
    for fleet in &case.inputs.fleets {
        chain::judge(fleet, &mut findings);
        versions::judge(fleet, case.settings, &mut findings);
        images::judge(fleet, &mut findings);
        instances::judge(fleet, &mut findings);
        overlay::judge(fleet, &mut findings);
        peers::judge(fleet, &mut findings);
        machines::judge(fleet, case.live, &mut findings);
        storage::judge(fleet, case.live, &mut findings);
    }
    identity::judge(case, &mut findings);
    let mut found = findings.found;
    found.extend(tree::judge(case.tree));
    found
}

/// Weighs what was found, here or while reading: takes out what a document allows or a setting
/// turns off, and gives the rest its level. Faults of allowances are added.
#[must_use]
pub fn weigh(found: Vec<Diagnostic>, case: &Case<'_>) -> Vec<Diagnostic> {
    let (found, of_allowances) = allow::apply(found, case);
    let all = found.into_iter().chain(of_allowances);
    all.filter_map(|diagnostic| levelled(diagnostic, case.settings))
        .collect()
}

fn levelled(mut diagnostic: Diagnostic, settings: &Settings) -> Option<Diagnostic> {
    let Some((code, true)) = codes::find(diagnostic.code) else {
        return Some(diagnostic);
    };
    let level = settings.levels.get(code.name).copied();
    diagnostic.severity = match level.unwrap_or(code.level) {
        Level::Off => return None,
        Level::Warning => Severity::Warning,
        Level::Error => Severity::Error,
    };
    Some(diagnostic)
}

/// What the rules found.
struct Findings<'a> {
    sources: &'a [Source],
    found: Vec<Diagnostic>,
}

impl Findings<'_> {
    /// Adds a finding, whose place names a path in the fleet's document.
    fn add(&mut self, fleet: &Fleet, mut finding: Diagnostic) {
        if let Some(place) = &finding.place {
            finding.place = fleet.origin.resolve(self.sources, place);
        }
        self.found.push(finding);
    }

    /// Returns a finding that also shows another place of a document.
    fn see(&self, finding: Diagnostic, at: (&Fleet, &str), message: &str) -> Diagnostic {
        let place = at.0.origin.place(self.sources, at.1);
        finding.see(place, message)
    }
}

/// Begins a finding at a path of a document. Its level is looked up later.
fn finding(code: &'static str, path: impl Into<String>, message: impl Into<String>) -> Diagnostic {
    Diagnostic::warning(code, message).at("", path)
}

#[cfg(test)]
mod tests;
