//! `cosmos-render/lint-allow`: rules that a document silences, each with a reason. An allowance
//! holds for findings in its own document alone.

use std::ops::RangeInclusive;

use super::{Case, no_rule};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::codes;
use crate::parse::inputs::Fleet;
use crate::spec::wishes::LINT_ALLOW;

/// One document and what it allows.
struct Document<'a> {
    fleet: &'a Fleet,
    file: &'a str,
    lines: RangeInclusive<usize>,
    /// Rules that exist, each with whether it had anything to say.
    allowed: Vec<(&'a str, bool)>,
}

/// Takes out what documents allow; returns the rest, and the faults of allowances.
pub(super) fn apply(found: Vec<Diagnostic>, case: &Case<'_>) -> (Vec<Diagnostic>, Vec<Diagnostic>) {
    let mut faults = Vec::new();
    let mut documents: Vec<Document<'_>> = case
        .inputs
        .fleets
        .iter()
        .filter_map(|fleet| document(fleet, case, &mut faults))
        .collect();
    let mut kept = found;
    kept.retain(|diagnostic| !is_allowed(diagnostic, &mut documents));
    for document in &documents {
        let unused = document.allowed.iter().filter(|(_, is_used)| !is_used);
        for (rule, _) in unused {
            let message = format!("`{rule}` has nothing to say on this document");
            let fault = Diagnostic::warning("allow-unused", message).hint("take it out");
            faults.push(placed(document.fleet, case, fault));
        }
    }
    (kept, faults)
}

fn is_allowed(diagnostic: &Diagnostic, documents: &mut [Document<'_>]) -> bool {
    let Some(place) = &diagnostic.place else {
        return false;
    };
    let line = place.span.as_ref().map_or(0, |span| span.line);
    let is_rule = codes::find(diagnostic.code).is_some_and(|(_, is_rule)| is_rule);
    let document = documents
        .iter_mut()
        .find(|document| document.file == place.file && document.lines.contains(&line));
    let allowed = document
        .into_iter()
        .flat_map(|document| &mut document.allowed);
    let mut is_allowed = false;
    for entry in allowed.filter(|(rule, _)| is_rule && *rule == diagnostic.code) {
        entry.1 = true;
        is_allowed = true;
    }
    is_allowed
}

fn document<'a>(
    fleet: &'a Fleet,
    case: &Case<'a>,
    faults: &mut Vec<Diagnostic>,
) -> Option<Document<'a>> {
    let text = fleet.node.annotations.get(LINT_ALLOW)?;
    let mut allowed = Vec::new();
    for (rule, reason) in entries(text) {
        let (code, message, hint) = if !codes::rules().any(|known| known == rule) {
            let (message, hint) = no_rule(rule);
            ("allow-unknown", message, hint)
        } else if reason.is_empty() {
            let message = format!("`{rule}` is silenced without a reason");
            let hint = format!("write `{rule}: <why it does not matter here>`");
            ("allow-without-reason", message, hint)
        } else {
            allowed.push((rule, false));
            continue;
        };
        let fault = Diagnostic::error(code, message).hint(hint);
        faults.push(placed(fleet, case, fault));
    }
    let source = fleet.origin.source;
    Some(Document {
        fleet,
        file: case
            .sources
            .get(source)
            .map_or("", |source| source.name.as_str()),
        lines: lines(fleet, case),
        allowed,
    })
}

/// Returns the entries of an annotation: a rule, and the reason, which is empty where none stands.
fn entries(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let parts = text.split([';', '\n']).map(str::trim);
    parts.filter(|part| !part.is_empty()).map(|part| {
        let (rule, reason) = part.split_once(':').unwrap_or((part, ""));
        (rule.trim(), reason.trim())
    })
}

/// Returns the lines of a fleet's document: up to where the next one of its source begins.
fn lines(fleet: &Fleet, case: &Case<'_>) -> RangeInclusive<usize> {
    let start = |fleet: &Fleet| fleet.origin.document.mark.line;
    let others = case.inputs.fleets.iter();
    let others = others.filter(|other| other.origin.source == fleet.origin.source);
    let next = others.map(start).filter(|line| *line > start(fleet)).min();
    start(fleet)..=next.map_or(usize::MAX, |next| next - 1)
}

fn placed(fleet: &Fleet, case: &Case<'_>, mut fault: Diagnostic) -> Diagnostic {
    let path = format!("metadata.annotations[{LINT_ALLOW}]");
    fault.place = fleet.origin.place(case.sources, &path);
    fault
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_stand_on_lines_or_between_semicolons() {
        let found: Vec<_> = entries("a-b: c: d; e\n f :g ;;").collect();
        assert_eq!(found, [("a-b", "c: d"), ("e", ""), ("f", "g")]);
    }
}
