//! The chain's versions as a plan shows them: who runs which, who is about to, and how far the next
//! one is. Decides nothing.

use schemars::JsonSchema;
use serde::Serialize;

use super::restarts::{Restarts, Situation};
use crate::desired::{Instance, Manifest, Role};
use crate::spec::document::ChainVersion;

/// One entry of `chain.versions`, and who runs it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Upgrade {
    /// The height from which it is for; null for what runs below the first one.
    pub height: Option<u64>,
    /// The chain's image.
    pub image: String,
    /// Whether nodes are told to halt there.
    pub set_halt_height: bool,
    /// Who runs it, or is to.
    pub instances: UpgradeInstances,
    /// How many blocks are left until it applies, counted from the fleet's foremost node; null
    /// where it applies already, or no height is known.
    pub blocks_to_go: Option<u64>,
    /// In about how many seconds that will be, counted from the newest word of any node; null
    /// where the snapshot does not tell how fast the chain goes.
    pub eta_seconds: Option<u64>,
}

/// Main pods by what they have to do with a version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpgradeInstances {
    /// They run it.
    pub running: Vec<String>,
    /// They get it with this plan.
    pub due: Vec<String>,
    /// They get it once they have halted at its height.
    pub halting: Vec<String>,
    /// They run it, though its height is not reached yet as far as is known.
    pub ahead: Vec<String>,
}

/// Returns the versions in the order of the document, before them what runs below the first.
pub(super) fn list(s: &Situation<'_>, restarts: &Restarts) -> Vec<Upgrade> {
    let versions = s.fleet.spec.chain.versions.as_slice();
    if versions.is_empty() {
        return Vec::new();
    }
    let base = Upgrade {
        image: s.fleet.spec.pod_template.image.clone().unwrap_or_default(),
        ..Upgrade::default()
    };
    let of_versions = versions.iter().map(|version| Upgrade {
        height: Some(height_of(version)),
        image: version.image.clone(),
        set_halt_height: version.set_halt_height,
        ..Upgrade::default()
    });
    let mut list: Vec<Upgrade> = [base].into_iter().chain(of_versions).collect();
    let pods = s.desired.manifests.iter().filter(|m| m.role == Role::Pod);
    for pod in pods {
        let known = s.chain.heights.get(&pod.key.name).copied();
        let wanted = node_image(pod);
        let Some(at) = wanted.and_then(|wanted| entry_of(&list, wanted, known)) else {
            continue; // an image of its own
        };
        if let Some(upgrade) = list.get_mut(at) {
            place(pod, upgrade, s, restarts);
        }
    }
    let has_any = |u: &UpgradeInstances| u != &UpgradeInstances::default();
    list.retain(|upgrade| upgrade.height.is_some() || has_any(&upgrade.instances));
    tell_when(&mut list, s);
    list
}

fn height_of(version: &ChainVersion) -> u64 {
    u64::try_from(version.height).unwrap_or(0)
}

/// Returns the chain's image of a pod.
fn node_image(pod: &Manifest) -> Option<&str> {
    let containers = pod.body["spec"]["containers"].as_array()?;
    let node = containers.iter().find(|c| c["name"] == "node")?;
    node["image"].as_str()
}

/// Returns the place of the entry that an image is of: the last that is reached, else the first.
fn entry_of(list: &[Upgrade], image: &str, known: Option<u64>) -> Option<usize> {
    let is_same = |upgrade: &Upgrade| upgrade.image == image;
    let is_reached = |u: &Upgrade| u.height.is_none_or(|height| Some(height) <= known);
    let reached = list.iter().rposition(|u| is_same(u) && is_reached(u));
    reached.or_else(|| list.iter().position(is_same))
}

fn place(pod: &Manifest, upgrade: &mut Upgrade, s: &Situation<'_>, restarts: &Restarts) {
    let name = &pod.key.name;
    let runs = s.chain.images.get(name);
    let known = s.chain.heights.get(name).copied();
    let all = &mut upgrade.instances;
    let list = if runs == Some(&upgrade.image) {
        let is_ahead = known.is_some() && upgrade.height > known;
        if is_ahead {
            &mut all.ahead
        } else {
            &mut all.running
        }
    } else if restarts.halting.contains(name) {
        &mut all.halting
    } else {
        &mut all.due
    };
    list.push(name.clone());
}

fn tell_when(list: &mut [Upgrade], s: &Situation<'_>) {
    let is_main = |name: &String| {
        let mut all = s.desired.instances.iter();
        all.any(|instance: &Instance| instance.name == *name)
    };
    let known = s.chain.heights.iter().filter(|(name, _)| is_main(name));
    let Some(foremost) = known.map(|(_, height)| *height).max() else {
        return;
    };
    let progress = &s.chain.progress;
    let newest = progress.seen().next_back().map(|seen| seen.at);
    let latest = progress.seen().rfind(|seen| seen.in_sync);
    for upgrade in list {
        let Some(height) = upgrade.height.filter(|height| *height > foremost) else {
            continue;
        };
        upgrade.blocks_to_go = Some(height - foremost);
        let (Some(pace), Some(latest), Some(newest)) = (progress.pace(), latest, newest) else {
            continue;
        };
        let passed = newest.as_second() - latest.at.as_second();
        let passed = u64::try_from(passed).unwrap_or(0);
        let left = pace.seconds_of(height.saturating_sub(latest.height));
        upgrade.eta_seconds = Some(left.saturating_sub(passed));
    }
}
