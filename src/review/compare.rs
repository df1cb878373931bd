//! Two plans of one fleet, step by step. Knows nothing of why they differ.

use std::collections::{BTreeMap, BTreeSet};

use super::{Due, FleetReview, Standing};
use crate::model::{Notice, ObjectKey};
use crate::plan::{Action, FleetPlan, Step, Waiting};

/// Tells what a fleet's plan does that the plan before did not. Where there was none, all of it.
#[must_use]
pub fn compare(base: Option<&FleetPlan>, head: &FleetPlan) -> FleetReview {
    let former = base.map(Former::of).unwrap_or_default();
    let mut review = FleetReview {
        namespace: head.namespace.clone(),
        name: head.name.clone(),
        waves: head.waves.iter().map(|wave| wave.title.clone()).collect(),
        gates: head.waves.iter().map(|wave| wave.gate.clone()).collect(),
        outset: head.outset.clone(),
        ..FleetReview::default()
    };
    for (index, wave) in head.waves.iter().enumerate() {
        review.steps.extend(wave.steps.iter().map(|step| Due {
            wave: index + 1,
            standing: former.standing(step),
            causes: Vec::new(),
            size: None,
            step: step.clone(),
        }));
    }
    review.averted = averted(base, head);
    review.waiting = waiting(base, &head.waiting);
    review.blocked = notices(base.map(|plan| plan.blocked.as_slice()), &head.blocked);
    review.warnings = notices(base.map(|plan| plan.warnings.as_slice()), &head.warnings);
    review
}

/// What becomes of a step in another plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is taken as it is, in whatever wave.
    Same,
    /// The same is done to the object, with other changes or a lesser impact.
    Other,
    /// It is not taken.
    Gone,
}

/// Tells what becomes of a step in another plan.
#[must_use]
pub fn fate(step: &Step, plan: &FleetPlan) -> Fate {
    let is_twin = |other: &&Step| step.object == other.object && step.action == other.action;
    let mut twins = plan.steps().filter(is_twin).peekable();
    if twins.peek().is_none() {
        return Fate::Gone;
    }
    if twins.any(|twin| is_same(step, twin)) {
        Fate::Same
    } else {
        Fate::Other
    }
}

fn is_same(one: &Step, other: &Step) -> bool {
    one.action == other.action
        && one.object == other.object
        && one.impact == other.impact
        && one.changes == other.changes
}

/// The steps of the plan before, by what they do to which object.
#[derive(Default)]
struct Former<'p>(BTreeMap<(&'p ObjectKey, Action), Vec<&'p Step>>);

impl<'p> Former<'p> {
    fn of(plan: &'p FleetPlan) -> Self {
        let mut steps: BTreeMap<_, Vec<&Step>> = BTreeMap::new();
        for step in plan.steps() {
            steps
                .entry((&step.object, step.action))
                .or_default()
                .push(step);
        }
        Self(steps)
    }

    /// A node that would have restarted anyway is not restarted by the change; one that would have
    /// lost nothing, and does now, is.
    fn standing(&self, step: &Step) -> Standing {
        let Some(twins) = self.0.get(&(&step.object, step.action)) else {
            return Standing::New;
        };
        let worst = twins.iter().map(|twin| twin.impact).max();
        if twins.iter().any(|twin| is_same(step, twin)) {
            Standing::Pending
        } else if worst < Some(step.impact) {
            Standing::New
        } else {
            Standing::Altered
        }
    }
}

/// Returns what was to be done to objects that nothing is done to any more.
fn averted(base: Option<&FleetPlan>, head: &FleetPlan) -> Vec<Step> {
    let touched: BTreeSet<&ObjectKey> = head.steps().map(|step| &step.object).collect();
    let steps = base.into_iter().flat_map(FleetPlan::steps);
    let gone = steps.filter(|step| !touched.contains(&step.object));
    gone.cloned().collect()
}

fn waiting(base: Option<&FleetPlan>, head: &[Waiting]) -> Vec<Waiting> {
    let before = base.map_or(&[][..], |plan| plan.waiting.as_slice());
    let is_new = |item: &&Waiting| !before.contains(item);
    head.iter().filter(is_new).cloned().collect()
}

/// Returns notices that were not there before: words may tell of other numbers, so that the code
/// and the object count.
fn notices(base: Option<&[Notice]>, head: &[Notice]) -> Vec<Notice> {
    let before = base.unwrap_or_default();
    let is_new = |notice: &&Notice| {
        let is_twin = |one: &Notice| one.code == notice.code && one.object == notice.object;
        !before.iter().any(is_twin)
    };
    head.iter().filter(is_new).cloned().collect()
}
