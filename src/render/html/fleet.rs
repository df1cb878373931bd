//! One fleet of a page: what its document says, its waves as a picture and in order, and what no wave
//! does.

use maud::{Markup, html};

use super::Part;
use super::changes;
use super::picture;
use super::steps::{self, Told};
use crate::model::{Notice, ObjectKey};
use crate::plan::{Change, Effect, Step, Upgrade};
use crate::render::text::{self, Detail, Situation};
use crate::render::verdict;
use crate::review::{Due, FieldChange, FleetReview};

/// Writes a fleet; `id` tells it from the others of the page.
pub(super) fn write(part: &Part<'_>, id: &str) -> Markup {
    let fleet = &part.fleet;
    html! {
        section class="fleet" id=(id) data-group aria-labelledby=(format!("{id}-name")) {
            h2 id=(format!("{id}-name")) { (verdict::of_fleet(fleet)) }
            @if let Some(file) = &fleet.file { p class="faint" { code { (file) } } }
            (notices(&fleet.blocked, "blocked"))
            (notices(&fleet.warnings, "warning"))
            (document(&fleet.fields))
            (picture::draw(fleet, id))
            (upgrades(part.upgrades))
            (waves(fleet, id))
            (averted(fleet, id))
            (waiting(part, id))
            (drift(part, id))
        }
    }
}

/// Writes warnings, or what is blocked.
pub(super) fn notices(notices: &[Notice], word: &str) -> Markup {
    html! {
        @for told in text::told_notices(notices) {
            div class=(format!("notice {word}")) {
                p { strong { (word) ": " } (told.text) }
                @for detail in &told.details { p { (detail) } }
                @if let Some(allow) = &told.allow { p { strong { "to allow: " } (allow) } }
            }
        }
    }
}

fn document(fields: &[FieldChange]) -> Markup {
    let changes: Vec<Change> = fields
        .iter()
        .map(|field| Change {
            path: field.path.clone(),
            from: field.from.clone(),
            to: field.to.clone(),
            effect: Effect::InPlace,
        })
        .collect();
    html! {
        @if !changes.is_empty() {
            h3 { "What its document says" }
            (changes::list(&changes, Situation::Later))
        }
    }
}

fn upgrades(upgrades: &[Upgrade]) -> Markup {
    let lines = text::upgrade_lines(upgrades);
    html! {
        @if !lines.is_empty() {
            h3 { "Upgrades" }
            ul { @for line in lines { li { (line) } } }
        }
    }
}

fn waves(fleet: &FleetReview, id: &str) -> Markup {
    let mut by_wave: Vec<Vec<&Due>> = vec![Vec::new(); fleet.waves.len()];
    for due in &fleet.steps {
        if let Some(wave) = by_wave.get_mut(due.wave.saturating_sub(1)) {
            wave.push(due);
        }
    }
    let mut told = Told::default();
    html! {
        @for (index, (title, steps)) in fleet.waves.iter().zip(&by_wave).enumerate() {
            section class="wave" data-group {
                h3 { "Wave " (index + 1) " of " (fleet.waves.len()) ": " (title) }
                (wave((index + 1, steps), (fleet, id), &mut told))
                @if let Some(gate) = fleet.gates.get(index) {
                    @for line in text::gates(&fleet.namespace, gate) { p class="gate" { (line) } }
                }
            }
        }
    }
}

/// Writes what comes of the change, and folds away what is due in any case.
fn wave<'a>(
    (number, steps): (usize, &[&'a Due]),
    (fleet, id): (&FleetReview, &str),
    told: &mut Told<'a>,
) -> Markup {
    told.begin(number);
    let of = |is_new: bool| -> Vec<&'a Step> {
        let some = steps.iter().filter(|due| due.is_of_the_change() == is_new);
        some.map(|due| &due.step).collect()
    };
    let (new, anyway) = (of(true), of(false));
    let place = (fleet.namespace.as_str(), id);
    html! {
        (steps::write(&new, place, told))
        @if !anyway.is_empty() {
            details data-group {
                summary {
                    @match anyway.len() {
                        1 => "and 1 step that is due in any case",
                        n => { "and " (n) " steps that are due in any case" },
                    }
                }
                (steps::write(&anyway, place, told))
            }
        }
    }
}

fn averted(fleet: &FleetReview, id: &str) -> Markup {
    let steps: Vec<&Step> = fleet.averted.iter().collect();
    let id = format!("{id}-averted");
    html! {
        @if !steps.is_empty() {
            section class="wave" data-group {
                h3 { "Not done any more" }
                (steps::write(&steps, (&fleet.namespace, &id), &mut Told::default()))
            }
        }
    }
}

fn waiting(part: &Part<'_>, id: &str) -> Markup {
    let fleet = &part.fleet;
    let groups = text::grouped(&fleet.waiting, |item| {
        let paths = item.changes.iter().map(|change| change.path.clone());
        (item.object.kind, item.on.clone(), paths.collect::<Vec<_>>())
    });
    let items = groups.into_iter().map(|group| {
        let objects: Vec<(&ObjectKey, &[Change])> = group
            .iter()
            .map(|item| (&item.object, item.changes.as_slice()))
            .collect();
        let on = group.first().map(|item| format!("for {}", item.on));
        (objects, on.unwrap_or_default())
    });
    let title = ("Waiting (no wave does this)", "… waiting");
    beside(&items.collect::<Vec<_>>(), title, (&fleet.namespace, id))
}

fn drift(part: &Part<'_>, id: &str) -> Markup {
    let groups = text::grouped(part.drift, |item| {
        let paths = item.changes.iter().map(|change| change.path.clone());
        (item.object.kind, paths.collect::<Vec<_>>())
    });
    let items = groups.into_iter().map(|group| {
        let objects: Vec<(&ObjectKey, &[Change])> = group
            .iter()
            .map(|item| (&item.object, item.changes.as_slice()))
            .collect();
        (objects, String::new())
    });
    let title = "Drift (the cluster differs though the spec did not change)";
    beside(
        &items.collect::<Vec<_>>(),
        (title, "~ drift"),
        (&part.fleet.namespace, id),
    )
}

/// Objects that are told together, and the words on all of them.
type Beside<'a> = (Vec<(&'a ObjectKey, &'a [Change])>, String);

/// Writes what stands beside the waves.
fn beside(
    groups: &[Beside<'_>],
    (title, mark): (&str, &str),
    (namespace, id): (&str, &str),
) -> Markup {
    html! {
        @if !groups.is_empty() {
            section class="wave" data-group {
                h3 { (title) }
                @for (at, (objects, words)) in groups.iter().enumerate() {
                    div class="step" data-step id=(format!("{id}-beside-{}-{at}", kind(objects))) {
                        (beside_head(objects, (mark, words), namespace))
                        @for same in text::grouped(objects, |(_, changes)| told_as(changes)) {
                            (beside_changes(&same, (namespace, objects.len())))
                        }
                    }
                }
            }
        }
    }
}

fn kind(objects: &[(&ObjectKey, &[Change])]) -> &'static str {
    objects
        .first()
        .map_or("none", |(object, _)| object.kind.as_str())
}

fn beside_head(
    objects: &[(&ObjectKey, &[Change])],
    (mark, words): (&str, &str),
    namespace: &str,
) -> Markup {
    let keys: Vec<&ObjectKey> = objects.iter().map(|(object, _)| *object).collect();
    let names = text::named(&keys, namespace, Detail::Summed);
    let all = text::named(&keys, namespace, Detail::Every);
    html! {
        p { span class="badge" { (mark) } span class="names" { (names.join(" ")) } }
        @if all.len() > names.len() {
            details { summary { "all " (all.len()) " names" } p { (all.join(" ")) } }
        }
        @if !words.is_empty() { p class="faint" { (words) } }
    }
}

/// Returns what tells one object's changes from another's.
fn told_as(changes: &[Change]) -> String {
    let values = changes
        .iter()
        .map(|change| (&change.path, &change.from, &change.to));
    serde_json::to_string(&values.collect::<Vec<_>>()).unwrap_or_default()
}

fn beside_changes(same: &[&(&ObjectKey, &[Change])], (namespace, all): (&str, usize)) -> Markup {
    let keys: Vec<&ObjectKey> = same.iter().map(|(object, _)| *object).collect();
    let changes = same.first().map_or(&[][..], |(_, changes)| changes);
    let named = text::topics_of(changes).named;
    html! {
        @if !changes.is_empty() {
            @for phrase in named { p class="faint" { "~ " (phrase) } }
            details {
                summary {
                    @if same.len() < all { (text::named(&keys, namespace, Detail::Summed).join(" ")) ": " }
                    (changes::several(changes.len()))
                }
                (changes::list(changes, Situation::Later))
            }
        }
    }
}
