//! One pod of the model, and how one is read from a snapshot: what it does when the simulation
//! begins. Unknown is not down.

use serde_json::Value;

use super::clock::second;
use super::objects::{is_leaving, list, text};
use crate::model::{FleetKey, names};
use crate::timeline::State;

/// Namespace and name.
pub(super) type Name = (String, String);

/// What the model knows of a pod beside its object.
#[derive(Debug, Clone)]
pub(super) struct Pod {
    /// Tells it from a later one of the same name.
    pub(super) uid: String,
    /// The fleet of the documents that it is of.
    pub(super) fleet: Option<FleetKey>,
    /// The name of its instance.
    pub(super) instance: String,
    /// The name of its instance's main pod, as that is called now.
    pub(super) main: String,
    /// Whether it is its instance's main pod.
    pub(super) is_main: bool,
    /// The machine that it is on.
    pub(super) node: String,
    /// The claims that it mounts.
    pub(super) claims: Vec<String>,
    /// Whether anybody can tell its being ready from its being in sync.
    pub(super) shows_sync: bool,
    /// What it does.
    pub(super) stage: Stage,
    /// Whether it is on its way out.
    pub(super) is_leaving: bool,
}

/// What a pod does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    /// It waits for what it needs, such as its volume.
    Waiting(String),
    /// Its containers start.
    Starting,
    /// Its node answers, and is behind.
    CatchingUp,
    /// It is in sync.
    InSync,
    /// Its node has stopped before this height.
    Halted(u64),
    /// It does not serve, and nothing makes it: why.
    Down(String),
}

impl Pod {
    /// Returns whether it answers.
    pub(super) fn is_reachable(&self) -> bool {
        !self.is_leaving && matches!(self.stage, Stage::CatchingUp | Stage::InSync)
    }

    /// Returns whether it is in sync, as far as anybody can tell.
    pub(super) fn is_in_sync(&self) -> bool {
        let passes =
            self.stage == Stage::InSync || self.stage == Stage::CatchingUp && !self.shows_sync;
        passes && !self.is_leaving
    }

    /// Returns what it is in, for people.
    pub(super) fn state(&self) -> State {
        if self.is_leaving {
            return State::Stopping;
        }
        match &self.stage {
            Stage::Waiting(_) => State::Waiting,
            Stage::Starting => State::Starting,
            Stage::CatchingUp => State::CatchingUp,
            Stage::InSync => State::InSync,
            Stage::Halted(_) => State::Halted,
            Stage::Down(_) => State::Down,
        }
    }

    /// Returns why it does not serve, for people.
    pub(super) fn why(&self) -> Option<String> {
        if self.is_leaving {
            return Some("it is on its way out".to_owned());
        }
        match &self.stage {
            Stage::Waiting(why) | Stage::Down(why) => Some(why.clone()),
            Stage::Starting => Some("it starts".to_owned()),
            Stage::CatchingUp => Some("it catches up".to_owned()),
            Stage::InSync => None,
            Stage::Halted(height) => Some(format!("its node has halted at height {height}")),
        }
    }
}

/// Returns the claims that a pod mounts.
pub(super) fn claims(pod: &Value) -> Vec<String> {
    let volumes = list(&pod["spec"]["volumes"]).iter();
    let claims = volumes.filter_map(|v| v["persistentVolumeClaim"]["claimName"].as_str());
    claims.map(str::to_owned).collect()
}

/// Returns the name of a pod's main pod where it is an additional one.
pub(super) fn belongs_to(pod: &Value) -> Option<&str> {
    pod["metadata"]["labels"][names::BELONGS_TO].as_str()
}

/// Returns whether the pod is ready only once its node is in sync.
pub(super) fn is_probed_in_sync(pod: &Value) -> bool {
    let containers = list(&pod["spec"]["containers"]).iter();
    let mut probed = containers.filter(|c| !c["readinessProbe"].is_null());
    probed.any(|container| container["name"] == "healthcheck")
}

/// A status entry that lags so far behind, in seconds, is no news.
const STALE: i64 = 600;

/// Why a container does not come up by waiting.
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

/// Returns what a pod of a snapshot does. `entry` is what a controller wrote of it, `now` the newest
/// time of the snapshot, `patience` how long a pod takes to serve at the most.
pub(super) fn stage(pod: &Value, entry: Option<&Value>, now: i64, patience: i64) -> Stage {
    let status = &pod["status"];
    let phase = text(&status["phase"]);
    if matches!(phase, "Failed" | "Succeeded") {
        return Stage::Down(format!("it has ended ({phase})"));
    }
    if let Some(why) = trouble(status) {
        return Stage::Down(why);
    }
    if phase == "Pending" {
        return Stage::Waiting("it is pending".to_owned());
    }
    let ready = list(&status["conditions"])
        .iter()
        .find(|condition| condition["type"] == "Ready")
        .map(|condition| condition["status"] == "True");
    let started = status["startTime"].as_str();
    let started = started.or(pod["metadata"]["creationTimestamp"].as_str());
    let started = started.and_then(second);
    let entry = entry.filter(|entry| {
        let at = entry["timestamp"].as_str().and_then(second);
        at.is_some_and(|at| started.is_none_or(|s| at >= s) && now - at <= STALE)
    });
    let error = entry.map(|entry| text(&entry["error"])).unwrap_or_default();
    let in_sync = entry
        .filter(|_| error.is_empty())
        .map(|e| e["inSync"] == true);
    match (ready, in_sync) {
        _ if !error.is_empty() => Stage::Down("its RPC does not answer".to_owned()),
        (Some(false), Some(_)) | (_, Some(false)) => Stage::CatchingUp,
        (Some(false), None) if started.is_some_and(|s| now - s < patience) => Stage::Starting,
        (Some(false), None) => Stage::Down("it is not ready".to_owned()),
        (Some(true) | None, _) => Stage::InSync,
    }
}

/// Returns what keeps a pod from starting.
fn trouble(status: &Value) -> Option<String> {
    let mut conditions = list(&status["conditions"]).iter();
    let unscheduled = conditions.find(|condition| {
        condition["type"] == "PodScheduled"
            && condition["status"] == "False"
            && condition["reason"] == "Unschedulable"
    });
    if unscheduled.is_some() {
        return Some("no machine takes it".to_owned());
    }
    let all = list(&status["initContainerStatuses"]).iter();
    let mut all = all.chain(list(&status["containerStatuses"]));
    let stuck = all.find(|container| {
        let reason = text(&container["state"]["waiting"]["reason"]);
        STUCK.contains(&reason)
    })?;
    Some(format!(
        "its container {} does not start: {}",
        text(&stuck["name"]),
        text(&stuck["state"]["waiting"]["reason"])
    ))
}

/// Returns whether a pod of a snapshot is that of a new instance that never served: it was made with
/// its claim, and has not been ready since.
pub(super) fn is_newcomer(pod: &Value, claim: Option<&Value>) -> bool {
    const TOGETHER: i64 = 60;
    const NEVER_READY: i64 = 120;
    let born = |object: &Value| second(text(&object["metadata"]["creationTimestamp"]));
    // an instance whose claim was made anew is no new one
    let claim = claim.filter(|claim| claim["metadata"]["annotations"][names::REPLACES].is_null());
    let Some((born, claim)) = born(pod).zip(claim.and_then(born)) else {
        return false;
    };
    let mut conditions = list(&pod["status"]["conditions"]).iter();
    let ready = conditions.find(|condition| condition["type"] == "Ready");
    let never = match ready {
        None => pod["status"]["phase"] == "Pending",
        Some(ready) => {
            let since = second(text(&ready["lastTransitionTime"]));
            ready["status"] != "True" && since.is_some_and(|at| at - born <= NEVER_READY)
        }
    };
    never && (claim - born).abs() <= TOGETHER && !is_leaving(pod)
}
