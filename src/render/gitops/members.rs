//! Which instance an object of a fleet belongs to, by its own words. Knows nothing of plans.

use std::collections::BTreeMap;

use serde_json::Value;

use super::text;
use crate::model::names;

/// Returns the main pod that a pod goes with: itself, where it is one.
pub(super) fn main_of(pod: &Value) -> &str {
    let label = pod["metadata"]["labels"].get(names::BELONGS_TO);
    match label.and_then(Value::as_str) {
        Some(main) if !main.is_empty() => main,
        Some(_) | None => text(pod, "/metadata/name"),
    }
}

/// Returns the claims that a pod mounts.
pub(super) fn claims_of(pod: &Value) -> impl Iterator<Item = &str> {
    let volumes = pod.pointer("/spec/volumes").and_then(Value::as_array);
    let volumes = volumes.into_iter().flatten();
    volumes.filter_map(|volume| volume.pointer("/persistentVolumeClaim/claimName")?.as_str())
}

/// Returns the pods that mount each claim, by its name.
pub(super) fn users<'v>(
    objects: impl IntoIterator<Item = &'v Value>,
) -> BTreeMap<&'v str, Vec<&'v Value>> {
    let mut users: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    let pods = objects.into_iter().filter(|object| object["kind"] == "Pod");
    for pod in pods {
        for claim in claims_of(pod) {
            users.entry(claim).or_default().push(pod);
        }
    }
    users
}
