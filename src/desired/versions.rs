//! Which of `chain.versions` an instance runs, by its height. Knows nothing of containers beyond
//! their names and images.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::desired::fleet::Fleet;
use crate::live::facts::RunningPod;
use crate::spec::document::ChainVersion;

/// What is known of where an instance stands.
pub(crate) enum Standing<'a> {
    /// The chain's height; nought for an instance that does not run yet.
    At(u64),
    /// Nothing, though a pod runs: what it runs is kept.
    Unknown(&'a RunningPod),
}

/// Says where the instance `main` stands, for its pod or an additional one of the name `pod`. An
/// unknown height is not zero: where the pod is live, it keeps what it runs.
pub(crate) fn standing<'a>(fleet: &Fleet<'a>, main: &str, pod: &str) -> Standing<'a> {
    if let Some(height) = fleet.facts.heights.get(main) {
        return Standing::At(*height);
    }
    match fleet.facts.pods.get(pod) {
        Some(running) if !fleet.chain().versions.is_empty() => Standing::Unknown(running),
        Some(_) | None => Standing::At(0),
    }
}

/// The last version whose height is reached, in the order of the document.
fn reached<'a>(fleet: &Fleet<'a>, height: u64) -> Option<&'a ChainVersion> {
    let versions = &fleet.chain().versions;
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
        Standing::At(height) => height,
        Standing::Unknown(running) => {
            return Some(running.halt_height.map_or(0, clamp));
        }
    };
    let next = versions
        .iter()
        .find(|version| upgrade_height(version) > height);
    Some(next.filter(|v| v.set_halt_height).map_or(0, |v| v.height))
}

/// Sets the images that the versions ask for in a pod specification.
pub(crate) fn set_images(fleet: &Fleet<'_>, standing: &Standing<'_>, spec: &mut Value) {
    match standing {
        Standing::At(height) => {
            if let Some(version) = reached(fleet, *height) {
                set_version(version, spec);
            }
        }
        Standing::Unknown(running) => {
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
    set_image(spec, "containers", "node", image);
    set_image(spec, "initContainers", "chain-init", image);
}

/// Every container that some version sets the image of.
pub(crate) fn touched(fleet: &Fleet<'_>) -> BTreeSet<(&'static str, String)> {
    let chain = [("containers", "node"), ("initContainers", "chain-init")];
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
