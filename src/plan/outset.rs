//! Where a fleet stands before its plan begins, as far as no step tells: who serves, how many may be
//! away, how large claims are that go. Pictures are drawn from it; it decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Observed, Task, budget};
use crate::desired::Desired;
use crate::live::Live;
use crate::live::availability::Availability;
use crate::model::{Kind, names};
use crate::spec::FullNode;

/// Where a fleet stands before its plan begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outset {
    /// The pods that should serve, by name: one an instance.
    pub wanted: BTreeSet<String>,
    /// The pods of instances that run, and are not known to be down. Those of instances that leave are
    /// among them.
    pub serving: BTreeSet<String>,
    /// How many instances may be away at a time.
    pub budget: usize,
    /// The sizes of claims that a step deletes, by name.
    pub sizes: BTreeMap<String, String>,
}

/// Tells where a fleet stands before these tasks.
pub(super) fn outset(
    fleet: &FullNode,
    desired: &Desired,
    observed: &Observed,
    live: &Live<'_>,
    tasks: &[Task],
) -> Outset {
    let with_pods = desired.instances.iter().filter(|i| i.has_pod);
    let wanted: BTreeSet<String> = with_pods.map(|i| i.name.clone()).collect();
    let fleets = [Some(&fleet.key), fleet.wishes.renamed_from.as_ref()];
    let pods = fleets.into_iter().flatten().flat_map(|key| {
        let objects = live.of_fleet(key);
        objects.filter(|object| object.kind == Kind::Pod && !object.is_terminating())
    });
    let mains = pods.filter(|pod| pod.label(names::BELONGS_TO).is_none());
    let is_down = |name: &str| {
        let known = observed.availability.get(name);
        known.is_some_and(Availability::is_known_down)
    };
    let serving = mains.map(|pod| pod.meta.name.to_string());
    Outset {
        budget: budget::of(fleet.max_unavailable, wanted.len()),
        wanted,
        serving: serving.filter(|name| !is_down(name)).collect(),
        sizes: sizes(live, tasks),
    }
}

fn sizes(live: &Live<'_>, tasks: &[Task]) -> BTreeMap<String, String> {
    let steps = tasks.iter().map(|task| &task.step);
    let gone = steps.filter(|step| {
        step.action == Action::Delete && step.object.kind == Kind::PersistentVolumeClaim
    });
    gone.filter_map(|step| {
        let key = &step.object;
        let claim = live.get(key.kind, &key.namespace, &key.name)?;
        let spec = claim.spec_tree();
        let size = spec["resources"]["requests"]["storage"].as_str()?;
        Some((key.name.clone(), size.to_owned()))
    })
    .collect()
}
