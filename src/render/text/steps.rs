//! The steps of one wave, and its gate. Steps of one sort are written together: what is the same
//! for all is said once, what is an object's own stands below its name, and no name is left out.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Kind, ObjectKey, ranges};
use crate::plan::{Action, Condition, Gate, Impact, Reason, Step, Wave};
use crate::render::style::Tone;
use crate::render::value;

use super::changes::{self, Situation};
use super::page::{self, Page};
use super::{Detail, INDENT, Look, WIDTH, entry, label, short};

/// Where steps stand on a line.
const LEFT: usize = 4;
/// The reason that says no more than its changes do.
const PLAIN_REASON: &str = "FieldsDiffer";

/// The reasons that say what a step costs rather than why it is taken.
const COSTS: [&str; 5] = [
    "LastSnapshot",
    "NoVolume",
    "VolumeDeleted",
    "VolumeFateUnknown",
    "VolumeKept",
];

/// What was told in former waves of a fleet, so that it is told once.
#[derive(Default)]
pub(super) struct Told {
    wave: usize,
    details: BTreeMap<(Action, Vec<String>), (String, usize)>,
}

impl Told {
    /// Notes which wave is written next.
    pub(super) fn begin(&mut self, wave: usize) {
        self.wave = wave;
    }
}

/// Writes a wave's steps and its gate.
pub(super) fn write(page: &mut Page, namespace: &str, wave: &Wave, told: &mut Told) {
    for steps in super::grouped(&wave.steps, sort_of) {
        let group = in_common(&steps, page.look);
        write_group(page, namespace, &group, told);
    }
    write_gate(page, namespace, &wave.gate);
}

/// Writes one step.
pub(super) fn write_one(page: &mut Page, namespace: &str, step: &Step) {
    let group = in_common(&[step], page.look);
    write_group(page, namespace, &group, &mut Told::default());
}

/// Steps of one sort, each with what is its own, and what they have in common. What is said of a
/// step comes in blocks: why it is taken, and what changes.
struct Group<'a> {
    steps: Vec<(&'a Step, Vec<String>)>,
    common: Vec<String>,
}

/// What steps must have in common to be written together.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::render) struct Sort {
    action: Action,
    kind: Option<Kind>,
    impact: Impact,
    paths: BTreeSet<String>,
    codes: BTreeSet<&'static str>,
}

/// Returns what a step must have in common with others.
pub(in crate::render) fn sort_of(step: &Step) -> Sort {
    let is_harmless = step.impact == Impact::None;
    Sort {
        action: step.action,
        kind: (!is_harmless).then_some(step.object.kind),
        impact: step.impact,
        paths: step.changes.iter().map(|c| c.path.clone()).collect(),
        codes: step.reasons.iter().map(|r| r.code).collect(),
    }
}

/// Parts what all steps have in common from what is each one's own.
fn in_common<'a>(steps: &[&'a Step], look: Look) -> Group<'a> {
    let all: Vec<Vec<String>> = steps.iter().map(|step| blocks(step, look)).collect();
    let mut shared: BTreeSet<&String> = all.first().into_iter().flatten().collect();
    for blocks in &all {
        shared.retain(|block| blocks.contains(block));
    }
    let is_common = |block: &&String| shared.contains(*block);
    let common = all.first().into_iter().flatten().filter(is_common);
    let common = common.cloned().collect();
    let own = |blocks: &Vec<String>| -> Vec<String> {
        let own = blocks.iter().filter(|block| !is_common(block));
        own.cloned().collect()
    };
    let owns: Vec<Vec<String>> = all.iter().map(own).collect();
    let steps = steps.iter().copied().zip(owns).collect();
    Group { steps, common }
}

/// Returns why a step is taken and what changes, in blocks.
fn blocks(step: &Step, look: Look) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    for reason in &step.reasons {
        if let Some(text) = reason_of(reason, step, look.detail) {
            let rows = page::rows(&text, WIDTH - LEFT - INDENT);
            let rows = rows.iter().map(|row| look.paint(Tone::Faint, row));
            blocks.push(rows.collect::<Vec<_>>().join("\n"));
        }
    }
    blocks.extend(changes::blocks(&step.changes, situation(step.action), look));
    blocks
}

/// Returns a reason as it is told; nothing where the changes below say as much.
pub(in crate::render) fn reason_of(reason: &Reason, step: &Step, detail: Detail) -> Option<String> {
    let says_no_more = reason.code == PLAIN_REASON && !step.changes.is_empty();
    if says_no_more && detail == Detail::Summed {
        return None;
    }
    let word = if COSTS.contains(&reason.code) {
        "note:"
    } else {
        "because"
    };
    let why = why(reason, step, detail);
    Some(format!("{word} {}", value::escaped(why)))
}

/// Returns a reason without the list of paths at its end, where the changes below show them.
fn why<'a>(reason: &'a Reason, step: &Step, detail: Detail) -> &'a str {
    let is_shown = |path: &str| step.changes.iter().any(|change| change.path == path);
    match reason.message.split_once(": ") {
        Some((why, paths)) if detail == Detail::Summed && paths.split(", ").all(is_shown) => why,
        Some(_) | None => &reason.message,
    }
}

fn write_group(page: &mut Page, namespace: &str, group: &Group<'_>, told: &mut Told) {
    let Group { steps, common } = group;
    let Some((first, _)) = steps.first() else {
        return;
    };
    if steps.iter().all(|(_, own)| own.is_empty()) {
        let objects: Vec<&ObjectKey> = steps.iter().map(|(step, _)| &step.object).collect();
        write_names(page, namespace, (first, &objects));
        return write_once(
            page,
            common,
            (first, &label(&first.object, namespace)),
            told,
        );
    }
    for (step, own) in steps {
        write_names(page, namespace, (step, &[&step.object]));
        write_blocks(page, own);
    }
    if !common.is_empty() {
        page.line(LEFT + 4, &format!("all {}:", steps.len()));
        write_blocks(page, common);
    }
}

/// Writes blocks, or names the step of a former wave below which they stand.
fn write_once(page: &mut Page, blocks: &[String], (step, name): (&Step, &str), told: &mut Told) {
    let key = (step.action, blocks.to_vec());
    match told.details.get(&key) {
        Some((like, wave)) if blocks.len() > 1 => {
            let text = format!("same reason and changes as {like} in wave {wave}");
            page.line(LEFT + INDENT, &page.paint(Tone::Faint, &text));
        }
        Some(_) | None => {
            let place = (name.to_owned(), told.wave);
            told.details.insert(key, place);
            write_blocks(page, blocks);
        }
    }
}

fn write_blocks(page: &mut Page, blocks: &[String]) {
    for block in blocks {
        page.block(LEFT + INDENT, block);
    }
}

fn write_names(page: &mut Page, namespace: &str, (step, objects): (&Step, &[&ObjectKey])) {
    let head = page.paint(tone(step), &entry(mark(step.action), step.action.word()));
    let end = match (consequence(step), objects) {
        (None, _) => String::new(),
        (Some((one, _)), [_]) => page.paint(tone(step), one),
        (Some((_, many)), _) => page.paint(tone(step), &format!("{} {many}", objects.len())),
    };
    page.names((LEFT, &head), namespace, objects, &end);
}

fn write_gate(page: &mut Page, namespace: &str, gates: &[Gate]) {
    for line in self::gates(namespace, gates) {
        page.wrapped(LEFT, &line);
    }
}

/// Returns what is waited for, in a sentence for each condition.
pub(in crate::render) fn gates(namespace: &str, gates: &[Gate]) -> Vec<String> {
    let mut lines = Vec::new();
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
            let names = ranges::folded(&names);
            lines.push(format!("then waits until {names} {verb} {state}"));
        }
    }
    lines
}

pub(in crate::render) fn situation(action: Action) -> Situation {
    match action {
        // what is created with changes was there before
        Action::Replace | Action::Create => Situation::Replaced,
        Action::Patch | Action::Delete => Situation::Patched,
    }
}

pub(in crate::render) fn mark(action: Action) -> &'static str {
    match action {
        Action::Create => "+",
        Action::Patch => "~",
        Action::Replace => "-/+",
        Action::Delete => "-",
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

/// Returns what a step does to those who use the fleet, of one object and of several, in words that
/// stand out without colour.
pub(in crate::render) fn consequence(step: &Step) -> Option<(&'static str, &'static str)> {
    match (step.impact, step.action) {
        (Impact::None, _) => None,
        (Impact::Restart, Action::Delete) => Some(("STOPS", "STOP")),
        (Impact::Restart, Action::Create | Action::Patch | Action::Replace) => {
            Some(("RESTARTS", "RESTART"))
        }
        (Impact::IdentityChange, _) => Some(("GETS ANOTHER IDENTITY", "GET ANOTHER IDENTITY")),
        (Impact::DataLoss, _) => Some(("LOSES DATA", "LOSE DATA")),
    }
}
