//! A snapshot without secrets, for places that others read: private keys become the public IDs that
//! follow from them, and of what is no fleet's only that it is there stays. Knows nothing of what a
//! plan makes of it.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::snapshot::{self, Text};
use super::{node_key, stamps};
use crate::diagnostic::Reported;
use crate::live::NodeKey;
use crate::live::age::{self, At};
use crate::model::names::{self, LAST_APPLIED};

/// What stands where a key was that has no public ID.
const CUT: &str = "cut out";
/// What tells how a container that is no fleet's is started: it may hold anything.
const HOW_IT_STARTS: [&str; 4] = ["env", "envFrom", "command", "args"];
/// Where a pod's containers are.
const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// A snapshot that others may read.
#[derive(Debug)]
pub struct Redacted {
    /// The objects, as one List.
    pub list: Value,
    /// How many objects are left out: those of no use to a plan, and Secrets without node keys.
    pub left_out: usize,
    /// How many private keys were cut out.
    pub keys: usize,
}

/// Takes out of a snapshot what nobody else may read. `captured` is when it was captured, for Lists
/// that do not say it themselves. There is nothing where anything cannot be read.
#[must_use]
pub fn redact(texts: &[Text<'_>], captured: Option<Timestamp>) -> Reported<Option<Redacted>> {
    let read = snapshot::read(texts);
    if read.has_errors() {
        return Reported {
            value: None,
            diagnostics: read.diagnostics,
        };
    }
    let mut items = Vec::new();
    for text in texts {
        // it could be read before
        if let Ok(document) = serde_json::from_str(&text.json) {
            flatten(document, None, &mut items);
        }
    }
    let all = items.len();
    let mut keys = 0;
    let mut items: Vec<Value> = items
        .into_iter()
        .filter_map(|item| object(item, &mut keys))
        .collect();
    items.sort_by_cached_key(place);
    let mut list = json!({"apiVersion": "v1", "kind": "List"});
    let told = || age::captured(&read.value).at.map(At::time);
    if let Some(at) = read.value.captured.or(captured).or_else(told) {
        list["metadata"] = json!({"annotations": {names::CAPTURED_AT: at.to_string()}});
    }
    let left_out = all - items.len();
    list["items"] = Value::Array(items);
    Reported {
        value: Some(Redacted {
            list,
            left_out,
            keys,
        }),
        diagnostics: read.diagnostics,
    }
}

/// Puts the objects of a document into one row: a List stands for its items, and that of one kind
/// gives it to them.
fn flatten(document: Value, of_list: Option<&(String, String)>, items: &mut Vec<Value>) {
    let Value::Object(mut object) = document else {
        return;
    };
    if let Some((kind, api_version)) = of_list
        && !object.contains_key("kind")
    {
        object.insert("kind".to_owned(), json!(kind));
        object.insert("apiVersion".to_owned(), json!(api_version));
    }
    let Some(Value::Array(inner)) = object.remove("items") else {
        items.push(Value::Object(object));
        return;
    };
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let kind = text("kind").strip_suffix("List").unwrap_or_default();
    let of_list = (!kind.is_empty()).then(|| (kind.to_owned(), text("apiVersion").to_owned()));
    for item in inner {
        flatten(item, of_list.as_ref(), items);
    }
}

/// Returns an object without its secrets; nothing where a plan has no use for it.
fn object(mut object: Value, keys: &mut usize) -> Option<Value> {
    let metadata = object["metadata"].as_object_mut()?;
    metadata.remove("managedFields");
    metadata.remove("selfLink");
    if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
        annotations.remove(LAST_APPLIED);
    }
    let is_fleets = is_of_a_fleet(metadata);
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    match kind.as_str() {
        "Node" => Some(bare(&object)),
        "Secret" => secret(&object, keys),
        "ConfigMap" if is_fleets => Some(config_map(object, keys)),
        "Pod" if is_fleets => Some(object),
        "Pod" => Some(somebodys_pod(object)),
        "ConfigMap" | "Service" | "ServiceAccount" | "Role" | "RoleBinding" if !is_fleets => {
            Some(bare(&object))
        }
        _ if stamps::has_heartbeat(&kind) => None,
        _ => snapshot::known(&kind).is_some().then_some(object),
    }
}

/// Tells whether anything says that an object is of a fleet: whoever owns it, or made it.
fn is_of_a_fleet(metadata: &Map<String, Value>) -> bool {
    let text = |part: &str, key: &str| metadata.get(part)?.get(key)?.as_str();
    let maker = text("labels", "app.kubernetes.io/created-by");
    let mut owners = metadata
        .get("ownerReferences")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    maker.is_some_and(|maker| maker == names::US || maker == names::REFERENCE)
        || text("annotations", names::FLEET).is_some()
        || owners.any(|owner| owner["kind"] == "CosmosFullNode")
}

/// Returns what says that an object is there, and whose.
fn bare(object: &Value) -> Value {
    let mut metadata = object["metadata"].clone();
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.remove("annotations");
    }
    json!({
        "apiVersion": object["apiVersion"],
        "kind": object["kind"],
        "metadata": metadata,
    })
}

fn somebodys_pod(mut pod: Value) -> Value {
    let containers = CONTAINERS
        .into_iter()
        .filter_map(|list| pod["spec"].get(list)?.as_array().map(|_| list));
    for list in containers.collect::<Vec<_>>() {
        let containers = pod["spec"][list].as_array_mut().into_iter().flatten();
        for container in containers.filter_map(Value::as_object_mut) {
            for key in HOW_IT_STARTS {
                container.remove(key);
            }
        }
    }
    if let Some(metadata) = pod["metadata"].as_object_mut() {
        metadata.remove("annotations");
    }
    pod
}

fn config_map(mut object: Value, keys: &mut usize) -> Value {
    if let Some(object) = object.as_object_mut() {
        object.remove("binaryData");
    }
    let data = object["data"].as_object_mut().into_iter().flatten();
    for (name, value) in data {
        let Some(text) = value.as_str() else {
            continue;
        };
        if node_key::is_key_entry(name, text) {
            *value = json!(public(&node_key::identify(text)));
            *keys += 1;
        }
    }
    object
}

/// Returns a Secret with the IDs of the node keys that it holds, and nothing else.
fn secret(object: &Value, keys: &mut usize) -> Option<Value> {
    let mut data = Map::new();
    for (part, is_encoded) in [("data", true), ("stringData", false)] {
        for (name, value) in object[part].as_object().into_iter().flatten() {
            let text = value.as_str().unwrap_or_default();
            let key = if is_encoded {
                node_key::identify_base64(text)
            } else {
                node_key::is_key_entry("", text).then(|| node_key::identify(text))
            };
            if let Some(key) = key {
                data.insert(name.clone(), json!(node_key::encoded(&public(&key))));
                *keys += 1;
            }
        }
    }
    if data.is_empty() {
        return None;
    }
    let mut secret = object.clone();
    let all = secret.as_object_mut()?;
    all.remove("stringData");
    all.insert("data".to_owned(), Value::Object(data));
    Some(secret)
}

fn public(key: &NodeKey) -> String {
    match key {
        NodeKey::Id(id) => node_key::public(id),
        NodeKey::Broken => CUT.to_owned(),
    }
}

/// Where an object stands among all.
fn place(object: &Value) -> [String; 4] {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let metadata = &object["metadata"];
    [
        text(&object["kind"]),
        text(&metadata["namespace"]),
        text(&metadata["name"]),
        text(&metadata["resourceVersion"]),
    ]
}

#[cfg(test)]
mod tests;
