//! What the API server and the scheduler add to a pod: defaults, tolerations, the token volume.

use serde_json::{Value, json};

use crate::identity;

/// Where a service account's token is mounted.
const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Fills a pod in.
pub(crate) fn admit(pod: &mut Value, seed: u64) {
    let name = pod["metadata"]["name"].as_str().unwrap_or("").to_owned();
    pod["metadata"]["generation"] = json!(1);
    let spec = &mut pod["spec"];
    let token = format!("kube-api-access-{}", identity::suffix(seed, &name));
    for list in ["containers", "initContainers"] {
        for container in spec
            .get_mut(list)
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            fill_container(container, &token);
        }
    }
    for volume in spec
        .get_mut("volumes")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        fill_volume(volume);
    }
    push(spec, "volumes", token_volume(&token));
    for key in ["not-ready", "unreachable"] {
        let toleration = json!({
            "effect": "NoExecute", "key": format!("node.kubernetes.io/{key}"),
            "operator": "Exists", "tolerationSeconds": 300,
        });
        push(spec, "tolerations", toleration);
    }
    set(spec, "serviceAccountName", json!("default"));
    let account = spec["serviceAccountName"].clone();
    for (field, value) in [
        ("dnsPolicy", json!("ClusterFirst")),
        ("enableServiceLinks", json!(true)),
        ("nodeName", json!(node(seed, &name))),
        ("preemptionPolicy", json!("PreemptLowerPriority")),
        ("priority", json!(0)),
        ("restartPolicy", json!("Always")),
        ("schedulerName", json!("default-scheduler")),
        ("securityContext", json!({})),
        ("serviceAccount", account),
        ("terminationGracePeriodSeconds", json!(30)),
    ] {
        set(spec, field, value);
    }
}

/// The volume with a service account's token, the cluster's certificate and the namespace.
fn token_volume(name: &str) -> Value {
    json!({"name": name, "projected": {
        "defaultMode": 420,
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {
                "items": [{"key": "ca.crt", "path": "ca.crt"}], "name": "kube-root-ca.crt",
            }},
            {"downwardAPI": {"items": [{
                "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"},
                "path": "namespace",
            }]}},
        ],
    }})
}

/// The worker on which a pod runs.
pub(crate) fn node(seed: u64, pod: &str) -> String {
    format!(
        "worker-{:02}",
        identity::number(seed, &format!("node/{pod}"), 12) + 1
    )
}

fn set(object: &mut Value, field: &str, value: Value) {
    if object.get(field).is_none_or(Value::is_null) {
        object[field] = value;
    }
}

/// Appends to a list that may not be there yet.
fn push(object: &mut Value, field: &str, item: Value) {
    match object.get_mut(field).and_then(Value::as_array_mut) {
        Some(items) => items.push(item),
        None => object[field] = json!([item]),
    }
}

fn fill_container(container: &mut Value, token: &str) {
    let image = container["image"].as_str().unwrap_or("");
    let tag = image
        .rsplit('/')
        .next()
        .and_then(|name| name.split_once(':'));
    let policy = if tag.is_none_or(|(_, tag)| tag == "latest") {
        "Always"
    } else {
        "IfNotPresent"
    };
    set(container, "imagePullPolicy", json!(policy));
    set(container, "resources", json!({}));
    set(
        container,
        "terminationMessagePath",
        json!("/dev/termination-log"),
    );
    set(container, "terminationMessagePolicy", json!("File"));
    for port in container
        .get_mut("ports")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        set(port, "protocol", json!("TCP"));
    }
    fill_probes(container);
    for variable in container
        .get_mut("env")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Some(field) = variable.pointer_mut("/valueFrom/fieldRef") {
            set(field, "apiVersion", json!("v1"));
        }
    }
    let mount = json!({"mountPath": TOKEN, "name": token, "readOnly": true});
    push(container, "volumeMounts", mount);
}

fn fill_probes(container: &mut Value) {
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probe) = container.get_mut(probe) else {
            continue;
        };
        let usual = [
            ("failureThreshold", 3),
            ("periodSeconds", 10),
            ("successThreshold", 1),
            ("timeoutSeconds", 1),
        ];
        for (field, value) in usual {
            set(probe, field, json!(value));
        }
        if let Some(get) = probe.get_mut("httpGet") {
            set(get, "scheme", json!("HTTP"));
        }
    }
}

fn fill_volume(volume: &mut Value) {
    for source in ["configMap", "secret", "projected", "downwardAPI"] {
        if let Some(source) = volume.get_mut(source) {
            set(source, "defaultMode", json!(420));
        }
    }
    if let Some(path) = volume.get_mut("hostPath") {
        set(path, "type", json!(""));
    }
}
