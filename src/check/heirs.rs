//! Instances that take over the volume of one that had another name: no volume goes with its old
//! claim, none is bound by two claims, and the new one never starts on an empty volume.

use serde::Deserialize;
use serde_json::Value;

use super::case::{Case, Id, Placed, mounts, read};
use super::{Breach, rules};
use crate::desired::Instance;
use crate::live::Object;
use crate::model::{Kind, names};
use crate::plan::{Action, Condition, Step};

const CLAIM: Kind = Kind::PersistentVolumeClaim;
const POLICY: &str = "spec.persistentVolumeReclaimPolicy";
const REFERENCE: &str = "spec.claimRef";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct VolumeSpec {
    persistent_volume_reclaim_policy: Option<String>,
    claim_ref: ClaimRef,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ClaimRef {
    namespace: String,
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ClaimSpec {
    volume_name: String,
}

/// Judges what becomes of the volumes that are taken over.
pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Breach>) {
    for deletion in case.doing(Action::Delete, CLAIM) {
        let claim = case.live(Id::from(&deletion.step.object));
        if claim.is_some_and(|claim| is_former(case, claim)) {
            judge_claim(case, deletion, found);
        }
    }
    for deletion in case.doing(Action::Delete, Kind::Pod) {
        let pod = case.live(Id::from(&deletion.step.object));
        let is_stray = |pod: &&Object<'_>| is_former(case, pod) && heir_of(case, pod).is_none();
        if let Some(pod) = pod.filter(is_stray) {
            let message = format!(
                "{} is deleted, and no instance takes over from it",
                pod.key()
            );
            found.push(Breach::on(rules::FOREIGN, &deletion.step.object, message));
        }
    }
}

/// The volume of a claim that goes is kept, and goes to a claim that is made once it is gone.
fn judge_claim<'a>(case: &Case<'a>, deletion: Placed<'a>, found: &mut Vec<Breach>) {
    let claim = &deletion.step.object;
    let mut breach = |why: &str| {
        let message = format!("{claim} is deleted for its instance to move, {why}");
        found.push(Breach::on(rules::VOLUME_LEFT, claim, message));
    };
    let Some(instance) = heir_of_claim(case, Id::from(claim)) else {
        return breach("and nobody takes its volume over");
    };
    if !is_kept(case, deletion) {
        breach("and its volume does not outlive it");
    }
    let next = case.id(CLAIM, &instance.claim);
    let made = case.wave_of(next, &[Action::Create]);
    let gone = case.gates(Condition::Gone, Id::from(claim));
    let is_in_turn =
        made.is_some_and(|made| gone.iter().any(|g| (deletion.wave..made).contains(g)));
    if !is_in_turn {
        breach("and the next claim is not made once it is gone");
    }
}

/// Tells whether a claim's volume is kept by the time the claim goes.
pub(super) fn is_kept(case: &Case<'_>, deletion: Placed<'_>) -> bool {
    let claim = case.live(Id::from(&deletion.step.object));
    let spec: ClaimSpec = read(claim.and_then(|claim| claim.spec));
    let Some(volume) = case.live.get(Kind::PersistentVolume, "", &spec.volume_name) else {
        return false;
    };
    let held: VolumeSpec = read(volume.spec);
    let is_patched = case
        .doing(Action::Patch, Kind::PersistentVolume)
        .any(|patch| {
            let mut changes = patch.step.changes.iter();
            patch.wave < deletion.wave
                && patch.step.object.name == spec.volume_name
                && changes.any(|c| c.path == POLICY && c.to == Some(Value::from("Retain")))
        });
    is_patched || held.persistent_volume_reclaim_policy.as_deref() == Some("Retain")
}

/// Returns whether a live object is that of the fleet whose name the document gives as its former
/// one.
pub(super) fn is_former(case: &Case<'_>, object: &Object<'_>) -> bool {
    let Some(former) = &case.fleet.wishes.renamed_from else {
        return false;
    };
    if object.meta.namespace != former.namespace {
        return false;
    }
    match object.controller() {
        Some(owner) => owner.kind == "CosmosFullNode" && owner.name == former.name,
        None => match object.annotation(names::FLEET) {
            Some(fleet) => fleet == former.name,
            None => object.label(names::NAME) == Some(former.name.as_str()),
        },
    }
}

/// Returns the instance whose claim is made on the volume of a live claim of the former fleet.
pub(super) fn heir_of_claim<'a>(case: &Case<'a>, claim: Id<'_>) -> Option<&'a Instance> {
    let live = case.live(claim).filter(|claim| is_former(case, claim))?;
    let spec: ClaimSpec = read(live.spec);
    heir(case, &spec.volume_name)
}

fn heir<'a>(case: &Case<'a>, volume: &str) -> Option<&'a Instance> {
    let mut instances = case.desired.instances.iter();
    instances.find(|instance| {
        let claim = case.wanted(case.id(CLAIM, &instance.claim));
        let named = claim.and_then(|claim| claim.body["spec"]["volumeName"].as_str());
        !volume.is_empty() && named == Some(volume)
    })
}

/// Returns the instance that takes over from a live pod of the former fleet: the one that gets the
/// volume of its claim, or, for an additional pod, of its main pod's.
pub(super) fn heir_of<'a>(case: &Case<'a>, pod: &Object<'_>) -> Option<&'a Instance> {
    if !is_former(case, pod) {
        return None;
    }
    let main = pod.label(names::BELONGS_TO).map_or(Some(pod), |main| {
        case.live.get(Kind::Pod, &case.plan.namespace, main)
    });
    let spec: Value = read(main.unwrap_or(pod).spec);
    // the main pod itself may be away
    let of_main = pod
        .label(names::BELONGS_TO)
        .map(|main| format!("pvc-{main}"));
    let claims = || mounts(Some(&spec)).into_iter().chain(of_main.as_deref());
    let by_claim = claims().find_map(|claim| {
        let id = Id {
            kind: CLAIM,
            namespace: &case.plan.namespace,
            name: claim,
        };
        heir_of_claim(case, id)
    });
    // where the claim is gone already, its volume still names it
    by_claim.or_else(|| claims().find_map(|claim| heir(case, &left_by(case, claim)?)))
}

/// Returns the name of the volume that a claim left.
fn left_by(case: &Case<'_>, claim: &str) -> Option<String> {
    let mut volumes = case.live.in_namespace(Kind::PersistentVolume, "");
    let left = volumes.find(|volume| {
        let held: VolumeSpec = read(volume.spec);
        held.claim_ref.name == claim && held.claim_ref.namespace == case.plan.namespace
    });
    left.map(|volume| volume.meta.name.clone().into_owned())
}

/// Returns whether a main pod is that of an instance whose claim is made on an old volume.
pub(super) fn is_heir(case: &Case<'_>, instance: &Instance) -> bool {
    let id = case.id(CLAIM, &instance.claim);
    let is_made = case.live(id).is_none();
    let claim = case.wanted(id).filter(|_| is_made);
    claim.is_some_and(|claim| claim.body["spec"]["volumeName"].is_string())
}

/// Returns whether a step does to a volume what moving it takes, and nothing else.
pub(super) fn is_of_volume(case: &Case<'_>, step: &Step) -> bool {
    if step.object.kind != Kind::PersistentVolume || step.action != Action::Patch {
        return false;
    }
    let Some(instance) = heir(case, &step.object.name) else {
        return false;
    };
    !step.changes.is_empty()
        && step
            .changes
            .iter()
            .all(|change| match change.path.as_str() {
                POLICY => change.to == Some(Value::from("Retain")),
                REFERENCE => change.to.as_ref().is_some_and(|to| {
                    to["name"] == instance.claim.as_str()
                        && to["namespace"] == case.plan.namespace.as_str()
                }),
                _ => false,
            })
}
