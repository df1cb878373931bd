//! What a change does, for a reviewer at a terminal: the verdict, then each fleet with the fields of
//! its document that differ and the steps that come of them.

use crate::plan::{Change, Effect, Step, Summary};
use crate::render::amounts;
use crate::render::style::Tone;
use crate::render::{Style, value};
use crate::review::{DocumentChange, FieldChange, FleetReview, Review};

use super::changes::{self, Situation};
use super::page::Page;
use super::{Detail, Look, costs_of, notices, steps, steps_of, write_waiting};

/// Returns a review as text, with a line break at the end.
#[must_use]
pub fn review(review: &Review, style: Style, detail: Detail) -> String {
    let mut page = Page::new(Look { style, detail });
    page.line(0, &page.paint(Tone::Title, &verdict(review)));
    if let Some(pending) = totals(review.pending) {
        page.line(0, &format!("Due whether or not it is made: {pending}"));
    }
    for line in amounts::delta(&review.delta) {
        page.line(0, &line);
    }
    notices::write(&mut page, (Tone::Changed, "!", "warning"), &review.warnings);
    for fleet in review.fleets.iter().filter(|fleet| fleet.is_told()) {
        page.gap();
        write_fleet(&mut page, fleet);
    }
    page.text
}

/// Returns what a change does to one fleet as text, with a line break at the end.
#[must_use]
pub fn fleet_review(fleet: &FleetReview, style: Style, detail: Detail) -> String {
    let mut page = Page::new(Look { style, detail });
    write_fleet(&mut page, fleet);
    page.text
}

/// Returns the line that says what comes of the change.
#[must_use]
pub fn verdict(review: &Review) -> String {
    if review.is_without_effect() {
        let is_other = |fleet: &FleetReview| fleet.document != DocumentChange::Same;
        return if review.fleets.iter().any(is_other) {
            "No changes. The documents differ, and nothing in the cluster comes of it.".to_owned()
        } else {
            "No changes. Both ask for the same.".to_owned()
        };
    }
    match totals(review.summary) {
        Some(totals) => format!("This change: {totals}"),
        None => "This change: nothing more is done than before".to_owned(),
    }
}

/// Returns totals in words; nothing where all are zero.
fn totals(summary: Summary) -> Option<String> {
    let is_something = summary != Summary::default();
    is_something.then(|| format!("{}{}", steps_of(summary), costs_of(summary)))
}

fn write_fleet(page: &mut Page, fleet: &FleetReview) {
    let FleetReview {
        namespace,
        name,
        file,
        fields,
        averted,
        waiting,
        blocked,
        warnings,
        ..
    } = fleet;
    let what = match fleet.document {
        DocumentChange::Added => "new: ",
        DocumentChange::Removed => "its document is gone: ",
        DocumentChange::Changed | DocumentChange::Same => "",
    };
    let place = file.as_deref().unwrap_or_default();
    let title = value::escaped(&format!("Fleet {namespace}/{name}  ({what}{place})"));
    page.line(0, &page.paint(Tone::Title, &title));
    notices::write(page, (Tone::Danger, "x", "blocked"), blocked);
    notices::write(page, (Tone::Changed, "!", "warning"), warnings);
    if !fields.is_empty() {
        page.gap();
        heading(page, "What its document says");
        let changes: Vec<Change> = fields.iter().map(as_change).collect();
        for block in changes::blocks(&changes, Situation::Later, page.look.of_every_field()) {
            page.block(4, &block);
        }
    }
    let waves = fleet.waves_of_the_change();
    let mut told = steps::Told::default();
    for (index, wave) in waves
        .iter()
        .enumerate()
        .filter(|(_, w)| !w.steps.is_empty())
    {
        page.gap();
        let title = value::escaped(&wave.title);
        heading(
            page,
            &format!("Wave {} of {}: {title}", index + 1, waves.len()),
        );
        told.begin(index + 1);
        steps::write(page, namespace, wave, &mut told);
    }
    match fleet.pending() {
        0 => {}
        1 => page.line(2, "and 1 step that is due in any case"),
        n => page.line(2, &format!("and {n} steps that are due in any case")),
    }
    write_averted(page, namespace, averted);
    write_waiting(page, namespace, waiting);
}

fn write_averted(page: &mut Page, namespace: &str, averted: &[Step]) {
    if averted.is_empty() {
        return;
    }
    page.gap();
    heading(page, "Not done any more");
    for step in averted {
        steps::write_one(page, namespace, step);
    }
}

fn heading(page: &mut Page, title: &str) {
    page.line(2, &page.paint(Tone::Title, title));
}

/// Returns a field of a document as a change, which is how changes are written.
fn as_change(field: &FieldChange) -> Change {
    Change {
        path: field.path.clone(),
        from: field.from.clone(),
        to: field.to.clone(),
        effect: Effect::InPlace,
    }
}
