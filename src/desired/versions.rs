//! Which of `chain.versions` an instance runs, by its height. Knows nothing of containers beyond
//! their names and images.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::desired::fleet::Fleet;
use crate::live::facts::RunningPod;
use crate::model::semver;
use crate::spec::document::ChainVersion;

/// The container that runs the chain.
const NODE: &str = "node";

/// What is known of where an instance stands.
#[derive(Debug)]
pub(crate) enum Standing<'a> {
    /// The chain's height; nought for an instance that does not run yet.
    At(u64),
    /// What runs is of a version whose height, given here, is not reached yet as far as is known:
    /// it is kept, since nothing older than what runs is rendered unasked.
    Ahead(&'a RunningPod, u64),
    /// Its pod ended for good at the height of an upgrade, and was not seen to halt: it comes back
    /// with what it ran, halts at that height, given here, and then gets the next version. One that
    /// is gone, or goes, is not of those: to delete a pod is how its owner says that it has halted,
    /// and the plan warns of what that means.
    Fallen(&'a RunningPod, u64),
    /// Nothing, though a pod runs: what it runs is kept.
    Unknown(&'a RunningPod),
}

/// Says where the instance `main` stands, for its pod or an additional one of the name `pod`. An
/// unknown height is not zero: where the pod is live, it keeps what it runs. And a height that is
/// too low for what runs is not believed either (a node restored from an older snapshot, a status
/// that was lost in part, a pod that was upgraded by hand): a newer version may have written the
/// volume, and an older one may not read it (design.md, safety rule 2). A pod that never was ready
/// on a claim as young as itself has written nothing.
pub(crate) fn standing<'a>(fleet: &Fleet<'a>, main: &str, pod: &str) -> Standing<'a> {
    let (facts, versions) = (fleet.facts, &fleet.chain().versions);
    let running = facts.pods.get(pod);
    let Some(height) = facts.heights.get(main).copied() else {
        return match running {
            Some(running) if !versions.is_empty() => Standing::Unknown(running),
            Some(_) | None => Standing::At(0),
        };
    };
    let has_fallen = facts.pods.get(main).is_some_and(|pod| pod.has_fallen);
    if let Some(running) = running
        && has_fallen
        && versions.iter().any(|v| upgrade_height(v) == height)
    {
        return Standing::Fallen(running, height);
    }
    let ahead = [main, pod].into_iter().filter_map(|name| {
        let running = facts.pods.get(name).filter(|pod| !pod.is_newcomer)?;
        ahead_of(fleet, running, height)
    });
    match (ahead.max(), running) {
        (Some(ahead), Some(running)) => Standing::Ahead(running, ahead),
        (Some(ahead), None) => Standing::At(ahead),
        (None, _) => Standing::At(height),
    }
}

/// Returns the height of the version that a pod runs, where that is above its own and none that it
/// has reached is the same.
fn ahead_of(fleet: &Fleet<'_>, running: &RunningPod, height: u64) -> Option<u64> {
    let versions = &fleet.chain().versions;
    // an entry that stands behind a greater height comes into force there, not at its own
    let from = versions.iter().scan(0, |from: &mut u64, version| {
        *from = upgrade_height(version).max(*from);
        Some((*from, version))
    });
    let (above, reached): (Vec<u64>, Vec<u64>) = from
        .filter(|(_, version)| is_run_by(version, running))
        .map(|(from, _)| from)
        .partition(|from| *from > height);
    let base = fleet.spec().pod_template.image.as_ref();
    let due = reached_at(versions, height).map_or(base, |version| Some(&version.image));
    let runs = running.images.get(NODE);
    // an image that says itself that it is older than what is due is not ahead of anything
    let is_older = matches!((runs, due), (Some(runs), Some(due)) if semver::is_older(runs, due));
    let is_due = runs == due && reached_at(versions, height).is_none();
    let lowest = above.into_iter().min();
    lowest.filter(|_| reached.is_empty() && !is_older && !is_due)
}

/// Tells whether a pod has the images of a version, as far as it has the containers. The image of
/// `chain-init` is passed over: who edits a pod in place leaves that as it was.
fn is_run_by(version: &ChainVersion, running: &RunningPod) -> bool {
    let all = version.init_containers.iter().chain(&version.containers);
    let all = all.map(|(name, image)| (name.as_str(), image));
    let mut there = all
        .chain([(NODE, &version.image)])
        .filter_map(|(name, image)| Some(running.images.get(name)? == image))
        .peekable();
    there.peek().is_some() && there.all(|is_same| is_same)
}

/// Returns the last version whose height is reached, in the order of the document.
#[must_use]
pub fn reached_at(versions: &[ChainVersion], height: u64) -> Option<&ChainVersion> {
    versions
        .iter()
        .take_while(|version| upgrade_height(version) <= height)
        .last()
}

/// The height at which an instance is told to stop; `None` where the versions have no say.
pub(crate) fn halt_height(fleet: &Fleet<'_>, instance: &str) -> Option<i64> {
    let versions = &fleet.chain().versions;
    if versions.is_empty() {
        return None;
    }
    let height = match standing(fleet, instance, instance) {
        Standing::At(height) | Standing::Ahead(_, height) => height,
        // its ConfigMap may tell already where the next version stops
        Standing::Fallen(_, height) => height.saturating_sub(1),
        Standing::Unknown(running) => {
            return Some(running.halt_height.map_or(0, clamp));
        }
    };
    let of_newborn = newborn_halt(fleet, instance);
    Some(of_newborn.unwrap_or_else(|| halt_above(versions, height)))
}

/// The first upgrade height above a height, where the owner wants nodes to stop there.
fn halt_above(versions: &[ChainVersion], height: u64) -> i64 {
    let next = versions
        .iter()
        .find(|version| upgrade_height(version) > height);
    next.filter(|v| v.set_halt_height).map_or(0, |v| v.height)
}

/// Where an instance that is yet to be made stops. It starts at the genesis, or somewhere on the
/// way, from a snapshot of the chain; nobody knows where before it runs, but which image it gets is
/// known, and the upgrade that it must not run past is the one after that image's own. Set from the
/// start, that need not be corrected once the height is known: scaling restarts nobody, not even
/// the new ones. (Were it nought until then, as the reference has it, the correction would be a
/// change of config that a node must restart for, since one that is not told to stop may run past
/// the upgrade and fork.)
///
/// Where others of the fleet are past that upgrade, the new one may start on either side of it: it
/// gets what the reference would give it, and restarts once, while it catches up and serves nobody.
fn newborn_halt(fleet: &Fleet<'_>, instance: &str) -> Option<i64> {
    let facts = fleet.facts;
    if facts.heights.contains_key(instance) || facts.pods.contains_key(instance) {
        return None;
    }
    let versions = &fleet.chain().versions;
    let base = fleet.spec().pod_template.image.as_ref();
    let of_base = || versions.iter().rfind(|v| Some(&v.image) == base);
    let own = reached_at(versions, 0).or_else(of_base);
    let own = own.map_or(0, upgrade_height);
    let next = versions.iter().find(|v| upgrade_height(v) > own)?;
    let foremost = facts.heights.values().max();
    let is_ahead_of_all = foremost.is_none_or(|foremost| *foremost <= upgrade_height(next));
    (next.set_halt_height && is_ahead_of_all).then_some(next.height)
}

/// Sets the images that the versions ask for in a pod specification.
pub(crate) fn set_images(fleet: &Fleet<'_>, standing: &Standing<'_>, spec: &mut Value) {
    match standing {
        Standing::At(height) => {
            if let Some(version) = reached_at(&fleet.chain().versions, *height) {
                set_version(version, spec);
            }
        }
        Standing::Ahead(running, _) | Standing::Fallen(running, _) | Standing::Unknown(running) => {
            for (part, name) in touched(fleet) {
                if let Some(image) = running.images.get(&name) {
                    set_image(spec, part, &name, image);
                }
            }
        }
    }
}

/// Sets the image of the chain itself.
pub(crate) fn set_chain_image(spec: &mut Value, image: &str) {
    set_image(spec, "containers", NODE, image);
    set_image(spec, "initContainers", "chain-init", image);
}

/// Every container that some version sets the image of.
pub(crate) fn touched(fleet: &Fleet<'_>) -> BTreeSet<(&'static str, String)> {
    let chain = [("containers", NODE), ("initContainers", "chain-init")];
    let mut all: BTreeSet<(&str, String)> =
        chain.map(|(part, name)| (part, name.to_owned())).into();
    for version in &fleet.chain().versions {
        let init = version.init_containers.keys().cloned();
        all.extend(init.map(|name| ("initContainers", name)));
        let plain = version.containers.keys().cloned();
        all.extend(plain.map(|name| ("containers", name)));
    }
    all
}

fn set_version(version: &ChainVersion, spec: &mut Value) {
    set_chain_image(spec, &version.image);
    for (name, image) in &version.init_containers {
        set_image(spec, "initContainers", name, image);
    }
    for (name, image) in &version.containers {
        set_image(spec, "containers", name, image);
    }
}

fn set_image(spec: &mut Value, part: &str, name: &str, image: &str) {
    let containers = spec.get_mut(part).and_then(Value::as_array_mut);
    let found = containers.and_then(|all| all.iter_mut().find(|c| c["name"] == name));
    if let Some(container) = found.and_then(Value::as_object_mut) {
        container.insert("image".to_owned(), json!(image));
    }
}

fn upgrade_height(version: &ChainVersion) -> u64 {
    u64::try_from(version.height).unwrap_or(0)
}

fn clamp(height: u64) -> i64 {
    i64::try_from(height).unwrap_or(i64::MAX)
}
