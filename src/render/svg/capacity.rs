//! How many nodes are in sync over time, as a line of steps, above the floor that the budget sets.

use std::fmt::Write as _;

use super::axis::Axis;
use super::canvas::Canvas;
use super::{LEFT, LINE, MARGIN};
use crate::timeline::Course;

/// How high the line may get.
const HEIGHT: i64 = 90;

/// The least distance between two names.
const CLEAR: i64 = 14;

/// Draws a fleet's capacity from a height on. Returns the height at which it ends.
pub(super) fn draw(canvas: &mut Canvas, fleet: &Course, (axis, top): (&Axis, i64)) -> i64 {
    let most = fleet.capacity.iter().map(|(_, in_sync)| *in_sync).max();
    let most = most.unwrap_or_default().max(fleet.instances).max(1);
    let bottom = top + HEIGHT;
    let height = |count: usize| {
        let count = i64::try_from(count).unwrap_or_default();
        let most = i64::try_from(most).unwrap_or(1);
        bottom - count * HEIGHT / most
    };
    let (left, right) = axis.ends();
    canvas.text((MARGIN, top + 10), "", "in sync");
    for count in [0, fleet.instances] {
        let y = height(count);
        canvas.path("rule", &format!("M{left} {y}H{right}"));
        let label = count.to_string();
        canvas.anchored((LEFT - 8, y + 4), "end", ("faint small", &label));
    }
    let mut line = String::new();
    for (n, (at, in_sync)) in fleet.capacity.iter().enumerate() {
        let (x, y) = (axis.at(*at), height(*in_sync));
        let _ = match n {
            0 => write!(line, "M{x} {y}"),
            _ => write!(line, "H{x}V{y}"),
        };
    }
    if !line.is_empty() {
        let end = axis.at(axis.end());
        let _ = write!(line, "H{end}");
        canvas.path("area", &format!("{line}V{bottom}H{left}Z"));
        canvas.path("curve", &line);
    }
    let floor = fleet.instances.saturating_sub(fleet.budget);
    if floor > 0 {
        let y = height(floor);
        canvas.path("floor", &format!("M{left} {y}H{right}"));
        let label = format!("floor {floor}");
        // where there is little between the floor and all, its name stands below that of all
        let below = y.max(height(fleet.instances) + CLEAR);
        canvas.anchored((LEFT - 8, below + 4), "end", ("trouble small", &label));
    }
    bottom + LINE
}
