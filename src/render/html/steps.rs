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
/// What is not longer than this is said as often as it is true.
const SHORT: usize = 300;

/// What was told of a fleet before, so that it is told once.
#[derive(Default)]
pub(super) struct Told<'a> {
    wave: usize,
    written: usize,
    before: BTreeMap<String, Before<'a>>,
}

/// Steps that were told, where they stand and what they are called.
struct Before<'a> {
    place: String,
    label: String,
    changes: BTreeMap<&'a str, &'a Change>,
}

impl Told<'_> {
    /// Notes which wave is written next.
    pub(super) fn begin(&mut self, wave: usize) {
        self.wave = wave;
    }
}

/// Writes steps, those of one sort together.
pub(super) fn write<'a>(
    steps: &[&'a Step],
    (namespace, id): (&str, &str),
    told: &mut Told<'a>,
) -> Markup {
    let groups = text::grouped(steps, |step| text::sort_of(step));
    html! {
        @for group in groups {
            @let group: Vec<&Step> = group.into_iter().copied().collect();
            (write_group(&group, (namespace, id), told))
        }
    }
}

fn write_group<'a>(
    steps: &[&'a Step],
    (namespace, id): (&str, &str),
    told: &mut Told<'a>,
) -> Markup {
    let Some(first) = steps.first() else {
        return html! {};
    };
    let group = Group::of(steps);
    told.written += 1;
    let place = format!("{id}-{}", told.written);
    html! {
        div class="step" id=(place) data-step {
            (head(first, namespace, steps))
            (common(&group, (first, &place), namespace, told))
            @for own in &group.own { (write_own(own, namespace)) }
        }
    }
}

/// Writes what steps have in common, or names those of a former wave of which the same was told, and
/// what differs beside.
fn common<'a>(
    group: &Group<'a>,
    (first, place): (&Step, &str),
    namespace: &str,
    told: &mut Told<'a>,
) -> Markup {
    let seen = html! {
        @for reason in &group.reasons { p class="faint" { (reason) } }
        (changes_seen(&group.changes, first.action))
    };
    // what is short is said again
    let is_short =
        seen.0.len() < SHORT && telling(&group.changes, first.action).len() == group.changes.len();
    let by_path: BTreeMap<&str, &Change> = group
        .changes
        .iter()
        .map(|c| (c.path.as_str(), *c))
        .collect();
    let key = format!("{} {}", first.action.word(), sha256(seen.0.as_bytes()));
    if let Some(before) = told.before.get(&key).filter(|_| !is_short)
        && before.changes.keys().eq(by_path.keys())
    {
        let is_other = |change: &&Change| before.changes.get(change.path.as_str()) != Some(change);
        let other: Vec<&Change> = group.changes.iter().copied().filter(is_other).collect();
        return html! {
            p class="faint" { "same reason and changes as " a href=(format!("#{}", before.place)) { (before.label) } }
            @if !other.is_empty() {
                details {
                    summary { (changes::several(other.len())) " of its own" }
                    (changes::list(other, text::situation(first.action)))
                }
            }
        };
    }
    let label = text::label(&first.object, namespace);
    let before = Before {
        place: place.to_owned(),
        label: format!("{label} in wave {}", told.wave),
        changes: by_path,
    };
    told.before.insert(key, before);
    html! { (seen) (every_field(&group.changes, first.action)) }
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
            span class=(format!("badge {}", first.action.word())) {
                (text::mark(first.action)) " " (first.action.word())
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

/// Returns the changes that a reader must see.
fn telling<'a>(all: &[&'a Change], action: Action) -> Vec<&'a Change> {
    match text::situation(action) {
        Situation::Replaced => all.iter().copied().filter(|c| forces(c)).collect(),
        Situation::Patched | Situation::Later => all.iter().copied().take(SHOWN).collect(),
    }
}

/// Writes what a reader must see of changes.
fn changes_seen(all: &[&Change], action: Action) -> Markup {
    let telling = telling(all, action);
    let shown: BTreeSet<&str> = telling.iter().map(|c| c.path.as_str()).collect();
    let is_left = |change: &&Change| !shown.contains(change.path.as_str());
    let named = text::topics_of(all.iter().copied().filter(is_left)).named;
    html! {
        @if !telling.is_empty() { (changes::list(telling, text::situation(action))) }
        @for phrase in named { p class="faint" { "~ " (phrase) } }
    }
}

/// Folds all changes away, where not all are seen anyway.
fn every_field(all: &[&Change], action: Action) -> Markup {
    html! {
        @if telling(all, action).len() < all.len() {
            details {
                summary { "every field (" (all.len()) ")" }
                (changes::list(all.iter().copied(), text::situation(action)))
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
