//! The Secret that holds the node keys of a fleet, as far as anybody may see it: all but its
//! entries. Knows nothing of keys.

use serde_json::{Value, json};

use crate::desired::fleet::Fleet;
use crate::live::facts::Facts;
use crate::model::{Kind, names};
use crate::spec::FullNode;

/// Returns the names of all instances of a fleet, the disabled ones included, in the order of
/// their ordinals: the key of each lies in the Secret under its name.
#[must_use]
pub fn instances(node: &FullNode) -> Vec<String> {
    let facts = Facts::default();
    let fleet = Fleet::new(node, &facts);
    fleet.ordinals().map(|at| fleet.instance(at)).collect()
}

/// Returns the Secret without its entries. It has no version among its labels: a new image is
/// nothing to it.
#[must_use]
pub fn secret_frame(node: &FullNode) -> Value {
    let facts = Facts::default();
    let fleet = Fleet::new(node, &facts);
    let key = fleet.key(Kind::Secret, &names::key_secret(&node.key.name));
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
