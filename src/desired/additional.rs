//! Additional pods: the owner's own pods beside each instance, which move with it. Knows nothing
//! of the nodes' pods.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::desired::fleet::{Fleet, Made, members, plain};
use crate::desired::revision::{self, Asked};
use crate::desired::{Manifest, PodNotes, Role, labels, pod, settle, versions};
use crate::model::{Kind, Ordinal, names};
use crate::spec::document::AdditionalPod;

/// Builds the additional pods of one instance, but for those that are disabled by their own name.
pub(crate) fn build(fleet: &Fleet<'_>, ordinal: Ordinal) -> Vec<Manifest> {
    let templates = fleet.spec().additional_versioned_pods.iter();
    templates
        .filter_map(|template| pod(fleet, template, ordinal))
        .collect()
}

fn pod(fleet: &Fleet<'_>, template: &AdditionalPod, ordinal: Ordinal) -> Option<Manifest> {
    let main = fleet.instance(ordinal);
    let raw_name = format!("{}-{ordinal}", template.name);
    let own = fleet.instance_override(&raw_name);
    if own.is_some_and(|o| o.disable.is_some()) {
        return None;
    }
    let name = labels::to_name(&raw_name);
    let mut spec = match settle::settled(plain(&template.spec)) {
        Value::Object(members) => Value::Object(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Value::Object(Map::new())
        }
    };
    if template.prefer_same_node {
        spec["affinity"] = near(&main);
    }
    let standing = versions::standing(fleet, &main, &name);
    versions::set_images(fleet, &standing, &mut spec);
    if let Some(own) = own {
        let first = spec.pointer_mut("/containers/0");
        if let Some(first) = first.and_then(Value::as_object_mut)
            && !own.image.is_empty()
        {
            first.insert("image".to_owned(), json!(own.image));
        }
        pod::select_nodes(&mut spec, own);
    }
    let revision = revision::of(&Asked {
        spec: &spec,
        patched: &BTreeMap::new(),
        own_patches: &Value::Null,
        config: &Value::Null,
    });
    revision::write(&mut spec, &revision);
    let made = made(fleet, template, ordinal, [&raw_name, &revision], spec);
    let mut manifest = fleet.manifest(Role::AdditionalPod, fleet.key(Kind::Pod, &name), made);
    manifest.pod = Some(PodNotes {
        main,
        revision,
        ..PodNotes::default()
    });
    Some(manifest)
}

fn made(
    fleet: &Fleet<'_>,
    template: &AdditionalPod,
    ordinal: Ordinal,
    [name, revision]: [&str; 2],
    spec: Value,
) -> Made {
    let app = format!("{}-{}", fleet.name, template.name);
    let mut all_labels = labels::with(fleet, &[(names::NAME, &app)]);
    labels::add_missing(&mut all_labels, &template.metadata.labels);
    all_labels.insert(names::INSTANCE.to_owned(), name.to_owned());
    all_labels.insert(names::BELONGS_TO.to_owned(), fleet.instance(ordinal));
    let mut annotations = labels::normalize_annotations(&template.metadata.annotations);
    annotations.insert(names::REVISION.to_owned(), revision.to_owned());
    Made {
        ordinal: Some(ordinal),
        labels: labels::normalize_labels(&all_labels),
        annotations,
        parts: members([("spec", spec)]),
    }
}

/// A wish to be on the machine of the main pod; it replaces the owner's affinity.
fn near(main: &str) -> Value {
    json!({"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{
        "weight": 100,
        "podAffinityTerm": {
            "labelSelector": {"matchLabels": {names::INSTANCE: main}},
            "topologyKey": "kubernetes.io/hostname",
        },
    }]}})
}
