//! Time from left to right, in units that people count in.

use super::canvas::Canvas;
use crate::timeline::estimates::time;

/// So many marks fit.
const MOST_MARKS: i64 = 9;

/// The distances between two marks, in seconds.
const STEPS: [i64; 22] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
    172_800, 604_800, 2_592_000, 31_536_000,
];

/// A scale of time.
pub(super) struct Axis {
    all: i64,
    left: i64,
    right: i64,
}

impl Axis {
    /// Returns a scale of so many seconds between two points.
    pub(super) fn new(all: i64, (left, right): (i64, i64)) -> Self {
        Self { all, left, right }
    }

    /// Returns where a second is.
    pub(super) fn at(&self, second: i64) -> i64 {
        let width = i128::from(self.right - self.left);
        let passed = i128::from(second.clamp(0, self.all)) * width / i128::from(self.all.max(1));
        self.left + i64::try_from(passed).unwrap_or_default()
    }

    /// Returns the last second.
    pub(super) fn end(&self) -> i64 {
        self.all
    }

    /// Returns the left and the right end.
    pub(super) fn ends(&self) -> (i64, i64) {
        (self.left, self.right)
    }

    /// Draws the scale at a height. Returns the height at which it ends.
    pub(super) fn draw(&self, canvas: &mut Canvas, y: i64) -> i64 {
        canvas.path("rule", &format!("M{} {y}H{}", self.left, self.right));
        for second in self.marks() {
            let x = self.at(second);
            canvas.path("rule", &format!("M{x} {y}v5"));
            let label = if second == 0 {
                "start".to_owned()
            } else {
                time(second)
            };
            canvas.anchored((x, y + 18), "middle", ("faint small", &label));
        }
        y + 22
    }

    fn marks(&self) -> impl Iterator<Item = i64> {
        let fits = |step: &&i64| self.all / **step <= MOST_MARKS;
        let step = STEPS.iter().find(fits).copied().unwrap_or(self.all.max(1));
        (0..=self.all / step).map(move |n| n * step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(all: i64, expected: &[i64]) {
        let marks: Vec<i64> = Axis::new(all, (0, 100)).marks().collect();
        assert_eq!(marks, expected);
    }

    #[test]
    fn marks_stand_at_round_times() {
        check(1, &[0, 1]);
        check(700, &[0, 120, 240, 360, 480, 600]);
        check(7440, &[0, 900, 1800, 2700, 3600, 4500, 5400, 6300, 7200]);
    }

    #[test]
    fn a_time_has_its_place() {
        let axis = Axis::new(200, (100, 300));
        assert_eq!([axis.at(0), axis.at(50), axis.at(999)], [100, 150, 300]);
    }
}
