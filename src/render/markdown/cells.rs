//! Texts from outside in Markdown: as code, in cells, in fences. Nothing that is in them has a
//! meaning there.

use std::collections::BTreeMap;

use super::happens;
use crate::model::{Kind, ranges};
use crate::plan::{Action, Impact};
use crate::render::value;
use crate::review::{Due, Review};

/// Returns a text as code, which fits a table's cell too.
pub(super) fn code(text: &str) -> String {
    let text = value::escaped(text).replace('|', "\\|");
    let longest = longest_run(&text);
    let ticks = "`".repeat(longest + 1);
    let pad = if longest > 0 { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

/// Returns words of ours, with names from outside in them, as words.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::new();
    for letter in value::escaped(text).chars() {
        // what would begin markup, a mention or a reference to an issue
        if "\\`*_[]<>|~#@".contains(letter) {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

/// Returns lines in a fence that nothing in them can end.
pub(super) fn fence(text: &str) -> String {
    let ticks = "`".repeat(longest_run(text).max(2) + 1);
    format!("{ticks}text\n{}\n{ticks}\n", text.trim_end())
}

fn longest_run(text: &str) -> usize {
    let (mut longest, mut run) = (0, 0);
    for letter in text.chars() {
        run = if letter == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// What rows of the table have in common to be one.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Likeness {
    worst: std::cmp::Reverse<Impact>,
    fleet: (String, String),
    wave: (usize, usize),
    action: Action,
    kind: Kind,
    what: &'static str,
    causes: Vec<String>,
    reason: String,
    size: Option<String>,
}

/// Returns the rows of the table: what is risky and comes of the change, the worst first. What
/// differs in nothing but its name is one row.
pub(super) fn rows_of(review: &Review) -> Vec<String> {
    let mut groups: BTreeMap<Likeness, Vec<String>> = BTreeMap::new();
    for fleet in &review.fleets {
        for due in fleet
            .steps
            .iter()
            .filter(|due| due.is_to_blame() && due.is_risky())
        {
            let likeness = Likeness {
                worst: std::cmp::Reverse(due.step.impact),
                fleet: (fleet.namespace.clone(), fleet.name.clone()),
                wave: (due.wave, fleet.waves.len()),
                action: due.step.action,
                kind: due.step.object.kind,
                what: happens(due),
                causes: due.causes.clone(),
                reason: reason(due),
                size: due.size.clone(),
            };
            groups
                .entry(likeness)
                .or_default()
                .push(due.step.object.name.clone());
        }
    }
    groups
        .iter()
        .map(|(likeness, names)| row(likeness, names))
        .collect()
}

/// Returns why a step is taken where no field of the document was found to bring it about.
fn reason(due: &Due) -> String {
    match (due.causes.as_slice(), due.step.reasons.first()) {
        ([], Some(reason)) => reason.message.clone(),
        ([], None) | ([_, ..], _) => String::new(),
    }
}

fn row(likeness: &Likeness, names: &[String]) -> String {
    let Likeness {
        worst: _,
        fleet: (namespace, _),
        wave: (wave, waves),
        action: _,
        kind,
        what,
        causes,
        reason,
        size,
    } = likeness;
    let which = code(&format!("{kind}/{}", ranges::folded(names)));
    let cause = if causes.is_empty() {
        plain(reason)
    } else {
        let causes: Vec<String> = causes.iter().map(|cause| code(cause)).collect();
        causes.join(", ")
    };
    let size = size.as_deref().map(code).unwrap_or_default();
    format!(
        "| {what} | {which} in {} | {cause} | {wave} of {waves} | {size} |",
        code(namespace)
    )
}
