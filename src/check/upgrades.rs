//! Upgrades by height: no node is replaced by the next version before it has halted, and none goes
//! back to an older version because of a height alone. Reads the status itself, and is generous: what
//! could stand for a halt is taken for one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::case::{Case, Id, read};
use super::{Breach, rules};
use crate::live::Object;
use crate::model::{Kind, ObjectKey, semver};
use crate::plan::Action;

/// A status entry so much older than another, in seconds, is no news.
const OLD: i64 = 600;
/// A node that was there so long ago, in seconds, may well stand still.
const LONG_AGO: i64 = 300;
/// A node that another one is so many blocks ahead of may well stand still.
const FAR_BEHIND: u64 = 50;

#[derive(Default, Deserialize)]
struct Status {
    height: Option<BTreeMap<String, u64>>,
    sync: Option<BTreeMap<String, Entry>>,
}

#[derive(Default, Clone, Deserialize)]
struct Entry {
    timestamp: Option<String>,
    height: Option<u64>,
    error: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodStatus {
    start_time: Option<String>,
    conditions: Option<Vec<PodCondition>>,
}

#[derive(Deserialize)]
struct PodCondition {
    #[serde(rename = "type")]
    name: String,
    status: String,
}

/// Judges the replacement of nodes.
pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Breach>) {
    if case.fleet.spec.chain.versions.is_empty() {
        return;
    }
    for placed in case.doing(Action::Replace, Kind::Pod) {
        let key = &placed.step.object;
        let (Some(live), Some(wanted)) = (case.live(Id::from(key)), case.wanted(Id::from(key)))
        else {
            continue;
        };
        let (from, to) = (
            node_image(&live.spec_tree()),
            node_image(&wanted.body["spec"]),
        );
        if let (Some(from), Some(to)) = (from, to)
            && from != to
            && case.mains.contains_key(key.name.as_str())
        {
            halted_first(case, (key, live), &to, found);
            goes_not_back(case, (key, live), (&from, &to), found);
        }
    }
}

fn node_image(spec: &Value) -> Option<String> {
    let mut containers = spec["containers"].as_array()?.iter();
    let node = containers.find(|container| container["name"] == "node")?;
    node["image"].as_str().map(str::to_owned)
}

fn seconds(time: Option<&str>) -> Option<i64> {
    Some(time?.parse::<Timestamp>().ok()?.as_second())
}

fn halted_first(
    case: &Case<'_>,
    (key, live): (&ObjectKey, &Object<'_>),
    to: &str,
    found: &mut Vec<Breach>,
) {
    let document = case.live(case.id(Kind::CosmosFullNode, &case.plan.name));
    let status: Status = read(document.and_then(|document| document.status));
    let sync = status.sync.unwrap_or_default();
    let Some(entry) = sync.get(&key.name).filter(|e| is_answer(e)) else {
        return;
    };
    let (Some(at), Some(height)) = (seconds(entry.timestamp.as_deref()), entry.height) else {
        return;
    };
    let pod: PodStatus = read(live.status);
    let started = pod.start_time.as_deref().or(live.meta.created.as_deref());
    let others = sync
        .values()
        .filter_map(|e| seconds(e.timestamp.as_deref()));
    let is_old = seconds(started).is_some_and(|started| at < started)
        || others.max().is_some_and(|newest| newest - at > OLD);
    let recorded = status.height.unwrap_or_default();
    let recorded = recorded.get(&key.name).copied().unwrap_or_default();
    let reached = recorded.max(height + 1);
    let versions = case.fleet.spec.chain.versions.iter();
    let of_image = versions.filter(|version| version.image == to);
    let upgrade = of_image
        .filter_map(|version| u64::try_from(version.height).ok())
        .filter(|upgrade| *upgrade > height && *upgrade <= reached)
        .min();
    if let Some(upgrade) = upgrade.filter(|_| !is_old && !may_stand_still(case, at, height)) {
        let message = format!(
            "{key} is replaced by the version of height {upgrade} though its node answers at \
             {height}, and has not halted"
        );
        found.push(Breach::on(rules::HALT_FIRST, key, message));
    }
}

fn is_answer(entry: &Entry) -> bool {
    entry.error.as_deref().is_none_or(str::is_empty)
}

/// Tells whether any copy of the document shows that a node at a height is left behind.
fn may_stand_still(case: &Case<'_>, at: i64, height: u64) -> bool {
    let fleet = case.plan.key();
    let entries = case.live.documents(&fleet).flat_map(|document| {
        let status: Status = read(document.status);
        status.sync.unwrap_or_default().into_values()
    });
    let answers: Vec<Entry> = entries.filter(is_answer).collect();
    answers.iter().any(|other| {
        let (Some(then), Some(there)) = (seconds(other.timestamp.as_deref()), other.height) else {
            return false;
        };
        (at - then >= LONG_AGO && there >= height) || there > height.saturating_add(FAR_BEHIND)
    })
}

/// A pod that is ready and runs the version of a greater height keeps it, unless its owner says
/// otherwise.
fn goes_not_back(
    case: &Case<'_>,
    (key, live): (&ObjectKey, &Object<'_>),
    (from, to): (&str, &str),
    found: &mut Vec<Breach>,
) {
    let spec = &case.fleet.spec;
    let own = spec.instance_overrides.get(&key.name);
    // entries are read in order: one behind a greater height comes into force there
    let heights = |image: &str| -> Vec<i64> {
        let mut greatest = 0;
        let mut of_image = Vec::new();
        for version in &spec.chain.versions {
            greatest = version.height.max(greatest);
            if version.image == image {
                of_image.push(greatest);
            }
        }
        of_image
    };
    let (runs, wanted) = (heights(from), heights(to));
    let is_back = match (runs.iter().min(), wanted.iter().max()) {
        (Some(runs), Some(wanted)) => runs > wanted,
        (Some(_) | None, _) => false,
    };
    let pod: PodStatus = read(live.status);
    let conditions = pod.conditions.unwrap_or_default();
    let is_ready = conditions
        .iter()
        .any(|condition| condition.name == "Ready" && condition.status == "True");
    let is_asked = own.is_some_and(|own| !own.image.is_empty()) || semver::is_older(from, to);
    if is_back && is_ready && !is_asked {
        let message = format!(
            "{key} goes back from {from} to {to}, which are versions of the document, because of \
             a height alone"
        );
        found.push(Breach::on(rules::GOES_BACK, key, message));
    }
}
