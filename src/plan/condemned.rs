//! Live objects of a fleet that are not desired any more: what goes, in which turn, and what
//! stays until its owner says so.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::decide::{Task, Turn};
use super::reasons::reason;
use super::{Action, Impact, Reason, Step};
use crate::desired::Desired;
use crate::live::{Live, Object, lenient, ownership};
use crate::model::{Kind, Notice, ObjectKey, names};
use crate::spec::FullNode;
use crate::spec::document::RetentionPolicy;
use crate::spec::wishes::{DELETE_CLAIMS, REMOVE_FLEET};

/// What becomes of condemned objects.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) tasks: Vec<Task>,
    pub(super) blocked: Vec<Notice>,
    /// Pods that are on their way out already.
    pub(super) leaving: Vec<ObjectKey>,
}

pub(super) fn judge(
    condemned: &[&Object<'_>],
    fleet: &FullNode,
    desired: &Desired,
    live: &Live<'_>,
) -> Verdict {
    let mut verdict = Verdict::default();
    let disabled: BTreeSet<&str> = desired
        .instances
        .iter()
        .filter(|i| !i.has_pod)
        .map(|i| i.name.as_str())
        .collect();
    let has_claims = condemned
        .iter()
        .any(|object| object.kind == Kind::PersistentVolumeClaim);
    let mounted = if has_claims {
        mounted_by_others(fleet, live)
    } else {
        BTreeMap::new()
    };
    for object in condemned.iter().filter(|object| !object.is_terminating()) {
        match object.kind {
            Kind::Pod => verdict.tasks.push(pod(object, fleet, &disabled)),
            Kind::PersistentVolumeClaim => match mounted.get(object.meta.name.as_ref()) {
                Some(pod) => verdict
                    .blocked
                    .extend(mounted_elsewhere(object, fleet, pod)),
                None => claim(object, fleet, live, &mut verdict),
            },
            Kind::ConfigMap | Kind::Service => {
                let why = if fleet.wishes.is_removed {
                    fleet_removed()
                } else {
                    reason("NoLongerDesired", "its instance is gone")
                };
                verdict
                    .tasks
                    .push(delete(object, Turn::Tidy, Impact::None, why));
            }
            Kind::ServiceAccount | Kind::Role | Kind::RoleBinding => {
                access(object, fleet, &mut verdict);
            }
            Kind::StorageClass
            | Kind::PersistentVolume
            | Kind::VolumeSnapshot
            | Kind::CosmosFullNode
            | Kind::NodeIdentities
            | Kind::Secret => {}
        }
    }
    let leaving = condemned
        .iter()
        .filter(|o| o.kind == Kind::Pod && o.is_terminating());
    verdict.leaving = leaving.map(|object| object.key()).collect();
    verdict
}

fn delete(object: &Object<'_>, turn: Turn, impact: Impact, why: Reason) -> Task {
    Task {
        turn,
        step: Step {
            action: Action::Delete,
            object: object.key(),
            ordinal: ordinal_of(object),
            impact,
            reasons: vec![why],
            changes: Vec::new(),
        },
    }
}

/// The ordinal at the end of an object's name.
fn ordinal_of(object: &Object<'_>) -> Option<i64> {
    object.meta.name.rsplit('-').next()?.parse().ok()
}

fn fleet_removed() -> Reason {
    let message = format!("its fleet is to go, as {REMOVE_FLEET} says");
    reason("FleetRemoved", message)
}

fn pod(object: &Object<'_>, fleet: &FullNode, disabled: &BTreeSet<&str>) -> Task {
    let is_additional = object.label(names::BELONGS_TO).is_some();
    let why = if fleet.wishes.is_removed {
        fleet_removed()
    } else if disabled.contains(object.meta.name.as_ref()) {
        reason(
            "InstanceDisabled",
            "its instance is disabled, or away for a snapshot",
        )
    } else if is_additional {
        reason(
            "NoLongerDesired",
            "no additional pod of that name is asked for",
        )
    } else {
        reason("ScaledDown", "no instance of that name is asked for")
    };
    delete(object, Turn::Leave, Impact::Restart, why)
}

/// An account of our making that nothing uses any more goes last, once all pods use another.
fn access(object: &Object<'_>, fleet: &FullNode, verdict: &mut Verdict) {
    let is_in_use = object.meta.name == fleet.spec.service_account_name.as_str();
    if fleet.wishes.is_removed || !is_in_use {
        let why = if fleet.wishes.is_removed {
            fleet_removed()
        } else {
            let message = "the fleet uses a service account of its owner's own";
            reason("NoLongerDesired", message)
        };
        verdict
            .tasks
            .push(delete(object, Turn::Last, Impact::None, why));
    }
}

fn claim(object: &Object<'_>, fleet: &FullNode, live: &Live<'_>, verdict: &mut Verdict) {
    let named = fleet.wishes.delete_claims.get(object.meta.name.as_ref());
    let is_acknowledged = named.is_some_and(|uid| *uid == *object.meta.uid);
    let retains = fleet.spec.volume_retention_policy == Some(RetentionPolicy::Retain);
    if retains && !is_acknowledged {
        return; // it stays, as its owner wants
    }
    if !is_acknowledged && !is_going_now(object, fleet, live) {
        verdict.blocked.push(orphan(object));
        return;
    }
    if !is_acknowledged && is_removal_unsaid(fleet) {
        verdict.blocked.push(of_removed_fleet(object));
        return;
    }
    let impact = if is_kept_by_volume(object, live) {
        Impact::None
    } else {
        Impact::DataLoss
    };
    let why = claim_reason(fleet, impact, is_acknowledged);
    verdict
        .tasks
        .push(delete(object, Turn::Release, impact, why));
}

/// A default is no word about a whole fleet's data: where a fleet is to go, its claims go only
/// where the document writes the policy out.
fn is_removal_unsaid(fleet: &FullNode) -> bool {
    fleet.wishes.is_removed && fleet.spec.volume_retention_policy.is_none()
}

fn claim_reason(fleet: &FullNode, impact: Impact, is_acknowledged: bool) -> Reason {
    let (code, who) = if fleet.wishes.is_removed {
        ("FleetRemoved", "its fleet is to go")
    } else {
        ("ScaledDown", "its instance is gone")
    };
    let allowed = if is_acknowledged {
        format!("{DELETE_CLAIMS} names it")
    } else {
        "volumeRetentionPolicy is Delete".to_owned()
    };
    let data = match impact {
        Impact::DataLoss => ": its data goes",
        Impact::None | Impact::Restart | Impact::IdentityChange => "; its volume is retained",
    };
    reason(code, format!("{who} and {allowed}{data}"))
}

/// A claim whose instance is still there, or on its way out, goes with it, as the document plainly
/// asks. One without any trace of an instance was kept on purpose, or is not explained by any
/// specification (design.md, safety rule 10).
fn is_going_now(object: &Object<'_>, fleet: &FullNode, live: &Live<'_>) -> bool {
    let instance = object
        .meta
        .name
        .strip_prefix("pvc-")
        .unwrap_or(&object.meta.name);
    [Kind::Pod, Kind::ConfigMap].into_iter().any(|kind| {
        let sign = live.get(kind, &fleet.key.namespace, instance);
        sign.is_some_and(|sign| ownership(sign, &fleet.key).is_ok())
    })
}

/// Returns which claims somebody else's pods mount, and the name of such a pod.
fn mounted_by_others(fleet: &FullNode, live: &Live<'_>) -> BTreeMap<String, String> {
    #[derive(Default, Deserialize)]
    struct Spec {
        #[serde(default)]
        volumes: Vec<Volume>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Volume {
        persistent_volume_claim: Option<Claim>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Claim {
        claim_name: String,
    }
    live.in_namespace(Kind::Pod, &fleet.key.namespace)
        .filter(|pod| ownership(pod, &fleet.key).is_err())
        .flat_map(|pod| {
            let spec: Spec = lenient(pod.spec);
            let claims = spec
                .volumes
                .into_iter()
                .filter_map(|volume| volume.persistent_volume_claim);
            claims.map(|claim| (claim.claim_name, pod.meta.name.clone().into_owned()))
        })
        .collect()
}

fn is_kept_by_volume(object: &Object<'_>, live: &Live<'_>) -> bool {
    let spec = object.spec_tree();
    let volume = spec["volumeName"].as_str().unwrap_or_default();
    let Some(volume) = live.get(Kind::PersistentVolume, "", volume) else {
        return false;
    };
    let spec: serde_json::Value = lenient(volume.spec);
    spec["persistentVolumeReclaimPolicy"] == "Retain"
}

/// A claim that somebody else's pod mounts is not deleted under it.
fn mounted_elsewhere(object: &Object<'_>, fleet: &FullNode, pod: &str) -> Option<Notice> {
    if fleet.spec.volume_retention_policy == Some(RetentionPolicy::Retain) {
        return None;
    }
    let message = format!("its instance is gone, but Pod {pod}, which is not ours, mounts it");
    let mut notice = Notice::on(object.key(), "ClaimInUse", message);
    notice.allow = Some(format!("delete Pod {pod}, if it is not needed"));
    Some(notice)
}

fn of_removed_fleet(object: &Object<'_>) -> Notice {
    let message = "its fleet is to go, but the document does not say what becomes of its data";
    let mut notice = Notice::on(object.key(), "ClaimOfRemovedFleet", message);
    notice.allow = Some(
        "write volumeRetentionPolicy: Delete to delete the fleet's claims with their data, or \
         Retain to keep them"
            .to_owned(),
    );
    notice
}

fn orphan(object: &Object<'_>) -> Notice {
    let message = "no instance explains this claim: it was retained when its instance went, or \
                   somebody else made it; it is not deleted unasked";
    let mut notice = Notice::on(object.key(), "OrphanClaim", message);
    notice.allow = Some(format!(
        "annotate the document with {DELETE_CLAIMS}: \"{}={}\" to delete it with its data",
        object.meta.name, object.meta.uid
    ));
    notice
}
