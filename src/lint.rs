//! What documents do that an API server takes and that hurts all the same: rules, each with a code
//! (see `diagnostic::codes`), judged on parsed documents, with a snapshot where there is one, and
//! on the files of the tree around them. Knows nothing of disks, nor of how a finding is printed.

mod allow;
mod chain;
mod delivery;
mod identity;
mod images;
mod instances;
mod letters;
mod machines;
mod overlay;
mod peers;
pub mod settings;
mod storage;
mod tree;
mod versions;

pub mod explain;

use crate::diagnostic::codes::{self, Level};
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::live::Live;
use crate::model::Source;
use crate::model::likeness::nearest;
use crate::model::quote::quote;
use crate::parse::inputs::{Fleet, Inputs};
use crate::settings::{Level as Set, Settings};

/// All that is judged.
#[derive(Debug)]
pub struct Case<'a> {
    /// The sources of the documents.
    pub sources: &'a [Source],
    /// The documents.
    pub inputs: &'a Inputs,
    /// The cluster, where a snapshot was given.
    pub live: Option<&'a Live<'a>>,
    /// Files of the tree that may hold keys, or say how fleets are delivered.
    pub tree: &'a [Source],
    /// What the tree's owner set.
    pub settings: &'a Settings,
}

/// Returns whether a file of the tree is worth a look: most are not.
#[must_use]
pub fn may_matter(bytes: &[u8]) -> bool {
    tree::may_hold_key(bytes) || delivery::may_deliver(bytes)
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
        letters::judge(fleet, &mut findings);
        machines::judge(fleet, case.live, &mut findings);
        storage::judge(fleet, case.live, &mut findings);
    }
    identity::judge(case, &mut findings);
    delivery::judge(case, &mut findings);
    let mut found = findings.found;
    found.extend(tree::judge(case.tree));
    found.extend(unknown_rules(case.settings));
    found.extend(settings::judge(case.inputs, case.settings));
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
    let level = settings.lint.get(code.name).map_or(code.level, set);
    diagnostic.severity = match level {
        Level::Off => return None,
        Level::Note => Severity::Note,
        Level::Warning => Severity::Warning,
        Level::Error => Severity::Error,
    };
    Some(diagnostic)
}

fn set((level, _): &(Set, Place)) -> Level {
    match level {
        Set::Off => Level::Off,
        Set::Warn => Level::Warning,
        Set::Error => Level::Error,
    }
}

/// Finds levels that are set for what is no rule.
fn unknown_rules(settings: &Settings) -> Vec<Diagnostic> {
    let unknown = settings
        .lint
        .iter()
        .filter(|(name, _)| !codes::rules().any(|rule| rule == *name));
    let faults = unknown.map(|(name, (_, place))| {
        let (message, hint) = no_rule(name);
        let mut fault = Diagnostic::error("unknown-rule", message).hint(hint);
        fault.place = Some(place.clone());
        fault
    });
    faults.collect()
}

/// Says that a name is no rule's, and what may be meant.
fn no_rule(name: &str) -> (String, String) {
    if codes::find(name).is_some() {
        let message = format!("{} is a fault of form: it has no level", quote(name));
        return (message, "mend the document instead".to_owned());
    }
    let hint = match nearest(name, codes::rules()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "see `cosmos-render lint --explain all` for all of them".to_owned(),
    };
    (format!("there is no rule {}", quote(name)), hint)
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
