//! The head of a page: the verdict, the totals, what is asked for, and what is risky.

use maud::{Markup, html};

use crate::model::ranges;
use crate::plan::{Impact, Summary};
use crate::render::amounts;
use crate::render::risks::{self, Risk};
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
        }
    }
}

/// Writes the table of what is risky, the worst first.
pub(super) fn table(fleets: &[FleetReview]) -> Markup {
    let risks = risks::of(fleets);
    let rows: Vec<(&Risk, &Vec<String>)> = risks.iter().collect();
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

fn part(rows: &[(&Risk, &Vec<String>)]) -> Markup {
    let has_sizes = rows.iter().any(|(risk, _)| risk.size.is_some());
    html! {
        // at a narrow width rows are drawn as cards, which would take away what a table means
        table class="cards risks" role="table" aria-labelledby="risks" {
            thead role="rowgroup" { tr role="row" {
                @for title in ["What", "Which", "Because of", "Wave"] { th scope="col" role="columnheader" { (title) } }
                @if has_sizes { th scope="col" role="columnheader" { "Claim" } }
            } }
            tbody role="rowgroup" { @for (risk, names) in rows { (row(risk, names, has_sizes)) } }
        }
    }
}

fn row(risk: &Risk, names: &[String], has_sizes: bool) -> Markup {
    let Risk {
        worst,
        fleet: (namespace, _),
        wave: (wave, waves),
        action: _,
        kind,
        what,
        causes,
        reason,
        size,
    } = risk;
    let is_lost = worst.0 > Impact::Restart;
    html! {
        tr role="row" class=[is_lost.then_some("lost")] {
            td role="cell" { (emphasised(what)) }
            td role="cell" data-label="Which" { code { (kind) "/" (ranges::folded(names)) } " in " code { (namespace) } }
            td role="cell" data-label="Because of" {
                @for (index, cause) in causes.iter().enumerate() {
                    @if index > 0 { ", " }
                    code { (cause) }
                }
                @if causes.is_empty() { (reason) }
            }
            td role="cell" data-label="Wave" { (wave) " of " (waves) }
            @if has_sizes {
                td role="cell" data-label="Claim" { @if let Some(size) = size { code { (size) } } }
            }
        }
    }
}
