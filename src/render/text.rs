//! The plan as a reviewer reads it: a line that sums it up, then each fleet's waves in order with
//! what they do, why, and what is waited for between them. Says nothing that the plan does not.

mod changes;
mod steps;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::model::{Notice, ObjectKey};
use crate::plan::{Drift, FleetPlan, Plan, Summary, Waiting};

use super::style::Tone;
use super::{Style, value};
use changes::Situation;

/// How far the lines below an entry are indented.
const INDENT: usize = 6;

/// Returns the plan as text, with a line break at the end.
#[must_use]
pub fn plan(plan: &Plan, style: Style) -> String {
    let mut page = Page::new(style);
    page.line(0, &page.paint(Tone::Title, &summary(plan)));
    for fleet in &plan.fleets {
        page.gap();
        write_fleet(&mut page, fleet);
    }
    page.text
}

/// Returns the line that sums a plan up.
#[must_use]
pub fn summary(plan: &Plan) -> String {
    let Summary {
        create,
        patch,
        restart,
        delete,
        data_loss,
        blocked,
    } = plan.summary;
    let waiting: usize = plan.fleets.iter().map(|fleet| fleet.waiting.len()).sum();
    let mut extras = String::new();
    if data_loss > 0 {
        let verb = if data_loss == 1 { "loses" } else { "lose" };
        let _ = write!(extras, ", {data_loss} {verb} data");
    }
    if blocked > 0 {
        let _ = write!(extras, ", {blocked} blocked");
    }
    if waiting > 0 {
        let _ = write!(extras, ", {waiting} waiting");
    }
    if create + patch + restart + delete > 0 {
        return format!(
            "Plan: {create} to create, {patch} to change, {restart} to restart, \
             {delete} to delete{extras}"
        );
    }
    if plan.fleets.is_empty() {
        return "No changes. The specs describe no fleet.".to_owned();
    }
    if extras.is_empty() {
        return "No changes. The cluster is as the specs ask.".to_owned();
    }
    format!("No changes{extras}.")
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
    } = fleet;
    let title = value::escaped(&format!("Fleet {namespace}/{name}"));
    let is_empty = waves.is_empty()
        && waiting.is_empty()
        && warnings.is_empty()
        && blocked.is_empty()
        && drift.is_empty();
    if is_empty {
        return page.line(0, &format!("{title}: no changes"));
    }
    page.line(0, &page.paint(Tone::Title, &title));
    write_notices(page, (Tone::Danger, &entry("x", "blocked")), blocked);
    write_notices(page, (Tone::Changed, &entry("!", "warning")), warnings);
    for (index, wave) in waves.iter().enumerate() {
        page.gap();
        let title = value::escaped(&wave.title);
        let heading = format!("Wave {} of {}: {title}", index + 1, waves.len());
        page.line(2, &page.paint(Tone::Title, &heading));
        steps::write(page, namespace, wave);
    }
    write_waiting(page, namespace, waiting);
    write_drift(page, namespace, drift);
}

fn write_notices(page: &mut Page, (tone, head): (Tone, &str), notices: &[Notice]) {
    if notices.is_empty() {
        return;
    }
    page.gap();
    for notice in notices {
        let head = page.paint(tone, head);
        let about = match &notice.object {
            Some(object) => format!("{}: ", value::escaped(&object.to_string())),
            None => String::new(),
        };
        page.line(
            2,
            &format!("{head} {about}{}", value::escaped(&notice.message)),
        );
        if let Some(allow) = &notice.allow {
            page.line(
                2 + INDENT,
                &format!("to allow it: {}", value::escaped(allow)),
            );
        }
    }
}

fn write_waiting(page: &mut Page, namespace: &str, waiting: &[Waiting]) {
    let key = |item: &Waiting| {
        let shown = changes::shown(&item.changes, Situation::Later);
        (item.object.kind, item.on.clone(), shown)
    };
    let groups = grouped(waiting, key);
    if !groups.is_empty() {
        page.gap();
        page.line(2, &page.paint(Tone::Title, "Waiting (no wave does this)"));
    }
    for group in groups {
        let Some(first) = group.first() else { continue };
        let objects: Vec<&ObjectKey> = group.iter().map(|item| &item.object).collect();
        let head = page.paint(Tone::Faint, &entry("…", "waiting"));
        page.names(2, &head, namespace, &objects);
        page.line(2 + INDENT, &format!("for {}", value::escaped(&first.on)));
        changes::write(page, 2 + INDENT, &first.changes, Situation::Later);
    }
}

fn write_drift(page: &mut Page, namespace: &str, drift: &[Drift]) {
    let key = |item: &Drift| {
        let shown = changes::shown(&item.changes, Situation::Later);
        (item.object.kind, shown)
    };
    let groups = grouped(drift, key);
    if !groups.is_empty() {
        page.gap();
        let heading = "Drift (the cluster differs though the spec did not change)";
        page.line(2, &page.paint(Tone::Title, heading));
    }
    for group in groups {
        let Some(first) = group.first() else { continue };
        let objects: Vec<&ObjectKey> = group.iter().map(|item| &item.object).collect();
        let head = page.paint(Tone::Changed, &entry("~", "drift"));
        page.names(2, &head, namespace, &objects);
        changes::write(page, 2 + INDENT, &first.changes, Situation::Later);
    }
}

/// Returns items by what they have in common, groups and items in the order in which they came.
fn grouped<T, K: Ord>(items: &[T], key: impl Fn(&T) -> K) -> Vec<Vec<&T>> {
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

/// A text that grows line by line.
struct Page {
    text: String,
    style: Style,
}

impl Page {
    /// The widest line that a list of names makes.
    const WIDTH: usize = 100;

    fn new(style: Style) -> Self {
        let text = String::new();
        Self { text, style }
    }

    fn paint(&self, tone: Tone, text: &str) -> String {
        self.style.paint(tone, text)
    }

    fn gap(&mut self) {
        self.text.push('\n');
    }

    fn line(&mut self, indent: usize, text: &str) {
        self.text.extend(std::iter::repeat_n(' ', indent));
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    /// Writes a mark and word, and the names of objects of one kind, over as many lines as it
    /// takes. The head is as wide as [`entry`] makes it, colours aside.
    fn names(&mut self, indent: usize, head: &str, namespace: &str, objects: &[&ObjectKey]) {
        let column = indent + entry("", "").len() + 1;
        let mut rows: Vec<String> = Vec::new();
        let mut row = String::new();
        for (index, object) in objects.iter().enumerate() {
            let name = match index {
                0 => label(object, namespace),
                _ => short(object, namespace),
            };
            let comma = if index + 1 < objects.len() { "," } else { "" };
            if !row.is_empty() && column + row.len() + name.len() + 2 > Self::WIDTH {
                rows.push(std::mem::take(&mut row));
            }
            if !row.is_empty() {
                row.push(' ');
            }
            row.push_str(&name);
            row.push_str(comma);
        }
        rows.push(row);
        for (index, row) in rows.iter().enumerate() {
            match index {
                0 => self.line(indent, &format!("{head} {row}")),
                _ => self.line(column, row),
            }
        }
    }
}

/// Returns an object's kind and name.
fn label(object: &ObjectKey, namespace: &str) -> String {
    format!("{}/{}", object.kind, short(object, namespace))
}

/// Returns an object's name, with its namespace where that is not the fleet's.
fn short(object: &ObjectKey, namespace: &str) -> String {
    let name = value::escaped(&object.name);
    if object.namespace.is_empty() || object.namespace == namespace {
        return name;
    }
    format!("{name} (in {})", value::escaped(&object.namespace))
}

#[cfg(test)]
pub(crate) mod tests;
