//! The head of a page: the verdict, the totals, what is asked for, and what is risky.

use maud::{Markup, html};

use crate::model::{Kind, ranges};
use crate::plan::{Impact, Summary};
use crate::render::amounts;
use crate::render::risks::{self, Risk};
use crate::render::text;
use crate::render::verdict::Piece;
use crate::review::{Delta, FleetReview};

/// How many rows of what is risky stand there before the others are folded away.
const SHOWN: usize = 50;

/// Writes words in which two stars stand around what is to stand out.
pub(super) fn emphasised(words: &str) -> Markup {
    html! {
        @for (index, run) in words.split("**").enumerate() {
            @if index % 2 == 1 { strong { (run) } } @else { (run) }
        }
    }
}

/// Returns words without the stars.
pub(super) fn bare(words: &str) -> String {
    words.replace("**", "")
}

/// Writes words of ours with names from outside.
pub(super) fn pieces(pieces: &[Piece]) -> Markup {
    html! {
        @for piece in pieces {
            @match piece {
                Piece::Words(words) => (words),
                Piece::Name(name) => code { (name) },
            }
        }
    }
}

/// Writes the totals.
pub(super) fn tiles(summary: Summary) -> Markup {
    let Summary {
        create,
        patch,
        restart,
        delete,
        data_loss,
        blocked,
    } = summary;
    let tiles = [
        (data_loss, "lose data", "danger"),
        (restart, "restart", ""),
        (delete, "deleted", ""),
        (create, "created", ""),
        (patch, "changed in place", ""),
        (blocked, "blocked", "danger"),
    ];
    html! {
        ul class="tiles" aria-label="Totals" {
            @for (count, word, class) in tiles.iter().filter(|(count, _, _)| *count > 0) {
                li class=[(!class.is_empty()).then_some(class)] { b { (count) } (word) }
            }
        }
    }
}

/// Writes what is asked for more or less.
pub(super) fn asks(delta: &Delta) -> Markup {
    let rows = amounts::rows(delta);
    html! {
        @if !rows.is_empty() {
            p {
                "Asks for: "
                @for (index, row) in rows.iter().enumerate() {
                    @if index > 0 { ", " }
                    (row.name) " " strong { (row.change) } " (" (row.before) " → " (row.after) ")"
                }
            }
            @if let Some(cost) = &delta.cost { p { "Costs a month: " (amounts::money(cost, "→")) } }
        }
    }
}

/// Writes the table of what is risky, the worst first.
pub(super) fn table(fleets: &[FleetReview]) -> Markup {
    let risks: Vec<(Risk, Vec<String>)> = risks::of(fleets).into_iter().collect();
    let rows = text::grouped(&risks, |(risk, _)| likeness(risk));
    let (shown, rest) = rows.split_at(rows.len().min(SHOWN));
    html! {
        @if !rows.is_empty() {
            h2 id="risks" { "Look at this first" }
            (part(shown))
            @if !rest.is_empty() {
                details { summary { "and " (rest.len()) " rows more" } (part(rest)) }
            }
        }
    }
}

/// What rows have in common that differ in nothing but their waves. Its order does not matter.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Likeness {
    fleet: (String, String),
    kind: Kind,
    what: &'static str,
    causes: Vec<String>,
    reason: String,
    size: Option<String>,
}

fn likeness(risk: &Risk) -> Likeness {
    Likeness {
        fleet: risk.fleet.clone(),
        kind: risk.kind,
        what: risk.what,
        causes: risk.causes.clone(),
        reason: risk.reason.clone(),
        size: risk.size.clone(),
    }
}

/// What is alike, wave by wave.
type Alike<'a> = Vec<&'a (Risk, Vec<String>)>;

fn part(rows: &[Alike<'_>]) -> Markup {
    let mut risks = rows.iter().flatten();
    let has_sizes = risks.any(|(risk, _)| risk.size.is_some());
    html! {
        // at a narrow width rows are drawn as cards, which would take away what a table means
        table class="cards risks" role="table" aria-labelledby="risks" {
            thead role="rowgroup" { tr role="row" {
                @for title in ["What", "Which", "Because of", "Wave"] {
                    th scope="col" role="columnheader" { (title) }
                }
                @if has_sizes { th scope="col" role="columnheader" { "Claim" } }
            } }
            tbody role="rowgroup" { @for alike in rows { (row(alike, has_sizes)) } }
        }
    }
}

fn row(alike: &Alike<'_>, has_sizes: bool) -> Markup {
    let Some((risk, _)) = alike.first() else {
        return html! {};
    };
    let names: Vec<&String> = alike.iter().flat_map(|(_, names)| names).collect();
    let waves = alike.iter().map(|(risk, _)| risk.wave.0.to_string());
    let waves = ranges::folded(&waves.collect::<Vec<_>>());
    let is_lost = risk.worst.0 > Impact::Restart;
    html! {
        tr role="row" class=[is_lost.then_some("lost")] {
            td role="cell" { (emphasised(risk.what)) }
            td role="cell" data-label="Which" {
                code { (risk.kind) "/" (ranges::folded(&names)) } " in " code { (risk.fleet.0) }
            }
            td role="cell" data-label="Because of" {
                @for (index, cause) in risk.causes.iter().enumerate() {
                    @if index > 0 { ", " }
                    code { (cause) }
                }
                @if risk.causes.is_empty() { (risk.reason) }
            }
            td role="cell" data-label="Wave" { (waves) " of " (risk.wave.1) }
            @if has_sizes {
                td role="cell" data-label="Claim" { @if let Some(size) = &risk.size { code { (size) } } }
            }
        }
    }
}
