//! The model's objects as an API server holds them. Knows nothing of time, and not what any of them
//! is for.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::model::{ObjectKey, Source};

/// Kind, namespace and name.
pub(crate) type Id = (String, String, String);

/// All objects, by kind, namespace and name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Objects {
    all: BTreeMap<Id, Value>,
    /// Older copies of documents: what they tell of heights stays true.
    former: Vec<Value>,
}

/// The kinds that have no namespace.
const OF_CLUSTER: [&str; 2] = ["StorageClass", "PersistentVolume"];

impl Objects {
    /// Takes objects in; of two of one name the newer one counts.
    pub(crate) fn new(objects: impl IntoIterator<Item = Value>) -> Self {
        let mut taken = Self::default();
        for mut object in objects {
            let is_of_cluster = OF_CLUSTER.iter().any(|kind| object["kind"] == *kind);
            if !is_of_cluster && text(&object["metadata"]["namespace"]).is_empty() {
                put(&mut object, &["metadata", "namespace"], json!("default"));
            }
            taken.take(object);
        }
        taken
    }

    fn take(&mut self, object: Value) {
        let id = id(&object);
        let is_newer = self
            .all
            .get(&id)
            .is_none_or(|known| version(known) <= version(&object));
        let older = if is_newer {
            self.all.insert(id, object)
        } else {
            Some(object)
        };
        self.former
            .extend(older.filter(|older| older["kind"] == "CosmosFullNode"));
    }

    /// Returns an object.
    pub(crate) fn get(&self, id: &Id) -> Option<&Value> {
        self.all.get(id)
    }

    /// Returns an object to change it.
    pub(crate) fn get_mut(&mut self, id: &Id) -> Option<&mut Value> {
        self.all.get_mut(id)
    }

    /// Puts an object in the place of whatever has its name.
    pub(crate) fn insert(&mut self, object: Value) {
        self.all.insert(id(&object), object);
    }

    /// Takes an object out.
    pub(crate) fn remove(&mut self, id: &Id) -> Option<Value> {
        self.all.remove(id)
    }

    /// Returns all objects.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&Id, &Value)> {
        self.all.iter()
    }

    /// Returns the objects of a kind.
    pub(crate) fn of_kind(&self, kind: &str) -> impl Iterator<Item = (&Id, &Value)> {
        let first = (kind.to_owned(), String::new(), String::new());
        let kind = kind.to_owned();
        self.all
            .range(first..)
            .take_while(move |((of, ..), _)| *of == kind)
    }

    /// Returns all objects as `kubectl get -o json` prints them.
    pub(crate) fn source(&self) -> Source {
        let mut bytes = br#"{"apiVersion":"v1","kind":"List","items":["#.to_vec();
        for (n, object) in self.all.values().chain(&self.former).enumerate() {
            if n > 0 {
                bytes.push(b',');
            }
            bytes.extend(object.to_string().into_bytes());
        }
        bytes.extend(b"]}");
        Source {
            name: "the model cluster".to_owned(),
            bytes,
        }
    }
}

/// Returns an object's kind, namespace and name.
pub(crate) fn id(object: &Value) -> Id {
    let metadata = &object["metadata"];
    (
        text(&object["kind"]).to_owned(),
        text(&metadata["namespace"]).to_owned(),
        text(&metadata["name"]).to_owned(),
    )
}

/// Returns the same of an object that a plan names.
pub(crate) fn id_of(key: &ObjectKey) -> Id {
    let kind = key.kind.as_str().to_owned();
    (kind, key.namespace.clone(), key.name.clone())
}

/// Returns how a kind and a name are told.
pub(super) fn label(id: &Id) -> String {
    format!("{}/{}", id.0, id.2)
}

/// Returns a text, empty where there is none.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Returns a list, empty where there is none.
pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Sets a member below others, which are made where they are not there.
pub(super) fn put(object: &mut Value, path: &[&str], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        *object = value;
        return;
    };
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    if let Some(members) = object.as_object_mut() {
        put(members.entry(*first).or_insert(Value::Null), rest, value);
    }
}

/// Takes a member away, where it is there.
pub(super) fn cut(object: &mut Value, path: &[&str]) {
    let Some((last, before)) = path.split_last() else {
        return;
    };
    let holder = before
        .iter()
        .try_fold(object, |inside, part| inside.get_mut(*part));
    if let Some(members) = holder.and_then(Value::as_object_mut) {
        members.remove(*last);
    }
}

/// Returns whether an object is on its way out.
pub(crate) fn is_leaving(object: &Value) -> bool {
    !object["metadata"]["deletionTimestamp"].is_null()
}

fn version(object: &Value) -> u64 {
    let version = text(&object["metadata"]["resourceVersion"]);
    version.parse().unwrap_or_default()
}

/// Finalizers that Kubernetes takes off by itself.
const OWN_FINALIZERS: [&str; 5] = [
    "foregroundDeletion",
    "orphan",
    "kubernetes.io/pvc-protection",
    "snapshot.storage.kubernetes.io/pvc-as-source-protection",
    "service.kubernetes.io/load-balancer-cleanup",
];

/// Returns the first finalizer that whoever set it must take off.
pub(super) fn foreign_finalizer(object: &Value) -> Option<&str> {
    let mut all = list(&object["metadata"]["finalizers"]).iter().map(text);
    all.find(|name| !OWN_FINALIZERS.contains(name))
}
