//! What happens to which instance in which wave, as rows for a picture and a table: instances that go
//! through the same share a row, and never are there more rows than an eye can follow. Draws nothing.

use std::collections::BTreeMap;

use crate::model::{Ordinal, ranges};
use crate::plan::{Action, Impact, Step};
use crate::render::text;
use crate::review::FleetReview;

/// So many rows are drawn; more instances share them with their neighbours.
const MOST: usize = 40;

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
    fn worst(self, other: Self) -> Self {
        match (self.is_due_anyway, other.is_due_anyway) {
            (false, true) => self,
            (true, false) => other,
            (false, false) | (true, true) => self.max(other),
        }
    }
}

/// Cells by their wave, counted from 1.
pub(super) type Cells = BTreeMap<usize, Cell>;

/// A row of the picture.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) cells: Cells,
}

/// Returns the rows of a fleet: what it has in common first, then its instances in order.
pub(super) fn rows(fleet: &FleetReview) -> Vec<Row> {
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
        None => "shared objects".to_owned(),
        Some(ordinal) => format!("{}-{ordinal}", fleet.name),
    };
    let lanes: Vec<(String, Cells)> = lanes
        .into_iter()
        .map(|(place, cells)| (name(place), cells))
        .collect();
    let bands = text::grouped(&lanes, |(_, cells)| cells.clone());
    let size = bands.len().div_ceil(MOST).max(1);
    bands.chunks(size).map(row).collect()
}

fn row(bands: &[Vec<&(String, Cells)>]) -> Row {
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
    }
}
