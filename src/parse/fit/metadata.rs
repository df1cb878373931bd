//! The document's own metadata: what an API server refuses of names, namespaces, labels and
//! annotations. All other metadata is passed over.

use super::Fault;
use crate::diagnostic::Severity;
use crate::parse::tree::{Content, Key, Mark, Node};
use crate::spec::metadata::{key_fault, label_value_fault, name_fault, namespace_fault};
use crate::spec::path;

/// Checks the metadata of a document.
pub(super) fn check(node: &Node, faults: &mut Vec<Fault>) {
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
