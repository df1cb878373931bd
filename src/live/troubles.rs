//! What ails a pod that does not serve: it has failed for good, finds no node, cannot start, or
//! does not go away. Told from its status alone; what is done about it is decided elsewhere.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::availability::Availability;
use super::{Live, Object, lenient, volumes};
use crate::model::{FleetKey, Kind, Notice};

/// A pod should be gone by its deletion time stamp, which includes its grace period; a minute more
/// is nothing, with kubelets that report late.
const OVERDUE_AFTER_SECONDS: i64 = 60;

/// Finalizers that Kubernetes sets and takes off by itself.
const OWN_FINALIZERS: [&str; 5] = [
    "foregroundDeletion",
    "orphan",
    "kubernetes.io/pvc-protection",
    "snapshot.storage.kubernetes.io/pvc-as-source-protection",
    "service.kubernetes.io/load-balancer-cleanup",
];

/// The code of the notice that a container does not come up.
pub const NOT_STARTING: &str = "PodNotStarting";

/// Why a container waits that does not come up by waiting.
const STUCK: [&str; 8] = [
    "CrashLoopBackOff",
    "CreateContainerConfigError",
    "CreateContainerError",
    "ErrImageNeverPull",
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "RunContainerError",
];

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    reason: String,
    conditions: Vec<Condition>,
    init_container_statuses: Vec<Container>,
    container_statuses: Vec<Container>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Condition {
    #[serde(rename = "type")]
    about: String,
    status: String,
    reason: String,
    message: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Container {
    name: String,
    state: State,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct State {
    waiting: Waiting,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Waiting {
    reason: String,
}

/// Returns why a pod never runs again by itself: an evicted pod, or one whose node was shut down,
/// stays as it is until somebody deletes it.
#[must_use]
pub fn failed(pod: &Object<'_>) -> Option<String> {
    ended(&volumes::phase(pod), pod)
}

/// Tells whether a phase is that of a pod which never runs again by itself.
pub(super) fn has_ended(phase: &str) -> bool {
    matches!(phase, "Failed" | "Succeeded")
}

/// The same for a pod of which the phase is known: its status is read only where it has ended.
pub(super) fn ended(phase: &str, pod: &Object<'_>) -> Option<String> {
    let phase = match phase {
        "Failed" => "it has failed",
        "Succeeded" => "it has ended",
        _ => return None,
    };
    let status: Status = lenient(pod.status);
    Some(match status.reason.as_str() {
        "" => phase.to_owned(),
        reason => format!("{phase} ({reason})"),
    })
}

/// Returns the finalizers of an object that neither Kubernetes nor its controllers take off by
/// themselves: the object goes once whoever set them is done.
#[must_use]
pub fn foreign_finalizers<'o>(object: &'o Object<'_>) -> Vec<&'o str> {
    let all = object.meta.finalizers.iter().map(AsRef::as_ref);
    all.filter(|name| !OWN_FINALIZERS.contains(name)).collect()
}

/// Tells what ails the fleet's pods that do not serve. `newest` is the newest moment that the
/// snapshot tells of.
#[must_use]
pub fn notices(
    live: &Live<'_>,
    fleet: &FleetKey,
    availability: &BTreeMap<String, Availability>,
    newest: Option<Timestamp>,
) -> Vec<Notice> {
    let pods = live.kind_of_fleet(Kind::Pod, fleet);
    pods.filter_map(|pod| {
        let serves = availability.get(pod.meta.name.as_ref()) == Some(&Availability::Available);
        if pod.is_terminating() {
            overdue(pod, newest?)
        } else if serves {
            None
        } else {
            stuck(pod)
        }
    })
    .collect()
}

/// A pod that should be gone, and is not. Its container may still run on a node that nobody
/// reaches: deleted by force, two nodes may run on one identity, or on one validator's key.
fn overdue(pod: &Object<'_>, newest: Timestamp) -> Option<Notice> {
    let due: Timestamp = pod.meta.deleted.as_deref()?.parse().ok()?;
    let late = newest.as_second() - due.as_second();
    if late <= OVERDUE_AFTER_SECONDS {
        return None;
    }
    let why = match foreign_finalizers(pod).as_slice() {
        [] => "look at its node: only where the container is surely dead may it be deleted by \
               force, else two nodes run with one key"
            .to_owned(),
        finalizers => format!("it is held by {}", finalizers.join(", ")),
    };
    let minutes = late / 60;
    let message = format!("it should have been gone for {minutes} min: {why}");
    Some(Notice::on(pod.key(), "PodStuckTerminating", message))
}

fn stuck(pod: &Object<'_>) -> Option<Notice> {
    let status: Status = lenient(pod.status);
    let unscheduled = status.conditions.iter().find(|condition| {
        condition.about == "PodScheduled"
            && condition.status == "False"
            && condition.reason == "Unschedulable"
    });
    if let Some(condition) = unscheduled {
        let message = format!("no node takes it: {}", condition.message);
        return Some(Notice::on(pod.key(), "PodUnschedulable", message));
    }
    let mut containers = status
        .init_container_statuses
        .iter()
        .chain(&status.container_statuses);
    let stuck = containers.find(|c| STUCK.contains(&c.state.waiting.reason.as_str()))?;
    let message = format!(
        "its container {} does not start: {}",
        stuck.name, stuck.state.waiting.reason
    );
    Some(Notice::on(pod.key(), NOT_STARTING, message))
}
