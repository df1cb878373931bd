//! What is there, as little of it as those who act must know: which object, in which version, and
//! whether it is on its way out. Knows nothing of plans.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Seen;
use crate::model::{ObjectKey, Source};

/// What is known of an object beside [`Seen`].
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    seen: Seen,
    /// Whether its condition `Ready` holds.
    is_ready: bool,
}

/// The objects of a cluster, by kind, namespace and name.
#[derive(Debug, Default)]
pub struct Index {
    known: BTreeMap<(String, String, String), Known>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    #[serde(default)]
    kind: String,
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    metadata: Metadata,
    #[serde(default)]
    status: Option<Status>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    name: String,
    namespace: String,
    uid: String,
    resource_version: String,
    deletion_timestamp: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    conditions: Option<Vec<Condition>>,
}

#[derive(Deserialize)]
struct Condition {
    #[serde(rename = "type", default)]
    name: String,
    #[serde(default)]
    status: String,
}

impl Index {
    /// Reads what was captured. A list that cannot be read here could not be planned from either.
    #[must_use]
    pub fn read(captured: &[Source]) -> Self {
        let mut index = Self::default();
        for source in captured {
            let Ok(list) = serde_json::from_slice::<List>(&source.bytes) else {
                continue;
            };
            let kind = list.kind.strip_suffix("List").unwrap_or_default();
            for item in list.items {
                index.add(kind, item);
            }
        }
        index
    }

    fn add(&mut self, kind: &str, item: Item) {
        let Metadata {
            name,
            namespace,
            uid,
            resource_version,
            deletion_timestamp,
        } = item.metadata;
        let conditions = item.status.unwrap_or_default().conditions;
        let mut conditions = conditions.into_iter().flatten();
        let known = Known {
            seen: Seen {
                uid,
                version: resource_version,
                is_leaving: deletion_timestamp.is_some(),
            },
            is_ready: conditions.any(|one| one.name == "Ready" && one.status == "True"),
        };
        self.known.insert((kind.to_owned(), namespace, name), known);
    }

    fn known(&self, object: &ObjectKey) -> Option<&Known> {
        let namespace = object.namespace.clone();
        let key = (object.kind.to_string(), namespace, object.name.clone());
        self.known.get(&key)
    }

    /// Returns an object as it was seen.
    #[must_use]
    pub fn seen(&self, object: &ObjectKey) -> Option<&Seen> {
        self.known(object).map(|known| &known.seen)
    }

    /// Tells whether a pod is ready, and not on its way out.
    #[must_use]
    pub fn is_ready(&self, object: &ObjectKey) -> bool {
        let is_ready = |known: &Known| known.is_ready && !known.seen.is_leaving;
        self.known(object).is_some_and(is_ready)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Kind;

    fn pod(name: &str) -> ObjectKey {
        ObjectKey {
            api_version: "v1".to_owned(),
            kind: Kind::Pod,
            namespace: "a".to_owned(),
            name: name.to_owned(),
        }
    }

    #[test]
    fn a_pod_is_ready_unless_it_leaves() {
        let ready = json!({"conditions": [
            {"type": "PodScheduled", "status": "False"}, {"type": "Ready", "status": "True"}]});
        let item = |name: &str, more: serde_json::Value| {
            let mut item = json!({
                "metadata": {"name": name, "namespace": "a", "uid": name, "resourceVersion": "7"},
                "status": ready,
            });
            item["metadata"]["deletionTimestamp"] = more;
            item
        };
        let list = json!({"kind": "PodList", "items": [
            item("stays", json!(null)), item("leaves", json!("2026-01-01T00:00:00Z"))]});
        let index = Index::read(&[Source {
            name: "x".to_owned(),
            bytes: list.to_string().into_bytes(),
        }]);
        let seen = |name: &str| {
            index
                .seen(&pod(name))
                .map(|seen| (seen.version.as_str(), seen.is_leaving))
        };
        assert_eq!(seen("stays"), Some(("7", false)));
        assert_eq!(seen("leaves"), Some(("7", true)));
        assert_eq!(seen("absent"), None);
        assert!(index.is_ready(&pod("stays")));
        assert!(!index.is_ready(&pod("leaves")));
        assert!(!index.is_ready(&pod("absent")));
    }
}
