//! What is wrong with identities: one that two nodes have, one that two places disagree on, a key
//! that is none, one that is nowhere.

use std::collections::BTreeMap;

use super::pool::Holds;
use super::survey::{Fleet, Instance, Survey};
use crate::diagnostic::{Diagnostic, Place};
use crate::model::{NodeId, names};

/// Judges all fleets that are meant.
#[must_use]
pub fn verify(survey: &Survey) -> Vec<Diagnostic> {
    let mut faults = survey.faults.clone();
    for fleet in &survey.fleets {
        for instance in &fleet.instances {
            disagreement(fleet, instance, &mut faults);
            broken(fleet, instance, &mut faults);
            missing(fleet, instance, &mut faults);
        }
    }
    faults.sort();
    faults.dedup();
    faults
}

/// Finds IDs that two instances have, whatever their fleets and namespaces: two nodes with one ID
/// push each other out of the network. A key that an instance left behind when it went to another
/// fleet is nobody's.
pub(super) fn twins(fleets: &[Fleet]) -> Vec<Diagnostic> {
    let mut users: BTreeMap<&NodeId, Vec<(&Fleet, &Instance)>> = BTreeMap::new();
    for fleet in fleets {
        let meant = fleet.instances.iter();
        for instance in meant.filter(|i| i.is_asked || i.declared.is_some()) {
            for id in instance.ids() {
                users.entry(id).or_default().push((fleet, instance));
            }
        }
    }
    let mut faults = Vec::new();
    for (id, users) in users {
        let Some(((first, one), others)) = users.split_first() else {
            continue;
        };
        for (fleet, other) in others {
            let message = format!(
                "the node ID {id} of {} is also that of {}",
                whose(fleet, other, id),
                whose(first, one, id)
            );
            let fault = Diagnostic::error("duplicate-node-id", message);
            let fault = fault.hint("each node needs a key of its own: `keys rotate` makes one");
            faults.push(placed(fault, other));
        }
    }
    faults
}

/// Names an instance and where its ID is known from.
fn whose(fleet: &Fleet, instance: &Instance, id: &NodeId) -> String {
    let is_held = |holds: &Option<Holds>| *holds == Some(Holds::Key(id.clone()));
    let place = match &instance.place {
        Some(place) if instance.declared.as_ref() == Some(id) => written(place),
        Some(_) | None if is_held(&instance.secret) => {
            format!("Secret {}", names::key_secret(&fleet.key.name))
        }
        Some(_) | None => format!("ConfigMap {}", instance.name),
    };
    format!("{}/{} ({place})", fleet.key.namespace, instance.name)
}

fn written(place: &Place) -> String {
    match &place.span {
        Some(span) => format!("{}:{}", place.file, span.line),
        None => place.file.clone(),
    }
}

fn placed(mut fault: Diagnostic, instance: &Instance) -> Diagnostic {
    fault.place.clone_from(&instance.place);
    fault
}

/// Tells where an instance is known under two IDs.
fn disagreement(fleet: &Fleet, instance: &Instance, faults: &mut Vec<Diagnostic>) {
    let secret = names::key_secret(&fleet.key.name);
    let sources = [
        ("its NodeIdentities".to_owned(), instance.declared.as_ref()),
        (format!("Secret {secret}"), id_of(instance.secret.as_ref())),
        (
            format!("ConfigMap {}", instance.name),
            id_of(instance.config_map.as_ref()),
        ),
    ];
    // a rotated identity is another than the operator's by its owner's wish
    let known = sources
        .iter()
        .take(if instance.is_rotated() { 2 } else { 3 });
    let mut known = known.filter_map(|(from, id)| Some((from, (*id)?)));
    let Some((first, id)) = known.next() else {
        return;
    };
    for (from, other) in known.filter(|(_, other)| *other != id) {
        let message = format!(
            "{}/{} is {id} by {first}, but {other} by {from}",
            fleet.key.namespace, instance.name
        );
        let fault = Diagnostic::error("identity-disagrees", message);
        let fault = fault.hint("find out which of the two its peers know, and correct the other");
        faults.push(placed(fault, instance));
    }
}

fn id_of(holds: Option<&Holds>) -> Option<&NodeId> {
    match holds? {
        Holds::Key(id) => Some(id),
        Holds::Broken(_) => None,
    }
}

/// Tells of keys that are none. What is wrong with them is told, what they hold is not.
fn broken(fleet: &Fleet, instance: &Instance, faults: &mut Vec<Diagnostic>) {
    let secret = format!("Secret {}", names::key_secret(&fleet.key.name));
    let config_map = format!("ConfigMap {}", instance.name);
    for (from, holds) in [
        (secret, &instance.secret),
        (config_map, &instance.config_map),
    ] {
        let Some(Holds::Broken(why)) = holds else {
            continue;
        };
        let message = format!(
            "what {from} holds for {}/{} is no node key: {}",
            fleet.key.namespace,
            instance.name,
            why.why()
        );
        let fault = Diagnostic::error("broken-node-key", message);
        let hint = "put the right one there: from the node's own config/node_key.json, or a backup";
        faults.push(placed(fault.hint(hint), instance));
    }
}

/// Says what to do about an ID whose key is nowhere.
pub(super) fn lost(instance: &Instance) -> String {
    let name = &instance.name;
    if instance.is_rotated() {
        return format!(
            "put its key there; where that never came to be stored, `keys rotate {name}` makes \
             another; to stay with the former one, write its ID there again and take {name} out of \
             `rotated`"
        );
    }
    format!(
        "put its key there (`keys import --home PATH --instance {name}` takes it from a node's \
         home); where it never came to be stored, take its line out of the NodeIdentities and run \
         `keys init` again"
    )
}

/// Tells of IDs without a key, of keys without an ID, and of instances without both.
fn missing(fleet: &Fleet, instance: &Instance, faults: &mut Vec<Diagnostic>) {
    let name = format!("{}/{}", fleet.key.namespace, instance.name);
    let has_key = instance.secret.is_some() || instance.config_map.is_some();
    let secret = names::key_secret(&fleet.key.name);
    let fault = match (&instance.declared, has_key) {
        (Some(_), false) if fleet.knows_secret => Diagnostic::error(
            "identity-without-key",
            format!("{name} has an ID, but Secret {secret} has no key of it"),
        )
        .hint(lost(instance)),
        (None, true) if instance.is_asked && !instance.ids().is_empty() => Diagnostic::warning(
            "key-without-identity",
            format!("{name} has a key, but no NodeIdentities document names its ID"),
        )
        .hint("`cosmos-render keys import` writes it down"),
        (None, false) if instance.is_asked => Diagnostic::warning(
            "no-identity",
            format!("{name} has no identity: nothing that was given names its ID or holds its key"),
        )
        .hint("`cosmos-render keys init` makes one; `keys import` takes over one that it has"),
        (Some(_) | None, _) => return,
    };
    faults.push(placed(fault, instance));
}
