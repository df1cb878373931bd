//! What happens to which instance in which wave, as rows for a picture and a table: instances that go
//! through the same share a row, and never are there more rows than an eye can follow. Draws nothing.

use std::collections::BTreeMap;

use crate::model::{Ordinal, ranges};
use crate::plan::{Action, Impact, Step};
use crate::render::text;
use crate::review::FleetReview;

/// So many rows are drawn; more instances share them with their neighbours.
const MOST: usize = 40;
/// What objects of no instance are called.
const SHARED: &str = "shared objects";

/// What happens to an instance in a wave, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Act {
    Change,
    Create,
    Delete,
    Restart,
    Stop,
    Identity,
    Lost,
}

impl Act {
    /// All of them.
    pub(super) const ALL: [Act; 7] = [
        Act::Change,
        Act::Create,
        Act::Delete,
        Act::Restart,
        Act::Stop,
        Act::Identity,
        Act::Lost,
    ];

    fn of(step: &Step) -> Self {
        match (step.impact, step.action) {
            (Impact::DataLoss, _) => Act::Lost,
            (Impact::IdentityChange, _) => Act::Identity,
            (Impact::Restart, Action::Delete) => Act::Stop,
            (_, Action::Delete) => Act::Delete,
            (Impact::Restart, _) | (Impact::None, Action::Replace) => Act::Restart,
            (Impact::None, Action::Create) => Act::Create,
            (Impact::None, Action::Patch) => Act::Change,
        }
    }

    /// Returns the sign that tells it from others without colour.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Act::Change => "~",
            Act::Create => "+",
            Act::Delete => "−",
            Act::Restart => "↻",
            Act::Stop => "■",
            Act::Identity => "?",
            Act::Lost => "✕",
        }
    }

    /// Returns what it is called.
    pub(super) fn word(self) -> &'static str {
        match self {
            Act::Change => "changed in place",
            Act::Create => "created",
            Act::Delete => "deleted",
            Act::Restart => "restarts",
            Act::Stop => "stops",
            Act::Identity => "gets another identity",
            Act::Lost => "data is lost",
        }
    }

    /// Returns the class of its cells.
    pub(super) fn class(self) -> &'static str {
        match self {
            Act::Change => "change",
            Act::Create => "create",
            Act::Delete => "delete",
            Act::Restart => "restart",
            Act::Stop => "stop",
            Act::Identity => "identity",
            Act::Lost => "lost",
        }
    }
}

/// What happens in one wave: the worst of it, and whether the change has nothing to do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cell {
    pub(super) act: Act,
    pub(super) is_due_anyway: bool,
}

impl Cell {
    /// What the change does goes before what is due in any case.
    pub(super) fn worst(self, other: Self) -> Self {
        match (self.is_due_anyway, other.is_due_anyway) {
            (false, true) => self,
            (true, false) => other,
            (false, false) | (true, true) => self.max(other),
        }
    }
}

/// Cells by their wave, counted from 1.
pub(super) type Cells = BTreeMap<usize, Cell>;

/// An instance, or what all have in common, and what happens to it.
pub(super) type Lane = (String, Cells);

/// A row of the picture.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) cells: Cells,
    /// Whether each cell may be about some of them alone.
    pub(super) is_mixed: bool,
}

/// Returns what happens to what a fleet has in common, and to its instances in order.
pub(super) fn lanes(fleet: &FleetReview) -> Vec<Lane> {
    let mut lanes: BTreeMap<Option<Ordinal>, Cells> = BTreeMap::new();
    for due in &fleet.steps {
        let cell = Cell {
            act: Act::of(&due.step),
            is_due_anyway: !due.is_of_the_change(),
        };
        let lane = lanes.entry(due.step.ordinal).or_default();
        let known = lane.entry(due.wave).or_insert(cell);
        *known = known.worst(cell);
    }
    let name = |place: Option<Ordinal>| match place {
        None => SHARED.to_owned(),
        Some(ordinal) => format!("{}-{ordinal}", fleet.name),
    };
    lanes
        .into_iter()
        .map(|(place, cells)| (name(place), cells))
        .collect()
}

/// Returns the rows of a picture: lanes that are the same share one, and neighbours do where there
/// are too many.
pub(super) fn rows(lanes: &[Lane]) -> Vec<Row> {
    let is_shared = lanes.first().is_some_and(|(name, _)| name == SHARED);
    let (shared, instances) = lanes.split_at(usize::from(is_shared));
    let bands = text::grouped(instances, |(_, cells)| cells.clone());
    let size = bands.len().div_ceil(MOST).max(1);
    let shared = shared.iter().map(|lane| row(&[vec![lane]]));
    shared.chain(bands.chunks(size).map(row)).collect()
}

fn row(bands: &[Vec<&Lane>]) -> Row {
    let lanes = bands.iter().flatten();
    let names: Vec<&str> = lanes.clone().map(|(name, _)| name.as_str()).collect();
    let mut cells = Cells::new();
    for (wave, cell) in lanes.flat_map(|(_, cells)| cells) {
        let known = cells.entry(*wave).or_insert(*cell);
        *known = known.worst(*cell);
    }
    Row {
        name: ranges::folded(&names),
        cells,
        is_mixed: bands.len() > 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(name: &str, cells: &[(usize, Act)]) -> Lane {
        let cell = |act: Act| Cell {
            act,
            is_due_anyway: false,
        };
        let cells = cells.iter().map(|(wave, act)| (*wave, cell(*act)));
        (name.to_owned(), cells.collect())
    }

    #[track_caller]
    fn check(lanes: &[Lane], expected: &[(&str, bool)]) {
        let rows = rows(lanes);
        let found: Vec<(&str, bool)> = rows
            .iter()
            .map(|row| (row.name.as_str(), row.is_mixed))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn instances_that_go_through_the_same_share_a_row() {
        let lanes = [
            lane(SHARED, &[(1, Act::Change)]),
            lane("a-0", &[(1, Act::Change)]),
            lane("a-1", &[(2, Act::Restart)]),
            lane("a-2", &[(1, Act::Change)]),
        ];
        let expected = [(SHARED, false), ("a-0, a-2", false), ("a-1", false)];
        check(&lanes, &expected);
    }

    #[test]
    fn there_are_no_more_rows_than_an_eye_can_follow() {
        let lanes: Vec<Lane> = (0..100)
            .map(|n| lane(&format!("a-{n}"), &[(n + 1, Act::Restart)]))
            .collect();
        let rows = rows(&lanes);
        assert!(rows.len() <= MOST);
        assert!(rows.iter().all(|row| row.is_mixed || row.cells.len() == 1));
        let all: usize = rows.iter().map(|row| row.cells.len()).sum();
        assert_eq!(all, 100);
    }

    #[test]
    fn the_worst_of_a_wave_is_shown_and_what_the_change_does_before_what_is_due_anyway() {
        let of = |act, is_due_anyway| Cell { act, is_due_anyway };
        let worst = of(Act::Change, false).worst(of(Act::Lost, false));
        assert_eq!(worst.act, Act::Lost);
        let own = of(Act::Lost, true).worst(of(Act::Change, false));
        assert_eq!(own.act, Act::Change);
        let own = of(Act::Change, false).worst(of(Act::Lost, true));
        assert_eq!(own.act, Act::Change);
    }
}
