//! Who is who: the IDs of keys in ConfigMaps and in the Secret, and those that the owner declared.
//! The first keep their instance's pods reading the ConfigMap until the Secret is seen to hold the
//! same key.

mod entries;
#[cfg(test)]
mod tests;
mod witnesses;

use std::collections::BTreeSet;

use entries::Settled;
pub use entries::{IDENTITY_UNCLEAR, mounted_by};

use super::{Declared, Facts};
use crate::live::{Live, NodeKey, Object};
use crate::model::{FleetKey, Kind, Notice, names};

/// The code of the notice that two places give an instance different IDs.
pub const IDENTITY_DISAGREES: &str = "IdentityDisagrees";

type Found<'f> = (&'f mut Facts, &'f mut Vec<Notice>);

/// Gathers all identities of a fleet.
pub(super) fn gather(
    (live, fleet): (&Live<'_>, &FleetKey),
    of_owner: Declared<'_>,
    (facts, notices): Found<'_>,
) {
    let mounted = entries::mounted(live, fleet, of_owner);
    let Settled { held, unclear } =
        entries::settle((live, fleet), of_owner, &mounted, (facts, notices));
    for object in live.kind_of_fleet(Kind::ConfigMap, fleet) {
        of_config_map(object, (facts, notices));
    }
    // a pod that runs with the key of the Secret tells that it is there, captured or not
    facts
        .config_map_keys
        .retain(|instance| !mounted.contains_key(instance));
    of_secret(live, fleet, (facts, notices));
    facts
        .node_ids
        .retain(|instance, _| !unclear.contains(instance));
    for instance in &held {
        former(live, fleet, (instance, of_owner), facts);
    }
    declared(of_owner, &held, (facts, notices));
    facts.held_identities = held;
}

/// Finds the ID that a node has which keeps its former key: until it restarts with the new one, its
/// peers must go on dialling the former.
fn former(
    live: &Live<'_>,
    fleet: &FleetKey,
    (instance, of_owner): (&str, Declared<'_>),
    facts: &mut Facts,
) {
    if facts.node_ids.contains_key(instance) {
        return;
    }
    let asked = of_owner.ids.and_then(|ids| ids.get(instance));
    let told = witnesses::told(live, fleet, instance).filter(|told| Some(told) != asked);
    facts
        .node_ids
        .extend(told.map(|told| (instance.to_owned(), told)));
}

/// Takes up the key of an operator's ConfigMap.
fn of_config_map(object: &Object<'_>, (facts, notices): Found<'_>) {
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
fn of_secret(live: &Live<'_>, fleet: &FleetKey, (facts, notices): Found<'_>) {
    let secret = names::key_secret(&fleet.name);
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

/// Takes up what the owner declared; an instance that is held back keeps the ID that it has.
fn declared(declared: Declared<'_>, held: &BTreeSet<String>, (facts, notices): Found<'_>) {
    for (instance, id) in declared.ids.into_iter().flatten() {
        if held.contains(instance) {
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
