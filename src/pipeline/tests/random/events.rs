//! What goes wrong in a cluster, and what its owner does beside writing documents: pods fail and
//! hang, claims bind late, somebody edits by hand, claims are named, fleets are renamed and removed.

use serde_json::{Value, json};

use super::Dice;
use super::documents::{NAMESPACE, instances, ordinals};
use super::model::{Id, id};
use super::world::{World, instance_of, key};

const CLAIM: &str = "PersistentVolumeClaim";

type Event = fn(&mut World, &mut Dice);

/// What may happen to a cluster.
const FAULTS: &[Event] = &[
    hang,
    hang,
    kill,
    terminate,
    pend,
    fail,
    lag,
    late_claim,
    resize,
    lose_claim,
    terminate_claim,
    lose_config,
    edit_config,
    lose_service,
    edit_image,
    foreign,
    candidate,
    address,
    forget,
    strip,
];

/// Something breaks, or is edited.
pub(super) fn fault(world: &mut World, dice: &mut Dice) {
    world.is_broken = true;
    dice.pick(FAULTS)(world, dice);
}

fn any(world: &World, kind: &str, dice: &mut Dice) -> Option<Id> {
    let ids = world.ids(kind);
    let ours = ids.iter().filter(|id| !world.foreign.contains_key(*id));
    let ours: Vec<&Id> = ours.collect();
    (!ours.is_empty()).then(|| (*dice.pick(&ours)).clone())
}

/// Whatever is done to this instance may have reasons that no document tells.
fn excuse(world: &mut World, id: &Id) {
    let instance = world.get(id).map(instance_of);
    world.excused.extend(instance);
    world.excused.insert(id.2.clone());
    let of_claim = id.2.strip_prefix("pvc-").map(str::to_owned);
    world.excused.extend(of_claim);
}

/// Does something to one object of a kind.
fn to(world: &mut World, kind: &str, dice: &mut Dice, act: impl FnOnce(&mut Value, &mut Dice)) {
    let Some(id) = any(world, kind, dice) else {
        return;
    };
    excuse(world, &id);
    act(world.cluster.objects.get_mut(&id).unwrap(), dice);
}

fn remove(world: &mut World, kind: &str, dice: &mut Dice) {
    let Some(id) = any(world, kind, dice) else {
        return;
    };
    excuse(world, &id);
    world.cluster.objects.remove(&id);
    world.starting.remove(&id);
}

/// A pod is not ready, and will not be.
pub(super) fn hang(world: &mut World, dice: &mut Dice) {
    let now = world.cluster.now();
    let Some(id) = any(world, "Pod", dice) else {
        return;
    };
    excuse(world, &id);
    world.stuck.insert(id.clone());
    let status = &mut world.cluster.objects.get_mut(&id).unwrap()["status"];
    status["conditions"] = json!([{"type": "Ready", "status": "False", "lastTransitionTime": now}]);
}

pub(super) fn kill(world: &mut World, dice: &mut Dice) {
    remove(world, "Pod", dice);
}

fn terminate(world: &mut World, dice: &mut Dice) {
    let now = world.cluster.now();
    let Some(id) = any(world, "Pod", dice) else {
        return;
    };
    excuse(world, &id);
    if dice.flip() {
        world.stuck.insert(id.clone());
    }
    world.cluster.objects.get_mut(&id).unwrap()["metadata"]["deletionTimestamp"] = json!(now);
}

fn pend(world: &mut World, dice: &mut Dice) {
    let Some(id) = any(world, "Pod", dice) else {
        return;
    };
    excuse(world, &id);
    world.stuck.insert(id.clone());
    // it is another pod than the one before: one that ran is never pending again
    let now = world.cluster.now();
    let pod = world.cluster.objects.get_mut(&id).unwrap();
    pod["status"] = json!({"phase": "Pending"});
    pod["metadata"]["creationTimestamp"] = json!(now);
}

fn fail(world: &mut World, dice: &mut Dice) {
    to(world, "Pod", dice, |pod, dice| {
        let phase = dice.pick(&["Failed", "Succeeded"]);
        pod["status"] = json!({"phase": phase, "reason": "Evicted"});
    });
}

/// A node falls behind, or does not answer.
fn lag(world: &mut World, dice: &mut Dice) {
    let Some(pod) = any(world, "Pod", dice) else {
        return;
    };
    excuse(world, &pod);
    let now = world.cluster.now();
    let entry = if dice.flip() {
        json!({"timestamp": now, "height": 400, "inSync": false})
    } else {
        json!({"timestamp": now, "error": "no answer", "inSync": false})
    };
    for document in world.cluster.objects.values_mut() {
        if document["kind"] == "CosmosFullNode"
            && let Some(sync) = document["status"]["sync"].as_object_mut()
            && sync.contains_key(&pod.2)
        {
            sync.insert(pod.2.clone(), entry.clone());
        }
    }
}

fn late_claim(world: &mut World, dice: &mut Dice) {
    to(world, CLAIM, dice, |claim, _| {
        claim["status"] = json!({"phase": "Pending"});
    });
}

fn resize(world: &mut World, dice: &mut Dice) {
    let now = world.cluster.now();
    to(world, CLAIM, dice, |claim, _| {
        claim["status"]["conditions"] = json!([{"type": "FileSystemResizePending",
            "status": "True", "lastTransitionTime": now}]);
    });
}

fn lose_claim(world: &mut World, dice: &mut Dice) {
    to(world, CLAIM, dice, |claim, _| {
        claim["status"] = json!({"phase": "Lost"});
    });
}

fn terminate_claim(world: &mut World, dice: &mut Dice) {
    let now = world.cluster.now();
    to(world, CLAIM, dice, |claim, _| {
        claim["metadata"]["deletionTimestamp"] = json!(now);
        claim["metadata"]["finalizers"] = json!(["kubernetes.io/pvc-protection"]);
    });
}

fn lose_config(world: &mut World, dice: &mut Dice) {
    remove(world, "ConfigMap", dice);
}

fn edit_config(world: &mut World, dice: &mut Dice) {
    to(world, "ConfigMap", dice, |config, _| {
        config["data"]["config-overlay.toml"] = json!("[mempool]\nsize = 99\n");
    });
}

fn lose_service(world: &mut World, dice: &mut Dice) {
    let kind = *dice.pick(&["Service", "ServiceAccount", "Role"]);
    remove(world, kind, dice);
}

/// Somebody sets an image on a pod that runs.
fn edit_image(world: &mut World, dice: &mut Dice) {
    let Some(pod) = any(world, "Pod", dice) else {
        return;
    };
    excuse(world, &pod);
    let spec = &mut world.cluster.objects.get_mut(&pod).unwrap()["spec"];
    spec["containers"][0]["image"] = json!("r.example.com/gaia:edited");
    world.started.insert(pod, json!("an image that was edited"));
}

/// An object of somebody else's bears a name of ours.
fn foreign(world: &mut World, dice: &mut Dice) {
    let documents = world.documents.clone();
    if documents.is_empty() {
        return;
    }
    let document = dice.pick(&documents);
    let name = document["metadata"]["name"].as_str().unwrap();
    let all = ordinals(document);
    let ordinal = all.start + dice.below(usize::try_from(all.end - all.start).unwrap() + 2) as u64;
    let (kind, name) = match dice.below(4) {
        0 => ("ConfigMap", format!("{name}-{ordinal}")),
        1 => ("Pod", format!("{name}-{ordinal}")),
        2 => (CLAIM, format!("pvc-{name}-{ordinal}")),
        _ => ("Service", format!("{name}-p2p-{ordinal}")),
    };
    let id = key(kind, &name);
    let mut object = world.get(&id).cloned().unwrap_or_else(|| {
        json!({"apiVersion": "v1", "kind": kind, "spec": {}, "data": {},
            "metadata": {"name": name, "namespace": NAMESPACE, "uid": "f0"}})
    });
    let owner = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "x",
        "controller": true});
    let is_owned = dice.flip();
    let metadata = object["metadata"].as_object_mut().unwrap();
    metadata.remove("deletionTimestamp");
    metadata.insert("labels".to_owned(), json!({}));
    metadata.insert("annotations".to_owned(), json!({}));
    let owners = if is_owned { json!([owner]) } else { json!([]) };
    metadata.insert("ownerReferences".to_owned(), owners);
    world.excused.insert(format!(
        "{}-{ordinal}",
        document["metadata"]["name"].as_str().unwrap()
    ));
    world.stuck.remove(&id);
    world.starting.remove(&id);
    world.foreign.insert(id.clone(), object.clone());
    world.cluster.objects.insert(id, object);
}

/// A pod is away for a scheduled snapshot.
fn candidate(world: &mut World, dice: &mut Dice) {
    let documents = world.documents.clone();
    let Some(document) = documents.first() else {
        return;
    };
    let names = instances(document);
    if names.is_empty() {
        return;
    }
    let name = dice.pick(&names).clone();
    let of = key(
        "CosmosFullNode",
        document["metadata"]["name"].as_str().unwrap(),
    );
    if let Some(live) = world.cluster.objects.get_mut(&of) {
        live["status"]["scheduledSnapshotStatus"] = json!({"s": {"podCandidate": name}});
    }
}

/// A load balancer gets an address, or another one.
fn address(world: &mut World, dice: &mut Dice) {
    let ip = *dice.pick(&["203.0.113.1", "203.0.113.2"]);
    let services = world.ids("Service");
    let balancers: Vec<&Id> = services
        .iter()
        .filter(|id| world.cluster.objects[*id]["spec"]["type"] == "LoadBalancer")
        .filter(|id| !world.foreign.contains_key(*id))
        .collect();
    if balancers.is_empty() {
        return;
    }
    let id = (*dice.pick(&balancers)).clone();
    // it may come and go again before the pod takes it up
    world.excused.insert(id.2.replace("-p2p-", "-"));
    let service = world.cluster.objects.get_mut(&id).unwrap();
    service["status"]["loadBalancer"] = json!({"ingress": [{"ip": ip}]});
}

/// Whoever wrote the status is gone, with what it wrote.
fn forget(world: &mut World, dice: &mut Dice) {
    let is_whole = dice.flip();
    world.cluster.writes_sync = false;
    for document in world.cluster.objects.values_mut() {
        if document["kind"] == "CosmosFullNode" {
            if is_whole {
                document["status"] = json!({});
            } else {
                document["status"]["sync"] = json!({});
            }
        }
    }
}

/// Somebody takes labels off an object.
fn strip(world: &mut World, dice: &mut Dice) {
    let kind = *dice.pick(&["ConfigMap", "Pod", CLAIM, "Service"]);
    to(world, kind, dice, |object, _| {
        if let Some(labels) = object["metadata"]["labels"].as_object_mut() {
            labels.remove("app.kubernetes.io/version");
            labels.remove("app.kubernetes.io/component");
        }
    });
}

/// What an owner acknowledges in annotations, by the names and UIDs in the cluster.
pub(super) fn acknowledge(world: &mut World, dice: &mut Dice) {
    match dice.below(6) {
        0..=2 => name_claims(world, dice),
        3 => rename(world),
        4 => part(world, dice),
        _ => {
            let document = &mut world.documents[0];
            let name = document["metadata"]["name"].clone();
            document["metadata"]["annotations"]["cosmos-render/remove-fleet"] = name;
            let policies = [Value::Null, json!("Delete"), json!("Retain")];
            document["spec"]["volumeRetentionPolicy"] = dice.pick(&policies).clone();
        }
    }
}

/// Names some claims to be made anew or deleted, most with the UIDs that they have, and takes
/// snapshots.
fn name_claims(world: &mut World, dice: &mut Dice) {
    let mut named = [Vec::new(), Vec::new(), Vec::new()];
    for claim in world.ids(CLAIM) {
        let object = &world.cluster.objects[&claim];
        let uid = object["metadata"]["uid"].as_str().unwrap_or("x");
        let uid = if dice.once_in(8) { "gone" } else { uid };
        let entry = format!("{}={uid}", claim.2);
        match dice.below(6) {
            0 | 1 => named[0].push(entry),
            2 | 3 => named[1].push(entry),
            4 => named[2].push(entry),
            _ => continue,
        }
        let instance = claim.2.trim_start_matches("pvc-").to_owned();
        world.excused.insert(instance);
        if !dice.once_in(4) {
            let taken = dice.pick(&["2027-03-01T00:00:00Z", "2020-01-01T00:00:00Z"]);
            let snapshot = json!({"apiVersion": "snapshot.storage.k8s.io/v1",
                "kind": "VolumeSnapshot",
                "metadata": {"name": format!("of-{}", claim.2), "namespace": NAMESPACE},
                "spec": {"source": {"persistentVolumeClaimName": claim.2}},
                "status": {"readyToUse": !dice.once_in(6), "creationTime": taken,
                    "restoreSize": dice.pick(&["10Gi", "30Gi"])}});
            world.cluster.objects.insert(id(&snapshot), snapshot);
        }
    }
    let annotations = ["restore-claims", "resync-claims", "delete-claims"];
    for (annotation, entries) in annotations.iter().zip(named) {
        let key = format!("cosmos-render/{annotation}");
        if !entries.is_empty() {
            world.documents[0]["metadata"]["annotations"][key] = json!(entries.join(","));
        }
    }
}

/// A fleet gets another name.
fn rename(world: &mut World) {
    let document = &mut world.documents[0];
    let former = document["metadata"]["name"].clone();
    document["metadata"]["name"] = json!("gaia");
    document["metadata"]["annotations"]["cosmos-render/renamed-from"] = former;
}

/// Some instances go to another fleet.
fn part(world: &mut World, dice: &mut Dice) {
    let document = &mut world.documents[0];
    let all = ordinals(document);
    let count = all.end - all.start;
    if count < 2 {
        return;
    }
    let stay = 1 + dice.below(usize::try_from(count - 1).unwrap()) as u64;
    let mut other = document.clone();
    document["spec"]["replicas"] = json!(stay);
    other["metadata"]["annotations"]["cosmos-render/renamed-from"] =
        document["metadata"]["name"].clone();
    other["metadata"]["name"] = json!("gaia");
    other["spec"]["ordinals"]["start"] = json!(all.start + stay);
    other["spec"]["replicas"] = json!(count - stay);
    world.documents.push(other);
}
