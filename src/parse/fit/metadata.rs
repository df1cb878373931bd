//! The document's own metadata: what an API server refuses of its fields' names, and of names,
//! namespaces, labels and annotations. What a server writes itself is passed over.

use serde_json::Value;

use super::{Fault, words};
use crate::diagnostic::Severity;
use crate::parse::tree::{Content, Key, Mark, Node};
use crate::spec::metadata::{key_fault, label_value_fault, name_fault, namespace_fault};
use crate::spec::path;

/// The fields of metadata, by Kubernetes' definition of any object. A misspelt one would be lost
/// without a word, and with it what an owner allows in annotations.
const FIELDS: [&str; 15] = [
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Checks the metadata of a document.
pub(super) fn check(node: &Node, faults: &mut Vec<Fault>) {
    unknown_fields(node, faults);
    let mut fault = |path: String, mark: Mark, code: &'static str, message: String| {
        faults.push(Fault {
            path,
            mark,
            severity: Severity::Error,
            code,
            message,
            hint: None,
        });
    };
    if let Some((code, message)) = name(node.get("name")) {
        let mark = node.get("name").map_or(node.mark, |name| name.mark);
        fault("metadata.name".to_owned(), mark, code, message);
    }
    if let Some(namespace) = node.get("namespace")
        && let Some((code, message)) = namespace_text(namespace)
    {
        let path = "metadata.namespace".to_owned();
        fault(path, namespace.mark, code, message);
    }
    for field in ["labels", "annotations"] {
        let here = path::field("metadata", field);
        let entries = match node.get(field) {
            None => continue,
            Some(map) => match &map.value {
                Content::Null => continue,
                Content::Mapping(entries) => entries,
                Content::Bool(_)
                | Content::Number(_)
                | Content::String(_)
                | Content::Sequence(_) => {
                    let message = "expected a mapping of texts".to_owned();
                    fault(here, map.mark, "wrong-type", message);
                    continue;
                }
            },
        };
        for (key, value) in entries {
            if let Some((mark, code, message)) = entry(field, key, value) {
                fault(path::field(&here, &key.text), mark, code, message);
            }
        }
    }
}

/// Fills in what an API server makes of a label or annotation without a value: an empty text.
pub(super) fn fill(node: &Node, document: &mut Value) {
    for field in ["labels", "annotations"] {
        let Some(Content::Mapping(entries)) = node.get(field).map(|map| &map.value) else {
            continue;
        };
        let nulls = entries.iter().filter(|(_, v)| v.value == Content::Null);
        for (key, _) in nulls {
            document["metadata"][field][&key.text] = Value::from("");
        }
    }
}

fn unknown_fields(node: &Node, faults: &mut Vec<Fault>) {
    let Content::Mapping(entries) = &node.value else {
        return;
    };
    let unknown = entries
        .iter()
        .filter(|(k, _)| !FIELDS.contains(&k.text.as_str()));
    faults.extend(unknown.map(|(key, _)| {
        let (message, hint) = words::unknown_metadata(&FIELDS, &key.text);
        Fault {
            path: path::field("metadata", &key.text),
            mark: key.mark,
            severity: Severity::Error,
            code: "unknown-field",
            message,
            hint,
        }
    }));
}

fn name(name: Option<&Node>) -> Option<(&'static str, String)> {
    match name.map(|node| &node.value) {
        None | Some(Content::Null) => {
            let message = "missing required field `name`: fleets are told apart by it";
            Some(("missing-field", message.to_owned()))
        }
        Some(Content::String(text)) => name_fault(text).map(|fault| ("bad-name", fault)),
        Some(
            Content::Bool(_) | Content::Number(_) | Content::Sequence(_) | Content::Mapping(_),
        ) => Some(("wrong-type", no_text())),
    }
}

fn namespace_text(namespace: &Node) -> Option<(&'static str, String)> {
    match &namespace.value {
        Content::Null => None,
        // An empty namespace is none.
        Content::String(text) => (!text.is_empty())
            .then(|| namespace_fault(text))
            .flatten()
            .map(|fault| ("bad-name", fault)),
        Content::Bool(_) | Content::Number(_) | Content::Sequence(_) | Content::Mapping(_) => {
            Some(("wrong-type", no_text()))
        }
    }
}

fn entry(field: &str, key: &Key, value: &Node) -> Option<(Mark, &'static str, String)> {
    // Keys of annotations may be in upper case throughout, prefix included.
    let is_label = field == "labels";
    let fault = if is_label {
        key_fault(&key.text)
    } else {
        key_fault(&key.text.to_ascii_lowercase())
    };
    if let Some(fault) = fault {
        return Some((key.mark, "bad-label", fault));
    }
    match &value.value {
        Content::String(text) if is_label => {
            label_value_fault(text).map(|fault| (value.mark, "bad-label", fault))
        }
        Content::Null | Content::String(_) => None,
        Content::Bool(_) | Content::Number(_) | Content::Sequence(_) | Content::Mapping(_) => {
            Some((value.mark, "wrong-type", no_text()))
        }
    }
}

fn no_text() -> String {
    "expected a text: put quotes around it".to_owned()
}
