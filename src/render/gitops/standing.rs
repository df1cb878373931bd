//! A live object as an applier may get it: as it is, without what a cluster writes into it. Knows
//! nothing of why it stays.

use serde_json::{Map, Value, json};

use crate::live::{Object, lenient};
use crate::model::{Kind, names};
use crate::render::kept;

/// What others write on an object for themselves: they would not do so again over what is given.
const OTHERS: [&str; 6] = [
    "argocd.argoproj.io/tracking-id",
    "argocd.argoproj.io/hook",
    "pv.kubernetes.io/bind-completed",
    "pv.kubernetes.io/bound-by-controller",
    "volume.beta.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/storage-provisioner",
];
/// Where kustomize-controller tells objects that it applied from others.
const FLUX_LABELS: [&str; 2] = [
    "kustomize.toolkit.fluxcd.io/name",
    "kustomize.toolkit.fluxcd.io/namespace",
];

/// Returns a live object as it would have been applied.
#[must_use]
pub fn as_it_is(object: &Object<'_>) -> Value {
    let mut body = Map::new();
    body.insert("apiVersion".to_owned(), json!(object.api_version));
    body.insert("kind".to_owned(), json!(object.kind.as_str()));
    body.insert("metadata".to_owned(), metadata(object));
    let mut spec = object.spec_tree();
    match object.kind {
        Kind::Pod => kept::without_what_the_cluster_adds(&mut spec, &Value::Null),
        Kind::Service => without_defaults_of_services(&mut spec),
        Kind::StorageClass
        | Kind::PersistentVolume
        | Kind::VolumeSnapshot
        | Kind::CosmosFullNode
        | Kind::NodeIdentities
        | Kind::Secret
        | Kind::ServiceAccount
        | Kind::Role
        | Kind::RoleBinding
        | Kind::ConfigMap
        | Kind::PersistentVolumeClaim => {}
    }
    if spec.is_object() {
        body.insert("spec".to_owned(), spec);
    }
    for part in ["rules", "subjects", "roleRef"] {
        if let Some(raw) = object.rest.get(part) {
            body.insert(part.to_owned(), lenient(Some(raw)));
        }
    }
    if !object.data.is_empty() {
        body.insert("data".to_owned(), json!(object.data));
    }
    Value::Object(body)
}

fn metadata(object: &Object<'_>) -> Value {
    let mut metadata = json!({
        "name": object.meta.name,
        "namespace": object.meta.namespace,
    });
    for (part, all) in [
        ("labels", &object.meta.labels),
        ("annotations", &object.meta.annotations),
    ] {
        let kept = all.iter().filter(|(key, _)| !is_others(key));
        let kept: Map<String, Value> = kept
            .map(|(key, value)| (key.to_string(), json!(value)))
            .collect();
        if !kept.is_empty() {
            metadata[part] = Value::Object(kept);
        }
    }
    metadata
}

fn is_others(key: &str) -> bool {
    OTHERS.contains(&key) || FLUX_LABELS.contains(&key) || key == names::SELECTED_NODE
}

/// Addresses are the cluster's to choose, and cannot be changed once they are chosen.
fn without_defaults_of_services(spec: &mut Value) {
    let Some(members) = spec.as_object_mut() else {
        return;
    };
    if members.get("clusterIP").is_some_and(|ip| ip != "None") {
        members.remove("clusterIP");
        members.remove("clusterIPs");
    }
    for field in ["ipFamilies", "ipFamilyPolicy", "healthCheckNodePort"] {
        members.remove(field);
    }
}
