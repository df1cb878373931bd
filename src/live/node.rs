//! What a snapshot tells of the chain's process in a pod: what its RPC said, and whether the process
//! has stopped. Knows nothing of versions and upgrade heights.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::availability::{self, News};
use super::status::{Status, SyncEntry};
use super::{Live, Object, lenient, troubles};
use crate::model::{FleetKey, Kind, names};

/// The container that runs the chain.
const NODE: &str = "node";

/// Exit code of a process that was killed from outside: by the kernel for its memory, by the kubelet
/// for its patience. A node that halts exits by itself.
const KILLED: i64 = 137;

/// What is known of the node of one pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What its RPC said last.
    pub rpc: Rpc,
    /// What the kubelet says of its process.
    pub process: Process,
    /// Whether its pod has ended for good: it was evicted, say.
    pub has_ended: bool,
}

/// What a node's RPC said last. Only what was said of the pod that is there now, and lately, counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rpc {
    /// It answered.
    Answered(Answer),
    /// It did not, and for so many seconds at least, as far as the pod's readiness shows.
    Silent(i64),
    /// Nobody asked, or that is no news.
    Unknown,
}

/// An answer of a node's RPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The last block that the node committed.
    pub height: u64,
    /// When.
    pub at: Timestamp,
    /// Whether the node has caught up.
    pub in_sync: bool,
}

/// What the kubelet says of a node's process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Process {
    /// It runs, and never stopped in this pod.
    Runs,
    /// It was killed from outside, which is no halt, and starts again.
    Killed,
    /// It stopped by itself: it is away, or was started again after that.
    Stopped,
    /// The snapshot does not say.
    Unknown,
}

impl Node {
    /// Returns the last block that the node is known to have committed.
    #[must_use]
    pub fn committed(&self) -> Option<u64> {
        match &self.rpc {
            Rpc::Answered(answer) => Some(answer.height),
            Rpc::Silent(_) | Rpc::Unknown => None,
        }
    }
}

/// Reads what the snapshot tells of the nodes of a fleet's main pods, by the pod's name.
#[must_use]
pub fn read(
    live: &Live<'_>,
    fleet: &FleetKey,
    status: &Status,
    newest: Option<Timestamp>,
) -> BTreeMap<String, Node> {
    live.kind_of_fleet(Kind::Pod, fleet)
        .filter(|pod| pod.label(names::BELONGS_TO).is_none())
        .map(|pod| {
            let name = pod.meta.name.clone().into_owned();
            let entry = status.sync_of(&name);
            let pod_status: PodStatus = lenient(pod.status);
            let node = Node {
                rpc: rpc(pod, entry, &availability::news(pod, entry, newest)),
                process: process(&pod_status),
                has_ended: troubles::has_ended(&pod_status.phase),
            };
            (name, node)
        })
        .collect()
}

fn rpc(pod: &Object<'_>, entry: Option<&SyncEntry>, news: &News) -> Rpc {
    let (Some(entry), Some(at)) = (entry, news.at) else {
        return Rpc::Unknown;
    };
    if entry.is_error() {
        return Rpc::Silent(news.not_ready_for.unwrap_or_default());
    }
    let height = entry.height.filter(|height| *height > 0);
    match height {
        Some(height) => Rpc::Answered(Answer {
            height,
            at,
            in_sync: entry.in_sync == Some(true) && !pod.is_terminating(),
        }),
        None => Rpc::Unknown,
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodStatus {
    #[serde(default)]
    phase: String,
    #[serde(default)]
    container_statuses: Vec<ContainerStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContainerStatus {
    name: String,
    #[serde(default)]
    state: State,
    #[serde(default)]
    last_state: State,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct State {
    running: Option<Running>,
    waiting: Option<Waiting>,
    terminated: Option<Terminated>,
}

#[derive(Deserialize)]
struct Running {}

#[derive(Deserialize)]
struct Waiting {
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Terminated {
    #[serde(default)]
    exit_code: i64,
    #[serde(default)]
    reason: String,
}

fn process(status: &PodStatus) -> Process {
    let node = status.container_statuses.iter().find(|c| c.name == NODE);
    let Some(ContainerStatus {
        name: _,
        state,
        last_state,
    }) = node
    else {
        return Process::Unknown;
    };
    let last = state.terminated.as_ref().or(last_state.terminated.as_ref());
    match last {
        Some(last) if last.exit_code == KILLED || last.reason == "OOMKilled" => Process::Killed,
        Some(_) => Process::Stopped,
        None if state.running.is_some() => Process::Runs,
        // its last state is lost, but nothing backs off that did not stop
        None if is_backing_off(state) => Process::Stopped,
        None => Process::Unknown,
    }
}

fn is_backing_off(state: &State) -> bool {
    let waiting = state.waiting.as_ref();
    waiting.is_some_and(|waiting| waiting.reason == "CrashLoopBackOff")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[track_caller]
    fn check(state: &Value, last: &Value, expected: Process) {
        let status = json!({"containerStatuses": [
            {"name": "healthcheck", "state": {"terminated": {"exitCode": 1}}},
            {"name": "node", "state": state, "lastState": last, "restartCount": 1},
        ]})
        .to_string();
        let status: PodStatus = serde_json::from_str(&status).unwrap();
        assert_eq!(process(&status), expected);
    }

    #[test]
    fn a_process_that_exits_by_itself_has_stopped() {
        let back_off = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        let exit = json!({"terminated": {"exitCode": 2, "reason": "Error"}});
        let halt = json!({"terminated": {"exitCode": 0, "reason": "Completed"}});
        let runs = json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}});
        check(&back_off, &json!({}), Process::Stopped);
        check(&back_off, &exit, Process::Stopped);
        check(&halt, &json!({}), Process::Stopped);
        check(&runs, &exit, Process::Stopped);
    }

    #[test]
    fn a_process_that_was_killed_has_not_halted() {
        let back_off = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        let memory = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled"}});
        let runs = json!({"running": {}});
        check(&back_off, &memory, Process::Killed);
        check(&runs, &memory, Process::Killed);
        check(&runs, &json!({}), Process::Runs);
        let starts = json!({"waiting": {"reason": "PodInitializing"}});
        check(&starts, &json!({}), Process::Unknown);
    }
}
