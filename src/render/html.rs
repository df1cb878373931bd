//! A plan, or what a change does, as a page: one file that a browser opens without asking anybody for
//! anything. A reader who never heard of this program sees in the first line what happens. All text
//! is escaped by maud, which this room alone knows. Says nothing that the other reports do not.

mod capacity;
mod changes;
mod fleet;
mod frame;
mod picture;
mod steps;
mod summary;
#[cfg(test)]
mod tests;
mod timeline;

use maud::{Markup, html};

use crate::plan::{Drift, FleetPlan, Plan, Upgrade};
use crate::render::{text, verdict};
use crate::review::{self, FleetReview, Review};

/// One fleet of a page: what is done, and what a plan knows beside it.
struct Part<'a> {
    fleet: FleetReview,
    drift: &'a [Drift],
    upgrades: &'a [Upgrade],
}

/// Returns a plan as a page.
#[must_use]
pub fn plan(plan: &Plan) -> String {
    let (told, quiet): (Vec<&FleetPlan>, Vec<&FleetPlan>) = plan
        .fleets
        .iter()
        .partition(|fleet| !text::has_nothing(fleet));
    let parts: Vec<Part<'_>> = told.into_iter().map(part).collect();
    let fleets: Vec<FleetReview> = parts.iter().map(|part| part.fleet.clone()).collect();
    let words = verdict::sentence("Carrying this plan out", plan.summary);
    let words = words.unwrap_or_else(|| text::summary(plan));
    let head = html! {
        p class="faint" { "cosmos-render: what is to be done" }
        h1 { (summary::emphasised(&words)) }
        (summary::tiles(plan.summary))
        (fleet::notices(&plan.warnings, "warning"))
    };
    let quiet: Vec<String> = quiet
        .iter()
        .map(|fleet| format!("{}/{}", fleet.namespace, fleet.name))
        .collect();
    let body = html! {
        (summary::table(&fleets))
        (all_steps(&parts))
        (aside("Nothing to do", &quiet))
    };
    frame::page(
        &summary::bare(&words),
        (&head, &body),
        &footer(&plan.inputs.program_version),
    )
}

/// Returns what a change does as a page.
#[must_use]
pub fn review(review: &Review) -> String {
    let words = if review.is_without_effect() {
        text::verdict(review)
    } else {
        verdict::of_change(review)
    };
    let (told, pending): (Vec<&FleetReview>, Vec<&FleetReview>) =
        review.fleets.iter().partition(|fleet| fleet.is_told());
    let parts: Vec<Part<'_>> = told
        .into_iter()
        .map(|fleet| Part {
            fleet: fleet.clone(),
            drift: &[],
            upgrades: &[],
        })
        .collect();
    let head = html! {
        p class="faint" { "cosmos-render: what a change does" }
        h1 { (summary::emphasised(&words)) }
        p { (summary::pieces(&verdict::compared(review))) }
        (summary::tiles(review.summary))
        (summary::asks(&review.delta))
        @if let Some(pending) = verdict::pending(review) { p class="faint" { (pending) } }
        (fleet::notices(&review.warnings, "warning"))
    };
    let pending: Vec<String> = pending
        .iter()
        .map(|fleet| format!("{}/{}", fleet.namespace, fleet.name))
        .collect();
    let body = html! {
        (summary::table(&review.fleets))
        (all_steps(&parts))
        (aside("Only what is due in any case", &pending))
    };
    let footer = footer(&review.inputs.program_version);
    frame::page(&summary::bare(&words), (&head, &body), &footer)
}

/// Takes a plan for a change of nothing to all of it.
fn part(plan: &FleetPlan) -> Part<'_> {
    let mut fleet = review::compare(None, plan);
    if let Some(outset) = &plan.outset {
        for due in &mut fleet.steps {
            due.size = outset.sizes.get(&due.step.object.name).cloned();
        }
    }
    Part {
        fleet,
        drift: &plan.drift,
        upgrades: &plan.upgrades,
    }
}

fn all_steps(parts: &[Part<'_>]) -> Markup {
    html! {
        div id="steps" tabindex="-1" {
            @if parts.is_empty() {
                p { "There is nothing to do." }
            } @else {
                form class="search" role="search" hidden {
                    label for="find" { "Search" }
                    input id="find" type="search" autocomplete="off" spellcheck="false" aria-describedby="found";
                    " " output id="found" for="find" class="faint" {}
                }
                p class="faint" {
                    "A wave is what may be done side by side. The next one begins once what is waited for holds."
                }
                @for (index, part) in parts.iter().enumerate() { (fleet::write(part, &format!("fleet-{}", index + 1))) }
            }
        }
    }
}

/// Names fleets of which nothing else is told.
fn aside(title: &str, names: &[String]) -> Markup {
    html! {
        @if !names.is_empty() {
            h2 { (title) }
            p { code { (names.join(", ")) } }
        }
    }
}

fn footer(version: &str) -> String {
    format!("Written by cosmos-render {version}. This page asks nobody for anything.")
}
