//! A cluster in which things take time: pods go and start slowly or never, gates are waited for.
//! What happens in it is judged as it happens, by the pods and claims that are there, not by what a
//! plan says. Knows nothing of how plans are made; the model of the cluster is behind this file.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::documents::NAMESPACE;
use super::model::{Cluster, Id, id, id_of, is_ready, is_terminating};
use super::{asked, judge};
use crate::model::names;
use crate::plan::{Action, Condition, Gate, Step, Wave};

/// So long, in minutes, a gate is waited for.
const PATIENCE: usize = 4;

#[derive(Debug, Clone, Default)]
pub(super) struct World {
    pub(super) cluster: Cluster,
    /// The documents that are in force.
    pub(super) documents: Vec<Value>,
    /// What was asked of each pod when it started.
    pub(super) started: BTreeMap<Id, Value>,
    /// Pods whose config named an address from outside when they started.
    pub(super) tells_address: BTreeSet<Id>,
    /// Pods that started with an address that their owner named.
    pub(super) names_address: BTreeSet<Id>,
    /// Pods that never get ready, until somebody mends that.
    pub(super) stuck: BTreeSet<Id>,
    /// Pods that were made and are not ready yet.
    pub(super) starting: BTreeSet<Id>,
    /// Pods that were ready once.
    pub(super) served: BTreeSet<Id>,
    /// Instances that may restart for what no document tells: somebody broke or edited something.
    pub(super) excused: BTreeSet<String>,
    /// The UIDs of claims that were kept when their instances went.
    pub(super) retained: BTreeSet<String>,
    /// What is not ours, as it must stay.
    pub(super) foreign: BTreeMap<Id, Value>,
    /// Pods that were seen to be away when the plan was made.
    pub(super) known_down: BTreeSet<Id>,
    /// Pods that the plan took.
    pub(super) taken: BTreeSet<Id>,
    /// Whether something is broken that nobody mended.
    pub(super) is_broken: bool,
    /// How well whoever made the plan sees.
    pub(super) sight: Sight,
    /// Whether the identities of the nodes are given beside the documents.
    pub(super) has_identities: bool,
    /// What must not have happened.
    pub(super) breaches: Vec<String>,
}

/// How well somebody sees the cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Sight {
    #[default]
    Clear,
    /// Something is not seen.
    Blurred,
    /// No pod is seen.
    WithoutPods,
    /// Something is not as it seems.
    Lie,
}

/// Why a plan was not carried out to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Whole,
    /// A gate did not open in time.
    AtAGate,
    /// A step could not be done.
    AtAStep,
}

pub(super) fn key(kind: &str, name: &str) -> Id {
    let is_global = ["PersistentVolume", "StorageClass"].contains(&kind);
    let namespace = if is_global { "" } else { NAMESPACE };
    (kind.to_owned(), namespace.to_owned(), name.to_owned())
}

impl World {
    pub(super) fn breach(&mut self, rule: &str, message: impl AsRef<str>) {
        self.breaches.push(format!("{rule}: {}", message.as_ref()));
    }

    pub(super) fn get(&self, id: &Id) -> Option<&Value> {
        self.cluster.objects.get(id)
    }

    /// The names of the objects of a kind.
    pub(super) fn ids(&self, kind: &str) -> Vec<Id> {
        let all = self.cluster.objects.keys();
        all.filter(|(of, ..)| of == kind).cloned().collect()
    }

    /// Tells whether a pod does what it is there for.
    pub(super) fn serves(&self, pod: &Id) -> bool {
        let Some(object) = self.get(pod) else {
            return false;
        };
        let is_running = object["status"]["phase"] == "Running";
        let documents = self.cluster.of_kind("CosmosFullNode");
        let mut entries = documents.map(|document| &document["status"]["sync"][&pod.2]);
        let lags = entries.any(|entry| entry["inSync"] == false || entry["error"].is_string());
        is_running && is_ready(object) && !is_terminating(object) && !lags
    }

    /// Remembers what is seen to be away: a plan is about to be made.
    pub(super) fn look(&mut self, sight: Sight) {
        self.taken.clear();
        self.sight = sight;
        let wanted = self.documents.iter().flat_map(super::documents::instances);
        let pods = wanted.map(|name| key("Pod", &name));
        let is_seen = |pod: &Id| sight == Sight::Clear && !self.serves(pod) && self.has_trace(pod);
        self.known_down = pods.filter(is_seen).collect();
    }

    /// Tells whether anything but a claim, which may be one that was retained, tells of a pod.
    fn has_trace(&self, pod: &Id) -> bool {
        let mut documents = self.cluster.of_kind("CosmosFullNode");
        let mut is_told = documents.any(|document| {
            let status = &document["status"];
            !(status["sync"][&pod.2].is_null() && status["height"][&pod.2].is_null())
        });
        is_told |= self.get(&key("ConfigMap", &pod.2)).is_some();
        is_told || self.get(pod).is_some()
    }

    /// Carries out one wave: its steps in this order, then its gate.
    pub(super) fn wave(&mut self, wave: &Wave, steps: &[&Step], manifests: &[&Value]) -> Ended {
        for step in steps {
            if !self.step(step, manifests) {
                return Ended::AtAStep;
            }
        }
        if steps.len() < wave.steps.len() {
            return Ended::AtAStep;
        }
        judge::gates(self, wave);
        for _ in 0..PATIENCE {
            if wave.gate.iter().all(|gate| self.holds(gate)) {
                return Ended::Whole;
            }
            self.pass();
        }
        if wave.gate.iter().all(|gate| self.holds(gate)) {
            return Ended::Whole;
        }
        judge::shut_gate(self, wave);
        Ended::AtAGate
    }

    fn holds(&self, gate: &Gate) -> bool {
        let id = of_gate(gate);
        match gate.condition {
            Condition::PodReady => self.serves(&id),
            Condition::Gone => self.get(&id).is_none(),
        }
    }

    /// Does one step; tells whether it could be done.
    fn step(&mut self, step: &Step, manifests: &[&Value]) -> bool {
        let id = id_of(step);
        let before = self.get(&id).cloned();
        judge::before(self, step, manifests);
        let is_there = before.is_some();
        if is_there == (step.action == Action::Create) {
            let what = if is_there {
                "is there already"
            } else {
                "is not there"
            };
            if !self.is_broken {
                self.breach("step", format!("{:?} {id:?}, which {what}", step.action));
            }
            return false;
        }
        if step.action == Action::Delete && (id.0 == "Pod" || self.is_protected(&id)) {
            self.terminate(&id);
        } else {
            self.cluster.step(step, manifests);
        }
        if id.0 == "Pod" && matches!(step.action, Action::Create | Action::Replace) {
            self.start(&id);
        }
        if step.action == Action::Delete && self.get(&id).is_none() {
            self.lose_data(&id);
        }
        judge::after(self, step, before.as_ref());
        true
    }

    /// Tells whether the API server only marks a claim that is to go, since pods use it. Who sees
    /// pods does not ask for that.
    fn is_protected(&self, id: &Id) -> bool {
        let is_claim = id.0 == "PersistentVolumeClaim";
        is_claim && self.sight == Sight::WithoutPods && !self.users(id).is_empty()
    }

    fn terminate(&mut self, id: &Id) {
        let now = self.cluster.now();
        if let Some(object) = self.cluster.objects.get_mut(id) {
            object["metadata"]["deletionTimestamp"] = json!(now);
        }
    }

    /// A pod begins to run, with what is asked of it at this moment.
    pub(super) fn start(&mut self, id: &Id) {
        let now = self.cluster.now();
        if let Some(pod) = self.cluster.objects.get_mut(id) {
            pod["status"] = json!({"phase": "Running", "startTime": now, "conditions": [
                {"type": "Ready", "status": "False", "lastTransitionTime": now}]});
        }
        self.starting.insert(id.clone());
        self.remember(id);
        self.take_up(id);
    }

    /// A claim that was retained is its instance's again once a pod starts on it.
    fn take_up(&mut self, pod: &Id) {
        let claims = self.get(pod).map(mounts).into_iter().flatten();
        let claims: Vec<Id> = claims
            .map(|name| key("PersistentVolumeClaim", &name))
            .collect();
        for claim in claims {
            let uid = self.get(&claim).map(|claim| &claim["metadata"]["uid"]);
            if let Some(uid) = uid.and_then(Value::as_str).map(str::to_owned) {
                self.retained.remove(&uid);
            }
        }
    }

    /// Remembers what a pod starts with.
    pub(super) fn remember(&mut self, pod: &Id) {
        let asked = self.asked_of(pod);
        self.started.insert(pod.clone(), asked);
        if asked::is_named(self, &pod.2) {
            self.names_address.insert(pod.clone());
        } else {
            self.names_address.remove(pod);
        }
        let config = self.get(&key("ConfigMap", &pod.2));
        let text = config.and_then(|config| config["data"]["config-overlay.toml"].as_str());
        let comet = text.and_then(|text| text.parse::<toml::Table>().ok());
        let address = comet
            .as_ref()
            .and_then(|comet| comet.get("p2p")?.get("external_address"));
        if address.is_some() {
            self.tells_address.insert(pod.clone());
        } else {
            self.tells_address.remove(pod);
        }
    }

    /// Tells whether a pod started with an address that nobody answers at: its owner wants no load
    /// balancer any more, and names no other address.
    pub(super) fn tells_of_none(&self, pod: &Id) -> bool {
        self.tells_address.contains(pod) && asked::is_inside(self, &pod.2)
    }

    /// Tells whether a pod that is there was started with what is asked for now.
    pub(super) fn is_as_asked(&self, pod: &Id) -> bool {
        let (mut was, mut is) = (self.started.get(pod).cloned(), self.asked_of(pod));
        if asked::has_lost_address(self, &pod.2) && !self.names_address.contains(pod) {
            is["address"] = Value::Null;
            if let Some(was) = &mut was {
                was["address"] = Value::Null;
            }
        }
        was == Some(is)
    }

    /// What the documents ask of a pod that is there.
    pub(super) fn asked_of(&self, pod: &Id) -> Value {
        let Some(object) = self.get(pod) else {
            return Value::Null;
        };
        let main = &object["metadata"]["labels"][names::BELONGS_TO];
        let instance = main.as_str().unwrap_or(&pod.2);
        let Some(document) = self.document_of(instance) else {
            return Value::Null;
        };
        if main.is_string() {
            asked::of_additional(document, &pod.2)
        } else {
            asked::of_main(document, instance, self)
        }
    }

    /// The document that asks for an instance.
    pub(super) fn document_of(&self, instance: &str) -> Option<&Value> {
        let mut all = self.documents.iter();
        all.find(|document| {
            let mut names = super::documents::instances(document).into_iter();
            names.any(|name| name == *instance)
        })
    }

    /// One minute goes by.
    pub(super) fn pass(&mut self) {
        let gone: Vec<Id> = self
            .cluster
            .objects
            .iter()
            .filter(|(id, object)| is_terminating(object) && !self.stuck.contains(*id))
            .filter(|(id, _)| id.0 != "PersistentVolumeClaim" || self.users(id).is_empty())
            .map(|(id, _)| id.clone())
            .collect();
        for id in gone {
            self.cluster.vanish(&id);
            self.starting.remove(&id);
            self.lose_data(&id);
        }
        self.cluster.bind_promised();
        let starting: Vec<Id> = self.starting.iter().cloned().collect();
        for pod in starting {
            if self.get(&pod).is_none() {
                self.starting.remove(&pod);
            } else if !self.stuck.contains(&pod) && self.can_start(&pod) {
                self.starting.remove(&pod);
                self.cluster.make_ready(&pod);
                self.served.insert(pod);
            }
        }
        self.cluster.tick();
    }

    /// Where a claim goes that no document wants made anew, its instance begins anew: it has never
    /// served. Who names it to be deleted gives its data up as well.
    fn lose_data(&mut self, claim: &Id) {
        let Some(instance) = claim.2.strip_prefix("pvc-") else {
            return;
        };
        let is_named = |document: &Value| {
            let mut all = document["metadata"]["annotations"]
                .as_object()
                .into_iter()
                .flatten();
            all.any(|(annotation, text)| {
                let is_anew = annotation != "cosmos-render/delete-claims";
                is_anew && text.as_str().is_some_and(|text| text.contains(&claim.2))
            })
        };
        if !self.documents.iter().any(is_named) {
            self.served.remove(&key("Pod", instance));
        }
    }

    /// A pod starts once what it mounts is there.
    fn can_start(&self, pod: &Id) -> bool {
        let Some(object) = self.get(pod).filter(|pod| !is_terminating(pod)) else {
            return false;
        };
        let claims = mounts(object).into_iter().all(|name| {
            let claim = self.get(&key("PersistentVolumeClaim", &name));
            claim.is_some_and(|claim| claim["status"]["phase"] == "Bound")
        });
        let is_main = object["metadata"]["labels"][names::BELONGS_TO].is_null();
        let config = self.get(&key("ConfigMap", &pod.2));
        claims && (!is_main || config.is_some())
    }

    /// The pods that mount a claim.
    pub(super) fn users(&self, claim: &Id) -> Vec<&Value> {
        let pods = self.cluster.of_kind("Pod");
        pods.filter(|pod| mounts(pod).contains(&claim.2)).collect()
    }

    /// Everything gets well by itself, as far as it can.
    pub(super) fn heal(&mut self) {
        self.stuck.clear();
        self.is_broken = false;
        let pods = self.ids("Pod");
        for document in self.cluster.objects.values_mut() {
            if document["kind"] == "CosmosFullNode"
                && let Some(status) = document["status"].as_object_mut()
            {
                status.insert("sync".to_owned(), json!({}));
                status.remove("scheduledSnapshotStatus");
            }
        }
        let claims = self.ids("PersistentVolumeClaim").into_iter();
        let own: Vec<Id> = claims
            .filter(|id| !self.cluster.waits_for_volume(&self.cluster.objects[id]))
            .collect();
        for claim in own {
            let claim = self.cluster.objects.get_mut(&claim).unwrap();
            if claim["status"]["phase"] == "Pending" {
                claim["status"]["phase"] = json!("Bound");
                let size = claim["spec"]["resources"]["requests"].clone();
                claim["status"]["capacity"] = size;
            }
        }
        for pod in pods {
            let is_well = self
                .get(&pod)
                .is_some_and(|object| is_ready(object) || object["status"]["phase"] == "Failed");
            if !is_well && !self.foreign.contains_key(&pod) {
                // one that lacks what it mounts stays pending
                if self.can_start(&pod) {
                    let status = &mut self.cluster.objects.get_mut(&pod).unwrap()["status"];
                    status["phase"] = json!("Running");
                }
                self.starting.insert(pod);
            }
        }
        for _ in 0..3 {
            self.pass();
        }
    }
}

pub(super) fn of_gate(gate: &Gate) -> Id {
    let key = &gate.object;
    (
        key.kind.to_string(),
        key.namespace.clone(),
        key.name.clone(),
    )
}

/// The claims that a pod mounts.
pub(super) fn mounts(pod: &Value) -> Vec<String> {
    let volumes = pod["spec"]["volumes"].as_array().into_iter().flatten();
    volumes
        .filter_map(|v| v["persistentVolumeClaim"]["claimName"].as_str())
        .map(str::to_owned)
        .collect()
}

/// The name by which a pod's instance is called.
pub(super) fn instance_of(pod: &Value) -> String {
    let main = pod["metadata"]["labels"][names::BELONGS_TO].as_str();
    main.map_or_else(|| id(pod).2, str::to_owned)
}
