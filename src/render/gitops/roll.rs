//! The Job that takes a batch's pods away before they are made anew, and the rights that it has: of
//! this fleet's pods alone. Knows nothing of waves.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Fleet, annotation, text};
use crate::model::names;

/// What a Job's name may be long: its pods bear it as a label.
const NAME_LIMIT: usize = 63;
/// How long a Job may take beyond the time that pods take to stop: to be placed and to pull its image.
const MARGIN: i64 = 600;
/// Where the program is published.
const IMAGE: &str = "ghcr.io/strangelove-ventures/cosmos-render";
/// What these objects are to the fleet.
const COMPONENT: &str = "roll";
/// Where kinds of access are from.
const RBAC: &str = "rbac.authorization.k8s.io/v1";
/// The user that the Job runs as: nobody in particular.
const USER: i64 = 65_532;

/// Returns the image whose version is this program's.
pub(super) fn default_image() -> String {
    format!("{IMAGE}:v{}", env!("CARGO_PKG_VERSION"))
}

/// Returns the account of the fleet's Jobs and what it may do. They are the same from one render to
/// the next, so that they are there before any Job is.
pub(super) fn access(fleet: &Fleet<'_>) -> Vec<Value> {
    let name = short(fleet.name, "roll");
    let of = |api_version: &str, kind: &str| {
        json!({
            "apiVersion": api_version,
            "kind": kind,
            "metadata": {
                "name": name,
                "namespace": fleet.namespace,
                "labels": labels(fleet),
            },
        })
    };
    let account = of("v1", "ServiceAccount");
    let mut role = of(RBAC, "Role");
    let pods = pods(fleet);
    // a rule without names would be one of all pods
    role["rules"] = if pods.is_empty() {
        json!([])
    } else {
        json!([{
            "apiGroups": [""],
            "resources": ["pods"],
            "resourceNames": pods,
            "verbs": ["get", "delete"],
        }])
    };
    let mut binding = of(RBAC, "RoleBinding");
    binding["subjects"] =
        json!([{"kind": "ServiceAccount", "name": name, "namespace": fleet.namespace}]);
    binding["roleRef"] = json!({
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "Role",
        "name": name,
    });
    vec![account, role, binding]
}

fn pods<'f>(fleet: &'f Fleet<'_>) -> BTreeSet<&'f str> {
    let pods = fleet
        .objects
        .iter()
        .filter(|object| object["kind"] == "Pod");
    pods.map(|pod| text(pod, "/metadata/name")).collect()
}

/// Returns the Job that takes the named pods away. It is told the revision that each is to have: one
/// that has it already is left alone, so that the Job may run again at any time.
pub(super) fn job(fleet: &Fleet<'_>, part: &str, renewed: &BTreeSet<String>, image: &str) -> Value {
    let pods: Vec<&Value> = fleet
        .objects
        .iter()
        .filter(|object| object["kind"] == "Pod")
        .filter(|object| renewed.contains(text(object, "/metadata/name")))
        .collect();
    let mut args = vec![
        "roll".to_owned(),
        "--namespace".to_owned(),
        fleet.namespace.to_owned(),
        "--fleet".to_owned(),
        fleet.name.to_owned(),
    ];
    args.extend(pods.iter().map(|pod| target(fleet, pod)));
    let deadline = fleet.longest_grace(pods.iter().copied()) + MARGIN;
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": short(fleet.name, &format!("roll-{part}")),
            "namespace": fleet.namespace,
            "labels": labels(fleet),
        },
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": deadline,
            "template": {
                "metadata": {"labels": labels(fleet)},
                "spec": pod(fleet, image, &args),
            },
        },
    })
}

fn pod(fleet: &Fleet<'_>, image: &str, args: &[String]) -> Value {
    json!({
        "serviceAccountName": short(fleet.name, "roll"),
        "restartPolicy": "Never",
        "enableServiceLinks": false,
        "securityContext": {
            "runAsNonRoot": true,
            "runAsUser": USER,
            "runAsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [{
            "name": "roll",
            "image": image,
            "command": ["cosmos-render"],
            "args": args,
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": {"drop": ["ALL"]},
            },
            "resources": {
                "requests": {"cpu": "10m", "memory": "32Mi"},
                "limits": {"memory": "128Mi"},
            },
        }],
    })
}

/// Names a pod and the revision that it is to have. Where the live pod has that revision already and
/// must be made anew all the same (it failed, or its volume waits for a restart), it is named by its
/// UID as well: that very pod goes, and no later one.
fn target(fleet: &Fleet<'_>, pod: &Value) -> String {
    let name = text(pod, "/metadata/name");
    let revision = annotation(pod, names::REVISION).unwrap_or_default();
    match fleet.delivery.pods.get(name) {
        Some(live) if live.revision.as_deref() == Some(revision) && !live.uid.is_empty() => {
            format!("{name}={revision}@{}", live.uid)
        }
        Some(_) | None => format!("{name}={revision}"),
    }
}

/// These objects are no part of the fleet: a plan neither makes nor deletes them.
fn labels(fleet: &Fleet<'_>) -> Value {
    json!({
        "app.kubernetes.io/component": COMPONENT,
        "app.kubernetes.io/managed-by": names::US,
        "app.kubernetes.io/part-of": cut(fleet.name),
    })
}

/// Returns a name of a fleet's and a part, cut to its length with a hash where it is too long.
fn short(fleet: &str, part: &str) -> String {
    let whole = format!("{fleet}-{part}");
    if whole.len() <= NAME_LIMIT {
        return whole;
    }
    let hash = crate::render::digest(fleet);
    let front = NAME_LIMIT - part.len() - 10;
    let kept: String = fleet.chars().take(front).collect();
    format!(
        "{}-{}-{part}",
        kept.trim_end_matches(['-', '.']),
        &hash[..8]
    )
}

/// Returns a label's value.
fn cut(name: &str) -> String {
    let kept: String = name.chars().take(NAME_LIMIT).collect();
    kept.trim_end_matches(['-', '.']).to_owned()
}
