//! What an API server and its admission plug-ins fill in by themselves: Kubernetes' defaults for
//! pods and services, as its API reference gives them.

use serde_json::{Value, json};

use super::tree::{Rules, is_empty};
use crate::model::quantity::Amount;

/// The prefix of tolerations that admission and controllers add.
const SYSTEM_TAINTS: &str = "node.kubernetes.io/";

/// The volume that gives a pod its service account's token.
const TOKEN_VOLUME: &str = "[name=kube-api-access-";

/// Where that volume is mounted.
const TOKEN_MOUNT: &str = "[mountPath=/var/run/secrets/kubernetes.io/serviceaccount]";

/// The rules of a pod's specification.
pub(super) struct OfPod {
    /// Whether a `LimitRange` filled in resources (it says so in an annotation).
    pub(super) has_limit_range: bool,
}

impl Rules for OfPod {
    fn is_filled_in(&self, path: &str, live: &Value, parent: &Value) -> bool {
        let field = path.rsplit('.').next().unwrap_or(path);
        match field {
            "preemptionPolicy"
            | "nodeName"
            | "serviceAccount"
            | "overhead"
            | "imagePullSecrets"
            | "ephemeralContainers" => path == format!("spec.{field}"),
            "priority" => path == "spec.priority",
            "tolerations" => only_system_tolerations(live),
            "imagePullPolicy" => live.as_str() == Some(default_pull_policy(parent)),
            "resources" | "limits" | "requests" if self.has_limit_range => true,
            _ if self.has_limit_range && path.contains(".resources.") => true,
            _ if path.contains(TOKEN_VOLUME) || path.ends_with(TOKEN_MOUNT) => true,
            _ => default_of(path, field).is_some_and(|default| default == *live),
        }
    }

    fn is_same(&self, path: &str, wanted: &Value, live: &Value) -> bool {
        if path == "spec.tolerations" {
            return same_tolerations(wanted, live);
        }
        if path.ends_with(".resources") {
            return is_object(wanted) && is_object(live) && same_resources(wanted, live);
        }
        if live.is_null() {
            let field = path.rsplit('.').next().unwrap_or(path);
            return default_of(path, field).is_some_and(|default| default == *wanted);
        }
        let is_amount = path.contains(".resources.")
            || path.ends_with(".sizeLimit")
            || path.ends_with(".divisor");
        is_amount && same_amount(wanted, live)
    }

    fn key_of(&self, field: &str) -> Option<&'static str> {
        match field {
            "containers" | "initContainers" | "volumes" | "env" | "imagePullSecrets" => {
                Some("name")
            }
            "ports" => Some("containerPort"),
            "volumeMounts" => Some("mountPath"),
            "volumeDevices" => Some("devicePath"),
            _ => None,
        }
    }
}

/// The rules of a service's specification.
pub(super) struct OfService;

impl Rules for OfService {
    /// A service's address, its node ports and its families are the cluster's to give: what a
    /// service of ours does not name is left as it is, but for what would hide or show pods.
    fn is_filled_in(&self, path: &str, live: &Value, parent: &Value) -> bool {
        let field = path.rsplit('.').next().unwrap_or(path);
        match field {
            "publishNotReadyAddresses" | "selector" => is_empty(live) || *live == json!(false),
            "externalTrafficPolicy" => *live == json!("Cluster") || parent["type"] == "ClusterIP",
            _ => !path.starts_with("spec.ports[port=") || path.contains("]."),
        }
    }

    fn is_same(&self, path: &str, wanted: &Value, live: &Value) -> bool {
        let is_default = path.ends_with(".protocol") && live.is_null() && *wanted == json!("TCP");
        is_default || is_own_port(path, wanted, live)
    }

    fn key_of(&self, field: &str) -> Option<&'static str> {
        (field == "ports").then_some("port")
    }
}

/// A port's target is the port itself where none, or zero, is asked for.
fn is_own_port(path: &str, wanted: &Value, live: &Value) -> bool {
    let port = path
        .strip_prefix("spec.ports[port=")
        .and_then(|rest| rest.strip_suffix("].targetPort"))
        .and_then(|port| port.parse::<i64>().ok());
    let none = wanted.is_null() || *wanted == json!(0);
    none && port.is_some_and(|port| *live == json!(port) || live.is_null())
}

/// Returns Kubernetes' default of a field of a pod's specification.
fn default_of(path: &str, field: &str) -> Option<Value> {
    let is_top = path == format!("spec.{field}");
    Some(match field {
        "restartPolicy" if is_top => json!("Always"),
        "dnsPolicy" => json!("ClusterFirst"),
        "schedulerName" => json!("default-scheduler"),
        "enableServiceLinks" => json!(true),
        "serviceAccountName" | "iscsiInterface" => json!("default"),
        "terminationGracePeriodSeconds" if is_top => json!(30),
        "terminationMessagePath" => json!("/dev/termination-log"),
        "terminationMessagePolicy" => json!("File"),
        "protocol" => json!("TCP"),
        "apiVersion" if path.ends_with("fieldRef.apiVersion") => json!("v1"),
        "timeoutSeconds" | "successThreshold" => json!(1),
        "periodSeconds" => json!(10),
        "failureThreshold" => json!(3),
        "scheme" => json!("HTTP"),
        "path" if path.ends_with("httpGet.path") => json!("/"),
        "divisor" => json!("0"),
        "defaultMode" => json!(420),
        "expirationSeconds" => json!(3600),
        "volumeMode" => json!("Filesystem"),
        "whenUnsatisfiable" => json!("DoNotSchedule"),
        "hostNetwork" | "hostPID" | "hostIPC" | "readOnly" | "stdin" | "tty" | "stdinOnce"
        | "optional" => json!(false),
        "pool" => json!("rbd"),
        "keyring" => json!("/etc/ceph/keyring"),
        "cachingMode" => json!("ReadWrite"),
        "kind" if path.ends_with("azureDisk.kind") => json!("Shared"),
        "fsType" if path.ends_with("azureDisk.fsType") => json!("ext4"),
        _ => return None,
    })
}

/// Without a tag, or with `latest`, images are always pulled.
fn default_pull_policy(container: &Value) -> &'static str {
    let image = container["image"].as_str().unwrap_or_default();
    let name = image.rsplit('/').next().unwrap_or(image);
    let is_pinned = name.contains('@') || name.split_once(':').is_some_and(|(_, t)| t != "latest");
    if is_pinned { "IfNotPresent" } else { "Always" }
}

fn is_system(toleration: &Value) -> bool {
    toleration["key"]
        .as_str()
        .is_some_and(|key| key.starts_with(SYSTEM_TAINTS))
}

fn only_system_tolerations(live: &Value) -> bool {
    live.as_array()
        .is_some_and(|items| items.iter().all(is_system))
}

/// Tolerations are a set; those that the system adds are nobody's wish.
fn same_tolerations(wanted: &Value, live: &Value) -> bool {
    let empty = Vec::new();
    let wanted = wanted.as_array().unwrap_or(&empty);
    let live = live.as_array().unwrap_or(&empty);
    wanted
        .iter()
        .all(|w| live.iter().any(|l| same_toleration(w, l)))
        && live
            .iter()
            .all(|l| is_system(l) || wanted.iter().any(|w| same_toleration(w, l)))
}

/// Tells whether two tolerations are one: `Equal` is the operator where none is named.
pub(super) fn same_toleration(a: &Value, b: &Value) -> bool {
    let operator = |t: &Value| t["operator"].as_str().unwrap_or("Equal").to_owned();
    let text = |t: &Value, field: &str| t[field].as_str().unwrap_or_default().to_owned();
    operator(a) == operator(b)
        && ["key", "value", "effect"]
            .iter()
            .all(|f| text(a, f) == text(b, f))
        && a["tolerationSeconds"] == b["tolerationSeconds"]
}

fn is_object(value: &Value) -> bool {
    value.is_object()
}

/// Requests that are not named are the limits.
fn same_resources(wanted: &Value, live: &Value) -> bool {
    let amounts = |of: &Value| {
        let mut all = Vec::new();
        let limits = of["limits"].as_object();
        let requests = of["requests"].as_object();
        for (name, amount) in limits.into_iter().flatten() {
            all.push((format!("limits {name}"), amount.clone()));
            if requests.is_none_or(|r| !r.contains_key(name)) {
                all.push((format!("requests {name}"), amount.clone()));
            }
        }
        for (name, amount) in requests.into_iter().flatten() {
            all.push((format!("requests {name}"), amount.clone()));
        }
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    };
    let (wanted, live) = (amounts(wanted), amounts(live));
    wanted.len() == live.len()
        && wanted
            .iter()
            .zip(&live)
            .all(|(w, l)| w.0 == l.0 && same_amount(&w.1, &l.1))
}

/// Tells whether two quantities are the same amount, however they are spelt.
pub(super) fn same_amount(a: &Value, b: &Value) -> bool {
    a == b || matches!((amount(a), amount(b)), (Some(a), Some(b)) if a == b)
}

/// Tells whether one quantity is less than another.
pub(super) fn is_less(a: &Value, b: &Value) -> bool {
    matches!((amount(a), amount(b)), (Some(a), Some(b)) if a < b)
}

fn amount(value: &Value) -> Option<Amount> {
    match value {
        Value::String(text) => Amount::parse(text).ok(),
        Value::Number(number) => Amount::parse(&number.to_string()).ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
