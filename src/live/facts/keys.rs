//! Who is who: the IDs of keys in ConfigMaps and in the Secret, and those that the owner declared.
//! The first keep their instance's pods reading the ConfigMap until the Secret is seen to hold the
//! same key.

use std::collections::BTreeSet;

use super::{Declared, Facts};
use crate::live::{Live, NodeKey, Object};
use crate::model::{FleetKey, Kind, NodeId, Notice, names};

/// The code of the notice that two places give an instance different IDs.
pub const IDENTITY_DISAGREES: &str = "IdentityDisagrees";

type Found<'f> = (&'f mut Facts, &'f mut Vec<Notice>);

/// Finds the entry from which each rotated instance reads its key. A pod that runs stays on its
/// former key until the new one is seen in the Secret: else it would stop, and never start again.
/// Returns who is held back.
pub(super) fn rotations<'d>(
    live: &Live<'_>,
    fleet: &FleetKey,
    declared: Declared<'d>,
    (facts, notices): Found<'_>,
) -> BTreeSet<&'d str> {
    let mut held = BTreeSet::new();
    let secret = live.get(
        Kind::Secret,
        &fleet.namespace,
        &names::key_secret(&fleet.name),
    );
    for instance in declared.rotated.into_iter().flatten() {
        let Some(id) = declared.ids.and_then(|ids| ids.get(instance)) else {
            continue;
        };
        let entry = names::rotated_entry(instance, id);
        let pod = live.get(Kind::Pod, &fleet.namespace, instance);
        let spec = pod
            .and_then(|pod| pod.spec)
            .map(serde_json::value::RawValue::get);
        let stored = secret.and_then(|secret| secret.node_keys.get(entry.as_str()));
        let is_stored = matches!(stored, Some(NodeKey::Id(_)));
        let is_mounted = spec.is_some_and(|spec| spec.contains(&format!("\"{entry}\"")));
        let Some(pod) = pod.filter(|_| !is_stored && !is_mounted) else {
            facts.key_entries.insert(instance.clone(), entry);
            continue;
        };
        held.insert(instance.as_str());
        let former = spec.and_then(|spec| mounted_entry(spec, instance));
        facts
            .key_entries
            .extend(former.map(|former| (instance.clone(), former)));
        let message = format!(
            "its identity was rotated to {id}, but Secret {} is not seen to hold the new key: it \
             keeps its former one until a snapshot with that Secret shows it",
            names::key_secret(&fleet.name)
        );
        notices.push(Notice::on(pod.key(), "RotationHeld", message));
    }
    held
}

/// Returns the entry of an earlier rotation that a pod reads its key from.
fn mounted_entry(spec: &str, instance: &str) -> Option<String> {
    let start = format!("\"{instance}.");
    spec.match_indices(&start).find_map(|(at, _)| {
        let rest = spec.get(at + start.len()..)?;
        let (id, _) = rest.split_once('"')?;
        NodeId::parse(id).map(|id| names::rotated_entry(instance, &id))
    })
}

/// Takes up the key of an operator's ConfigMap.
pub(super) fn of_config_map(object: &Object<'_>, (facts, notices): Found<'_>) {
    let instance = object.meta.name.clone().into_owned();
    if facts.key_entries.contains_key(&instance) {
        return; // it is a former one
    }
    match object.node_keys.get("node_key.json") {
        Some(NodeKey::Id(id)) => {
            facts.node_ids.insert(instance.clone(), id.clone());
            facts.config_map_keys.insert(instance);
        }
        Some(NodeKey::Broken) => {
            facts.config_map_keys.insert(instance);
            let message = "its node_key.json is no key of CometBFT's: the node gets no identity \
                           from it, and peers cannot name it";
            notices.push(Notice::on(object.key(), "NodeKeyBroken", message));
        }
        None => {}
    }
}

/// Takes up the keys of the fleet's Secret. An instance whose key is there reads it from there,
/// and no longer from its ConfigMap; another key than the ConfigMap's is an error.
pub(super) fn of_secret(live: &Live<'_>, fleet: &FleetKey, (facts, notices): Found<'_>) {
    let secret = names::key_secret(&fleet.name);
    mounted(live, fleet, &secret, facts);
    let Some(object) = live.get(Kind::Secret, &fleet.namespace, &secret) else {
        return;
    };
    let entries = facts.key_entries.clone();
    for (name, key) in &object.node_keys {
        let instance = instance_of(name);
        let NodeKey::Id(id) = key else {
            continue;
        };
        let entry = entries.get(instance).map_or(instance, String::as_str);
        if entry != name.as_ref() {
            continue;
        }
        let is_there = facts.config_map_keys.remove(instance);
        let known = facts.node_ids.insert(instance.to_owned(), id.clone());
        if let Some(known) = known.filter(|known| is_there && known != id) {
            let message = format!(
                "Secret {secret} has the key of {id} for {instance}, but its ConfigMap has that of \
                 {known}"
            );
            notices.push(Notice::general(IDENTITY_DISAGREES, message));
        }
    }
}

/// Returns the instance that an entry is of: rotated ones have the ID behind its name.
fn instance_of(entry: &str) -> &str {
    names::of_rotated(entry).map_or(entry, |(instance, _)| instance)
}

/// A pod that runs with the key of the Secret tells that it is there, whether or not the Secret was
/// captured.
fn mounted(live: &Live<'_>, fleet: &FleetKey, secret: &str, facts: &mut Facts) {
    let named = format!("\"{secret}\"");
    facts.config_map_keys.retain(|instance| {
        let pod = live.get(Kind::Pod, &fleet.namespace, instance);
        let spec = pod.and_then(|pod| pod.spec);
        !spec.is_some_and(|spec| spec.get().contains(&named))
    });
}

/// Takes up what the owner declared; an instance that is held back keeps the ID that it has.
pub(super) fn declared(declared: Declared<'_>, held: &BTreeSet<&str>, (facts, notices): Found<'_>) {
    for (instance, id) in declared.ids.into_iter().flatten() {
        if held.contains(instance.as_str()) && facts.node_ids.contains_key(instance) {
            continue;
        }
        let known = facts.node_ids.insert(instance.clone(), id.clone());
        if let Some(known) = known.filter(|known| known != id) {
            let message = format!(
                "NodeIdentities says that {instance} is {id}, but its live key is that of {known}"
            );
            notices.push(Notice::general(IDENTITY_DISAGREES, message));
        }
    }
}
