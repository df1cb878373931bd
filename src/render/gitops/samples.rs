//! Plans and objects written by hand, for the tests of what appliers get.

use serde_json::{Value, json};

use crate::model::{Kind, ObjectKey, names};
use crate::plan::{Action, Condition, Gate, Impact, Step, Wave};

fn key(kind: Kind, name: &str) -> ObjectKey {
    ObjectKey {
        api_version: "v1".to_owned(),
        kind,
        namespace: "chains".to_owned(),
        name: name.to_owned(),
    }
}

/// A step on a pod, or on a claim by its name.
fn step(action: Action, name: &str) -> Step {
    let kind = if name.starts_with("pvc-") {
        Kind::PersistentVolumeClaim
    } else {
        Kind::Pod
    };
    Step {
        action,
        object: key(kind, name),
        ordinal: name
            .rsplit('-')
            .next()
            .and_then(|digits| digits.parse().ok()),
        impact: Impact::None,
        reasons: Vec::new(),
        changes: Vec::new(),
    }
}

fn gate(condition: Condition, pod: &str) -> Gate {
    Gate {
        condition,
        object: key(Kind::Pod, pod),
    }
}

pub(super) fn wave(steps: &[(Action, &str)], gates: &[(Condition, &str)]) -> Wave {
    Wave {
        title: String::new(),
        steps: steps
            .iter()
            .map(|(action, pod)| step(*action, pod))
            .collect(),
        gate: gates.iter().map(|(is, pod)| gate(*is, pod)).collect(),
    }
}

pub(super) fn pod(name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "chains",
            "annotations": {"cosmos-render/revision": "v1-new", names::ARGO_SYNC_OPTIONS: "Replace=true"},
        },
        "spec": {
            "terminationGracePeriodSeconds": 60,
            "volumes": [{"persistentVolumeClaim": {"claimName": format!("pvc-{name}")}}],
        },
    })
}

pub(super) fn claim(pod: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": format!("pvc-{pod}"), "namespace": "chains"},
    })
}
