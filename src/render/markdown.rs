//! What a change does, as a comment on a pull request: a verdict, what is risky, and all else folded
//! away. It never grows over what a forge takes: parts are left out whole, the least telling first.

mod cells;

use crate::model::Notice;
use crate::render::amounts;
use crate::render::style::Style;
use crate::render::text::{self, Detail};
use crate::render::verdict::{self, Piece};
use crate::review::{Delta, FleetReview, Review};

use cells::{code, fence, plain, rows_of};

/// The most characters of a comment: GitHub takes 65,536, others a million.
pub const MOST: usize = 60_000;
/// By this a bot finds the comment that it wrote before.
pub const MARKER: &str = "<!-- cosmos-render:diff -->";

/// How much is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// Every fleet, and every field at the end.
    Whole,
    /// Every fleet.
    Fleets,
    /// Fleets in which anything is risky.
    RiskyFleets,
    /// The table of what is risky.
    Table,
    /// So many rows of it.
    Rows(usize),
}

/// Returns a review as Markdown, with a line break at the end.
#[must_use]
pub fn review(review: &Review) -> String {
    let extents = [
        Extent::Whole,
        Extent::Fleets,
        Extent::RiskyFleets,
        Extent::Table,
        Extent::Rows(100),
        Extent::Rows(20),
    ];
    let written = extents.into_iter().map(|extent| write(review, extent));
    let mut fitting = written.filter(|text| text.len() <= MOST);
    fitting
        .next()
        .unwrap_or_else(|| write(review, Extent::Rows(0)))
}

fn write(review: &Review, extent: Extent) -> String {
    let mut page = vec![
        MARKER.to_owned(),
        format!("### {}", verdict(review)),
        String::new(),
    ];
    page.extend([compared(review), String::new()]);
    page.extend(table(review, extent));
    page.extend(blocked(review, extent));
    page.extend(asks(&review.delta));
    page.extend(pending(review));
    for warning in &review.warnings {
        page.extend([
            format!("> [!WARNING]\n> {}", plain(&warning.message)),
            String::new(),
        ]);
    }
    let shown = |fleet: &&FleetReview| match extent {
        Extent::Whole | Extent::Fleets => fleet.is_told(),
        Extent::RiskyFleets => fleet
            .steps
            .iter()
            .any(|due| due.is_to_blame() && due.is_risky()),
        Extent::Table | Extent::Rows(_) => false,
    };
    let told: Vec<&FleetReview> = review
        .fleets
        .iter()
        .filter(|fleet| fleet.is_told())
        .collect();
    let folds: Vec<&FleetReview> = told.iter().copied().filter(|fleet| shown(fleet)).collect();
    for fleet in &folds {
        page.extend(fold(
            &verdict::of_fleet(fleet),
            &text::fleet_review(fleet, Style::Plain, Detail::Summed),
        ));
    }
    if folds.len() < told.len() {
        let line = "The rest is too long for a comment: `cosmos-render diff` prints all of it.";
        page.extend([line.to_owned(), String::new()]);
    }
    if extent == Extent::Whole && !told.is_empty() {
        let all = text::review(review, Style::Plain, Detail::Every);
        page.extend(fold("Every field", &all));
    }
    let mut text = page.join("\n");
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// Returns the verdict: what merging does, the worst first.
fn verdict(review: &Review) -> String {
    if review.is_without_effect() {
        return plain(&text::verdict(review));
    }
    verdict::of_change(review)
}

fn compared(review: &Review) -> String {
    let pieces = verdict::compared(review).into_iter();
    let written = pieces.map(|piece| match piece {
        Piece::Words(words) => words.to_owned(),
        Piece::Name(name) => code(&name),
    });
    written.collect()
}

/// Returns a text that is folded away below a title.
fn fold(title: &str, text: &str) -> Vec<String> {
    let summary = quick_xml::escape::escape(title);
    let opening = format!(
        "<details><summary>{summary}</summary>\n\n{}\n</details>",
        fence(text)
    );
    vec![opening, String::new()]
}

/// Returns the table of what is risky, the worst first.
fn table(review: &Review, extent: Extent) -> Vec<String> {
    let rows = rows_of(review);
    if rows.is_empty() {
        return Vec::new();
    }
    let most = match extent {
        Extent::Whole | Extent::Fleets | Extent::RiskyFleets | Extent::Table => rows.len(),
        Extent::Rows(most) => most,
    };
    let mut lines = vec![
        "| What | Which | Because of | Wave | Claim |".to_owned(),
        "|---|---|---|---|---|".to_owned(),
    ];
    lines.extend(rows.iter().take(most).cloned());
    if rows.len() > most {
        lines.push(String::new());
        lines.push(format!(
            "… and {} rows more: `cosmos-render diff` prints all.",
            rows.len() - most
        ));
    }
    lines.push(String::new());
    lines
}

fn blocked(review: &Review, extent: Extent) -> Vec<String> {
    const SHOWN: usize = 20;
    let all: Vec<&Notice> = review
        .fleets
        .iter()
        .flat_map(|fleet| &fleet.blocked)
        .collect();
    let most = match extent {
        Extent::Rows(0) => 0,
        Extent::Whole | Extent::Fleets | Extent::RiskyFleets | Extent::Table | Extent::Rows(_) => {
            SHOWN
        }
    };
    let mut lines = Vec::new();
    for notice in all.iter().take(most) {
        let object = notice.object.as_ref();
        let object = object.map_or_else(String::new, |o| format!("{}: ", code(&o.to_string())));
        lines.push(format!("- **Blocked** {object}{}", plain(&notice.message)));
        if let Some(allow) = &notice.allow {
            lines.push(format!("  - to allow: {}", plain(allow)));
        }
    }
    if all.len() > most {
        lines.push(format!(
            "- … and {} more that are blocked",
            all.len() - most
        ));
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

fn asks(delta: &Delta) -> Vec<String> {
    let rows = amounts::rows(delta);
    let words: Vec<String> = rows
        .iter()
        .map(|row| {
            format!(
                "{} **{}** ({} → {})",
                row.name, row.change, row.before, row.after
            )
        })
        .collect();
    if words.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![format!("Asks for: {}", words.join(", ")), String::new()];
    if let Some(cost) = &delta.cost {
        let line = format!("Costs a month: {}", plain(&amounts::money(cost, "→")));
        lines.extend([line, String::new()]);
    }
    lines
}

fn pending(review: &Review) -> Vec<String> {
    let line = verdict::pending(review);
    line.map_or_else(Vec::new, |line| vec![line, String::new()])
}

#[cfg(test)]
pub(super) mod tests;
