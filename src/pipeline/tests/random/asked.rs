//! What a document asks of a pod that runs, in its own words: where that is the same as when the pod
//! started, it need not restart; where it is not, it must. Shares nothing with the rooms that decide
//! on restarts.

use serde_json::{Value, json};

use super::world::{World, key};

/// What an owner may write without any running pod being concerned.
const OF_CHAIN: [&str; 8] = [
    "snapshotURL",
    "snapshotScript",
    "genesisURL",
    "genesisScript",
    "addrbookURL",
    "addrbookScript",
    "additionalInitArgs",
    "versions",
];

/// Returns what is asked of an instance's main pod.
pub(super) fn of_main(document: &Value, instance: &str, world: &World) -> Value {
    let spec = &document["spec"];
    let mut chain = spec["chain"].clone();
    let mut pod = spec["podTemplate"].clone();
    for field in OF_CHAIN {
        take(&mut chain, field);
    }
    let own = &spec["instanceOverrides"][instance];
    let nodes = nodes(own, &pod);
    for field in ["metadata", "image", "tolerations", "nodeSelector"] {
        take(&mut pod, field);
    }
    let strategy = pod["probes"]["strategy"]
        .as_str()
        .unwrap_or("InSync")
        .to_owned();
    take(&mut pod, "probes");
    let image = image(document, instance);
    let kind = spec["type"].as_str().unwrap_or("FullNode");
    let account = spec["serviceAccountName"].as_str().unwrap_or_default();
    plain(json!({
        "chain": chain, "pod": pod, "probes": strategy, "image": image, "type": kind,
        "account": account, "nodeSelector": nodes,
        "address": address(document, instance, world),
    }))
}

/// Returns which cluster nodes a pod may run on: an instance's own word stands instead of that for
/// all, as with the reference, not beside it.
fn nodes(own: &Value, of_all: &Value) -> Value {
    let own = Some(&own["nodeSelector"]).filter(|own| !own.is_null());
    own.unwrap_or(&of_all["nodeSelector"]).clone()
}

/// Leaves out what says nothing.
fn plain(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let all = members
                .into_iter()
                .map(|(name, value)| (name, plain(value)));
            let is_nothing = |value: &Value| *value == json!({}) || value.is_null();
            Value::Object(all.filter(|(_, value)| !is_nothing(value)).collect())
        }
        other @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)) => other,
    }
}

/// Returns the image that the node is to run; null where its height decides.
pub(super) fn image(document: &Value, instance: &str) -> Value {
    let spec = &document["spec"];
    let own = &spec["instanceOverrides"][instance]["image"];
    if own.is_string() {
        own.clone()
    } else if spec["chain"]["versions"].is_array() {
        Value::Null
    } else {
        spec["podTemplate"]["image"].clone()
    }
}

/// Returns what is asked of an additional pod, by the pod's name.
pub(super) fn of_additional(document: &Value, pod: &str) -> Value {
    let spec = &document["spec"];
    let templates = spec["additionalVersionedPods"]
        .as_array()
        .into_iter()
        .flatten();
    let mut of_it = templates.filter(|template| {
        let name = template["name"].as_str().unwrap_or_default();
        let rest = pod
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('-'));
        rest.is_some_and(|rest| rest.parse::<u64>().is_ok())
    });
    let mut template = of_it.next().cloned().unwrap_or_default();
    take(&mut template, "metadata");
    let same_node = template["preferSameNode"].as_bool().unwrap_or(false);
    let own = &spec["instanceOverrides"][pod];
    let (image, nodes) = (&own["image"], nodes(own, &template));
    take(&mut template, "nodeSelector");
    plain(json!({"template": template, "same": same_node, "image": image, "nodes": nodes}))
}

/// The address at which an instance is reached from outside.
fn address(document: &Value, instance: &str, world: &World) -> Value {
    let own = &document["spec"]["instanceOverrides"][instance]["externalAddress"];
    if own.is_string() {
        return own.clone();
    }
    let service = service(instance, world);
    if service["spec"]["type"] == "LoadBalancer" {
        let ingress = &service["status"]["loadBalancer"]["ingress"][0];
        let ip = Some(&ingress["ip"]).filter(|ip| ip.is_string());
        ip.unwrap_or(&ingress["hostname"]).clone()
    } else {
        Value::Null
    }
}

/// Tells whether an instance is to be reached from inside alone: it has a service, no load balancer,
/// and no address of its owner's.
pub(super) fn is_inside(world: &World, instance: &str) -> bool {
    let document = world.document_of(instance).unwrap_or(&Value::Null);
    let own = &document["spec"]["instanceOverrides"][instance]["externalAddress"];
    let kind = &service(instance, world)["spec"]["type"];
    own.is_null() && kind.is_string() && kind != "LoadBalancer"
}

/// Tells whether an instance's load balancer shows no address, and its owner names none: a node that
/// runs keeps the one that it had (design.md, safety rule 9).
pub(super) fn has_lost_address(world: &World, instance: &str) -> bool {
    let document = world.document_of(instance).unwrap_or(&Value::Null);
    let is_balanced = service(instance, world)["spec"]["type"] == "LoadBalancer";
    is_balanced && address(document, instance, world).is_null()
}

/// Tells whether the address of an instance is one that its owner names.
pub(super) fn is_named(world: &World, instance: &str) -> bool {
    let document = world.document_of(instance).unwrap_or(&Value::Null);
    document["spec"]["instanceOverrides"][instance]["externalAddress"].is_string()
}

/// The service by which an instance is reached; one of somebody else's says nothing of it.
fn service<'w>(instance: &str, world: &'w World) -> &'w Value {
    let (fleet, ordinal) = instance.rsplit_once('-').unwrap_or_default();
    let id = key("Service", &format!("{fleet}-p2p-{ordinal}"));
    let ours = world.get(&id).filter(|_| !world.foreign.contains_key(&id));
    ours.unwrap_or(&Value::Null)
}

fn take(value: &mut Value, field: &str) {
    if let Some(members) = value.as_object_mut() {
        members.remove(field);
    }
}
