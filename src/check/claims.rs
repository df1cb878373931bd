//! Claims hold what cannot be made again: they do not go under a pod, do not shrink, do not go
//! where they are retained, and their deletion says what it costs.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::case::{Case, Id, Placed, mounts, read};
use super::heirs::{heir_of_claim, is_kept};
use super::migrations::{is_let_go, is_to_be_deleted};
use super::touch::is_ours;
use super::{Breach, quantity, rules};
use crate::live::Object;
use crate::model::Kind;
use crate::plan::{Action, Change, Condition, Impact};
use crate::spec::document::RetentionPolicy;

const CLAIM: Kind = Kind::PersistentVolumeClaim;

/// Judges what becomes of claims.
pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Breach>) {
    for patch in case.doing(Action::Patch, CLAIM) {
        for change in &patch.step.changes {
            if let Some(fault) = shrinks(change) {
                found.push(Breach::on(rules::CLAIM_SHRINKS, &patch.step.object, fault));
            }
        }
    }
    for action in [Action::Create, Action::Replace] {
        for start in case.doing(action, Kind::Pod) {
            judge_start(case, start, found);
        }
    }
    if case.doing(Action::Delete, CLAIM).next().is_none() {
        return;
    }
    let mounted = Mounted::new(case);
    for deletion in case.doing(Action::Delete, CLAIM) {
        let claim = &deletion.step.object;
        let moves = heir_of_claim(case, Id::from(claim)).is_some();
        let is_named = is_let_go(case, &claim.name) || is_to_be_deleted(case, &claim.name) || moves;
        if !is_named && !may_go(case) {
            let message = format!("{claim} is deleted though the fleet retains its claims");
            found.push(Breach::on(rules::CLAIM_RETAINED, claim, message));
        }
        if !is_named && !is_explained(case, Id::from(claim)) {
            let message = format!("{claim} is deleted though nothing tells that a pod used it");
            found.push(Breach::on(rules::CLAIM_UNEXPLAINED, claim, message));
        }
        let is_kept = keeps_data(case, Id::from(claim)) || moves && is_kept(case, deletion);
        if deletion.step.impact < Impact::DataLoss && !is_kept {
            let message = format!("{claim} is deleted without saying that its data is lost");
            found.push(Breach::on(rules::DATA_LOSS_UNSAID, claim, message));
        }
        mounted.judge(case, deletion, found);
    }
}

/// A pod does not start where the volume that it is to mount is gone, unless its claim is made anew
/// before it or beside it.
fn judge_start(case: &Case<'_>, start: Placed<'_>, found: &mut Vec<Breach>) {
    let pod = &start.step.object;
    let manifest = case.wanted(Id::from(pod));
    for claim in mounts(manifest.and_then(|manifest| manifest.body.get("spec"))) {
        let id = case.id(CLAIM, claim);
        let status: Phase = read(case.live(id).and_then(|claim| claim.status));
        let made = case.wave_of(id, &[Action::Create]);
        let is_anew = made.is_some_and(|made| made <= start.wave);
        if status.phase.as_deref() == Some("Lost") && !is_anew {
            let message = format!("{pod} starts on claim {claim}, whose volume is gone");
            found.push(Breach::on(rules::CLAIM_LOST, pod, message));
        }
    }
}

/// Tells whether the document's policy lets claims go; it has to be written where the whole fleet
/// goes.
fn may_go(case: &Case<'_>) -> bool {
    match case.fleet.spec.volume_retention_policy {
        Some(RetentionPolicy::Retain) => false,
        Some(RetentionPolicy::Delete) => true,
        None => !case.fleet.wishes.is_removed,
    }
}

/// Tells whether a claim's instance is seen to have run on it: its pod is there, or its config that is
/// known to be no younger than the claim. A claim without that may be one that was retained.
pub(super) fn is_explained(case: &Case<'_>, claim: Id<'_>) -> bool {
    let instance = claim.name.strip_prefix("pvc-").unwrap_or(claim.name);
    let own = |kind: Kind| {
        let found = case.live.get(kind, claim.namespace, instance);
        found.filter(|object| is_ours(case, object))
    };
    let born = |object: &Object<'_>| -> Option<jiff::Timestamp> {
        object.meta.created.as_deref()?.parse().ok()
    };
    let config = own(Kind::ConfigMap).and_then(born);
    let since = case.live(claim).and_then(born);
    own(Kind::Pod).is_some() || config.zip(since).is_some_and(|(made, at)| made <= at)
}

/// Which pods mount which claims: those that run, and those that should.
struct Mounted<'a> {
    live: BTreeMap<String, Vec<&'a Object<'a>>>,
    wanted: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> Mounted<'a> {
    fn new(case: &Case<'a>) -> Self {
        let mut mounted = Self {
            live: BTreeMap::new(),
            wanted: BTreeMap::new(),
        };
        let live: &'a crate::live::Live<'a> = case.live;
        for pod in live.in_namespace(Kind::Pod, &case.plan.namespace) {
            let spec: Value = read(pod.spec);
            for claim in mounts(Some(&spec)) {
                let pods = mounted.live.entry(claim.to_owned());
                pods.or_default().push(pod);
            }
        }
        for manifest in &case.desired.manifests {
            if manifest.key.kind == Kind::Pod {
                for claim in mounts(manifest.body.get("spec")) {
                    let pods = mounted.wanted.entry(claim);
                    pods.or_default().push(&manifest.key.name);
                }
            }
        }
        mounted
    }

    /// Every pod that mounts a claim is gone, or replaced, before the claim goes.
    fn judge(&self, case: &Case<'a>, deletion: Placed<'a>, found: &mut Vec<Breach>) {
        let claim = &deletion.step.object;
        let mut breach = |pod: &str, why: &str| {
            let message = format!("{claim} is deleted while Pod/{pod} {why}");
            found.push(Breach::on(rules::CLAIM_IN_USE, claim, message));
        };
        for pod in self.wanted.get(claim.name.as_str()).into_iter().flatten() {
            if !waits_for_it(case, pod, deletion.wave) {
                breach(pod, "is to mount it");
            }
        }
        for pod in self.live.get(&claim.name).into_iter().flatten() {
            if let Some(why) = holds(case, pod, deletion.wave) {
                breach(&pod.meta.name, why);
            }
        }
    }
}

/// Returns whether a pod that is to mount a claim does so only once that has gone and come back.
fn waits_for_it<'a>(case: &Case<'a>, pod: &'a str, wave: usize) -> bool {
    let id = case.id(Kind::Pod, pod);
    let created = case.wave_of(id, &[Action::Create]);
    let replaced = case.wave_of(id, &[Action::Replace]);
    created.is_some_and(|created| created > wave) && replaced.is_none()
}

/// Returns why a live pod still holds its claims when a wave starts.
fn holds<'a>(case: &Case<'a>, pod: &'a Object<'a>, wave: usize) -> Option<&'static str> {
    let id = case.id(Kind::Pod, &pod.meta.name);
    if let Some(replaced) = case.wave_of(id, &[Action::Replace]) {
        return (replaced >= wave).then_some("mounts it and is not replaced yet");
    }
    let deleted = case.wave_of(id, &[Action::Delete]);
    let goes_from = match deleted {
        Some(deleted) => deleted,
        None if pod.is_terminating() => 0,
        // Kubernetes itself lets go of the volumes of a pod that has ended.
        None if has_ended(pod) => return None,
        None => return Some("mounts it and stays"),
    };
    let gone = case.gates(Condition::Gone, id);
    let is_gone = gone.iter().any(|gate| (goes_from..wave).contains(gate));
    (!is_gone).then_some("mounts it and need not be gone yet")
}

#[derive(Default, Deserialize)]
struct Phase {
    phase: Option<String>,
}

fn has_ended(pod: &Object<'_>) -> bool {
    let status: Phase = read(pod.status);
    matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"))
}

/// Returns what is wrong where a change asks a claim for less than before.
fn shrinks(change: &Change) -> Option<String> {
    let before = change.from.as_ref().and_then(|v| storage(&change.path, v));
    let before = before?;
    let Some(after) = change.to.as_ref().and_then(|v| storage(&change.path, v)) else {
        return Some(format!("the request of {before} is taken away"));
    };
    match (quantity::read(before), quantity::read(after)) {
        (Some(from), Some(to)) if to >= from => None,
        (Some(_), Some(_)) => Some(format!("the request shrinks from {before} to {after}")),
        _ => Some(format!("{before} and {after} cannot be compared")),
    }
}

/// Finds the storage request in what a change at `path` holds.
fn storage<'v>(path: &str, value: &'v Value) -> Option<&'v Value> {
    const PARTS: [&str; 4] = ["spec", "resources", "requests", "storage"];
    let given = path.split('.').count();
    let is_above = path.split('.').eq(PARTS.iter().copied().take(given));
    if !is_above {
        return None;
    }
    PARTS
        .iter()
        .skip(given)
        .try_fold(value, |inside, part| inside.get(part))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClaimSpec {
    volume_name: Option<String>,
    storage_class_name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct VolumeSpec {
    persistent_volume_reclaim_policy: Option<String>,
    claim_ref: Option<ClaimRef>,
}

#[derive(Default, Deserialize)]
struct ClaimRef {
    namespace: Option<String>,
    name: Option<String>,
}

/// Returns whether a claim's deletion loses no data: its volume outlives it, or it never had one.
fn keeps_data(case: &Case<'_>, claim: Id<'_>) -> bool {
    let Some(object) = case.live(claim) else {
        return false;
    };
    let status: Phase = read(object.status);
    let spec: ClaimSpec = read(object.spec);
    if status.phase.as_deref() == Some("Pending") && spec.volume_name.is_none() {
        return true;
    }
    let volumes = case.live.objects.get(&Kind::PersistentVolume);
    let all = volumes.into_iter().flat_map(|of| of.values());
    let mut is_known = false;
    let is_kept = all.flat_map(BTreeMap::values).any(|volume| {
        let held: VolumeSpec = read(volume.spec);
        let is_named = spec.volume_name.as_deref() == Some(&*volume.meta.name);
        let is_bound = held.claim_ref.is_some_and(|by| {
            by.name.as_deref() == Some(claim.name)
                && by.namespace.as_deref() == Some(claim.namespace)
        });
        is_known |= is_named || is_bound;
        (is_named || is_bound) && held.persistent_volume_reclaim_policy.as_deref() == Some("Retain")
    });
    is_kept || !is_known && is_of_retaining_class(case, spec.storage_class_name.as_deref())
}

/// Where the snapshot has no such volume, the policy of its class is the best that is known.
fn is_of_retaining_class(case: &Case<'_>, class: Option<&str>) -> bool {
    let class = class.and_then(|class| case.live.get(Kind::StorageClass, "", class));
    let policy = class.and_then(|class| class.rest.get("reclaimPolicy").copied());
    read::<Option<String>>(policy).as_deref() == Some("Retain")
}
