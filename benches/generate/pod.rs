//! Pods as the operator asks for them, before an API server has seen them.

use serde_json::{Map, Value, json};

use crate::fleet::Fleet;
use crate::merge;

const HOME: &str = "/home/operator";
const TOOLS: &str = "ghcr.io/strangelove-ventures/infra-toolkit:v0.1.6";
const OPERATOR: &str = "ghcr.io/strangelove-ventures/cosmos-operator:latest";

/// The pod of an instance; none if its owner disabled it.
pub(crate) fn main(fleet: &Fleet, ordinal: u64) -> Option<Value> {
    let instance = fleet.instance(ordinal);
    if fleet
        .own(&instance, "disable")
        .is_some_and(|value| !value.is_null())
    {
        return None;
    }
    let mut labels = fleet.labels();
    labels.insert("app.kubernetes.io/instance".to_owned(), json!(instance));
    add_missing(&mut labels, &fleet.map("/podTemplate/metadata/labels"));
    let mut spec = json!({
        "containers": containers(fleet, &instance),
        "hostname": instance,
        "initContainers": init_containers(fleet, &instance),
        "securityContext": {
            "fsGroup": 1025, "fsGroupChangePolicy": "OnRootMismatch", "runAsGroup": 1025,
            "runAsNonRoot": true, "runAsUser": 1025, "seccompProfile": {"type": "RuntimeDefault"},
        },
        "serviceAccountName": fleet.account(),
        "subdomain": fleet.name,
        "terminationGracePeriodSeconds": 30,
        "volumes": volumes(fleet, ordinal),
    });
    patch(fleet, &mut spec);
    let image = json!(fleet.chain_image(&instance));
    for list in ["containers", "initContainers"] {
        for container in spec[list].as_array_mut()? {
            if matches!(container["name"].as_str(), Some("node" | "chain-init")) {
                container["image"] = image.clone();
            }
        }
    }
    version_images(fleet, &mut spec);
    if let Some(selector) = fleet.own(&instance, "nodeSelector") {
        spec["nodeSelector"] = selector.clone();
    }
    let annotations = fleet.map("/podTemplate/metadata/annotations");
    Some(json!({
        "apiVersion": "v1", "kind": "Pod", "spec": spec,
        "metadata": {"name": instance, "labels": labels, "annotations": annotations},
    }))
}

/// An additional pod of an instance.
pub(crate) fn additional(fleet: &Fleet, ordinal: u64, template: &Value) -> Option<Value> {
    let own = template.get("name")?.as_str()?;
    let name = format!("{own}-{ordinal}");
    if fleet
        .own(&name, "disable")
        .is_some_and(|value| !value.is_null())
    {
        return None;
    }
    let mut labels = fleet.labels();
    let belongs_to = fleet.instance(ordinal);
    labels.insert(
        "app.kubernetes.io/name".to_owned(),
        json!(format!("{}-{own}", fleet.name)),
    );
    let mut annotations = Map::new();
    if let Some(metadata) = template.get("metadata") {
        let part = |key: &str| metadata.get(key).and_then(Value::as_object).cloned();
        add_missing(&mut labels, &part("labels").unwrap_or_default());
        annotations = part("annotations").unwrap_or_default();
    }
    labels.insert("app.kubernetes.io/instance".to_owned(), json!(name));
    labels.insert(
        "cosmos.strange.love/belongs-to".to_owned(),
        json!(belongs_to),
    );
    let mut spec = template.as_object()?.clone();
    let is_near = spec.remove("preferSameNode") == Some(json!(true));
    spec.remove("name");
    spec.remove("metadata");
    let mut spec = Value::Object(spec);
    if is_near {
        spec["affinity"] = near(&belongs_to);
    }
    version_images(fleet, &mut spec);
    if let Some(image) = fleet.own(&name, "image") {
        spec["containers"][0]["image"] = image.clone();
    }
    if let Some(selector) = fleet.own(&name, "nodeSelector") {
        spec["nodeSelector"] = selector.clone();
    }
    Some(json!({
        "apiVersion": "v1", "kind": "Pod", "spec": spec,
        "metadata": {"name": name, "labels": labels, "annotations": annotations},
    }))
}

/// A wish to run on the worker of an instance.
fn near(instance: &str) -> Value {
    json!({"podAffinity": {
        "preferredDuringSchedulingIgnoredDuringExecution": [{
            "weight": 100,
            "podAffinityTerm": {
                "labelSelector": {"matchLabels": {"app.kubernetes.io/instance": instance}},
                "topologyKey": "kubernetes.io/hostname",
            },
        }],
    }})
}

fn add_missing(labels: &mut Map<String, Value>, more: &Map<String, Value>) {
    for (key, value) in more {
        labels.entry(key.clone()).or_insert_with(|| value.clone());
    }
}

/// Lays what the owner wrote in the pod template over the operator's pod.
fn patch(fleet: &Fleet, spec: &mut Value) {
    const FIELDS: [&str; 10] = [
        "affinity",
        "containers",
        "imagePullSecrets",
        "initContainers",
        "nodeSelector",
        "priority",
        "priorityClassName",
        "terminationGracePeriodSeconds",
        "tolerations",
        "volumes",
    ];
    let mut template = fleet.map("/podTemplate");
    template.retain(|field, value| FIELDS.contains(&field.as_str()) && !value.is_null());
    if let Value::Object(spec) = spec {
        merge::object(spec, &template);
    }
}

/// Images of single containers that the version for the height names.
fn version_images(fleet: &Fleet, spec: &mut Value) {
    let height = fleet.height();
    let version = fleet
        .list("/chain/versions")
        .iter()
        .rev()
        .find(|version| version.get("height").and_then(Value::as_u64).unwrap_or(0) <= height);
    let Some(images) = version.and_then(|version| version.get("containers")) else {
        return;
    };
    for list in ["containers", "initContainers"] {
        for container in spec
            .get_mut(list)
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            let name = container["name"].as_str().unwrap_or("");
            if let Some(image) = images.get(name) {
                container["image"] = image.clone();
            }
        }
    }
}

fn home(fleet: &Fleet) -> String {
    format!(
        "{HOME}/{}",
        fleet.text("/chain/homeDir").unwrap_or("cosmos")
    )
}

fn environment(fleet: &Fleet) -> Value {
    let home = home(fleet);
    json!([
        {"name": "HOME", "value": HOME},
        {"name": "CHAIN_HOME", "value": home},
        {"name": "GENESIS_FILE", "value": format!("{home}/config/genesis.json")},
        {"name": "ADDRBOOK_FILE", "value": format!("{home}/config/addrbook.json")},
        {"name": "CONFIG_DIR", "value": format!("{home}/config")},
        {"name": "DATA_DIR", "value": format!("{home}/data")},
    ])
}

fn small() -> Value {
    json!({"requests": {"cpu": "5m", "memory": "16Mi"}})
}

fn probe(path: &str, port: u32, failures: u32) -> Value {
    json!({
        "failureThreshold": failures, "httpGet": {"path": path, "port": port, "scheme": "HTTP"},
        "initialDelaySeconds": 1, "periodSeconds": 10, "successThreshold": 1, "timeoutSeconds": 10,
    })
}

fn version_check(fleet: &Fleet, is_repeated: bool) -> Vec<&str> {
    let mut command = vec!["/manager", "versioncheck"];
    command.extend(is_repeated.then_some("-d"));
    if let Some(backend) = fleet.text("/chain/databaseBackend") {
        command.extend(["-b", backend]);
    }
    command
}

fn containers(fleet: &Fleet, instance: &str) -> Value {
    let home = home(fleet);
    let strategy = fleet.text("/podTemplate/probes/strategy").unwrap_or("");
    let mounts = json!([
        {"name": "vol-chain-home", "mountPath": home},
        {"name": "vol-system-tmp", "mountPath": "/tmp"},
    ]);
    let (command, arguments) = start(fleet);
    let mut node = json!({
        "name": "node", "image": fleet.chain_image(instance), "command": command,
        "args": arguments, "env": environment(fleet), "ports": ports(fleet),
        "resources": fleet.map("/podTemplate/resources"), "volumeMounts": mounts,
        "workingDir": HOME,
    });
    let rpc = fleet.rpc_port();
    let mut health = json!({
        "name": "healthcheck", "image": OPERATOR, "resources": small(),
        "command": ["/manager", "healthcheck", "--rpc-host", format!("http://localhost:{rpc}")],
        "ports": [{"containerPort": 1251, "protocol": "TCP"}],
        "volumeMounts": [{"name": "vol-chain-home", "mountPath": home, "readOnly": true}],
    });
    if strategy != "None" {
        node["readinessProbe"] = probe("/health", rpc, 5);
    }
    if !matches!(strategy, "None" | "Reachable") {
        health["readinessProbe"] = probe("/", 1251, 3);
    }
    let mut all = vec![node, health];
    if !fleet.list("/chain/versions").is_empty() {
        all.push(json!({
            "name": "version-check-interval", "image": OPERATOR, "env": environment(fleet),
            "command": version_check(fleet, true), "resources": small(), "securityContext": {},
            "volumeMounts": mounts, "workingDir": HOME,
        }));
    }
    with_pull_policy(fleet, all)
}

fn with_pull_policy(fleet: &Fleet, mut containers: Vec<Value>) -> Value {
    if let Some(policy) = fleet.text("/podTemplate/imagePullPolicy") {
        for container in &mut containers {
            container["imagePullPolicy"] = json!(policy);
        }
    }
    Value::Array(containers)
}

fn ports(fleet: &Fleet) -> Value {
    let mut ports = vec![
        ("api", 1317),
        ("rosetta", 8080),
        ("grpc", 9090),
        ("prometheus", 26660),
        ("p2p", fleet.p2p_port()),
        ("rpc", fleet.rpc_port()),
        ("grpc-web", 9091),
    ];
    if fleet.is_sentry() {
        ports.push(("privval", 1234));
    }
    let port = |(name, port)| json!({"name": name, "containerPort": port, "protocol": "TCP"});
    ports.into_iter().map(port).collect()
}

/// Command and arguments of the chain's process.
fn start(fleet: &Fleet) -> (Value, Value) {
    let binary = fleet.text("/chain/binary").unwrap_or("");
    let mut arguments = vec!["start".to_owned(), "--home".to_owned(), home(fleet)];
    if fleet.at("/chain/skipInvariants") == Some(&json!(true)) {
        arguments.push("--x-crisis-skip-assert-invariants".to_owned());
    }
    for (path, flag) in [
        ("/chain/logLevel", "--log_level"),
        ("/chain/logFormat", "--log_format"),
    ] {
        if let Some(value) = fleet.text(path) {
            arguments.extend([flag.to_owned(), value.to_owned()]);
        }
    }
    let more = fleet
        .list("/chain/additionalStartArgs")
        .iter()
        .filter_map(Value::as_str);
    arguments.extend(more.map(str::to_owned));
    let sleep = fleet
        .at("/chain/privvalSleepSeconds")
        .and_then(Value::as_u64)
        .unwrap_or(10);
    if fleet.is_sentry() && sleep > 0 {
        let script = format!("sleep {sleep}\n{binary} {}", arguments.join(" "));
        return (json!(["sh"]), json!(["-c", script]));
    }
    (json!([binary]), json!(arguments))
}

/// Init containers with stand-ins for the operator's scripts: only what they are driven by is real.
fn init_containers(fleet: &Fleet, instance: &str) -> Value {
    let chain = |name: &str| fleet.text(&format!("/chain/{name}"));
    let step = |name: &str, image: &str, url: Option<&str>| {
        let mut arguments = vec!["-c".to_owned(), format!("# stand-in for {name}")];
        if let Some(url) = url {
            arguments.extend(["-s".to_owned(), url.to_owned()]);
        }
        json!({
            "name": name, "image": image, "command": ["sh"], "args": arguments,
            "env": environment(fleet), "volumeMounts": init_mounts(fleet), "workingDir": HOME,
        })
    };
    let driven = |script: &str, url: &'static str| chain(script).map_or(chain(url), |_| None);
    let mut all = vec![
        step("clean-init", TOOLS, None),
        step("chain-init", &fleet.chain_image(instance), None),
        step("genesis-init", TOOLS, driven("genesisScript", "genesisURL")),
        step(
            "addrbook-init",
            TOOLS,
            driven("addrbookScript", "addrbookURL"),
        ),
        step("config-merge", TOOLS, None),
    ];
    if chain("snapshotURL")
        .or_else(|| chain("snapshotScript"))
        .is_some()
    {
        all.push(step(
            "snapshot-restore",
            TOOLS,
            driven("snapshotScript", "snapshotURL"),
        ));
    }
    all.push(json!({
        "name": "version-check", "image": OPERATOR, "command": version_check(fleet, false),
        "env": environment(fleet), "resources": small(), "securityContext": {},
        "volumeMounts": init_mounts(fleet), "workingDir": HOME,
    }));
    with_pull_policy(fleet, all)
}

fn init_mounts(fleet: &Fleet) -> Value {
    json!([
        {"name": "vol-chain-home", "mountPath": home(fleet)},
        {"name": "vol-system-tmp", "mountPath": "/tmp"},
        {"name": "vol-tmp", "mountPath": format!("{HOME}/.tmp")},
        {"name": "vol-config", "mountPath": format!("{HOME}/.config")},
    ])
}

fn volumes(fleet: &Fleet, ordinal: u64) -> Value {
    let item = |name: &str| json!({"key": name, "path": name});
    json!([
        {"name": "vol-chain-home", "persistentVolumeClaim": {"claimName": fleet.claim(ordinal)}},
        {"name": "vol-tmp", "emptyDir": {}},
        {"name": "vol-config", "configMap": {
            "name": fleet.instance(ordinal),
            "items": [item("config-overlay.toml"), item("app-overlay.toml"), item("node_key.json")],
        }},
        {"name": "vol-system-tmp", "emptyDir": {}},
    ])
}
