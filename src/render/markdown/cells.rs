//! Texts from outside in Markdown: as code, in cells, in fences. Nothing that is in them has a
//! meaning there.

use crate::model::ranges;
use crate::render::risks::{self, Risk};
use crate::render::value;
use crate::review::Review;

/// Returns a text as code, which fits a table's cell too.
pub(super) fn code(text: &str) -> String {
    let text = value::escaped(text).replace('|', "\\|");
    let longest = longest_run(&text);
    let ticks = "`".repeat(longest + 1);
    let pad = if longest > 0 { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

/// Returns words of ours, with names from outside in them, as words.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::new();
    for letter in value::escaped(text).chars() {
        // what would begin markup, a mention or a reference to an issue
        if "\\`*_[]<>|~#@".contains(letter) {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

/// Returns lines in a fence that nothing in them can end.
pub(super) fn fence(text: &str) -> String {
    let ticks = "`".repeat(longest_run(text).max(2) + 1);
    format!("{ticks}text\n{}\n{ticks}\n", text.trim_end())
}

fn longest_run(text: &str) -> usize {
    let (mut longest, mut run) = (0, 0);
    for letter in text.chars() {
        run = if letter == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// Returns the rows of the table: what is risky and comes of the change, the worst first.
pub(super) fn rows_of(review: &Review) -> Vec<String> {
    let risks = risks::of(&review.fleets);
    let rows = risks.iter().map(|(risk, names)| row(risk, names));
    rows.collect()
}

fn row(risk: &Risk, names: &[String]) -> String {
    let Risk {
        worst: _,
        fleet: (namespace, _),
        wave: (wave, waves),
        action: _,
        kind,
        what,
        causes,
        reason,
        size,
    } = risk;
    let which = code(&format!("{kind}/{}", ranges::folded(names)));
    let cause = if causes.is_empty() {
        plain(reason)
    } else {
        let causes: Vec<String> = causes.iter().map(|cause| code(cause)).collect();
        causes.join(", ")
    };
    let size = size.as_deref().map(code).unwrap_or_default();
    format!(
        "| {what} | {which} in {} | {cause} | {wave} of {waves} | {size} |",
        code(namespace)
    )
}
