//! The steps of one wave. Steps of one sort are written together: what is the same for all is said
//! once, what is an object's own is folded away below its name, and no name is left out.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::changes;
use crate::model::ObjectKey;
use crate::model::digest::sha256;
use crate::plan::{Action, Change, Effect, Impact, Step};
use crate::render::text::{self, Detail, Situation};

/// How many fields that restart nothing are shown before all are folded away.
const SHOWN: usize = 8;

/// What was told of a fleet before, so that it is told once: where it stands, and what it is called.
#[derive(Default)]
pub(super) struct Told {
    places: BTreeMap<String, (String, String)>,
    written: usize,
}

/// Writes steps, those of one sort together.
pub(super) fn write(steps: &[&Step], (namespace, id): (&str, &str), told: &mut Told) -> Markup {
    let groups = text::grouped(steps, |step| text::sort_of(step));
    html! {
        @for group in groups {
            (write_group(&group.into_iter().copied().collect::<Vec<_>>(), (namespace, id), told))
        }
    }
}

fn write_group(steps: &[&Step], (namespace, id): (&str, &str), told: &mut Told) -> Markup {
    let Some(first) = steps.first() else {
        return html! {};
    };
    let group = Group::of(steps);
    told.written += 1;
    let place = format!("{id}-{}", told.written);
    let common = group.common(first);
    html! {
        div class="step" id=(place) data-step {
            (head(first, namespace, steps))
            @match told.before(first, &common, &place, namespace) {
                Some((place, like)) => p class="faint" { "same reason and changes as " a href=(format!("#{place}")) { (like) } },
                None => (common),
            }
            @for own in &group.own { (write_own(own, namespace)) }
        }
    }
}

impl Told {
    /// Returns where the same stands already; else notes that it stands here.
    fn before(
        &mut self,
        step: &Step,
        common: &Markup,
        place: &str,
        namespace: &str,
    ) -> Option<(String, String)> {
        // what is short is said again
        if common.0.len() < 300 {
            return None;
        }
        let key = format!(
            "{} {}",
            text::word(step.action),
            sha256(common.0.as_bytes())
        );
        if let Some(known) = self.places.get(&key) {
            return Some(known.clone());
        }
        let label = text::label(&step.object, namespace);
        self.places.insert(key, (place.to_owned(), label));
        None
    }
}

/// Writes what is done, and to whom.
fn head(first: &Step, namespace: &str, steps: &[&Step]) -> Markup {
    let objects: Vec<&ObjectKey> = steps.iter().map(|step| &step.object).collect();
    let names = text::named(&objects, namespace, Detail::Summed);
    let all = text::named(&objects, namespace, Detail::Every);
    let consequence = text::consequence(first).map(|(one, many)| match steps.len() {
        1 => one.to_owned(),
        n => format!("{n} {many}"),
    });
    let is_grave = first.impact > Impact::Restart;
    html! {
        p {
            span class=(format!("badge {}", text::word(first.action))) {
                (text::mark(first.action)) " " (text::word(first.action))
            }
            span class="names" { (names.join(" ")) }
            @if let Some(words) = consequence {
                " " span class=(if is_grave { "consequence danger" } else { "consequence" }) { (words) }
            }
        }
        @if all.len() > names.len() {
            details { summary { "all " (all.len()) " names" } p { (all.join(" ")) } }
        }
    }
}

/// Steps of one sort: what they have in common, and what is each one's own.
struct Group<'a> {
    reasons: Vec<String>,
    changes: Vec<&'a Change>,
    own: Vec<Own<'a>>,
}

/// What is true of one step alone.
struct Own<'a> {
    step: &'a Step,
    reasons: Vec<String>,
    changes: Vec<&'a Change>,
}

impl<'a> Group<'a> {
    fn of(steps: &[&'a Step]) -> Self {
        let all_reasons: Vec<Vec<String>> = steps.iter().map(|step| reasons(step)).collect();
        let mut shared_reasons = all_reasons.first().cloned().unwrap_or_default();
        for reasons in &all_reasons {
            shared_reasons.retain(|reason| reasons.contains(reason));
        }
        // all of a sort have the same paths, so that the first one's are those to look at
        let changes = steps.first().map_or(&[][..], |step| &step.changes);
        let mut shared: BTreeMap<&str, &Change> =
            changes.iter().map(|c| (c.path.as_str(), c)).collect();
        for step in steps.iter().skip(1) {
            let of_step: BTreeMap<&str, &Change> =
                step.changes.iter().map(|c| (c.path.as_str(), c)).collect();
            shared.retain(|path, change| of_step.get(path).is_some_and(|other| other == change));
        }
        let is_shared = |change: &&Change| shared.contains_key(change.path.as_str());
        let own = steps.iter().zip(all_reasons).map(|(step, mut reasons)| {
            reasons.retain(|reason| !shared_reasons.contains(reason));
            let changes = step.changes.iter().filter(|change| !is_shared(change));
            let changes = changes.collect();
            Own {
                step,
                reasons,
                changes,
            }
        });
        let own = own.filter(|own| !own.reasons.is_empty() || !own.changes.is_empty());
        let own: Vec<Own<'_>> = own.collect();
        Self {
            changes: changes.iter().filter(is_shared).collect(),
            reasons: shared_reasons,
            own,
        }
    }

    /// Writes what the steps have in common.
    fn common(&self, first: &Step) -> Markup {
        html! {
            @for reason in &self.reasons { p class="faint" { (reason) } }
            (write_changes(&self.changes, first.action))
        }
    }
}

fn reasons(step: &Step) -> Vec<String> {
    let reasons = step.reasons.iter();
    reasons
        .filter_map(|reason| text::reason_of(reason, step, Detail::Summed))
        .collect()
}

fn write_own(own: &Own<'_>, namespace: &str) -> Markup {
    let situation = text::situation(own.step.action);
    html! {
        details {
            summary {
                (text::label(&own.step.object, namespace)) ": "
                @if own.changes.is_empty() { "its own reason" } @else { (changes::several(own.changes.len())) " of its own" }
            }
            @for reason in &own.reasons { p class="faint" { (reason) } }
            (changes::list(own.changes.iter().copied(), situation))
        }
    }
}

/// Writes what a reader must see of changes, and folds all of them away below it.
pub(super) fn write_changes(all: &[&Change], action: Action) -> Markup {
    let situation = text::situation(action);
    let telling: Vec<&Change> = match situation {
        Situation::Replaced => all.iter().copied().filter(|c| forces(c)).collect(),
        Situation::Patched | Situation::Later => all.iter().copied().take(SHOWN).collect(),
    };
    let shown: BTreeSet<&str> = telling.iter().map(|c| c.path.as_str()).collect();
    let rest = || {
        all.iter()
            .copied()
            .filter(|c| !shown.contains(c.path.as_str()))
    };
    let named = text::topics_of(rest()).named;
    html! {
        @if !telling.is_empty() { (changes::list(telling.iter().copied(), situation)) }
        @for phrase in named { p class="faint" { "~ " (phrase) } }
        @if telling.len() < all.len() {
            details {
                summary { "every field (" (all.len()) ")" }
                (changes::list(all.iter().copied(), situation))
            }
        }
    }
}

/// Tells whether a change is why a pod is replaced, and does not just come along.
fn forces(change: &Change) -> bool {
    match change.effect {
        Effect::Restart | Effect::RecreateVolume | Effect::DataLoss => true,
        Effect::InPlace | Effect::NextRestart => false,
    }
}
