//! What the reference's typed objects make of a part of the specification: values that mean
//! "nothing" fall away, so that a merge does not take them for a wish, and amounts get their
//! canonical spelling. Knows nothing of where the part goes.

use serde_json::{Map, Value, json};

use crate::model::quantity;

/// Switches that are off where they are absent, so the reference drops `false`.
const SWITCHES: [&str; 10] = [
    "chapAuthDiscovery",
    "chapAuthSession",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "readOnly",
    "sslEnabled",
    "stdin",
    "stdinOnce",
    "tty",
];
/// Numbers of which zero is the same as absence.
const NUMBERS: [&str; 8] = [
    "failureThreshold",
    "hostPort",
    "initialDelaySeconds",
    "nodePort",
    "partition",
    "periodSeconds",
    "successThreshold",
    "timeoutSeconds",
];
/// Texts that differ from absence even where they are empty.
const TEXTS: [&str; 3] = ["apiGroup", "service", "storageClassName"];
/// Maps with keys of the owner's choice: an empty value is a value.
const FREE_MAPS: [&str; 7] = [
    "annotations",
    "labels",
    "matchLabels",
    "nodeSelector",
    "options",
    "volumeAttributes",
    "data",
];
/// Sources whose `readOnly` differs from absence.
const READ_ONLY_COUNTS: [&str; 2] = ["azureDisk", "csi"];
/// Ports of containers and services: the schema sets their protocol, and the reference writes the
/// target of a service's port even where it is not given (zero means the port itself).
const PORTS: &str = "ports";
/// Maps of amounts.
const AMOUNTS: [&str; 3] = ["limits", "overhead", "requests"];

/// Returns the part as the reference would hold it.
pub(crate) fn settled(value: Value) -> Value {
    within("", value)
}

/// Returns a list of ports as the reference would hold it.
pub(crate) fn settled_ports(ports: Value) -> Value {
    within(PORTS, ports)
}

fn within(parent: &str, value: Value) -> Value {
    match value {
        Value::Object(members) if FREE_MAPS.contains(&parent) => Value::Object(members),
        Value::Object(members) if AMOUNTS.contains(&parent) => Value::Object(
            members
                .into_iter()
                .map(|(name, amount)| (name, spelt(amount)))
                .collect(),
        ),
        Value::Object(members) => Value::Object(object(parent, members)),
        Value::Array(items) => {
            let parent = if parent == PORTS { PORTS } else { "" };
            Value::Array(items.into_iter().map(|v| within(parent, v)).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

fn object(parent: &str, members: Map<String, Value>) -> Map<String, Value> {
    let mut kept: Map<String, Value> = members
        .into_iter()
        .filter(|(name, value)| !is_nothing(parent, name, value))
        .map(|(name, value)| {
            let value = match name.as_str() {
                "sizeLimit" | "divisor" => spelt(value),
                _ => within(&name, value),
            };
            (name, value)
        })
        .collect();
    if parent == PORTS {
        kept.entry("protocol").or_insert(json!("TCP"));
        if kept.contains_key("port") {
            kept.entry("targetPort").or_insert(json!(0));
        }
    }
    if parent == "resourceFieldRef" {
        kept.entry("divisor").or_insert(json!("0"));
    }
    kept
}

fn is_nothing(parent: &str, name: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(false) => {
            SWITCHES.contains(&name) && !(name == "readOnly" && READ_ONLY_COUNTS.contains(&parent))
        }
        Value::Number(number) => NUMBERS.contains(&name) && number.as_i64() == Some(0),
        Value::String(text) => text.is_empty() && !TEXTS.contains(&name),
        Value::Array(items) => items.is_empty(),
        Value::Bool(true) | Value::Object(_) => false,
    }
}

fn spelt(amount: Value) -> Value {
    match amount {
        Value::String(text) => json!(quantity::canonical(&text)),
        Value::Number(number) => json!(quantity::canonical(&number.to_string())),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => amount,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(part: Value, expected: &Value) {
        assert_eq!(settled(part), *expected);
    }

    #[test]
    fn what_means_nothing_falls_away() {
        check(
            json!({"name": "node", "args": [], "tty": false, "image": "", "lifecycle": null}),
            &json!({"name": "node"}),
        );
        check(
            json!([{"mountPath": "/x", "readOnly": false}]),
            &json!([{"mountPath": "/x"}]),
        );
    }

    #[test]
    fn what_differs_from_absence_stays() {
        for part in [
            json!({"securityContext": {"runAsNonRoot": false}}),
            json!({"emptyDir": {}}),
            json!({"csi": {"readOnly": false}}),
            json!({"nodeSelector": {"pool": ""}}),
            json!({"terminationGracePeriodSeconds": 0}),
        ] {
            check(part.clone(), &part);
        }
    }

    #[test]
    fn ports_get_what_the_schema_and_the_reference_give_them() {
        check(
            json!({"ports": [{"containerPort": 1}]}),
            &json!({"ports": [{"containerPort": 1, "protocol": "TCP"}]}),
        );
        check(
            json!({"ports": [{"port": 1, "protocol": "UDP", "nodePort": 0}]}),
            &json!({"ports": [{"port": 1, "protocol": "UDP", "targetPort": 0}]}),
        );
    }

    #[test]
    fn amounts_get_their_canonical_spelling() {
        check(
            json!({"resources": {"requests": {"cpu": 1, "memory": "1024Mi"}}}),
            &json!({"resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}),
        );
        check(
            json!({"emptyDir": {"sizeLimit": "0.5Gi"}}),
            &json!({"emptyDir": {"sizeLimit": "512Mi"}}),
        );
    }
}
