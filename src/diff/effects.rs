//! The one table that says what a change of a pod's field takes to come into force, with its
//! reasons (design.md, "When must a pod restart?").

use serde_json::Value;

use super::defaults::same_toleration;
use crate::desired::PodNotes;
use crate::model::names;
use crate::plan::{Change, Effect};

/// Where helper images come from: moving from one to the other, or to another tag, is ours to
/// decide, so it rides along with the next restart.
const HELPER_IMAGES: [&str; 3] = ["/infra-toolkit", "/cosmos-operator", "/cosmos-render"];

/// Returns what a change of a pod's field takes.
pub(super) fn of(change: &Change, notes: &PodNotes) -> Effect {
    let path = change.path.as_str();
    if let Some((container, field)) = own_container(path) {
        return of_own_container(container, field, change, notes);
    }
    if path == "spec.tolerations" && only_adds_tolerations(change) {
        return Effect::InPlace; // Kubernetes lets a running pod tolerate more
    }
    if path == "spec.activeDeadlineSeconds" {
        return Effect::InPlace;
    }
    if let Some(rest) = path.strip_prefix("spec.volumes[name=vol-config]") {
        return of_config_volume(rest, change);
    }
    Effect::Restart
}

/// Splits a path into one of our own containers and the field of it; the field is empty where the
/// whole container comes or goes.
fn own_container(path: &str) -> Option<(&str, &str)> {
    let rest = path
        .strip_prefix("spec.initContainers[name=")
        .or_else(|| path.strip_prefix("spec.containers[name="))?;
    let (name, field) = rest.split_once(']')?;
    let is_own = names::OWN_INIT_CONTAINERS.contains(&name) || names::OWN_SIDECARS.contains(&name);
    is_own.then_some((name, field.trim_start_matches('.')))
}

fn of_own_container(container: &str, field: &str, change: &Change, notes: &PodNotes) -> Effect {
    let top = field.split(['.', '[']).next().unwrap_or(field);
    let is_patched = notes
        .patched
        .get(container)
        .is_some_and(|fields| fields.contains(top) || top.is_empty());
    if is_patched {
        return Effect::Restart; // the owner asked for this very field
    }
    match top {
        // comes with `snapshotURL`, which matters to a new volume only
        "" if container == "snapshot-restore" => Effect::NextRestart,
        "command" | "args" => Effect::NextRestart,
        "env" if field.contains("[name=COSMOS_RENDER_") => Effect::NextRestart,
        // chain-init runs the chain's image, which the owner chooses
        "image" if container != "chain-init" && is_helper_change(change) => Effect::NextRestart,
        _ => Effect::Restart,
    }
}

fn is_helper_change(change: &Change) -> bool {
    let is_helper = |image: &Option<Value>| {
        let Some(image) = image.as_ref().and_then(Value::as_str) else {
            return false;
        };
        let without_digest = image.split('@').next().unwrap_or(image);
        let name = match without_digest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => name,
            _ => without_digest,
        };
        HELPER_IMAGES.iter().any(|helper| name.ends_with(helper))
    };
    is_helper(&change.from) && is_helper(&change.to)
}

fn only_adds_tolerations(change: &Change) -> bool {
    let list = |side: &Option<Value>| {
        side.as_ref()
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let (from, to) = (list(&change.from), list(&change.to));
    let is_system = |t: &Value| {
        t["key"]
            .as_str()
            .is_some_and(|key| key.starts_with("node.kubernetes.io/"))
    };
    from.iter()
        .all(|f| is_system(f) || to.iter().any(|t| same_toleration(f, t)))
}

/// The config volume holds the same files whether the node key comes from the ConfigMap or from a
/// Secret: where it comes from is taken up at the next restart.
fn of_config_volume(rest: &str, change: &Change) -> Effect {
    let source = rest
        .trim_start_matches('.')
        .split(['.', '['])
        .next()
        .unwrap_or_default();
    match source {
        "configMap" | "projected" => Effect::NextRestart,
        "" if change.from.is_some() && change.to.is_some() => Effect::NextRestart,
        _ => Effect::Restart,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(path: &str, from: Value, to: Value, expected: Effect) {
        let some = |value: Value| (!value.is_null()).then_some(value);
        let mut notes = PodNotes::default();
        notes
            .patched
            .insert("healthcheck".to_owned(), ["resources".to_owned()].into());
        notes
            .patched
            .insert("genesis-init".to_owned(), ["args".to_owned()].into());
        let change = Change {
            path: path.to_owned(),
            from: some(from),
            to: some(to),
            effect: Effect::InPlace,
        };
        assert_eq!(of(&change, &notes), expected, "{path}");
    }

    #[test]
    fn what_the_owner_asks_for_restarts() {
        for path in [
            "spec.containers[name=node].image",
            "spec.containers[name=node].env[name=A].value",
            "spec.containers[name=extra]",
            "spec.initContainers[name=mine]",
            "spec.initContainers[name=chain-init].image",
            "spec.volumes[name=data]",
            "spec.nodeSelector",
            "spec.terminationGracePeriodSeconds",
            "spec.containers[name=version-check-interval]",
        ] {
            check(path, json!("a"), json!("b"), Effect::Restart);
        }
    }

    #[test]
    fn what_is_ours_rides_along() {
        check(
            "spec.initContainers[name=clean-init].args",
            json!(["a"]),
            json!(["b"]),
            Effect::NextRestart,
        );
        check(
            "spec.initContainers[name=snapshot-restore]",
            Value::Null,
            json!({}),
            Effect::NextRestart,
        );
        check(
            "spec.containers[name=healthcheck].image",
            json!("ghcr.io/strangelove-ventures/cosmos-operator:v1"),
            json!("ghcr.io/strangelove-ventures/cosmos-operator:latest"),
            Effect::NextRestart,
        );
        check(
            "spec.volumes[name=vol-config].configMap",
            json!({}),
            Value::Null,
            Effect::NextRestart,
        );
    }

    #[test]
    fn what_the_owner_set_on_a_container_of_ours_is_asked_for() {
        check(
            "spec.containers[name=healthcheck].resources.requests.cpu",
            json!("5m"),
            json!("9m"),
            Effect::Restart,
        );
        check(
            "spec.initContainers[name=genesis-init].args",
            json!(["a"]),
            json!(["b"]),
            Effect::Restart,
        );
    }

    #[test]
    fn a_helper_image_from_elsewhere_was_somebodys_wish() {
        check(
            "spec.containers[name=healthcheck].image",
            json!("registry.example.net/mine:1"),
            json!("ghcr.io/strangelove-ventures/cosmos-operator:latest"),
            Effect::Restart,
        );
    }

    #[test]
    fn a_running_pod_may_tolerate_more_but_not_less() {
        let one = json!({"key": "a", "operator": "Exists"});
        let system = json!({"key": "node.kubernetes.io/not-ready", "operator": "Exists"});
        let two = json!({"key": "b", "operator": "Exists"});
        check(
            "spec.tolerations",
            json!([one, system]),
            json!([one, two]),
            Effect::InPlace,
        );
        check(
            "spec.tolerations",
            json!([one, two]),
            json!([one]),
            Effect::Restart,
        );
    }
}
