//! A fleet in parts that never change their members: each instance with its pods and claims, and all
//! that they share. Knows nothing of plans.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Fleet, members, text};

/// One part of a fleet.
pub(super) struct Part {
    /// The instance; `None` for what all share.
    pub(super) instance: Option<String>,
    /// Its objects, in the order in which they are applied.
    pub(super) objects: Vec<Value>,
}

/// Returns the parts of a fleet: what all share comes first.
pub(super) fn parts(fleet: &Fleet<'_>) -> Vec<Part> {
    let document = fleet.delivery.document.iter();
    let objects = fleet.objects.iter().chain(&fleet.delivery.standing);
    let all: Vec<&Value> = document.chain(objects).collect();
    let users = members::users(all.iter().copied());
    let mut base = Vec::new();
    let mut instances: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for object in &all {
        match instance_of(object, &users) {
            Some(instance) => {
                let of = instances.entry(instance.to_owned()).or_default();
                of.push((*object).clone());
            }
            None => base.push((*object).clone()),
        }
    }
    let base = Part {
        instance: None,
        objects: base,
    };
    let instances = instances.into_iter().map(|(instance, objects)| Part {
        instance: Some(instance),
        objects,
    });
    let parts = std::iter::once(base).chain(instances);
    parts.filter(|part| !part.objects.is_empty()).collect()
}

/// Returns the instance that an object goes with: a claim with the pods that mount it, or, where none
/// does, with the instance that it is named after.
fn instance_of<'v>(
    object: &'v Value,
    users: &BTreeMap<&'v str, Vec<&'v Value>>,
) -> Option<&'v str> {
    match text(object, "/kind") {
        "Pod" => Some(members::main_of(object)),
        "PersistentVolumeClaim" => {
            let name = text(object, "/metadata/name");
            let named = name.strip_prefix("pvc-").unwrap_or(name);
            let users = users.get(name).map_or(&[][..], Vec::as_slice);
            let mut mains = users.iter().map(|pod| members::main_of(pod));
            // its name is the same whether a pod is there or not
            let is_named = mains.clone().any(|main| main == named) || users.is_empty();
            if is_named { Some(named) } else { mains.next() }
        }
        _ => None,
    }
}
