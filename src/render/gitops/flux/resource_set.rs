//! The Kustomizations of a fleet in a `ResourceSet` of the Flux Operator, which makes, counts and prunes
//! them by itself. Facts are those of `fluxcd.controlplane.io/v1` at version 0.59 of the operator. Knows
//! nothing of what a Kustomization says.

use serde_json::{Map, Value, json};

use super::text;
use crate::model::names;

/// Where `ResourceSet`s lie: not where Kustomizations do, so that whoever applied the one form finds
/// nothing of the other, and prunes nothing for its lack.
pub(super) const FOLDER: &str = "resourcesets";

/// The operator takes each resource for a template of Go with these delimiters: what is between them
/// would be carried out.
const OPEN: &str = "<<";
/// The template that prints [`OPEN`]; without a quotation mark, which YAML could escape.
const PRINTS_OPEN: &str = "<<`<<`>>";

/// Returns the `ResourceSet` with these Kustomizations. It is ready once all of them are, and looks so
/// long before it says that they are not.
pub(super) fn of(kustomizations: &[Value], name: &str) -> Value {
    let namespace = kustomizations
        .first()
        .map(|one| &one["metadata"]["namespace"]);
    let resources: Vec<Value> = kustomizations.iter().map(escaped).collect();
    json!({
        "apiVersion": "fluxcd.controlplane.io/v1",
        "kind": "ResourceSet",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "annotations": {
                "fluxcd.controlplane.io/reconcileEvery": "10m",
                "fluxcd.controlplane.io/reconcileTimeout": format!("{}s", together(kustomizations)),
            },
            "labels": {
                "app.kubernetes.io/managed-by": names::US,
            },
        },
        "spec": {
            "resources": resources,
            "wait": true,
        },
    })
}

/// Returns how long Kustomizations may take one after the other, in seconds.
fn together(kustomizations: &[Value]) -> u64 {
    let seconds = kustomizations.iter().filter_map(|one| {
        let timeout = text(one, "/spec/timeout").strip_suffix('s')?;
        timeout.parse::<u64>().ok()
    });
    seconds.sum()
}

/// Writes a value so that the operator's template comes to that value.
fn escaped(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(text.replace(OPEN, PRINTS_OPEN)),
        Value::Array(all) => all.iter().map(escaped).collect(),
        Value::Object(all) => {
            let all = all.iter();
            let all = all.map(|(key, value)| (key.replace(OPEN, PRINTS_OPEN), escaped(value)));
            Value::Object(all.collect::<Map<_, _>>())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares what a text comes to.
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let kustomization = json!({
            "metadata": {"namespace": "flux-system"},
            "spec": {"path": text, "timeout": "90s"},
        });
        let set = of(&[kustomization.clone(), kustomization], "chains.hub");
        assert_eq!(set["spec"]["resources"][1]["spec"]["path"], expected);
        let annotations = &set["metadata"]["annotations"];
        assert_eq!(
            annotations["fluxcd.controlplane.io/reconcileTimeout"],
            "180s"
        );
        assert_eq!(set["metadata"]["namespace"], "flux-system");
    }

    #[test]
    fn nothing_in_it_is_a_template() {
        check("./flux/manifests", "./flux/manifests");
        check("./a<<b>>c", "./a<<`<<`>>b>>c");
        check("./<<<", "./<<`<<`>><");
        check("{{ x }}", "{{ x }}");
    }
}
