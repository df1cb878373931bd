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
    for steps in super::grouped(&wave.steps, sort_of) {
        write_group(page, namespace, &in_common(&steps));
    }
    write_gate(page, namespace, &wave.gate);
}

/// Steps of one sort, each with what is its own, and what they have in common.
struct Group<'a> {
    steps: Vec<(&'a Step, Details<'a>)>,
    common: Details<'a>,
}

/// Why something is done, and what changes.
#[derive(Default)]
struct Details<'a> {
    reasons: Vec<&'a Reason>,
    changes: Vec<&'a Change>,
}

impl Details<'_> {
    fn is_empty(&self) -> bool {
        self.reasons.is_empty() && self.changes.is_empty()
    }
}

/// What steps must have in common to be written together.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Sort {
    action: Action,
    kind: Kind,
    impact: Impact,
    paths: BTreeSet<String>,
    codes: BTreeSet<&'static str>,
}

fn sort_of(step: &Step) -> Sort {
    Sort {
        action: step.action,
        kind: step.object.kind,
        impact: step.impact,
        paths: step.changes.iter().map(|c| c.path.clone()).collect(),
        codes: step.reasons.iter().map(|r| r.code).collect(),
    }
}

/// Parts what all steps have in common from what is each one's own.
fn in_common<'a>(steps: &[&'a Step]) -> Group<'a> {
    let shown: Vec<Vec<String>> = steps
        .iter()
        .map(|step| changes::shown(&step.changes, situation(step.action)))
        .collect();
    let changes = shared(shown.iter().map(Vec::as_slice));
    let reasons = shared(steps.iter().map(|step| step.reasons.as_slice()));
    let mut group = Group {
        steps: Vec::new(),
        common: Details::default(),
    };
    for (step, shown) in steps.iter().zip(&shown) {
        let (mut own, mut common) = (Details::default(), Details::default());
        for reason in &step.reasons {
            let part = if reasons.contains(reason) {
                &mut common
            } else {
                &mut own
            };
            part.reasons.push(reason);
        }
        for (change, shown) in step.changes.iter().zip(shown) {
            let part = if changes.contains(shown) {
                &mut common
            } else {
                &mut own
            };
            part.changes.push(change);
        }
        group.steps.push((*step, own));
        group.common = common;
    }
    group
}

/// Returns the items that are in every list.
fn shared<'a, T: Ord>(mut lists: impl Iterator<Item = &'a [T]>) -> BTreeSet<&'a T> {
    let mut shared: BTreeSet<&T> = lists.next().unwrap_or_default().iter().collect();
    for list in lists {
        let list: BTreeSet<&T> = list.iter().collect();
        shared.retain(|item| list.contains(item));
    }
    shared
}

fn write_group(page: &mut Page, namespace: &str, group: &Group<'_>) {
    let Group { steps, common } = group;
    let Some((first, _)) = steps.first() else {
        return;
    };
    let is_alike = steps.iter().all(|(_, own)| own.is_empty());
    let is_harmless = first.impact == Impact::None && first.action != Action::Delete;
    if is_alike && (is_harmless || steps.len() == 1) {
        let objects: Vec<&ObjectKey> = steps.iter().map(|(step, _)| &step.object).collect();
        write_names(page, namespace, (first, &objects));
    } else {
        for (step, own) in steps {
            write_names(page, namespace, (step, &[&step.object]));
            write_details(page, own, step.action);
        }
        if steps.len() > 1 && !common.is_empty() {
            page.line(LEFT + 4, &format!("all {}:", steps.len()));
        }
    }
    write_details(page, common, first.action);
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

fn write_details(page: &mut Page, details: &Details<'_>, action: Action) {
    for reason in &details.reasons {
        let text = format!("because {}", value::escaped(&reason.message));
        page.line(LEFT + INDENT, &page.paint(Tone::Faint, &text));
    }
    let changes = details.changes.iter().copied();
    changes::write(page, LEFT + INDENT, changes, situation(action));
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
