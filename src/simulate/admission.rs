//! What the API server makes of a manifest: what admission and defaulting add to a pod, and what a
//! patch leaves of a live object. Knows nothing of plans.

use serde_json::{Map, Value, json};

use super::objects::{cut, list, put, text};

/// Adds what admission and defaulting add to a pod's specification, and its node.
pub(super) fn admit(pod: &mut Value, node: &str) {
    let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) else {
        return;
    };
    let token = "kube-api-access-abcde";
    let mount = json!({"name": token, "readOnly": true,
        "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"});
    for part in ["initContainers", "containers"] {
        let containers = spec.get_mut(part).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            admit_container(container, &mount);
        }
    }
    let sources = json!([{"serviceAccountToken": {"path": "token"}}]);
    let volume = json!({"name": token, "projected": {"defaultMode": 420, "sources": sources}});
    push(spec, "volumes", volume);
    for key in ["not-ready", "unreachable"] {
        let key = format!("node.kubernetes.io/{key}");
        let toleration = json!({"key": key, "operator": "Exists", "effect": "NoExecute",
            "tolerationSeconds": 300});
        push(spec, "tolerations", toleration);
    }
    let defaults = json!({
        "nodeName": node, "restartPolicy": "Always", "dnsPolicy": "ClusterFirst",
        "schedulerName": "default-scheduler", "enableServiceLinks": true,
        "terminationGracePeriodSeconds": 30, "preemptionPolicy": "PreemptLowerPriority",
        "priority": 0, "securityContext": {}, "serviceAccountName": "default",
    });
    default(spec, &defaults);
    let account = spec.get("serviceAccountName").cloned();
    spec.insert("serviceAccount".to_owned(), account.unwrap_or_default());
}

fn admit_container(container: &mut Value, mount: &Value) {
    let Some(container) = container.as_object_mut() else {
        return;
    };
    push(container, "volumeMounts", mount.clone());
    let defaults = json!({
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent", "resources": {},
    });
    default(container, &defaults);
}

fn default(members: &mut Map<String, Value>, defaults: &Value) {
    for (name, value) in defaults.as_object().into_iter().flatten() {
        let member = members.entry(name.clone());
        member.or_insert_with(|| value.clone());
    }
}

fn push(members: &mut Map<String, Value>, name: &str, item: Value) {
    let member = members.entry(name).or_insert_with(|| json!([]));
    if let Some(items) = member.as_array_mut() {
        items.push(item);
    }
}

/// Returns the live object with what can change in place taken from the manifest.
pub(crate) fn patched(live: &Value, manifest: &Value) -> Value {
    let mut object = live.clone();
    for part in ["labels", "annotations"] {
        let members = manifest["metadata"][part].as_object();
        for (key, value) in members.into_iter().flatten() {
            put(&mut object, &["metadata", part, key], value.clone());
        }
    }
    match text(&manifest["kind"]) {
        "Pod" => tolerate(&mut object, manifest),
        "ConfigMap" => merge(&mut object, manifest, "data"),
        "Service" => merge(&mut object, manifest, "spec"),
        "PersistentVolumeClaim" => {
            let path = ["spec", "resources", "requests"];
            let requests = manifest["spec"]["resources"]["requests"].clone();
            put(&mut object, &path, requests);
        }
        _ => {
            for part in ["rules", "subjects", "roleRef"] {
                if !manifest[part].is_null() {
                    put(&mut object, &[part], manifest[part].clone());
                }
            }
        }
    }
    object
}

/// A running pod takes tolerations that are added, and loses none.
fn tolerate(object: &mut Value, manifest: &Value) {
    let mut all = list(&object["spec"]["tolerations"]).to_vec();
    for toleration in list(&manifest["spec"]["tolerations"]) {
        if !all.contains(toleration) {
            all.push(toleration.clone());
        }
    }
    put(object, &["spec", "tolerations"], Value::Array(all));
}

fn merge(object: &mut Value, manifest: &Value, part: &str) {
    for (name, value) in manifest[part].as_object().into_iter().flatten() {
        put(object, &[part, name], value.clone());
    }
}

/// Takes a live object over from an operator.
pub(super) fn release(object: &mut Value, fleet: &str) {
    let owners = list(&object["metadata"]["ownerReferences"]);
    let others = owners
        .iter()
        .filter(|owner| owner["kind"] != "CosmosFullNode");
    let others: Vec<Value> = others.cloned().collect();
    if others.is_empty() {
        cut(object, &["metadata", "ownerReferences"]);
    } else {
        put(
            object,
            &["metadata", "ownerReferences"],
            Value::Array(others),
        );
    }
    let mark = ["metadata", "annotations", crate::model::names::FLEET];
    put(object, &mark, json!(fleet));
}
