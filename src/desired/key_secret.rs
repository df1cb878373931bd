//! The Secret that holds the node keys of a fleet, as far as anybody may see it: all but its
//! entries. Knows nothing of keys.

use serde_json::{Value, json};

use crate::desired::fleet::Fleet;
use crate::live::facts::Facts;
use crate::model::{Kind, NodeId, names};
use crate::spec::FullNode;

/// Returns the names of all instances of a fleet, the disabled ones included, in the order of
/// their ordinals: the key of each lies in the Secret under its name.
#[must_use]
pub fn instances(node: &FullNode) -> Vec<String> {
    let facts = Facts::default();
    let fleet = Fleet::new(node, &facts);
    fleet.ordinals().map(|at| fleet.instance(at)).collect()
}

/// Returns the name of the Secret from which the instances of a fleet read their keys.
#[must_use]
pub fn key_secret(name: &str) -> String {
    format!("{name}-node-keys")
}

/// Returns the Secret without its entries. It has no version among its labels: a new image is
/// nothing to it.
#[must_use]
pub fn secret_frame(node: &FullNode) -> Value {
    let facts = Facts::default();
    let fleet = Fleet::new(node, &facts);
    let key = fleet.key(Kind::Secret, &key_secret(&node.key.name));
    json!({
        "apiVersion": key.api_version,
        "kind": key.kind.as_str(),
        "metadata": {
            "name": key.name,
            "namespace": key.namespace,
            "labels": {
                (names::COMPONENT): "node-keys",
                (names::CREATED_BY): names::US,
                (names::NAME): crate::desired::labels::to_label_value(&fleet.name),
            },
            "annotations": {(names::FLEET): node.key.name},
        },
        "type": "Opaque",
    })
}

/// Returns the entry of the Secret under which a rotated identity lies: the former one keeps the
/// instance's plain name, so that a pod that still runs on it finds it after a crash.
#[must_use]
pub fn rotated_entry(instance: &str, id: &NodeId) -> String {
    format!("{instance}.{id}")
}
