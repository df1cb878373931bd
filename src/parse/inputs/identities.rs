//! Documents of kind `NodeIdentities` into node IDs by fleet and instance.

use std::collections::{BTreeMap, BTreeSet};

use super::{Origin, Reader, check_version, fleets};
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::quote::quote;
use crate::model::{FleetKey, NodeId};
use crate::parse::fit::fit;
use crate::spec::identities::NodeIdentities;
use crate::spec::{path, schema};

/// Node IDs by instance.
type Ids = BTreeMap<String, NodeId>;

/// The node identities of one fleet.
pub(super) struct Identities {
    pub(super) ids: Ids,
    pub(super) rotated: BTreeSet<String>,
    pub(super) origin: Origin,
}

/// Reads all node identities. No ID may be used twice: two nodes with one ID push each other out
/// of the network.
pub(super) fn read(
    origins: Vec<Origin>,
    reader: &mut Reader<'_>,
) -> BTreeMap<FleetKey, Identities> {
    let mut identities = BTreeMap::new();
    let mut documents: BTreeMap<FleetKey, String> = BTreeMap::new();
    let mut uses: BTreeMap<NodeId, String> = BTreeMap::new();
    for origin in origins {
        let Some((key, ids, rotated)) = read_one(&origin, reader) else {
            continue;
        };
        if let Some(first) = documents.get(&key) {
            let message = format!("the identities of {key} are also written in {first}");
            let twin = Diagnostic::error("duplicate-identities", message);
            let twin = twin.hint("put the IDs of a fleet into one document");
            reader.note(&origin, twin.at("", "metadata.name"));
            continue;
        }
        for (instance, id) in &ids {
            let here = path::field("nodeIDs", instance);
            let place = reader.name(&origin, &here);
            let this = format!("{}/{instance} ({place})", key.namespace);
            if let Some(first) = uses.get(id) {
                let message = format!("the node ID {id} is also that of {first}");
                let twin = Diagnostic::error("duplicate-node-id", message);
                let twin = twin.hint("each node needs a key of its own");
                reader.note(&origin, twin.at("", here));
            } else {
                uses.insert(id.clone(), this);
            }
        }
        documents.insert(key.clone(), reader.name(&origin, "metadata.name"));
        let of_fleet = Identities {
            ids,
            rotated,
            origin,
        };
        identities.insert(key, of_fleet);
    }
    identities
}

fn read_one(origin: &Origin, reader: &mut Reader<'_>) -> Option<(FleetKey, Ids, BTreeSet<String>)> {
    if !check_version(origin, reader) {
        return None;
    }
    let fitted = fit(&origin.document, schema::identities());
    let is_fit = fitted.faults.iter().all(|f| f.severity != Severity::Error);
    for fault in fitted.faults {
        reader.fault(origin.source, fault);
    }
    let document: NodeIdentities = match serde_json::from_value(fitted.value) {
        Ok(document) => document,
        Err(error) => {
            if is_fit {
                reader.error(origin, "", ("unreadable", error.to_string()));
            }
            return None;
        }
    };
    let mut ids = Ids::new();
    for (instance, text) in document.node_ids {
        if let Some(id) = NodeId::parse(&text) {
            ids.insert(instance, id);
            continue;
        }
        let message = format!(
            "not a node ID: expected 40 hexadecimal digits, found {} characters",
            text.chars().count()
        );
        let path = path::field("nodeIDs", &instance);
        reader.error(origin, &path, ("bad-node-id", message));
    }
    let rotated = document.rotated;
    for instance in rotated.iter().filter(|name| !ids.contains_key(*name)) {
        let message = format!("{} has no ID here that it could have got", quote(instance));
        let fault = Diagnostic::error("rotated-without-id", message).at("", "rotated");
        reader.note(
            origin,
            fault.hint("name its ID among `nodeIDs`, or take it out here"),
        );
    }
    let key = fleets::key(origin).filter(|_| is_fit)?;
    Some((key, ids, rotated))
}
