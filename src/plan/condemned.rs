//! Live objects of a fleet that are not desired any more: what goes, in which turn, and what
//! stays until its owner says so.

use std::collections::BTreeSet;

use super::reasons::reason;
use super::traces::{self, Trace};
use super::turns::{Task, Turn};
use super::volumes::Volumes;
use super::{Action, Impact, Reason, Step};
use crate::desired::Desired;
use crate::live::volumes::fate;
use crate::live::{Live, Object};
use crate::model::{Kind, Notice, ObjectKey, names};
use crate::spec::FullNode;
use crate::spec::document::RetentionPolicy;
use crate::spec::named::{self, Leave};
use crate::spec::wishes::REMOVE_FLEET;

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
    desired: &Desired,
    volumes: &Volumes<'_>,
) -> Verdict {
    let fleet = volumes.fleet;
    let mut verdict = Verdict::default();
    let disabled: BTreeSet<&str> = desired
        .instances
        .iter()
        .filter(|i| !i.has_pod)
        .map(|i| i.name.as_str())
        .collect();
    for object in condemned.iter().filter(|object| !object.is_terminating()) {
        match object.kind {
            Kind::Pod => verdict.tasks.push(pod(object, fleet, &disabled)),
            Kind::PersistentVolumeClaim => claim(object, volumes, &mut verdict),
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

fn claim(object: &Object<'_>, volumes: &Volumes<'_>, verdict: &mut Verdict) {
    let fleet = volumes.fleet;
    let mut uids = named::uids(&fleet.annotations, Leave::Delete, &object.meta.name);
    let is_named = uids.any(|uid| uid == object.meta.uid);
    let retains = fleet.spec.volume_retention_policy == Some(RetentionPolicy::Retain);
    if retains && !is_named {
        return; // it stays, as its owner wants
    }
    if let Some(pod) = volumes.mounted_by_other(&object.meta.name) {
        verdict.blocked.push(mounted_elsewhere(object, pod));
        return;
    }
    if !is_named && !is_going_now(object, fleet, volumes.live) {
        verdict.blocked.push(orphan(object, volumes));
        return;
    }
    if !is_named && is_removal_unsaid(fleet) {
        verdict.blocked.push(of_removed_fleet(object, volumes));
        return;
    }
    let why = if is_named {
        let message = "delete-claims names it, and no instance needs it";
        reason("ClaimAcknowledged", message)
    } else if fleet.wishes.is_removed {
        let message = "its fleet is to go, and volumeRetentionPolicy is Delete";
        reason("FleetRemoved", message)
    } else {
        let message = "its instance is gone and volumeRetentionPolicy is Delete";
        reason("ScaledDown", message)
    };
    let loses = fate(volumes.live, object).loses_data();
    let impact = if loses {
        Impact::DataLoss
    } else {
        Impact::None
    };
    let mut task = delete(object, Turn::Release, impact, why);
    task.step.reasons.extend(volumes.cost(object));
    verdict.tasks.push(task);
}

/// A default is no word about a whole fleet's data: where a fleet is to go, its claims go only
/// where the document writes the policy out.
fn is_removal_unsaid(fleet: &FullNode) -> bool {
    fleet.wishes.is_removed && fleet.spec.volume_retention_policy.is_none()
}

/// A claim whose instance is still there, or on its way out, goes with it, as the document plainly
/// asks. One without any trace of an instance that used it was kept on purpose, or is not explained
/// by any specification (design.md, safety rule 10).
fn is_going_now(object: &Object<'_>, fleet: &FullNode, live: &Live<'_>) -> bool {
    let name = &object.meta.name;
    let instance = name.strip_prefix("pvc-").unwrap_or(name);
    match traces::of(instance, object, &fleet.key, live) {
        Trace::Ran => true,
        Trace::Unknown | Trace::None => false,
    }
}

/// A claim that somebody else's pod mounts is not deleted under it.
fn mounted_elsewhere(object: &Object<'_>, pod: &str) -> Notice {
    let message = format!("its instance is gone, but Pod {pod}, which is not ours, mounts it");
    let mut notice = Notice::on(object.key(), "ClaimInUse", message);
    notice.allow = Some(format!("delete Pod {pod}, if it is not needed"));
    notice
}

fn of_removed_fleet(object: &Object<'_>, volumes: &Volumes<'_>) -> Notice {
    let message = "its fleet is to go, but the document does not say what becomes of its data";
    let mut notice = Notice::on(object.key(), "ClaimOfRemovedFleet", message);
    notice.detail = Some(volumes.of_last_snapshot(object));
    notice.allow = Some(
        "write spec.volumeRetentionPolicy: Delete to delete the fleet's claims with their data, or \
         Retain to keep them"
            .to_owned(),
    );
    notice
}

fn orphan(object: &Object<'_>, volumes: &Volumes<'_>) -> Notice {
    let message = "no instance explains this claim: it was retained when its instance went, or \
                   somebody else made it; it is not deleted unasked";
    let mut notice = Notice::on(object.key(), "OrphanClaim", message);
    notice.detail = Some(volumes.of_last_snapshot(object));
    let loss = if fate(volumes.live, object).loses_data() {
        "with its data"
    } else {
        "and keep its volume"
    };
    let line = Leave::Delete.line(&object.meta.name, &object.meta.uid);
    notice.allow = Some(format!(
        "annotate the document with {line} to delete it {loss}"
    ));
    notice
}
