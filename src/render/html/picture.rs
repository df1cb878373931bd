//! Waves from left to right, as a picture: how many instances serve above, what happens to each below.
//! The same as a table, for those who do not see it. Decides nothing of what it shows.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::capacity::{self, Level};
use super::timeline::{self, Act, Cell, Lane, Row};
use crate::model::ranges;
use crate::plan::Outset;
use crate::review::FleetReview;

/// Where the waves begin, from the left.
const LEFT: usize = 170;
/// How much room waves have.
const ROOM: usize = 720;
/// The widest and the narrowest that a column gets.
const WIDTHS: (usize, usize) = (56, 6);
/// How high the line of capacity may get.
const HEIGHT: usize = 72;
/// Where it begins, from above.
const TOP: usize = 12;
/// How high a row is.
const ROW: usize = 24;
/// Signs fit into columns of this width.
const SIGNED: usize = 14;
/// How many letters of a name fit.
const LETTERS: usize = 22;

/// Where the columns are. More waves than fit share columns.
struct Grid {
    waves: usize,
    per: usize,
    columns: usize,
    width: usize,
}

impl Grid {
    fn new(waves: usize) -> Self {
        let (widest, narrowest) = WIDTHS;
        let per = waves.div_ceil(ROOM / narrowest).max(1);
        let columns = waves.div_ceil(per);
        // one column before the first wave, and one behind the last
        let width = (ROOM / (columns + 2)).clamp(narrowest, widest);
        Self {
            waves,
            per,
            columns,
            width,
        }
    }

    /// Returns where a wave's column begins; 0 is before the first.
    fn at(&self, wave: usize) -> usize {
        LEFT + wave.div_ceil(self.per) * self.width
    }

    fn end(&self) -> usize {
        LEFT + (self.columns + 2) * self.width
    }
}

/// Draws a fleet's waves; nothing where it has none.
pub(super) fn draw(fleet: &FleetReview, id: &str) -> Markup {
    let waves = fleet.waves.len();
    if waves == 0 {
        return html! {};
    }
    let lanes = timeline::lanes(fleet);
    let rows = timeline::rows(&lanes);
    let levels = levels(fleet);
    let grid = Grid::new(waves);
    let top = if levels.is_some() {
        TOP + HEIGHT + 26
    } else {
        26
    };
    let (width, height) = (grid.end() + 8, top + rows.len() * ROW + 8);
    let (title, about) = (format!("{id}-title"), format!("{id}-about"));
    html! {
        figure class="picture" {
            figcaption { "What happens when, wave by wave" }
            div class="scroll" tabindex="0" role="region" aria-label=(format!("Picture of the waves of {}/{}", fleet.namespace, fleet.name)) {
                svg width=(width) height=(height) viewBox=(format!("0 0 {width} {height}")) role="img" aria-labelledby=(format!("{title} {about}")) {
                    title id=(title) { "Waves of " (fleet.namespace) "/" (fleet.name) }
                    desc id=(about) { (words(fleet, levels.as_ref())) }
                    @if let Some((outset, levels)) = &levels { (curve(&grid, outset, levels)) }
                    (numbers(&grid, top))
                    @for (at, row) in rows.iter().enumerate() { (lane(&grid, row, top + at * ROW)) }
                }
            }
            (legend(&rows, levels.is_some()))
            (table(fleet, &lanes, levels.as_ref().map(|(_, levels)| levels.as_slice())))
        }
    }
}

type Levels<'a> = (&'a Outset, Vec<Level>);

fn levels(fleet: &FleetReview) -> Option<Levels<'_>> {
    let outset = fleet.outset.as_ref()?;
    let mut steps = vec![Vec::new(); fleet.waves.len()];
    for due in &fleet.steps {
        if let Some(wave) = steps.get_mut(due.wave.saturating_sub(1)) {
            wave.push(&due.step);
        }
    }
    let gates = fleet.gates.iter().map(Vec::as_slice);
    let levels = capacity::levels(outset, steps.into_iter().zip(gates));
    Some((outset, levels))
}

/// Says in a sentence what the line of capacity shows.
fn words(fleet: &FleetReview, levels: Option<&Levels<'_>>) -> String {
    let waves = match fleet.waves.len() {
        1 => "1 wave".to_owned(),
        n => format!("{n} waves"),
    };
    let Some((outset, levels)) = levels else {
        return format!("{waves}. The table below says the same.");
    };
    let least = levels.iter().map(|level| level.during).min();
    format!(
        "{waves}. {} serve before, at least {} while it goes on, {} in the end; {} should, and {} may \
         be away at a time. The table below says the same.",
        outset.serving.len(),
        least.unwrap_or_default(),
        levels.last().map_or(0, |level| level.after),
        outset.wanted.len(),
        outset.budget,
    )
}

fn curve(grid: &Grid, outset: &Outset, levels: &[Level]) -> Markup {
    let all = levels.iter().flat_map(|level| [level.during, level.after]);
    let most = all.chain([outset.serving.len(), outset.wanted.len(), 1]);
    let most = most.max().unwrap_or(1);
    let bottom = TOP + HEIGHT;
    let y = |count: usize| bottom - count * HEIGHT / most;
    let mut line = format!("M{LEFT} {}H{}", y(outset.serving.len()), grid.at(1));
    for (index, of_column) in levels.chunks(grid.per).enumerate() {
        let least = of_column.iter().map(|level| level.during).min();
        let after = of_column.last().map_or(0, |level| level.after);
        let end = LEFT + (index + 2) * grid.width;
        // those who come back do so at the end of a wave
        let back = end - grid.width / 4;
        let least = y(least.unwrap_or_default());
        let _ = write!(line, "V{least}H{back}V{}H{end}", y(after));
    }
    let _ = write!(line, "H{}", grid.end());
    let floor = outset.wanted.len().saturating_sub(outset.budget);
    let area = format!("{line}V{bottom}H{LEFT}Z");
    html! {
        text x="0" y=(TOP + 12) { "instances that serve" }
        @for count in [0, most] {
            path class="rule" d=(format!("M{LEFT} {}H{}", y(count), grid.end())) {}
            text class="quiet" x=(LEFT - 8) y=(y(count) + 4) text-anchor="end" { (count) }
        }
        path class="area" d=(area) {}
        path class="curve" d=(line) {}
        @if floor > 0 {
            path class="floor" d=(format!("M{LEFT} {}H{}", y(floor), grid.end())) {
                title { "the budget keeps " (floor) " serving" }
            }
        }
    }
}

/// Numbers the waves; where they are many, only some.
fn numbers(grid: &Grid, top: usize) -> Markup {
    let every = (28 / grid.width).max(1);
    let columns = (0..grid.columns).step_by(every);
    html! {
        text class="quiet" x="0" y=(top - 8) { "wave" }
        @for column in columns {
            @let x = LEFT + (column + 1) * grid.width + grid.width / 2;
            text class="quiet" x=(x) y=(top - 8) text-anchor="middle" {
                ((column * grid.per + 1).min(grid.waves))
            }
        }
    }
}

fn lane(grid: &Grid, row: &Row, y: usize) -> Markup {
    let mut columns: Vec<(usize, usize, Cell)> = Vec::new();
    for (wave, cell) in &row.cells {
        let x = grid.at(*wave);
        match columns.last_mut() {
            Some((before, _, known)) if *before == x => *known = known.worst(*cell),
            Some(_) | None => columns.push((x, *wave, *cell)),
        }
    }
    html! {
        rect class="band" x=(LEFT) y=(y + 2) width=(grid.end() - LEFT) height=(ROW - 4) {}
        text x="0" y=(y + 16) { (shortened(&row.name)) title { (row.name) } }
        @for (x, wave, Cell { act, is_due_anyway }) in columns {
            @let due = if is_due_anyway { " due" } else { "" };
            rect class=(format!("{}{due}", act.class())) x=(x + 1) y=(y + 3) width=(grid.width - 2) height=(ROW - 6) rx="2" {
                title { @if row.is_mixed { "some of " } (row.name) ": " (act.word()) " in wave " (wave) }
            }
            @if grid.width >= SIGNED {
                text class=(if is_due_anyway { "glyph on-due" } else { "glyph" }) x=(x + grid.width / 2) y=(y + 16) aria-hidden="true" { (act.sign()) }
            }
        }
    }
}

/// A name fits before the cells, or is cut in its middle: its end tells it from others.
fn shortened(name: &str) -> String {
    let all: Vec<char> = name.chars().collect();
    if all.len() <= LETTERS {
        return name.to_owned();
    }
    let half = LETTERS / 2;
    let (front, back) = (all.iter().take(half - 1), all.iter().skip(all.len() - half));
    front.chain(['…'].iter()).chain(back).collect()
}

fn legend(rows: &[Row], has_curve: bool) -> Markup {
    let cells = || rows.iter().flat_map(|row| row.cells.values());
    let is_shown = |act: &&Act| cells().any(|cell| cell.act == **act);
    html! {
        ul class="legend" {
            @for act in Act::ALL.iter().filter(is_shown) {
                li { span class=(format!("swatch bg-{}", act.class())) aria-hidden="true" { (act.sign()) } (act.word()) }
            }
            @if cells().any(|cell| cell.is_due_anyway) {
                li { span class="swatch due" aria-hidden="true" { " " } "due in any case" }
            }
            @if has_curve {
                li { span class="swatch floor" aria-hidden="true" {} "as many as the budget keeps serving" }
            }
        }
    }
}

fn table(fleet: &FleetReview, lanes: &[Lane], levels: Option<&[Level]>) -> Markup {
    let mut acts: Vec<Vec<(&str, Cell)>> = vec![Vec::new(); fleet.waves.len()];
    for (name, cells) in lanes {
        for (wave, cell) in cells {
            if let Some(of_wave) = acts.get_mut(wave.saturating_sub(1)) {
                of_wave.push((name, *cell));
            }
        }
    }
    html! {
        details {
            summary { "The picture as a table" }
            table class="cards" role="table" {
                thead role="rowgroup" { tr role="row" {
                    th scope="col" role="columnheader" { "Wave" }
                    @if levels.is_some() { th scope="col" role="columnheader" { "Serve meanwhile" } th scope="col" role="columnheader" { "Serve behind it" } }
                    th scope="col" role="columnheader" { "What happens" }
                } }
                tbody role="rowgroup" {
                    @for (index, (title, acts)) in fleet.waves.iter().zip(&acts).enumerate() {
                        tr role="row" {
                            td role="cell" data-label="Wave" { (index + 1) ": " (title) }
                            @if let Some(level) = levels.and_then(|levels| levels.get(index)) {
                                td role="cell" data-label="Serve meanwhile" { (level.during) }
                                td role="cell" data-label="Serve behind it" { (level.after) }
                            }
                            td role="cell" data-label="What happens" { (happenings(acts)) }
                        }
                    }
                }
            }
        }
    }
}

fn happenings(acts: &[(&str, Cell)]) -> String {
    let mut parts = Vec::new();
    for act in Act::ALL.iter().rev() {
        for is_due_anyway in [false, true] {
            let is_it = |cell: &Cell| cell.act == *act && cell.is_due_anyway == is_due_anyway;
            let names: Vec<&str> = acts
                .iter()
                .filter(|(_, cell)| is_it(cell))
                .map(|(name, _)| *name)
                .collect();
            if !names.is_empty() {
                let anyway = if is_due_anyway {
                    " (due in any case)"
                } else {
                    ""
                };
                parts.push(format!(
                    "{}: {}{anyway}",
                    act.word(),
                    ranges::folded(&names)
                ));
            }
        }
    }
    if parts.is_empty() {
        return "nothing: something is waited for".to_owned();
    }
    parts.join("; ")
}
