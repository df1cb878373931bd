//! Holds what is built against the reference operator's own outputs, where they are at hand.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use base64::Engine as _;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::desired::{Desired, build};
use crate::live::facts::{ClaimFacts, ExternalAddress, Facts, RunningPod, VolumeSnapshotFacts};
use crate::model::{FleetKey, NodeId, names};
use crate::spec::document::CosmosFullNode;
use crate::spec::{FullNode, MaxUnavailable};

/// Cases in which the reference's objects leave out what new claims are made from, and their size.
const WITH_SOURCES: [&str; 4] = [
    "pvc-autodatasource",
    "pvc-autodatasource-matchinstance",
    "pvc-datasource-pvc",
    "pvc-datasource-snapshot",
];

/// Reads one table of the reference's functions; empty where the tables are absent.
pub(crate) fn table(name: &str) -> Vec<Value> {
    let Some(text) = read(&format!("oracle/tables/{name}.json")) else {
        eprintln!("skipped: there is no table {name}");
        return Vec::new();
    };
    serde_json::from_str(&text).unwrap()
}

#[test]
fn objects_equal_the_references() {
    let mut compared = 0;
    for case in cases() {
        let expect: Value = serde_json::from_str(&file(&case, "expect.json").unwrap()).unwrap();
        if expect.get("error").is_some() || WITH_SOURCES.contains(&case.as_str()) {
            continue;
        }
        let desired = build_case(&case);
        check(&case, &expect, &desired);
        compared += 1;
    }
    eprintln!("compared {compared} cases");
}

#[test]
fn nothing_is_built_of_a_key() {
    for case in cases()
        .iter()
        .filter(|case| case.starts_with("live-nodekey"))
    {
        for manifest in build_case(case).manifests {
            assert!(!manifest.body.to_string().contains("priv_key"), "{case}");
        }
    }
}

#[track_caller]
fn check(case: &str, expect: &Value, desired: &Desired) {
    let is_partial = expect["partial"].as_array().is_some();
    let foreign: Vec<&Value> = expect["foreign"].as_array().into_iter().flatten().collect();
    let key = |object: &Value| json!([object["kind"], object["metadata"]["name"]]);
    let mut got: BTreeMap<String, Value> = BTreeMap::new();
    for manifest in &desired.manifests {
        let belongs = &manifest.body["metadata"]["labels"]["cosmos.strange.love/belongs-to"];
        if !(is_partial && belongs.is_string()) {
            got.insert(key(&manifest.body).to_string(), manifest.body.clone());
        }
    }
    for wanted in expect["objects"].as_array().unwrap() {
        let key = key(wanted);
        let built = got.remove(&key.to_string());
        if foreign.contains(&&key) {
            continue;
        }
        let built = built.unwrap_or_else(|| panic!("{case}: {key} is missing"));
        let is_same = normal(built.clone(), wanted) == normal(wanted.clone(), wanted);
        assert!(is_same, "{case}: {key}:\n{built}\n{wanted}");
    }
    got.retain(|name, _| !foreign.iter().any(|key| key.to_string() == *name));
    assert!(got.is_empty(), "{case}: not wanted: {:?}", got.keys());
    for fact in expect["scriptFacts"].as_array().into_iter().flatten() {
        check_script(case, fact, desired);
    }
}

#[track_caller]
fn check_script(case: &str, fact: &Value, desired: &Desired) {
    let is_it = |m: &&crate::desired::Manifest| m.pod.is_some() && fact["pod"] == *m.key.name;
    let Some(pod) = desired.manifests.iter().find(is_it) else {
        return;
    };
    let spec = &pod.body["spec"];
    let all = ["initContainers", "containers"].map(|part| spec[part].as_array().unwrap());
    let container = all
        .into_iter()
        .flatten()
        .find(|c| c["name"] == fact["container"]);
    let text = container.unwrap().to_string();
    for value in fact["facts"].as_object().unwrap().values() {
        let quoted = value.to_string();
        assert!(
            text.contains(quoted.trim_matches('"')),
            "{case}: {value} is not in {text}"
        );
    }
}

/// Takes away what is different on purpose. `wanted` says where the reference runs its scripts.
fn normal(object: Value, wanted: &Value) -> Value {
    let mut object = object;
    for part in ["labels", "annotations"] {
        if let Some(members) = object["metadata"][part].as_object_mut() {
            members.retain(|key, _| !is_ours_to_choose(key));
        }
    }
    if object["kind"] == "ConfigMap" {
        let data = object["data"].as_object_mut().unwrap();
        data.remove("node_key.json");
        for (_, text) in data.iter_mut() {
            let table: toml::Table = text.as_str().unwrap().parse().unwrap();
            *text = crate::desired::overlay::typed(&table.into());
        }
    }
    if object["kind"] == "Pod" {
        normalize_pod(&mut object["spec"], &wanted["spec"]);
    }
    if object["kind"] == "PersistentVolumeClaim" {
        let spec = object["spec"].as_object_mut().unwrap();
        for kept in [
            "storageClassName",
            "accessModes",
            "volumeMode",
            "dataSource",
        ] {
            spec.remove(kept);
        }
    }
    without_empty(object)
}

fn is_ours_to_choose(key: &str) -> bool {
    let last = key.strip_prefix("app.kubernetes.io/").unwrap_or_default();
    key.starts_with("cosmos-render/")
        || key == "cosmos.strange.love/config-checksum"
        || ["created-by", "managed-by", "revision", "ordinal"].contains(&last)
}

fn normalize_pod(spec: &mut Value, wanted: &Value) {
    for (part, own) in [
        ("initContainers", &names::OWN_INIT_CONTAINERS[..]),
        ("containers", &names::OWN_SIDECARS[..]),
    ] {
        for container in spec[part].as_array_mut().into_iter().flatten() {
            let same = |other: &&Value| other["name"] == container["name"];
            let theirs = wanted[part].as_array().into_iter().flatten().find(same);
            let args = theirs
                .and_then(|c| c["args"].as_array())
                .into_iter()
                .flatten();
            let is_script = args
                .filter_map(Value::as_str)
                .any(|arg| arg.starts_with("<script:"));
            let is_own = own.contains(&container["name"].as_str().unwrap());
            let name = container["name"].clone();
            let members = container.as_object_mut().unwrap();
            if is_script || (is_own && part == "initContainers") {
                members.remove("command");
                members.remove("args");
            }
            if is_own && name != "chain-init" {
                let image = members["image"].as_str().unwrap().to_owned();
                let untagged = image
                    .rsplit_once(':')
                    .map_or(image.as_str(), |(name, _)| name);
                members.insert("image".to_owned(), json!(untagged));
            }
            if let Some(env) = members.get_mut("env").and_then(Value::as_array_mut) {
                env.retain(|e| !e["name"].as_str().unwrap().starts_with("COSMOS_RENDER_"));
            }
        }
    }
    for volume in spec["volumes"].as_array_mut().into_iter().flatten() {
        if volume["name"] == "vol-config" {
            *volume = json!({"name": "vol-config"});
        }
    }
}

fn without_empty(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().map(|(key, v)| (key, without_empty(v)));
            let is_empty = |v: &Value| [json!({}), json!([]), json!(""), Value::Null].contains(v);
            Value::Object(kept.filter(|(_, v)| !is_empty(v)).collect())
        }
        Value::Array(items) => items.into_iter().map(without_empty).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

fn build_case(case: &str) -> Desired {
    let spec: Value = serde_saphyr::from_str(&file(case, "spec.yaml").unwrap()).unwrap();
    let document: CosmosFullNode = serde_json::from_value(spec).unwrap();
    let overrides = |text: &Option<String>| text.as_deref().unwrap_or_default().parse().unwrap();
    let metadata = document.metadata;
    let node = FullNode {
        key: FleetKey {
            namespace: metadata.namespace.unwrap_or_else(|| "default".to_owned()),
            name: metadata.name,
        },
        api_version: document.api_version,
        labels: metadata.labels,
        annotations: metadata.annotations,
        wishes: crate::spec::wishes::Wishes::default(),
        max_unavailable: MaxUnavailable::Percent(25),
        comet_overrides: overrides(&document.spec.chain.config.overrides),
        app_overrides: overrides(&document.spec.chain.app.overrides),
        spec: document.spec,
    };
    build(&node, &facts(case, &node), None)
}

fn facts(case: &str, node: &FullNode) -> Facts {
    let mut facts = Facts::default();
    let identities: Value =
        serde_saphyr::from_str(&file(case, "identities.yaml").unwrap()).unwrap();
    for (name, id) in identities["nodeIDs"].as_object().into_iter().flatten() {
        let id = NodeId::parse(id.as_str().unwrap()).unwrap();
        facts.node_ids.insert(name.clone(), id);
    }
    let snapshot = file(case, "snapshot.json").unwrap_or_else(|| "{}".to_owned());
    let snapshot: Value = serde_json::from_str(&snapshot).unwrap();
    for object in snapshot["items"].as_array().into_iter().flatten() {
        if object["metadata"]["namespace"] == *node.key.namespace {
            observe(object, node, &mut facts);
        }
    }
    facts
}

fn observe(object: &Value, node: &FullNode, facts: &mut Facts) {
    let name = object["metadata"]["name"].as_str().unwrap().to_owned();
    let (spec, status) = (&object["spec"], &object["status"]);
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let is_terminating = object["metadata"]["deletionTimestamp"].is_string();
    match object["kind"].as_str().unwrap() {
        "CosmosFullNode" if name == node.key.name => observe_status(status, facts),
        "Pod" => {
            let parts = [&spec["initContainers"], &spec["containers"]];
            let all = parts
                .into_iter()
                .flat_map(|part| part.as_array().into_iter().flatten());
            let image = |c: &Value| Some((text(&c["name"])?, text(&c["image"])?));
            let pod = RunningPod {
                images: all.filter_map(image).collect(),
                ..RunningPod::default()
            };
            facts.pods.insert(name, pod);
        }
        "PersistentVolumeClaim" => {
            let owner = &object["metadata"]["ownerReferences"][0];
            facts.own_claims += usize::from(owner["name"] == *node.key.name);
            let claim = ClaimFacts {
                request: text(&spec["resources"]["requests"]["storage"]),
                capacity: text(&status["capacity"]["storage"]),
                is_bound: status["phase"] == "Bound",
                is_terminating,
                uid: String::new(),
            };
            facts.claims.insert(name, claim);
        }
        "Service" if spec["type"] == "LoadBalancer" => {
            let ingress = &status["loadBalancer"]["ingress"][0];
            let address = ExternalAddress {
                ip: text(&ingress["ip"]),
                hostname: text(&ingress["hostname"]),
            };
            facts.addresses.insert(name, address);
        }
        "ConfigMap" => observe_key(name, &object["data"], facts),
        "VolumeSnapshot" => {
            let labels = object["metadata"]["labels"].clone();
            let snapshot = VolumeSnapshotFacts {
                labels: serde_json::from_value(labels).unwrap_or_default(),
                created: text(&status["creationTime"]),
                is_ready: status["readyToUse"] == true,
                restore_size: text(&status["restoreSize"]),
                is_terminating,
            };
            facts.volume_snapshots.insert(name, snapshot);
        }
        _ => {}
    }
}

fn observe_status(status: &Value, facts: &mut Facts) {
    let members = |value: &Value| value.as_object().cloned().unwrap_or_default();
    for (pod, height) in members(&status["height"]) {
        facts.heights.insert(pod, height.as_u64().unwrap());
    }
    for (claim, asked) in members(&status["selfHealing"]["pvcAutoScaler"]) {
        let size = asked["requestedSize"].as_str().unwrap().to_owned();
        facts.autoscaled.insert(claim, size);
    }
    for candidate in Map::values(&members(&status["scheduledSnapshotStatus"])) {
        let pod = candidate["podCandidate"].as_str().unwrap_or_default();
        facts.snapshot_candidates.insert(pod.to_owned());
    }
}

/// An ID is the start of the public key's hash, and the public key ends the private one.
fn observe_key(name: String, data: &Value, facts: &mut Facts) {
    let key = data["node_key.json"].as_str();
    let key: Option<Value> = key.and_then(|text| serde_json::from_str(text).ok());
    let Some(key) = key else { return };
    let value = key["priv_key"]["value"].as_str().unwrap();
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(value)
        .unwrap();
    let hash = Sha256::digest(bytes.get(32..).unwrap());
    let mut id = String::new();
    for byte in hash.iter().take(20) {
        write!(id, "{byte:02x}").unwrap();
    }
    facts
        .node_ids
        .insert(name.clone(), NodeId::parse(&id).unwrap());
    facts.config_map_keys.insert(name);
}

fn cases() -> Vec<String> {
    let folder = shared("oracle/cases");
    #[expect(clippy::disallowed_methods, reason = "a test reads its data")]
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: there is no {}", folder.display());
        return Vec::new();
    };
    let name = |entry: std::fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut all: Vec<String> = entries.map(|entry| name(entry.unwrap())).collect();
    all.sort();
    all
}

fn file(case: &str, name: &str) -> Option<String> {
    read(&format!("oracle/cases/{case}/{name}"))
}

fn read(path: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "a test reads its data")]
    std::fs::read_to_string(shared(path)).ok()
}

fn shared(path: &str) -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "a test finds its data")]
    let folder = std::env::var_os("COSMOS_RENDER_SHARED");
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    folder.map_or_else(beside, PathBuf::from).join(path)
}
