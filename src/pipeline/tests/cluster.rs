//! A cluster for tests: its objects, and what was done to them. What happens in it is the model's
//! business (`crate::simulate`); here it is looked at.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::{FleetKey, Source};
use crate::parse;
use crate::plan::{FleetPlan, Wave};
use crate::simulate::lab;
use crate::simulate::objects::{self, Objects};

/// Kind, namespace and name.
pub(super) use crate::simulate::objects::{Id, id};

/// The cluster, and what was done to it.
#[derive(Debug, Clone, Default)]
pub(super) struct Cluster {
    pub(super) objects: BTreeMap<Id, Value>,
    /// What each pod went through: how often it was restarted.
    pub(super) replaced: BTreeMap<String, u32>,
    /// Why, the pod's name before it.
    pub(super) reasons: Vec<String>,
    /// What was made, as `Kind/name`.
    pub(super) created: Vec<String>,
    /// What was deleted, as `Kind/name`.
    pub(super) deleted: Vec<String>,
    /// What each new claim's volume was made from.
    pub(super) filled: BTreeMap<String, String>,
}

/// Reads every object of some sources, Lists opened.
pub(super) fn objects_of(sources: &[Source]) -> Vec<Value> {
    let texts = parse::texts(sources);
    assert!(texts.diagnostics.is_empty(), "{:?}", texts.diagnostics);
    let mut found = Vec::new();
    for text in &texts.value {
        open(serde_json::from_str(&text.json).unwrap(), &mut found);
    }
    found
}

fn open(value: Value, found: &mut Vec<Value>) {
    match value["items"].as_array() {
        Some(items) => items.iter().for_each(|item| open(item.clone(), found)),
        None if value.is_null() => {}
        None => found.push(value),
    }
}

impl Cluster {
    pub(super) fn new(objects: Vec<Value>) -> Self {
        Self {
            objects: objects.into_iter().map(|o| (id(&o), o)).collect(),
            ..Self::default()
        }
    }

    /// The cluster as `kubectl get -o json` prints it.
    pub(super) fn source(&self) -> Source {
        let mut source = Objects::new(self.objects.values().cloned()).source();
        "live.json".clone_into(&mut source.name);
        source
    }

    pub(super) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.objects.values().filter(move |o| o["kind"] == kind)
    }

    /// Takes over what the model made of the cluster.
    pub(super) fn take(&mut self, objects: BTreeMap<Id, Value>, record: lab::Done) {
        self.objects = objects;
        for (_, (_, pod)) in record.restarts {
            *self.replaced.entry(pod).or_default() += 1;
        }
        self.reasons.extend(record.reasons);
        self.created.extend(record.created);
        self.deleted.extend(record.deleted);
        self.filled.extend(record.filled);
    }

    /// Carries out some waves of a plan, chains standing still. Tells whether all gates were met.
    #[track_caller]
    pub(super) fn carry(
        &mut self,
        specs: &[Source],
        plan: &FleetPlan,
        (waves, manifests): (&[Wave], &[&Value]),
    ) -> bool {
        let fleet = FleetKey {
            namespace: plan.namespace.clone(),
            name: plan.name.clone(),
        };
        let given = (&fleet, waves, manifests);
        let carried = lab::carry(specs, &self.objects, given);
        let breaches = carried.breaches;
        assert!(breaches.is_empty(), "{breaches:#?}");
        self.take(carried.objects, carried.record);
        carried.is_whole
    }

    /// Applies one manifest as a GitOps tool does: what the manifest that it applied before had,
    /// and this one has not, goes.
    pub(super) fn apply_manifest(&mut self, manifest: &Value, before: Option<&Value>) {
        let Some(live) = self.objects.get(&id(manifest)) else {
            self.objects.insert(id(manifest), manifest.clone());
            return;
        };
        let mut object = lab::patched(live, manifest);
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
        let version = object["metadata"]["resourceVersion"].as_str();
        let version: u64 = version.unwrap_or("0").parse().unwrap();
        object["metadata"]["resourceVersion"] = Value::from((version + 1).to_string());
        self.objects.insert(id(&object), object);
    }

    /// The names of all pods, without those on their way out.
    pub(super) fn pods(&self) -> BTreeSet<String> {
        let there = self.of_kind("Pod").filter(|pod| !is_terminating(pod));
        there.map(|pod| id(pod).2).collect()
    }
}

pub(super) fn is_terminating(object: &Value) -> bool {
    objects::is_leaving(object)
}

/// Where a manifest would change what cannot change on the live claim: the fields.
pub(super) fn fixed_differences(manifest: &Value, live: &Value) -> Vec<String> {
    let (wanted, is) = (&manifest["spec"], &live["spec"]);
    let fields = wanted.as_object().unwrap().keys();
    let others = [
        "dataSource",
        "dataSourceRef",
        "storageClassName",
        "volumeName",
    ];
    let all: BTreeSet<&str> = fields.map(String::as_str).chain(others).collect();
    all.into_iter()
        .filter(|field| *field != "resources" && wanted[field] != is[field])
        .map(|field| format!("spec.{field}: {}, but live {}", wanted[field], is[field]))
        .collect()
}

/// Where a manifest would change what cannot change on the live pod: the paths.
pub(super) fn immutable_differences(manifest: &Value, live: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let (wanted, is) = (&manifest["spec"], &live["spec"]);
    for (field, value) in wanted.as_object().unwrap() {
        if field == "tolerations" {
            let there = is[field].as_array().cloned().unwrap_or_default();
            let kept = value.as_array().unwrap();
            let lost = there.iter().filter(|t| {
                let key = t["key"].as_str().unwrap_or_default();
                !key.starts_with("node.kubernetes.io/") && !kept.contains(t)
            });
            found.extend(lost.map(|t| format!("spec.tolerations loses {t}")));
        } else {
            differ(&format!("spec.{field}"), value, &is[field], &mut found);
        }
    }
    found
}

fn differ(path: &str, wanted: &Value, is: &Value, found: &mut Vec<String>) {
    match (wanted, is) {
        (Value::Object(wanted), Value::Object(is)) => {
            for (field, value) in wanted {
                let there = is.get(field).unwrap_or(&Value::Null);
                differ(&format!("{path}.{field}"), value, there, found);
            }
        }
        (Value::Array(wanted), Value::Array(is)) => {
            let is_ours = |item: &&Value| {
                let name = item["name"].as_str().unwrap_or_default();
                !name.starts_with("kube-api-access-")
            };
            let is: Vec<&Value> = is.iter().filter(is_ours).collect();
            let wanted: Vec<&Value> = wanted.iter().filter(is_ours).collect();
            if is.len() != wanted.len() {
                let line = format!("{path}: {} entries, but live {}", wanted.len(), is.len());
                found.push(line);
            }
            for (i, (wanted, is)) in wanted.iter().zip(is).enumerate() {
                differ(&format!("{path}[{i}]"), wanted, is, found);
            }
        }
        (wanted, is) if wanted == is || is_nothing(wanted) && is_nothing(is) => {}
        (wanted, is) => found.push(format!("{path}: {wanted}, but live {is}")),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(members) => members.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
