//! What each pod went through, one bar below the other. Pods that went through the same share one,
//! and where there still are many, bars are thin.

use super::axis::Axis;
use super::canvas::{Canvas, Rect};
use super::legend::{class, word};
use super::{LEFT, MARGIN};
use crate::timeline::estimates::time;
use crate::timeline::{Course, Lane, Phase, State, fold};

/// More bars than this are thin, and one in some has its name.
const MANY: usize = 30;

/// Draws a fleet's pods from a height on. Returns the height at which they end.
pub(super) fn draw(canvas: &mut Canvas, fleet: &Course, (axis, top): (&Axis, i64)) -> i64 {
    let bands = bands(&fleet.pods);
    let (row, named) = match bands.len() {
        0..=MANY => (20, 1),
        n => (7, n.div_ceil(MANY)),
    };
    let mut y = top;
    for (n, (names, phases)) in bands.iter().enumerate() {
        if n % named == 0 {
            let label = crate::render::visible(&shortened(names));
            canvas.text((MARGIN, y + row.min(14)), "small", &label);
        }
        for (at, phase) in phases.iter().enumerate() {
            let to = phases.get(at + 1).map_or(axis.end(), |next| next.from);
            bar(canvas, (names, *phase, to), (axis, y, row));
        }
        y += row;
    }
    y + 6
}

/// Draws one phase of a band.
fn bar(
    canvas: &mut Canvas,
    (names, phase, to): (&str, Phase, i64),
    (axis, y, row): (&Axis, i64, i64),
) {
    if phase.state == State::Absent {
        return;
    }
    let (from, end) = (axis.at(phase.from), axis.at(to));
    let is_short = row < 10;
    let rect = Rect {
        x: from,
        y: y + if is_short { 1 } else { 3 },
        width: (end - from).max(1),
        height: row - if is_short { 2 } else { 5 },
    };
    let about = format!(
        "{names}: {} from {} to {}",
        word(phase.state),
        time(phase.from),
        time(to)
    );
    canvas.rect(
        rect,
        class(phase.state),
        Some(&crate::render::visible(&about)),
    );
}

/// Puts pods together that went through the same.
fn bands(pods: &[Lane]) -> Vec<(String, &[Phase])> {
    let mut bands: Vec<(Vec<&str>, &[Phase])> = Vec::new();
    for lane in pods {
        match bands.iter_mut().find(|(_, phases)| *phases == lane.phases) {
            Some((names, _)) => names.push(&lane.pod),
            None => bands.push((vec![&lane.pod], &lane.phases)),
        }
    }
    let folded = bands.into_iter();
    folded
        .map(|(names, phases)| (fold::names(names), phases))
        .collect()
}

/// A name fits before the bars, or is cut in its middle: its end tells it from others.
fn shortened(name: &str) -> String {
    let most = usize::try_from((LEFT - MARGIN) / 7).unwrap_or_default();
    let all: Vec<char> = name.chars().collect();
    if all.len() <= most {
        return name.to_owned();
    }
    let half = most.saturating_sub(1) / 2;
    let front = all.iter().take(half);
    let back = all.iter().skip(all.len() - half);
    front.chain(['…'].iter()).chain(back).collect()
}
