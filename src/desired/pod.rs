//! An instance's pod, put together from its named pieces, with the owner's own merged in. Knows
//! nothing of what the pieces hold.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::desired::fleet::{Fleet, Made, members, plain};
use crate::desired::revision::{self, Asked};
use crate::desired::versions::{self, Standing};
use crate::desired::{
    Manifest, PodNotes, Role, config_map, init_containers, labels, merge, node, settle, sidecars,
    volumes,
};
use crate::model::{Kind, Notice, Ordinal, names};
use crate::spec::document::InstanceOverride;

/// How long a node may take to stop where the owner does not say, in seconds.
const DEFAULT_GRACE: i64 = 30;

/// What is the same for all pods of a fleet, worked out once.
pub(crate) struct Template {
    /// What the owner merges into every pod.
    patch: Map<String, Value>,
    /// The part of it that is about containers and volumes of ours.
    own_patches: Value,
    patched: BTreeMap<String, BTreeSet<String>>,
}

impl Template {
    pub(crate) fn new(fleet: &Fleet<'_>) -> Self {
        let patch = patch(fleet);
        let of_ours = |part: &str, own: &[&str]| -> Vec<Value> {
            let all = patch
                .get(part)
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            let is_ours = |c: &&Value| c["name"].as_str().is_some_and(|name| own.contains(&name));
            all.filter(is_ours).cloned().collect()
        };
        let own_init = of_ours("initContainers", &names::OWN_INIT_CONTAINERS);
        let own = of_ours("containers", &names::OWN_SIDECARS);
        let own_patches = json!({
            "initContainers": own_init,
            "containers": own,
            "volumes": of_ours("volumes", &[volumes::CONFIG]),
        });
        let mut patched: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for container in own_init.iter().chain(&own) {
            let name = container["name"].as_str().unwrap_or_default().to_owned();
            let fields = container.as_object().into_iter().flat_map(Map::keys);
            let fields = fields.filter(|field| *field != "name").cloned();
            patched.entry(name).or_default().extend(fields);
        }
        Self {
            patch,
            own_patches,
            patched,
        }
    }
}

/// Whether the pod of an instance should exist.
pub(crate) fn is_wanted(fleet: &Fleet<'_>, instance: &str) -> bool {
    let is_disabled = fleet
        .instance_override(instance)
        .is_some_and(|o| o.disable.is_some());
    !is_disabled && !fleet.facts.snapshot_candidates.contains(instance)
}

/// Builds the pod of one instance.
pub(crate) fn build(
    fleet: &Fleet<'_>,
    template: &Template,
    ordinal: Ordinal,
    notices: &mut Vec<Notice>,
) -> Manifest {
    let name = fleet.instance(ordinal);
    let key = fleet.key(Kind::Pod, &name);
    let mut spec = Value::Object(base(fleet, ordinal));
    if let Value::Object(target) = &mut spec {
        merge::merge(target, template.patch.clone());
    }
    volumes::fold_config(&mut spec, &name);
    let standing = versions::standing(fleet, &name, &name);
    versions::set_images(fleet, &standing, &mut spec);
    notices.extend(height_notice(fleet, ordinal, &standing));
    if let Some(own) = fleet.instance_override(&name) {
        if !own.image.is_empty() {
            versions::set_chain_image(&mut spec, &own.image);
        }
        select_nodes(&mut spec, own);
    }
    let patched = patched(fleet, template);
    let revision = revision::of(&Asked {
        spec: &spec,
        patched: &patched,
        own_patches: &template.own_patches,
        config: &config_map::asked_for(fleet, ordinal),
    });
    revision::write(&mut spec, &revision);

    let made = made(fleet, ordinal, &name, &revision, spec);
    let mut manifest = fleet.manifest(Role::Pod, key, made);
    manifest.pod = Some(PodNotes {
        main: name,
        revision,
        patched,
        reference_start: node::reference_start(fleet),
    });
    manifest
}

/// Puts an instance's own choice of machines in the place of the template's, as the reference does:
/// an empty one takes the template's away.
pub(crate) fn select_nodes(spec: &mut Value, own: &InstanceOverride) {
    if let (Some(selector), Some(spec)) = (&own.node_selector, spec.as_object_mut()) {
        spec.remove("nodeSelector");
        if !selector.is_empty() {
            spec.insert("nodeSelector".to_owned(), json!(selector));
        }
    }
}

/// Warns where a version could not be chosen by the height.
fn height_notice(fleet: &Fleet<'_>, ordinal: Ordinal, standing: &Standing<'_>) -> Option<Notice> {
    let name = fleet.instance(ordinal);
    let known = fleet.facts.heights.get(&name);
    let has_volume = fleet.facts.claims.contains_key(&fleet.claim(ordinal));
    let (code, message) = match (standing, known) {
        (Standing::Unknown(_), _) => (
            "HeightUnknown",
            "the height is not known, so the pod keeps the images that it runs and its halt \
             height; capture a snapshot that has the CosmosFullNode's status, or read heights"
                .to_owned(),
        ),
        (Standing::Fallen(..), _) => (
            "ComesBackToHalt",
            "its pod ended at the height of an upgrade before it was seen to halt: it comes back \
             with the images that it ran, halts, and gets the next version after that"
                .to_owned(),
        ),
        (Standing::At(_), None) if has_volume && !fleet.chain().versions.is_empty() => (
            "HeightUnknown",
            "the height is not known and no pod runs, so the image is that of height 0, though \
             the volume may be further; capture a snapshot that has the CosmosFullNode's status, \
             or read heights"
                .to_owned(),
        ),
        (Standing::Ahead(_, of_image), Some(height)) if !has_own_image(fleet, &name) => (
            "ImageAhead",
            format!(
                "it runs the version of height {of_image}, though its own height is said to be \
                 {height}: it keeps that, since an older image is not rendered unasked; where the \
                 node was set back on purpose, name the older image in instanceOverrides"
            ),
        ),
        (Standing::At(_) | Standing::Ahead(..), _) => return None,
    };
    Some(Notice::on(fleet.key(Kind::Pod, &name), code, message))
}

fn has_own_image(fleet: &Fleet<'_>, name: &str) -> bool {
    fleet
        .instance_override(name)
        .is_some_and(|own| !own.image.is_empty())
}

fn made(fleet: &Fleet<'_>, ordinal: Ordinal, name: &str, revision: &str, spec: Value) -> Made {
    let metadata = &fleet.spec().pod_template.metadata;
    let mut all_labels = labels::defaults(fleet);
    labels::add_missing(&mut all_labels, &metadata.labels);
    all_labels.insert(names::INSTANCE.to_owned(), name.to_owned());
    let mut annotations = labels::normalize_annotations(&metadata.annotations);
    annotations.insert(names::REVISION.to_owned(), revision.to_owned());
    Made {
        ordinal: Some(ordinal),
        labels: labels::normalize_labels(&all_labels),
        annotations,
        parts: members([("spec", spec)]),
    }
}

/// The pod before the owner's own comes in.
fn base(fleet: &Fleet<'_>, ordinal: Ordinal) -> Map<String, Value> {
    let name = fleet.instance(ordinal);
    let mut containers = vec![settle::settled(node::build(fleet))];
    containers.extend(sidecars::build(fleet));
    members([
        ("serviceAccountName", json!(fleet.service_account())),
        (
            "securityContext",
            json!({
                "runAsUser": 1025,
                "runAsGroup": 1025,
                "runAsNonRoot": true,
                "fsGroup": 1025,
                "fsGroupChangePolicy": "OnRootMismatch",
                "seccompProfile": {"type": "RuntimeDefault"},
            }),
        ),
        ("hostname", json!(name)),
        ("subdomain", json!(fleet.node.key.name)),
        ("volumes", volumes::build(fleet, ordinal)),
        (
            "initContainers",
            Value::Array(init_containers::build(fleet, &name)),
        ),
        ("containers", Value::Array(containers)),
    ])
}

/// What the owner asks for in `podTemplate`, in the shape of a pod specification.
fn patch(fleet: &Fleet<'_>) -> Map<String, Value> {
    let template = &fleet.spec().pod_template;
    let grace = template
        .termination_grace_period_seconds
        .unwrap_or(DEFAULT_GRACE);
    let patch = json!({
        "affinity": plain(&template.affinity),
        "containers": plain(&template.containers),
        "imagePullSecrets": plain(&template.image_pull_secrets),
        "initContainers": plain(&template.init_containers),
        "nodeSelector": plain(&template.node_selector),
        "priority": template.priority,
        "priorityClassName": template.priority_class_name,
        "terminationGracePeriodSeconds": grace,
        "tolerations": plain(&template.tolerations),
        "volumes": plain(&template.volumes),
    });
    let Value::Object(mut patch) = settle::settled(patch) else {
        return Map::new();
    };
    patch.retain(|_, value| value.as_object().is_none_or(|members| !members.is_empty()));
    patch
}

/// Which fields of our containers the owner set: through the template, or images by version.
fn patched(fleet: &Fleet<'_>, template: &Template) -> BTreeMap<String, BTreeSet<String>> {
    let mut patched = template.patched.clone();
    if fleet.chain().versions.is_empty() {
        return patched;
    }
    for (part, name) in versions::touched(fleet) {
        let own: &[&str] = match part {
            "initContainers" => &names::OWN_INIT_CONTAINERS,
            _ => &names::OWN_SIDECARS,
        };
        if own.contains(&name.as_str()) {
            patched.entry(name).or_default().insert("image".to_owned());
        }
    }
    patched
}
