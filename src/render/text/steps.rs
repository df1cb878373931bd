//! The steps of one wave, and its gate. Steps of one sort are written together: what is the same
//! for all is said once, what is an object's own stands below its name, and no name is left out.

use std::collections::BTreeSet;

use crate::model::{Kind, ObjectKey};
use crate::plan::{Action, Change, Condition, Gate, Impact, Reason, Step, Wave};
use crate::render::style::Tone;
use crate::render::value;

use super::changes::{self, Situation};
use super::{INDENT, Page, entry, label, short};

/// Where steps stand on a line.
const LEFT: usize = 4;

/// Writes a wave's steps and its gate.
pub(super) fn write(page: &mut Page, namespace: &str, wave: &Wave) {
    for group in grouped(&wave.steps) {
        write_group(page, namespace, &group);
    }
    write_gate(page, namespace, &wave.gate);
}

/// Steps of one sort, and what they have in common.
struct Group<'a> {
    steps: Vec<&'a Step>,
    reasons: Vec<&'a Reason>,
    changes: Vec<Change>,
}

/// What steps must have in common to be written together.
#[derive(PartialEq)]
struct Sort<'a> {
    action: Action,
    kind: Kind,
    impact: Impact,
    paths: BTreeSet<&'a str>,
    codes: BTreeSet<&'a str>,
}

fn sort_of(step: &Step) -> Sort<'_> {
    Sort {
        action: step.action,
        kind: step.object.kind,
        impact: step.impact,
        paths: step.changes.iter().map(|c| c.path.as_str()).collect(),
        codes: step.reasons.iter().map(|r| r.code).collect(),
    }
}

fn grouped(steps: &[Step]) -> Vec<Group<'_>> {
    let mut sorted: Vec<(Sort<'_>, Vec<&Step>)> = Vec::new();
    for step in steps {
        let sort = sort_of(step);
        match sorted.iter_mut().find(|(other, _)| *other == sort) {
            Some((_, steps)) => steps.push(step),
            None => sorted.push((sort, vec![step])),
        }
    }
    sorted
        .into_iter()
        .map(|(_, steps)| in_common(steps))
        .collect()
}

fn in_common(steps: Vec<&Step>) -> Group<'_> {
    let (mut reasons, mut changes) = (Vec::new(), Vec::new());
    if let Some((first, rest)) = steps.split_first() {
        let is_shared = |reason: &&Reason| rest.iter().all(|s| s.reasons.contains(reason));
        reasons = first.reasons.iter().filter(is_shared).collect();
        let is_shared = |change: &&Change| rest.iter().all(|s| s.changes.contains(change));
        changes = first.changes.iter().filter(is_shared).cloned().collect();
    }
    Group {
        steps,
        reasons,
        changes,
    }
}

fn write_group(page: &mut Page, namespace: &str, group: &Group<'_>) {
    let Group {
        steps,
        reasons,
        changes,
    } = group;
    let Some(first) = steps.first() else { return };
    let is_alike = steps
        .iter()
        .all(|s| s.reasons.len() == reasons.len() && s.changes.len() == changes.len());
    let is_harmless = first.impact == Impact::None && first.action != Action::Delete;
    if is_alike && (is_harmless || steps.len() == 1) {
        let objects: Vec<&ObjectKey> = steps.iter().map(|s| &s.object).collect();
        write_names(page, namespace, (first, &objects));
    } else {
        for step in steps {
            write_names(page, namespace, (step, &[&step.object]));
            write_own(page, step, group);
        }
        let has_common = !reasons.is_empty() || !changes.is_empty();
        if steps.len() > 1 && has_common {
            page.line(LEFT + 4, &format!("all {}:", steps.len()));
        }
    }
    write_details(page, reasons, (changes, situation(first.action)));
}

fn write_names(page: &mut Page, namespace: &str, (step, objects): (&Step, &[&ObjectKey])) {
    let head = page.paint(tone(step), &entry(mark(step.action), word(step.action)));
    match (consequence(step), objects) {
        (Some(words), [object]) => {
            let words = page.paint(tone(step), words);
            page.line(
                LEFT,
                &format!("{head} {}   {words}", label(object, namespace)),
            );
        }
        (Some(_) | None, _) => page.names(LEFT, &head, namespace, objects),
    }
}

fn write_own(page: &mut Page, step: &Step, group: &Group<'_>) {
    let is_own = |reason: &&Reason| !group.reasons.contains(reason);
    let reasons: Vec<&Reason> = step.reasons.iter().filter(is_own).collect();
    let is_own = |change: &&Change| !group.changes.contains(change);
    let changes: Vec<Change> = step.changes.iter().filter(is_own).cloned().collect();
    write_details(page, &reasons, (&changes, situation(step.action)));
}

fn write_details(page: &mut Page, reasons: &[&Reason], (changes, how): (&[Change], Situation)) {
    for reason in reasons {
        let text = format!("because {}", value::escaped(&reason.message));
        page.line(LEFT + INDENT, &page.paint(Tone::Faint, &text));
    }
    changes::write(page, LEFT + INDENT, changes, how);
}

fn write_gate(page: &mut Page, namespace: &str, gates: &[Gate]) {
    for condition in [Condition::PodReady, Condition::Gone] {
        let of_it = gates.iter().filter(|g| g.condition == condition);
        let objects: Vec<&ObjectKey> = of_it.map(|g| &g.object).collect();
        let names: Vec<String> = match condition {
            Condition::PodReady => objects.iter().map(|o| short(o, namespace)).collect(),
            Condition::Gone => objects.iter().map(|o| label(o, namespace)).collect(),
        };
        let verb = if names.len() == 1 { "is" } else { "are" };
        let state = match condition {
            Condition::PodReady => "ready and in sync",
            Condition::Gone => "gone",
        };
        if !names.is_empty() {
            let names = names.join(", ");
            page.line(LEFT, &format!("then waits until {names} {verb} {state}"));
        }
    }
}

fn situation(action: Action) -> Situation {
    match action {
        Action::Replace => Situation::Replaced,
        Action::Create | Action::Patch | Action::Delete => Situation::Patched,
    }
}

fn mark(action: Action) -> &'static str {
    match action {
        Action::Create => "+",
        Action::Patch => "~",
        Action::Replace => "-/+",
        Action::Delete => "-",
    }
}

fn word(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Patch => "patch",
        Action::Replace => "replace",
        Action::Delete => "delete",
    }
}

fn tone(step: &Step) -> Tone {
    match (step.impact, step.action) {
        (Impact::DataLoss | Impact::IdentityChange, _) => Tone::Danger,
        (Impact::None | Impact::Restart, Action::Create) => Tone::Added,
        (Impact::None | Impact::Restart, Action::Patch) => Tone::Changed,
        (Impact::None | Impact::Restart, Action::Replace) => Tone::Interrupted,
        (Impact::None | Impact::Restart, Action::Delete) => Tone::Removed,
    }
}

/// Returns what a step does to those who use the fleet, in words that stand out without colour.
fn consequence(step: &Step) -> Option<&'static str> {
    match step.impact {
        Impact::None => None,
        Impact::Restart => Some("RESTARTS"),
        Impact::IdentityChange => Some("GETS ANOTHER IDENTITY"),
        Impact::DataLoss => Some("LOSES DATA"),
    }
}
