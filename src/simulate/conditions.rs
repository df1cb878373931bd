//! What a kubelet, or whoever notices that one is silent, writes of pods; and what the timeline tells
//! of them.

use serde_json::{Value, json};

use super::kubelet::pod_id;
use super::log::What;
use super::objects::{cut, list, put};
use super::pod::{Name, Pod, Stage, is_probed_in_sync};
use super::world::{Event, World};
use crate::timeline::{Phase, State};

/// Pods do not stay on a machine that does not answer for so long: Kubernetes' own default.
const EVICTED_AFTER: i64 = 300;

impl World {
    /// A pod does not come up.
    pub(super) fn fail(&mut self, name: &Name, why: &str) {
        if let Some(pod) = self.pods.get_mut(name) {
            pod.stage = Stage::Down(why.to_owned());
        }
        self.running(name);
        self.ready(name, "False");
        self.told(name, What::NeverReady);
        self.phase(name);
    }

    /// A machine falls silent, with all pods on it.
    pub(super) fn lose_machine(&mut self, node: &str) {
        self.lost.insert(node.to_owned());
        let on_it: Vec<Name> = self
            .pods
            .iter()
            .filter(|(_, pod)| pod.node == node)
            .map(|(name, _)| name.clone())
            .collect();
        for name in on_it {
            let Some(pod) = self.pods.get(&name).cloned() else {
                continue;
            };
            self.note_height(&pod);
            if let Some(pod) = self.pods.get_mut(&name) {
                pod.stage = Stage::Down(format!("its machine {node} does not answer"));
            }
            self.ready(&name, "False");
            self.disturbed.extend(pod.fleet.clone());
            self.told(&name, What::NodeLost(node.to_owned()));
            self.phase(&name);
            let evicted = Event::Evicted(name, pod.uid);
            self.clock.after(EVICTED_AFTER, evicted);
        }
    }

    /// Writes that a pod's containers run, ready or not.
    pub(super) fn running(&mut self, name: &Name) {
        if let Some(pod) = self.objects.get_mut(&pod_id(name)) {
            put(pod, &["status", "phase"], json!("Running"));
            let is_ready = !is_probed_in_sync(pod);
            self.process(name, (json!({"running": {}}), json!({})));
            if is_ready {
                self.ready(name, "True");
            }
        }
    }

    /// Writes what the process of a pod's node does, and what it did last.
    pub(super) fn process(&mut self, name: &Name, (state, last): (Value, Value)) {
        let node = json!([{"name": "node", "state": state, "lastState": last}]);
        if let Some(pod) = self.objects.get_mut(&pod_id(name)) {
            put(pod, &["status", "containerStatuses"], node);
        }
    }

    /// Writes whether a pod is ready, and since when.
    pub(super) fn ready(&mut self, name: &Name, status: &str) {
        let now = self.clock.stamp();
        let Some(pod) = self.objects.get_mut(&pod_id(name)) else {
            return;
        };
        let mut others = list(&pod["status"]["conditions"]).to_vec();
        let is_so = |c: &Value| c["type"] == "Ready" && c["status"] == status;
        if others.iter().any(is_so) {
            return;
        }
        others.retain(|c| c["type"] != "Ready" && c["type"] != "ContainersReady");
        others.push(json!({"type": "Ready", "status": status, "lastTransitionTime": now}));
        put(pod, &["status", "conditions"], Value::Array(others));
        cut(pod, &["status", "reason"]);
    }

    /// Notes what happens to a pod.
    pub(super) fn told(&mut self, name: &Name, what: What) {
        let fleet = self.pods.get(name).and_then(|pod| pod.fleet.clone());
        if let Some(fleet) = fleet {
            self.log.note(&fleet, what, &name.1);
        }
    }

    /// Notes what a pod is in from now on.
    pub(super) fn phase(&mut self, name: &Name) {
        let from = self.clock.elapsed();
        let Some(pod) = self.pods.get(name) else {
            return;
        };
        let state = pod.state();
        if let Some(fleet) = pod.fleet.clone() {
            self.log.enter_phase(&fleet, &name.1, Phase { from, state });
        }
    }

    /// Notes that a pod is there no more.
    pub(super) fn absent(&mut self, pod: &Pod, name: &str) {
        let from = self.clock.elapsed();
        let state = State::Absent;
        if let Some(fleet) = &pod.fleet {
            self.log.enter_phase(fleet, name, Phase { from, state });
        }
    }
}
