//! Documents of kind `NodeIdentities` into node IDs by fleet and instance.

use std::collections::BTreeMap;

use super::{Origin, Reader, check_version, fleets};
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::{FleetKey, NodeId};
use crate::parse::fit::fit;
use crate::spec::identities::NodeIdentities;
use crate::spec::{path, schema};

/// Node IDs by instance.
type Ids = BTreeMap<String, NodeId>;

/// Reads all node identities. No ID may be used twice: two nodes with one ID push each other out
/// of the network.
pub(super) fn read(origins: Vec<Origin>, reader: &mut Reader<'_>) -> BTreeMap<FleetKey, Ids> {
    let mut identities = BTreeMap::new();
    let mut documents: BTreeMap<FleetKey, String> = BTreeMap::new();
    let mut uses: BTreeMap<NodeId, String> = BTreeMap::new();
    for origin in origins {
        let Some((key, ids)) = read_one(&origin, reader) else {
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
        identities.insert(key, ids);
    }
    identities
}

fn read_one(origin: &Origin, reader: &mut Reader<'_>) -> Option<(FleetKey, Ids)> {
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
    fleets::key(origin).filter(|_| is_fit).map(|key| (key, ids))
}
