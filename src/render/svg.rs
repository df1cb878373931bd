//! What came of a simulation, as a picture.

use crate::timeline::Simulation;

/// Returns what came of a simulation as an SVG.
#[must_use]
pub fn simulation(_simulation: &Simulation) -> String {
    String::new()
}
