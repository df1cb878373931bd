//! Random fleets in random clusters: no panic, no breach of an invariant, the same bytes twice; and
//! where nothing is broken, what is planned comes to rest.

use std::sync::OnceLock;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use super::cluster::{Cluster, Id};
use super::loops::{Pace, drive, identities};
use super::{Dice, Options, Request, run, source};
use crate::model::Source;
use crate::render::json as json_text;

const NAMESPACE: &str = "chains";

/// How many clusters the cases begin with.
const BASES: u64 = 20;

/// The clusters that cases begin with: made once, since making them takes the longest.
fn base(dice: &mut Dice) -> Cluster {
    static MADE: OnceLock<Vec<Cluster>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let one = |seed| {
            let mut dice = Dice::seeded(seed);
            running(&document(&mut dice), seed % 2 == 0)
        };
        (0..BASES).map(one).collect()
    });
    dice.pick(made).clone()
}

/// A valid document; the first choice of everything is the plainest.
fn document(dice: &mut Dice) -> Value {
    let mut spec = json!({
        "replicas": dice.pick(&[1, 2, 3, 0, 4, 5, 6]),
        "chain": {
            "chainID": "hub-1", "network": "testnet", "binary": "gaiad",
            "app": {"minGasPrice": dice.pick(&["0uhub", "1uhub"])}, "config": {},
        },
        "podTemplate": {"image": dice.pick(&["r.example.com/gaia:v1", "r.example.com/gaia:v2"])},
        "volumeClaimTemplate": {
            "storageClassName": dice.pick(&["fast", "fast", "fast", "slow"]),
            "resources": {"requests": {"storage": dice.pick(&["10Gi", "20Gi", "10240Mi"])}},
        },
    });
    pods(&mut spec, dice);
    chain(&mut spec["chain"], dice);
    if dice.once_in(4) {
        spec["type"] = json!(dice.pick(&["FullNode", "Sentry"]));
    }
    if dice.once_in(3) {
        let budgets = [
            json!(1),
            json!("50%"),
            json!(2),
            json!(0),
            json!("0%"),
            json!("100%"),
        ];
        spec["strategy"] = json!({"maxUnavailable": dice.pick(&budgets)});
    }
    if dice.once_in(3) {
        spec["volumeRetentionPolicy"] = json!(dice.pick(&["Retain", "Delete"]));
    }
    if dice.once_in(6) {
        spec["ordinals"] = json!({"start": dice.pick(&[1, 2])});
    }
    if dice.once_in(6) {
        spec["serviceAccountName"] = json!("mine");
    }
    if dice.once_in(4) {
        spec["service"] = json!({"maxP2PExternalAddresses": dice.pick(&[0, 1, 2])});
    }
    if dice.once_in(4) {
        let image = dice.pick(&["scribe:1", "scribe:2"]);
        let env = dice
            .pick(&[json!([]), json!([{"name": "A", "value": "b"}])])
            .clone();
        spec["additionalVersionedPods"] = json!([{"name": "scribe",
            "containers": [{"name": "scribe", "image": image, "env": env}]}]);
    }
    if dice.once_in(4) {
        let own = [
            json!({"disable": "Pod"}),
            json!({"disable": "All"}),
            json!({"image": "r.example.com/gaia:own"}),
            json!({"externalAddress": "192.0.2.7:26656"}),
            json!({"nodeSelector": {"pool": "a"}}),
        ];
        spec["instanceOverrides"] = json!({dice.pick(&["hub-0", "hub-1", "hub-2"]).to_string():
            dice.pick(&own)});
    }
    let mut metadata = json!({"name": "hub", "namespace": NAMESPACE});
    if dice.once_in(4) {
        metadata["labels"] = json!({"team": dice.pick(&["a", "b"])});
    }
    json!({"apiVersion": "cosmos.strange.love/v1", "kind": "CosmosFullNode",
        "metadata": metadata, "spec": spec})
}

/// Names some claims to be made anew, most with the UIDs that they have, and takes snapshots.
fn name_claims(document: &mut Value, cluster: &mut Cluster, dice: &mut Dice) {
    if !dice.once_in(2) {
        return;
    }
    let claims = cluster
        .objects
        .values()
        .filter(|o| o["kind"] == "PersistentVolumeClaim");
    let claims: Vec<(String, String)> = claims
        .map(|claim| {
            let text = |field: &str| claim["metadata"][field].as_str().unwrap_or("x").to_owned();
            (text("name"), text("uid"))
        })
        .collect();
    let mut named = [Vec::new(), Vec::new(), Vec::new()];
    for (name, uid) in claims {
        let uid = if dice.once_in(8) { "gone" } else { &uid };
        let entry = format!("{name}={uid}");
        match dice.below(6) {
            0 | 1 => named[0].push(entry),
            2 | 3 => named[1].push(entry),
            4 => named[2].push(entry),
            _ => named.iter_mut().for_each(|names| names.push(entry.clone())),
        }
        if !dice.once_in(4) {
            let taken = dice.pick(&[
                "2027-03-01T00:00:00Z",
                "2027-03-01T00:00:00Z",
                "2020-01-01T00:00:00Z",
            ]);
            let snapshot = json!({"apiVersion": "snapshot.storage.k8s.io/v1",
                "kind": "VolumeSnapshot",
                "metadata": {"name": format!("of-{name}"), "namespace": NAMESPACE},
                "spec": {"source": {"persistentVolumeClaimName": name}},
                "status": {"readyToUse": !dice.once_in(6), "creationTime": taken,
                    "restoreSize": dice.pick(&["10Gi", "30Gi"])}});
            cluster
                .objects
                .insert(super::cluster::id(&snapshot), snapshot);
        }
    }
    let annotations = ["restore-claims", "resync-claims", "delete-claims"];
    for (annotation, entries) in annotations.iter().zip(named) {
        let key = format!("cosmos-render/{annotation}");
        document["metadata"]["annotations"][key] = json!(entries.join(","));
    }
}

fn pods(spec: &mut Value, dice: &mut Dice) {
    let template = &mut spec["podTemplate"];
    if dice.once_in(3) {
        let strategies = ["InSync", "Reachable", "None"];
        template["probes"] = json!({"strategy": dice.pick(&strategies)});
    }
    if dice.once_in(4) {
        template["metadata"] = json!({"labels": {"mood": dice.pick(&["calm", "wild"])}});
    }
    if dice.once_in(4) {
        template["tolerations"] = json!([{"key": "pool", "operator": "Exists"}]);
    }
    if dice.once_in(4) {
        let value = dice.pick(&["1", "2"]);
        let env = json!([{"name": "A", "value": value}]);
        template["containers"] = json!([{"name": "node", "env": env}]);
    }
    if dice.once_in(5) {
        template["resources"] = json!({"requests": {"cpu": dice.pick(&["1", "1000m", "2"])}});
    }
}

fn chain(chain: &mut Value, dice: &mut Dice) {
    if dice.once_in(3) {
        let sizes = ["[mempool]\nsize = 1\n", "[mempool]\nsize = 2\n"];
        chain["config"]["overrides"] = json!(dice.pick(&sizes));
    }
    if dice.once_in(3) {
        let urls = [
            "https://x.example.com/a.tar.lz4",
            "https://x.example.com/b.tar",
        ];
        chain["snapshotURL"] = json!(dice.pick(&urls));
    }
    if dice.once_in(5) {
        let peer = "b7c1d93e5f20486a9c8e7d6b5a4f3e2d1c0b9a88@192.0.2.40:26656";
        chain["config"]["peers"] = json!(peer);
    }
    if dice.once_in(3) {
        let halts = dice.flip();
        chain["versions"] = json!([
            {"height": 1, "image": "r.example.com/gaia:v1"},
            {"height": 500, "image": "r.example.com/gaia:v2", "setHaltHeight": halts},
        ]);
    }
}

pub(super) fn specs(document: &Value) -> Vec<Source> {
    let documents = [document.clone()];
    vec![source("spec.yaml", &documents), identities(&documents)]
}

/// A cluster that runs a document, as we render it, or marked as the operator's.
pub(super) fn running(document: &Value, is_ours: bool) -> Cluster {
    let mut class = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
        "metadata": {"name": "fast"}, "allowVolumeExpansion": true});
    let fast = class.clone();
    class["metadata"]["name"] = json!("slow");
    class["allowVolumeExpansion"] = json!(false);
    let mut live = document.clone();
    live["status"] = json!({"sync": {}});
    let mut cluster = Cluster::new(vec![fast, class, live]);
    drive("made", &specs(document), &mut cluster, Pace::Whole);
    cluster.replaced.clear();
    cluster.reasons.clear();
    if !is_ours {
        cluster.objects.values_mut().for_each(disguise);
    }
    cluster
}

/// Makes an object look as if the operator had made it.
fn disguise(object: &mut Value) {
    if object["kind"] == "StorageClass" || object["kind"] == "CosmosFullNode" {
        return;
    }
    let config = object["kind"] == "ConfigMap";
    let pod = object["kind"] == "Pod";
    let metadata = object["metadata"].as_object_mut().unwrap();
    let owner = json!({"apiVersion": "cosmos.strange.love/v1", "kind": "CosmosFullNode",
        "name": "hub", "controller": true});
    metadata.insert("ownerReferences".to_owned(), json!([owner]));
    if let Some(annotations) = metadata
        .get_mut("annotations")
        .and_then(Value::as_object_mut)
    {
        annotations.retain(|key, _| !key.starts_with("cosmos-render/"));
    }
    metadata["labels"]["app.kubernetes.io/created-by"] = json!("cosmos-operator");
    if config {
        metadata["labels"]["app.kubernetes.io/revision"] = json!("abcd");
    }
    if pod {
        metadata.entry("annotations").or_insert_with(|| json!({}))["cosmos.strange.love/config-checksum"] =
            json!("abcd");
        let init = object["spec"]["initContainers"].as_array_mut();
        let plain = object_env(init);
        let plain: usize = plain + object_env(object["spec"]["containers"].as_array_mut());
        assert!(plain <= 1, "more than one container carries the revision");
    }
}

/// Takes our variable out; returns how many there were.
fn object_env(containers: Option<&mut Vec<Value>>) -> usize {
    let mut found = 0;
    for container in containers.into_iter().flatten() {
        let Some(env) = container["env"].as_array_mut() else {
            continue;
        };
        let before = env.len();
        env.retain(|v| v["name"] != "COSMOS_RENDER_REVISION");
        found += before - env.len();
        if env.is_empty() {
            container.as_object_mut().unwrap().remove("env");
        }
    }
    found
}

/// Breaks something.
fn fault(cluster: &mut Cluster, dice: &mut Dice) {
    let kinds = ["Pod", "ConfigMap", "PersistentVolumeClaim", "Service"];
    let ids: Vec<Id> = cluster
        .objects
        .keys()
        .filter(|(kind, ..)| kinds.contains(&kind.as_str()))
        .cloned()
        .collect();
    if ids.is_empty() {
        return;
    }
    let id = dice.pick(&ids).clone();
    let pods: Vec<Id> = ids
        .iter()
        .filter(|(kind, ..)| kind == "Pod")
        .cloned()
        .collect();
    match dice.below(9) {
        0 => not_ready(cluster, &pods, dice),
        1 => drop(cluster.objects.remove(&id)),
        2 => {
            let object = cluster.objects.get_mut(&id).unwrap();
            object["metadata"]["deletionTimestamp"] = json!("2026-09-01T00:00:00Z");
        }
        3 => sync(cluster, dice),
        4 => {
            for claim in cluster.objects.values_mut() {
                if claim["kind"] == "PersistentVolumeClaim" && dice.flip() {
                    claim["status"] = json!({"phase": "Pending"});
                }
            }
        }
        5 => {
            let metadata = &mut cluster.objects.get_mut(&id).unwrap()["metadata"];
            metadata["labels"] = json!({});
            metadata["annotations"] = json!({});
            let owner = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "x",
                "controller": true});
            metadata["ownerReferences"] = json!([owner]);
        }
        6 => {
            let kind = *dice.pick(&kinds);
            cluster.objects.retain(|(of, ..), _| of != kind);
        }
        7 => {
            let document = cluster
                .objects
                .values_mut()
                .find(|o| o["kind"] == "CosmosFullNode");
            let heights = [
                json!({}),
                json!({"hub-0": 100}),
                json!({"hub-0": 500, "hub-1": 499}),
            ];
            if let Some(document) = document {
                document["status"]["height"] = dice.pick(&heights).clone();
            }
        }
        _ => {
            let claim = cluster
                .objects
                .values_mut()
                .find(|o| o["kind"] == "PersistentVolumeClaim");
            if let Some(claim) = claim {
                claim["status"]["conditions"] =
                    json!([{"type": "FileSystemResizePending", "status": "True"}]);
            }
        }
    }
}

fn not_ready(cluster: &mut Cluster, pods: &[Id], dice: &mut Dice) {
    if pods.is_empty() {
        return;
    }
    let at = dice.pick(&["2026-09-21T14:13:20Z", "2027-01-01T00:00:00Z"]);
    let pod = cluster.objects.get_mut(dice.pick(pods)).unwrap();
    pod["status"]["conditions"] =
        json!([{"type": "Ready", "status": "False", "lastTransitionTime": at}]);
}

fn sync(cluster: &mut Cluster, dice: &mut Dice) {
    let Some(document) = cluster
        .objects
        .values_mut()
        .find(|o| o["kind"] == "CosmosFullNode")
    else {
        return;
    };
    let status = &mut document["status"];
    match dice.below(4) {
        0 => status["sync"] = json!({}),
        1 => *status = json!({}),
        2 => status["sync"]["hub-0"]["inSync"] = json!(false),
        _ => status["sync"]["hub-1"] = json!({"timestamp": "2020-01-01T00:00:00Z", "error": "no"}),
    }
}

/// Plans and renders; errors are an outcome too, but a breach is a fault.
#[track_caller]
fn bytes(specs: &[Source], cluster: &Cluster, options: Options) -> String {
    let request = Request {
        specs: specs.to_vec(),
        snapshot: Some(vec![cluster.source()]),
        options,
    };
    let reported = run(&request);
    let diagnostics = format!("{:#?}", reported.diagnostics);
    let breaches = reported
        .diagnostics
        .iter()
        .filter(|d| d.code == "internal-breach");
    let breaches: Vec<&str> = breaches.map(|breach| breach.message.as_str()).collect();
    assert!(breaches.is_empty(), "{breaches:#?}");
    let Some(outcome) = reported.value else {
        return diagnostics;
    };
    let objects: Vec<String> = outcome.manifests.iter().map(|f| format!("{f:?}")).collect();
    json_text::plan(&outcome.plan).unwrap() + &objects.join("\n")
}

pub(super) fn check(most: usize, judge: impl Fn(&mut Dice)) {
    let cases = cases().unwrap_or(most);
    let config = Config {
        cases: u32::try_from(cases).unwrap(),
        failure_persistence: None,
        max_shrink_iters: 100,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let bytes = proptest::collection::vec(any::<u8>(), 120);
    let ran = TestRunner::new_with_rng(config, rng).run(&bytes, |bytes| {
        judge(&mut Dice::new(bytes));
        Ok(())
    });
    if let Err(error) = ran {
        panic!(
            "{}",
            error
                .to_string()
                .split("minimal failing input")
                .next()
                .unwrap()
        );
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "who hunts for faults asks for more cases"
)]
fn cases() -> Option<usize> {
    std::env::var("COSMOS_RENDER_CASES").ok()?.parse().ok()
}

#[test]
fn whatever_is_broken_there_is_no_panic_and_no_breach() {
    check(200, |dice| {
        let mut cluster = base(dice);
        for _ in 0..dice.below(4) {
            fault(&mut cluster, dice);
        }
        let mut document = document(dice);
        name_claims(&mut document, &mut cluster, dice);
        let specs = specs(&document);
        let options = Options {
            refresh: dice.once_in(4),
            ..Options::default()
        };
        let first = bytes(&specs, &cluster, options);
        assert_eq!(first, bytes(&specs, &cluster, options));
    });
}

#[test]
fn from_one_document_to_another_every_fleet_comes_to_rest() {
    check(40, |dice| {
        let mut cluster = base(dice);
        let mut document = document(dice);
        name_claims(&mut document, &mut cluster, dice);
        let specs = specs(&document);
        drive("random", &specs, &mut cluster, Pace::Whole);
    });
}

#[test]
fn from_one_document_to_another_every_fleet_comes_to_rest_wherever_it_stops() {
    check(60, |dice| {
        let mut cluster = base(dice);
        let mut document = document(dice);
        name_claims(&mut document, &mut cluster, dice);
        let specs = specs(&document);
        let pace = Pace::StoppedAfter(dice.below(9));
        drive("random", &specs, &mut cluster, pace);
    });
}
