//! A plan's restarts in batches, as an applier can keep to them: which pods go together, and which
//! must be ready before the next go. Knows nothing of objects, nor of who applies them.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Kind, Ordinal};
use crate::plan::{Action, Condition, FleetPlan, Step};

/// The restarts of one fleet, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schedule {
    /// Each waits until all pods of the one before it are ready.
    pub batches: Vec<Batch>,
    /// Pods that are made anew though nothing waits for them: they never were in sync.
    pub last: BTreeSet<String>,
}

/// Pods that must be ready before the next batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// All of them.
    pub pods: BTreeSet<String>,
    /// Those of them that go first, and are made anew.
    pub renewed: BTreeSet<String>,
}

impl Schedule {
    /// Returns the batch of each pod that is in one.
    #[must_use]
    pub fn places(&self) -> BTreeMap<&str, usize> {
        let batches = self.batches.iter().enumerate();
        batches
            .flat_map(|(k, batch)| batch.pods.iter().map(move |pod| (pod.as_str(), k)))
            .collect()
    }
}

/// Returns when the pods of a fleet restart. The gates of the plan say what is waited for: a batch is
/// what one of them names.
#[must_use]
pub fn of(plan: &FleetPlan) -> Schedule {
    let (replaced, newcomers) = (replaced(plan), newcomers(plan));
    let mut schedule = Schedule::default();
    let (mut going, mut due, mut taken) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (at, wave) in plan.waves.iter().enumerate() {
        let is_last = at + 1 == plan.waves.len();
        let mut pods = BTreeSet::new();
        for step in wave.steps.iter().filter(|step| is_pod(step)) {
            let name = step.object.name.as_str();
            if step.action == Action::Replace {
                due.insert(name);
                // nothing is left to wait for it, but what is done meanwhile can be
                pods.extend(is_last.then_some(name));
            } else if step.action == Action::Create
                && (going.contains(name) || !newcomers.contains(&step.ordinal))
            {
                // it is missing now; a sync that still runs may make it anew as it was
                due.insert(name);
            }
        }
        for gate in wave.gate.iter().filter(|g| g.object.kind == Kind::Pod) {
            let name = gate.object.name.as_str();
            let is_renewed_later = replaced.get(name).is_some_and(|later| *later > at);
            match gate.condition {
                Condition::Gone => going.extend([name]),
                Condition::PodReady if !is_renewed_later => pods.extend([name]),
                Condition::PodReady => {}
            }
        }
        pods.retain(|name| taken.insert(*name));
        if !pods.is_empty() {
            schedule.batches.push(Batch {
                renewed: owned(pods.intersection(&due)),
                pods: owned(pods.iter()),
            });
        }
    }
    schedule.last = owned(due.difference(&taken));
    schedule
}

/// Returns the wave in which each pod is made anew.
fn replaced(plan: &FleetPlan) -> BTreeMap<&str, usize> {
    let waves = plan.waves.iter().enumerate();
    waves
        .flat_map(|(at, wave)| wave.steps.iter().map(move |step| (step, at)))
        .filter(|(step, _)| is_pod(step) && step.action == Action::Replace)
        .map(|(step, at)| (step.object.name.as_str(), at))
        .collect()
}

/// Returns the instances whose claims are made now: nobody had a pod of them before.
fn newcomers(plan: &FleetPlan) -> BTreeSet<Option<Ordinal>> {
    let claims = plan
        .steps()
        .filter(|step| step.object.kind == Kind::PersistentVolumeClaim);
    let made = claims.filter(|step| step.action == Action::Create);
    made.map(|step| step.ordinal).collect()
}

fn is_pod(step: &Step) -> bool {
    step.object.kind == Kind::Pod
}

fn owned<'a>(names: impl Iterator<Item = &'a &'a str>) -> BTreeSet<String> {
    names.map(|name| (*name).to_owned()).collect()
}
