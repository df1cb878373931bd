//! Clusters at rest that cases begin with: fleets as we render them, the same as if the operator had
//! made them, and captured ones. Each is determined by its number, and made once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::super::{Options, Request, fixture, run, source};
use super::Dice;
use super::documents::{NAMESPACE, document, instances, ordinals};
use super::model::{Cluster, Id, id};
use super::world::{World, key};
use crate::model::{Source, names};

/// How many there are.
pub(super) const BASES: usize = 400;

/// Small captured clusters of the operator's.
const CAPTURED: [&str; 5] = [
    "adopted-steady",
    "scale-up",
    "additional-and-main",
    "upgrade-late",
    "grow-claims",
];

/// Returns the base of a number.
pub(super) fn base(number: usize) -> World {
    static MADE: Mutex<BTreeMap<usize, Arc<World>>> = Mutex::new(BTreeMap::new());
    let known = MADE.lock().unwrap().get(&number).cloned();
    let made = known.unwrap_or_else(|| {
        let made = Arc::new(make(number));
        MADE.lock().unwrap().insert(number, made.clone());
        made
    });
    World::clone(&made)
}

fn make(number: usize) -> World {
    let mut dice = Dice::seeded(number as u64);
    let mut world = if number % 20 == 19 {
        captured(CAPTURED[number / 20 % CAPTURED.len()])
    } else {
        rendered(&mut dice)
    };
    for pod in world.ids("Pod") {
        world.remember(&pod);
        world.served.insert(pod);
    }
    world
}

/// What the operator was seen to run, with the documents that it ran.
fn captured(name: &str) -> World {
    let cluster = fixture(name).unwrap().cluster();
    let documents = cluster.of_kind("CosmosFullNode");
    let documents = documents.filter(|live| live["metadata"]["namespace"] == NAMESPACE);
    let documents = documents.map(|live| {
        let metadata = &live["metadata"];
        let mut document = live.clone();
        document["metadata"] =
            json!({"name": metadata["name"], "namespace": metadata["namespace"]});
        for part in ["labels", "annotations"] {
            if metadata[part].is_object() {
                document["metadata"][part] = metadata[part].clone();
            }
        }
        document.as_object_mut().unwrap().remove("status");
        document
    });
    World {
        documents: documents.collect(),
        cluster: Cluster::new(cluster.objects.values().cloned().collect()),
        ..World::default()
    }
}

fn rendered(dice: &mut Dice) -> World {
    // one name is the beginning of another, with an ordinal
    let names = [vec!["hub"], vec!["hub", "hub-1"], vec!["kelp"]];
    let names = &names[if dice.once_in(6) {
        1 + dice.below(2)
    } else {
        0
    }];
    let documents: Vec<Value> = names.iter().map(|name| document(name, dice)).collect();
    let mut world = World {
        cluster: Cluster::new(classes()),
        has_identities: true,
        documents,
        ..World::default()
    };
    let says = dice.below(8);
    for document in &world.documents {
        let mut live = document.clone();
        let heights: BTreeMap<String, u64> = instances(document)
            .into_iter()
            .map(|name| (name, 501))
            .collect();
        live["status"] = match says {
            7 => json!({}),
            6 => json!({"sync": {}}),
            _ => json!({"sync": {}, "height": heights}),
        };
        live["metadata"]["uid"] = json!("d0c");
        world.cluster.objects.insert(id(&live), live);
    }
    world.cluster.writes_sync = says != 7;
    fill(&mut world);
    if dice.flip() {
        volumes(&mut world, dice);
    }
    if dice.once_in(5) {
        leave_claims(&mut world);
    }
    for _ in 0..12 {
        world.cluster.tick();
    }
    if dice.once_in(3) {
        world.cluster.objects.values_mut().for_each(disguise);
    }
    world
}

fn classes() -> Vec<Value> {
    let class = |name: &str, grows: bool, policy: &str| {
        json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
            "metadata": {"name": name}, "allowVolumeExpansion": grows, "reclaimPolicy": policy,
            "provisioner": "csi.example.com"})
    };
    vec![
        class("fast", true, "Delete"),
        class("slow", false, "Delete"),
        class("kept", true, "Retain"),
    ]
}

/// Makes all that the documents ask for.
fn fill(world: &mut World) {
    let request = Request {
        specs: specs(world),
        snapshot: Some(vec![world.cluster.source()]),
        options: Options::default(),
    };
    let reported = run(&request);
    let outcome = reported
        .value
        .unwrap_or_else(|| panic!("{:#?}", reported.diagnostics));
    for manifest in outcome.manifests.iter().flat_map(|fleet| &fleet.objects) {
        world.cluster.apply_manifest(manifest, None);
    }
}

/// Returns the documents as they are given to the program.
pub(super) fn specs(world: &World) -> Vec<Source> {
    let mut specs = vec![source("spec.yaml", &world.documents)];
    if world.has_identities {
        specs.push(identities(&world.documents));
    }
    specs
}

/// The public identities of all instances; a fleet that has another name keeps its own.
fn identities(documents: &[Value]) -> Source {
    let of_fleet = |document: &Value| {
        let metadata = &document["metadata"];
        let former = metadata["annotations"]["cosmos-render/renamed-from"].as_str();
        let names = ["hub", "hub-1", "kelp", "gaia"];
        let name = former.or(metadata["name"].as_str()).unwrap_or_default();
        let number = names.iter().position(|n| *n == name).unwrap_or(names.len());
        let ids: BTreeMap<String, String> = instances(document)
            .into_iter()
            .zip(ordinals(document))
            .map(|(instance, n)| (instance, format!("{:0>40}", 1000 * number as u64 + n + 1)))
            .collect();
        json!({"apiVersion": "cosmos-render/v1", "kind": "NodeIdentities",
            "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
            "nodeIDs": ids})
    };
    let all: Vec<Value> = documents.iter().map(of_fleet).collect();
    source("identities.yaml", &all)
}

/// A volume for each claim.
fn volumes(world: &mut World, dice: &mut Dice) {
    let policy = *dice.pick(&["Delete", "Retain"]);
    for claim in world.ids("PersistentVolumeClaim") {
        let object = &world.cluster.objects[&claim];
        let volume = &object["spec"]["volumeName"];
        let volume = json!({"apiVersion": "v1", "kind": "PersistentVolume",
            "metadata": {"name": volume},
            "spec": {"capacity": object["spec"]["resources"]["requests"],
                "accessModes": object["spec"]["accessModes"], "volumeMode": "Filesystem",
                "storageClassName": object["spec"]["storageClassName"],
                "persistentVolumeReclaimPolicy": policy,
                "claimRef": {"namespace": claim.1, "name": claim.2,
                    "uid": object["metadata"]["uid"]}},
            "status": {"phase": "Bound"}});
        world.cluster.objects.insert(id(&volume), volume);
    }
}

/// Claims of instances that left long ago, which were kept.
fn leave_claims(world: &mut World) {
    let documents = world.documents.clone();
    for document in &documents {
        let name = document["metadata"]["name"].as_str().unwrap();
        let all = ordinals(document);
        let first = key(
            "PersistentVolumeClaim",
            &format!("pvc-{name}-{}", all.start),
        );
        let Some(claim) = world.get(&first).cloned() else {
            continue;
        };
        for ordinal in all.end..all.end + 2 {
            let left = format!("pvc-{name}-{ordinal}");
            let uid = format!("left-{left}");
            let mut claim = claim.clone();
            claim["metadata"]["name"] = json!(left);
            claim["metadata"]["uid"] = json!(uid);
            claim["metadata"]["labels"][names::INSTANCE] = json!(format!("{name}-{ordinal}"));
            claim["spec"]["volumeName"] = json!(format!("pv-{left}"));
            world.retained.insert(uid);
            world.cluster.objects.insert(id(&claim), claim);
        }
    }
}

/// Makes an object look as if the operator had made it.
pub(super) fn disguise(object: &mut Value) {
    let (kind, ..): Id = id(object);
    if ["StorageClass", "CosmosFullNode", "PersistentVolume"].contains(&kind.as_str()) {
        return;
    }
    let metadata = object["metadata"].as_object_mut().unwrap();
    let fleet = metadata["annotations"][names::FLEET].clone();
    let owner = json!({"apiVersion": "cosmos.strange.love/v1", "kind": "CosmosFullNode",
        "name": fleet, "controller": true});
    metadata.insert("ownerReferences".to_owned(), json!([owner]));
    if let Some(annotations) = metadata["annotations"].as_object_mut() {
        annotations.retain(|key, _| !key.starts_with("cosmos-render/"));
    }
    metadata["labels"][names::CREATED_BY] = json!(names::REFERENCE);
    if kind == "ConfigMap" {
        metadata["labels"][names::REFERENCE_REVISION] = json!("abcd");
    }
    if kind == "Pod" {
        metadata["annotations"][names::CONFIG_CHECKSUM] = json!("abcd");
        for part in ["initContainers", "containers"] {
            plain_env(object["spec"][part].as_array_mut());
        }
    }
}

/// Takes our variable out.
fn plain_env(containers: Option<&mut Vec<Value>>) {
    for container in containers.into_iter().flatten() {
        let Some(env) = container["env"].as_array_mut() else {
            continue;
        };
        env.retain(|v| v["name"] != "COSMOS_RENDER_REVISION");
        if env.is_empty() {
            container.as_object_mut().unwrap().remove("env");
        }
    }
}
