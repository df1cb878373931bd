//! The plan as a reviewer reads it: a line that sums it up, then each fleet's waves in order with
//! what they do, why, and what is waited for between them. Says nothing that the plan does not, and
//! leaves out no object: only fields that restart nothing are summed up, unless all are asked for.

mod changes;
mod notices;
mod page;
mod peers;
mod review;
mod simulation;
mod steps;
mod topics;
mod upgrades;
mod why;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::model::{Kind, ObjectKey};
use crate::plan::{Drift, FleetPlan, Plan, Summary, Waiting};

use super::style::Tone;
use super::{Style, value};
pub(super) use changes::{Situation, remark_of};
pub(super) use notices::told as told_notices;
use page::Page;
pub(super) use page::{named, rows};
pub use review::{fleet_review, review, verdict};
pub use simulation::simulation;
pub(super) use steps::{consequence, gates, mark, reason_of, situation, sort_of};
pub(super) use topics::part as topics_of;
pub(super) use upgrades::lines as upgrade_lines;
pub use why::why;

/// How far the lines below an entry are indented.
const INDENT: usize = 6;
/// How wide a line may get, names aside.
const WIDTH: usize = 120;

/// How much of a plan is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// What a reviewer needs; what restarts nothing is summed up.
    Summed,
    /// Every field.
    Every,
}

/// How a text is to look.
#[derive(Debug, Clone, Copy)]
struct Look {
    style: Style,
    detail: Detail,
}

impl Look {
    /// Returns the same look with every field shown.
    fn of_every_field(self) -> Self {
        let detail = Detail::Every;
        Self { detail, ..self }
    }

    fn paint(self, tone: Tone, text: &str) -> String {
        self.style.paint(tone, text)
    }
}

/// Returns the plan as text, with a line break at the end.
#[must_use]
pub fn plan(plan: &Plan, style: Style, detail: Detail) -> String {
    let mut page = Page::new(Look { style, detail });
    page.line(0, &page.paint(Tone::Title, &summary(plan)));
    notices::write(&mut page, (Tone::Changed, "!", "warning"), &plan.warnings);
    let mut is_after_one_line = false;
    for fleet in &plan.fleets {
        let is_one_line = has_nothing(fleet);
        if !(is_one_line && is_after_one_line) {
            page.gap();
        }
        is_after_one_line = is_one_line;
        write_fleet(&mut page, fleet);
    }
    if plan.fleets.iter().any(|fleet| !fleet.blocked.is_empty()) {
        page.gap();
        let next = "Next: what is marked \"x blocked\" is not done until you do what its \
                    \"to allow\" line says (exit code 3).";
        page.line(0, &page.paint(Tone::Danger, next));
    }
    page.text
}

/// Returns the line that sums a plan up.
#[must_use]
pub fn summary(plan: &Plan) -> String {
    let mut extras = costs_of(plan.summary);
    let waiting = plan.fleets.iter().flat_map(|fleet| &fleet.waiting);
    let waiting: BTreeSet<&ObjectKey> = waiting.map(|item| &item.object).collect();
    if !waiting.is_empty() {
        let _ = write!(extras, ", {}", that_wait(&waiting));
    }
    let Summary {
        create,
        patch,
        restart,
        delete,
        ..
    } = plan.summary;
    if create + patch + restart + delete > 0 {
        return format!("Plan: {}{extras}", steps_of(plan.summary));
    }
    if plan.fleets.is_empty() {
        return "No changes. The specs describe no fleet.".to_owned();
    }
    if extras.is_empty() {
        return "No changes. The cluster is as the specs ask.".to_owned();
    }
    format!("No changes now{extras}.")
}

/// Returns how many steps of each sort there are.
fn steps_of(summary: Summary) -> String {
    let Summary {
        create,
        patch,
        restart,
        delete,
        ..
    } = summary;
    format!("{create} to create, {patch} to change, {restart} to restart, {delete} to delete")
}

/// Returns what is lost and what is blocked, behind a comma; nothing where nothing is.
fn costs_of(summary: Summary) -> String {
    let Summary {
        data_loss, blocked, ..
    } = summary;
    let mut costs = String::new();
    if data_loss > 0 {
        let verb = if data_loss == 1 { "LOSES" } else { "LOSE" };
        let _ = write!(costs, ", {data_loss} {verb} DATA");
    }
    if blocked > 0 {
        let _ = write!(costs, ", {blocked} blocked");
    }
    costs
}

fn that_wait(objects: &BTreeSet<&ObjectKey>) -> String {
    let are_pods = objects.iter().all(|object| object.kind == Kind::Pod);
    let noun = if are_pods { "pod" } else { "object" };
    match objects.len() {
        1 => format!("1 {noun} waits"),
        n => format!("{n} {noun}s wait"),
    }
}

pub(super) fn has_nothing(fleet: &FleetPlan) -> bool {
    let FleetPlan {
        namespace: _,
        name: _,
        waves,
        waiting,
        warnings,
        blocked,
        drift,
        upgrades: _, // they tell where things stand, and change nothing
        outset: _,
    } = fleet;
    waves.is_empty()
        && waiting.is_empty()
        && warnings.is_empty()
        && blocked.is_empty()
        && drift.is_empty()
}

fn write_fleet(page: &mut Page, fleet: &FleetPlan) {
    let FleetPlan {
        namespace,
        name,
        waves,
        waiting,
        warnings,
        blocked,
        drift,
        upgrades,
        outset: _,
    } = fleet;
    let title = value::escaped(&format!("Fleet {namespace}/{name}"));
    if has_nothing(fleet) {
        let next = upgrades::next(upgrades).map(|next| format!("; next: {next}"));
        let next = next.unwrap_or_default();
        return page.line(0, &format!("{title}: no changes{next}"));
    }
    page.line(0, &page.paint(Tone::Title, &title));
    notices::write(page, (Tone::Danger, "x", "blocked"), blocked);
    notices::write(page, (Tone::Changed, "!", "warning"), warnings);
    upgrades::write(page, upgrades);
    let mut told = steps::Told::default();
    for (index, wave) in waves.iter().enumerate() {
        page.gap();
        let title = value::escaped(&wave.title);
        let heading = format!("Wave {} of {}: {title}", index + 1, waves.len());
        page.line(2, &page.paint(Tone::Title, &heading));
        told.begin(index + 1);
        steps::write(page, namespace, wave, &mut told);
    }
    write_waiting(page, namespace, waiting);
    write_drift(page, namespace, drift);
}

fn write_waiting(page: &mut Page, namespace: &str, waiting: &[Waiting]) {
    let look = page.look;
    let blocks = |item: &Waiting| changes::blocks(&item.changes, Situation::Later, look);
    let groups = grouped(waiting, |item| {
        (item.object.kind, item.on.clone(), blocks(item))
    });
    if !groups.is_empty() {
        page.gap();
        let heading = match page.look.detail {
            Detail::Summed => "Waiting (no wave does this; -v shows every field)",
            Detail::Every => "Waiting (no wave does this)",
        };
        page.line(2, &page.paint(Tone::Title, heading));
    }
    for group in groups {
        let Some(first) = group.first() else { continue };
        let objects: Vec<&ObjectKey> = group.iter().map(|item| &item.object).collect();
        let head = page.paint(Tone::Faint, &entry("…", "waiting"));
        page.names((2, &head), namespace, &objects, "");
        let takes = match (first.changes.is_empty(), group.len()) {
            (true, _) => "",
            (false, 1) => ", and then takes up:",
            (false, _) => ", and each then takes up:",
        };
        let on = value::escaped(&first.on);
        page.wrapped(2 + INDENT, &format!("for {on}{takes}"));
        for block in blocks(first) {
            page.block(4 + INDENT, &block);
        }
    }
}

fn write_drift(page: &mut Page, namespace: &str, drift: &[Drift]) {
    let look = page.look;
    let blocks = |item: &Drift| changes::blocks(&item.changes, Situation::Later, look);
    let groups = grouped(drift, |item| (item.object.kind, blocks(item)));
    if !groups.is_empty() {
        page.gap();
        let heading = "Drift (the cluster differs though the spec did not change)";
        page.line(2, &page.paint(Tone::Title, heading));
    }
    for group in groups {
        let Some(first) = group.first() else { continue };
        let objects: Vec<&ObjectKey> = group.iter().map(|item| &item.object).collect();
        let head = page.paint(Tone::Changed, &entry("~", "drift"));
        page.names((2, &head), namespace, &objects, "");
        for block in blocks(first) {
            page.block(2 + INDENT, &block);
        }
    }
}

/// Returns items by what they have in common, groups and items in the order in which they came.
pub(super) fn grouped<T, K: Ord>(items: &[T], key: impl Fn(&T) -> K) -> Vec<Vec<&T>> {
    let mut places: BTreeMap<K, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<&T>> = Vec::new();
    for item in items {
        let place = *places.entry(key(item)).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(item),
            None => groups.push(vec![item]),
        }
    }
    groups
}

/// Returns a mark and its word, padded so that what follows stands in one column.
fn entry(mark: &str, word: &str) -> String {
    format!("{mark:<3} {word:<7}")
}

/// Returns an object's kind and name.
pub(super) fn label(object: &ObjectKey, namespace: &str) -> String {
    format!("{}/{}", object.kind, short(object, namespace))
}

/// Returns an object's name, with its namespace where that is not the fleet's.
pub(super) fn short(object: &ObjectKey, namespace: &str) -> String {
    let name = value::escaped(&object.name);
    if object.namespace.is_empty() || object.namespace == namespace {
        return name;
    }
    format!("{name} (in {})", value::escaped(&object.namespace))
}

#[cfg(test)]
pub(crate) mod tests;
