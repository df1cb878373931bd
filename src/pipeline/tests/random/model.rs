//! A small model of a cluster for random cases, fast since it knows no time: objects in memory, an
//! applier that does a plan's steps, and as much of the API server and the controllers as a plan can
//! notice. Knows nothing of how plans are made.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::model::Source;
use crate::plan::{Action, Step};

/// Kind, namespace and name.
pub(super) type Id = (String, String, String);

/// The first moment of the model, later than all that the fixtures tell of.
const EPOCH: i64 = 1_790_000_000;

/// The cluster, and what was done to it.
#[derive(Debug, Clone, Default)]
pub(super) struct Cluster {
    pub(super) objects: BTreeMap<Id, Value>,
    ticks: i64,
    /// What each pod went through: how often it was replaced.
    pub(super) replaced: BTreeMap<String, u32>,
    /// Why, the pod's name before it.
    pub(super) reasons: Vec<String>,
    /// What was made, as `Kind/name`.
    pub(super) created: Vec<String>,
    /// What was deleted, as `Kind/name`.
    pub(super) deleted: Vec<String>,
    /// What each new claim's volume was made from.
    pub(super) filled: BTreeMap<String, String>,
    /// Whether a controller writes `status.sync`.
    pub(super) writes_sync: bool,
}

pub(super) fn id(object: &Value) -> Id {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (
        text(&object["kind"]),
        text(&object["metadata"]["namespace"]),
        text(&object["metadata"]["name"]),
    )
}

pub(super) fn id_of(step: &Step) -> Id {
    let key = &step.object;
    (
        key.kind.to_string(),
        key.namespace.clone(),
        key.name.clone(),
    )
}

fn volume_of(claim: &Value) -> Id {
    let name = claim["spec"]["volumeName"].as_str().unwrap_or_default();
    (
        "PersistentVolume".to_owned(),
        String::new(),
        name.to_owned(),
    )
}

impl Cluster {
    pub(super) fn new(objects: Vec<Value>) -> Self {
        let writes_sync = objects.iter().any(|o| o["status"]["sync"].is_object());
        Self {
            objects: objects.into_iter().map(|o| (id(&o), o)).collect(),
            writes_sync,
            ..Self::default()
        }
    }

    /// The cluster as `kubectl get -o json` prints it.
    pub(super) fn source(&self) -> Source {
        // nobody is seen to have acted on a document: the operator may be gone by now
        let stands_still = |object: &Value| {
            object["kind"] == "CosmosFullNode" && object["metadata"]["generation"].is_null()
        };
        let items = self.objects.values().map(|object| {
            if stands_still(object) {
                let mut document = object.clone();
                document["metadata"]["generation"] = json!(1);
                return document.to_string();
            }
            object.to_string()
        });
        let items = items.collect::<Vec<_>>().join(",");
        let list = format!(r#"{{"apiVersion":"v1","items":[{items}],"kind":"List"}}"#);
        Source {
            name: "live.json".to_owned(),
            bytes: list.into_bytes(),
        }
    }

    pub(super) fn now(&self) -> String {
        let at = jiff::Timestamp::from_second(EPOCH + 60 * self.ticks).unwrap();
        at.to_string()
    }

    /// Lets time go by: controllers write what they see.
    pub(super) fn tick(&mut self) {
        self.ticks += 1;
        let now = self.now();
        if !self.writes_sync {
            return;
        }
        let ready: BTreeMap<(String, String), bool> = self
            .of_kind("Pod")
            .map(|pod| {
                let (_, namespace, name) = id(pod);
                ((namespace, name), is_ready(pod))
            })
            .collect();
        for document in self.objects.values_mut() {
            if document["kind"] != "CosmosFullNode" {
                continue;
            }
            let (_, namespace, fleet) = id(document);
            let recorded = document["status"]["height"].clone();
            let Some(sync) = document["status"]["sync"].as_object_mut() else {
                continue;
            };
            let is_of = |pod: &str| {
                pod.strip_prefix(&format!("{fleet}-"))
                    .is_some_and(|n| n.parse::<u32>().is_ok())
            };
            let highest = sync.values().filter_map(|e| e["height"].as_u64()).max();
            let pods = ready
                .iter()
                .filter(|((of, name), _)| *of == namespace && is_of(name));
            for ((_, name), is_ready) in pods {
                let height = recorded[name].as_u64().or(highest).unwrap_or(1000);
                let fresh = json!({"height": height, "inSync": is_ready});
                let entry = sync.entry(name.clone()).or_insert(fresh);
                entry["timestamp"] = json!(now);
            }
            sync.retain(|name, _| ready.contains_key(&(namespace.clone(), name.clone())));
        }
    }

    /// What was said of a pod is about another one.
    fn forget_sync(&mut self, namespace: &str, pod: &str) {
        for document in self.objects.values_mut() {
            if document["kind"] == "CosmosFullNode"
                && document["metadata"]["namespace"] == namespace
                && let Some(sync) = document["status"]["sync"].as_object_mut()
            {
                sync.remove(pod);
            }
        }
    }

    pub(super) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.objects.values().filter(move |o| o["kind"] == kind)
    }

    /// Does one step, at once.
    pub(super) fn step(&mut self, step: &Step, manifests: &[&Value]) {
        let id = id_of(step);
        let manifest = || {
            let found = manifests.iter().find(|m| self::id(m) == id);
            (*found.unwrap_or_else(|| panic!("{id:?} has a step but no manifest"))).clone()
        };
        let name = format!("{}/{}", id.0, id.2);
        match step.action {
            Action::Create => {
                assert!(
                    self.objects.get(&id).is_none_or(is_terminating),
                    "{id:?} is there already"
                );
                let manifest = manifest();
                self.create(manifest);
                self.created.push(name);
            }
            Action::Patch if id.0 == "PersistentVolume" => self.patch_volume(&id, step),
            Action::Patch => {
                let manifest = manifest();
                let live = self.objects.get(&id);
                let live = live.unwrap_or_else(|| panic!("{id:?} is not there to patch"));
                let patched = patched(live, &manifest);
                self.put(patched);
            }
            Action::Replace => {
                assert!(
                    self.objects.contains_key(&id),
                    "{id:?} is not there to replace"
                );
                let manifest = manifest();
                let why = step
                    .reasons
                    .iter()
                    .map(|r| format!("{}: {}", id.2, r.message));
                self.reasons.extend(why);
                *self.replaced.entry(id.2).or_default() += 1;
                self.create(manifest);
            }
            Action::Delete => {
                if step.reasons.iter().any(|r| r.code == "ClaimMadeAnew") {
                    *self.replaced.entry(id.2.clone()).or_default() += 1;
                }
                let users = self.pods_that_mount(&id);
                assert!(users.is_empty(), "{id:?} goes under {users:?}");
                let gone = self.objects.remove(&id);
                let gone = gone.unwrap_or_else(|| panic!("{id:?} is not there to delete"));
                self.release(&gone);
                self.deleted.push(name);
            }
        }
    }

    /// Changes a volume as a step says: no manifest holds volumes.
    fn patch_volume(&mut self, id: &Id, step: &Step) {
        let volume = self.objects.get_mut(id).expect("the volume is there");
        for change in &step.changes {
            let field = change.path.strip_prefix("spec.").unwrap();
            volume["spec"][field] = change.to.clone().unwrap();
        }
    }

    /// What was on its way out is gone, and what goes with it.
    pub(super) fn vanish(&mut self, id: &Id) {
        let gone = self.objects.remove(id);
        if let Some(claim) = gone.filter(|_| id.0 == "PersistentVolumeClaim") {
            self.release(&claim);
        }
    }

    /// A claim's volume goes with it, or is left behind.
    fn release(&mut self, claim: &Value) {
        let id = volume_of(claim);
        if self.waits_for_volume(claim) {
            return; // it is another's
        }
        let Some(volume) = self.objects.get_mut(&id) else {
            return;
        };
        if volume["spec"]["persistentVolumeReclaimPolicy"] == "Retain" {
            volume["status"]["phase"] = json!("Released");
        } else {
            self.objects.remove(&id);
        }
    }

    /// Binds claims to the volumes that they name, once those are promised to them.
    pub(super) fn bind_promised(&mut self) {
        let claims: Vec<Id> = self
            .of_kind("PersistentVolumeClaim")
            .filter(|claim| claim["status"]["phase"] == "Pending")
            .map(id)
            .collect();
        for claim in claims {
            let mut object = self.objects[&claim].clone();
            if self.bind_named(&mut object) {
                self.objects.insert(claim, object);
            }
        }
    }

    /// Binds a claim to the volume that it names, where that is promised to it; tells whether it is.
    fn bind_named(&mut self, claim: &mut Value) -> bool {
        let Some(volume) = self.objects.get_mut(&volume_of(claim)) else {
            return false;
        };
        let reference = &mut volume["spec"]["claimRef"];
        if reference["name"] != claim["metadata"]["name"] || !reference["uid"].is_null() {
            return false;
        }
        reference["uid"] = claim["metadata"]["uid"].clone();
        volume["status"]["phase"] = json!("Bound");
        let size = json!({"storage": volume["spec"]["capacity"]["storage"]});
        claim["status"] = json!({"phase": "Bound", "capacity": size});
        true
    }

    /// Tells whether a claim names a volume that is another's: it stays pending until it is promised
    /// the volume.
    pub(super) fn waits_for_volume(&self, claim: &Value) -> bool {
        let Some(volume) = self.objects.get(&volume_of(claim)) else {
            return false;
        };
        let (reference, metadata) = (&volume["spec"]["claimRef"], &claim["metadata"]);
        reference["name"] != metadata["name"] || reference["uid"] != metadata["uid"]
    }

    /// The names of the pods that mount a claim; none, where it is none.
    fn pods_that_mount(&self, id: &Id) -> Vec<String> {
        if id.0 != "PersistentVolumeClaim" {
            return Vec::new();
        }
        let mounts = |pod: &&Value| {
            let volumes = pod["spec"]["volumes"].as_array().into_iter().flatten();
            let mut claims = volumes.map(|v| &v["persistentVolumeClaim"]["claimName"]);
            self::id(pod).1 == id.1 && claims.any(|claim| *claim == id.2)
        };
        let pods = self.of_kind("Pod").filter(mounts);
        pods.map(|pod| self::id(pod).2).collect()
    }

    /// Applies one manifest as a GitOps tool does: what the manifest that it applied before had,
    /// and this one has not, goes.
    pub(super) fn apply_manifest(&mut self, manifest: &Value, before: Option<&Value>) {
        let Some(live) = self.objects.get(&id(manifest)) else {
            return self.create(manifest.clone());
        };
        let mut object = patched(live, manifest);
        for part in ["labels", "annotations"] {
            let former = before.and_then(|before| before["metadata"][part].as_object());
            for (key, _) in former.into_iter().flatten() {
                if manifest["metadata"][part][key].is_null() {
                    object["metadata"][part]
                        .as_object_mut()
                        .unwrap()
                        .remove(key);
                }
            }
        }
        self.put(object);
    }

    fn put(&mut self, mut object: Value) {
        self.ticks += 1;
        object["metadata"]["resourceVersion"] = json!(format!("{}", 900_000 + self.ticks));
        if object["kind"] == "PersistentVolumeClaim" && object["status"]["phase"] == "Bound" {
            object["status"]["capacity"]["storage"] =
                object["spec"]["resources"]["requests"]["storage"].clone();
        }
        self.objects.insert(id(&object), object);
    }

    fn create(&mut self, mut object: Value) {
        self.ticks += 1;
        let now = self.now();
        let (kind, namespace, name) = id(&object);
        object["metadata"]["uid"] = json!(format!("00000000-0000-4000-8000-{:012}", self.ticks));
        object["metadata"]["creationTimestamp"] = json!(now);
        match kind.as_str() {
            "Pod" => {
                self.forget_sync(&namespace, &name);
                self.start(&mut object, &namespace, &now);
            }
            "PersistentVolumeClaim" if object["spec"]["volumeName"].is_string() => {
                let volume = volume_of(&object);
                assert!(
                    self.objects.contains_key(&volume),
                    "{volume:?} was not kept"
                );
                object["status"] = json!({"phase": "Pending"});
                self.bind_named(&mut object);
            }
            "PersistentVolumeClaim" => {
                self.fill(&object);
                let volume = self.new_volume(&name);
                bind(&mut object, &volume);
            }
            "Service" => {
                object["spec"]["clusterIP"] = json!("10.0.0.1");
                object["spec"]["sessionAffinity"] = json!("None");
                object["status"] = json!({"loadBalancer": {}});
            }
            _ => {}
        }
        self.put(object);
    }

    /// Names the volume that is made for a new claim: a former one may have been left behind.
    fn new_volume(&self, claim: &str) -> String {
        let name = format!("pv-of-{claim}");
        let id = ("PersistentVolume".to_owned(), String::new(), name.clone());
        if self.objects.contains_key(&id) {
            format!("{name}-{}", self.ticks)
        } else {
            name
        }
    }

    /// Notes what a new claim's volume is made from.
    fn fill(&mut self, claim: &Value) {
        let (_, namespace, name) = id(claim);
        let source = &claim["spec"]["dataSource"];
        let from = source["name"].as_str().unwrap_or("nothing").to_owned();
        if source["kind"] == "VolumeSnapshot" {
            let snapshot = ("VolumeSnapshot".to_owned(), namespace, from.clone());
            let snapshot = self.objects.get(&snapshot).expect("the snapshot is there");
            assert_eq!(snapshot["status"]["readyToUse"], true, "{from}");
        }
        self.filled.insert(name, from);
    }

    fn start(&mut self, pod: &mut Value, namespace: &str, now: &str) {
        admit(&mut pod["spec"]);
        pod["status"] = json!({"phase": "Running", "startTime": now, "conditions": [
            {"type": "Ready", "status": "True", "lastTransitionTime": now}]});
        let claims: Vec<String> = pod["spec"]["volumes"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|v| v["persistentVolumeClaim"]["claimName"].as_str())
            .map(str::to_owned)
            .collect();
        for claim in claims {
            let id = (
                "PersistentVolumeClaim".to_owned(),
                namespace.to_owned(),
                claim,
            );
            let known = self.objects.get(&id);
            if known.is_none_or(|claim| self.waits_for_volume(claim)) {
                continue; // it comes, or is bound, a moment later
            }
            let Some(claim) = self.objects.get_mut(&id) else {
                continue;
            };
            let status = claim["status"].as_object_mut().unwrap();
            status.remove("conditions");
            status.insert("phase".to_owned(), json!("Bound"));
            let size = claim["spec"]["resources"]["requests"].clone();
            claim["status"]["capacity"] = size;
        }
    }

    pub(super) fn make_ready(&mut self, id: &Id) {
        let now = self.now();
        self.forget_sync(&id.1, &id.2);
        if let Some(pod) = self.objects.get_mut(id) {
            assert!(!is_terminating(pod), "{id:?} goes, and will never be ready");
            pod["status"]["conditions"] =
                json!([{"type": "Ready", "status": "True", "lastTransitionTime": now}]);
            if pod["status"]["phase"] == "Pending" {
                pod["status"]["phase"] = json!("Running");
            }
        }
        self.tick();
    }
}

pub(super) fn is_terminating(object: &Value) -> bool {
    !object["metadata"]["deletionTimestamp"].is_null()
}

pub(super) fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    let mut all = conditions.into_iter().flatten();
    all.any(|c| c["type"] == "Ready" && c["status"] == "True") && !is_terminating(pod)
}

fn bind(claim: &mut Value, volume: &str) {
    let size = claim["spec"]["resources"]["requests"].clone();
    claim["spec"]["volumeName"] = json!(volume);
    claim["status"] = json!({"phase": "Bound", "capacity": size});
}

/// An image that may be another one tomorrow is pulled each time.
fn pull_policy(image: &str) -> &'static str {
    let name = image.rsplit('/').next().unwrap_or_default();
    let is_latest =
        !name.contains('@') && name.split_once(':').is_none_or(|(_, tag)| tag == "latest");
    if is_latest { "Always" } else { "IfNotPresent" }
}

/// What admission and defaulting add to a pod.
fn admit(spec: &mut Value) {
    let token = "kube-api-access-abcde";
    let mount = json!({"name": token, "readOnly": true,
        "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"});
    let list = |value: &mut Value, item: Value| match value {
        Value::Array(items) => items.push(item),
        other @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Object(_)) => *other = json!([item]),
    };
    for part in ["initContainers", "containers"] {
        for container in spec[part].as_array_mut().into_iter().flatten() {
            list(&mut container["volumeMounts"], mount.clone());
            let pull = pull_policy(container["image"].as_str().unwrap_or_default());
            let defaults = [
                ("terminationMessagePath", json!("/dev/termination-log")),
                ("terminationMessagePolicy", json!("File")),
                ("imagePullPolicy", json!(pull)),
                ("resources", json!({})),
            ];
            let members = container.as_object_mut().unwrap();
            for (name, value) in defaults {
                members.entry(name).or_insert(value);
            }
        }
    }
    let sources = json!([{"serviceAccountToken": {"path": "token"}}]);
    list(
        &mut spec["volumes"],
        json!({"name": token, "projected": {"defaultMode": 420, "sources": sources}}),
    );
    for key in ["not-ready", "unreachable"] {
        let key = format!("node.kubernetes.io/{key}");
        list(
            &mut spec["tolerations"],
            json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}),
        );
    }
    let defaults = [
        ("nodeName", json!("worker-01")),
        ("restartPolicy", json!("Always")),
        ("dnsPolicy", json!("ClusterFirst")),
        ("schedulerName", json!("default-scheduler")),
        ("enableServiceLinks", json!(true)),
        ("terminationGracePeriodSeconds", json!(30)),
        ("preemptionPolicy", json!("PreemptLowerPriority")),
        ("priority", json!(0)),
        ("securityContext", json!({})),
        ("serviceAccountName", json!("default")),
    ];
    let members = spec.as_object_mut().unwrap();
    for (name, value) in defaults {
        members.entry(name).or_insert(value);
    }
    members.insert(
        "serviceAccount".to_owned(),
        members["serviceAccountName"].clone(),
    );
}

/// The live object with what can change in place taken from the manifest.
fn patched(live: &Value, manifest: &Value) -> Value {
    let mut object = live.clone();
    for part in ["labels", "annotations"] {
        for (key, value) in manifest["metadata"][part].as_object().into_iter().flatten() {
            object["metadata"][part][key] = value.clone();
        }
    }
    match manifest["kind"].as_str().unwrap() {
        "Pod" => {
            let wanted = manifest["spec"]["tolerations"].as_array();
            for toleration in wanted.into_iter().flatten() {
                let there = object["spec"]["tolerations"].as_array_mut().unwrap();
                if !there.contains(toleration) {
                    there.push(toleration.clone());
                }
            }
        }
        "ConfigMap" => {
            for (file, text) in manifest["data"].as_object().unwrap() {
                object["data"][file] = text.clone();
            }
        }
        "PersistentVolumeClaim" => {
            object["spec"]["resources"]["requests"] =
                manifest["spec"]["resources"]["requests"].clone();
        }
        "Service" => {
            for (field, value) in manifest["spec"].as_object().unwrap() {
                object["spec"][field] = value.clone();
            }
        }
        _ => {
            for part in ["rules", "subjects", "roleRef"] {
                if !manifest[part].is_null() {
                    object[part] = manifest[part].clone();
                }
            }
        }
    }
    object
}
