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
            return same_resources(wanted, live);
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

    fn is_set(&self, path: &str) -> bool {
        path == "spec.tolerations"
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
    let claims = |of: &Value| of["claims"].as_array().cloned().unwrap_or_default();
    let is_same_claims = claims(wanted) == claims(live);
    let (wanted, live) = (amounts(wanted), amounts(live));
    is_same_claims
        && wanted.len() == live.len()
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

#[cfg(test)]
mod tests {
    use super::super::tree::changes;
    use super::*;

    /// Tells whether a field that nobody asked for is no difference.
    #[track_caller]
    fn check_pod(path: &str, live: &Value, expected: bool) {
        let rules = OfPod {
            has_limit_range: false,
        };
        let found = rules.is_filled_in(path, live, &json!({}));
        assert_eq!(found, expected, "{path}: {live}");
    }

    /// Compares the specifications of two pods: the paths that differ.
    #[track_caller]
    fn check_paths(wanted: &Value, live: &Value, expected: &[&str]) {
        let rules = OfPod {
            has_limit_range: false,
        };
        let found: Vec<String> = changes("spec", wanted, live, &rules)
            .into_iter()
            .map(|change| change.path)
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn ports_are_told_by_their_numbers() {
        let pod = |ports: Value| json!({"containers": [{"name": "node", "ports": ports}]});
        check_paths(
            &pod(json!([{"containerPort": 1, "name": "a"}, {"containerPort": 2, "name": "b"}])),
            &pod(json!([{"containerPort": 1, "name": "a"}, {"containerPort": 2, "name": "c"}])),
            &["spec.containers[name=node].ports[containerPort=2].name"],
        );
    }

    #[test]
    fn claims_of_devices_are_compared() {
        let pod =
            |resources: Value| json!({"containers": [{"name": "node", "resources": resources}]});
        let path = "spec.containers[name=node].resources";
        let gpu = json!({"claims": [{"name": "gpu"}]});
        let claims = format!("{path}.claims");
        check_paths(&pod(gpu.clone()), &pod(gpu.clone()), &[]);
        check_paths(&pod(gpu.clone()), &pod(json!({})), &[&claims]);
        check_paths(&pod(json!({})), &pod(gpu.clone()), &[&claims]);
        check_paths(&pod(Value::Null), &pod(gpu.clone()), &[path]);
        check_paths(&pod(json!({"limits": {}})), &pod(Value::Null), &[]);
    }

    #[test]
    fn what_kubernetes_writes_where_nothing_is_asked_for_is_no_difference() {
        let volume = |rest: &str| format!("spec.volumes[name=v].{rest}");
        let node = |rest: &str| format!("spec.containers[name=node].{rest}");
        let constraint = "spec.topologySpreadConstraints[0].whenUnsatisfiable".to_owned();
        let token = volume("projected.sources[0].serviceAccountToken.expirationSeconds");
        for (path, default) in [
            ("spec.restartPolicy".to_owned(), json!("Always")),
            ("spec.dnsPolicy".to_owned(), json!("ClusterFirst")),
            ("spec.schedulerName".to_owned(), json!("default-scheduler")),
            ("spec.enableServiceLinks".to_owned(), json!(true)),
            ("spec.serviceAccountName".to_owned(), json!("default")),
            ("spec.terminationGracePeriodSeconds".to_owned(), json!(30)),
            ("spec.hostNetwork".to_owned(), json!(false)),
            ("spec.hostPID".to_owned(), json!(false)),
            ("spec.hostIPC".to_owned(), json!(false)),
            (constraint, json!("DoNotSchedule")),
            (
                node("terminationMessagePath"),
                json!("/dev/termination-log"),
            ),
            (node("terminationMessagePolicy"), json!("File")),
            (node("ports[containerPort=1].protocol"), json!("TCP")),
            (node("stdin"), json!(false)),
            (node("tty"), json!(false)),
            (node("stdinOnce"), json!(false)),
            (node("volumeMounts[mountPath=/a].readOnly"), json!(false)),
            (
                node("env[name=A].valueFrom.fieldRef.apiVersion"),
                json!("v1"),
            ),
            (
                node("env[name=A].valueFrom.resourceFieldRef.divisor"),
                json!("0"),
            ),
            (node("startupProbe.timeoutSeconds"), json!(1)),
            (node("startupProbe.successThreshold"), json!(1)),
            (node("startupProbe.periodSeconds"), json!(10)),
            (node("startupProbe.failureThreshold"), json!(3)),
            (node("startupProbe.httpGet.scheme"), json!("HTTP")),
            (node("startupProbe.httpGet.path"), json!("/")),
            (token, json!(3600)),
            (volume("configMap.defaultMode"), json!(420)),
            (volume("configMap.optional"), json!(false)),
            (volume("iscsi.iscsiInterface"), json!("default")),
            (
                volume("ephemeral.volumeClaimTemplate.spec.volumeMode"),
                json!("Filesystem"),
            ),
            (volume("rbd.pool"), json!("rbd")),
            (volume("rbd.keyring"), json!("/etc/ceph/keyring")),
            (volume("azureDisk.cachingMode"), json!("ReadWrite")),
            (volume("azureDisk.kind"), json!("Shared")),
            (volume("azureDisk.fsType"), json!("ext4")),
        ] {
            check_pod(&path, &default, true);
            check_pod(&path, &json!("another"), false);
        }
    }

    #[test]
    fn a_default_of_one_field_is_none_of_its_namesakes() {
        let below = "spec.containers[name=node]";
        check_pod(&format!("{below}.restartPolicy"), &json!("Always"), false);
        let grace = "livenessProbe.terminationGracePeriodSeconds";
        check_pod(&format!("{below}.{grace}"), &json!(30), false);
        check_pod(
            "spec.volumes[name=v].azureFile.kind",
            &json!("Shared"),
            false,
        );
        check_pod("spec.volumes[name=v].rbd.fsType", &json!("ext4"), false);
        check_pod("spec.volumes[name=v].hostPath.path", &json!("/"), false);
        let owner = "spec.volumes[name=v].dataSource.apiVersion";
        check_pod(owner, &json!("v1"), false);
    }

    #[test]
    fn what_admission_writes_into_a_pod_is_no_difference() {
        for field in [
            "preemptionPolicy",
            "nodeName",
            "serviceAccount",
            "overhead",
            "imagePullSecrets",
            "ephemeralContainers",
            "priority",
        ] {
            check_pod(&format!("spec.{field}"), &json!("x"), true);
            check_pod(&format!("spec.volumes[name=v].{field}"), &json!("x"), false);
        }
        check_pod("spec.nodeSelector", &json!({"a": "b"}), false);
        check_pod("spec.volumes[name=kube-api-access-x1]", &json!({}), true);
        check_pod("spec.volumes[name=mine]", &json!({}), false);
        let mount = "spec.containers[name=node].volumeMounts[mountPath=";
        let token = format!("{mount}/var/run/secrets/kubernetes.io/serviceaccount]");
        check_pod(&token, &json!({}), true);
        check_pod(&format!("{mount}/var/run]"), &json!({}), false);
    }

    #[test]
    fn resources_are_filled_in_by_limit_ranges_alone() {
        let requests = "spec.containers[name=node].resources.requests";
        let amount = format!("{requests}.cpu");
        for path in ["spec.containers[name=node].resources", requests, &amount] {
            for has_limit_range in [false, true] {
                let rules = OfPod { has_limit_range };
                let found = rules.is_filled_in(path, &json!({"cpu": "1"}), &json!({}));
                assert_eq!(found, has_limit_range, "{path}");
            }
        }
        let of_limits = OfPod {
            has_limit_range: true,
        };
        assert!(!of_limits.is_filled_in("spec.nodeSelector", &json!({"a": "b"}), &json!({})));
    }

    #[test]
    fn an_image_without_a_version_is_always_pulled() {
        for (image, policy) in [
            ("a/hub", "Always"),
            ("a/hub:latest", "Always"),
            ("a:5000/hub", "Always"),
            ("a/hub:v1", "IfNotPresent"),
            ("a/hub@sha256:0", "IfNotPresent"),
        ] {
            assert_eq!(
                default_pull_policy(&json!({"image": image})),
                policy,
                "{image}"
            );
        }
    }

    #[test]
    fn devices_of_a_container_are_told_apart_by_their_paths() {
        let pod = |devices: &[&str]| {
            let all = devices
                .iter()
                .map(|d| json!({"devicePath": d, "name": "v"}));
            json!({"containers": [{"name": "node", "volumeDevices": all.collect::<Vec<_>>()}]})
        };
        let rules = OfPod {
            has_limit_range: false,
        };
        let found = changes("spec", &pod(&["/a"]), &pod(&["/a", "/b"]), &rules);
        let paths: Vec<&str> = found.iter().map(|change| change.path.as_str()).collect();
        assert_eq!(
            paths,
            ["spec.containers[name=node].volumeDevices[devicePath=/b]"]
        );
    }

    #[track_caller]
    fn check_service(wanted: &Value, live: &Value, expected: &[&str]) {
        let found = changes("spec", wanted, live, &OfService);
        let paths: Vec<&str> = found.iter().map(|change| change.path.as_str()).collect();
        assert_eq!(paths, expected);
    }

    #[test]
    fn what_the_cluster_gives_a_service_is_no_difference() {
        let wanted = json!({"type": "ClusterIP", "ports": [{"name": "p2p", "port": 1}]});
        let mut live = json!({
            "type": "ClusterIP", "clusterIP": "10.0.0.1", "externalTrafficPolicy": "Local",
            "publishNotReadyAddresses": false,
            "ports": [{"name": "p2p", "port": 1, "protocol": "TCP", "nodePort": 9, "targetPort": 1}],
        });
        check_service(&wanted, &live, &[]);
        live["publishNotReadyAddresses"] = json!(true);
        live["selector"] = json!({"a": "b"});
        check_service(
            &wanted,
            &live,
            &["spec.publishNotReadyAddresses", "spec.selector"],
        );
        live = json!({"type": "LoadBalancer", "externalTrafficPolicy": "Local"});
        let balanced = json!({"type": "LoadBalancer"});
        check_service(&balanced, &live, &["spec.externalTrafficPolicy"]);
        live["externalTrafficPolicy"] = json!("Cluster");
        check_service(&balanced, &live, &[]);
    }

    #[test]
    fn a_port_that_nobody_asked_for_goes() {
        let (one, two) = (json!({"port": 1}), json!({"port": 2}));
        let both = json!({"ports": [one, two]});
        check_service(&json!({"ports": [one]}), &both, &["spec.ports[port=2]"]);
    }

    #[test]
    fn a_port_that_names_no_target_is_its_own() {
        let port = |target: &Value| json!({"ports": [{"port": 1, "targetPort": target}]});
        let none = json!({"ports": [{"port": 1}]});
        let at = ["spec.ports[port=1].targetPort"];
        check_service(&port(&json!(0)), &port(&json!(1)), &[]);
        check_service(&port(&json!(0)), &none, &[]);
        check_service(&port(&json!(0)), &port(&json!(2)), &at);
        check_service(&port(&json!(2)), &port(&json!(1)), &at);
        check_service(&port(&json!(2)), &none, &at);
        check_service(&port(&json!("p2p")), &none, &at);
    }

    #[test]
    fn a_port_that_names_no_protocol_speaks_tcp() {
        let port = |protocol: &str| json!({"ports": [{"port": 1, "protocol": protocol}]});
        let none = json!({"ports": [{"port": 1}]});
        let at = ["spec.ports[port=1].protocol"];
        check_service(&port("TCP"), &none, &[]);
        check_service(&port("UDP"), &none, &at);
        check_service(&port("TCP"), &port("UDP"), &at);
    }

    #[test]
    fn tolerations_are_a_set_to_which_the_system_adds() {
        let one = |key: &str, operator: &str| json!({"key": key, "operator": operator});
        let system = one("node.kubernetes.io/not-ready", "Exists");
        let (a, b) = (one("a", "Exists"), one("b", "Exists"));
        for (wanted, live, expected) in [
            (json!([a, b]), json!([b, system, a]), true),
            (json!([a]), json!([a, b]), false),
            (json!([a, b]), json!([a]), false),
            (json!([{"key": "a"}]), json!([one("a", "Equal")]), true),
            (json!([one("a", "Equal")]), json!([a]), false),
        ] {
            assert_eq!(
                same_tolerations(&wanted, &live),
                expected,
                "{wanted} {live}"
            );
        }
        for field in ["key", "value", "effect", "tolerationSeconds"] {
            let mut other = a.clone();
            other[field] = json!("other");
            assert!(!same_toleration(&a, &other), "{field}");
        }
        check_pod("spec.tolerations", &json!([system]), true);
        check_pod("spec.tolerations", &json!([system, a]), false);
    }

    #[test]
    fn requests_that_are_not_named_are_the_limits() {
        let both = json!({"limits": {"cpu": "1"}, "requests": {"cpu": "1000m"}});
        for (wanted, live, expected) in [
            (json!({"limits": {"cpu": "1"}}), both.clone(), true),
            (both.clone(), json!({"limits": {"cpu": 1}}), true),
            (json!({"limits": {"cpu": "2"}}), both.clone(), false),
            (json!({"requests": {"cpu": "1"}}), both.clone(), false),
            (json!({"limits": {"memory": "1"}}), both, false),
        ] {
            let rules = OfPod {
                has_limit_range: false,
            };
            let path = "spec.containers[name=node].resources";
            let found = rules.is_same(path, &wanted, &live);
            assert_eq!(found, expected, "{wanted} {live}");
        }
    }

    #[test]
    fn amounts_are_the_same_however_they_are_spelt() {
        let rules = OfPod {
            has_limit_range: false,
        };
        for (path, expected) in [
            ("spec.volumes[name=v].emptyDir.sizeLimit", true),
            (
                "spec.containers[name=a].env[name=A].valueFrom.resourceFieldRef.divisor",
                true,
            ),
            ("spec.containers[name=a].resources.limits.cpu", true),
            ("spec.containers[name=a].env[name=A].value", false),
        ] {
            assert_eq!(
                rules.is_same(path, &json!("1"), &json!("1000m")),
                expected,
                "{path}"
            );
            assert!(!rules.is_same(path, &json!("1"), &json!("2")), "{path}");
        }
        assert!(is_less(&json!("1"), &json!("1001m")));
        assert!(!is_less(&json!("1"), &json!(1)));
        assert!(!is_less(&json!("2"), &json!("1")));
    }
}
